//! Tokens against forged forms, bound to a session.
//!
//! A token is `mask ‖ HMAC(key, mask ‖ session)` with a fresh random mask, so that compression of a page leaks nothing of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::WebError;
use crate::secret::SecretKey;

const MASK: usize = 16;

/// Makes and checks tokens.
#[derive(Debug, Clone)]
pub struct Csrf(SecretKey);

impl Csrf {
    /// Name of the hidden field in forms.
    pub const FIELD: &'static str = "csrf";
    /// Name of the header in calls of scripts.
    pub const HEADER: &'static str = "x-csrf-token";

    /// Derives its own key.
    pub fn new(key: &SecretKey) -> Self {
        Self(key.derive("csrf"))
    }

    /// A token for a session; `session` is anything secret that belongs to this reader alone, such as the session's
    /// random id, or the value of a random cookie for readers who have no session yet.
    pub fn token(&self, session: &[u8]) -> String {
        let mask: [u8; MASK] = rand::random();
        let mut token = mask.to_vec();
        token.extend(self.0.mac(&[&mask, session]));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Checks a token.
    ///
    /// # Errors
    /// 403 with an explanation when it is missing or belongs to another session.
    pub fn verify(&self, session: &[u8], token: Option<&str>) -> Result<(), WebError> {
        let valid = token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok()).is_some_and(|token| {
            token.split_at_checked(MASK).is_some_and(|(mask, tag)| self.0.verify(&[mask, session], tag))
        });
        if valid { Ok(()) } else { Err(WebError::forbidden("error-csrf")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_its_session_only() {
        let csrf = Csrf::new(&SecretKey::new([7; 32]));
        let token = csrf.token(b"session");
        assert!(csrf.verify(b"session", Some(&token)).is_ok());
        assert_ne!(token, csrf.token(b"session"));
        for (session, token) in
            [("other", Some(token.as_str())), ("session", None), ("session", Some("")), ("session", Some("AAAA"))]
        {
            assert!(csrf.verify(session.as_bytes(), token).is_err());
        }
        assert!(Csrf::new(&SecretKey::new([8; 32])).verify(b"session", Some(&token)).is_err());
    }
}
