//! Settlement: which initiatives of a round win, computed from public data alone, exactly, and the same everywhere.
//!
//! # The rules
//!
//! **Ballots.** An account's last allocation is its ballot. Empty allocations are no ballots. A ballot of weight *w* counts
//! as *w* identical ballots of weight 1. The *support* of an initiative is the sum of the weights of its approvals, or of
//! weight × points on cumulative ballots. Initiatives below the round's threshold of support, without any support, or
//! dearer than the whole budget are out from the beginning.
//!
//! **Greedy** (the cities' rule). By descending support; each initiative is taken if it fits into what remains.
//!
//! **Equal shares** (Method of Equal Shares: Peters, Pierczyński, Skowron, "Proportional Participatory Budgeting with
//! Additive Utilities", arXiv:2008.13276). With *W* the total weight of the ballots, each unit of weight gets a share of
//! budget / *W*. The utility of an initiative to its supporter is its cost on approval ballots, and the points given to it on
//! cumulative ballots. An initiative is affordable if its supporters together have its cost left; its *rate* is the least
//! ρ such that Σ min(money left, ρ × utility) over its supporters is its cost. Again and again the affordable initiative
//! with the least rate is bought, its supporters paying min(money left, ρ × utility), until none is affordable.
//!
//! **Raise.** Step *k* repeats the whole method from the beginning with shares of budget × (100 + *k*) / (100 × *W*), for
//! *k* = 1, 2, …. Raising ends before the first step whose outcome costs more than the budget, or once every initiative
//! that can win is bought, or at step [`MAX_RAISE_STEPS`]; the last outcome counts. (This is the completion "add1" of
//! equalshares.net with another size of steps. It goes on while nothing fits into what remains, because a later step may
//! swap initiatives and spend more. PyPI's pabutools with `voter_budget_increment` stops there.)
//!
//! **Fill.** What remains is spent by the greedy rule.
//!
//! **Ties** (equal rates, equal support): higher support first, then lower cost, then lower id.
//!
//! # Exactness
//!
//! Every decision is that of rational arithmetic without rounding; see the module `equal_shares` for how this is kept
//! quick. Payments of citizens are exact fractions whose sum is the cost, so no money is made.
//!
//! # Transcript
//!
//! Inputs and result have one canonical text whose keccak256 is the digest that the clerk proposes on chain; see
//! [`Transcript`].

mod election;
mod equal_shares;
mod exact;
mod greedy;
mod outcome;
mod tally;
mod transcript;

pub use election::{Ballot, Candidate, Election, ElectionError};
pub use equal_shares::MAX_RAISE_STEPS;
pub use outcome::{Loser, LossReason, Outcome, Rate, Route, Winner};
pub use transcript::Transcript;

use crate::{Kopecks, Percent, Rule};
use equal_shares::Purse;
use tally::Tally;

/// Settles an election. The result depends on the election alone, and not on the order of its ballots or initiatives.
///
/// # Errors
/// If the election contradicts itself: see [`ElectionError`].
pub fn settle(election: &Election) -> Result<Outcome, ElectionError> {
    let tally = Tally::new(election)?;
    let mut remaining = election.budget.0;
    let mut won = vec![false; tally.candidates.len()];
    let mut winners = Vec::new();
    let mut refused = vec![None; tally.candidates.len()];
    let mut purse = None;
    let mut raise_steps = 0;

    let greedy = |won: &[bool], remaining| greedy::take(&tally, won, remaining);
    if election.rule == Rule::EqualShares && tally.total_weight > 0 && remaining > 0 {
        let shares = equal_shares::settle(&tally, election.completion.raise);
        raise_steps = shares.steps;
        for (candidate, rate) in shares.purchases() {
            won[candidate] = true;
            remaining -= tally.candidates[candidate].cost;
            winners.push((candidate, Route::EqualShares { rate }));
        }
        purse = Some(shares);
    }
    let fills = match election.rule {
        Rule::EqualShares => election.completion.fill.then_some(Route::Fill),
        Rule::Greedy => Some(Route::Greedy),
    };
    if let Some(route) = fills {
        for (candidate, step) in greedy(&won, remaining) {
            match step {
                greedy::Step::Taken => {
                    won[candidate] = true;
                    winners.push((candidate, route.clone()));
                }
                greedy::Step::Refused { remaining } => refused[candidate] = Some(remaining),
            }
        }
    }

    let winners: Vec<Winner> = winners
        .into_iter()
        .map(|(index, route)| {
            let candidate = &tally.candidates[index];
            Winner { id: candidate.id, cost: Kopecks(candidate.cost), support: candidate.support, route }
        })
        .collect();
    let losers = (0..tally.candidates.len())
        .filter(|&index| !won[index])
        .map(|index| loser(election, &tally, index, refused[index], purse.as_ref()))
        .collect();
    let voters_with_nothing = tally
        .groups
        .iter()
        .filter(|group| !tally.choices_of(group).any(|(index, _)| won[index]))
        .map(|group| group.ballots)
        .sum();
    let mut outcome = Outcome {
        total_cost: winners.iter().map(|winner| winner.cost).sum(),
        winners,
        losers,
        budget: election.budget,
        voters: tally.voters,
        total_weight: tally.total_weight,
        voters_with_nothing,
        raise_steps,
        transcript: Transcript::default(),
    };
    outcome.transcript = Transcript::new(election, &outcome);
    Ok(outcome)
}

fn loser(election: &Election, tally: &Tally, index: usize, refused: Option<u128>, purse: Option<&Purse<'_>>) -> Loser {
    let candidate = &tally.candidates[index];
    let effective_support = match purse {
        Some(purse) => purse.effective_support(index),
        // The equal coins of its supporters, held against its cost.
        None => tally.supporters_weight(index).checked_mul(election.budget.0).map_or(Percent(u32::MAX), |money| {
            candidate
                .cost
                .checked_mul(u128::from(tally.total_weight))
                .map_or(Percent(0), |cost| Percent::of(money, cost))
        }),
    };
    let reason = if candidate.support == 0 {
        LossReason::NoSupport
    } else if candidate.support < election.threshold {
        LossReason::BelowThreshold { support: candidate.support, threshold: election.threshold }
    } else if candidate.cost > election.budget.0 {
        LossReason::ExceedsRemainingBudget { cost: Kopecks(candidate.cost), remaining: election.budget }
    } else if let Some(remaining) = refused {
        LossReason::ExceedsRemainingBudget { cost: Kopecks(candidate.cost), remaining: Kopecks(remaining) }
    } else {
        LossReason::NotAffordableBySupporters { effective_support }
    };
    Loser { id: candidate.id, cost: Kopecks(candidate.cost), support: candidate.support, effective_support, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, Allocation, AllocationError, BallotKind, Completion, InitiativeId, Points};

    fn approvals(budget: u128, costs: &[u128], ballots: &[&[u16]]) -> Election {
        let ballot = |(number, ids): (usize, &&[u16])| Ballot {
            account: Account([number as u8; 20]),
            weight: 1,
            allocation: Allocation::approval(ids.iter().copied().map(InitiativeId)),
        };
        Election {
            budget: Kopecks(budget),
            kind: BallotKind::Approval,
            rule: Rule::EqualShares,
            completion: Completion::NONE,
            threshold: 0,
            share_points: Points(0),
            initiatives: (1..)
                .zip(costs)
                .map(|(id, &cost)| Candidate { id: InitiativeId(id), cost: Kopecks(cost) })
                .collect(),
            ballots: ballots.iter().enumerate().map(ballot).collect(),
        }
    }

    fn reason(outcome: &Outcome, id: u16) -> LossReason {
        outcome.losers.iter().find(|loser| loser.id == InitiativeId(id)).unwrap().reason.clone()
    }

    #[test]
    fn every_loser_has_its_reason() {
        // Each of four voters has 25; initiative 1 takes all of three of them.
        let mut election = approvals(100, &[75, 30, 25, 101, 80], &[&[1, 5], &[1, 5], &[1, 5, 4], &[2]]);
        let outcome = settle(&election).unwrap();
        assert_eq!(outcome.winner_ids(), [InitiativeId(1)]);
        assert_eq!(reason(&outcome, 2), LossReason::NotAffordableBySupporters { effective_support: Percent(8_333) });
        assert_eq!(reason(&outcome, 3), LossReason::NoSupport);
        assert_eq!(
            reason(&outcome, 4),
            LossReason::ExceedsRemainingBudget { cost: Kopecks(101), remaining: Kopecks(100) }
        );
        assert_eq!(reason(&outcome, 5), LossReason::NotAffordableBySupporters { effective_support: Percent(0) });
        assert_eq!((outcome.voters, outcome.voters_with_nothing), (4, 1));

        election.completion.fill = true;
        election.threshold = 2;
        let outcome = settle(&election).unwrap();
        assert_eq!(reason(&outcome, 2), LossReason::BelowThreshold { support: 1, threshold: 2 });
        assert_eq!(
            reason(&outcome, 5),
            LossReason::ExceedsRemainingBudget { cost: Kopecks(80), remaining: Kopecks(25) }
        );
    }

    #[test]
    fn citizens_see_what_they_paid() {
        // Shares of 50. Initiative 1 (40): 20 each. Initiative 2 (60) takes 30 of each.
        let election = approvals(100, &[40, 60], &[&[1, 2], &[1, 2]]);
        let outcome = settle(&election).unwrap();
        assert_eq!(outcome.raised_share(), Some(Kopecks(50)));
        let paid = outcome.contributions(&election.ballots[0]);
        assert_eq!(paid, [(InitiativeId(1), Kopecks(20)), (InitiativeId(2), Kopecks(30))]);
    }

    #[test]
    fn contradictions_are_refused() {
        let good = approvals(100, &[40, 60], &[&[1, 2], &[1]]);
        let refused = |change: &dyn Fn(&mut Election)| {
            let mut election = good.clone();
            change(&mut election);
            settle(&election).unwrap_err()
        };
        let (id, account) = (InitiativeId(1), Account([0; 20]));
        assert_eq!(
            refused(&|election| election.initiatives[1].id = InitiativeId(1)),
            ElectionError::InitiativeRepeats { id }
        );
        assert_eq!(refused(&|election| election.initiatives[0].cost = Kopecks(0)), ElectionError::CostZero { id });
        assert_eq!(
            refused(&|election| election.ballots[1].account = account),
            ElectionError::AccountRepeats { account }
        );
        assert_eq!(refused(&|election| election.ballots[0].weight = 0), ElectionError::WeightZero { account });
        assert_eq!(
            refused(&|election| election.initiatives[0].id = InitiativeId(7)),
            ElectionError::InitiativeUnknown { account, id }
        );
        assert_eq!(
            refused(&|election| election.ballots[0].allocation.points = vec![Points(1)]),
            ElectionError::BallotMalformed { account, source: AllocationError::PointsOnApproval { found: 1 } }
        );
        let heavy = refused(&|election| {
            election.kind = BallotKind::Cumulative;
            election.share_points = Points(u16::MAX);
            for (number, ballot) in (0_u16..).zip(election.ballots.iter_mut()) {
                ballot.allocation = Allocation::cumulative([(InitiativeId(1), Points(1 + number))]);
                ballot.weight = u32::MAX;
            }
            let more = (0..100)
                .map(|number: u8| Ballot { account: Account([100 + number; 20]), ..election.ballots[0].clone() });
            election.ballots = more.collect();
        });
        assert_eq!(heavy, ElectionError::WeightsTooLarge);
    }
}
