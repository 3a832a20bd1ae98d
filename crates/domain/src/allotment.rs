//! A citizen's allotment: the share of the budget that a registration is worth.

use crate::{Allotment, Kopecks};

/// What `weight` is worth with [`Allotment::Fixed`]: the fixed amount times the weight; `None` on overflow.
pub fn fixed_allotment(fixed_amount: Kopecks, weight: u32) -> Option<Kopecks> {
    fixed_amount.checked_mul(u128::from(weight))
}

/// What `weight` is worth with [`Allotment::Equal`]: `budget × weight / total_weight`, rounded down, where `total_weight`
/// counts everyone registered when pledging opens. `None` while nobody is registered, or on overflow.
pub fn equal_allotment(budget: Kopecks, weight: u32, total_weight: u64) -> Option<Kopecks> {
    budget.mul_div_down(u128::from(weight), u128::from(total_weight))
}

/// Either of the two, by the round's kind of allotment.
pub fn allotment(
    kind: Allotment,
    fixed_amount: Kopecks,
    budget: Kopecks,
    weight: u32,
    total_weight: u64,
) -> Option<Kopecks> {
    match kind {
        Allotment::Fixed => fixed_allotment(fixed_amount, weight),
        Allotment::Equal => equal_allotment(budget, weight, total_weight),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_are_rounded_down_after_weighting() {
        assert_eq!(equal_allotment(Kopecks(100), 2, 3), Some(Kopecks(66)));
        assert_eq!(equal_allotment(Kopecks(100), 1, 0), None);
        assert_eq!(fixed_allotment(Kopecks(50_000), 3), Some(Kopecks(150_000)));
        assert_eq!(fixed_allotment(Kopecks(u128::MAX), 2), None);
    }

    proptest! {
        #[test]
        fn equal_shares_never_exceed_the_budget(budget in 0_u64.., weights in prop::collection::vec(1_u32.., 1..50)) {
            let total = weights.iter().map(|&weight| u64::from(weight)).sum();
            let given: Kopecks =
                weights.iter().map(|&weight| equal_allotment(Kopecks(budget.into()), weight, total).unwrap()).sum();
            prop_assert!(given.0 <= u128::from(budget));
            prop_assert!(u128::from(budget) - given.0 < weights.len() as u128);
        }
    }
}
