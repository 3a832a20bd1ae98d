//! Polls and their ballots.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::UnixTime;
use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// PollCreated.
    PollRow in "polls" {
        /// Poll.
        poll_id: u64,
        /// Municipality.
        municipality_id: u64,
        /// Kind.
        kind: &'static str,
        /// Options.
        option_count: u8,
        /// Most choices.
        max_choices: u8,
        /// Whether ballots can be replaced.
        revote: bool,
        /// First second.
        opens_at: UnixTime,
        /// First second after.
        closes_at: UnixTime,
        /// First second in which the contract takes none.
        accepts_until: UnixTime,
        /// Hash of the description.
        content_hash: B256,
        /// Key of a sealed poll.
        sealing_key: Option<B256>,
        /// Key in G2.
        issuer_key: Bytes,
        /// Time of the block.
        created_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// CredentialsIssued of a poll.
    PollIssuedRow in "poll_issued" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Poll.
        poll_id: u64,
        /// Credentials so far.
        issued: u64,
    }
    /// PollCancelled.
    PollCancellationRow in "poll_cancellations" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Poll.
        poll_id: u64,
        /// Hash of the published reason.
        reason_hash: B256,
        /// Time of the block.
        cancelled_at: UnixTime,
    }
    /// SealingSecretPublished.
    PollSecretRow in "poll_secrets" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Poll.
        poll_id: u64,
        /// The secret.
        secret: U256,
    }
    /// BallotCast or SealedBallotCast.
    BallotRow in "ballots" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Poll.
        poll_id: u64,
        /// Account.
        account: Address,
        /// Version.
        version: u64,
        /// The choice.
        choice: Option<U256>,
        /// Sealed: x of the ephemeral point.
        point: Option<B256>,
        /// Sealed: the masked choice.
        masked_choice: Option<U256>,
        /// Whether no later one of the account is among these rows.
        current: bool,
    }
    /// BallotOpened or BallotSpoilt.
    BallotOpeningRow in "ballot_openings" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Poll.
        poll_id: u64,
        /// Account.
        account: Address,
        /// Version.
        version: u64,
        /// The choice.
        choice: Option<U256>,
    }
    /// BallotSkipped or OpeningSkipped.
    SkippedBallotRow in "skipped_ballots" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Poll.
        poll_id: u64,
        /// Account.
        account: Address,
        /// Version.
        version: u64,
        /// Whether it was an opening.
        opening: bool,
        /// Why.
        reason: &'static str,
    }
}
