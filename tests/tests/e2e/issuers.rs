//! A key that three offices made together: a citizen gets a credential from two of them, the third being away.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kopilka_cli::system::System;
use kopilka_domain::MunicipalityId;
use kopilka_esia::standin::{RegisteredClient, StandIn, StandInConfig, demo_municipalities};
use kopilka_esia::{EsiaClient, EsiaConfig, RsaSigner, TrustedKeys};
use kopilka_portal::{Config, Territories};
use kopilka_tests::{RunningSystem, kopilka_binary, repository_root};
use kopilka_web::SecretKey;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

#[test]
fn two_of_three_issuers_give_a_credential() -> anyhow::Result<()> {
    let system = RunningSystem::start()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let ceremony = Ceremony::hold(folder.path())?;

    let ground = system.system()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let other: Url = format!("http://{}/", listener.local_addr()?).parse()?;
    // The third office answers nobody.
    let portals = [ground.portal_url.as_str(), other.as_str(), "http://127.0.0.1:9/"];

    let own = system.data_dir.join("issuer-keys");
    let key = ceremony.install(1, &own, &portals, &[])?;
    let round = create_round(&system, &key)?;
    let other_keys = folder.path().join("other-keys");
    ceremony.install(2, &other_keys, &portals, &["--round", &round])?;
    ensure!(
        ceremony.install(2, &other_keys, &portals, &["--round", &round]).is_err(),
        "a share is installed a second time"
    );
    system.must(&["round", "open-registration", "--round", &round])?;

    let cancel = CancellationToken::new();
    let (esia, portal) = runtime.block_on(other_issuer(&ground, &other, &other_keys))?;
    let served = runtime.spawn(kopilka_portal::run(portal, listener, cancel.clone()));
    let told = json!({
        "round": round, "home": ground.portal_url, "homeEsia": ground.esia_url, "other": other, "otherEsia": esia,
    });
    let output = Command::new("node")
        .arg("tests/browser/issuers.mjs")
        .arg(told.to_string())
        .current_dir(repository_root())
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the citizen did not get through:\n{said}");

    system.must(&["round", "open-pledging", "--round", &round])?;
    let audit: serde_json::Value = serde_json::from_str(&system.must(&["audit", "--round", &round, "--json"])?)?;
    ensure!(audit["registered"] == 1, "registered: {audit}");
    cancel.cancel();
    runtime.block_on(served)??;
    Ok(())
}

/// The clerk's part, with the key of the three offices.
fn create_round(system: &RunningSystem, key: &str) -> anyhow::Result<String> {
    let mut plan: serde_json::Value = serde_json::from_str(&system_less(&["round", "example"])?)?;
    plan["municipality"] = json!({ "oktmo": "16701000", "name": "Зареченск" });
    let file = system.data_dir.join("plan.json");
    std::fs::write(&file, plan.to_string())?;
    let file = file.to_str().context("a path in UTF-8")?;
    let created = system.must(&["round", "create", "--issuer-key", key, file])?;
    let word_after = |word: &str| {
        let mut words = created.split_whitespace().skip_while(|one| *one != word);
        words.nth(1).map(|word| word.trim_end_matches([',', '.', ';']).to_owned())
    };
    let round = word_after("round").with_context(|| format!("no round in: {created}"))?;
    let mint = word_after("mint").with_context(|| format!("no mint in: {created}"))?;
    system.must(&["round", "approve-mint", "--round", &round, "--mint", &mint])?;
    Ok(round)
}

/// Three offices, each with a private folder.
struct Ceremony {
    folder: String,
    private: Vec<String>,
}

impl Ceremony {
    /// Two of three must sign.
    fn hold(folder: &Path) -> anyhow::Result<Self> {
        let at = |name: &str| folder.join(name).to_str().map(str::to_owned).context("a path in UTF-8");
        let private: Vec<_> = ["a", "b", "c"].into_iter().map(at).collect::<anyhow::Result<_>>()?;
        let this = Self { folder: at("round")?, private };
        let mut cards = Vec::new();
        for (number, private) in this.private.iter().enumerate() {
            let name = format!("Office {}", number + 1);
            system_less(&["ceremony", "identity", "--private", private, "--name", &name, "--no-passphrase"])?;
            cards.push(format!("{private}/card.json"));
        }
        let mut init = vec!["ceremony", "init", "--folder", &this.folder, "--needed", "2", "--chain-id", "31337"];
        init.extend(["--municipality", "Зареченск", "--purpose", "test"]);
        init.extend(cards.iter().flat_map(|card| ["--card", card]));
        system_less(&init)?;
        for step in ["contribute", "verify", "finish"] {
            for private in &this.private {
                system_less(&["ceremony", step, "--folder", &this.folder, "--private", private])?;
            }
        }
        Ok(this)
    }

    /// Gives an office's share to a portal's folder; the id of the key there.
    fn install(&self, number: usize, keys: &Path, portals: &[&str], more: &[&str]) -> anyhow::Result<String> {
        let private = &self.private[number - 1];
        let keys = keys.to_str().context("a path in UTF-8")?;
        let mut arguments = vec!["ceremony", "install", "--folder", &self.folder, "--private", private, "--keys", keys];
        arguments.extend(portals.iter().flat_map(|portal| ["--portal", portal]));
        arguments.extend(more);
        let said = system_less(&arguments)?;
        let key =
            said.lines().find_map(|line| line.strip_prefix("key ")).with_context(|| format!("no key in: {said}"))?;
        Ok(key.to_owned())
    }
}

/// A `kopilka` command that needs no running system.
fn system_less(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(kopilka_binary()?).args(arguments).current_dir(repository_root()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "kopilka {arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

/// Another office's portal: a database, a stand-in for ESIA and secrets of its own; the chain is the same.
async fn other_issuer(ground: &System, url: &Url, keys: &Path) -> anyhow::Result<(Url, Config)> {
    let admin = kopilka_store::connect(&ground.database_url, 1).await?;
    sqlx::query("create database other_issuer").execute(&admin).await?;
    let mut database_url: Url = ground.database_url.parse()?;
    database_url.set_path("other_issuer");
    let database = kopilka_store::connect(database_url.as_str(), 5).await?;
    kopilka_store::migrate(&database).await?;

    let signer = Arc::new(RsaSigner::generate("OTHER")?);
    let municipalities = demo_municipalities();
    let mut territories = Territories::default();
    for (id, place) in (1..).zip(&municipalities) {
        territories.add(&place.fias.to_string(), MunicipalityId(id))?;
    }
    let esia = StandIn::new(StandInConfig {
        municipalities,
        clients: vec![RegisteredClient::local("OTHER", signer.certificate_pem())],
        ..StandInConfig::default()
    })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let esia_url: Url = format!("http://{}/", listener.local_addr()?).parse()?;
    let trusted = TrustedKeys::from_pem(esia.certificate_pem())?;
    let redirect = url.join("esia/callback")?;
    let client = EsiaConfig::new(esia_url.clone(), esia.issuer(), "OTHER", redirect, trusted);
    let client = EsiaClient::new(client, signer)?;
    tokio::spawn(async move { esia.serve(listener).await });
    let config = Config {
        database,
        rpc_url: ground.rpc_url.clone(),
        deployment: ground.deployment.clone(),
        esia: client,
        session_key: SecretKey::new([5; 32]),
        person_tag_secret: SecretKey::new([6; 32]),
        issuer_keys_dir: keys.to_owned(),
        issuer_account: None,
        publish_interval: Duration::from_secs(3600),
        compact_interval: Duration::from_secs(3600),
        staff_token: None,
        territories,
        public_url: url.clone(),
        relayer_url: ground.relayer_url.clone(),
        explorer_url: ground.explorer_url.clone(),
        public_rpc_url: ground.explorer_url.join("api/eth-rpc")?,
        esia_url: esia_url.clone(),
        assets_dir: repository_root().join("browser/dist"),
        offset: time::UtcOffset::UTC,
        registration_delay: Duration::ZERO,
    };
    Ok((esia_url, config))
}
