//! What a measurement stands on: a durable Postgres, an anvil with blocks of one second, the contracts, prepared keys; and
//! the relayer as a process of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kopilka_bindings::deploy::Deployment;
use kopilka_domain::Allotment;
use kopilka_embedded::{Durability, Lifetime, Postgres, PostgresConfig, Toolchain};
use kopilka_relay_client::RelayClient;
use kopilka_relayer::{Config, Signer};
use kopilka_testkit::{DEV_KEYS, TestDatabase, repository_root};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::fixture::{Options, World};
use crate::polls::{Poll, poll_of};

/// Keys of issuers come from it, so that messages prepared once fit every chain.
const SEED: u64 = 20_261_127;
/// So much that a block's gas is not what bounds the rate: 60 million would end at 1,100 registrations.
const BLOCK_GAS: u64 = 400_000_000;
/// Ballots for which the poll has room.
const BALLOTS: u32 = 3_000_000;
const SETTINGS: &str = "KOPILKA_BENCH_RELAYER";

/// Where measurements keep their files.
pub fn folder() -> PathBuf {
    repository_root().join(".kopilka/bench/relayer")
}

/// A chain with an open round and an open poll.
pub struct Ground {
    pub world: World,
    pub poll: Poll,
}

impl Ground {
    /// Contracts and keys have the same addresses each time. Blocks come with each transaction.
    pub async fn start(database: TestDatabase) -> anyhow::Result<Self> {
        let options = Options {
            allotment: Allotment::Fixed,
            initiatives: 20,
            // So small that a million citizens fit into the budget.
            fixed_amount: 100,
            block_gas: BLOCK_GAS,
            issuer_seed: Some(SEED),
            ..Options::default()
        };
        let world = World::start_on(options, database).await?;
        world.open_pledging().await?;
        let poll = poll_of(&world, true, BALLOTS, Some(SEED + 1)).await?;
        Ok(Self { world, poll })
    }

    /// A block each second from now on.
    pub async fn mine_each_second(&self) -> anyhow::Result<()> {
        self.world.anvil("evm_setIntervalMining", json!([1])).await.map(drop)
    }
}

/// Postgres as in production: a commit is on the disk.
pub struct Server(pub Postgres);

impl Server {
    pub async fn start() -> anyhow::Result<Self> {
        let dir = folder().join("postgres");
        let config = PostgresConfig { dir, port: None, durability: Durability::Full, lifetime: Lifetime::WithParent };
        Ok(Self(Postgres::start(&Toolchain::locate()?, &config).await?))
    }

    /// A fresh, migrated database; those of earlier measurements are removed.
    pub async fn database(&self) -> anyhow::Result<TestDatabase> {
        let admin = kopilka_store::connect(&self.0.url("postgres"), 1).await?;
        let old: Vec<String> = sqlx::query_scalar("select datname from pg_database where datname like 'bench_%'")
            .fetch_all(&admin)
            .await?;
        for name in old {
            sqlx::query(sqlx::AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&admin).await?;
        }
        let name = format!("bench_{}", std::process::id());
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&admin).await?;
        admin.close().await;
        let url = self.0.url(&name);
        let pool = kopilka_store::connect(&url, 6).await?;
        kopilka_store::migrate(&pool).await?;
        Ok(TestDatabase { pool, url })
    }
}

/// What the relayer's process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Settings {
    database_url: String,
    rpc_url: Url,
    deployment: Deployment,
    port: u16,
    /// Without one, messages are accepted and wait.
    has_senders: bool,
    queue_limit: u64,
    /// Whether an account may send as often as it likes.
    is_unlimited: bool,
}

/// The relayer as a process.
pub struct RelayerProcess {
    child: Child,
    settings: Settings,
    pub url: Url,
    pub client: RelayClient,
    /// From the start of the process until it was ready.
    pub ready_after: Duration,
}

impl RelayerProcess {
    pub async fn start(ground: &Ground) -> anyhow::Result<Self> {
        Self::start_with(ground, true, 100_000, false).await
    }

    pub async fn start_with(
        ground: &Ground,
        has_senders: bool,
        queue_limit: u64,
        is_unlimited: bool,
    ) -> anyhow::Result<Self> {
        let settings = Settings {
            database_url: ground.world.database.url.clone(),
            rpc_url: ground.world.chain.anvil.url().parse()?,
            deployment: ground.world.chain.deployment.clone(),
            port: std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port(),
            has_senders,
            queue_limit,
            is_unlimited,
        };
        Self::spawn(settings).await
    }

    /// Ends it as the operating system does, and starts it again, with or without senders.
    pub async fn restart(mut self, has_senders: bool) -> anyhow::Result<Self> {
        self.kill();
        let settings = Settings { has_senders, ..self.settings.clone() };
        drop(self);
        Self::spawn(settings).await
    }

    async fn spawn(settings: Settings) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(folder().join("relayer.log"))?;
        let began = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .arg("relayer")
            .env(SETTINGS, serde_json::to_string(&settings)?)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let url: Url = format!("http://127.0.0.1:{}/", settings.port).parse()?;
        let ready = url.join("readyz")?;
        while !reqwest::get(ready.clone()).await.is_ok_and(|answer| answer.status().is_success()) {
            ensure!(child.try_wait()?.is_none(), "the relayer ended: see {}", folder().join("relayer.log").display());
            ensure!(began.elapsed() < Duration::from_secs(120), "the relayer does not become ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ready_after = began.elapsed();
        Ok(Self { child, settings, client: RelayClient::new(url.clone()), url, ready_after })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for RelayerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The body of the process: as `kopilka up` runs a relayer, with its default settings.
pub async fn relayer() -> anyhow::Result<()> {
    // It must not outlive whoever started it: the other end of the pipe closes with that process.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(3);
    });
    let settings: Settings = serde_json::from_str(&std::env::var(SETTINGS).context("no settings")?)?;
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    let upkeep = prometheus.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            upkeep.run_upkeep();
        }
    });
    let keys = if settings.has_senders { &DEV_KEYS[1..] } else { &[] };
    let senders = keys.iter().map(|key| Signer::from_key(key)).collect::<Result<_, _>>()?;
    let mut config = Config::new(settings.database_url, settings.rpc_url, &settings.deployment, senders);
    config.prometheus = Some(prometheus);
    config.intake.queue_limit = settings.queue_limit;
    if settings.is_unlimited {
        config.limits.per_account = None;
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", settings.port)).await?;
    kopilka_relayer::run(config, listener, CancellationToken::new()).await
}
