//! The client: the redirect to ESIA, the exchange of the code, and the person's data.

use std::{fmt, str::FromStr, sync::Arc};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    hmac,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Response, StatusCode, header, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use crate::{
    config::{ConfigError, EsiaConfig, is_loopback},
    error::{EsiaError, StateFault},
    person::{AddressesBody, Oid, Person, PersonBody, birth_date},
    signer::{RequestSigner, SignerError},
    token,
};

/// `yyyy.MM.dd HH:mm:ss Z`, as in `2026.11.22 20:57:42 +0000`.
const TIMESTAMP: &[BorrowedFormatItem<'static>] =
    format_description!("[year].[month].[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]");

/// Largest answer that is read; ESIA's are a few KiB.
const MAX_ANSWER: usize = 256 * 1024;

/// Ties a call-back to the browser that was sent to ESIA. Keep it in that browser's session and use it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginState(Uuid);

impl LoginState {
    /// A new random state.
    #[expect(clippy::new_without_default, reason = "each call gives another value")]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for LoginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LoginState {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Query parameters of the call-back (`redirect_uri`). ESIA's codes are long: allow addresses of 8 KiB.
#[derive(Clone, Default, Deserialize)]
pub struct CallbackQuery {
    /// The code to exchange.
    pub code: Option<String>,
    /// The state given to [`EsiaClient::authorization_url`].
    pub state: Option<String>,
    /// An OAuth error name instead of a code.
    pub error: Option<String>,
    /// ESIA's code and text for the error.
    pub error_description: Option<String>,
}

impl fmt::Debug for CallbackQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackQuery(hidden)")
    }
}

/// A log-in whose tokens passed every check.
pub struct VerifiedLogin {
    oid: Oid,
    authenticated_at: Option<OffsetDateTime>,
    access_token: String,
}

impl VerifiedLogin {
    /// Who logged in.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// When the person proved who they are, if ESIA said it. May lie before this log-in.
    pub fn authenticated_at(&self) -> Option<OffsetDateTime> {
        self.authenticated_at
    }
}

impl fmt::Debug for VerifiedLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedLogin(hidden)")
    }
}

/// An ESIA client. Cheap to clone; all clones share connections.
#[derive(Clone)]
pub struct EsiaClient(Arc<Inner>);

struct Inner {
    config: EsiaConfig,
    signer: Arc<dyn RequestSigner>,
    http: reqwest::Client,
    /// Scopes separated by spaces: the same text is signed and sent in both requests.
    scope: String,
    authorize: Url,
    token: Url,
    logout: Url,
    persons: Url,
}

impl EsiaClient {
    /// Checks the configuration and prepares the connections; asks ESIA nothing.
    ///
    /// # Errors
    /// Names the field that cannot work.
    pub fn new(config: EsiaConfig, signer: Arc<dyn RequestSigner>) -> Result<Self, ConfigError> {
        config.validate()?;
        let mut http = reqwest::Client::builder()
            .user_agent("kopilka")
            .redirect(Policy::none())
            .timeout(config.timeout)
            .connect_timeout(config.timeout.min(std::time::Duration::from_secs(5)));
        for pem in &config.tls_roots_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(ConfigError::Tls)?;
            http = http.tls_certs_merge(certificates);
        }
        if is_loopback(&config.base_url) {
            http = http.no_proxy();
        }
        let endpoint = |path: &str| {
            let mut url = config.base_url.clone();
            url.set_path(path);
            url
        };
        Ok(Self(Arc::new(Inner {
            http: http.build().map_err(ConfigError::Tls)?,
            scope: config.scopes.join(" "),
            authorize: endpoint("/aas/oauth2/v2/ac"),
            token: endpoint("/aas/oauth2/v3/te"),
            logout: endpoint("/idp/ext/Logout"),
            persons: endpoint("/rs/prns"),
            signer,
            config,
        })))
    }

    /// The address to send the browser to. `state` must be new and kept in that browser's session.
    ///
    /// # Errors
    /// [`EsiaError::Signer`] when the request cannot be signed.
    pub async fn authorization_url(&self, state: &LoginState) -> Result<Url, EsiaError> {
        let inner = &*self.0;
        let state_text = state.to_string();
        let signed = inner.sign(&state_text, "").await?;
        let mut url = inner.authorize.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", &inner.config.client_id)
                .append_pair("client_secret", &signed.secret)
                .append_pair("client_certificate_hash", inner.signer.certificate_hash())
                .append_pair("redirect_uri", inner.config.redirect_uri.as_str())
                .append_pair("scope", &inner.scope)
                .append_pair("response_type", "code")
                .append_pair("state", &state_text)
                .append_pair("timestamp", &signed.timestamp)
                .append_pair("access_type", "online");
            if inner.config.only_confirmed {
                query.append_pair("person_filter", &STANDARD.encode("conf_acc"));
            }
            if let Some(verifier) = inner.code_verifier(state) {
                let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
                query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
            }
        }
        Ok(url)
    }

    /// Finishes a log-in: checks the call-back, exchanges the code, checks the tokens and reads the person.
    ///
    /// `state` is the one kept in this browser's session; forget it there before calling, whatever comes out.
    ///
    /// # Errors
    /// See [`EsiaError`]; every variant can occur.
    pub async fn log_in(&self, callback: &CallbackQuery, state: &LoginState) -> Result<Person, EsiaError> {
        let code = callback_code(callback, state)?;
        let login = self.exchange(code, state).await?;
        self.person(&login).await
    }

    /// Exchanges a code whose call-back was already checked, and checks the tokens. `state` is the one given to
    /// [`EsiaClient::authorization_url`]; the token request gets a state of its own.
    ///
    /// # Errors
    /// See [`EsiaError`].
    pub async fn exchange(&self, code: &str, state: &LoginState) -> Result<VerifiedLogin, EsiaError> {
        let inner = &*self.0;
        let request_state = Uuid::new_v4().to_string();
        let signed = inner.sign(&request_state, code).await?;
        let body = inner.token_request(code, state, &request_state, &signed);
        let response = inner
            .http
            .post(inner.token.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .map_err(EsiaError::transport)?;
        let status = response.status();
        let body = read(response).await?;
        if status != StatusCode::OK {
            return Err(token_error(status, &body));
        }
        let tokens: Tokens = serde_json::from_slice(&body)
            .map_err(|_| EsiaError::Protocol("the token response is not as documented"))?;
        if tokens.state != request_state {
            return Err(EsiaError::State(StateFault::TokenResponse));
        }
        if !tokens.token_type.eq_ignore_ascii_case("bearer") {
            return Err(EsiaError::Protocol("the token type is not Bearer"));
        }
        let expected = token::Expected {
            keys: &inner.config.trusted_keys,
            issuer: &inner.config.issuer,
            client_id: &inner.config.client_id,
            now: inner.config.clock.now().unix_timestamp(),
            leeway: inner.config.leeway,
            max_auth_age: inner.config.max_auth_age,
        };
        let subject = token::verify(&expected, &tokens.id_token, &tokens.access_token)?;
        Ok(VerifiedLogin {
            oid: subject.oid,
            authenticated_at: subject.authenticated_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
            access_token: tokens.access_token,
        })
    }

    /// Reads the person and the registered address, and checks once more that the account is confirmed.
    ///
    /// # Errors
    /// [`EsiaError::Unconfirmed`], [`EsiaError::Misconfigured`] when a scope is not granted, or a failure of ESIA.
    pub async fn person(&self, login: &VerifiedLogin) -> Result<Person, EsiaError> {
        let wants_addresses = self.0.config.scopes.iter().any(|scope| scope == "addresses");
        let query = wants_addresses.then_some("embed=(addresses.elements)");
        let person: PersonBody = self.get(login, "", query).await?;
        if !person.trusted {
            return Err(EsiaError::Unconfirmed);
        }
        let registration_fias = match person.addresses {
            _ if !wants_addresses => None,
            Some(addresses) if addresses.is_embedded() => addresses.registration_fias(),
            _ => self.registration_fias(login).await?,
        };
        Ok(Person {
            oid: login.oid,
            trusted: person.trusted,
            birth_date: person.birth_date.as_deref().and_then(birth_date),
            registration_fias,
        })
    }

    /// Reads the address collection by itself, for an ESIA that embeds nothing in the person.
    async fn registration_fias(&self, login: &VerifiedLogin) -> Result<Option<Uuid>, EsiaError> {
        let addresses: AddressesBody = self.get(login, "/addrs", Some("embed=(elements)")).await?;
        if !addresses.is_embedded() {
            return Err(EsiaError::Protocol("addresses are links although embedding was asked for"));
        }
        Ok(addresses.registration_fias())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        login: &VerifiedLogin,
        resource: &str,
        query: Option<&str>,
    ) -> Result<T, EsiaError> {
        let inner = &*self.0;
        let mut url = inner.persons.clone();
        url.set_path(&format!("{}/{}{resource}", url.path(), login.oid.get()));
        url.set_query(query);
        let response = inner
            .http
            .get(url)
            .bearer_auth(&login.access_token)
            .header(header::ACCEPT, "application/json")
            .send()
            .await
            .map_err(EsiaError::transport)?;
        let status = response.status();
        match status {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => {
                let advice = "check that every scope we ask for is granted to our system";
                return Err(EsiaError::Misconfigured { code: None, advice });
            }
            StatusCode::UNAUTHORIZED => {
                return Err(EsiaError::Protocol("ESIA refuses its own access token"));
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(overloaded()),
            _ if status.is_server_error() => return Err(server_error()),
            _ => {
                return Err(EsiaError::Protocol("the person's data was answered with an unexpected status"));
            }
        }
        let body = read(response).await?;
        serde_json::from_slice(&body).map_err(|_| EsiaError::Protocol("the person's data is not as documented"))
    }

    /// Where to send the browser to end the session at ESIA as well, and where it should return to.
    pub fn logout_url(&self, return_to: Option<&Url>) -> Url {
        let mut url = self.0.logout.clone();
        url.query_pairs_mut().append_pair("client_id", &self.0.config.client_id);
        if let Some(return_to) = return_to {
            url.query_pairs_mut().append_pair("redirect_url", return_to.as_str());
        }
        url
    }
}

impl fmt::Debug for EsiaClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EsiaClient").field("base_url", &self.0.config.base_url.as_str()).finish_non_exhaustive()
    }
}

/// `client_secret` and the timestamp it was made for.
struct Signed {
    secret: String,
    timestamp: String,
}

impl Inner {
    /// Signs `client_id + scope + timestamp + state + redirect_uri + code`; no code in the first request.
    async fn sign(&self, state: &str, code: &str) -> Result<Signed, EsiaError> {
        let timestamp = timestamp(self.config.clock.now())?;
        let message =
            [&self.config.client_id, &self.scope, &timestamp, state, self.config.redirect_uri.as_str(), code].concat();
        let signature = self.signer.sign(message.as_bytes()).await?;
        Ok(Signed { secret: URL_SAFE_NO_PAD.encode(signature), timestamp })
    }

    /// The form of the token request.
    fn token_request(&self, code: &str, login: &LoginState, state: &str, signed: &Signed) -> String {
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(2048));
        form.append_pair("client_id", &self.config.client_id)
            .append_pair("client_secret", &signed.secret)
            .append_pair("client_certificate_hash", self.signer.certificate_hash())
            .append_pair("code", code)
            .append_pair("grant_type", "authorization_code")
            .append_pair("redirect_uri", self.config.redirect_uri.as_str())
            .append_pair("scope", &self.scope)
            .append_pair("state", state)
            .append_pair("timestamp", &signed.timestamp)
            .append_pair("token_type", "Bearer");
        if let Some(verifier) = self.code_verifier(login) {
            form.append_pair("code_verifier", &verifier);
        }
        form.finish()
    }

    /// The PKCE verifier that belongs to a state, if PKCE is on.
    fn code_verifier(&self, state: &LoginState) -> Option<String> {
        let secret = self.config.pkce.as_ref()?;
        Some(URL_SAFE_NO_PAD.encode(hmac::sign(&secret.0, state.0.as_bytes())))
    }
}

/// A successful token response. Lifetimes are inside the tokens.
#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: String,
    state: String,
    token_type: String,
}

/// A failed token response.
#[derive(Deserialize)]
struct TokenErrorBody {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

fn token_error(status: StatusCode, body: &[u8]) -> EsiaError {
    match serde_json::from_slice::<TokenErrorBody>(body) {
        Ok(body) if !body.error.is_empty() => EsiaError::from_oauth(&body.error, body.error_description.as_deref()),
        _ if status == StatusCode::TOO_MANY_REQUESTS => overloaded(),
        _ if status.is_server_error() => server_error(),
        _ => EsiaError::Protocol("the code was answered with an unexpected status"),
    }
}

fn overloaded() -> EsiaError {
    EsiaError::Unavailable { reason: "overloaded", source: None }
}

fn server_error() -> EsiaError {
    EsiaError::Unavailable { reason: "internal error", source: None }
}

/// Checks that the call-back belongs to this browser, and takes its code.
fn callback_code<'a>(callback: &'a CallbackQuery, state: &LoginState) -> Result<&'a str, EsiaError> {
    let given = callback.state.as_deref().unwrap_or_default();
    verify_slices_are_equal(given.as_bytes(), state.to_string().as_bytes())
        .map_err(|_| EsiaError::State(StateFault::Callback))?;
    match (&callback.error, &callback.code) {
        (Some(error), _) => Err(EsiaError::from_oauth(error, callback.error_description.as_deref())),
        (None, Some(code)) if !code.is_empty() => Ok(code),
        _ => Err(EsiaError::Protocol("the call-back has neither a code nor an error")),
    }
}

/// Reads a body of limited size.
async fn read(mut response: Response) -> Result<Vec<u8>, EsiaError> {
    let mut body = Vec::with_capacity(4096);
    while let Some(chunk) = response.chunk().await.map_err(EsiaError::transport)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(EsiaError::Protocol("the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn timestamp(now: OffsetDateTime) -> Result<String, SignerError> {
    let failed = |error| SignerError::new("the clock shows no usable time", Some(Box::new(error)));
    now.format(TIMESTAMP).map_err(failed)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn writes_timestamps_as_esia_wants_them() {
        let text = |time| timestamp(time).expect("a usable time");
        assert_eq!(text(datetime!(2026-11-22 20:57:42 UTC)), "2026.11.22 20:57:42 +0000");
        assert_eq!(text(datetime!(2026-01-02 03:04:05 +3)), "2026.01.02 03:04:05 +0300");
    }

    #[test]
    fn a_callback_must_belong_to_the_browser() {
        let state = LoginState::new();
        let callback = |state: Option<String>, error: Option<&str>| CallbackQuery {
            code: Some("code".into()),
            state,
            error: error.map(String::from),
            error_description: Some("ESIA-007004: отказ".into()),
        };
        assert_eq!(callback_code(&callback(Some(state.to_string()), None), &state).expect("accepted"), "code");
        for wrong in [None, Some(String::new()), Some(LoginState::new().to_string())] {
            let callback = callback(wrong, Some("access_denied"));
            assert!(matches!(callback_code(&callback, &state), Err(EsiaError::State(StateFault::Callback))));
        }
        let denied = callback(Some(state.to_string()), Some("access_denied"));
        assert!(matches!(callback_code(&denied, &state), Err(EsiaError::Denied { .. })));
    }

    #[test]
    fn sorts_failed_token_responses() {
        let sort = |status: u16, body: &str| token_error(StatusCode::from_u16(status).expect("valid"), body.as_bytes());
        let refused = r#"{"error":"invalid_grant","error_description":"ESIA-007011: x"}"#;
        assert!(matches!(sort(400, refused), EsiaError::CodeRejected { .. }));
        assert!(sort(503, "<html>").is_retryable());
        assert!(sort(429, "").is_retryable());
        assert!(matches!(sort(400, "<html>"), EsiaError::Protocol(_)));
    }
}
