//! Derived tables anew from the raw ones, without the chain.
//!
//! Logs are read and decoded again in ranges; rows that are right already are left as they are. Running state is made last,
//! from all rows at once.

use std::collections::HashMap;
use std::time::Duration;

use alloy::primitives::Address;
use anyhow::{Context as _, bail};
use kopilka_store::chain::rebuild::{self, LogsRange};
use kopilka_store::chain::rows::{LogRow, Rows, TokenMetadataRow};
use kopilka_store::chain::state::Meta;
use kopilka_store::chain::write::BalanceChanges;
use kopilka_store::chain::{indexes, state, tables};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::decode::{DECODER_VERSION, Known, decode, deployment_contracts};
use crate::metadata;

/// About so many logs are decoded at once, unless one block has more.
const LOGS: i64 = 50_000;

/// Blocks that are looked at for the first range.
const FIRST_BLOCKS: i64 = 1_000;

/// How long a rebuild waits for an indexer that is just ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Logs read.
    pub logs: u64,
    /// Rows that were written or deleted because they were missing, wrong or too much; running state not counted.
    pub changed: u64,
}

/// Makes the derived tables what follows from blocks, logs and token metadata, in one transaction: readers see the old
/// rows until it ends.
///
/// # Errors
/// When an indexer is running, the database has no chain yet, or a query fails.
pub async fn rebuild_derived(database: &PgPool) -> anyhow::Result<Rebuilt> {
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
    let rebuilt = rebuild(database, &mut connection, &meta).await?;
    connection.close().await?;
    Ok(rebuilt)
}

/// The same on the connection that holds the lock.
pub(crate) async fn rebuild(database: &PgPool, connection: &mut PgConnection, meta: &Meta) -> anyhow::Result<Rebuilt> {
    let started = std::time::Instant::now();
    let deferred = defer_indexes(connection).await?;
    let rebuilt = match in_one_transaction(database, connection, meta, &deferred, false).await {
        Err(error) if is_in_the_way(&error) => {
            tracing::info!(
                error = format!("{error:#}"),
                "a wrong row stands where a right one belongs; emptying first"
            );
            in_one_transaction(database, connection, meta, &deferred, true).await?
        }
        rebuilt => rebuilt?,
    };
    let Rebuilt { logs, changed } = rebuilt;
    tracing::info!(logs, changed, duration_ms = started.elapsed().as_millis(), "rebuilt the derived tables");
    Ok(rebuilt)
}

/// Leaves out indexes of tables in which readers find nothing yet; returns their names. Should this end before they are made
/// again, the indexer makes them at the head.
async fn defer_indexes(connection: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let mut transaction = connection.begin().await?;
    let deferred = indexes::defer(&mut transaction).await?;
    transaction.commit().await?;
    Ok(deferred)
}

async fn in_one_transaction(
    database: &PgPool,
    connection: &mut PgConnection,
    meta: &Meta,
    deferred: &[String],
    empty_first: bool,
) -> anyhow::Result<Rebuilt> {
    let mut transaction = connection.begin().await?;
    if empty_first {
        tables::clear_derived(&mut transaction).await?;
    }
    // Nobody else writes while the lock is held: what another connection reads are the same raw rows.
    let mut source = database.acquire().await?;
    let rebuilt = fill(&mut source, &mut transaction, meta).await?;
    indexes::make_deferred(&mut transaction, Some(deferred)).await?;
    state::write_decoder_version(&mut transaction, DECODER_VERSION).await?;
    transaction.commit().await?;
    Ok(rebuilt)
}

/// Whether a row could not be written because its key is taken by one that belongs elsewhere.
fn is_in_the_way(error: &anyhow::Error) -> bool {
    let database = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    database.is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Rows of the blocks from one to another, or all above.
struct Decoded {
    rows: Rows,
    from: u64,
    to: Option<u64>,
}

/// Reads the raw tables of `source`, and makes the derived tables of `target`, which may be in another database, what
/// follows from them.
pub(crate) async fn fill(source: &mut PgConnection, target: &mut PgConnection, meta: &Meta) -> anyhow::Result<Rebuilt> {
    let mut decoder = Decoder {
        metadata: state::token_metadata(source).await?.into_iter().map(|row| (row.address, row)).collect(),
        known: Known::new(&meta.deployment, &meta.watched, []),
        balances: BalanceChanges::default(),
        next: 0,
    };
    let mut rebuilt = Rebuilt::default();

    // Reading and decoding go on while the rows before are compared and written.
    let (send, mut receive) = mpsc::channel::<anyhow::Result<Decoded>>(2);
    let logs = &mut rebuilt.logs;
    let reading = async move {
        let (logs_send, mut logs_receive) = mpsc::channel::<(Vec<LogRow>, Option<LogsRange>)>(2);
        let decoding = AbortOnDropHandle::new(tokio::task::spawn(async move {
            while let Some((logs, range)) = logs_receive.recv().await {
                if send.send(decoder.decode(&logs, range)).await.is_err() {
                    break;
                }
            }
            decoder.balances
        }));
        let mut max_blocks = FIRST_BLOCKS;
        let mut next = 0;
        loop {
            let range = rebuild::next_range(source, next, max_blocks, LOGS).await?;
            let read = match &range {
                Some(range) => rebuild::logs(source, range.from, range.to).await?,
                None => Vec::new(),
            };
            *logs += read.len() as u64;
            let end = range.is_none();
            if let Some(range) = &range {
                next = range.to + 1;
                // Look at about as many blocks as were needed.
                let blocks = i64::try_from(range.times.len()).unwrap_or(LOGS);
                max_blocks = (2 * blocks).clamp(FIRST_BLOCKS, LOGS);
            }
            if logs_send.send((read, range)).await.is_err() || end {
                // The end, or the decoder met a log that it cannot read, and said so to the writer.
                break;
            }
        }
        drop(logs_send);
        anyhow::Ok(decoding.await?)
    };
    let changed = &mut rebuilt.changed;
    let writing = async {
        while let Some(decoded) = receive.recv().await {
            let Decoded { mut rows, from, to } = decoded?;
            *changed += rebuild::replace(target, &mut rows, from, to).await?;
        }
        anyhow::Ok(target)
    };
    let (balances, target) = tokio::try_join!(reading, writing)?;
    rebuild::recompute(target, &balances).await?;
    Ok(rebuilt)
}

struct Decoder {
    metadata: HashMap<Address, TokenMetadataRow>,
    known: Known,
    balances: BalanceChanges,
    /// First block of the next range.
    next: u64,
}

impl Decoder {
    /// The rows of a range, whose blocks join those of the range before; without one, of all blocks above.
    fn decode(&mut self, logs: &[LogRow], range: Option<LogsRange>) -> anyhow::Result<Decoded> {
        let mut rows = Rows::default();
        let (from, to) = (self.next, range.as_ref().map(|range| range.to));
        let times = range.map(|range| range.times).unwrap_or_default();
        let time = |block: u64| times.binary_search_by_key(&block, |(number, _)| *number).map_or(0, |at| times[at].1);
        decode(&mut self.known, logs, time, &mut rows)?;
        for token in &mut rows.tokens {
            if let Some(metadata) = self.metadata.get(&token.address) {
                metadata::fill(token, metadata);
            }
        }
        self.balances.add(&rows.transfers);
        let deployed = self.known.deployment().first_block;
        if from <= deployed && to.is_none_or(|to| deployed <= to) {
            rows.contracts.extend(deployment_contracts(self.known.deployment()));
        }
        self.next = to.map_or(u64::MAX, |to| to + 1);
        Ok(Decoded { rows, from, to })
    }
}
