//! A small election from the budget line to the recount.

use kopilka_tests::{RunningSystem, repository_root};
use serde_json::Value;

/// Replays the first voters of the invented town and returns the report.
pub(crate) fn replay(system: &RunningSystem, voters: &str) -> anyhow::Result<Value> {
    let report = system.data_dir.join("report.json");
    let election = repository_root().join("demo/Zarechensk_2026.pb");
    system.must(&["replay", &election.to_string_lossy(), "--voters", voters, "--report", &report.to_string_lossy()])?;
    Ok(serde_json::from_str(&std::fs::read_to_string(report)?)?)
}

fn kopecks(report: &Value, field: &str) -> u128 {
    report[field].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{field} in {report}"))
}

#[test]
fn an_election_runs_through_and_adds_up_to_the_kopeck() -> anyhow::Result<()> {
    let system = RunningSystem::start()?;
    let report = replay(&system, "60")?;
    assert_eq!(report["voters"], 60);
    assert_eq!(report["registered"], 60);
    assert_eq!(report["allocations"], 60);
    assert_eq!(report["rejected"].as_object().map(serde_json::Map::len), Some(0), "{report}");
    assert!(!report["winners"].as_array().expect("winners").is_empty(), "somebody wins");
    assert_eq!(
        kopecks(&report, "minted"),
        kopecks(&report, "spent") + kopecks(&report, "returned"),
        "TOK: minted = spent + returned"
    );
    assert!(kopecks(&report, "pledged") <= kopecks(&report, "minted"), "nobody pledges more than was minted");
    Ok(())
}
