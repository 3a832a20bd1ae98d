//! Following transactions: what is stored is sent until it is mined, what is mined is read, checked to be still part of the
//! chain, and made final. The lowest nonce that is not mined gets the attention: all others wait behind it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::Decodable2718 as _;
use alloy::primitives::{B256, Bytes};
use alloy::rpc::types::TransactionReceipt;
use futures::future::join_all;
use kopilka_store::relay::{
    Mined, NewSubmission, Outcome, Submission, SubmissionKind, SubmittedMessage, messages, submissions,
};
use tokio_util::sync::CancellationToken;

use super::dispatch::chain_of;
use super::fault::{Fault, FaultPoint};
use super::fees::{Fees, replacement};
use super::outcome::{Skip, Verdict, verdicts};
use super::senders::Sender;
use super::{Engine, EngineError, Unsigned};
use crate::chain::Head;
use crate::gas;
use crate::message::AllocationContent;

/// Looks at which a nonce must be used up without a receipt of ours before it counts as taken by a stranger.
const MISSING_LOOKS: u32 = 3;
const BALANCE_INTERVAL: Duration = Duration::from_secs(30);
const PRUNE_INTERVAL: Duration = Duration::from_secs(10);
const PRUNE_AT_ONCE: i64 = 50;

/// What is remembered between looks; nothing depends on it but when something is tried again.
#[derive(Debug, Default)]
struct Memory {
    missing: HashMap<i64, u32>,
    balance_asked: Option<Instant>,
}

/// Runs until cancelled.
///
/// # Errors
/// Only the fault that was asked for.
pub(crate) async fn run(engine: Arc<Engine>, cancel: CancellationToken) -> Result<(), Fault> {
    let mut heads = engine.chain.head_changes();
    let mut memories: Vec<Memory> = engine.senders.list.iter().map(|_| Memory::default()).collect();
    let mut pruned = Instant::now();
    let pause = engine.follow.rebroadcast.min(Duration::from_secs(1));
    loop {
        let head = *heads.borrow_and_update();
        if let Some(head) = head {
            let looks = engine
                .senders
                .list
                .iter()
                .zip(&mut memories)
                .filter(|(sender, _)| sender.is_leased())
                .map(|(sender, memory)| look_after(&engine, sender, memory, head));
            for result in join_all(looks).await {
                match result {
                    Ok(()) => {}
                    Err(EngineError::Fault(fault)) => return Err(fault),
                    Err(error) => tracing::warn!(error = chain_of(&error), "cannot follow a sender's transactions now"),
                }
            }
            if pruned.elapsed() >= PRUNE_INTERVAL {
                pruned = Instant::now();
                prune(&engine, head).await;
            }
        }
        tokio::select! {
            changed = heads.changed() => if changed.is_err() { return Ok(()) },
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return Ok(()),
        }
    }
}

async fn prune(engine: &Engine, head: Head) {
    let before = head.number.saturating_sub(engine.follow.prune_after_blocks);
    let result = async { messages::prune(&mut *engine.pool.acquire().await?, before, PRUNE_AT_ONCE).await };
    if let Err(error) = result.await {
        tracing::warn!(%error, "cannot remove contents that are safely on chain");
    }
}

/// What to do with a submission.
#[derive(Debug, PartialEq)]
enum Step {
    /// Not in a block: send it again if it is time.
    Wait,
    /// In a block that could be replaced.
    Confirm,
    /// In a block, as this receipt says; it was not known, or known to be in another.
    Read(Box<TransactionReceipt>),
    /// Its block is gone.
    Unmine,
    /// Its block is permanent.
    Finalize,
    /// Its nonce is used, but none of its transactions is there.
    Missing,
}

/// Decides; pure, so that reorgs can be tested without a chain.
fn judge(
    submission: &Submission,
    chain_nonce: u64,
    head: Head,
    confirmations: u64,
    block_hash: Option<B256>,
    receipt: Option<TransactionReceipt>,
) -> Step {
    let receipt = receipt.filter(|receipt| receipt.block_hash.is_some() && receipt.block_number.is_some());
    match (&submission.mined, receipt) {
        (Some(mined), _) if block_hash == Some(mined.block_hash) => {
            if head.number + 1 >= mined.block_number + confirmations { Step::Finalize } else { Step::Confirm }
        }
        (Some(mined), Some(receipt)) if receipt.block_hash != Some(mined.block_hash) => Step::Read(Box::new(receipt)),
        // The node does not have the block, but counts the nonce: it is behind.
        (Some(_), _) if block_hash.is_none() && submission.nonce < chain_nonce => Step::Confirm,
        (Some(_), _) => Step::Unmine,
        (None, Some(receipt)) => Step::Read(Box::new(receipt)),
        (None, None) if submission.nonce < chain_nonce => Step::Missing,
        (None, None) => Step::Wait,
    }
}

async fn look_after(engine: &Engine, sender: &Sender, memory: &mut Memory, head: Head) -> Result<(), EngineError> {
    if memory.balance_asked.is_none_or(|at| at.elapsed() >= BALANCE_INTERVAL) {
        memory.balance_asked = Some(Instant::now());
        check_balance(engine, sender).await?;
    }
    let chain_nonce = engine.chain.nonce(sender.address, None).await?;
    let open = submissions::open(&mut *engine.pool.acquire().await?, sender.address, chain_nonce).await?;
    let steps = judge_all(engine, &open, chain_nonce, head).await?;
    let mut waiting = 0;
    for (submission, step) in open.iter().zip(steps) {
        if step != Step::Missing {
            memory.missing.remove(&submission.id);
        }
        match step {
            Step::Wait => {
                waiting += 1;
                keep_sending(engine, sender, submission, chain_nonce, head).await?;
            }
            Step::Confirm => {}
            Step::Read(receipt) => read(engine, submission, &receipt).await?,
            Step::Unmine => {
                waiting += 1;
                unmine(engine, sender, submission).await?;
            }
            Step::Finalize => finalize(engine, sender, submission).await?,
            Step::Missing => {
                let looks = memory.missing.entry(submission.id).or_default();
                *looks += 1;
                if *looks >= MISSING_LOOKS {
                    displace(engine, sender, submission, head).await?;
                }
            }
        }
    }
    fill_gaps(engine, sender, &open, chain_nonce).await?;
    sender.observed(chain_nonce, waiting);
    Ok(())
}

/// Asks the node what it needs to judge, in two questions for all submissions.
async fn judge_all(
    engine: &Engine,
    open: &[Submission],
    chain_nonce: u64,
    head: Head,
) -> Result<Vec<Step>, EngineError> {
    let mut numbers: Vec<u64> = open.iter().filter_map(|s| s.mined.map(|mined| mined.block_number)).collect();
    numbers.dedup();
    let blocks = if numbers.is_empty() { HashMap::new() } else { engine.chain.block_hashes(&numbers).await? };
    let block_hash = |s: &Submission| s.mined.and_then(|mined| blocks.get(&mined.block_number).copied());
    let in_doubt = |s: &Submission| match s.mined {
        Some(mined) => block_hash(s) != Some(mined.block_hash),
        None => s.nonce < chain_nonce,
    };
    let hashes: Vec<B256> = open
        .iter()
        .filter(|submission| in_doubt(submission))
        .flat_map(|submission| submission.transactions.iter().map(|transaction| transaction.hash))
        .collect();
    let mut receipts = if hashes.is_empty() { HashMap::new() } else { engine.chain.receipts(&hashes).await? };
    Ok(open
        .iter()
        .map(|submission| {
            let receipt = submission.transactions.iter().find_map(|transaction| receipts.remove(&transaction.hash));
            judge(submission, chain_nonce, head, engine.follow.confirmations, block_hash(submission), receipt)
        })
        .collect())
}

async fn check_balance(engine: &Engine, sender: &Sender) -> Result<(), EngineError> {
    let balance = engine.chain.balance(sender.address).await?;
    sender.set_balance(balance);
    let ether = f64::from(balance) / 1e18;
    metrics::gauge!("kopilka_relayer_sender_balance_ether", "sender" => sender.address.to_string()).set(ether);
    if balance < alloy::primitives::U256::from(engine.fees.low_balance) {
        tracing::warn!(sender = %sender.address, ether, "the sender's balance is low: send it funds");
    }
    Ok(())
}

/// Sends the newest of a submission's transactions again when it is time, or replaces it by a dearer one.
async fn keep_sending(
    engine: &Engine,
    sender: &Sender,
    submission: &Submission,
    chain_nonce: u64,
    head: Head,
) -> Result<(), EngineError> {
    let Some(newest) = submission.transactions.last() else {
        tracing::error!(submission.id, "a submission has no transaction");
        return Ok(());
    };
    let is_lowest = submission.nonce == chain_nonce;
    if is_lowest && sender.blocks_ignored(&newest.hash, head.number) >= engine.fees.bump_after_blocks {
        let old = Fees { max: newest.max_fee_per_gas, tip: newest.max_priority_fee_per_gas };
        match replacement(old, engine.usual_fees().await?, &engine.fees) {
            Some(fees) => return replace(engine, sender, submission, &newest.raw, fees).await,
            None => tracing::warn!(tx.hash = %newest.hash, "a transaction is stuck, and its fee is at the ceiling"),
        }
    }
    if !sender.sent_within(&newest.hash, engine.follow.rebroadcast) {
        engine.send(sender, newest).await;
    }
    Ok(())
}

/// Stores, then sends, the same call with higher fees.
async fn replace(
    engine: &Engine,
    sender: &Sender,
    submission: &Submission,
    old: &Bytes,
    fees: Fees,
) -> Result<(), EngineError> {
    let old = TxEnvelope::decode_2718(&mut old.as_ref())
        .map_err(|_| EngineError::Later("a stored transaction is unreadable"))?;
    let unsigned = Unsigned {
        nonce: submission.nonce,
        to: submission.recipient,
        gas_limit: old.gas_limit(),
        input: old.input().clone(),
        fees,
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

/// Writes down what a mined transaction did to each message.
async fn read(engine: &Engine, submission: &Submission, receipt: &TransactionReceipt) -> Result<(), EngineError> {
    let (Some(block_number), Some(block_hash)) = (receipt.block_number, receipt.block_hash) else { return Ok(()) };
    engine.faults.pass(FaultPoint::ReceiptRead)?;
    let mined = Mined {
        tx_hash: receipt.transaction_hash,
        block_number,
        block_hash,
        gas_used: receipt.gas_used,
        reverted: !receipt.status(),
    };
    let carried = messages::in_submission(&mut *engine.pool.acquire().await?, submission.id).await?;
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
    messages::mark_mined(&mut work, submission.id, &outcomes).await?;
    if mined.reverted {
        let all: Vec<B256> = carried.iter().map(|message| message.id).collect();
        messages::requeue(&mut work, submission.id, &all, true, max_attempts).await?;
    } else {
        messages::requeue(&mut work, submission.id, &again, true, max_attempts).await?;
        messages::requeue(&mut work, submission.id, &unregistered, true, max_attempts).await?;
        messages::wait_for_registration(&mut work, &unregistered).await?;
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
            done(engine.chain.registration_place(message.round, message.account, engine.first_block).await?)
        }
        Skip::VersionNotHigher => recorded_version(engine, message).await.map(Conclusion::Final),
        Skip::NotRegistered => {
            let known =
                messages::known_accounts(&mut *engine.pool.acquire().await?, &[(message.round, message.account)])
                    .await?;
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
    let events = engine.chain.recorded_allocations(message.round, message.account, engine.first_block).await?;
    let content = message.content.as_deref().and_then(AllocationContent::decode);
    let own = events.iter().find(|(event, _)| {
        event.version == message.version
            && content.as_ref().is_some_and(|c| c.initiatives == event.initiatives && c.points == event.points)
    });
    if let Some((_, place)) = own {
        return Ok(Outcome { id: message.id, reason: None, place: *place });
    }
    let highest = events.iter().map(|(event, _)| event.version).max().unwrap_or(message.version);
    let reason = Some(format!("version {highest} of the account is recorded already"));
    Ok(Outcome { id: message.id, reason, place: None })
}

/// Takes back what a block did that is gone.
async fn unmine(engine: &Engine, sender: &Sender, submission: &Submission) -> Result<(), EngineError> {
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    submissions::unmine(&mut work, submission.id).await?;
    messages::unmine(&mut work, submission.id).await?;
    work.commit().await?;
    metrics::counter!("kopilka_relayer_reorged_total").increment(1);
    tracing::warn!(nonce = submission.nonce, "the block of a transaction is gone; the transaction is sent again");
    // The next look finds it pending and not sent.
    for transaction in &submission.transactions {
        sender.forget_sent(&transaction.hash);
    }
    Ok(())
}

async fn finalize(engine: &Engine, sender: &Sender, submission: &Submission) -> Result<(), EngineError> {
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    submissions::finalize(&mut work, submission.id).await?;
    messages::finalize(&mut work, submission.id).await?;
    work.commit().await?;
    for transaction in &submission.transactions {
        sender.forget_sent(&transaction.hash);
    }
    if let SubmissionKind::Batch(kind) = submission.kind {
        metrics::counter!("kopilka_relayer_finalized_batches_total", "kind" => kind.as_str()).increment(1);
    }
    Ok(())
}

/// A stranger used the nonce: someone else has the sender's key. The messages go into another transaction.
async fn displace(engine: &Engine, sender: &Sender, submission: &Submission, head: Head) -> Result<(), EngineError> {
    let settled = (head.number + 1).saturating_sub(engine.follow.confirmations);
    if engine.chain.nonce(sender.address, Some(settled)).await? <= submission.nonce {
        return Ok(());
    }
    let mut work = engine.pool.begin().await?;
    if !submissions::lock(&mut work, submission).await? {
        return Ok(());
    }
    let carried = messages::in_submission(&mut work, submission.id).await?;
    let ids: Vec<B256> = carried.iter().map(|message| message.id).collect();
    messages::requeue(&mut work, submission.id, &ids, false, i16::MAX).await?;
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
async fn fill_gaps(engine: &Engine, sender: &Sender, open: &[Submission], chain_nonce: u64) -> Result<(), EngineError> {
    let Some(highest) = open.iter().map(|submission| submission.nonce).max() else { return Ok(()) };
    for nonce in chain_nonce..highest {
        if open.iter().any(|submission| submission.nonce == nonce) {
            continue;
        }
        let fees = engine.usual_fees().await?;
        let unsigned = Unsigned { nonce, to: sender.address, gas_limit: gas::TRANSFER, input: Bytes::new(), fees };
        let transaction = engine.sign(sender, unsigned).await?;
        let submission = NewSubmission {
            sender: sender.address,
            nonce,
            kind: SubmissionKind::Filler,
            recipient: sender.address,
            class: 0,
        };
        let mut work = engine.pool.begin().await?;
        let Some(id) = submissions::insert(&mut work, &submission).await? else { continue };
        submissions::insert_transaction(&mut work, id, &transaction).await?;
        work.commit().await?;
        tracing::warn!(sender = %sender.address, nonce, "a gap of nonces is filled by an empty transaction");
        engine.send(sender, &transaction).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopilka_domain::MessageKind;
    use kopilka_store::relay::NewTransaction;

    fn submission(nonce: u64, mined: Option<(u64, u8)>) -> Submission {
        Submission {
            id: 1,
            nonce,
            kind: SubmissionKind::Batch(MessageKind::Registration),
            recipient: Default::default(),
            mined: mined.map(|(block_number, hash)| Mined {
                tx_hash: B256::ZERO,
                block_number,
                block_hash: B256::repeat_byte(hash),
                gas_used: 0,
                reverted: false,
            }),
            transactions: Vec::<NewTransaction>::new(),
        }
    }

    fn receipt(block: u64, hash: u8) -> TransactionReceipt {
        let json = serde_json::json!({
            "type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x1", "logs": [], "logsBloom": format!("0x{}", "00".repeat(256)),
            "transactionHash": B256::ZERO, "transactionIndex": "0x0", "blockHash": B256::repeat_byte(hash),
            "blockNumber": format!("{block:#x}"), "gasUsed": "0x1", "effectiveGasPrice": "0x1",
            "from": alloy::primitives::Address::ZERO, "to": alloy::primitives::Address::ZERO, "contractAddress": null,
        });
        serde_json::from_value(json).unwrap()
    }

    fn step(
        submission: &Submission,
        chain_nonce: u64,
        head: u64,
        block: Option<u8>,
        receipt: Option<TransactionReceipt>,
    ) -> Step {
        let head = Head { number: head, hash: B256::ZERO };
        judge(submission, chain_nonce, head, 3, block.map(B256::repeat_byte), receipt)
    }

    #[test]
    fn a_pending_submission_waits_is_read_or_is_missing() {
        let pending = submission(5, None);
        assert_eq!(step(&pending, 5, 10, None, None), Step::Wait);
        assert_eq!(step(&pending, 6, 10, None, None), Step::Missing);
        assert!(matches!(step(&pending, 6, 10, None, Some(receipt(10, 1))), Step::Read(_)));
    }

    #[test]
    fn a_mined_submission_becomes_final_only_while_its_block_stays() {
        let mined = submission(5, Some((10, 1)));
        assert_eq!(step(&mined, 6, 10, Some(1), None), Step::Confirm);
        assert_eq!(step(&mined, 6, 11, Some(1), None), Step::Confirm);
        assert_eq!(step(&mined, 6, 12, Some(1), None), Step::Finalize);
        assert_eq!(step(&mined, 5, 12, Some(2), None), Step::Unmine, "replaced by another block without it");
        assert!(matches!(step(&mined, 6, 12, Some(2), Some(receipt(11, 2))), Step::Read(_)), "moved to another block");
        assert_eq!(step(&mined, 5, 8, None, None), Step::Unmine, "rolled back");
        assert_eq!(step(&mined, 6, 8, None, None), Step::Confirm, "the node is behind");
        assert_eq!(step(&mined, 6, 8, None, Some(receipt(10, 1))), Step::Confirm, "the node is behind");
    }
}
