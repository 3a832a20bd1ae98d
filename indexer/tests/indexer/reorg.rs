//! Reorgs of every step, deeper ones, and those that no rollback can follow.

use alloy::primitives::U256;
use alloy::providers::{DynProvider, Provider as _};
use kopilka_indexer::IndexerError;
use kopilka_testkit::TestChain;

use crate::election::{Election, STEPS};
use crate::fixture::{Indexer, assert_same};

async fn snapshot(provider: &DynProvider) -> anyhow::Result<U256> {
    Ok(provider.raw_request("evm_snapshot".into(), ()).await?)
}

async fn revert(provider: &DynProvider, snapshot: U256) -> anyhow::Result<()> {
    let done: bool = provider.raw_request("evm_revert".into(), (snapshot,)).await?;
    anyhow::ensure!(done, "anvil could not revert");
    Ok(())
}

/// Empty blocks, each with another proposer, so that no two chains share them.
async fn mine(provider: &DynProvider, blocks: u64, salt: u64) -> anyhow::Result<()> {
    let miner = alloy::primitives::Address::from_word(crate::election::other(salt));
    let _: serde_json::Value = provider.raw_request("anvil_setCoinbase".into(), (miner,)).await?;
    for _ in 0..blocks {
        let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_can_be_undone_and_done_again() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let election = Election::new(&chain);
    let mut following = Indexer::new(&chain, true).await?;
    let mut narrow = Indexer::new(&chain, false).await?;
    following.start();
    narrow.start();
    for (number, step) in (0_u64..).zip(STEPS) {
        let before = snapshot(&provider).await?;
        election.run(step).await?;
        following.caught_up(&provider).await?;
        narrow.caught_up(&provider).await?;
        if number % 3 == 0 {
            // The reorg happens while one of them is down.
            narrow.kill().await;
        }
        revert(&provider, before).await?;
        mine(&provider, 1 + number % 3, number).await?;
        if number % 2 == 0 {
            following.caught_up(&provider).await?;
        }
        election.run(step).await?;
        if number % 3 == 0 {
            narrow.start();
        }
        following.caught_up(&provider).await?;
        let mut fresh = Indexer::new(&chain, true).await?;
        fresh.start();
        fresh.caught_up(&provider).await?;
        assert_same(&format!("after {step:?} was undone and done again"), &following, &fresh).await?;
        fresh.kill().await;
    }
    narrow.caught_up(&provider).await?;
    let mut fresh = Indexer::new(&chain, false).await?;
    fresh.start();
    fresh.caught_up(&provider).await?;
    assert_same("logs only", &narrow, &fresh).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_steps_can_be_undone_at_once() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let election = Election::new(&chain);
    let mut following = Indexer::new(&chain, true).await?;
    following.start();
    for (number, steps) in (0_u64..).zip(STEPS.chunks(5)) {
        let before = snapshot(&provider).await?;
        for step in steps {
            election.run(*step).await?;
        }
        following.caught_up(&provider).await?;
        revert(&provider, before).await?;
        mine(&provider, 1, 100 + number).await?;
        for step in steps {
            election.run(*step).await?;
        }
        following.caught_up(&provider).await?;
    }
    let mut fresh = Indexer::new(&chain, true).await?;
    fresh.start();
    fresh.caught_up(&provider).await?;
    assert_same("several steps undone at once", &following, &fresh).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reorg_that_leaves_blocks_of_the_same_height_is_seen() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    mine(&provider, 10, 1).await?;
    let mut following = Indexer::new(&chain, true).await?;
    following.start();
    following.caught_up(&provider).await?;
    for depth in [1_u64, 3, 7] {
        let _: serde_json::Value = provider.raw_request("anvil_reorg".into(), (depth, serde_json::json!([]))).await?;
        following.caught_up(&provider).await?;
    }
    let mut fresh = Indexer::new(&chain, true).await?;
    fresh.start();
    fresh.caught_up(&provider).await?;
    assert_same("reorgs by the node", &following, &fresh).await?;
    let reorgs: i64 = sqlx::query_scalar("select reorgs from chain.head").fetch_one(&following.database.pool).await?;
    assert_eq!(reorgs, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reorg_below_the_window_stops_with_numbers() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let before = snapshot(&provider).await?;
    mine(&provider, 9, 1).await?;
    let mut indexer = Indexer::with(&chain, |config| config.window = 5).await?;
    indexer.start();
    indexer.caught_up(&provider).await?;
    indexer.kill().await;
    revert(&provider, before).await?;
    mine(&provider, 12, 2).await?;
    indexer.start();
    let error = indexer.failure().await?;
    let tip = provider.get_block_number().await? - 3;
    match error.downcast_ref() {
        Some(IndexerError::ReorgTooDeep { indexed_block, compared_down_to, window: 5 }) => {
            assert_eq!((*indexed_block, *compared_down_to), (tip, tip - 5));
        }
        _ => panic!("expected a reorg too deep, got {error:#}"),
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_chain_is_refused() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let mut indexer = Indexer::new(&chain, true).await?;
    indexer.start();
    indexer.caught_up(&chain.provider(0)?).await?;
    indexer.kill().await;

    let again = TestChain::start_with(|config| config.arguments.extend(["--timestamp".into(), "1000".into()])).await?;
    let (url, database) = (again.anvil.url().parse()?, indexer.database.pool.clone());
    let config = kopilka_indexer::Config::new(url, chain.deployment.clone(), database);
    let error = kopilka_indexer::run(config, tokio_util::sync::CancellationToken::new()).await.err();
    let error = error.expect("it must not run");
    assert!(matches!(error.downcast_ref(), Some(IndexerError::OtherGenesis { .. })), "{error:#}");

    let other = TestChain::start_with(|config| config.chain_id = 31338).await?;
    let (url, database) = (other.anvil.url().parse()?, indexer.database.pool.clone());
    let config = kopilka_indexer::Config::new(url, chain.deployment.clone(), database);
    let error = kopilka_indexer::run(config, tokio_util::sync::CancellationToken::new()).await.err();
    let error = error.expect("it must not run");
    assert!(
        matches!(error.downcast_ref(), Some(IndexerError::OtherChainId { expected: 31337, node: 31338 })),
        "{error:#}"
    );
    Ok(())
}
