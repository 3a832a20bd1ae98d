//! The HTTP interface. It takes no cookie and keeps nothing of the sender: no address, no user agent, no time.

mod fields;
mod messages;
mod status;
mod submit;

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
use crate::problem::Refusal;
use crate::rounds::Rounds;
use crate::watch::Watch;

/// What the routes use.
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) chain: Chain,
    pub(crate) rounds: Arc<Rounds>,
    pub(crate) intake: Intake,
    pub(crate) senders: Arc<Senders>,
    pub(crate) watch: Watch,
    pub(crate) status: status::StatusCache,
    pub(crate) prometheus: Option<metrics_exporter_prometheus::PrometheusHandle>,
    pub(crate) body_limit: usize,
}

pub(crate) use messages::view;
pub(crate) use status::StatusCache;

/// All routes.
pub(crate) fn router(state: Arc<State>) -> Router {
    let body_limit = state.body_limit;
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
        .route("/v1/messages/{id}", get(messages::show))
        .route("/v1/status", get(status::show))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(30)));
    Router::new()
        .route("/v1/messages/{id}/events", get(messages::events))
        .merge(quick)
        .fallback(|| async { Refusal::PageUnknown })
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(CatchPanicLayer::new())
        .layer(cors)
        .with_state(state)
}
