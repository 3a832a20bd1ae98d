//! Published texts.

use alloy::primitives::keccak256;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::world::{STAFF_TOKEN, World, problem};

#[tokio::test]
async fn documents_come_back_byte_for_byte() {
    let world = World::start().await;
    let body = "{ \"kind\":\"initiative\",\n\"title\":\"Двор\", \"description\":\"Лавки\", \"place\":\"ул. Мира\", \"x\":1 }\n";
    let put = |body: &'static str| {
        let request = Client::new().put(world.url("api/v1/documents")).bearer_auth(STAFF_TOKEN);
        async move { request.body(body).send().await.unwrap() }
    };
    let stored: Value = put(body).await.json().await.unwrap();
    assert_eq!(stored["hash"], keccak256(body).to_string());
    assert_eq!(put(body).await.status(), StatusCode::OK);
    let hash = stored["hash"].as_str().unwrap();
    let got = Client::new().get(world.url(&format!("documents/{hash}"))).send().await.unwrap();
    assert_eq!(got.headers()["access-control-allow-origin"], "*");
    assert!(got.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(got.bytes().await.unwrap(), body.as_bytes());

    for bad in [
        "",
        "{}",
        "{\"kind\":\"round\",\"title\":\"\",\"description\":\"\"}",
        "{\"kind\":\"vote\",\"title\":\"a\",\"description\":\"b\"}",
    ] {
        let (status, kind) = problem(put(bad).await).await;
        assert_eq!((status, kind.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "document-malformed"), "{bad}");
    }
    let unknown =
        Client::new().get(world.url(&format!("documents/0x{}", "00".repeat(32)))).header("accept", "application/json");
    assert_eq!(problem(unknown.send().await.unwrap()).await.1, "document-unknown");
}
