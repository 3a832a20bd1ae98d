//! What is read of a receipt. alloy's type also holds what nobody asks here, and is put together of nested forms, which serde
//! buffers before it reads them: with 200 logs in each receipt that was a tenth of the relayer's time.

use alloy::primitives::{Address, B256, Bytes, LogData, U64};
use alloy::rpc::types::Log;
use serde::Deserialize;

/// What a mined transaction did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) tx_hash: B256,
    pub(crate) block_number: u64,
    pub(crate) block_hash: B256,
    pub(crate) gas_used: u64,
    pub(crate) reverted: bool,
    pub(crate) logs: Vec<Log>,
}

/// As JSON-RPC writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    transaction_hash: B256,
    block_number: Option<U64>,
    block_hash: Option<B256>,
    gas_used: U64,
    status: U64,
    logs: Vec<AnsweredLog>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnsweredLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    log_index: Option<U64>,
}

impl Answer {
    /// `None` for a receipt without a block, as some nodes give for what is not mined.
    pub(crate) fn mined(self) -> Option<Receipt> {
        let (block_number, block_hash) = (self.block_number?.to(), self.block_hash?);
        let logs = self.logs.into_iter().map(|log| Log {
            inner: alloy::primitives::Log { address: log.address, data: LogData::new_unchecked(log.topics, log.data) },
            block_hash: Some(block_hash),
            block_number: Some(block_number),
            transaction_hash: Some(self.transaction_hash),
            log_index: log.log_index.map(|index| index.to()),
            ..Log::default()
        });
        Some(Receipt {
            tx_hash: self.transaction_hash,
            block_number,
            block_hash,
            gas_used: self.gas_used.to(),
            reverted: self.status.is_zero(),
            logs: logs.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy::rpc::types::TransactionReceipt;
    use serde_json::json;

    use super::*;

    fn answer(block_hash: serde_json::Value, status: &str) -> serde_json::Value {
        let tx = B256::repeat_byte(1);
        let log = json!({
            "address": Address::repeat_byte(7), "topics": [B256::repeat_byte(8), B256::repeat_byte(9)], "data": "0x0102",
            "blockHash": block_hash, "blockNumber": "0xa", "transactionHash": tx, "transactionIndex": "0x0",
            "logIndex": "0x5", "removed": false,
        });
        json!({
            "type": "0x2", "status": status, "cumulativeGasUsed": "0x99", "logs": [log], "logsBloom": format!("0x{}", "00".repeat(256)),
            "transactionHash": tx, "transactionIndex": "0x0", "blockHash": block_hash, "blockNumber": "0xa", "gasUsed": "0x77",
            "effectiveGasPrice": "0x1", "from": Address::ZERO, "to": Address::ZERO, "contractAddress": null,
        })
    }

    #[test]
    fn reads_what_alloy_reads() {
        let json = answer(json!(B256::repeat_byte(2)), "0x1");
        let own = serde_json::from_value::<Answer>(json.clone()).unwrap().mined().unwrap();
        let other: TransactionReceipt = serde_json::from_value(json).unwrap();
        assert_eq!(own.tx_hash, other.transaction_hash);
        assert_eq!((Some(own.block_number), Some(own.block_hash)), (other.block_number, other.block_hash));
        assert_eq!((own.gas_used, own.reverted), (other.gas_used, !other.status()));
        let (log, theirs) = (&own.logs[0], &other.logs()[0]);
        assert_eq!((&log.inner, log.log_index), (&theirs.inner, theirs.log_index));
        assert_eq!((log.transaction_hash, log.block_number), (theirs.transaction_hash, theirs.block_number));
    }

    #[test]
    fn a_revert_is_seen_and_what_is_not_mined_is_none() {
        let read = |json| serde_json::from_value::<Answer>(json).unwrap().mined();
        assert!(read(answer(json!(B256::repeat_byte(2)), "0x0")).unwrap().reverted);
        assert_eq!(read(answer(json!(null), "0x1")), None);
    }
}
