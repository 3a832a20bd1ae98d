//! `POST /v1/registrations` and `POST /v1/allocations`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kopilka_relay_client::Accepted;
use kopilka_store::relay::messages;

use super::{State, fields};
use crate::admission;
use crate::message::Message;
use crate::problem::Refusal;
use crate::rounds::{Round, RoundError};

/// Longer than the database and the node are waited for; whoever asks then learns at least that.
const PATIENCE: Duration = Duration::from_secs(25);

type Body = Result<Bytes, BytesRejection>;

pub(super) async fn registration(Shared(state): Shared<Arc<State>>, body: Body) -> Response {
    answer(&state, "registration", fields::registration, body).await
}

pub(super) async fn allocation(Shared(state): Shared<Arc<State>>, body: Body) -> Response {
    answer(&state, "allocation", fields::allocation, body).await
}

async fn answer(
    state: &State,
    kind: &'static str,
    parse: fn(&[u8]) -> Result<Message, Refusal>,
    body: Body,
) -> Response {
    let started = Instant::now();
    let result = match body {
        Ok(body) => match parse(&body) {
            Ok(message) => match tokio::time::timeout(PATIENCE, accept(state, message)).await {
                Ok(result) => result,
                Err(_) => Err(Refusal::Unavailable { what: "The relayer" }),
            },
            Err(refusal) => Err(refusal),
        },
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Refusal::BodyTooLarge { limit: state.body_limit })
        }
        Err(_) => {
            Err(Refusal::BodyMalformed { detail: "The body could not be read to its end. Send it again.".to_owned() })
        }
    };
    metrics::histogram!("kopilka_relayer_accept_seconds", "kind" => kind).record(started.elapsed().as_secs_f64());
    match result {
        Ok(accepted) => (StatusCode::ACCEPTED, Json(accepted)).into_response(),
        Err(refusal) => {
            metrics::counter!("kopilka_relayer_refused_total", "kind" => kind, "problem" => refusal.slug())
                .increment(1);
            refusal.into_response()
        }
    }
}

async fn accept(state: &State, message: Message) -> Result<Accepted, Refusal> {
    let id = message.id(state.chain.chain_id);
    let round = match fitting_round(state, &message).await {
        Ok(round) => round,
        // Whoever asks again after the phase has ended gets the same answer as before.
        Err(refusal) => return stored(state, &message).await.ok_or(refusal),
    };
    state.intake.accept(id, message, round).await
}

/// The round, if it takes the message now.
async fn fitting_round(state: &State, message: &Message) -> Result<Arc<Round>, Refusal> {
    let unreadable = |error: RoundError| match error {
        RoundError::Unknown => Refusal::RoundUnknown { round: message.contract() },
        error => {
            tracing::warn!(%error, round = %message.contract(), "cannot read a round");
            Refusal::Unavailable { what: "The chain's node" }
        }
    };
    let round = state.rounds.get(message.contract()).await.map_err(unreadable)?;
    if admission::check(message, &round).is_ok() {
        return Ok(round);
    }
    // The phase may have changed, or a class or an initiative been added, since the round was read.
    let round = state.rounds.reread(message.contract()).await.map_err(unreadable)?;
    admission::check(message, &round).map(|()| round)
}

async fn stored(state: &State, message: &Message) -> Option<Accepted> {
    let mut connection = state.pool.acquire().await.ok()?;
    let states = messages::states(&mut connection, &[message.id(state.chain.chain_id)]).await.ok()?;
    states.first().map(|state| Accepted { id: state.id, status: state.status })
}
