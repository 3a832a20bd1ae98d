//! Contracts that anyone may deploy, made to stop an indexer of the whole chain.

use alloy::network::TransactionBuilder as _;
use alloy::primitives::{Address, Bytes, bytes};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use anyhow::Context as _;
use kopilka_store::chain::{query, rounds};
use kopilka_testkit::TestChain;

use crate::election::{Election, Step};
use crate::fixture::{Indexer, assert_same};

/// A call without data emits `Transfer(1, 2, 2^256 - 1)` three times; any other, such as `name()`, runs until the gas is gone.
const HOSTILE: Bytes = bytes!(
    "608a80600a5f395ff300" // constructor: return what follows
    "3615600957" // if there is no data, jump
    "5b600556" // for ever
    "5b5f195f52" // data: 2^256 - 1
    "600260017fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60205fa3"
    "600260017fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60205fa3"
    "600260017fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60205fa3"
    "00"
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_tokens_cannot_stop_it() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let mut indexer = Indexer::new(&chain, true).await?;
    indexer.start();
    let deploy = TransactionRequest::default().with_deploy_code(HOSTILE);
    let receipt = provider.send_transaction(deploy).await?.get_receipt().await?;
    let token = receipt.contract_address.context("a contract")?;
    let snapshot: serde_json::Value = provider.raw_request("evm_snapshot".into(), ()).await?;
    for _ in 0..5 {
        let call = TransactionRequest::default().with_to(token);
        let receipt = provider.send_transaction(call).await?.get_receipt().await?;
        assert_eq!(receipt.logs().len(), 3);
    }
    indexer.caught_up(&provider).await?;

    let mut connection = indexer.database.pool.acquire().await?;
    let row = rounds::token(&mut connection, token).await?.context("the token is known")?;
    assert_eq!((row.name, row.symbol, row.decimals, row.round), (None, None, None, None));
    let balances: Vec<(Vec<u8>, String)> =
        sqlx::query_as("select holder, amount::text from chain.balances where token = $1 order by holder")
            .bind(token.as_slice())
            .fetch_all(&mut *connection)
            .await?;
    // 15 times 2^256 - 1.
    let sum = "1736881338559742931353564775130318617799049769984608460591863760118696944599025";
    assert_eq!(balances[0].1, format!("-{sum}"));
    assert_eq!(balances[1].1, sum);
    // What no ERC-20 token can hold is not shown as a balance.
    assert!(query::holders(&mut connection, token, None, 10).await?.is_empty());
    assert!(query::holdings(&mut connection, Address::with_last_byte(2), 10).await?.is_empty());
    assert_eq!(query::token_transfers(&mut connection, token, query::Position::NEWEST, 100).await?.len(), 15);

    let _: bool = provider.raw_request("evm_revert".into(), (snapshot,)).await?;
    Election::new(&chain).run(Step::Admit).await?;
    indexer.caught_up(&provider).await?;
    let mut fresh = Indexer::new(&chain, true).await?;
    fresh.start();
    fresh.caught_up(&provider).await?;
    assert_same("after a hostile token was undone", &indexer, &fresh).await?;
    Ok(())
}
