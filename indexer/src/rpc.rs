//! The few questions that the indexer asks a node, many in one HTTP request.
//!
//! Blocks and receipts are read field by field, so that a transaction type that this program does not know is no obstacle.
//! Ranges are always explicit numbers: "latest" is asked for the head alone.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bloom, Bytes, U64, U256};
use alloy::rpc::client::RpcClient;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::refusal::{self, Refusal, is_overload};

/// A request takes at most this long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Small questions are asked again so often.
const SMALL_ATTEMPTS: u32 = 4;

/// Gas for asking a token: real ones need a few thousand, and one that runs in circles must not keep the node busy.
const CALL_GAS: u64 = 300_000;

/// A block with its transactions, or with their hashes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RpcBlock<T> {
    pub(crate) number: U64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) timestamp: U64,
    pub(crate) miner: Address,
    pub(crate) gas_used: U64,
    pub(crate) gas_limit: U64,
    pub(crate) base_fee_per_gas: Option<U256>,
    #[serde(default)]
    pub(crate) size: U64,
    pub(crate) logs_bloom: Bloom,
    pub(crate) receipts_root: B256,
    pub(crate) transactions: Vec<T>,
}

/// A transaction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RpcTransaction {
    pub(crate) hash: B256,
    pub(crate) from: Address,
    pub(crate) to: Option<Address>,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    pub(crate) nonce: U64,
    pub(crate) gas: U64,
    pub(crate) gas_price: Option<U256>,
    #[serde(default, rename = "type")]
    pub(crate) kind: U64,
}

/// A receipt.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RpcReceipt {
    pub(crate) transaction_hash: B256,
    pub(crate) block_hash: B256,
    pub(crate) status: Option<U64>,
    pub(crate) gas_used: U64,
    pub(crate) cumulative_gas_used: U64,
    pub(crate) effective_gas_price: Option<U256>,
    pub(crate) contract_address: Option<Address>,
    pub(crate) logs: Vec<RpcLog>,
    #[serde(default, rename = "type")]
    pub(crate) kind: U64,
}

/// A log.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RpcLog {
    pub(crate) address: Address,
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Bytes,
    pub(crate) block_number: U64,
    pub(crate) block_hash: B256,
    pub(crate) transaction_hash: B256,
    pub(crate) transaction_index: U64,
    pub(crate) log_index: U64,
    #[serde(default)]
    pub(crate) removed: bool,
    /// Many nodes give it; it is not in the standard.
    #[serde(default)]
    pub(crate) block_timestamp: Option<U64>,
}

impl RpcLog {
    /// Whether another answer tells of the same log.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        (self.log_index, self.block_hash, self.transaction_hash, self.address)
            == (other.log_index, other.block_hash, other.transaction_hash, other.address)
            && self.topics == other.topics
            && self.data == other.data
    }
}

/// What a token contract answered; none where it gave no usable answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenAnswers {
    pub(crate) name: Option<Bytes>,
    pub(crate) symbol: Option<Bytes>,
    pub(crate) decimals: Option<Bytes>,
}

/// A node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    client: RpcClient,
}

impl Node {
    pub(crate) fn new(url: url::Url) -> Self {
        Self { client: RpcClient::new_http(url) }
    }

    pub(crate) async fn chain_id(&self) -> Result<u64, TransportError> {
        let id: U64 = self.ask("eth_chainId", json!([])).await?;
        Ok(id.to())
    }

    /// The node's highest block.
    pub(crate) async fn head(&self) -> Result<Option<RpcBlock<B256>>, TransportError> {
        self.ask("eth_getBlockByNumber", json!(["latest", false])).await
    }

    /// The node's hash at each height; none where its chain is shorter.
    pub(crate) async fn hashes(&self, numbers: &[u64]) -> Result<Vec<Option<B256>>, TransportError> {
        let mut attempt = 0;
        let blocks = loop {
            match self.headers(numbers).await {
                Err(error) if attempt < SMALL_ATTEMPTS && passes(&error) => {
                    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
                    attempt += 1;
                }
                blocks => break blocks?,
            }
        };
        Ok(blocks.into_iter().map(|block| block.map(|block| block.hash)).collect())
    }

    /// Headers, with the hashes of transactions.
    pub(crate) async fn headers(&self, numbers: &[u64]) -> Result<Vec<Option<RpcBlock<B256>>>, TransportError> {
        self.many(numbers.iter().map(|number| ("eth_getBlockByNumber", json!([U64::from(*number), false]))).collect())
            .await
    }

    /// Receipts of blocks.
    pub(crate) async fn receipts(&self, numbers: &[u64]) -> Result<Vec<Option<Vec<RpcReceipt>>>, TransportError> {
        self.many(numbers.iter().map(|number| ("eth_getBlockReceipts", json!([U64::from(*number)]))).collect()).await
    }

    /// The highest block that the chain calls final; none before the first, or where it has no such word.
    pub(crate) async fn finalized(&self) -> Result<Option<u64>, TransportError> {
        let answer = self.ask::<Option<RpcBlock<B256>>>("eth_getBlockByNumber", json!(["finalized", false])).await;
        match answer {
            Ok(block) => Ok(block.map(|block| block.number.to())),
            Err(RpcError::ErrorResp(error)) if !is_overload(error.code, &error.message) => {
                tracing::debug!(%error, "the node names no final block");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Blocks of a range, both ends included, with whole transactions, and their receipts.
    pub(crate) async fn blocks_with_receipts(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Vec<(Option<RpcBlock<RpcTransaction>>, Option<Vec<RpcReceipt>>)>, TransportError> {
        let mut batch = self.client.new_batch();
        let mut waiting = Vec::new();
        for number in from..=to {
            let number = U64::from(number);
            let block = batch.add_call("eth_getBlockByNumber", &json!([number, true]))?;
            let receipts = batch.add_call("eth_getBlockReceipts", &json!([number]))?;
            waiting.push((block, receipts));
        }
        within_time(batch.send()).await?;
        let mut answers = Vec::with_capacity(waiting.len());
        for (block, receipts) in waiting {
            answers.push((block.await?, receipts.await?));
        }
        Ok(answers)
    }

    /// Logs of a range, both ends included, of some contracts, optionally of one event.
    pub(crate) async fn logs(
        &self,
        from: u64,
        to: u64,
        addresses: &[Address],
        topic0: Option<B256>,
    ) -> Result<Vec<RpcLog>, TransportError> {
        let mut filter = json!({ "fromBlock": U64::from(from), "toBlock": U64::from(to), "address": addresses });
        match topic0 {
            // Few, and nobody else asks again for them.
            Some(topic0) => {
                filter["topics"] = json!([topic0]);
                self.ask("eth_getLogs", json!([filter])).await
            }
            None => self.one("eth_getLogs", json!([filter])).await,
        }
    }

    /// Asks tokens for name, symbol and decimals. What a contract answers, and how it fails, never stops the indexer.
    pub(crate) async fn token_answers(
        &self,
        tokens: &[Address],
        block: u64,
    ) -> Result<Vec<TokenAnswers>, TransportError> {
        let mut answers = Vec::with_capacity(tokens.len());
        for token in tokens {
            answers.push(TokenAnswers {
                name: self.ask_contract(*token, "0x06fdde03", block).await?,
                symbol: self.ask_contract(*token, "0x95d89b41", block).await?,
                decimals: self.ask_contract(*token, "0x313ce567", block).await?,
            });
        }
        Ok(answers)
    }

    /// Asks at a block, and at the head if the node no longer has that block's state.
    async fn ask_contract(
        &self,
        contract: Address,
        data: &'static str,
        block: u64,
    ) -> Result<Option<Bytes>, TransportError> {
        let call = json!({ "to": contract, "data": data, "gas": U64::from(CALL_GAS) });
        for at in [json!(U64::from(block)), json!("latest")] {
            match self.ask::<Bytes>("eth_call", json!([call, at])).await {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(RpcError::ErrorResp(error)) if is_overload(error.code, &error.message) => {
                    return Err(RpcError::ErrorResp(error));
                }
                Err(RpcError::ErrorResp(error)) => tracing::debug!(%contract, data, %error, "a token gave no answer"),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// A small question, asked again when the answer is lost or the node is busy: it costs less than to begin a session anew.
    async fn ask<R: DeserializeOwned + Send + Sync + std::fmt::Debug + Unpin + 'static>(
        &self,
        method: &'static str,
        parameters: Value,
    ) -> Result<R, TransportError> {
        for attempt in 0..SMALL_ATTEMPTS {
            match self.one(method, parameters.clone()).await {
                Err(error) if passes(&error) => {
                    tracing::debug!(method, attempt, %error, "asking again");
                    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
                }
                answer => return answer,
            }
        }
        self.one(method, parameters).await
    }

    async fn one<R: DeserializeOwned + Send + Sync + std::fmt::Debug + Unpin + 'static>(
        &self,
        method: &'static str,
        parameters: Value,
    ) -> Result<R, TransportError> {
        within_time(self.client.request::<_, R>(method, parameters).into_future()).await
    }

    async fn many<R: DeserializeOwned + Send + Sync + std::fmt::Debug + Unpin + 'static>(
        &self,
        calls: Vec<(&'static str, Value)>,
    ) -> Result<Vec<R>, TransportError> {
        let mut batch = self.client.new_batch();
        let mut waiting = Vec::with_capacity(calls.len());
        for (method, parameters) in calls {
            waiting.push(batch.add_call(method, &parameters)?);
        }
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        within_time(batch.send()).await?;
        let mut answers = Vec::with_capacity(waiting.len());
        for answer in waiting {
            answers.push(answer.await?);
        }
        Ok(answers)
    }
}

async fn within_time<T>(answer: impl Future<Output = Result<T, TransportError>>) -> Result<T, TransportError> {
    tokio::time::timeout(TIMEOUT, answer)
        .await
        .unwrap_or_else(|_| Err(TransportErrorKind::custom_str("the node did not answer within 30 s")))
}

/// Whether the same question may be answered a moment later.
fn passes(error: &TransportError) -> bool {
    match refusal::of(error) {
        Refusal::Busy => true,
        Refusal::TooManyBlocks { .. } | Refusal::TooMuch { .. } => false,
        Refusal::Other => !matches!(error, RpcError::ErrorResp(_)),
    }
}
