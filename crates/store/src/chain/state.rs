//! What the indexer remembers between two runs: the chain it follows, how far it is, which contracts it knows.

use alloy::primitives::{Address, B256};
use kopilka_bindings::deploy::Deployment;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::HEAD_CHANNEL;
use super::columns::{AddressColumn, HashColumn, Nullable};
use super::query::to_i64;
use super::rows::{BlockRow, TokenMetadataRow};

/// The chain and deployment of this database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Hash of block 0.
    pub genesis_hash: B256,
    /// Lowest indexed block.
    pub first_block: u64,
    /// Chain and contracts.
    pub deployment: Deployment,
    /// Whether the whole chain is kept.
    pub full_chain: bool,
    /// Foreign tokens whose logs are kept, ascending.
    pub watched: Vec<Address>,
    /// Version of the decoder that made the derived rows.
    pub decoder_version: i32,
}

/// Reads the only row of `chain.meta`; none before the indexer's first start.
///
/// # Errors
/// When the query fails, or the deployment in it is of another version of the program.
pub async fn meta(connection: &mut PgConnection) -> Result<Option<Meta>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select genesis_hash as "genesis_hash: HashColumn", first_block, deployment as "deployment: Json<Deployment>",
             full_chain, watched, decoder_version
           from chain.meta"#
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Meta {
        genesis_hash: row.genesis_hash.into(),
        first_block: row.first_block.cast_unsigned(),
        deployment: row.deployment.0,
        full_chain: row.full_chain,
        watched: row.watched.iter().filter_map(|token| Address::try_from(token.as_slice()).ok()).collect(),
        decoder_version: row.decoder_version,
    }))
}

/// Writes `chain.meta`, once.
///
/// # Errors
/// When the query fails.
pub async fn write_meta(connection: &mut PgConnection, meta: &Meta) -> Result<(), sqlx::Error> {
    let watched: Vec<&[u8]> = meta.watched.iter().map(|token| token.as_slice()).collect();
    sqlx::query!(
        "insert into chain.meta (chain_id, genesis_hash, first_block, deployment, full_chain, watched, decoder_version)
         values ($1, $2::bytea, $3, $4, $5, $6::bytea[], $7)",
        to_i64(meta.deployment.chain_id),
        meta.genesis_hash.as_slice(),
        to_i64(meta.first_block),
        Json(&meta.deployment) as _,
        meta.full_chain,
        &watched as &[&[u8]],
        meta.decoder_version,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Number and hash of the highest indexed block.
///
/// # Errors
/// When the query fails.
pub async fn tip(connection: &mut PgConnection) -> Result<Option<(u64, B256)>, sqlx::Error> {
    let row =
        sqlx::query!(r#"select number, hash as "hash: HashColumn" from chain.blocks order by number desc limit 1"#)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|row| (row.number.cast_unsigned(), row.hash.into())))
}

/// Hashes of the indexed blocks in a range, highest first.
///
/// # Errors
/// When the query fails.
pub async fn block_hashes(connection: &mut PgConnection, from: u64, to: u64) -> Result<Vec<(u64, B256)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select number, hash as "hash: HashColumn" from chain.blocks where number between $1 and $2
           order by number desc"#,
        to_i64(from),
        to_i64(to),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.number.cast_unsigned(), row.hash.into())).collect())
}

/// Writes how far the index and the node are.
///
/// # Errors
/// When the query fails.
pub async fn write_head(
    connection: &mut PgConnection,
    indexed_block: Option<u64>,
    node_block: u64,
    finalized_block: Option<u64>,
    new_reorgs: u32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chain.head (indexed_block, node_block, finalized_block, reorgs, updated_at)
         values ($1, $2, $3, $4, now())
         on conflict (id) do update set indexed_block = excluded.indexed_block, node_block = excluded.node_block,
             finalized_block = greatest(head.finalized_block, excluded.finalized_block), reorgs = head.reorgs + excluded.reorgs,
             updated_at = excluded.updated_at",
        indexed_block.map(to_i64),
        to_i64(node_block),
        finalized_block.map(to_i64),
        i64::from(new_reorgs),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Highest block that was called final; none yet at first.
///
/// # Errors
/// When the query fails.
pub async fn finalized(connection: &mut PgConnection) -> Result<Option<u64>, sqlx::Error> {
    let row = sqlx::query_scalar!("select finalized_block from chain.head").fetch_optional(connection).await?;
    Ok(row.flatten().map(i64::cast_unsigned))
}

/// Tells listeners, when the transaction commits, what changed. The payload is JSON.
///
/// # Errors
/// When the query fails.
pub async fn notify_head(connection: &mut PgConnection, payload: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify($1, $2)", HEAD_CHANNEL, payload).execute(connection).await?;
    Ok(())
}

/// The indexer's lock: an arbitrary number, "kopilka" in ASCII.
const LOCK: i64 = 0x6b_6f70_696c_6b61;

/// Whether some indexer holds the lock.
///
/// # Errors
/// When the query fails.
pub async fn has_leader(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
               select from pg_locks l join pg_database d on d.oid = l.database
               where d.datname = current_database() and l.locktype = 'advisory' and l.granted and l.objsubid = 1
                 and (l.classid::bigint << 32 | l.objid::bigint) = $1
           ) as "held!""#,
        LOCK,
    )
    .fetch_one(connection)
    .await
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Rows, as the planner estimates them.
    pub rows: i64,
    /// Bytes with its indexes.
    pub bytes: i64,
}

/// Sizes of the tables of `chain`, the largest first.
///
/// # Errors
/// When the query fails.
pub async fn table_sizes(connection: &mut PgConnection) -> Result<Vec<TableSize>, sqlx::Error> {
    sqlx::query_as!(
        TableSize,
        r#"select c.relname::text as "name!", coalesce(pg_stat_get_live_tuples(c.oid), 0) as "rows!",
             pg_total_relation_size(c.oid) as "bytes!"
           from pg_class c where c.relnamespace = 'chain'::regnamespace and c.relkind = 'r'
           order by 3 desc, 1"#
    )
    .fetch_all(connection)
    .await
}

/// Takes the indexer's lock for as long as this connection lives; false when another indexer has it.
///
/// # Errors
/// When the query fails.
pub async fn try_lead(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "led!""#, LOCK).fetch_one(connection).await
}

/// Address, round and first event's block of every token that is known.
///
/// # Errors
/// When the query fails.
pub async fn known_tokens(connection: &mut PgConnection) -> Result<Vec<(Address, Option<Address>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select address as "address: AddressColumn", round as "round!: Nullable<AddressColumn>" from chain.tokens"#
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.address.into(), row.round.into())).collect())
}

/// What tokens said of themselves.
///
/// # Errors
/// When the query fails.
pub async fn token_metadata(connection: &mut PgConnection) -> Result<Vec<TokenMetadataRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select address as "address: AddressColumn", name, symbol, decimals, block_number from chain.token_metadata"#
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| TokenMetadataRow {
            address: row.address.into(),
            name: row.name,
            symbol: row.symbol,
            decimals: row.decimals.and_then(|decimals| u8::try_from(decimals).ok()),
            block_number: row.block_number.cast_unsigned(),
        })
        .collect())
}

/// Notes which decoder made the derived rows.
///
/// # Errors
/// When the query fails.
pub async fn write_decoder_version(connection: &mut PgConnection, version: i32) -> Result<(), sqlx::Error> {
    sqlx::query!("update chain.meta set decoder_version = $1", version).execute(connection).await?;
    Ok(())
}

/// Notes which foreign tokens are watched.
///
/// # Errors
/// When the query fails.
pub async fn write_watched(connection: &mut PgConnection, tokens: &[Address]) -> Result<(), sqlx::Error> {
    let tokens: Vec<&[u8]> = tokens.iter().map(|token| token.as_slice()).collect();
    sqlx::query!("update chain.meta set watched = $1::bytea[]", &tokens as &[&[u8]]).execute(connection).await?;
    Ok(())
}

/// Counts further logs of blocks, and adds the blocks that are not stored yet. False when a stored block is another one.
///
/// # Errors
/// When the query fails.
pub async fn add_logs_to_blocks(connection: &mut PgConnection, blocks: &[BlockRow]) -> Result<bool, sqlx::Error> {
    let numbers: Vec<i64> = blocks.iter().map(|block| to_i64(block.number)).collect();
    let hashes: Vec<&[u8]> = blocks.iter().map(|block| block.hash.as_slice()).collect();
    let times: Vec<f64> = blocks.iter().map(|block| block.block_at.0 as f64).collect();
    let counts: Vec<i32> = blocks.iter().map(|block| i32::try_from(block.logs_count).unwrap_or(i32::MAX)).collect();
    let done = sqlx::query!(
        "insert into chain.blocks (number, hash, block_at, logs_count)
         select number, hash, to_timestamp(at), logs
         from unnest($1::bigint[], $2::bytea[], $3::float8[], $4::integer[]) as t (number, hash, at, logs)
         on conflict (number) do update set logs_count = blocks.logs_count + excluded.logs_count
         where blocks.hash = excluded.hash",
        &numbers,
        &hashes as &[&[u8]],
        &times,
        &counts,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == blocks.len() as u64)
}
