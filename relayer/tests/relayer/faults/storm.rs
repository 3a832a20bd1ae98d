//! One storm: citizens send messages to relayers while everything around them breaks, then the weather clears.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy::network::TransactionBuilder as _;
use alloy::primitives::{U256, keccak256};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, ensure};
use kopilka_credential::{BlindSignature, Blinding, blind, unblind};
use kopilka_domain::Allotment;
use kopilka_embedded::{Durability, Lifetime, Postgres, PostgresConfig, Toolchain};
use kopilka_relay_client::{Accepted, ClientError, RelayClient, Request, StampClaimRequest};
use kopilka_relayer::FaultPoint;
use kopilka_testkit::{DEV_KEYS, TestDatabase, repository_root};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::ledger::{Ledger, Tally};
use super::process::{Process, Settings, log_file};
use super::proxy::{Proxy, Weather};
use crate::fixture::{Citizen, Options, World};
use crate::polls::{Poll, poll, prize, redemption, scope};

/// Time of one step of the script; a block is mined in most of them.
const STEP: Duration = Duration::from_millis(100);
/// Longest wait for everything to be final once the weather is fine.
const CALM: Duration = Duration::from_secs(90);
/// Citizens who take part in the round.
const CITIZENS: usize = 16;
/// Citizens who vote in the poll, claim their stamp and redeem a prize.
const VOTERS: usize = 8;
/// What the prize is.
const PRIZE: &str = "a ticket";
/// Pieces of the prize.
pub const STOCK: u32 = 1_000;
const STEPS: u32 = 45;

/// What a storm has in it; each part is drawn from the seed.
#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub processes: usize,
    pub confirmations: u64,
    pub weather: Weather,
    /// Chance in each step that a process is killed.
    pub kills: f64,
    pub fault: Option<(FaultPoint, u32)>,
    /// Steps in which Postgres is stopped, immediately.
    pub postgres: Vec<u32>,
    /// Steps in which so many blocks are replaced.
    pub reorgs: Vec<(u32, u64)>,
    /// Steps between which blocks are dear.
    pub spike: Option<(u32, u32)>,
    /// Step in which the first sender loses its money, and whether it comes back before the end.
    pub drained: Option<(u32, bool)>,
    /// Step in which a stranger uses the first sender's key so many times.
    pub stranger: Option<(u32, u32)>,
    /// Steps between which nonces are shown wrongly, and by how much.
    pub nonces: Option<(u32, u32, i64)>,
    /// Steps between which the node answers nothing.
    pub outage: Option<(u32, u32)>,
}

impl Script {
    /// The same seed is the same script; what the threads make of it differs a little each time.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let step = |rng: &mut StdRng| rng.random_range(3..STEPS - 5);
        let is_bad = rng.random_bool(0.8);
        let weather = if is_bad {
            Weather {
                drop_request: 0.05,
                drop_response: 0.05,
                delay: 0.2,
                refuse: 0.05,
                error: 0.03,
                stale: rng.random_range(0..=3),
                swallow: if rng.random_bool(0.5) { 0.2 } else { 0.0 },
                ..Weather::default()
            }
        } else {
            Weather::default()
        };
        let fault = rng.random_bool(0.5).then(|| (*FaultPoint::ALL.choose(&mut rng).unwrap(), rng.random_range(0..3)));
        Self {
            seed,
            processes: if rng.random_bool(0.5) { 2 } else { 1 },
            confirmations: *[1, 3, 6].choose(&mut rng).unwrap(),
            weather,
            kills: if rng.random_bool(0.6) { 0.06 } else { 0.0 },
            fault,
            postgres: if rng.random_bool(0.3) { vec![step(&mut rng)] } else { Vec::new() },
            reorgs: (0..rng.random_range(0..3))
                .map(|_| (step(&mut rng), if rng.random_bool(0.25) { 10 } else { 1 }))
                .collect(),
            spike: rng.random_bool(0.3).then(|| (8, 8 + rng.random_range(5..20))),
            drained: rng.random_bool(0.3).then(|| (step(&mut rng), rng.random_bool(0.5))),
            stranger: rng.random_bool(0.15).then(|| (step(&mut rng), rng.random_range(1..=3))),
            nonces: rng.random_bool(0.25).then(|| (8, 25, if rng.random_bool(0.5) { -3 } else { 4 })),
            outage: rng.random_bool(0.2).then(|| (12, 12 + rng.random_range(5..15))),
        }
    }
}

/// How a storm went.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    pub tally: Tally,
    pub kills: u64,
    /// From fine weather until everything was final.
    pub calm: Duration,
    pub calm_blocks: u64,
}

/// The server that storms may stop.
struct Server {
    config: PostgresConfig,
    running: Option<Postgres>,
}

impl Server {
    async fn start() -> anyhow::Result<Self> {
        let dir = repository_root().join(format!(".kopilka/test/faults-{}", std::process::id()));
        let config = PostgresConfig { dir, port: None, durability: Durability::Crash, lifetime: Lifetime::WithParent };
        let mut server = Self { config, running: None };
        server.resume().await?;
        Ok(server)
    }

    async fn resume(&mut self) -> anyhow::Result<()> {
        let running = Postgres::start(&Toolchain::locate()?, &self.config).await?;
        let url: url::Url = running.url("postgres").parse()?;
        self.config.port = url.port();
        self.running = Some(running);
        Ok(())
    }

    async fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(running) = self.running.take() {
            running.stop_immediately().await;
        }
        self.resume().await
    }

    /// A fresh, migrated database.
    async fn database(&self) -> anyhow::Result<TestDatabase> {
        let server = self.running.as_ref().context("Postgres is stopped")?;
        let name = format!("storm_{}", rand::random::<u64>());
        let admin = kopilka_store::connect(&server.url("postgres"), 1).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&admin).await?;
        admin.close().await;
        let url = server.url(&name);
        let pool = kopilka_store::connect(&url, 8).await?;
        kopilka_store::migrate(&pool).await?;
        Ok(TestDatabase { pool, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.take();
        let _ = std::fs::remove_dir_all(&self.config.dir);
    }
}

/// A poll with a source of points, and a prize for them.
pub struct Shop {
    pub poll: Poll,
    pub prize: u64,
}

/// What the parts of a storm share.
struct Scene {
    world: World,
    shop: Shop,
    proxy: Proxy,
    server: Mutex<Server>,
    processes: Mutex<Vec<(Settings, Process)>>,
    clients: Vec<RelayClient>,
    ledger: Mutex<Ledger>,
    is_dear: AtomicBool,
    /// Held while a block is made or blocks are replaced: anvil does not expect both at once.
    mining: Mutex<()>,
    blocks: AtomicU64,
    kills: AtomicU64,
    log: PathBuf,
}

/// Runs a storm; an error says what does not hold.
pub async fn run(script: Script) -> anyhow::Result<Report> {
    // One at a time: each wants the whole machine, and a Postgres to stop.
    static ONE: Mutex<()> = Mutex::const_new(());
    let _one = ONE.lock().await;
    let server = Server::start().await?;
    let database = server.database().await?;
    let options = Options { allotment: Allotment::Fixed, ..Options::default() };
    let world = World::start_on(options, database).await?;
    world.open_pledging().await?;
    let shop = Shop { poll: poll(&world, true, 1_000).await?, prize: prize(&world, STOCK, keccak256(PRIZE)).await? };
    world.set_automine(false).await?;
    for _ in 0..12 {
        world.mine().await?;
    }
    let proxy = Proxy::start(world.chain.anvil.url(), script.seed).await?;
    let logs = repository_root().join(".kopilka/test/faults");
    std::fs::create_dir_all(&logs)?;
    let log = log_file(&logs, &format!("storm-{}", script.seed));
    let _ = std::fs::remove_file(&log);
    let mut processes = Vec::new();
    for index in 0..script.processes {
        let settings = Settings {
            database_url: world.database.url.clone(),
            rpc_url: proxy.url.clone(),
            deployment: world.chain.deployment.clone(),
            // The second sender is known to both processes.
            keys: DEV_KEYS[1 + index..3 + index].iter().map(|&key| key.to_owned()).collect(),
            port: free_port()?,
            confirmations: script.confirmations,
            stamp_key: *shop.poll.source_key.to_bytes(),
            fault: script.fault.filter(|_| index == 0).map(|(point, after)| (format!("{point:?}"), after)),
        };
        processes.push((settings.clone(), Process::start(&settings, &log)?));
    }
    let clients = processes.iter().map(|(_, process)| process.client.clone()).collect();
    let scene = Arc::new(Scene {
        world,
        shop,
        proxy,
        server: Mutex::new(server),
        processes: Mutex::new(processes),
        clients,
        ledger: Mutex::default(),
        is_dear: AtomicBool::new(false),
        mining: Mutex::const_new(()),
        blocks: AtomicU64::new(0),
        kills: AtomicU64::new(0),
        log,
    });
    let mining = tokio::spawn(mine(scene.clone()));
    let result = weathered(scene.clone(), script).await;
    mining.abort();
    scene.processes.lock().await.clear();
    // Whoever drops the scene last removes the Postgres, whose folder the next storm uses.
    let patience = Instant::now() + CALM;
    while Arc::strong_count(&scene) > 1 {
        ensure!(Instant::now() < patience, "the storm is over, and something still holds its scene");
        tokio::time::sleep(STEP).await;
    }
    result
}

async fn weathered(scene: Arc<Scene>, script: Script) -> anyhow::Result<Report> {
    let mut rng = StdRng::seed_from_u64(script.seed.wrapping_mul(7));
    let mut citizens = JoinSet::new();
    for index in 0..CITIZENS {
        let start = STEP * rng.random_range(0..STEPS - 10);
        let versions = if index % 4 == 0 { 3 } else { 1 };
        citizens.spawn(citizen(scene.clone(), start, versions, rng.random()));
    }
    for index in 0..VOTERS {
        let start = STEP * rng.random_range(0..STEPS - 10);
        citizens.spawn(voter(scene.clone(), start, index % 2 == 0, rng.random()));
    }
    for step in 0..STEPS {
        act(&scene, &script, step, &mut rng).await?;
        tokio::time::sleep(STEP).await;
    }
    // Fine weather: what a person would put right is put right, everything else must heal by itself.
    scene.proxy.set(Weather::default());
    scene.is_dear.store(false, Ordering::Relaxed);
    if script.drained.is_none_or(|(_, returns)| returns) {
        fund(&scene, true).await?;
    }
    revive(&scene, None).await?;
    let began = (Instant::now(), scene.blocks.load(Ordering::Relaxed));
    let patience = Instant::now() + CALM;
    while !citizens.is_empty() {
        // A relayer that was told to break off may do so only now.
        revive(&scene, None).await?;
        ensure!(Instant::now() < patience, "{} citizens' messages were not accepted in time", citizens.len());
        if let Ok(Some(done)) = tokio::time::timeout(STEP, citizens.join_next()).await {
            done??;
        }
    }
    let deadline = Instant::now() + CALM;
    let tally = loop {
        revive(&scene, None).await?;
        let ledger = scene.ledger.lock().await;
        let open = ledger.open(&scene.world.database.pool).await?;
        // Blocks go on while the comparison runs, so a mismatch counts once it stays.
        let checked = if open == 0 {
            Some(ledger.check(&scene.world, &scene.shop, &scene.world.database.pool).await)
        } else {
            None
        };
        match checked {
            Some(Ok(tally)) => break tally,
            Some(Err(error)) if Instant::now() > deadline => return Err(error),
            None if Instant::now() > deadline => anyhow::bail!("{open} messages are still on their way"),
            _ => {}
        }
        drop(ledger);
        tokio::time::sleep(STEP).await;
    };
    Ok(Report {
        tally,
        kills: scene.kills.load(Ordering::Relaxed),
        calm: began.0.elapsed(),
        calm_blocks: scene.blocks.load(Ordering::Relaxed) - began.1,
    })
}

/// A block in each step, dear or not.
async fn mine(scene: Arc<Scene>) {
    loop {
        {
            let _one = scene.mining.lock().await;
            if scene.is_dear.load(Ordering::Relaxed) {
                let _ = scene.world.anvil("anvil_setNextBlockBaseFeePerGas", json!(["0x6fc23ac00"])).await;
            }
            if scene.world.mine().await.is_ok() {
                scene.blocks.fetch_add(1, Ordering::Relaxed);
            }
        }
        tokio::time::sleep(STEP).await;
    }
}

/// What happens in a step.
async fn act(scene: &Arc<Scene>, script: &Script, step: u32, rng: &mut StdRng) -> anyhow::Result<()> {
    let within = |range: Option<(u32, u32)>| range.is_some_and(|(from, to)| (from..to).contains(&step));
    let nonce_offset = match script.nonces {
        Some((from, to, offset)) if (from..to).contains(&step) => offset,
        _ => 0,
    };
    // The first steps are fair, so that every relayer comes up once.
    let weather = if step < 3 { Weather::default() } else { script.weather };
    scene.proxy.set(Weather { nonce_offset, outage: within(script.outage), ..weather });
    scene.is_dear.store(within(script.spike), Ordering::Relaxed);
    if rng.random_bool(script.kills) {
        let index = rng.random_range(0..script.processes);
        scene.processes.lock().await[index].1.kill();
        scene.kills.fetch_add(1, Ordering::Relaxed);
    }
    if script.postgres.contains(&step) {
        scene.server.lock().await.crash().await?;
    }
    for (_, depth) in script.reorgs.iter().filter(|(at, _)| *at == step) {
        let _one = scene.mining.lock().await;
        scene.world.anvil("anvil_reorg", json!([depth, []])).await.context("anvil did not reorganise")?;
    }
    if script.drained.is_some_and(|(at, _)| at == step) {
        fund(scene, false).await?;
    }
    if script.drained.is_some_and(|(at, returns)| returns && at + 10 == step) {
        fund(scene, true).await?;
    }
    if let Some((_, times)) = script.stranger.filter(|(at, _)| *at == step) {
        let stranger = scene.world.chain.provider(1)?;
        let nonce = stranger.get_transaction_count(scene.world.chain.account(1)?).await?;
        for nonce in nonce..nonce + u64::from(times) {
            let request = TransactionRequest::default()
                .with_to(scene.world.chain.account(0)?)
                .with_value(U256::from(1))
                .with_nonce(nonce)
                .with_gas_limit(21_000)
                .with_max_priority_fee_per_gas(50_000_000_000)
                .with_max_fee_per_gas(200_000_000_000);
            // A sender without funds cannot be misused either.
            let _ = stranger.send_transaction(request).await;
        }
    }
    // A service manager starts again what has ended, some steps later.
    revive(scene, Some(rng)).await
}

/// Starts processes that have ended; with a chance of one third if `rng` is given.
async fn revive(scene: &Scene, mut rng: Option<&mut StdRng>) -> anyhow::Result<()> {
    for (settings, process) in scene.processes.lock().await.iter_mut() {
        if process.is_running() || rng.as_deref_mut().is_some_and(|rng| rng.random_bool(0.67)) {
            continue;
        }
        // It broke off where it was told to, or was killed: from now on it runs as usual.
        settings.fault = None;
        *process = Process::start(settings, &scene.log)?;
    }
    Ok(())
}

async fn fund(scene: &Scene, is_rich: bool) -> anyhow::Result<()> {
    let wei = if is_rich { "0x21e19e0c9bab2400000" } else { "0x0" };
    scene.world.anvil("anvil_setBalance", json!([scene.world.chain.account(1)?, wei])).await.map(drop)
}

/// Registers, then allocates in so many versions, and does not give up until each is accepted.
async fn citizen(scene: Arc<Scene>, start: Duration, versions: u32, seed: u64) -> anyhow::Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    tokio::time::sleep(start).await;
    let citizen = Citizen::new();
    persist(&scene, &mut rng, Request::Registration(scene.world.registration(&citizen))).await?;
    for version in 1..=versions {
        let first = rng.random_range(1..=4_u16);
        let allocation = scene.world.allocation(&citizen, version, &[first, 5], &[rng.random_range(1..=6), 4]);
        persist(&scene, &mut rng, Request::Allocation(allocation)).await?;
        tokio::time::sleep(STEP * rng.random_range(0..6)).await;
    }
    Ok(())
}

/// Votes, perhaps changes the vote, claims the stamp to another account, and redeems a prize for the points.
async fn voter(scene: Arc<Scene>, start: Duration, changes: bool, seed: u64) -> anyhow::Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    tokio::time::sleep(start).await;
    let (world, shop) = (&scene.world, &scene.shop);
    let citizen = Citizen::new();
    let points_key = PrivateKeySigner::random();
    let contract = world.chain.deployment.reward_points;
    let blinding = Blinding::generate(&mut rand::rng());
    let stamp_scope = scope(world, contract, shop.poll.source);
    let blinded = blind(&stamp_scope, points_key.address().into_array().into(), &blinding);
    let mut ballot = shop.poll.ballot(world, &citizen, 1, rng.random_range(0..3));
    ballot.stamp = Some(blinded.to_bytes().to_vec().into());
    let accepted = persist(&scene, &mut rng, Request::Ballot(ballot)).await?;
    let stamp = accepted.stamp.context("the ballot got no stamp")?;
    if changes {
        let ballot = shop.poll.unproven(world, &citizen, 2, rng.random_range(0..3));
        persist(&scene, &mut rng, Request::Ballot(ballot)).await?;
    }
    let signature = unblind(&BlindSignature::from_bytes(&stamp)?, &blinding).to_bytes().to_vec().into();
    let claim = StampClaimRequest { contract, source: shop.poll.source, account: points_key.address(), signature };
    persist(&scene, &mut rng, Request::StampClaim(claim)).await?;
    let redemption = redemption(world, &points_key, shop.prize, keccak256(PRIZE), rng.random());
    persist(&scene, &mut rng, Request::Redemption(redemption)).await.map(drop)
}

/// What a node that is behind, or a message that is not on chain yet, may be the cause of.
const PASSING: [&str; 5] =
    ["account-not-registered", "round-unknown", "subject-unknown", "credential-missing", "points-insufficient"];

/// Sends until it is accepted, and writes that down.
async fn persist(scene: &Scene, rng: &mut StdRng, request: Request) -> anyhow::Result<Accepted> {
    let deadline = Instant::now() + CALM * 2;
    loop {
        let client = scene.clients.choose(rng).context("there is no relayer")?;
        match tokio::time::timeout(Duration::from_secs(5), client.send(&request)).await {
            Ok(Ok(accepted)) => {
                scene.ledger.lock().await.accepted.insert(accepted.id, request);
                return Ok(accepted);
            }
            Ok(Err(ClientError::Refused { problem, .. })) if problem.status < 500 && problem.status != 429 => {
                ensure!(PASSING.contains(&problem.slug()), "refused: {problem:?}");
            }
            _ => {}
        }
        ensure!(Instant::now() < deadline, "no relayer accepts anything");
        tokio::time::sleep(Duration::from_millis(rng.random_range(50..250))).await;
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
