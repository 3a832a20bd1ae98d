//! The session: a sealed cookie, nothing on the server.
//!
//! It holds a keyed tag instead of the ESIA number, the municipality, the age class and the seed of form tokens: no name, no
//! date, no address. It ends after half an hour without a request and after four hours in any case. Logging out removes the
//! cookie; a copy stolen before stays valid until its end, as with every session that the server does not store.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kopilka_domain::MunicipalityId;
use kopilka_esia::{Oid, Person};
use kopilka_web::sealed::SealError;
use kopilka_web::{Csrf, SecretKey, WebError};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use crate::state::AppState;

/// Cookie with the session.
pub(crate) const SESSION_COOKIE: &str = "kopilka_session";
/// How long a session lives without a request.
const IDLE: Duration = Duration::minutes(30);
/// How long a session lives at most.
const WHOLE: Duration = Duration::hours(4);
/// A cookie older than this is renewed by the next request.
const RENEW_AFTER: Duration = Duration::minutes(1);

/// What the age of a citizen entitles to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Age {
    /// 18 and more: class 0.
    Adult,
    /// 16 or 17: class 1, where the round has one.
    Youth,
    /// Under 16.
    Child,
    /// ESIA knows no complete birth date.
    Unknown,
}

impl Age {
    pub(crate) fn of(person: &Person, today: time::Date) -> Self {
        match person.age_on(today) {
            Some(18..) => Self::Adult,
            Some(16..) => Self::Youth,
            Some(_) => Self::Child,
            None => Self::Unknown,
        }
    }

    /// The class of credentials, if the round has one for this age.
    pub(crate) fn class(self, classes: usize) -> Option<u8> {
        match self {
            Self::Adult if classes >= 1 => Some(0),
            Self::Youth if classes >= 2 => Some(1),
            _ => None,
        }
    }
}

/// Somebody who has logged in with a confirmed account.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Keyed value of the ESIA number, from which the tags of all rounds derive.
    person: [u8; 32],
    /// Where the person is registered, if it is one of our municipalities.
    pub(crate) municipality: Option<u32>,
    /// What the age entitles to.
    pub(crate) age: Age,
    csrf: [u8; 16],
    started_at: i64,
    renewed_at: i64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(hidden)")
    }
}

impl Session {
    pub(crate) fn new(
        secret: &SecretKey,
        person: &Person,
        municipality: Option<MunicipalityId>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            person: person_base(secret, person.oid),
            municipality: municipality.map(u32::from),
            age: Age::of(person, now.date()),
            csrf: rand::random(),
            started_at: now.unix_timestamp(),
            renewed_at: now.unix_timestamp(),
        }
    }

    /// The tag of this person in one round. Tags of two rounds cannot be joined without the secret.
    pub(crate) fn person_tag(&self, secret: &SecretKey, round: &[u8; 20]) -> [u8; 32] {
        keyed(secret, b"round", &[&round[..], &self.person].concat())
    }

    /// Names the person to this person's own browser, which keeps the keys of each of its users apart. It never comes back.
    pub(crate) fn profile(&self, secret: &SecretKey) -> String {
        hex::encode(&keyed(secret, b"browser profile", &self.person)[..8])
    }

    /// A token for forms and scripts.
    pub(crate) fn csrf_token(&self, csrf: &Csrf) -> String {
        csrf.token(&self.csrf)
    }

    pub(crate) fn verify_csrf(&self, csrf: &Csrf, token: Option<&str>) -> Result<(), WebError> {
        csrf.verify(&self.csrf, token)
    }

    pub(crate) fn verify_csrf_header(&self, csrf: &Csrf, headers: &HeaderMap) -> Result<(), WebError> {
        self.verify_csrf(csrf, headers.get(Csrf::HEADER).and_then(|value| value.to_str().ok()))
    }

    pub(crate) fn cookie(&self, state: &AppState, now: OffsetDateTime) -> Result<Cookie<'static>, SealError> {
        state.sealer.cookie(SESSION_COOKIE, self, now, IDLE)
    }

    fn read(state: &AppState, headers: &HeaderMap, now: OffsetDateTime) -> Option<Self> {
        let session: Self = state.sealer.read(&CookieJar::from_headers(headers), SESSION_COOKIE, now)?;
        let ends = session.started_at + WHOLE.whole_seconds();
        (now.unix_timestamp() < ends).then_some(session)
    }
}

/// HMAC-SHA256 of a purpose and a value.
fn keyed(secret: &SecretKey, purpose: &[u8], value: &[u8]) -> [u8; 32] {
    // HMAC pads a shorter key with zeros to its block; done here, no length can be wrong.
    let mut block = zeroize::Zeroizing::new([0_u8; 64]);
    block[..32].copy_from_slice(secret.expose());
    let mut hmac = Hmac::<Sha256>::new(&(*block).into());
    hmac.update(&(purpose.len() as u64).to_be_bytes());
    hmac.update(purpose);
    hmac.update(value);
    hmac.finalize().into_bytes().into()
}

fn person_base(secret: &SecretKey, oid: Oid) -> [u8; 32] {
    keyed(secret, b"person", &oid.get().to_be_bytes())
}

/// Who asks, if anybody is logged in.
#[derive(Debug, Clone)]
pub(crate) struct MaybeSession(pub(crate) Option<Session>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeSession {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Session>().cloned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| WebError::unauthorized("error-login-needed"))
    }
}

/// Reads the session of a request and renews its cookie.
pub(crate) async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let now = OffsetDateTime::now_utc();
    let session = Session::read(&state, request.headers(), now);
    if let Some(session) = &session {
        request.extensions_mut().insert(session.clone());
    }
    let mut response = next.run(request).await;
    if let Some(mut session) = session
        && now.unix_timestamp() - session.renewed_at >= RENEW_AFTER.whole_seconds()
        && !sets_session(response.headers())
    {
        session.renewed_at = now.unix_timestamp();
        if let Ok(cookie) = session.cookie(&state, now)
            && let Ok(value) = cookie.to_string().parse()
        {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// Whether the answer ends or replaces the session by itself.
fn sets_session(headers: &HeaderMap) -> bool {
    let prefix = format!("{SESSION_COOKIE}=");
    headers.get_all(header::SET_COOKIE).iter().any(|value| value.as_bytes().starts_with(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_neither_person_nor_round() {
        let (secret, other) = (SecretKey::new([1; 32]), SecretKey::new([2; 32]));
        let session = |secret: &SecretKey, oid| Session {
            person: person_base(secret, Oid::new(oid)),
            municipality: Some(1),
            age: Age::Adult,
            csrf: [0; 16],
            started_at: 0,
            renewed_at: 0,
        };
        let (round, next) = ([1; 20], [2; 20]);
        let tag = session(&secret, 1000).person_tag(&secret, &round);
        assert_eq!(tag, session(&secret, 1000).person_tag(&secret, &round));
        assert_ne!(tag, session(&secret, 1001).person_tag(&secret, &round));
        assert_ne!(tag, session(&secret, 1000).person_tag(&secret, &next));
        assert_ne!(tag, session(&other, 1000).person_tag(&other, &round));
        assert_eq!(session(&secret, 1000).profile(&secret).len(), 16);
    }

    #[test]
    fn classes_follow_age() {
        assert_eq!(Age::Adult.class(1), Some(0));
        assert_eq!(Age::Adult.class(0), None);
        assert_eq!(Age::Youth.class(1), None);
        assert_eq!(Age::Youth.class(2), Some(1));
        assert_eq!(Age::Child.class(2), None);
        assert_eq!(Age::Unknown.class(2), None);
    }
}
