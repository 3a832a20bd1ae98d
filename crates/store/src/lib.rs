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
    /// No migration was ever applied.
    #[error(
        "the database holds no schema of Kopilka: check its name, or let `kopilka migrate` or the first start make one"
    )]
    NoSchema,
    /// Migrations are missing.
    #[error(
        "the database's schema is older than this version of the program, by {missing} migrations: run `kopilka migrate`"
    )]
    OlderSchema {
        /// How many.
        missing: usize,
    },
    /// Migrations that this version does not know.
    #[error("the database's schema is newer than this version of the program: use the version that last migrated it")]
    NewerSchema,
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

/// Whether the schema is that of this version of the program: for commands that only look and must not migrate.
///
/// # Errors
/// [`StoreError::NoSchema`], [`StoreError::OlderSchema`], [`StoreError::NewerSchema`], or [`StoreError::Query`].
pub async fn check_schema(pool: &PgPool) -> Result<(), StoreError> {
    let made: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(pool).await?;
    if !made {
        return Err(StoreError::NoSchema);
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("select version from _sqlx_migrations where success").fetch_all(pool).await?;
    let known: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    if applied.iter().any(|version| !known.contains(version)) {
        return Err(StoreError::NewerSchema);
    }
    match known.iter().filter(|version| !applied.contains(version)).count() {
        0 => Ok(()),
        missing => Err(StoreError::OlderSchema { missing }),
    }
}
