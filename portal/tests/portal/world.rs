//! A portal with everything around it, and citizens with browsers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Address, B256, U256};
use alloy::providers::DynProvider;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_rounds::{self, BudgetRounds};
use kopilka_bindings::municipalities::Municipalities;
use kopilka_credential::{
    AccountAddress, BlindSignature, BlindedMessage, Blinding, CredentialScope, IssuerPublicKey, MasterSecret,
    Signature, blind, unblind, verify,
};
use kopilka_domain::MunicipalityId;
use kopilka_esia::standin::{self, RegisteredClient, StandIn, StandInConfig, demo_municipalities, generated_oid};
use kopilka_esia::{EsiaClient, EsiaConfig, Oid, RsaSigner, TrustedKeys};
use kopilka_portal::{Config, StaffToken, Territories};
use kopilka_testkit::{CONTROLLER_ROLE, DEV_KEYS, TestChain, TestDatabase};
use kopilka_web::SecretKey;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use time::UtcOffset;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub(crate) const STAFF_TOKEN: &str = "a staff token for tests";

/// Roles of `IMunicipalities.Role`.
const TREASURER: u8 = 1;
const CLERK: u8 = 2;
const ISSUER: u8 = 3;
/// Development account of the clerk, who is also treasurer.
const CLERK_ACCOUNT: usize = 0;
/// Development account that publishes counts.
const ISSUER_ACCOUNT: usize = 1;

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) chain: TestChain,
    pub(crate) portal: Url,
    pub(crate) esia: StandIn,
    pub(crate) keys_dir: PathBuf,
    config: Config,
    cancel: CancellationToken,
    server: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

/// A round with its classes.
pub(crate) struct Round {
    pub(crate) address: Address,
    pub(crate) scope: CredentialScope,
    pub(crate) keys: Vec<IssuerPublicKey>,
}

/// What differs from the usual round.
pub(crate) struct RoundOptions {
    pub(crate) municipality: u32,
    pub(crate) classes: usize,
    pub(crate) fixed: bool,
    /// Id of a key that the portal has already, for class 0.
    pub(crate) key: Option<String>,
}

impl Default for RoundOptions {
    fn default() -> Self {
        Self { municipality: 1, classes: 1, fixed: false, key: None }
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = TestDatabase::create().await.unwrap();
        let chain = TestChain::start().await.unwrap();
        let register = Municipalities::new(chain.deployment.municipalities, chain.operator().unwrap());
        let mut territories = Territories::default();
        for (index, place) in demo_municipalities().into_iter().enumerate() {
            let id = u32::try_from(index).unwrap() + 1;
            register.admit(place.oktmo, place.name).send().await.unwrap().get_receipt().await.unwrap();
            for (role, account) in [(TREASURER, CLERK_ACCOUNT), (CLERK, CLERK_ACCOUNT), (ISSUER, ISSUER_ACCOUNT)] {
                let account = chain.account(account).unwrap();
                let grant = register.grantRole(id, role, account, 0, u64::MAX, B256::repeat_byte(1));
                grant.send().await.unwrap().get_receipt().await.unwrap();
            }
            let controller = chain.controller_account().unwrap();
            let grant = register.grantRole(id, CONTROLLER_ROLE, controller, 0, u64::MAX, B256::repeat_byte(1));
            grant.send().await.unwrap().get_receipt().await.unwrap();
            territories.add(&place.fias.to_string(), MunicipalityId(id)).unwrap();
        }

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let portal: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (esia, esia_url, client) = start_esia(&portal).await;
        let assets = dir.path().join("assets");
        std::fs::create_dir(&assets).unwrap();
        for name in [
            "portal-round.js",
            "portal-round.css",
            "portal-take-part.js",
            "portal-co-sign.js",
            "portal-check.js",
            "portal-restore.js",
        ] {
            std::fs::write(assets.join(name), "").unwrap();
        }
        let keys_dir = dir.path().join("issuer-keys");
        let config = Config {
            database: database.pool.clone(),
            rpc_url: chain.anvil.url().parse().unwrap(),
            deployment: chain.deployment.clone(),
            esia: client,
            session_key: SecretKey::new([3; 32]),
            person_tag_secret: SecretKey::new([4; 32]),
            issuer_keys_dir: keys_dir.clone(),
            issuer_account: Some(DEV_KEYS[ISSUER_ACCOUNT].parse().unwrap()),
            publish_interval: Duration::from_secs(3600),
            compact_interval: Duration::from_secs(3600),
            staff_token: StaffToken::new(STAFF_TOKEN),
            territories,
            public_url: portal.clone(),
            relayer_url: "http://relayer.example".parse().unwrap(),
            explorer_url: "http://explorer.example".parse().unwrap(),
            public_rpc_url: "http://explorer.example/api/eth-rpc".parse().unwrap(),
            esia_url,
            assets_dir: assets,
            offset: UtcOffset::from_hms(3, 0, 0).unwrap(),
            registration_delay: Duration::ZERO,
        };
        let cancel = CancellationToken::new();
        let server = serve(&config, listener, &cancel);
        Self { database, chain, portal, esia, keys_dir, config, cancel, server, _dir: dir }
    }

    /// A second process on the same database and keys.
    pub(crate) async fn second_portal(&self) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        serve(&self.config, listener, &self.cancel);
        url
    }

    /// Ends the portal as a signal would.
    pub(crate) async fn stop(&mut self) {
        self.cancel.cancel();
        (&mut self.server).await.unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.portal.join(path).unwrap()
    }

    /// A round in the phase Draft, its keys made and bound by the staff interface.
    pub(crate) async fn draft(&self, options: RoundOptions) -> Round {
        let clerk = self.chain.provider(CLERK_ACCOUNT).unwrap();
        let round_config = budget_rounds::IBudgetRound::RoundConfig {
            municipalityId: options.municipality,
            ballotKind: 0,
            allotment: if options.fixed { 0 } else { 1 },
            rule: 0,
            completionRaise: true,
            completionFill: true,
            sharePoints: 10,
            threshold: 0,
            fixedAmount: if options.fixed { 10_000 } else { 0 },
            registrationUntil: 1,
            pledgingUntil: 2,
            objectionPeriod: 1,
            contentHash: B256::repeat_byte(7),
        };
        let appropriation = budget_rounds::IBudgetToken::Appropriation {
            amount: 100_000_000,
            fiscalYear: 2026,
            kbk: "90105031234567890244".to_owned(),
            documentHash: B256::repeat_byte(8),
            documentURI: "https://example.org/decision".to_owned(),
        };
        let rounds = BudgetRounds::new(self.chain.deployment.rounds, &clerk);
        let created = rounds.createRound(round_config, appropriation, "Budget".to_owned(), "BDG".to_owned());
        let receipt = created.send().await.unwrap().get_receipt().await.unwrap();
        let created = receipt.decoded_log::<BudgetRounds::RoundCreated>().unwrap().data;
        let contract = BudgetRound::new(created.round, &clerk);
        let mut keys = Vec::new();
        for class in 0..options.classes {
            let (method, path) = match &options.key {
                Some(id) if class == 0 => ("GET", format!("api/v1/staff/issuer-keys/{id}")),
                _ => ("POST", "api/v1/staff/issuer-keys".to_owned()),
            };
            let key: Value = self.staff(method, &path, None).await.json().await.unwrap();
            let public = hex::decode(&key["public_key_eip2537"].as_str().unwrap()[2..]).unwrap();
            contract.addClass(1, public.clone().into()).send().await.unwrap().get_receipt().await.unwrap();
            let path = format!("api/v1/staff/issuer-keys/{}", key["key_id"].as_str().unwrap());
            let bound = self.staff("PUT", &path, Some(json!({ "round": created.round, "class": class }))).await;
            assert_eq!(bound.status(), StatusCode::OK, "{}", bound.text().await.unwrap());
            keys.push(IssuerPublicKey::from_eip2537(&public).unwrap());
        }
        let initiative = contract.addInitiative(1_000_000, B256::repeat_byte(9));
        initiative.send().await.unwrap().get_receipt().await.unwrap();
        let scope = CredentialScope::new(
            self.chain.deployment.chain_id,
            created.round.into_array(),
            created.roundId.to_be_bytes::<32>(),
            0,
        );
        Round { address: created.round, scope, keys }
    }

    /// A round whose registration is open.
    pub(crate) async fn round(&self, options: RoundOptions) -> Round {
        let round = self.draft(options).await;
        self.contract(&round).openRegistration().send().await.unwrap().get_receipt().await.unwrap();
        round
    }

    pub(crate) fn contract(&self, round: &Round) -> BudgetRound::BudgetRoundInstance<DynProvider> {
        BudgetRound::new(round.address, self.chain.provider(CLERK_ACCOUNT).unwrap())
    }

    /// Mints the budget and opens pledging, with nobody registered if the round has a fixed allotment.
    pub(crate) async fn open_pledging(&self, round: &Round) {
        let contract = self.contract(round);
        let token = contract.token().call().await.unwrap();
        let treasurer = self.chain.provider(CLERK_ACCOUNT).unwrap();
        self.chain.mint(token, &treasurer, U256::from(100_000_000)).await.unwrap();
        if contract.config().call().await.unwrap().allotment == 1 {
            // Equal shares need somebody to share among: one registration through the whole credential.
            let keys = self.citizen(generated_oid(0, 199)).await.credential(round).await;
            let signature = keys.signature.lock().unwrap().unwrap();
            let account = Address::from(keys.account.to_bytes());
            let register = contract.register(0, vec![account], signature.to_uncompressed().to_vec().into());
            register.send().await.unwrap().get_receipt().await.unwrap();
            let path = format!("api/v1/staff/rounds/{}/publish-issued", round.address);
            assert!(self.staff("POST", &path, None).await.status().is_success());
        }
        contract.openPledging().send().await.unwrap().get_receipt().await.unwrap();
        assert_eq!(contract.phase().call().await.unwrap(), 2);
        tokio::time::sleep(Duration::from_millis(400)).await;
    }

    /// Calls the staff interface.
    pub(crate) async fn staff(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let mut request = Client::new().request(method.parse().unwrap(), self.url(path)).bearer_auth(STAFF_TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    /// A citizen who has logged in.
    pub(crate) async fn citizen(&self, oid: Oid) -> Citizen {
        let mut citizen = Citizen::new(self.portal.clone());
        let arrived = citizen.log_in(oid).await;
        assert_eq!(arrived.status(), StatusCode::SEE_OTHER);
        citizen.csrf = citizen.session().await["csrf"].as_str().unwrap().to_owned();
        citizen
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn serve(config: &Config, listener: TcpListener, cancel: &CancellationToken) -> JoinHandle<()> {
    let running = kopilka_portal::run(config.clone(), listener, cancel.clone());
    tokio::spawn(async move { running.await.unwrap() })
}

async fn start_esia(portal: &Url) -> (StandIn, Url, EsiaClient) {
    let signer = Arc::new(RsaSigner::generate("KOPILKA").unwrap());
    let municipalities = demo_municipalities();
    let esia = StandIn::new(StandInConfig {
        generated: vec![(municipalities[0].fias, 200)],
        municipalities,
        clients: vec![RegisteredClient::local("KOPILKA", signer.certificate_pem())],
        ..Default::default()
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let server = esia.clone();
    tokio::spawn(async move { server.serve(listener).await });
    let trusted = TrustedKeys::from_pem(esia.certificate_pem()).unwrap();
    let redirect = portal.join("esia/callback").unwrap();
    let config = EsiaConfig::new(url.clone(), esia.issuer(), "KOPILKA", redirect, trusted);
    (esia, url, EsiaClient::new(config, signer).unwrap())
}

/// A browser with cookies.
pub(crate) struct Citizen {
    pub(crate) http: Client,
    pub(crate) csrf: String,
    portal: Url,
}

/// Keys that a citizen's browser makes for a round.
pub(crate) struct Keys {
    pub(crate) account: AccountAddress,
    pub(crate) blinding: Blinding,
    pub(crate) blinded: BlindedMessage,
    /// The credential, once it was accepted.
    pub(crate) signature: Mutex<Option<Signature>>,
}

impl Keys {
    pub(crate) fn new(scope: &CredentialScope) -> Self {
        let secret = MasterSecret::generate(&mut rand::rng());
        let account = secret.account(scope).address();
        let blinding = secret.blinding(scope);
        Self { account, blinded: blind(scope, account, &blinding), blinding, signature: Mutex::default() }
    }

    /// Whether the answer is a good credential.
    pub(crate) fn accepts(&self, key: &IssuerPublicKey, scope: &CredentialScope, answer: &Value) -> bool {
        let signature: BlindSignature = answer["signature"].as_str().unwrap().parse().unwrap();
        let signature = unblind(&signature, &self.blinding);
        *self.signature.lock().unwrap() = Some(signature);
        verify(key, scope, self.account, &signature)
    }
}

impl Citizen {
    pub(crate) fn new(portal: Url) -> Self {
        let http = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Self { http, csrf: String::new(), portal }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.portal.join(path).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    /// A page in Russian.
    pub(crate) async fn page(&self, path: &str) -> (StatusCode, String) {
        let request = self.http.get(self.url(path)).header("accept", "text/html").header("accept-language", "ru");
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// To ESIA, as `oid`, and to the callback's address, which is not opened yet.
    pub(crate) async fn callback_url(&self, oid: Oid) -> Url {
        let login = self.get("login?next=/honest").await;
        assert_eq!(login.status(), StatusCode::SEE_OTHER);
        let authorize: Url = login.headers()["location"].to_str().unwrap().parse().unwrap();
        standin::log_in_as(&self.http, &authorize, oid).await.unwrap()
    }

    /// The whole way; the answer of the callback.
    pub(crate) async fn log_in(&self, oid: Oid) -> Response {
        let callback = self.callback_url(oid).await;
        self.http.get(callback).header("accept", "text/html").header("accept-language", "ru").send().await.unwrap()
    }

    pub(crate) async fn session(&self) -> Value {
        let response = self.get("api/v1/session").await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    pub(crate) async fn ask(&self, round: &Round, class: u8, blinded: &str) -> Response {
        self.request(round, &json!({ "class": class, "blinded": blinded })).await
    }

    /// The same of class 0, with what the home issuer has signed.
    pub(crate) async fn ask_second(&self, round: &Round, blinded: &str, first: &str) -> Response {
        self.request(round, &json!({ "class": 0, "blinded": blinded, "first": first })).await
    }

    async fn request(&self, round: &Round, body: &Value) -> Response {
        self.http
            .post(self.url(&format!("api/v1/rounds/{}/credential", round.address)))
            .header("x-csrf-token", &self.csrf)
            .header("accept-language", "ru")
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// A credential that must be given.
    pub(crate) async fn credential(&self, round: &Round) -> Keys {
        let keys = Keys::new(&round.scope);
        let answer = self.ask(round, 0, &keys.blinded.to_string()).await;
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert!(keys.accepts(&round.keys[0], &round.scope, &answer));
        keys
    }
}

/// A refusal with its problem type.
pub(crate) async fn problem(response: Response) -> (StatusCode, String) {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    assert!(!body["detail"].as_str().unwrap().contains('\u{2329}'), "a message is missing: {body}");
    let kind = body["type"].as_str().unwrap().strip_prefix("urn:kopilka:problem:").unwrap().to_owned();
    (status, kind)
}

/// The number of issued credentials on chain.
pub(crate) async fn issued_on_chain(world: &World, round: &Round) -> u32 {
    world.contract(round).classInfo(0).call().await.unwrap().issued
}
