//! What the portal must be told. It reads neither the environment nor files: the program that starts it does.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use kopilka_bindings::deploy::Deployment;
use kopilka_esia::EsiaClient;
use kopilka_web::SecretKey;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use time::UtcOffset;
use url::Url;

use crate::Territories;

/// Everything that differs from one portal to the next.
#[derive(Debug, Clone)]
pub struct Config {
    /// Migrated database with the schemas `chain` and `portal`.
    pub database: PgPool,
    /// The chain's node, for the portal itself.
    pub rpc_url: Url,
    /// The contracts.
    pub deployment: Deployment,
    /// ESIA; its `redirect_uri` must be `/esia/callback` of this portal.
    pub esia: EsiaClient,
    /// Seals cookies and form tokens. Another key ends all sessions.
    pub session_key: SecretKey,
    /// Turns ESIA numbers into tags. Must never change during a round, or a person could get a second credential; must
    /// never lie in the database or its backups.
    pub person_tag_secret: SecretKey,
    /// Folder of the issuer keys, readable for the portal's user alone. Several portal processes share it.
    pub issuer_keys_dir: PathBuf,
    /// Account with the role of an issuer that publishes how many credentials were issued; without it nothing is published.
    pub issuer_account: Option<PrivateKeySigner>,
    /// How often the numbers of issued credentials are published when they have changed.
    pub publish_interval: Duration,
    /// How often the table of issuances is rewritten in an order that tells nothing.
    pub compact_interval: Duration,
    /// What the staff API asks for; without it the staff API is closed.
    pub staff_token: Option<StaffToken>,
    /// Which registered addresses belong to which municipality.
    pub territories: Territories,
    /// Where citizens reach the portal, such as `https://kopilka.example`. With https, cookies insist on it.
    pub public_url: Url,
    /// Where browsers reach the relayer.
    pub relayer_url: Url,
    /// Where browsers reach the explorer.
    pub explorer_url: Url,
    /// Read-only JSON-RPC for browsers, best not the portal's own, such as the explorer's `/api/eth-rpc`.
    pub public_rpc_url: Url,
    /// Where browsers are sent to log in: the origin of ESIA, needed for the logout form.
    pub esia_url: Url,
    /// Folder with the built scripts (`browser/dist`).
    pub assets_dir: PathBuf,
    /// Offset of the shown times from UTC.
    pub offset: UtcOffset,
    /// Browsers wait a random time up to this between receiving a credential and sending it to the relayer, so that the
    /// moments of the two do not tell who is who. Zero for demonstrations.
    pub registration_delay: Duration,
}

/// The bearer token of municipal staff's programs; kept as a hash.
#[derive(Clone)]
pub struct StaffToken([u8; 32]);

impl StaffToken {
    /// Takes a token of at least 16 characters; `None` if it is shorter.
    pub fn new(token: &str) -> Option<Self> {
        (token.len() >= 16).then(|| Self(Sha256::digest(token).into()))
    }

    /// Whether a caller's token is this one. Comparing hashes tells nothing about the token by its timing.
    pub(crate) fn matches(&self, token: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(token).into();
        given == self.0
    }
}

impl fmt::Debug for StaffToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffToken(hidden)")
    }
}
