//! The explorer: the public's pages over the indexed chain, readable without JavaScript, in Russian and English.
//!
//! It reads the schema `chain`, and from `portal` only published texts, which it shows only if they hash to what stands on
//! chain. It writes nothing, knows nobody, and keeps nothing about its readers but two cookies with language and view.

mod csv;
mod decode;
mod live;
mod names;
mod pages;
mod paging;
mod rpc;
mod settlement;
mod state;
mod texts;
mod words;

use std::future::IntoFuture as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use kopilka_web::urls::{ExplorerUrls, PortalUrls};
use kopilka_web::{Assets, ContentPolicy, Locales, NavItem, Site};
use sqlx::PgPool;
use time::UtcOffset;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::state::Explorer;

/// What the explorer needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Database with the schemas `chain` and `portal`; the explorer only reads.
    pub pool: PgPool,
    /// JSON-RPC address of a node: balances, transactions that wait, the public read-only proxy.
    pub rpc_url: Url,
    /// Address under which the public reaches the explorer; https makes cookies and headers insist on it.
    pub public_url: Url,
    /// Address of the citizens' site, for links; none hides them.
    pub portal_url: Option<Url>,
    /// Folder with the built scripts, usually `browser/dist`.
    pub assets_dir: PathBuf,
    /// Offset of the shown times from UTC.
    pub offset: UtcOffset,
    /// Symbol of the chain's own currency, such as `ETH`.
    pub currency: String,
}

/// Scripts that the pages name.
const SCRIPTS: [&str; 3] = ["explorer.js", "explorer-result.js", "explorer-recount.js"];

/// Serves the explorer until cancelled.
///
/// # Errors
/// When scripts are missing, or the listener fails.
pub async fn run(config: Config, listener: TcpListener, cancel: CancellationToken) -> anyhow::Result<()> {
    let router = router(config, cancel.clone())?;
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { cancel.cancelled().await })
        .into_future()
        .await
        .context("the explorer's listener failed")
}

/// The explorer's routes; a task that listens for new blocks runs until cancelled.
///
/// # Errors
/// When scripts are missing or the messages are faulty.
pub fn router(config: Config, cancel: CancellationToken) -> anyhow::Result<Router> {
    let assets = Assets::load(&config.assets_dir)?;
    assets.require(&SCRIPTS)?;
    let site = Arc::new(site(&config, assets)?);
    let explorer = Explorer::new(config, cancel);
    tokio::spawn(live::follow(explorer.clone()));
    Ok(kopilka_web::app(routes(explorer), site))
}

fn site(config: &Config, assets: Assets) -> anyhow::Result<Site> {
    let urls = ExplorerUrls::local();
    let nav = vec![
        NavItem { key: "menu-rounds", url: urls.rounds() },
        NavItem { key: "menu-blocks", url: urls.blocks() },
        NavItem { key: "menu-transactions", url: urls.transactions() },
    ];
    let mut footer = vec![NavItem { key: "menu-rpc", url: urls.eth_rpc() }];
    if let Some(portal) = &config.portal_url {
        footer.insert(0, NavItem { key: "menu-portal", url: PortalUrls::at(portal.as_str()).home() });
    }
    Ok(Site {
        name_key: "site-name",
        about_key: "site-about",
        locales: Arc::new(Locales::new(include_str!("../locales/ru.ftl"), include_str!("../locales/en.ftl"))?),
        assets,
        nav,
        footer,
        offset: config.offset,
        secure: config.public_url.scheme() == "https",
        // A reader may recount from any node; a page that keeps no secrets can leak none.
        policy: ContentPolicy {
            connect: ["https:", "http://localhost:*", "http://127.0.0.1:*"].map(str::to_owned).to_vec(),
            ..ContentPolicy::default()
        },
    })
}

fn routes(explorer: Explorer) -> Router {
    Router::new()
        .route("/", get(pages::home::home))
        .route("/search", get(pages::search::search))
        .route("/blocks", get(pages::blocks::blocks))
        .route("/block/{block}", get(pages::blocks::block))
        .route("/txs", get(pages::transactions::transactions))
        .route("/tx/{hash}", get(pages::transaction::transaction))
        .route("/address/{address}", get(pages::address::address))
        .route("/address/{address}/transfers", get(pages::address::transfers))
        .route("/address/{address}/logs", get(pages::address::logs))
        .route("/token/{token}", get(pages::token::token))
        .route("/token/{token}/holders", get(pages::token::holders))
        .route("/token/{token}/transfers.csv", get(csv::transfers))
        .route("/rounds", get(pages::rounds::rounds))
        .route("/round/{round}", get(pages::round::round))
        .route("/round/{round}/events", get(live::events))
        .route("/round/{round}/wallets.json", get(live::wallets))
        .route("/round/{round}/initiative/{id}", get(pages::initiative::initiative))
        .route("/round/{round}/allocations", get(pages::allocations::allocations))
        .route("/round/{round}/allocations.csv", get(csv::allocations))
        .route("/round/{round}/result", get(pages::result::result))
        .route("/round/{round}/election.pb", get(csv::election_pb))
        .route("/round/{round}/election.json", get(csv::election_json))
        .merge(rpc::routes())
        .with_state(explorer)
}
