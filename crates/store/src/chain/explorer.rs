//! Queries that only the explorer needs: what can be said about addresses, what an account did in all rounds, figures of
//! the start page, streams for CSV. The rest is in [`query`](super::query) and [`rounds`](super::rounds).

use alloy::primitives::{Address, B256, U256};
use futures::stream::BoxStream;
use kopilka_domain::{Kopecks, Phase};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::columns::{AddressColumn, AmountColumn, CodeColumn, HashColumn, KopecksColumn, Nullable};
use super::query::{Position, Transfer};

/// An address of our deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownContract {
    /// Which address.
    pub address: Address,
    /// What it is, as in `chain.contracts`.
    pub kind: String,
    /// Round that it belongs to.
    pub round: Option<Address>,
    /// That round's number.
    pub round_id: Option<i64>,
    /// That round's description.
    pub round_content_hash: Option<B256>,
    /// Wallets: the initiative.
    pub initiative_id: Option<i32>,
    /// Wallets: the initiative's description.
    pub initiative_content_hash: Option<B256>,
    /// Tokens: the symbol.
    pub symbol: Option<String>,
}

/// An access of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLine {
    /// Municipality.
    pub municipality_id: i64,
    /// Its name.
    pub municipality: Option<String>,
    /// `treasurer`, `clerk`, `issuer` or `partner`.
    pub role: String,
    /// Whose.
    pub account: Address,
    /// False after a revocation.
    pub granted: bool,
    /// From when.
    pub valid_from: Option<OffsetDateTime>,
    /// First moment without access.
    pub valid_until: Option<OffsetDateTime>,
}

/// First and last traces of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// First block that names it.
    pub first_at: Option<OffsetDateTime>,
    /// Last block that names it.
    pub last_at: Option<OffsetDateTime>,
    /// Transactions that it sent.
    pub sent: i64,
}

/// What is known of those addresses that belong to our deployment.
///
/// # Errors
/// When the query fails.
pub async fn known_contracts(connection: &mut PgConnection, addresses: &[Address]) -> sqlx::Result<Vec<KnownContract>> {
    let addresses: Vec<Vec<u8>> = addresses.iter().map(|address| address.to_vec()).collect();
    sqlx::query_as!(
        KnownContract,
        r#"select c.address as "address!: AddressColumn", c.kind as "kind!", c.round as "round!: Nullable<AddressColumn>",
                  r.round_id as "round_id?", r.content_hash as "round_content_hash!: Nullable<HashColumn>", c.initiative_id,
                  i.content_hash as "initiative_content_hash!: Nullable<HashColumn>", t.symbol as "symbol?"
           from chain.contracts c
                left join chain.rounds r on r.address = c.round
                left join chain.initiatives i on i.round = c.round and i.initiative_id = c.initiative_id
                left join chain.tokens t on t.address = c.address
           where c.address = any($1::bytea[])"#,
        &addresses
    )
    .fetch_all(connection)
    .await
}

/// Those of the addresses that registered in a round, with the first round each.
///
/// # Errors
/// When the query fails.
pub async fn registered_accounts(
    connection: &mut PgConnection,
    addresses: &[Address],
) -> sqlx::Result<Vec<(Address, Address)>> {
    struct Row {
        account: Address,
        round: Address,
    }
    let addresses: Vec<Vec<u8>> = addresses.iter().map(|address| address.to_vec()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select distinct on (account) account as "account: AddressColumn", round as "round: AddressColumn"
           from chain.registrations where account = any($1::bytea[]) order by account, block_number"#,
        &addresses
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.account, row.round)).collect())
}

/// The last word on every access of the addresses.
///
/// # Errors
/// When the query fails.
pub async fn roles(connection: &mut PgConnection, addresses: &[Address]) -> sqlx::Result<Vec<RoleLine>> {
    let addresses: Vec<Vec<u8>> = addresses.iter().map(|address| address.to_vec()).collect();
    sqlx::query_as!(
        RoleLine,
        r#"select distinct on (r.account, r.municipality_id, r.role)
                  r.municipality_id, m.name as "municipality?", r.role, r.account as "account: AddressColumn", r.granted,
                  r.valid_from, r.valid_until
           from chain.roles r left join chain.municipalities m using (municipality_id)
           where r.account = any($1::bytea[])
           order by r.account, r.municipality_id, r.role, r.block_number desc, r.log_index desc"#,
        &addresses
    )
    .fetch_all(connection)
    .await
}

/// Those of the addresses that sent batches of citizens' messages: `methods` are the selectors of such batches.
///
/// # Errors
/// When the query fails.
pub async fn batch_senders(
    connection: &mut PgConnection,
    addresses: &[Address],
    methods: &[[u8; 4]],
) -> sqlx::Result<Vec<Address>> {
    struct Row {
        address: Address,
    }
    let addresses: Vec<Vec<u8>> = addresses.iter().map(|address| address.to_vec()).collect();
    let methods: Vec<Vec<u8>> = methods.iter().map(|method| method.to_vec()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select a.address as "address!: AddressColumn" from unnest($1::bytea[]) a (address)
           where exists (
               select from chain.transactions t join chain.contracts c on c.address = t.to_address and c.kind = 'round'
               where t.from_address = a.address and t.method = any($2::bytea[])
           )"#,
        &addresses,
        &methods
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.address).collect())
}

/// When an address first and last appeared in a transaction or transfer, and how many transactions it sent.
///
/// # Errors
/// When the query fails.
pub async fn activity(connection: &mut PgConnection, address: Address) -> sqlx::Result<Activity> {
    sqlx::query_as!(
        Activity,
        r#"with seen as (
               (select block_number from chain.transactions where from_address = $1::bytea order by block_number limit 1)
               union all (select block_number from chain.transactions where from_address = $1::bytea order by block_number desc limit 1)
               union all (select block_number from chain.transactions where to_address = $1::bytea order by block_number limit 1)
               union all (select block_number from chain.transactions where to_address = $1::bytea order by block_number desc limit 1)
               union all (select block_number from chain.transfers where from_address = $1::bytea order by block_number limit 1)
               union all (select block_number from chain.transfers where from_address = $1::bytea order by block_number desc limit 1)
               union all (select block_number from chain.transfers where to_address = $1::bytea order by block_number limit 1)
               union all (select block_number from chain.transfers where to_address = $1::bytea order by block_number desc limit 1)
               union all (select block_number from chain.registrations where account = $1::bytea)
               union all (select block_number from chain.transactions where created_contract = $1::bytea)
           )
           select min(b.block_at) as "first_at", max(b.block_at) as "last_at",
                  (select count(*) from chain.transactions where from_address = $1::bytea) as "sent!"
           from seen join chain.blocks b on b.number = seen.block_number"#,
        address.as_slice()
    )
    .fetch_one(connection)
    .await
}

/// The transaction that created a contract directly.
///
/// # Errors
/// When the query fails.
pub async fn creation(connection: &mut PgConnection, address: Address) -> sqlx::Result<Option<(B256, Address)>> {
    struct Row {
        hash: B256,
        from_address: Address,
    }
    let row = sqlx::query_as!(
        Row,
        r#"select hash as "hash: HashColumn", from_address as "from_address: AddressColumn"
           from chain.transactions where created_contract = $1::bytea order by block_number, tx_index limit 1"#,
        address.as_slice()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.hash, row.from_address)))
}

/// Seconds between blocks on average, over the last `blocks` blocks.
///
/// # Errors
/// When the query fails.
pub async fn average_block_seconds(connection: &mut PgConnection, blocks: i64) -> sqlx::Result<Option<f64>> {
    sqlx::query_scalar!(
        "select (extract(epoch from max(block_at) - min(block_at)) / nullif(count(*) - 1, 0))::float8
         from (select block_at from chain.blocks order by number desc limit $1) recent",
        blocks
    )
    .fetch_one(connection)
    .await
}

/// Transactions since a moment.
///
/// # Errors
/// When the query fails.
pub async fn transactions_since(connection: &mut PgConnection, since: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(tx_count), 0)::bigint as "count!" from chain.blocks where block_at >= $1"#,
        since
    )
    .fetch_one(connection)
    .await
}

/// How many hold a token, and how much exists of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// Addresses with a balance.
    pub holders: i64,
    /// Base units in existence.
    pub supply: U256,
}

/// Holders and supply of a token.
///
/// # Errors
/// When the query fails.
pub async fn supply(connection: &mut PgConnection, token: Address) -> sqlx::Result<Supply> {
    sqlx::query_as!(
        Supply,
        r#"select count(*) as "holders!",
                  least(coalesce(sum(amount), 0), 115792089237316195423570985008687907853269984665640564039457584007913129639935) as "supply!: AmountColumn"
           from chain.balances where token = $1::bytea and amount > 0"#,
        token.as_slice()
    )
    .fetch_one(connection)
    .await
}

/// Tokens minted against an appropriation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mint {
    /// When.
    pub block_at: OffsetDateTime,
    /// Transaction.
    pub tx_hash: B256,
    /// Who minted.
    pub treasurer: Address,
    /// How much.
    pub amount: Kopecks,
    /// Minted together with this.
    pub minted_total: Kopecks,
}

/// Mints of a budget token, in their order.
///
/// # Errors
/// When the query fails.
pub async fn mints(connection: &mut PgConnection, token: Address) -> sqlx::Result<Vec<Mint>> {
    sqlx::query_as!(
        Mint,
        r#"select b.block_at, m.tx_hash as "tx_hash: HashColumn", m.treasurer as "treasurer: AddressColumn",
                  m.amount as "amount: KopecksColumn", m.minted_total as "minted_total: KopecksColumn"
           from chain.mints m join chain.blocks b on b.number = m.block_number
           where m.token = $1::bytea order by m.block_number, m.log_index"#,
        token.as_slice()
    )
    .fetch_all(connection)
    .await
}

/// Addresses of tokens whose name contains a text or whose symbol is it.
///
/// # Errors
/// When the query fails.
pub async fn search_tokens(connection: &mut PgConnection, text: &str, limit: i64) -> sqlx::Result<Vec<Address>> {
    struct Row {
        address: Address,
    }
    let rows = sqlx::query_as!(
        Row,
        r#"select address as "address: AddressColumn" from chain.tokens
           where position(lower($1) in lower(name)) > 0 or lower(symbol) = lower($1)
           order by block_number desc, log_index desc limit $2"#,
        text,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.address).collect())
}

/// Rounds and initiatives whose published text contains another text; the initiative is absent where the round's own does.
///
/// # Errors
/// When the query fails.
pub async fn search_texts(
    connection: &mut PgConnection,
    text: &str,
    limit: i64,
) -> sqlx::Result<Vec<(Address, Option<i32>)>> {
    struct Row {
        round: Address,
        initiative_id: Option<i32>,
    }
    let rows = sqlx::query_as!(
        Row,
        r#"with found as (select hash from portal.documents where position(lower($1) in lower(body)) > 0)
           select r.address as "round!: AddressColumn", null::integer as "initiative_id" from chain.rounds r join found on found.hash = r.content_hash
           union all
           select i.round, i.initiative_id from chain.initiatives i join found on found.hash = i.content_hash
           limit $2"#,
        text,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.round, row.initiative_id)).collect())
}

/// All transfers of a token in the order of the chain, as they come from the database.
pub fn stream_transfers(pool: &PgPool, token: Address) -> BoxStream<'_, sqlx::Result<Transfer>> {
    sqlx::query_as!(
        Transfer,
        r#"select x.block_number, x.log_index, b.block_at, x.tx_hash as "tx_hash: HashColumn", x.tx_index,
             x.token as "token: AddressColumn", x.from_address as "from_address: AddressColumn",
             x.to_address as "to_address: AddressColumn", x.amount as "amount: AmountColumn",
             t.symbol as "symbol?", t.decimals as "decimals?"
           from chain.transfers x join chain.blocks b on b.number = x.block_number left join chain.tokens t on t.address = x.token
           where x.token = $1::bytea order by x.block_number, x.log_index"#,
        token.to_vec()
    )
    .fetch(pool)
}

/// A registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Block.
    pub block_number: i64,
    /// Log in it.
    pub log_index: i32,
    /// When.
    pub block_at: OffsetDateTime,
    /// Transaction.
    pub tx_hash: B256,
    /// Round.
    pub round: Address,
    /// Account.
    pub account: Address,
    /// Class.
    pub class: i16,
}

/// Registrations of an account, in their order.
///
/// # Errors
/// When the query fails.
pub async fn account_registrations(connection: &mut PgConnection, account: Address) -> sqlx::Result<Vec<Registration>> {
    sqlx::query_as!(
        Registration,
        r#"select r.block_number, r.log_index, b.block_at, r.tx_hash as "tx_hash: HashColumn", r.round as "round: AddressColumn",
                  r.account as "account: AddressColumn", r.class
           from chain.registrations r join chain.blocks b on b.number = r.block_number
           where r.account = $1::bytea order by r.block_number, r.log_index limit 100"#,
        account.as_slice()
    )
    .fetch_all(connection)
    .await
}

/// An allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationLine {
    /// Block.
    pub block_number: i64,
    /// Log in it.
    pub log_index: i32,
    /// When.
    pub block_at: OffsetDateTime,
    /// Transaction.
    pub tx_hash: B256,
    /// Round.
    pub round: Address,
    /// Account.
    pub account: Address,
    /// Its version.
    pub version: i64,
    /// Initiatives, ascending.
    pub initiatives: Vec<i32>,
    /// Their points; empty on approval ballots.
    pub points: Vec<i32>,
    /// Whether it is the account's last one.
    pub current: bool,
}

impl AllocationLine {
    /// Its place, for the next page.
    pub fn position(&self) -> Position {
        Position { block: self.block_number.cast_unsigned(), index: self.log_index.cast_unsigned() }
    }
}

/// Allocations of an account, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn account_allocations(connection: &mut PgConnection, account: Address) -> sqlx::Result<Vec<AllocationLine>> {
    sqlx::query_as!(
        AllocationLine,
        r#"select a.block_number, a.log_index, b.block_at, a.tx_hash as "tx_hash: HashColumn", a.round as "round: AddressColumn",
                  a.account as "account: AddressColumn", a.version, a.initiatives, a.points, a.current
           from chain.allocations a join chain.blocks b on b.number = a.block_number
           where a.account = $1::bytea order by a.block_number desc, a.log_index desc limit 200"#,
        account.as_slice()
    )
    .fetch_all(connection)
    .await
}

/// Allocations of a round before a place, the newest first, superseded ones included.
///
/// # Errors
/// When the query fails.
pub async fn round_allocations(
    connection: &mut PgConnection,
    round: Address,
    before: Position,
    limit: i64,
) -> sqlx::Result<Vec<AllocationLine>> {
    sqlx::query_as!(
        AllocationLine,
        r#"select a.block_number, a.log_index, b.block_at, a.tx_hash as "tx_hash: HashColumn", a.round as "round: AddressColumn",
                  a.account as "account: AddressColumn", a.version, a.initiatives, a.points, a.current
           from chain.allocations a join chain.blocks b on b.number = a.block_number
           where a.round = $1::bytea and (a.block_number, a.log_index) < ($2, $3)
           order by a.block_number desc, a.log_index desc limit $4"#,
        round.as_slice(),
        i64::try_from(before.block).unwrap_or(i64::MAX),
        i32::try_from(before.index).unwrap_or(i32::MAX),
        limit
    )
    .fetch_all(connection)
    .await
}

/// All allocations of a round in the order of the chain, superseded ones included, as they come from the database.
pub fn stream_allocations(pool: &PgPool, round: Address) -> BoxStream<'_, sqlx::Result<AllocationLine>> {
    sqlx::query_as!(
        AllocationLine,
        r#"select a.block_number, a.log_index, b.block_at, a.tx_hash as "tx_hash: HashColumn", a.round as "round: AddressColumn",
                  a.account as "account: AddressColumn", a.version, a.initiatives, a.points, a.current
           from chain.allocations a join chain.blocks b on b.number = a.block_number
           where a.round = $1::bytea order by a.block_number, a.log_index"#,
        round.to_vec()
    )
    .fetch(pool)
}

/// An item of a batch that had no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// When.
    pub block_at: OffsetDateTime,
    /// Transaction.
    pub tx_hash: B256,
    /// Round.
    pub round: Address,
    /// `registration` or `allocation`.
    pub kind: String,
    /// Why, as in `chain.skipped_items`.
    pub reason: String,
}

/// Items of an account that had no effect, the newest first.
///
/// # Errors
/// When the query fails.
pub async fn account_skipped(connection: &mut PgConnection, account: Address) -> sqlx::Result<Vec<Skipped>> {
    sqlx::query_as!(
        Skipped,
        r#"select b.block_at, s.tx_hash as "tx_hash: HashColumn", s.round as "round: AddressColumn", s.kind, s.reason
           from chain.skipped_items s join chain.blocks b on b.number = s.block_number
           where s.account = $1::bytea order by s.block_number desc, s.log_index desc limit 100"#,
        account.as_slice()
    )
    .fetch_all(connection)
    .await
}

/// Items of batches that had no effect in a round, counted.
///
/// # Errors
/// When the query fails.
pub async fn skipped_count(connection: &mut PgConnection, round: Address) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from chain.skipped_items where round = $1::bytea"#,
        round.as_slice()
    )
    .fetch_one(connection)
    .await
}

/// A ballot as it decides the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BallotRow {
    /// Account.
    pub account: Address,
    /// Weight of its class.
    pub weight: i64,
    /// Initiatives, ascending.
    pub initiatives: Vec<i32>,
    /// Their points.
    pub points: Vec<i32>,
}

/// Current, non-empty allocations of a round with their weights: the ballots that decide the result.
///
/// # Errors
/// When the query fails.
pub async fn ballots(connection: &mut PgConnection, round: Address) -> sqlx::Result<Vec<BallotRow>> {
    sqlx::query_as!(
        BallotRow,
        r#"select a.account as "account: AddressColumn", c.weight, a.initiatives, a.points
           from chain.allocations a
                join chain.registrations r on r.round = a.round and r.account = a.account
                join chain.classes c on c.round = a.round and c.class = r.class
           where a.round = $1::bytea and a.current and cardinality(a.initiatives) > 0
           order by a.account"#,
        round.as_slice()
    )
    .fetch_all(connection)
    .await
}

/// Place of the last allocation of a round: as long as it stays, so do the ballots.
///
/// # Errors
/// When the query fails.
pub async fn ballots_version(connection: &mut PgConnection, round: Address) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select coalesce(max(block_number), 0) as "block_number!", count(*) as "count!"
           from chain.allocations where round = $1::bytea"#,
        round.as_slice()
    )
    .fetch_one(connection)
    .await?;
    Ok((row.block_number, row.count))
}

/// A change of phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseChange {
    /// The new phase.
    pub phase: Phase,
    /// When.
    pub changed_at: OffsetDateTime,
    /// Transaction.
    pub tx_hash: B256,
}

/// Changes of phase of a round, in their order.
///
/// # Errors
/// When the query fails.
pub async fn phase_changes(connection: &mut PgConnection, round: Address) -> sqlx::Result<Vec<PhaseChange>> {
    sqlx::query_as!(
        PhaseChange,
        r#"select phase as "phase: CodeColumn<Phase>", changed_at, tx_hash as "tx_hash: HashColumn"
           from chain.phase_changes where round = $1::bytea order by block_number, log_index"#,
        round.as_slice()
    )
    .fetch_all(connection)
    .await
}

/// What lies in the wallets of a round's initiatives now, together.
///
/// # Errors
/// When the query fails.
pub async fn in_wallets(connection: &mut PgConnection, rounds: &[Address]) -> sqlx::Result<Vec<(Address, Kopecks)>> {
    struct Row {
        round: Address,
        amount: Kopecks,
    }
    let rounds: Vec<Vec<u8>> = rounds.iter().map(|round| round.to_vec()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select round as "round: AddressColumn", sum(balance) as "amount!: KopecksColumn"
           from chain.initiatives where round = any($1::bytea[]) group by round"#,
        &rounds
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.round, row.amount)).collect())
}
