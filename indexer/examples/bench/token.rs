//! A token that emits as many transfers as it is told, and chains full of them.

use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256, bytes};
use alloy::providers::{DynProvider, Provider as _};
use alloy::rpc::client::BatchRequest;
use anyhow::Context as _;
use serde_json::{Value, json};

/// Emits as many `Transfer(caller, number + second word, number)` as its first word says. The first 9 bytes return the rest.
const TRANSFERS: Bytes = bytes!(
    "603f8060093d393df3" // constructor: return what follows
    "5f35" // n = first word
    "5b8015603d57" // while n is not 0
    "805f52" // data: n
    "8060203501" // topic: n + second word
    "33" // topic: caller
    "7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    "60205fa3"
    "60019003600256" // n = n - 1
    "5b00"
);

pub(crate) async fn deploy(provider: &DynProvider) -> anyhow::Result<Address> {
    let accounts = provider.get_accounts().await?;
    let from = accounts.first().context("anvil has accounts")?;
    let hash: alloy::primitives::B256 =
        provider.raw_request("eth_sendTransaction".into(), (json!({ "from": from, "data": TRANSFERS }),)).await?;
    loop {
        if let Some(receipt) = provider.get_transaction_receipt(hash).await? {
            return receipt.contract_address.context("the transaction creates a contract");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn fill(
    provider: &DynProvider,
    token: Address,
    blocks: u64,
    transactions: u64,
    transfers: u64,
) -> anyhow::Result<()> {
    let mut filler = Filler::new(provider, token).await?;
    for _ in 0..blocks {
        filler.send(transactions, transfers).await?;
        let _: Value = provider.raw_request("evm_mine".into(), ()).await?;
    }
    Ok(())
}

/// Sends transactions for blocks that are mined by command.
pub(crate) struct Filler<'a> {
    provider: &'a DynProvider,
    token: Address,
    accounts: Vec<Address>,
    /// anvil answers the calls of a batch side by side: each must bring its nonce.
    nonces: Vec<u64>,
    sent: u64,
}

impl<'a> Filler<'a> {
    pub(crate) async fn new(provider: &'a DynProvider, token: Address) -> anyhow::Result<Self> {
        let accounts = provider.get_accounts().await?;
        let _: Value = provider.raw_request("evm_setAutomine".into(), (false,)).await?;
        let mut nonces = Vec::new();
        for account in &accounts {
            nonces.push(provider.get_transaction_count(*account).await?);
        }
        Ok(Self { provider, token, accounts, nonces, sent: 0 })
    }

    /// Transactions for the next block, each with some transfers; 10,000 receivers in turn.
    pub(crate) async fn send(&mut self, transactions: u64, transfers: u64) -> anyhow::Result<()> {
        let mut batch = BatchRequest::new(self.provider.client());
        let mut sent = Vec::new();
        for transaction in 0..transactions {
            let mut data = U256::from(transfers).to_be_bytes_vec();
            data.extend(U256::from(1_000_000 + self.sent % 10_000).to_be_bytes::<32>());
            self.sent += 1;
            let sender = usize::try_from(transaction)? % self.accounts.len();
            let nonce = U256::from(self.nonces[sender]);
            self.nonces[sender] += 1;
            let gas = U256::from(40_000 + 3_000 * transfers);
            let call = json!([{
                "from": self.accounts[sender], "nonce": nonce, "to": self.token, "data": Bytes::from(data), "gas": gas,
            }]);
            sent.push(batch.add_call::<_, Value>("eth_sendTransaction", &call)?);
        }
        batch.send().await?;
        for answer in sent {
            answer.await?;
        }
        Ok(())
    }
}
