//! What an audit holds against the chain: the indexer's tables of one round.

use sqlx::PgConnection;

/// A registered account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationRow {
    /// 20 bytes.
    pub account: Vec<u8>,
    /// Class of its credential.
    pub class: i16,
}

/// An account's current allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRow {
    /// 20 bytes.
    pub account: Vec<u8>,
    /// Its version.
    pub version: i64,
    /// Ascending ids.
    pub initiatives: Vec<i32>,
    /// Points; empty on approval ballots.
    pub points: Vec<i32>,
}

/// A token balance in base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceRow {
    /// 20 bytes.
    pub holder: Vec<u8>,
    /// Decimal digits.
    pub amount: String,
}

/// An initiative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiativeRow {
    /// Its id.
    pub initiative_id: i32,
    /// Decimal digits of the cost in kopecks.
    pub cost: String,
    /// Decimal digits of what its wallet holds.
    pub balance: String,
    /// Whether it won; null before the settlement is final.
    pub won: Option<bool>,
}

/// Highest block in the index; `None` before the first.
///
/// # Errors
/// When the query fails.
pub async fn indexed_block(connection: &mut PgConnection) -> sqlx::Result<Option<u64>> {
    let block = sqlx::query_scalar!("select indexed_block from chain.head").fetch_optional(connection).await?.flatten();
    Ok(block.and_then(|block| u64::try_from(block).ok()))
}

/// Registrations of a round, by account.
///
/// # Errors
/// When the query fails.
pub async fn registrations(connection: &mut PgConnection, round: &[u8]) -> sqlx::Result<Vec<RegistrationRow>> {
    sqlx::query_as!(
        RegistrationRow,
        r#"select account::bytea as "account!", class from chain.registrations where round = $1 order by account"#,
        round as _
    )
    .fetch_all(connection)
    .await
}

/// Current allocations of a round, by account.
///
/// # Errors
/// When the query fails.
pub async fn current_allocations(connection: &mut PgConnection, round: &[u8]) -> sqlx::Result<Vec<AllocationRow>> {
    sqlx::query_as!(
        AllocationRow,
        r#"select account::bytea as "account!", version, initiatives, points
           from chain.allocations where round = $1 and current order by account"#,
        round as _
    )
    .fetch_all(connection)
    .await
}

/// Balances of a token, by holder.
///
/// # Errors
/// When the query fails.
pub async fn balances(connection: &mut PgConnection, token: &[u8]) -> sqlx::Result<Vec<BalanceRow>> {
    sqlx::query_as!(
        BalanceRow,
        r#"select holder::bytea as "holder!", amount::text as "amount!"
           from chain.balances where token = $1 and amount <> 0 order by holder"#,
        token as _
    )
    .fetch_all(connection)
    .await
}

/// Initiatives of a round, by id.
///
/// # Errors
/// When the query fails.
pub async fn initiatives(connection: &mut PgConnection, round: &[u8]) -> sqlx::Result<Vec<InitiativeRow>> {
    sqlx::query_as!(
        InitiativeRow,
        r#"select initiative_id, cost::text as "cost!", balance::text as "balance!", won
           from chain.initiatives where round = $1 order by initiative_id"#,
        round as _
    )
    .fetch_all(connection)
    .await
}
