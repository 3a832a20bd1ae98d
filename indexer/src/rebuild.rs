//! Derived tables anew from the raw ones, without the chain.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use alloy::primitives::Address;
use anyhow::{Context as _, bail};
use kopilka_store::chain::query::{self, Log};
use kopilka_store::chain::rows::{LogRow, Rows, TokenMetadataRow};
use kopilka_store::chain::state::Meta;
use kopilka_store::chain::{state, tables, write};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::decode::{DECODER_VERSION, Known, decode, deployment_contracts};
use crate::metadata;

/// About so many logs are decoded at once, unless one block has more.
const LOGS: i64 = 20_000;

/// How long a rebuild waits for an indexer that is just ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Logs of some blocks, with the time of each block.
type Read = (Vec<LogRow>, BTreeMap<u64, u64>);

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
    rebuild(database, &mut connection, &meta).await?;
    connection.close().await?;
    Ok(())
}

/// The same on the connection that holds the lock.
pub(crate) async fn rebuild(database: &PgPool, connection: &mut PgConnection, meta: &Meta) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let mut transaction = connection.begin().await?;
    tables::clear_derived(&mut transaction).await?;
    // Nobody else writes while the lock is held: what another connection reads are the same raw rows.
    let mut source = database.acquire().await?;
    let logs = fill(&mut source, &mut transaction, meta).await?;
    state::write_decoder_version(&mut transaction, DECODER_VERSION).await?;
    transaction.commit().await?;
    tracing::info!(logs, duration_ms = started.elapsed().as_millis(), "rebuilt the derived tables");
    Ok(())
}

/// Reads the raw tables of `source`, and writes what follows from them to the empty derived tables of `target`, which
/// may be in another database. Returns the number of logs.
pub(crate) async fn fill(source: &mut PgConnection, target: &mut PgConnection, meta: &Meta) -> anyhow::Result<usize> {
    let rows = Rows { contracts: deployment_contracts(&meta.deployment), ..Rows::default() };
    write::write_derived(target, &rows).await?;
    let metadata: HashMap<Address, TokenMetadataRow> =
        state::token_metadata(source).await?.into_iter().map(|row| (row.address, row)).collect();
    let mut known = Known::new(&meta.deployment, &meta.watched, []);
    let mut done = 0;

    // Reading and decoding go on while the rows before are written.
    let (send, mut receive) = mpsc::channel::<anyhow::Result<Rows>>(2);
    let reading = async {
        let (logs_send, mut logs_receive) = mpsc::channel::<Read>(2);
        let decoding = AbortOnDropHandle::new(tokio::task::spawn(async move {
            while let Some((logs, times)) = logs_receive.recv().await {
                let decoded = decoded(&mut known, &logs, &times, &metadata);
                if send.send(decoded).await.is_err() {
                    break;
                }
            }
        }));
        let mut next = 0;
        while let Some(range) = state::next_logs(source, next, LOGS).await? {
            let logs: Vec<LogRow> = query::logs(source, range.from, range.to).await?.into_iter().map(log_row).collect();
            done += logs.len();
            next = range.to + 1;
            if logs_send.send((logs, range.times.into_iter().collect())).await.is_err() {
                // The decoder met a log that it cannot read, and said so to the writer.
                break;
            }
        }
        drop(logs_send);
        decoding.await?;
        anyhow::Ok(())
    };
    let writing = async {
        while let Some(rows) = receive.recv().await {
            write::write_derived(target, &rows?).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(reading, writing)?;
    Ok(done)
}

fn decoded(
    known: &mut Known,
    logs: &[LogRow],
    times: &BTreeMap<u64, u64>,
    metadata: &HashMap<Address, TokenMetadataRow>,
) -> anyhow::Result<Rows> {
    let mut rows = Rows::default();
    decode(known, logs, |block| times.get(&block).copied().unwrap_or_default(), &mut rows)?;
    for token in &mut rows.tokens {
        if let Some(metadata) = metadata.get(&token.address) {
            metadata::fill(token, metadata);
        }
    }
    Ok(rows)
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
