//! The login page, as a browser without JavaScript sees it.

use kopilka_esia::{LoginState, standin::named};

use crate::World;

/// The login page for a new request, with more query parameters.
async fn login_page(world: &World, more: &str) -> (reqwest::header::HeaderMap, String) {
    let url = world.client.authorization_url(&LoginState::new()).await.expect("signed");
    let answer = world.browser.get(url).send().await.expect("an answer");
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    let page = world.browser.get(world.url(&format!("{location}{more}"))).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    (page.headers().clone(), page.text().await.expect("a page"))
}

#[tokio::test]
async fn the_login_page_cannot_be_mistaken() {
    let world = World::new().await;
    let (headers, page) = login_page(&world, "").await;
    assert!(page.contains("Учебный стенд, <span>не Госуслуги</span>"));
    assert!(page.contains("<html lang=\"ru\">") && page.contains("width=device-width"));
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(!page.contains("<script"), "works without JavaScript");
    let policy = headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self' http://localhost:8080"));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-esia-standin"], "not-gosuslugi");
    for id in ["q", "place", "level"] {
        assert!(page.contains(&format!("<label for=\"{id}\">")) && page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[tokio::test]
async fn every_kind_of_citizen_can_be_chosen() {
    let world = World::new().await;
    let (_, page) = login_page(&world, "").await;
    for oid in 1_000_000_001..=1_000_000_012_u64 {
        assert!(page.contains(&format!("<button name=\"oid\" value=\"{oid}\">")), "{oid}");
    }
    for text in ["подтверждённая", "стандартная", "упрощённая", "Зареченск", "Новолесье", "14 лет", "Показаны не все"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn citizens_are_found() {
    let world = World::new().await;
    let found = async |more: &str| {
        let (_, page) = login_page(&world, more).await;
        page.matches("<button name=\"oid\"").count()
    };
    assert_eq!(found("&q=%D0%B1%D0%B5%D1%80%D1%91%D0%B7%D0%BA%D0%B8%D0%BD%D0%B0").await, 1, "берёзкина");
    assert_eq!(found("&q=2000000099").await, 1);
    assert_eq!(found("&q=2000000100").await, 0);
    assert_eq!(found("&place=1").await, 22);
    assert_eq!(found("&level=simplified&place=").await, 1);
    assert_eq!(found("").await, 40);
    let (_, page) = login_page(&world, "&q=%22%3E%3Cscript%3E&level=standard").await;
    assert!(page.contains("Никого не нашлось") && !page.contains("<script"));
    assert!(page.contains("<option value=\"standard\" selected>"));
}

#[tokio::test]
async fn a_damaged_or_old_login_page_says_what_to_do() {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    let shift = Arc::new(AtomicI64::new(0));
    let moved = shift.clone();
    let clock = kopilka_esia::Clock::new(move || crate::NOW + time::Duration::seconds(moved.load(Ordering::Relaxed)));
    let world = World::with(|esia, _| esia.clock = clock).await;
    let url = world.client.authorization_url(&LoginState::new()).await.expect("signed");
    let answer = world.browser.get(url).send().await.expect("an answer");
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    let choose = async || {
        let form = format!("{}&oid={}", location.strip_prefix("/login?").expect("a login page"), named::RESIDENT.get());
        let answer = world.browser.post(world.url("/login")).body(form).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a page"))
    };
    assert_eq!(choose().await.0, 302);
    shift.store(601, Ordering::Relaxed);
    let (status, page) = choose().await;
    assert!(status == 400 && page.contains("начните вход заново") && page.contains("role=\"alert\""));
    let damaged = world.browser.get(world.url("/login?request=a.b.c")).send().await.expect("an answer");
    assert_eq!(damaged.status(), 400);
}
