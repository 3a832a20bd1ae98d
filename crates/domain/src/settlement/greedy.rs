//! The cities' rule: descending support, whatever still fits.

use super::tally::Tally;

/// What happened to an initiative at its turn.
pub(super) enum Step {
    /// It fitted.
    Taken,
    /// It did not fit.
    Refused {
        /// What remained at its turn.
        remaining: u128,
    },
}

/// Goes through the eligible initiatives that have not won, in order.
pub(super) fn take(tally: &Tally, won: &[bool], mut remaining: u128) -> Vec<(usize, Step)> {
    let mut order: Vec<usize> =
        (0..tally.candidates.len()).filter(|&index| tally.candidates[index].eligible && !won[index]).collect();
    order.sort_unstable_by(|&left, &right| tally.by_support(left, right));
    order
        .into_iter()
        .map(|index| match remaining.checked_sub(tally.candidates[index].cost) {
            Some(rest) => {
                remaining = rest;
                (index, Step::Taken)
            }
            None => (index, Step::Refused { remaining }),
        })
        .collect()
}
