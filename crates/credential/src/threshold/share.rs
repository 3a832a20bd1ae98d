//! The secret side of a shared key: one issuer's share, and what it signs.

use super::dealing::{DealtShare, hashed};
use super::{GroupKeys, IssuerIndex, Outcome, ThresholdError, check_indices};
use crate::blind::{BlindSignature, BlindedMessage, IssuerPublicKey, Signature};
use crate::curve::{G1, G2, Scalar};
use crate::encoding::exactly;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Domain separation tag of attestations: no blinded message is ever hashed with it, so none can be passed off as one.
const ATTESTATION_DOMAIN: &[u8] = b"KOPILKA-V01-CS01-ATTESTATION-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";

/// One issuer's share of a key. It is overwritten when dropped, prints as redacted and cannot be serialized.
#[derive(Clone)]
pub struct KeyShare {
    issuer: IssuerIndex,
    secret: Scalar,
}

impl KeyShare {
    /// Adds up what the qualified dealers dealt to an issuer. Shares of others are left aside.
    ///
    /// # Errors
    /// When a share is missing or appears twice, or the sum does not belong to the issuer's public key.
    pub fn assemble(
        outcome: &Outcome,
        issuer: IssuerIndex,
        dealt: &[(IssuerIndex, DealtShare)],
    ) -> Result<Self, ThresholdError> {
        check_indices(outcome.keys.threshold(), dealt.iter().map(|(dealer, _)| *dealer))?;
        let mut sum: Option<Scalar> = None;
        for dealer in &outcome.qualified {
            let (_, share) =
                dealt.iter().find(|(from, _)| from == dealer).ok_or(ThresholdError::MissingShare(*dealer))?;
            sum = match sum {
                None => Some(share.scalar().clone()),
                Some(sum) => sum.plus(share.scalar()),
            };
        }
        let secret = sum.ok_or(ThresholdError::ShareMismatch)?;
        Self { issuer, secret }.belonging_to(&outcome.keys)
    }

    /// Reads the 32 bytes of a stored share.
    ///
    /// # Errors
    /// When they are no scalar, or not the issuer's share of this group's key.
    pub fn from_bytes(keys: &GroupKeys, issuer: IssuerIndex, bytes: &[u8]) -> Result<Self, ThresholdError> {
        Self { issuer, secret: Scalar::from_be_bytes(exactly(bytes)?)? }.belonging_to(keys)
    }

    fn belonging_to(self, keys: &GroupKeys) -> Result<Self, ThresholdError> {
        if keys.share_key(self.issuer)? == self.public_key() { Ok(self) } else { Err(ThresholdError::ShareMismatch) }
    }

    /// The 32 bytes, big-endian, for sealed storage.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.to_be_bytes()
    }

    /// Whose share it is.
    #[must_use]
    pub fn issuer(&self) -> IssuerIndex {
        self.issuer
    }

    /// The public key of the share.
    #[must_use]
    pub fn public_key(&self) -> IssuerPublicKey {
        IssuerPublicKey(G2::generated_by(&self.secret))
    }

    /// Signs a blinded message, which [`BlindedMessage`] has proved to be in the subgroup and not infinity. Whether its sender
    /// may have a credential, and has shown this issuer no other message, is the caller's to check first.
    #[must_use]
    pub fn sign_blinded(&self, message: &BlindedMessage) -> PartialSignature {
        PartialSignature { issuer: self.issuer, signature: BlindSignature(message.0.mul(&self.secret)) }
    }

    /// Signs a statement of the issuer's own: that it holds this share, and what it believes about it.
    #[must_use]
    pub fn attest(&self, statement: &[u8]) -> Signature {
        Signature(attestation_point(self.issuer, statement).mul(&self.secret))
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyShare({}, redacted)", self.issuer)
    }
}

/// One issuer's answer to a blinded message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialSignature {
    /// Whose answer it is.
    pub issuer: IssuerIndex,
    /// xⱼ·B.
    pub signature: BlindSignature,
}

/// What is signed to attest a statement. The issuer's number is in it, so that no two attestations are on the same point.
pub(super) fn attestation_point(issuer: IssuerIndex, statement: &[u8]) -> G1 {
    let message = [&[issuer.get()], statement].concat();
    hashed(&message, ATTESTATION_DOMAIN)
}
