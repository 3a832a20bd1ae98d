//! Fetching ranges of blocks and checking that what the node said hangs together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use kopilka_store::chain::rows::{BlockRow, LogRow, Rows, TransactionRow, UnixTime};

use crate::check::{Checks, Wanted, check_receipts};
use crate::plan::{Answer, BlockId, RangeSize};
use crate::refusal::{self, Refusal};
use crate::rpc::{Node, RpcBlock, RpcLog, RpcReceipt, RpcTransaction};

/// Requests that fail this often in a row, for a single block, are given up for now.
const ATTEMPTS: u32 = 5;
/// A node that contradicts itself this often has a changed chain, which a look at its head will show.
const CONTRADICTIONS: u32 = 3;
/// A node that is busy this often in a row is left alone for a while.
const BUSY_ATTEMPTS: u32 = 12;
/// Ranges are joined up to so many logs.
const JOINED_LOGS: usize = 100_000;
/// Longest pause that a busy node gets.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a range did not come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The node refused, or could not be reached.
    #[error("the chain's node did not answer")]
    Rpc(#[from] TransportError),
    /// Parts of the answer contradict one another: the chain changed meanwhile, or the node left something out.
    #[error("the node contradicts itself at block {block}: {what}")]
    Contradiction {
        /// The block.
        block: u64,
        /// What does not fit.
        what: String,
    },
}

pub(crate) fn contradiction(block: u64, what: impl Into<String>) -> FetchError {
    FetchError::Contradiction { block, what: what.into() }
}

/// What to fetch.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// Everything.
    FullChain,
    /// Headers, and logs of these contracts.
    Contracts(Arc<Vec<Address>>),
}

/// What to fetch, and how to check it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// What.
    pub(crate) scope: Scope,
    /// How to check it.
    pub(crate) checks: Checks,
    /// Whether blocks without logs of our contracts may be left out, as below finality; the ends of a range never are.
    pub(crate) sparse: bool,
}

/// Fetches blocks `from..=to` as raw rows. A range that the node does not endure is divided until it does.
pub(crate) async fn fetch_range(
    node: Node,
    order: Order,
    from: u64,
    to: u64,
    size: Arc<Mutex<RangeSize>>,
) -> Result<Rows, FetchError> {
    let mut rows = Rows::default();
    // Parts still to fetch, the next one last.
    let mut parts = vec![(from, to)];
    let (mut failures, mut busy) = (0, 0);
    while let Some((from, to)) = parts.pop() {
        let asked = to - from + 1;
        let started = Instant::now();
        let answer = match &order.scope {
            Scope::FullChain => full_range(&node, &order, from, to).await,
            Scope::Contracts(addresses) => logs_range(&node, &order, addresses, from, to).await,
        };
        let error = match answer {
            Ok(part) => {
                (failures, busy) = (0, 0);
                let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                learn(&size, asked, Answer::Came { milliseconds, logs: part.logs.len() as u64 });
                append(&mut rows, part);
                continue;
            }
            Err(error) => error,
        };
        let refusal = match &error {
            FetchError::Rpc(error) => refusal::of(error),
            FetchError::Contradiction { .. } => Refusal::Other,
        };
        match refusal {
            Refusal::Busy if busy < BUSY_ATTEMPTS => {
                busy += 1;
                metrics::counter!("kopilka_indexer_node_busy_total").increment(1);
                tracing::debug!(from, to, busy, error = %error, "the node is busy; waiting");
                tokio::time::sleep(pause(&error, busy)).await;
                parts.push((from, to));
            }
            Refusal::TooManyBlocks { at_most } | Refusal::TooMuch { at_most } if asked > 1 => {
                let lasting = matches!(refusal, Refusal::TooManyBlocks { .. });
                let at_most = at_most.unwrap_or(asked / 2).clamp(1, asked - 1);
                learn(&size, asked, Answer::Refused { at_most, lasting });
                tracing::debug!(from, to, at_most, error = %error, "dividing a range that the node refused");
                divide(&mut parts, from, to, at_most);
            }
            _ if asked > 1 => {
                learn(&size, asked, Answer::Failed);
                tracing::debug!(from, to, error = %error, "halving a range that did not come");
                divide(&mut parts, from, to, asked.div_ceil(2));
            }
            _ => {
                learn(&size, asked, Answer::Failed);
                failures += 1;
                let enough = if matches!(error, FetchError::Rpc(_)) { ATTEMPTS } else { CONTRADICTIONS };
                if failures >= enough {
                    return Err(error);
                }
                tracing::debug!(block.number = from, failures, error = %error, "asking for a block again");
                tokio::time::sleep(Duration::from_millis(50 << failures)).await;
                parts.push((from, to));
            }
        }
    }
    check_parents(&rows.blocks, order.sparse)?;
    Ok(rows)
}

fn append(rows: &mut Rows, next: Rows) {
    rows.blocks.extend(next.blocks);
    rows.transactions.extend(next.transactions);
    rows.logs.extend(next.logs);
}

/// Joins ranges that follow one another, so that totals are written once for all of them. What does not follow stays alone.
pub(crate) fn joined(ranges: Vec<Result<Rows, FetchError>>) -> Vec<Result<Rows, FetchError>> {
    let mut joined: Vec<Result<Rows, FetchError>> = Vec::new();
    for range in ranges {
        match (joined.last_mut(), range) {
            (Some(Ok(rows)), Ok(next)) if follows(rows, &next) && rows.logs.len() + next.logs.len() <= JOINED_LOGS => {
                append(rows, next);
            }
            (_, range) => joined.push(range),
        }
    }
    joined
}

fn follows(rows: &Rows, next: &Rows) -> bool {
    match (rows.blocks.last(), next.blocks.first()) {
        (Some(last), Some(first)) => first.number == last.number + 1 && first.parent_hash == Some(last.hash),
        _ => false,
    }
}

/// Puts a range as parts of at most so many blocks in the place of the next one.
fn divide(parts: &mut Vec<(u64, u64)>, from: u64, to: u64, at_most: u64) {
    let mut starts: Vec<u64> = Vec::new();
    let mut start = from;
    while start <= to {
        starts.push(start);
        start = start.saturating_add(at_most);
    }
    parts.extend(starts.into_iter().rev().map(|start| (start, to.min(start + at_most - 1))));
}

/// As long as the node asks for, or twice as long each time.
fn pause(error: &FetchError, busy: u32) -> Duration {
    match error {
        FetchError::Rpc(RpcError::Transport(TransportErrorKind::HttpErrorWithRetryAfter { retry_after, .. })) => {
            (*retry_after).min(6 * LONGEST_PAUSE)
        }
        _ => Duration::from_millis(50 << busy.min(10)).min(LONGEST_PAUSE),
    }
}

fn learn(size: &Mutex<RangeSize>, asked: u64, answer: Answer) {
    // A poisoned lock holds a number like any other.
    size.lock().unwrap_or_else(std::sync::PoisonError::into_inner).learn(asked, answer);
}

fn check_parents(blocks: &[BlockRow], sparse: bool) -> Result<(), FetchError> {
    for pair in blocks.windows(2) {
        let next = pair[1].number == pair[0].number + 1;
        if !next && !sparse {
            return Err(contradiction(pair[1].number, "it does not follow the block before"));
        }
        if next && pair[1].parent_hash.is_some_and(|parent| parent != pair[0].hash) {
            return Err(contradiction(pair[1].number, "it is not the child of the block before"));
        }
    }
    Ok(())
}

async fn full_range(node: &Node, order: &Order, from: u64, to: u64) -> Result<Rows, FetchError> {
    let mut rows = Rows::default();
    for (number, (block, receipts)) in (from..).zip(node.blocks_with_receipts(from, to).await?) {
        let block = block.ok_or_else(|| contradiction(number, "the node does not have it"))?;
        let receipts = receipts.ok_or_else(|| contradiction(number, "the node does not have its receipts"))?;
        let header = header(number, &block)?;
        check_receipts(number, &block, &receipts, order.checks.samples(number))?;
        let first = rows.logs.len();
        for (index, (transaction, receipt)) in (0_u32..).zip(block.transactions.into_iter().zip(receipts)) {
            if receipt.transaction_hash != transaction.hash {
                return Err(contradiction(number, format!("receipt {index} is of another transaction")));
            }
            for log in &receipt.logs {
                rows.logs.push(log_row(number, header.hash, log)?);
            }
            rows.transactions.push(transaction_row(number, index, transaction, &receipt));
        }
        let logs_count = u32::try_from(rows.logs.len() - first).unwrap_or(u32::MAX);
        rows.blocks.push(BlockRow { logs_count, ..header });
    }
    Ok(rows)
}

async fn logs_range(node: &Node, order: &Order, addresses: &[Address], from: u64, to: u64) -> Result<Rows, FetchError> {
    let needed = |number: &u64| !order.sparse || *number == from || *number == to || order.checks.samples(*number);
    let numbers: Vec<u64> = (from..=to).filter(needed).collect();
    let (blocks, logs) = tokio::try_join!(node.headers(&numbers), node.logs(from, to, addresses, None))?;
    let mut headers = present(&numbers, blocks)?;
    let wanted = Wanted::new(addresses);
    let mut logs = by_block(logs, &wanted, from, to)?;

    // Times come with the logs where the node gives them.
    let untimed: Vec<u64> = logs
        .iter()
        .filter(|(number, logs)| !headers.contains_key(*number) && logs[0].block_timestamp.is_none())
        .map(|(number, _)| *number)
        .collect();
    headers.extend(present(&untimed, node.headers(&untimed).await?)?);

    let doubtful: Vec<u64> = headers
        .iter()
        .filter(|(number, block)| {
            let logs = logs.get(*number).map(Vec::as_slice).unwrap_or_default();
            wanted.doubts(&order.checks, **number, block, logs)
        })
        .map(|(number, _)| *number)
        .collect();
    for (number, receipts) in doubtful.iter().zip(node.receipts(&doubtful).await?) {
        let receipts = receipts.ok_or_else(|| contradiction(*number, "the node does not have its receipts"))?;
        check_receipts(*number, &headers[number], &receipts, true)?;
        let ours = |log: &RpcLog| wanted.addresses.contains(&log.address);
        let proven: Vec<RpcLog> = receipts.into_iter().flat_map(|receipt| receipt.logs).filter(ours).collect();
        let told = logs.get(number).map(Vec::as_slice).unwrap_or_default();
        if !same_logs(told, &proven) {
            tracing::warn!(
                block.number = number,
                told = told.len(),
                proven = proven.len(),
                "asked for logs the node left some out that are in its receipts; taking those"
            );
            metrics::counter!("kopilka_indexer_omitted_logs_total").increment(1);
            logs.insert(*number, proven);
        }
    }
    rows(headers, logs)
}

/// Logs of each block in their order.
fn by_block(logs: Vec<RpcLog>, wanted: &Wanted, from: u64, to: u64) -> Result<BTreeMap<u64, Vec<RpcLog>>, FetchError> {
    let mut blocks: BTreeMap<u64, Vec<RpcLog>> = BTreeMap::new();
    for log in logs {
        let number = log.block_number.to();
        if !(from..=to).contains(&number) || !wanted.addresses.contains(&log.address) {
            return Err(contradiction(number, "a log of it came, though it was not asked for"));
        }
        blocks.entry(number).or_default().push(log);
    }
    for (number, logs) in &mut blocks {
        logs.sort_by_key(|log| log.log_index);
        if logs.windows(2).any(|pair| pair[0].log_index == pair[1].log_index) {
            return Err(contradiction(*number, "a log of it came twice"));
        }
    }
    Ok(blocks)
}

fn same_logs(left: &[RpcLog], right: &[RpcLog]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.says_the_same(right))
}

fn present(numbers: &[u64], blocks: Vec<Option<RpcBlock<B256>>>) -> Result<BTreeMap<u64, RpcBlock<B256>>, FetchError> {
    numbers
        .iter()
        .zip(blocks)
        .map(|(number, block)| {
            block.map(|block| (*number, block)).ok_or_else(|| contradiction(*number, "the node does not have it"))
        })
        .collect()
}

fn rows(headers: BTreeMap<u64, RpcBlock<B256>>, logs: BTreeMap<u64, Vec<RpcLog>>) -> Result<Rows, FetchError> {
    let mut rows = Rows::default();
    let mut blocks: BTreeMap<u64, BlockRow> = BTreeMap::new();
    for (number, block) in &headers {
        blocks.insert(*number, header(*number, block)?);
    }
    for (number, logs) in &logs {
        let Some(first) = logs.first() else { continue };
        let block = match blocks.entry(*number) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(unknown) => unknown.insert(from_logs(*number, first)?),
        };
        block.logs_count = u32::try_from(logs.len()).unwrap_or(u32::MAX);
        for log in logs {
            rows.logs.push(log_row(*number, block.hash, log)?);
        }
    }
    rows.blocks = blocks.into_values().collect();
    Ok(rows)
}

/// What logs tell of their block.
fn from_logs(number: u64, log: &RpcLog) -> Result<BlockRow, FetchError> {
    let time = log.block_timestamp.ok_or_else(|| contradiction(number, "a log of it has no time"))?;
    Ok(BlockRow {
        number,
        hash: log.block_hash,
        parent_hash: None,
        block_at: UnixTime(time.to()),
        miner: None,
        gas_used: None,
        gas_limit: None,
        base_fee: None,
        size: None,
        tx_count: None,
        logs_count: 0,
    })
}

fn header<T>(number: u64, block: &RpcBlock<T>) -> Result<BlockRow, FetchError> {
    if block.number.to::<u64>() != number {
        return Err(contradiction(number, format!("block {} came instead", block.number)));
    }
    Ok(BlockRow {
        number,
        hash: block.hash,
        parent_hash: Some(block.parent_hash),
        block_at: UnixTime(block.timestamp.to()),
        miner: Some(block.miner),
        gas_used: Some(block.gas_used.to()),
        gas_limit: Some(block.gas_limit.to()),
        base_fee: block.base_fee_per_gas,
        size: Some(block.size.to()),
        tx_count: Some(u32::try_from(block.transactions.len()).unwrap_or(u32::MAX)),
        logs_count: 0,
    })
}

fn transaction_row(
    block_number: u64,
    tx_index: u32,
    transaction: RpcTransaction,
    receipt: &RpcReceipt,
) -> TransactionRow {
    TransactionRow {
        block_number,
        tx_index,
        hash: transaction.hash,
        from_address: transaction.from,
        to_address: transaction.to,
        created_contract: receipt.contract_address.filter(|_| transaction.to.is_none()),
        value: transaction.value,
        input: transaction.input,
        nonce: transaction.nonce.to(),
        tx_type: u8::try_from(transaction.kind.to::<u64>()).unwrap_or(u8::MAX),
        gas: transaction.gas.to(),
        gas_price: receipt.effective_gas_price.or(transaction.gas_price).unwrap_or(U256::ZERO),
        gas_used: receipt.gas_used.to(),
        cumulative_gas_used: receipt.cumulative_gas_used.to(),
        // Receipts before Byzantium have no status; no chain that runs these contracts is that old.
        succeeded: receipt.status.is_none_or(|status| !status.is_zero()),
        logs_count: u32::try_from(receipt.logs.len()).unwrap_or(u32::MAX),
    }
}

fn log_row(number: u64, block_hash: B256, log: &RpcLog) -> Result<LogRow, FetchError> {
    if log.removed || log.block_hash != block_hash || log.block_number.to::<u64>() != number {
        return Err(contradiction(number, "a log of it is of another block at this height"));
    }
    if log.topics.len() > 4 {
        return Err(contradiction(number, "a log of it has more than four topics"));
    }
    let mut topics = log.topics.iter().copied();
    Ok(LogRow {
        block_number: number,
        log_index: u32::try_from(log.log_index.to::<u64>()).unwrap_or(u32::MAX),
        block_hash,
        tx_hash: log.transaction_hash,
        tx_index: u32::try_from(log.transaction_index.to::<u64>()).unwrap_or(u32::MAX),
        address: log.address,
        topic0: topics.next(),
        topic1: topics.next(),
        topic2: topics.next(),
        topic3: topics.next(),
        data: log.data.clone(),
    })
}

/// The last block of some rows.
pub(crate) fn last_block(rows: &Rows) -> Option<BlockId> {
    rows.blocks.last().map(|block| BlockId { number: block.number, hash: block.hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u64, to: u64, parent: u8) -> Rows {
        let hash = |number: u64| B256::repeat_byte(u8::try_from(number).expect("a small number"));
        let block = |number: u64| BlockRow {
            number,
            hash: hash(number),
            parent_hash: Some(if number == from { B256::repeat_byte(parent) } else { hash(number - 1) }),
            block_at: UnixTime(number),
            miner: None,
            gas_used: None,
            gas_limit: None,
            base_fee: None,
            size: None,
            tx_count: None,
            logs_count: 0,
        };
        Rows { blocks: (from..=to).map(block).collect(), ..Rows::default() }
    }

    #[test]
    fn only_ranges_that_follow_are_joined() {
        let failure = || Err(contradiction(9, "it is bad"));
        let ranges = vec![
            Ok(range(1, 3, 0)),
            Ok(range(4, 6, 3)),
            Ok(range(8, 9, 7)),
            failure(),
            Ok(range(10, 11, 9)),
            Ok(range(12, 13, 99)),
        ];
        let ends: Vec<Option<(u64, u64)>> = joined(ranges)
            .into_iter()
            .map(|rows| rows.ok().map(|rows| (rows.blocks[0].number, rows.blocks[rows.blocks.len() - 1].number)))
            .collect();
        assert_eq!(ends, [Some((1, 6)), Some((8, 9)), None, Some((10, 11)), Some((12, 13))]);
    }

    #[test]
    fn ranges_are_divided_without_gap_or_overlap() {
        for (from, to, at_most) in [(0, 9, 3), (5, 5, 1), (7, 20, 13), (7, 20, 1), (1, 4, 100)] {
            let mut parts = vec![(100, 200)];
            divide(&mut parts, from, to, at_most);
            assert_eq!(parts[0], (100, 200), "what comes later stays");
            let mut next = from;
            while parts.len() > 1 {
                let (start, end) = parts.pop().expect("it is not empty");
                assert_eq!(start, next);
                assert!(end >= start && end - start < at_most);
                next = end + 1;
            }
            assert_eq!(next, to + 1);
        }
    }
}
