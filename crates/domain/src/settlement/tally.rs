//! The election in the shape that the rules need: identical ballots together, supporters by initiative.

use std::collections::HashSet;

use super::{Election, ElectionError};
use crate::{BallotKind, InitiativeId};

/// Sums of weight × points stay below this, so that they are exact in an IEEE double too.
const EXACT_LIMIT: u128 = 1 << 53;

/// An initiative and what can be said about it without any rule.
pub(super) struct Candidate {
    pub(super) id: InitiativeId,
    pub(super) cost: u128,
    /// Weighted approvals or points.
    pub(super) support: u64,
    /// Whether it can win at all: supported, not below the threshold, not dearer than the budget.
    pub(super) eligible: bool,
    /// Its supporters, in `Tally::supporters`.
    supporters: std::ops::Range<usize>,
}

/// Ballots with the same choices; each unit of weight has the same money left at all times.
pub(super) struct Group {
    /// Units of weight.
    pub(super) weight: u64,
    /// Ballots.
    pub(super) ballots: u64,
    /// Their choices, in `Tally::choices`.
    choices: std::ops::Range<usize>,
}

/// A group as supporter of an initiative.
#[derive(Clone, Copy)]
pub(super) struct Supporter {
    /// Index of the group.
    pub(super) group: u32,
    /// Points on cumulative ballots, otherwise 1.
    pub(super) points: f64,
    /// Weight of the group.
    pub(super) weight: f64,
}

pub(super) struct Tally {
    pub(super) kind: BallotKind,
    pub(super) budget: u128,
    /// By ascending id.
    pub(super) candidates: Vec<Candidate>,
    pub(super) groups: Vec<Group>,
    pub(super) total_weight: u64,
    pub(super) voters: u64,
    /// The most choices that a ballot has.
    pub(super) longest_ballot: usize,
    choices: Vec<(u32, u16)>,
    supporters: Vec<Supporter>,
}

impl Tally {
    pub(super) fn new(election: &Election) -> Result<Self, ElectionError> {
        let mut initiatives: Vec<_> = election.initiatives.iter().collect();
        initiatives.sort_unstable_by_key(|initiative| initiative.id);
        if let Some(pair) = initiatives.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(ElectionError::InitiativeRepeats { id: pair[0].id });
        }
        if let Some(free) = initiatives.iter().find(|initiative| initiative.cost.is_zero()) {
            return Err(ElectionError::CostZero { id: free.id });
        }
        let index_of = |id: InitiativeId| initiatives.binary_search_by_key(&id, |initiative| initiative.id).ok();

        let mut accounts = HashSet::with_capacity(election.ballots.len());
        for ballot in &election.ballots {
            let account = ballot.account;
            if !accounts.insert(account) {
                return Err(ElectionError::AccountRepeats { account });
            }
            if ballot.weight == 0 {
                return Err(ElectionError::WeightZero { account });
            }
            ballot
                .allocation
                .validate(election.kind, election.share_points)
                .map_err(|source| ElectionError::BallotMalformed { account, source })?;
            if let Some(&id) = ballot.allocation.initiatives.iter().find(|&&id| index_of(id).is_none()) {
                return Err(ElectionError::InitiativeUnknown { account, id });
            }
        }

        let mut ballots: Vec<_> = election.ballots.iter().filter(|ballot| !ballot.allocation.is_empty()).collect();
        let share_points = match election.kind {
            BallotKind::Cumulative => u128::from(election.share_points.0),
            BallotKind::Approval => 1,
        };
        let total_weight: u128 = ballots.iter().map(|ballot| u128::from(ballot.weight)).sum();
        if total_weight.checked_mul(share_points).is_none_or(|sum| sum >= EXACT_LIMIT) {
            return Err(ElectionError::WeightsTooLarge);
        }
        ballots.sort_unstable_by(|left, right| left.allocation.cmp(&right.allocation));

        let mut tally = Self {
            kind: election.kind,
            budget: election.budget.0,
            candidates: Vec::with_capacity(initiatives.len()),
            groups: Vec::new(),
            total_weight: total_weight as u64,
            voters: ballots.len() as u64,
            longest_ballot: ballots.iter().map(|ballot| ballot.allocation.initiatives.len()).max().unwrap_or(0),
            choices: Vec::new(),
            supporters: Vec::new(),
        };
        for same in ballots.chunk_by(|left, right| left.allocation == right.allocation) {
            let start = tally.choices.len();
            let choices = same[0].allocation.choices();
            tally.choices.extend(choices.filter_map(|(id, points)| Some((index_of(id)? as u32, points.0))));
            tally.groups.push(Group {
                weight: same.iter().map(|ballot| u64::from(ballot.weight)).sum(),
                ballots: same.len() as u64,
                choices: start..tally.choices.len(),
            });
        }

        let mut supporters = vec![Vec::new(); initiatives.len()];
        for (index, group) in tally.groups.iter().enumerate() {
            for (candidate, points) in tally.choices_of(group) {
                supporters[candidate].push(Supporter {
                    group: index as u32,
                    points: f64::from(points),
                    weight: group.weight as f64,
                });
            }
        }
        for (initiative, supporters) in initiatives.iter().zip(supporters) {
            let start = tally.supporters.len();
            tally.supporters.extend(&supporters);
            let support = supporters.iter().map(|supporter| supporter.weight * supporter.points).sum::<f64>() as u64;
            tally.candidates.push(Candidate {
                id: initiative.id,
                cost: initiative.cost.0,
                support,
                eligible: support > 0 && support >= election.threshold && initiative.cost <= election.budget,
                supporters: start..tally.supporters.len(),
            });
        }
        Ok(tally)
    }

    /// Candidate index and points of each choice of a group.
    pub(super) fn choices_of(&self, group: &Group) -> impl Iterator<Item = (usize, u16)> + '_ {
        self.choices[group.choices.clone()].iter().map(|&(candidate, points)| (candidate as usize, points))
    }

    pub(super) fn supporters(&self, candidate: usize) -> &[Supporter] {
        &self.supporters[self.candidates[candidate].supporters.clone()]
    }

    /// Weight of the ballots that name an initiative.
    pub(super) fn supporters_weight(&self, candidate: usize) -> u128 {
        self.supporters(candidate).iter().map(|supporter| supporter.weight).sum::<f64>() as u128
    }

    /// The published order of ties and of the greedy rule: higher support, then lower cost, then lower id.
    pub(super) fn by_support(&self, left: usize, right: usize) -> std::cmp::Ordering {
        let (a, b) = (&self.candidates[left], &self.candidates[right]);
        b.support.cmp(&a.support).then(a.cost.cmp(&b.cost)).then(a.id.cmp(&b.id))
    }
}
