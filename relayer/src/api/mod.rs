//! The HTTP interface. It takes no cookie and keeps nothing of the sender: no address, no user agent, no time.

mod fields;
mod messages;
mod openapi;
mod status;
mod submit;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::routing::{get, post};
use sqlx::PgPool;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::timeout::TimeoutLayer;

use crate::chain::Chain;
use crate::engine::Senders;
use crate::intake::Intake;
use crate::limits::{Limiter, network};
use crate::problem::Refusal;
use crate::stamps::Stamps;
use crate::venue::Venues;
use crate::watch::Watch;

/// What the routes use.
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) chain: Chain,
    pub(crate) venues: Arc<Venues>,
    pub(crate) intake: Intake,
    pub(crate) stamps: Stamps,
    pub(crate) senders: Arc<Senders>,
    pub(crate) watch: Watch,
    pub(crate) status: status::StatusCache,
    pub(crate) prometheus: Option<metrics_exporter_prometheus::PrometheusHandle>,
    pub(crate) networks: Limiter,
    pub(crate) behind_proxy: bool,
    pub(crate) body_limit: usize,
    pub(crate) bulk_limit: usize,
}

pub(crate) use messages::view;
pub(crate) use status::StatusCache;

/// Takes the messages of a request from the allowance of the network that it comes from.
fn limit(state: &State, from: Option<IpAddr>, count: usize) -> Result<(), Refusal> {
    let Some(network) = from.and_then(network) else { return Ok(()) };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    state.networks.take(network, count).map_err(|wait| Refusal::TooOften { who: "network", wait })
}

/// All routes.
pub(crate) fn router(state: Arc<State>) -> Router {
    let bulk_limit = state.bulk_limit;
    // Any page may send: messages carry their own authority, and there is no cookie to abuse.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, HeaderName::from_static("last-event-id")])
        .expose_headers([header::RETRY_AFTER])
        .max_age(Duration::from_secs(86_400));
    let quick = Router::new()
        .route("/v1/registrations", post(submit::registration))
        .route("/v1/allocations", post(submit::allocation))
        .route("/v1/ballots", post(submit::ballot))
        .route("/v1/stamp-claims", post(submit::stamp_claim))
        .route("/v1/redemptions", post(submit::redemption))
        .route("/v1/messages", post(submit::bulk))
        .route("/v1/messages/{id}", get(messages::show))
        .route("/v1/accounts/{account}/messages", get(messages::of_account))
        .route("/v1/status", get(status::show))
        .route("/openapi.json", get(openapi::show))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(30)));
    Router::new()
        .route("/v1/messages/{id}/events", get(messages::events))
        .merge(quick)
        .fallback(|| async { Refusal::PageUnknown })
        .layer(DefaultBodyLimit::max(bulk_limit))
        .layer(CatchPanicLayer::new())
        .layer(cors)
        .with_state(state)
}
