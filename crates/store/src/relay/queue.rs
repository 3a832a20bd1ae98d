//! The queue: which messages can share a transaction, taking them, and what became of those that were taken.

use alloy::primitives::{Address, B256};
use kopilka_domain::MessageKind;
use sqlx::PgConnection;

use super::corrupt;
use super::messages::hashes;

/// Messages that can share a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Group {
    /// What they do.
    pub kind: MessageKind,
    /// Contract that they are for.
    pub contract: Address,
    /// Poll, source or prize within the contract; 0 for rounds.
    pub scope: u64,
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
    /// Transactions with it that were mined without effect.
    pub attempts: i16,
}

/// A message in a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedMessage {
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

/// Lets go the messages whose registration is mined, and fails those whose registration failed.
///
/// # Errors
/// When a query fails.
pub async fn settle_waiting(connection: &mut PgConnection) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        // Those that wait are few and are looked for first, whatever the planner makes of a young table.
        "with waiting as materialized (
             select id, waits_for from relay.messages where waits_for is not null and is_live and status = 'queued'
         ), settled as materialized (
             select w.id, r.status, r.reason from waiting w cross join lateral (
                 select status, reason from relay.messages where id = w.waits_for limit 1
             ) r
             where r.status in ('finalized', 'failed') or (r.status = 'mined' and r.reason is null)
         )
         update relay.messages m
         set waits_for = null,
             status = case when r.status = 'failed' then 'failed' else m.status end,
             reason = case when r.status = 'failed' then 'the registration of the account failed: ' || r.reason end,
             content = case when r.status = 'failed' then null else m.content end
         from settled r
         where m.id = r.id and m.status = 'queued' and m.waits_for is not null"
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
        r#"select kind, contract, scope, class, attempts >= $1 as "alone!", count(*) as "count!", sum(gas) as "gas!"
           from relay.messages where submission is null and is_live and status = 'queued' and waits_for is null
           group by kind, contract, scope, class, attempts >= $1"#,
        alone_from,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let group = Group {
                kind: row.kind.parse().map_err(corrupt)?,
                contract: Address::from_slice(&row.contract),
                scope: row.scope.cast_unsigned(),
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
            "select id, account, version, content, gas, attempts from relay.messages
             where submission is null and is_live and status = 'queued' and waits_for is null
               and kind = $1 and contract = $2 and scope = $3 and class = $4 and (attempts >= $5) = $6 and id >= $7 and id < $8
             order by id limit $9 for update skip locked",
            group.kind.as_str(),
            group.contract.as_slice(),
            group.scope.cast_signed(),
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
            attempts: row.attempts,
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
        "update relay.messages set status = 'failed', reason = $2 where id = any($1) and status = 'queued'",
        &hashes(ids),
        reason,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Ends a queued message as the chain shows it, for ever: some transaction had its effect. If it is one of ours, though given
/// up, the message is its from now on, and follows it.
///
/// # Errors
/// When a query fails.
pub async fn settle_queued(connection: &mut PgConnection, outcome: &Outcome) -> sqlx::Result<()> {
    let place = outcome.place.map(|(hash, block, log)| (hash.to_vec(), block.cast_signed(), log.cast_signed()));
    sqlx::query!(
        "with outcome as (
             select s.id as submission, s.status as stands from (values (1)) as one (n)
             left join relay.transactions t on t.hash = $3::bytea left join relay.submissions s on s.id = t.submission
         ), done as (
             update relay.messages m
             set status = case when $2::text is not null then 'failed' when o.stands = 'mined' then 'mined' else 'finalized' end,
                 reason = $2, submission = o.submission, tx_hash = $3, block_number = $4, log_index = $5,
                 content = case when o.submission is null and $2 is null then null else content end
             from outcome o where m.id = $1 and m.status = 'queued' returning m.submission, m.status
         )
         update relay.submissions s
         set pruned = false, finalized_count = finalized_count + case when d.status = 'finalized' then 1 else 0 end
         from done d where s.id = d.submission",
        outcome.id.as_slice(),
        outcome.reason,
        place.as_ref().map(|place| place.0.as_slice()),
        place.as_ref().map(|place| place.1),
        place.as_ref().map(|place| place.2),
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
        "select id, kind, contract, scope, account, version, content from relay.messages where submission = $1",
        submission,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SubmittedMessage {
                id: B256::from_slice(&row.id),
                kind: row.kind.parse().map_err(corrupt)?,
                contract: Address::from_slice(&row.contract),
                scope: row.scope.cast_unsigned(),
                account: Address::from_slice(&row.account),
                version: row.version as u32,
                content: row.content,
            })
        })
        .collect()
}

/// Writes down what a mined transaction did; for ever, if its block is permanent already.
///
/// # Errors
/// When the query fails.
pub async fn mark_mined(
    connection: &mut PgConnection,
    submission: i64,
    outcomes: &[Outcome],
    is_final: bool,
) -> sqlx::Result<()> {
    let ids: Vec<Vec<u8>> = outcomes.iter().map(|outcome| outcome.id.to_vec()).collect();
    let reasons: Vec<Option<String>> = outcomes.iter().map(|outcome| outcome.reason.clone()).collect();
    let hashes: Vec<Option<Vec<u8>>> = outcomes.iter().map(|o| o.place.map(|(hash, _, _)| hash.to_vec())).collect();
    let blocks: Vec<Option<i64>> = outcomes.iter().map(|o| o.place.map(|(_, block, _)| block.cast_signed())).collect();
    let logs: Vec<Option<i64>> = outcomes.iter().map(|o| o.place.map(|(_, _, log)| log.cast_signed())).collect();
    sqlx::query!(
        "update relay.messages m
         set status = case when not $7 then 'mined' when o.reason is null then 'finalized' else 'failed' end, reason = o.reason, tx_hash = o.tx_hash, block_number = o.block_number, log_index = o.log_index
         from unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[])
             as o (id, reason, tx_hash, block_number, log_index)
         where m.id = o.id and m.submission = $6",
        &ids,
        &reasons as &[Option<String>],
        &hashes as &[Option<Vec<u8>>],
        &blocks as &[Option<i64>],
        &logs as &[Option<i64>],
        submission,
        is_final,
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
         set attempts = attempts + $3, was_submitted = true, submission = null, tx_hash = null, block_number = null,
             log_index = null, status = case when attempts + $3 >= $4 or content is null then 'failed' else 'queued' end,
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
           and r.account = m.account and r.kind = 'registration' and r.contract = m.contract and r.is_live and r.status in ('queued', 'submitted')",
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
/// When a query fails.
pub async fn finalize(connection: &mut PgConnection, submission: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "with done as (
             update relay.messages set status = case when reason is null then 'finalized' else 'failed' end
             where submission = $1 and status = 'mined' returning reason
         )
         update relay.submissions set finalized_count = (select count(*) from done where reason is null) where id = $1",
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

/// Puts failed messages whose content is still here back into the queue, as if they had just been accepted; returns the ids
/// of those that it put back. For operators, once the cause is removed.
///
/// # Errors
/// When the query fails, or another message of the same account took the place meanwhile.
pub async fn retry(connection: &mut PgConnection, ids: &[B256]) -> sqlx::Result<Vec<B256>> {
    let rows = sqlx::query_scalar!(
        "update relay.messages
         set status = 'queued', attempts = 0, reason = null, submission = null, tx_hash = null, block_number = null,
             log_index = null
         where id = any($1) and status = 'failed' and content is not null returning id",
        &hashes(ids),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(|id| B256::from_slice(id)).collect())
}

/// A transaction that carries a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarryingTransaction {
    /// Who pays.
    pub sender: Address,
    /// The nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// Most wei for a unit of gas, in decimal.
    pub max_fee_per_gas: String,
    /// Where its submission stands.
    pub status: String,
}

/// The transactions that carry a message now: the first and its replacements.
///
/// # Errors
/// When the query fails.
pub async fn transactions_of(connection: &mut PgConnection, id: B256) -> sqlx::Result<Vec<CarryingTransaction>> {
    let rows = sqlx::query!(
        r#"select s.sender, s.nonce, s.status, t.hash, t.max_fee_per_gas::text as "max_fee!"
           from relay.messages m join relay.submissions s on s.id = m.submission
           join relay.transactions t on t.submission = s.id
           where m.id = $1 order by t.signed_block, t.max_fee_per_gas"#,
        id.as_slice(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CarryingTransaction {
            sender: Address::from_slice(&row.sender),
            nonce: row.nonce.cast_unsigned(),
            hash: B256::from_slice(&row.hash),
            max_fee_per_gas: row.max_fee,
            status: row.status,
        })
        .collect())
}
