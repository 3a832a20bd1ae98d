//! kill -9 of all services in the middle of an election.

use std::process::Stdio;
use std::time::{Duration, Instant};

use alloy::network::EthereumWallet;
use alloy::providers::{Provider as _, ProviderBuilder};
use anyhow::ensure;
use kopilka_tests::{RunningSystem, repository_root};
use serde_json::Value;

#[test]
fn every_accepted_message_takes_effect_once_through_kill_minus_nine() -> anyhow::Result<()> {
    let mut system = RunningSystem::start()?;
    let report = system.data_dir.join("report.json");
    let election = repository_root().join("demo/Zarechensk_2026.pb");
    let mut replay = system
        .command(&[
            "replay",
            &election.to_string_lossy(),
            "--voters",
            "240",
            "--concurrency",
            "8",
            "--report",
            &report.to_string_lossy(),
        ])?
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(system.data_dir.join("replay.log"))?)
        .spawn()?;

    for registered in [40, 160] {
        wait_for_registrations(&system, registered)?;
        system.kill()?;
        system.restart()?;
    }

    let status = replay.wait()?;
    let log = std::fs::read_to_string(system.data_dir.join("replay.log"))?;
    ensure!(status.success(), "the replay did not survive the crashes: {log}");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report)?)?;
    assert_eq!(report["registered"], 240, "nobody is lost and nobody is registered twice: {report}");
    assert_eq!(report["allocations"], 240, "{report}");
    // The audit compares every event with the contracts' state and the indexer's tables with the events.
    let audit = system.must(&["audit", "--database"])?;
    assert!(audit.contains("registered 240") && audit.contains("allocations 240"), "{audit}");
    // And so does the index itself, row by row, with a clean run over the node's chain.
    let verified = system.must(&["indexer", "verify"])?;
    assert!(verified.contains("rows are those of a clean run"), "{verified}");
    Ok(())
}

/// Waits until the chain itself, not our services, shows so many registrations.
fn wait_for_registrations(system: &RunningSystem, count: u32) -> anyhow::Result<()> {
    use kopilka_bindings::budget_round::BudgetRound;
    use kopilka_bindings::budget_rounds::BudgetRounds;

    let described = system.system()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let provider =
            ProviderBuilder::new().wallet(EthereumWallet::default()).connect_http(described.rpc_url.clone()).erased();
        let rounds = BudgetRounds::new(described.deployment.rounds, provider.clone());
        let until = Instant::now() + Duration::from_secs(240);
        loop {
            if rounds.roundCount().call().await?.to::<u64>() > 0 {
                let round = rounds.roundAt(alloy::primitives::U256::from(1)).call().await?.round;
                if BudgetRound::new(round, provider.clone()).registeredCount().call().await? >= count {
                    return Ok(());
                }
            }
            ensure!(Instant::now() < until, "the chain never showed {count} registrations");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}
