//! A fresh, migrated database.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kopilka_embedded::{Durability, Lifetime, Postgres, PostgresConfig, Toolchain};
use sqlx::PgPool;

/// A database of its own for one test; dropped by the next run of `scripts/test`, not by the test, so that a failure
/// can be looked at.
#[derive(Debug)]
pub struct TestDatabase {
    /// Connection pool.
    pub pool: PgPool,
    /// Connection URL.
    pub url: String,
}

/// Root of the checkout.
pub fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

impl TestDatabase {
    /// Creates the database and applies all migrations.
    ///
    /// # Errors
    /// When Postgres cannot be started or a migration fails.
    pub async fn create() -> anyhow::Result<Self> {
        let server = server().await?;
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let admin = kopilka_store::connect(&server.url("postgres"), 1).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&admin).await?;
        admin.close().await;
        let url = server.url(&name);
        let pool = kopilka_store::connect(&url, 10).await?;
        kopilka_store::migrate(&pool).await?;
        Ok(Self { pool, url })
    }
}

/// The Postgres that all tests of this checkout share.
async fn server() -> anyhow::Result<Postgres> {
    let dir = repository_root().join(".kopilka/test");
    std::fs::create_dir_all(&dir)?;
    let lock = File::create(dir.join("postgres.lock")).context("cannot create the lock of the test Postgres")?;
    lock.lock()?;
    let config = PostgresConfig {
        dir: dir.join("postgres"),
        port: None,
        durability: Durability::None,
        lifetime: Lifetime::Detached,
    };
    Ok(Postgres::start(&Toolchain::locate()?, &config).await?)
}
