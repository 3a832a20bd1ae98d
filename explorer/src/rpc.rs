//! The node: what pages ask it, and the public read-only JSON-RPC at `/api/eth-rpc`.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256};
use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use kopilka_web::{Page, WebResult};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};
use url::Url;

use crate::pages;
use crate::state::Explorer;

/// What the public may ask.
pub(crate) const ALLOWED: [&str; 13] = [
    "eth_blockNumber",
    "eth_chainId",
    "eth_call",
    "eth_getLogs",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_getTransactionCount",
    "eth_getCode",
    "eth_getBalance",
    "eth_getStorageAt",
    "net_version",
];

/// Calls in one batch.
pub(crate) const BATCH: usize = 100;
/// Longest body of a request.
const BODY: usize = 512 * 1024;

/// The node, asked over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    client: reqwest::Client,
    url: Url,
}

/// A transaction as the node tells it; with the fields that a page shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeTransaction {
    pub(crate) from: Address,
    pub(crate) to: Option<Address>,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    pub(crate) nonce: U256,
    pub(crate) gas: U256,
    pub(crate) block_number: Option<U256>,
}

/// An answer of JSON-RPC.
#[derive(Debug, Deserialize)]
struct Answer<T> {
    result: Option<T>,
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
    #[serde(default)]
    data: Value,
}

impl Node {
    pub(crate) fn new(url: Url) -> Self {
        Self { client: reqwest::Client::new(), url }
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> anyhow::Result<Answer<T>> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self
            .client
            .post(self.url.clone())
            .timeout(Duration::from_secs(3))
            .json(&call)
            .send()
            .await
            .context("the node cannot be reached")?;
        answer.json().await.context("the node's answer is not JSON-RPC")
    }

    async fn get<T: DeserializeOwned>(&self, method: &str, params: Value) -> anyhow::Result<Option<T>> {
        let answer = self.ask(method, params).await?;
        if let Some(error) = answer.error {
            anyhow::bail!("the node refused {method}: {}", error.message);
        }
        Ok(answer.result)
    }

    /// Wei of an address; none when the node is away.
    pub(crate) async fn balance(&self, address: Address) -> Option<U256> {
        logged(self.get("eth_getBalance", json!([address, "latest"])).await)
    }

    /// Bytes of code at an address; none when the node is away.
    pub(crate) async fn code_size(&self, address: Address) -> Option<usize> {
        logged(self.get::<Bytes>("eth_getCode", json!([address, "latest"])).await).map(|code| code.len())
    }

    /// A transaction that the index does not have.
    pub(crate) async fn transaction(&self, hash: B256) -> Option<NodeTransaction> {
        logged(self.get("eth_getTransactionByHash", json!([hash])).await)
    }

    /// What a call answers on top of a block when the contract refuses it: the data of the refusal.
    pub(crate) async fn refusal(&self, call: Value, block: i64) -> Option<Bytes> {
        let answer = self.ask::<Value>("eth_call", json!([call, format!("0x{block:x}")])).await.ok()?;
        refusal_data(&answer.error?.data)
    }
}

/// Nodes put the data of a refusal into `error.data`, or one level deeper.
fn refusal_data(data: &Value) -> Option<Bytes> {
    data.as_str().or_else(|| data.get("data")?.as_str())?.parse().ok()
}

fn logged<T>(answer: anyhow::Result<Option<T>>) -> Option<T> {
    answer.unwrap_or_else(|error| {
        tracing::warn!(error = %format!("{error:#}"), "a page shows less than it could: the node did not answer");
        None
    })
}

/// `/api/eth-rpc`, open to pages of other sites.
pub(crate) fn routes() -> Router<Explorer> {
    let cors = CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any);
    Router::new().route("/api/eth-rpc", get(by_query).post(by_body)).layer(DefaultBodyLimit::max(BODY)).layer(cors)
}

/// `GET /api/eth-rpc?method=eth_blockNumber&params=[]`.
#[derive(Debug, Deserialize)]
struct Asked {
    method: Option<String>,
    params: Option<String>,
}

async fn by_query(page: Page, State(explorer): State<Explorer>, Query(asked): Query<Asked>) -> WebResult<Response> {
    let Some(method) = asked.method else {
        return Ok(pages::rpc::describe(page, &explorer));
    };
    let Ok(params) = serde_json::from_str::<Value>(asked.params.as_deref().unwrap_or("[]")) else {
        return Ok(answer(&failure(
            Value::from(1),
            -32602,
            "params is not JSON; expected an array such as [\"latest\"]",
        )));
    };
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    Ok(forward(&explorer, call).await)
}

async fn by_body(State(explorer): State<Explorer>, body: axum::body::Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(call) => forward(&explorer, call).await,
        Err(_) => answer(&failure(Value::Null, -32700, "the body is not JSON")),
    }
}

async fn forward(explorer: &Explorer, call: Value) -> Response {
    let refused = match &call {
        Value::Array(calls) if calls.is_empty() => Some(failure(Value::Null, -32600, "the batch is empty")),
        Value::Array(calls) if calls.len() > BATCH => Some(failure(
            Value::Null,
            -32600,
            &format!("a batch has at most {BATCH} calls, this one has {}", calls.len()),
        )),
        // One forbidden call does not spoil a batch for the node's sake: the caller learns which one it is.
        Value::Array(calls) => {
            let refusals: Vec<Value> = calls.iter().filter_map(refusal).collect();
            (!refusals.is_empty()).then(|| Value::from(refusals))
        }
        single => refusal(single),
    };
    if let Some(refused) = refused {
        return answer(&refused);
    }
    let node = &explorer.node;
    let sent = node.client.post(node.url.clone()).timeout(Duration::from_secs(60)).json(&call).send().await;
    match sent {
        Ok(sent) if sent.status().is_success() => {
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(sent.bytes_stream())).into_response()
        }
        Ok(sent) => {
            tracing::warn!(status = sent.status().as_u16(), "the node refused a call of the public");
            unavailable(&call)
        }
        Err(error) => {
            tracing::warn!(error = %error.without_url(), "the node did not answer a call of the public");
            unavailable(&call)
        }
    }
}

fn unavailable(call: &Value) -> Response {
    let id = call.get("id").cloned().unwrap_or(Value::Null);
    let mut response = answer(&failure(id, -32603, "the node did not answer, try again later"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

/// Why a call may not go to the node.
fn refusal(call: &Value) -> Option<Value> {
    let id = call.get("id").cloned().unwrap_or(Value::Null);
    match call.get("method").and_then(Value::as_str) {
        Some(method) if ALLOWED.contains(&method) => None,
        Some(method) => {
            Some(failure(id, -32601, &format!("{method} is not offered here; offered are {}", ALLOWED.join(", "))))
        }
        None => Some(failure(id, -32600, "a call is an object with method and params")),
    }
}

fn failure(id: Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

fn answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_is_offered() {
        assert_eq!(refusal(&json!({ "id": 7, "method": "eth_call" })), None);
        let refused = refusal(&json!({ "id": 7, "method": "eth_sendRawTransaction" })).unwrap();
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(7), &json!(-32601)));
        assert_eq!(refusal(&json!(5)).unwrap()["error"]["code"], -32600);
    }

    #[test]
    fn refusals_are_found_in_either_place() {
        let data: Bytes = "0x1234".parse().unwrap();
        assert_eq!(refusal_data(&json!("0x1234")), Some(data.clone()));
        assert_eq!(refusal_data(&json!({ "data": "0x1234" })), Some(data));
        assert_eq!(refusal_data(&Value::Null), None);
    }
}
