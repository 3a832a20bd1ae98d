//! A secret of 32 bytes from the configuration, and the keys derived from it.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 secret bytes; never shown by `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Why a text is no secret key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret key is 64 hexadecimal digits (32 bytes), found {length} characters; make one with `openssl rand -hex 32`"
)]
pub struct ParseSecretKeyError {
    /// Length of the rejected text in characters.
    pub length: usize,
}

impl SecretKey {
    /// Takes bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new random key: sessions sealed with it end with the process.
    pub fn random() -> Self {
        Self::new(rand::random())
    }

    /// A key for one purpose; keys of different purposes tell nothing of one another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self::new(self.mac(&[b"kopilka key ", purpose.as_bytes()]))
    }

    /// HMAC-SHA-256 over the parts, each preceded by its length.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.hmac(parts).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.hmac(parts).verify_slice(tag).is_ok()
    }

    fn hmac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // HMAC fills a shorter key up to the block length with zeros; done here, no length can be wrong.
        let mut block = Zeroizing::new([0_u8; 64]);
        block[..32].copy_from_slice(&*self.0);
        let mut hmac = Hmac::<Sha256>::new(&(*block).into());
        for part in parts {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part);
        }
        hmac
    }

    /// The bytes, for a cipher.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for SecretKey {
    type Err = ParseSecretKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
            .map_err(|_| ParseSecretKeyError { length: text.chars().count() })?;
        Ok(Self::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_hidden() {
        let key: SecretKey = "11".repeat(32).parse().unwrap();
        assert_eq!(key.expose(), &[0x11; 32]);
        assert_eq!(format!("{key:?}"), "SecretKey(…)");
        assert_eq!("abc".parse::<SecretKey>().unwrap_err().length, 3);
        assert_ne!(key.derive("a").expose(), key.derive("b").expose());
    }
}
