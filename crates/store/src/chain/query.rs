//! Reading blocks, transactions, logs, transfers, tokens and balances.
//!
//! Lists come newest first and are paged by a [`Position`]: give the last row's position to get what follows it.

use alloy::primitives::{Address, B256, Bytes, U256};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::columns::{AddressColumn, AmountColumn, BytesColumn, HashColumn, Nullable};

/// Transactions `t` with their blocks `b`; the argument says from where and in what order.
macro_rules! transactions {
    ($rest:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Transaction,
            r#"select t.block_number, t.tx_index, b.block_at, t.hash as "hash: HashColumn",
             t.from_address as "from_address: AddressColumn", t.to_address as "to_address!: Nullable<AddressColumn>",
             t.created_contract as "created_contract!: Nullable<AddressColumn>", t.value as "value: AmountColumn",
             t.input as "input: BytesColumn", t.method as "method!: Nullable<BytesColumn>", t.nonce, t.tx_type, t.gas,
             t.gas_price as "gas_price: AmountColumn", t.gas_used, t.cumulative_gas_used, t.succeeded, t.logs_count "# + $rest
            $(, $argument)*
        )
    };
}

/// Logs; the argument says from where and in what order.
macro_rules! logs {
    ($rest:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Log,
            r#"select block_number, log_index, block_hash as "block_hash: HashColumn", tx_hash as "tx_hash: HashColumn",
             tx_index, address as "address: AddressColumn", topic0 as "topic0!: Nullable<HashColumn>",
             topic1 as "topic1!: Nullable<HashColumn>", topic2 as "topic2!: Nullable<HashColumn>",
             topic3 as "topic3!: Nullable<HashColumn>", data as "data: BytesColumn" "# + $rest
            $(, $argument)*
        )
    };
}

/// Transfers `x` with their blocks `b` and tokens `t`; the argument says from where and in what order.
macro_rules! transfers {
    ($rest:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Transfer,
            r#"select x.block_number, x.log_index, b.block_at, x.tx_hash as "tx_hash: HashColumn", x.tx_index,
             x.token as "token: AddressColumn", x.from_address as "from_address: AddressColumn",
             x.to_address as "to_address: AddressColumn", x.amount as "amount: AmountColumn",
             t.symbol as "symbol?", t.decimals as "decimals?" "# + $rest
            $(, $argument)*
        )
    };
}

/// A place in the chain: block and position in it (transaction index or log index, as the list says).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Block number.
    pub block: u64,
    /// Index in the block.
    pub index: u32,
}

impl Position {
    /// Before everything in a list that comes newest first.
    pub const NEWEST: Self = Self { block: u64::MAX, index: u32::MAX };
}

/// How far the index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Highest indexed block; none before the first.
    pub indexed_block: Option<u64>,
    /// Time of that block.
    pub indexed_block_at: Option<OffsetDateTime>,
    /// Highest block that the node had shown when the indexer last looked.
    pub node_block: u64,
    /// Highest block that counts as final.
    pub finalized_block: Option<u64>,
    /// Reorganisations followed.
    pub reorgs: u64,
    /// When the indexer last wrote.
    pub updated_at: OffsetDateTime,
}

impl Head {
    /// Blocks that the index is behind the node.
    pub fn lag(&self) -> u64 {
        match self.indexed_block {
            Some(indexed) => self.node_block.saturating_sub(indexed),
            None => self.node_block + 1,
        }
    }
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Height.
    pub number: i64,
    /// Hash.
    pub hash: B256,
    /// Hash of the block before.
    pub parent_hash: B256,
    /// Its time.
    pub block_at: OffsetDateTime,
    /// Proposer.
    pub miner: Address,
    /// Gas used.
    pub gas_used: i64,
    /// Gas limit.
    pub gas_limit: i64,
    /// Wei for a unit of gas.
    pub base_fee: Option<U256>,
    /// Bytes.
    pub size: i64,
    /// Transactions.
    pub tx_count: i32,
    /// Logs kept.
    pub logs_count: i32,
}

/// A transaction with its receipt and the time of its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Block.
    pub block_number: i64,
    /// Position in the block.
    pub tx_index: i32,
    /// Time of the block.
    pub block_at: OffsetDateTime,
    /// Hash.
    pub hash: B256,
    /// Sender.
    pub from_address: Address,
    /// Receiver; none for a creation.
    pub to_address: Option<Address>,
    /// Contract created.
    pub created_contract: Option<Address>,
    /// Wei.
    pub value: U256,
    /// Call data.
    pub input: Bytes,
    /// Function selector of a call.
    pub method: Option<Bytes>,
    /// Sender's nonce.
    pub nonce: i64,
    /// EIP-2718 type.
    pub tx_type: i16,
    /// Gas limit.
    pub gas: i64,
    /// Effective price in wei.
    pub gas_price: U256,
    /// Gas used.
    pub gas_used: i64,
    /// Gas used in the block up to and with this one.
    pub cumulative_gas_used: i64,
    /// Status.
    pub succeeded: bool,
    /// Logs emitted.
    pub logs_count: i32,
}

impl Transaction {
    /// Where the next page starts.
    pub fn position(&self) -> Position {
        position(self.block_number, self.tx_index)
    }
}

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Block.
    pub block_number: i64,
    /// Position in the block.
    pub log_index: i32,
    /// Hash of the block.
    pub block_hash: B256,
    /// Transaction.
    pub tx_hash: B256,
    /// Its position in the block.
    pub tx_index: i32,
    /// Emitting contract.
    pub address: Address,
    /// First topic.
    pub topic0: Option<B256>,
    /// Second topic.
    pub topic1: Option<B256>,
    /// Third topic.
    pub topic2: Option<B256>,
    /// Fourth topic.
    pub topic3: Option<B256>,
    /// Data.
    pub data: Bytes,
}

impl Log {
    /// All topics in order.
    pub fn topics(&self) -> Vec<B256> {
        [self.topic0, self.topic1, self.topic2, self.topic3].into_iter().map_while(|topic| topic).collect()
    }

    /// Where the next page starts.
    pub fn position(&self) -> Position {
        position(self.block_number, self.log_index)
    }
}

/// An ERC-20 transfer with the time of its block and what is known of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Block.
    pub block_number: i64,
    /// Position of its log in the block.
    pub log_index: i32,
    /// Time of the block.
    pub block_at: OffsetDateTime,
    /// Transaction.
    pub tx_hash: B256,
    /// Its position in the block.
    pub tx_index: i32,
    /// Token.
    pub token: Address,
    /// Payer; zero for a mint.
    pub from_address: Address,
    /// Payee; zero for a burn.
    pub to_address: Address,
    /// Base units.
    pub amount: U256,
    /// Symbol of the token, if it has one.
    pub symbol: Option<String>,
    /// Decimals of the token, if it says.
    pub decimals: Option<i16>,
}

impl Transfer {
    /// Where the next page starts.
    pub fn position(&self) -> Position {
        position(self.block_number, self.log_index)
    }
}

/// A token that an address holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Token.
    pub token: Address,
    /// Name, if it has one.
    pub name: Option<String>,
    /// Symbol, if it has one.
    pub symbol: Option<String>,
    /// Decimals, if it says.
    pub decimals: Option<i16>,
    /// Base units.
    pub amount: U256,
}

/// An address that holds a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub holder: Address,
    /// Base units.
    pub amount: U256,
}

/// What the deployment tells of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Address.
    pub address: Address,
    /// `municipalities`, `rounds`, `round-implementation`, `token-implementation`, `round`, `token` or `wallet`.
    pub kind: String,
    /// The round that it belongs to.
    pub round: Option<Address>,
    /// The initiative whose wallet it is.
    pub initiative_id: Option<i32>,
}

fn position(block: i64, index: i32) -> Position {
    Position { block: block.cast_unsigned(), index: index.cast_unsigned() }
}

pub(super) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn index(position: Position) -> i32 {
    i32::try_from(position.index).unwrap_or(i32::MAX)
}

/// How far the index is; none before the indexer's first start.
///
/// # Errors
/// When the query fails.
pub async fn head(connection: &mut PgConnection) -> Result<Option<Head>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select h.indexed_block, b.block_at as "block_at?", h.node_block, h.finalized_block, h.reorgs, h.updated_at
           from chain.head h left join chain.blocks b on b.number = h.indexed_block"#
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Head {
        indexed_block: row.indexed_block.map(i64::cast_unsigned),
        indexed_block_at: row.block_at,
        node_block: row.node_block.cast_unsigned(),
        finalized_block: row.finalized_block.map(i64::cast_unsigned),
        reorgs: row.reorgs.cast_unsigned(),
        updated_at: row.updated_at,
    }))
}

/// Blocks below `before`, newest first; `u64::MAX` for the latest. Those known from their logs alone are left out.
///
/// # Errors
/// When the query fails.
pub async fn blocks(connection: &mut PgConnection, before: u64, limit: i64) -> Result<Vec<Block>, sqlx::Error> {
    sqlx::query_as!(
        Block,
        r#"select number, hash as "hash: HashColumn", parent_hash as "parent_hash!: HashColumn", block_at,
             miner as "miner!: AddressColumn", gas_used as "gas_used!", gas_limit as "gas_limit!",
             base_fee as "base_fee!: Nullable<AmountColumn>", size as "size!", tx_count as "tx_count!", logs_count
           from chain.blocks where number < $1 and miner is not null order by number desc limit $2"#,
        to_i64(before),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// A block by its number.
///
/// # Errors
/// When the query fails.
pub async fn block_by_number(connection: &mut PgConnection, number: u64) -> Result<Option<Block>, sqlx::Error> {
    let below = number.saturating_add(1);
    Ok(blocks(connection, below, 1).await?.pop().filter(|block| block.number.cast_unsigned() == number))
}

/// A block by its hash.
///
/// # Errors
/// When the query fails.
pub async fn block_by_hash(connection: &mut PgConnection, hash: B256) -> Result<Option<Block>, sqlx::Error> {
    let number = sqlx::query_scalar!("select number from chain.blocks where hash = $1", hash.as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    match number {
        Some(number) => block_by_number(connection, number.cast_unsigned()).await,
        None => Ok(None),
    }
}

/// Transactions of the whole chain before a position, newest first.
///
/// # Errors
/// When the query fails.
pub async fn transactions(
    connection: &mut PgConnection,
    before: Position,
    limit: i64,
) -> Result<Vec<Transaction>, sqlx::Error> {
    transactions!(
        r#"from chain.transactions t join chain.blocks b on b.number = t.block_number
           where (t.block_number, t.tx_index) < ($1, $2)
           order by t.block_number desc, t.tx_index desc limit $3"#,
        to_i64(before.block),
        index(before),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Transactions of a block from an index on, in their order.
///
/// # Errors
/// When the query fails.
pub async fn block_transactions(
    connection: &mut PgConnection,
    block: u64,
    from_index: u32,
    limit: i64,
) -> Result<Vec<Transaction>, sqlx::Error> {
    transactions!(
        r#"from chain.transactions t join chain.blocks b on b.number = t.block_number
           where t.block_number = $1 and t.tx_index >= $2
           order by t.tx_index limit $3"#,
        to_i64(block),
        i32::try_from(from_index).unwrap_or(i32::MAX),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// A transaction by its hash.
///
/// # Errors
/// When the query fails.
pub async fn transaction(connection: &mut PgConnection, hash: B256) -> Result<Option<Transaction>, sqlx::Error> {
    transactions!(
        r#"from chain.transactions t join chain.blocks b on b.number = t.block_number
           where t.hash = $1"#,
        hash.as_slice(),
    )
    .fetch_optional(connection)
    .await
}

/// Transactions that an address sent, received or was created by, before a position, newest first.
///
/// # Errors
/// When the query fails.
pub async fn address_transactions(
    connection: &mut PgConnection,
    address: Address,
    before: Position,
    limit: i64,
) -> Result<Vec<Transaction>, sqlx::Error> {
    transactions!(
        r#"from (
               (select block_number, tx_index from chain.transactions
                where from_address = $1 and (block_number, tx_index) < ($2, $3)
                order by block_number desc, tx_index desc limit $4)
               union
               (select block_number, tx_index from chain.transactions
                where to_address = $1 and (block_number, tx_index) < ($2, $3)
                order by block_number desc, tx_index desc limit $4)
               union
               (select block_number, tx_index from chain.transactions
                where created_contract = $1 and (block_number, tx_index) < ($2, $3))
           ) k
           join chain.transactions t using (block_number, tx_index)
           join chain.blocks b on b.number = t.block_number
           order by t.block_number desc, t.tx_index desc limit $4"#,
        address.as_slice(),
        to_i64(before.block),
        index(before),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Logs of a transaction in their order.
///
/// # Errors
/// When the query fails.
pub async fn transaction_logs(
    connection: &mut PgConnection,
    block: u64,
    tx_index: u32,
) -> Result<Vec<Log>, sqlx::Error> {
    logs!(
        r#"from chain.logs where block_number = $1 and tx_index = $2 order by log_index"#,
        to_i64(block),
        i32::try_from(tx_index).unwrap_or(i32::MAX),
    )
    .fetch_all(connection)
    .await
}

/// Logs that a contract emitted before a position, newest first.
///
/// # Errors
/// When the query fails.
pub async fn address_logs(
    connection: &mut PgConnection,
    address: Address,
    before: Position,
    limit: i64,
) -> Result<Vec<Log>, sqlx::Error> {
    logs!(
        r#"from chain.logs where address = $1 and (block_number, log_index) < ($2, $3)
           order by block_number desc, log_index desc limit $4"#,
        address.as_slice(),
        to_i64(before.block),
        index(before),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Transfers of a transaction in their order.
///
/// # Errors
/// When the query fails.
pub async fn transaction_transfers(
    connection: &mut PgConnection,
    block: u64,
    tx_index: u32,
) -> Result<Vec<Transfer>, sqlx::Error> {
    transfers!(
        r#"from chain.transfers x
           join chain.blocks b on b.number = x.block_number
           left join chain.tokens t on t.address = x.token
           where x.block_number = $1 and x.tx_index = $2 order by x.log_index"#,
        to_i64(block),
        i32::try_from(tx_index).unwrap_or(i32::MAX),
    )
    .fetch_all(connection)
    .await
}

/// Transfers from or to an address before a position, newest first.
///
/// # Errors
/// When the query fails.
pub async fn address_transfers(
    connection: &mut PgConnection,
    address: Address,
    before: Position,
    limit: i64,
) -> Result<Vec<Transfer>, sqlx::Error> {
    transfers!(
        r#"from (
               (select block_number, log_index from chain.transfers
                where from_address = $1 and (block_number, log_index) < ($2, $3)
                order by block_number desc, log_index desc limit $4)
               union
               (select block_number, log_index from chain.transfers
                where to_address = $1 and (block_number, log_index) < ($2, $3)
                order by block_number desc, log_index desc limit $4)
           ) k
           join chain.transfers x using (block_number, log_index)
           join chain.blocks b on b.number = x.block_number
           left join chain.tokens t on t.address = x.token
           order by x.block_number desc, x.log_index desc limit $4"#,
        address.as_slice(),
        to_i64(before.block),
        index(before),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Transfers of a token before a position, newest first.
///
/// # Errors
/// When the query fails.
pub async fn token_transfers(
    connection: &mut PgConnection,
    token: Address,
    before: Position,
    limit: i64,
) -> Result<Vec<Transfer>, sqlx::Error> {
    transfers!(
        r#"from chain.transfers x
           join chain.blocks b on b.number = x.block_number
           left join chain.tokens t on t.address = x.token
           where x.token = $1 and (x.block_number, x.log_index) < ($2, $3)
           order by x.block_number desc, x.log_index desc limit $4"#,
        token.as_slice(),
        to_i64(before.block),
        index(before),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Tokens that an address holds.
///
/// # Errors
/// When the query fails.
pub async fn holdings(connection: &mut PgConnection, holder: Address, limit: i64) -> Result<Vec<Holding>, sqlx::Error> {
    sqlx::query_as!(
        Holding,
        r#"select b.token as "token: AddressColumn", t.name as "name?", t.symbol as "symbol?",
             t.decimals as "decimals?", b.amount as "amount: AmountColumn"
           from chain.balances b left join chain.tokens t on t.address = b.token
           where b.holder = $1 and b.amount > 0 and b.amount < 2::numeric ^ 256
           order by t.block_number, b.token limit $2"#,
        holder.as_slice(),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Holders of a token, largest first, after the given one.
///
/// # Errors
/// When the query fails.
pub async fn holders(
    connection: &mut PgConnection,
    token: Address,
    after: Option<&Holder>,
    limit: i64,
) -> Result<Vec<Holder>, sqlx::Error> {
    let amount = after.map(|holder| holder.amount.to_string());
    let holder = after.map(|holder| holder.holder.to_vec());
    sqlx::query_as!(
        Holder,
        r#"select holder as "holder: AddressColumn", amount as "amount: AmountColumn"
           from chain.balances
           where token = $1 and amount > 0 and amount < 2::numeric ^ 256
             and ($2::text is null or amount <= $2::text::numeric)
             and ($2::text is null or amount < $2::text::numeric or holder > $3::bytea)
           order by amount desc, holder limit $4"#,
        token.as_slice(),
        amount,
        holder,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Number of holders of a token.
///
/// # Errors
/// When the query fails.
pub async fn holder_count(connection: &mut PgConnection, token: Address) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from chain.balances where token = $1 and amount > 0"#,
        token.as_slice()
    )
    .fetch_one(connection)
    .await
}

/// What an address holds of a token, in base units.
///
/// # Errors
/// When the query fails.
pub async fn balance(connection: &mut PgConnection, token: Address, holder: Address) -> Result<U256, sqlx::Error> {
    let row = sqlx::query!(
        r#"select amount as "amount: AmountColumn" from chain.balances
           where token = $1 and holder = $2 and amount > 0 and amount < 2::numeric ^ 256"#,
        token.as_slice(),
        holder.as_slice(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| row.amount.into()).unwrap_or_default())
}

/// What the deployment tells of addresses; those it does not know are absent.
///
/// # Errors
/// When the query fails.
pub async fn labels(connection: &mut PgConnection, addresses: &[Address]) -> Result<Vec<Label>, sqlx::Error> {
    let addresses: Vec<&[u8]> = addresses.iter().map(|address| address.as_slice()).collect();
    sqlx::query_as!(
        Label,
        r#"select address as "address: AddressColumn", kind, round as "round!: Nullable<AddressColumn>", initiative_id
           from chain.contracts where address = any($1::bytea[])"#,
        &addresses as &[&[u8]],
    )
    .fetch_all(connection)
    .await
}
