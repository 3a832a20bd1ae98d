//! The browser's side: the authorization request, the login page, the choice of a citizen, and the logout.

use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{
    Shared,
    citizens::{Level, Search},
    keys::Purpose,
    oauth::{OAuthError, Params, ServerState},
    page,
};

/// How long a login page can be used, in seconds.
const LOGIN_SECONDS: i64 = 600;

/// A checked authorization request, sealed into the login page.
#[derive(Serialize, Deserialize)]
pub(super) struct LoginRequest {
    pub(super) client_id: String,
    pub(super) scope: String,
    scope_org: String,
    redirect_uri: String,
    state: String,
    code_challenge: Option<String>,
    only_confirmed: bool,
    expires_at: i64,
}

/// What a code stands for, sealed into the code.
#[derive(Serialize, Deserialize)]
pub(super) struct Grant {
    #[serde(rename = "urn:esia:sid")]
    pub(super) id: Uuid,
    #[serde(rename = "urn:esia:sbj_id")]
    pub(super) oid: u64,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) scope_org: String,
    pub(super) redirect_uri: String,
    #[serde(rename = "urn:esia:client_state")]
    pub(super) state: String,
    pub(super) code_challenge: Option<String>,
    pub(super) auth_time: i64,
    #[serde(rename = "exp")]
    pub(super) expires_at: i64,
}

/// `GET /aas/oauth2/v2/ac`
pub(super) async fn authorize(State(shared): ServerState, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let params = Params::parse(query.as_bytes());

    // Until the system and its host are known, an error must not be sent to the address in the request.
    let redirect_uri = params.text("redirect_uri");
    let known = || {
        params.unrepeated()?;
        params.require(&["client_id", "redirect_uri"])?;
        let client = shared.client(params.text("client_id"))?;
        if !client.may_redirect_to(redirect_uri) {
            return Err(OAuthError::new(7023, "узел redirect_uri не зарегистрирован для системы"));
        }
        Ok(client)
    };
    let client = match known() {
        Ok(client) => client,
        Err(error) => return page::error(StatusCode::BAD_REQUEST, &error.to_string()),
    };

    let checked = || {
        params.require(&[
            "client_secret",
            "client_certificate_hash",
            "scope",
            "response_type",
            "state",
            "timestamp",
            "access_type",
        ])?;
        if params.text("response_type") != "code" {
            return Err(OAuthError::new(7009, "поддерживается только response_type=code"));
        }
        match params.text("access_type") {
            "online" => {}
            "offline" => {
                return Err(OAuthError::new(7003, "стенд не выдаёт маркеры обновления: access_type=online"));
            }
            _ => {
                return Err(OAuthError::new(7003, "access_type должен быть online или offline"));
            }
        }
        client.check_scopes(params.text("scope"))?;
        shared.check_signature(client, &params, "")?;
        let only_confirmed = match params.get("person_filter") {
            None => false,
            Some(filter) if filter == STANDARD.encode("conf_acc") => true,
            Some(_) => {
                return Err(OAuthError::new(7003, "person_filter должен быть base64 от conf_acc"));
            }
        };
        Ok(LoginRequest {
            client_id: params.text("client_id").into(),
            scope: params.text("scope").into(),
            scope_org: params.text("scope_org").into(),
            redirect_uri: redirect_uri.into(),
            state: params.text("state").into(),
            code_challenge: code_challenge(&params)?,
            only_confirmed,
            expires_at: shared.now() + LOGIN_SECONDS,
        })
    };
    match checked() {
        Ok(request) => redirect(&format!("/login?request={}", shared.sealer.seal(Purpose::LoginRequest, &request))),
        Err(error) => refuse(redirect_uri, params.get("state"), &error),
    }
}

/// The PKCE challenge, if one is given.
fn code_challenge(params: &Params<'_>) -> Result<Option<String>, OAuthError> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256"))
            if URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|hash| hash.len() == SHA256_OUTPUT_LEN) =>
        {
            Ok(Some(challenge.into()))
        }
        (Some(_), Some("S256")) => Err(OAuthError::new(7003, "code_challenge должен быть base64url от SHA-256")),
        _ => Err(OAuthError::new(7003, "стенд знает только code_challenge_method=S256 вместе с code_challenge")),
    }
}

/// `GET /login`
pub(super) async fn show(State(shared): ServerState, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let params = Params::parse(query.as_bytes());
    let sealed = params.text("request");
    let Some(request) = shared.open_login(sealed) else {
        return login_expired();
    };
    let search = Search {
        text: params.text("q"),
        municipality: params.get("place").and_then(|place| place.parse().ok()),
        level: params.get("level").and_then(Level::from_name),
    };
    page::login(&shared, sealed, &request, &search)
}

/// `POST /login`
pub(super) async fn choose(State(shared): ServerState, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let Some(request) = shared.open_login(params.text("request")) else {
        return login_expired();
    };
    if params.get("cancel").is_some() {
        let error = OAuthError::new(7004, "владелец ресурса отказал в доступе");
        return refuse(&request.redirect_uri, Some(&request.state), &error);
    }
    let chosen = params.text("oid").parse().ok().and_then(|oid| Some((oid, shared.register.level(oid)?)));
    let Some((oid, level)) = chosen else {
        return page::error(StatusCode::BAD_REQUEST, "Такого вымышленного жителя на стенде нет.");
    };
    if request.only_confirmed && level != Level::Confirmed {
        let error = OAuthError::new(7055, "учётная запись не подтверждена");
        return refuse(&request.redirect_uri, Some(&request.state), &error);
    }
    let auth_time = shared.now();
    let expires_at = auth_time + i64::try_from(shared.code_lifetime.as_secs()).unwrap_or(i64::MAX / 2);
    let grant = Grant {
        id: Uuid::new_v4(),
        oid,
        client_id: request.client_id,
        scope: request.scope,
        scope_org: request.scope_org,
        redirect_uri: request.redirect_uri,
        state: request.state,
        code_challenge: request.code_challenge,
        auth_time,
        expires_at,
    };
    let code = shared.sealer.seal(Purpose::Code, &grant);
    send_back(&grant.redirect_uri, &[("code", &code), ("state", &grant.state)])
}

/// `GET /idp/ext/Logout`. There is no session to end: only the address to return to is checked.
pub(super) async fn logout(State(shared): ServerState, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let params = Params::parse(query.as_bytes());
    let client = match params.require(&["client_id"]).and_then(|()| shared.client(params.text("client_id"))) {
        Ok(client) => client,
        Err(error) => return page::error(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match params.get("redirect_url") {
        None => page::message("Вы вышли", "Сеанс на учебном стенде завершён."),
        Some(address) if client.may_redirect_to(address) => redirect(address),
        Some(_) => {
            let error = OAuthError::new(7023, "узел redirect_url не зарегистрирован для системы");
            page::error(StatusCode::BAD_REQUEST, &error.to_string())
        }
    }
}

impl LoginRequest {
    /// Whether unconfirmed accounts are to be turned away.
    pub(super) fn only_confirmed(&self) -> bool {
        self.only_confirmed
    }

    /// Scheme, host and port that the browser returns to, for the content security policy.
    pub(super) fn origin(&self) -> String {
        Url::parse(&self.redirect_uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

impl Shared {
    fn open_login(&self, sealed: &str) -> Option<LoginRequest> {
        let request: LoginRequest = self.sealer.open(Purpose::LoginRequest, sealed)?;
        (request.expires_at >= self.now()).then_some(request)
    }
}

fn login_expired() -> Response {
    let text = "Эта страница входа устарела или адрес повреждён. Вернитесь на сайт и начните вход заново.";
    page::error(StatusCode::BAD_REQUEST, text)
}

/// Sends the browser back with an error.
fn refuse(redirect_uri: &str, state: Option<&str>, error: &OAuthError) -> Response {
    let description = error.to_string();
    let mut pairs = vec![("error", error.name()), ("error_description", description.as_str())];
    pairs.extend(state.map(|state| ("state", state)));
    send_back(redirect_uri, &pairs)
}

/// Sends the browser to a checked address with more parameters.
fn send_back(redirect_uri: &str, pairs: &[(&str, &str)]) -> Response {
    match Url::parse(redirect_uri) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(pairs);
            redirect(url.as_str())
        }
        Err(_) => page::error(StatusCode::BAD_REQUEST, "Адрес возврата повреждён."),
    }
}

/// `302`, as ESIA does.
fn redirect(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => {
            let no_store = HeaderValue::from_static("no-store");
            (StatusCode::FOUND, [(header::LOCATION, location), (header::CACHE_CONTROL, no_store)]).into_response()
        }
        Err(_) => page::error(StatusCode::BAD_REQUEST, "Адрес возврата повреждён."),
    }
}
