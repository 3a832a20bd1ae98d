//! What a settlement says.

use num_bigint::BigUint;
use num_traits::ToPrimitive;
use serde::{Serialize, Serializer};

use super::{Ballot, Transcript};
use crate::{InitiativeId, Kopecks, Percent};

/// The result of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Winners in the order in which they were found.
    pub winners: Vec<Winner>,
    /// The other initiatives by ascending id.
    pub losers: Vec<Loser>,
    /// Money that could be spent.
    pub budget: Kopecks,
    /// Money that the winners cost together, never more than the budget.
    pub total_cost: Kopecks,
    /// Ballots counted.
    pub voters: u64,
    /// Their weights together.
    pub total_weight: u64,
    /// Ballots none of whose initiatives won.
    pub voters_with_nothing: u64,
    /// Equal shares: steps of 1 % by which shares were raised.
    pub raise_steps: u32,
    /// Canonical text of inputs and result, with its digest.
    pub transcript: Transcript,
}

/// An initiative that won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Winner {
    /// Its id.
    pub id: InitiativeId,
    /// What it costs.
    pub cost: Kopecks,
    /// Weighted approvals or points.
    pub support: u64,
    /// By which rule it won.
    #[serde(flatten)]
    pub route: Route,
}

/// How an initiative won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "route", rename_all = "kebab-case")]
pub enum Route {
    /// Its supporters paid for it from their shares.
    EqualShares {
        /// What it charged them.
        rate: Rate,
    },
    /// It fitted into what equal shares had left.
    Fill,
    /// The greedy rule took it.
    Greedy,
}

impl Route {
    /// The name in JSON and in the transcript.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::EqualShares { .. } => "equal-shares",
            Self::Fill => "fill",
            Self::Greedy => "greedy",
        }
    }
}

/// What each unit of weight paid for each point (approval ballots: for the initiative), unless it had less left: an exact
/// fraction of kopecks. In JSON: whole millionths of a kopeck, rounded down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    numerator: BigUint,
    denominator: BigUint,
}

impl Rate {
    pub(super) fn new(numerator: BigUint, denominator: BigUint) -> Self {
        Self { numerator, denominator }
    }

    /// Numerator and denominator, in kopecks; not reduced.
    pub fn fraction(&self) -> (&BigUint, &BigUint) {
        (&self.numerator, &self.denominator)
    }

    /// Whole millionths of a kopeck, rounded down.
    pub fn millionths(&self) -> BigUint {
        &self.numerator * 1_000_000_u32 / &self.denominator
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.millionths())
    }
}

/// An initiative that did not win.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loser {
    /// Its id.
    pub id: InitiativeId,
    /// What it costs.
    pub cost: Kopecks,
    /// Weighted approvals or points.
    pub support: u64,
    /// The part of the cost that its supporters could pay: with equal shares from what they have left after all purchases
    /// (below 100 % unless the threshold or the budget kept the initiative out), with the greedy rule from equal coins
    /// of budget / total weight.
    pub effective_support: Percent,
    /// Why it did not win.
    #[serde(flatten)]
    pub reason: LossReason,
}

/// A plain reason why an initiative did not win. The first that holds, in this order. What [`Loser`] says too is left out
/// of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LossReason {
    /// Nobody chose it.
    NoSupport,
    /// Fewer chose it than the round demands.
    BelowThreshold {
        /// Weighted approvals or points.
        #[serde(skip)]
        support: u64,
        /// What the round demands.
        threshold: u64,
    },
    /// It cost more than was left when its turn came (the whole budget, if it costs more than that).
    ExceedsRemainingBudget {
        /// What it costs.
        #[serde(skip)]
        cost: Kopecks,
        /// What was left.
        remaining: Kopecks,
    },
    /// Its supporters' money did not suffice, and the round fills no remainder.
    NotAffordableBySupporters {
        /// The part of the cost that they could have paid.
        #[serde(skip)]
        effective_support: Percent,
    },
}

impl LossReason {
    /// The name in JSON and in the transcript.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NoSupport => "no-support",
            Self::BelowThreshold { .. } => "below-threshold",
            Self::ExceedsRemainingBudget { .. } => "exceeds-remaining-budget",
            Self::NotAffordableBySupporters { .. } => "not-affordable-by-supporters",
        }
    }
}

impl Outcome {
    /// Ids of the winners, ascending, as the contract wants them.
    pub fn winner_ids(&self) -> Vec<InitiativeId> {
        let mut ids: Vec<_> = self.winners.iter().map(|winner| winner.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether an initiative won.
    pub fn has_won(&self, id: InitiativeId) -> bool {
        self.winners.iter().any(|winner| winner.id == id)
    }

    /// The share of a unit of weight with which equal shares ended, in kopecks rounded down:
    /// budget × (100 + steps) / (100 × total weight). `None` without ballots.
    pub fn raised_share(&self) -> Option<Kopecks> {
        let share = BigUint::from(self.budget.0) * (100 + self.raise_steps);
        let share = share.checked_div(&(BigUint::from(self.total_weight) * 100_u32))?;
        share.to_u128().map(Kopecks)
    }

    /// What a counted ballot paid for each winner that equal shares bought, in kopecks rounded down, in the order of
    /// purchase. Exactly, all ballots together paid the cost of each. Fills and the greedy rule charge nobody.
    pub fn contributions(&self, ballot: &Ballot) -> Vec<(InitiativeId, Kopecks)> {
        let weight = BigUint::from(ballot.weight);
        let rates = self.winners.iter().filter_map(|winner| match &winner.route {
            Route::EqualShares { rate } => Some((winner.id, rate)),
            Route::Fill | Route::Greedy => None,
        });
        // All rates have one denominator, which the factor 100 × total weight divides.
        let mut left: Option<BigUint> = None;
        let mut paid = Vec::new();
        for (id, rate) in rates {
            let Some((_, points)) = ballot.allocation.choices().find(|&(choice, _)| choice == id) else {
                continue;
            };
            let (numerator, denominator) = rate.fraction();
            let left = left.get_or_insert_with(|| {
                BigUint::from(self.budget.0) * (100 + self.raise_steps) * &weight * denominator
                    / (BigUint::from(self.total_weight) * 100_u32)
            });
            let payment = (numerator * points.0 * &weight).min(left.clone());
            *left -= &payment;
            paid.push((id, Kopecks((payment / denominator).to_u128().unwrap_or(u128::MAX))));
        }
        paid
    }
}

trait CheckedDiv: Sized {
    fn checked_div(&self, divisor: &Self) -> Option<Self>;
}

impl CheckedDiv for BigUint {
    fn checked_div(&self, divisor: &Self) -> Option<Self> {
        (*divisor != BigUint::ZERO).then(|| self / divisor)
    }
}
