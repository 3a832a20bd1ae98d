//! Measures the relayer as a process of its own, on anvil with blocks of a second and a Postgres that writes to the disk,
//! under load from another process at times fixed beforehand. `scripts/bench-relayer --help` says how.
#![expect(clippy::unwrap_used, unreachable_pub, dead_code, reason = "a measurement")]

use clap::{Args, Parser, Subcommand};
use kopilka_domain::MessageKind;

#[path = "../../tests/relayer/fixture.rs"]
mod fixture;
#[path = "../../tests/relayer/polls.rs"]
mod polls;

mod alone;
mod generator;
mod ground;
mod load;
mod measure;
mod steps;
mod volume;

use ground::{Ground, RelayerProcess, Server};
use kopilka_testkit::TestDatabase;
use measure::Blocks;
use mimalloc::MiMalloc;
use steps::{Stage, Step};

/// As in `kopilka`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Rates, waits, gas and processor time of the relayer.
#[derive(Debug, Parser)]
#[command(name = "bench-relayer")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Raise the rate of each kind of message until the queue grows, then offer 80 % of the last rate that was carried.
    Rate(RateArgs),
    /// What anvil alone executes of the same calldata.
    Alone {
        /// Messages of each kind.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
    },
    /// One message in a transaction, one transaction after the other.
    Floor {
        /// Messages of each kind.
        #[arg(long, default_value_t = 200)]
        count: usize,
    },
    /// Accept a long queue, kill the relayer, start it again.
    Restart {
        /// Messages in the queue.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
    },
    /// Memory of the relayer over many messages.
    Memory {
        /// Messages in all.
        #[arg(long, default_value_t = 1_000_000)]
        total: usize,
        /// Accounts that send them.
        #[arg(long, default_value_t = 20_000)]
        accounts: usize,
        /// Messages a second.
        #[arg(long, default_value_t = 800.0)]
        rate: f64,
    },
    /// The process that is measured.
    #[command(hide = true)]
    Relayer,
    /// The process that makes the load.
    #[command(hide = true)]
    Generate(generator::Order),
}

/// What is offered.
#[derive(Debug, Args)]
struct RateArgs {
    /// Kinds of messages.
    #[arg(long, value_delimiter = ',', default_value = "registration,allocation,ballot")]
    kinds: Vec<MessageKind>,
    /// Messages a second, ascending.
    #[arg(long, value_delimiter = ',', default_value = "600,800,1000,1200,1400,1600")]
    rates: Vec<f64>,
    /// Seconds at each rate.
    #[arg(long, default_value_t = 15.0)]
    seconds: f64,
    /// Messages in a request; more than 1 goes to `/v1/messages`.
    #[arg(long, default_value_t = 1)]
    bulk: usize,
}

const KINDS: [MessageKind; 3] = [MessageKind::Registration, MessageKind::Allocation, MessageKind::Ballot];

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let level = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(level).with_ansi(false).with_writer(std::io::stderr).init();
    let runtime = match &arguments.command {
        // The load needs one thread, and the measured ones what is left.
        Command::Generate(_) => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Runtime::new()?,
    };
    runtime.block_on(run(arguments.command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Relayer => ground::relayer().await,
        Command::Generate(order) => generator::generate(order).await,
        Command::Rate(args) => rate(args).await,
        Command::Alone { count } => {
            let ground = Ground::start(TestDatabase::create().await?).await?;
            alone::run(&ground, &loads(&ground, &KINDS, count)?, count).await
        }
        Command::Floor { count } => {
            let ground = Ground::start(TestDatabase::create().await?).await?;
            alone::floor(&ground, &loads(&ground, &KINDS, count)?, count).await
        }
        Command::Restart { count } => {
            let server = Server::start().await?;
            let ground = Ground::start(server.database().await?).await?;
            let load = load::prepare(&ground, MessageKind::Ballot, count)?;
            ground.mine_each_second().await?;
            let relayer = RelayerProcess::start_with(&ground, false, count as u64 + 1, true).await?;
            let blocks = Blocks::watch(&ground);
            volume::restart(&ground, &blocks, relayer, &load, count).await
        }
        Command::Memory { total, accounts, rate } => {
            let server = Server::start().await?;
            let ground = Ground::start(server.database().await?).await?;
            let mut load = load::prepare(&ground, MessageKind::Registration, accounts)?;
            load.accounts.truncate(accounts);
            ground.mine_each_second().await?;
            let relayer = RelayerProcess::start_with(&ground, true, 100_000, true).await?;
            let blocks = Blocks::watch(&ground);
            let stage = Stage { ground: &ground, server: &server, relayer: &relayer, blocks: &blocks };
            volume::million(&stage, &load, rate, total).await
        }
    }
}

fn loads(ground: &Ground, kinds: &[MessageKind], count: usize) -> anyhow::Result<Vec<load::Load>> {
    kinds.iter().map(|kind| load::prepare(ground, *kind, count)).collect()
}

async fn rate(args: RateArgs) -> anyhow::Result<()> {
    let server = Server::start().await?;
    let ground = Ground::start(server.database().await?).await?;
    // For all rates, and four fifths of the last one.
    let needed = (args.rates.iter().sum::<f64>() + args.rates.last().copied().unwrap_or_default()) * args.seconds;
    let loads = loads(&ground, &args.kinds, needed as usize)?;
    let registrations = load::prepare(&ground, MessageKind::Registration, needed as usize)?;
    ground.mine_each_second().await?;
    let relayer = RelayerProcess::start(&ground).await?;
    let blocks = Blocks::watch(&ground);
    let stage = Stage { ground: &ground, server: &server, relayer: &relayer, blocks: &blocks };
    let mut registered = 0;
    println!("{}", Step::heading());
    for load in &loads {
        if load.kind == MessageKind::Allocation {
            // Only registered accounts allocate: the rest of them registers unmeasured.
            let rest = needed as usize - registered;
            generator::drive(&registrations, registered, rest, 1_000.0, 100, &relayer.url).await?;
            stage.settled().await?;
        }
        let steps = stage.climb(load, &args.rates, args.seconds, args.bulk).await?;
        let mut used: usize = steps.iter().map(|step| step.offer.count()).sum();
        if let Some(bound) = steps.iter().rev().find(|step| step.is_flat()) {
            let offer = steps::Offer { first: used, rate: bound.offer.rate * 0.8, ..bound.offer };
            used += offer.count();
            println!("{}", stage.step(load, offer).await?.row());
        }
        if load.kind == MessageKind::Registration {
            registered = used;
        }
    }
    Ok(())
}
