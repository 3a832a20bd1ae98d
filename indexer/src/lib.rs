//! The indexer: chain to Postgres.
//!
//! It writes the schema `chain` and nothing else: raw blocks, transactions and logs, and from the logs the tables of rounds,
//! initiatives, registrations, allocations, settlements and payments. Each range of blocks is one database transaction;
//! whatever happens, the rows are those of a clean run over the node's chain. Blocks are linked by hash, so the same code
//! fetches the past in parallel ranges and follows the head, and a reorg is a rollback to the common ancestor.
//!
//! It takes a node's word for nothing that the node's other words can check: see [`Completeness`].
//!
//! It deliberately does not interpret: whether a settlement is right, a recount decides, not the indexer. It serves no
//! data: readers use `kopilka_store::chain`.

mod check;
pub mod decode;
mod fetch;
mod health;
mod metadata;
pub mod plan;
mod rebuild;
pub mod refusal;
mod rpc;
mod session;
pub mod verify;
mod watched;

use std::time::Duration;

use alloy::primitives::{Address, B256};
use kopilka_bindings::deploy::Deployment;
use kopilka_store::chain::state;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::{PgConnection, PgPool};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use check::Completeness;
pub use health::Status;
pub use rebuild::{Rebuilt, rebuild_derived};

use session::{Progress, Session};

/// How an indexer runs.
#[derive(Debug)]
pub struct Config {
    /// The node's JSON-RPC address.
    pub rpc_url: Url,
    /// The contracts.
    pub deployment: Deployment,
    /// The database; one connection is taken for good.
    pub database: PgPool,
    /// How often the node is asked for its head.
    pub poll: Duration,
    /// Deepest reorg that is followed, in blocks.
    pub window: u64,
    /// Which blocks count as final: a reorg of those is not followed.
    pub finality: Finality,
    /// A chain that stays shorter than ours for so long was cut; before that the node may only be behind.
    pub shorter_after: Duration,
    /// Keep all blocks, transactions and logs of the chain, for private chains; otherwise the logs of our contracts.
    pub full: bool,
    /// Foreign ERC-20 and ERC-721 tokens whose logs are kept, too; a full chain has all anyway. Added ones get their past.
    pub watch: Vec<Address>,
    /// How much is checked for completeness.
    pub completeness: Completeness,
    /// Index up to this block and end.
    pub until: Option<u64>,
    /// Requests for ranges on their way at once.
    pub concurrency: usize,
    /// Most blocks in a range.
    pub max_range: u64,
    /// Where to serve `/healthz`, `/readyz` and `/metrics`, if anywhere.
    pub listener: Option<TcpListener>,
    /// The figures that `/metrics` shows; the program installs the recorder.
    pub metrics: Option<PrometheusHandle>,
}

impl Config {
    /// Settings for a private or development chain.
    pub fn new(rpc_url: Url, deployment: Deployment, database: PgPool) -> Self {
        Self {
            rpc_url,
            deployment,
            database,
            poll: Duration::from_millis(25),
            window: 64,
            finality: Finality::Depth(12),
            shorter_after: Duration::from_secs(15),
            full: true,
            watch: Vec::new(),
            completeness: Completeness::Always,
            until: None,
            concurrency: 4,
            max_range: 2_000,
            listener: None,
            metrics: None,
        }
    }

    /// Lowest block that is indexed.
    fn first_block(&self) -> u64 {
        if self.full { 0 } else { self.deployment.first_block }
    }
}

/// Which blocks count as final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finality {
    /// Those this far below the head; 0 where a block is final at once, as with QBFT.
    Depth(u64),
    /// Those that the chain itself calls `finalized`.
    Tag,
}

/// Trouble that does not pass by waiting: a person must look.
#[derive(Debug, thiserror::Error)]
pub enum IndexerError {
    /// Another chain than configured.
    #[error("the node serves chain {node}, but the deployment is on chain {expected}: check the RPC address")]
    OtherChainId {
        /// Chain of the deployment.
        expected: u64,
        /// Chain of the node.
        node: u64,
    },
    /// The same chain id but another first block, as after a development chain was started anew.
    #[error(
        "the node's block 0 is {node}, but the database was filled from a chain whose block 0 is {stored}: \
         this is another chain; use a fresh database, or point to the right node"
    )]
    OtherGenesis {
        /// In the database.
        stored: B256,
        /// At the node.
        node: B256,
    },
    /// Other contracts.
    #[error(
        "the database indexes {stored}, but {configured} is configured: use a fresh database for another deployment"
    )]
    OtherDeployment {
        /// In the database.
        stored: String,
        /// In the configuration.
        configured: String,
    },
    /// Another extent.
    #[error(
        "the database was filled with full = {full} from block {first_block} on: keep these settings, or use a fresh database"
    )]
    OtherMode {
        /// Whether the whole chain is kept.
        full: bool,
        /// Lowest block.
        first_block: u64,
    },
    /// Our contracts speak another language than this version.
    #[error("a log of our contracts cannot be read: this version of the program does not fit the contracts")]
    Unreadable(#[source] decode::DecodeError),
    /// A reorg below the window.
    #[error(
        "none of the blocks {compared_down_to} to {indexed_block} is on the node's chain any more: a reorg deeper than the \
         window of {window} blocks; check the node, then raise the window or use a fresh database"
    )]
    ReorgTooDeep {
        /// Our highest block.
        indexed_block: u64,
        /// The lowest block compared.
        compared_down_to: u64,
        /// Configured window.
        window: u64,
    },
    /// A reorg of blocks that readers were told are final.
    #[error(
        "the node's chain parts from ours above block {ancestor}, though blocks up to {finalized} were final: check the node; \
         if its chain is right, raise the finality depth and use a fresh database"
    )]
    ReorgOfFinal {
        /// Highest common block.
        ancestor: u64,
        /// Highest final block.
        finalized: u64,
    },
}

/// Indexes until cancelled. Trouble that may pass (node or database away) is waited out; a second instance on the same
/// database stands by and takes over when the first goes.
///
/// # Errors
/// [`IndexerError`], when a person must look.
pub async fn run(mut config: Config, cancel: CancellationToken) -> anyhow::Result<()> {
    let (status, watcher) = watch::channel(Status::default());
    let listener = config.listener.take();
    let metrics = config.metrics.take();
    let server = async {
        match listener {
            Some(listener) => {
                health::serve(listener, watcher, metrics, cancel.clone()).await.map_err(anyhow::Error::from)
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cancel.cancelled() => Ok(()),
        result = lead_again_and_again(&config, &status, &cancel) => result,
        result = server => result,
    }
}

async fn lead_again_and_again(
    config: &Config,
    status: &watch::Sender<Status>,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    const LONGEST_PAUSE: Duration = Duration::from_secs(10);
    let mut pause = config.poll;
    while !cancel.is_cancelled() {
        let started = std::time::Instant::now();
        let before = status.borrow().indexed_block;
        match lead(config, status, cancel).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is::<IndexerError>() => {
                tracing::error!(error = format!("{error:#}"), "the indexer stops");
                return Err(error);
            }
            Err(error) => {
                if started.elapsed() > LONGEST_PAUSE || status.borrow().indexed_block != before {
                    pause = config.poll;
                }
                metrics::counter!("kopilka_indexer_errors_total").increment(1);
                tracing::warn!(error = format!("{error:#}"), pause_ms = pause.as_millis(), "the indexer begins again");
            }
        }
        status.send_modify(|status| status.leads = false);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

async fn lead(config: &Config, status: &watch::Sender<Status>, cancel: &CancellationToken) -> anyhow::Result<()> {
    let connection = wait_for_lock(config).await?;
    let mut session = Session::start(config, connection, status).await?;
    while !cancel.is_cancelled() {
        match session.advance().await? {
            Progress::Made => {}
            Progress::Done => break,
            Progress::None => tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(config.poll) => {}
            },
        }
    }
    session.close().await;
    Ok(())
}

/// All writing happens on the connection that holds the lock: who loses it cannot write any more.
async fn wait_for_lock(config: &Config) -> anyhow::Result<PgConnection> {
    let mut connection = config.database.acquire().await?.detach();
    let mut told = false;
    while !state::try_lead(&mut connection).await? {
        if !told {
            tracing::info!("another indexer leads; standing by");
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(connection)
}
