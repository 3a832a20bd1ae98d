//! What a mined transaction did to each message, written down in one database transaction with the block that says so.

use alloy::primitives::{B256, U256};
use alloy::sol_types::{SolEvent as _, SolEventInterface as _};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::polls::Polls::PollsEvents;
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_domain::MessageKind;
use kopilka_store::relay::{
    AccountKey, Mined, Outcome, Submission, SubmissionKind, SubmittedMessage, messages, queue, submissions,
};

use super::fault::FaultPoint;
use super::outcome::{Skip, Verdict, verdicts};
use super::senders::Sender;
use super::{Engine, EngineError};
use crate::chain::{Head, Place, redemption_id};
use crate::message::{AllocationContent, BallotContent, Choice, RedemptionContent};
use crate::receipt::Receipt;

/// The contract says that something was done earlier, but the node does not show where.
const BEHIND: EngineError = EngineError::Later("the node does not show an event that must be there");

/// Writes down what a mined transaction did to each message. Where one block is enough for finality, and the block is the
/// very head that is known here or its parent, it is final at once.
pub(super) async fn read(
    engine: &Engine,
    sender: &Sender,
    submission: &Submission,
    receipt: &Receipt,
    head: Head,
) -> Result<(), EngineError> {
    engine.faults.pass(FaultPoint::ReceiptRead)?;
    let mined = Mined {
        tx_hash: receipt.tx_hash,
        block_number: receipt.block_number,
        block_hash: receipt.block_hash,
        gas_used: receipt.gas_used,
        reverted: receipt.reverted,
    };
    let carried = queue::in_submission(&mut *engine.pool.acquire().await?, submission.id).await?;
    let mut outcomes = Vec::new();
    let mut again = Vec::new();
    let mut later = Vec::new();
    let mut unregistered = Vec::new();
    if !mined.reverted {
        for (message, verdict) in carried.iter().zip(verdicts(&carried, &receipt.logs)) {
            match conclude(engine, message, verdict, &mined).await? {
                Conclusion::Final(outcome) => outcomes.push(outcome),
                Conclusion::Again => again.push(message.id),
                Conclusion::Later => later.push(message.id),
                Conclusion::Unregistered => unregistered.push(message.id),
            }
        }
    }
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    let max_attempts = engine.batch.max_attempts;
    let is_final =
        engine.follow.confirmations == 1 && (head.hash == receipt.block_hash || head.parent == receipt.block_hash);
    let effective = outcomes.iter().filter(|outcome| outcome.reason.is_none()).count();
    let finalized = is_final.then(|| u32::try_from(effective).unwrap_or(u32::MAX));
    submissions::mark_mined(&mut work, submission.id, &mined, finalized).await?;
    queue::mark_mined(&mut work, submission.id, &outcomes, is_final).await?;
    if mined.reverted {
        let all: Vec<B256> = carried.iter().map(|message| message.id).collect();
        queue::requeue(&mut work, submission.id, &all, true, max_attempts).await?;
    } else {
        queue::requeue(&mut work, submission.id, &again, true, max_attempts).await?;
        queue::requeue(&mut work, submission.id, &later, false, i16::MAX).await?;
        queue::requeue(&mut work, submission.id, &unregistered, true, max_attempts).await?;
        queue::wait_for_registration(&mut work, &unregistered).await?;
    }
    work.commit().await?;
    report(submission, &mined, carried.len());
    engine.faults.pass(FaultPoint::OutcomeStored)?;
    if is_final {
        report_final(sender, submission);
        engine.faults.pass(FaultPoint::BatchFinal)?;
    }
    Ok(())
}

/// What is done once a submission is final.
pub(super) fn report_final(sender: &Sender, submission: &Submission) {
    for transaction in &submission.transactions {
        sender.forget_sent(&transaction.hash);
    }
    if let SubmissionKind::Batch(kind) = submission.kind {
        metrics::counter!("kopilka_relayer_finalized_batches_total", "kind" => kind.as_str()).increment(1);
    }
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
    /// Nothing is known: queue it again, and count that a transaction was in vain.
    Again,
    /// It may count later: queue it again.
    Later,
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
    let no_effect = |reason: String| {
        // Where it was left out: without an event of its own, so the transaction alone.
        Ok(Conclusion::Final(Outcome { id, reason: Some(reason), place: None }))
    };
    let skip = match verdict {
        Verdict::Done(tx_hash, block, log_index) => {
            return Ok(Conclusion::Final(Outcome { id, reason: None, place: Some((tx_hash, block, log_index)) }));
        }
        Verdict::Missing => {
            tracing::error!(tx.hash = %mined.tx_hash, "a mined transaction says nothing of one of its messages");
            return Ok(Conclusion::Again);
        }
        Verdict::Skipped(skip) => skip,
    };
    match skip {
        Skip::Done | Skip::VersionNotHigher => effect_of(engine, message).await.map(Conclusion::Final),
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
        Skip::NotYet => Ok(Conclusion::Later),
        Skip::Never(reason) => no_effect(reason.to_owned()),
        Skip::Unknown(code) => no_effect(format!("the contract left it out for reason {code}")),
    }
}

/// What became of a message whose account has on the chain what it wants, or a version as high: by whichever transaction.
pub(super) async fn effect_of(engine: &Engine, message: &SubmittedMessage) -> Result<Outcome, EngineError> {
    match message.kind {
        MessageKind::Registration | MessageKind::StampClaim | MessageKind::Redemption => {
            done_earlier(engine, message).await
        }
        MessageKind::Allocation => recorded_version(engine, message).await,
        MessageKind::Ballot => recorded_ballot(engine, message).await,
    }
}

/// The goal is reached, by whichever transaction: finds which.
async fn done_earlier(engine: &Engine, message: &SubmittedMessage) -> Result<Outcome, EngineError> {
    let account = message.account.into_word();
    let scope = B256::from(U256::from(message.scope));
    let topics = match message.kind {
        MessageKind::StampClaim => [RewardPoints::StampClaimed::SIGNATURE_HASH, scope, account],
        MessageKind::Redemption => {
            let content = message.content.as_deref().and_then(RedemptionContent::decode);
            let Some(content) = content else { return Err(EngineError::Later("a stored redemption is unreadable")) };
            let id = redemption_id(message.contract, message.account, content.terms.code_hash);
            let topics = [RewardShop::PrizeRedeemed::SIGNATURE_HASH, id, B256::ZERO];
            let Some((place, log)) = engine.chain.place_of(message.contract, topics, engine.first_block).await? else {
                return Err(BEHIND);
            };
            let event = RewardShop::PrizeRedeemed::decode_log(&log.inner);
            let is_own = event.is_ok_and(|event| event.prizeId == U256::from(content.terms.prize));
            return Ok(if is_own {
                Outcome { id: message.id, reason: None, place: Some(place) }
            } else {
                Outcome { id: message.id, reason: Some("the code was used for another prize".to_owned()), place: None }
            });
        }
        _ => [BudgetRound::Registered::SIGNATURE_HASH, account, B256::ZERO],
    };
    match engine.chain.place_of(message.contract, topics, engine.first_block).await? {
        Some((place, _)) => Ok(Outcome { id: message.id, reason: None, place: Some(place) }),
        None => Err(BEHIND),
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
    let highest = events.iter().map(|(event, _)| event.version).max().unwrap_or_default();
    superseded(message, own.map(|(_, place)| *place), highest)
}

/// The same for a ballot. Where votes cannot be changed, the first version counts whatever comes later.
async fn recorded_ballot(engine: &Engine, message: &SubmittedMessage) -> Result<Outcome, EngineError> {
    let logs = engine.chain.cast_ballots(message.contract, message.scope, message.account, engine.first_block).await?;
    let content = message.content.as_deref().and_then(BallotContent::decode);
    let mut own = None;
    let mut highest = 0;
    for (log, place) in logs {
        let (version, choice) = match PollsEvents::decode_log(&log.inner).map(|log| log.data) {
            Ok(PollsEvents::BallotCast(event)) => (event.version, Choice::Open(event.choice)),
            Ok(PollsEvents::SealedBallotCast(event)) => {
                (event.version, Choice::Sealed(event.point, event.maskedChoice))
            }
            _ => continue,
        };
        highest = highest.max(version);
        if version == message.version && content.as_ref().is_some_and(|content| content.choice == choice) {
            own = Some(place);
        }
    }
    if own.is_none() && highest > 0 && highest < message.version {
        let reason = Some("the account has voted, and this poll allows no other ballot".to_owned());
        return Ok(Outcome { id: message.id, reason, place: None });
    }
    superseded(message, own, highest)
}

fn superseded(message: &SubmittedMessage, own: Option<Option<Place>>, highest: u32) -> Result<Outcome, EngineError> {
    if let Some(place) = own {
        return Ok(Outcome { id: message.id, reason: None, place });
    }
    if highest < message.version {
        return Err(BEHIND);
    }
    let reason = Some(format!("version {highest} of the account is recorded already"));
    Ok(Outcome { id: message.id, reason, place: None })
}
