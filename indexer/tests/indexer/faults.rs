//! A node that fails, delays, lags, and leaves things out, and an indexer that is killed all the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::providers::Provider as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use kopilka_testkit::TestChain;
use serde_json::{Value, json};

use crate::election::{Election, STEPS};
use crate::fixture::{Indexer, assert_same};

/// Numbers that repeat from run to run.
#[derive(Debug)]
struct Dice(Mutex<u64>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// True once in `one_in` times.
    fn hits(&self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    fn below(&self, end: u64) -> u64 {
        let mut state = self.0.lock().expect("no test panics while it throws dice");
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % end
    }
}

#[derive(Clone)]
struct BadNode {
    client: reqwest::Client,
    url: String,
    dice: Arc<Dice>,
    faults: Arc<AtomicU64>,
}

impl BadNode {
    fn fault(&self, one_in: u64) -> bool {
        let hit = self.dice.hits(one_in);
        if hit {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        hit
    }

    async fn ask(&self, request: &Value) -> Result<Value, reqwest::Error> {
        self.client.post(&self.url).json(request).send().await?.json().await
    }

    /// The answer to one call, sometimes wrong.
    async fn spoil(&self, call: &Value, mut answer: Value) -> Result<Value, reqwest::Error> {
        let method = call["method"].as_str().unwrap_or_default();
        if method == "eth_getBlockByNumber" && call["params"][0] == "latest" && self.fault(6) {
            // A node of a pool that is behind the others.
            let head = answer["result"]["number"].as_str().and_then(|n| u64::from_str_radix(&n[2..], 16).ok());
            let number = format!("{:#x}", head.unwrap_or_default().saturating_sub(2));
            let request = json!({ "jsonrpc": "2.0", "id": call["id"], "method": method, "params": [number, false] });
            return self.ask(&request).await;
        }
        if method == "eth_getBlockByNumber" && self.fault(60) {
            answer["result"] = Value::Null;
        }
        let omit = self.dice.below(1_000) as usize;
        if method == "eth_getBlockReceipts"
            && let Some(receipts) = answer["result"].as_array_mut()
        {
            let at = omit.checked_rem(receipts.len()).unwrap_or_default();
            if let Some(logs) = receipts.get_mut(at).and_then(|receipt| receipt["logs"].as_array_mut())
                && !logs.is_empty()
                && self.fault(12)
            {
                logs.remove(omit % logs.len());
            }
        }
        if method == "eth_getLogs"
            && call["params"][0]["fromBlock"].is_string()
            && call["params"][0]["topics"].is_null()
            && let Some(logs) = answer["result"].as_array_mut()
            && !logs.is_empty()
            && self.fault(8)
        {
            // All logs of a contract in a block.
            let gone = logs[omit % logs.len()].clone();
            logs.retain(|log| log["address"] != gone["address"] || log["blockNumber"] != gone["blockNumber"]);
        }
        if self.fault(80) {
            return Ok(
                json!({ "jsonrpc": "2.0", "id": call["id"], "error": { "code": -32005, "message": "limit exceeded" } }),
            );
        }
        Ok(answer)
    }
}

async fn forward(State(node): State<BadNode>, body: String) -> Response {
    if node.fault(25) {
        return (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response();
    }
    if node.fault(25) {
        return (StatusCode::SERVICE_UNAVAILABLE, "<html>gateway</html>").into_response();
    }
    if node.fault(10) {
        tokio::time::sleep(Duration::from_millis(node.dice.below(60))).await;
    }
    let Ok(request) = serde_json::from_str::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let answered = async {
        let answer = node.ask(&request).await?;
        match (&request, answer) {
            (Value::Array(calls), Value::Array(answers)) => {
                let mut spoilt = Vec::new();
                for call in calls {
                    let answer = answers.iter().find(|answer| answer["id"] == call["id"]).cloned();
                    spoilt.push(node.spoil(call, answer.unwrap_or_default()).await?);
                }
                spoilt.reverse();
                Ok::<_, reqwest::Error>(Value::Array(spoilt))
            }
            (call, answer) => node.spoil(call, answer).await,
        }
    };
    match answered.await {
        // The answer is lost on its way.
        Ok(_) if node.fault(40) => (StatusCode::OK, "{\"jsonrpc\":\"2.0\",").into_response(),
        Ok(answer) => axum::Json(answer).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn survives(full: bool, seed: u64) -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let dice = Arc::new(Dice::new(seed));
    let node = BadNode {
        client: reqwest::Client::new(),
        url: chain.anvil.url(),
        dice: dice.clone(),
        faults: Arc::new(AtomicU64::new(0)),
    };
    let faults = node.faults.clone();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url: url::Url = format!("http://{}", listener.local_addr()?).parse()?;
    let server =
        tokio::spawn(
            async move { axum::serve(listener, Router::new().route("/", post(forward)).with_state(node)).await },
        );

    let mut tried = Indexer::with(&chain, move |config| {
        config.full = full;
        config.rpc_url = url.clone();
    })
    .await?;
    let election = Election::new(&chain);
    for step in STEPS {
        tried.start();
        let snapshot: Value = provider.raw_request("evm_snapshot".into(), ()).await?;
        election.run(step).await?;
        tokio::time::sleep(Duration::from_millis(dice.below(150))).await;
        if dice.hits(3) {
            let _: bool = provider.raw_request("evm_revert".into(), (snapshot,)).await?;
            let _: Value = provider.raw_request("evm_increaseTime".into(), (7,)).await?;
            let _: Value = provider.raw_request("evm_mine".into(), ()).await?;
            election.run(step).await?;
            tokio::time::sleep(Duration::from_millis(dice.below(150))).await;
        }
        tried.kill().await;
    }
    tried.start();
    tried.caught_up(&provider).await?;
    let mut clean = Indexer::new(&chain, full).await?;
    clean.start();
    clean.caught_up(&provider).await?;
    assert_same("after faults", &tried, &clean).await?;
    assert!(faults.load(Ordering::Relaxed) > 10, "the node was not bad enough to prove anything");
    server.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_chain_survives_a_bad_node() -> anyhow::Result<()> {
    survives(true, 0x5eed_0001).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_alone_survive_a_bad_node() -> anyhow::Result<()> {
    survives(false, 0x5eed_0002).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_connection_is_made_anew() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let election = Election::new(&chain);
    let mut tried = Indexer::new(&chain, true).await?;
    tried.start();
    for step in &STEPS[..6] {
        election.run(*step).await?;
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&tried.database.pool)
        .await?;
        tried.caught_up(&provider).await?;
    }
    let mut clean = Indexer::new(&chain, true).await?;
    clean.start();
    clean.caught_up(&provider).await?;
    assert_same("after lost connections", &tried, &clean).await
}
