//! The public side of a shared key: checking and combining partial signatures.

use super::share::attestation_point;
use super::{IssuerIndex, PartialSignature, Threshold, ThresholdError, check_indices};
use crate::blind::{BlindSignature, BlindedMessage, IssuerPublicKey, Signature};
use crate::curve::{G1, G2, Scalar, pairing_holds};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;

/// The group key, which goes on chain, and the public key of every issuer's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenKeys", into = "WrittenKeys")]
pub struct GroupKeys {
    threshold: Threshold,
    group_key: IssuerPublicKey,
    share_keys: Vec<IssuerPublicKey>,
}

impl GroupKeys {
    pub(super) fn new(threshold: Threshold, group_key: IssuerPublicKey, share_keys: Vec<IssuerPublicKey>) -> Self {
        Self { threshold, group_key, share_keys }
    }

    /// The keys of a group from those of its shares, the first issuer's first.
    ///
    /// # Errors
    /// [`ThresholdError::InconsistentKeys`] unless there is one key for each issuer and any t of them give the same group.
    pub fn from_share_keys(threshold: Threshold, share_keys: Vec<IssuerPublicKey>) -> Result<Self, ThresholdError> {
        if share_keys.len() != usize::from(threshold.issuers()) {
            return Err(ThresholdError::InconsistentKeys);
        }
        let needed = usize::from(threshold.needed());
        let first: Vec<IssuerIndex> = threshold.indices().take(needed).collect();
        let at = |x: u8| {
            let coefficients = lagrange(&first, x);
            G2::combination(share_keys.iter().map(|key| &key.0).zip(&coefficients))
        };
        for (index, key) in threshold.indices().zip(&share_keys).skip(needed) {
            if at(index.get()) != Some(key.0) {
                return Err(ThresholdError::InconsistentKeys);
            }
        }
        let group_key = IssuerPublicKey(at(0).ok_or(ThresholdError::InconsistentKeys)?);
        Ok(Self { threshold, group_key, share_keys })
    }

    /// How many issuers there are, and how many must sign.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The key under which credentials verify.
    #[must_use]
    pub fn group_key(&self) -> IssuerPublicKey {
        self.group_key
    }

    /// The public key of an issuer's share.
    ///
    /// # Errors
    /// [`ThresholdError::UnknownIssuer`].
    pub fn share_key(&self, index: IssuerIndex) -> Result<IssuerPublicKey, ThresholdError> {
        let index = self.threshold.check(index)?;
        Ok(self.share_keys[usize::from(index.get()) - 1])
    }

    /// The public keys of all shares, the first issuer's first.
    #[must_use]
    pub fn share_keys(&self) -> &[IssuerPublicKey] {
        &self.share_keys
    }

    /// Whether a partial signature is its issuer's on this message: e(Sⱼ, g₂) = e(B, xⱼ·g₂).
    ///
    /// # Errors
    /// [`ThresholdError::UnknownIssuer`], or [`ThresholdError::WrongPartials`] with the issuer's number.
    pub fn verify_partial(&self, message: &BlindedMessage, partial: &PartialSignature) -> Result<(), ThresholdError> {
        let key = self.share_key(partial.issuer)?;
        if pairing_holds(Some(partial.signature.0), Some(message.0), &key.0) {
            Ok(())
        } else {
            Err(ThresholdError::WrongPartials(vec![partial.issuer]))
        }
    }

    /// Combines the first t partial signatures into the group's answer to a blinded message, and checks it: one pairing if
    /// all is well. Of more partials than t the rest is looked at only if something is wrong.
    ///
    /// # Errors
    /// When there are too few, an issuer is unknown or appears twice, or some are wrong; then it names their issuers.
    pub fn combine(
        &self,
        message: &BlindedMessage,
        partials: &[PartialSignature],
    ) -> Result<BlindSignature, ThresholdError> {
        let mut indices = check_indices(self.threshold, partials.iter().map(|partial| partial.issuer))?;
        let needed = self.threshold.needed();
        if indices.len() < usize::from(needed) {
            return Err(ThresholdError::TooFewPartials { needed, got: indices.len() });
        }
        indices.truncate(usize::from(needed));
        let coefficients = lagrange(&indices, 0);
        let terms = partials.iter().map(|partial| &partial.signature.0).zip(&coefficients);
        if let Some(signature) = G1::combination(terms)
            && pairing_holds(Some(signature), Some(message.0), &self.group_key.0)
        {
            return Ok(BlindSignature(signature));
        }
        let wrong = partials.iter().filter(|partial| self.verify_partial(message, partial).is_err());
        Err(ThresholdError::WrongPartials(wrong.map(|partial| partial.issuer).collect()))
    }

    /// Whether a statement was signed with an issuer's share ([`super::KeyShare::attest`]).
    ///
    /// # Errors
    /// [`ThresholdError::UnknownIssuer`].
    pub fn verify_attestation(
        &self,
        issuer: IssuerIndex,
        statement: &[u8],
        attestation: &Signature,
    ) -> Result<bool, ThresholdError> {
        let key = self.share_key(issuer)?;
        Ok(pairing_holds(Some(attestation.0), Some(attestation_point(issuer, statement)), &key.0))
    }
}

/// The form in which the keys are written down. The group key follows from the others, and is there to be read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKeys {
    threshold: Threshold,
    group_key: IssuerPublicKey,
    share_keys: Vec<IssuerPublicKey>,
}

impl TryFrom<WrittenKeys> for GroupKeys {
    type Error = ThresholdError;

    fn try_from(written: WrittenKeys) -> Result<Self, Self::Error> {
        let keys = Self::from_share_keys(written.threshold, written.share_keys)?;
        if keys.group_key != written.group_key {
            return Err(ThresholdError::InconsistentKeys);
        }
        Ok(keys)
    }
}

impl From<GroupKeys> for WrittenKeys {
    fn from(keys: GroupKeys) -> Self {
        Self { threshold: keys.threshold, group_key: keys.group_key, share_keys: keys.share_keys }
    }
}

/// Lagrange's coefficients λⱼ = Π (x-k)/(j-k) over the other k, for a polynomial's value at x from its values at the issuers,
/// who are all different and none of whom is x. Everything in them is public.
fn lagrange(issuers: &[IssuerIndex], x: u8) -> Vec<Scalar> {
    let of = |one: IssuerIndex| {
        let others = issuers.iter().filter(|other| **other != one);
        let factors = others.map(|other| (difference(x, other.get()), difference(one.get(), other.get())));
        let (numerator, denominator) = factors
            .fold((Scalar::from_small(NonZeroU8::MIN), Scalar::from_small(NonZeroU8::MIN)), |product, factor| {
                (product.0.times(&factor.0), product.1.times(&factor.1))
            });
        numerator.times(&denominator.inverse())
    };
    issuers.iter().copied().map(of).collect()
}

/// left - right modulo r, for different numbers.
fn difference(left: u8, right: u8) -> Scalar {
    let size = Scalar::from_small(NonZeroU8::new(left.abs_diff(right)).expect("the numbers are different"));
    if left > right { size } else { size.negated() }
}
