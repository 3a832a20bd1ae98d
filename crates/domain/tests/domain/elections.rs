//! Elections made from numbers.

use kopilka_domain::settlement::{Ballot, Candidate, Election};
use kopilka_domain::{Account, Allocation, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};

/// SplitMix64: a repeatable source of numbers for tests.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What a random election looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) initiatives: u16,
    pub(crate) ballots: u64,
    pub(crate) weights: u64,
    pub(crate) choices: u64,
    /// Costs are multiples of this, give or take one kopeck if it is large.
    pub(crate) unit: u128,
}

pub(crate) fn account(number: u64) -> Account {
    let mut bytes = [0xaa; 20];
    // Spread, so that the order of accounts is not the order of arrival.
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Account(bytes)
}

/// An election of this shape; the same numbers make the same election.
pub(crate) fn random(numbers: &mut Numbers, shape: Shape) -> Election {
    let kind = if numbers.one_in(2) { BallotKind::Approval } else { BallotKind::Cumulative };
    let rule = if numbers.one_in(6) { Rule::Greedy } else { Rule::EqualShares };
    let completion = Completion { raise: !numbers.one_in(3), fill: !numbers.one_in(3) };
    let initiatives: Vec<_> = (1..=shape.initiatives)
        .map(|id| {
            let near = if shape.unit > 1_000 { numbers.below(3) as u128 } else { 0 };
            Candidate { id: InitiativeId(id), cost: Kopecks(shape.unit * u128::from(1 + numbers.below(8)) + near) }
        })
        .collect();
    let budget =
        initiatives.iter().map(|initiative| initiative.cost.0).sum::<u128>() * u128::from(1 + numbers.below(9)) / 10;
    let ballots = (0..shape.ballots)
        .map(|number| {
            let mut left = 10;
            let mut choices: Vec<(InitiativeId, Points)> = Vec::new();
            for _ in 0..1 + numbers.below(shape.choices) {
                let id = InitiativeId(1 + numbers.below(u64::from(shape.initiatives)) as u16);
                let points = 1 + numbers.below(5);
                if choices.iter().all(|choice| choice.0 != id) && points <= left {
                    left -= points;
                    choices.push((id, Points(points as u16)));
                }
            }
            if numbers.one_in(20) {
                choices.clear();
            }
            let allocation = match kind {
                BallotKind::Approval => Allocation::approval(choices.into_iter().map(|choice| choice.0)),
                BallotKind::Cumulative => Allocation::cumulative(choices),
            };
            Ballot { account: account(number), weight: 1 + numbers.below(shape.weights) as u32, allocation }
        })
        .collect();
    let threshold = if numbers.one_in(4) { numbers.below(10) } else { 0 };
    let share_points = if kind == BallotKind::Approval { Points(0) } else { Points(10) };
    Election { budget: Kopecks(budget), kind, rule, completion, threshold, share_points, initiatives, ballots }
}
