//! Whole log-ins: who gets in, and what a client learns about them.

use std::time::Duration;

use kopilka_esia::{
    EsiaClient, EsiaCode, EsiaError, LoginState, Oid, PkceSecret, RsaSigner, StateFault, TrustedKeys,
    standin::{self, RegisteredClient, StandInConfig, demo_municipalities, generated_oid, named},
};
use time::macros::date;

use crate::{CLIENT_ID, Handmade, NOW, SIGNER, World, query};

#[tokio::test]
async fn a_confirmed_resident_logs_in() {
    let world = World::new().await;
    let state = LoginState::new();
    let callback = world.callback(&world.client, &state, named::RESIDENT).await;
    assert!(callback.as_str().starts_with("http://localhost:8080/esia/callback?code="));

    let login = world.client.exchange(&query(&callback).code.expect("a code"), &state).await.expect("verified");
    assert_eq!(login.oid(), named::RESIDENT);
    assert_eq!(login.authenticated_at(), Some(NOW));
    let person = world.client.person(&login).await.expect("readable");
    assert_eq!(person.oid, named::RESIDENT);
    assert!(person.trusted);
    assert_eq!(person.birth_date, Some(date!(1988 - 03 - 14)));
    assert_eq!(person.age_on(NOW.date()), Some(38));
    assert_eq!(person.registration_fias, Some(demo_municipalities()[0].fias));
    assert_eq!(format!("{login:?} {person:?}"), "VerifiedLogin(hidden) Person(hidden)");
}

#[tokio::test]
async fn futures_can_be_spawned() {
    let world = World::new().await;
    let client = world.client.clone();
    let (state, oid) = (LoginState::new(), generated_oid(1, 19));
    let callback = world.callback(&client, &state, oid).await;
    let person = tokio::spawn(async move { client.log_in(&query(&callback), &state).await }).await;
    let person = person.expect("not cancelled").expect("logged in");
    assert_eq!(person.oid, oid);
    assert_eq!(person.registration_fias, Some(demo_municipalities()[1].fias));
}

#[tokio::test]
async fn places_and_ages_differ() {
    let world = World::new().await;
    let log_in = async |oid| world.log_in(oid).await.expect("confirmed");
    let [home, neighbour] = [0, 1].map(|index| Some(demo_municipalities()[index].fias));
    assert_eq!(log_in(named::NEIGHBOUR).await.registration_fias, neighbour);
    assert_eq!(log_in(named::UNREGISTERED).await.registration_fias, None);
    let elsewhere = log_in(named::OUTSIDER).await.registration_fias;
    assert!(elsewhere.is_some() && elsewhere != home && elsewhere != neighbour);
    assert_eq!(log_in(named::UNDERAGE).await.age_on(NOW.date()), Some(14));
    assert_eq!(log_in(named::SIXTEEN).await.age_on(NOW.date()), Some(17));
}

#[tokio::test]
async fn unconfirmed_accounts_are_turned_away() {
    let world = World::new().await;
    for oid in [named::STANDARD, named::SIMPLIFIED] {
        assert!(matches!(world.log_in(oid).await, Err(EsiaError::Unconfirmed)));
    }
    // Asked to, ESIA turns them away itself.
    let client = world.client_with(|config| config.only_confirmed = true);
    let state = LoginState::new();
    let callback = query(&world.callback(&client, &state, named::STANDARD).await);
    assert!(callback.error_description.as_deref().is_some_and(|text| text.starts_with("ESIA-007055")));
    assert!(matches!(client.log_in(&callback, &state).await, Err(EsiaError::Unconfirmed)));
    assert!(world.log_in_with(&client, named::RESIDENT).await.is_ok());
}

#[tokio::test]
async fn pkce_binds_the_code_to_the_login() {
    let world = World::new().await;
    let client = world.client_with(|config| config.pkce = Some(PkceSecret::new(&[7; 32])));
    world.log_in_with(&client, named::RESIDENT).await.expect("the verifier fits");

    // A code of another log-in, slipped into this one.
    let callback = query(&world.callback(&client, &LoginState::new(), named::RESIDENT).await);
    let result = client.exchange(&callback.code.expect("a code"), &LoginState::new()).await;
    assert!(matches!(result, Err(EsiaError::Misconfigured { code: Some(EsiaCode(7040)), .. })));

    // A verifier without a challenge.
    let code = world.code(named::RESIDENT).await;
    let result = client.exchange(&code, &LoginState::new()).await;
    assert!(matches!(result, Err(EsiaError::Misconfigured { code: Some(EsiaCode(7039)), .. })));
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::new().await;
    let state = LoginState::new();
    let callback = query(&world.callback(&world.client, &state, named::RESIDENT).await);
    world.client.log_in(&callback, &state).await.expect("the first time");
    let again = world.client.log_in(&callback, &state).await;
    assert!(matches!(again, Err(EsiaError::CodeRejected { code: Some(EsiaCode(7011)) })));
}

#[tokio::test]
async fn a_callback_of_another_browser_is_refused() {
    let world = World::new().await;
    let callback = query(&world.callback(&world.client, &LoginState::new(), named::RESIDENT).await);
    let result = world.client.log_in(&callback, &LoginState::new()).await;
    assert!(matches!(result, Err(EsiaError::State(StateFault::Callback))));
}

#[tokio::test]
async fn a_refusal_comes_back_as_denied() {
    let world = World::new().await;
    let state = LoginState::new();
    let url = world.client.authorization_url(&state).await.expect("signed");
    let page = world.browser.get(url).send().await.expect("an answer");
    let location = page.headers()["location"].to_str().expect("text");
    let form = format!("{}&cancel=1", location.strip_prefix("/login?").expect("the login page"));
    let answer = world.browser.post(world.url("/login")).body(form).send().await.expect("an answer");
    let callback = answer.headers()["location"].to_str().expect("text").parse().expect("an address");
    let result = world.client.log_in(&query(&callback), &state).await;
    let error = result.expect_err("cancelled");
    assert!(matches!(error, EsiaError::Denied { code: Some(EsiaCode(7004)) }));
    assert!(!error.needs_operator() && !error.is_retryable());
}

#[tokio::test]
async fn a_scope_that_is_not_granted_is_our_misconfiguration() {
    let world = World::with(|esia, _| esia.clients[0].scopes.retain(|scope| scope != "addresses")).await;
    let error = world.log_in(named::RESIDENT).await.expect_err("not granted");
    assert!(matches!(error, EsiaError::Misconfigured { code: Some(EsiaCode(7019)), .. }));
    assert!(error.to_string().contains("check that every scope"), "{error}");

    let fewer = world.client_with(|config| config.scopes = vec!["openid".into()]);
    let person = world.log_in_with(&fewer, named::RESIDENT).await.expect("openid is enough for a log-in");
    assert_eq!((person.birth_date, person.registration_fias), (None, None));
}

#[tokio::test]
async fn a_wrong_key_is_our_misconfiguration() {
    let world = World::new().await;
    let other = RsaSigner::generate("OTHER").expect("a key");
    let unknown_certificate = EsiaClient::new(world.config.clone(), std::sync::Arc::new(other)).expect("valid");
    let error = world.log_in_with(&unknown_certificate, named::RESIDENT).await.expect_err("unknown certificate");
    assert!(matches!(error, EsiaError::Misconfigured { code: Some(EsiaCode(7053)), .. }));

    let mut request = Handmade::authorization();
    request.sign().set("client_certificate_hash", &"A".repeat(40));
    let answer = request.authorize(&world).await;
    assert!(answer.headers()["location"].to_str().expect("text").contains("ESIA-007053"));
}

#[tokio::test]
async fn a_wrong_clock_is_our_misconfiguration() {
    let world = World::new().await;
    let late = world.client_with(|config| config.clock = kopilka_esia::Clock::new(|| NOW - Duration::from_secs(301)));
    let error = world.log_in_with(&late, named::RESIDENT).await.expect_err("too late");
    assert!(matches!(error, EsiaError::Misconfigured { code: Some(EsiaCode(7015)), .. }));
    assert!(error.to_string().contains("clock"), "{error}");
}

#[tokio::test]
async fn certificates_can_change_on_both_sides() {
    let new = RsaSigner::generate(CLIENT_ID).expect("a key");
    let new_certificate = new.certificate_pem().to_owned();
    let world = World::with(|esia, _| esia.clients[0].certificates_pem.push(new_certificate)).await;
    let client = EsiaClient::new(world.config.clone(), std::sync::Arc::new(new)).expect("valid");
    world.log_in(named::RESIDENT).await.expect("the old certificate");
    world.log_in_with(&client, named::RESIDENT).await.expect("the new certificate");

    let last_year = TrustedKeys::from_pem(SIGNER.certificate_pem()).expect("some other certificate");
    let both = world.client_with(|config| {
        let this_year = std::mem::replace(&mut config.trusted_keys, last_year.clone());
        config.trusted_keys.extend(this_year);
    });
    world.log_in_with(&both, named::RESIDENT).await.expect("one of two trusted keys");
}

#[tokio::test]
async fn an_unreachable_esia_is_retryable_and_hides_addresses() {
    let world = World::new().await;
    let code = world.code(named::RESIDENT).await;
    let gone = world.client_with(|config| config.base_url = "http://127.0.0.1:9".parse().expect("an address"));
    let error = gone.exchange(&code, &LoginState::new()).await.expect_err("nobody listens");
    assert!(error.is_retryable());
    assert_eq!(error.to_string(), "ESIA is unavailable: no connection");
    assert!(!format!("{error:?}").contains("/aas/"), "{error:?}");
}

#[tokio::test]
async fn strangers_are_not_known() {
    let world = World::new().await;
    let url = world.client.authorization_url(&LoginState::new()).await.expect("signed");
    for oid in [Oid::new(5), generated_oid(0, 100), generated_oid(9, 0)] {
        let result = standin::log_in_as(&world.browser, &url, oid).await;
        assert!(matches!(result, Err(standin::BrowserError::NoRedirect(status)) if status == 400));
    }
}

#[tokio::test]
async fn the_logout_returns_to_registered_hosts_only() {
    let world = World::new().await;
    let location = async |url| {
        let answer = world.browser.get::<url::Url>(url).send().await.expect("an answer");
        let location = answer.headers().get("location").map(|value| value.to_str().expect("text").to_owned());
        (answer.status().as_u16(), location)
    };
    let home: url::Url = "http://localhost:8080/".parse().expect("an address");
    assert_eq!(location(world.client.logout_url(Some(&home))).await, (302, Some(home.to_string())));
    assert_eq!(location(world.client.logout_url(None)).await, (200, None));
    let evil = "http://evil.example/".parse().expect("an address");
    assert_eq!(location(world.client.logout_url(Some(&evil))).await, (400, None));
}

#[tokio::test]
async fn it_listens_and_answers_only_here() {
    let world = World::new().await;
    let outside = world.browser.get(world.url("/")).header("host", "kopilka.example").send().await.expect("an answer");
    assert_eq!(outside.status(), 403);
    assert_eq!(outside.headers()["x-esia-standin"], "not-gosuslugi");
    let here = world.browser.get(world.url("/")).header("host", "esia.localhost:80").send().await.expect("an answer");
    assert_eq!(here.status(), 200);

    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a free port");
    let error = world.esia.serve(everywhere).await.expect_err("not a loopback address");
    assert!(error.to_string().contains("loopback addresses only"), "{error}");

    let registered = RegisteredClient::local("X", SIGNER.certificate_pem());
    let twice = StandInConfig { clients: vec![registered.clone(), registered], ..StandInConfig::default() };
    assert!(standin::StandIn::new(twice).is_err());
}
