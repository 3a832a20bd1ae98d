//! What must hold for every election.

use kopilka_domain::settlement::{Election, LossReason, Outcome, Route, settle};
use kopilka_domain::{Kopecks, Rule};
use num_bigint::BigInt;
use num_rational::Ratio;
use proptest::prelude::*;

use crate::elections::{Numbers, Shape, random};
use crate::oracle::{Recount, recount};

fn recounted(outcome: &Outcome) -> Recount {
    let winners = outcome.winners.iter().map(|winner| {
        let rate = match &winner.route {
            Route::EqualShares { rate } => {
                let (numerator, denominator) = rate.fraction();
                Some(Ratio::new(BigInt::from(numerator.clone()), BigInt::from(denominator.clone())))
            }
            Route::Fill | Route::Greedy => None,
        };
        (winner.id, rate)
    });
    Recount { winners: winners.collect(), raise_steps: outcome.raise_steps }
}

/// Few ballots: the raise takes up to hundreds of steps, which the naive recount takes one by one.
fn small() -> impl Strategy<Value = Election> {
    (any::<u64>(), 1_u16..7, 0_u64..7, 1_u64..4, 1_u64..5, prop::sample::select(vec![1_u128, 7, 100_000])).prop_map(
        |(seed, initiatives, ballots, weights, choices, unit)| {
            random(&mut Numbers(seed), Shape { initiatives, ballots, weights, choices, unit })
        },
    )
}

/// More ballots, without raise.
fn middling() -> impl Strategy<Value = Election> {
    (any::<u64>(), 2_u16..15, 1_u64..60, 1_u64..4, 2_u64..8, prop::sample::select(vec![1_u128, 100, 100_000])).prop_map(
        |(seed, initiatives, ballots, weights, choices, unit)| {
            let mut election = random(&mut Numbers(seed), Shape { initiatives, ballots, weights, choices, unit });
            election.completion.raise = false;
            election
        },
    )
}

/// Amounts and weights so large that differences of one kopeck are lost in a double.
fn close() -> impl Strategy<Value = Election> {
    (any::<u64>(), 2_u16..7, 1_u64..8, prop::sample::select(vec![1_u64, 2, 1_000_000_000]), 1_u64..5).prop_map(
        |(seed, initiatives, ballots, weights, choices)| {
            let unit = 1_000_000_000_000_000_000;
            let mut election = random(&mut Numbers(seed), Shape { initiatives, ballots, weights, choices, unit });
            election.completion.raise = false;
            election
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_naive_recount(election in small()) {
        prop_assert_eq!(recounted(&settle(&election).unwrap()), recount(&election));
    }

    #[test]
    fn equals_the_naive_recount_with_many_ballots(election in middling()) {
        prop_assert_eq!(recounted(&settle(&election).unwrap()), recount(&election));
    }

    #[test]
    fn equals_the_naive_recount_where_doubles_cannot_tell(election in close()) {
        prop_assert_eq!(recounted(&settle(&election).unwrap()), recount(&election));
    }

    #[test]
    fn budget_holds_and_every_initiative_has_one_fate(election in middling()) {
        let outcome = settle(&election).unwrap();
        prop_assert!(outcome.total_cost <= election.budget);
        let cost: Kopecks = outcome.winners.iter().map(|winner| winner.cost).sum();
        prop_assert_eq!(cost, outcome.total_cost);
        let mut ids: Vec<_> = outcome.winners.iter().map(|winner| winner.id).collect();
        ids.extend(outcome.losers.iter().map(|loser| loser.id));
        ids.sort_unstable();
        prop_assert_eq!(ids, election.initiatives.iter().map(|initiative| initiative.id).collect::<Vec<_>>());
        for winner in &outcome.winners {
            prop_assert!(winner.support > 0 && winner.support >= election.threshold);
        }
    }

    #[test]
    fn order_of_arrival_does_not_matter(election in middling(), seed: u64) {
        let mut numbers = Numbers(seed);
        let mut shuffled = election.clone();
        shuffled.ballots.sort_by_cached_key(|_| numbers.next());
        shuffled.initiatives.sort_by_cached_key(|_| numbers.next());
        prop_assert_eq!(settle(&shuffled).unwrap(), settle(&election).unwrap());
    }

    #[test]
    fn a_weight_is_so_many_ballots(election in middling()) {
        let mut split = election.clone();
        split.ballots.clear();
        for ballot in &election.ballots {
            for _ in 0..ballot.weight {
                let mut one = ballot.clone();
                one.weight = 1;
                one.account = crate::elections::account(1_000 + split.ballots.len() as u64);
                split.ballots.push(one);
            }
        }
        prop_assert_eq!(recounted(&settle(&split).unwrap()), recounted(&settle(&election).unwrap()));
    }

    #[test]
    fn the_currency_and_the_unit_of_weight_do_not_matter(election in middling(), factor in 2_u32..1_000) {
        let winners = settle(&election).unwrap().winner_ids();
        let mut dearer = election.clone();
        dearer.budget.0 *= u128::from(factor);
        dearer.initiatives.iter_mut().for_each(|initiative| initiative.cost.0 *= u128::from(factor));
        prop_assert_eq!(&settle(&dearer).unwrap().winner_ids(), &winners);
        let mut heavier = election;
        heavier.threshold *= u64::from(factor);
        heavier.ballots.iter_mut().for_each(|ballot| ballot.weight *= factor);
        prop_assert_eq!(&settle(&heavier).unwrap().winner_ids(), &winners);
    }

    #[test]
    fn nobody_pays_more_than_the_share_and_costs_are_covered(election in small()) {
        let outcome = settle(&election).unwrap();
        let mut covered = vec![0_u128; outcome.winners.len()];
        for ballot in election.ballots.iter().filter(|ballot| !ballot.allocation.is_empty()) {
            let paid = outcome.contributions(ballot);
            let sum: Kopecks = paid.iter().map(|&(_, amount)| amount).sum();
            // Exactly: sum × 100 × total weight <= budget × (100 + steps) × weight.
            let most = election.budget.0 * u128::from(100 + outcome.raise_steps) * u128::from(ballot.weight);
            prop_assert!(sum.0 * 100 * u128::from(outcome.total_weight) <= most);
            for (id, amount) in paid {
                let index = outcome.winners.iter().position(|winner| winner.id == id).unwrap();
                covered[index] += amount.0;
            }
        }
        for (winner, covered) in outcome.winners.iter().zip(covered) {
            if matches!(winner.route, Route::EqualShares { .. }) {
                prop_assert!(covered <= winner.cost.0, "money was made");
                prop_assert!(winner.cost.0 - covered < u128::from(outcome.voters), "more than rounding is missing");
            } else {
                prop_assert_eq!(covered, 0);
            }
        }
    }

    #[test]
    fn a_filled_outcome_is_exhaustive(mut election in middling()) {
        election.completion.fill = true;
        let outcome = settle(&election).unwrap();
        let remaining = election.budget.checked_sub(outcome.total_cost).unwrap();
        for loser in &outcome.losers {
            if loser.support > 0 && loser.support >= election.threshold {
                prop_assert!(loser.cost > remaining);
                let refused = matches!(loser.reason, LossReason::ExceedsRemainingBudget { .. });
                prop_assert!(refused, "{:?}", loser.reason);
            }
        }
    }

    #[test]
    fn what_supporters_cannot_afford_is_below_a_hundred_per_cent(mut election in middling()) {
        election.rule = Rule::EqualShares;
        election.completion.fill = false;
        for loser in settle(&election).unwrap().losers {
            if matches!(loser.reason, LossReason::NotAffordableBySupporters { .. }) {
                prop_assert!(loser.effective_support.0 < 10_000);
            }
        }
    }
}
