//! A stand-in for ESIA: a real OAuth2 server over invented citizens, for development, demonstrations and tests.
//!
//! It checks requests as ESIA does (certificate, signature over the exact string, time, hosts, scopes, single-use
//! codes) and signs tokens of the same shape, with an issuer and keys of its own, made at start. It answers only on
//! this machine unless told otherwise, refuses to call itself `gosuslugi.ru`, and marks every answer and page.
//!
//! It deliberately has no v1 endpoints, refresh tokens, system grants or organisations, and forgets everything when it
//! ends: log-in requests, codes and citizens are computed, not stored, so that thousands of log-ins cost no memory.

mod authorize;
mod browser;
mod citizens;
mod data;
mod download;
mod fault;
mod keys;
mod oauth;
mod page;
mod stories;
mod tokens;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use thiserror::Error;
use time::Date;
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

pub use self::{
    browser::{BrowserError, log_in_as},
    citizens::{Municipality, demo_municipalities, generated_oid},
    fault::{Defect, Fault},
    stories::named,
};
use self::{
    citizens::Register,
    keys::{Sealer, TokenSigner},
    oauth::Client,
};
use crate::{config::Clock, config::is_loopback};

/// Scopes the stand-in knows; a system may be granted any of them.
pub const SCOPES: [&str; 12] = [
    "openid",
    "fullname",
    "birthdate",
    "birthplace",
    "gender",
    "snils",
    "inn",
    "email",
    "mobile",
    "contacts",
    "addresses",
    "id_doc",
];

/// How a stand-in behaves.
#[derive(Debug, Clone)]
pub struct StandInConfig {
    /// `iss` of its tokens; must not look like the real ESIA's.
    pub issuer: String,
    /// Places where invented citizens live.
    pub municipalities: Vec<Municipality>,
    /// How many confirmed adults to invent in a municipality (by its ФИАС code), besides the named citizens. They
    /// have the numbers [`generated_oid`]`(index in municipalities, 0..count)`.
    pub generated: Vec<(Uuid, u32)>,
    /// Systems that may ask for log-ins.
    pub clients: Vec<RegisteredClient>,
    /// The stand-in's clock.
    pub clock: Clock,
    /// How far a request's timestamp may be from the clock.
    pub timestamp_window: Duration,
    /// How long a code is valid.
    pub code_lifetime: Duration,
    /// Misbehaviour from the start; see [`StandIn::set_fault`].
    pub fault: Option<Fault>,
    /// Answer also to browsers that reach it under another name than `localhost`. Only for a closed test network.
    pub allow_public: bool,
}

impl Default for StandInConfig {
    fn default() -> Self {
        Self {
            issuer: "http://esia-standin.localhost/".into(),
            municipalities: demo_municipalities(),
            generated: Vec::new(),
            clients: Vec::new(),
            clock: Clock::system(),
            timestamp_window: Duration::from_secs(300),
            code_lifetime: Duration::from_secs(120),
            fault: None,
            allow_public: false,
        }
    }
}

/// A system registered with the stand-in, as it would be on ESIA's technology portal.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    /// Mnemonic, for example `KOPILKA`.
    pub client_id: String,
    /// Its RSA certificates (PEM), several during a change of certificate.
    pub certificates_pem: Vec<String>,
    /// Hosts that `redirect_uri` may have: `localhost` (any port) or `localhost:8080`.
    pub redirect_hosts: Vec<String>,
    /// Scopes granted to the system.
    pub scopes: Vec<String>,
}

impl RegisteredClient {
    /// A system on this machine with one certificate and every scope of a log-in
    /// ([`DEFAULT_SCOPES`](crate::DEFAULT_SCOPES)).
    pub fn local(client_id: impl Into<String>, certificate_pem: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            certificates_pem: vec![certificate_pem.into()],
            redirect_hosts: ["localhost", "127.0.0.1", "[::1]"].map(String::from).to_vec(),
            scopes: crate::DEFAULT_SCOPES.map(String::from).to_vec(),
        }
    }
}

/// A part of [`StandInConfig`] that cannot work.
#[derive(Debug, Error)]
pub enum StandInError {
    /// The issuer could be taken for the real ESIA's.
    #[error("the issuer {0:?} must not name gosuslugi.ru: a stand-in must be impossible to mistake for ESIA")]
    Issuer(String),
    /// There is no place to live.
    #[error("municipalities must not be empty")]
    NoMunicipality,
    /// Citizens are to live in a place that is not configured, or a place is named twice.
    #[error("generated names the ФИАС code {0}, which is not (or not only once) among the municipalities")]
    UnknownMunicipality(Uuid),
    /// More citizens than numbers are set aside.
    #[error("at most {max} citizens can be generated for one municipality, asked for {asked}")]
    TooManyCitizens {
        /// Asked for.
        asked: u32,
        /// Possible.
        max: u32,
    },
    /// Two systems have one mnemonic.
    #[error("the client {0:?} is registered twice")]
    ClientTwice(String),
    /// A certificate of a system cannot be used.
    #[error("a certificate of the client {client_id:?} cannot be used")]
    Certificate {
        /// Its mnemonic.
        client_id: String,
        /// Why.
        #[source]
        source: crate::KeyError,
    },
    /// A granted scope does not exist.
    #[error("the client {client_id:?} is granted the unknown scope {scope:?}; known are {SCOPES:?}")]
    Scope {
        /// Its mnemonic.
        client_id: String,
        /// The scope.
        scope: String,
    },
}

/// The stand-in server. Cheap to clone; clones share keys, codes and the fault switch.
#[derive(Debug, Clone)]
pub struct StandIn(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    issuer: String,
    clients: HashMap<String, Client>,
    register: Register,
    clock: Clock,
    timestamp_window: Duration,
    code_lifetime: Duration,
    allow_public: bool,
    signer: TokenSigner,
    rotated: TokenSigner,
    sealer: Sealer,
    used_codes: Mutex<UsedCodes>,
    fault: RwLock<Option<Fault>>,
}

impl StandIn {
    /// Checks the configuration and starts to make the RSA key in the background (about 0.1 s).
    ///
    /// # Errors
    /// Says which part of the configuration is wrong.
    pub fn new(config: StandInConfig) -> Result<Self, StandInError> {
        if config.issuer.to_lowercase().contains("gosuslugi") {
            return Err(StandInError::Issuer(config.issuer));
        }
        let mut clients = HashMap::new();
        for client in config.clients {
            let id = client.client_id.clone();
            if clients.insert(id.clone(), Client::new(client)?).is_some() {
                return Err(StandInError::ClientTwice(id));
            }
        }
        let register = Register::new(config.municipalities, &config.generated)?;
        tracing::warn!(issuer = %config.issuer, "ESIA stand-in: citizens are invented, this is not Госуслуги");
        Ok(Self(Arc::new(Shared {
            issuer: config.issuer,
            clients,
            register,
            clock: config.clock,
            timestamp_window: config.timestamp_window,
            code_lifetime: config.code_lifetime,
            allow_public: config.allow_public,
            signer: TokenSigner::in_background("ESIA stand-in, not Госуслуги"),
            rotated: TokenSigner::on_demand("ESIA stand-in, next key"),
            sealer: Sealer::new(),
            used_codes: Mutex::default(),
            fault: RwLock::new(config.fault),
        })))
    }

    /// The server as a router, to be served on a loopback address.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(page::about))
            .route("/aas/oauth2/v2/ac", get(authorize::authorize))
            .route("/aas/oauth2/v3/te", post(tokens::exchange))
            .route("/login", get(authorize::show).post(authorize::choose))
            .route("/standin.css", get(page::style))
            .route("/rs/prns/{oid}", get(data::person))
            .route("/rs/prns/{oid}/{collection}", get(data::collection))
            .route("/rs/prns/{oid}/{collection}/{id}", get(data::element))
            .route("/idp/ext/Logout", get(authorize::logout))
            .route("/public/esia.zip", get(download::zip))
            .route("/public/esia.pem", get(download::pem))
            .layer(DefaultBodyLimit::max(64 * 1024))
            .layer(middleware::from_fn_with_state(self.0.clone(), guard))
            .with_state(self.0.clone())
    }

    /// Serves until the listener fails.
    ///
    /// # Errors
    /// When the listener is not on a loopback address (unless `allow_public`), or fails.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() && !self.0.allow_public {
            let message = format!("the ESIA stand-in listens on loopback addresses only, not on {address}");
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, message));
        }
        let listener = listener.tap_io(|stream| {
            // Without it a small answer may wait for an acknowledgement; if it fails, answers are only slower.
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, self.router()).await
    }

    /// `iss` of the tokens.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The certificate that clients must trust. Waits for the key if it is still being made.
    pub fn certificate_pem(&self) -> &str {
        self.0.signer.certificate_pem()
    }

    /// Makes the server misbehave (or behave again) from the next request on. For tests.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *self.0.fault.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

impl Shared {
    fn fault(&self) -> Option<Fault> {
        *self.fault.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unix seconds.
    fn now(&self) -> i64 {
        self.clock.now().unix_timestamp()
    }

    fn today(&self) -> Date {
        self.clock.now().date()
    }

    /// Marks a code as used; false if it was already.
    fn use_code(&self, id: Uuid, expires_at: i64) -> bool {
        let now = self.now();
        self.used_codes.lock().unwrap_or_else(PoisonError::into_inner).insert(id, expires_at, now)
    }
}

/// Codes that were exchanged and have not expired yet.
#[derive(Debug, Default)]
struct UsedCodes {
    ids: HashSet<Uuid>,
    by_expiry: VecDeque<(i64, Uuid)>,
}

impl UsedCodes {
    fn insert(&mut self, id: Uuid, expires_at: i64, now: i64) -> bool {
        while let Some((_, old)) = self.by_expiry.pop_front_if(|(expiry, _)| *expiry < now) {
            self.ids.remove(&old);
        }
        let new = self.ids.insert(id);
        if new {
            self.by_expiry.push_back((expires_at, id));
        }
        new
    }
}

/// Turns away requests from outside this machine and marks every answer.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let local = shared.allow_public || {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        host.and_then(|host| Url::parse(&format!("http://{host}/")).ok()).is_some_and(|url| is_loopback(&url))
    };
    let mut response = if local {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "Учебный стенд отвечает только на этом компьютере (localhost).\n").into_response()
    };
    response.headers_mut().insert(HeaderName::from_static("x-esia-standin"), HeaderValue::from_static("not-gosuslugi"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_used_once_and_forgotten_after_its_time() {
        let mut used = UsedCodes::default();
        let id = Uuid::from_u128(1);
        assert!(used.insert(id, 10, 0));
        assert!(!used.insert(id, 10, 10));
        assert!(used.insert(Uuid::from_u128(2), 30, 11));
        assert_eq!((used.ids.len(), used.by_expiry.len()), (1, 1));
    }

    #[test]
    fn refuses_what_cannot_work() {
        let refused = |config| StandIn::new(config).expect_err("must be refused").to_string();
        let issuer = "http://esia.Gosuslugi.ru/".into();
        assert!(refused(StandInConfig { issuer, ..Default::default() }).contains("mistake"));
        assert!(refused(StandInConfig { municipalities: vec![], ..Default::default() }).contains("municipalities"));
        let nowhere = vec![(Uuid::from_u128(7), 1)];
        assert!(refused(StandInConfig { generated: nowhere, ..Default::default() }).contains("ФИАС"));
        let many = vec![(demo_municipalities()[0].fias, u32::MAX)];
        assert!(refused(StandInConfig { generated: many, ..Default::default() }).contains("at most"));
        let client = RegisteredClient::local("X", "nothing");
        assert!(refused(StandInConfig { clients: vec![client], ..Default::default() }).contains("certificate"));
    }
}
