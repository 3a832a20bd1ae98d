//! A node that serves a recorded chain, and misbehaves as a seed says: errors, lost answers, refusals in the words of
//! providers, stale heads, omitted and `removed` logs, reorgs, a chain that becomes shorter.
//!
//! The recorded chain is the truth. A reorg shows other blocks above some height for a while: the recorded contents in
//! another order, or nothing, under other hashes; headers tell the truth about what their block holds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::primitives::{Address, B256, U64, keccak256};
use anyhow::{Context as _, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Numbers that repeat from run to run.
#[derive(Debug)]
pub struct Dice(Mutex<u64>);

impl Dice {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds, and 0, must not give neighbouring numbers.
        let digest = keccak256(seed.to_be_bytes());
        Self(Mutex::new(u64::from_be_bytes(digest.0[..8].try_into().unwrap_or([1; 8])) | 1))
    }

    /// A number from 0 to `end - 1`.
    pub fn below(&self, end: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 8) % end.max(1)
    }

    /// True `rate` times in a thousand.
    pub fn hits(&self, rate: u64) -> bool {
        self.below(1_000) < rate
    }
}

/// How often things go wrong, each in a thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Requests that fail: 429, 503, an answer cut off, a JSON-RPC error.
    pub errors: u64,
    /// Requests that come late, by up to 60 ms.
    pub delays: u64,
    /// Heads that are a few blocks old, as of a pool of nodes.
    pub stale_heads: u64,
    /// Blocks that the node does not know yet.
    pub unknown_blocks: u64,
    /// Answers with logs from which some are missing.
    pub omissions: u64,
    /// Answers with logs of which one says that it was removed.
    pub removed: u64,
    /// Steps of the chain at which it is reorganised by 1 to 3 blocks.
    pub reorgs: u64,
    /// Steps at which it is reorganised by up to 10.
    pub deep_reorgs: u64,
    /// Steps at which several blocks come at once.
    pub fast_forwards: u64,
    /// Most blocks in a range; 0 for any number.
    pub max_blocks: u64,
    /// Whether `eth_getLogs` always leaves out the same third of the logs, which receipts show.
    pub hides_logs: bool,
    /// Account of whose incoming transfers `eth_getLogs` says nothing.
    pub hides_transfers_to: Option<Address>,
}

impl Faults {
    /// Everything at once, as often as in the hardest runs that Ponder's simulation draws.
    pub fn storm() -> Self {
        Self {
            errors: 200,
            delays: 100,
            stale_heads: 150,
            unknown_blocks: 20,
            omissions: 100,
            removed: 30,
            reorgs: 100,
            deep_reorgs: 40,
            fast_forwards: 750,
            max_blocks: 0,
            hides_logs: false,
            hides_transfers_to: None,
        }
    }
}

/// Forks never have more blocks than this.
pub const LONGEST_FORK: u64 = 11;

/// What a real node said.
#[derive(Debug)]
pub struct Recording {
    chain_id: Value,
    headers: Vec<Value>,
    transactions: Vec<Value>,
    receipts: Vec<Vec<Value>>,
    calls: HashMap<String, Value>,
}

impl Recording {
    /// Records the whole chain of a node, and what tokens that moved on it say of themselves.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn of(url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::new();
        let ask = async |method: &str, params: Value| {
            let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            let answer: Value = client.post(url).json(&request).send().await?.json().await?;
            ensure!(answer.get("error").is_none(), "{method}: {answer}");
            Ok(answer["result"].clone())
        };
        let chain_id = ask("eth_chainId", json!([])).await?;
        let head = number(&ask("eth_blockNumber", json!([])).await?).context("a number")?;
        let (mut headers, mut transactions, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
        let mut calls = HashMap::new();
        for block in 0..=head {
            let block = U64::from(block);
            headers.push(ask("eth_getBlockByNumber", json!([block, false])).await?);
            transactions.push(ask("eth_getBlockByNumber", json!([block, true])).await?["transactions"].clone());
            let answer = ask("eth_getBlockReceipts", json!([block])).await?;
            let of_block = answer.as_array().cloned().context("a list of receipts")?;
            for log in of_block.iter().filter_map(|receipt| receipt["logs"].as_array()).flatten() {
                for data in ["0x06fdde03", "0x95d89b41", "0x313ce567"] {
                    let key = call_key(&log["address"], &json!(data));
                    if let Entry::Vacant(unknown) = calls.entry(key) {
                        let call = json!([{ "to": log["address"], "data": data, "gas": "0x493e0" }, "latest"]);
                        unknown.insert(ask("eth_call", call).await.unwrap_or(Value::Null));
                    }
                }
            }
            receipts.push(of_block);
        }
        Ok(Self { chain_id, headers, transactions, receipts, calls })
    }

    /// Number of the highest block.
    pub fn head(&self) -> u64 {
        self.headers.len() as u64 - 1
    }

    /// Hash of a block.
    pub fn hash(&self, block: u64) -> B256 {
        hash(&self.headers[block as usize]["hash"])
    }

    fn block(&self, number: u64) -> Block {
        let parent = number.checked_sub(1).map(|parent| self.hash(parent)).unwrap_or_default();
        Block { number, hash: self.hash(number), parent, content: Some(number), fork: false }
    }
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn hash(value: &Value) -> B256 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn call_key(to: &Value, data: &Value) -> String {
    format!("{} {}", to.as_str().unwrap_or_default().to_lowercase(), data.as_str().unwrap_or_default())
}

/// A block as the node shows it: whose recorded content it has, none for an empty one.
#[derive(Debug, Clone, Copy)]
struct Block {
    number: u64,
    hash: B256,
    parent: B256,
    content: Option<u64>,
    fork: bool,
}

struct Shared {
    recording: Arc<Recording>,
    chain: Mutex<Vec<Block>>,
    faults: Mutex<Faults>,
    dice: Dice,
    made: AtomicU64,
    forks: AtomicU64,
}

/// The node, listening on a port of its own until it is dropped.
pub struct BadNode {
    shared: Arc<Shared>,
    /// Where it listens.
    pub url: String,
    server: JoinHandle<()>,
}

impl Drop for BadNode {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl BadNode {
    /// Shows the recorded chain up to block `head`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(recording: Arc<Recording>, head: u64, faults: Faults, seed: u64) -> anyhow::Result<Self> {
        let chain = (0..=head.min(recording.head())).map(|number| recording.block(number)).collect();
        let shared = Arc::new(Shared {
            recording,
            chain: Mutex::new(chain),
            faults: Mutex::new(faults),
            dice: Dice::new(seed),
            made: AtomicU64::new(0),
            forks: AtomicU64::new(seed << 16),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let router = Router::new().route("/", post(answer)).with_state(shared.clone());
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the bad node ended");
            }
        });
        Ok(Self { shared, url, server })
    }

    /// Highest block that it shows.
    pub fn head(&self) -> u64 {
        self.shared.chain().len() as u64 - 1
    }

    /// Faults made so far, reorgs included.
    pub fn faults_made(&self) -> u64 {
        self.shared.made.load(Ordering::Relaxed)
    }

    /// Misbehaves otherwise from now on.
    pub fn set_faults(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Shows the truth up to a block.
    pub fn show(&self, head: u64) {
        let recording = &self.shared.recording;
        *self.shared.chain() = (0..=head.min(recording.head())).map(|number| recording.block(number)).collect();
    }

    /// Shows other blocks in place of the highest `depth`, and `more` above them.
    pub fn reorganise(&self, depth: u64, more: u64) {
        self.shared.fork(&mut self.shared.chain(), depth, more);
    }

    /// The chain goes on by a step: it grows, is reorganised, or comes back to the truth. True at the recorded head.
    pub fn step(&self) -> bool {
        let shared = &self.shared;
        let faults = shared.faults();
        let mut chain = shared.chain();
        let head = chain.len() as u64 - 1;
        let forked = chain.iter().rev().take_while(|block| block.fork).count() as u64;
        let depth = if shared.dice.hits(faults.deep_reorgs) {
            4 + shared.dice.below(7)
        } else if shared.dice.hits(faults.reorgs) {
            1 + shared.dice.below(3)
        } else {
            0
        };
        let more = if shared.dice.hits(faults.fast_forwards) { 1 + shared.dice.below(8) } else { 1 };
        let most = shared.recording.head();
        if depth > 0 && depth < head && depth.max(forked) + more < LONGEST_FORK && head + more < most {
            shared.fork(&mut chain, depth, more);
        } else if forked > 0 && (forked + more >= LONGEST_FORK || head + more >= most || shared.dice.hits(400)) {
            let truth = (0..=(head + more).min(most)).map(|number| shared.recording.block(number)).collect();
            *chain = truth;
        } else if forked > 0 {
            shared.fork(&mut chain, 0, more);
        } else {
            for number in head + 1..=(head + more).min(most) {
                chain.push(shared.recording.block(number));
            }
        }
        chain.len() as u64 - 1 == most && chain.last().is_some_and(|block| !block.fork)
    }
}

impl Shared {
    fn chain(&self) -> MutexGuard<'_, Vec<Block>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, rate: u64) -> bool {
        let hit = self.dice.hits(rate);
        if hit {
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        hit
    }

    /// Replaces the highest blocks by others with their contents in another order, some left out.
    fn fork(&self, chain: &mut Vec<Block>, depth: u64, more: u64) {
        let keep = chain.len() - depth as usize;
        let mut contents: Vec<Option<u64>> = chain[keep..].iter().map(|block| block.content).collect();
        chain.truncate(keep);
        self.made.fetch_add(1, Ordering::Relaxed);
        for at in (1..contents.len()).rev() {
            contents.swap(at, self.dice.below(at as u64 + 1) as usize);
        }
        contents.resize((depth + more) as usize, None);
        for content in contents {
            let number = chain.len() as u64;
            let parent = chain.last().map(|block| block.hash).unwrap_or_default();
            let fork = self.forks.fetch_add(1, Ordering::Relaxed);
            let hash = keccak256([number.to_be_bytes(), fork.to_be_bytes()].concat());
            let content = content.filter(|_| !self.dice.hits(300));
            chain.push(Block { number, hash, parent, content, fork: true });
        }
    }

    fn header(&self, block: Block, whole: bool) -> Value {
        let recording = &self.recording;
        let mut header = match block.content {
            Some(content) => recording.headers[content as usize].clone(),
            None => {
                let mut empty = recording.headers[0].clone();
                empty["gasUsed"] = json!("0x0");
                empty
            }
        };
        header["number"] = json!(U64::from(block.number));
        header["hash"] = json!(block.hash);
        if block.number > 0 {
            header["parentHash"] = json!(block.parent);
        }
        header["timestamp"] = json!(U64::from(self.time(block)));
        if whole && let Some(content) = block.content {
            let mut transactions = recording.transactions[content as usize].clone();
            for transaction in transactions.as_array_mut().into_iter().flatten() {
                transaction["blockHash"] = json!(block.hash);
                transaction["blockNumber"] = json!(U64::from(block.number));
            }
            header["transactions"] = transactions;
        }
        header
    }

    /// Forks are a second off, which derived rows must forget.
    fn time(&self, block: Block) -> u64 {
        let at = block.number.min(self.recording.head()) as usize;
        number(&self.recording.headers[at]["timestamp"]).unwrap_or_default() + u64::from(block.fork)
    }

    fn receipts(&self, block: Block) -> Vec<Value> {
        let Some(content) = block.content else { return Vec::new() };
        let mut receipts = self.recording.receipts[content as usize].clone();
        let time = U64::from(self.time(block));
        for receipt in &mut receipts {
            receipt["blockHash"] = json!(block.hash);
            receipt["blockNumber"] = json!(U64::from(block.number));
            for log in receipt["logs"].as_array_mut().into_iter().flatten() {
                log["blockHash"] = json!(block.hash);
                log["blockNumber"] = json!(U64::from(block.number));
                log["blockTimestamp"] = json!(time);
            }
        }
        receipts
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let faults = self.faults();
        // A batch has many calls: one in it fails about as often as a request does.
        if self.fault(faults.errors / 40) {
            return Err(json!({ "code": -32005, "message": "limit exceeded" }));
        }
        let chain = self.chain().clone();
        let at = |value: &Value| match value.as_str() {
            Some("latest") => chain.last().copied(),
            Some("finalized") => chain.get(chain.len().saturating_sub(13)).copied(),
            _ => number(value).and_then(|number| chain.get(number as usize)).copied(),
        };
        match method {
            "eth_chainId" => Ok(self.recording.chain_id.clone()),
            "eth_getBlockByNumber" => {
                let mut block = at(&params[0]);
                if params[0] == "latest" && self.fault(faults.stale_heads) {
                    let older = 1 + self.dice.below(3) as usize;
                    block = chain.get(chain.len().saturating_sub(1 + older)).copied();
                } else if params[0] != "latest" && params[0] != "0x0" && self.fault(faults.unknown_blocks) {
                    block = None;
                }
                Ok(block.map(|block| self.header(block, params[1] == true)).unwrap_or_default())
            }
            "eth_getBlockReceipts" => {
                let Some(block) = at(&params[0]) else { return Ok(Value::Null) };
                let mut receipts = self.receipts(block);
                if !receipts.is_empty() && self.fault(faults.omissions) {
                    let which = self.dice.below(receipts.len() as u64) as usize;
                    if let Some(logs) = receipts[which]["logs"].as_array_mut() {
                        logs.pop();
                    }
                }
                Ok(Value::Array(receipts))
            }
            "eth_getLogs" => self.logs(&chain, &params[0], faults),
            "eth_call" => {
                let answer = self.recording.calls.get(&call_key(&params[0]["to"], &params[0]["data"]));
                match answer {
                    Some(answer) if !answer.is_null() => Ok(answer.clone()),
                    _ => Err(json!({ "code": 3, "message": "execution reverted" })),
                }
            }
            _ => Err(json!({ "code": -32601, "message": format!("the method {method} does not exist") })),
        }
    }

    fn logs(&self, chain: &[Block], filter: &Value, faults: Faults) -> Result<Value, Value> {
        let (Some(from), Some(to)) = (number(&filter["fromBlock"]), number(&filter["toBlock"])) else {
            return Err(json!({ "code": -32602, "message": "invalid block range params" }));
        };
        if faults.max_blocks > 0 && to - from >= faults.max_blocks {
            self.made.fetch_add(1, Ordering::Relaxed);
            let most = faults.max_blocks;
            let words = [
                format!("eth_getLogs is limited to a {most} range"),
                format!("query exceeds max block range {most}"),
                format!("You can make eth_getLogs requests with up to a {most} block range."),
                format!(
                    "Query returned more than 10000 results. Try with this block range [{from:#x}, {:#x}].",
                    from + most - 1
                ),
                "block range is too wide".to_owned(),
            ];
            return Err(json!({ "code": -32602, "message": words[self.dice.below(words.len() as u64) as usize] }));
        }
        let asked = |log: &Value| {
            let address = filter["address"].as_array().is_none_or(|addresses| {
                addresses.iter().any(|address| {
                    address.as_str().map(str::to_lowercase) == log["address"].as_str().map(str::to_lowercase)
                })
            });
            address && (filter["topics"][0].is_null() || filter["topics"][0] == log["topics"][0])
        };
        let transfer_to = faults.hides_transfers_to.map(|account| {
            let transfer = keccak256("Transfer(address,address,uint256)");
            (json!(transfer), json!(account.into_word()))
        });
        let hidden = |log: &Value| {
            let drawn = || keccak256(log["topics"].to_string() + &log["data"].to_string()).0[0].is_multiple_of(3);
            let unwanted = |(transfer, to): &(Value, Value)| log["topics"][0] == *transfer && log["topics"][2] == *to;
            (faults.hides_logs && drawn()) || transfer_to.as_ref().is_some_and(unwanted)
        };
        let mut logs: Vec<Value> = chain
            .iter()
            .filter(|block| (from..=to).contains(&block.number))
            .flat_map(|block| self.receipts(*block))
            .filter_map(|receipt| receipt["logs"].as_array().cloned())
            .flatten()
            .filter(|log| asked(log) && !hidden(log))
            .collect();
        if !logs.is_empty() && self.fault(faults.omissions) {
            let gone = logs[self.dice.below(logs.len() as u64) as usize].clone();
            match self.dice.below(3) {
                // One log, all of a contract in a block, all of the block.
                0 => logs.retain(|log| log["logIndex"] != gone["logIndex"] || log["blockHash"] != gone["blockHash"]),
                1 => logs.retain(|log| log["address"] != gone["address"] || log["blockHash"] != gone["blockHash"]),
                _ => logs.retain(|log| log["blockHash"] != gone["blockHash"]),
            }
        }
        if !logs.is_empty() && self.fault(faults.removed) {
            let which = self.dice.below(logs.len() as u64) as usize;
            logs[which]["removed"] = json!(true);
        }
        Ok(Value::Array(logs))
    }

    fn respond(&self, call: &Value) -> Value {
        match self.call(call["method"].as_str().unwrap_or_default(), &call["params"]) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }),
            Err(error) => json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }),
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let faults = shared.faults();
    if shared.fault(faults.delays) {
        tokio::time::sleep(Duration::from_millis(shared.dice.below(60))).await;
    }
    if shared.fault(faults.errors / 4) {
        return (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response();
    }
    if shared.fault(faults.errors / 4) {
        return (StatusCode::SERVICE_UNAVAILABLE, "<html>gateway</html>").into_response();
    }
    let Ok(request) = serde_json::from_str::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let answer = match &request {
        Value::Array(calls) => Value::Array(calls.iter().rev().map(|call| shared.respond(call)).collect()),
        call => shared.respond(call),
    };
    let mut text = answer.to_string();
    if shared.fault(faults.errors / 4) {
        // The rest is lost on its way.
        text.truncate(text.len() / 2);
    }
    ([("content-type", "application/json")], text).into_response()
}
