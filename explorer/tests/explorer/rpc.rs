//! The public JSON-RPC, and what pages ask a node.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use kopilka_testkit::TestChain;
use serde_json::{Value, json};

use crate::fixture::Fixture;

async fn ask(explorer: &Fixture, call: &Value) -> Value {
    let request = Request::post("/api/eth-rpc")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, "https://elsewhere.example")
        .body(Body::from(call.to_string()))
        .unwrap();
    let (_, headers, body) = explorer.send(request).await;
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn reading_is_passed_on_and_writing_is_not() {
    let chain = TestChain::start().await.unwrap();
    let explorer = Fixture::start(chain.anvil.url().parse().unwrap()).await;
    let call = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });

    assert_eq!(ask(&explorer, &call(7, "eth_chainId", json!([]))).await["result"], "0x7a69");
    let batch =
        ask(&explorer, &json!([call(1, "eth_blockNumber", json!([])), call(2, "eth_chainId", json!([]))])).await;
    assert_eq!(batch.as_array().unwrap().len(), 2);
    let refused = ask(&explorer, &call(3, "eth_sendRawTransaction", json!(["0x00"]))).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(3), &json!(-32601)));
    let refused = ask(&explorer, &json!([call(1, "eth_chainId", json!([])), call(4, "evm_mine", json!([]))])).await;
    assert_eq!(refused[0]["id"], 4);
    assert_eq!(ask(&explorer, &json!([])).await["error"]["code"], -32600);
    let many: Vec<Value> = (0..101).map(|id| call(id, "eth_chainId", json!([]))).collect();
    assert_eq!(ask(&explorer, &json!(many)).await["error"]["code"], -32600);

    let (_, _, body) = explorer.get("/api/eth-rpc?method=eth_chainId").await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["result"], "0x7a69");
    assert!(explorer.page("/api/eth-rpc").await.contains("eth_getLogs"));

    // Pages show what only the node knows.
    let owner = chain.account(0).unwrap();
    assert!(explorer.page(&format!("/address/{owner:#x}")).await.contains("ETH"));
    let contract = explorer.page(&format!("/address/{:#x}", chain.deployment.rounds)).await;
    assert!(contract.contains("Контракт"), "{contract}");
}

#[tokio::test]
async fn rubbish_gets_an_answer() {
    let explorer = Fixture::without_node().await;
    let request = Request::post("/api/eth-rpc").body(Body::from("{")).unwrap();
    let (status, _, body) = explorer.send(request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["error"]["code"], -32700);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": [] });
    assert_eq!(ask(&explorer, &call).await["error"]["code"], -32603, "a node that is away is told as such");
}
