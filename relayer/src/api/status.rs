//! `GET /v1/status`, `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use kopilka_relay_client::StatusView;
use kopilka_store::relay::messages::{self, Counts};
use tokio::sync::Mutex;

use super::State;
use crate::problem::Refusal;

/// Counting is work: once in this time is enough, whoever asks.
const COUNTED_FOR: Duration = Duration::from_millis(500);

/// The last count.
#[derive(Debug, Default)]
pub(crate) struct StatusCache(Mutex<Option<(Instant, Counts)>>);

impl StatusCache {
    async fn counts(&self, state: &State) -> sqlx::Result<Counts> {
        let mut cached = self.0.lock().await;
        if let Some((at, counts)) = *cached
            && at.elapsed() < COUNTED_FOR
        {
            return Ok(counts);
        }
        let counts = messages::counts(&mut *state.pool.acquire().await?).await?;
        *cached = Some((Instant::now(), counts));
        Ok(counts)
    }
}

/// The relayer's state
///
/// How many messages stand where, and the accounts that pay the gas.
#[utoipa::path(get, path = "/v1/status", tag = "operation", responses((status = 200, description = "The state", body = StatusView)))]
pub(super) async fn show(Shared(state): Shared<Arc<State>>) -> Result<Json<StatusView>, Refusal> {
    let counts = state.status.counts(&state).await.map_err(|error| {
        tracing::error!(%error, "cannot count messages");
        Refusal::Unavailable { what: "The database" }
    })?;
    Ok(Json(StatusView {
        chain_id: state.chain.chain_id,
        queued: counts.queued,
        submitted: counts.submitted,
        mined: counts.mined,
        finalized: counts.finalized,
        failed: counts.failed,
        senders: state.senders.views(),
    }))
}

/// Whether the process runs
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "It does", body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether messages can be accepted
///
/// The database answers and the chain's head is known.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses((status = 200, description = "They can", body = String)))]
pub(super) async fn readyz(Shared(state): Shared<Arc<State>>) -> Result<&'static str, Refusal> {
    if state.chain.head().is_none() {
        return Err(Refusal::Unavailable { what: "The chain's node" });
    }
    match state.pool.acquire().await {
        Ok(_) => Ok("ready\n"),
        Err(_) => Err(Refusal::Unavailable { what: "The database" }),
    }
}

/// Metrics in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, description = "The metrics", body = String)))]
pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    match &state.prometheus {
        Some(handle) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response(),
        None => Refusal::PageUnknown.into_response(),
    }
}
