//! What stays behind: nothing that names a person, nothing that tells an order.

use futures::future::join_all;
use kopilka_esia::standin::{generated_oid, named};
use serde_json::Value;

use crate::world::{RoundOptions, World};

/// Every row of every table of the schema, as text.
async fn dump(world: &World) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_schema || '.' || table_name from information_schema.tables where table_schema in ('portal', 'public')",
    )
    .fetch_all(&world.database.pool)
    .await
    .unwrap();
    let mut text = String::new();
    for table in tables {
        let query = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} t");
        let rows: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&world.database.pool).await.unwrap();
        text.push_str(&format!("{table}\n{rows}\n"));
    }
    text
}

#[tokio::test]
async fn the_database_names_nobody_and_tells_no_order() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let oids: Vec<_> = (0..20).map(|index| generated_oid(0, index)).chain([named::RESIDENT]).collect();
    let mut accounts = Vec::new();
    for oid in &oids {
        accounts.push(world.citizen(*oid).await.credential(&round).await.account);
    }
    let text = dump(&world).await;
    assert!(text.contains("portal.issuances"));
    for oid in &oids {
        assert!(!text.contains(&oid.get().to_string()));
        assert!(!text.contains(&hex::encode(oid.get().to_be_bytes())));
    }
    for account in accounts {
        assert!(!text.contains(&account.to_string()[2..]));
    }
    for personal in ["127.0.0.1", "Берёзкина", "Зареченск", "1988"] {
        assert!(!text.contains(personal), "{personal}");
    }
    let columns: Vec<String> = sqlx::query_scalar(
        "select column_name::text from information_schema.columns where table_schema = 'portal' and table_name = 'issuances' order by 1",
    )
    .fetch_all(&world.database.pool)
    .await
    .unwrap();
    assert_eq!(columns, ["blinded_hash", "class", "person_tag", "round"]);

    // Issued one after the other: before compaction the rows' ids of transactions tell the order, afterwards nothing does.
    let order = "select person_tag, xmin::text, ctid::text from portal.issuances order by issuances.ctid";
    let before: Vec<(Vec<u8>, String, String)> = sqlx::query_as(order).fetch_all(&world.database.pool).await.unwrap();
    let compacted: Value = world.staff("POST", "api/v1/staff/compact-issuances", None).await.json().await.unwrap();
    assert_eq!(compacted["rows"], 21);
    let after: Vec<(Vec<u8>, String, String)> = sqlx::query_as(order).fetch_all(&world.database.pool).await.unwrap();
    let mut sorted: Vec<_> = before.iter().map(|(tag, ..)| tag.clone()).collect();
    sorted.sort();
    assert_eq!(after.iter().map(|(tag, ..)| tag.clone()).collect::<Vec<_>>(), sorted);
    assert!(after.iter().all(|(_, xmin, _)| *xmin == after[0].1));
}

#[tokio::test]
async fn compaction_goes_on_beside_issuing_and_at_the_end() {
    let mut world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let citizens = join_all((0..30).map(|index| world.citizen(generated_oid(0, index)))).await;
    let compactions = async {
        for _ in 0..10 {
            let answer = world.staff("POST", "api/v1/staff/compact-issuances", None).await;
            assert!(answer.status().is_success());
        }
    };
    let (issued, ()) = tokio::join!(join_all(citizens.iter().map(|citizen| citizen.credential(&round))), compactions);
    assert_eq!(issued.len(), 30);
    world.stop().await;
    let rows: Vec<(Vec<u8>, String)> =
        sqlx::query_as("select person_tag, xmin::text from portal.issuances order by ctid")
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    assert_eq!(rows.len(), 30);
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "in the order of tags");
    assert!(rows.iter().all(|(_, xmin)| *xmin == rows[0].1), "all by one transaction");
}
