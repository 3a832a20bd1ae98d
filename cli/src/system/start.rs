//! Starting everything in one process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use kopilka_embedded::{Durability, Toolchain};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ground::{Chain, Database};
use super::services::{self, Listeners, Services};
use super::{PublicUrls, RelayerKeys, RelayerSettings, Secrets, System};

/// How long the services may take to finish what they are doing.
const DRAIN: Duration = Duration::from_secs(20);

/// What `kopilka up` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of everything that must survive a restart.
    pub data_dir: PathBuf,
    /// Database; embedded when missing.
    pub database_url: Option<String>,
    /// Chain; embedded when missing.
    pub rpc_url: Option<Url>,
    /// Embedded anvil: seconds between blocks.
    pub block_seconds: f64,
    /// First of four ports, or any free ones.
    pub first_port: Option<u16>,
    /// Forget what an earlier start left.
    pub fresh: bool,
    /// Keep nothing for later.
    pub ephemeral: bool,
    /// Keys of the relayer beside `secrets.json`.
    pub relayer_keys: RelayerKeys,
    /// Waits, fees and allowances of the relayer.
    pub relayer_settings: RelayerSettings,
    /// Where browsers reach the sites.
    pub public_urls: PublicUrls,
    /// Browsers wait a random time up to this before they register.
    pub registration_delay: Duration,
}

/// A running system.
pub struct Running {
    pub(super) system: System,
    pub(super) database: Database,
    pub(super) chain: Chain,
    pub(super) services: Services,
    pub(super) cancel: CancellationToken,
}

/// Starts the ground and all services.
///
/// # Errors
/// The first part that does not start, with the remedy.
pub async fn start(options: Options) -> anyhow::Result<Running> {
    options.relayer_settings.check()?;
    std::fs::create_dir_all(&options.data_dir)
        .with_context(|| format!("cannot create the data folder {}", options.data_dir.display()))?;
    let data_dir = std::path::absolute(&options.data_dir)?;
    let options = Options { data_dir, ..options };
    if options.fresh {
        forget(&options).await?;
    }
    let known = System::load_if_present(&options.data_dir)?;
    let embedded = options.database_url.is_none() || options.rpc_url.is_none();
    let toolchain = if embedded { Some(Toolchain::locate()?) } else { None };
    let secrets = match &options.rpc_url {
        None => Secrets::load_or_create(&options.data_dir)?,
        Some(_) => Secrets::load(&options.data_dir)
            .context("on a chain of your own the keys must be yours: write secrets.json as docs/operations.md shows")?,
    };
    // Every key is opened first, so that what is wrong is said before anything starts.
    let senders = options.relayer_keys.senders(&secrets).await?;
    let stamp_keys = options.relayer_keys.stamp_keys(&options.data_dir)?;
    let durability = if options.ephemeral { Durability::Crash } else { Durability::Full };
    let known_chain = known.as_ref().map(|known| (&known.rpc_url, &known.deployment));
    let (database, chain) = tokio::try_join!(
        Database::open(&options.data_dir, options.database_url.as_deref(), durability, toolchain.as_ref()),
        Chain::open(&options, toolchain.as_ref(), &secrets, known_chain),
    )?;
    let relayer = kopilka_relayer::Config::new(database.url.clone(), chain.rpc_url.clone(), &chain.deployment, senders);
    let mut relayer = kopilka_relayer::Config { stamp_keys, ..relayer };
    options.relayer_settings.apply(&mut relayer);
    let listeners = Listeners::bind(known.as_ref(), options.first_port).await?;
    let system = System {
        rpc_url: chain.rpc_url.clone(),
        database_url: database.url.clone(),
        portal_url: listeners.portal.url.clone(),
        explorer_url: listeners.explorer.url.clone(),
        relayer_url: listeners.relayer.url.clone(),
        esia_url: listeners.esia.url.clone(),
        deployment: chain.deployment.clone(),
    };
    system.save(&options.data_dir)?;
    let cancel = CancellationToken::new();
    let services = services::spawn(&system, &secrets, relayer, &options, &database.pool, listeners, &cancel).await?;
    Ok(Running { system, database, chain, services, cancel })
}

impl Running {
    /// Where the parts are.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// Waits for `shutdown` or for a service that ends by itself, then stops everything in order.
    ///
    /// # Errors
    /// The service that ended by itself, and why.
    pub async fn wait(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let ended = tokio::select! {
            () = shutdown => None,
            ended = self.services.join_next() => ended,
        };
        self.cancel.cancel();
        let rest = async { while self.services.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, rest).await.is_err() {
            tracing::warn!("some services did not finish within {} s and were stopped", DRAIN.as_secs());
            self.services.abort_all();
        }
        self.database.close().await;
        self.chain.close().await;
        match ended {
            None => Ok(()),
            Some(Ok((name, Ok(())))) => anyhow::bail!("{name} ended by itself"),
            Some(Ok((name, Err(error)))) => Err(error.context(format!("{name} stopped"))),
            Some(Err(error)) => Err(error).context("a service broke down"),
        }
    }
}

/// A place to listen and the address under which it is known.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) url: Url,
}

impl Listener {
    /// Binds the port of `known`, else `port`, else any free one.
    pub(super) async fn bind(name: &str, known: Option<&Url>, port: Option<u16>) -> anyhow::Result<Self> {
        let port = known.and_then(Url::port).or(port).unwrap_or(0);
        let socket = TcpListener::bind(("127.0.0.1", port)).await.with_context(|| {
            format!("port {port} for {name} is taken: stop what uses it, or choose others with --port or --any-port")
        })?;
        let url = format!("http://localhost:{}/", socket.local_addr()?.port()).parse()?;
        Ok(Self { socket, url })
    }
}

/// Stops what an earlier start left running and removes its folder's contents.
async fn forget(options: &Options) -> anyhow::Result<()> {
    super::ground::stop_left_over(options).await;
    for entry in std::fs::read_dir(&options.data_dir)? {
        remove(&entry?.path())?;
    }
    Ok(())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.with_context(|| format!("cannot remove {}", path.display()))
}
