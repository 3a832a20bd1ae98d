//! Reading municipalities, rounds and all that happens in them.

use alloy::primitives::{Address, B256, Bytes};
use kopilka_domain::{Allotment, BallotKind, Kopecks, Phase, Rule};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::columns::{AddressColumn, BytesColumn, CodeColumn, HashColumn, KopecksColumn, Nullable, WideColumn};

/// A municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Municipality {
    /// Id.
    pub municipality_id: i64,
    /// OKTMO code.
    pub oktmo: String,
    /// Official name.
    pub name: String,
}

/// The last word on one account's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Municipality.
    pub municipality_id: i64,
    /// `treasurer`, `clerk`, `issuer` or `partner`.
    pub role: String,
    /// Who.
    pub account: Address,
    /// False when revoked.
    pub granted: bool,
    /// First moment of access.
    pub valid_from: Option<OffsetDateTime>,
    /// First moment without access.
    pub valid_until: Option<OffsetDateTime>,
    /// keccak256 of the application.
    pub application_hash: Option<B256>,
}

/// A round with its configuration, where it stands, and its municipality's name and token's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its contract.
    pub address: Address,
    /// Id in the register.
    pub round_id: i64,
    /// Owner.
    pub municipality_id: i64,
    /// Owner's name; empty if the register does not know it.
    pub municipality_name: String,
    /// Token of its budget.
    pub token: Address,
    /// Ballot kind.
    pub ballot_kind: BallotKind,
    /// How shares are fixed.
    pub allotment: Allotment,
    /// Settlement rule.
    pub rule: Rule,
    /// Completion by raising shares.
    pub completion_raise: bool,
    /// Completion by filling greedily.
    pub completion_fill: bool,
    /// Points of a share, 0 on approval ballots.
    pub share_points: i32,
    /// Least support.
    pub threshold: u64,
    /// Fixed allotment: kopecks for weight 1.
    pub fixed_amount: Kopecks,
    /// Earliest end of registration.
    pub registration_until: OffsetDateTime,
    /// Planned end of pledging; see [`Self::pledging_closes_at`].
    pub pledging_until: OffsetDateTime,
    /// Length of the objection window.
    pub objection_period_seconds: i64,
    /// keccak256 of the description.
    pub content_hash: B256,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// Transaction that created it.
    pub tx_hash: B256,
    /// Block of it.
    pub block_number: i64,
    /// Where it stands.
    pub phase: Phase,
    /// When registration opened.
    pub registration_at: Option<OffsetDateTime>,
    /// When pledging opened.
    pub pledging_at: Option<OffsetDateTime>,
    /// When pledging closed (last return to tallying).
    pub tallying_at: Option<OffsetDateTime>,
    /// When the last result was proposed.
    pub objection_at: Option<OffsetDateTime>,
    /// When the result became final.
    pub settled_at: Option<OffsetDateTime>,
    /// When it was closed.
    pub closed_at: Option<OffsetDateTime>,
    /// When it was cancelled.
    pub cancelled_at: Option<OffsetDateTime>,
    /// Kopecks in play, known once pledging opened.
    pub budget: Option<Kopecks>,
    /// Weight of all registered when pledging opened.
    pub total_weight: Option<u64>,
    /// Registered accounts.
    pub registered: i64,
    /// Credentials issued.
    pub issued: i64,
    /// Accounts with a recorded allocation.
    pub allocated: i64,
    /// Kopecks minted so far.
    pub minted: Kopecks,
    /// Kopecks paid by payment orders.
    pub paid: Kopecks,
    /// Kopecks returned to the budget.
    pub returned: Kopecks,
}

impl Round {
    /// When pledging may be closed at the earliest: it lasts as long as planned, also when it was opened late.
    #[must_use]
    pub fn pledging_closes_at(&self) -> OffsetDateTime {
        self.pledging_at
            .and_then(|opened| opened.checked_add(self.pledging_until - self.registration_until))
            .unwrap_or(self.pledging_until)
    }
}

/// A token; those of rounds with their appropriation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its contract.
    pub address: Address,
    /// Its round; none for a foreign token.
    pub round: Option<Address>,
    /// Name.
    pub name: Option<String>,
    /// Symbol.
    pub symbol: Option<String>,
    /// Decimals.
    pub decimals: Option<i16>,
    /// Most that may be minted.
    pub appropriation_amount: Option<Kopecks>,
    /// Year of the budget.
    pub fiscal_year: Option<i32>,
    /// Budget classification code.
    pub kbk: Option<String>,
    /// keccak256 of the budget decision.
    pub document_hash: Option<B256>,
    /// Where the decision is published.
    pub document_uri: Option<String>,
    /// Kopecks minted (budget tokens).
    pub minted: Kopecks,
    /// Kopecks paid (budget tokens).
    pub paid: Kopecks,
    /// Kopecks returned (budget tokens).
    pub returned: Kopecks,
    /// Block of its first event.
    pub block_number: i64,
}

/// A class of citizens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Number.
    pub class: i16,
    /// Weight.
    pub weight: i64,
    /// Issuer key in G2, EIP-2537 encoding.
    pub issuer_key: Bytes,
    /// Registered accounts.
    pub registered: i64,
    /// Credentials issued.
    pub issued: i64,
}

/// An initiative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initiative {
    /// Its round.
    pub round: Address,
    /// Id in the round.
    pub initiative_id: i32,
    /// Kopecks.
    pub cost: Kopecks,
    /// keccak256 of the description.
    pub content_hash: B256,
    /// Wallet.
    pub wallet: Address,
    /// Accounts whose current allocation names it.
    pub supporters: i64,
    /// Points of their allocations.
    pub points: i64,
    /// Kopecks in the wallet now.
    pub balance: Kopecks,
    /// Kopecks that citizens put in.
    pub pledged: Kopecks,
    /// Whether it won; none before the settlement is final.
    pub won: Option<bool>,
    /// Kopecks that the settlement left in the wallet.
    pub funded: Option<Kopecks>,
    /// Kopecks paid to the contractor.
    pub paid: Kopecks,
    /// Transaction that added it.
    pub tx_hash: B256,
}

/// A registered account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Throw-away account.
    pub account: Address,
    /// Class of its credential.
    pub class: i16,
    /// Block.
    pub block_number: i64,
    /// Position of the event.
    pub log_index: i32,
    /// Transaction.
    pub tx_hash: B256,
}

/// A recorded allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Throw-away account.
    pub account: Address,
    /// Version.
    pub version: i64,
    /// Ascending initiative ids.
    pub initiatives: Vec<i32>,
    /// Points; empty on approval ballots.
    pub points: Vec<i32>,
    /// Whether it is the account's last.
    pub current: bool,
    /// Block.
    pub block_number: i64,
    /// Position of the event.
    pub log_index: i32,
    /// Transaction.
    pub tx_hash: B256,
}

/// A step of the settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// `proposed`, `withdrawn` or `final`.
    pub kind: String,
    /// When.
    pub happened_at: OffsetDateTime,
    /// Winners; none for a withdrawal.
    pub winners: Option<Vec<i32>>,
    /// Digest of the transcript.
    pub transcript_digest: B256,
    /// Total cost; none for a withdrawal.
    pub total_cost: Option<Kopecks>,
    /// Proposals: earliest finality.
    pub final_at: Option<OffsetDateTime>,
    /// Final results: kopecks returned.
    pub returned: Option<Kopecks>,
    /// Block.
    pub block_number: i64,
    /// Transaction.
    pub tx_hash: B256,
}

/// A payment for a winner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Initiative.
    pub initiative_id: i32,
    /// Kopecks.
    pub amount: Kopecks,
    /// Reference of the payment order.
    pub payment_reference: B256,
    /// keccak256 of the payment order.
    pub document_hash: B256,
    /// When it was recorded.
    pub paid_at: OffsetDateTime,
    /// Block.
    pub block_number: i64,
    /// Transaction.
    pub tx_hash: B256,
}

/// All municipalities by id.
///
/// # Errors
/// When the query fails.
pub async fn municipalities(connection: &mut PgConnection) -> Result<Vec<Municipality>, sqlx::Error> {
    sqlx::query_as!(
        Municipality,
        "select municipality_id, oktmo, name from chain.municipalities order by municipality_id"
    )
    .fetch_all(connection)
    .await
}

/// The last word on every role of a municipality, revoked ones included.
///
/// # Errors
/// When the query fails.
pub async fn roles(connection: &mut PgConnection, municipality_id: i64) -> Result<Vec<Role>, sqlx::Error> {
    sqlx::query_as!(
        Role,
        r#"select municipality_id as "municipality_id!", role as "role!", account as "account!: AddressColumn",
             granted as "granted!", valid_from, valid_until,
             application_hash as "application_hash!: Nullable<HashColumn>"
           from chain.current_roles where municipality_id = $1 order by role, account"#,
        municipality_id,
    )
    .fetch_all(connection)
    .await
}

/// Rounds with an id below `before`, newest first; `i64::MAX` for the latest. All municipalities unless one is given.
///
/// # Errors
/// When the query fails.
pub async fn rounds(
    connection: &mut PgConnection,
    municipality_id: Option<i64>,
    before: i64,
    limit: i64,
) -> Result<Vec<Round>, sqlx::Error> {
    select_rounds(connection, None, municipality_id, before, limit).await
}

/// A round by its address.
///
/// # Errors
/// When the query fails.
pub async fn round(connection: &mut PgConnection, address: Address) -> Result<Option<Round>, sqlx::Error> {
    Ok(select_rounds(connection, Some(address), None, i64::MAX, 1).await?.pop())
}

async fn select_rounds(
    connection: &mut PgConnection,
    address: Option<Address>,
    municipality_id: Option<i64>,
    before: i64,
    limit: i64,
) -> Result<Vec<Round>, sqlx::Error> {
    sqlx::query_as!(
        Round,
        r#"select r.address as "address: AddressColumn", r.round_id, r.municipality_id,
             coalesce(m.name, '') as "municipality_name!", r.token as "token: AddressColumn",
             r.ballot_kind as "ballot_kind: CodeColumn<BallotKind>", r.allotment as "allotment: CodeColumn<Allotment>",
             r.rule as "rule: CodeColumn<Rule>", r.completion_raise, r.completion_fill, r.share_points,
             r.threshold as "threshold: WideColumn", r.fixed_amount as "fixed_amount: KopecksColumn",
             r.registration_until, r.pledging_until, r.objection_period_seconds,
             r.content_hash as "content_hash: HashColumn", r.created_at, r.tx_hash as "tx_hash: HashColumn",
             r.block_number, r.phase as "phase: CodeColumn<Phase>", r.registration_at, r.pledging_at, r.tallying_at,
             r.objection_at, r.settled_at, r.closed_at, r.cancelled_at,
             r.budget as "budget!: Nullable<KopecksColumn>", r.total_weight as "total_weight!: Nullable<WideColumn>",
             r.registered, r.issued, r.allocated, t.minted as "minted: KopecksColumn", t.paid as "paid: KopecksColumn",
             t.returned as "returned: KopecksColumn"
           from chain.rounds r
           join chain.tokens t on t.address = r.token
           left join chain.municipalities m on m.municipality_id = r.municipality_id
           where ($1::bytea is null or r.address = $1) and ($2::bigint is null or r.municipality_id = $2)
             and r.round_id < $3
           order by r.round_id desc limit $4"#,
        address.map(|address| address.to_vec()),
        municipality_id,
        before,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// A token by its address.
///
/// # Errors
/// When the query fails.
pub async fn token(connection: &mut PgConnection, address: Address) -> Result<Option<Token>, sqlx::Error> {
    Ok(select_tokens(connection, Some(address), 1).await?.pop())
}

/// All tokens, budget tokens first, newest first.
///
/// # Errors
/// When the query fails.
pub async fn tokens(connection: &mut PgConnection, limit: i64) -> Result<Vec<Token>, sqlx::Error> {
    select_tokens(connection, None, limit).await
}

async fn select_tokens(
    connection: &mut PgConnection,
    address: Option<Address>,
    limit: i64,
) -> Result<Vec<Token>, sqlx::Error> {
    sqlx::query_as!(
        Token,
        r#"select address as "address: AddressColumn", round as "round!: Nullable<AddressColumn>", name, symbol, decimals,
             appropriation_amount as "appropriation_amount!: Nullable<KopecksColumn>", fiscal_year, kbk,
             document_hash as "document_hash!: Nullable<HashColumn>", document_uri,
             minted as "minted: KopecksColumn", paid as "paid: KopecksColumn", returned as "returned: KopecksColumn",
             block_number
           from chain.tokens where $1::bytea is null or address = $1
           order by round is null, block_number desc, log_index desc limit $2"#,
        address.map(|address| address.to_vec()),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Classes of a round by number.
///
/// # Errors
/// When the query fails.
pub async fn classes(connection: &mut PgConnection, round: Address) -> Result<Vec<Class>, sqlx::Error> {
    sqlx::query_as!(
        Class,
        r#"select class, weight, issuer_key as "issuer_key: BytesColumn", registered, issued
           from chain.classes where round = $1 order by class"#,
        round.as_slice(),
    )
    .fetch_all(connection)
    .await
}

/// Initiatives of a round by id.
///
/// # Errors
/// When the query fails.
pub async fn initiatives(connection: &mut PgConnection, round: Address) -> Result<Vec<Initiative>, sqlx::Error> {
    sqlx::query_as!(
        Initiative,
        r#"select round as "round: AddressColumn", initiative_id, cost as "cost: KopecksColumn",
             content_hash as "content_hash: HashColumn", wallet as "wallet: AddressColumn", supporters, points,
             balance as "balance: KopecksColumn", pledged as "pledged: KopecksColumn", won,
             funded as "funded!: Nullable<KopecksColumn>", paid as "paid: KopecksColumn",
             tx_hash as "tx_hash: HashColumn"
           from chain.initiatives where round = $1 order by initiative_id"#,
        round.as_slice(),
    )
    .fetch_all(connection)
    .await
}

/// One initiative.
///
/// # Errors
/// When the query fails.
pub async fn initiative(
    connection: &mut PgConnection,
    round: Address,
    initiative_id: i32,
) -> Result<Option<Initiative>, sqlx::Error> {
    sqlx::query_as!(
        Initiative,
        r#"select round as "round: AddressColumn", initiative_id, cost as "cost: KopecksColumn",
             content_hash as "content_hash: HashColumn", wallet as "wallet: AddressColumn", supporters, points,
             balance as "balance: KopecksColumn", pledged as "pledged: KopecksColumn", won,
             funded as "funded!: Nullable<KopecksColumn>", paid as "paid: KopecksColumn",
             tx_hash as "tx_hash: HashColumn"
           from chain.initiatives where round = $1 and initiative_id = $2"#,
        round.as_slice(),
        initiative_id,
    )
    .fetch_optional(connection)
    .await
}

/// All registrations of a round in the chain's order: with [`current_allocations`] what a recount needs.
///
/// # Errors
/// When the query fails.
pub async fn registrations(connection: &mut PgConnection, round: Address) -> Result<Vec<Registration>, sqlx::Error> {
    sqlx::query_as!(
        Registration,
        r#"select account as "account: AddressColumn", class, block_number, log_index, tx_hash as "tx_hash: HashColumn"
           from chain.registrations where round = $1 order by block_number, log_index"#,
        round.as_slice(),
    )
    .fetch_all(connection)
    .await
}

/// An account's registration in a round.
///
/// # Errors
/// When the query fails.
pub async fn registration(
    connection: &mut PgConnection,
    round: Address,
    account: Address,
) -> Result<Option<Registration>, sqlx::Error> {
    sqlx::query_as!(
        Registration,
        r#"select account as "account: AddressColumn", class, block_number, log_index, tx_hash as "tx_hash: HashColumn"
           from chain.registrations where round = $1 and account = $2"#,
        round.as_slice(),
        account.as_slice(),
    )
    .fetch_optional(connection)
    .await
}

/// The allocations of a round that count, in the chain's order.
///
/// # Errors
/// When the query fails.
pub async fn current_allocations(
    connection: &mut PgConnection,
    round: Address,
) -> Result<Vec<Allocation>, sqlx::Error> {
    sqlx::query_as!(
        Allocation,
        r#"select account as "account: AddressColumn", version, initiatives, points, current, block_number, log_index,
             tx_hash as "tx_hash: HashColumn"
           from chain.allocations where round = $1 and current order by block_number, log_index"#,
        round.as_slice(),
    )
    .fetch_all(connection)
    .await
}

/// All versions of an account's allocation in a round, newest first.
///
/// # Errors
/// When the query fails.
pub async fn account_allocations(
    connection: &mut PgConnection,
    round: Address,
    account: Address,
) -> Result<Vec<Allocation>, sqlx::Error> {
    sqlx::query_as!(
        Allocation,
        r#"select account as "account: AddressColumn", version, initiatives, points, current, block_number, log_index,
             tx_hash as "tx_hash: HashColumn"
           from chain.allocations where round = $1 and account = $2 order by version desc"#,
        round.as_slice(),
        account.as_slice(),
    )
    .fetch_all(connection)
    .await
}

/// Every step of a round's settlement, newest first: the first tells where its result stands.
///
/// # Errors
/// When the query fails.
pub async fn settlements(connection: &mut PgConnection, round: Address) -> Result<Vec<Settlement>, sqlx::Error> {
    sqlx::query_as!(
        Settlement,
        r#"select kind, happened_at, winners, transcript_digest as "transcript_digest: HashColumn",
             total_cost as "total_cost!: Nullable<KopecksColumn>", final_at,
             returned as "returned!: Nullable<KopecksColumn>", block_number, tx_hash as "tx_hash: HashColumn"
           from chain.settlements where round = $1 order by block_number desc, log_index desc"#,
        round.as_slice(),
    )
    .fetch_all(connection)
    .await
}

/// Payments of a round, newest first.
///
/// # Errors
/// When the query fails.
pub async fn payments(connection: &mut PgConnection, round: Address) -> Result<Vec<Payment>, sqlx::Error> {
    sqlx::query_as!(
        Payment,
        r#"select initiative_id, amount as "amount: KopecksColumn",
             payment_reference as "payment_reference: HashColumn", document_hash as "document_hash: HashColumn",
             paid_at, block_number, tx_hash as "tx_hash: HashColumn"
           from chain.payments where round = $1 order by block_number desc, log_index desc"#,
        round.as_slice(),
    )
    .fetch_all(connection)
    .await
}
