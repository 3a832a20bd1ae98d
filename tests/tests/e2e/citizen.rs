//! A citizen's whole way in Chromium, on a phone-sized screen.

use std::process::Command;

use anyhow::ensure;
use kopilka_tests::{RunningSystem, repository_root};

#[test]
fn a_citizen_takes_part_with_a_phone() -> anyhow::Result<()> {
    let system = RunningSystem::start()?;
    let output = Command::new("node")
        .arg("tests/browser/citizen.mjs")
        .arg(&system.data_dir)
        .arg(kopilka_tests::kopilka_binary()?)
        .current_dir(repository_root())
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the citizen did not get through:\n{said}");
    Ok(())
}
