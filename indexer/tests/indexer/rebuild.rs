//! Derived tables made anew from the raw ones: whatever is wrong in them, they become those of a clean run.

use std::collections::BTreeSet;
use std::time::Duration;

use kopilka_indexer::rebuild_derived;
use kopilka_store::chain::tables;
use kopilka_testkit::TestChain;
use sqlx::{AssertSqlSafe, PgPool};

use crate::election::{Election, STEPS};
use crate::fixture::{Indexer, assert_all_filled, assert_same, count, indexes};

/// Two databases of the same chain: one to damage, one to compare with.
async fn twins() -> anyhow::Result<(Indexer, Indexer)> {
    let chain = TestChain::start().await?;
    let election = Election::new(&chain);
    for step in STEPS {
        election.run(step).await?;
    }
    let provider = chain.provider(0)?;
    let (mut tried, mut clean) = (Indexer::new(&chain, true).await?, Indexer::new(&chain, true).await?);
    for indexer in [&mut tried, &mut clean] {
        indexer.start();
        indexer.caught_up(&provider).await?;
        indexer.holds("chain.deferred_indexes", 0).await?;
        indexer.kill().await;
    }
    assert_all_filled(&tried).await?;
    Ok((tried, clean))
}

async fn run(pool: &PgPool, statement: impl Into<String>) -> anyhow::Result<u64> {
    let statement: String = statement.into();
    let done = sqlx::query(AssertSqlSafe(statement.clone())).execute(pool).await;
    Ok(done.map_err(|error| anyhow::anyhow!("{statement}: {error}"))?.rows_affected())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_damage_is_mended() -> anyhow::Result<()> {
    let (tried, clean) = twins().await?;
    let pool = &tried.database.pool;
    let rebuilt = rebuild_derived(pool).await?;
    assert_eq!((rebuilt.logs, rebuilt.changed), (count(&tried, "logs").await?.cast_unsigned(), 0), "all was right");

    // A row in three of each table is gone.
    for table in tables::DERIVED {
        let statement = format!(
            "delete from chain.{0} where ctid in (
                 select ctid from (select ctid, row_number() over (order by {1}) as at from chain.{0}) t where at % 3 = 1)",
            table.name, table.key
        );
        assert!(run(pool, statement).await? > 0, "nothing was damaged in {}", table.name);
    }
    assert!(rebuild_derived(pool).await?.changed > 100);
    assert_same("after rows were lost", &tried, &clean).await?;

    // Rows that never were, values that are wrong, running state that ran away.
    for statement in [
        "insert into chain.transfers
         select block_number + 7, log_index + 1000, tx_hash, tx_index, token, to_address, from_address, amount + 1
         from chain.transfers",
        "insert into chain.phase_changes
         select block_number + 100000, log_index, tx_hash, round, phase, changed_at from chain.phase_changes",
        "update chain.transfers set amount = amount + 1 where log_index % 2 = 0",
        "update chain.allocations set version = version + 100",
        "update chain.tokens set name = 'x', minted = minted + 1, paid = 7, returned = 7",
        "update chain.rounds set phase = 'cancelled', budget = null, registered = registered + 5, allocated = 0, issued = 99,
             settled_at = now()",
        "update chain.classes set registered = 0, issued = 0",
        "update chain.initiatives set supporters = 77, points = 0, balance = balance + 1, pledged = 0, won = null, paid = 3",
        "update chain.allocations set current = false",
        "update chain.ballots set current = false where current",
        "update chain.balances set amount = amount + 1",
        "insert into chain.balances (token, holder, amount) select token, decode(repeat('ab', 20), 'hex'), 5 from chain.balances limit 1",
        "update chain.nft_owners set owner = decode(repeat('ab', 20), 'hex')",
        "update chain.tallies set votes = votes + 1",
        "insert into chain.tallies (poll_id, option, grade, votes) values (987654, 0, 0, 1)",
        "update chain.polls set ballots = 0, opened = 5, spoilt = 5, cancelled_at = now(), sealing_secret = null",
        "update chain.stamp_sources set claimed = 0, closed_at = null",
        "update chain.prizes set stock = 0, redeemed = 0, withdrawn_at = now()",
        "update chain.redemptions set status = 'open', ended_at = null",
    ] {
        assert!(run(pool, statement).await? > 0, "nothing was damaged by {statement}");
    }
    rebuild_derived(pool).await?;
    assert_same("after rows were falsified", &tried, &clean).await?;

    // Entities under other blocks stand in the way of the right ones.
    for statement in [
        "update chain.rounds set block_number = block_number + 100000",
        "update chain.polls set block_number = block_number + 100000",
        "update chain.contracts set block_number = block_number + 100000",
    ] {
        assert!(run(pool, statement).await? > 0, "nothing was damaged by {statement}");
    }
    rebuild_derived(pool).await?;
    assert_same("after rows were moved", &tried, &clean).await?;

    // Indexes of empty tables are left out meanwhile.
    tables::clear_derived(&mut *pool.acquire().await?).await?;
    rebuild_derived(pool).await?;
    assert_eq!(indexes(pool).await?, indexes(&clean.database.pool).await?);
    tried.holds("chain.deferred_indexes", 0).await?;
    assert_same("after all rows were gone", &tried, &clean).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_old_or_new_rows_and_never_wait() -> anyhow::Result<()> {
    let (tried, clean) = twins().await?;
    let pool = &tried.database.pool;
    run(pool, "delete from chain.transfers where log_index % 2 = 0").await?;
    let (old, new) = (count(&tried, "transfers").await?, count(&clean, "transfers").await?);
    assert!(old < new);
    let rebuilding = tokio::spawn({
        let pool = pool.clone();
        async move { rebuild_derived(&pool).await }
    });
    let mut seen = BTreeSet::new();
    while !rebuilding.is_finished() {
        let mut reader = pool.begin().await?;
        // Whoever had to wait for a lock would fail.
        sqlx::query("set local lock_timeout = '1ms'").execute(&mut *reader).await?;
        for table in tables::DERIVED {
            sqlx::query(AssertSqlSafe(format!("select from chain.{} limit 1", table.name)))
                .execute(&mut *reader)
                .await?;
        }
        let rows: i64 = sqlx::query_scalar("select count(*) from chain.transfers").fetch_one(&mut *reader).await?;
        seen.insert(rows);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(rebuilding.await??.changed > 0);
    assert!(seen.is_subset(&BTreeSet::from([old, new])), "{seen:?} are others than {old} and {new}");
    assert_same("after a rebuild beside readers", &tried, &clean).await
}
