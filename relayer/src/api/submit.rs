//! Handing in messages: one at a time at a path for each kind, or many of any kind at once.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequestParts, State as Shared};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use futures::future::join_all;
use kopilka_domain::{MessageKind, MessageStatus};
use kopilka_relay_client::{
    Accepted, AllocationRequest, BallotRequest, BulkAnswer, BulkRequest, BulkResult, RedemptionRequest,
    RegistrationRequest, StampClaimRequest,
};
use kopilka_store::relay::messages;

use super::fields::{self, Parsed};
use super::{State, limit};
use crate::admission;
use crate::message::Message;
use crate::problem::Refusal;
use crate::stamps::Stamps;
use crate::venue::{Venue, VenueError};

/// Longer than the database and the node are waited for; whoever asks then learns at least that.
const PATIENCE: Duration = Duration::from_secs(25);

type Body = Result<Bytes, BytesRejection>;

/// Where a request comes from: used for the allowance of its network and then forgotten.
pub(super) struct Origin(Option<IpAddr>);

impl FromRequestParts<Arc<State>> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if !state.behind_proxy {
            return Ok(Self(peer));
        }
        // The last one is what our own proxy saw; those before it are what anybody may have written.
        let list = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let last = list.and_then(|list| list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        Ok(Self(last.or(peer)))
    }
}

/// Register an account
///
/// A throw-away account, in a round, by its credential.
#[utoipa::path(
    post,
    path = "/v1/registrations",
    tag = "messages",
    request_body = RegistrationRequest,
    responses((status = 202, description = "Stored; it will not be lost", body = Accepted))
)]
pub(super) async fn registration(state: Shared<Arc<State>>, origin: Origin, body: Body) -> Response {
    answer(&state, MessageKind::Registration, origin, body).await
}

/// Allocate
///
/// Records an account's whole distribution; a higher version replaces a lower one.
#[utoipa::path(
    post,
    path = "/v1/allocations",
    tag = "messages",
    request_body = AllocationRequest,
    responses((status = 202, description = "Stored; it will not be lost", body = Accepted))
)]
pub(super) async fn allocation(state: Shared<Arc<State>>, origin: Origin, body: Body) -> Response {
    answer(&state, MessageKind::Allocation, origin, body).await
}

/// Vote
///
/// Casts an account's ballot in an open or sealed poll.
#[utoipa::path(
    post,
    path = "/v1/ballots",
    tag = "messages",
    request_body = BallotRequest,
    responses((status = 202, description = "Stored; it will not be lost", body = Accepted))
)]
pub(super) async fn ballot(state: Shared<Arc<State>>, origin: Origin, body: Body) -> Response {
    answer(&state, MessageKind::Ballot, origin, body).await
}

/// Claim a stamp
///
/// Credits a points account for a stamp, which nothing links to the ballot that it was given for.
#[utoipa::path(
    post,
    path = "/v1/stamp-claims",
    tag = "messages",
    request_body = StampClaimRequest,
    responses((status = 202, description = "Stored; it will not be lost", body = Accepted))
)]
pub(super) async fn stamp_claim(state: Shared<Arc<State>>, origin: Origin, body: Body) -> Response {
    answer(&state, MessageKind::StampClaim, origin, body).await
}

/// Redeem a prize
///
/// Spends points and reserves one piece.
#[utoipa::path(
    post,
    path = "/v1/redemptions",
    tag = "messages",
    request_body = RedemptionRequest,
    responses((status = 202, description = "Stored; it will not be lost", body = Accepted))
)]
pub(super) async fn redemption(state: Shared<Arc<State>>, origin: Origin, body: Body) -> Response {
    answer(&state, MessageKind::Redemption, origin, body).await
}

/// Hand in many messages
///
/// Up to 500 of any kinds; each is accepted or refused by itself, in the order of the request.
#[utoipa::path(
    post,
    path = "/v1/messages",
    tag = "messages",
    request_body = BulkRequest,
    responses((status = 202, description = "Those without a problem are stored and will not be lost", body = BulkAnswer))
)]
pub(super) async fn bulk(Shared(state): Shared<Arc<State>>, Origin(from): Origin, body: Body) -> Response {
    let parsed = read(&state, body, state.bulk_limit).and_then(|body| fields::many(&body));
    let parsed = parsed.and_then(|parsed| {
        limit(&state, from, parsed.len())?;
        Ok(parsed)
    });
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(refusal) => return refused("bulk", refusal),
    };
    let each = parsed.into_iter().map(async |parsed| {
        let kind = parsed.as_ref().map_or("bulk", |parsed| parsed.message.kind().as_str());
        let result = match parsed {
            Ok(parsed) => patient(&state, parsed).await,
            Err(refusal) => Err(refusal),
        };
        match result {
            Ok(accepted) => BulkResult::Accepted(accepted),
            Err(refusal) => {
                count_refused(kind, &refusal);
                BulkResult::Refused { problem: refusal.problem() }
            }
        }
    });
    let results = join_all(each).await;
    (StatusCode::ACCEPTED, Json(BulkAnswer { results })).into_response()
}

async fn answer(state: &State, kind: MessageKind, Origin(from): Origin, body: Body) -> Response {
    let started = Instant::now();
    let parsed = limit(state, from, 1).and_then(|()| read(state, body, state.body_limit));
    let result = match parsed.and_then(|body| fields::one(kind, &body)) {
        Ok(parsed) => patient(state, parsed).await,
        Err(refusal) => Err(refusal),
    };
    metrics::histogram!("kopilka_relayer_accept_seconds", "kind" => kind.as_str())
        .record(started.elapsed().as_secs_f64());
    match result {
        Ok(accepted) => (StatusCode::ACCEPTED, Json(accepted)).into_response(),
        Err(refusal) => refused(kind.as_str(), refusal),
    }
}

fn read(state: &State, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    match body {
        Ok(body) if body.len() <= limit => Ok(body),
        Ok(_) => Err(Refusal::BodyTooLarge { limit }),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Refusal::BodyTooLarge { limit: limit.min(state.bulk_limit) })
        }
        Err(_) => {
            Err(Refusal::BodyMalformed { detail: "The body could not be read to its end. Send it again.".to_owned() })
        }
    }
}

fn count_refused(kind: &'static str, refusal: &Refusal) {
    metrics::counter!("kopilka_relayer_refused_total", "kind" => kind, "problem" => refusal.slug()).increment(1);
}

fn refused(kind: &'static str, refusal: Refusal) -> Response {
    count_refused(kind, &refusal);
    refusal.into_response()
}

async fn patient(state: &State, parsed: Parsed) -> Result<Accepted, Refusal> {
    match tokio::time::timeout(PATIENCE, accept(state, parsed)).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::Unavailable { what: "The relayer" }),
    }
}

async fn accept(state: &State, parsed: Parsed) -> Result<Accepted, Refusal> {
    let Parsed { message, stamp } = parsed;
    let blinded = stamp.as_ref().map(Stamps::blinded).transpose()?;
    let id = message.id(state.chain.chain_id);
    let account = message.account();
    let (venue, mut accepted) = match fitting_venue(state, &message).await {
        Ok(venue) => (venue.clone(), state.intake.accept(id, message, venue).await?),
        // Whoever asks again after the phase has ended gets the same answer as before.
        Err(refusal) => {
            let accepted = stored(state, &message).await.ok_or_else(|| refusal.clone())?;
            (state.venues.get(&message).await.map_err(|_| refusal)?, accepted)
        }
    };
    if let Some(blinded) = blinded
        && accepted.status != MessageStatus::Failed
    {
        let stamp = state.stamps.issue(&state.pool, &state.venues, &venue, account, &blinded).await?;
        accepted.stamp = stamp.map(|stamp| stamp.to_vec().into());
    }
    Ok(accepted)
}

/// What the message is for, if it takes the message now.
async fn fitting_venue(state: &State, message: &Message) -> Result<Venue, Refusal> {
    let unreadable = |error: VenueError| match error {
        VenueError::Unknown => unknown(message),
        error => {
            tracing::warn!(%error, contract = %message.contract(), "cannot read what a message is for");
            Refusal::Unavailable { what: "The chain's node" }
        }
    };
    let venue = state.venues.get(message).await.map_err(unreadable)?;
    if admission::check(message, &venue).is_ok() {
        return Ok(venue);
    }
    // The phase may have changed, or a class or an initiative been added, since it was read.
    let venue = state.venues.reread(message).await.map_err(unreadable)?;
    admission::check(message, &venue).map(|()| venue)
}

/// There is nothing that the message could be for.
fn unknown(message: &Message) -> Refusal {
    match message {
        Message::Registration(_) | Message::Allocation(_) => Refusal::RoundUnknown { round: message.contract() },
        Message::Ballot(_) => Refusal::VenueUnknown { field: "poll", what: "poll" },
        Message::StampClaim(_) => Refusal::VenueUnknown { field: "source", what: "source of points" },
        Message::Redemption(_) => Refusal::VenueUnknown { field: "prize", what: "prize" },
    }
}

async fn stored(state: &State, message: &Message) -> Option<Accepted> {
    let mut connection = state.pool.acquire().await.ok()?;
    let states = messages::states(&mut connection, &[message.id(state.chain.chain_id)]).await.ok()?;
    states.first().map(|state| Accepted { id: state.id, status: state.status, stamp: None })
}
