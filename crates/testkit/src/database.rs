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

/// Root of the checkout in which the test runs. Not that in which it was compiled: checkouts that share a target folder share
/// what cargo takes for unchanged.
pub fn repository_root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors().find(|folder| folder.join("Cargo.lock").exists()).map(Path::to_owned).unwrap_or_default()
}

impl TestDatabase {
    /// Creates the database and applies all migrations: on the server of this checkout, or on the one that the environment
    /// variable `KOPILKA_TEST_POSTGRES` names by the URL of its database `postgres`.
    ///
    /// # Errors
    /// When Postgres cannot be started or a migration fails.
    pub async fn create() -> anyhow::Result<Self> {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let (admin, url) = match std::env::var("KOPILKA_TEST_POSTGRES") {
            Ok(server) => {
                let mut url: reqwest::Url = server.parse().context("KOPILKA_TEST_POSTGRES is no URL")?;
                url.set_path(&name);
                (server, url.to_string())
            }
            Err(_) => {
                let server = server().await?;
                (server.url("postgres"), server.url(&name))
            }
        };
        let admin = kopilka_store::connect(&admin, 1).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&admin).await?;
        admin.close().await;
        let pool = kopilka_store::connect(&url, 10).await?;
        kopilka_store::migrate(&pool).await?;
        Ok(Self { pool, url })
    }

    /// Drops it now, for those who make large ones.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn remove(self) -> anyhow::Result<()> {
        self.pool.close().await;
        let mut url: reqwest::Url = self.url.parse()?;
        let name = url.path().trim_start_matches('/').to_owned();
        url.set_path("postgres");
        let admin = kopilka_store::connect(url.as_str(), 1).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&admin).await?;
        admin.close().await;
        Ok(())
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
