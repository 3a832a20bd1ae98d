//! Approvals by a second person, pauses, issuer keys, milestones.

use alloy::primitives::{Address, B256, U256};

use super::UnixTime;
use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// MintProposed.
    MintProposalRow in "mint_proposals" {
        /// Token.
        token: Address,
        /// Id of the mint within the token.
        mint_id: u64,
        /// Who proposed.
        proposer: Address,
        /// How much.
        amount: U256,
        /// Hash of the document.
        document_hash: B256,
        /// Time of the block.
        proposed_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// MintCancelled.
    MintCancellationRow in "mint_cancellations" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Token.
        token: Address,
        /// Id of the mint within the token.
        mint_id: u64,
        /// Account.
        account: Address,
        /// Time of the block.
        cancelled_at: UnixTime,
    }
    /// SettlementApproved.
    SettlementApprovalRow in "settlement_approvals" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Who proposed.
        proposer: Address,
        /// Who approved.
        approver: Address,
        /// Digest of the transcript.
        transcript_digest: B256,
        /// Time of the block.
        approved_at: UnixTime,
    }
    /// Paused or Unpaused.
    PauseRow in "pauses" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Account.
        account: Address,
        /// False for the end of a pause.
        paused: bool,
        /// Hash of the published reason.
        reason_hash: Option<B256>,
        /// Time of the block.
        changed_at: UnixTime,
    }
    /// IssuerKeyClaimed.
    IssuerKeyClaimRow in "issuer_key_claims" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Hash of the key.
        key_hash: B256,
        /// Contract that accepts its credentials.
        verifier: Address,
    }
    /// VerifierAdmitted.
    IssuerKeyVerifierRow in "issuer_key_verifiers" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Contract that accepts its credentials.
        verifier: Address,
    }
    /// ExecutionScheduled.
    ExecutionRow in "executions" {
        /// Round.
        round: Address,
        /// Initiative.
        initiative_id: u32,
        /// Account.
        account: Address,
        /// Deadlines of the four stages.
        deadlines: Vec<UnixTime>,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// MilestonePostponed.
    PostponementRow in "milestone_postponements" {
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
        /// Stage.
        stage: &'static str,
        /// Account.
        account: Address,
        /// Deadline before.
        previous_deadline: UnixTime,
        /// Present deadline.
        deadline: UnixTime,
        /// Hash of the published reason.
        reason_hash: B256,
        /// Time of the block.
        postponed_at: UnixTime,
    }
    /// MilestoneReached.
    MilestoneRow in "milestones_reached" {
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
        /// Stage.
        stage: &'static str,
        /// Account.
        account: Address,
        /// Present deadline.
        deadline: UnixTime,
        /// Hash of the document.
        document_hash: B256,
        /// Time of the block.
        reached_at: UnixTime,
    }
    /// ExecutionAbandoned.
    AbandonmentRow in "execution_abandonments" {
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
        /// Account.
        account: Address,
        /// Hash of the published reason.
        reason_hash: B256,
        /// Time of the block.
        abandoned_at: UnixTime,
    }
}
