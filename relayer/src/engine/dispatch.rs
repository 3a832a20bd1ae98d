//! Making batches: take messages, try the call out, take a nonce, sign, store all of it in one commit, send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{B256, Bytes, U256};
use kopilka_domain::MessageKind;
use kopilka_store::relay::{Claimed, Group, NewSubmission, NewTransaction, SubmissionKind, queue, submissions};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fault::{Fault, FaultPoint};
use super::schedule::Schedule;
use super::senders::{Sender, Turn};
use super::trial::{Content, keep_to_room, settle_content};
use super::{ALONE_FROM, Engine, EngineError, Unsigned, batch};

/// How often the queue is looked at while there is something in it.
const TICK: Duration = Duration::from_millis(50);
/// How often it is looked at when this process has put nothing in: others may have.
const IDLE: Duration = Duration::from_millis(500);
/// How many times as long as a look takes there is none: counting a long queue must not become the work.
const REST: u32 = 10;
/// How long a group rests that cannot be submitted yet.
const HOLD: Duration = Duration::from_secs(2);

/// How a batch ended.
enum Made {
    /// Stored and sent.
    Sent,
    /// Nothing left to send: others took the messages, or they cannot take effect.
    Nothing,
    /// It cannot be submitted now.
    Hold(&'static str),
}

type Works = JoinSet<(Group, Result<Made, EngineError>)>;

/// Runs until cancelled.
///
/// # Errors
/// Only the fault that was asked for.
pub(crate) async fn run(engine: Arc<Engine>, cancel: CancellationToken) -> Result<(), Fault> {
    let mut schedule = Schedule::default();
    let mut works = Works::new();
    let mut looked = Instant::now();
    let mut rest = Duration::ZERO;
    let mut is_empty = true;
    loop {
        while let Some(done) = works.try_join_next() {
            finish(&mut schedule, done)?;
        }
        // Counting a long queue is work: it is done when there is someone to give the work to, and else now and then.
        let is_free = engine.senders.any_free(engine.batch.max_in_flight);
        if looked.elapsed() >= rest.max(if is_free { Duration::ZERO } else { IDLE }) {
            let began = Instant::now();
            let seen = look(&engine.pool).await;
            (looked, rest) = (Instant::now(), began.elapsed() * REST);
            match seen {
                Ok(ready) => {
                    is_empty = ready.is_empty();
                    engine.queue.set_depth(ready.iter().map(|(_, count, _)| count).sum());
                    report(&ready);
                    start(&engine, &mut schedule, &mut works, &ready);
                }
                Err(error) => tracing::warn!(%error, "cannot look at the queue"),
            }
        }
        let is_idle = is_empty && works.is_empty();
        tokio::select! {
            () = tokio::time::sleep(if is_idle { IDLE } else { TICK }) => {}
            () = engine.queue.bell.notified(), if is_idle => {}
            Some(done) = works.join_next() => finish(&mut schedule, done)?,
            () = cancel.cancelled() => break,
        }
    }
    // Batches at work are stored or rolled back by themselves.
    while let Some(done) = works.join_next().await {
        finish(&mut schedule, done)?;
    }
    Ok(())
}

/// Gives batches that are due to senders that are free.
fn start(engine: &Arc<Engine>, schedule: &mut Schedule, works: &mut Works, ready: &[(Group, u64, u64)]) {
    for group in schedule.due(ready, &engine.batch, Instant::now()) {
        let Some(turn) = engine.senders.free(engine.batch.max_in_flight) else { break };
        schedule.started(group, Instant::now());
        let engine = engine.clone();
        works.spawn(async move { (group, make(&engine, &turn, &group).await) });
    }
}

fn finish(
    schedule: &mut Schedule,
    done: Result<(Group, Result<Made, EngineError>), tokio::task::JoinError>,
) -> Result<(), Fault> {
    let (group, result) = match done {
        Ok(done) => done,
        Err(error) => {
            // Which group it was is unknown; the count of batches at work only delays a batch that is not full.
            tracing::error!(%error, "making a batch panicked");
            *schedule = Schedule::default();
            return Ok(());
        }
    };
    schedule.finished(group);
    match result {
        Ok(Made::Sent | Made::Nothing) => {}
        Ok(Made::Hold(why)) => {
            tracing::info!(kind = %group.kind, contract = %group.contract, why, "messages wait");
            schedule.hold(group, Instant::now() + HOLD);
        }
        Err(EngineError::Fault(fault)) => return Err(fault),
        Err(EngineError::CannotPay) => {
            tracing::warn!(kind = %group.kind, contract = %group.contract, "a sender has no funds for a batch: another takes it");
        }
        Err(error) => {
            tracing::warn!(error = chain_of(&error), kind = %group.kind, contract = %group.contract, "cannot make a batch now");
            schedule.hold(group, Instant::now() + HOLD);
        }
    }
    Ok(())
}

/// An error and its causes in one line.
pub(super) fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

async fn look(pool: &PgPool) -> sqlx::Result<Vec<(Group, u64, u64)>> {
    let mut connection = pool.acquire().await?;
    queue::settle_waiting(&mut connection).await?;
    queue::ready_groups(&mut connection, ALONE_FROM).await
}

fn report(ready: &[(Group, u64, u64)]) {
    for &kind in MessageKind::ALL {
        let count: u64 = ready.iter().filter(|(group, _, _)| group.kind == kind).map(|(_, count, _)| count).sum();
        metrics::gauge!("kopilka_relayer_queued", "kind" => kind.as_str()).set(count as f64);
    }
}

async fn make(engine: &Engine, turn: &Turn, group: &Group) -> Result<Made, EngineError> {
    let sender = &turn.0;
    let started = Instant::now();
    let mut work = engine.pool.begin().await?;
    let limit = if group.alone { 1 } else { engine.batch.max_items };
    // From a random place on, so that several batches do not reach for the same rows, and none waits for ever.
    let claimed = queue::claim(&mut work, group, ALONE_FROM, B256::new(rand::random()), limit).await?;
    if claimed.is_empty() {
        return Ok(Made::Nothing);
    }
    let mut items = batch::fit(group.kind, claimed, &engine.batch);
    keep_to_room(engine, group, &mut items).await?;
    if items.is_empty() {
        return Ok(Made::Hold("the contract has no room for more yet"));
    }
    batch::shuffle(&mut items);
    let (input, gas_limit) = match settle_content(engine, &mut work, sender, group, &mut items).await? {
        Content::Call(input, gas_limit) => (input, gas_limit),
        Content::Empty => {
            work.commit().await?;
            // A message that is refused alone is not tried again at once: the node may have been behind.
            return Ok(if group.alone { Made::Hold("a message was refused alone") } else { Made::Nothing });
        }
        Content::Hold(why) => return Ok(Made::Hold(why)),
    };
    let count = items.len();
    let transaction = store(engine, work, sender, group, &items, input, gas_limit).await?;
    sender.took_nonce();
    engine.faults.pass(FaultPoint::BatchStored)?;
    engine.send(sender, &transaction).await;
    engine.faults.pass(FaultPoint::BatchSent)?;
    tracing::info!(
        kind = %group.kind,
        contract = %group.contract,
        count,
        sender = %sender.address,
        tx.hash = %transaction.hash,
        duration_ms = started.elapsed().as_millis() as u64,
        "batch sent"
    );
    tracing::debug!(tx.hash = %transaction.hash, message.ids = ?items.iter().map(|item| item.id).collect::<Vec<_>>(), "in the batch");
    metrics::histogram!("kopilka_relayer_batch_size", "kind" => group.kind.as_str()).record(count as f64);
    metrics::histogram!("kopilka_relayer_batch_seconds").record(started.elapsed().as_secs_f64());
    Ok(Made::Sent)
}

/// Takes the nonce, signs, and commits everything together; nothing is known outside before the commit is through.
async fn store(
    engine: &Engine,
    mut work: Transaction<'static, Postgres>,
    sender: &Sender,
    group: &Group,
    items: &[Claimed],
    input: Bytes,
    gas_limit: u64,
) -> Result<NewTransaction, EngineError> {
    let fees = engine.usual_fees().await?.fees;
    if !sender.can_pay(U256::from(fees.max) * U256::from(gas_limit)) {
        return Err(EngineError::CannotPay);
    }
    let chain_nonce = sender.chain_nonce().ok_or(EngineError::Later("the lease of the sender was lost"))?;
    let nonce = submissions::next_nonce(&mut work, sender.address).await?.max(chain_nonce);
    let submission = NewSubmission {
        sender: sender.address,
        nonce,
        kind: SubmissionKind::Batch(group.kind),
        recipient: group.contract,
        scope: group.scope,
        class: group.class,
    };
    let id = submissions::insert(&mut work, &submission)
        .await?
        .ok_or(EngineError::Later("another process took the nonce"))?;
    let transaction = engine.sign(sender, Unsigned { nonce, to: group.contract, gas_limit, input, fees }).await?;
    submissions::insert_transaction(&mut work, id, &transaction).await?;
    let ids: Vec<B256> = items.iter().map(|item| item.id).collect();
    queue::mark_submitted(&mut work, &ids, id).await?;
    engine.faults.pass(FaultPoint::BatchSigned)?;
    work.commit().await?;
    Ok(transaction)
}
