//! CSV, Pabulib, JSON.

use axum::http::{StatusCode, header};
use kopilka_domain::pabulib::Instance;
use kopilka_domain::settlement::{Election, settle};
use kopilka_domain::{Completion, Rule};

use crate::fixture::{Fixture, OPEN, SETTLED, TOKEN, citizen, election};

#[tokio::test]
async fn transfers_and_allocations_are_complete() {
    let explorer = Fixture::without_node().await;
    let (status, headers, csv) = explorer.get(&format!("/token/{TOKEN:#x}/transfers.csv")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("attachment"));
    let lines: Vec<&str> = csv.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert_eq!(lines[0], "block,log_index,time,transaction,from,to,amount");
    assert!(lines[1].ends_with(&format!("0x0000000000000000000000000000000000000000,{TOKEN:#x},1000.00")), "{csv}");

    let (_, _, csv) = explorer.get(&format!("/round/{OPEN:#x}/allocations.csv")).await;
    assert_eq!(csv.trim_end().split("\r\n").count(), 61);
    let (_, _, csv) = explorer.get(&format!("/round/{SETTLED:#x}/allocations.csv")).await;
    assert!(
        csv.contains(&format!("{:#x},1,false,3,10\r\n", citizen(1)))
            && csv.contains(&format!("{:#x},2,true,1 2,4 6\r\n", citizen(1))),
        "{csv}"
    );
}

#[tokio::test]
async fn outside_counters_get_the_same_election() {
    let explorer = Fixture::without_node().await;
    let (_, _, pb) = explorer.get(&format!("/round/{SETTLED:#x}/election.pb")).await;
    let instance = Instance::parse(&pb).unwrap();
    let outcome = settle(&instance.election(Rule::EqualShares, Completion::FULL, 0)).unwrap();
    assert_eq!(outcome.winner_ids(), explorer.outcome.winner_ids());
    assert_eq!(instance.official_winners(), Some(explorer.outcome.winner_ids()));
    assert!(pb.contains("Лавочки") && pb.contains("Город Зареченск"));

    let (_, _, json) = explorer.get(&format!("/round/{SETTLED:#x}/election.json")).await;
    let read: Election = serde_json::from_str(&json).unwrap();
    assert_eq!(read, election());
    assert_eq!(settle(&read).unwrap().transcript.digest(), explorer.outcome.transcript.digest());
}
