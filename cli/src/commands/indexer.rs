//! `kopilka indexer`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use kopilka_indexer::{Config, Rebuilt, rebuild_derived, verify};
use kopilka_store::chain::{query, state};
use sqlx::{AssertSqlSafe, PgPool};
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::system::System;

/// What an operator does with the index.
#[derive(Debug, Subcommand)]
pub enum IndexerCommand {
    /// Say how far the index is, who writes it, and how large its tables are.
    Status(StatusArgs),
    /// Make the derived tables anew from the raw ones, without the chain. Readers see the old rows until it is done.
    Rebuild(DatabaseArgs),
    /// Hold every row against a clean run over the node's chain; ends with an error at a difference.
    Verify(VerifyArgs),
}

/// Which database.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// Connection URL of the database; the running system's when missing.
    #[arg(long, env = "KOPILKA_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Data folder of the running system.
    #[arg(long, env = "KOPILKA_DATA_DIR", default_value = ".kopilka/run", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Arguments of `kopilka indexer status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `kopilka indexer verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
The chain is indexed once more into a database of its own on the same server, every block checked by its receipts, and all
rows are compared. The indexer may go on running. The database user needs the right to create databases, or --scratch-url
names an empty one.

Examples:
  kopilka indexer verify                            the system in .kopilka/run
  kopilka indexer verify --derived                  only whether the derived rows follow from the raw ones, without a node
  kopilka indexer verify --rpc-url https://…        against another node of the same chain")]
pub struct VerifyArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// JSON-RPC address of any node of the chain; the running system's when missing.
    #[arg(long, env = "KOPILKA_RPC_URL", value_name = "URL")]
    rpc_url: Option<Url>,
    /// Empty database for the clean run; one is made and dropped when missing.
    #[arg(long, hide_env_values = true, value_name = "URL")]
    scratch_url: Option<String>,
    /// Ask no node: make the derived rows from the stored raw ones and compare those.
    #[arg(long, conflicts_with = "rpc_url")]
    derived: bool,
}

impl DatabaseArgs {
    /// Opens the database of an index made by this version of the program.
    async fn open(&self, connections: u32) -> anyhow::Result<PgPool> {
        let database = kopilka_store::connect(&self.url()?, connections).await?;
        kopilka_store::check_schema(&database).await?;
        Ok(database)
    }

    fn url(&self) -> anyhow::Result<String> {
        match &self.database_url {
            Some(url) => Ok(url.clone()),
            None => Ok(System::load(&self.data_dir)?.database_url),
        }
    }
}

/// Runs one of the commands.
pub(super) async fn run(command: IndexerCommand) -> anyhow::Result<()> {
    match command {
        IndexerCommand::Status(args) => status(args).await,
        IndexerCommand::Rebuild(args) => {
            let database = args.open(3).await?;
            let started = Instant::now();
            let Rebuilt { logs, changed } = rebuild_derived(&database).await?;
            let seconds = started.elapsed().as_secs_f64();
            say!(
                "{logs} logs were decoded anew in {seconds:.1} s; {}",
                match changed {
                    0 => "every row was right already.".to_owned(),
                    _ => format!("{changed} rows were missing, wrong or too much and are right now."),
                }
            );
            Ok(())
        }
        IndexerCommand::Verify(args) => verify(args).await,
    }
}

async fn status(args: StatusArgs) -> anyhow::Result<()> {
    let database = args.database.open(1).await?;
    let mut connection = database.acquire().await?;
    let meta = state::meta(&mut connection).await?.context("the database holds no chain yet: run the indexer first")?;
    let head = query::head(&mut connection).await?;
    let leads = state::has_leader(&mut connection).await?;
    let tables = state::table_sizes(&mut connection).await?;
    if args.json {
        let tables: Vec<_> = tables
            .iter()
            .map(|table| serde_json::json!({ "table": table.name, "rows": table.rows, "bytes": table.bytes }))
            .collect();
        let status = serde_json::json!({
            "chain_id": meta.deployment.chain_id,
            "genesis_hash": meta.genesis_hash,
            "full_chain": meta.full_chain,
            "watched": meta.watched,
            "decoder_version": meta.decoder_version,
            "leads": leads,
            "indexed_block": head.as_ref().and_then(|head| head.indexed_block),
            "node_block": head.as_ref().map(|head| head.node_block),
            "finalized_block": head.as_ref().and_then(|head| head.finalized_block),
            "lag": head.as_ref().map(query::Head::lag),
            "reorgs": head.as_ref().map(|head| head.reorgs),
            "updated_at_unix": head.as_ref().map(|head| head.updated_at.unix_timestamp()),
            "tables": tables,
        });
        say!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    let extent = if meta.full_chain { "the whole chain" } else { "logs of our contracts" };
    say!("chain {} (block 0 is {}), {extent}", meta.deployment.chain_id, meta.genesis_hash);
    match &head {
        Some(head) => {
            let block = |block: Option<u64>| block.map_or_else(|| "none yet".to_owned(), |block| block.to_string());
            say!("indexed block  {} of {}, lag {}", block(head.indexed_block), head.node_block, head.lag());
            say!("final block    {}", block(head.finalized_block));
            say!("reorgs         {}", head.reorgs);
            say!("last written   {}", head.updated_at.replace_nanosecond(0)?.format(&Rfc3339)?);
        }
        None => say!("no block is indexed yet"),
    }
    say!("writer         {}", if leads { "an indexer holds the lock" } else { "none: no indexer is running" });
    say!("decoder        {}", meta.decoder_version);
    for table in tables {
        say!("  {:<24} about {:>12} rows, {:>10} kB", table.name, table.rows, table.bytes / 1024);
    }
    Ok(())
}

async fn verify(args: VerifyArgs) -> anyhow::Result<()> {
    let database = args.database.open(3).await?;
    let url = args.database.url()?;
    let rpc_url = match (&args.rpc_url, args.derived) {
        (Some(rpc_url), _) => Some(rpc_url.clone()),
        (None, true) => None,
        (None, false) => {
            let system =
                System::load(&args.database.data_dir).context("--rpc-url is missing: name a node of the chain")?;
            Some(system.rpc_url)
        }
    };
    let scratch = Scratch::open(&database, &url, args.scratch_url.as_deref()).await?;
    let found = compare(&database, &scratch.pool, rpc_url).await;
    scratch.close(&database).await?;
    let findings = found?;
    for difference in &findings.differences {
        say!("{difference}");
    }
    match findings.differences.len() {
        0 => say!("{} rows are those of a clean run at block {}.", findings.rows, findings.block),
        tables => bail!("{tables} tables differ from a clean run at block {}", findings.block),
    }
    Ok(())
}

async fn compare(database: &PgPool, scratch: &PgPool, rpc_url: Option<Url>) -> anyhow::Result<verify::Findings> {
    let Some(rpc_url) = rpc_url else { return verify::derived(database, scratch).await };
    let meta = state::meta(&mut *database.acquire().await?).await?;
    let meta = meta.context("the database holds no chain yet: run the indexer first")?;
    verify::against_chain(Config::new(rpc_url, meta.deployment, database.clone()), scratch).await
}

/// The database of the clean run.
struct Scratch {
    pool: PgPool,
    /// Its name, if it is ours to drop.
    name: Option<String>,
}

impl Scratch {
    async fn open(database: &PgPool, url: &str, scratch_url: Option<&str>) -> anyhow::Result<Self> {
        let (url, name) = match scratch_url {
            Some(url) => (url.to_owned(), None),
            None => {
                let name = format!("kopilka_verify_{}", std::process::id());
                sqlx::query(AssertSqlSafe(format!("create database {name}")))
                    .execute(database)
                    .await
                    .context("cannot create a database for the clean run: name an empty one with --scratch-url")?;
                let mut url: Url = url.parse().context("the database URL is malformed")?;
                url.set_path(&name);
                (url.into(), Some(name))
            }
        };
        let pool = kopilka_store::connect(&url, 3).await?;
        kopilka_store::migrate(&pool).await?;
        let empty = state::meta(&mut *pool.acquire().await?).await?.is_none();
        ensure!(empty, "the database of --scratch-url is not empty: it holds a chain");
        Ok(Self { pool, name })
    }

    async fn close(self, database: &PgPool) -> anyhow::Result<()> {
        self.pool.close().await;
        if let Some(name) = self.name {
            sqlx::query(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(database).await?;
        }
        Ok(())
    }
}
