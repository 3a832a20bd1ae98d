//! Posts prepared registrations, then allocations, to a relayer on anvil and Postgres, and prints rates, waits and gas.
//!
//! Arguments: number of citizens (2000), requests at once (64), choices in an allocation (3), seconds between blocks (1).
#![expect(clippy::unwrap_used, unreachable_pub, dead_code, reason = "a measurement")]

use std::time::{Duration, Instant};

use alloy::primitives::B256;
use futures::StreamExt as _;
use kopilka_relay_client::{Accepted, ClientError};
use kopilka_relayer::Signer;

#[path = "../tests/relayer/fixture.rs"]
mod fixture;

use fixture::{Citizen, Options, Relayer, World};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let arguments: Vec<f64> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let argument = |index: usize, default: f64| arguments.get(index).copied().unwrap_or(default);
    let (count, at_once, choices) =
        (argument(0, 2_000.0) as usize, argument(1, 64.0) as usize, argument(2, 3.0) as u16);

    let options = Options { initiatives: choices.max(20), block_seconds: Some(argument(3, 1.0)), ..Options::default() };
    let world = World::start(options).await?;
    let started = Instant::now();
    let citizens: Vec<Citizen> = (0..count).map(|_| Citizen::new()).collect();
    let registrations: Vec<_> = citizens.iter().map(|citizen| world.registration(citizen)).collect();
    anyhow::ensure!((1..=10).contains(&choices), "a share has 10 points: 1 to 10 choices");
    let chosen: Vec<u16> = (1..=choices).collect();
    let points = vec![1; chosen.len()];
    let allocations: Vec<_> = citizens.iter().map(|citizen| world.allocation(citizen, 1, &chosen, &points)).collect();
    println!("prepared {count} citizens in {:.1} s", started.elapsed().as_secs_f64());

    let deployment = world.chain.deployment.clone();
    // As `kopilka up` runs it: six senders and the default waits.
    let relayer = world
        .relayer(|config| {
            let defaults = kopilka_relayer::Config::new(
                config.database_url.clone(),
                config.rpc_url.clone(),
                &deployment,
                config.senders.clone(),
            );
            config.batch = defaults.batch;
            config.follow = defaults.follow;
            config.poll_interval = defaults.poll_interval;
            config.senders = kopilka_testkit::DEV_KEYS[1..].iter().map(|key| Signer::from_key(key).unwrap()).collect();
        })
        .await?;
    let client = relayer.client.clone();
    post(&world, &relayer, "registrations", at_once, registrations, async |request| client.register(&request).await)
        .await?;
    world.open_pledging().await?;
    let client = relayer.client.clone();
    post(&world, &relayer, "allocations", at_once, allocations, async |request| client.allocate(&request).await)
        .await?;
    relayer.stop().await
}

async fn post<T>(
    world: &World,
    relayer: &Relayer,
    what: &str,
    at_once: usize,
    requests: Vec<T>,
    send: impl AsyncFn(T) -> Result<Accepted, ClientError>,
) -> anyhow::Result<()> {
    let count = requests.len();
    let started = Instant::now();
    let send = &send;
    let mut answers = futures::stream::iter(requests)
        .map(|request| async move {
            let asked = Instant::now();
            let accepted = send(request).await?;
            Ok::<_, ClientError>((accepted.id, asked, asked.elapsed()))
        })
        .buffer_unordered(at_once);
    // Inclusion is seen from outside: by asking the queue's table for what is no longer on its way.
    let pool = world.database.pool.clone();
    let kind = what.trim_end_matches('s').to_owned();
    let watch = tokio::spawn(async move {
        let mut seen: Vec<(B256, Instant)> = Vec::new();
        let mut known = std::collections::HashSet::new();
        while seen.len() < count {
            let rows: Vec<Vec<u8>> = sqlx::query_scalar(
                "select id from relay.messages where status in ('mined', 'finalized', 'failed') and kind = $1",
            )
            .bind(&kind)
            .fetch_all(&pool)
            .await
            .unwrap();
            let now = Instant::now();
            for row in rows {
                let id = B256::from_slice(&row);
                if known.insert(id) {
                    seen.push((id, now));
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        seen
    });
    let mut accepted = Vec::with_capacity(count);
    while let Some(answer) = answers.next().await {
        accepted.push(answer?);
    }
    let posting = started.elapsed();
    let seen: std::collections::HashMap<B256, Instant> = watch.await?.into_iter().collect();
    let all = started.elapsed();
    let waits = |mut waits: Vec<f64>| {
        waits.sort_unstable_by(f64::total_cmp);
        (waits[waits.len() / 2], waits[waits.len() * 99 / 100])
    };
    let accept = waits(accepted.iter().map(|(_, _, wait)| wait.as_secs_f64() * 1e3).collect());
    let inclusion = waits(accepted.iter().map(|(id, asked, _)| (seen[id] - *asked).as_secs_f64()).collect());
    let gas: (i64, i64) =
        sqlx::query_as("select coalesce(sum(gas_used), 0)::bigint, count(*) from relay.submissions where kind = $1")
            .bind(what.trim_end_matches('s'))
            .fetch_one(&world.database.pool)
            .await?;
    let status = relayer.client.status().await?;
    println!(
        "{what}: accepted {:.0}/s (p50 {:.0} ms, p99 {:.0} ms); on chain {:.0}/s (p50 {:.1} s, p99 {:.1} s); {} gas each in {} transactions; {} failed",
        count as f64 / posting.as_secs_f64(),
        accept.0,
        accept.1,
        count as f64 / all.as_secs_f64(),
        inclusion.0,
        inclusion.1,
        gas.0 / count as i64,
        gas.1,
        status.failed,
    );
    Ok(())
}
