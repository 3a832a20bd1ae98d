//! The interface as such: many messages at once, an account's messages, allowances, its own description; and signers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{B256, hex, keccak256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use kopilka_domain::MessageStatus;
use kopilka_relay_client::{BulkResult, ClientError, Request};
use kopilka_relayer::config::Rate;
use kopilka_relayer::{Signer, SignerError};
use kopilka_testkit::DEV_KEYS;
use serde_json::{Value, json};

use crate::fixture::{Citizen, Options, World};

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_are_judged_one_by_one() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let citizens: Vec<Citizen> = (0..120).map(|_| Citizen::new()).collect();
    let mut requests: Vec<_> = citizens.iter().map(|citizen| world.registration(citizen)).collect();
    requests[7].signature = requests[8].signature.clone();
    requests[9].class = 9;
    let messages: Vec<Request> = requests.into_iter().map(Request::Registration).collect();
    for _ in 0..2 {
        let results = relayer.client.send_many(messages.clone()).await?;
        assert_eq!(results.len(), 120);
        for (index, result) in results.iter().enumerate() {
            match (index, result) {
                (7, BulkResult::Refused { problem }) => assert_eq!(problem.slug(), "credential-invalid"),
                (9, BulkResult::Refused { problem }) => assert_eq!(problem.slug(), "class-unknown"),
                (_, BulkResult::Accepted(accepted)) => assert_eq!(accepted.status, MessageStatus::Queued),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(relayer.client.status().await?.queued, 118, "the second time changes nothing");
    }
    let own = relayer.client.messages_of(citizens[0].account(), None).await?;
    assert_eq!((own.messages.len(), own.next), (1, None));
    assert_eq!(own.messages[0].account, citizens[0].account());
    let after = relayer.client.messages_of(citizens[0].account(), Some(B256::repeat_byte(0xff))).await?;
    assert!(after.messages.is_empty());
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_too_often_is_told_when_to_come_back() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world
        .relayer(|config| {
            config.senders.clear();
            config.limits.behind_proxy = true;
            config.limits.per_network = Some(Rate { per_second: 0.5, burst: 2 });
        })
        .await?;
    let http = reqwest::Client::new();
    let url = relayer.url.join("v1/registrations")?;
    let send = async |from: &str| {
        let body = serde_json::to_string(&world.registration(&Citizen::new()))?;
        let response = http.post(url.clone()).header("x-forwarded-for", from).body(body).send().await?;
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap_or_default().to_owned());
        anyhow::Ok((response.status().as_u16(), wait))
    };
    assert_eq!(send("192.0.2.1").await?, (202, None));
    assert_eq!(send("192.0.2.77").await?, (202, None));
    let (status, wait) = send("192.0.2.5").await?;
    assert!(status == 429 && matches!(wait.as_deref(), Some("1" | "2")), "{status} {wait:?}");
    // What others wrote before our proxy's entry counts for nothing.
    assert_eq!(send("198.51.100.1, 192.0.2.5").await?.0, 429);
    assert_eq!(send("192.0.2.5, 198.51.100.1").await?.0, 202);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_cannot_flood_the_queue() -> anyhow::Result<()> {
    let world = World::start(Options { allotment: kopilka_domain::Allotment::Fixed, ..Options::default() }).await?;
    world.open_pledging().await?;
    let relayer = world
        .relayer(|config| {
            config.senders.clear();
            config.limits.per_account = Some(Rate { per_second: 0.001, burst: 3 });
        })
        .await?;
    let citizen = Citizen::new();
    relayer.client.register(&world.registration(&citizen)).await?;
    // What the account did not sign does not count against it.
    for version in 1..=9 {
        let mut forged = world.allocation(&Citizen::new(), version, &[1], &[1]);
        forged.account = citizen.account();
        assert_eq!(relayer.client.allocate(&forged).await.unwrap_err().slug(), Some("signature-invalid"));
    }
    for version in 1..=2 {
        relayer.client.allocate(&world.allocation(&citizen, version, &[1], &[1])).await?;
    }
    match relayer.client.allocate(&world.allocation(&citizen, 3, &[1], &[1])).await.unwrap_err() {
        ClientError::Refused { problem, retry_after } => {
            assert_eq!((problem.status, problem.slug()), (429, "too-often"));
            assert!(retry_after.is_some_and(|wait| wait > Duration::from_secs(60)));
        }
        other => panic!("{other:?}"),
    }
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_describes_itself() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let document: Value = reqwest::get(relayer.url.join("openapi.json")?).await?.json().await?;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    for (path, method) in [
        ("/v1/registrations", "post"),
        ("/v1/allocations", "post"),
        ("/v1/ballots", "post"),
        ("/v1/stamp-claims", "post"),
        ("/v1/redemptions", "post"),
        ("/v1/messages", "post"),
        ("/v1/messages/{id}", "get"),
        ("/v1/messages/{id}/events", "get"),
        ("/v1/accounts/{account}/messages", "get"),
        ("/v1/status", "get"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
    // Everything described is there, and nothing else is said about it than that the body is wrong.
    let http = reqwest::Client::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let url = relayer.url.join(&path.replace("{id}", &B256::ZERO.to_string()))?;
        let answer = if item["post"].is_object() { http.post(url).body("{}").send() } else { http.get(url).send() };
        let answer = answer.await?;
        assert_ne!(answer.status(), 405, "{path}");
        assert!(!answer.text().await?.contains("path-unknown") || path == "/metrics", "{path}");
    }
    let submit = &document["paths"]["/v1/ballots"]["post"]["responses"];
    for status in ["202", "400", "404", "409", "413", "422", "429", "503"] {
        assert!(submit[status].is_object(), "{status}");
    }
    relayer.stop().await
}

/// What was logged so far.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_tables_nor_logs_nor_metrics_know_who_sent() -> anyhow::Result<()> {
    // Both are the process's: what the other tests write meanwhile is looked through, too.
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .try_init()
        .map_err(anyhow::Error::from_boxed)?;
    let world = World::start(Options::default()).await?;
    let relayer = world
        .relayer(|config| {
            config.prometheus = Some(handle);
            config.limits.behind_proxy = true;
        })
        .await?;
    let http = reqwest::Client::new();
    let citizen = Citizen::new();
    let response = http
        .post(relayer.url.join("v1/registrations")?)
        .header("x-forwarded-for", "203.0.113.77")
        .header("user-agent", "SecretBrowser/9")
        .header("cookie", "session=anna-ivanova")
        .header("referer", "https://portal.example/cabinet/anna")
        .body(serde_json::to_string(&world.registration(&citizen))?)
        .send()
        .await?;
    let id: B256 = response.json::<Value>().await?["id"].as_str().unwrap().parse()?;
    relayer.is_final(id).await?;
    let mut text = http.get(relayer.url.join("metrics")?).send().await?.text().await?;
    assert!(text.contains("kopilka_relayer_accepted_total{kind=\"registration\"}"), "the metrics are the relayer's");
    for table in ["messages", "submissions", "transactions", "stamps"] {
        let query = format!("select coalesce(string_agg(t::text, ' '), '') from relay.{table} t");
        text += &sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(query)).fetch_one(&world.database.pool).await?;
    }
    let hex = |bytes: &[u8]| hex::encode(bytes);
    for trace in ["203.0.113", "SecretBrowser", "anna", "127.0.0.1", &hex(b"203.0.113.77"), &hex(&[203, 0, 113, 77])] {
        assert!(!text.contains(trace), "{trace} was kept");
    }
    let log = log.text();
    assert!(log.contains(&id.to_string()), "the log tells of the message");
    for trace in ["203.0.113", "SecretBrowser", "anna"] {
        assert!(!log.contains(trace), "{trace} was logged");
    }
    let times = "select count(*) from information_schema.columns where table_schema = 'relay'
                 and (data_type like 'timestamp%' or data_type in ('date', 'inet', 'cidr'))";
    assert_eq!(world.count(times).await?, 0, "no column of the queue holds a time or an address");
    relayer.stop().await
}

/// A remote signer with one key, as Web3Signer answers.
#[derive(Clone)]
struct Vault {
    key: PrivateKeySigner,
    /// Answers with another key's signatures.
    lies: Arc<Mutex<bool>>,
}

impl Vault {
    async fn start(self) -> anyhow::Result<url::Url> {
        let router = Router::new()
            .route("/api/v1/eth1/publicKeys", get(Self::keys))
            .route("/api/v1/eth1/sign/{key}", post(Self::sign))
            .with_state(self);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?).parse()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(url)
    }

    fn public_key(&self) -> String {
        hex::encode_prefixed(self.key.credential().verifying_key().to_encoded_point(false).as_bytes())
    }

    async fn keys(State(vault): State<Self>) -> Json<Value> {
        Json(json!(["0x04aabb", vault.public_key()]))
    }

    async fn sign(State(vault): State<Self>, Path(key): Path<String>, Json(body): Json<Value>) -> String {
        assert_eq!(key, vault.public_key());
        let data = hex::decode(body["data"].as_str().unwrap()).unwrap();
        let signer = if *vault.lies.lock().unwrap() { PrivateKeySigner::random() } else { vault.key.clone() };
        hex::encode_prefixed(signer.sign_hash_sync(&keccak256(data)).unwrap().as_bytes())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_signer_pays_as_a_local_key_does() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let key: PrivateKeySigner = DEV_KEYS[3].parse()?;
    let lies = Arc::new(Mutex::new(true));
    let vault = Vault { key: key.clone(), lies: lies.clone() };
    let url = vault.start().await?;
    let unknown = Signer::remote(&url, world.chain.account(4)?).await.unwrap_err();
    assert!(matches!(unknown, SignerError::RemoteKeyUnknown { .. }), "{unknown}");
    let signer = Signer::remote(&url, key.address()).await?;
    let relayer = world.relayer(|config| config.senders = vec![signer]).await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.count("select count(*) from relay.transactions").await?, 0, "a foreign signature is not stored");
    *lies.lock().unwrap() = false;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    relayer.stop().await
}

/// The test vector of the Web3 Secret Storage definition.
const KEYSTORE: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
    "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,
    "dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
    "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
    "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

#[test]
fn a_keystore_opens_with_its_password_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sender");
    std::fs::write(&path, KEYSTORE)?;
    let key: PrivateKeySigner = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d".parse()?;
    assert_eq!(Signer::from_keystore(&path, "testpassword")?.address(), key.address());
    let error = Signer::from_keystore(&path, "another word").unwrap_err().to_string();
    assert!(error.contains("cannot be opened") && !error.contains("another word"), "{error}");
    Ok(())
}
