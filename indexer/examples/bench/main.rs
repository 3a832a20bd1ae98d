//! Measures indexing: `scripts/bench-indexer`.
//!
//! - `chain [blocks] [transactions in a block] [transfers in a transaction] [runs] [folder of Ponder]`: token transfers on a
//!   fresh anvil, each run with a fresh database: our logs-alone mode with the token watched; Ponder, if its folder is
//!   named, into the same database, and the rows compared; then the whole chain, and a rebuild of its derived tables.
//! - `node RPC_URL DEPLOYMENT_FILE [runs]`: the same of a chain that exists, ours alone.
//! - `latency [blocks] [transfers in a block]`: from a block's mining to its rows, on a fresh anvil.
//! - `growth [transfers]`: how the rate changes as the tables grow; the node is a server of invented logs.

mod growth;
mod latency;
mod measure;
mod token;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use alloy::providers::{Provider as _, ProviderBuilder};
use anyhow::{Context as _, bail, ensure};
use kopilka_bindings::deploy::Deployment;
use kopilka_indexer::{Completeness, Config, rebuild_derived};
use kopilka_store::chain::tables;
use kopilka_testkit::{TestChain, TestDatabase};
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;

use measure::{Before, Measured, Run, load, median, report};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse());
    match arguments.as_slice() {
        ["child", rpc_url, database_url, deployment, token, completeness] => {
            child(rpc_url, database_url, deployment, token, completeness).await
        }
        ["chain", ..] => {
            let shape = (number(1, 500)?, number(2, 200)?, number(3, 1)?);
            chain(shape, number(4, 5)?, arguments.get(5).map(Path::new)).await
        }
        ["node", rpc_url, deployment, ..] => node(rpc_url, Path::new(deployment), number(3, 5)?).await,
        ["latency", ..] => latency::latency(number(1, 400)?, number(2, 100)?).await,
        ["growth", ..] => growth::growth(number(1, 10_000_000)?).await,
        _ => bail!(
            "usage: bench chain [blocks] [transactions] [transfers] [runs] [folder of Ponder] | node RPC_URL DEPLOYMENT [runs] \
             | latency [blocks] [transfers] | growth [transfers]"
        ),
    }
}

/// A chain to be indexed.
struct Target {
    rpc_url: String,
    deployment: Deployment,
    head: u64,
}

impl Target {
    async fn new(rpc_url: String, deployment: Deployment) -> anyhow::Result<Self> {
        let head = ProviderBuilder::new().connect_http(rpc_url.parse()?).get_block_number().await?;
        Ok(Self { rpc_url, deployment, head })
    }

    /// An indexer's process: of a token's logs, checked as named, or of `all`.
    fn indexer(&self, database: &TestDatabase, token: &str, completeness: &str) -> anyhow::Result<Command> {
        let deployment = serde_json::to_string(&self.deployment)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["child", &self.rpc_url, &database.url, &deployment, token, completeness]);
        Ok(command)
    }
}

/// The process that is measured.
async fn child(
    rpc_url: &str,
    database_url: &str,
    deployment: &str,
    token: &str,
    completeness: &str,
) -> anyhow::Result<()> {
    let deployment: Deployment = serde_json::from_str(deployment)?;
    let database = kopilka_store::connect(database_url, 4).await?;
    let mut config = Config::new(rpc_url.parse()?, deployment, database);
    if token != "all" {
        config.full = false;
        config.watch = if token == "ours" { Vec::new() } else { vec![token.parse()?] };
    }
    config.completeness = match completeness {
        "always" => Completeness::Always,
        "sampled" => Completeness::Sampled(100),
        "never" => Completeness::Never,
        _ => bail!("completeness is always, sampled or never"),
    };
    kopilka_indexer::run(config, CancellationToken::new()).await
}

async fn chain(shape: (u64, u64, u64), runs: u64, ponder: Option<&Path>) -> anyhow::Result<()> {
    let (blocks, transactions, transfers) = shape;
    let total = blocks * transactions * transfers;
    let chain = TestChain::start_with(|config| config.block_gas_limit = 1_000_000_000).await?;
    let provider = chain.provider(0)?;
    let token = token::deploy(&provider).await?;
    let first_block = provider.get_block_number().await?;
    let started = Instant::now();
    token::fill(&provider, token, blocks, transactions, transfers).await?;
    println!("made {total} transfers in {blocks} blocks of {transactions} transactions in {:.1?}", started.elapsed());
    println!("load of the machine: {}", load());
    let target = Target::new(chain.anvil.url(), chain.deployment.clone()).await?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let database = TestDatabase::create().await?;
        ours.push(run_ours(&target, &database, &token.to_string(), "sampled").await?);
        ensure_transfers(&database.pool, total).await?;
        if let Some(folder) = ponder {
            theirs.push(run_ponder(&target, &database, folder, token, first_block, total).await?);
            ensure_equal(&database.pool, total).await?;
            println!("  run {}: rows of both are equal", run + 1);
        }
        database.remove().await?;
    }
    report("logs alone, ours", &ours, total, "transfers");
    if !theirs.is_empty() {
        report("Ponder", &theirs, total, "transfers");
        println!("ratio of the medians: {:.1}", median(&theirs, |run| run.seconds) / median(&ours, |run| run.seconds));
    }
    let full = TestDatabase::create().await?;
    report("whole chain, ours", &[run_ours(&target, &full, "all", "always").await?], total, "transfers");
    ensure_transfers(&full.pool, total).await?;
    rebuild(&full.pool).await?;
    full.remove().await
}

async fn node(rpc_url: &str, deployment: &Path, runs: u64) -> anyhow::Result<()> {
    let deployment: Deployment = serde_json::from_slice(&std::fs::read(deployment)?)?;
    let target = Target::new(rpc_url.to_owned(), deployment).await?;
    println!("a chain of {} blocks; load of the machine: {}", target.head + 1, load());
    for (what, token) in [("logs of our contracts", "ours"), ("whole chain", "all")] {
        let (mut done, mut logs) = (Vec::new(), 0);
        for run in 0..runs {
            let database = TestDatabase::create().await?;
            done.push(run_ours(&target, &database, token, "always").await?);
            logs = count(&database.pool, "logs").await?;
            if run + 1 == runs {
                let rows = checksums(&database.pool).await?.iter().map(|(_, rows, _)| rows).sum::<i64>();
                println!("{what}: {logs} logs, {rows} derived rows");
                rebuild(&database.pool).await?;
            }
            database.remove().await?;
        }
        report(what, &done, u64::try_from(logs)?, "logs");
    }
    Ok(())
}

/// Rebuilds the derived tables twice: when they are right, and when all their rows are gone.
async fn rebuild(pool: &PgPool) -> anyhow::Result<()> {
    let before = checksums(pool).await?;
    for gone in [false, true] {
        if gone {
            tables::clear_derived(&mut *pool.acquire().await?).await?;
        }
        sqlx::query("vacuum analyze").execute(pool).await?;
        let started = Instant::now();
        let rebuilt = rebuild_derived(pool).await?;
        let seconds = started.elapsed().as_secs_f64();
        ensure!(checksums(pool).await? == before, "the rebuilt rows are others");
        println!(
            "rebuild of derived tables, {}: {} logs, {} rows written, {seconds:.2} s, {:.0} logs a second",
            if gone { "all rows gone" } else { "all rows right" },
            rebuilt.logs,
            rebuilt.changed,
            rebuilt.logs as f64 / seconds
        );
    }
    Ok(())
}

/// Name, number of rows and a sum over all rows of each derived table.
async fn checksums(pool: &PgPool) -> anyhow::Result<Vec<(&'static str, i64, String)>> {
    let mut sums = Vec::new();
    for table in tables::DERIVED {
        let query = format!("select count(*), sum(hashtextextended(t::text, 0))::text from chain.{} t", table.name);
        let (rows, sum): (i64, Option<String>) = sqlx::query_as(AssertSqlSafe(query)).fetch_one(pool).await?;
        sums.push((table.name, rows, sum.unwrap_or_default()));
    }
    Ok(sums)
}

async fn run_ours(target: &Target, database: &TestDatabase, token: &str, completeness: &str) -> anyhow::Result<Run> {
    let head = i64::try_from(target.head)?;
    let before = Before::now(&target.rpc_url);
    let child = Measured::start(&mut target.indexer(database, token, completeness)?)?;
    while indexed(&database.pool).await?.is_none_or(|at| at < head) || unindexed(&database.pool).await? {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(before.until_now(database, &child))
}

/// Highest indexed block.
async fn indexed(pool: &PgPool) -> anyhow::Result<Option<i64>> {
    Ok(sqlx::query_scalar("select indexed_block from chain.head").fetch_optional(pool).await?.flatten())
}

/// Whether indexes for readers are still to be made.
async fn unindexed(pool: &PgPool) -> anyhow::Result<bool> {
    Ok(sqlx::query_scalar("select exists (select from chain.deferred_indexes)").fetch_one(pool).await?)
}

async fn count(pool: &PgPool, table: &str) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from chain.{table}"))).fetch_one(pool).await?)
}

async fn ensure_transfers(pool: &PgPool, total: u64) -> anyhow::Result<()> {
    let rows = count(pool, "transfers").await?;
    ensure!(rows == i64::try_from(total)?, "{rows} transfers were indexed, {total} were made");
    Ok(())
}

async fn run_ponder(
    target: &Target,
    database: &TestDatabase,
    folder: &Path,
    token: Address,
    first_block: u64,
    total: u64,
) -> anyhow::Result<Run> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let before = Before::now(&target.rpc_url);
    let mut command = Command::new("node");
    command
        .arg(folder.join("node_modules/ponder/dist/esm/bin/ponder.js"))
        .args(["start", "--schema", "bench", "--port", &port.to_string(), "--log-level", "error"])
        .current_dir(folder)
        .env("DATABASE_URL", &database.url)
        .env("BENCH_RPC_URL", &target.rpc_url)
        .env("BENCH_TOKEN", token.to_string())
        .env("BENCH_FIRST_BLOCK", first_block.to_string())
        .env("PONDER_TELEMETRY_DISABLED", "true");
    let mut child = Measured::start(&mut command)?;
    let ready = format!("http://127.0.0.1:{port}/ready");
    while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
        if let Some(ended) = child.0.try_wait()? {
            bail!("Ponder ended by itself: {ended}");
        }
        ensure!(before.started.elapsed() < Duration::from_secs(600), "Ponder was not ready after ten minutes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It calls itself ready at the last final block; what is above that follows.
    let query = "select count(*) from bench.transfers";
    while sqlx::query_scalar::<_, i64>(query).fetch_one(&database.pool).await? != i64::try_from(total)? {
        ensure!(before.started.elapsed() < Duration::from_secs(600), "Ponder was not at the head after ten minutes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(before.until_now(database, &child))
}

/// The same transfers in both, by their difference in both directions.
async fn ensure_equal(pool: &PgPool, total: u64) -> anyhow::Result<()> {
    let ours =
        "select block_number::numeric, log_index, '0x' || encode(tx_hash, 'hex'), '0x' || encode(from_address, 'hex'),
                '0x' || encode(to_address, 'hex'), amount::numeric from chain.transfers";
    let theirs = "select block_number::numeric, log_index, tx_hash, from_address, to_address, amount::numeric from bench.transfers";
    for (left, right) in [(ours, theirs), (theirs, ours)] {
        let query = format!("select count(*) from ({left} except {right}) d");
        let different: i64 = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.context("comparing")?;
        ensure!(different == 0, "{different} of {total} rows differ");
    }
    Ok(())
}
