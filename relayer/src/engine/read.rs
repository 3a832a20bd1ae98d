//! What a mined transaction did to each message, written down in one database transaction with the block that says so.

use alloy::primitives::B256;
use alloy::rpc::types::TransactionReceipt;
use kopilka_store::relay::{AccountKey, Mined, Outcome, Submission, SubmittedMessage, messages, queue, submissions};

use super::fault::FaultPoint;
use super::outcome::{Skip, Verdict, verdicts};
use super::{Engine, EngineError};
use crate::message::AllocationContent;

/// The contract says that something was done earlier, but the node does not show where.
const BEHIND: EngineError = EngineError::Later("the node does not show an event that must be there");

/// Writes down what a mined transaction did to each message.
pub(super) async fn read(
    engine: &Engine,
    submission: &Submission,
    receipt: &TransactionReceipt,
) -> Result<(), EngineError> {
    let (Some(block_number), Some(block_hash)) = (receipt.block_number, receipt.block_hash) else { return Ok(()) };
    engine.faults.pass(FaultPoint::ReceiptRead)?;
    let mined = Mined {
        tx_hash: receipt.transaction_hash,
        block_number,
        block_hash,
        gas_used: receipt.gas_used,
        reverted: !receipt.status(),
    };
    let carried = queue::in_submission(&mut *engine.pool.acquire().await?, submission.id).await?;
    let mut outcomes = Vec::new();
    let mut again = Vec::new();
    let mut unregistered = Vec::new();
    if !mined.reverted {
        for (message, verdict) in carried.iter().zip(verdicts(&carried, receipt.logs())) {
            match conclude(engine, message, verdict, &mined).await? {
                Conclusion::Final(outcome) => outcomes.push(outcome),
                Conclusion::Again => again.push(message.id),
                Conclusion::Unregistered => unregistered.push(message.id),
            }
        }
    }
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    let max_attempts = engine.batch.max_attempts;
    submissions::mark_mined(&mut work, submission.id, &mined).await?;
    queue::mark_mined(&mut work, submission.id, &outcomes).await?;
    if mined.reverted {
        let all: Vec<B256> = carried.iter().map(|message| message.id).collect();
        queue::requeue(&mut work, submission.id, &all, true, max_attempts).await?;
    } else {
        queue::requeue(&mut work, submission.id, &again, true, max_attempts).await?;
        queue::requeue(&mut work, submission.id, &unregistered, true, max_attempts).await?;
        queue::wait_for_registration(&mut work, &unregistered).await?;
    }
    work.commit().await?;
    report(submission, &mined, carried.len());
    engine.faults.pass(FaultPoint::OutcomeStored)?;
    Ok(())
}

fn report(submission: &Submission, mined: &Mined, count: usize) {
    let kind = submission.kind.to_string();
    let each = if count == 0 { 0.0 } else { mined.gas_used as f64 / count as f64 };
    metrics::histogram!("kopilka_relayer_gas_per_message", "kind" => kind.clone()).record(each);
    metrics::counter!("kopilka_relayer_gas_total", "kind" => kind.clone()).increment(mined.gas_used);
    if mined.reverted {
        metrics::counter!("kopilka_relayer_reverted_total", "kind" => kind.clone()).increment(1);
        tracing::warn!(tx.hash = %mined.tx_hash, kind, count, "transaction reverted; its messages are queued again");
    } else {
        let block = mined.block_number;
        tracing::info!(tx.hash = %mined.tx_hash, kind, count, block, gas = mined.gas_used, "transaction mined");
    }
}

/// What follows from a verdict.
enum Conclusion {
    Final(Outcome),
    /// Nothing is known: queue it again.
    Again,
    /// The account was not registered when the batch was mined.
    Unregistered,
}

async fn conclude(
    engine: &Engine,
    message: &SubmittedMessage,
    verdict: Verdict,
    mined: &Mined,
) -> Result<Conclusion, EngineError> {
    let id = message.id;
    let done = |place| Ok(Conclusion::Final(Outcome { id, reason: None, place }));
    let no_effect = |reason: String| {
        // Where it was left out: without an event of its own, so the transaction alone.
        Ok(Conclusion::Final(Outcome { id, reason: Some(reason), place: None }))
    };
    let skip = match verdict {
        Verdict::Done(tx_hash, block, log_index) => return done(Some((tx_hash, block, log_index))),
        Verdict::Missing => {
            tracing::error!(tx.hash = %mined.tx_hash, "a mined transaction says nothing of one of its messages");
            return Ok(Conclusion::Again);
        }
        Verdict::Skipped(skip) => skip,
    };
    match skip {
        // The goal is reached, by whichever transaction.
        Skip::AlreadyRegistered => {
            match engine.chain.registration_place(message.contract, message.account, engine.first_block).await? {
                Some(place) => done(Some(place)),
                None => Err(BEHIND),
            }
        }
        Skip::VersionNotHigher => recorded_version(engine, message).await.map(Conclusion::Final),
        Skip::NotRegistered => {
            let key = AccountKey {
                kind: message.kind,
                contract: message.contract,
                scope: message.scope,
                account: message.account,
            };
            let known = messages::known_accounts(&mut *engine.pool.acquire().await?, &[key]).await?;
            match known.first().and_then(|known| known.registration) {
                Some(_) => Ok(Conclusion::Unregistered),
                None => no_effect("the account is not registered in the round".to_owned()),
            }
        }
        Skip::FundsExhausted => no_effect("the budget does not cover another share".to_owned()),
        Skip::SignatureInvalid => no_effect("the contract does not accept the signature".to_owned()),
        Skip::ChoicesMalformed => no_effect("the contract does not accept the choices".to_owned()),
        Skip::Other(code) => no_effect(format!("the contract left it out for reason {code}")),
    }
}

/// A version at least as high is recorded: it may be this very message, sent in another transaction.
async fn recorded_version(engine: &Engine, message: &SubmittedMessage) -> Result<Outcome, EngineError> {
    let events = engine.chain.recorded_allocations(message.contract, message.account, engine.first_block).await?;
    let content = message.content.as_deref().and_then(AllocationContent::decode);
    let own = events.iter().find(|(event, _)| {
        event.version == message.version
            && content.as_ref().is_some_and(|c| c.initiatives == event.initiatives && c.points == event.points)
    });
    if let Some((_, place)) = own {
        return Ok(Outcome { id: message.id, reason: None, place: *place });
    }
    let highest = events.iter().map(|(event, _)| event.version).max().unwrap_or_default();
    if highest < message.version {
        return Err(BEHIND);
    }
    let reason = Some(format!("version {highest} of the account is recorded already"));
    Ok(Outcome { id: message.id, reason, place: None })
}
