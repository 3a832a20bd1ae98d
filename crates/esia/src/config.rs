//! What the client must be told about one ESIA environment and about our registration in it.
//! It does not read the environment or files: the service that starts the client does.

use std::{fmt, sync::Arc, time::Duration};

use thiserror::Error;
use time::OffsetDateTime;
use url::{Host, Url};

use crate::keys::TrustedKeys;

/// Scopes that a log-in needs when no personal data is stored: who, how old, and where registered.
pub const DEFAULT_SCOPES: [&str; 3] = ["openid", "birthdate", "addresses"];

/// The largest clock difference between ESIA and us that a token check may forgive.
pub const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// Everything the client must know about one ESIA environment and our system in it.
///
/// Start with [`EsiaConfig::new`] and change the fields that differ.
#[derive(Debug, Clone)]
pub struct EsiaConfig {
    /// Scheme, host and port of the environment, for example `https://esia-portal1.test.gosuslugi.ru`.
    /// Must be `https`, except for a loopback host.
    pub base_url: Url,
    /// The exact `iss` of its tokens, for example `http://esia-portal1.test.gosuslugi.ru/` (http, with the slash).
    pub issuer: String,
    /// Mnemonic under which our system is registered.
    pub client_id: String,
    /// Where ESIA sends the browser back to; its host must be registered for the mnemonic.
    pub redirect_uri: Url,
    /// Scopes to ask for; must contain `openid`.
    pub scopes: Vec<String>,
    /// Keys that may sign tokens: several at once, so that a rotation of ESIA's certificate needs no outage.
    pub trusted_keys: TrustedKeys,
    /// Clock for request timestamps and token checks.
    pub clock: Clock,
    /// Clock difference forgiven by token checks, at most [`MAX_LEEWAY`].
    pub leeway: Duration,
    /// Oldest acceptable authentication (`auth_time`); `None` accepts a session of any age.
    pub max_auth_age: Option<Duration>,
    /// Secret from which PKCE verifiers are derived; `None` sends no PKCE parameters. Every process that may
    /// finish another's log-ins needs the same secret.
    pub pkce: Option<PkceSecret>,
    /// Ask ESIA itself to turn away unconfirmed accounts (`person_filter`). Confirmation is checked here anyway.
    pub only_confirmed: bool,
    /// Extra TLS root certificates (PEM), for example the «Russian Trusted Root CA».
    pub tls_roots_pem: Vec<String>,
    /// Limit for one complete HTTP exchange with ESIA.
    pub timeout: Duration,
}

impl EsiaConfig {
    /// A configuration with the default scopes, the system clock, one minute of leeway and no PKCE.
    pub fn new(
        base_url: Url,
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        redirect_uri: Url,
        trusted_keys: TrustedKeys,
    ) -> Self {
        Self {
            base_url,
            issuer: issuer.into(),
            client_id: client_id.into(),
            redirect_uri,
            scopes: DEFAULT_SCOPES.map(String::from).to_vec(),
            trusted_keys,
            clock: Clock::system(),
            leeway: MAX_LEEWAY,
            max_auth_age: None,
            pkce: None,
            only_confirmed: false,
            tls_roots_pem: Vec::new(),
            timeout: Duration::from_secs(15),
        }
    }

    /// Checks what can be checked without asking ESIA.
    ///
    /// # Errors
    /// Names the first field that is wrong and says what would be right.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self.base_url.scheme() {
            "https" => {}
            "http" if is_loopback(&self.base_url) => {}
            _ => return Err(ConfigError::InsecureBaseUrl),
        }
        if self.base_url.path() != "/" || self.base_url.query().is_some() {
            return Err(ConfigError::BaseUrlWithPath);
        }
        if self.issuer.is_empty() {
            return Err(ConfigError::Empty("issuer"));
        }
        if self.client_id.is_empty() {
            return Err(ConfigError::Empty("client_id"));
        }
        if !matches!(self.redirect_uri.scheme(), "http" | "https") || !self.redirect_uri.has_host() {
            return Err(ConfigError::RedirectUri);
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(ConfigError::NoOpenid);
        }
        if let Some(bad) = self
            .scopes
            .iter()
            .find(|scope| scope.is_empty() || !scope.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)))
        {
            return Err(ConfigError::Scope(bad.clone()));
        }
        if self.trusted_keys.is_empty() {
            return Err(ConfigError::NoTrustedKeys);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::Leeway);
        }
        Ok(())
    }
}

/// True for `localhost`, names under it and loopback addresses.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A field of [`EsiaConfig`] that cannot work.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// `base_url` is neither https nor a loopback host.
    #[error("base_url must start with https:// (http:// only for a loopback host such as 127.0.0.1)")]
    InsecureBaseUrl,
    /// `base_url` has a path or a query.
    #[error("base_url must be only scheme, host and port, for example https://esia.gosuslugi.ru")]
    BaseUrlWithPath,
    /// A mandatory field is empty.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// `redirect_uri` is not an absolute http(s) address.
    #[error("redirect_uri must be an absolute http or https address")]
    RedirectUri,
    /// `openid` is missing from the scopes.
    #[error("scopes must contain openid")]
    NoOpenid,
    /// A scope has characters that would change the signed string.
    #[error("scope {0:?} may contain only letters, digits, `_`, `-` and `.`")]
    Scope(String),
    /// No key could verify a token.
    #[error("trusted_keys is empty: give at least one ESIA certificate (esia.zip of the environment)")]
    NoTrustedKeys,
    /// The leeway is larger than allowed.
    #[error("leeway must be at most 60 seconds")]
    Leeway,
    /// One of `tls_roots_pem` is not a certificate, or TLS could not be set up.
    #[error("the HTTP client could not be set up: check tls_roots_pem")]
    Tls(#[source] reqwest::Error),
}

/// The source of the present time, so that tests are repeatable.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(OffsetDateTime::now_utc)
    }

    /// A clock that answers whatever `now` returns.
    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present time.
    pub fn now(&self) -> OffsetDateTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Secret from which the PKCE verifier of each log-in is derived, so that nothing has to be stored between the
/// redirect and the call-back.
#[derive(Clone)]
pub struct PkceSecret(pub(crate) aws_lc_rs::hmac::Key);

impl PkceSecret {
    /// Takes 32 bytes of good randomness.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret))
    }
}

impl fmt::Debug for PkceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PkceSecret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> EsiaConfig {
        let key = crate::signer::RsaSigner::generate("config test").expect("key generation works");
        EsiaConfig::new(
            Url::parse("http://127.0.0.1:9").expect("valid"),
            "http://issuer/",
            "KOPILKA",
            Url::parse("http://localhost/callback").expect("valid"),
            TrustedKeys::from_pem(key.certificate_pem()).expect("a certificate"),
        )
    }

    #[test]
    fn names_the_wrong_field() {
        let good = config();
        good.validate().expect("the default is valid");

        let with = |change: fn(&mut EsiaConfig)| {
            let mut changed = good.clone();
            change(&mut changed);
            changed.validate().expect_err("must be refused").to_string()
        };
        assert!(with(|c| c.base_url = Url::parse("http://esia.example").expect("valid")).contains("https://"));
        assert!(with(|c| c.base_url = Url::parse("https://esia.example/aas").expect("valid")).contains("only scheme"));
        assert!(with(|c| c.issuer.clear()).contains("issuer"));
        assert!(with(|c| c.client_id.clear()).contains("client_id"));
        assert!(with(|c| c.redirect_uri = Url::parse("mailto:a@b").expect("valid")).contains("redirect_uri"));
        assert!(with(|c| c.scopes.clear()).contains("openid"));
        assert!(with(|c| c.scopes.push("full name".into())).contains("full name"));
        assert!(with(|c| c.trusted_keys = TrustedKeys::default()).contains("esia.zip"));
        assert!(with(|c| c.leeway = Duration::from_secs(61)).contains("60 seconds"));
    }
}
