//! `POST /aas/oauth2/v3/te`: a code for an id token and an access token.

use std::time::Duration;

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Shared,
    authorize::Grant,
    citizens::Level,
    fault::{Defect, Fault, defect_of},
    keys::Purpose,
    oauth::{OAuthError, Params, ServerState},
};
use crate::error::TokenKind;

/// Lifetime of an access token, in seconds.
const ACCESS_SECONDS: i64 = 3600;
/// Lifetime of an id token, in seconds.
const ID_SECONDS: i64 = 10_800;

/// `POST /aas/oauth2/v3/te`
pub(super) async fn exchange(State(shared): ServerState, headers: HeaderMap, body: Bytes) -> Response {
    match shared.fault() {
        Some(Fault::SlowTokens(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::FailingTokens(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, "Сбой, включённый на учебном стенде.\n").into_response();
        }
        _ => {}
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded");
    let params = Params::parse(if is_form { &body } else { b"" });
    match redeem(&shared, &params) {
        Ok(tokens) => ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response(),
        Err(error) => {
            let body = json!({
                "error": error.name(),
                "error_description": error.to_string(),
                "state": params.get("state"),
            });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

/// The successful answer.
#[derive(Serialize)]
pub(super) struct Tokens {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    state: String,
    token_type: &'static str,
    expires_in: i64,
}

fn redeem(shared: &Shared, params: &Params<'_>) -> Result<Tokens, OAuthError> {
    params.unrepeated()?;
    params.require(&[
        "client_id",
        "client_secret",
        "client_certificate_hash",
        "code",
        "grant_type",
        "redirect_uri",
        "scope",
        "state",
        "timestamp",
        "token_type",
    ])?;
    if params.text("grant_type") != "authorization_code" {
        return Err(OAuthError::new(7012, "стенд поддерживает только grant_type=authorization_code"));
    }
    if params.text("token_type") != "Bearer" {
        return Err(OAuthError::new(7003, "token_type должен быть Bearer"));
    }
    let client = shared.client(params.text("client_id"))?;
    let code = params.text("code");
    shared.check_signature(client, params, code)?;

    let invalid = |text: &'static str| OAuthError::new(7011, text);
    let grant: Grant = shared.sealer.open(Purpose::Code, code).ok_or_else(|| invalid("код авторизации неизвестен"))?;
    if grant.expires_at < shared.now() {
        return Err(invalid("срок действия кода авторизации истёк"));
    }
    if grant.client_id != params.text("client_id") {
        return Err(invalid("код авторизации выдан другой системе"));
    }
    if grant.redirect_uri != params.text("redirect_uri") {
        return Err(invalid("redirect_uri не совпадает с адресом в запросе кода"));
    }
    if grant.scope != params.text("scope") || grant.scope_org != params.text("scope_org") {
        return Err(OAuthError::new(7019, "OAuthErrorEnum.noGrants: scope не совпадает с областью в запросе кода"));
    }
    if grant.state == params.text("state") {
        return Err(OAuthError::new(7003, "для запроса маркера нужен новый state"));
    }
    if !shared.use_code(grant.id, grant.expires_at) {
        return Err(invalid("код авторизации уже использован"));
    }
    match (&grant.code_challenge, params.get("code_verifier")) {
        (None, None) => {}
        (None, Some(_)) => return Err(OAuthError::new(7039, "code_challenge не был передан")),
        (Some(challenge), verifier) => {
            let hash = digest(&SHA256, verifier.unwrap_or_default().as_bytes());
            if *challenge != URL_SAFE_NO_PAD.encode(hash) {
                return Err(OAuthError::new(7040, "code_verifier не соответствует code_challenge"));
            }
        }
    }
    let level = shared.register.level(grant.oid).ok_or_else(|| invalid("пользователь не найден"))?;
    Ok(issue(shared, &grant, level, params.text("state")))
}

fn issue(shared: &Shared, grant: &Grant, level: Level, state: &str) -> Tokens {
    let fault = shared.fault();
    let state = if fault == Some(Fault::StateMismatch) { Uuid::new_v4().to_string() } else { state.to_owned() };
    let id_token = grant
        .scope
        .split(' ')
        .any(|scope| scope == "openid")
        .then(|| id_token(shared, grant, level, defect_of(fault, TokenKind::Id)));
    Tokens {
        access_token: access_token(shared, grant, defect_of(fault, TokenKind::Access)),
        id_token,
        state,
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
    }
}

#[derive(Serialize)]
struct IdClaims<'a> {
    aud: &'a str,
    sub: u64,
    nbf: i64,
    amr: &'static str,
    #[serde(rename = "urn:esia:amd")]
    amd: &'static str,
    auth_time: i64,
    iss: &'a str,
    #[serde(rename = "urn:esia:sid")]
    sid: Uuid,
    #[serde(rename = "urn:esia:sbj")]
    subject: SubjectClaims,
    exp: i64,
    iat: i64,
}

#[derive(Serialize)]
struct SubjectClaims {
    #[serde(rename = "urn:esia:sbj:typ")]
    kind: &'static str,
    #[serde(rename = "urn:esia:sbj:lvl")]
    level: &'static str,
    #[serde(rename = "urn:esia:sbj:is_tru", skip_serializing_if = "std::ops::Not::not")]
    is_trusted: bool,
    #[serde(rename = "urn:esia:sbj:oid")]
    oid: u64,
    #[serde(rename = "urn:esia:sbj:nam")]
    name: String,
}

fn id_token(shared: &Shared, grant: &Grant, level: Level, defect: Option<Defect>) -> String {
    let times = Times::new(shared, ID_SECONDS, defect);
    let claims = IdClaims {
        aud: if defect == Some(Defect::Audience) { "OTHER" } else { &grant.client_id },
        sub: grant.oid + u64::from(defect == Some(Defect::Subject)),
        nbf: times.nbf,
        amr: "PWD",
        amd: "PWD",
        auth_time: grant.auth_time,
        iss: issuer(shared, defect),
        sid: grant.id,
        subject: SubjectClaims {
            kind: if defect == Some(Defect::NotAPerson) { "L" } else { "P" },
            level: if level == Level::Confirmed { "PR" } else { "P" },
            is_trusted: level == Level::Confirmed && defect != Some(Defect::MissingIsTru),
            oid: grant.oid,
            name: format!("OID.{}", grant.oid),
        },
        exp: times.exp,
        iat: times.iat,
    };
    sign(shared, TokenKind::Id, &claims, defect)
}

/// Payload of an access token; read back when it is used.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessClaims {
    nbf: i64,
    scope: String,
    iss: String,
    #[serde(rename = "urn:esia:sid")]
    sid: Uuid,
    #[serde(rename = "urn:esia:sbj_id")]
    pub(super) oid: u64,
    pub(super) exp: i64,
    iat: i64,
    client_id: String,
}

impl AccessClaims {
    /// Whether a scope was granted (for this token's person).
    pub(super) fn has_scope(&self, wanted: &str) -> bool {
        self.scope.split(' ').any(|scope| scope.split('?').next() == Some(wanted))
    }
}

fn access_token(shared: &Shared, grant: &Grant, defect: Option<Defect>) -> String {
    let times = Times::new(shared, ACCESS_SECONDS, defect);
    let mut scope = String::with_capacity(grant.scope.len() * 3);
    for name in grant.scope.split(' ') {
        let separator = if scope.is_empty() { "" } else { " " };
        scope.push_str(separator);
        scope.push_str(name);
        if name != "openid" {
            scope.push_str("?oid=");
            scope.push_str(&grant.oid.to_string());
        }
    }
    let claims = AccessClaims {
        nbf: times.nbf,
        scope,
        iss: issuer(shared, defect).to_owned(),
        sid: grant.id,
        oid: grant.oid + u64::from(defect == Some(Defect::Subject)),
        exp: times.exp,
        iat: times.iat,
        client_id: if defect == Some(Defect::Audience) { "OTHER".into() } else { grant.client_id.clone() },
    };
    sign(shared, TokenKind::Access, &claims, defect)
}

struct Times {
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl Times {
    fn new(shared: &Shared, lifetime: i64, defect: Option<Defect>) -> Self {
        const FAULT_SECONDS: i64 = Duration::from_secs(120).as_secs() as i64;
        let now = shared.now();
        let later = |wanted| {
            if defect == Some(wanted) { now + FAULT_SECONDS } else { now }
        };
        Self {
            nbf: later(Defect::NotYetValid),
            iat: later(Defect::IssuedInFuture),
            exp: if defect == Some(Defect::Expired) { now - FAULT_SECONDS } else { now + lifetime },
        }
    }
}

fn issuer(shared: &Shared, defect: Option<Defect>) -> &str {
    if defect == Some(Defect::Issuer) { "http://other-issuer.localhost/" } else { &shared.issuer }
}

/// Writes and signs a token, with the defects that concern header and signature.
fn sign(shared: &Shared, kind: TokenKind, claims: &impl Serialize, defect: Option<Defect>) -> String {
    let version = if kind == TokenKind::Access { 1 } else { 0 };
    let algorithm = match defect {
        Some(Defect::Unsigned) => "none",
        Some(Defect::Hmac) => "HS256",
        Some(Defect::Gost) => "GOST3410_2012_256",
        _ => "RS256",
    };
    let stated = match (defect, kind) {
        (Some(Defect::Kind), TokenKind::Id) => TokenKind::Access,
        (Some(Defect::Kind), TokenKind::Access) => TokenKind::Id,
        _ => kind,
    };
    let header = format!(r#"{{"ver":{version},"typ":"JWT","sbt":"{stated}","alg":"{algorithm}"}}"#);
    // The claims are plain structs of texts and numbers.
    let payload = serde_json::to_vec(claims).expect("plain values become JSON");
    let mut token = String::with_capacity(payload.len() * 4 / 3 + 512);
    URL_SAFE_NO_PAD.encode_string(header, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = match defect {
        Some(Defect::Unsigned) => Vec::new(),
        Some(Defect::Hmac) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, shared.signer.certificate_pem().as_bytes());
            hmac::sign(&key, token.as_bytes()).as_ref().to_vec()
        }
        Some(Defect::RotatedKey) => shared.rotated.sign(token.as_bytes()),
        Some(Defect::Signature) => {
            let mut signature = shared.signer.sign(token.as_bytes());
            signature[100] ^= 1;
            signature
        }
        _ => shared.signer.sign(token.as_bytes()),
    };
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}
