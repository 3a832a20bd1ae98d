//! What goes over the wire.

use alloy::primitives::{Address, B256, Bytes};
use kopilka_domain::{MessageKind, MessageStatus};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// `POST /v1/registrations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationRequest {
    /// The round's contract.
    pub round: Address,
    /// Class of the credential.
    pub class: u8,
    /// The throw-away account.
    pub account: Address,
    /// The unblinded credential, 48 bytes compressed G1.
    pub signature: Bytes,
}

/// `POST /v1/allocations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationRequest {
    /// The round's contract.
    pub round: Address,
    /// The registered account that signs.
    pub account: Address,
    /// Higher than every earlier one of the account.
    pub version: u32,
    /// Initiative ids, strictly ascending; empty takes everything back.
    pub initiatives: Vec<u16>,
    /// Cumulative ballots: points for each initiative. Approval ballots: empty.
    #[serde(default)]
    pub points: Vec<u16>,
    /// EIP-712 signature, 65 bytes r‖s‖v.
    pub signature: Bytes,
    /// Blinded point, 48 bytes compressed G1, to be stamped for taking part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Bytes>,
}

/// `POST /v1/ballots`. A ballot of an open poll has `choice`, one of a sealed poll `point` and `masked_choice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotRequest {
    /// The polls' contract.
    pub contract: Address,
    /// The poll.
    pub poll: u64,
    /// The throw-away account that signs.
    pub account: Address,
    /// 1 or more, higher than every earlier one of the account.
    pub version: u32,
    /// What is chosen, a whole number in decimal digits: see the poll's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// Sealed polls: x of the random point, 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<B256>,
    /// Sealed polls: the masked choice, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_choice: Option<Bytes>,
    /// EIP-712 signature, 65 bytes r‖s‖v.
    pub signature: Bytes,
    /// The unblinded credential, 48 bytes compressed G1; needed until a ballot of the account is on chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Bytes>,
    /// Blinded point, 48 bytes compressed G1, to be stamped for taking part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Bytes>,
}

/// `POST /v1/stamp-claims`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampClaimRequest {
    /// The points' contract.
    pub contract: Address,
    /// The source of the stamp.
    pub source: u64,
    /// The points account.
    pub account: Address,
    /// The unblinded stamp, 48 bytes compressed G1.
    pub signature: Bytes,
}

/// `POST /v1/redemptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedemptionRequest {
    /// The shop's contract.
    pub contract: Address,
    /// The points account that signs.
    pub account: Address,
    /// The prize.
    pub prize: u64,
    /// Its price in points.
    pub price: u32,
    /// keccak256 of its description.
    pub content_hash: B256,
    /// Seasons to pay from, in this order, four at most.
    pub seasons: Vec<u32>,
    /// keccak256 of the 16 random bytes of the code.
    pub code_hash: B256,
    /// EIP-712 signature, 65 bytes r‖s‖v.
    pub signature: Bytes,
}

/// A message of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Request {
    /// Registers an account by its credential.
    Registration(RegistrationRequest),
    /// Records an account's whole distribution.
    Allocation(AllocationRequest),
    /// Casts an account's ballot in a poll.
    Ballot(BallotRequest),
    /// Claims a stamp to an account of points.
    StampClaim(StampClaimRequest),
    /// Spends an account's points on a prize.
    Redemption(RedemptionRequest),
}

/// `POST /v1/messages`: up to 500 messages at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRequest {
    /// The messages, each with its `kind`.
    pub messages: Vec<Request>,
}

/// The answer to [`BulkRequest`]: each message is accepted or refused by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkAnswer {
    /// One for each message, in their order.
    pub results: Vec<BulkResult>,
}

/// What became of one message of a [`BulkRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BulkResult {
    /// It is stored and will not be lost.
    Accepted(Accepted),
    /// It is refused.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// The answer 202: the message is stored and will not be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// keccak256 of the message: the same message twice is one message.
    pub id: B256,
    /// Where it stands: queued, submitted, mined, finalized or failed.
    pub status: MessageStatus,
    /// The signed blinded point, 48 bytes compressed G1, if one was asked for. Absent if no points are given here, or if the
    /// account's stamp was issued on another point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Bytes>,
}

/// `GET /v1/messages/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// keccak256 of the message.
    pub id: B256,
    /// What it does: registration, allocation, ballot, stamp-claim or redemption.
    pub kind: MessageKind,
    /// The contract that it is for: a round, the polls, the points, the shop.
    pub contract: Address,
    /// Poll or source within the contract; 0 for rounds and the shop.
    pub scope: u64,
    /// Who it is about.
    pub account: Address,
    /// Version of an allocation or ballot; head of the code's hash of a redemption; otherwise 0.
    pub version: u32,
    /// Where it stands: queued, submitted, mined, finalized or failed.
    pub status: MessageStatus,
    /// Why it took no effect. A mined message with a reason fails when its block is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Transaction in which it was mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_hash: Option<B256>,
    /// Block in which it was mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_number: Option<u64>,
    /// Its event's index in the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

/// `GET /v1/accounts/{account}/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Messages of the account, by id.
    pub messages: Vec<MessageView>,
    /// There are more: ask again with this as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<B256>,
}

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Stored; in no transaction.
    pub queued: u64,
    /// In a transaction that is not mined.
    pub submitted: u64,
    /// Mined, not final.
    pub mined: u64,
    /// Took effect for ever.
    pub finalized: u64,
    /// Took no effect.
    pub failed: u64,
    /// The accounts that pay the gas.
    pub senders: Vec<SenderView>,
}

/// An account that pays the gas, as this process sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderView {
    /// Its address.
    pub address: Address,
    /// Whether this process uses it; otherwise another one may.
    pub leased: bool,
    /// Nonces in use that are not mined.
    pub in_flight: u64,
    /// Its wei, in decimal; absent until known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
}
