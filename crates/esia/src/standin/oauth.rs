//! What both OAuth endpoints check: the parameters, the system, its certificate and its signature.
//!
//! The signed string, the timestamp and the hash are computed here anew rather than with the client's code, so that a
//! mistake in one of them shows.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset, macros::format_description};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use x509_parser::pem::Pem;

use super::{RegisteredClient, SCOPES, Shared, StandInError};
use crate::keys::{KeyError, RsaTokenKey, TokenKey};

/// An error with ESIA's number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub(super) code: u32,
    text: Cow<'static, str>,
}

impl OAuthError {
    pub(super) fn new(code: u32, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    /// The OAuth name that goes with the number.
    pub(super) fn name(&self) -> &'static str {
        match self.code {
            7004 | 7019 | 7046 | 7053 | 7055 => "access_denied",
            7005 => "unauthorized_client",
            7006 | 7013 => "invalid_scope",
            7007 => "server_error",
            7008 => "temporarily_unavailable",
            7009 => "unsupported_response_type",
            7011 | 7039 | 7040 => "invalid_grant",
            7012 => "unsupported_grant_type",
            _ => "invalid_request",
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ESIA-{:06}: {}", self.code, self.text)
    }
}

/// Parameters of a query or a form.
pub(super) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    pub(super) fn parse(encoded: &'a [u8]) -> Self {
        Self(form_urlencoded::parse(encoded).collect())
    }

    /// A parameter that is present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_ref())
    }

    /// A parameter, or an empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Refuses repeated parameters, and more of them than any request has.
    pub(super) fn unrepeated(&self) -> Result<(), OAuthError> {
        if self.0.len() > 64 {
            return Err(OAuthError::new(7003, "слишком много параметров"));
        }
        for (index, (key, _)) in self.0.iter().enumerate() {
            if self.0[..index].iter().any(|(earlier, _)| earlier == key) {
                return Err(OAuthError::new(7003, format!("параметр [{key}] указан больше одного раза")));
            }
        }
        Ok(())
    }

    /// Refuses when any of these is missing, and names all that are.
    pub(super) fn require(&self, names: &[&str]) -> Result<(), OAuthError> {
        let missing: Vec<_> = names.iter().copied().filter(|name| self.get(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(OAuthError::new(7014, format!("запрос не содержит обязательных параметров [{}]", missing.join(", "))))
    }
}

/// A registered system, ready to check against.
#[derive(Debug)]
pub(super) struct Client {
    redirect_hosts: Vec<String>,
    scopes: Vec<String>,
    /// Keys by certificate hash.
    certificates: HashMap<String, ClientKey>,
}

struct ClientKey(RsaTokenKey);

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKey")
    }
}

impl Client {
    pub(super) fn new(client: RegisteredClient) -> Result<Self, StandInError> {
        if let Some(scope) = client.scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
            return Err(StandInError::Scope { client_id: client.client_id, scope: scope.clone() });
        }
        let mut certificates = HashMap::new();
        for pem in &client.certificates_pem {
            let read = || {
                let block = Pem::iter_from_buffer(pem.as_bytes()).next().ok_or(KeyError::NoKey)?;
                let der = block.map_err(|_| KeyError::NotPem)?.contents;
                let key = RsaTokenKey::from_certificate_der(&der)?;
                Ok((hex::encode_upper(digest(&SHA256, &der)), ClientKey(key)))
            };
            let (hash, key) =
                read().map_err(|source| StandInError::Certificate { client_id: client.client_id.clone(), source })?;
            certificates.insert(hash, key);
        }
        Ok(Self { redirect_hosts: client.redirect_hosts, scopes: client.scopes, certificates })
    }

    /// Whether an address lies on one of the registered hosts.
    pub(super) fn may_redirect_to(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else {
            return false;
        };
        let Some(host) = url.host_str() else {
            return false;
        };
        matches!(url.scheme(), "http" | "https")
            && url.fragment().is_none()
            && self.redirect_hosts.iter().any(|allowed| {
                allowed == host || url.port_or_known_default().is_some_and(|port| *allowed == format!("{host}:{port}"))
            })
    }

    /// Checks that every scope exists and is granted.
    pub(super) fn check_scopes(&self, scope: &str) -> Result<(), OAuthError> {
        for scope in scope.split(' ') {
            if !SCOPES.contains(&scope) {
                return Err(OAuthError::new(7006, format!("неизвестная область доступа [{scope}]")));
            }
            if !self.scopes.iter().any(|granted| granted == scope) {
                return Err(OAuthError::new(7019, format!("OAuthErrorEnum.noGrants [{scope}]")));
            }
        }
        Ok(())
    }
}

impl Shared {
    pub(super) fn client(&self, client_id: &str) -> Result<&Client, OAuthError> {
        self.clients
            .get(client_id)
            .ok_or_else(|| OAuthError::new(7005, "система с такой мнемоникой не зарегистрирована"))
    }

    /// Checks state, timestamp, certificate hash and signature. `code` is empty in the authorization request.
    pub(super) fn check_signature(&self, client: &Client, params: &Params<'_>, code: &str) -> Result<(), OAuthError> {
        let state = params.text("state");
        if Uuid::try_parse(state).is_err() {
            return Err(OAuthError::new(7003, "параметр [state] должен быть UUID"));
        }
        let timestamp = params.text("timestamp");
        let time = parse_timestamp(timestamp).ok_or_else(|| {
            OAuthError::new(7015, "время запроса должно иметь вид 2026.11.22 20:57:42 +0000 (плюс в адресе — %2B)")
        })?;
        let difference = self.clock.now() - time;
        if difference.unsigned_abs() > self.timestamp_window {
            return Err(OAuthError::new(7015, "время запроса слишком отличается от времени сервера"));
        }
        let wrong = |text: &'static str| OAuthError::new(7053, text);
        let hash = params.text("client_certificate_hash");
        let key = client.certificates.get(hash).ok_or_else(|| {
            wrong("client_certificate_hash не соответствует ни одному сертификату системы (на стенде: SHA-256 от DER)")
        })?;
        let signature = URL_SAFE_NO_PAD
            .decode(params.text("client_secret").trim_end_matches('='))
            .map_err(|_| wrong("client_secret должен быть в кодировке base64url"))?;
        let mut message = String::with_capacity(512);
        message.push_str(params.text("client_id"));
        message.push_str(params.text("scope"));
        message.push_str(params.text("scope_org"));
        message.push_str(timestamp);
        message.push_str(state);
        message.push_str(params.text("redirect_uri"));
        message.push_str(code);
        if key.0.verify(message.as_bytes(), &signature) {
            Ok(())
        } else {
            Err(wrong("client_secret не является подписью client_id+scope+scope_org+timestamp+state+redirect_uri+code"))
        }
    }
}

/// Reads `yyyy.MM.dd HH:mm:ss +hhmm`.
fn parse_timestamp(text: &str) -> Option<OffsetDateTime> {
    let (moment, offset) = text.rsplit_once(' ')?;
    let format = format_description!("[year].[month].[day] [hour]:[minute]:[second]");
    let moment = PrimitiveDateTime::parse(moment, format).ok()?;
    let format = format_description!("[offset_hour sign:mandatory][offset_minute]");
    Some(moment.assume_offset(UtcOffset::parse(offset, format).ok()?))
}

/// Handlers receive the server's state so.
pub(super) type ServerState = axum::extract::State<Arc<Shared>>;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn reads_timestamps() {
        assert_eq!(parse_timestamp("2026.11.22 20:57:42 +0000"), Some(datetime!(2026-11-22 20:57:42 UTC)));
        assert_eq!(parse_timestamp("2026.11.22 23:57:42 +0300"), Some(datetime!(2026-11-22 20:57:42 UTC)));
        for wrong in ["", "2026-11-22 20:57:42 +0000", "2026.11.22 20:57:42 +00:00", "2026.11.22 20:57:42  0000"] {
            assert_eq!(parse_timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn redirects_only_to_registered_hosts() {
        let client = Client {
            redirect_hosts: vec!["localhost".into(), "portal.test:8443".into(), "[::1]".into()],
            scopes: vec!["openid".into()],
            certificates: HashMap::new(),
        };
        for good in ["http://localhost/a", "http://localhost:9/", "https://portal.test:8443/x", "http://[::1]:1/"] {
            assert!(client.may_redirect_to(good), "{good}");
        }
        for bad in [
            "http://localhost.evil/",
            "https://portal.test/",
            "http://evil/?localhost",
            "http://localhost@evil/",
            "javascript:localhost",
            "//localhost/",
            "http://localhost/#x",
            "",
        ] {
            assert!(!client.may_redirect_to(bad), "{bad}");
        }
        assert!(client.check_scopes("openid").is_ok());
        assert_eq!(client.check_scopes("openid snils").expect_err("not granted").code, 7019);
        assert_eq!(client.check_scopes("openid  openid").expect_err("an empty scope").code, 7006);
    }

    #[test]
    fn names_missing_and_repeated_parameters() {
        let params = Params::parse(b"a=1&b=&c=3");
        let error = params.require(&["a", "b", "d"]).expect_err("two are missing");
        assert_eq!(error.to_string(), "ESIA-007014: запрос не содержит обязательных параметров [b, d]");
        assert!(params.unrepeated().is_ok());
        assert_eq!(Params::parse(b"a=1&b=2&a=").unrepeated().expect_err("repeated").code, 7003);
    }
}
