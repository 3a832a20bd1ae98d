//! Verifying credentials, one or many, with one pairing equation for the whole batch.
//!
//! A batch is checked as e(Σ cᵢσᵢ, g₂) = e(Σ cᵢH(mᵢ), pk) with secret random 128-bit cᵢ. **A plain sum (all cᵢ = 1) must
//! never be checked**: a blind issuer signs whatever point it is given, so one issued signature on H(m₁)+H(m₂) splits into
//! two "signatures" that only add up. With random coefficients such a split passes with probability 2⁻¹²⁸.

use crate::blind::{IssuerPublicKey, Signature};
use crate::curve::{COEFFICIENT_BYTES, Coefficient, G1, pairing_holds};
use crate::scope::{AccountAddress, CredentialScope, DOMAIN, message_point};
use rand::CryptoRng;
use std::ops::Range;

/// An account's claim to be entitled in a scope, not verified yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What the credential is for.
    pub scope: CredentialScope,
    /// The account that holds it.
    pub account: AccountAddress,
    /// The issuer's signature on both.
    pub signature: Signature,
}

impl Credential {
    /// Whether the signature is the key's on this scope and account.
    #[must_use]
    pub fn verify(&self, key: &IssuerPublicKey) -> bool {
        verify(key, &self.scope, self.account, &self.signature)
    }
}

/// Whether the signature is the key's on this scope and account.
#[must_use]
pub fn verify(key: &IssuerPublicKey, scope: &CredentialScope, account: AccountAddress, signature: &Signature) -> bool {
    pairing_holds(Some(signature.0), Some(message_point(scope, account).0), &key.0)
}

/// Verifies credentials of one issuer key together; on failure names the indices of exactly the bad ones, in order.
///
/// It says nothing about a credential being in the batch twice: only who keeps the list of used accounts can. An empty
/// batch is valid. The randomness must be unpredictable to the senders; it is an argument so that tests can repeat.
pub fn verify_batch(
    key: &IssuerPublicKey,
    credentials: &[Credential],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(), Vec<usize>> {
    let batch = Batch {
        key,
        signatures: credentials.iter().map(|credential| credential.signature.0).collect(),
        messages: G1::hash_all(credentials.iter().map(|item| item.scope.message(item.account)), DOMAIN),
        coefficients: credentials.iter().map(|_| random_coefficient(rng)).collect(),
    };
    let all = 0..credentials.len();
    if batch.holds(all.clone()) {
        return Ok(());
    }
    let mut bad = Vec::new();
    batch.name_bad(all, &mut bad);
    Err(bad)
}

/// The parts of the equation, ready to be summed over any range.
struct Batch<'a> {
    key: &'a IssuerPublicKey,
    signatures: Vec<G1>,
    messages: Vec<G1>,
    coefficients: Vec<Coefficient>,
}

impl Batch<'_> {
    fn holds(&self, range: Range<usize>) -> bool {
        let coefficients = &self.coefficients[range.clone()];
        let signature = G1::weighted_sum(&self.signatures[range.clone()], coefficients);
        let message = G1::weighted_sum(&self.messages[range], coefficients);
        pairing_holds(signature, message, &self.key.0)
    }

    /// Adds the bad indices of a range that is known not to hold. The whole's equation is the product of its halves', so
    /// where the left half holds, the right one cannot, and is not asked.
    fn name_bad(&self, range: Range<usize>, bad: &mut Vec<usize>) {
        if range.len() == 1 {
            bad.push(range.start);
            return;
        }
        let middle = range.start + range.len() / 2;
        let (left, right) = (range.start..middle, middle..range.end);
        let left_holds = self.holds(left.clone());
        if !left_holds {
            self.name_bad(left, bad);
        }
        if left_holds || !self.holds(right.clone()) {
            self.name_bad(right, bad);
        }
    }
}

/// A coefficient between 1 and 2¹²⁸-1: zero would let a bad credential through.
fn random_coefficient(rng: &mut (impl CryptoRng + ?Sized)) -> Coefficient {
    loop {
        let mut coefficient = [0; COEFFICIENT_BYTES];
        rng.fill_bytes(&mut coefficient);
        if coefficient != [0; COEFFICIENT_BYTES] {
            return coefficient;
        }
    }
}
