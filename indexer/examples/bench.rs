//! Measures indexing: 100,000 token transfers in 500 blocks of 200 transactions, on a fresh anvil and a fresh database.
//!
//! `scripts/bench-indexer [blocks] [transactions in a block] [transfers in a transaction]`. It measures a backfill of the whole
//! chain (blocks, transactions, receipts, logs, transfers, balances), a backfill of logs alone where the token is watched, and
//! a rebuild of the derived tables from the raw ones.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, Bytes, U256, bytes};
use alloy::providers::{DynProvider, Provider as _};
use anyhow::Context as _;
use kopilka_bindings::deploy::Deployment;
use kopilka_indexer::{Config, rebuild_derived};
use kopilka_testkit::{TestChain, TestDatabase};
use serde_json::{Value, json};
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
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let mut argument = |default| arguments.next().unwrap_or(Ok(default)).context("arguments are whole numbers");
    let (blocks, transactions, transfers) = (argument(500)?, argument(200)?, argument(1)?);
    let total = blocks * transactions * transfers;

    let chain = TestChain::start_with(|config| config.block_gas_limit = 1_000_000_000).await?;
    let provider = chain.provider(0)?;
    let token = deploy(&provider).await?;
    let started = Instant::now();
    fill(&provider, token, blocks, transactions, transfers).await?;
    println!("made {total} transfers in {blocks} blocks of {transactions} transactions in {:.1?}", started.elapsed());

    let full = TestDatabase::create().await?;
    measure("whole chain", &chain, &full, chain.deployment.clone(), true, total).await?;
    let logs = TestDatabase::create().await?;
    // Watched in the factory's place, so that the node's filter by address is part of the measure.
    let watched = Deployment { municipalities: token, ..chain.deployment.clone() };
    measure("logs alone", &chain, &logs, watched, false, total).await?;

    let (started, cpu) = (Instant::now(), cpu_seconds());
    rebuild_derived(&full.pool).await?;
    report("rebuild from raw tables", started.elapsed(), cpu_seconds() - cpu, total);
    Ok(())
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

async fn measure(
    what: &str,
    chain: &TestChain,
    database: &TestDatabase,
    deployment: Deployment,
    full: bool,
    total: u64,
) -> anyhow::Result<()> {
    let head = chain.provider(0)?.get_block_number().await?;
    let mut config = Config::new(chain.anvil.url().parse()?, deployment, database.pool.clone());
    config.full = full;
    let cancel = CancellationToken::new();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let indexer = tokio::spawn(kopilka_indexer::run(config, cancel.clone()));
    loop {
        let at: Option<i64> =
            sqlx::query_scalar("select max(number) from chain.blocks").fetch_one(&database.pool).await?;
        if at == Some(i64::try_from(head)?) {
            break;
        }
        anyhow::ensure!(!indexer.is_finished(), "the indexer ended");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    report(what, started.elapsed(), cpu_seconds() - cpu, total);
    cancel.cancel();
    indexer.await??;
    let transfers: i64 = sqlx::query_scalar("select count(*) from chain.transfers").fetch_one(&database.pool).await?;
    anyhow::ensure!(transfers == i64::try_from(total)?, "{transfers} transfers were indexed, {total} were made");
    Ok(())
}

fn report(what: &str, took: Duration, cpu: f64, total: u64) {
    let rate = total as f64 / took.as_secs_f64();
    println!("{what}: {:.2} s, {rate:.0} transfers a second, {cpu:.2} s of processor time here", took.as_secs_f64());
}

/// Processor time of this process so far: fields 14 and 15 of its stat, in ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
