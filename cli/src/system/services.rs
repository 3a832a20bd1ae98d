//! The services, wired to each other's addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kopilka_bindings::municipalities::Municipalities;
use kopilka_domain::MunicipalityId;
use kopilka_esia::standin::{RegisteredClient, StandIn, StandInConfig, demo_municipalities};
use kopilka_esia::{EsiaClient, EsiaConfig, RsaSigner, TrustedKeys};
use kopilka_portal::{StaffToken, Territories};
use kopilka_web::SecretKey;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sqlx::PgPool;
use time::UtcOffset;
use time::macros::offset;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::start::{Listener, Options};
use super::{PortalSecrets, Secrets, System};
use crate::replay::MAX_VOTERS;
use crate::staff::{Staff, connect, find_municipality};

/// Our mnemonic at the stand-in.
const CLIENT_ID: &str = "KOPILKA";

/// Zone of the times that the sites show.
const MOSCOW: UtcOffset = offset!(+3);

/// How often collected figures are put together, so that they do not pile up while nobody asks.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

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
    relayer: kopilka_relayer::Config,
    options: &Options,
    pool: &PgPool,
    listeners: Listeners,
    cancel: &CancellationToken,
) -> anyhow::Result<Services> {
    let mut services = JoinSet::new();
    let public = options.public_urls.of(system);
    let metrics = start_metrics(cancel, &mut services)?;
    start_indexer(system, pool, cancel, &mut services);

    let relayer = kopilka_relayer::Config { prometheus: Some(metrics), ..relayer };
    let token = cancel.clone();
    services
        .spawn(async move { ("the relayer", kopilka_relayer::run(relayer, listeners.relayer.socket, token).await) });

    let explorer = kopilka_explorer::Config {
        pool: pool.clone(),
        rpc_url: system.rpc_url.clone(),
        public_url: public.explorer_url.clone(),
        portal_url: Some(public.portal_url.clone()),
        assets_dir: assets_dir()?,
        offset: MOSCOW,
        currency: "ETH".to_owned(),
    };
    let token = cancel.clone();
    services.spawn(
        async move { ("the explorer", kopilka_explorer::run(explorer, listeners.explorer.socket, token).await) },
    );

    let portal = start_stand_in(&public, listeners.esia, cancel, &mut services)?;
    let portal = portal_config(&public, pool, &options.data_dir, portal, &secrets.portal())?;
    let portal = kopilka_portal::Config {
        issuer_account: Some(Secrets::signer("issuer_key", &secrets.issuer_key)?),
        staff_token: Some(
            StaffToken::new(&secrets.staff_token).context("staff_token must have at least 16 characters")?,
        ),
        territories: territories(system, secrets).await?,
        registration_delay: options.registration_delay,
        ..portal
    };
    start_portal(portal, listeners.portal, cancel, &mut services);
    Ok(services)
}

/// Starts an issuer's portal by itself, with an index of its own: no relayer, no explorer, no role on the chain.
///
/// `system` names the relayer and the explorer of the municipality.
pub(super) async fn spawn_portal(
    system: &System,
    secrets: &PortalSecrets,
    data_dir: &Path,
    pool: &PgPool,
    (portal, esia): (Listener, Listener),
    cancel: &CancellationToken,
) -> anyhow::Result<Services> {
    let mut services = JoinSet::new();
    let client = start_stand_in(system, esia, cancel, &mut services)?;
    let config = portal_config(system, pool, data_dir, client, secrets)?;
    let config = kopilka_portal::Config { territories: known_territories(system).await?, ..config };
    start_indexer(system, pool, cancel, &mut services);
    start_portal(config, portal, cancel, &mut services);
    Ok(services)
}

/// What every portal is told. Without more it publishes nothing, has no staff interface, and knows no municipality.
fn portal_config(
    system: &System,
    pool: &PgPool,
    data_dir: &Path,
    esia: EsiaClient,
    secrets: &PortalSecrets,
) -> anyhow::Result<kopilka_portal::Config> {
    Ok(kopilka_portal::Config {
        database: pool.clone(),
        rpc_url: system.rpc_url.clone(),
        deployment: system.deployment.clone(),
        esia,
        session_key: SecretKey::new(Secrets::bytes32("session_key", &secrets.session_key)?),
        person_tag_secret: SecretKey::new(Secrets::bytes32("person_tag_secret", &secrets.person_tag_secret)?),
        issuer_keys_dir: data_dir.join("issuer-keys"),
        issuer_account: None,
        publish_interval: Duration::from_secs(60),
        compact_interval: Duration::from_secs(3600),
        staff_token: None,
        territories: Territories::default(),
        public_url: system.portal_url.clone(),
        relayer_url: system.relayer_url.clone(),
        explorer_url: system.explorer_url.clone(),
        public_rpc_url: system.explorer_url.join("api/eth-rpc")?,
        esia_url: system.esia_url.clone(),
        assets_dir: assets_dir()?,
        offset: MOSCOW,
        registration_delay: Duration::ZERO,
    })
}

fn start_portal(
    config: kopilka_portal::Config,
    listener: Listener,
    cancel: &CancellationToken,
    services: &mut Services,
) {
    let token = cancel.clone();
    services.spawn(async move {
        ("the portal", kopilka_portal::run(config, listener.socket, token).await.map_err(anyhow::Error::from))
    });
}

fn start_indexer(system: &System, pool: &PgPool, cancel: &CancellationToken, services: &mut Services) {
    let indexer = kopilka_indexer::Config::new(system.rpc_url.clone(), system.deployment.clone(), pool.clone());
    let token = cancel.clone();
    services.spawn(async move { ("the indexer", kopilka_indexer::run(indexer, token).await) });
}

/// Collects the figures of all services; the relayer's `/metrics` shows them.
fn start_metrics(cancel: &CancellationToken, services: &mut Services) -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new().install_recorder().context("metrics cannot be collected")?;
    let (upkeep, token) = (handle.clone(), cancel.clone());
    services.spawn(async move {
        let mut often = tokio::time::interval(METRICS_UPKEEP);
        while token.run_until_cancelled(often.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
        ("the metrics", Ok(()))
    });
    Ok(handle)
}

/// The stand-in's municipalities, admitted to the register where that was not done yet, and which addresses are theirs.
async fn territories(system: &System, secrets: &Secrets) -> anyhow::Result<Territories> {
    let staff = Staff::new(system, secrets)?;
    let mut territories = Territories::default();
    for place in demo_municipalities() {
        let id = staff.ensure_municipality(&place.oktmo, &place.name).await?;
        territories.add(&place.fias.to_string(), MunicipalityId(id))?;
    }
    Ok(territories)
}

/// Those of the stand-in's municipalities that are on the register, and which addresses are theirs.
async fn known_territories(system: &System) -> anyhow::Result<Territories> {
    let register = Municipalities::new(system.deployment.municipalities, connect(&system.rpc_url, Default::default()));
    let mut territories = Territories::default();
    for place in demo_municipalities() {
        if let Some(id) = find_municipality(&register, &place.oktmo).await? {
            territories.add(&place.fias.to_string(), MunicipalityId(id))?;
        }
    }
    ensure!(
        territories != Territories::default(),
        "no municipality is on the register yet: start the municipality's own system first"
    );
    Ok(territories)
}

/// The folder with the built scripts: `KOPILKA_ASSETS_DIR`, or `browser/dist` of the checkout.
fn assets_dir() -> anyhow::Result<PathBuf> {
    if let Some(dir) = std::env::var_os("KOPILKA_ASSETS_DIR") {
        return Ok(dir.into());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let mut candidates = here
        .ancestors()
        .map(|folder| folder.join("browser/dist"))
        .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("../browser/dist")]);
    candidates.find(|folder| folder.is_dir()).context(
        "the scripts of the sites are missing: run scripts/setup, or set KOPILKA_ASSETS_DIR to the built browser/dist",
    )
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
    let generated =
        municipalities.iter().map(|place| (place.fias, u32::try_from(MAX_VOTERS).unwrap_or(u32::MAX))).collect();
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
