//! The node: everything the relayer asks it, and the newest block.
//!
//! No cached nonces, no retries, no fillers: what to do when the node does not answer is decided where it is known what
//! the question was for.

use std::collections::HashMap;
use std::time::Duration;

use alloy::consensus::BlockHeader as _;
use alloy::eips::BlockNumberOrTag;
use alloy::network::TransactionBuilder as _;
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U256, keccak256};
use alloy::providers::{Provider as _, ProviderBuilder, RootProvider};
use alloy::rpc::client::BatchRequest;
use alloy::rpc::types::{Block, FeeHistory, Filter, Log, TransactionRequest};
use alloy::sol_types::{SolCall, SolEvent as _, SolValue as _};
use alloy::transports::{RpcError, TransportError};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::polls::Polls;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::receipt::{Answer, Receipt};

/// Most calls in one JSON-RPC batch: what public nodes endure.
const RPC_BATCH: usize = 100;

/// Most calls in one of [`Chain::read_together`]: its answer counts as a contract's code, of which there may be 24,576 bytes
/// (EIP-170), and a citizen with ten choices takes 896 of them.
const CALLS_TOGETHER: usize = 25;

/// The newest block that the node showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) parent: B256,
    /// Unix seconds.
    pub(crate) time: u64,
}

/// Why a call that was only tried out failed.
#[derive(Debug)]
pub(crate) enum TrialError {
    /// The node gave no verdict.
    Unknown(TransportError),
    /// The call reverts, with this data.
    Reverted(Bytes),
    /// The call does not fit its gas.
    OutOfGas,
}

/// What the node said to a signed transaction.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It has it, now or since earlier.
    Accepted,
    /// The nonce is used: one of ours, or a stranger, was mined there.
    NonceTooLow,
    /// It holds another transaction with this nonce that pays as much.
    Underpriced,
    /// The sender cannot pay.
    InsufficientFunds,
    /// Anything else.
    Failed(TransportError),
}

/// A node of one chain.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    provider: RootProvider,
    pub(crate) chain_id: u64,
    head: watch::Receiver<Option<Head>>,
}

/// Keeps the newest block known until it is cancelled or all readers are gone.
pub(crate) struct HeadPoll {
    provider: RootProvider,
    interval: Duration,
    sender: watch::Sender<Option<Head>>,
}

impl HeadPoll {
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut failing = false;
        loop {
            match self.provider.get_block_by_number(BlockNumberOrTag::Latest).await {
                Ok(Some(block)) => {
                    failing = false;
                    let head = Head {
                        number: block.header.number(),
                        hash: block.header.hash,
                        parent: block.header.parent_hash(),
                        time: block.header.timestamp(),
                    };
                    self.sender.send_if_modified(|known| known.replace(head) != Some(head));
                    metrics::gauge!("kopilka_relayer_head_block").set(head.number as f64);
                }
                Ok(None) => {}
                Err(error) => {
                    metrics::counter!("kopilka_relayer_rpc_errors_total", "call" => "head").increment(1);
                    if !failing {
                        tracing::warn!(%error, "the node does not say what its newest block is");
                    }
                    failing = true;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.interval) => {}
                () = cancel.cancelled() => return,
            }
        }
    }
}

impl Chain {
    /// Connects; the head is unknown until the returned [`HeadPoll`] runs.
    pub(crate) fn new(
        url: &Url,
        timeout: Duration,
        chain_id: u64,
        poll_interval: Duration,
    ) -> anyhow::Result<(Self, HeadPoll)> {
        let http = reqwest::Client::builder().timeout(timeout).build()?;
        let provider: RootProvider =
            ProviderBuilder::new().disable_recommended_fillers().connect_reqwest(http, url.clone());
        let (sender, head) = watch::channel(None);
        let poll = HeadPoll { provider: provider.clone(), interval: poll_interval, sender };
        Ok((Self { provider, chain_id, head }, poll))
    }

    pub(crate) fn head(&self) -> Option<Head> {
        *self.head.borrow()
    }

    pub(crate) fn head_changes(&self) -> watch::Receiver<Option<Head>> {
        self.head.clone()
    }

    pub(crate) async fn node_chain_id(&self) -> Result<u64, TransportError> {
        self.provider.get_chain_id().await
    }

    pub(crate) async fn has_code(&self, address: Address) -> Result<bool, TransportError> {
        Ok(!self.provider.get_code_at(address).await?.is_empty())
    }

    /// Read-only calls on the newest block, in batches; an answer for each, in order.
    pub(crate) async fn read(
        &self,
        calls: &[(Address, Vec<u8>)],
    ) -> Result<Vec<Result<Bytes, TransportError>>, TransportError> {
        self.read_at(calls, BlockNumberOrTag::Latest).await
    }

    async fn read_at(
        &self,
        calls: &[(Address, Vec<u8>)],
        block: BlockNumberOrTag,
    ) -> Result<Vec<Result<Bytes, TransportError>>, TransportError> {
        let mut answers = Vec::with_capacity(calls.len());
        for part in calls.chunks(RPC_BATCH) {
            let mut batch = BatchRequest::new(self.provider.client());
            let mut waiters = Vec::with_capacity(part.len());
            for (to, data) in part {
                let request = TransactionRequest::default().with_to(*to).with_input(data.clone());
                waiters.push(batch.add_call::<_, Bytes>("eth_call", &(request, block))?);
            }
            batch.send().await?;
            for waiter in waiters {
                answers.push(waiter.await);
            }
        }
        Ok(answers)
    }

    /// Read-only calls on a block, the newest if `None`, many in one question: a node spends more on receiving a call than
    /// on such a look-up. An answer for each, in order; `None` for a call that reverts.
    pub(crate) async fn read_together(
        &self,
        calls: &[(Address, Vec<u8>)],
        block: Option<u64>,
    ) -> Result<Vec<Option<Bytes>>, TransportError> {
        let block = block.map_or(BlockNumberOrTag::Latest, BlockNumberOrTag::Number);
        let parts = calls.chunks(CALLS_TOGETHER).map(|part| async move {
            let request = TransactionRequest::default().with_kind(TxKind::Create).with_input(together(part));
            let answer: Result<Bytes, TransportError> =
                self.provider.client().request("eth_call", (request, block)).await;
            let together = match answer {
                Ok(data) => apart(&data, part.len()),
                Err(error) if error.is_error_resp() => None,
                Err(error) => return Err(error),
            };
            if let Some(answers) = together {
                return Ok(answers);
            }
            // The answers are too long together, or the node does not do this: one by one then.
            metrics::counter!("kopilka_relayer_rpc_errors_total", "call" => "together").increment(1);
            Ok(self.read_at(part, block).await?.into_iter().map(Result::ok).collect())
        });
        Ok(futures::future::try_join_all(parts).await?.into_iter().flatten().collect())
    }

    /// One read-only call on the newest block.
    pub(crate) async fn read_one<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, TransportError> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let data: Bytes = self.provider.client().request("eth_call", (request, BlockNumberOrTag::Latest)).await?;
        decode::<C>(&data)
    }

    /// Tries a call out on a block, the newest if `None`, without sending it.
    pub(crate) async fn try_out(
        &self,
        from: Address,
        to: Address,
        data: &Bytes,
        gas: u64,
        block: Option<u64>,
    ) -> Result<(), TrialError> {
        let block = block.map_or(BlockNumberOrTag::Latest, BlockNumberOrTag::Number);
        let request =
            TransactionRequest::default().with_from(from).with_to(to).with_input(data.clone()).with_gas_limit(gas);
        let answer: Result<Bytes, TransportError> = self.provider.client().request("eth_call", (request, block)).await;
        let Err(error) = answer else { return Ok(()) };
        let Some(payload) = error.as_error_resp() else { return Err(TrialError::Unknown(error)) };
        let message = payload.message.to_lowercase();
        if let Some(data) = payload.as_revert_data() {
            Err(TrialError::Reverted(data))
        } else if message.contains("out of gas") || message.contains("outofgas") {
            Err(TrialError::OutOfGas)
        } else if message.contains("revert") {
            Err(TrialError::Reverted(Bytes::new()))
        } else {
            Err(TrialError::Unknown(error))
        }
    }

    /// How many transactions of the account are in blocks up to `block`, the newest if `None`.
    pub(crate) async fn nonce(&self, account: Address, block: Option<u64>) -> Result<u64, TransportError> {
        let block = block.map_or(BlockNumberOrTag::Latest, BlockNumberOrTag::Number);
        let nonce: U64 = self.provider.client().request("eth_getTransactionCount", (account, block)).await?;
        Ok(nonce.to())
    }

    pub(crate) async fn balance(&self, account: Address) -> Result<U256, TransportError> {
        self.provider.get_balance(account).await
    }

    /// A receipt for each hash that the node has in a block.
    pub(crate) async fn receipts(&self, hashes: &[B256]) -> Result<HashMap<B256, Receipt>, TransportError> {
        let mut found = HashMap::new();
        for part in hashes.chunks(RPC_BATCH) {
            let mut batch = BatchRequest::new(self.provider.client());
            let mut waiters = Vec::with_capacity(part.len());
            for hash in part {
                waiters.push(batch.add_call::<_, Option<Answer>>("eth_getTransactionReceipt", &(hash,))?);
            }
            batch.send().await?;
            for (hash, waiter) in part.iter().zip(waiters) {
                if let Some(receipt) = waiter.await?.and_then(Answer::mined) {
                    found.insert(*hash, receipt);
                }
            }
        }
        Ok(found)
    }

    /// Hashes of the blocks with these numbers, as far as the node has them.
    pub(crate) async fn block_hashes(&self, numbers: &[u64]) -> Result<HashMap<u64, B256>, TransportError> {
        let mut found = HashMap::new();
        for part in numbers.chunks(RPC_BATCH) {
            let mut batch = BatchRequest::new(self.provider.client());
            let mut waiters = Vec::with_capacity(part.len());
            for number in part {
                let parameters = (BlockNumberOrTag::Number(*number), false);
                waiters.push(batch.add_call::<_, Option<Block>>("eth_getBlockByNumber", &parameters)?);
            }
            batch.send().await?;
            for (number, waiter) in part.iter().zip(waiters) {
                if let Some(block) = waiter.await? {
                    found.insert(*number, block.header.hash);
                }
            }
        }
        Ok(found)
    }

    pub(crate) async fn fee_history(&self) -> Result<FeeHistory, TransportError> {
        self.provider.get_fee_history(10, BlockNumberOrTag::Latest, &[50.0]).await
    }

    /// Sends signed bytes. To send the same bytes again does no harm.
    pub(crate) async fn send(&self, raw: &Bytes) -> Sent {
        let answer: Result<B256, TransportError> =
            self.provider.client().request("eth_sendRawTransaction", (raw,)).await;
        let Err(error) = answer else { return Sent::Accepted };
        let message = error.as_error_resp().map(|payload| payload.message.to_lowercase()).unwrap_or_default();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["already known", "already imported", "alreadyknown", "known transaction"]) {
            Sent::Accepted
        } else if says(&["nonce too low", "nonce is too low", "oldnonce"]) {
            Sent::NonceTooLow
        } else if says(&["underpriced", "fee too low to replace"]) {
            Sent::Underpriced
        } else if says(&["insufficient funds", "upfront cost exceeds"]) {
            Sent::InsufficientFunds
        } else {
            Sent::Failed(error)
        }
    }

    /// Where the first event with these topics is.
    pub(crate) async fn place_of(
        &self,
        contract: Address,
        topics: [B256; 3],
        first_block: u64,
    ) -> Result<Option<(Place, Log)>, TransportError> {
        let [event, first, second] = topics;
        let mut filter = Filter::new().address(contract).event_signature(event).from_block(first_block);
        if !first.is_zero() {
            filter = filter.topic1(first);
        }
        if !second.is_zero() {
            filter = filter.topic2(second);
        }
        let logs = self.provider.get_logs(&filter).await?;
        Ok(logs.into_iter().find_map(|log| Some((place(&log)?, log))))
    }

    /// Every ballot of an account in a poll that was cast, with its place.
    pub(crate) async fn cast_ballots(
        &self,
        polls: Address,
        poll: u64,
        account: Address,
        first_block: u64,
    ) -> Result<Vec<(Log, Option<Place>)>, TransportError> {
        let events = vec![Polls::BallotCast::SIGNATURE_HASH, Polls::SealedBallotCast::SIGNATURE_HASH];
        let filter = Filter::new()
            .address(polls)
            .event_signature(events)
            .topic1(B256::from(U256::from(poll)))
            .topic2(account.into_word())
            .from_block(first_block);
        let logs = self.provider.get_logs(&filter).await?;
        Ok(logs.into_iter().map(|log| (log.clone(), place(&log))).collect())
    }

    /// Every recorded allocation of an account in a round, with its place.
    pub(crate) async fn recorded_allocations(
        &self,
        round: Address,
        account: Address,
        first_block: u64,
    ) -> Result<Vec<(BudgetRound::AllocationRecorded, Option<Place>)>, TransportError> {
        let filter = Filter::new()
            .address(round)
            .event_signature(BudgetRound::AllocationRecorded::SIGNATURE_HASH)
            .topic1(account.into_word())
            .from_block(first_block);
        let logs = self.provider.get_logs(&filter).await?;
        Ok(logs
            .iter()
            .filter_map(|log| Some((BudgetRound::AllocationRecorded::decode_log(&log.inner).ok()?.data, place(log))))
            .collect())
    }
}

/// The shop's name for a redemption.
pub(crate) fn redemption_id(shop: Address, account: Address, code_hash: B256) -> B256 {
    keccak256((shop, account, code_hash).abi_encode())
}

/// Code of a contract that is never created: its constructor makes the calls appended to it and returns the answers. Needs
/// nothing that would have to be deployed.
///
/// A call is the address in a word, the length of its data in a word, and the data; an answer likewise whether it
/// succeeded, its length, and what was returned. In memory the answers stand behind the calls. On the stack are the
/// length of the calls, where the next answer goes, and where the next call is.
#[rustfmt::skip]
const CALLER: [u8; 75] = [
    0x60, 75, 0x38, 0x03,                               // calls = CODESIZE - length of this code
    0x80, 0x60, 75, 0x5f, 0x39,                         // CODECOPY(0, length of this code, calls)
    0x80, 0x5f,                                         // answer = calls; call = 0
    0x5b, 0x82, 0x81, 0x10, 0x15, 0x60, 68, 0x57,       // 11: while call < calls
    0x5f, 0x5f,                                         //   no room for the answer: it is copied below
    0x82, 0x60, 32, 0x01, 0x51,                         //   length = MLOAD(call + 32)
    0x83, 0x60, 64, 0x01,                               //   data at call + 64
    0x84, 0x51, 0x5a, 0xfa,                             //   STATICCALL(GAS, MLOAD(call), data, length, 0, 0)
    0x82, 0x52,                                         //   MSTORE(answer, success)
    0x3d, 0x82, 0x60, 32, 0x01, 0x52,                   //   MSTORE(answer + 32, RETURNDATASIZE)
    0x3d, 0x5f, 0x83, 0x60, 64, 0x01, 0x3e,             //   RETURNDATACOPY(answer + 64, 0, RETURNDATASIZE)
    0x80, 0x60, 32, 0x01, 0x51, 0x01, 0x60, 64, 0x01,   //   call += MLOAD(call + 32) + 64
    0x90, 0x3d, 0x01, 0x60, 64, 0x01, 0x90,             //   answer += RETURNDATASIZE + 64
    0x60, 11, 0x56,                                     //   again
    0x5b, 0x50, 0x81, 0x90, 0x03, 0x90, 0xf3,           // 68: RETURN(calls, answer - calls)
];

fn together(calls: &[(Address, Vec<u8>)]) -> Vec<u8> {
    let mut code = CALLER.to_vec();
    for (to, data) in calls {
        code.extend(to.into_word());
        code.extend(U256::from(data.len()).to_be_bytes::<32>());
        code.extend(data);
    }
    code
}

/// `None` if these are not the answers to `count` calls.
fn apart(mut data: &[u8], count: usize) -> Option<Vec<Option<Bytes>>> {
    let mut answers = Vec::with_capacity(count);
    for _ in 0..count {
        let (succeeded, rest) = data.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first_chunk::<32>()?;
        let length = usize::try_from(U256::from_be_bytes(*length)).ok()?;
        let (answer, rest) = rest.split_at_checked(length)?;
        answers.push((succeeded[31] == 1).then(|| Bytes::copy_from_slice(answer)));
        data = rest;
    }
    data.is_empty().then_some(answers)
}

/// Transaction, block and index of an event.
pub(crate) type Place = (B256, u64, u64);

fn place(log: &Log) -> Option<Place> {
    Some((log.transaction_hash?, log.block_number?, log.log_index?))
}

/// Decodes what a call returned.
pub(crate) fn decode<C: SolCall>(data: &Bytes) -> Result<C::Return, TransportError> {
    C::abi_decode_returns(data).map_err(RpcError::local_usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_together_answer_as_calls_alone() -> anyhow::Result<()> {
        let node = kopilka_testkit::TestChain::start().await?;
        let url = node.anvil.url().parse()?;
        let (chain, _) = Chain::new(&url, Duration::from_secs(20), node.deployment.chain_id, Duration::from_secs(1))?;
        let identity = Address::with_last_byte(4);
        let unknown_poll = Polls::pollCall { pollId: U256::from(77) }.abi_encode();
        let mut calls = vec![
            (node.deployment.polls, Polls::pollCountCall {}.abi_encode()),
            (node.deployment.polls, unknown_poll),
            (Address::repeat_byte(9), vec![1, 2, 3]),
            (identity, Vec::new()),
        ];
        calls.extend((1..40).map(|length| (identity, vec![length; usize::from(length)])));
        // These are longer together than a contract's code may be.
        calls.extend((0..50).map(|number| (identity, vec![number; 1_500])));
        let alone: Vec<Option<Bytes>> = chain.read(&calls).await?.into_iter().map(Result::ok).collect();
        assert_eq!(alone[1], None, "an unknown poll reverts");
        assert_eq!(alone[2], Some(Bytes::new()), "nobody answers there");
        assert_eq!(chain.read_together(&calls, None).await?, alone);
        Ok(())
    }

    #[test]
    fn answers_are_told_apart_by_their_lengths() {
        let word = |number: u8| U256::from(number).to_be_bytes::<32>();
        let data = [&word(1)[..], &word(3), b"abc", &word(0), &word(0), &word(1), &word(0)].concat();
        let answers = vec![Some(Bytes::from_static(b"abc")), None, Some(Bytes::new())];
        assert_eq!(apart(&data, 3), Some(answers));
        assert_eq!(apart(&data, 2), None);
        assert_eq!(apart(&data, 4), None);
        assert_eq!(apart(&data[..data.len() - 1], 3), None);
        let endless = [&word(1)[..], &[255; 32]].concat();
        assert_eq!(apart(&endless, 1), None);
    }
}
