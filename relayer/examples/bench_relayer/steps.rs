//! The rate that the relayer sustains: load at one rate after the other, and what became of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use alloy::primitives::Address;
use anyhow::ensure;
use kopilka_domain::MessageKind;

use crate::generator::{Run, drive};
use crate::ground::{Ground, RelayerProcess, Server};
use crate::load::Load;
use crate::measure::{Blocks, effects, family_seconds, percentiles, processor_seconds};

/// Longest wait for what is left when the load has ended.
const REST: Duration = Duration::from_secs(180);

/// Everything that runs while a step is measured.
pub struct Stage<'a> {
    pub ground: &'a Ground,
    pub server: &'a Server,
    pub relayer: &'a RelayerProcess,
    pub blocks: &'a Blocks,
}

/// What is offered in a step.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    pub first: usize,
    pub rate: f64,
    pub seconds: f64,
    pub bulk: usize,
}

impl Offer {
    pub fn count(&self) -> usize {
        (self.rate * self.seconds) as usize / self.bulk * self.bulk
    }
}

/// What a step showed.
#[derive(Debug, Clone)]
pub struct Step {
    pub kind: MessageKind,
    pub offer: Offer,
    pub refused: usize,
    /// Accepted, and without any effect on chain.
    pub lost: usize,
    /// With more than one effect on chain.
    pub doubled: usize,
    /// Milliseconds from the scheduled time to the answer, median and 99th percentile.
    accept: (f64, f64),
    /// Milliseconds from the answer until the block was seen.
    inclusion: (f64, f64),
    /// The same in blocks: 1 is the next block.
    inclusion_blocks: (f64, f64),
    /// Messages a second from the first scheduled time to the last inclusion.
    pub through: f64,
    /// How much longer the queue was in the last third of the load than in the middle one, in seconds of the load.
    growth: f64,
    gas: f64,
    transactions: i64,
    /// Processor seconds of relayer, anvil, Postgres and generator, from the start of the load to the last inclusion.
    cpu: [f64; 4],
}

impl Step {
    /// Whether everything was accepted and the queue did not grow.
    pub fn is_flat(&self) -> bool {
        self.refused == 0 && self.growth < 0.3 && self.accept.1 < 2_000.0
    }

    pub fn heading() -> &'static str {
        "| messages | offered /s | bulk | queue | through /s | accept p50 / p99 ms | inclusion p50 / p99 ms | in blocks | gas each | batch | lost | doubled | CPU s for 1,000: relayer, anvil, Postgres, generator |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    }

    pub fn row(&self) -> String {
        let count = self.offer.count();
        let queue = if self.is_flat() { "flat".to_owned() } else { format!("+{:.1} s", self.growth) };
        let refused = if self.refused > 0 { format!(" ({} refused)", self.refused) } else { String::new() };
        let cpu = self.cpu.map(|seconds| format!("{:.2}", seconds * 1e3 / count as f64)).join(", ");
        format!(
            "| {}{refused} | {:.0} | {} | {queue} | {:.0} | {:.0} / {:.0} | {:.0} / {:.0} | {:.0} / {:.0} | {:.0} | {:.0} | {} | {} | {cpu} |",
            self.kind,
            self.offer.rate,
            self.offer.bulk,
            self.through,
            self.accept.0,
            self.accept.1,
            self.inclusion.0,
            self.inclusion.1,
            self.inclusion_blocks.0,
            self.inclusion_blocks.1,
            self.gas,
            count as f64 / self.transactions.max(1) as f64,
            self.lost,
            self.doubled,
        )
    }
}

impl Stage<'_> {
    fn cpu(&self) -> anyhow::Result<[f64; 3]> {
        Ok([
            processor_seconds(self.relayer.id())?,
            processor_seconds(self.ground.world.chain.anvil.process_id())?,
            family_seconds(self.server.0.process_id())?,
        ])
    }

    /// Offers messages at a rate and waits until all are settled.
    pub async fn step(&self, load: &Load, offer: Offer) -> anyhow::Result<Step> {
        let pool = &self.ground.world.database.pool;
        let first_block = self.blocks.times().last_key_value().map_or(0, |(number, _)| number + 1);
        let newest: i64 =
            sqlx::query_scalar("select coalesce(max(id), 0) from relay.submissions").fetch_one(pool).await?;
        let before = self.cpu()?;
        let Run { sent, cpu_seconds } =
            drive(load, offer.first, offer.count(), offer.rate, offer.bulk, &self.relayer.url).await?;
        self.settled().await?;
        let after = self.cpu()?;
        let [relayer, anvil, postgres] = std::array::from_fn(|index| after[index] - before[index]);
        let effects = effects(self.ground, load.kind, first_block).await?;
        let (gas, transactions): (i64, i64) = sqlx::query_as(
            "select coalesce(sum(gas_used), 0)::bigint, count(*) from relay.submissions where id > $1 and kind = $2",
        )
        .bind(newest)
        .bind(load.kind.as_str())
        .fetch_one(pool)
        .await?;
        let mut step = judge(load, offer, &sent, &effects, &self.blocks.times());
        step.gas = gas as f64 / offer.count() as f64;
        step.transactions = transactions;
        step.cpu = [relayer, anvil, postgres, cpu_seconds];
        Ok(step)
    }

    /// Waits until nothing is on its way.
    pub async fn settled(&self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + REST;
        loop {
            let status = self.relayer.client.status().await?;
            if status.queued + status.submitted + status.mined == 0 {
                return Ok(());
            }
            ensure!(tokio::time::Instant::now() < deadline, "the queue does not become empty: {status:?}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Raises the rate until the queue grows. Returns the steps; the last flat one is the bound found.
    pub async fn climb(&self, load: &Load, rates: &[f64], seconds: f64, bulk: usize) -> anyhow::Result<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        let mut first = 0;
        for &rate in rates {
            let offer = Offer { first, rate, seconds, bulk };
            first += offer.count();
            let step = self.step(load, offer).await?;
            println!("{}", step.row());
            let is_flat = step.is_flat();
            steps.push(step);
            if !is_flat {
                break;
            }
        }
        Ok(steps)
    }
}

/// Puts together when each message was due, accepted and included.
fn judge(
    load: &Load,
    offer: Offer,
    sent: &[crate::generator::Sent],
    effects: &HashMap<Address, Vec<u64>>,
    blocks: &BTreeMap<u64, u64>,
) -> Step {
    let (mut accept, mut inclusion, mut inclusion_blocks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut refused, mut lost, mut doubled) = (0, 0, 0);
    let mut accepted_at = Vec::new();
    let mut included_at = Vec::new();
    for request in sent {
        accept.push((request.answered - request.scheduled) as f64 / 1e3);
        if request.status != 202 {
            refused += request.messages;
            continue;
        }
        refused += request.refused;
        let mut without_effect = 0;
        for account in &load.accounts[request.first..request.first + request.messages] {
            accepted_at.push(request.answered);
            let Some(places) = effects.get(account) else {
                without_effect += 1;
                continue;
            };
            doubled += usize::from(places.len() > 1);
            let Some(&seen) = blocks.get(&places[0]) else { continue };
            included_at.push(seen);
            // The answer comes after the commit: the batch may be in a block that was seen a moment earlier.
            inclusion.push(seen.saturating_sub(request.answered) as f64 / 1e3);
            let head = blocks.iter().rev().find(|(_, at)| **at <= request.answered).map_or(places[0], |(n, _)| *n);
            inclusion_blocks.push(places[0].saturating_sub(head) as f64);
        }
        lost += without_effect - request.refused.min(without_effect);
    }
    accepted_at.sort_unstable();
    included_at.sort_unstable();
    let start = sent.iter().map(|request| request.scheduled).min().unwrap_or_default();
    let end = included_at.last().copied().unwrap_or_default();
    let queue = |at: u64| {
        let accepted = accepted_at.partition_point(|time| *time <= at);
        accepted as f64 - included_at.partition_point(|time| *time <= at) as f64
    };
    // The mean over a third of the time in which the load was offered.
    let mean = |third: u64| {
        let length = (offer.seconds * 1e6) as u64 / 3;
        (0..50).map(|sample| queue(start + third * length + length * sample / 50)).sum::<f64>() / 50.0
    };
    Step {
        kind: load.kind,
        offer,
        refused,
        lost,
        doubled,
        accept: percentiles(accept),
        inclusion: percentiles(inclusion),
        inclusion_blocks: percentiles(inclusion_blocks),
        through: included_at.len() as f64 * 1e6 / (end.saturating_sub(start)).max(1) as f64,
        growth: (mean(2) - mean(1)) / offer.rate,
        gas: 0.0,
        transactions: 0,
        cpu: [0.0; 4],
    }
}
