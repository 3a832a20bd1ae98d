//! How long it takes from a block's mining until its rows can be read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::providers::Provider as _;
use anyhow::{bail, ensure};
use kopilka_indexer::Config;
use kopilka_store::chain::HEAD_CHANNEL;
use kopilka_testkit::{TestChain, TestDatabase};
use serde_json::Value;
use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::measure::{load, node_cpu, postgres_cpu};
use crate::token;

/// How long the silent chain is looked at.
const SILENCE: Duration = Duration::from_secs(5);

/// Mines blocks on command. A block is there at the latest when anvil answers `evm_mine`, and not before it was asked to;
/// its rows are there when the notification of their commit comes, and are counted to be sure.
pub(crate) async fn latency(blocks: u64, transfers: u64) -> anyhow::Result<()> {
    for full in [true, false] {
        let chain = TestChain::start_with(|config| config.block_gas_limit = 1_000_000_000).await?;
        let database = TestDatabase::create().await?;
        let provider = chain.provider(0)?;
        let token = token::deploy(&provider).await?;
        let mut config = Config::new(chain.anvil.url().parse()?, chain.deployment.clone(), database.pool.clone());
        config.full = full;
        if !full {
            config.watch = vec![token];
        }
        let cancel = CancellationToken::new();
        let indexer = tokio::spawn(kopilka_indexer::run(config, cancel.clone()));
        let heard = Heard::listen(&database.url).await?;
        let mut filler = token::Filler::new(&provider, token).await?;
        heard.of(provider.get_block_number().await?).await?;

        let idle = (node_cpu(&chain.anvil.url()), postgres_cpu(&database));
        tokio::time::sleep(SILENCE).await;
        let share = |now: f64, before: f64| 100.0 * (now - before) / SILENCE.as_secs_f64();
        let idle = (share(node_cpu(&chain.anvil.url()), idle.0), share(postgres_cpu(&database), idle.1));

        let (mut from_request, mut from_answer) = (Vec::new(), Vec::new());
        for number in 0..blocks {
            filler.send(transfers, 1).await?;
            let asked = Instant::now();
            let _: Value = provider.raw_request("evm_mine".into(), ()).await?;
            let answered = Instant::now();
            let head = provider.get_block_number().await?;
            let committed = heard.of(head).await?;
            from_request.push(committed.saturating_duration_since(asked));
            from_answer.push(committed.saturating_duration_since(answered));
            let rows: i64 = sqlx::query_scalar("select count(*) from chain.transfers where block_number = $1")
                .bind(i64::try_from(head)?)
                .fetch_one(&database.pool)
                .await?;
            ensure!(rows == i64::try_from(transfers)?, "block {head} has {rows} transfers");
            // Not in step with the indexer's polling.
            tokio::time::sleep(Duration::from_millis(13 + (number * 7) % 40)).await;
        }
        cancel.cancel();
        indexer.await??;
        println!(
            "head latency, {}, {blocks} blocks of {transfers} transfers; a silent chain costs {:.1} % of a core at the node, \
             {:.1} % at Postgres; load {}",
            if full { "whole chain" } else { "logs alone" },
            idle.0,
            idle.1,
            load()
        );
        for (what, mut took) in [("since evm_mine was sent", from_request), ("since anvil's answer", from_answer)] {
            took.sort_unstable();
            let at = |share: f64| took[((took.len() as f64 * share).ceil() as usize).clamp(1, took.len()) - 1];
            println!(
                "  {what}: median {:.1?}, p90 {:.1?}, p99 {:.1?}, longest {:.1?}",
                at(0.5),
                at(0.9),
                at(0.99),
                at(1.0)
            );
        }
        database.remove().await?;
    }
    Ok(())
}

/// When the commits of blocks were heard of.
struct Heard {
    times: Arc<Mutex<HashMap<u64, Instant>>>,
    _task: AbortOnDropHandle<()>,
}

impl Heard {
    async fn listen(url: &str) -> anyhow::Result<Self> {
        let mut listener = PgListener::connect(url).await?;
        listener.listen(HEAD_CHANNEL).await?;
        let times: Arc<Mutex<HashMap<u64, Instant>>> = Arc::default();
        let noted = times.clone();
        let task = tokio::spawn(async move {
            while let Ok(notification) = listener.recv().await {
                let now = Instant::now();
                let told: Value = serde_json::from_str(notification.payload()).unwrap_or_default();
                if let (Some(from), Some(to)) = (told["from"].as_u64(), told["block"].as_u64()) {
                    let mut times = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    times.extend((from..=to).map(|block| (block, now)));
                }
            }
        });
        Ok(Self { times, _task: AbortOnDropHandle::new(task) })
    }

    async fn of(&self, block: u64) -> anyhow::Result<Instant> {
        let started = Instant::now();
        loop {
            if let Some(at) = self.times.lock().unwrap_or_else(PoisonError::into_inner).get(&block) {
                return Ok(*at);
            }
            if started.elapsed() > Duration::from_secs(20) {
                bail!("block {block} was not indexed within 20 s");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
