//! Real elections of Pabulib, where they are at hand: the official winners, and the figures published for them.

use std::path::PathBuf;

use kopilka_domain::pabulib::Instance;
use kopilka_domain::settlement::{Outcome, settle};
use kopilka_domain::{Completion, InitiativeId, Percent, Rule};

/// The file, or `None` with a line that says so where the folder is absent.
fn instance(name: &str) -> Option<Instance> {
    let folder = std::env::var_os("KOPILKA_PABULIB_DIR")
        .map_or_else(|| PathBuf::from("../../../shared/data/pabulib"), PathBuf::from);
    let Ok(bytes) = std::fs::read(folder.join(name)) else {
        eprintln!("skipped: {name} is not in {} (set KOPILKA_PABULIB_DIR)", folder.display());
        return None;
    };
    Some(Instance::from_bytes(&bytes).expect("the file is well-formed"))
}

fn outcome(instance: &Instance, rule: Rule, completion: Completion) -> Outcome {
    settle(&instance.election(rule, completion, instance.threshold())).expect("the election is consistent")
}

/// Winners, and voters with nothing in tenths of a per cent.
fn figures(outcome: &Outcome) -> (usize, u32) {
    let nothing = Percent::of(outcome.voters_with_nothing.into(), outcome.voters.into());
    (outcome.winners.len(), (nothing.0 + 5) / 10)
}

const RAISE: Completion = Completion { raise: true, fill: false };

#[test]
fn wieliczka_has_its_thirty_official_winners() {
    let Some(instance) = instance("Poland_Wieliczka_2023_Green_Budget.pb") else { return };
    let shares = outcome(&instance, Rule::EqualShares, Completion::FULL);
    assert_eq!(Some(shares.winner_ids()), instance.official_winners());
    assert_eq!(figures(&shares), (30, 178));
    assert_eq!(figures(&outcome(&instance, Rule::Greedy, Completion::FULL)), (23, 276));
}

#[test]
fn assen_has_its_nine_official_winners() {
    let Some(instance) = instance("Netherlands_Assen_2024.pb") else { return };
    let raised = outcome(&instance, Rule::EqualShares, RAISE);
    assert_eq!(raised.winners.len(), 9);
    assert_eq!(Some(raised.winner_ids()), instance.official_winners());
}

#[test]
fn czestochowa_2025_has_its_official_winners_by_the_greedy_rule() {
    let Some(instance) = instance("Poland_Czestochowa_2025.pb") else { return };
    assert_eq!(instance.threshold(), 1_000);
    let greedy = outcome(&instance, Rule::Greedy, Completion::FULL);
    assert_eq!(Some(greedy.winner_ids()), instance.official_winners());
}

#[test]
fn toulouse_and_czestochowa_have_their_published_figures() {
    for (name, greedy, shares) in
        [("France_Toulouse_2019.pb", (14, 64), (22, 47)), ("Poland_Czestochowa_2020.pb", (7, 765), (35, 572))]
    {
        let Some(instance) = instance(name) else { continue };
        assert_eq!(figures(&outcome(&instance, Rule::Greedy, Completion::FULL)), greedy, "{name}");
        assert_eq!(figures(&outcome(&instance, Rule::EqualShares, Completion::FULL)), shares, "{name}");
    }
}

#[test]
fn files_survive_writing() {
    for name in ["France_Toulouse_2019.pb", "Netherlands_Assen_2024.pb", "Poland_Wieliczka_2023_Green_Budget.pb"] {
        let Some(instance) = instance(name) else { continue };
        assert_eq!(instance.warnings, [""; 0], "{name}");
        let again = Instance::parse(&instance.to_pb()).unwrap();
        assert_eq!(again, instance, "{name}");
    }
}

#[test]
fn the_invented_election_shows_why_the_rule_matters() {
    let instance = Instance::parse(include_str!("../../../../demo/Zarechensk_2026.pb")).unwrap();
    assert_eq!(instance.warnings, [""; 0]);
    let shares = outcome(&instance, Rule::EqualShares, Completion::FULL);
    let greedy = outcome(&instance, Rule::Greedy, Completion::FULL);
    assert!(shares.winners.len() > greedy.winners.len());
    assert!(shares.voters_with_nothing * 2 < greedy.voters_with_nothing);
    assert!(instance.projects.iter().all(|project| project.id >= InitiativeId(1)));
}
