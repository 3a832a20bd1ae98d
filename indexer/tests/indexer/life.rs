//! Following, restarting, starting late, rebuilding: the same rows.

use std::time::Duration;

use alloy::primitives::Address;
use alloy::providers::Provider as _;
use kopilka_domain::{Kopecks, Phase};
use kopilka_store::chain::{query, rounds};
use kopilka_testkit::TestChain;

use crate::election::{Election, STEPS, Step};
use crate::fixture::{Indexer, assert_all_filled, assert_same, count};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_gives_the_same_rows() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let election = Election::new(&chain);
    let mut following = Indexer::new(&chain, true).await?;
    let mut restarted = Indexer::new(&chain, true).await?;
    let mut narrow = Indexer::new(&chain, false).await?;
    following.start();
    for (number, step) in STEPS.into_iter().enumerate() {
        restarted.start();
        narrow.start();
        election.run(step).await?;
        following.caught_up(&provider).await?;
        if number % 2 == 0 {
            restarted.caught_up(&provider).await?;
            narrow.caught_up(&provider).await?;
        }
        // Half of the time it is killed in the middle of something.
        restarted.kill().await;
        narrow.kill().await;
    }
    restarted.start();
    narrow.start();
    let mut late = Indexer::new(&chain, true).await?;
    let mut single = Indexer::with(&chain, |config| {
        config.full = false;
        config.max_range = 1;
    })
    .await?;
    late.start();
    single.start();
    for indexer in [&restarted, &narrow, &late, &single] {
        indexer.caught_up(&provider).await?;
    }
    assert_same("following and restarting", &following, &restarted).await?;
    assert_same("following and starting late", &following, &late).await?;
    assert_same("logs only, in any ranges", &narrow, &single).await?;
    assert_all_filled(&following).await?;
    assert!(count(&following, "payments").await? == 2 && count(&following, "skipped_items").await? > 4);
    let mut connection = following.database.pool.acquire().await?;
    let mut thresholds: Vec<u64> =
        rounds::rounds(&mut connection, None, i64::MAX, 10).await?.iter().map(|round| round.threshold).collect();
    thresholds.sort_unstable();
    assert_eq!(thresholds, [18, 18, u64::MAX]);
    drop(connection);
    assert_eq!(count(&narrow, "transactions").await?, 0);
    for table in ["logs", "allocations", "balances", "initiatives", "rounds", "transfers", "contracts"] {
        let (left, right) = (following.dump().await?, narrow.dump().await?);
        let ours: Vec<&String> = left[table].iter().filter(|row| right[table].contains(row)).collect();
        assert_eq!(ours.len(), right[table].len(), "logs only: chain.{table} differs from that of the full chain");
    }

    following.kill().await;
    kopilka_indexer::rebuild_derived(&following.database.pool).await?;
    assert_same("rebuilt from raw tables", &following, &late).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_the_round_as_it_is() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let election = Election::new(&chain);
    let mut indexer = Indexer::new(&chain, true).await?;
    indexer.start();
    for step in STEPS.into_iter().take_while(|step| *step != Step::ClosePledging) {
        election.run(step).await?;
    }
    indexer.caught_up(&provider).await?;
    let mut connection = indexer.database.pool.acquire().await?;
    let list = rounds::rounds(&mut connection, None, i64::MAX, 10).await?;
    let [round] = list.as_slice() else { panic!("expected one round, found {list:?}") };
    assert_eq!(round.phase, Phase::Pledging);
    assert_eq!(round.municipality_name, "Город\u{fffd} Заречный");
    assert_eq!(round.budget, Some(Kopecks(900_001)));
    assert_eq!(round.total_weight, Some(10));
    assert_eq!((round.registered, round.issued, round.allocated), (8, 9, 7));
    assert_eq!(round.threshold, 18);
    assert_eq!(rounds::round(&mut connection, round.address).await?.as_ref(), Some(round));

    let token = rounds::token(&mut connection, round.token).await?.expect("the round's token");
    assert_eq!(
        (token.name.as_deref(), token.symbol.as_deref(), token.decimals),
        (Some("Первый раунд"), Some("КОП"), Some(2))
    );
    assert_eq!((token.minted, token.appropriation_amount), (Kopecks(900_001), Some(Kopecks(1_000_000))));

    // The contract is the judge of what wallets hold, the votes of who supports what.
    let initiatives = rounds::initiatives(&mut connection, round.address).await?;
    let contract = kopilka_bindings::budget_round::BudgetRound::new(round.address, &provider);
    for initiative in &initiatives {
        let told = contract.initiative(u16::try_from(initiative.initiative_id)?).call().await?;
        assert_eq!(initiative.pledged, Kopecks(told.pledged));
        assert_eq!(initiative.balance, Kopecks(told.pledged));
        assert_eq!((initiative.wallet, initiative.won), (told.wallet, None));
        assert!(initiative.pledged > Kopecks(0));
    }
    assert_eq!(initiatives.iter().map(|i| (i.supporters, i.points)).collect::<Vec<_>>(), [(3, 20), (2, 12), (3, 17)]);

    let allocations = rounds::current_allocations(&mut connection, round.address).await?;
    assert_eq!(allocations.len(), 7);
    let changed = allocations.iter().find(|allocation| allocation.version == 4 && !allocation.initiatives.is_empty());
    let changed = changed.expect("the account that allocated four times");
    let history = rounds::account_allocations(&mut connection, round.address, changed.account).await?;
    assert_eq!(
        history.iter().map(|a| (a.version, a.current)).collect::<Vec<_>>(),
        [(4, true), (3, false), (2, false), (1, false)]
    );
    assert_eq!(rounds::registrations(&mut connection, round.address).await?.len(), 8);
    assert!(rounds::registration(&mut connection, round.address, Address::ZERO).await?.is_none());

    let roles = rounds::roles(&mut connection, 1).await?;
    assert_eq!(roles.iter().filter(|role| role.granted).count(), 5);
    assert_eq!(
        roles.iter().filter(|role| !role.granted).map(|role| role.role.as_str()).collect::<Vec<_>>(),
        ["partner"]
    );

    let holders = query::holders(&mut connection, round.token, None, 100).await?;
    assert_eq!(holders.len(), 4, "the purse and three wallets: citizens hold nothing, whatever passed through them");
    let first = query::holders(&mut connection, round.token, None, 2).await?;
    let rest = query::holders(&mut connection, round.token, first.last(), 100).await?;
    assert_eq!([first, rest].concat(), holders);
    let head = query::head(&mut connection).await?.expect("a head");
    assert_eq!((head.indexed_block, head.lag()), (Some(provider.get_block_number().await?), 0));

    // Pages join without gap or repetition.
    let all = query::token_transfers(&mut connection, round.token, query::Position::NEWEST, 1_000).await?;
    let mut pages = Vec::new();
    let mut before = query::Position::NEWEST;
    loop {
        let page = query::token_transfers(&mut connection, round.token, before, 3).await?;
        let Some(last) = page.last() else { break };
        before = last.position();
        pages.extend(page);
    }
    assert_eq!(pages, all);
    let transaction = query::transaction(&mut connection, all[0].tx_hash).await?.expect("its transaction");
    assert!(transaction.succeeded);
    let position = transaction.position();
    let transfers = query::transaction_transfers(&mut connection, position.block, position.index).await?;
    let logs = query::transaction_logs(&mut connection, position.block, position.index).await?;
    assert_eq!(logs.len(), usize::try_from(transaction.logs_count)?);
    assert!(!transfers.is_empty() && transfers.len() < logs.len());
    let block = query::block_by_number(&mut connection, position.block).await?.expect("its block");
    assert_eq!(query::block_by_hash(&mut connection, block.hash).await?, Some(block));
    let sent = query::address_transactions(&mut connection, chain.account(1)?, query::Position::NEWEST, 100).await?;
    assert!(sent.iter().all(|transaction| transaction.from_address == chain.account(1).unwrap_or_default()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_hear_of_each_commit() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let mut indexer = Indexer::new(&chain, true).await?;
    let mut listener = sqlx::postgres::PgListener::connect(&indexer.database.url).await?;
    listener.listen(kopilka_store::chain::HEAD_CHANNEL).await?;
    indexer.start();
    let election = Election::new(&chain);
    election.run(Step::Admit).await?;
    election.run(Step::CreateRound).await?;
    let head = provider.get_block_number().await?;
    loop {
        let heard = tokio::time::timeout(Duration::from_secs(20), listener.recv()).await??;
        let told: serde_json::Value = serde_json::from_str(heard.payload())?;
        if told["block"] == head {
            assert_eq!(told["reorg"], false);
            assert_eq!(told["rounds"].as_array().map(Vec::len), Some(1));
            return Ok(());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_instance_stands_by() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let election = Election::new(&chain);
    let mut first = Indexer::new(&chain, true).await?;
    first.start();
    first.caught_up(&provider).await?;
    let config = {
        let mut config = kopilka_indexer::Config::new(
            chain.anvil.url().parse()?,
            chain.deployment.clone(),
            first.database.pool.clone(),
        );
        config.poll = Duration::from_millis(10);
        config
    };
    let second = tokio::spawn(kopilka_indexer::run(config, tokio_util::sync::CancellationToken::new()));
    election.run(Step::Admit).await?;
    first.caught_up(&provider).await?;
    first.kill().await;
    election.run(Step::CreateRound).await?;
    first.caught_up(&provider).await?;
    assert!(!second.is_finished());
    second.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_can_ask_how_it_is() -> anyhow::Result<()> {
    let chain = TestChain::start().await?;
    let provider = chain.provider(0)?;
    let indexer = Indexer::new(&chain, true).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (url, database) = (chain.anvil.url().parse()?, indexer.database.pool.clone());
    let mut config = kopilka_indexer::Config::new(url, chain.deployment.clone(), database);
    config.listener = Some(listener);
    let cancel = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(kopilka_indexer::run(config, cancel.clone()));
    assert_eq!(reqwest::get(format!("http://{address}/healthz")).await?.status(), 200);
    indexer.caught_up(&provider).await?;
    let ready = reqwest::get(format!("http://{address}/readyz")).await?;
    assert_eq!((ready.status().as_u16(), ready.text().await?.as_str()), (200, "ready\n"));
    assert_eq!(reqwest::get(format!("http://{address}/metrics")).await?.status(), 404);
    // In order, at once, without an error.
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(5), running).await??
}
