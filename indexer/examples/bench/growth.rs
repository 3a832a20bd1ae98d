//! How the rate of indexing changes as the tables grow.
//!
//! No development node holds so many logs, so the node is a load generator: a server in this process that answers the
//! indexer's questions about a chain of invented blocks, each with 200 transfers among 10,000 holders, in the JSON that
//! anvil gives. Its hashes follow from the numbers, so it keeps nothing. It proves nothing by receipts, so the indexer is
//! told to trust it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U64, hex};
use axum::Router;
use axum::routing::post;
use kopilka_bindings::deploy::Deployment;
use kopilka_testkit::TestDatabase;
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use crate::measure::{Measured, cpu_seconds, load, postgres_cpu};
use crate::{Target, ensure_transfers, indexed, unindexed};

const IN_BLOCK: u64 = 200;
const HOLDERS: u64 = 10_000;
const TOKEN: Address = Address::with_last_byte(7);
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TENTHS: u64 = 10;

/// Blocks by which a filled database grows.
const MORE: u64 = 1_500;
/// So few that the indexes for readers are not left out.
const FEW: u64 = 40;

/// The past of a chain into an empty database, then further blocks; and before, further blocks on an almost empty one.
pub(crate) async fn growth(transfers: u64) -> anyhow::Result<()> {
    let blocks = transfers / IN_BLOCK;
    let head = Arc::new(AtomicU64::new(FEW));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let rpc_url = format!("http://{}/", listener.local_addr()?);
    let shown = head.clone();
    let router = Router::new().route(
        "/",
        post(move |body: String| {
            let head = shown.load(Ordering::Relaxed);
            async move { answer(&body, head) }
        }),
    );
    let _server = AbortOnDropHandle::new(tokio::spawn(async move { axum::serve(listener, router).await }));
    let target = Target { rpc_url, deployment: deployment(), head: blocks };
    println!("load of the machine: {}", load());

    let small = Growing::start(&target).await?;
    small.reach(FEW).await?;
    let with_few = small.grow(&head, "further blocks, almost no rows").await?;
    small.end().await?;

    head.store(blocks, Ordering::Relaxed);
    let large = Growing::start(&target).await?;
    let (started, mut done) = (Instant::now(), 0);
    let mut rates = Vec::new();
    for tenth in 1..=TENTHS {
        let to = blocks * tenth / TENTHS;
        rates.push(large.measure("the past", done, to).await?);
        done = to;
    }
    while unindexed(&large.database.pool).await? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    ensure_transfers(&large.database.pool, blocks * IN_BLOCK).await?;
    let size: String = sqlx::query_scalar("select pg_size_pretty(pg_database_size(current_database()))")
        .fetch_one(&large.database.pool)
        .await?;
    let (first, last) = (rates[0], rates[rates.len() - 1]);
    println!(
        "the past: {transfers} transfers, {size}, {seconds:.0} s with all indexes, {:.0} transfers a second; in the first tenth \
         {first:.0}, in the last {last:.0} ({:.0} %)",
        transfers as f64 / seconds,
        100.0 * last / first
    );
    let with_many = large.grow(&head, "further blocks, many rows").await?;
    println!(
        "further blocks: {with_many:.0} transfers a second after {with_few:.0} ({:.0} %)",
        100.0 * with_many / with_few
    );
    large.end().await
}

/// A database with its indexer.
struct Growing {
    database: TestDatabase,
    child: Measured,
}

impl Growing {
    async fn start(target: &Target) -> anyhow::Result<Self> {
        let database = TestDatabase::create().await?;
        let child = Measured::start(&mut target.indexer(&database, &TOKEN.to_string(), "never")?)?;
        Ok(Self { database, child })
    }

    async fn reach(&self, block: u64) -> anyhow::Result<()> {
        while indexed(&self.database.pool).await?.is_none_or(|at| at.cast_unsigned() < block) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Transfers a second until a block is reached.
    async fn measure(&self, what: &str, from: u64, to: u64) -> anyhow::Result<f64> {
        let now = || {
            (
                Instant::now(),
                cpu_seconds(self.child.0.id()),
                postgres_cpu(&self.database),
                cpu_seconds(std::process::id()),
            )
        };
        let before = now();
        self.reach(to).await?;
        let after = now();
        let rate = ((to - from) * IN_BLOCK) as f64 / (after.0 - before.0).as_secs_f64();
        println!(
            "  {what}, {:>9} to {:>9} rows: {rate:.0} transfers a second; processor: {:.1} s here, {:.1} s Postgres, \
             {:.1} s the generator",
            from * IN_BLOCK,
            to * IN_BLOCK,
            after.1 - before.1,
            after.2 - before.2,
            after.3 - before.3
        );
        Ok(rate)
    }

    /// The rate of further blocks.
    async fn grow(&self, head: &AtomicU64, what: &str) -> anyhow::Result<f64> {
        let from = head.fetch_add(MORE, Ordering::Relaxed);
        self.measure(what, from, from + MORE).await
    }

    async fn end(self) -> anyhow::Result<()> {
        drop(self.child);
        self.database.remove().await
    }
}

fn deployment() -> Deployment {
    let contract = Address::with_last_byte;
    Deployment {
        chain_id: 31337,
        first_block: 0,
        municipalities: contract(0xa0),
        issuer_keys: contract(0xa1),
        rounds: contract(0xa2),
        round_implementation: contract(0xa3),
        token_implementation: contract(0xa4),
        polls: contract(0xa5),
        reward_points: contract(0xa6),
        reward_shop: contract(0xa7),
        anchors: contract(0xa8),
        milestones: contract(0xa9),
    }
}

/// 32 bytes that follow from a number (splitmix64).
fn hash(number: u64, salt: u64) -> B256 {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt;
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
    }
    bytes.into()
}

fn block_hash(number: u64) -> B256 {
    hash(number, 1)
}

fn header(number: u64) -> Value {
    json!({
        "number": U64::from(number), "hash": block_hash(number), "parentHash": block_hash(number.wrapping_sub(1)),
        "timestamp": U64::from(1_700_000_000 + number), "miner": Address::ZERO, "gasUsed": "0x1", "gasLimit": "0x2",
        "baseFeePerGas": "0x1", "size": "0x3e8", "logsBloom": format!("0x{}", "0".repeat(512)),
        "receiptsRoot": B256::ZERO, "transactions": [],
    })
}

fn answer(body: &str, head: u64) -> ([(&'static str, &'static str); 1], String) {
    let json = [("content-type", "application/json")];
    match serde_json::from_str::<Value>(body).unwrap_or_default() {
        Value::Array(calls) => {
            let answers: Vec<String> = calls.iter().map(|call| respond(call, head)).collect();
            (json, format!("[{}]", answers.join(",")))
        }
        call => (json, respond(&call, head)),
    }
}

fn respond(call: &Value, head: u64) -> String {
    let number = |value: &Value| match value.as_str() {
        Some("latest") => Some(head),
        text => u64::from_str_radix(text?.strip_prefix("0x")?, 16).ok(),
    };
    let params = &call["params"];
    let result = match call["method"].as_str().unwrap_or_default() {
        "eth_chainId" => "\"0x7a69\"".to_owned(),
        "eth_getBlockByNumber" => {
            number(&params[0]).filter(|number| *number <= head).map(header).unwrap_or_default().to_string()
        }
        "eth_getLogs" if params[0]["topics"].is_null() => {
            let range = (number(&params[0]["fromBlock"]), number(&params[0]["toBlock"]));
            logs(range.0.unwrap_or_default(), range.1.unwrap_or_default().min(head))
        }
        "eth_getLogs" => "[]".to_owned(),
        "eth_call" => format!("\"0x{}\"", "0".repeat(64)),
        method => {
            let error = json!({ "code": -32601, "message": format!("the method {method} does not exist") });
            return json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }).to_string();
        }
    };
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}", call["id"])
}

/// The logs of a range, block 0 having none.
fn logs(from: u64, to: u64) -> String {
    const ONE: usize = 760;
    let mut text = String::with_capacity(ONE * ((to + 1).saturating_sub(from) * IN_BLOCK) as usize);
    text.push('[');
    for block in from.max(1)..=to {
        let same = format!(
            "\"blockHash\":\"{}\",\"blockNumber\":\"{block:#x}\",\"blockTimestamp\":\"{:#x}\",\"removed\":false",
            block_hash(block),
            1_700_000_000 + block
        );
        for index in 0..IN_BLOCK {
            let number = (block - 1) * IN_BLOCK + index;
            let topic = |number: u64| hex::encode(hash(number % HOLDERS, 2).split_at(12).1);
            if text.len() > 1 {
                text.push(',');
            }
            // Writing to a text cannot fail.
            let _ = write!(
                text,
                "{{\"address\":\"{TOKEN:?}\",\"topics\":[\"{TRANSFER}\",\"0x000000000000000000000000{}\",\
                 \"0x000000000000000000000000{}\"],\"data\":\"0x{number:064x}\",{same},\"transactionHash\":\"0x{}\",\
                 \"transactionIndex\":\"{index:#x}\",\"logIndex\":\"{index:#x}\"}}",
                topic(number.wrapping_mul(7_919) + 1),
                topic(number),
                hex::encode(hash(number, 3)),
            );
        }
    }
    text.push(']');
    text
}
