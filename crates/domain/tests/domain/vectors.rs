//! `vectors/settlement.json`: elections with their outcomes, which the browser's settlement passes as well.
//!
//! After a wanted change of the rule: `KOPILKA_WRITE_VECTORS=1 cargo test -p kopilka-domain vectors`.

use kopilka_domain::settlement::{Ballot, Candidate, Election, settle};
use kopilka_domain::{Allocation, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};
use serde_json::{Value, json};

use crate::elections::{Numbers, Shape, account, random};

/// In the crate's folder, in which cargo runs its tests.
const PATH: &str = "vectors/settlement.json";

/// Weight, and the ids with their points.
type Choices<'a> = (u32, &'a [(u16, u16)]);

fn election(kind: BallotKind, budget: u128, costs: &[u128], ballots: &[Choices<'_>]) -> Election {
    let ballot = |(index, (weight, choices)): (usize, &Choices<'_>)| {
        let choices = choices.iter().map(|&(id, points)| (InitiativeId(id), Points(points)));
        let allocation = match kind {
            BallotKind::Approval => Allocation::approval(choices.map(|choice| choice.0)),
            BallotKind::Cumulative => Allocation::cumulative(choices),
        };
        Ballot { account: account(index as u64), weight: *weight, allocation }
    };
    Election {
        budget: Kopecks(budget),
        kind,
        rule: Rule::EqualShares,
        completion: Completion::FULL,
        threshold: 0,
        share_points: Points(if kind == BallotKind::Cumulative { 10 } else { 0 }),
        initiatives: (1..)
            .zip(costs)
            .map(|(id, &cost)| Candidate { id: InitiativeId(id), cost: Kopecks(cost) })
            .collect(),
        ballots: ballots.iter().enumerate().map(ballot).collect(),
    }
}

pub(crate) fn cases() -> Vec<(String, Election)> {
    use BallotKind::{Approval, Cumulative};
    let one = |ids: &'static [(u16, u16)]| (1_u32, ids);
    let mut cases: Vec<(String, Election)> = vec![
        ("no ballots".into(), election(Approval, 100, &[50, 60], &[])),
        ("only empty ballots".into(), election(Cumulative, 100, &[50], &[one(&[]), one(&[])])),
        ("no budget".into(), election(Approval, 0, &[50], &[one(&[(1, 1)])])),
        ("no initiatives".into(), election(Approval, 100, &[], &[])),
        (
            "dearer than the budget".into(),
            election(Approval, 100, &[101, 100], &[one(&[(1, 1)]), one(&[(1, 1), (2, 1)])]),
        ),
        (
            "tie goes to higher support".into(),
            election(Cumulative, 90, &[60, 30], &[one(&[(1, 2), (2, 1)]), one(&[(1, 2), (2, 1)])]),
        ),
        ("tie goes to lower cost".into(), election(Approval, 90, &[60, 50], &[one(&[(1, 1), (2, 1)])])),
        ("tie goes to lower id".into(), election(Approval, 90, &[50, 50], &[one(&[(1, 1), (2, 1)])])),
        (
            "supporters pay all that they have".into(),
            election(Approval, 100, &[50, 50], &[one(&[(2, 1)]), one(&[(1, 1)])]),
        ),
        (
            "a poor supporter".into(),
            election(Approval, 300, &[90, 150, 60], &[one(&[(1, 1), (2, 1)]), one(&[(2, 1)]), one(&[(2, 1), (3, 1)])]),
        ),
        (
            "thirds".into(),
            election(
                Cumulative,
                100,
                &[33, 34, 33],
                &[one(&[(1, 3), (2, 3), (3, 4)]), one(&[(2, 7), (1, 3)]), one(&[(3, 10)])],
            ),
        ),
        (
            "weights".into(),
            election(Cumulative, 1000, &[400, 500], &[(100, &[(1, 10)]), (150, &[(2, 10)]), (100, &[(1, 5), (2, 5)])]),
        ),
        (
            "a long raise".into(),
            election(
                Approval,
                100_000,
                &[70_000, 20_000],
                &[
                    one(&[(1, 1)]),
                    one(&[(2, 1)]),
                    one(&[(2, 1)]),
                    one(&[(2, 1)]),
                    one(&[(2, 1)]),
                    one(&[(2, 1)]),
                    one(&[(2, 1)]),
                    one(&[(2, 1)]),
                ],
            ),
        ),
        (
            "a raise that spends all".into(),
            election(Cumulative, 500, &[100, 200, 200], &[one(&[(1, 1)]), one(&[(2, 1)]), one(&[(3, 1)])]),
        ),
        (
            "a cost that doubles cannot tell".into(),
            election(
                Approval,
                4_000_000_000_000_000_001,
                &[2_000_000_000_000_000_001, 2_000_000_000_000_000_000],
                &[one(&[(1, 1)]), one(&[(2, 1)])],
            ),
        ),
    ];
    // The raise ends at its last step: one of 151 voters would need 151 times the first share.
    let mut lonely = election(Approval, 151_000, &[151_000], &[one(&[(1, 1)])]);
    lonely.initiatives.push(Candidate { id: InitiativeId(2), cost: Kopecks(300_000) });
    lonely.ballots.extend((0..150).map(|index| Ballot {
        account: account(1_000 + index),
        weight: 1,
        allocation: Allocation::approval([InitiativeId(2)]),
    }));
    cases.push(("the raise has a last step".into(), lonely));
    for (rule, completion, name) in [
        (Rule::Greedy, Completion::FULL, "greedy"),
        (Rule::EqualShares, Completion::NONE, "bare"),
        (Rule::EqualShares, Completion { raise: true, fill: false }, "raise only"),
        (Rule::EqualShares, Completion { raise: false, fill: true }, "fill only"),
    ] {
        let mut case = election(
            Cumulative,
            1000,
            &[400, 350, 300, 250],
            &[one(&[(1, 6), (2, 4)]), one(&[(1, 10)]), one(&[(2, 5), (3, 5)]), one(&[(4, 10)]), one(&[(3, 1)])],
        );
        (case.rule, case.completion, case.threshold) = (rule, completion, 6);
        cases.push((name.into(), case));
    }
    let mut numbers = Numbers(2026);
    for round in 0..60 {
        let shape = Shape {
            initiatives: 2 + numbers.below(14) as u16,
            ballots: 1 + numbers.below(40),
            weights: [1, 1, 3, 1_000_000][numbers.below(4) as usize],
            choices: 1 + numbers.below(7),
            unit: [1, 100, 12_345, 1_000_000_000_000_000][numbers.below(4) as usize],
        };
        cases.push((format!("random {round}"), random(&mut numbers, shape)));
    }
    let shape = Shape { initiatives: 25, ballots: 400, weights: 2, choices: 6, unit: 100_000 };
    cases.push(("random with many ballots".into(), random(&mut numbers, shape)));
    cases
}

#[test]
fn vectors_are_the_settlements_of_their_elections() {
    let vectors: Vec<Value> = cases()
        .into_iter()
        .map(|(name, election)| json!({ "name": name, "election": election, "outcome": settle(&election).unwrap() }))
        .collect();
    let lines: Vec<String> = vectors.iter().map(|vector| serde_json::to_string(vector).unwrap()).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if std::env::var_os("KOPILKA_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(PATH).unwrap() == text,
        "vectors/settlement.json is not what the settlement says now"
    );
}

#[test]
fn vectors_can_be_read_as_elections() {
    let vectors: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap();
    assert!(vectors.len() > 60);
    for vector in vectors {
        let election: Election = serde_json::from_value(vector["election"].clone()).unwrap();
        let outcome = settle(&election).unwrap();
        assert_eq!(serde_json::to_value(&outcome).unwrap(), vector["outcome"], "{}", vector["name"]);
    }
}
