//! The `relay` schema: accepted messages, and the transactions that carry them. Written by the relayer alone.
//!
//! [`messages`] is what was accepted and where it stands, [`queue`] takes messages for transactions and writes down what
//! became of them, [`submissions`] are nonces and signed transactions, [`lease`] decides which process uses which sender, [`stamps`] which
//! account's stamp was issued.

pub mod lease;
pub mod messages;
pub mod queue;
pub mod stamps;
pub mod submissions;

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::StoreError;

pub use messages::{AccountKey, Counts, KnownAccount, MessageState, NewMessage};
pub use queue::{Claimed, Group, Outcome, SubmittedMessage};
pub use submissions::{Mined, NewSubmission, NewTransaction, SignedTransaction, Submission, SubmissionKind};

/// Opens the relayer's pool. Every query of this schema has its index; but statements are planned once, perhaps when the
/// tables are empty and reading them whole looks cheapest, and those plans stay until statistics are collected. So plans that
/// read whole tables are out of question.
///
/// # Errors
/// [`StoreError::Url`] or [`StoreError::Connect`].
pub async fn connect(url: &str, max_connections: u32) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(StoreError::Url)?;
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute("set enable_seqscan = off").await.map(drop) })
        })
        .connect_with(options)
        .await
        .map_err(StoreError::Connect)
}

/// A value of the database that no version of the program writes.
fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
