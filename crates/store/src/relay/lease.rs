//! Which process uses which sender: an advisory lock of the session, so that it ends with the process that holds it.
//!
//! The lock only saves work. That a nonce is used once is kept by the unique key of `relay.submissions`.

use alloy::primitives::{Address, keccak256};
use sqlx::PgConnection;

/// Tries to take the sender for this connection's session; true if this session holds it now.
///
/// The connection must be the caller's own and stay open: a pool would hand the lock to strangers.
///
/// # Errors
/// When the query fails; the lock is then to be regarded as lost.
pub async fn try_acquire(connection: &mut PgConnection, chain_id: u64, sender: Address) -> sqlx::Result<bool> {
    let key = key(chain_id, sender);
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "held!""#, key).fetch_one(connection).await
}

/// Asks whether the session is alive, and with it every lock it holds.
///
/// # Errors
/// When it is not.
pub async fn check(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!(r#"select 1 as "alive!""#).fetch_one(connection).await.map(|_| ())
}

fn key(chain_id: u64, sender: Address) -> i64 {
    let mut text = b"kopilka relay sender".to_vec();
    text.extend(chain_id.to_be_bytes());
    text.extend(sender.as_slice());
    let mut head = [0; 8];
    head.copy_from_slice(&keccak256(text)[..8]);
    i64::from_be_bytes(head)
}
