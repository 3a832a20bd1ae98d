//! Rounds, initiatives, registrations, allocations, settlements, payments.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::UnixTime;
use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// RoundCreated.
    RoundRow in "rounds" {
        /// Round.
        address: Address,
        /// Id.
        round_id: u64,
        /// Owner.
        municipality_id: u64,
        /// Its token.
        token: Address,
        /// Ballot kind.
        ballot_kind: &'static str,
        /// Allotment.
        allotment: &'static str,
        /// Settlement rule.
        rule: &'static str,
        /// Raise shares.
        completion_raise: bool,
        /// Fill greedily.
        completion_fill: bool,
        /// Points of a share.
        share_points: u32,
        /// Least support.
        threshold: U256,
        /// Kopecks for weight 1.
        fixed_amount: U256,
        /// Unix seconds.
        registration_until: UnixTime,
        /// Unix seconds.
        pledging_until: UnixTime,
        /// Seconds.
        objection_period_seconds: u64,
        /// Hash of the description.
        content_hash: B256,
        /// Time of the block, Unix seconds.
        created_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// PhaseChanged.
    PhaseRow in "phase_changes" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// New phase.
        phase: &'static str,
        /// Time of the block, Unix seconds.
        changed_at: UnixTime,
    }
    /// PledgingOpened.
    PledgingOpeningRow in "pledging_openings" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Kopecks.
        budget: U256,
        /// Weight of the registered.
        total_weight: U256,
    }
    /// ClassAdded.
    ClassRow in "classes" {
        /// Round.
        round: Address,
        /// Class.
        class: u8,
        /// Weight.
        weight: u64,
        /// Key in G2.
        issuer_key: Bytes,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// CredentialsIssued.
    IssuedRow in "issued" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Class.
        class: u8,
        /// Credentials so far.
        issued: u64,
    }
    /// InitiativeAdded.
    InitiativeRow in "initiatives" {
        /// Round.
        round: Address,
        /// Id.
        initiative_id: u32,
        /// Kopecks.
        cost: U256,
        /// Hash of the description.
        content_hash: B256,
        /// Wallet.
        wallet: Address,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// Registered.
    RegistrationRow in "registrations" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Throw-away account.
        account: Address,
        /// Class.
        class: u8,
    }
    /// AllocationRecorded.
    AllocationRow in "allocations" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Throw-away account.
        account: Address,
        /// Version.
        version: u64,
        /// Chosen initiatives.
        initiatives: Vec<u16>,
        /// Their points.
        points: Vec<u16>,
        /// Whether no later one of the account is among these rows.
        current: bool,
    }
    /// RegistrationSkipped or AllocationSkipped.
    SkippedRow in "skipped_items" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// `registration` or `allocation`.
        kind: &'static str,
        /// Throw-away account.
        account: Address,
        /// Class of a registration.
        class: Option<u8>,
        /// Version of an allocation.
        version: Option<u64>,
        /// Why.
        reason: &'static str,
    }
    /// SettlementProposed, SettlementWithdrawn or SettlementFinalized.
    SettlementRow in "settlements" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// `proposed`, `withdrawn` or `final`.
        kind: &'static str,
        /// Who proposed or withdrew it.
        account: Option<Address>,
        /// Time of the block, Unix seconds.
        happened_at: UnixTime,
        /// Winners.
        winners: Option<Vec<u16>>,
        /// Digest of the transcript.
        transcript_digest: B256,
        /// Kopecks.
        total_cost: Option<U256>,
        /// Unix seconds.
        final_at: Option<UnixTime>,
        /// Kopecks returned to the budget.
        returned: Option<U256>,
    }
    /// InitiativeSettled.
    ResultRow in "initiative_results" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Initiative.
        initiative_id: u32,
        /// Whether it won.
        won: bool,
        /// Kopecks before.
        pledged: U256,
        /// Kopecks after.
        funded: U256,
    }
    /// PaymentRecorded.
    PaymentRow in "payments" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Initiative.
        initiative_id: u32,
        /// Kopecks.
        amount: U256,
        /// Reference.
        payment_reference: B256,
        /// Hash of the payment order.
        document_hash: B256,
        /// Time of the block, Unix seconds.
        paid_at: UnixTime,
    }
}
