//! The client and the stand-in over real HTTP on a loopback port.

mod data;
mod faults;
mod login;
mod pages;
mod requests;

use std::sync::{Arc, LazyLock};

use kopilka_esia::{
    CallbackQuery, Clock, EsiaClient, EsiaConfig, EsiaError, LoginState, Oid, Person, RequestSigner, RsaSigner,
    TrustedKeys,
    standin::{self, RegisteredClient, SCOPES, StandIn, StandInConfig},
};
use time::{OffsetDateTime, macros::datetime};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};
use uuid::Uuid;

/// The time in every test.
const NOW: OffsetDateTime = datetime!(2026-11-22 20:57:42 UTC);
const REDIRECT: &str = "http://localhost:8080/esia/callback";
const CLIENT_ID: &str = "KOPILKA";

/// One client key for all tests: making one takes a while.
static SIGNER: LazyLock<Arc<RsaSigner>> =
    LazyLock::new(|| Arc::new(RsaSigner::generate(CLIENT_ID).expect("a key can be made")));

/// A running stand-in and a client configured for it.
struct World {
    esia: StandIn,
    config: EsiaConfig,
    client: EsiaClient,
    browser: reqwest::Client,
    base_url: Url,
}

fn clock() -> Clock {
    Clock::new(|| NOW)
}

impl World {
    async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// A world after changes of the two configurations.
    async fn with(change: impl FnOnce(&mut StandInConfig, &mut EsiaConfig)) -> Self {
        let mut registered = RegisteredClient::local(CLIENT_ID, SIGNER.certificate_pem());
        registered.scopes = SCOPES.map(String::from).to_vec();
        let municipalities = standin::demo_municipalities();
        let mut standin_config = StandInConfig {
            generated: vec![(municipalities[0].fias, 100), (municipalities[1].fias, 20)],
            municipalities,
            clients: vec![registered],
            clock: clock(),
            ..StandInConfig::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let base_url: Url = format!("http://{address}").parse().expect("an address");
        let redirect = REDIRECT.parse().expect("an address");
        let trusted_keys = TrustedKeys::default();
        let mut config = EsiaConfig::new(base_url.clone(), &standin_config.issuer, CLIENT_ID, redirect, trusted_keys);
        config.clock = clock();
        change(&mut standin_config, &mut config);
        let esia = StandIn::new(standin_config).expect("a valid configuration");
        config.trusted_keys = TrustedKeys::from_pem(esia.certificate_pem()).expect("a certificate");
        let server = esia.clone();
        tokio::spawn(async move { server.serve(listener).await });
        let client = EsiaClient::new(config.clone(), SIGNER.clone()).expect("a valid configuration");
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        Self { esia, config, client, browser: browser.expect("a client"), base_url }
    }

    /// A client of the same stand-in with a changed configuration.
    fn client_with(&self, change: impl FnOnce(&mut EsiaConfig)) -> EsiaClient {
        let mut config = self.config.clone();
        change(&mut config);
        EsiaClient::new(config, SIGNER.clone()).expect("a valid configuration")
    }

    /// A whole log-in.
    async fn log_in(&self, oid: Oid) -> Result<Person, EsiaError> {
        self.log_in_with(&self.client, oid).await
    }

    async fn log_in_with(&self, client: &EsiaClient, oid: Oid) -> Result<Person, EsiaError> {
        let state = LoginState::new();
        let callback = self.callback(client, &state, oid).await;
        client.log_in(&query(&callback), &state).await
    }

    /// Where the browser ends up after choosing a citizen.
    async fn callback(&self, client: &EsiaClient, state: &LoginState, oid: Oid) -> Url {
        let url = client.authorization_url(state).await.expect("signed");
        standin::log_in_as(&self.browser, &url, oid).await.expect("sent back")
    }

    /// A fresh code for a citizen.
    async fn code(&self, oid: Oid) -> String {
        let callback = self.callback(&self.client, &LoginState::new(), oid).await;
        query(&callback).code.expect("a code")
    }

    fn url(&self, path: &str) -> Url {
        self.base_url.join(path).expect("a path")
    }
}

/// What a call-back handler would extract.
fn query(url: &Url) -> CallbackQuery {
    let uri = url.as_str().parse().expect("an address");
    axum::extract::Query::try_from_uri(&uri).expect("a call-back").0
}

/// A hand-made request, signed as the specification says, and then spoilt.
#[derive(Clone)]
struct Handmade(Vec<(&'static str, String)>);

impl Handmade {
    fn authorization() -> Self {
        let mut request = Self::common("openid birthdate addresses");
        request.set("response_type", "code").set("access_type", "online");
        request
    }

    fn token(code: &str) -> Self {
        let mut request = Self::common("openid birthdate addresses");
        request.set("code", code).set("grant_type", "authorization_code").set("token_type", "Bearer");
        request
    }

    fn common(scope: &str) -> Self {
        let mut request = Self(Vec::new());
        request
            .set("client_id", CLIENT_ID)
            .set("client_certificate_hash", SIGNER.certificate_hash())
            .set("redirect_uri", REDIRECT)
            .set("scope", scope)
            .set("state", &Uuid::new_v4().to_string())
            .set("timestamp", "2026.11.22 23:57:42 +0300");
        request
    }

    fn set(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.remove(name).repeat(name, value)
    }

    /// Adds a parameter, even if it is there already.
    fn repeat(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.0.push((name, value.into()));
        self
    }

    fn remove(&mut self, name: &str) -> &mut Self {
        self.0.retain(|(key, _)| *key != name);
        self
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Signs what is there now; changes made later spoil the signature.
    fn sign(&mut self) -> &mut Self {
        use base64::{Engine, engine::general_purpose::URL_SAFE};
        let order = ["client_id", "scope", "scope_org", "timestamp", "state", "redirect_uri", "code"];
        let message: String = order.map(|name| self.get(name)).concat();
        let signature = SIGNER.sign_now(message.as_bytes()).expect("signed");
        // With padding, unlike the client.
        self.set("client_secret", &URL_SAFE.encode(signature))
    }

    fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Sends it to the authorization endpoint.
    async fn authorize(&self, world: &World) -> reqwest::Response {
        let mut url = world.url("/aas/oauth2/v2/ac");
        url.set_query(Some(&self.encode()));
        world.browser.get(url).send().await.expect("an answer")
    }

    /// Sends it to the token endpoint; the answer's status and JSON.
    async fn exchange(&self, world: &World) -> (u16, serde_json::Value) {
        let request = world
            .browser
            .post(world.url("/aas/oauth2/v3/te"))
            .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
            .body(self.encode());
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }
}
