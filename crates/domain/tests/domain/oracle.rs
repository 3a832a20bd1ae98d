//! The settlement written down as naively as its definition reads: fractions, one purse for each ballot, no shortcuts.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use kopilka_domain::settlement::{Election, MAX_RAISE_STEPS};
use kopilka_domain::{BallotKind, InitiativeId, Rule};
use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::Zero;

type Fraction = Ratio<BigInt>;

/// Winners in order, each with its rate in kopecks if equal shares bought it, and the steps of the raise.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recount {
    pub(crate) winners: Vec<(InitiativeId, Option<Fraction>)>,
    pub(crate) raise_steps: u32,
}

fn fraction(number: impl Into<BigInt>) -> Fraction {
    Fraction::from(number.into())
}

fn support(election: &Election, id: InitiativeId) -> u64 {
    let choices =
        election.ballots.iter().flat_map(|ballot| ballot.allocation.choices().map(|choice| (choice, ballot.weight)));
    choices
        .filter(|((choice, _), _)| *choice == id)
        .map(|((_, points), weight)| u64::from(points.0) * u64::from(weight))
        .sum()
}

pub(crate) fn recount(election: &Election) -> Recount {
    let costs: BTreeMap<InitiativeId, u128> =
        election.initiatives.iter().map(|initiative| (initiative.id, initiative.cost.0)).collect();
    let eligible: Vec<InitiativeId> = costs
        .iter()
        .filter(|&(&id, &cost)| {
            let support = support(election, id);
            support > 0 && support >= election.threshold && cost <= election.budget.0
        })
        .map(|(&id, _)| id)
        .collect();
    let by_support = |left: &InitiativeId, right: &InitiativeId| {
        let key = |id: &InitiativeId| (std::cmp::Reverse(support(election, *id)), costs[id], *id);
        key(left).cmp(&key(right))
    };
    let total = |winners: &[(InitiativeId, Option<Fraction>)]| winners.iter().map(|(id, _)| costs[id]).sum::<u128>();

    let mut winners = Vec::new();
    let mut raise_steps = 0;
    if election.rule == Rule::EqualShares {
        let run = |steps| equal_shares(election, &eligible, &costs, &by_support, steps);
        winners = run(0);
        while election.completion.raise && raise_steps < MAX_RAISE_STEPS && winners.len() < eligible.len() {
            let next = run(raise_steps + 1);
            if total(&next) > election.budget.0 {
                break;
            }
            raise_steps += 1;
            winners = next;
        }
    }
    if election.rule == Rule::Greedy || election.completion.fill {
        let mut rest: Vec<_> =
            eligible.iter().copied().filter(|id| winners.iter().all(|(winner, _)| winner != id)).collect();
        rest.sort_by(by_support);
        for id in rest {
            if total(&winners) + costs[&id] <= election.budget.0 {
                winners.push((id, None));
            }
        }
    }
    Recount { winners, raise_steps }
}

fn equal_shares(
    election: &Election,
    eligible: &[InitiativeId],
    costs: &BTreeMap<InitiativeId, u128>,
    by_support: &dyn Fn(&InitiativeId, &InitiativeId) -> Ordering,
    steps: u32,
) -> Vec<(InitiativeId, Option<Fraction>)> {
    let ballots: Vec<_> = election.ballots.iter().filter(|ballot| !ballot.allocation.is_empty()).collect();
    let total_weight: u64 = ballots.iter().map(|ballot| u64::from(ballot.weight)).sum();
    if total_weight == 0 || election.budget.is_zero() {
        return Vec::new();
    }
    let share = Fraction::new(BigInt::from(election.budget.0) * (100 + steps), BigInt::from(total_weight) * 100);
    let mut purses: Vec<Fraction> = ballots.iter().map(|ballot| fraction(ballot.weight) * &share).collect();
    let mut winners: Vec<(InitiativeId, Option<Fraction>)> = Vec::new();
    loop {
        let mut best: Option<(Fraction, InitiativeId, Fraction)> = None;
        for &id in eligible.iter().filter(|&id| winners.iter().all(|(winner, _)| winner != id)) {
            let cost = fraction(costs[&id]);
            // Money and weighted points of each supporter.
            let supporters: Vec<(Fraction, Fraction)> = ballots
                .iter()
                .zip(&purses)
                .filter_map(|(ballot, purse)| {
                    let (_, points) = ballot.allocation.choices().find(|&(choice, _)| choice == id)?;
                    Some((purse.clone(), fraction(ballot.weight) * fraction(points.0)))
                })
                .collect();
            let Some(rate) = rate(&cost, supporters) else { continue };
            let key = if election.kind == BallotKind::Approval { &rate / &cost } else { rate.clone() };
            let better = best.as_ref().is_none_or(|(best_key, best_id, _)| {
                key.cmp(best_key).then_with(|| by_support(&id, best_id)) == Ordering::Less
            });
            if better {
                best = Some((key, id, rate));
            }
        }
        let Some((_, id, rate)) = best else { return winners };
        for (ballot, purse) in ballots.iter().zip(&mut purses) {
            if let Some((_, points)) = ballot.allocation.choices().find(|&(choice, _)| choice == id) {
                let due = &rate * fraction(ballot.weight) * fraction(points.0);
                *purse -= due.min(purse.clone());
            }
        }
        winners.push((id, Some(rate)));
    }
}

/// The least r with Σ min(money, r × points) = cost.
fn rate(cost: &Fraction, mut supporters: Vec<(Fraction, Fraction)>) -> Option<Fraction> {
    if supporters.iter().map(|(money, _)| money).sum::<Fraction>() < *cost {
        return None;
    }
    supporters.sort_by_key(|(money, points)| money / points);
    let mut points_left: Fraction = supporters.iter().map(|(_, points)| points).sum();
    let mut cost_left = cost.clone();
    for (money, points) in supporters {
        let rate = &cost_left / &points_left;
        if money >= &rate * &points {
            return Some(rate);
        }
        cost_left -= money;
        points_left -= points;
    }
    debug_assert!(cost_left.is_zero());
    None
}
