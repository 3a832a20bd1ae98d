//! What operators ask an indexer: is it alive, does it keep up, its figures.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where an indexer stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it holds the lock and writes; otherwise it stands by.
    pub leads: bool,
    /// Highest indexed block.
    pub indexed_block: Option<u64>,
    /// The node's highest block.
    pub node_block: Option<u64>,
    /// When it last heard from the node and the database.
    pub last_success: Option<Instant>,
}

/// Blocks behind the node up to which an indexer counts as ready.
const READY_LAG: u64 = 20;
/// Silence after which it does not.
const READY_SILENCE_SECONDS: u64 = 60;

impl Status {
    /// Why it is not ready, or nothing.
    fn trouble(&self) -> Option<String> {
        if !self.leads {
            // A hot stand-by is as ready as it can be.
            return None;
        }
        let heard = self.last_success.is_some_and(|at| at.elapsed().as_secs() < READY_SILENCE_SECONDS);
        let (Some(node), true) = (self.node_block, heard) else {
            return Some(format!("no answer from node and database within {READY_SILENCE_SECONDS} s"));
        };
        let lag = self.indexed_block.map_or(node + 1, |indexed| node.saturating_sub(indexed));
        (lag > READY_LAG).then(|| format!("{lag} blocks behind the node; ready at {READY_LAG}"))
    }
}

#[derive(Clone)]
struct Shared {
    status: watch::Receiver<Status>,
    metrics: Option<Arc<PrometheusHandle>>,
}

/// Serves `/healthz`, `/readyz` and, with a recorder, `/metrics`.
pub(crate) async fn serve(
    listener: TcpListener,
    status: watch::Receiver<Status>,
    metrics: Option<PrometheusHandle>,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let shared = Shared { status, metrics: metrics.map(Arc::new) };
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(shared);
    axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned()).await
}

async fn ready(State(shared): State<Shared>) -> impl IntoResponse {
    match shared.status.borrow().trouble() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")),
    }
}

async fn figures(State(shared): State<Shared>) -> impl IntoResponse {
    match &shared.metrics {
        Some(handle) => (StatusCode::OK, handle.render()),
        None => (StatusCode::NOT_FOUND, "metrics are served by the main process\n".to_owned()),
    }
}
