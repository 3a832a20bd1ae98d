//! Signing our requests to ESIA (`client_secret`). Real ESIA v2/v3 wants GOST R 34.10-2012 made by certified
//! cryptography, so signing is behind [`RequestSigner`]; the RSA signer here serves the stand-in.

use std::{error::Error, fmt, pin::Pin};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use rcgen::{CertificateParams, DnType, PKCS_RSA_SHA256};
use thiserror::Error;
use time::{Duration, OffsetDateTime};
use x509_parser::pem::Pem;

/// What [`RequestSigner::sign`] returns.
pub type SignFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;

/// Signs the string that a request to ESIA is bound to.
///
/// Signing is asynchronous, so that an implementation may ask a separate process or a cryptographic service. For
/// GOST R 34.10-2012 the result is the raw 64 bytes `s ‖ r`, each half big-endian (what `openssl dgst -sign` writes;
/// CryptoPro's output must be reversed byte by byte), and the certificate hash is Streebog-256 of the DER.
pub trait RequestSigner: Send + Sync {
    /// `client_certificate_hash`: 64 upper-case hex digits that choose our certificate among those registered.
    fn certificate_hash(&self) -> &str;

    /// The signature bytes over `message`; the caller encodes them.
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a>;
}

/// A signature could not be made.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct SignerError {
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SignerError {
    /// An error with its cause. Neither may contain the signed message.
    pub fn new(message: impl Into<String>, source: Option<Box<dyn Error + Send + Sync>>) -> Self {
        Self { message: message.into(), source }
    }
}

/// Signs with RSA and SHA-256 (PKCS #1 v1.5), for the stand-in and for tests. Real ESIA does not accept it.
///
/// The certificate hash is SHA-256 of the DER certificate unless [`RsaSigner::with_certificate_hash`] gives another;
/// ESIA's own Streebog-256 hash belongs to a GOST signer.
pub struct RsaSigner {
    key: KeyPair,
    private_key_der: Vec<u8>,
    certificate_pem: String,
    certificate_hash: String,
}

impl RsaSigner {
    /// Makes a new 2048-bit key with a self-signed certificate valid for a year. Takes about 0.1 s of CPU.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn generate(common_name: &str) -> Result<Self, SignerError> {
        let failed = |error: rcgen::Error| SignerError::new("no RSA key could be made", Some(Box::new(error)));
        let key = rcgen::KeyPair::generate_for(&PKCS_RSA_SHA256).map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
        params.not_after = params.not_before + Duration::days(366);
        let certificate = params.self_signed(&key).map_err(failed)?;
        Self::from_der(key.serialized_der(), certificate.der(), certificate.pem())
    }

    /// Reads a PKCS #8 private key and its certificate.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not belong together.
    pub fn from_pem(private_key_pem: &str, certificate_pem: &str) -> Result<Self, SignerError> {
        let key = pem_block(private_key_pem, "PRIVATE KEY")?;
        let certificate = pem_block(certificate_pem, "CERTIFICATE")?;
        Self::from_der(&key, &certificate, certificate_pem.to_owned())
    }

    fn from_der(key: &[u8], certificate: &[u8], certificate_pem: String) -> Result<Self, SignerError> {
        let private_key_der = key.to_vec();
        let key = KeyPair::from_pkcs8(key)
            .map_err(|_| SignerError::new("the private key is not an RSA key in PKCS #8", None))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
            .map_err(|_| SignerError::new("the certificate is not X.509", None))?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key().as_ref() {
            return Err(SignerError::new("the certificate belongs to another private key", None));
        }
        let certificate_hash = hex::encode_upper(digest(&SHA256, certificate));
        Ok(Self { key, private_key_der, certificate_pem, certificate_hash })
    }

    /// Replaces the certificate hash, for a server that computes it in another way.
    #[must_use]
    pub fn with_certificate_hash(mut self, hash: impl Into<String>) -> Self {
        self.certificate_hash = hash.into();
        self
    }

    /// The certificate to register with ESIA or the stand-in.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key as PKCS #8 PEM, to keep a generated key. A secret.
    pub fn private_key_pem(&self) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let text = STANDARD.encode(&self.private_key_der);
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|byte| char::from(*byte)));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }

    /// Signs at once, without a future.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignerError::new("RSA signing failed", None))?;
        Ok(signature)
    }
}

impl RequestSigner for RsaSigner {
    fn certificate_hash(&self) -> &str {
        &self.certificate_hash
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(std::future::ready(self.sign_now(message)))
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaSigner").field("certificate_hash", &self.certificate_hash).finish_non_exhaustive()
    }
}

/// The first PEM block with this label.
fn pem_block(text: &str, label: &str) -> Result<Vec<u8>, SignerError> {
    Pem::iter_from_buffer(text.as_bytes())
        .filter_map(Result::ok)
        .find(|block| block.label == label)
        .map(|block| block.contents)
        .ok_or_else(|| SignerError::new(format!("no PEM block -----BEGIN {label}----- found"), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{RsaTokenKey, TokenKey};

    #[test]
    fn a_kept_key_signs_like_the_generated_one() {
        let made = RsaSigner::generate("KOPILKA").expect("a key");
        let kept = RsaSigner::from_pem(&made.private_key_pem(), made.certificate_pem()).expect("the same key");
        assert_eq!(made.certificate_hash(), kept.certificate_hash());
        assert_eq!(made.certificate_hash().len(), 64);
        assert!(made.certificate_hash().bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));

        let signature = kept.sign_now(b"message").expect("signed");
        assert_eq!(signature, made.sign_now(b"message").expect("signed"), "PKCS #1 v1.5 is deterministic");
        let der = pem_block(made.certificate_pem(), "CERTIFICATE").expect("a certificate");
        let key = RsaTokenKey::from_certificate_der(&der).expect("an RSA certificate");
        assert!(key.verify(b"message", &signature));
        assert!(!key.verify(b"massage", &signature));

        let other = RsaSigner::generate("OTHER").expect("a key");
        let mixed = RsaSigner::from_pem(&made.private_key_pem(), other.certificate_pem());
        assert!(mixed.expect_err("not a pair").to_string().contains("another private key"));
    }

    #[test]
    fn shows_no_secret() {
        let signer = RsaSigner::generate("KOPILKA").expect("a key").with_certificate_hash("AB");
        assert_eq!(format!("{signer:?}"), "RsaSigner { certificate_hash: \"AB\", .. }");
    }
}
