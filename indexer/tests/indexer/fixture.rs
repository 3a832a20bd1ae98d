//! A chain, databases, indexers that run and are killed, and the comparison of what they wrote.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alloy::primitives::B256;
use alloy::providers::{DynProvider, Provider as _};
use anyhow::{Context as _, bail};
use futures::TryStreamExt as _;
use kopilka_bindings::deploy::Deployment;
use kopilka_indexer::{Config, Finality};
use kopilka_store::chain::{state, tables};
use kopilka_testkit::{TestChain, TestDatabase};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// An indexer with its database.
pub(crate) struct Indexer {
    pub(crate) database: TestDatabase,
    /// Compare only what logs tell of blocks.
    pub(crate) logs_alone: bool,
    config: Box<dyn Fn(&TestDatabase) -> Config + Send + Sync>,
    task: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Indexer {
    /// With an empty database, not yet running.
    pub(crate) async fn new(chain: &TestChain, full: bool) -> anyhow::Result<Self> {
        Self::with(chain, move |config| config.full = full).await
    }

    /// The same with other settings.
    pub(crate) async fn with(
        chain: &TestChain,
        change: impl Fn(&mut Config) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Self::at(chain.anvil.url().parse()?, chain.deployment.clone(), change).await
    }

    /// The same at some address.
    pub(crate) async fn at(
        url: url::Url,
        deployment: Deployment,
        change: impl Fn(&mut Config) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let config = move |database: &TestDatabase| {
            let mut config = Config::new(Clone::clone(&url), deployment.clone(), database.pool.clone());
            config.poll = Duration::from_millis(10);
            config.finality = Finality::Depth(64);
            config.shorter_after = Duration::from_millis(300);
            change(&mut config);
            config
        };
        Ok(Self { database: TestDatabase::create().await?, logs_alone: false, config: Box::new(config), task: None })
    }

    /// Its settings.
    pub(crate) fn settings(&self) -> Config {
        (self.config)(&self.database)
    }

    /// The same database with other settings.
    pub(crate) fn again(self, change: impl Fn(&mut Config) + Send + Sync + 'static) -> Self {
        let before = self.config;
        let config = move |database: &TestDatabase| {
            let mut config = before(database);
            change(&mut config);
            config
        };
        Self { config: Box::new(config), ..self }
    }

    pub(crate) fn start(&mut self) {
        let config = (self.config)(&self.database);
        self.task = Some(tokio::spawn(kopilka_indexer::run(config, CancellationToken::new())));
    }

    /// Ends it without a word, as kill -9 does.
    pub(crate) async fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// The error with which it ended by itself.
    pub(crate) async fn failure(&mut self) -> anyhow::Result<anyhow::Error> {
        let task = self.task.take().context("it was not started")?;
        match tokio::time::timeout(PATIENCE, task).await?? {
            Ok(()) => bail!("it ended without an error"),
            Err(error) => Ok(error),
        }
    }

    /// Waits until the node's highest block is indexed.
    pub(crate) async fn caught_up(&self, provider: &DynProvider) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let head = provider.get_block(alloy::eips::BlockId::latest()).await?.context("no block")?.header.hash;
            let tip: Option<Vec<u8>> = sqlx::query_scalar("select hash from chain.blocks order by number desc limit 1")
                .fetch_optional(&self.database.pool)
                .await?;
            if tip.map(|hash| B256::from_slice(&hash)) == Some(head) {
                return Ok(());
            }
            if self.task.as_ref().is_some_and(JoinHandle::is_finished) {
                bail!("the indexer ended");
            }
            if started.elapsed() > PATIENCE {
                bail!("the indexer did not reach block {head} within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a block is the highest.
    pub(crate) async fn at_block(&self, number: u64, hash: B256) -> anyhow::Result<()> {
        self.until(&format!("block {number} {hash}"), |tip| tip == Some((number, hash))).await
    }

    /// Waits until another block stands at a height.
    pub(crate) async fn left_block(&self, number: u64, hash: B256) -> anyhow::Result<()> {
        let left = |tip: Option<(u64, B256)>| tip.is_some_and(|tip| tip.0 == number && tip.1 != hash);
        self.until(&format!("another block than {number} {hash}"), left).await
    }

    async fn until(&self, what: &str, reached: impl Fn(Option<(u64, B256)>) -> bool) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let tip = state::tip(&mut *self.database.pool.acquire().await?).await?;
            if reached(tip) {
                return Ok(());
            }
            if self.task.as_ref().is_some_and(JoinHandle::is_finished) {
                bail!("the indexer ended");
            }
            if started.elapsed() > PATIENCE {
                bail!("the indexer is at {tip:?} and did not reach {what} within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a table has so many rows.
    pub(crate) async fn holds(&self, table: &str, rows: i64) -> anyhow::Result<()> {
        let started = Instant::now();
        while count(self, table.trim_start_matches("chain.")).await? != rows {
            if started.elapsed() > PATIENCE {
                bail!("{table} did not get {rows} rows within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Every row of every table as text, in order; `chain.head` tells about the run and not about the chain.
    pub(crate) async fn dump(&self) -> anyhow::Result<BTreeMap<&'static str, Vec<String>>> {
        let mut dump = BTreeMap::new();
        let mut connection = self.database.pool.acquire().await?;
        for table in tables::RAW.iter().chain(tables::DERIVED) {
            let rows = tables::rows_as_text(&mut connection, *table, self.logs_alone).try_collect().await?;
            dump.insert(table.name, rows);
        }
        let meta = sqlx::query_scalar("select m::text from chain.meta m").fetch_all(&mut *connection).await?;
        dump.insert("meta", meta);
        Ok(dump)
    }
}

/// Asserts that two databases hold the same rows, and names the first difference.
pub(crate) async fn assert_same(what: &str, left: &Indexer, right: &Indexer) -> anyhow::Result<()> {
    let (left, right) = (left.dump().await?, right.dump().await?);
    for (table, rows) in &left {
        let others = &right[table];
        for row in rows {
            assert!(
                others.contains(row),
                "{what}: chain.{table} has only on the left {row}\non the right: {others:#?}"
            );
        }
        assert_eq!(rows.len(), others.len(), "{what}: chain.{table} has more rows on the right: {others:#?}");
    }
    Ok(())
}

/// Asserts that no table is empty: otherwise a comparison proves less than it seems to.
pub(crate) async fn assert_all_filled(indexer: &Indexer) -> anyhow::Result<()> {
    for (table, rows) in indexer.dump().await? {
        assert!(!rows.is_empty(), "chain.{table} is empty");
    }
    Ok(())
}

/// Rows of a table.
pub(crate) async fn count(indexer: &Indexer, table: &str) -> anyhow::Result<i64> {
    let query = format!("select count(*) from chain.{table}");
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&indexer.database.pool).await?)
}

/// Every index of the schema with what it is.
pub(crate) async fn indexes(pool: &sqlx::PgPool) -> anyhow::Result<Vec<String>> {
    let query = "select indexdef from pg_indexes where schemaname = 'chain' order by 1";
    Ok(sqlx::query_scalar(query).fetch_all(pool).await?)
}
