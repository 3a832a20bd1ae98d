//! What goes over the wire.

use alloy::primitives::{Address, B256, Bytes};
use kopilka_domain::{MessageKind, MessageStatus};
use serde::{Deserialize, Serialize};

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
}

/// The answer 202: the message is stored and will not be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// keccak256 of the message: the same message twice is one message.
    pub id: B256,
    /// Where it stands.
    pub status: MessageStatus,
}

/// `GET /v1/messages/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// keccak256 of the message.
    pub id: B256,
    /// What it does.
    pub kind: MessageKind,
    /// The contract that it is for: a round, the polls, the points, the shop.
    pub contract: Address,
    /// Poll, source or prize within the contract; 0 for rounds.
    pub scope: u64,
    /// Who it is about.
    pub account: Address,
    /// Version of an allocation or ballot, nonce of a redemption, otherwise 0.
    pub version: u32,
    /// Where it stands.
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
