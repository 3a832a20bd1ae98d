//! Issuing credentials: one for each person and round, whatever runs in parallel.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use kopilka_credential::threshold::IssuerIndex;
use kopilka_credential::{BlindSignature, BlindedMessage};
use kopilka_store::portal::{self, Issuance};
use kopilka_web::{WebError, WebResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{OrUnavailable as _, PortalError};
use crate::keys::check_address;
use crate::rounds::Round;
use crate::session::{Age, Session};
use crate::signing::{NotBegun, SigningKey};
use crate::state::AppState;

/// What the browser asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    class: u8,
    blinded: String,
    /// Of several issuers, the part of the one at whose portal the citizen began; that one asks for none.
    first: Option<String>,
}

/// What it gets.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    class: u8,
    /// Of several issuers this one's number; the signature is then its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<IssuerIndex>,
    signature: BlindSignature,
}

/// Why somebody who is logged in gets no credential of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ineligible {
    /// Registered in another municipality, or in none of ours.
    Municipality,
    /// Too young for this round.
    Age,
    /// ESIA knows no complete birth date.
    AgeUnknown,
}

impl Ineligible {
    fn key(self) -> &'static str {
        match self {
            Self::Municipality => "error-other-municipality",
            Self::Age => "error-too-young",
            Self::AgeUnknown => "error-age-unknown",
        }
    }
}

/// The class whose credential a citizen may have.
pub(crate) fn class_of(session: &Session, round: &Round) -> Result<u8, Ineligible> {
    if session.municipality != Some(round.municipality_id) {
        return Err(Ineligible::Municipality);
    }
    session.age.class(round.classes.len()).ok_or(match session.age {
        Age::Unknown => Ineligible::AgeUnknown,
        _ => Ineligible::Age,
    })
}

/// `POST /api/v1/rounds/{address}/credential`.
pub(crate) async fn issue(
    State(state): State<AppState>,
    crate::api::RoundPath(address): crate::api::RoundPath,
    session: Session,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> WebResult<Json<Answer>> {
    session.verify_csrf_header(&state.csrf, &headers)?;
    let round = crate::api::round(&state, address).await?;
    let class = class_of(&session, &round).map_err(|reason| WebError::forbidden(reason.key()))?;
    if request.class != class {
        return Err(WebError::forbidden("error-class-wrong"));
    }
    let blinded: BlindedMessage = request.blinded.parse().map_err(|error: kopilka_credential::EncodingError| {
        WebError::unprocessable("error-blinded-malformed").arg("reason", error.code())
    })?;
    if !round.is_issuing() {
        return Err(WebError::conflict("error-registration-closed"));
    }
    let key = state.keys.signing(address, class).or_unavailable()?;
    let key = key.ok_or_else(|| WebError::unavailable("error-issuer-unavailable"))?;
    let on_chain = round.classes.get(usize::from(class)).map(|class| class.issuer_key);
    if on_chain != Some(key.public_key()) {
        return Err(PortalError::Nonsense("the issuer key of the round is not the one bound to it here").into_web());
    }

    if let SigningKey::Share(member) = &key {
        check_address(member, &state.config.public_url).or_unavailable()?;
        // What is no point is no signature of the home issuer either.
        let first = match request.first.as_deref().map(str::parse) {
            Some(Err(_)) => Err(NotBegun::Wrong),
            Some(Ok(first)) => member.check_begun(&blinded, Some(first)),
            None => member.check_begun(&blinded, None),
        };
        first.map_err(|reason| WebError::forbidden(reason.key()))?;
    }

    let tag = session.person_tag(&state.config.person_tag_secret, &address.0.0);
    let hash: [u8; 32] = Sha256::digest(blinded.to_bytes()).into();
    let mut connection = state.connection().await.or_unavailable()?;
    let outcome = portal::record_issuance(&mut connection, &address.0.0, &tag, class, &hash).await.or_unavailable()?;
    drop(connection);
    match outcome {
        // Committed before it is signed: what is signed is always recorded.
        Issuance::First | Issuance::Repeated => {
            let (signature, issuer) = key.sign_blinded(&blinded);
            Ok(Json(Answer { class, issuer, signature }))
        }
        Issuance::Refused => Err(WebError::conflict("error-credential-already-issued")),
    }
}
