//! Postgres: migrations and every SQL query, a module for each schema.
//!
//! One writer for each schema: `chain` belongs to the indexer and can be rebuilt from block zero, `relay` to the
//! relayer, `portal` to the portal. Functions take a connection or a transaction, so that the caller sets the boundary.

pub mod chain;
pub mod portal;
pub mod relay;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::str::FromStr as _;
use std::time::Duration;

/// All migrations, applied by [`migrate`].
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is malformed.
    #[error("the database URL is malformed: expected postgres://user:password@host:port/name")]
    Url(#[source] sqlx::Error),
    /// No connection.
    #[error("the database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// A migration failed, or the schema is of another version of the program.
    #[error("the database schema does not fit this version of the program: run `kopilka migrate` of this version")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A query failed.
    #[error("a database query failed")]
    Query(#[from] sqlx::Error),
}

/// Opens a pool; waits up to ten seconds for a connection.
///
/// # Errors
/// [`StoreError::Url`] or [`StoreError::Connect`].
pub async fn connect(url: &str, max_connections: u32) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(StoreError::Url)?;
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .map_err(StoreError::Connect)
}

/// Brings the schema up to this version of the program.
///
/// # Errors
/// [`StoreError::Migrate`].
pub async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    MIGRATOR.run(pool).await.map_err(StoreError::Migrate)
}
