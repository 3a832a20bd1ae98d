//! Fetching ranges of blocks and checking that what the node said hangs together.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, Bloom, BloomInput, U256};
use alloy::transports::TransportError;
use kopilka_store::chain::rows::{BlockRow, LogRow, Rows, TransactionRow, UnixTime};

use crate::plan::{Answer, BlockId, RangeSize};
use crate::rpc::{Node, RpcBlock, RpcLog, RpcReceipt, RpcTransaction};

/// Requests that fail this often in a row, for a single block, are given up for now.
const ATTEMPTS: u32 = 5;
/// A node that contradicts itself this often has a changed chain, which a look at its head will show.
const CONTRADICTIONS: u32 = 3;
/// A bloom filter with more bits than this says yes to anything.
const TELLING_BITS: usize = 1_024;

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

fn contradiction(block: u64, what: impl Into<String>) -> FetchError {
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

/// Fetches blocks `from..=to` as raw rows. A range that the node does not endure is halved until it does.
pub(crate) async fn fetch_range(
    node: Node,
    scope: Scope,
    from: u64,
    to: u64,
    size: Arc<Mutex<RangeSize>>,
) -> Result<Rows, FetchError> {
    let mut rows = Rows::default();
    // Parts still to fetch, the next one last.
    let mut parts = vec![(from, to)];
    let mut failures = 0;
    while let Some((from, to)) = parts.pop() {
        let asked = to - from + 1;
        let started = Instant::now();
        let answer = match &scope {
            Scope::FullChain => full_range(&node, from, to).await,
            Scope::Contracts(addresses) => logs_range(&node, addresses, from, to).await,
        };
        match answer {
            Ok(part) => {
                failures = 0;
                let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                learn(&size, asked, Answer::Came { milliseconds, logs: part.logs.len() as u64 });
                rows.blocks.extend(part.blocks);
                rows.transactions.extend(part.transactions);
                rows.logs.extend(part.logs);
            }
            Err(error) => {
                learn(&size, asked, Answer::Failed);
                if asked == 1 {
                    failures += 1;
                    let enough = if matches!(error, FetchError::Rpc(_)) { ATTEMPTS } else { CONTRADICTIONS };
                    if failures >= enough {
                        return Err(error);
                    }
                    tracing::debug!(block.number = from, failures, error = %error, "asking for a block again");
                    tokio::time::sleep(Duration::from_millis(50 << failures)).await;
                    parts.push((from, to));
                } else {
                    tracing::debug!(from, to, error = %error, "halving a range that did not come");
                    let middle = from + asked / 2;
                    parts.push((middle, to));
                    parts.push((from, middle - 1));
                }
            }
        }
    }
    check_parents(&rows.blocks)?;
    Ok(rows)
}

fn learn(size: &Mutex<RangeSize>, asked: u64, answer: Answer) {
    // A poisoned lock holds a number like any other.
    size.lock().unwrap_or_else(std::sync::PoisonError::into_inner).learn(asked, answer);
}

fn check_parents(blocks: &[BlockRow]) -> Result<(), FetchError> {
    for pair in blocks.windows(2) {
        if pair[1].parent_hash != pair[0].hash || pair[1].number != pair[0].number + 1 {
            return Err(contradiction(pair[1].number, "it is not the child of the block before"));
        }
    }
    Ok(())
}

async fn full_range(node: &Node, from: u64, to: u64) -> Result<Rows, FetchError> {
    let mut rows = Rows::default();
    for (number, (block, receipts)) in (from..).zip(node.blocks_with_receipts(from, to).await?) {
        let block = block.ok_or_else(|| contradiction(number, "the node does not have it"))?;
        let receipts = receipts.ok_or_else(|| contradiction(number, "the node does not have its receipts"))?;
        let header = header(number, &block)?;
        if receipts.len() != block.transactions.len() {
            let what = format!("{} transactions, but {} receipts", block.transactions.len(), receipts.len());
            return Err(contradiction(number, what));
        }
        let first = rows.logs.len();
        for (index, (transaction, receipt)) in (0_u32..).zip(block.transactions.into_iter().zip(receipts)) {
            if receipt.block_hash != header.hash || receipt.transaction_hash != transaction.hash {
                return Err(contradiction(number, format!("receipt {index} is of another transaction or block")));
            }
            for log in &receipt.logs {
                let position = rows.logs.len() - first;
                if log.log_index.to::<u64>() != position as u64 {
                    return Err(contradiction(number, format!("log {position} is missing")));
                }
                rows.logs.push(log_row(number, header.hash, log)?);
            }
            rows.transactions.push(transaction_row(number, index, transaction, &receipt));
        }
        check_bloom(number, &block.logs_bloom, &rows.logs[first..])?;
        let logs_count = u32::try_from(rows.logs.len() - first).unwrap_or(u32::MAX);
        rows.blocks.push(BlockRow { logs_count, ..header });
    }
    Ok(rows)
}

async fn logs_range(node: &Node, addresses: &[Address], from: u64, to: u64) -> Result<Rows, FetchError> {
    let (headers, mut logs) = tokio::try_join!(node.headers(from, to), node.logs(from, to, addresses, None))?;
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    let mut logs = logs.into_iter().peekable();
    let mut rows = Rows::default();
    let filters: Vec<(Address, Bloom)> =
        addresses.iter().map(|address| (*address, Bloom::from(BloomInput::Raw(address.as_slice())))).collect();
    let mut doubtful = Vec::new();
    for (number, block) in (from..).zip(headers) {
        let block = block.ok_or_else(|| contradiction(number, "the node does not have it"))?;
        let header = header(number, &block)?;
        let first = rows.logs.len();
        while let Some(log) = logs.next_if(|log| log.block_number.to::<u64>() == number) {
            rows.logs.push(log_row(number, header.hash, &log)?);
        }
        let silent = silent_contracts(&block.logs_bloom, &filters, &rows.logs[first..]);
        if !silent.is_empty() {
            doubtful.push((number, header.hash, silent));
        }
        let logs_count = u32::try_from(rows.logs.len() - first).unwrap_or(u32::MAX);
        rows.blocks.push(BlockRow { logs_count, ..header });
    }
    if let Some(log) = logs.next() {
        return Err(contradiction(log.block_number.to(), "a log of it came, though it was not asked for"));
    }
    for ((number, _, _), logs) in doubtful.iter().zip(node.logs_of_blocks(&doubtful).await?) {
        if !logs.is_empty() {
            return Err(contradiction(*number, "asked for a range the node left out logs that it gives for the block"));
        }
    }
    Ok(rows)
}

/// Contracts of which the header's bloom filter says that they probably spoke in a block, though no log of them came.
fn silent_contracts(bloom: &Bloom, filters: &[(Address, Bloom)], logs: &[LogRow]) -> Vec<Address> {
    let bits: usize = bloom.iter().map(|byte| byte.count_ones() as usize).sum();
    if bits > TELLING_BITS {
        return Vec::new();
    }
    filters
        .iter()
        .filter(|(address, filter)| bloom.contains(filter) && logs.iter().all(|log| log.address != *address))
        .map(|(address, _)| *address)
        .collect()
}

fn header<T>(number: u64, block: &RpcBlock<T>) -> Result<BlockRow, FetchError> {
    if block.number.to::<u64>() != number {
        return Err(contradiction(number, format!("block {} came instead", block.number)));
    }
    Ok(BlockRow {
        number,
        hash: block.hash,
        parent_hash: block.parent_hash,
        block_at: UnixTime(block.timestamp.to()),
        miner: block.miner,
        gas_used: block.gas_used.to(),
        gas_limit: block.gas_limit.to(),
        base_fee: block.base_fee_per_gas,
        size: block.size.to(),
        tx_count: u32::try_from(block.transactions.len()).unwrap_or(u32::MAX),
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

/// The header's bloom filter is the filter of exactly these logs. Chains that do not keep one leave it empty.
fn check_bloom(number: u64, bloom: &Bloom, logs: &[LogRow]) -> Result<(), FetchError> {
    if bloom.is_zero() {
        return Ok(());
    }
    let mut ours = Bloom::ZERO;
    let mut previous: Option<&LogRow> = None;
    for log in logs {
        // Most logs repeat the address and the event of the one before.
        if previous.is_none_or(|previous| previous.address != log.address) {
            ours.accrue(BloomInput::Raw(log.address.as_slice()));
        }
        let repeated = previous.is_some_and(|previous| previous.topic0 == log.topic0);
        for topic in [log.topic0.filter(|_| !repeated), log.topic1, log.topic2, log.topic3].into_iter().flatten() {
            ours.accrue(BloomInput::Raw(topic.as_slice()));
        }
        previous = Some(log);
    }
    if ours == *bloom {
        return Ok(());
    }
    Err(contradiction(number, "its logs do not give its bloom filter: some are missing"))
}

/// The last block of some rows.
pub(crate) fn last_block(rows: &Rows) -> Option<BlockId> {
    rows.blocks.last().map(|block| BlockId { number: block.number, hash: block.hash })
}
