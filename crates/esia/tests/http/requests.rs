//! The stand-in checks requests as ESIA does: each mistake gets its number.

use kopilka_esia::standin::{RegisteredClient, SCOPES, named};
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::{Handmade, SIGNER, World};

/// The number in an error redirect, after checking that it goes to the registered address with the state.
async fn refused(world: &World, request: &Handmade) -> String {
    let answer = request.authorize(world).await;
    assert_eq!(answer.status(), 302);
    let location: Url = answer.headers()["location"].to_str().expect("text").parse().expect("an absolute address");
    assert!(location.as_str().starts_with(request.get("redirect_uri")), "{location}");
    let value = |name: &str| location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(value("state").unwrap_or_default(), request.get("state"));
    assert_eq!(value("code"), None);
    let description = value("error_description").expect("a description");
    format!("{} {}", value("error").expect("an error"), &description[..11])
}

#[tokio::test]
async fn a_right_authorization_request_leads_to_the_login_page() {
    let world = World::new().await;
    let answer = Handmade::authorization().sign().authorize(&world).await;
    assert_eq!(answer.status(), 302);
    assert!(answer.headers()["location"].to_str().expect("text").starts_with("/login?request="));
}

#[tokio::test]
async fn authorization_mistakes_have_numbers() {
    let world = World::new().await;
    let signed_after = |change: fn(&mut Handmade) -> &mut Handmade| {
        let mut request = Handmade::authorization();
        change(&mut request);
        request.sign();
        request
    };
    let spoilt_after = |change: fn(&mut Handmade) -> &mut Handmade| {
        let mut request = Handmade::authorization();
        request.sign();
        change(&mut request);
        request
    };
    for (request, expected) in [
        (signed_after(|r| r.remove("scope")), "invalid_request ESIA-007014"),
        (signed_after(|r| r.remove("client_certificate_hash")), "invalid_request ESIA-007014"),
        (spoilt_after(|r| r.remove("client_secret")), "invalid_request ESIA-007014"),
        (signed_after(|r| r.remove("access_type")), "invalid_request ESIA-007014"),
        (signed_after(|r| r.remove("state")), "invalid_request ESIA-007014"),
        (signed_after(|r| r.set("response_type", "token")), "unsupported_response_type ESIA-007009"),
        (signed_after(|r| r.set("access_type", "always")), "invalid_request ESIA-007003"),
        (signed_after(|r| r.set("state", "not-a-uuid")), "invalid_request ESIA-007003"),
        (signed_after(|r| r.set("scope", "openid nonsense")), "invalid_scope ESIA-007006"),
        (signed_after(|r| r.set("timestamp", "2026.11.22 20:52:41 +0000")), "invalid_request ESIA-007015"),
        (signed_after(|r| r.set("timestamp", "2026.11.22 21:02:43 +0000")), "invalid_request ESIA-007015"),
        (signed_after(|r| r.set("timestamp", "2026-11-22T20:57:42Z")), "invalid_request ESIA-007015"),
        (signed_after(|r| r.set("code_challenge", "abc")), "invalid_request ESIA-007003"),
        (spoilt_after(|r| r.set("scope", "openid")), "access_denied ESIA-007053"),
        (spoilt_after(|r| r.set("state", &Uuid::new_v4().to_string())), "access_denied ESIA-007053"),
        (spoilt_after(|r| r.set("timestamp", "2026.11.22 20:57:43 +0000")), "access_denied ESIA-007053"),
        (spoilt_after(|r| r.set("redirect_uri", "http://localhost/else")), "access_denied ESIA-007053"),
        (spoilt_after(|r| r.set("scope_org", "org")), "access_denied ESIA-007053"),
        (spoilt_after(|r| r.set("client_secret", "***")), "access_denied ESIA-007053"),
        (signed_after(|r| r.set("client_certificate_hash", &"0".repeat(64))), "access_denied ESIA-007053"),
    ] {
        assert_eq!(refused(&world, &request).await, expected, "{}", request.encode());
    }
}

#[tokio::test]
async fn an_unknown_system_or_host_is_never_redirected_to() {
    let world = World::new().await;
    let shown = async |change: fn(&mut Handmade) -> &mut Handmade| {
        let mut request = Handmade::authorization();
        change(&mut request);
        request.sign();
        let answer = request.authorize(&world).await;
        assert_eq!(answer.status(), 400);
        assert!(answer.headers().get("location").is_none());
        answer.text().await.expect("a page")
    };
    assert!(shown(|r| r.set("redirect_uri", "http://evil.example/cb")).await.contains("ESIA-007023"));
    assert!(shown(|r| r.set("client_id", "SOMEBODY")).await.contains("ESIA-007005"));
    assert!(shown(|r| r.remove("redirect_uri")).await.contains("ESIA-007014"));
    assert!(shown(|r| r.repeat("client_id", "KOPILKA")).await.contains("ESIA-007003"));
}

#[tokio::test]
async fn a_right_token_request_gets_tokens() {
    let world = World::new().await;
    let code = world.code(named::RESIDENT).await;
    assert!(code.len() > 500, "codes are long, as ESIA's are");
    let mut request = Handmade::token(&code);
    request.sign();
    let (status, body) = request.exchange(&world).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["state"], request.get("state"));
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert!(body.get("refresh_token").is_none());

    let part = |token: &str, index: usize| -> serde_json::Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let part = token.split('.').nth(index).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    };
    let id = body["id_token"].as_str().expect("a token");
    let access = body["access_token"].as_str().expect("a token");
    assert_eq!(part(id, 0), json!({"ver": 0, "typ": "JWT", "sbt": "id", "alg": "RS256"}));
    assert_eq!(part(access, 0), json!({"ver": 1, "typ": "JWT", "sbt": "access", "alg": "RS256"}));
    insta::assert_json_snapshot!(claims(part(id, 1)), @r#"
    {
      "amr": "PWD",
      "aud": "KOPILKA",
      "auth_time": 1795381062,
      "exp": 1795391862,
      "iat": 1795381062,
      "iss": "http://esia-standin.localhost/",
      "nbf": 1795381062,
      "sub": 1000000001,
      "urn:esia:amd": "PWD",
      "urn:esia:sbj": {
        "urn:esia:sbj:is_tru": true,
        "urn:esia:sbj:lvl": "PR",
        "urn:esia:sbj:nam": "OID.1000000001",
        "urn:esia:sbj:oid": 1000000001,
        "urn:esia:sbj:typ": "P"
      },
      "urn:esia:sid": "[uuid]"
    }
    "#);
    insta::assert_json_snapshot!(claims(part(access, 1)), @r#"
    {
      "client_id": "KOPILKA",
      "exp": 1795384662,
      "iat": 1795381062,
      "iss": "http://esia-standin.localhost/",
      "nbf": 1795381062,
      "scope": "openid birthdate?oid=1000000001 addresses?oid=1000000001",
      "urn:esia:sbj_id": 1000000001,
      "urn:esia:sid": "[uuid]"
    }
    "#);
}

/// A token's claims, with the only random one replaced after a look at it.
fn claims(mut payload: serde_json::Value) -> serde_json::Value {
    let session = payload["urn:esia:sid"].as_str().expect("text");
    assert!(Uuid::try_parse(session).is_ok(), "{session}");
    payload["urn:esia:sid"] = json!("[uuid]");
    payload
}

#[tokio::test]
async fn token_mistakes_have_numbers() {
    let other = RegisteredClient {
        scopes: SCOPES.map(String::from).to_vec(),
        ..RegisteredClient::local("OTHER", SIGNER.certificate_pem())
    };
    let world = World::with(|esia, _| esia.clients.push(other)).await;
    let code = world.code(named::RESIDENT).await;
    let after = async |change: fn(&mut Handmade) -> &mut Handmade| {
        let mut request = Handmade::token(&code);
        change(&mut request);
        if request.get("client_secret").is_empty() {
            request.sign();
        }
        let (status, body) = request.exchange(&world).await;
        assert_eq!(status, 400, "{body}");
        let description = body["error_description"].as_str().expect("a description");
        format!("{} {}", body["error"].as_str().expect("an error"), &description[..11])
    };
    assert_eq!(after(|r| r.remove("code")).await, "invalid_request ESIA-007014");
    assert_eq!(after(|r| r.remove("token_type")).await, "invalid_request ESIA-007014");
    assert_eq!(after(|r| r.remove("timestamp")).await, "invalid_request ESIA-007014");
    assert_eq!(after(|r| r.repeat("scope", "openid")).await, "invalid_request ESIA-007003");
    assert_eq!(after(|r| r.set("token_type", "MAC")).await, "invalid_request ESIA-007003");
    let grant = after(|r| r.set("grant_type", "client_credentials")).await;
    assert_eq!(grant, "unsupported_grant_type ESIA-007012");
    assert_eq!(after(|r| r.set("client_id", "SOMEBODY")).await, "unauthorized_client ESIA-007005");
    assert_eq!(after(|r| r.set("timestamp", "2026.11.22 20:00:00 +0000")).await, "invalid_request ESIA-007015");
    let unsigned_code = after(|r| {
        let code = r.get("code").to_owned();
        r.remove("code").sign().set("code", &code)
    });
    assert_eq!(unsigned_code.await, "access_denied ESIA-007053");
    assert_eq!(after(|r| r.set("code", "a.b.c")).await, "invalid_grant ESIA-007011");
    assert_eq!(after(|r| r.set("client_id", "OTHER")).await, "invalid_grant ESIA-007011");
    assert_eq!(after(|r| r.set("redirect_uri", "http://localhost:8080/else")).await, "invalid_grant ESIA-007011");
    assert_eq!(after(|r| r.set("scope", "openid snils")).await, "access_denied ESIA-007019");
    assert_eq!(after(|r| r.set("scope_org", "org")).await, "access_denied ESIA-007019");

    // None of the mistakes has used the code up.
    let (status, body) = Handmade::token(&code).sign().exchange(&world).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = Handmade::token(&code).sign().exchange(&world).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")));
}

#[tokio::test]
async fn the_token_request_needs_a_new_state_and_a_form() {
    let world = World::new().await;
    let mut first = Handmade::authorization();
    first.sign();
    let mut url = world.url("/aas/oauth2/v2/ac");
    url.set_query(Some(&first.encode()));
    let callback = kopilka_esia::standin::log_in_as(&world.browser, &url, named::RESIDENT).await.expect("sent back");
    let code = crate::query(&callback).code.expect("a code");
    let mut second = Handmade::token(&code);
    second.set("state", first.get("state")).sign();
    let (_, body) = second.exchange(&world).await;
    assert!(body["error_description"].as_str().expect("text").starts_with("ESIA-007003"), "{body}");

    let request = world.browser.post(world.url("/aas/oauth2/v3/te")).body(Handmade::token(&code).sign().encode());
    let body: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
    let description = body["error_description"].as_str().expect("text");
    assert!(description.starts_with("ESIA-007014") && description.contains("client_id"), "{body}");
}

#[tokio::test]
async fn codes_expire() {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    let shift = Arc::new(AtomicI64::new(0));
    let moved = shift.clone();
    let clock = kopilka_esia::Clock::new(move || crate::NOW + time::Duration::seconds(moved.load(Ordering::Relaxed)));
    let world = World::with(|esia, _| esia.clock = clock).await;
    let (early, late) = (world.code(named::RESIDENT).await, world.code(named::RESIDENT).await);
    shift.store(120, Ordering::Relaxed);
    assert_eq!(Handmade::token(&early).sign().exchange(&world).await.0, 200);
    shift.store(121, Ordering::Relaxed);
    let (status, body) = Handmade::token(&late).sign().exchange(&world).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_grant")));
}
