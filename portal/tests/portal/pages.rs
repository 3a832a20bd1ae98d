//! Pages and totals over an index that holds one round.

use futures::StreamExt as _;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::world::{Citizen, Round, RoundOptions, World};

/// What the indexer would have written.
async fn index(world: &World, round: &Round) {
    let pool = &world.database.pool;
    sqlx::raw_sql(
        "insert into chain.municipalities values (1, '16701000', 'Зареченск', decode(repeat('01', 32), 'hex'), 1, 0)",
    )
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into chain.rounds (address, round_id, municipality_id, token, ballot_kind, allotment, rule, completion_raise,
             completion_fill, share_points, threshold, fixed_amount, registration_until, pledging_until,
             objection_period_seconds, content_hash, created_at, tx_hash, block_number, log_index, phase, budget, registered, pledging_at)
         values ($1, 1, 1, $2, 'cumulative', 'equal', 'equal-shares', true, true, 10, 0, 0, '2026-01-01 09:00Z', '2026-01-11 09:00Z', 1,
             decode(repeat('07', 32), 'hex'), now(), decode(repeat('01', 32), 'hex'), 1, 0, 'pledging', 100000000, 3,
             '2026-02-01 10:00Z')",
    )
    .bind(round.address.to_vec())
    .bind(vec![5_u8; 20])
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into chain.initiatives (round, initiative_id, cost, content_hash, wallet, tx_hash, block_number, log_index,
             supporters, points, balance, pledged)
         values ($1, 1, 1000000, decode(repeat('09', 32), 'hex'), $2, decode(repeat('01', 32), 'hex'), 1, 1, 2, 7, 250000, 250000)",
    )
    .bind(round.address.to_vec())
    .bind(vec![6_u8; 20])
    .execute(pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn pages_are_complete_without_scripts() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let reader = Citizen::new(world.portal.clone());
    let (status, empty) = reader.page("").await;
    assert_eq!(status, StatusCode::OK);
    assert!(empty.contains("Войти через Госуслуги"));
    index(&world, &round).await;
    let address = round.address;
    for (path, needed) in [
        (String::new(), "Зареченск"),
        (format!("rounds/{address}"), "2\u{a0}500\u{a0}₽"),
        // Ten days from the opening, which came a month late.
        (format!("rounds/{address}"), "11.02.2026, 13:00"),
        (format!("rounds/{address}/initiatives/1"), "10\u{a0}000\u{a0}₽"),
        (format!("rounds/{address}/take-part"), "id=\"flow\""),
        (format!("rounds/{address}/check"), "id=\"check\""),
        ("restore".to_owned(), "id=\"restore\""),
        ("honest".to_owned(), "продать голос"),
    ] {
        let (status, page) = reader.page(&path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains(needed), "{path}: {page}");
        assert!(!page.contains('\u{2329}'), "{path}: a message is missing");
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
    }
    for path in ["rounds/0x1", "rounds/0x0000000000000000000000000000000000000001", "nothing"] {
        assert_eq!(reader.page(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(reader.page(&format!("rounds/{address}/initiatives/2")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn scripts_may_reach_the_relayer_and_the_node_only() {
    let world = World::start().await;
    let response = Citizen::new(world.portal.clone()).get("").await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("connect-src 'self' http://relayer.example http://explorer.example;"), "{policy}");
    assert!(policy.contains("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn totals_are_told_as_they_change() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    index(&world, &round).await;
    let base = format!("api/v1/rounds/{}/totals", round.address);
    let totals: Value = Client::new().get(world.url(&base)).send().await.unwrap().json().await.unwrap();
    assert_eq!(totals["registered"], 3);
    assert_eq!(totals["initiatives"][0]["pledged"], "250000");
    assert_eq!(totals["initiatives"][0]["filled"], 2500);

    let mut events = Client::new().get(world.url(&format!("{base}/events"))).send().await.unwrap().bytes_stream();
    let mut heard = String::new();
    let mut pool_told = false;
    // The first event comes at once, the second after the index has changed.
    while !heard.contains("\"pledged\":\"750000\"") {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), events.next()).await.unwrap();
        heard.push_str(std::str::from_utf8(&next.unwrap().unwrap()).unwrap());
        if !pool_told && heard.contains("\"pledged\":\"250000\"") {
            pool_told = true;
            let pool = &world.database.pool;
            sqlx::raw_sql("update chain.initiatives set pledged = 750000; notify chain_head, '2'")
                .execute(pool)
                .await
                .unwrap();
        }
    }
    assert!(heard.starts_with("event: totals"), "{heard}");
}
