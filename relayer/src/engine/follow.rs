//! Following transactions: what is stored is sent until it is mined, what is mined is read, checked to be still part of the
//! chain, and made final. The lowest nonce that is not mined gets the attention: all others wait behind it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::B256;
use futures::future::{try_join, try_join_all};
use kopilka_store::relay::{Submission, queue, submissions};
use tokio_util::sync::CancellationToken;

use super::dispatch::chain_of;
use super::fault::Fault;
use super::mend::{displace, fill_gaps, finalize, keep_sending, unmine};
use super::read::read;
use super::senders::Sender;
use super::{Engine, EngineError};
use crate::chain::Head;
use crate::receipt::Receipt;

/// Looks at which a nonce must be used up without a receipt of ours before it counts as taken by a stranger; and how many
/// blocks, or how much time on a chain that stands still, must lie between the first and the last of them.
const MISSING_LOOKS: u32 = 3;
const MISSING_BLOCKS: u64 = 2;
const MISSING_TIME: Duration = Duration::from_secs(5);
const BALANCE_INTERVAL: Duration = Duration::from_secs(5);
const PRUNE_INTERVAL: Duration = Duration::from_secs(10);
const PRUNE_AT_ONCE: i64 = 50;
/// How many blocks below the head what is final is compared with the chain again, when the head is not the next block
/// after the one seen before.
const RECHECK_BLOCKS: u64 = 64;

/// What is remembered between looks; nothing depends on it but when something is tried again.
#[derive(Debug, Default)]
struct Memory {
    missing: HashMap<i64, Missing>,
    balance_asked: Option<Instant>,
    /// Head of the last look that was carried through.
    head: Option<Head>,
}

/// Since when a submission's nonce is used without a receipt.
#[derive(Debug)]
struct Missing {
    looks: u32,
    first_block: u64,
    since: Instant,
}

/// Runs until cancelled.
///
/// # Errors
/// Only the fault that was asked for.
pub(crate) async fn run(engine: Arc<Engine>, cancel: CancellationToken) -> Result<(), Fault> {
    // Each sender by itself: when the node is slow to answer about one, the others go on.
    let senders = engine.senders.list.clone();
    let each = senders.iter().map(|sender| follow(&engine, sender, &cancel));
    let pruning = async {
        prune(&engine, &cancel).await;
        Ok(())
    };
    try_join(try_join_all(each), pruning).await.map(|_| ())
}

async fn follow(engine: &Engine, sender: &Sender, cancel: &CancellationToken) -> Result<(), Fault> {
    let mut heads = engine.chain.head_changes();
    let mut memory = Memory::default();
    let pause = engine.follow.rebroadcast.min(Duration::from_secs(1));
    loop {
        let head = *heads.borrow_and_update();
        if !sender.is_leased() {
            memory = Memory::default();
        } else if let Some(head) = head {
            match look_after(engine, sender, &mut memory, head).await {
                Ok(()) => memory.head = Some(head),
                Err(EngineError::Fault(fault)) => return Err(fault),
                Err(error) => {
                    tracing::warn!(error = chain_of(&error), sender = %sender.address, "cannot follow transactions now");
                }
            }
        }
        tokio::select! {
            changed = heads.changed() => if changed.is_err() { return Ok(()) },
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return Ok(()),
        }
    }
}

/// Removes contents that are safely on chain, now and then.
async fn prune(engine: &Engine, cancel: &CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PRUNE_INTERVAL) => {}
            () = cancel.cancelled() => return,
        }
        let Some(head) = engine.chain.head() else { continue };
        let before = head.number.saturating_sub(engine.follow.prune_after_blocks);
        let result = async { queue::prune(&mut *engine.pool.acquire().await?, before, PRUNE_AT_ONCE).await };
        if let Err(error) = result.await {
            tracing::warn!(%error, "cannot remove contents that are safely on chain");
        }
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
    Read(Box<Receipt>),
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
    receipt: Option<Receipt>,
) -> Step {
    match (&submission.mined, receipt) {
        (Some(mined), _) if block_hash == Some(mined.block_hash) => {
            let is_deep = head.number + 1 >= mined.block_number + confirmations;
            if is_deep && !submission.is_final { Step::Finalize } else { Step::Confirm }
        }
        // What is final is taken back only when the node shows another block in its place, not when it shows none.
        (Some(_), _) if block_hash.is_none() && submission.is_final => Step::Confirm,
        (Some(mined), Some(receipt)) if receipt.block_hash != mined.block_hash => Step::Read(Box::new(receipt)),
        // The node does not have the block, but counts the nonce: it is behind.
        (Some(_), _) if block_hash.is_none() && submission.nonce < chain_nonce => Step::Confirm,
        (Some(_), _) => Step::Unmine,
        (None, Some(receipt)) => Step::Read(Box::new(receipt)),
        (None, None) if submission.nonce < chain_nonce => Step::Missing,
        (None, None) => Step::Wait,
    }
}

async fn look_after(engine: &Engine, sender: &Sender, memory: &mut Memory, head: Head) -> Result<(), EngineError> {
    if sender.is_broke() || memory.balance_asked.is_none_or(|at| at.elapsed() >= BALANCE_INTERVAL) {
        memory.balance_asked = Some(Instant::now());
        check_balance(engine, sender).await;
    }
    let chain_nonce = engine.chain.nonce(sender.address, None).await?;
    let is_next = memory.head.is_some_and(|seen| seen.hash == head.hash || seen.hash == head.parent);
    let recheck_from = (!is_next).then(|| head.number.saturating_sub(RECHECK_BLOCKS));
    let open = submissions::open(&mut *engine.pool.acquire().await?, sender.address, chain_nonce, recheck_from).await?;
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
            Step::Read(receipt) => read(engine, sender, submission, &receipt, head).await?,
            Step::Unmine => {
                waiting += 1;
                unmine(engine, sender, submission).await?;
            }
            Step::Finalize => finalize(engine, sender, submission).await?,
            Step::Missing => {
                let missing = memory.missing.entry(submission.id).or_insert_with(|| Missing {
                    looks: 0,
                    first_block: head.number,
                    since: Instant::now(),
                });
                missing.looks += 1;
                let is_long =
                    head.number >= missing.first_block + MISSING_BLOCKS || missing.since.elapsed() >= MISSING_TIME;
                if missing.looks >= MISSING_LOOKS && is_long {
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

async fn check_balance(engine: &Engine, sender: &Sender) {
    let balance = match engine.chain.balance(sender.address).await {
        Ok(balance) => balance,
        Err(error) => {
            return tracing::warn!(%error, sender = %sender.address, "the node does not say a sender's balance");
        }
    };
    sender.set_balance(balance);
    let ether = f64::from(balance) / 1e18;
    metrics::gauge!("kopilka_relayer_sender_balance_ether", "sender" => sender.address.to_string()).set(ether);
    if balance < alloy::primitives::U256::from(engine.fees.low_balance) && sender.complains(BALANCE_INTERVAL) {
        tracing::warn!(sender = %sender.address, ether, "the sender's balance is low: send it funds");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopilka_domain::MessageKind;
    use kopilka_store::relay::{Mined, NewTransaction, SubmissionKind};

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
            is_final: false,
            transactions: Vec::<NewTransaction>::new(),
        }
    }

    fn receipt(block_number: u64, hash: u8) -> Receipt {
        Receipt {
            tx_hash: B256::ZERO,
            block_number,
            block_hash: B256::repeat_byte(hash),
            gas_used: 1,
            reverted: false,
            logs: Vec::new(),
        }
    }

    fn step(submission: &Submission, chain_nonce: u64, head: u64, block: Option<u8>, receipt: Option<Receipt>) -> Step {
        let head = Head { number: head, hash: B256::ZERO, parent: B256::ZERO, time: 0 };
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

    #[test]
    fn what_is_final_stays_unless_another_block_is_in_its_place() {
        let settled = Submission { is_final: true, ..submission(5, Some((10, 1))) };
        assert_eq!(step(&settled, 6, 12, Some(1), None), Step::Confirm);
        assert_eq!(step(&settled, 5, 8, None, None), Step::Confirm, "a node that is behind proves nothing");
        assert_eq!(step(&settled, 5, 8, None, Some(receipt(7, 2))), Step::Confirm);
        assert_eq!(step(&settled, 5, 12, Some(2), None), Step::Unmine);
        assert!(matches!(step(&settled, 6, 12, Some(2), Some(receipt(11, 2))), Step::Read(_)));
    }
}
