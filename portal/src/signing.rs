//! What signs blinded messages: a key of one issuer's own, or a share of one that several issuers made together.

use std::sync::Arc;

use kopilka_credential::threshold::{GroupKeys, IssuerIndex, KeyShare};
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
}

impl Member {
    /// Whose part it is.
    pub(crate) fn issuer(&self) -> IssuerIndex {
        self.share.issuer()
    }

    /// The address that the share names for the portal that has it: the other issuers send citizens back there.
    pub(crate) fn own_portal(&self) -> Option<&Url> {
        self.portals.get(usize::from(self.issuer().get()) - 1)
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
