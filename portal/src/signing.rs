//! What signs blinded messages: a key of one issuer's own, or a share of one that several issuers made together.

use std::sync::Arc;

use kopilka_credential::threshold::{GroupKeys, IssuerIndex, KeyShare, PartialSignature};
use kopilka_credential::{BlindSignature, BlindedMessage, IssuerPublicKey, IssuerSecretKey};
use url::Url;
use zeroize::Zeroizing;

/// One issuer's part of a key that several made together.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) share: KeyShare,
    pub(crate) keys: GroupKeys,
    /// Where the issuers' portals are, the first issuer's first.
    pub(crate) portals: Vec<Url>,
    /// At whose portal citizens begin: it signs first, and counts everybody.
    pub(crate) home: IssuerIndex,
}

impl Member {
    /// Whose part it is.
    pub(crate) fn issuer(&self) -> IssuerIndex {
        self.share.issuer()
    }

    /// Refuses a message that the home issuer has not signed. So a stranger's link cannot spend a citizen's signature, and the
    /// number that the home issuer publishes covers every credential, unless `needed` issuers are corrupt.
    ///
    /// # Errors
    /// [`NotBegun`]. The home issuer itself asks for nothing.
    pub(crate) fn check_begun(&self, message: &BlindedMessage, first: Option<BlindSignature>) -> Result<(), NotBegun> {
        if self.issuer() == self.home {
            return Ok(());
        }
        let first = PartialSignature { issuer: self.home, signature: first.ok_or(NotBegun::Missing)? };
        self.keys.verify_partial(message, &first).map_err(|_| NotBegun::Wrong)
    }

    /// The address that the share names for the portal that has it: the other issuers send citizens back there.
    pub(crate) fn own_portal(&self) -> Option<&Url> {
        self.portals.get(usize::from(self.issuer().get()) - 1)
    }
}

/// Why an issuer does not sign after the home issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotBegun {
    /// The home issuer's part was not brought.
    Missing,
    /// What was brought is not the home issuer's part for this message.
    Wrong,
}

impl NotBegun {
    /// Key of the message to the citizen.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Missing => "error-first-missing",
            Self::Wrong => "error-first-wrong",
        }
    }
}

/// What signs for a round and class.
#[derive(Clone)]
pub(crate) enum SigningKey {
    /// The whole key.
    Whole(IssuerSecretKey),
    /// A share of it.
    Share(Arc<Member>),
}

impl SigningKey {
    /// The key that stands on chain.
    pub(crate) fn public_key(&self) -> IssuerPublicKey {
        match self {
            Self::Whole(secret) => secret.public_key(),
            Self::Share(member) => member.keys.group_key(),
        }
    }

    /// The issuer's answer: the whole blind signature, or its part with the issuer's number.
    pub(crate) fn sign_blinded(&self, message: &BlindedMessage) -> (BlindSignature, Option<IssuerIndex>) {
        match self {
            Self::Whole(secret) => (secret.sign_blinded(message), None),
            Self::Share(member) => {
                let partial = member.share.sign_blinded(message);
                (partial.signature, Some(partial.issuer))
            }
        }
    }

    /// The secret part, for its file.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        match self {
            Self::Whole(secret) => secret.to_bytes(),
            Self::Share(member) => member.share.to_bytes(),
        }
    }
}
