//! Totals of a round's initiatives, at once and as server-sent events while they change.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use async_stream::stream;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use kopilka_domain::{Kopecks, Percent};
use kopilka_store::portal::view;
use kopilka_web::{WebError, WebResult};
use serde::Serialize;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::api::RoundPath;
use crate::error::{OrUnavailable as _, PortalError};
use crate::state::AppState;

/// Channel on which the indexer tells of new blocks.
const CHANNEL: &str = "chain_head";
/// How long totals are believed at most, should notifications be lost. Until the index changes, all readers of a round
/// share one query.
const BELIEVED: Duration = Duration::from_secs(5);
/// After an event waits this long, so that a burst of blocks is one change.
const GATHER: Duration = Duration::from_millis(300);

#[derive(Debug, Serialize)]
struct Totals {
    phase: String,
    registered: u64,
    allocated: u64,
    budget: Kopecks,
    pledged: Kopecks,
    initiatives: Vec<InitiativeTotals>,
}

#[derive(Debug, Serialize)]
struct InitiativeTotals {
    id: u16,
    cost: Kopecks,
    pledged: Kopecks,
    /// Hundredths of a per cent of the cost.
    filled: u64,
    supporters: u64,
    points: u64,
    won: Option<bool>,
}

#[derive(Debug)]
struct Cached {
    /// The count of changes before it was read.
    change: u64,
    read_at: Instant,
    json: Arc<str>,
}

/// Knows when the index has changed.
#[derive(Debug)]
pub(crate) struct Live {
    changed: watch::Sender<u64>,
    cache: Mutex<HashMap<Address, Cached>>,
    cancel: CancellationToken,
}

impl Live {
    pub(crate) fn new(cancel: CancellationToken) -> Self {
        Self { changed: watch::Sender::new(0), cache: Mutex::default(), cancel }
    }

    /// Listens until cancelled; connects again when the database was away.
    pub(crate) async fn run(&self, database: &PgPool) {
        while !self.cancel.is_cancelled() {
            let result = tokio::select! {
                () = self.cancel.cancelled() => return,
                result = self.listen(database) => result,
            };
            if let Err(error) = result {
                tracing::warn!(error = &error as &dyn std::error::Error, "live pages wait for the database");
            }
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn listen(&self, database: &PgPool) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(database).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // `None` means that the connection was lost and made again: something may have been missed.
            listener.try_recv().await?;
            self.changed.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// The totals as JSON; `None` for an unknown round.
    async fn totals(&self, state: &AppState, round: Address) -> Result<Option<Arc<str>>, PortalError> {
        let mut cache = self.cache.lock().await;
        let change = *self.changed.borrow();
        if let Some(cached) = cache.get(&round)
            && cached.change == change
            && cached.read_at.elapsed() < BELIEVED
        {
            return Ok(Some(Arc::clone(&cached.json)));
        }
        let mut connection = state.connection().await?;
        let Some(view) = view::rounds(&mut connection, Some(&round.0.0)).await?.pop() else { return Ok(None) };
        let initiatives = view::initiatives(&mut connection, &round.0.0).await?;
        let totals = Totals {
            phase: view.phase,
            registered: view.registered,
            allocated: view.allocated,
            budget: view.budget,
            pledged: view.pledged,
            initiatives: initiatives
                .into_iter()
                .map(|initiative| InitiativeTotals {
                    id: initiative.id,
                    cost: initiative.cost,
                    pledged: initiative.pledged,
                    filled: Percent::of(initiative.pledged.0, initiative.cost.0).0.into(),
                    supporters: initiative.supporters,
                    points: initiative.points,
                    won: initiative.won,
                })
                .collect(),
        };
        let json: Arc<str> = serde_json::to_string(&totals).unwrap_or_default().into();
        cache.retain(|_, cached| cached.read_at.elapsed() < BELIEVED);
        cache.insert(round, Cached { change, read_at: Instant::now(), json: Arc::clone(&json) });
        Ok(Some(json))
    }
}

/// `GET /api/v1/rounds/{address}/totals`.
pub(crate) async fn totals(State(state): State<AppState>, RoundPath(round): RoundPath) -> WebResult<Response> {
    let json = state.live.totals(&state, round).await.or_unavailable()?;
    let json = json.ok_or_else(|| WebError::not_found("error-round-unknown"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, json.to_string()).into_response())
}

/// `GET /api/v1/rounds/{address}/totals/events`: an event `totals` at once and after every change.
pub(crate) async fn events(State(state): State<AppState>, RoundPath(round): RoundPath) -> WebResult<Response> {
    let mut changed = state.live.changed.subscribe();
    let first = state.live.totals(&state, round).await.or_unavailable()?;
    let first = first.ok_or_else(|| WebError::not_found("error-round-unknown"))?;
    let events = stream! {
        let mut last = first;
        yield Ok::<_, Infallible>(Event::default().event("totals").data(&*last));
        loop {
            tokio::select! {
                () = state.live.cancel.cancelled() => break,
                result = changed.changed() => if result.is_err() { break },
            }
            tokio::time::sleep(GATHER).await;
            changed.mark_unchanged();
            if let Ok(Some(next)) = state.live.totals(&state, round).await
                && next != last
            {
                last = next;
                yield Ok(Event::default().event("totals").data(&*last));
            }
        }
    };
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}
