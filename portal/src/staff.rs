//! The staff API: programs of the municipality, authenticated by a bearer token, make issuer keys and publish counts.

use alloy::primitives::{Address, Bytes};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use kopilka_credential::IssuerPublicKey;
use kopilka_store::portal;
use kopilka_web::{WebError, WebResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::KeyError;
use crate::api::{self, RoundPath};
use crate::error::{OrUnavailable as _, PortalError};
use crate::publish::Published;
use crate::state::AppState;

/// A caller who has shown the token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Staff;

impl FromRequestParts<AppState> for Staff {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, WebError> {
        let Some(token) = &state.config.staff_token else {
            return Err(WebError::forbidden("error-staff-closed"));
        };
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match given.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(given) if token.matches(given.trim()) => Ok(Self),
            _ => Err(WebError::unauthorized("error-staff-token")),
        }
    }
}

/// A key as staff programs see it.
#[derive(Debug, Serialize)]
pub(crate) struct KeyJson {
    key_id: Uuid,
    /// 96 bytes, compressed.
    public_key: IssuerPublicKey,
    /// 256 bytes, as `addClass` takes it.
    public_key_eip2537: Bytes,
}

impl KeyJson {
    fn new(key_id: Uuid, public_key: IssuerPublicKey) -> Self {
        Self { key_id, public_key, public_key_eip2537: Bytes::copy_from_slice(&public_key.to_eip2537()) }
    }
}

/// `POST /api/v1/staff/issuer-keys`: makes a key.
pub(crate) async fn create_key(_: Staff, State(state): State<AppState>) -> WebResult<(StatusCode, Json<KeyJson>)> {
    let key = state.keys.create().or_unavailable()?;
    Ok((StatusCode::CREATED, Json(KeyJson::new(key.id, key.public_key))))
}

/// `GET /api/v1/staff/issuer-keys/{key_id}`: a key that is here, such as a share that was put into the folder.
pub(crate) async fn key(_: Staff, State(state): State<AppState>, Path(key_id): Path<Uuid>) -> WebResult<Json<KeyJson>> {
    let public = state.keys.public(key_id).map_err(refusal)?;
    Ok(Json(KeyJson::new(key_id, public)))
}

/// Body of [`bind_key`].
#[derive(Debug, Deserialize)]
pub(crate) struct Bind {
    round: Address,
    class: u8,
}

/// `PUT /api/v1/staff/issuer-keys/{key_id}`: binds a key to the round and class that has it on chain.
pub(crate) async fn bind_key(
    _: Staff,
    State(state): State<AppState>,
    Path(key_id): Path<Uuid>,
    Json(bind): Json<Bind>,
) -> WebResult<Json<KeyJson>> {
    let public = state.keys.public(key_id).map_err(refusal)?;
    let round = api::round(&state, bind.round).await?;
    let on_chain = round.classes.get(usize::from(bind.class)).map(|class| class.issuer_key);
    if on_chain != Some(public) {
        return Err(WebError::conflict("error-issuer-key-not-on-chain"));
    }
    let public = state.keys.bind(key_id, bind.round, bind.class).map_err(refusal)?;
    Ok(Json(KeyJson::new(key_id, public)))
}

fn refusal(error: KeyError) -> WebError {
    match error {
        KeyError::Unknown(_) => WebError::not_found("error-issuer-key-unknown"),
        KeyError::BoundElsewhere { .. } | KeyError::RoundTaken { .. } => {
            WebError::conflict("error-issuer-key-bound").with_source(error)
        }
        other => PortalError::from(other).into_web(),
    }
}

/// `POST /api/v1/staff/rounds/{address}/publish-issued`: publishes the numbers of issued credentials now.
pub(crate) async fn publish_issued(
    _: Staff,
    State(state): State<AppState>,
    RoundPath(address): RoundPath,
) -> WebResult<Json<Vec<Published>>> {
    api::round(&state, address).await?;
    if !state.publisher.can_publish() {
        return Err(WebError::unavailable("error-issuer-account-missing"));
    }
    state.publisher.publish(&state.database, Some(address)).await.map(Json).or_unavailable()
}

/// Answer of [`compact`].
#[derive(Debug, Serialize)]
pub(crate) struct Compacted {
    rows: u64,
}

/// `POST /api/v1/staff/compact-issuances`: rewrites the table so that nothing in it tells an order.
pub(crate) async fn compact(_: Staff, State(state): State<AppState>) -> WebResult<Json<Compacted>> {
    let mut transaction = state.database.begin().await.map_err(PortalError::database).or_unavailable()?;
    let rows = portal::compact_issuances(&mut transaction).await.or_unavailable()?;
    transaction.commit().await.map_err(PortalError::database).or_unavailable()?;
    Ok(Json(Compacted { rows }))
}
