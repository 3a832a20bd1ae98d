//! Keys that may sign ESIA's tokens. ESIA publishes no JWKS and its tokens carry no `kid`, so that every configured
//! key of the token's algorithm is tried.

use std::{fmt, sync::Arc};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use thiserror::Error;
use x509_parser::{pem::Pem, prelude::FromDer, x509::SubjectPublicKeyInfo};

/// OID of `rsaEncryption`.
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";

/// Token signature algorithms that are accepted; nothing else ever is, neither `none` nor HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// GOST R 34.10-2012 with a 256-bit key. Accepted only when a [`TokenKey`] for it is configured.
    Gost3410_2012_256,
}

impl Algorithm {
    /// The algorithm with this JWT name, if it is on the list.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "GOST3410_2012_256" => Some(Self::Gost3410_2012_256),
            _ => None,
        }
    }
}

/// A public key that can verify token signatures. Implement it to add GOST through a certified module.
pub trait TokenKey: Send + Sync {
    /// The algorithm this key is for.
    fn algorithm(&self) -> Algorithm;
    /// Whether `signature` (as decoded from the token) is this key's signature of `message`.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// An RSA key of 2048 to 8192 bits, parsed once.
pub struct RsaTokenKey(ParsedPublicKey);

impl RsaTokenKey {
    /// Reads the key of an X.509 certificate (DER). The validity period is not checked: which certificates are
    /// trusted is the operator's decision.
    ///
    /// # Errors
    /// When the bytes are not a certificate or its key is not RSA.
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, KeyError> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| KeyError::NotACertificate)?;
        Self::from_spki(certificate.public_key())
    }

    /// Reads a SubjectPublicKeyInfo (DER), as in a PEM block `PUBLIC KEY`.
    ///
    /// # Errors
    /// When the bytes are not a public key or it is not RSA.
    pub fn from_public_key_der(der: &[u8]) -> Result<Self, KeyError> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyError::NotAPublicKey)?;
        Self::from_spki(&spki)
    }

    fn from_spki(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self, KeyError> {
        if spki.algorithm.algorithm.to_id_string() != RSA_ENCRYPTION {
            return Err(KeyError::NotRsa);
        }
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki.raw).map(Self).map_err(|_| KeyError::NotAPublicKey)
    }
}

impl TokenKey for RsaTokenKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// The keys of one ESIA environment.
#[derive(Clone, Default)]
pub struct TrustedKeys(Vec<Arc<dyn TokenKey>>);

impl TrustedKeys {
    /// Reads every `CERTIFICATE` and `PUBLIC KEY` block of a PEM text. Keys that are not RSA (ESIA publishes GOST
    /// certificates beside the RSA ones) are left out with a warning in the log: add those with [`TrustedKeys::push`].
    ///
    /// # Errors
    /// When a block cannot be read, or no RSA key is among them.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let mut keys = Self::default();
        for block in Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|_| KeyError::NotPem)?;
            let key = match block.label.as_str() {
                "CERTIFICATE" => RsaTokenKey::from_certificate_der(&block.contents),
                "PUBLIC KEY" => RsaTokenKey::from_public_key_der(&block.contents),
                _ => continue,
            };
            match key {
                Ok(key) => keys.push(Arc::new(key)),
                Err(KeyError::NotRsa) => {
                    tracing::warn!("an ESIA certificate that is not RSA is left out")
                }
                Err(error) => return Err(error),
            }
        }
        if keys.is_empty() { Err(KeyError::NoKey) } else { Ok(keys) }
    }

    /// Adds one key.
    pub fn push(&mut self, key: Arc<dyn TokenKey>) {
        self.0.push(key);
    }

    /// Adds all keys of another set, for example last year's and this year's certificates.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys for one algorithm.
    pub(crate) fn of(&self, algorithm: Algorithm) -> impl Iterator<Item = &dyn TokenKey> {
        self.0.iter().map(AsRef::as_ref).filter(move |key| key.algorithm() == algorithm)
    }
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| key.algorithm())).finish()
    }
}

/// Why a key could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// Broken PEM armour.
    #[error("not valid PEM: expected blocks that start with -----BEGIN CERTIFICATE-----")]
    NotPem,
    /// Not an X.509 certificate.
    #[error("not an X.509 certificate in DER")]
    NotACertificate,
    /// Not a public key.
    #[error("not a usable public key: expected RSA of 2048 to 8192 bits as SubjectPublicKeyInfo")]
    NotAPublicKey,
    /// A key of another kind, such as GOST.
    #[error("the key is not RSA")]
    NotRsa,
    /// Nothing usable in the text.
    #[error("no RSA certificate or public key found: expected -----BEGIN CERTIFICATE-----")]
    NoKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_an_rsa_key() {
        assert_eq!(TrustedKeys::from_pem("").expect_err("empty"), KeyError::NoKey);
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(TrustedKeys::from_pem(garbage).expect_err("garbage"), KeyError::NotACertificate);
        let ec = rcgen::KeyPair::generate().expect("an EC key");
        assert_eq!(TrustedKeys::from_pem(&ec.public_key_pem()).expect_err("EC only"), KeyError::NoKey);
    }

    #[test]
    fn allows_two_algorithms_only() {
        for name in ["none", "None", "HS256", "RS512", "ES256", "rs256", ""] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
