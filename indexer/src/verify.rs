//! Whether the tables are those of a clean run over the node's chain.
//!
//! The proof is the clean run itself: the same chain is indexed once more into an empty database, every block checked by
//! its receipts, and every row of every table is compared. Without a node, or to look at the decoder alone, the derived
//! tables are made from the stored raw ones instead.

use std::fmt;

use alloy::primitives::B256;
use anyhow::{Context as _, bail, ensure};
use futures::TryStreamExt as _;
use kopilka_store::chain::state::{self, Meta};
use kopilka_store::chain::tables::{self, Table};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::decode::DECODER_VERSION;
use crate::rpc::Node;
use crate::{Completeness, Config, IndexerError, rebuild};

/// A table in which rows differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub table: &'static str,
    /// The first row that differs, as it is stored; none where one is missing.
    pub stored: Option<String>,
    /// The same row of the clean run; none where the stored one is too much.
    pub clean: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |row: &Option<String>| row.clone().unwrap_or_else(|| "no further row".to_owned());
        write!(f, "chain.{}: stored is {}, a clean run gives {}", self.table, row(&self.stored), row(&self.clean))
    }
}

/// What was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Highest block.
    pub block: u64,
    /// Rows that are equal, over all tables.
    pub rows: u64,
    /// The first difference of each table that has one.
    pub differences: Vec<Difference>,
}

/// Indexes the chain that `config` names once more, into the empty and migrated database `scratch`, up to the highest
/// stored block, and compares all tables. The index may be running: its rows are read as they are at one moment.
///
/// # Errors
/// When node or database fail, or the chain changed below that block meanwhile.
pub async fn against_chain(mut config: Config, scratch: &PgPool) -> anyhow::Result<Findings> {
    let mut stored = config.database.acquire().await?.detach();
    let mut stored = snapshot(&mut stored).await?;
    let meta = state::meta(&mut stored).await?.context("the database holds no chain yet: run the indexer first")?;
    let (tip, hash) = state::tip(&mut stored).await?.context("the database holds no block yet")?;
    ensure!(
        meta.decoder_version == DECODER_VERSION,
        "the derived tables were made by decoder {}, this program has {DECODER_VERSION}: start the indexer or rebuild first",
        meta.decoder_version
    );
    check_node(&config.rpc_url, &meta, (tip, hash)).await?;
    config.deployment = meta.deployment;
    config.full = meta.full_chain;
    config.watch = meta.watched;
    config.until = Some(tip);
    config.database = scratch.clone();
    config.listener = None;
    config.metrics = None;
    let logs_alone = !meta.full_chain && config.completeness != Completeness::Always;
    config.completeness = Completeness::Always;
    crate::run(config, CancellationToken::new()).await.context("the clean run failed")?;

    let mut clean = scratch.acquire().await?;
    let reached = state::tip(&mut clean).await?;
    ensure!(
        reached == Some((tip, hash)),
        "the chain changed meanwhile: block {tip} is stored as {hash}, the clean run came to {reached:?}; try again"
    );
    compare(&mut stored, &mut clean, tip, tables::RAW.iter().chain(tables::DERIVED), logs_alone).await
}

/// A node of another chain, or one that is behind, would never come to the stored block.
async fn check_node(rpc_url: &Url, meta: &Meta, (tip, hash): (u64, B256)) -> anyhow::Result<()> {
    let node = Node::new(rpc_url.clone());
    let chain_id = node.chain_id().await.context("the node does not answer")?;
    if chain_id != meta.deployment.chain_id {
        return Err(IndexerError::OtherChainId { expected: meta.deployment.chain_id, node: chain_id }.into());
    }
    let hashes = node.hashes(&[0, tip]).await.context("the node does not answer")?;
    let genesis = hashes.first().copied().flatten().context("the node does not have block 0")?;
    if genesis != meta.genesis_hash {
        return Err(IndexerError::OtherGenesis { stored: meta.genesis_hash, node: genesis }.into());
    }
    match hashes.last().copied().flatten() {
        Some(found) if found == hash => Ok(()),
        Some(found) => bail!(
            "block {tip} is stored as {hash}, the node has {found}: if the chain was just reorganised, let the indexer follow \
             and try again; if not, the node is on another branch"
        ),
        None => bail!("the node is behind: it does not have block {tip}, the highest that is stored; try again later"),
    }
}

/// Makes the derived tables from the stored raw ones in the empty and migrated database `scratch`, and compares them.
///
/// # Errors
/// When a database fails.
pub async fn derived(database: &PgPool, scratch: &PgPool) -> anyhow::Result<Findings> {
    let mut stored = database.acquire().await?.detach();
    let mut stored = snapshot(&mut stored).await?;
    let meta = state::meta(&mut stored).await?.context("the database holds no chain yet: run the indexer first")?;
    let (tip, _) = state::tip(&mut stored).await?.context("the database holds no block yet")?;
    let mut clean = scratch.acquire().await?.detach();
    let mut clean = clean.begin().await?;
    rebuild::fill(&mut stored, &mut clean, &meta).await?;
    compare(&mut stored, &mut clean, tip, tables::DERIVED.iter(), false).await
}

/// The rows as they are now, whatever is written meanwhile.
async fn snapshot(connection: &mut PgConnection) -> anyhow::Result<sqlx::PgTransaction<'_>> {
    Ok(connection.begin_with("begin isolation level repeatable read read only").await?)
}

async fn compare(
    stored: &mut PgConnection,
    clean: &mut PgConnection,
    block: u64,
    tables: impl Iterator<Item = &Table>,
    logs_alone: bool,
) -> anyhow::Result<Findings> {
    let mut findings = Findings { block, ..Findings::default() };
    for table in tables {
        let mut left = tables::rows_as_text(stored, *table, logs_alone);
        let mut right = tables::rows_as_text(clean, *table, logs_alone);
        loop {
            let (stored, clean) = (left.try_next().await?, right.try_next().await?);
            if stored != clean {
                findings.differences.push(Difference { table: table.name, stored, clean });
                break;
            }
            if stored.is_none() {
                break;
            }
            findings.rows += 1;
        }
    }
    Ok(findings)
}
