//! `kopilka up`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::system::start::{Options, start};
use crate::system::{PublicUrls, RelayerKeys, RelayerSettings};

/// Arguments of `kopilka up`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without addresses it starts an embedded Postgres and anvil, deploys the contracts, and runs the stand-in for ESIA, the relayer,
the indexer, the explorer and the portal in this process. Everything it needs to come back after a crash is in the data folder:
start it again with the same folder, and it goes on where it was. Ctrl-C stops it in order.

Examples:
  kopilka up
  kopilka up --data-dir /srv/kopilka --rpc-url https://node.example --database-url postgres://…")]
pub struct UpArgs {
    /// Folder of everything that must survive a restart.
    #[arg(long, env = "KOPILKA_DATA_DIR", default_value = ".kopilka/run", value_name = "DIR")]
    data_dir: PathBuf,
    /// Database; an embedded Postgres when missing.
    #[arg(long, env = "KOPILKA_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// JSON-RPC address of the chain; an embedded anvil when missing.
    #[arg(long, env = "KOPILKA_RPC_URL", value_name = "URL")]
    rpc_url: Option<Url>,
    /// Embedded anvil: seconds between blocks.
    #[arg(long, env = "KOPILKA_BLOCK_SECONDS", default_value_t = 1.0, value_name = "SECONDS")]
    block_seconds: f64,
    /// First of the ports: portal, explorer, relayer and the stand-in for ESIA take this one and the next three.
    #[arg(long, env = "KOPILKA_PORT", default_value_t = 8080, value_name = "PORT")]
    port: u16,
    /// Take any free ports (and keep them over restarts).
    #[arg(long, conflicts_with = "port")]
    any_port: bool,
    /// Begin anew: forget what an earlier start left in the data folder.
    #[arg(long)]
    fresh: bool,
    /// Keep nothing for later: the chain's state is not saved at the end, and a power cut may lose data.
    #[arg(long)]
    ephemeral: bool,
    /// Browsers wait a random time up to this between receiving the right to vote and registering, so that the moments of the two do
    /// not tell who is who. Minutes in public; none for a demonstration.
    #[arg(long, env = "KOPILKA_REGISTRATION_DELAY", default_value_t = 0, value_name = "SECONDS")]
    registration_delay: u64,
    #[command(flatten)]
    public_urls: PublicUrls,
    #[command(flatten)]
    relayer_keys: RelayerKeys,
    #[command(flatten)]
    relayer_settings: RelayerSettings,
}

/// Starts everything and waits for Ctrl-C.
pub(super) async fn run(args: UpArgs) -> anyhow::Result<()> {
    let running = start(Options {
        data_dir: args.data_dir,
        database_url: args.database_url,
        rpc_url: args.rpc_url,
        block_seconds: args.block_seconds,
        first_port: (!args.any_port).then_some(args.port),
        fresh: args.fresh,
        ephemeral: args.ephemeral,
        relayer_keys: args.relayer_keys,
        relayer_settings: args.relayer_settings,
        public_urls: args.public_urls,
        registration_delay: Duration::from_secs(args.registration_delay),
    })
    .await?;
    let system = running.system();
    say!("ready");
    say!("Portal (citizens)      {}", system.portal_url);
    say!("Explorer (public)      {}", system.explorer_url);
    say!("Relayer                {}", system.relayer_url);
    say!("Stand-in for ESIA      {}", system.esia_url);
    say!("Chain (JSON-RPC)       {}", system.rpc_url);
    running.wait(interrupted()).await
}

/// Completes at Ctrl-C or a request to end.
pub(super) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
