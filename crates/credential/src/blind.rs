//! Blinding, issuing and unblinding. Citizens blind and unblind in the browser; here it serves tools, tests and replays.
//!
//! What the issuer sees, r·H(m) for a secret r, fits every message equally well, so neither it nor a thief of its records
//! can join a request to the credential that came of it.

use crate::EncodingError;
use crate::curve::{G1, G2, Scalar};
use crate::derive::{IssuerSeed, expand};
use crate::encoding::{exactly, hex_text};
use crate::scope::{AccountAddress, CredentialScope, message_point};
use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// Declares a public type that is a checked point of G1 in 48 compressed bytes.
macro_rules! g1_type {
    ($(#[$documentation:meta])* $type:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $type(pub(crate) G1);

        impl $type {
            /// Reads the 48-byte compressed form; refuses infinity and everything outside the subgroup.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
                G1::from_compressed(bytes).map(Self)
            }

            /// Reads x and y, 48 bytes each without padding, with the same refusals.
            pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, EncodingError> {
                G1::from_uncompressed(bytes).map(Self)
            }

            /// The 48-byte compressed form.
            pub fn to_bytes(self) -> [u8; 48] {
                self.0.to_compressed()
            }

            /// x and y, 48 bytes each without padding: what contracts take.
            pub fn to_uncompressed(self) -> [u8; 96] {
                self.0.to_uncompressed()
            }
        }

        hex_text!($type);
    };
}

g1_type! {
    /// A message that its sender has blinded: r·H(m). Being of this type, it is safe to sign: in the subgroup, not infinity.
    BlindedMessage
}

g1_type! {
    /// The issuer's answer to a blinded message: x·r·H(m).
    BlindSignature
}

g1_type! {
    /// An unblinded signature: x·H(m). There is exactly one for each key and message.
    Signature
}

/// The factor that hides a message from the issuer. Whoever knows it can join the request to the credential.
#[derive(Clone)]
pub struct Blinding(pub(crate) Scalar);

impl Blinding {
    /// Reads 32 bytes, big-endian, between 1 and r-1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        Scalar::from_be_bytes(exactly(bytes)?).map(Self)
    }

    /// The 32 bytes, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_be_bytes()
    }

    /// A random factor, for tools that need no recovery; browsers derive theirs from the master secret.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(random_scalar(rng))
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Blinding(redacted)")
    }
}

/// Blinds the message of an account in a scope.
pub fn blind(scope: &CredentialScope, account: AccountAddress, blinding: &Blinding) -> BlindedMessage {
    BlindedMessage(message_point(scope, account).0.mul(&blinding.0))
}

/// Removes the blinding. The result must be verified before it is used: nobody has checked what the issuer answered.
#[must_use]
pub fn unblind(signature: &BlindSignature, blinding: &Blinding) -> Signature {
    Signature(signature.0.mul(&blinding.0.inverse()))
}

/// The public key of one scope's issuer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IssuerPublicKey(pub(crate) G2);

impl IssuerPublicKey {
    /// Reads the 96-byte compressed form; refuses infinity and everything outside the subgroup.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        G2::from_compressed(bytes).map(Self)
    }

    /// Reads the 256-byte form of EIP-2537 in which contracts keep it, with the same refusals.
    pub fn from_eip2537(bytes: &[u8]) -> Result<Self, EncodingError> {
        G2::from_eip2537(bytes).map(Self)
    }

    /// The 96-byte compressed form.
    pub fn to_bytes(self) -> [u8; 96] {
        self.0.to_compressed()
    }

    /// The 256-byte form of EIP-2537: x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, each padded to 64 bytes.
    pub fn to_eip2537(self) -> [u8; 256] {
        self.0.to_eip2537()
    }
}

hex_text!(IssuerPublicKey);

/// The secret key of one scope's issuer. It is overwritten when dropped, prints as redacted and cannot be serialized.
#[derive(Clone)]
pub struct IssuerSecretKey(Scalar);

impl IssuerSecretKey {
    /// Reads 32 bytes, big-endian, between 1 and r-1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        Scalar::from_be_bytes(exactly(bytes)?).map(Self)
    }

    /// The 32 bytes, big-endian, for sealed storage.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_be_bytes()
    }

    /// A random key.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(random_scalar(rng))
    }

    /// The key of a scope from the issuer's one seed, so that scopes never share a key and only the seed needs a backup.
    pub fn derive(seed: &IssuerSeed, scope: &CredentialScope) -> Self {
        Self(seed.issuer_scalar(scope))
    }

    /// The public key, to be published on chain before issuing starts.
    pub fn public_key(&self) -> IssuerPublicKey {
        IssuerPublicKey(G2::generated_by(&self.0))
    }

    /// Signs a blinded message, which [`BlindedMessage`] has proved to be in the subgroup and not infinity. Whether its
    /// sender may have a credential, and has had none, is the caller's to check first: one key signs one message a person.
    pub fn sign_blinded(&self, message: &BlindedMessage) -> BlindSignature {
        BlindSignature(message.0.mul(&self.0))
    }
}

impl fmt::Debug for IssuerSecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IssuerSecretKey(redacted)")
    }
}

/// A uniform scalar between 1 and r-1, from 48 random bytes so that no value is measurably likelier.
pub(crate) fn random_scalar(rng: &mut (impl CryptoRng + ?Sized)) -> Scalar {
    let mut seed = Zeroizing::new([0; 48]);
    rng.fill_bytes(seed.as_mut());
    expand::bls_scalar(&seed)
}
