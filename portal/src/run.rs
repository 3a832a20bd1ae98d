//! Connects and wires everything, serves until cancelled.

use std::sync::Arc;

use alloy::providers::{Provider as _, ProviderBuilder};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post, put};
use kopilka_bindings::deploy;
use kopilka_web::i18n::LocalesError;
use kopilka_web::{Assets, ContentPolicy, Csrf, Locales, NavItem, Sealer, Site, assets::AssetsError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::live::{self, Live};
use crate::publish::{self, Publisher};
use crate::rounds::Rounds;
use crate::state::{AppState, Shared};
use crate::{Config, KeyError, KeyStore, api, issuance, login, pages, session, staff};

/// Why the portal did not start or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The issuer keys cannot be used.
    #[error("the issuer keys cannot be used")]
    Keys(#[from] KeyError),
    /// The scripts are missing.
    #[error("the portal's scripts are missing")]
    Assets(#[from] AssetsError),
    /// The messages are damaged.
    #[error("the portal's messages are damaged")]
    Locales(#[from] LocalesError),
    /// The node or the contracts do not fit.
    #[error("the chain does not fit the configuration")]
    Deployment(#[from] deploy::DeployError),
    /// Serving failed.
    #[error("the portal cannot serve")]
    Serve(#[from] std::io::Error),
}

/// Scripts that pages name.
const SCRIPTS: [&str; 6] = [
    "portal-round.js",
    "portal-take-part.js",
    "portal-co-sign.js",
    "portal-check.js",
    "portal-restore.js",
    "portal-round.css",
];

/// Serves the portal on a bound listener until cancelled; then lets requests end and compacts once more.
///
/// # Errors
/// [`RunError`] when something that it needs is missing.
pub async fn run(config: Config, listener: TcpListener, cancel: CancellationToken) -> Result<(), RunError> {
    let keys = KeyStore::open(&config.issuer_keys_dir)?;
    let assets = Assets::load(&config.assets_dir)?;
    assets.require(&SCRIPTS)?;
    let provider = ProviderBuilder::new().connect_http(config.rpc_url.clone()).erased();
    deploy::verify(&provider, &config.deployment).await?;
    let secure = config.public_url.scheme() == "https";
    let site = Arc::new(site(&config, assets, secure)?);
    let state = AppState::new(Shared {
        database: config.database.clone(),
        esia: config.esia.clone(),
        sealer: Sealer::new(&config.session_key, secure),
        csrf: Csrf::new(&config.session_key),
        keys,
        rounds: Rounds::new(provider, config.deployment.clone()),
        publisher: Publisher::new(&config.rpc_url, config.issuer_account.as_ref()),
        live: Live::new(cancel.clone()),
        config,
    });
    tracing::info!(address = %listener.local_addr()?, "the portal is ready");
    let app = kopilka_web::app(router(&state), site);
    let server = axum::serve(listener, app).with_graceful_shutdown(cancel.clone().cancelled_owned());
    let (served, (), (), ()) = tokio::join!(
        async {
            let served = server.await;
            // When serving failed, the other tasks must end as well.
            cancel.cancel();
            served
        },
        state.live.run(&state.database),
        state.publisher.run(&state.database, state.config.publish_interval, &cancel),
        publish::compact_at_intervals(&state.database, state.config.compact_interval, &cancel),
    );
    Ok(served?)
}

fn site(config: &Config, assets: Assets, secure: bool) -> Result<Site, RunError> {
    let locales = Locales::new(include_str!("../locales/ru.ftl"), include_str!("../locales/en.ftl"))?;
    let item = |key, url: &str| NavItem { key, url: url.to_owned() };
    let origin = |url: &Url| url.origin().ascii_serialization();
    Ok(Site {
        name_key: "site-name",
        about_key: "site-about",
        locales: Arc::new(locales),
        assets,
        nav: vec![
            item("menu-rounds", "/"),
            item("menu-keys", "/restore"),
            item("menu-honest", "/honest"),
            NavItem { key: "menu-explorer", url: config.explorer_url.to_string() },
        ],
        footer: vec![item("menu-honest", "/honest"), item("menu-account", "/account")],
        offset: config.offset,
        secure,
        policy: ContentPolicy {
            connect: vec![origin(&config.relayer_url), origin(&config.public_rpc_url)],
            form_action: vec![origin(&config.esia_url)],
            wasm: false,
        },
    })
}

fn router(state: &AppState) -> Router {
    let small = DefaultBodyLimit::max(4 * 1024);
    Router::new()
        .route("/", get(pages::home))
        .route("/rounds/{address}", get(pages::round))
        .route("/rounds/{address}/initiatives/{id}", get(pages::initiative))
        .route("/rounds/{address}/take-part", get(pages::take_part))
        .route("/rounds/{address}/check", get(pages::check))
        .route("/rounds/{address}/co-sign", get(pages::co_sign))
        .route("/restore", get(pages::restore))
        .route("/honest", get(pages::honest))
        .route("/account", get(pages::account))
        .route("/login", get(login::login))
        .route("/esia/callback", get(login::callback))
        .route("/logout", post(login::logout).layer(small))
        .route("/documents/{hash}", get(api::document))
        .route("/api/v1/session", get(api::session_json))
        .route("/api/v1/rounds", get(api::rounds_json))
        .route("/api/v1/rounds/{address}", get(api::round_json))
        .route("/api/v1/rounds/{address}/credential", post(issuance::issue).layer(small))
        .route("/api/v1/rounds/{address}/totals", get(live::totals))
        .route("/api/v1/rounds/{address}/totals/events", get(live::events))
        .route("/api/v1/documents", put(api::put_document).layer(DefaultBodyLimit::max(api::MAX_DOCUMENT)))
        .route("/api/v1/staff/issuer-keys", post(staff::create_key))
        .route("/api/v1/staff/issuer-keys/{key_id}", get(staff::key).put(staff::bind_key).layer(small))
        .route("/api/v1/staff/rounds/{address}/publish-issued", post(staff::publish_issued))
        .route("/api/v1/staff/compact-issuances", post(staff::compact))
        .route("/healthz", get(async || "ok"))
        .layer(middleware::from_fn_with_state(state.clone(), session::layer))
        .with_state(state.clone())
}
