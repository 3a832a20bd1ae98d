//! Pages of rounds: overview, initiatives, allocations, result.

use std::sync::Arc;

use alloy::primitives::{B256, keccak256};
use kopilka_domain::settlement::{self, Ballot, Candidate, Election};
use kopilka_domain::{Account, Allocation, BallotKind, Completion, InitiativeId, Kopecks, Phase, Points, Rule};
use kopilka_store::chain::explorer::{AllocationLine, PhaseChange};
use kopilka_store::chain::rounds::{Class, Payment, Settlement};
use kopilka_web::Page;

use super::super::allocations::AllocationsPage;
use super::super::initiative::InitiativePage;
use super::super::result::ResultPage;
use super::super::round::RoundPage;
use super::super::rounds::{RoundCard, RoundsPage};
use super::Samples;
use super::rows::{
    HASH, NOON, ROUND_TEXT, initiatives, line, names, no_pager, pager, round, token_sample, transfers, words,
};

impl Samples for RoundsPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample = |phases: &[Phase]| Self {
            page: page.clone(),
            w: words(page),
            rounds: phases
                .iter()
                .map(|phase| RoundCard {
                    round: round(*phase, BallotKind::Cumulative, Rule::EqualShares),
                    text: names().texts.get(&ROUND_TEXT).cloned().filter(|_| *phase != Phase::Draft),
                    in_wallets: Kopecks(12_345_678),
                })
                .collect(),
            pager: no_pager(page),
        };
        vec![sample(&[]), sample(Phase::ALL)]
    }
}

impl Samples for RoundPage {
    fn samples(page: &Page) -> Vec<Self> {
        Phase::ALL
            .iter()
            .map(|phase| {
                let is_draft = *phase == Phase::Draft;
                let (kind, rule) = if is_draft {
                    (BallotKind::Approval, Rule::Greedy)
                } else {
                    (BallotKind::Cumulative, Rule::EqualShares)
                };
                let class = Class { class: 0, weight: 1, issuer_key: vec![7; 256].into(), registered: 3, issued: 4 };
                Self {
                    page: page.clone(),
                    w: words(page),
                    round: round(*phase, kind, rule),
                    text: names().texts.get(&ROUND_TEXT).cloned().filter(|_| !is_draft),
                    token: (!is_draft).then(|| token_sample(true)),
                    classes: if is_draft { vec![] } else { vec![class] },
                    initiatives: if is_draft {
                        vec![]
                    } else {
                        initiatives((*phase >= Phase::Settled).then_some(true))
                    },
                    changes: vec![PhaseChange { phase: *phase, changed_at: NOON, tx_hash: HASH }],
                    skipped: 1,
                    portal_url: (!is_draft).then(|| "https://portal.example/rounds/0x1".to_owned()),
                }
            })
            .collect()
    }
}

impl Samples for InitiativePage {
    fn samples(page: &Page) -> Vec<Self> {
        let payment = Payment {
            initiative_id: 1,
            amount: Kopecks(5_000),
            payment_reference: HASH,
            document_hash: HASH,
            paid_at: NOON,
            block_number: 9,
            tx_hash: HASH,
        };
        [None, Some(true), Some(false)]
            .into_iter()
            .flat_map(initiatives)
            .map(|initiative| Self {
                page: page.clone(),
                w: words(page),
                round: round(Phase::Pledging, BallotKind::Cumulative, Rule::EqualShares),
                text: names().texts.get(&initiative.content_hash).cloned(),
                payments: if initiative.won == Some(true) { vec![payment.clone()] } else { vec![] },
                transfers: if initiative.won.is_some() { transfers() } else { vec![] },
                pager: no_pager(page),
                portal_url: Some("https://portal.example".to_owned()),
                initiative,
            })
            .collect()
    }
}

impl Samples for AllocationsPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample = |rows: Vec<AllocationLine>| Self {
            page: page.clone(),
            w: words(page),
            round: round(Phase::Pledging, BallotKind::Cumulative, Rule::EqualShares),
            rows,
            pager: pager(page),
        };
        vec![sample(vec![line(true), line(false)]), sample(vec![])]
    }
}

/// An election in which initiatives win and lose in all ways.
fn election(kind: BallotKind, rule: Rule) -> Election {
    let initiative = |id: u16, rubles: u128| Candidate { id: InitiativeId(id), cost: Kopecks(rubles * 100) };
    let ballot = |account: u8, ids: &[u16]| Ballot {
        account: Account([account; 20]),
        weight: 1,
        allocation: match kind {
            BallotKind::Approval => Allocation::approval(ids.iter().map(|id| InitiativeId(*id))),
            BallotKind::Cumulative => Allocation::cumulative(ids.iter().map(|id| (InitiativeId(*id), Points(2)))),
        },
    };
    Election {
        budget: Kopecks(100_000),
        kind,
        rule,
        completion: Completion::FULL,
        threshold: 2,
        share_points: Points(if kind == BallotKind::Cumulative { 10 } else { 0 }),
        initiatives: vec![
            initiative(1, 400),
            initiative(2, 500),
            initiative(3, 300),
            initiative(4, 2_000),
            initiative(5, 10),
        ],
        ballots: vec![ballot(1, &[1, 2]), ballot(2, &[1, 2]), ballot(3, &[2, 3]), ballot(4, &[3, 4]), ballot(5, &[4])],
    }
}

impl Samples for ResultPage {
    fn samples(page: &Page) -> Vec<Self> {
        let word = |kind: &str, winners: Vec<i32>, digest: B256| Settlement {
            kind: kind.to_owned(),
            happened_at: NOON,
            winners: (kind != "withdrawn").then_some(winners),
            transcript_digest: digest,
            total_cost: Some(Kopecks(90_000)),
            final_at: (kind == "proposed").then_some(NOON + time::Duration::days(4_000)),
            returned: (kind == "final").then_some(Kopecks(10_000)),
            block_number: 9,
            tx_hash: HASH,
        };
        let sample =
            |phase: Phase, kind: BallotKind, rule: Rule, history: &dyn Fn(Vec<i32>, B256) -> Vec<Settlement>| {
                let outcome =
                    (phase != Phase::Pledging).then(|| Arc::new(settlement::settle(&election(kind, rule)).unwrap()));
                let (winners, digest) = outcome.as_ref().map_or((vec![], HASH), |outcome| {
                    let winners = outcome.winner_ids().iter().map(|id| i32::from(id.0)).collect();
                    (winners, B256::from(outcome.transcript.digest()))
                });
                Self {
                    page: page.clone(),
                    w: words(page),
                    round: round(phase, kind, rule),
                    outcome,
                    history: history(winners, digest),
                    rpc_url: "/api/eth-rpc".to_owned(),
                    chain_id: Some(31_337),
                }
            };
        let (shares, greedy) = (Rule::EqualShares, Rule::Greedy);
        vec![
            sample(Phase::Pledging, BallotKind::Approval, shares, &|_, _| vec![]),
            sample(Phase::Tallying, BallotKind::Approval, greedy, &|winners, digest| {
                vec![word("withdrawn", winners, digest)]
            }),
            sample(Phase::Objection, BallotKind::Cumulative, shares, &|winners, digest| {
                vec![word("proposed", winners, digest)]
            }),
            sample(Phase::Settled, BallotKind::Approval, shares, &|_, _| {
                vec![word("final", vec![4], keccak256(b"wrong"))]
            }),
        ]
    }
}
