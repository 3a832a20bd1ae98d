//! Accepted messages: storing them, and where each stands.

use alloy::primitives::{Address, B256};
use kopilka_domain::{MessageKind, MessageStatus};
use sqlx::PgConnection;

use super::corrupt;

/// A checked message, ready to be accepted.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// keccak256 of what it says.
    pub id: B256,
    /// What it does.
    pub kind: MessageKind,
    /// Contract that it is for.
    pub contract: Address,
    /// Poll, source or prize within the contract; 0 for rounds.
    pub scope: u64,
    /// Class of a registration, otherwise 0.
    pub class: u8,
    /// Who it is about.
    pub account: Address,
    /// Version of an allocation, otherwise 0.
    pub version: u32,
    /// What the contract will be given.
    pub content: Vec<u8>,
    /// Estimated gas in a batch.
    pub gas: u32,
    /// Registration that must be mined first.
    pub waits_for: Option<B256>,
}

/// What anyone who knows the id may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    /// keccak256 of what it says.
    pub id: B256,
    /// What it does.
    pub kind: MessageKind,
    /// Contract that it is for.
    pub contract: Address,
    /// Poll, source or prize within the contract; 0 for rounds.
    pub scope: u64,
    /// Who it is about.
    pub account: Address,
    /// Version of an allocation or ballot, nonce of a redemption, otherwise 0.
    pub version: u32,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it took, or will take, no effect.
    pub reason: Option<String>,
    /// Transaction in which it was mined.
    pub tx_hash: Option<B256>,
    /// Block in which it was mined.
    pub block_number: Option<u64>,
    /// Its event's index in the block.
    pub log_index: Option<u64>,
    /// It failed before any transaction settled it: sent again, it may be tried again.
    pub can_retry: bool,
}

/// What the queue knows about an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownAccount {
    /// Its registration in the contract that has not failed.
    pub registration: Option<(B256, MessageStatus)>,
    /// Highest version of its messages of the kind that have not failed; 0 for a kind that is sent once.
    pub version: Option<u32>,
}

/// Messages by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
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
}

pub(super) fn hashes(ids: &[B256]) -> Vec<Vec<u8>> {
    ids.iter().map(|id| id.to_vec()).collect()
}

/// Stores messages that are not stored yet and returns the ids of those it stored. One that is missing in the answer was
/// stored before, or another message of the same account and version was.
///
/// Rows are inserted in the order of accounts, so that concurrent calls cannot wait for each other in a circle.
///
/// # Errors
/// When the query fails; nothing is stored then.
pub async fn insert(connection: &mut PgConnection, messages: &[NewMessage]) -> sqlx::Result<Vec<B256>> {
    let mut sorted: Vec<&NewMessage> = messages.iter().collect();
    sorted.sort_unstable_by_key(|message| {
        (message.account, message.kind, message.contract, message.scope, message.version, message.id)
    });
    let mut ids = Vec::with_capacity(sorted.len());
    let mut kinds = Vec::with_capacity(sorted.len());
    let mut contracts = Vec::with_capacity(sorted.len());
    let mut scopes = Vec::with_capacity(sorted.len());
    let mut classes = Vec::with_capacity(sorted.len());
    let mut accounts = Vec::with_capacity(sorted.len());
    let mut versions = Vec::with_capacity(sorted.len());
    let mut contents = Vec::with_capacity(sorted.len());
    let mut gas = Vec::with_capacity(sorted.len());
    let mut waits = Vec::with_capacity(sorted.len());
    for message in sorted {
        ids.push(message.id.to_vec());
        kinds.push(message.kind.as_str().to_owned());
        contracts.push(message.contract.to_vec());
        scopes.push(message.scope.cast_signed());
        classes.push(i16::from(message.class));
        accounts.push(message.account.to_vec());
        versions.push(i64::from(message.version));
        contents.push(message.content.clone());
        gas.push(i32::try_from(message.gas).unwrap_or(i32::MAX));
        waits.push(message.waits_for.map(|id| id.to_vec()));
    }
    let stored = sqlx::query_scalar!(
        "insert into relay.messages (id, kind, contract, scope, class, account, version, content, gas, waits_for)
         select * from unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[], $5::smallint[], $6::bytea[], $7::bigint[],
                              $8::bytea[], $9::integer[], $10::bytea[])
         on conflict do nothing
         returning id",
        &ids,
        &kinds,
        &contracts,
        &scopes,
        &classes,
        &accounts,
        &versions,
        &contents,
        &gas,
        &waits as &[Option<Vec<u8>>],
    )
    .fetch_all(connection)
    .await?;
    Ok(stored.iter().map(|id| B256::from_slice(id)).collect())
}

/// Makes room for failed messages that are sent again and were checked again; see [`MessageState::can_retry`].
///
/// # Errors
/// When the query fails.
pub async fn forget_failed(connection: &mut PgConnection, ids: &[B256]) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from relay.messages where id = any($1) and status = 'failed' and submission is null",
        &hashes(ids),
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Ends queued allocations and ballots that a stored higher version of the same account replaces. Those being submitted right now
/// are left, and those of a transaction that was given up, which may yet be mined: the chain orders versions itself.
///
/// # Errors
/// When the query fails.
pub async fn supersede(connection: &mut PgConnection, newer: &[NewMessage]) -> sqlx::Result<u64> {
    let newer: Vec<_> = newer.iter().filter(|message| message.version > 1 && message.kind.is_versioned()).collect();
    if newer.is_empty() {
        return Ok(0);
    }
    let kinds: Vec<String> = newer.iter().map(|message| message.kind.as_str().to_owned()).collect();
    let contracts: Vec<Vec<u8>> = newer.iter().map(|message| message.contract.to_vec()).collect();
    let scopes: Vec<i64> = newer.iter().map(|message| message.scope.cast_signed()).collect();
    let accounts: Vec<Vec<u8>> = newer.iter().map(|message| message.account.to_vec()).collect();
    let versions: Vec<i64> = newer.iter().map(|message| i64::from(message.version)).collect();
    let done = sqlx::query!(
        "with newer as (
             select kind, contract, scope, account, max(version) as version
             from unnest($1::text[], $2::bytea[], $3::bigint[], $4::bytea[], $5::bigint[])
                 as n (kind, contract, scope, account, version)
             group by kind, contract, scope, account
         ), older as (
             select m.id, n.version from newer n cross join lateral (
                 select id from relay.messages m
                 where m.account = n.account and m.kind = n.kind and m.contract = n.contract and m.scope = n.scope
                   and m.version < n.version and m.is_live and m.status = 'queued' and not m.was_submitted
                 for update skip locked
             ) m
         )
         update relay.messages m
         set status = 'failed', content = null, reason = 'replaced by version ' || older.version || ' before it was submitted'
         from older where m.id = older.id",
        &kinds,
        &contracts,
        &scopes,
        &accounts,
        &versions,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// A row of [`states`] and its siblings.
struct StateRow {
    id: Vec<u8>,
    kind: String,
    contract: Vec<u8>,
    scope: i64,
    account: Vec<u8>,
    version: i64,
    status: String,
    reason: Option<String>,
    tx_hash: Option<Vec<u8>>,
    block_number: Option<i64>,
    log_index: Option<i64>,
    can_retry: bool,
}

impl StateRow {
    fn state(self) -> sqlx::Result<MessageState> {
        Ok(MessageState {
            id: B256::from_slice(&self.id),
            kind: self.kind.parse().map_err(corrupt)?,
            contract: Address::from_slice(&self.contract),
            scope: self.scope.cast_unsigned(),
            account: Address::from_slice(&self.account),
            // The column's check keeps versions within 32 bits.
            version: self.version as u32,
            status: self.status.parse().map_err(corrupt)?,
            reason: self.reason,
            tx_hash: self.tx_hash.map(|hash| B256::from_slice(&hash)),
            block_number: self.block_number.map(i64::cast_unsigned),
            log_index: self.log_index.map(i64::cast_unsigned),
            can_retry: self.can_retry,
        })
    }
}

/// States of the messages with these ids that are stored, in no order.
///
/// # Errors
/// When the query fails.
pub async fn states(connection: &mut PgConnection, ids: &[B256]) -> sqlx::Result<Vec<MessageState>> {
    let rows = sqlx::query_as!(
        StateRow,
        r#"select id, kind, contract, scope, account, version, status, reason, tx_hash, block_number, log_index,
                  status = 'failed' and submission is null as "can_retry!"
           from relay.messages where id = any($1)"#,
        &hashes(ids),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StateRow::state).collect()
}

/// States of an account's messages, by id from `after` on, at most `limit`.
///
/// # Errors
/// When the query fails.
pub async fn states_of(
    connection: &mut PgConnection,
    account: Address,
    after: B256,
    limit: i64,
) -> sqlx::Result<Vec<MessageState>> {
    let rows = sqlx::query_as!(
        StateRow,
        r#"select id as "id!", kind as "kind!", contract as "contract!", scope as "scope!", account as "account!",
                  version as "version!", status as "status!", reason, tx_hash, block_number, log_index,
                  status = 'failed' and submission is null as "can_retry!"
           from (
               (select * from relay.messages where account = $1 and is_live and id > $2)
               union all
               (select * from relay.messages where account = $1 and not is_live and id > $2)
           ) own order by id limit $3"#,
        account.as_slice(),
        after.as_slice(),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StateRow::state).collect()
}

/// Messages that stand at a status, by id from `after` on, at most `limit`: for operators.
///
/// # Errors
/// When the query fails.
pub async fn list(
    connection: &mut PgConnection,
    status: MessageStatus,
    after: B256,
    limit: i64,
) -> sqlx::Result<Vec<MessageState>> {
    let rows = sqlx::query_as!(
        StateRow,
        r#"select id, kind, contract, scope, account, version, status, reason, tx_hash, block_number, log_index,
                  status = 'failed' and submission is null as "can_retry!"
           from relay.messages where status = $1 and is_live = $4 and id > $2 order by id limit $3"#,
        status.as_str(),
        after.as_slice(),
        limit,
        status != MessageStatus::Failed,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StateRow::state).collect()
}

/// An account in a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountKey {
    /// Kind of the messages that are asked for.
    pub kind: MessageKind,
    /// Contract that they are for.
    pub contract: Address,
    /// Poll, source or prize within the contract; 0 for rounds.
    pub scope: u64,
    /// Who they are about.
    pub account: Address,
}

/// What is known about each account, in the same order.
///
/// # Errors
/// When the query fails.
pub async fn known_accounts(connection: &mut PgConnection, accounts: &[AccountKey]) -> sqlx::Result<Vec<KnownAccount>> {
    let kinds: Vec<String> = accounts.iter().map(|key| key.kind.as_str().to_owned()).collect();
    let contracts: Vec<Vec<u8>> = accounts.iter().map(|key| key.contract.to_vec()).collect();
    let scopes: Vec<i64> = accounts.iter().map(|key| key.scope.cast_signed()).collect();
    let who: Vec<Vec<u8>> = accounts.iter().map(|key| key.account.to_vec()).collect();
    let rows = sqlx::query!(
        r#"select r.id as "registration?", r.status as "status?", a.version as "version?"
           from unnest($1::text[], $2::bytea[], $3::bigint[], $4::bytea[]) with ordinality
               as k (kind, contract, scope, account, position)
           left join lateral (
               select id, status from relay.messages r
               where r.account = k.account and r.kind = 'registration' and r.contract = k.contract and r.is_live
               and r.reason is null limit 1
           ) r on true
           left join lateral (
               select max(version) as version from relay.messages a
               where a.account = k.account and a.kind = k.kind and a.contract = k.contract and a.scope = k.scope
               and a.is_live and a.reason is null
           ) a on true
           order by k.position"#,
        &kinds,
        &contracts,
        &scopes,
        &who,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let registration = match (row.registration, row.status) {
                (Some(id), Some(status)) => Some((B256::from_slice(&id), status.parse().map_err(corrupt)?)),
                _ => None,
            };
            // The column's check keeps versions within 32 bits.
            Ok(KnownAccount { registration, version: row.version.map(|version| version as u32) })
        })
        .collect()
}

/// Messages by status. What is final is added up from the submissions, so the cost does not grow with the messages.
///
/// # Errors
/// When the query fails.
pub async fn counts(connection: &mut PgConnection) -> sqlx::Result<Counts> {
    let row = sqlx::query!(
        r#"select (select count(*) from relay.messages where submission is null and is_live and status = 'queued') as "queued!",
                  (select count(*) from relay.submissions s join relay.messages m on m.submission = s.id
                   where s.status in ('pending', 'mined') and m.status = 'submitted') as "submitted!",
                  (select count(*) from relay.submissions s join relay.messages m on m.submission = s.id
                   where s.status in ('pending', 'mined') and m.status = 'mined') as "mined!",
                  (select coalesce(sum(finalized_count), 0) from relay.submissions)
                      + (select count(*) from relay.messages where submission is null and is_live and status = 'finalized')
                      as "finalized!",
                  (select count(*) from relay.messages where not is_live) as "failed!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(Counts {
        queued: row.queued.cast_unsigned(),
        submitted: row.submitted.cast_unsigned(),
        mined: row.mined.cast_unsigned(),
        finalized: row.finalized.cast_unsigned(),
        failed: row.failed.cast_unsigned(),
    })
}

/// How many messages are queued.
///
/// # Errors
/// When the query fails.
pub async fn queued_count(connection: &mut PgConnection) -> sqlx::Result<u64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from relay.messages where submission is null and is_live and status = 'queued'"#
    )
    .fetch_one(connection)
    .await
    .map(i64::cast_unsigned)
}
