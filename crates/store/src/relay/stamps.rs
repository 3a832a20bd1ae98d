//! Which account's stamp of which source was issued, so that each is issued once.

use alloy::primitives::{Address, B256};
use sqlx::PgConnection;

/// Takes the account's stamp of a source for a blinded point; true if it is this point's, now or since earlier.
///
/// # Errors
/// When a query fails.
pub async fn claim(
    connection: &mut PgConnection,
    source: u64,
    account: Address,
    blinded_hash: B256,
) -> sqlx::Result<bool> {
    let stored = sqlx::query!(
        "insert into relay.stamps (source, account, blinded_hash) values ($1, $2, $3) on conflict do nothing",
        source.cast_signed(),
        account.as_slice(),
        blinded_hash.as_slice(),
    )
    .execute(&mut *connection)
    .await?;
    if stored.rows_affected() == 1 {
        return Ok(true);
    }
    sqlx::query_scalar!(
        r#"select blinded_hash = $3 as "is_same!" from relay.stamps where source = $1 and account = $2"#,
        source.cast_signed(),
        account.as_slice(),
        blinded_hash.as_slice(),
    )
    .fetch_one(connection)
    .await
}
