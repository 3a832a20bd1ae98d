//! What to pay for gas (EIP-1559): pure arithmetic over what the node says of past blocks.

use alloy::rpc::types::FeeHistory;

use crate::config::FeeConfig;

/// What is usual now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual {
    /// What a new transaction offers.
    pub(crate) fees: Fees,
    /// Base fee of the next block.
    pub(crate) base: u128,
}

/// Fees of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fees {
    /// Most wei for a unit of gas, tip included.
    pub(crate) max: u128,
    /// Wei for a unit of gas that the block's builder gets.
    pub(crate) tip: u128,
}

/// Twice the next base fee and the median tip: enough for six full blocks in a row.
pub(crate) fn suggest(history: &FeeHistory, config: &FeeConfig) -> Usual {
    let base = history.base_fee_per_gas.last().copied().unwrap_or_default();
    let mut tips: Vec<u128> =
        history.reward.iter().flatten().filter_map(|block| block.first().copied()).filter(|&tip| tip > 0).collect();
    tips.sort_unstable();
    let median = tips.get(tips.len() / 2).copied().unwrap_or_default();
    let tip = median.max(config.min_priority_fee).min(config.max_fee_ceiling);
    let fees = Fees { max: base.saturating_mul(2).saturating_add(tip).min(config.max_fee_ceiling), tip };
    Usual { fees, base }
}

/// Fees of a replacement: both at least an eighth higher, which every node's pool takes, and not below what is usual now.
/// `None` if the ceiling leaves no room.
pub(crate) fn replacement(old: Fees, usual: Usual, config: &FeeConfig) -> Option<Fees> {
    let raised = |fee: u128| fee.saturating_add(fee.div_ceil(8)).max(fee.saturating_add(1));
    let tip = raised(old.tip).max(usual.fees.tip);
    let max = raised(old.max).max(usual.fees.max).max(tip);
    if raised(old.max) > config.max_fee_ceiling || raised(old.tip) > config.max_fee_ceiling {
        return None;
    }
    Some(Fees { max: max.min(config.max_fee_ceiling), tip: tip.min(config.max_fee_ceiling) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: FeeConfig =
        FeeConfig { min_priority_fee: 10, max_fee_ceiling: 1_000, bump_after_blocks: 1, low_balance: 0 };

    #[test]
    fn usual_fees_follow_the_next_base_fee_and_the_median_tip() {
        let history = FeeHistory {
            base_fee_per_gas: vec![90, 100],
            reward: Some(vec![vec![0], vec![30], vec![20], vec![40]]),
            ..FeeHistory::default()
        };
        assert_eq!(suggest(&history, &CONFIG), Usual { fees: Fees { max: 230, tip: 30 }, base: 100 });
        assert_eq!(suggest(&FeeHistory::default(), &CONFIG), Usual { fees: Fees { max: 10, tip: 10 }, base: 0 });
    }

    #[test]
    fn replacements_raise_both_fees_by_an_eighth_up_to_the_ceiling() {
        let usual = |max, tip| Usual { fees: Fees { max, tip }, base: 5 };
        let low = usual(10, 1);
        assert_eq!(replacement(Fees { max: 800, tip: 80 }, low, &CONFIG), Some(Fees { max: 900, tip: 90 }));
        assert_eq!(replacement(Fees { max: 801, tip: 1 }, low, &CONFIG), Some(Fees { max: 902, tip: 2 }));
        assert_eq!(replacement(Fees { max: 950, tip: 80 }, low, &CONFIG), None);
        assert_eq!(replacement(Fees { max: 8, tip: 0 }, usual(2_000, 50), &CONFIG), Some(Fees { max: 1_000, tip: 50 }));
    }
}
