//! Derived tables anew from the raw ones, without the chain.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use alloy::primitives::Address;
use anyhow::{Context as _, bail};
use kopilka_bindings::deploy::Deployment;
use kopilka_store::chain::query::{self, Log};
use kopilka_store::chain::rows::{LogRow, Rows, TokenMetadataRow};
use kopilka_store::chain::{state, write};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::decode::{DECODER_VERSION, Known, decode, deployment_contracts};
use crate::metadata;

/// At most so many logs are held in memory at once, unless one block has more.
const LOGS: i64 = 50_000;

/// How long a rebuild waits for an indexer that is just ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Empties the derived tables and fills them again from blocks, logs and token metadata, in one transaction: readers see
/// the old rows until the new ones are complete.
///
/// # Errors
/// When an indexer is running, the database has no chain yet, or a query fails.
pub async fn rebuild_derived(database: &PgPool) -> anyhow::Result<()> {
    let mut connection = database.acquire().await?.detach();
    // The server may take a moment to see that an indexer is gone.
    let started = std::time::Instant::now();
    while !state::try_lead(&mut connection).await? {
        if started.elapsed() > LOCK_PATIENCE {
            bail!("an indexer is running on this database: stop it first");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let meta = state::meta(&mut connection).await?.context("the database holds no chain yet: run the indexer first")?;
    rebuild(&mut connection, &meta.deployment).await?;
    connection.close().await?;
    Ok(())
}

pub(crate) async fn rebuild(connection: &mut PgConnection, deployment: &Deployment) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let mut transaction = connection.begin().await?;
    state::clear_derived(&mut transaction).await?;
    let rows = Rows { contracts: deployment_contracts(deployment), ..Rows::default() };
    write::write_derived(&mut transaction, &rows).await?;

    let metadata: HashMap<Address, TokenMetadataRow> =
        state::token_metadata(&mut transaction).await?.into_iter().map(|row| (row.address, row)).collect();
    let mut known = Known::new(deployment, []);
    let mut next = 0;
    let mut logs_done = 0;
    while let Some(range) = state::next_logs(&mut transaction, next, LOGS).await? {
        let logs: Vec<LogRow> =
            query::logs(&mut transaction, range.from, range.to).await?.into_iter().map(log_row).collect();
        let times: BTreeMap<u64, u64> = range.times.iter().copied().collect();
        let mut rows = Rows::default();
        decode(&mut known, &logs, |block| times.get(&block).copied().unwrap_or_default(), &mut rows)?;
        for token in &mut rows.tokens {
            if let Some(metadata) = metadata.get(&token.address) {
                metadata::fill(token, metadata);
            }
        }
        write::write_derived(&mut transaction, &rows).await?;
        logs_done += logs.len();
        next = range.to + 1;
    }
    state::write_decoder_version(&mut transaction, DECODER_VERSION).await?;
    transaction.commit().await?;
    tracing::info!(logs = logs_done, duration_ms = started.elapsed().as_millis(), "rebuilt the derived tables");
    Ok(())
}

fn log_row(log: Log) -> LogRow {
    LogRow {
        block_number: log.block_number.cast_unsigned(),
        log_index: log.log_index.cast_unsigned(),
        block_hash: log.block_hash,
        tx_hash: log.tx_hash,
        tx_index: log.tx_index.cast_unsigned(),
        address: log.address,
        topic0: log.topic0,
        topic1: log.topic1,
        topic2: log.topic2,
        topic3: log.topic3,
        data: log.data,
    }
}
