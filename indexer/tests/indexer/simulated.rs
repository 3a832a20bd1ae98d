//! A recorded chain served by a node that does one thing wrong at a time.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, U64};
use kopilka_bindings::deploy::Deployment;
use kopilka_indexer::{Completeness, Finality, IndexerError};
use kopilka_store::chain::state;
use kopilka_testkit::TestChain;
use kopilka_testkit::node::{BadNode, Faults, Recording};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::election::{Election, STEPS};
use crate::fixture::{Indexer, assert_same, indexes};

const FINALITY: u64 = 12;

struct Recorded {
    recording: Arc<Recording>,
    deployment: Deployment,
}

static RECORDED: OnceCell<Recorded> = OnceCell::const_new();

async fn recorded() -> anyhow::Result<&'static Recorded> {
    RECORDED
        .get_or_try_init(|| async {
            let chain = TestChain::start().await?;
            let election = Election::new(&chain);
            for step in STEPS {
                election.run(step).await?;
            }
            let recording = Arc::new(Recording::of(&chain.anvil.url()).await?);
            Ok(Recorded { recording, deployment: chain.deployment.clone() })
        })
        .await
}

impl Recorded {
    fn head(&self) -> u64 {
        self.recording.head()
    }

    async fn node(&self, head: u64, faults: Faults) -> anyhow::Result<BadNode> {
        BadNode::start(self.recording.clone(), head, faults, 1).await
    }

    async fn indexer(
        &self,
        node: &BadNode,
        change: impl Fn(&mut kopilka_indexer::Config) + Send + Sync + 'static,
    ) -> anyhow::Result<Indexer> {
        Indexer::at(node.url.parse()?, self.deployment.clone(), move |config| {
            config.finality = Finality::Depth(FINALITY);
            change(config);
        })
        .await
    }

    /// A clean run.
    async fn clean(
        &self,
        change: impl Fn(&mut kopilka_indexer::Config) + Send + Sync + 'static,
    ) -> anyhow::Result<Indexer> {
        let node = self.node(self.head(), Faults::default()).await?;
        let mut clean = self.indexer(&node, change).await?;
        clean.start();
        self.reached(&clean, self.head()).await?;
        clean.kill().await;
        Ok(clean)
    }

    async fn reached(&self, indexer: &Indexer, head: u64) -> anyhow::Result<()> {
        indexer.at_block(head, self.recording.hash(head)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_restarted_at_every_block() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    for full in [true, false] {
        let node = recorded.node(0, Faults::default()).await?;
        let mut tried = recorded.indexer(&node, move |config| config.full = full).await?;
        for head in 0..=recorded.head() {
            node.show(head);
            tried.start();
            if full || head >= recorded.deployment.first_block {
                recorded.reached(&tried, head).await?;
            }
            tried.kill().await;
        }
        let clean = recorded.clean(move |config| config.full = full).await?;
        assert_same("restarted at every block", &tried, &clean).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reorgs_up_to_finality_are_followed_and_others_are_not() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let clean = recorded.clean(|_| ()).await?;
    let middle = recorded.head() / 2;
    let node = recorded.node(middle, Faults::default()).await?;
    let mut tried = recorded.indexer(&node, |_| ()).await?;
    tried.start();
    for depth in [1, 2, FINALITY - 1, FINALITY] {
        node.show(middle);
        recorded.reached(&tried, middle).await?;
        node.reorganise(depth, 0);
        // A reorg is seen when other blocks of the same height are there.
        tried.left_block(middle, recorded.recording.hash(middle)).await?;
    }
    node.show(recorded.head());
    recorded.reached(&tried, recorded.head()).await?;
    assert_same("after reorgs", &tried, &clean).await?;

    node.reorganise(FINALITY + 1, 3);
    let error = tried.failure().await?;
    match error.downcast_ref() {
        Some(IndexerError::ReorgOfFinal { ancestor, finalized }) => {
            assert_eq!((*ancestor, *finalized), (recorded.head() - FINALITY - 1, recorded.head() - FINALITY));
        }
        _ => panic!("expected a reorg of final blocks, got {error:#}"),
    }
    assert_same("nothing was undone", &tried, &clean).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_logs_are_taken_from_receipts() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let hiding = recorded.node(recorded.head(), Faults { hides_logs: true, ..Faults::default() }).await?;
    let clean = recorded.clean(|config| config.full = false).await?;
    let mut tried = recorded.indexer(&hiding, |config| config.full = false).await?;
    tried.start();
    recorded.reached(&tried, recorded.head()).await?;
    assert_same("a node that always hides the same logs", &tried, &clean).await?;
    // The node does hide something from those who only ask for logs.
    let (honest, all) = (recorded.node(recorded.head(), Faults::default()).await?, U64::from(recorded.head()));
    let mut told = Vec::new();
    for node in [&hiding, &honest] {
        let filter = json!([{ "fromBlock": "0x0", "toBlock": all }]);
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": filter });
        let answer: Value = reqwest::Client::new().post(&node.url).json(&request).send().await?.json().await?;
        told.push(answer["result"].as_array().map(Vec::len));
    }
    assert!(told[0] < told[1], "{told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_spends_what_it_never_had_does_not_stop_it() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let clean = recorded.clean(|_| ()).await?;
    let (wallet, paid): (Vec<u8>, String) =
        sqlx::query_as("select wallet, paid::text from chain.initiatives where paid > 0 limit 1")
            .fetch_one(&clean.database.pool)
            .await?;
    let account = Address::from_slice(&wallet);
    let faults = Faults { hides_transfers_to: Some(account), ..Faults::default() };
    let node = recorded.node(recorded.head(), faults).await?;
    let mut tried = recorded
        .indexer(&node, |config| {
            config.full = false;
            config.completeness = Completeness::Never;
        })
        .await?;
    tried.start();
    recorded.reached(&tried, recorded.head()).await?;
    let amount: String = sqlx::query_scalar("select amount::text from chain.balances where holder = $1")
        .bind(&wallet)
        .fetch_one(&tried.database.pool)
        .await?;
    assert!(amount.starts_with('-'), "the payment of {paid} was not without cover: {amount}");
    let shown: String = sqlx::query_scalar("select balance::text from chain.initiatives where wallet = $1")
        .bind(&wallet)
        .fetch_one(&tried.database.pool)
        .await?;
    assert_eq!(shown, "0");
    let findings = verify(&tried).await?;
    assert!(findings.differences.iter().any(|difference| difference.table == "balances"), "{findings:?}");

    // What receipts prove is not believed to be missing.
    let mut proven = recorded.indexer(&node, |config| config.full = false).await?;
    proven.start();
    recorded.reached(&proven, recorded.head()).await?;
    let clean = recorded.clean(|config| config.full = false).await?;
    assert_same("transfers to a wallet hidden from logs", &proven, &clean).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn omissions_removed_logs_and_refusals_leave_no_trace() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    for (full, faults) in [
        (false, Faults { omissions: 500, ..Faults::default() }),
        (true, Faults { omissions: 100, ..Faults::default() }),
        (false, Faults { removed: 300, ..Faults::default() }),
        (false, Faults { max_blocks: 3, ..Faults::default() }),
        (true, Faults { errors: 200, delays: 50, ..Faults::default() }),
        (false, Faults { stale_heads: 400, unknown_blocks: 30, ..Faults::default() }),
    ] {
        let node = recorded.node(recorded.head(), faults).await?;
        let mut tried = recorded
            .indexer(&node, move |config| {
                config.full = full;
                config.max_range = 4;
            })
            .await?;
        tried.start();
        recorded.reached(&tried, recorded.head()).await?;
        // Heads are asked for again and again, so those of them that lie are still to come on a fast machine.
        let waiting = std::time::Instant::now();
        while node.faults_made() <= 2 && waiting.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(node.faults_made() > 2, "{faults:?}: the node was not bad enough to prove anything");
        recorded.reached(&tried, recorded.head()).await?;
        let clean = recorded.clean(move |config| config.full = full).await?;
        assert_same(&format!("{faults:?}"), &tried, &clean).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_became_shorter_is_noticed() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let (long, short) = (recorded.head() - 2, recorded.head() - 7);
    let node = recorded.node(long, Faults::default()).await?;
    let mut tried = recorded.indexer(&node, |_| ()).await?;
    tried.start();
    recorded.reached(&tried, long).await?;
    node.show(short);
    recorded.reached(&tried, short).await?;
    let clean_node = recorded.node(short, Faults::default()).await?;
    let mut clean = recorded.indexer(&clean_node, |_| ()).await?;
    clean.start();
    recorded.reached(&clean, short).await?;
    assert_same("a shorter chain", &tried, &clean).await?;
    // Final blocks are kept: the node is behind, and comes back.
    node.show(3);
    tokio::time::sleep(Duration::from_millis(900)).await;
    recorded.reached(&tried, short).await?;
    node.show(recorded.head());
    recorded.reached(&tried, recorded.head()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_without_our_logs_can_be_left_out() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let node = recorded.node(recorded.head(), Faults::default()).await?;
    let mut clean = recorded.clean(|config| config.full = false).await?;
    for completeness in [Completeness::Never, Completeness::Sampled(10)] {
        let mut sparse = recorded
            .indexer(&node, move |config| {
                config.full = false;
                config.completeness = completeness;
            })
            .await?;
        sparse.start();
        recorded.reached(&sparse, recorded.head()).await?;
        assert!(crate::fixture::count(&sparse, "blocks").await? < crate::fixture::count(&clean, "blocks").await?);
        (sparse.logs_alone, clean.logs_alone) = (true, true);
        assert_same("blocks known from their logs", &sparse, &clean).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_watched_later_gets_its_past() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let full = recorded.clean(|_| ()).await?;
    let token: Vec<u8> =
        sqlx::query_scalar("select token from chain.nft_transfers limit 1").fetch_one(&full.database.pool).await?;
    let token = Address::from_slice(&token);
    let node = recorded.node(recorded.head(), Faults::default()).await?;
    let watching = move |config: &mut kopilka_indexer::Config| {
        config.full = false;
        config.watch = vec![token];
    };
    let mut first = recorded.indexer(&node, watching).await?;
    first.start();
    recorded.reached(&first, recorded.head()).await?;
    assert_eq!(crate::fixture::count(&first, "nft_transfers").await?, 5);
    assert_eq!(crate::fixture::count(&first, "nft_owners").await?, 2, "of three pieces one is burnt");

    let mut later = recorded.indexer(&node, |config| config.full = false).await?;
    later.start();
    recorded.reached(&later, recorded.head()).await?;
    later.kill().await;
    assert_eq!(crate::fixture::count(&later, "nft_transfers").await?, 0);
    let mut later = later.again(watching);
    later.start();
    later.holds("chain.nft_transfers", 5).await?;
    assert_same("watched from the beginning and later", &later, &first).await
}

async fn verify(stored: &Indexer) -> anyhow::Result<kopilka_indexer::verify::Findings> {
    let scratch = kopilka_testkit::TestDatabase::create().await?;
    kopilka_indexer::verify::against_chain(stored.settings(), &scratch.pool).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_rows_are_found() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let node = recorded.node(recorded.head(), Faults::default()).await?;
    let mut stored = recorded.indexer(&node, |_| ()).await?;
    stored.start();
    recorded.reached(&stored, recorded.head()).await?;
    let findings = verify(&stored).await?;
    assert_eq!((findings.block, findings.differences.as_slice()), (recorded.head(), [].as_slice()));
    assert!(findings.rows > 500, "{} rows were compared", findings.rows);
    stored.kill().await;
    for (statement, table, in_derived) in [
        (
            "update chain.balances set amount = amount + 1 where ctid = (select min(ctid) from chain.balances)",
            "balances",
            true,
        ),
        (
            "delete from chain.registrations where log_index = (select min(log_index) from chain.registrations)",
            "registrations",
            true,
        ),
        ("update chain.logs set data = data || '\\x00' where ctid = (select min(ctid) from chain.logs)", "logs", false),
    ] {
        let mut transaction = stored.database.pool.begin().await?;
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        let findings = verify(&stored).await?;
        assert!(findings.differences.iter().any(|difference| difference.table == table), "{findings:?}");
        if in_derived {
            let scratch = kopilka_testkit::TestDatabase::create().await?;
            let findings = kopilka_indexer::verify::derived(&stored.database.pool, &scratch.pool).await?;
            assert!(findings.differences.iter().any(|difference| difference.table == table), "{findings:?}");
        }
    }
    let tip = state::tip(&mut *stored.database.pool.acquire().await?).await?;
    assert_eq!(tip.map(|(number, _)| number), Some(recorded.head()), "verifying changes nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_of_readers_are_made_at_the_head() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    assert!(recorded.head() > 60, "{} blocks are no past worth leaving indexes out", recorded.head());
    let migrated = indexes(&kopilka_testkit::TestDatabase::create().await?.pool).await?;
    let node = recorded.node(recorded.head(), Faults::default()).await?;
    let mut tried = recorded.indexer(&node, |config| config.until = Some(20)).await?;
    tried.start();
    recorded.reached(&tried, 20).await?;
    tried.kill().await;
    let left_out = indexes(&tried.database.pool).await?;
    assert_eq!(migrated.len() - left_out.len(), 16, "{left_out:?}");
    // Another process, which knows of that from the database alone.
    let mut tried = tried.again(|config| config.until = None);
    tried.start();
    recorded.reached(&tried, recorded.head()).await?;
    tried.holds("chain.deferred_indexes", 0).await?;
    assert_eq!(indexes(&tried.database.pool).await?, migrated);
    let clean = recorded.clean(|_| ()).await?;
    assert_same("with indexes left out for a while", &tried, &clean).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_names_a_node_that_cannot_tell() -> anyhow::Result<()> {
    let recorded = recorded().await?;
    let node = recorded.node(recorded.head(), Faults::default()).await?;
    let mut stored = recorded.indexer(&node, |_| ()).await?;
    stored.start();
    recorded.reached(&stored, recorded.head()).await?;
    stored.kill().await;
    node.show(recorded.head() - 3);
    let said = verify(&stored).await.expect_err("the node lacks blocks").to_string();
    assert!(said.contains("the node is behind") && said.contains(&recorded.head().to_string()), "{said}");
    node.show(recorded.head());
    node.reorganise(2, 0);
    let said = verify(&stored).await.expect_err("the node has other blocks").to_string();
    assert!(said.contains("another branch"), "{said}");

    let other = TestChain::start_with(|config| config.arguments.extend(["--timestamp".into(), "1000".into()])).await?;
    let url: url::Url = other.anvil.url().parse()?;
    let stored = stored.again(move |config| config.rpc_url = Clone::clone(&url));
    let error = verify(&stored).await.expect_err("it is another chain");
    assert!(matches!(error.downcast_ref(), Some(IndexerError::OtherGenesis { .. })), "{error:#}");
    Ok(())
}

#[tokio::test]
async fn schemas_of_other_versions_are_named() -> anyhow::Result<()> {
    use kopilka_store::{StoreError, check_schema};

    let pool = kopilka_testkit::TestDatabase::create().await?.pool;
    check_schema(&pool).await?;
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&pool)
        .await?;
    assert!(matches!(check_schema(&pool).await, Err(StoreError::OlderSchema { missing: 1 })));
    sqlx::query("update _sqlx_migrations set version = version + 1").execute(&pool).await?;
    assert!(matches!(check_schema(&pool).await, Err(StoreError::NewerSchema)));
    sqlx::query("drop table _sqlx_migrations").execute(&pool).await?;
    assert!(matches!(check_schema(&pool).await, Err(StoreError::NoSchema)));
    Ok(())
}
