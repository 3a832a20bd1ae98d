//! The Method of Equal Shares with the raise, by exact decisions at the speed of floating point.
//!
//! # How exactness is kept
//!
//! All money is counted in units of 1 / (100 × W) kopeck, W being the total weight, so that the share of step *k*, budget ×
//! (100 + *k*), and all costs are integers. Write `r` for the rate of an initiative times its utility scale: a supporter
//! with `u` points pays min(money left, r × u); on approval ballots u = 1 and the rate is r / cost. Each purchase has
//! r = (cost - money of the poor) / (points of the others), where the poor are those who pay all that they have left. Two
//! facts make this cheap:
//!
//! 1. A voter who was never poor has share - Σ r × u left, one who was has nothing. So the exact state of a run is one
//!    fraction for each purchase and one bit for each voter; the money of any group of voters is
//!    (number × share) - Σ r × (their points), whose factors are small whole numbers.
//! 2. Which of two quantities is larger can mostly be told from doubles. Next to the exact state stands each voter's money as
//!    a double (the share is 1), whose distance from the truth is bounded: the fractions are converted with a relative error
//!    below 4η (η = 2^-53 is the unit roundoff), so after at most L purchases the error is below (L + 6)η. Sums and quotients of
//!    these carry their own bounds, spelled out where they are computed. A comparison that is closer than the sum of the bounds is
//!    done again with integers. Doubles thus never decide anything that they cannot prove: this is the "floating-point
//!    filter" of computational geometry (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997).
//!
//! The result is therefore the one of rational arithmetic, ties included, whatever the order of ballots.
//!
//! # How speed is kept
//!
//! Identical ballots are one group. Rates never fall while money shrinks, so that an old rate is a lower bound and most
//! candidates need not be looked at. A rate is found without sorting: Σ min(money, r × u) is concave and increasing in r,
//! so Newton's method from below reaches it in a few passes. Where no voter was poor, raising shares changes
//! nothing until another initiative becomes affordable, and the steps between are skipped ([`Run::unchanged_before`]).

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::exact::{gcd, ratio};
use super::outcome::Rate;
use super::tally::Tally;
use crate::{BallotKind, Percent};

/// Raising ends at this step, which gives each voter 101 times the first share.
pub const MAX_RAISE_STEPS: u32 = 10_000;

/// Passes of Newton's method with doubles before integers take over; a handful is usual.
const MAX_PASSES: usize = 100;

/// Unit roundoff of a double.
const ETA: f64 = f64::EPSILON / 2.0;

/// What equal shares bought, and what its voters have left.
pub(super) struct Purse<'a> {
    run: Run<'a>,
    /// Steps by which shares were raised.
    pub(super) steps: u32,
}

/// Runs the method, with the raise if wanted. The budget and the number of ballots must not be zero.
pub(super) fn settle(tally: &Tally, raise: bool) -> Purse<'_> {
    let mut purse = Purse { run: Run::new(tally, 0), steps: 0 };
    while raise && purse.steps < MAX_RAISE_STEPS && purse.run.unsold().next().is_some() {
        let next = purse.run.unchanged_before(purse.steps).min(MAX_RAISE_STEPS + 1);
        if next > purse.steps + 1 {
            purse.steps = next - 1;
            purse.run.share = share(tally, purse.steps);
            continue;
        }
        let run = Run::new(tally, next);
        if run.total_cost().is_none_or(|cost| cost > tally.budget) {
            break;
        }
        purse = Purse { run, steps: next };
    }
    purse
}

fn share(tally: &Tally, steps: u32) -> BigInt {
    BigInt::from(tally.budget) * (100 + steps)
}

impl Purse<'_> {
    /// Candidates bought, in order, with the exact rates.
    pub(super) fn purchases(&self) -> impl Iterator<Item = (usize, Rate)> + '_ {
        let kopeck = BigInt::from(self.run.tally.total_weight) * 100;
        let denominator: BigInt = &self.run.denominator * kopeck;
        self.run.purchases.iter().map(move |purchase| {
            let rate = Rate::new(purchase.numerator.magnitude().clone(), denominator.magnitude().clone());
            (purchase.candidate, rate)
        })
    }

    /// The part of the cost that the supporters could pay with all that they have left.
    pub(super) fn effective_support(&self, candidate: usize) -> Percent {
        let supporters = self.run.tally.supporters(candidate);
        let money = self.run.exact_money(supporters.iter().map(|supporter| supporter.group));
        let cost = &self.run.costs[candidate] * &self.run.denominator;
        Percent((money * 10_000_u32 / cost).to_u32().unwrap_or(u32::MAX))
    }
}

/// An initiative that was bought.
struct Purchase {
    candidate: usize,
    /// r × `Run::denominator`, in units of money for each point.
    numerator: BigInt,
}

/// The method with one size of shares, up to the point where nothing is affordable.
struct Run<'a> {
    tally: &'a Tally,
    /// Share of a unit of weight, in units of money.
    share: BigInt,
    /// Cost of each candidate, in units of money.
    costs: Vec<BigInt>,
    /// Common denominator of all purchases.
    denominator: BigInt,
    purchases: Vec<Purchase>,
    /// Index into `purchases` of each candidate bought.
    bought: Vec<Option<u32>>,
    /// Money left of a unit of weight of each group; the share is 1.
    money: Vec<f64>,
    /// Groups that were poor in a purchase: they have exactly nothing left.
    broke: Vec<bool>,
    /// Bound of the error of `money`.
    money_error: f64,
    /// Whether nobody was poor in any purchase.
    nobody_poor: bool,
}

/// The rate of a candidate at some moment.
struct Evaluation {
    candidate: usize,
    /// r, with the share as unit of money.
    rate: f64,
    /// Bound of its error.
    error: f64,
    /// The exact value, where it had to be computed.
    exact: Option<Exact>,
}

/// r = numerator / (`Run::denominator` × points), and who is poor.
struct Exact {
    numerator: BigInt,
    points: u64,
    /// For each supporter of the candidate.
    poor: Vec<bool>,
}

impl<'a> Run<'a> {
    fn new(tally: &'a Tally, steps: u32) -> Self {
        let unit = BigInt::from(tally.total_weight) * 100;
        let mut run = Self {
            tally,
            share: share(tally, steps),
            costs: tally.candidates.iter().map(|candidate| &unit * candidate.cost).collect(),
            denominator: BigInt::from(1),
            purchases: Vec::new(),
            bought: vec![None; tally.candidates.len()],
            money: vec![1.0; tally.groups.len()],
            broke: vec![false; tally.groups.len()],
            // See the module's text; the excess covers the rounding of the bounds themselves.
            money_error: (tally.longest_ballot as f64 + 16.0) * ETA,
            nobody_poor: true,
        };
        run.buy_all();
        run
    }

    fn buy_all(&mut self) {
        // Lower bounds of the rates: at first what the supporters would pay if all were rich enough.
        let mut open: Vec<(f64, usize)> = (0..self.tally.candidates.len())
            .filter(|&candidate| self.tally.candidates[candidate].eligible)
            .map(|candidate| {
                let rate = ratio(&self.costs[candidate], &(&self.share * self.tally.candidates[candidate].support));
                (self.key(candidate, rate * (1.0 - 16.0 * ETA)), candidate)
            })
            .collect();
        while let Some(best) = self.cheapest(&mut open) {
            open.retain(|&(_, candidate)| candidate != best.candidate);
            self.buy(best);
        }
    }

    /// The rate by which candidates are compared: ρ is r on cumulative ballots and r / cost on approval ballots.
    fn key(&self, candidate: usize, rate: f64) -> f64 {
        match self.tally.kind {
            BallotKind::Cumulative => rate,
            BallotKind::Approval => rate / self.tally.candidates[candidate].cost as f64,
        }
    }

    /// The affordable candidate with the least rate. Raises the lower bounds in `open` and drops what is not affordable.
    fn cheapest(&self, open: &mut Vec<(f64, usize)>) -> Option<Evaluation> {
        open.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let mut contenders: Vec<(f64, Evaluation)> = Vec::new();
        let mut highest = f64::INFINITY;
        open.retain_mut(|(bound, candidate)| {
            if *bound > highest {
                return true;
            }
            let lowest_rate = match self.tally.kind {
                BallotKind::Cumulative => *bound,
                BallotKind::Approval => *bound * self.tally.candidates[*candidate].cost as f64,
            };
            let Some(evaluation) = self.evaluate(*candidate, lowest_rate * (1.0 - 16.0 * ETA)) else {
                return false;
            };
            // The factor covers the rounding of the bounds and of the division by the cost.
            let low = self.key(*candidate, (evaluation.rate - evaluation.error) * (1.0 - 16.0 * ETA));
            let high = self.key(*candidate, (evaluation.rate + evaluation.error) * (1.0 + 16.0 * ETA));
            *bound = bound.max(low);
            highest = highest.min(high);
            contenders.push((low, evaluation));
            true
        });
        contenders.retain(|&(low, _)| low <= highest);
        let mut contenders = contenders.into_iter().map(|(_, evaluation)| evaluation);
        let mut best = contenders.next()?;
        for mut other in contenders {
            self.make_exact(&mut best);
            self.make_exact(&mut other);
            if self.is_before(&other, &best) {
                best = other;
            }
        }
        Some(best)
    }

    /// Whether the exact rate of `left` is lower, or equal and first by the published order of ties.
    fn is_before(&self, left: &Evaluation, right: &Evaluation) -> bool {
        let scaled = |mine: &Evaluation, other: &Evaluation| {
            let scale = match self.tally.kind {
                BallotKind::Cumulative => 1,
                BallotKind::Approval => self.tally.candidates[other.candidate].cost,
            };
            match (&mine.exact, &other.exact) {
                (Some(mine), Some(other)) => &mine.numerator * other.points * scale,
                _ => BigInt::ZERO,
            }
        };
        let order = scaled(left, right).cmp(&scaled(right, left));
        order.then_with(|| self.tally.by_support(left.candidate, right.candidate)).is_lt()
    }

    /// The rate of a candidate, at least `lowest`; `None` if its supporters cannot afford it.
    fn evaluate(&self, candidate: usize, lowest: f64) -> Option<Evaluation> {
        let supporters = self.tally.supporters(candidate);
        let cost = ratio(&self.costs[candidate], &self.share);
        let terms = supporters.len() as f64;

        let (mut all, mut weight) = (0.0, 0.0);
        for supporter in supporters {
            all += supporter.weight * self.money[supporter.group as usize];
            weight += supporter.weight;
        }
        // Each product and each addition errs by η relatively, each summand by the error of money.
        let margin = (terms + 16.0) * ETA * (all + cost) + weight * self.money_error * 1.01;
        if all < cost - margin {
            return None;
        }
        if all <= cost + margin {
            let money = self.exact_money(supporters.iter().map(|supporter| supporter.group));
            if money < &self.costs[candidate] * &self.denominator {
                return None;
            }
        }

        let mut rate = lowest;
        let mut error = 0.0;
        let mut known: Option<f64> = None;
        for _ in 0..MAX_PASSES {
            let (mut poor_money, mut poor_weight, mut points) = (0.0, 0.0, 0.0);
            let mut certain = true;
            for supporter in supporters {
                let money = self.money[supporter.group as usize];
                let due = rate * supporter.points;
                let tolerance = self.money_error + error * supporter.points + 4.0 * ETA * (money.abs() + due);
                certain &= (money - due).abs() > tolerance;
                if money < due {
                    poor_money += supporter.weight * money;
                    poor_weight += supporter.weight;
                } else {
                    points += supporter.weight * supporter.points;
                }
            }
            // Poverty grows with the rate, so the same weight means the same poor.
            if known == Some(poor_weight) {
                if !certain {
                    break;
                }
                return Some(Evaluation { candidate, rate, error, exact: None });
            }
            known = Some(poor_weight);
            rate = (cost - poor_money) / points;
            error = ((terms + 16.0) * ETA * cost + poor_weight * self.money_error) * 1.01 / points;
            if points == 0.0 || rate.is_nan() || rate <= 0.0 {
                break;
            }
        }
        Some(self.evaluate_exactly(candidate))
    }

    /// The same with integers; the candidate must be affordable. Doubles only tell who is clearly poor or clearly not.
    fn evaluate_exactly(&self, candidate: usize) -> Evaluation {
        let supporters = self.tally.supporters(candidate);
        let mut poor = vec![false; supporters.len()];
        loop {
            let (numerator, points) = self.exact_rate(candidate, &poor);
            let rate = ratio(&numerator, &(&self.denominator * &self.share * points));
            let now: Vec<bool> = supporters
                .iter()
                .map(|supporter| {
                    let money = self.money[supporter.group as usize];
                    let due = rate * supporter.points;
                    let tolerance = self.money_error + 16.0 * ETA * (money.abs() + due);
                    if (money - due).abs() > tolerance {
                        return money < due;
                    }
                    let exact = self.exact_money_of_one(supporter.group);
                    exact * points < &numerator * supporter.points as u64
                })
                .collect();
            // From below, each round makes more voters poor, and an affordable candidate never makes all of them so.
            if now == poor {
                let exact = Some(Exact { numerator, points, poor });
                return Evaluation { candidate, rate, error: 8.0 * ETA * rate, exact };
            }
            poor = now;
        }
    }

    /// (cost - money of the poor) × denominator, and the points of the others.
    fn exact_rate(&self, candidate: usize, poor: &[bool]) -> (BigInt, u64) {
        let supporters = self.tally.supporters(candidate);
        let poor_groups = supporters.iter().zip(poor).filter(|&(_, &poor)| poor).map(|(supporter, _)| supporter.group);
        let points: f64 = supporters
            .iter()
            .zip(poor)
            .filter(|&(_, &poor)| !poor)
            .map(|(supporter, _)| supporter.weight * supporter.points)
            .sum();
        let numerator = &self.costs[candidate] * &self.denominator - self.exact_money(poor_groups);
        (numerator, points as u64)
    }

    fn make_exact(&self, evaluation: &mut Evaluation) {
        if evaluation.exact.is_none() {
            let poor = self.clearly_poor(evaluation);
            let (numerator, points) = self.exact_rate(evaluation.candidate, &poor);
            evaluation.exact = Some(Exact { numerator, points, poor });
        }
    }

    /// Who is poor in an evaluation whose comparisons were all certain.
    fn clearly_poor(&self, evaluation: &Evaluation) -> Vec<bool> {
        let supporters = self.tally.supporters(evaluation.candidate).iter();
        supporters.map(|supporter| self.money[supporter.group as usize] < evaluation.rate * supporter.points).collect()
    }

    /// Money left of these groups, times the denominator.
    fn exact_money(&self, groups: impl Iterator<Item = u32>) -> BigInt {
        let mut weight = 0_u64;
        let mut paid_points = vec![0_u64; self.purchases.len()];
        for group in groups.filter(|&group| !self.broke[group as usize]) {
            let group = &self.tally.groups[group as usize];
            weight += group.weight;
            for (candidate, points) in self.tally.choices_of(group) {
                if let Some(purchase) = self.bought[candidate] {
                    paid_points[purchase as usize] += group.weight * u64::from(points);
                }
            }
        }
        let mut money = &self.share * weight * &self.denominator;
        for (purchase, points) in self.purchases.iter().zip(paid_points) {
            if points > 0 {
                money -= &purchase.numerator * points;
            }
        }
        money
    }

    /// Money left of one unit of weight of a group, times the denominator.
    fn exact_money_of_one(&self, group: u32) -> BigInt {
        if self.broke[group as usize] {
            return BigInt::ZERO;
        }
        let mut money = &self.share * &self.denominator;
        for (candidate, points) in self.tally.choices_of(&self.tally.groups[group as usize]) {
            if let Some(purchase) = self.bought[candidate] {
                money -= &self.purchases[purchase as usize].numerator * points;
            }
        }
        money
    }

    fn buy(&mut self, mut evaluation: Evaluation) {
        self.make_exact(&mut evaluation);
        let candidate = evaluation.candidate;
        let Some(Exact { mut numerator, points, poor }) = evaluation.exact else {
            return;
        };
        let common = gcd(&numerator, points);
        let factor = points / common;
        numerator /= common;
        if factor > 1 {
            self.denominator *= factor;
            self.purchases.iter_mut().for_each(|purchase| purchase.numerator *= factor);
        }
        let rate = ratio(&numerator, &(&self.denominator * &self.share));
        for (supporter, poor) in self.tally.supporters(candidate).iter().zip(poor) {
            let group = supporter.group as usize;
            if poor {
                self.money[group] = 0.0;
                self.broke[group] = true;
                self.nobody_poor = false;
            } else {
                self.money[group] -= rate * supporter.points;
            }
        }
        self.bought[candidate] = Some(self.purchases.len() as u32);
        self.purchases.push(Purchase { candidate, numerator });
    }

    /// `None` if the sum does not even fit.
    fn total_cost(&self) -> Option<u128> {
        let costs = self.purchases.iter().map(|purchase| self.tally.candidates[purchase.candidate].cost);
        costs.into_iter().try_fold(0_u128, u128::checked_add)
    }

    fn unsold(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.bought.len()).filter(|&index| self.bought[index].is_none() && self.tally.candidates[index].eligible)
    }

    /// The first step after `steps` whose outcome may differ from this one of `steps`.
    ///
    /// If nobody was poor, each purchase has the rate that it would have with any larger share, cost / points, and the
    /// purchases are ordered by it. A candidate whose cost / points is above all of these is never preferred to them, so
    /// with larger shares the same purchases are made until its supporters can afford it after them.
    fn unchanged_before(&self, steps: u32) -> u32 {
        let next = steps + 1;
        let key = |candidate: usize| {
            let support = u128::from(self.tally.candidates[candidate].support);
            match self.tally.kind {
                BallotKind::Cumulative => (BigInt::from(self.tally.candidates[candidate].cost), support),
                BallotKind::Approval => (BigInt::from(1), support),
            }
        };
        let is_above = |unsold: usize| {
            let (cost, points) = key(unsold);
            self.purchases.iter().all(|purchase| {
                let (bought_cost, bought_points) = key(purchase.candidate);
                &cost * bought_points > bought_cost * points
            })
        };
        if !self.nobody_poor || !self.unsold().all(is_above) {
            return next;
        }
        let affordable_at = |candidate: usize| {
            let supporters = self.tally.supporters(candidate);
            let weight = self.tally.supporters_weight(candidate);
            let left = self.exact_money(supporters.iter().map(|supporter| supporter.group));
            let missing = &self.costs[candidate] * &self.denominator - left;
            let step = BigInt::from(self.tally.budget) * &self.denominator * weight;
            debug_assert!(missing.is_positive() && !step.is_zero());
            missing.div_ceil(&step)
        };
        match self.unsold().map(affordable_at).min() {
            Some(more) => more.to_u32().and_then(|more| steps.checked_add(more)).unwrap_or(u32::MAX).max(next),
            None => next,
        }
    }
}
