//! Making batches: take messages, try the call out, take a nonce, sign, store all of it in one commit, send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolError as _, SolInterface as _};
use kopilka_bindings::budget_round::BudgetRound::{self, BudgetRoundErrors};
use kopilka_domain::{MessageKind, Phase};
use kopilka_store::relay::{Claimed, Group, NewSubmission, NewTransaction, SubmissionKind, queue, submissions};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fault::{Fault, FaultPoint};
use super::schedule::Schedule;
use super::senders::{Sender, Turn};
use super::{ALONE_FROM, Engine, EngineError, Unsigned, batch};
use crate::admission::{Opening, opening};
use crate::chain::TrialError;
use crate::config::TRANSACTION_GAS_CAP;
use crate::gas;
use crate::rounds::Round;
use crate::verify::bad_credentials;

/// How often the queue is looked at while there is something in it.
const TICK: Duration = Duration::from_millis(50);
/// How often it is looked at when this process has put nothing in: others may have.
const IDLE: Duration = Duration::from_millis(500);
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
    loop {
        let mut is_idle = works.is_empty();
        while let Some(done) = works.try_join_next() {
            finish(&mut schedule, done)?;
        }
        // Counting a long queue is work: it is done when there is someone to give the work to, and else now and then.
        if looked.elapsed() >= IDLE || engine.senders.any_free(engine.batch.max_in_flight) {
            looked = Instant::now();
            match look(&engine.pool).await {
                Ok(ready) => {
                    is_idle &= ready.is_empty();
                    engine.queue.set_depth(ready.iter().map(|(_, count, _)| count).sum());
                    report(&ready);
                    start(&engine, &mut schedule, &mut works, &ready);
                }
                Err(error) => tracing::warn!(%error, "cannot look at the queue"),
            }
        }
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

/// What is left of a batch after trying it out.
enum Content {
    Call(Bytes, u64),
    Empty,
    Hold(&'static str),
}

/// Tries the call out, and leaves out what spoils it, until it succeeds or nothing is left.
async fn settle_content(
    engine: &Engine,
    work: &mut PgConnection,
    sender: &Sender,
    group: &Group,
    items: &mut Vec<Claimed>,
) -> Result<Content, EngineError> {
    loop {
        if items.is_empty() {
            return Ok(Content::Empty);
        }
        let Some(input) = batch::calldata(group.kind, group.class, items) else {
            let (good, bad): (Vec<_>, Vec<_>) = items
                .drain(..)
                .partition(|item| batch::calldata(group.kind, group.class, std::slice::from_ref(item)).is_some());
            fail(work, &bad, "its stored content cannot be read").await?;
            *items = good;
            continue;
        };
        let estimate = gas::limit(group.kind, items.iter().map(|item| u64::from(item.gas)).sum());
        let mut refusal = None;
        for gas_limit in [estimate, TRANSACTION_GAS_CAP] {
            if refusal.is_some() && estimate == TRANSACTION_GAS_CAP {
                break;
            }
            match engine.chain.try_out(sender.address, group.contract, &input, gas_limit).await {
                Ok(()) => return Ok(Content::Call(input, gas_limit)),
                Err(TrialError::Unknown(error)) => return Err(error.into()),
                // Without enough gas a call can fail with any error: it is believed only with all the gas there is.
                Err(error) => refusal = Some(error),
            }
        }
        let remedy = match refusal {
            Some(TrialError::Reverted(data)) => remedy(engine, group, &data).await?,
            _ => Remedy::Split("it needs more gas than a transaction may have".to_owned()),
        };
        match remedy {
            Remedy::Hold(why) => return Ok(Content::Hold(why)),
            Remedy::FailAll(reason) => {
                fail(work, items, &reason).await?;
                items.clear();
            }
            Remedy::CheckCredentials(round) => check_credentials(engine, work, group, round, items).await?,
            Remedy::Split(reason) => split(engine, work, items, &reason).await?,
        }
    }
}

alloy::sol! {
    /// What every contract answers while the municipality's actions are paused.
    error ActionsPaused();
}

/// What to do about a call that reverts.
enum Remedy {
    /// It may succeed later.
    Hold(&'static str),
    /// None of the messages can ever take effect.
    FailAll(String),
    /// At least one credential is bad: find out which.
    CheckCredentials(Arc<Round>),
    /// Find out which message it is by halving.
    Split(String),
}

async fn remedy(engine: &Engine, group: &Group, data: &Bytes) -> Result<Remedy, EngineError> {
    if data.get(..4) == Some(&ActionsPaused::SELECTOR[..]) {
        return Ok(Remedy::Hold("the municipality's actions are paused"));
    }
    let error = BudgetRoundErrors::abi_decode(data);
    tracing::info!(kind = %group.kind, contract = %group.contract, error = ?error.as_ref().ok(), "a batch would revert");
    Ok(match error {
        Ok(BudgetRoundErrors::PhaseWrong(error)) => {
            let round = engine.rounds.reread(group.contract).await?;
            let current = Phase::try_from(error.current).unwrap_or(round.phase);
            match opening(group.kind, current, round.allotment) {
                Opening::Over => {
                    Remedy::FailAll(format!("the round went on to the phase «{current}» before it was submitted"))
                }
                Opening::NotYet | Opening::Open => Remedy::Hold("the round's phase has not begun on the node"),
            }
        }
        Ok(BudgetRoundErrors::CredentialsInvalid(_)) => {
            Remedy::CheckCredentials(engine.rounds.reread(group.contract).await?)
        }
        Ok(BudgetRoundErrors::ClassUnknown(_)) => Remedy::Hold("the class is not known to the node yet"),
        Ok(other) => Remedy::Split(format!("the contract refuses it: {}", error_name(&other))),
        Err(_) => Remedy::Split("the contract refuses it without saying why".to_owned()),
    })
}

/// The name of an error of the contract, without its values.
fn error_name(error: &BudgetRoundErrors) -> String {
    match error {
        BudgetRoundErrors::BatchMalformed(_) => BudgetRound::BatchMalformed::SIGNATURE.to_owned(),
        other => format!("error 0x{}", alloy::primitives::hex::encode(other.selector())),
    }
}

async fn check_credentials(
    engine: &Engine,
    work: &mut PgConnection,
    group: &Group,
    round: Arc<Round>,
    items: &mut Vec<Claimed>,
) -> Result<(), EngineError> {
    let stored: Vec<(Address, Vec<u8>)> = items.iter().map(|item| (item.account, item.content.clone())).collect();
    let (chain_id, class) = (engine.chain.chain_id, group.class);
    let bad = tokio::task::spawn_blocking(move || bad_credentials(chain_id, &round, class, &stored))
        .await
        .map_err(|_| EngineError::Later("checking credentials panicked"))?;
    if bad.is_empty() {
        return split(engine, work, items, "the contract refuses its credential").await;
    }
    let mut position = 0;
    let (bad, good): (Vec<_>, Vec<_>) = items.drain(..).partition(|_| {
        position += 1;
        bad.contains(&(position - 1))
    });
    *items = good;
    fail(work, &bad, "the credential is not the issuer's signature on this account, class and round").await
}

/// Goes on with the first half; the others stay in the queue. A message that is refused alone is the culprit: it is
/// tried some more times, alone, and then fails.
async fn split(
    engine: &Engine,
    work: &mut PgConnection,
    items: &mut Vec<Claimed>,
    reason: &str,
) -> Result<(), EngineError> {
    if items.len() > 1 {
        items.truncate(items.len() / 2);
        return Ok(());
    }
    if let Some(item) = items.pop() {
        tracing::warn!(reason, "a message is refused");
        queue::count_attempt(work, &[item.id], engine.batch.max_attempts, reason).await?;
    }
    Ok(())
}

async fn fail(work: &mut PgConnection, items: &[Claimed], reason: &str) -> Result<(), EngineError> {
    if items.is_empty() {
        return Ok(());
    }
    tracing::warn!(reason, count = items.len(), "messages fail");
    metrics::counter!("kopilka_relayer_failed_total").increment(items.len() as u64);
    let ids: Vec<B256> = items.iter().map(|item| item.id).collect();
    Ok(queue::fail_queued(work, &ids, reason).await?)
}
