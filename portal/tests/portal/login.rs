//! Logging in: every kind of account, refusals, replays.

use kopilka_esia::TokenKind;
use kopilka_esia::standin::{Defect, Fault, named};
use reqwest::StatusCode;

use crate::world::{Citizen, World, problem};

#[tokio::test]
async fn a_confirmed_resident_gets_a_session_that_tells_nothing() {
    let world = World::start().await;
    let citizen = world.citizen(named::RESIDENT).await;
    let session = citizen.session().await;
    assert_eq!(session["confirmed"], true);
    assert_eq!(session["municipality_id"], 1);
    assert_eq!(session["age"], "adult");
    let (status, page) = citizen.page("account").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("18 лет и больше"), "{page}");
    for personal in ["Берёзкина", "Вера", "1000000001", "1988"] {
        assert!(!page.contains(personal) && !session.to_string().contains(personal), "{personal}");
    }
    // The same person has the same profile in another session, another person another.
    let again = world.citizen(named::RESIDENT).await.session().await;
    assert_eq!(again["profile"], session["profile"]);
    assert_ne!(again["csrf"], session["csrf"]);
    let other = world.citizen(named::SECOND_RESIDENT).await.session().await;
    assert_ne!(other["profile"], session["profile"]);
}

#[tokio::test]
async fn the_cookie_is_closed_to_scripts_and_returns_to_the_wanted_page() {
    let world = World::start().await;
    let citizen = Citizen::new(world.portal.clone());
    let arrived = citizen.log_in(named::RESIDENT).await;
    assert_eq!(arrived.headers()["location"], "/honest");
    let cookies: Vec<_> = arrived.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("kopilka_session=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    assert!(cookies.iter().any(|cookie| cookie.starts_with("kopilka_login=;")), "{cookies:?}");
    for evil in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let query: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let response = citizen.get(&format!("login?next={query}")).await;
        assert_eq!(response.headers()["location"], "/", "{evil}");
    }
}

#[tokio::test]
async fn accounts_that_cannot_take_part_are_told_what_to_do() {
    let world = World::start().await;
    for oid in [named::STANDARD, named::SIMPLIFIED] {
        let citizen = Citizen::new(world.portal.clone());
        let arrived = citizen.log_in(oid).await;
        assert_eq!(arrived.status(), StatusCode::FORBIDDEN);
        let page = arrived.text().await.unwrap();
        assert!(page.contains("notice-login-unconfirmed") && page.contains("МФЦ"), "{page}");
        assert_eq!(citizen.get("api/v1/session").await.status(), StatusCode::UNAUTHORIZED);
    }
    for (oid, marker) in [
        (named::OUTSIDER, "account-no-municipality"),
        (named::UNREGISTERED, "account-no-municipality"),
        (named::UNDERAGE, "account-too-young"),
    ] {
        let citizen = Citizen::new(world.portal.clone());
        let arrived = citizen.log_in(oid).await;
        assert_eq!(arrived.headers()["location"], "/account");
        let (_, page) = citizen.page("account").await;
        assert!(page.contains(marker), "{marker}: {page}");
    }
}

#[tokio::test]
async fn a_refused_or_broken_login_leaves_no_session() {
    let world = World::start().await;
    let citizen = Citizen::new(world.portal.clone());
    let callback = citizen.callback_url(named::RESIDENT).await;
    let state = callback.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let denied = format!("esia/callback?error=access_denied&error_description=ESIA-007004&state={state}");
    let (status, page) = citizen.page(&denied).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(page.contains("notice-login-denied"), "{page}");

    world.esia.set_fault(Some(Fault::Token { token: TokenKind::Id, defect: Defect::Signature }));
    let arrived = citizen.log_in(named::RESIDENT).await;
    assert_eq!(arrived.status(), StatusCode::BAD_GATEWAY);
    world.esia.set_fault(Some(Fault::FailingTokens(503)));
    let arrived = citizen.log_in(named::RESIDENT).await;
    assert_eq!(arrived.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(arrived.text().await.unwrap().contains("notice-login-unavailable"));
    assert_eq!(citizen.get("api/v1/session").await.status(), StatusCode::UNAUTHORIZED);
    world.esia.set_fault(None);
    assert_eq!(citizen.log_in(named::RESIDENT).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_callback_serves_one_browser_once() {
    let world = World::start().await;
    let citizen = Citizen::new(world.portal.clone());
    let callback = citizen.callback_url(named::RESIDENT).await;
    let path = format!("{}?{}", callback.path(), callback.query().unwrap());
    // Somebody else's browser, before and after.
    let stranger = Citizen::new(world.portal.clone());
    let (status, page) = stranger.page(&path).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("notice-login-again"));
    assert_eq!(citizen.page(&path).await.0, StatusCode::SEE_OTHER);
    let logged_in = citizen.session().await;
    // The same browser again: the state was used, the session stays.
    assert_eq!(citizen.page(&path).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(citizen.session().await["profile"], logged_in["profile"]);
    // A stranger who has begun a login of their own cannot finish another's.
    let _ = stranger.callback_url(named::SECOND_RESIDENT).await;
    assert_eq!(stranger.page(&path).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(stranger.get("api/v1/session").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn logging_out_needs_the_token_and_ends_the_session() {
    let world = World::start().await;
    let citizen = world.citizen(named::RESIDENT).await;
    let forged = citizen.http.post(citizen.url("logout")).form(&[("csrf", "AAAA")]).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    citizen.session().await;
    let out = citizen.http.post(citizen.url("logout")).form(&[("csrf", &citizen.csrf)]).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert!(out.headers()["location"].to_str().unwrap().contains("/idp/ext/Logout"));
    let (status, kind) = problem(citizen.get("api/v1/session").await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::UNAUTHORIZED, "login-needed"));
}
