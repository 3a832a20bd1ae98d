//! Whether a node left something out.
//!
//! A header tells about its block's logs twice: `logsBloom` names the contracts and topics, so that most omissions show
//! without another request, and `receiptsRoot` is a hash of all receipts with all logs, so that with the receipts none can
//! be hidden. What the receipts prove is taken, whatever `eth_getLogs` said.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Eip658Value, Receipt, ReceiptEnvelope, ReceiptWithBloom, TxType};
use alloy::primitives::{Address, B256, Bloom, BloomInput, Log};

use crate::fetch::{FetchError, contradiction};
use crate::rpc::{RpcBlock, RpcLog, RpcReceipt};

/// A bloom filter with more bits than this says yes to anything.
const TELLING_BITS: usize = 1_024;

/// How much is checked for completeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// The logs of every block are proven by its receipts.
    Always,
    /// Those of one block in so many, drawn at random; of all others the bloom filter is asked where a header is at hand.
    Sampled(u64),
    /// Nothing: the node is ours, and we trust it.
    Never,
}

/// The checks of one run.
#[derive(Debug, Clone)]
pub(crate) struct Checks {
    completeness: Completeness,
    random: RandomState,
}

impl Checks {
    pub(crate) fn new(completeness: Completeness) -> Self {
        Self { completeness, random: RandomState::new() }
    }

    /// Whether every header is needed.
    pub(crate) fn needs_all_headers(&self) -> bool {
        self.completeness == Completeness::Always
    }

    /// Whether the receipts of a block are to be looked at, whatever its header says.
    pub(crate) fn samples(&self, block: u64) -> bool {
        match self.completeness {
            Completeness::Always => true,
            Completeness::Sampled(one_in) => self.random.hash_one(block).is_multiple_of(one_in.max(1)),
            Completeness::Never => false,
        }
    }

    pub(crate) fn asks_bloom(&self) -> bool {
        self.completeness != Completeness::Never
    }
}

/// Addresses whose logs are wanted, with their bloom filters.
pub(crate) struct Wanted {
    pub(crate) addresses: BTreeSet<Address>,
    filters: Vec<(Address, Bloom)>,
}

impl Wanted {
    pub(crate) fn new(addresses: &[Address]) -> Self {
        let filter = |address: &Address| (*address, Bloom::from(BloomInput::Raw(address.as_slice())));
        Self { addresses: addresses.iter().copied().collect(), filters: addresses.iter().map(filter).collect() }
    }

    /// Whether the receipts must say if the logs of a block are complete.
    pub(crate) fn doubts<T>(&self, checks: &Checks, number: u64, block: &RpcBlock<T>, logs: &[RpcLog]) -> bool {
        if block.transactions.is_empty() || !checks.asks_bloom() {
            return false;
        }
        let bits: usize = block.logs_bloom.iter().map(|byte| byte.count_ones() as usize).sum();
        // Chains that do not keep the filter leave it empty.
        if bits == 0 || bits > TELLING_BITS {
            return checks.samples(number);
        }
        let mut named = self.filters.iter().filter(|(_, filter)| block.logs_bloom.contains(filter)).peekable();
        if checks.samples(number) {
            return named.peek().is_some() || !logs.is_empty();
        }
        // Of a contract that spoke, not one log came.
        named.any(|(address, _)| logs.iter().all(|log| log.address != *address))
    }
}

/// Checks that receipts are those of a block, complete, in order and with complete logs; `root` whether by the header's
/// hash of them, too.
pub(crate) fn check_receipts<T>(
    number: u64,
    block: &RpcBlock<T>,
    receipts: &[RpcReceipt],
    root: bool,
) -> Result<(), FetchError> {
    if receipts.len() != block.transactions.len() {
        let what = format!("{} transactions, but {} receipts", block.transactions.len(), receipts.len());
        return Err(contradiction(number, what));
    }
    let mut position = 0_u64;
    for (index, receipt) in receipts.iter().enumerate() {
        if receipt.block_hash != block.hash {
            return Err(contradiction(number, format!("receipt {index} is of another block")));
        }
        for log in &receipt.logs {
            if log.log_index.to::<u64>() != position || log.transaction_hash != receipt.transaction_hash {
                return Err(contradiction(number, format!("log {position} is missing")));
            }
            position += 1;
        }
    }
    check_bloom(number, &block.logs_bloom, receipts)?;
    match receipts_root(receipts) {
        Some(found) if root && found != block.receipts_root => Err(contradiction(
            number,
            "its receipts do not give its receipts root: something is missing or was changed",
        )),
        _ => Ok(()),
    }
}

/// The header's hash of all receipts; none where a transaction is of a type that has other receipts than Ethereum's.
fn receipts_root(receipts: &[RpcReceipt]) -> Option<B256> {
    let envelopes = receipts.iter().map(envelope).collect::<Option<Vec<_>>>()?;
    Some(calculate_receipt_root(&envelopes))
}

fn envelope(receipt: &RpcReceipt) -> Option<ReceiptEnvelope> {
    let kind = TxType::try_from(receipt.kind.to::<u64>()).ok()?;
    let status = Eip658Value::Eip658(!receipt.status?.is_zero());
    let log = |log: &RpcLog| Log::new(log.address, log.topics.clone(), log.data.clone());
    let logs = receipt.logs.iter().map(log).collect::<Option<Vec<_>>>()?;
    let receipt = Receipt { status, cumulative_gas_used: receipt.cumulative_gas_used.to(), logs };
    Some(ReceiptEnvelope::from_typed(kind, ReceiptWithBloom::from(receipt)))
}

/// The header's bloom filter is the filter of exactly these logs.
fn check_bloom(number: u64, bloom: &Bloom, receipts: &[RpcReceipt]) -> Result<(), FetchError> {
    if bloom.is_zero() {
        return Ok(());
    }
    let mut ours = Bloom::ZERO;
    let mut previous: Option<&RpcLog> = None;
    for log in receipts.iter().flat_map(|receipt| &receipt.logs) {
        // Most logs repeat the address and the event of the one before.
        if previous.is_none_or(|previous| previous.address != log.address) {
            ours.accrue(BloomInput::Raw(log.address.as_slice()));
        }
        let repeated = previous.is_some_and(|previous| previous.topics.first() == log.topics.first());
        for topic in log.topics.iter().skip(usize::from(repeated)) {
            ours.accrue(BloomInput::Raw(topic.as_slice()));
        }
        previous = Some(log);
    }
    if ours == *bloom {
        return Ok(());
    }
    Err(contradiction(number, "its logs do not give its bloom filter: some are missing"))
}
