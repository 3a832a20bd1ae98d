//! Starting an issuer's portal by itself, on a chain where the municipality's contracts are.

use std::path::PathBuf;

use anyhow::Context as _;
use kopilka_embedded::{Durability, Toolchain};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ground::{Chain, Database};
use super::start::{Listener, Running};
use super::{PortalSecrets, System, services};

/// What `kopilka portal` was asked for.
#[derive(Debug, Clone)]
pub struct PortalOptions {
    /// Folder of everything that must survive a restart.
    pub data_dir: PathBuf,
    /// Database; embedded when missing.
    pub database_url: Option<String>,
    /// The chain.
    pub rpc_url: Url,
    /// The municipality's relayer, as browsers reach it.
    pub relayer_url: Url,
    /// The municipality's explorer, as browsers reach it.
    pub explorer_url: Url,
    /// Where browsers reach this portal; where it listens when missing.
    pub portal_url: Option<Url>,
    /// First of two ports, or any free ones.
    pub first_port: Option<u16>,
}

/// Starts a database if none is given, the stand-in for ESIA, an index of the chain and the portal.
///
/// # Errors
/// The first part that does not start, with the remedy.
pub async fn start_portal(options: PortalOptions) -> anyhow::Result<Running> {
    std::fs::create_dir_all(&options.data_dir)
        .with_context(|| format!("cannot create the data folder {}", options.data_dir.display()))?;
    let data_dir = std::path::absolute(&options.data_dir)?;
    let known = System::load_if_present(&data_dir)?;
    let toolchain = if options.database_url.is_none() { Some(Toolchain::locate()?) } else { None };
    let secrets = PortalSecrets::load_or_create(&data_dir)?;
    let chain = Chain::given(&options.rpc_url, &data_dir).await?;
    let database =
        Database::open(&data_dir, options.database_url.as_deref(), Durability::Full, toolchain.as_ref()).await?;
    let port = |offset| options.first_port.map(|first| first.saturating_add(offset));
    let portal = Listener::bind("the portal", known.as_ref().map(|known| &known.portal_url), port(0)).await?;
    let esia = Listener::bind("the stand-in for ESIA", known.as_ref().map(|known| &known.esia_url), port(1)).await?;
    let system = System {
        rpc_url: chain.rpc_url.clone(),
        database_url: database.url.clone(),
        portal_url: portal.url.clone(),
        explorer_url: options.explorer_url,
        relayer_url: options.relayer_url,
        esia_url: esia.url.clone(),
        deployment: chain.deployment.clone(),
    };
    system.save(&data_dir)?;
    let cancel = CancellationToken::new();
    let public = System { portal_url: options.portal_url.unwrap_or(portal.url.clone()), ..system.clone() };
    let listeners = (portal, esia);
    let services = services::spawn_portal(&public, &secrets, &data_dir, &database.pool, listeners, &cancel).await?;
    Ok(Running { system, database, chain, services, cancel })
}
