//! The tables of the schema by name, for what is done to all of them alike: emptying, undoing, comparing.

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::{AssertSqlSafe, PgConnection};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name in the schema `chain`.
    pub name: &'static str,
    /// Columns that order its rows, the same in every database.
    pub key: &'static str,
    /// Which rows go when the blocks above `$1` go; none for running totals, which are corrected instead.
    above: Option<&'static str>,
}

const fn events(name: &'static str) -> Table {
    Table { name, key: "block_number, log_index", above: Some("block_number > $1") }
}

const fn entities(name: &'static str, key: &'static str) -> Table {
    Table { name, key, above: Some("block_number > $1") }
}

/// What the node said. `meta` and `head`, which tell about the index, are not among them.
pub const RAW: &[Table] = &[
    Table { name: "blocks", key: "number", above: Some("number > $1") },
    entities("transactions", "block_number, tx_index"),
    events("logs"),
    entities("token_metadata", "address"),
];

/// What follows from the raw tables.
pub const DERIVED: &[Table] = &[
    events("transfers"),
    Table { name: "balances", key: "token, holder", above: None },
    events("nft_transfers"),
    Table { name: "nft_owners", key: "token, token_id", above: None },
    entities("tokens", "address"),
    events("mints"),
    events("returns"),
    entities("municipalities", "municipality_id"),
    events("roles"),
    entities("rounds", "address"),
    events("phase_changes"),
    events("pledging_openings"),
    entities("classes", "round, class"),
    events("issued"),
    entities("initiatives", "round, initiative_id"),
    events("registrations"),
    events("allocations"),
    events("skipped_items"),
    events("settlements"),
    events("initiative_results"),
    events("payments"),
    // Those of the deployment itself stay.
    Table { name: "contracts", key: "address", above: Some("block_number > $1 and log_index >= 0") },
    entities("mint_proposals", "token, mint_id"),
    events("mint_cancellations"),
    events("settlement_approvals"),
    events("pauses"),
    events("issuer_key_claims"),
    events("issuer_key_verifiers"),
    entities("executions", "round, initiative_id"),
    events("milestone_postponements"),
    events("milestones_reached"),
    events("execution_abandonments"),
    entities("polls", "poll_id"),
    events("poll_issued"),
    events("poll_cancellations"),
    events("poll_secrets"),
    events("ballots"),
    events("ballot_openings"),
    Table { name: "tallies", key: "poll_id, option, grade", above: None },
    events("skipped_ballots"),
    entities("seasons", "municipality_id, season_id"),
    entities("stamp_sources", "source_id"),
    events("stamp_source_closings"),
    events("stamp_claims"),
    events("skipped_stamps"),
    events("points_spent"),
    entities("prizes", "prize_id"),
    events("prize_stock_changes"),
    events("prize_withdrawals"),
    entities("redemptions", "redemption_id"),
    events("redemption_ends"),
    events("skipped_redemptions"),
    entities("anchor_streams", "stream"),
    events("anchors"),
];

/// Deletes all rows that blocks above one made, except running totals.
pub(super) async fn delete_above(connection: &mut PgConnection, above: i64) -> Result<(), sqlx::Error> {
    for table in RAW.iter().chain(DERIVED) {
        if let Some(rows) = table.above {
            let statement = format!("delete from chain.{} where {rows}", table.name);
            sqlx::query(AssertSqlSafe(statement)).bind(above).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Empties every derived table; raw ones stay. Readers go on seeing the old rows until the transaction ends, which
/// `truncate` would not grant them.
///
/// # Errors
/// When the query fails.
pub async fn clear_derived(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for table in DERIVED {
        sqlx::query(AssertSqlSafe(format!("delete from chain.{}", table.name))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Every row of a table as text, in the order of its key. Of blocks known from their logs alone, and of those in their
/// place in another database, only what logs tell is compared when `logs_alone`.
pub fn rows_as_text<'a>(
    connection: &'a mut PgConnection,
    table: Table,
    logs_alone: bool,
) -> BoxStream<'a, Result<String, sqlx::Error>> {
    let query = if logs_alone && table.name == "blocks" {
        "select (number, hash, block_at, logs_count)::text from chain.blocks where logs_count > 0 order by number"
            .into()
    } else {
        format!("select t::text from chain.{} t order by {}", table.name, table.key)
    };
    sqlx::query_scalar(AssertSqlSafe(query)).fetch(connection).map_err(sqlx::Error::from).boxed()
}

/// Number of rows of a table.
///
/// # Errors
/// When the query fails.
pub async fn count(connection: &mut PgConnection, table: Table) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from chain.{}", table.name))).fetch_one(connection).await
}
