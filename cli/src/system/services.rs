//! The services, wired to each other's addresses.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use kopilka_esia::standin::{RegisteredClient, StandIn, StandInConfig, demo_municipalities};
use kopilka_esia::{EsiaClient, EsiaConfig, RsaSigner, TrustedKeys};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::start::Listener;
use super::{Secrets, System};
use crate::replay::MAX_VOTERS;

/// Our mnemonic at the stand-in.
const CLIENT_ID: &str = "KOPILKA";

/// Where the services listen.
pub(super) struct Listeners {
    pub(super) portal: Listener,
    pub(super) explorer: Listener,
    pub(super) relayer: Listener,
    pub(super) esia: Listener,
}

impl Listeners {
    /// Binds all four, on the ports of an earlier start where there was one.
    pub(super) async fn bind(known: Option<&System>, first_port: Option<u16>) -> anyhow::Result<Self> {
        let port = |offset: u16| first_port.map(|first| first.saturating_add(offset));
        Ok(Self {
            portal: Listener::bind("the portal", known.map(|known| &known.portal_url), port(0)).await?,
            explorer: Listener::bind("the explorer", known.map(|known| &known.explorer_url), port(1)).await?,
            relayer: Listener::bind("the relayer", known.map(|known| &known.relayer_url), port(2)).await?,
            esia: Listener::bind("the stand-in for ESIA", known.map(|known| &known.esia_url), port(3)).await?,
        })
    }
}

/// Tasks of the services, each with its name.
pub(super) type Services = JoinSet<(&'static str, anyhow::Result<()>)>;

/// Starts all services.
pub(super) async fn spawn(
    system: &System,
    secrets: &Secrets,
    data_dir: &Path,
    pool: &PgPool,
    listeners: Listeners,
    cancel: &CancellationToken,
) -> anyhow::Result<Services> {
    let mut services = JoinSet::new();
    let esia = start_stand_in(system, listeners.esia, cancel, &mut services)?;
    let _ = (secrets, data_dir, pool, esia, listeners.portal, listeners.explorer, listeners.relayer);
    Ok(services)
}

/// Starts the stand-in for ESIA and makes the portal known to it.
fn start_stand_in(
    system: &System,
    listener: Listener,
    cancel: &CancellationToken,
    services: &mut Services,
) -> anyhow::Result<EsiaClient> {
    let signer = Arc::new(RsaSigner::generate(CLIENT_ID)?);
    let municipalities = demo_municipalities();
    let generated = municipalities.iter().map(|place| (place.fias, u32::try_from(MAX_VOTERS).unwrap_or(u32::MAX))).collect();
    let stand_in = StandIn::new(StandInConfig {
        municipalities,
        generated,
        clients: vec![RegisteredClient::local(CLIENT_ID, signer.certificate_pem())],
        ..StandInConfig::default()
    })?;
    let server = stand_in.clone();
    let cancelled = cancel.clone();
    services.spawn(async move {
        let served = tokio::select! {
            served = server.serve(listener.socket) => served.context("the listener failed"),
            () = cancelled.cancelled() => Ok(()),
        };
        ("the stand-in for ESIA", served)
    });
    let trusted = TrustedKeys::from_pem(stand_in.certificate_pem())?;
    let redirect_uri = system.portal_url.join("esia/callback")?;
    let config = EsiaConfig::new(system.esia_url.clone(), stand_in.issuer(), CLIENT_ID, redirect_uri, trusted);
    Ok(EsiaClient::new(config, signer)?)
}
