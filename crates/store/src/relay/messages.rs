//! The queue of accepted messages.

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
    pub round: Address,
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
    pub round: Address,
    /// Who it is about.
    pub account: Address,
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

/// What the queue knows about an account in a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownAccount {
    /// Its registration that has not failed.
    pub registration: Option<(B256, MessageStatus)>,
    /// Its highest allocation that has not failed.
    pub version: Option<u32>,
}

/// Messages that can share a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Group {
    /// What they do.
    pub kind: MessageKind,
    /// Contract that they are for.
    pub round: Address,
    /// Class of registrations, otherwise 0.
    pub class: u8,
    /// Messages whose transactions had no effect before: each goes alone, so that none spoils others.
    pub alone: bool,
}

/// A message taken for a batch; its row is locked until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// keccak256 of what it says.
    pub id: B256,
    /// Who it is about.
    pub account: Address,
    /// Version of an allocation, otherwise 0.
    pub version: u32,
    /// What the contract is given.
    pub content: Vec<u8>,
    /// Estimated gas in a batch.
    pub gas: u32,
}

/// A message in a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedMessage {
    /// keccak256 of what it says.
    pub id: B256,
    /// What it does.
    pub kind: MessageKind,
    /// Contract that it is for.
    pub round: Address,
    /// Who it is about.
    pub account: Address,
    /// Version of an allocation, otherwise 0.
    pub version: u32,
    /// What the contract was given; `None` once pruned.
    pub content: Option<Vec<u8>>,
}

/// What a mined transaction did to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The message.
    pub id: B256,
    /// Why it took no effect, if so.
    pub reason: Option<String>,
    /// Where it took effect: transaction, block, log index. `None` where the chain does not say.
    pub place: Option<(B256, u64, u64)>,
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

fn hashes(ids: &[B256]) -> Vec<Vec<u8>> {
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
    sorted.sort_unstable_by_key(|message| (message.kind, message.round, message.account, message.version, message.id));
    let mut ids = Vec::with_capacity(sorted.len());
    let mut kinds = Vec::with_capacity(sorted.len());
    let mut rounds = Vec::with_capacity(sorted.len());
    let mut classes = Vec::with_capacity(sorted.len());
    let mut accounts = Vec::with_capacity(sorted.len());
    let mut versions = Vec::with_capacity(sorted.len());
    let mut contents = Vec::with_capacity(sorted.len());
    let mut gas = Vec::with_capacity(sorted.len());
    let mut waits = Vec::with_capacity(sorted.len());
    for message in sorted {
        ids.push(message.id.to_vec());
        kinds.push(message.kind.as_str().to_owned());
        rounds.push(message.round.to_vec());
        classes.push(i16::from(message.class));
        accounts.push(message.account.to_vec());
        versions.push(i64::from(message.version));
        contents.push(message.content.clone());
        gas.push(i32::try_from(message.gas).unwrap_or(i32::MAX));
        waits.push(message.waits_for.map(|id| id.to_vec()));
    }
    let stored = sqlx::query_scalar!(
        "insert into relay.messages (id, kind, round, class, account, version, content, gas, waits_for)
         select * from unnest($1::bytea[], $2::text[], $3::bytea[], $4::smallint[], $5::bytea[], $6::bigint[], $7::bytea[],
                              $8::integer[], $9::bytea[])
         on conflict do nothing
         returning id",
        &ids,
        &kinds,
        &rounds,
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

/// Ends queued allocations that a stored higher version of the same account replaces. Those being submitted right now
/// are left: the chain orders versions itself.
///
/// # Errors
/// When the query fails.
pub async fn supersede(connection: &mut PgConnection, newer: &[NewMessage]) -> sqlx::Result<u64> {
    let newer: Vec<_> = newer.iter().filter(|message| message.version > 1).collect();
    if newer.is_empty() {
        return Ok(0);
    }
    let kinds: Vec<String> = newer.iter().map(|message| message.kind.as_str().to_owned()).collect();
    let rounds: Vec<Vec<u8>> = newer.iter().map(|message| message.round.to_vec()).collect();
    let accounts: Vec<Vec<u8>> = newer.iter().map(|message| message.account.to_vec()).collect();
    let versions: Vec<i64> = newer.iter().map(|message| i64::from(message.version)).collect();
    let done = sqlx::query!(
        "with newer as (
             select kind, round, account, max(version) as version
             from unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[]) as n (kind, round, account, version)
             group by kind, round, account
         ), older as (
             select m.id, n.version from relay.messages m join newer n using (kind, round, account)
             where m.version < n.version and m.status = 'queued'
             for update of m skip locked
         )
         update relay.messages m
         set status = 'failed', content = null, reason = 'replaced by version ' || older.version || ' before it was submitted'
         from older where m.id = older.id",
        &kinds,
        &rounds,
        &accounts,
        &versions,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// States of the messages with these ids that are stored, in no order.
///
/// # Errors
/// When the query fails.
pub async fn states(connection: &mut PgConnection, ids: &[B256]) -> sqlx::Result<Vec<MessageState>> {
    let rows = sqlx::query!(
        r#"select id, kind, round, account, status, reason, tx_hash, block_number, log_index,
                  status = 'failed' and submission is null as "can_retry!"
           from relay.messages where id = any($1)"#,
        &hashes(ids),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MessageState {
                id: B256::from_slice(&row.id),
                kind: row.kind.parse().map_err(corrupt)?,
                round: Address::from_slice(&row.round),
                account: Address::from_slice(&row.account),
                status: row.status.parse().map_err(corrupt)?,
                reason: row.reason,
                tx_hash: row.tx_hash.map(|hash| B256::from_slice(&hash)),
                block_number: row.block_number.map(i64::cast_unsigned),
                log_index: row.log_index.map(i64::cast_unsigned),
                can_retry: row.can_retry,
            })
        })
        .collect()
}

/// What is known about each (round, account), in the same order.
///
/// # Errors
/// When the query fails.
pub async fn known_accounts(
    connection: &mut PgConnection,
    accounts: &[(Address, Address)],
) -> sqlx::Result<Vec<KnownAccount>> {
    let rounds: Vec<Vec<u8>> = accounts.iter().map(|(round, _)| round.to_vec()).collect();
    let who: Vec<Vec<u8>> = accounts.iter().map(|(_, account)| account.to_vec()).collect();
    let rows = sqlx::query!(
        r#"select r.id as "registration?", r.status as "status?", a.version as "version?"
           from unnest($1::bytea[], $2::bytea[]) with ordinality as k (round, account, position)
           left join relay.messages r
               on r.kind = 'registration' and r.round = k.round and r.account = k.account and r.status <> 'failed'
               and r.reason is null
           left join lateral (
               select max(version) as version from relay.messages a
               where a.kind = 'allocation' and a.round = k.round and a.account = k.account and a.status <> 'failed'
               and a.reason is null
           ) a on true
           order by k.position"#,
        &rounds,
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

/// Lets go the messages whose registration is mined, and fails those whose registration failed.
///
/// # Errors
/// When a query fails.
pub async fn settle_waiting(connection: &mut PgConnection) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update relay.messages m
         set waits_for = null,
             status = case when r.status = 'failed' then 'failed' else m.status end,
             reason = case when r.status = 'failed' then 'the registration of the account failed: ' || r.reason end,
             content = case when r.status = 'failed' then null else m.content end
         from relay.messages r
         where m.status = 'queued' and m.waits_for is not null and r.id = m.waits_for
           and (r.status in ('finalized', 'failed') or (r.status = 'mined' and r.reason is null))"
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Groups with messages that can be submitted now: how many, and their estimated gas.
///
/// # Errors
/// When the query fails.
pub async fn ready_groups(connection: &mut PgConnection, alone_from: i16) -> sqlx::Result<Vec<(Group, u64, u64)>> {
    let rows = sqlx::query!(
        r#"select kind, round, class, attempts >= $1 as "alone!", count(*) as "count!", sum(gas) as "gas!"
           from relay.messages where status = 'queued' and waits_for is null
           group by kind, round, class, attempts >= $1"#,
        alone_from,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let group = Group {
                kind: row.kind.parse().map_err(corrupt)?,
                round: Address::from_slice(&row.round),
                // The column's check keeps classes within 8 bits.
                class: row.class as u8,
                alone: row.alone,
            };
            Ok((group, row.count.cast_unsigned(), row.gas.cast_unsigned()))
        })
        .collect()
}

/// Takes up to `limit` messages of a group for a batch, skipping those another process is taking. The order is that of
/// ids from `from` on and then from the start: unrelated to the order of arrival, and fair when `from` is random.
///
/// # Errors
/// When a query fails.
pub async fn claim(
    connection: &mut PgConnection,
    group: &Group,
    alone_from: i16,
    from: B256,
    limit: u32,
) -> sqlx::Result<Vec<Claimed>> {
    let mut claimed = Vec::new();
    for (low, high) in [(from, B256::repeat_byte(0xff)), (B256::ZERO, from)] {
        let rest = i64::from(limit) - claimed.len() as i64;
        if rest <= 0 {
            break;
        }
        let rows = sqlx::query!(
            "select id, account, version, content, gas from relay.messages
             where status = 'queued' and waits_for is null and kind = $1 and round = $2 and class = $3
               and (attempts >= $4) = $5 and id >= $6 and id < $7
             order by id limit $8 for update skip locked",
            group.kind.as_str(),
            group.round.as_slice(),
            i16::from(group.class),
            alone_from,
            group.alone,
            low.as_slice(),
            high.as_slice(),
            rest,
        )
        .fetch_all(&mut *connection)
        .await?;
        claimed.extend(rows.into_iter().map(|row| Claimed {
            id: B256::from_slice(&row.id),
            account: Address::from_slice(&row.account),
            version: row.version as u32,
            content: row.content.unwrap_or_default(),
            gas: row.gas.cast_unsigned(),
        }));
    }
    Ok(claimed)
}

/// Marks messages as being in a submission.
///
/// # Errors
/// When the query fails.
pub async fn mark_submitted(connection: &mut PgConnection, ids: &[B256], submission: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages set status = 'submitted', submission = $2 where id = any($1)",
        &hashes(ids),
        submission,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Ends queued messages that cannot take effect.
///
/// # Errors
/// When the query fails.
pub async fn fail_queued(connection: &mut PgConnection, ids: &[B256], reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages set status = 'failed', reason = $2, content = null where id = any($1) and status = 'queued'",
        &hashes(ids),
        reason,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Messages of a submission.
///
/// # Errors
/// When the query fails.
pub async fn in_submission(connection: &mut PgConnection, submission: i64) -> sqlx::Result<Vec<SubmittedMessage>> {
    let rows = sqlx::query!(
        "select id, kind, round, account, version, content from relay.messages where submission = $1",
        submission,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SubmittedMessage {
                id: B256::from_slice(&row.id),
                kind: row.kind.parse().map_err(corrupt)?,
                round: Address::from_slice(&row.round),
                account: Address::from_slice(&row.account),
                version: row.version as u32,
                content: row.content,
            })
        })
        .collect()
}

/// Writes down what a mined transaction did.
///
/// # Errors
/// When the query fails.
pub async fn mark_mined(connection: &mut PgConnection, submission: i64, outcomes: &[Outcome]) -> sqlx::Result<()> {
    let ids: Vec<Vec<u8>> = outcomes.iter().map(|outcome| outcome.id.to_vec()).collect();
    let reasons: Vec<Option<String>> = outcomes.iter().map(|outcome| outcome.reason.clone()).collect();
    let hashes: Vec<Option<Vec<u8>>> = outcomes.iter().map(|o| o.place.map(|(hash, _, _)| hash.to_vec())).collect();
    let blocks: Vec<Option<i64>> = outcomes.iter().map(|o| o.place.map(|(_, block, _)| block.cast_signed())).collect();
    let logs: Vec<Option<i64>> = outcomes.iter().map(|o| o.place.map(|(_, _, log)| log.cast_signed())).collect();
    sqlx::query!(
        "update relay.messages m
         set status = 'mined', reason = o.reason, tx_hash = o.tx_hash, block_number = o.block_number, log_index = o.log_index
         from unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[])
             as o (id, reason, tx_hash, block_number, log_index)
         where m.id = o.id and m.submission = $6",
        &ids,
        &reasons as &[Option<String>],
        &hashes as &[Option<Vec<u8>>],
        &blocks as &[Option<i64>],
        &logs as &[Option<i64>],
        submission,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Puts messages of a submission back into the queue; with `count_attempt` after a transaction that had no effect.
/// Those that have used up `max_attempts` end with a reason instead.
///
/// # Errors
/// When the query fails.
pub async fn requeue(
    connection: &mut PgConnection,
    submission: i64,
    ids: &[B256],
    count_attempt: bool,
    max_attempts: i16,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages
         set attempts = attempts + $3, submission = null, tx_hash = null, block_number = null, log_index = null,
             status = case when attempts + $3 >= $4 or content is null then 'failed' else 'queued' end,
             reason = case when attempts + $3 >= $4
                     then 'its transactions were mined without effect ' || (attempts + $3) || ' times'
                 when content is null then 'the chain took it back long after it was final: send it again' end
         where submission = $1 and id = any($2)",
        submission,
        &hashes(ids),
        i16::from(count_attempt),
        max_attempts,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Lets queued allocations wait for the registration of their account, where one is on its way.
///
/// # Errors
/// When the query fails.
pub async fn wait_for_registration(connection: &mut PgConnection, ids: &[B256]) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages m set waits_for = r.id from relay.messages r
         where m.id = any($1) and m.status = 'queued'
           and r.kind = 'registration' and r.round = m.round and r.account = m.account and r.status in ('queued', 'submitted')",
        &hashes(ids),
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Takes back what a block had done that is no longer part of the chain: mined messages are submitted again.
///
/// # Errors
/// When the query fails.
pub async fn unmine(connection: &mut PgConnection, submission: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages
         set status = 'submitted', reason = null, tx_hash = null, block_number = null, log_index = null
         where submission = $1 and status in ('mined', 'finalized', 'failed')",
        submission,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// The submission's block is permanent: what it did is final.
///
/// # Errors
/// When the query fails.
pub async fn finalize(connection: &mut PgConnection, submission: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages set status = case when reason is null then 'finalized' else 'failed' end
         where submission = $1 and status = 'mined'",
        submission,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Removes the content of messages that are final since block `before`; at most `limit` submissions.
///
/// # Errors
/// When the query fails.
pub async fn prune(connection: &mut PgConnection, before: u64, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "with old as (
             update relay.submissions set pruned = true where id in (
                 select id from relay.submissions where status = 'finalized' and not pruned and block_number < $1
                 order by block_number limit $2 for update skip locked
             ) returning id
         )
         update relay.messages m set content = null from old
         where m.submission = old.id and m.status in ('finalized', 'failed')",
        before.cast_signed(),
        limit,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Messages by status.
///
/// # Errors
/// When the query fails.
pub async fn counts(connection: &mut PgConnection) -> sqlx::Result<Counts> {
    let rows = sqlx::query!(r#"select status, count(*) as "count!" from relay.messages group by status"#)
        .fetch_all(connection)
        .await?;
    let mut counts = Counts::default();
    for row in rows {
        let count = row.count.cast_unsigned();
        match row.status.parse().map_err(corrupt)? {
            MessageStatus::Queued => counts.queued = count,
            MessageStatus::Submitted => counts.submitted = count,
            MessageStatus::Mined => counts.mined = count,
            MessageStatus::Finalized => counts.finalized = count,
            MessageStatus::Failed => counts.failed = count,
        }
    }
    Ok(counts)
}

/// How many messages are queued.
///
/// # Errors
/// When the query fails.
pub async fn queued_count(connection: &mut PgConnection) -> sqlx::Result<u64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from relay.messages where status = 'queued'"#)
        .fetch_one(connection)
        .await
        .map(i64::cast_unsigned)
}

/// Counts that queued messages were refused alone; those that have used up `max_attempts` fail for `reason`.
///
/// # Errors
/// When the query fails.
pub async fn count_attempt(
    connection: &mut PgConnection,
    ids: &[B256],
    max_attempts: i16,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update relay.messages
         set attempts = attempts + 1,
             status = case when attempts + 1 >= $2::smallint then 'failed' else status end,
             reason = case when attempts + 1 >= $2::smallint then $3 end
         where id = any($1) and status = 'queued'",
        &hashes(ids),
        max_attempts,
        reason,
    )
    .execute(connection)
    .await
    .map(|_| ())
}
