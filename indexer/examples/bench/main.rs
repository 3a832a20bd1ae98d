//! Measures indexing: `scripts/bench-indexer`.
//!
//! - `chain [blocks] [transactions in a block] [transfers in a transaction] [runs] [folder of Ponder]`: token transfers on a
//!   fresh anvil, each run with a fresh database: our logs-alone mode with the token watched; Ponder, if its folder is
//!   named, into the same database, and the rows compared; then the whole chain, a rebuild, and the latency at the head.
//! - `growth [transfers]`: how the rate of writing changes as the tables grow, without a node.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes, U256, bytes, keccak256};
use alloy::providers::{DynProvider, Provider as _};
use anyhow::{Context as _, bail, ensure};
use kopilka_bindings::deploy::Deployment;
use kopilka_indexer::{Completeness, Config, rebuild_derived};
use kopilka_store::chain::rows::{BlockRow, LogRow, Rows, TransferRow, UnixTime};
use kopilka_store::chain::write;
use kopilka_testkit::{TestChain, TestDatabase};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgPool};
use tokio_util::sync::CancellationToken;

/// Emits as many `Transfer(caller, number + second word, number)` as its first word says. The first 9 bytes return the rest.
const TRANSFERS: Bytes = bytes!(
    "603f8060093d393df3" // constructor: return what follows
    "5f35" // n = first word
    "5b8015603d57" // while n is not 0
    "805f52" // data: n
    "8060203501" // topic: n + second word
    "33" // topic: caller
    "7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    "60205fa3"
    "60019003600256" // n = n - 1
    "5b00"
);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse());
    match arguments.first() {
        Some(&"child") => {
            let [_, rpc_url, database_url, deployment, token] = arguments.as_slice() else { bail!("four arguments") };
            child(rpc_url, database_url, deployment, token).await
        }
        Some(&"chain") => {
            let shape = (number(1, 500)?, number(2, 200)?, number(3, 1)?);
            chain(shape, number(4, 5)?, arguments.get(5).map(Path::new)).await
        }
        Some(&"growth") => growth(number(1, 1_000_000)?).await,
        _ => bail!(
            "usage: bench chain [blocks] [transactions] [transfers] [runs] [folder of Ponder] | growth [transfers]"
        ),
    }
}

/// The process that is measured.
async fn child(rpc_url: &str, database_url: &str, deployment: &str, token: &str) -> anyhow::Result<()> {
    let deployment: Deployment = serde_json::from_str(deployment)?;
    let database = kopilka_store::connect(database_url, 4).await?;
    let mut config = Config::new(rpc_url.parse()?, deployment, database);
    if token != "all" {
        config.full = false;
        config.watch = vec![token.parse()?];
        config.completeness = Completeness::Sampled(100);
    }
    kopilka_indexer::run(config, CancellationToken::new()).await
}

/// What a run took.
struct Run {
    seconds: f64,
    cpu: f64,
    node_cpu: f64,
    postgres_cpu: f64,
    peak_mb: f64,
}

async fn chain(shape: (u64, u64, u64), runs: u64, ponder: Option<&Path>) -> anyhow::Result<()> {
    let (blocks, transactions, transfers) = shape;
    let total = blocks * transactions * transfers;
    let chain = TestChain::start_with(|config| config.block_gas_limit = 1_000_000_000).await?;
    let provider = chain.provider(0)?;
    let token = deploy(&provider).await?;
    let first_block = provider.get_block_number().await?;
    let started = Instant::now();
    fill(&provider, token, blocks, transactions, transfers).await?;
    println!("made {total} transfers in {blocks} blocks of {transactions} transactions in {:.1?}", started.elapsed());
    println!("load of the machine: {}", load());

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let database = TestDatabase::create().await?;
        ours.push(run_ours(&chain, &database, &token.to_string(), total).await?);
        if let Some(folder) = ponder {
            theirs.push(run_ponder(&chain, &database, folder, token, first_block, total).await?);
            ensure_equal(&database.pool, total).await?;
            println!("  run {}: rows of both are equal", run + 1);
        }
        database.pool.close().await;
    }
    report("logs alone, ours", &ours, total);
    if !theirs.is_empty() {
        report("Ponder", &theirs, total);
        println!("ratio of the medians: {:.1}", median(&theirs, |run| run.seconds) / median(&ours, |run| run.seconds));
    }
    let full = TestDatabase::create().await?;
    report("whole chain, ours", &[run_ours(&chain, &full, "all", total).await?], total);
    let started = Instant::now();
    rebuild_derived(&full.pool).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("rebuild from raw tables: {seconds:.2} s, {:.0} transfers a second", total as f64 / seconds);
    latency(&chain, &full).await
}

async fn run_ours(chain: &TestChain, database: &TestDatabase, token: &str, total: u64) -> anyhow::Result<Run> {
    let head = i64::try_from(chain.provider(0)?.get_block_number().await?)?;
    let deployment = serde_json::to_string(&chain.deployment)?;
    let before = Before::now(chain);
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", &chain.anvil.url(), &database.url, &deployment, token]);
    let child = Measured::start(&mut command)?;
    loop {
        let at: Option<i64> =
            sqlx::query_scalar("select indexed_block from chain.head").fetch_optional(&database.pool).await?.flatten();
        if at == Some(head) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let run = before.until_now(chain, database, &child);
    drop(child);
    let rows: i64 = sqlx::query_scalar("select count(*) from chain.transfers").fetch_one(&database.pool).await?;
    ensure!(rows == i64::try_from(total)?, "{rows} transfers were indexed, {total} were made");
    Ok(run)
}

async fn run_ponder(
    chain: &TestChain,
    database: &TestDatabase,
    folder: &Path,
    token: Address,
    first_block: u64,
    total: u64,
) -> anyhow::Result<Run> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let before = Before::now(chain);
    let mut command = Command::new("node");
    command
        .arg(folder.join("node_modules/ponder/dist/esm/bin/ponder.js"))
        .args(["start", "--schema", "bench", "--port", &port.to_string(), "--log-level", "error"])
        .current_dir(folder)
        .env("DATABASE_URL", &database.url)
        .env("BENCH_RPC_URL", chain.anvil.url())
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
    let count = "select count(*) from bench.transfers";
    while sqlx::query_scalar::<_, i64>(count).fetch_one(&database.pool).await? != i64::try_from(total)? {
        ensure!(before.started.elapsed() < Duration::from_secs(600), "Ponder was not at the head after ten minutes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(before.until_now(chain, database, &child))
}

/// A process that ends with its value.
struct Measured(Child);

impl Measured {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Clocks at the beginning of a run.
struct Before {
    started: Instant,
    node_cpu: f64,
}

impl Before {
    fn now(chain: &TestChain) -> Self {
        Self { started: Instant::now(), node_cpu: cpu_of(|command| is_node(chain, command)) }
    }

    fn until_now(&self, chain: &TestChain, database: &TestDatabase, child: &Measured) -> Run {
        let seconds = self.started.elapsed().as_secs_f64();
        let name = database.url.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let id = child.0.id();
        Run {
            seconds,
            cpu: cpu_seconds(id),
            node_cpu: cpu_of(|command| is_node(chain, command)) - self.node_cpu,
            postgres_cpu: cpu_of(|command| command.starts_with("postgres: ") && command.contains(&name)),
            peak_mb: peak_megabytes(id),
        }
    }
}

fn is_node(chain: &TestChain, command: &str) -> bool {
    let url = chain.anvil.url();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
    command.contains("anvil") && command.contains(port)
}

/// Processor time so far of all processes whose command line fits.
fn cpu_of(fits: impl Fn(&str) -> bool) -> f64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| {
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            fits(&String::from_utf8_lossy(&command).replace('\0', " "))
        })
        .map(cpu_seconds)
        .sum()
}

/// Processor time of a process so far: fields 14 and 15 of its stat, in ticks of 10 ms.
fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_megabytes(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// The same transfers in both, by their difference in both directions.
async fn ensure_equal(pool: &PgPool, total: u64) -> anyhow::Result<()> {
    let ours =
        "select block_number::numeric, log_index, '0x' || encode(tx_hash, 'hex'), '0x' || encode(from_address, 'hex'),
                '0x' || encode(to_address, 'hex'), amount::numeric from chain.transfers";
    let theirs = "select block_number::numeric, log_index, tx_hash, from_address, to_address, amount::numeric from bench.transfers";
    for (left, right) in [(ours, theirs), (theirs, ours)] {
        let query = format!("select count(*) from ({left} except {right}) d");
        let different: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(pool).await?;
        ensure!(different == 0, "{different} of {total} rows differ");
    }
    Ok(())
}

fn median(runs: &[Run], part: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(part).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] }
}

fn report(what: &str, runs: &[Run], total: u64) {
    let seconds = median(runs, |run| run.seconds);
    let (least, most) =
        runs.iter().fold((f64::MAX, 0.0_f64), |(least, most), run| (least.min(run.seconds), most.max(run.seconds)));
    println!(
        "{what}: median {seconds:.2} s ({least:.2}-{most:.2}, {} runs), {:.0} transfers a second; processor: {:.2} s here, \
         {:.2} s node, {:.2} s Postgres; {:.0} MB at most",
        runs.len(),
        total as f64 / seconds,
        median(runs, |run| run.cpu),
        median(runs, |run| run.node_cpu),
        median(runs, |run| run.postgres_cpu),
        median(runs, |run| run.peak_mb),
    );
}

/// From the answer to `evm_mine` until the rows of the block are committed.
async fn latency(chain: &TestChain, database: &TestDatabase) -> anyhow::Result<()> {
    const BLOCKS: usize = 200;
    let provider = chain.provider(0)?;
    let config = Config::new(chain.anvil.url().parse()?, chain.deployment.clone(), database.pool.clone());
    let cancel = CancellationToken::new();
    let indexer = tokio::spawn(kopilka_indexer::run(config, cancel.clone()));
    let mut listener = sqlx::postgres::PgListener::connect(&database.url).await?;
    listener.listen(kopilka_store::chain::HEAD_CHANNEL).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut took = Vec::new();
    for number in 0..BLOCKS {
        let _: Value = provider.raw_request("evm_mine".into(), ()).await?;
        let mined = Instant::now();
        let head = provider.get_block_number().await?;
        loop {
            let heard = tokio::time::timeout(Duration::from_secs(20), listener.recv()).await??;
            let told: Value = serde_json::from_str(heard.payload())?;
            if told["block"].as_u64() >= Some(head) {
                break;
            }
        }
        took.push(mined.elapsed());
        // Not in step with the indexer's polling.
        tokio::time::sleep(Duration::from_millis(13 + (number as u64 * 7) % 40)).await;
    }
    cancel.cancel();
    indexer.await??;
    took.sort_unstable();
    println!(
        "head latency over {BLOCKS} blocks: median {:.0?}, p99 {:.0?}, longest {:.0?}",
        took[BLOCKS / 2],
        took[BLOCKS * 99 / 100],
        took[BLOCKS - 1]
    );
    Ok(())
}

/// Writes invented ranges of 10,000 transfers of 10,000 holders each.
async fn growth(transfers: u64) -> anyhow::Result<()> {
    const IN_RANGE: u64 = 10_000;
    let database = TestDatabase::create().await?;
    let mut connection = database.pool.acquire().await?;
    let ranges = transfers / IN_RANGE;
    let mut rates = Vec::new();
    for range in 0..ranges {
        let rows = invented(range, IN_RANGE);
        let started = Instant::now();
        let mut transaction = connection.begin().await?;
        write::write_range(&mut transaction, &rows).await?;
        transaction.commit().await?;
        rates.push(IN_RANGE as f64 / started.elapsed().as_secs_f64());
        if range % (ranges / 10).max(1) == 0 {
            println!("  at {:>9} rows: {:.0} transfers a second", range * IN_RANGE, rates[rates.len() - 1]);
        }
    }
    let tenth = (rates.len() / 10).max(1);
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    let (first, last) = (mean(&rates[..tenth]), mean(&rates[rates.len() - tenth..]));
    println!(
        "{transfers} transfers: {first:.0} a second in the first tenth, {last:.0} in the last ({:.0} %)",
        100.0 * last / first
    );
    println!("load of the machine: {}", load());
    Ok(())
}

fn invented(range: u64, count: u64) -> Rows {
    let hash = |number: u64| keccak256(number.to_be_bytes());
    let holder = |number: u64| Address::from_word(hash(number % 10_000));
    let token = Address::with_last_byte(7);
    let mut rows = Rows::default();
    rows.blocks.push(BlockRow {
        number: range,
        hash: hash(range),
        parent_hash: Some(hash(range.wrapping_sub(1))),
        block_at: UnixTime(1_700_000_000 + range),
        miner: Some(Address::ZERO),
        gas_used: Some(0),
        gas_limit: Some(0),
        base_fee: None,
        size: Some(0),
        tx_count: Some(0),
        logs_count: count as u32,
    });
    for log_index in 0..count {
        let number = range * count + log_index;
        let (from, to, tx_hash) = (holder(number * 7_919 + 1), holder(number), hash(number));
        rows.logs.push(LogRow {
            block_number: range,
            log_index: log_index as u32,
            block_hash: hash(range),
            tx_hash,
            tx_index: log_index as u32,
            address: token,
            topic0: Some(B256::repeat_byte(0xdd)),
            topic1: Some(from.into_word()),
            topic2: Some(to.into_word()),
            topic3: None,
            data: Bytes::from(U256::from(number).to_be_bytes_vec()),
        });
        rows.transfers.push(TransferRow {
            block_number: range,
            log_index: log_index as u32,
            tx_hash,
            tx_index: log_index as u32,
            token,
            from_address: from,
            to_address: to,
            amount: U256::from(number),
        });
    }
    rows
}

async fn deploy(provider: &DynProvider) -> anyhow::Result<Address> {
    let accounts = provider.get_accounts().await?;
    let from = accounts.first().context("anvil has accounts")?;
    let hash: alloy::primitives::B256 =
        provider.raw_request("eth_sendTransaction".into(), (json!({ "from": from, "data": TRANSFERS }),)).await?;
    loop {
        if let Some(receipt) = provider.get_transaction_receipt(hash).await? {
            return receipt.contract_address.context("the transaction creates a contract");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fill(
    provider: &DynProvider,
    token: Address,
    blocks: u64,
    transactions: u64,
    transfers: u64,
) -> anyhow::Result<()> {
    let accounts = provider.get_accounts().await?;
    let _: Value = provider.raw_request("evm_setAutomine".into(), (false,)).await?;
    // anvil answers the calls of a batch at once and side by side: each must bring its nonce.
    let mut nonces = Vec::new();
    for account in &accounts {
        nonces.push(provider.get_transaction_count(*account).await?);
    }
    for block in 0..blocks {
        let client = provider.client();
        let mut batch = alloy::rpc::client::BatchRequest::new(client);
        let mut sent = Vec::new();
        for transaction in 0..transactions {
            let mut data = U256::from(transfers).to_be_bytes_vec();
            data.extend(U256::from(1_000_000 + (block * transactions + transaction) % 10_000).to_be_bytes::<32>());
            let sender = usize::try_from(transaction)? % accounts.len();
            let nonce = U256::from(nonces[sender]);
            nonces[sender] += 1;
            let gas = U256::from(40_000 + 3_000 * transfers);
            let call = json!([{
                "from": accounts[sender], "nonce": nonce, "to": token, "data": Bytes::from(data), "gas": gas,
            }]);
            sent.push(batch.add_call::<_, Value>("eth_sendTransaction", &call)?);
        }
        batch.send().await?;
        for answer in sent {
            answer.await?;
        }
        let _: Value = provider.raw_request("evm_mine".into(), ()).await?;
    }
    Ok(())
}
