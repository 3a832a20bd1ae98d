//! A node that lies, forgets and stays silent: stands between a relayer and anvil.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::consensus::transaction::SignerRecoverable as _;
use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::Decodable2718 as _;
use alloy::primitives::{Address, B256, hex};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use url::Url;

/// What goes wrong, as probabilities from 0 to 1 for each request unless said otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// The request never arrives; the connection breaks.
    pub drop_request: f64,
    /// The request is carried out; the connection breaks before the answer.
    pub drop_response: f64,
    /// The answer takes up to 400 ms.
    pub delay: f64,
    /// 429 or 503.
    pub refuse: f64,
    /// A JSON-RPC error without meaning.
    pub error: f64,
    /// A read is answered as of up to this many blocks ago (a number of blocks).
    pub stale: u64,
    /// A raw transaction is taken and forgotten.
    pub swallow: f64,
    /// Added to what the node says an account's nonce is.
    pub nonce_offset: i64,
    /// Nothing is answered at all.
    pub outage: bool,
}

/// A pooled transaction as the proxy remembers it, for geth's rule of replacement.
#[derive(Debug, Clone, Copy)]
struct Pooled {
    hash: B256,
    max_fee: u128,
    tip: u128,
}

struct State {
    upstream: String,
    http: reqwest::Client,
    rng: Mutex<StdRng>,
    weather: Mutex<Weather>,
    pool: Mutex<HashMap<(Address, u64), Pooled>>,
}

/// The proxy; ends when dropped.
pub struct Proxy {
    pub url: Url,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub async fn start(upstream: String, seed: u64) -> anyhow::Result<Self> {
        let state = Arc::new(State {
            upstream,
            http: reqwest::Client::new(),
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
            weather: Mutex::default(),
            pool: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?).parse()?;
        let router = Router::new().route("/", post(answer)).with_state(state.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, state, task })
    }

    pub fn set(&self, weather: Weather) {
        *self.state.weather.lock().unwrap() = weather;
    }
}

/// An answer that breaks off: what a lost connection looks like.
fn broken() -> Response {
    let end = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("connection lost")) });
    Body::from_stream(end).into_response()
}

async fn answer(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let weather = *state.weather.lock().unwrap();
    let rolls: [f64; 5] = {
        let mut rng = state.rng.lock().unwrap();
        std::array::from_fn(|_| rng.random())
    };
    if weather.outage || rolls[0] < weather.drop_request {
        return broken();
    }
    if rolls[1] < weather.refuse {
        let status = if rolls[1] < weather.refuse / 2.0 {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        return (status, "try later").into_response();
    }
    if rolls[2] < weather.delay {
        tokio::time::sleep(Duration::from_millis((rolls[2] / weather.delay * 400.0) as u64)).await;
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let result = match &request {
        Value::Array(calls) => {
            let mut answers = Vec::with_capacity(calls.len());
            for call in carried(&state, weather, calls).await {
                answers.push(call);
            }
            Value::Array(answers)
        }
        single => carried(&state, weather, std::slice::from_ref(single)).await.into_iter().next().unwrap_or_default(),
    };
    if rolls[3] < weather.drop_response {
        return broken();
    }
    if rolls[4] < weather.error {
        let error =
            json!({"jsonrpc": "2.0", "id": request.get("id"), "error": {"code": -32603, "message": "internal error"}});
        return axum::Json(error).into_response();
    }
    axum::Json(result).into_response()
}

/// Carries calls out, each as the weather lets it.
async fn carried(state: &State, weather: Weather, calls: &[Value]) -> Vec<Value> {
    let ago = if weather.stale > 0 { state.rng.lock().unwrap().random_range(0..=weather.stale) } else { 0 };
    let view = if ago > 0 {
        upstream(state, &json!({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}))
            .await
            .and_then(|head| number(&head["result"]))
            .map(|head| head.saturating_sub(ago))
    } else {
        None
    };
    let mut sent = Vec::new();
    let mut answers: Vec<Option<Value>> = Vec::with_capacity(calls.len());
    for call in calls {
        let reply = match call["method"].as_str() {
            Some("eth_sendRawTransaction") => raw_transaction(state, weather, call).await,
            _ => None,
        };
        if reply.is_none() {
            sent.push(aged(call, view));
        }
        answers.push(reply);
    }
    let mut received = match sent.len() {
        0 => Vec::new(),
        1 => vec![upstream(state, &sent[0]).await.unwrap_or_default()],
        _ => match upstream(state, &Value::Array(sent.clone())).await {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        },
    };
    for answer in &mut received {
        let method = sent.iter().find(|call| call["id"] == answer["id"]).and_then(|call| call["method"].as_str());
        if let Some(method) = method {
            let method = method.to_owned();
            distort(&method, answer, view, weather);
        }
    }
    let mut received = received.into_iter();
    answers.into_iter().filter_map(|answer| answer.or_else(|| received.next())).collect()
}

async fn upstream(state: &State, request: &Value) -> Option<Value> {
    state.http.post(&state.upstream).json(request).send().await.ok()?.json().await.ok()
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// The call as of an earlier block.
fn aged(call: &Value, view: Option<u64>) -> Value {
    let mut call = call.clone();
    let Some(view) = view else { return call };
    let at = match call["method"].as_str().unwrap_or_default() {
        "eth_getBlockByNumber" => 0,
        "eth_call" | "eth_getTransactionCount" | "eth_getBalance" | "eth_feeHistory" => 1,
        "eth_getLogs" => {
            call["params"][0]["toBlock"] = json!(format!("{view:#x}"));
            return call;
        }
        _ => return call,
    };
    let is_later = number(&call["params"][at]).is_none_or(|block| block > view);
    if is_later && call["method"] != "eth_getBlockByNumber" || call["params"][at] == "latest" {
        call["params"][at] = json!(format!("{view:#x}"));
    }
    call
}

/// What a node that is behind, or counts wrongly, would say instead.
fn distort(method: &str, answer: &mut Value, view: Option<u64>, weather: Weather) {
    match method {
        "eth_getTransactionReceipt" => {
            if let (Some(view), Some(block)) = (view, number(&answer["result"]["blockNumber"]))
                && block > view
            {
                answer["result"] = Value::Null;
            }
        }
        "eth_getBlockByNumber" => {
            if let (Some(view), Some(block)) = (view, number(&answer["result"]["number"]))
                && block > view
            {
                answer["result"] = Value::Null;
            }
        }
        "eth_getTransactionCount" if weather.nonce_offset != 0 => {
            if let Some(nonce) = number(&answer["result"]) {
                answer["result"] = json!(format!("{:#x}", nonce.saturating_add_signed(weather.nonce_offset)));
            }
        }
        _ => {}
    }
}

/// The pool as geth keeps it: forgets, knows, and wants a tenth more for a replacement. `None`: anvil decides.
async fn raw_transaction(state: &State, weather: Weather, call: &Value) -> Option<Value> {
    let bytes = hex::decode(call["params"][0].as_str()?).ok()?;
    let transaction = TxEnvelope::decode_2718(&mut bytes.as_slice()).ok()?;
    let hash = *transaction.tx_hash();
    if state.rng.lock().unwrap().random::<f64>() < weather.swallow {
        return Some(json!({"jsonrpc": "2.0", "id": call["id"], "result": hash}));
    }
    let key = (transaction.recover_signer().ok()?, transaction.nonce());
    let new = Pooled {
        hash,
        max_fee: transaction.max_fee_per_gas(),
        tip: transaction.max_priority_fee_per_gas().unwrap_or_default(),
    };
    let error =
        |text: &str| Some(json!({"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": text}}));
    let known = state.pool.lock().unwrap().get(&key).copied();
    if let Some(known) = known {
        let question = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionByHash", "params": [known.hash]});
        let found = upstream(state, &question).await.unwrap_or_default();
        let is_pooled = found["result"].is_object() && found["result"]["blockNumber"].is_null();
        if is_pooled && known.hash == hash {
            return error("already known");
        }
        let enough = |old: u128, new: u128| new >= old + old / 10;
        if is_pooled && !(enough(known.max_fee, new.max_fee) && enough(known.tip, new.tip)) {
            return error("replacement transaction underpriced");
        }
    }
    let answer = upstream(state, call).await?;
    if answer["result"].is_string() {
        state.pool.lock().unwrap().insert(key, new);
    }
    Some(answer)
}
