//! Points, prizes, anchors.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::UnixTime;
use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// SeasonOpened.
    SeasonRow in "seasons" {
        /// Municipality.
        municipality_id: u64,
        /// Season.
        season_id: u64,
        /// First second without these points.
        ends_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// SourceOpened.
    StampSourceRow in "stamp_sources" {
        /// Source of stamps.
        source_id: u64,
        /// Municipality.
        municipality_id: u64,
        /// Round, or contract of polls.
        participation: Address,
        /// Poll.
        participation_id: U256,
        /// Season.
        season_id: u64,
        /// Points.
        points_per_stamp: u64,
        /// Key in G2.
        issuer_key: Bytes,
        /// Time of the block.
        opened_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// SourceClosed.
    StampSourceClosingRow in "stamp_source_closings" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Source of stamps.
        source_id: u64,
        /// Time of the block.
        closed_at: UnixTime,
    }
    /// StampClaimed.
    StampClaimRow in "stamp_claims" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Source of stamps.
        source_id: u64,
        /// Account.
        account: Address,
    }
    /// StampSkipped.
    SkippedStampRow in "skipped_stamps" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Source of stamps.
        source_id: u64,
        /// Account.
        account: Address,
        /// Why.
        reason: &'static str,
    }
    /// PointsBurned or PointsReturned.
    PointsSpentRow in "points_spent" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Municipality.
        municipality_id: u64,
        /// Season.
        season_id: u64,
        /// Account.
        account: Address,
        /// How much.
        amount: u64,
        /// Whether they came back.
        returned: bool,
    }
    /// PrizeListed.
    PrizeRow in "prizes" {
        /// Prize.
        prize_id: u64,
        /// Municipality.
        municipality_id: u64,
        /// Partner.
        partner: Address,
        /// Points.
        price: u64,
        /// Pieces.
        listed_stock: u64,
        /// First second.
        valid_from: UnixTime,
        /// First second after.
        valid_until: UnixTime,
        /// Seconds for collecting.
        collect_period_seconds: u64,
        /// Hash of the description.
        content_hash: B256,
        /// Time of the block.
        listed_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// PrizeStockRaised or PrizeStockLowered.
    PrizeStockRow in "prize_stock_changes" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Prize.
        prize_id: u64,
        /// How much.
        amount: u64,
        /// False when lowered.
        raised: bool,
        /// Pieces left.
        stock: u64,
    }
    /// PrizeWithdrawn.
    PrizeWithdrawalRow in "prize_withdrawals" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Prize.
        prize_id: u64,
        /// Time of the block.
        withdrawn_at: UnixTime,
    }
    /// PrizeRedeemed.
    RedemptionRow in "redemptions" {
        /// Redemption.
        redemption_id: B256,
        /// Prize.
        prize_id: u64,
        /// Account.
        account: Address,
        /// Hash of the code.
        code_hash: B256,
        /// First second in which it may lapse.
        collect_until: UnixTime,
        /// Time of the block.
        redeemed_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// RedemptionHonoured, RedemptionRefused or RedemptionLapsed.
    RedemptionEndRow in "redemption_ends" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Redemption.
        redemption_id: B256,
        /// Prize.
        prize_id: u64,
        /// How it ended.
        status: &'static str,
        /// Hash of the published reason.
        reason_hash: Option<B256>,
        /// Time of the block.
        ended_at: UnixTime,
    }
    /// RedemptionSkipped.
    SkippedRedemptionRow in "skipped_redemptions" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Account.
        account: Address,
        /// Prize.
        prize_id: U256,
        /// Hash of the code.
        code_hash: B256,
        /// Why.
        reason: &'static str,
    }
    /// StreamOpened.
    AnchorStreamRow in "anchor_streams" {
        /// Register.
        stream: B256,
        /// Municipality.
        municipality_id: u64,
        /// Name.
        name: String,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// Anchored.
    AnchorRow in "anchors" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Register.
        stream: B256,
        /// Which anchor, from 0.
        anchor_index: u64,
        /// Merkle tree hash.
        root: B256,
        /// Leaves.
        leaf_count: u64,
        /// When.
        anchored_at: UnixTime,
    }
}
