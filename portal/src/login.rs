//! Logging in through ESIA and out again.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use kopilka_esia::{CallbackQuery, EsiaError, LoginState};
use kopilka_web::preferences::is_local_path;
use kopilka_web::{Page, WebResult};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::pages::{LoginFailure, Notice};
use crate::session::{Age, MaybeSession, SESSION_COOKIE, Session};
use crate::state::AppState;

/// Cookie that ties the way through ESIA to this browser.
const LOGIN_COOKIE: &str = "kopilka_login";
/// How long a citizen may take at ESIA.
const LOGIN_LASTS: Duration = Duration::minutes(15);

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

impl Next {
    fn path(self) -> String {
        self.next.filter(|next| is_local_path(next) && next.len() <= 300).unwrap_or_else(|| "/".to_owned())
    }
}

#[derive(Serialize, Deserialize)]
struct Pending {
    state: String,
    next: String,
}

/// `GET /login?next=/…`: to ESIA.
pub(crate) async fn login(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    Query(next): Query<Next>,
    page: Page,
    jar: CookieJar,
) -> WebResult<Response> {
    let next = next.path();
    if session.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    let login = LoginState::new();
    let target = match state.esia.authorization_url(&login).await {
        Ok(target) => target,
        Err(error) => return Ok(failed(&error, page, &next)),
    };
    let pending = Pending { state: login.to_string(), next };
    let cookie = state.sealer.cookie(LOGIN_COOKIE, &pending, OffsetDateTime::now_utc(), LOGIN_LASTS)?;
    Ok((jar.add(cookie), Redirect::to(target.as_str())).into_response())
}

/// `GET /esia/callback`: back from ESIA, with a code or an error.
pub(crate) async fn callback(
    State(state): State<AppState>,
    Query(callback): Query<CallbackQuery>,
    page: Page,
    jar: CookieJar,
) -> WebResult<Response> {
    let now = OffsetDateTime::now_utc();
    let pending: Option<Pending> = state.sealer.read(&jar, LOGIN_COOKIE, now);
    // Used once, whatever comes out.
    let jar = CookieJar::new().add(state.sealer.removal(LOGIN_COOKIE));
    let Some(pending) = pending else {
        return Ok((jar, Notice::new(page, LoginFailure::Again, "/").into_response()).into_response());
    };
    let next = pending.next;
    let Ok(login) = pending.state.parse::<LoginState>() else {
        return Ok((jar, Notice::new(page, LoginFailure::Again, &next).into_response()).into_response());
    };
    let person = match state.esia.log_in(&callback, &login).await {
        Ok(person) => person,
        Err(error) => return Ok((jar, failed(&error, page, &next)).into_response()),
    };
    let municipality = person.registration_fias.and_then(|fias| state.config.territories.municipality(fias));
    let session = Session::new(&state.config.person_tag_secret, &person, municipality, now);
    let target = match (session.municipality, session.age) {
        (Some(_), Age::Adult | Age::Youth) => next,
        _ => "/account".to_owned(),
    };
    let jar = jar.add(session.cookie(&state, now)?);
    Ok((jar, Redirect::to(&target)).into_response())
}

/// A page in plain words; what an operator must see goes to the log (ESIA errors hold nothing personal).
fn failed(error: &EsiaError, page: Page, next: &str) -> Response {
    let kind = match error {
        EsiaError::Denied { .. } => LoginFailure::Denied,
        EsiaError::Unconfirmed => LoginFailure::Unconfirmed,
        EsiaError::CodeRejected { .. } | EsiaError::State(_) => LoginFailure::Again,
        EsiaError::Unavailable { .. } => LoginFailure::Unavailable,
        EsiaError::Misconfigured { .. } | EsiaError::Token { .. } | EsiaError::Protocol(_) | EsiaError::Signer(_) => {
            LoginFailure::Broken
        }
    };
    if error.needs_operator() {
        tracing::error!(error = error as &dyn std::error::Error, "logging in through ESIA failed");
    } else if error.is_retryable() {
        tracing::warn!(error = error as &dyn std::error::Error, "ESIA is unavailable");
    }
    Notice::new(page, kind, next).into_response()
}

/// Form of [`logout`].
#[derive(Debug, Deserialize)]
pub(crate) struct Logout {
    csrf: Option<String>,
}

/// `POST /logout`: ends the session here and at ESIA, so that the next person at this computer does not get in by itself.
pub(crate) async fn logout(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    Form(form): Form<Logout>,
) -> WebResult<Response> {
    let Some(session) = session else { return Ok(Redirect::to("/").into_response()) };
    session.verify_csrf(&state.csrf, form.csrf.as_deref())?;
    let jar = CookieJar::new().add(state.sealer.removal(SESSION_COOKIE));
    let target = state.esia.logout_url(Some(&state.config.public_url));
    let status = (StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, target.to_string())]);
    Ok((jar, status).into_response())
}
