//! What the node said.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::UnixTime;
use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// A block.
    BlockRow in "blocks" {
        /// Height.
        number: u64,
        /// Its hash.
        hash: B256,
        /// Hash of the block before. None, like all that only a header tells, where the block is known from its logs.
        parent_hash: Option<B256>,
        /// Unix seconds.
        block_at: UnixTime,
        /// Proposer.
        miner: Option<Address>,
        /// Gas used.
        gas_used: Option<u64>,
        /// Gas limit.
        gas_limit: Option<u64>,
        /// Wei for a unit of gas.
        base_fee: Option<U256>,
        /// Bytes.
        size: Option<u64>,
        /// Transactions.
        tx_count: Option<u32>,
        /// Logs kept.
        logs_count: u32,
    }
    /// A transaction with its receipt.
    TransactionRow in "transactions" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        tx_index: u32,
        /// Hash.
        hash: B256,
        /// Sender.
        from_address: Address,
        /// Receiver; none for a creation.
        to_address: Option<Address>,
        /// Contract created.
        created_contract: Option<Address>,
        /// Wei.
        value: U256,
        /// Call data.
        input: Bytes,
        /// Sender's nonce.
        nonce: u64,
        /// EIP-2718 type.
        tx_type: u8,
        /// Gas limit.
        gas: u64,
        /// Effective price in wei.
        gas_price: U256,
        /// Gas used.
        gas_used: u64,
        /// Gas used in the block up to here.
        cumulative_gas_used: u64,
        /// Status.
        succeeded: bool,
        /// Logs emitted.
        logs_count: u32,
    }
    /// A log.
    LogRow in "logs" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Hash of the block.
        block_hash: B256,
        /// Transaction.
        tx_hash: B256,
        /// Its position.
        tx_index: u32,
        /// Emitting contract.
        address: Address,
        /// First topic.
        topic0: Option<B256>,
        /// Second topic.
        topic1: Option<B256>,
        /// Third topic.
        topic2: Option<B256>,
        /// Fourth topic.
        topic3: Option<B256>,
        /// Data.
        data: Bytes,
    }
    /// What a token said of itself.
    TokenMetadataRow in "token_metadata" {
        /// Token.
        address: Address,
        /// Name.
        name: Option<String>,
        /// Symbol.
        symbol: Option<String>,
        /// Decimals.
        decimals: Option<u8>,
        /// Block of its first event.
        block_number: u64,
    }
}
