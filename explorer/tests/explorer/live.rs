//! Pages that change while they are read.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures::StreamExt as _;
use kopilka_store::chain::state::notify_head;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::fixture::{Fixture, OPEN, SETTLED, UNUSED};

#[tokio::test]
async fn a_commit_of_the_indexer_reaches_open_pages() {
    let explorer = Fixture::without_node().await;
    let request = Request::get(format!("/round/{OPEN:#x}/events?lang=en")).body(Body::empty()).unwrap();
    let response = explorer.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let first = event(&mut events).await;
    assert_eq!(first["phase"], "pledging");
    assert_eq!(first["initiatives"][0]["supporters"], "60 supporters");
    assert_eq!(first["initiatives"][0]["percent"], "0%");

    sqlx::query("update chain.initiatives set pledged = 75000, supporters = 61 where round = $1")
        .bind(OPEN.to_vec())
        .execute(&explorer.pool)
        .await
        .unwrap();
    let told = async {
        // The listener may still be on its way: the indexer's next commit notifies again.
        loop {
            let mut connection = explorer.pool.acquire().await.unwrap();
            notify_head(&mut connection, &format!(r#"{{"rounds":["{SETTLED:#x}","{OPEN:#x}"]}}"#)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let next = tokio::select! {
        next = event(&mut events) => next,
        () = told => unreachable!("the loop has no end"),
    };
    let wallet = &next["initiatives"][0];
    assert_eq!(wallet["supporters"], "61 supporters");
    assert_eq!((&wallet["percent"], &wallet["full"], &wallet["level"]), (&"150%".into(), &true.into(), &666.into()));
    assert_eq!(wallet["pledged"], "₽750");
}

#[tokio::test]
async fn the_state_can_be_asked_for_once() {
    let explorer = Fixture::without_node().await;
    let (_, _, body) = explorer.get(&format!("/round/{SETTLED:#x}/wallets.json")).await;
    let state: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(state["initiatives"].as_array().unwrap().len(), 3);
    assert_eq!(explorer.get(&format!("/round/{UNUSED:#x}/events")).await.0, 404);
}

/// The next event of a stream, whatever comments stand before it.
async fn event(events: &mut axum::body::BodyDataStream) -> Value {
    let mut text = String::new();
    let wait = async {
        while let Some(chunk) = events.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
            if let Some(data) =
                text.lines().find_map(|line| line.strip_prefix("data: ")).filter(|_| text.ends_with("\n\n"))
            {
                return serde_json::from_str(data).unwrap();
            }
        }
        panic!("the stream ended");
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("an event comes")
}

#[tokio::test]
async fn open_pages_do_not_keep_the_service_alive() {
    let explorer = Fixture::without_node().await;
    let request = Request::get(format!("/round/{OPEN:#x}/events")).body(Body::empty()).unwrap();
    let mut events = explorer.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    event(&mut events).await;
    drop(explorer);
    let rest = async { while events.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(20), rest).await.expect("the stream ends with the service");
}
