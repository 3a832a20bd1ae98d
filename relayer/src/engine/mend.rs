//! Helping transactions on their way: the same bytes again, dearer ones under the same nonce, empty ones in their place;
//! and taking back what a reorg or a stranger undid.

use std::collections::HashSet;

use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::Decodable2718 as _;
use alloy::primitives::{B256, Bytes};
use kopilka_store::relay::{NewSubmission, Submission, SubmissionKind, queue, submissions};

use super::fault::FaultPoint;
use super::fees::{Fees, replacement};
use super::read::report_final;
use super::senders::Sender;
use super::{Engine, EngineError, Unsigned};
use crate::chain::Head;
use crate::gas;

/// Sends the newest of a submission's transactions again when it is time, replaces it by a dearer one, or gives its
/// messages back when its sender cannot pay.
pub(super) async fn keep_sending(
    engine: &Engine,
    sender: &Sender,
    submission: &Submission,
    chain_nonce: u64,
    head: Head,
) -> Result<(), EngineError> {
    let Some(newest) = submission.transactions.last() else { return close(engine, sender, submission).await };
    let is_filler = submission.kind == SubmissionKind::Filler;
    let offered = Fees { max: newest.max_fee_per_gas, tip: newest.max_priority_fee_per_gas };
    if is_filler && newest.gas_limit > gas::TRANSFER {
        // Its messages were given back: an empty transaction takes its place.
        let usual = engine.usual_fees().await?;
        if let Some(fees) = replacement(offered, usual, &engine.fees) {
            return replace(engine, sender, submission, &newest.raw, fees).await;
        }
    }
    let is_ignored = sender.blocks_ignored(&newest.hash, head.number) >= engine.fees.bump_after_blocks;
    if is_ignored && sender.is_broke() {
        if !is_filler {
            return release(engine, sender, submission).await;
        }
    } else if is_ignored {
        let usual = engine.usual_fees().await?;
        // Those behind the lowest wait for it, but one that offers less than the base fee would hold up the rest in turn.
        if submission.nonce == chain_nonce || offered.max < usual.base {
            match replacement(offered, usual, &engine.fees) {
                Some(fees) => return replace(engine, sender, submission, &newest.raw, fees).await,
                None if sender.complains(engine.follow.rebroadcast) => {
                    tracing::warn!(tx.hash = %newest.hash, "a transaction is stuck, and its fee is at the ceiling");
                }
                None => {}
            }
        }
    }
    if !sender.sent_within(&newest.hash, engine.follow.rebroadcast) {
        engine.send(sender, newest).await;
    }
    Ok(())
}

/// The sender cannot pay: its messages go back to the queue for others, and its nonce is closed by an empty transaction
/// once there is money for that. Should the old transaction be mined nevertheless, the messages find their effect done.
async fn release(engine: &Engine, sender: &Sender, submission: &Submission) -> Result<(), EngineError> {
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    let carried = queue::in_submission(&mut work, submission.id).await?;
    let ids: Vec<B256> = carried.iter().map(|message| message.id).collect();
    queue::requeue(&mut work, submission.id, &ids, false, i16::MAX).await?;
    submissions::make_filler(&mut work, submission.id).await?;
    work.commit().await?;
    metrics::counter!("kopilka_relayer_released_total").increment(1);
    tracing::error!(
        sender = %sender.address,
        nonce = submission.nonce,
        count = ids.len(),
        "the transaction cannot be sent: its messages go to another sender"
    );
    engine.faults.pass(FaultPoint::MessagesReleased)?;
    Ok(())
}

/// The bytes of a submission are lost, as after a partial restore: its messages go back, and an empty transaction closes
/// the nonce.
async fn close(engine: &Engine, sender: &Sender, submission: &Submission) -> Result<(), EngineError> {
    if submission.kind != SubmissionKind::Filler {
        return release(engine, sender, submission).await;
    }
    let fees = engine.usual_fees().await?.fees;
    let nonce = submission.nonce;
    let unsigned = Unsigned { nonce, to: sender.address, gas_limit: gas::TRANSFER, input: Bytes::new(), fees };
    let transaction = engine.sign(sender, unsigned).await?;
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    submissions::insert_transaction(&mut work, submission.id, &transaction).await?;
    work.commit().await?;
    engine.send(sender, &transaction).await;
    Ok(())
}

/// Stores, then sends, the same call with higher fees; nothing but the fees for a submission without messages.
async fn replace(
    engine: &Engine,
    sender: &Sender,
    submission: &Submission,
    old: &Bytes,
    fees: Fees,
) -> Result<(), EngineError> {
    let unsigned = if submission.kind == SubmissionKind::Filler {
        Unsigned { nonce: submission.nonce, to: sender.address, gas_limit: gas::TRANSFER, input: Bytes::new(), fees }
    } else {
        let old = TxEnvelope::decode_2718(&mut old.as_ref())
            .map_err(|_| EngineError::Later("a stored transaction is unreadable"))?;
        Unsigned {
            nonce: submission.nonce,
            to: submission.recipient,
            gas_limit: old.gas_limit(),
            input: old.input().clone(),
            fees,
        }
    };
    let transaction = engine.sign(sender, unsigned).await?;
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    submissions::insert_transaction(&mut work, submission.id, &transaction).await?;
    work.commit().await?;
    metrics::counter!("kopilka_relayer_replaced_total").increment(1);
    tracing::info!(tx.hash = %transaction.hash, nonce = submission.nonce, "transaction replaced by a dearer one");
    engine.faults.pass(FaultPoint::ReplacementStored)?;
    engine.send(sender, &transaction).await;
    Ok(())
}

/// Takes back what a block did that is gone.
pub(super) async fn unmine(engine: &Engine, sender: &Sender, submission: &Submission) -> Result<(), EngineError> {
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    submissions::unmine(&mut work, submission.id).await?;
    queue::unmine(&mut work, submission.id).await?;
    work.commit().await?;
    metrics::counter!("kopilka_relayer_reorged_total").increment(1);
    tracing::warn!(nonce = submission.nonce, "the block of a transaction is gone; the transaction is sent again");
    engine.faults.pass(FaultPoint::BlockGone)?;
    // The next look finds it pending and not sent.
    for transaction in &submission.transactions {
        sender.forget_sent(&transaction.hash);
    }
    Ok(())
}

pub(super) async fn finalize(engine: &Engine, sender: &Sender, submission: &Submission) -> Result<(), EngineError> {
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    submissions::finalize(&mut work, submission.id).await?;
    queue::finalize(&mut work, submission.id).await?;
    work.commit().await?;
    report_final(sender, submission);
    engine.faults.pass(FaultPoint::BatchFinal)?;
    Ok(())
}

/// A stranger used the nonce: someone else has the sender's key. The messages go into another transaction.
pub(super) async fn displace(
    engine: &Engine,
    sender: &Sender,
    submission: &Submission,
    head: Head,
) -> Result<(), EngineError> {
    let settled = (head.number + 1).saturating_sub(engine.follow.confirmations);
    if engine.chain.nonce(sender.address, Some(settled)).await? <= submission.nonce {
        return Ok(());
    }
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    let carried = queue::in_submission(&mut work, submission.id).await?;
    let ids: Vec<B256> = carried.iter().map(|message| message.id).collect();
    queue::requeue(&mut work, submission.id, &ids, false, i16::MAX).await?;
    submissions::displace(&mut work, submission.id).await?;
    work.commit().await?;
    tracing::error!(
        sender = %sender.address,
        nonce = submission.nonce,
        "a transaction that is not ours used the nonce: is the key used elsewhere? The messages are queued again"
    );
    Ok(())
}

/// Nonces below a stored one that nobody uses would block it for ever: empty transactions take them.
pub(super) async fn fill_gaps(
    engine: &Engine,
    sender: &Sender,
    open: &[Submission],
    chain_nonce: u64,
) -> Result<(), EngineError> {
    let Some(highest) = open.iter().map(|submission| submission.nonce).max() else { return Ok(()) };
    let used: HashSet<u64> = open.iter().map(|submission| submission.nonce).collect();
    for nonce in (chain_nonce..highest).filter(|nonce| !used.contains(nonce)) {
        let fees = engine.usual_fees().await?.fees;
        let unsigned = Unsigned { nonce, to: sender.address, gas_limit: gas::TRANSFER, input: Bytes::new(), fees };
        let transaction = engine.sign(sender, unsigned).await?;
        let submission = NewSubmission {
            sender: sender.address,
            nonce,
            kind: SubmissionKind::Filler,
            recipient: sender.address,
            scope: 0,
            class: 0,
        };
        let mut work = engine.pool.begin().await?;
        let Some(id) = submissions::insert(&mut work, &submission).await? else { continue };
        submissions::insert_transaction(&mut work, id, &transaction).await?;
        work.commit().await?;
        tracing::warn!(sender = %sender.address, nonce, "a gap of nonces is filled by an empty transaction");
        engine.faults.pass(FaultPoint::FillerStored)?;
        engine.send(sender, &transaction).await;
    }
    Ok(())
}
