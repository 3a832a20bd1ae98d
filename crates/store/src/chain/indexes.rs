//! Indexes that only readers use: left out while an empty table is filled, made at once when it is full. Keeping them would
//! cost more than all the rest.

use sqlx::{AssertSqlSafe, PgConnection};

/// Those of the largest tables, by which the indexer itself finds nothing.
const OF_READERS: &[&str] = &[
    "blocks_by_hash",
    "blocks_by_time",
    "transactions_by_hash",
    "transactions_by_from",
    "transactions_by_to",
    "transactions_by_created",
    "logs_by_address",
    "logs_by_topic0",
    "transfers_by_token",
    "transfers_by_from",
    "transfers_by_to",
    "nft_transfers_by_from",
    "nft_transfers_by_to",
    "nft_owners_by_owner",
    "balances_by_holder",
    "balances_by_amount",
];

/// Drops those of empty tables, and remembers how to make them: for the caller's transaction. Returns their names.
///
/// # Errors
/// When a query fails.
pub async fn defer(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let names: Vec<String> = OF_READERS.iter().map(|name| (*name).to_owned()).collect();
    let tables = sqlx::query_scalar!(
        r#"select distinct tablename::text as "table!" from pg_indexes
           where schemaname = 'chain' and indexname = any($1)"#,
        &names,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut empty = Vec::new();
    for table in tables {
        let query = format!("select not exists (select from chain.{table})");
        if sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut *connection).await? {
            empty.push(table);
        }
    }
    let deferred = sqlx::query_scalar!(
        r#"insert into chain.deferred_indexes (name, definition)
           select indexname, indexdef from pg_indexes
           where schemaname = 'chain' and indexname = any($1) and tablename = any($2)
           returning name"#,
        &names,
        &empty,
    )
    .fetch_all(&mut *connection)
    .await?;
    for name in &deferred {
        sqlx::query(AssertSqlSafe(format!("drop index chain.{name}"))).execute(&mut *connection).await?;
    }
    Ok(deferred)
}

/// Whether some are left out.
///
/// # Errors
/// When the query fails.
pub async fn are_deferred(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from chain.deferred_indexes) as "deferred!""#)
        .fetch_one(connection)
        .await
}

/// Makes those of these names that are left out, all if `None`, for the caller's transaction; returns how many.
///
/// # Errors
/// When a query fails.
pub async fn make_deferred(connection: &mut PgConnection, names: Option<&[String]>) -> Result<usize, sqlx::Error> {
    let deferred = sqlx::query_scalar!(
        "delete from chain.deferred_indexes where $1::text[] is null or name = any($1) returning definition",
        names,
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!("set local maintenance_work_mem = '256MB'").execute(&mut *connection).await?;
    for definition in &deferred {
        sqlx::query(AssertSqlSafe(definition.clone())).execute(&mut *connection).await?;
    }
    Ok(deferred.len())
}
