//! Connects and wires the parts, and ends them together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::chain::Chain;
use crate::config::{Config, Contracts};
use crate::engine::{Engine, Faults, Senders, run_dispatch, run_follow};
use crate::intake::{Intake, Queue};
use crate::limits::Limiter;
use crate::stamps::Stamps;
use crate::venue::Venues;
use crate::watch::Watch;

/// How long requests may take to end once the relayer is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a relayer on a bound listener until it is cancelled. The schema must be migrated.
///
/// # Errors
/// When it cannot start (no database, no node, another chain, no register of rounds), or at the configured fault.
pub async fn run(config: Config, listener: TcpListener, cancel: CancellationToken) -> anyhow::Result<()> {
    check(&config)?;
    let pool = kopilka_store::relay::connect(&config.database_url, config.database_connections).await?;
    let (chain, heads) = Chain::new(&config.rpc_url, config.rpc_timeout, config.chain_id, config.poll_interval)?;
    check_chain(&config, &chain).await?;

    let queue = Arc::new(Queue::default());
    queue.set_depth(kopilka_store::relay::messages::queued_count(&mut *pool.acquire().await?).await?);
    let venues = Arc::new(Venues::new(chain.clone(), config.contracts));
    let senders = Arc::new(Senders::new(config.senders));
    let faults = Faults::new(config.fault);
    let (intake, collector) = Intake::new(
        pool.clone(),
        chain.clone(),
        queue.clone(),
        config.intake.clone(),
        config.contracts.reward_points,
        Limiter::new(config.limits.per_account),
        faults.clone(),
    );
    let watch = Watch::default();
    let engine = Arc::new(Engine {
        pool: pool.clone(),
        chain: chain.clone(),
        venues: venues.clone(),
        senders: senders.clone(),
        queue,
        batch: config.batch,
        fees: config.fees,
        follow: config.follow,
        first_block: config.first_block,
        faults,
    });
    let router = api::router(Arc::new(api::State {
        pool: pool.clone(),
        chain: chain.clone(),
        venues,
        intake,
        stamps: Stamps::new(config.stamp_keys),
        senders: senders.clone(),
        watch: watch.clone(),
        status: api::StatusCache::default(),
        prometheus: config.prometheus,
        networks: Limiter::new(config.limits.per_network),
        behind_proxy: config.limits.behind_proxy,
        body_limit: config.intake.body_limit,
        bulk_limit: config.intake.bulk_limit,
    }));

    // The parts end in two steps: first no more requests, then, when those at work are answered, the rest.
    let closed = CancellationToken::new();
    let mut parts: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let (database_url, chain_id) = (config.database_url, config.chain_id);
    parts.spawn(never_fails(heads.run(closed.clone())));
    parts.spawn(never_fails(senders.hold_leases(database_url, chain_id, closed.clone())));
    parts.spawn(never_fails(collector.run(closed.clone())));
    parts.spawn(never_fails(watch.run(pool.clone(), cancel.clone())));
    let (stop, work) = (closed.clone(), engine.clone());
    parts.spawn(async move { Ok(run_dispatch(work, stop).await?) });
    let (stop, work) = (closed.clone(), engine);
    parts.spawn(async move { Ok(run_follow(work, stop).await?) });
    let stop = cancel.clone();
    tracing::info!(address = ?listener.local_addr().ok(), chain_id, "relayer started");
    parts.spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::select! {
            result = server => result.context("the HTTP server failed")?,
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {}
        }
        closed.cancel();
        Ok(())
    });

    while let Some(part) = parts.join_next().await {
        // Dropping the set at an error ends all other parts at once, wherever they are: recovery does not need more.
        part.context("a part of the relayer panicked")??;
        if !cancel.is_cancelled() {
            bail!("a part of the relayer ended by itself");
        }
    }
    Ok(())
}

async fn never_fails(part: impl Future<Output = ()>) -> anyhow::Result<()> {
    part.await;
    Ok(())
}

fn check(config: &Config) -> anyhow::Result<()> {
    if config.follow.confirmations == 0 {
        bail!("confirmations must be 1 or more: the transaction's own block counts as the first");
    }
    let mut addresses: Vec<_> = config.senders.iter().map(|signer| signer.address()).collect();
    addresses.sort_unstable();
    if let Some(pair) = addresses.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("the sender {} is configured twice: give each key once", pair[0]);
    }
    if config.database_connections < 4 {
        bail!("the relayer needs 4 database connections or more, not {}", config.database_connections);
    }
    if addresses.is_empty() {
        tracing::warn!("no sender is configured: messages are accepted, and wait for a relayer that has one");
    }
    Ok(())
}

async fn check_chain(config: &Config, chain: &Chain) -> anyhow::Result<()> {
    let actual = chain.node_chain_id().await.context("the chain's node does not answer")?;
    if actual != config.chain_id {
        bail!("the node serves chain {actual}, but the relayer is configured for chain {}", config.chain_id);
    }
    let Contracts { rounds, polls, reward_points, reward_shop } = config.contracts;
    let contracts =
        [("register of rounds", rounds), ("polls", polls), ("points", reward_points), ("shop", reward_shop)];
    for (name, address) in contracts {
        if !chain.has_code(address).await.context("the chain's node does not answer")? {
            bail!("there is no contract at {address}: is this the {name} of this chain?");
        }
    }
    Ok(())
}
