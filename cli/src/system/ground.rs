//! What the services stand on: a database and a chain with the contracts, embedded or given.

use std::path::Path;

use alloy::network::EthereumWallet;
use alloy::providers::Provider as _;
use anyhow::{Context as _, bail, ensure};
use kopilka_bindings::deploy::{self, Deployment};
use kopilka_embedded::{Anvil, AnvilConfig, Durability, Lifetime, Postgres, PostgresConfig, Toolchain};
use sqlx::PgPool;
use url::Url;

use super::Secrets;
use super::start::Options;
use crate::staff::connect;

/// Chain id of the embedded anvil.
const EMBEDDED_CHAIN_ID: u64 = 31337;

/// Gas of a block of the embedded anvil: that of Ethereum's main network in 2026.
const EMBEDDED_BLOCK_GAS: u64 = 60_000_000;

/// Connections of one process to its database.
const CONNECTIONS: u32 = 60;

/// A database, and the Postgres that was started for it.
pub(super) struct Database {
    pub(super) url: String,
    pub(super) pool: PgPool,
    embedded: Option<Postgres>,
}

impl Database {
    /// Opens the given database or starts the embedded one, and brings its schema up to date.
    pub(super) async fn open(
        data_dir: &Path,
        given: Option<&str>,
        durability: Durability,
        toolchain: Option<&Toolchain>,
    ) -> anyhow::Result<Self> {
        let (url, embedded) = match (given, toolchain) {
            (Some(url), _) => (url.to_owned(), None),
            (None, Some(toolchain)) => {
                let config = PostgresConfig {
                    dir: data_dir.join("postgres"),
                    port: None,
                    durability,
                    lifetime: Lifetime::Detached,
                };
                let postgres = Postgres::start(toolchain, &config).await?;
                let admin = kopilka_store::connect(&postgres.url("postgres"), 1).await?;
                let exists =
                    sqlx::query("select from pg_database where datname = 'kopilka'").fetch_optional(&admin).await?;
                if exists.is_none() {
                    sqlx::query("create database kopilka").execute(&admin).await?;
                }
                admin.close().await;
                (postgres.url("kopilka"), Some(postgres))
            }
            (None, None) => bail!("--database-url is missing and the embedded Postgres is not installed"),
        };
        let pool = kopilka_store::connect(&url, CONNECTIONS).await?;
        kopilka_store::migrate(&pool).await?;
        Ok(Self { url, pool, embedded })
    }

    pub(super) async fn close(self) {
        self.pool.close().await;
        if let Some(postgres) = self.embedded {
            postgres.stop().await;
        }
    }
}

/// A chain with the contracts on it, and the anvil that was started for it.
pub(super) struct Chain {
    pub(super) rpc_url: Url,
    pub(super) deployment: Deployment,
    embedded: Option<Anvil>,
}

impl Chain {
    /// Finds the deployment on the given chain, or starts anvil and deploys where that was not done yet.
    pub(super) async fn open(
        options: &Options,
        toolchain: Option<&Toolchain>,
        secrets: &Secrets,
        known: Option<(&Url, &Deployment)>,
    ) -> anyhow::Result<Self> {
        if let Some(rpc_url) = &options.rpc_url {
            return Self::given(rpc_url, &options.data_dir).await;
        }
        let toolchain = toolchain.context("--rpc-url is missing and the embedded anvil is not installed")?;
        let config = AnvilConfig {
            dir: options.data_dir.join("chain"),
            port: known.and_then(|(rpc_url, _)| rpc_url.port()),
            block_seconds: Some(options.block_seconds),
            chain_id: EMBEDDED_CHAIN_ID,
            block_gas_limit: EMBEDDED_BLOCK_GAS,
            keep_state: !options.ephemeral,
            arguments: Vec::new(),
            lifetime: Lifetime::Detached,
        };
        let anvil = Anvil::start(toolchain, &config).await?;
        let rpc_url: Url = anvil.url().parse()?;
        let deployment = match known {
            Some((_, deployment)) => {
                check(&rpc_url, deployment).await.context(
                    "the embedded chain has lost its state (it lives in memory unless it is stopped in order): start again with --fresh",
                )?;
                deployment.clone()
            }
            None => {
                let signer = Secrets::signer("operator_key", &secrets.operator_key)?;
                let owner = signer.address();
                deploy::deploy(connect(&rpc_url, EthereumWallet::from(signer)), owner).await?
            }
        };
        Ok(Self { rpc_url, deployment, embedded: Some(anvil) })
    }

    /// The chain at an address, with the contracts of the data folder's deployment.json.
    pub(super) async fn given(rpc_url: &Url, data_dir: &Path) -> anyhow::Result<Self> {
        let deployment = read_deployment(&data_dir.join("deployment.json"))?;
        check(rpc_url, &deployment).await?;
        Ok(Self { rpc_url: rpc_url.clone(), deployment, embedded: None })
    }

    pub(super) async fn close(self) {
        if let Some(anvil) = self.embedded {
            anvil.stop().await;
        }
    }
}

fn read_deployment(path: &Path) -> anyhow::Result<Deployment> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "{} is missing: `kopilka deploy --deployment {}` puts the contracts on the chain and writes it; another office's portal takes the municipality's",
            path.display(),
            path.display()
        )
    })?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} does not hold the addresses of a deployment", path.display()))
}

async fn check(rpc_url: &Url, deployment: &Deployment) -> anyhow::Result<()> {
    let provider = connect(rpc_url, EthereumWallet::default());
    let chain_id = provider.get_chain_id().await.with_context(|| format!("no chain answers at {rpc_url}"))?;
    ensure!(
        chain_id == deployment.chain_id,
        "{rpc_url} serves chain {chain_id}, but the contracts are on chain {}: check --rpc-url",
        deployment.chain_id
    );
    Ok(deploy::verify(&provider, deployment).await?)
}

/// Stops an embedded Postgres and anvil that an earlier process left running in the data folder.
pub(super) async fn stop_left_over(options: &Options) {
    let config = PostgresConfig {
        dir: options.data_dir.join("postgres"),
        port: None,
        durability: Durability::Full,
        lifetime: Lifetime::Detached,
    };
    if let Some(postgres) = Postgres::find(&config) {
        postgres.stop().await;
    }
    if let Some(anvil) = Anvil::find(&options.data_dir.join("chain")) {
        anvil.stop().await;
    }
}
