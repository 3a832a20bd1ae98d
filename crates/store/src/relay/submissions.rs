//! Nonces, and the signed transactions that use them.

use std::fmt;
use std::str::FromStr;

use alloy::primitives::{Address, B256, Bytes};
use kopilka_domain::{MessageKind, UnknownName};
use sqlx::PgConnection;

use super::corrupt;

/// What a nonce is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionKind {
    /// Carries messages of this kind.
    Batch(MessageKind),
    /// An empty transaction that closes a gap of nonces.
    Filler,
}

impl fmt::Display for SubmissionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(kind) => kind.fmt(f),
            Self::Filler => f.pad("filler"),
        }
    }
}

impl FromStr for SubmissionKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        if text == "filler" { Ok(Self::Filler) } else { text.parse().map(Self::Batch) }
    }
}

/// A nonce to be taken.
#[derive(Debug, Clone, Copy)]
pub struct NewSubmission {
    /// Whose nonce.
    pub sender: Address,
    /// The nonce.
    pub nonce: u64,
    /// What for.
    pub kind: SubmissionKind,
    /// The contract that is called, or the sender itself for a filler.
    pub recipient: Address,
    /// Poll, source or prize within the contract; 0 for rounds.
    pub scope: u64,
    /// Class of registrations, otherwise 0.
    pub class: u8,
}

/// A signed transaction to be stored before it is sent.
#[derive(Debug, Clone)]
pub struct NewTransaction {
    /// Its hash.
    pub hash: B256,
    /// Its bytes as they are sent.
    pub raw: Bytes,
    /// Most wei for a unit of gas.
    pub max_fee_per_gas: u128,
    /// Wei for a unit of gas that the block's builder gets.
    pub max_priority_fee_per_gas: u128,
    /// Most gas.
    pub gas_limit: u64,
    /// Head of the chain at signing.
    pub signed_block: u64,
}

/// A stored signed transaction.
pub type SignedTransaction = NewTransaction;

/// Where a submission was mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mined {
    /// Which of its transactions.
    pub tx_hash: B256,
    /// Number of the block.
    pub block_number: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// Gas that was paid.
    pub gas_used: u64,
    /// Whether it had no effect.
    pub reverted: bool,
}

/// A nonce in use.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Key of the row.
    pub id: i64,
    /// The nonce.
    pub nonce: u64,
    /// What for.
    pub kind: SubmissionKind,
    /// The contract that is called, or the sender itself for a filler.
    pub recipient: Address,
    /// Where it was mined, if it was.
    pub mined: Option<Mined>,
    /// Whether its block counts as permanent.
    pub is_final: bool,
    /// Its transactions, the oldest first; without their bytes while it is mined.
    pub transactions: Vec<SignedTransaction>,
}

/// The nonce after the highest that was ever taken; 0 for a new sender.
///
/// # Errors
/// When the query fails.
pub async fn next_nonce(connection: &mut PgConnection, sender: Address) -> sqlx::Result<u64> {
    sqlx::query_scalar!(
        r#"select coalesce(max(nonce) + 1, 0) as "next!" from relay.submissions where sender = $1"#,
        sender.as_slice(),
    )
    .fetch_one(connection)
    .await
    .map(i64::cast_unsigned)
}

/// Takes a nonce; `None` if it is taken already.
///
/// # Errors
/// When the query fails.
pub async fn insert(connection: &mut PgConnection, submission: &NewSubmission) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "insert into relay.submissions (sender, nonce, kind, recipient, scope, class) values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing returning id",
        submission.sender.as_slice(),
        submission.nonce.cast_signed(),
        submission.kind.to_string(),
        submission.recipient.as_slice(),
        submission.scope.cast_signed(),
        i16::from(submission.class),
    )
    .fetch_optional(connection)
    .await
}

/// Stores a signed transaction of a submission.
///
/// # Errors
/// When the query fails.
pub async fn insert_transaction(
    connection: &mut PgConnection,
    submission: i64,
    transaction: &NewTransaction,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into relay.transactions
             (hash, submission, raw, max_fee_per_gas, max_priority_fee_per_gas, gas_limit, signed_block)
         values ($1, $2, $3, $4::text::numeric, $5::text::numeric, $6, $7)",
        transaction.hash.as_slice(),
        submission,
        transaction.raw.as_ref(),
        transaction.max_fee_per_gas.to_string(),
        transaction.max_priority_fee_per_gas.to_string(),
        transaction.gas_limit.cast_signed(),
        transaction.signed_block.cast_signed(),
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// The sender's submissions that are not final, those with nonces from `reopen_from` on whatever their status, and those in
/// blocks from `recheck_from` on, by nonce. The second and third part find what a deep reorg took back or moved.
///
/// # Errors
/// When the query fails.
pub async fn open(
    connection: &mut PgConnection,
    sender: Address,
    reopen_from: u64,
    recheck_from: Option<u64>,
) -> sqlx::Result<Vec<Submission>> {
    let rows = sqlx::query!(
        r#"select s.id, s.nonce, s.kind, s.recipient, s.tx_hash, s.block_number, s.block_hash, s.gas_used, s.reverted,
                  s.status = 'finalized' as "is_final!", t.hash as "hash?",
                  case when s.block_hash is null then t.raw else ''::bytea end as "raw?", t.max_fee_per_gas::text as "max_fee?",
                  t.max_priority_fee_per_gas::text as "tip?", t.gas_limit as "gas_limit?", t.signed_block as "signed_block?"
           from relay.submissions s left join relay.transactions t on t.submission = s.id
           where s.sender = $1 and (s.status in ('pending', 'mined') or s.nonce >= $2 or s.block_number >= $3)
           order by s.nonce, t.signed_block, t.max_fee_per_gas"#,
        sender.as_slice(),
        reopen_from.cast_signed(),
        recheck_from.map(u64::cast_signed),
    )
    .fetch_all(connection)
    .await?;
    let mut submissions: Vec<Submission> = Vec::new();
    for row in rows {
        if submissions.last().is_none_or(|last| last.id != row.id) {
            let mined = match (row.tx_hash, row.block_number, row.block_hash) {
                (Some(tx_hash), Some(block_number), Some(block_hash)) => Some(Mined {
                    tx_hash: B256::from_slice(&tx_hash),
                    block_number: block_number.cast_unsigned(),
                    block_hash: B256::from_slice(&block_hash),
                    gas_used: row.gas_used.unwrap_or_default().cast_unsigned(),
                    reverted: row.reverted.unwrap_or_default(),
                }),
                _ => None,
            };
            submissions.push(Submission {
                id: row.id,
                nonce: row.nonce.cast_unsigned(),
                kind: row.kind.parse().map_err(corrupt)?,
                recipient: Address::from_slice(&row.recipient),
                mined,
                is_final: row.is_final,
                transactions: Vec::new(),
            });
        }
        if let (Some(hash), Some(raw), Some(submission)) = (row.hash, row.raw, submissions.last_mut()) {
            submission.transactions.push(SignedTransaction {
                hash: B256::from_slice(&hash),
                raw: raw.into(),
                max_fee_per_gas: row.max_fee.unwrap_or_default().parse().map_err(corrupt)?,
                max_priority_fee_per_gas: row.tip.unwrap_or_default().parse().map_err(corrupt)?,
                gas_limit: row.gas_limit.unwrap_or_default().cast_unsigned(),
                signed_block: row.signed_block.unwrap_or_default().cast_unsigned(),
            });
        }
    }
    Ok(submissions)
}

/// How many of the sender's submissions are not mined.
///
/// # Errors
/// When the query fails.
pub async fn pending_count(connection: &mut PgConnection, sender: Address) -> sqlx::Result<u64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from relay.submissions where sender = $1 and status = 'pending'"#,
        sender.as_slice(),
    )
    .fetch_one(connection)
    .await
    .map(i64::cast_unsigned)
}

/// Locks a submission if its place in the chain is still the one that the caller knows; false if someone was faster.
///
/// # Errors
/// When the query fails.
pub async fn lock(connection: &mut PgConnection, submission: &Submission) -> sqlx::Result<bool> {
    let row = sqlx::query!("select block_hash from relay.submissions where id = $1 for update", submission.id)
        .fetch_optional(connection)
        .await?;
    let known = submission.mined.map(|mined| mined.block_hash.to_vec());
    Ok(row.is_some_and(|row| row.block_hash == known))
}

/// Writes down in which block a submission is; if the block is permanent already, also how many of its messages took effect.
///
/// # Errors
/// When the query fails.
pub async fn mark_mined(
    connection: &mut PgConnection,
    id: i64,
    mined: &Mined,
    finalized: Option<u32>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.submissions
         set status = case when $7::integer is null then 'mined' else 'finalized' end, tx_hash = $2, block_number = $3,
             block_hash = $4, gas_used = $5, reverted = $6, finalized_count = coalesce($7, 0) where id = $1",
        id,
        mined.tx_hash.as_slice(),
        mined.block_number.cast_signed(),
        mined.block_hash.as_slice(),
        mined.gas_used.cast_signed(),
        mined.reverted,
        finalized.map(u32::cast_signed),
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Its block is no longer part of the chain: the submission waits again.
///
/// # Errors
/// When the query fails.
pub async fn unmine(connection: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.submissions set status = 'pending', tx_hash = null, block_number = null, block_hash = null,
             gas_used = null, reverted = null, finalized_count = 0 where id = $1",
        id,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Its block is permanent.
///
/// # Errors
/// When the query fails.
pub async fn finalize(connection: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query!("update relay.submissions set status = 'finalized' where id = $1 and status = 'mined'", id)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Another transaction, not ours, took its nonce for ever.
///
/// # Errors
/// When the query fails.
pub async fn displace(connection: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query!("update relay.submissions set status = 'displaced' where id = $1 and status = 'pending'", id)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Its messages were given back: nothing is left of it but the nonce, which an empty transaction will close.
///
/// # Errors
/// When the query fails.
pub async fn make_filler(connection: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.submissions set kind = 'filler', recipient = sender, scope = 0, class = 0 where id = $1",
        id
    )
    .execute(connection)
    .await
    .map(|_| ())
}
