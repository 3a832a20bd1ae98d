//! The commands and their arguments.

/// Prints a line as `println!` does, except that a reader who has closed the pipe (`kopilka … | head`) is no failure.
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::print_line(format_args!($($text)*)) };
}

mod audit;
mod ceremony;
mod deploy;
mod indexer;
mod milestones;
mod portal;
mod relayer;
mod replay;
mod round;
mod up;

use std::io::IsTerminal as _;

use clap::{Parser, Subcommand};

/// Participatory budgeting with tokens that equal money and choices that nobody can link to a citizen.
#[derive(Debug, Parser)]
#[command(name = "kopilka", version, about, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print more: -v for progress of the services, -vv for everything.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

const EXAMPLES: &str = "\
Examples:
  kopilka up                                      run everything on an embedded Postgres and anvil
  kopilka replay demo/Zarechensk_2026.pb          let an invented town vote on the running system
  kopilka audit --round 0x…                       recount a round from the chain alone

Settings may also stand in the environment or in a file .env (see docs/operations.md).";

/// What `say!` does.
fn print_line(text: std::fmt::Arguments<'_>) {
    use std::io::Write as _;

    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        panic!("cannot print: {error}");
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all services in one process, on an embedded Postgres and anvil or on given addresses.
    Up(Box<up::UpArgs>),
    /// Run the portal of another office that keeps a share of an issuer key.
    Portal(Box<portal::PortalArgs>),
    /// Put the contracts on a chain and write their addresses, or check that they stand there.
    Deploy(deploy::DeployArgs),
    /// Bring a database's schema up to this version.
    Migrate(deploy::MigrateArgs),
    /// What municipal staff do: create a round, open and close its phases, settle it, record payments.
    #[command(subcommand)]
    Round(round::RoundCommand),
    /// What municipal staff do after a result is final: deadlines, stages and documents of the winners.
    #[command(subcommand)]
    Milestones(milestones::MilestonesCommand),
    /// Look after the index of the chain.
    #[command(subcommand)]
    Indexer(indexer::IndexerCommand),
    /// Look after the queue of a relayer.
    #[command(subcommand)]
    Relayer(relayer::RelayerCommand),
    /// Replay an election from a Pabulib file: every voter is an invented citizen who goes through the real interfaces.
    Replay(replay::ReplayArgs),
    /// Recount a round from the chain's RPC alone and name the first difference.
    Audit(audit::AuditArgs),
    /// Make an issuer key by several offices, none of which ever holds it (docs/ceremony.md).
    #[command(subcommand)]
    Ceremony(ceremony::CeremonyCommand),
}

/// Runs one command.
///
/// # Errors
/// Whatever stopped it, with the reason and the remedy in words.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Up(args) => up::run(*args).await,
        Command::Portal(args) => portal::run(*args).await,
        Command::Deploy(args) => deploy::run(args).await,
        Command::Migrate(args) => deploy::migrate(args).await,
        Command::Round(command) => round::run(command).await,
        Command::Milestones(command) => milestones::run(command).await,
        Command::Indexer(command) => indexer::run(command).await,
        Command::Relayer(command) => relayer::run(command).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Ceremony(command) => ceremony::run(command),
    }
}

/// Logs go to standard error; `RUST_LOG` overrides the level.
pub fn start_logging(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug,hyper=info,sqlx=info,alloy=info,reqwest=info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let coloured = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(coloured).with_writer(std::io::stderr).init();
}
