//! What goes over the wire.

use alloy::primitives::{Address, B256, Bytes};
use kopilka_domain::{MessageKind, MessageStatus};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, OneOf, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::Problem;
use crate::schema;

/// `POST /v1/registrations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationRequest {
    /// The round's contract.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub round: Address,
    /// Class of the credential.
    #[schema(maximum = 255)]
    pub class: u8,
    /// The throw-away account.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub account: Address,
    /// The unblinded credential, 48 bytes compressed G1.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{96}$")]
    pub signature: Bytes,
}

/// `POST /v1/allocations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationRequest {
    /// The round's contract.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub round: Address,
    /// The registered account that signs.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub account: Address,
    /// Higher than every earlier one of the account.
    #[schema(minimum = 1, maximum = 4294967295_u32)]
    pub version: u32,
    /// Initiative ids, strictly ascending; empty takes everything back.
    #[schema(schema_with = schema::initiatives)]
    pub initiatives: Vec<u16>,
    /// Cumulative ballots: points for each initiative. Approval ballots: empty.
    #[serde(default)]
    #[schema(schema_with = schema::points)]
    pub points: Vec<u16>,
    /// EIP-712 signature, 65 bytes r‖s‖v.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{130}$")]
    pub signature: Bytes,
    /// Blinded point, 48 bytes compressed G1, to be stamped for taking part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{96}$")]
    pub stamp: Option<Bytes>,
}

/// `POST /v1/ballots`. A ballot of an open poll has `choice`, one of a sealed poll `point` and `masked_choice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BallotRequest {
    /// The polls' contract.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub contract: Address,
    /// The poll.
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    pub poll: u64,
    /// The throw-away account that signs.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub account: Address,
    /// 1 or more, higher than every earlier one of the account.
    #[schema(minimum = 1, maximum = 4294967295_u32)]
    pub version: u32,
    /// What is chosen, a whole number in decimal digits: see the poll's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(0|[1-9][0-9]{0,38})$")]
    pub choice: Option<String>,
    /// Sealed polls: x of the random point, 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub point: Option<B256>,
    /// Sealed polls: the masked choice, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{32}$")]
    pub masked_choice: Option<Bytes>,
    /// EIP-712 signature, 65 bytes r‖s‖v.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{130}$")]
    pub signature: Bytes,
    /// The unblinded credential, 48 bytes compressed G1; needed until a ballot of the account is on chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{96}$")]
    pub credential: Option<Bytes>,
    /// Blinded point, 48 bytes compressed G1, to be stamped for taking part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{96}$")]
    pub stamp: Option<Bytes>,
}

/// `POST /v1/stamp-claims`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StampClaimRequest {
    /// The points' contract.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub contract: Address,
    /// The source of the stamp.
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    pub source: u64,
    /// The points account.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub account: Address,
    /// The unblinded stamp, 48 bytes compressed G1.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{96}$")]
    pub signature: Bytes,
}

/// `POST /v1/redemptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedemptionRequest {
    /// The shop's contract.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub contract: Address,
    /// The points account that signs.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub account: Address,
    /// The prize.
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    pub prize: u64,
    /// Its price in points.
    #[schema(maximum = 4294967295_u32)]
    pub price: u32,
    /// keccak256 of its description.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub content_hash: B256,
    /// Seasons to pay from, in this order, four at most.
    #[schema(schema_with = schema::seasons)]
    pub seasons: Vec<u32>,
    /// keccak256 of the 16 random bytes of the code.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub code_hash: B256,
    /// EIP-712 signature, 65 bytes r‖s‖v.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{130}$")]
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

impl ToSchema for Request {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RegistrationRequest::schemas(schemas);
        AllocationRequest::schemas(schemas);
        BallotRequest::schemas(schemas);
        StampClaimRequest::schemas(schemas);
        RedemptionRequest::schemas(schemas);
    }
}

impl PartialSchema for Request {
    /// Each request with its kind. What the derive would write, a request and beside it an object with the kind, nothing
    /// could fit: a request takes no further field.
    fn schema() -> RefOr<Schema> {
        let mut any = OneOf::new();
        for kind in MessageKind::ALL {
            let mut request = Self::schema_of(*kind);
            let name = Object::builder().schema_type(utoipa::openapi::schema::Type::String);
            request.properties.insert("kind".to_owned(), name.enum_values(Some([kind.as_str()])).into());
            request.required.push("kind".to_owned());
            any.items.push(Schema::Object(request).into());
        }
        Schema::OneOf(any).into()
    }
}

impl Request {
    /// The fields of a message of a kind, as it is posted by itself.
    pub fn schema_of(kind: MessageKind) -> Object {
        let schema = match kind {
            MessageKind::Registration => RegistrationRequest::schema(),
            MessageKind::Allocation => AllocationRequest::schema(),
            MessageKind::Ballot => BallotRequest::schema(),
            MessageKind::StampClaim => StampClaimRequest::schema(),
            MessageKind::Redemption => RedemptionRequest::schema(),
        };
        match schema {
            RefOr::T(Schema::Object(object)) => object,
            // A struct's schema is an object.
            _ => Object::new(),
        }
    }
}

/// `POST /v1/messages`: up to 500 messages at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// The messages, each with its `kind`.
    #[schema(min_items = 1, max_items = 500)]
    pub messages: Vec<Request>,
}

/// The answer to [`BulkRequest`]: each message is accepted or refused by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkAnswer {
    /// One for each message, in their order.
    pub results: Vec<BulkResult>,
}

/// What became of one message of a [`BulkRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// keccak256 of the message: the same message twice is one message.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub id: B256,
    /// Where it stands: queued, submitted, mined, finalized or failed.
    #[schema(schema_with = schema::status)]
    pub status: MessageStatus,
    /// The signed blinded point, 48 bytes compressed G1, if one was asked for. Absent if no points are given here, or if the
    /// account's stamp was issued on another point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{96}$")]
    pub stamp: Option<Bytes>,
}

/// `GET /v1/messages/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// keccak256 of the message.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub id: B256,
    /// What it does: registration, allocation, ballot, stamp-claim or redemption.
    #[schema(schema_with = schema::kind)]
    pub kind: MessageKind,
    /// The contract that it is for: a round, the polls, the points, the shop.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub contract: Address,
    /// Poll or source within the contract; 0 for rounds and the shop.
    pub scope: u64,
    /// Who it is about.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub account: Address,
    /// Version of an allocation or ballot; head of the code's hash of a redemption; otherwise 0.
    #[schema(maximum = 4294967295_u32)]
    pub version: u32,
    /// Where it stands: queued, submitted, mined, finalized or failed.
    #[schema(schema_with = schema::status)]
    pub status: MessageStatus,
    /// Why it took no effect. A mined message with a reason fails when its block is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Transaction in which it was mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub tx_hash: Option<B256>,
    /// Block in which it was mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_number: Option<u64>,
    /// Its event's index in the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

/// `GET /v1/accounts/{account}/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Messages of the account, by id.
    pub messages: Vec<MessageView>,
    /// There are more: ask again with this as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^0x[0-9a-fA-F]{64}$")]
    pub next: Option<B256>,
}

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SenderView {
    /// Its address.
    #[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub address: Address,
    /// Whether this process uses it; otherwise another one may.
    pub leased: bool,
    /// Nonces in use that are not mined.
    pub in_flight: u64,
    /// Its wei, in decimal; absent until known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
}
