//! Derived tables anew: reading the raw logs in bulk, replacing what differs, and all running state from the event tables.
//!
//! Readers keep what they see until the caller's transaction ends. Tables with rows and their indexes stay in place, since to
//! drop an index would lock readers out; so it is the rows that are spared: those that are right already are compared and not
//! written. Only of tables that are empty to begin with are readers' indexes left out ([`super::indexes`]).

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes};
use futures::TryStreamExt as _;
use sqlx::PgConnection;

use super::query::to_i64;
use super::rollback::recount;
use super::rows::{LogRow, Rows};
use super::services::Touched;
use super::write::{BalanceChanges, BalanceColumns, refresh_rounds, refresh_wallets};

/// Blocks with logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsRange {
    /// Lowest.
    pub from: u64,
    /// Highest.
    pub to: u64,
    /// Unix time of each block that has logs, ascending.
    pub times: Vec<(u64, u64)>,
}

/// The next blocks from `from` on that have logs: of the first `max_blocks` as many as have `max_logs` together, at
/// least one.
///
/// # Errors
/// When the query fails.
pub async fn next_range(
    connection: &mut PgConnection,
    from: u64,
    max_blocks: i64,
    max_logs: i64,
) -> Result<Option<LogsRange>, sqlx::Error> {
    let rows = sqlx::query!(
        "select number, block_at, logs_count from chain.blocks where number >= $1 and logs_count > 0
         order by number limit $2",
        to_i64(from),
        max_blocks,
    )
    .fetch_all(connection)
    .await?;
    let mut logs = 0;
    let fitting = rows.iter().take_while(|row| {
        let first = logs == 0;
        logs += i64::from(row.logs_count);
        first || logs <= max_logs
    });
    let times: Vec<(u64, u64)> =
        fitting.map(|row| (row.number.cast_unsigned(), row.block_at.unix_timestamp().cast_unsigned())).collect();
    Ok(match (times.first(), times.last()) {
        (Some((from, _)), Some((to, _))) => Some(LogsRange { from: *from, to: *to, times: times.clone() }),
        _ => None,
    })
}

/// All logs of a range of blocks in their order.
///
/// # Errors
/// When the query fails.
pub async fn logs(connection: &mut PgConnection, from: u64, to: u64) -> Result<Vec<LogRow>, sqlx::Error> {
    let (from, to) = (to_i64(from), to_i64(to));
    let query = format!(
        "copy (select block_number, log_index, block_hash, tx_hash, tx_index, address, topic0, topic1, topic2, topic3, data
               from chain.logs where block_number between {from} and {to} order by block_number, log_index)
         to stdout (format binary)"
    );
    let mut copied = connection.copy_out_raw(&query).await?;
    let mut logs = Vec::new();
    // Postgres sends a row in a message; the header comes with the first, the end in one of its own.
    let mut header = 19;
    while let Some(message) = copied.try_next().await? {
        let mut row = message.get(header..).map(Fields).ok_or_else(unreadable)?;
        header = 0;
        if let Some(log) = log_row(&mut row).ok_or_else(unreadable)? {
            logs.push(log);
        }
    }
    Ok(logs)
}

fn unreadable() -> sqlx::Error {
    sqlx::Error::Protocol("a copied row of chain.logs cannot be read".into())
}

/// A row of [`logs`], or the end of all.
fn log_row(row: &mut Fields<'_>) -> Option<Option<LogRow>> {
    match i16::from_be_bytes(row.fixed()?) {
        -1 => return Some(None),
        11 => {}
        _ => return None,
    }
    Some(Some(LogRow {
        block_number: i64::from_be_bytes(row.field()?.try_into().ok()?).cast_unsigned(),
        log_index: row.u32()?,
        block_hash: row.hash()?,
        tx_hash: row.hash()?,
        tx_index: row.u32()?,
        address: Address::try_from(row.field()?).ok()?,
        topic0: row.topic()?,
        topic1: row.topic()?,
        topic2: row.topic()?,
        topic3: row.topic()?,
        data: Bytes::copy_from_slice(row.field()?),
    }))
}

/// What is left of a row in Postgres's binary COPY format.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    /// A field; none inside where it is null.
    fn nullable(&mut self) -> Option<Option<&'a [u8]>> {
        let length = i32::from_be_bytes(self.fixed()?);
        let Ok(length) = usize::try_from(length) else { return Some(None) };
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(field))
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        self.nullable()?
    }

    fn u32(&mut self) -> Option<u32> {
        Some(i32::from_be_bytes(self.field()?.try_into().ok()?).cast_unsigned())
    }

    fn hash(&mut self) -> Option<B256> {
        B256::try_from(self.field()?).ok()
    }

    fn topic(&mut self) -> Option<Option<B256>> {
        match self.nullable()? {
            Some(topic) => Some(Some(B256::try_from(topic).ok()?)),
            None => Some(None),
        }
    }
}

/// Makes the derived rows that the blocks `from` to `to` made, both included and `to` none for all above, these, but for
/// running state; returns how many were written or deleted. Ranges come in the chain's order, without gaps.
///
/// # Errors
/// When the database refuses; the caller's transaction must then be given up.
pub async fn replace(
    connection: &mut PgConnection,
    rows: &mut Rows,
    from: u64,
    to: Option<u64>,
) -> Result<u64, sqlx::Error> {
    // Known when all rows are there.
    rows.allocations.iter_mut().for_each(|row| row.current = false);
    rows.ballots.iter_mut().for_each(|row| row.current = false);
    rows.replace_derived(connection, to_i64(from), to.map_or(i64::MAX, to_i64)).await
}

/// Makes all running state anew: balances from the sums of all transfers, the rest from the event tables.
///
/// # Errors
/// As [`replace`].
pub async fn recompute(connection: &mut PgConnection, balances: &BalanceChanges) -> Result<(), sqlx::Error> {
    mark_current(connection).await?;
    write_balances(connection, balances).await?;
    find_owners(connection).await?;
    let rounds =
        addresses(sqlx::query_scalar!("select address::bytea from chain.rounds").fetch_all(&mut *connection).await?);
    let tokens = addresses(
        sqlx::query_scalar!("select address::bytea from chain.tokens where round is not null")
            .fetch_all(&mut *connection)
            .await?,
    );
    recount(connection, &rounds).await?;
    refresh_rounds(connection, &rounds).await?;
    refresh_wallets(connection, &tokens, &rounds).await?;
    sqlx::query!(
        "delete from chain.tallies t where not exists (select from chain.polls p where p.poll_id = t.poll_id)"
    )
    .execute(&mut *connection)
    .await?;
    Touched::all(connection).await?.refresh(connection).await
}

fn addresses(columns: Vec<Option<Vec<u8>>>) -> BTreeSet<Address> {
    columns.iter().flatten().filter_map(|address| Address::try_from(address.as_slice()).ok()).collect()
}

/// The last allocation and ballot of each account are the current ones.
async fn mark_current(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // First away with the wrong ones: there is one for each account.
    sqlx::query!(
        "update chain.allocations a set current = false
         where current and exists (
             select from chain.allocations l
             where l.round = a.round and l.account = a.account
               and (l.block_number, l.log_index) > (a.block_number, a.log_index))"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.allocations a set current = true
         from (
             select distinct on (round, account) block_number, log_index, current from chain.allocations
             order by round, account, block_number desc, log_index desc
         ) l
         where a.block_number = l.block_number and a.log_index = l.log_index and not l.current"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.ballots b set current = false
         where current and exists (
             select from chain.ballots l
             where l.poll_id = b.poll_id and l.account = b.account
               and (l.block_number, l.log_index) > (b.block_number, b.log_index))"
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.ballots b set current = true
         from (
             select distinct on (poll_id, account) block_number, log_index, current from chain.ballots
             order by poll_id, account, block_number desc, log_index desc
         ) l
         where b.block_number = l.block_number and b.log_index = l.log_index and not l.current"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Balances are these sums. Where they are already, nothing is written. What is to be written is found before: a query that
/// looks into the table it fills would be planned for an empty one, and pass by all it has written for each row.
async fn write_balances(connection: &mut PgConnection, sums: &BalanceChanges) -> Result<(), sqlx::Error> {
    const AT_ONCE: usize = 50_000;
    sqlx::raw_sql("create temporary table summed_balances (token bytea, holder bytea, amount numeric) on commit drop")
        .execute(&mut *connection)
        .await?;
    let BalanceColumns { tokens, holders, changes } = sums.columns();
    for ((tokens, holders), amounts) in tokens.chunks(AT_ONCE).zip(holders.chunks(AT_ONCE)).zip(changes.chunks(AT_ONCE))
    {
        let insert = "insert into summed_balances select t.token, t.holder, t.amount::numeric
                      from unnest($1::bytea[], $2::bytea[], $3::text[]) as t (token, holder, amount)";
        sqlx::query(insert).bind(tokens).bind(holders).bind(amounts).execute(&mut *connection).await?;
    }
    sqlx::raw_sql(
        "analyze summed_balances;
         delete from chain.balances b where not exists (
             select from summed_balances s where s.token = b.token and s.holder = b.holder);
         create temporary table wrong_balances on commit drop as
         select token, holder, amount from summed_balances s
         where not exists (
             select from chain.balances o where o.token = s.token and o.holder = s.holder and o.amount = s.amount)
         order by token, holder;
         insert into chain.balances (token, holder, amount) select token, holder, amount from wrong_balances
         on conflict (token, holder) do update set amount = excluded.amount;
         drop table summed_balances, wrong_balances",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Pieces of ERC-721 tokens belong to the receiver of their last transfer.
async fn find_owners(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "create temporary table last_owners on commit drop as
         select * from (
             select distinct on (token, token_id) token, token_id, to_address as owner from chain.nft_transfers
             order by token, token_id, block_number desc, log_index desc
         ) l
         where owner <> decode(repeat('00', 20), 'hex');
         delete from chain.nft_owners o where not exists (
             select from last_owners l where l.token = o.token and l.token_id = o.token_id);
         create temporary table wrong_owners on commit drop as
         select token, token_id, owner from last_owners l
         where not exists (
             select from chain.nft_owners x where x.token = l.token and x.token_id = l.token_id and x.owner = l.owner);
         insert into chain.nft_owners (token, token_id, owner) select token, token_id, owner from wrong_owners
         on conflict (token, token_id) do update set owner = excluded.owner;
         drop table last_owners, wrong_owners",
    )
    .execute(connection)
    .await?;
    Ok(())
}
