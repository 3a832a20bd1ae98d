//! Whether the rows stay those of a clean run through everything that goes wrong: `scripts/test-faults indexer`.
//!
//! - `storm [seeds] [first seed]`: a node that fails, lags, omits and reorganises its chain as a seed says, and an indexer
//!   process that is killed twice (SIGKILL) at random moments; alternately the whole chain and our logs alone.
//! - `postgres`: the database server is killed hard, again and again.
//! - `disk`: the database's disk is full for a while. Needs root, to mount a small file system.
//!
//! After each the rows are compared with those of a clean run, `verify` compares them once more with the node, and, where
//! `KOPILKA_BINARY` names the program, `kopilka audit` recounts every round from the chain and holds the rows against that.

#[path = "../tests/indexer/election.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod election;
#[path = "../tests/indexer/services.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod services;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use anyhow::{Context as _, bail, ensure};
use futures::TryStreamExt as _;
use kopilka_bindings::deploy::Deployment;
use kopilka_embedded::{Durability, Lifetime, Postgres, PostgresConfig, Toolchain};
use kopilka_indexer::{Config, Finality, verify};
use kopilka_store::chain::{state, tables};
use kopilka_testkit::node::{BadNode, Dice, Faults, LONGEST_FORK, Recording};
use kopilka_testkit::{TestChain, TestDatabase};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

type Dump = BTreeMap<&'static str, Vec<String>>;

const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["child", rpc_url, database_url, deployment, full] => {
            child(rpc_url, database_url, Path::new(deployment), *full == "full").await
        }
        ["storm", rest @ ..] => {
            let number = |at: usize, default: u64| rest.get(at).map_or(Ok(default), |text| text.parse());
            storm(number(0, 100)?, number(1, 1)?).await
        }
        ["postgres"] => postgres().await,
        ["disk"] => disk().await,
        _ => bail!("usage: faults storm [seeds] [first seed] | postgres | disk"),
    }
}

/// The process that is killed.
async fn child(rpc_url: &str, database_url: &str, deployment: &Path, full: bool) -> anyhow::Result<()> {
    let deployment: Deployment = serde_json::from_slice(&std::fs::read(deployment)?)?;
    let database = kopilka_store::connect(database_url, 4).await?;
    let config = config(rpc_url, deployment, database, full)?;
    kopilka_indexer::run(config, CancellationToken::new()).await
}

fn config(rpc_url: &str, deployment: Deployment, database: PgPool, full: bool) -> anyhow::Result<Config> {
    let mut config = Config::new(rpc_url.parse()?, deployment, database);
    config.full = full;
    config.poll = Duration::from_millis(5);
    config.finality = Finality::Depth(LONGEST_FORK + 1);
    config.shorter_after = Duration::from_secs(2);
    Ok(config)
}

/// A chain, its recording, its contracts, and what a clean run makes of it.
struct Truth {
    chain: TestChain,
    recording: Arc<Recording>,
    deployment: Deployment,
    full: Dump,
    logs: Dump,
}

impl Truth {
    async fn make() -> anyhow::Result<Self> {
        let chain = TestChain::start().await?;
        let election = election::Election::new(&chain);
        for step in election::STEPS {
            election.run(step).await?;
        }
        let recording = Arc::new(Recording::of(&chain.anvil.url()).await?);
        let deployment = chain.deployment.clone();
        let mut dumps = Vec::new();
        for full in [true, false] {
            let node = BadNode::start(recording.clone(), recording.head(), Faults::default(), 0).await?;
            let database = TestDatabase::create().await?;
            let mut config = config(&node.url, deployment.clone(), database.pool.clone(), full)?;
            config.until = Some(recording.head());
            kopilka_indexer::run(config, CancellationToken::new()).await?;
            dumps.push(dump(&database.pool).await?);
        }
        let (Some(logs), Some(full)) = (dumps.pop(), dumps.pop()) else { bail!("two dumps were made") };
        for (table, rows) in &full {
            ensure!(!rows.is_empty(), "chain.{table} is empty: the comparison would prove nothing of it");
        }
        println!("a chain of {} blocks; {} rows in {} tables", recording.head() + 1, count(&full), full.len());
        Ok(Self { chain, recording, deployment, full, logs })
    }

    fn expected(&self, full: bool) -> &Dump {
        if full { &self.full } else { &self.logs }
    }
}

/// The two programs that operators have for the question whether an index is right: both must say yes.
async fn ensure_agreed(truth: &Truth, url: &str) -> anyhow::Result<()> {
    let database = kopilka_store::connect(url, 3).await?;
    let scratch = TestDatabase::create().await?;
    let config = Config::new(truth.chain.anvil.url().parse()?, truth.deployment.clone(), database.clone());
    let findings = verify::against_chain(config, &scratch.pool).await?;
    ensure!(findings.rows > 100 && findings.differences.is_empty(), "verify: {findings:?}");
    scratch.remove().await?;
    let rounds: Vec<Vec<u8>> =
        sqlx::query_scalar("select address::bytea from chain.rounds").fetch_all(&database).await?;
    database.close().await;
    ensure!(!rounds.is_empty(), "there are rounds to audit");
    let Some(program) = std::env::var_os("KOPILKA_BINARY") else { return Ok(()) };
    for round in rounds {
        let round = Address::try_from(round.as_slice())?.to_string();
        let arguments = ["audit", "--round", &round, "--rpc-url", &truth.chain.anvil.url(), "--database-url", url]
            .map(str::to_owned);
        let done = Command::new(&program).args(arguments).output()?;
        let said = String::from_utf8_lossy(&done.stdout);
        ensure!(
            done.status.success() && said.contains("tables agree with the chain"),
            "audit: {said}{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    Ok(())
}

fn count(dump: &Dump) -> usize {
    dump.values().map(Vec::len).sum()
}

async fn dump(database: &PgPool) -> anyhow::Result<Dump> {
    let mut dump = Dump::new();
    let mut connection = database.acquire().await?;
    for table in tables::RAW.iter().chain(tables::DERIVED) {
        dump.insert(table.name, tables::rows_as_text(&mut connection, *table, false).try_collect().await?);
    }
    Ok(dump)
}

fn compare(what: &str, found: &Dump, expected: &Dump) -> anyhow::Result<()> {
    for (table, rows) in expected {
        let found = &found[table];
        for row in rows {
            ensure!(found.contains(row), "{what}: chain.{table} lacks {row}");
        }
        ensure!(found.len() == rows.len(), "{what}: chain.{table} has {} rows, expected {}", found.len(), rows.len());
    }
    Ok(())
}

/// An indexer process.
struct Process {
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Process {
    fn new(rpc_url: &str, database_url: &str, deployment: &Path, full: bool) -> Self {
        let mode = if full { "full" } else { "logs" };
        let arguments = ["child", rpc_url, database_url, &deployment.to_string_lossy(), mode].map(str::to_owned);
        Self { arguments: arguments.into(), child: None }
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let child = Command::new(std::env::current_exe()?).args(&self.arguments).stdout(Stdio::null()).spawn()?;
        self.child = Some(child);
        Ok(())
    }

    /// SIGKILL.
    fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Waits until a block of the recording is the highest that is indexed.
    async fn reach(&mut self, database: &PgPool, recording: &Recording, block: u64) -> anyhow::Result<()> {
        let started = Instant::now();
        let expected = (block, recording.hash(block));
        loop {
            let tip = async { anyhow::Ok(state::tip(&mut *database.acquire().await?).await?) };
            let tip = tip.await;
            if tip.as_ref().is_ok_and(|tip| *tip == Some(expected)) {
                return Ok(());
            }
            if let Some(ended) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("the indexer ended by itself: {ended}");
            }
            ensure!(started.elapsed() < PATIENCE, "not at block {block} after {PATIENCE:?}: {tip:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("an indexer process is left over: {error}");
        }
    }
}

async fn storm(seeds: u64, first: u64) -> anyhow::Result<()> {
    let truth = Truth::make().await?;
    let dir = std::env::temp_dir().join(format!("kopilka-faults-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let deployment = dir.join("deployment.json");
    std::fs::write(&deployment, serde_json::to_vec(&truth.deployment)?)?;
    let started = Instant::now();
    let (mut faults, mut reorgs) = (0, 0);
    for seed in first..first + seeds {
        let full = seed % 2 == 0;
        let what = format!("seed {seed} ({})", if full { "whole chain" } else { "our logs alone" });
        let found = one_storm(&truth, &deployment, seed, full).await.with_context(|| what.clone())?;
        compare(&what, &found.dump, truth.expected(full))?;
        println!("{what}: {} faults, {} reorgs; equal", found.faults, found.reorgs);
        faults += found.faults;
        reorgs += found.reorgs;
    }
    std::fs::remove_dir_all(&dir)?;
    let agreed = if std::env::var_os("KOPILKA_BINARY").is_some() { "verify and audit agree" } else { "verify agrees" };
    println!(
        "{seeds} seeds from {first} on: {faults} faults, {reorgs} reorgs followed, {} kills; all rows as in a clean run, {agreed}; {:.0?}",
        2 * seeds,
        started.elapsed()
    );
    Ok(())
}

struct Survived {
    dump: Dump,
    faults: u64,
    reorgs: i64,
}

async fn one_storm(truth: &Truth, deployment: &Path, seed: u64, full: bool) -> anyhow::Result<Survived> {
    let dice = Dice::new(seed ^ 0x5eed);
    let faults =
        Faults { max_blocks: [0, 1, 7, 25][dice.below(4) as usize], hides_logs: dice.hits(250), ..Faults::storm() };
    let recording = &truth.recording;
    let node = BadNode::start(recording.clone(), 5 + dice.below(recording.head() / 2), faults, seed).await?;
    let database = TestDatabase::create().await?;
    let mut process = Process::new(&node.url, &database.url, deployment, full);
    process.start()?;
    let mut kills = [dice.below(recording.head()), dice.below(recording.head())];
    kills.sort_unstable();
    let mut killed = 0;
    let mut grown = false;
    while !grown || killed < kills.len() {
        follow(&database.pool, node.head()).await?;
        tokio::time::sleep(Duration::from_millis(dice.below(20))).await;
        grown = node.step();
        if killed < kills.len() && node.head() >= kills[killed] {
            tokio::time::sleep(Duration::from_millis(dice.below(30))).await;
            process.kill()?;
            process.start()?;
            killed += 1;
        }
    }
    process.reach(&database.pool, recording, recording.head()).await?;
    process.kill()?;
    let reorgs = sqlx::query_scalar("select reorgs from chain.head").fetch_one(&database.pool).await?;
    let dump = dump(&database.pool).await?;
    ensure_agreed(truth, &database.url).await?;
    database.remove().await?;
    Ok(Survived { dump, faults: node.faults_made(), reorgs })
}

/// Lets the index come to the head, so that reorgs meet it; but not for long.
async fn follow(database: &PgPool, head: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1_500) {
        let tip = state::tip(&mut *database.acquire().await?).await?;
        if tip.is_some_and(|(number, _)| number >= head) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// A folder that the server's user can reach, too.
fn open_folder() -> anyhow::Result<tempfile::TempDir> {
    let dir = tempfile::tempdir()?;
    let opened = Command::new("chmod").arg("0755").arg(dir.path()).status()?;
    ensure!(opened.success(), "chmod failed");
    Ok(dir)
}

/// A Postgres of its own in a folder; on the port where it was before.
async fn server(dir: &Path, port: Option<u16>) -> anyhow::Result<Postgres> {
    let config =
        PostgresConfig { dir: dir.to_owned(), port, durability: Durability::Full, lifetime: Lifetime::Detached };
    Ok(Postgres::start(&Toolchain::locate()?, &config).await?)
}

/// Kills all processes of a server at once, as a power cut does.
fn kill_server(data: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(data.join("postmaster.pid"))?;
    let leader: i32 = text.lines().next().context("postmaster.pid is empty")?.trim().parse()?;
    let mut victims = vec![leader];
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The fields after the name in parentheses: state, parent.
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<i32>().ok());
        if parent == Some(leader) {
            victims.push(id);
        }
    }
    for victim in &victims {
        let done = Command::new("kill").args(["-9", &victim.to_string()]).stderr(Stdio::null()).status()?;
        ensure!(done.success() || *victim != leader, "the server could not be killed");
    }
    // A new server does not start before the last process of the old one is gone; a zombie is.
    let started = Instant::now();
    let lives = |victim: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{victim}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    };
    while victims.iter().any(lives) {
        ensure!(started.elapsed() < PATIENCE, "processes of the killed server are still there");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Where nobody reaps zombies, a new server would take the old one for alive.
    std::fs::remove_file(data.join("postmaster.pid"))?;
    Ok(())
}

async fn postgres() -> anyhow::Result<()> {
    let truth = Truth::make().await?;
    let dir = open_folder()?;
    let deployment = dir.path().join("deployment.json");
    std::fs::write(&deployment, serde_json::to_vec(&truth.deployment)?)?;
    let folder = dir.path().join("postgres");
    let mut running = server(&folder, None).await?;
    let admin = kopilka_store::connect(&running.url("postgres"), 1).await?;
    sqlx::query("create database faults").execute(&admin).await?;
    let data: String = sqlx::query_scalar("show data_directory").fetch_one(&admin).await?;
    let data = Path::new(&data);
    admin.close().await;
    let url = running.url("faults");
    let port = url.parse::<url::Url>()?.port();
    kopilka_store::migrate(&kopilka_store::connect(&url, 2).await?).await?;

    let dice = Dice::new(7);
    let recording = &truth.recording;
    let node = BadNode::start(recording.clone(), 5, Faults { reorgs: 100, ..Faults::default() }, 7).await?;
    let mut process = Process::new(&node.url, &url, &deployment, true);
    process.start()?;
    for _ in 0..5 {
        for _ in 0..4 + dice.below(6) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            node.step();
        }
        kill_server(data)?;
        drop(running);
        tokio::time::sleep(Duration::from_millis(500)).await;
        running = server(&folder, port).await?;
        ensure!(running.url("faults") == url, "the server came back at another address");
    }
    while !node.step() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let database = kopilka_store::connect(&url, 2).await?;
    process.reach(&database, recording, recording.head()).await?;
    process.kill()?;
    compare("after five hard stops of Postgres", &dump(&database).await?, truth.expected(true))?;
    ensure_agreed(&truth, &url).await?;
    database.close().await;
    kill_server(data)?;
    println!("Postgres was killed hard five times; all rows as in a clean run");
    Ok(())
}

async fn disk() -> anyhow::Result<()> {
    let dir = open_folder()?;
    let small = dir.path().join("small");
    std::fs::create_dir(&small)?;
    let mount =
        |options: &str| Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&small).status();
    if !mount("size=40m,mode=0777")?.success() {
        println!("skipped: a full disk needs root, to mount a small file system");
        return Ok(());
    }
    let result = full_disk(&small).await;
    Command::new("umount").arg("-l").arg(&small).status()?;
    result
}

async fn full_disk(small: &Path) -> anyhow::Result<()> {
    let truth = Truth::make().await?;
    let deployment = std::env::temp_dir().join(format!("kopilka-faults-{}.json", std::process::id()));
    std::fs::write(&deployment, serde_json::to_vec(&truth.deployment)?)?;
    let database = TestDatabase::create().await?;
    // A database of its own on the small disk.
    let space = format!("small_{}", std::process::id());
    let folder = small.join("space");
    std::fs::create_dir(&folder)?;
    let data: String = sqlx::query_scalar("show data_directory").fetch_one(&database.pool).await?;
    let copied = Command::new("chown").arg(format!("--reference={data}")).arg(&folder).status()?;
    ensure!(copied.success(), "chown failed");
    let create = format!("create tablespace {space} location '{}'", folder.display());
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&database.pool).await?;
    let name = format!("disk_{}", std::process::id());
    let create = format!("create database {name} tablespace {space}");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&database.pool).await?;
    let mut url: url::Url = database.url.parse()?;
    url.set_path(&name);
    let pool = kopilka_store::connect(url.as_str(), 2).await?;
    kopilka_store::migrate(&pool).await?;

    // It is full in the middle of the chain.
    let recording = &truth.recording;
    let half = recording.head() / 2;
    let node = BadNode::start(recording.clone(), half, Faults::default(), 1).await?;
    let mut process = Process::new(&node.url, url.as_str(), &deployment, true);
    process.start()?;
    process.reach(&pool, recording, half).await?;
    let ballast = small.join("ballast");
    let mut fill = Command::new("dd");
    fill.args(["if=/dev/zero", "bs=64k"]).arg(format!("of={}", ballast.display())).stderr(Stdio::null());
    ensure!(!fill.status()?.success(), "dd ends with an error when the disk is full");
    node.show(recording.head());
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (tip, _) = state::tip(&mut *pool.acquire().await?).await?.context("the index has lost its blocks")?;
    ensure!((half..recording.head()).contains(&tip), "the index is at block {tip}: the full disk did not stop it");
    std::fs::remove_file(&ballast)?;
    process.reach(&pool, recording, recording.head()).await?;
    process.kill()?;
    compare("after a full disk", &dump(&pool).await?, truth.expected(true))?;
    ensure_agreed(&truth, url.as_str()).await?;
    pool.close().await;
    for statement in [format!("drop database {name}"), format!("drop tablespace {space}")] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&database.pool).await?;
    }
    std::fs::remove_file(&deployment)?;
    println!("the disk was full at block {tip} of {}; afterwards all rows as in a clean run", recording.head());
    Ok(())
}
