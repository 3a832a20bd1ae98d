//! Signing tokens with RSA, and sealing what the stand-in hands out and takes back without storing it.

use std::{fmt, sync::Arc, sync::OnceLock};

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{keys::TrustedKeys, signer::RsaSigner};

/// An RSA key that is made when first needed, or in the background at once.
#[derive(Clone)]
pub(super) struct TokenSigner {
    name: &'static str,
    key: Arc<OnceLock<Key>>,
}

struct Key {
    signer: RsaSigner,
    public: TrustedKeys,
}

impl TokenSigner {
    pub(super) fn on_demand(name: &'static str) -> Self {
        Self { name, key: Arc::default() }
    }

    pub(super) fn in_background(name: &'static str) -> Self {
        let this = Self::on_demand(name);
        let making = this.clone();
        std::thread::spawn(move || {
            making.key();
        });
        this
    }

    fn key(&self) -> &Key {
        self.key.get_or_init(|| {
            // Making a key fails only when the machine gives no memory or no randomness: nothing would work then.
            let signer = RsaSigner::generate(self.name).expect("an RSA key can be made");
            let public = TrustedKeys::from_pem(signer.certificate_pem()).expect("the certificate just made is RSA");
            Key { signer, public }
        })
    }

    pub(super) fn certificate_pem(&self) -> &str {
        self.key().signer.certificate_pem()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        // Fails only for lack of memory; see key().
        self.key().signer.sign_now(message).expect("RSA signing works")
    }

    /// The payload of a token that this key signed.
    pub(super) fn open<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mut keys = self.key().public.of(crate::Algorithm::Rs256);
        if !keys.any(|key| key.verify(message.as_bytes(), &signature)) {
            return None;
        }
        let (_, payload) = message.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSigner({})", self.name)
    }
}

/// What a sealed text is for; one kind cannot be taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A checked authorization request, carried by the login page.
    LoginRequest,
    /// An authorization code.
    Code,
}

impl Purpose {
    fn header(self) -> &'static str {
        match self {
            Self::LoginRequest => r#"{"alg":"HS256","sbt":"login_request","typ":"JWT","ver":1}"#,
            Self::Code => r#"{"alg":"HS256","sbt":"authorization_code","typ":"JWT","ver":1}"#,
        }
    }
}

/// Makes texts that only this process can make, in the form of a JWT, as ESIA's codes are.
pub(super) struct Sealer {
    key: hmac::Key,
}

impl Sealer {
    pub(super) fn new() -> Self {
        let mut secret = [0; 32];
        // The system's random source fails only on a machine where nothing else would work either.
        rand::fill(&mut secret).expect("the system gives randomness");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
    }

    pub(super) fn seal(&self, purpose: Purpose, value: &impl Serialize) -> String {
        // The sealed types are plain structs of texts and numbers.
        let payload = serde_json::to_vec(value).expect("plain values become JSON");
        let mut sealed = String::with_capacity(payload.len() * 4 / 3 + 160);
        URL_SAFE_NO_PAD.encode_string(purpose.header(), &mut sealed);
        sealed.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut sealed);
        let mac = hmac::sign(&self.key, sealed.as_bytes());
        sealed.push('.');
        URL_SAFE_NO_PAD.encode_string(mac, &mut sealed);
        sealed
    }

    pub(super) fn open<T: DeserializeOwned>(&self, purpose: Purpose, sealed: &str) -> Option<T> {
        let (message, mac) = sealed.rsplit_once('.')?;
        hmac::verify(&self.key, message.as_bytes(), &URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
        let (header, payload) = message.split_once('.')?;
        if URL_SAFE_NO_PAD.decode(header).ok()? != purpose.header().as_bytes() {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_sealed_for_the_same_purpose() {
        let sealer = Sealer::new();
        let code = sealer.seal(Purpose::Code, &("a", 1));
        assert_eq!(sealer.open::<(String, u8)>(Purpose::Code, &code), Some(("a".into(), 1)));
        assert_eq!(sealer.open::<(String, u8)>(Purpose::LoginRequest, &code), None);
        assert_eq!(Sealer::new().open::<(String, u8)>(Purpose::Code, &code), None);
        assert_eq!(sealer.open::<(String, u8)>(Purpose::Code, &code[1..]), None);
        assert_eq!(sealer.open::<(String, u8)>(Purpose::Code, ""), None);
    }
}
