//! Sealed cookies: their content is encrypted and authenticated (XChaCha20-Poly1305), bound to the cookie's name, and ends
//! at a time written inside.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::secret::SecretKey;

const NONCE: usize = 24;

/// Seals and opens values.
#[derive(Debug, Clone)]
pub struct Sealer {
    key: SecretKey,
    secure: bool,
}

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    until: i64,
    value: T,
}

/// Why a value could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The value does not become JSON.
    #[error("the value of a sealed cookie cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The cipher refused; happens only for values of many gigabytes.
    #[error("the value of a sealed cookie is too long")]
    TooLong,
}

impl Sealer {
    /// Derives its own key; `secure` cookies are sent over https only.
    pub fn new(key: &SecretKey, secure: bool) -> Self {
        Self { key: key.derive("sealed cookies"), secure }
    }

    /// Encrypts a value for a purpose (the cookie's name).
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal<T: Serialize>(&self, name: &str, value: &T, until: OffsetDateTime) -> Result<String, SealError> {
        let plain = serde_json::to_vec(&Sealed { until: until.unix_timestamp(), value })?;
        let nonce: [u8; NONCE] = rand::random();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: &plain, aad: name.as_bytes() })
            .map_err(|_| SealError::TooLong)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Decrypts; `None` if it was changed, made for another purpose or with another key, or has ended.
    pub fn open<T: DeserializeOwned>(&self, name: &str, sealed: &str, now: OffsetDateTime) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, message) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let plain = self.cipher().decrypt(&XNonce::from(nonce), Payload { msg: message, aad: name.as_bytes() }).ok()?;
        let opened: Sealed<T> = serde_json::from_slice(&plain).ok()?;
        (now.unix_timestamp() < opened.until).then_some(opened.value)
    }

    /// A cookie with a sealed value: HttpOnly, SameSite=Lax, for the whole site.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn cookie<T: Serialize>(
        &self,
        name: &'static str,
        value: &T,
        now: OffsetDateTime,
        lasts: Duration,
    ) -> Result<Cookie<'static>, SealError> {
        let sealed = self.seal(name, value, now + lasts)?;
        Ok(Cookie::build((name, sealed))
            .path("/")
            .max_age(lasts)
            .same_site(SameSite::Lax)
            .http_only(true)
            .secure(self.secure)
            .build())
    }

    /// The value of a sealed cookie of a request.
    pub fn read<T: DeserializeOwned>(&self, jar: &CookieJar, name: &str, now: OffsetDateTime) -> Option<T> {
        self.open(name, jar.get(name)?.value(), now)
    }

    /// A cookie that removes another; add it to the answer.
    pub fn removal(&self, name: &'static str) -> Cookie<'static> {
        Cookie::build((name, ""))
            .path("/")
            .max_age(Duration::ZERO)
            .same_site(SameSite::Lax)
            .http_only(true)
            .secure(self.secure)
            .build()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.key.expose()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_opens() {
        let sealer = Sealer::new(&SecretKey::new([1; 32]), true);
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        let sealed = sealer.seal("session", &vec![1, 2, 3], now + Duration::HOUR).unwrap();
        assert_eq!(sealer.open::<Vec<i32>>("session", &sealed, now), Some(vec![1, 2, 3]));
        assert_eq!(sealer.open::<Vec<i32>>("other", &sealed, now), None);
        assert_eq!(sealer.open::<Vec<i32>>("session", &sealed, now + Duration::HOUR), None);
        let mut changed = sealed.clone().into_bytes();
        changed[40] ^= 1;
        assert_eq!(sealer.open::<Vec<i32>>("session", &String::from_utf8(changed).unwrap(), now), None);
        assert_eq!(sealer.open::<Vec<i32>>("session", "", now), None);
        let other = Sealer::new(&SecretKey::new([2; 32]), true);
        assert_eq!(other.open::<Vec<i32>>("session", &sealed, now), None);
    }
}
