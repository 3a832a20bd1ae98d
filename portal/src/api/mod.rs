//! What the portal's scripts and other programs call with the session cookie, or without one.

mod documents;
mod rounds;

pub(crate) use documents::{MAX_DOCUMENT, Text, document, documents, put_document};
pub(crate) use rounds::{round_json, rounds_json};

use std::sync::Arc;

use alloy::primitives::Address;
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use kopilka_web::{WebError, WebResult};
use serde::Serialize;

use crate::error::OrUnavailable as _;
use crate::rounds::Round;
use crate::session::{Age, Session};
use crate::state::AppState;

/// The `{address}` of a round in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundPath(pub(crate) Address);

impl<S: Send + Sync> FromRequestParts<S> for RoundPath {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let unknown = || WebError::not_found("error-round-unknown");
        let Path(parameters) = Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown())?;
        let address = parameters.get("address").ok_or_else(unknown)?;
        address.parse().map(Self).map_err(|_| unknown())
    }
}

/// A round of ours, or 404.
pub(crate) async fn round(state: &AppState, address: Address) -> WebResult<Arc<Round>> {
    let round = state.rounds.get(address).await.or_unavailable()?;
    round.ok_or_else(|| WebError::not_found("error-round-unknown"))
}

/// `GET /api/v1/session`.
#[derive(Debug, Serialize)]
pub(crate) struct SessionJson {
    /// Always true: an account that is not confirmed gets no session.
    confirmed: bool,
    municipality_id: Option<u32>,
    age: Age,
    profile: String,
    csrf: String,
}

pub(crate) async fn session_json(State(state): State<AppState>, session: Session) -> Json<SessionJson> {
    Json(SessionJson {
        confirmed: true,
        municipality_id: session.municipality,
        age: session.age,
        profile: session.profile(&state.config.person_tag_secret),
        csrf: session.csrf_token(&state.csrf),
    })
}
