//! The wrapped router: languages, preferences, error pages, headers, static files.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum::routing::get;
use kopilka_web::{Assets, ContentPolicy, Language, Locales, NavItem, Page, Rendered, Site, WebError, WebResult, app};
use tower::ServiceExt as _;

#[derive(Template)]
#[template(
    source = r#"{% extends "layout/base.html" %}{% block title %}{{ page.text("menu") }}{% endblock %}{% block content %}<h1>{{ page.money(150_000_u128) }}</h1>{% endblock %}"#,
    ext = "html"
)]
struct Sample {
    page: Page,
}

fn site() -> Arc<Site> {
    Arc::new(Site {
        name_key: "site",
        about_key: "about",
        locales: Arc::new(
            Locales::new("site = Проба\nabout = О пробе", "site = Trial\nabout = About the trial").unwrap(),
        ),
        assets: Assets::embedded(),
        nav: vec![NavItem { key: "menu", url: "/".to_owned() }],
        footer: Vec::new(),
        offset: time::UtcOffset::from_hms(3, 0, 0).unwrap(),
        secure: true,
        policy: ContentPolicy { connect: vec!["https://relayer.example".to_owned()], ..ContentPolicy::default() },
    })
}

fn router() -> Router {
    let routes = Router::new()
        .route("/", get(|page: Page| async { Rendered(Sample { page }) }))
        .route("/fails", get(|| async { WebResult::<()>::Err(std::io::Error::other("the secret cause").into()) }))
        .route(
            "/panics",
            get(|| async {
                if true {
                    panic!("the secret cause")
                }
            }),
        )
        .route("/api/conflict", get(|| async { WebError::conflict("error-csrf") }));
    app(routes, site())
}

async fn send(request: Request<Body>) -> Response<Body> {
    router().oneshot(request).await.unwrap()
}

async fn fetch(path: &str, headers: &[(header::HeaderName, &str)]) -> (StatusCode, axum::http::HeaderMap, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response = send(request.body(Body::empty()).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_language_comes_from_link_cookie_and_browser() {
    let (_, headers, body) = fetch("/", &[]).await;
    assert!(body.contains("<html lang=\"ru\"") && body.contains("1\u{a0}500\u{a0}₽"), "{body}");
    assert!(headers.get(header::SET_COOKIE).is_none());
    let (_, _, body) = fetch("/", &[(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9")]).await;
    assert!(body.contains("<html lang=\"en\"") && body.contains("₽1,500"), "{body}");
    let (_, headers, body) = fetch("/?lang=en&a=1", &[]).await;
    assert!(body.contains("<html lang=\"en\"") && body.contains("/?a=1&#38;lang=ru"), "{body}");
    let cookie = headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("kopilka_lang=en;") && cookie.contains("Secure") && cookie.contains("SameSite=Lax"));
    let (_, _, body) = fetch("/", &[(header::COOKIE, "kopilka_lang=en"), (header::ACCEPT_LANGUAGE, "ru")]).await;
    assert!(body.contains("<html lang=\"en\""));
}

#[tokio::test]
async fn the_view_is_kept_without_scripts() {
    let post = |form: &'static str| {
        Request::post("/preferences")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap()
    };
    let response = send(post("vision=on&return_to=%2Fround%3Fa%3D1")).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[header::LOCATION], "/round?a=1#vision-panel");
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let (_, _, body) = fetch("/", &[(header::COOKIE, &cookie)]).await;
    assert!(body.contains("data-theme=\"vision\"") && body.contains("data-size=\"large\""), "{body}");
    let response = send(post("theme=dark&return_to=https%3A%2F%2Fevil.example")).await;
    assert_eq!(response.headers()[header::LOCATION], "/");
}

#[tokio::test]
async fn errors_become_pages_or_problem_documents() {
    let (status, headers, body) = fetch("/nowhere", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert!(body.contains("<h1>Страница не найдена</h1>"), "{body}");

    let (status, headers, body) = fetch("/api/conflict", &[]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["type"], "urn:kopilka:problem:csrf");
    assert_eq!(problem["status"], 409);

    for path in ["/fails", "/panics"] {
        let (status, _, body) = fetch(path, &[(header::ACCEPT, "text/html")]).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!body.contains("secret") && body.contains("<h1>Ошибка на нашей стороне</h1>"), "{body}");
    }
}

#[tokio::test]
async fn a_page_may_do_almost_nothing() {
    let (_, headers, _) = fetch("/", &[]).await;
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("connect-src 'self' https://relayer.example;"),
        "{policy}"
    );
    let (_, again, _) = fetch("/", &[]).await;
    assert_ne!(headers[header::CONTENT_SECURITY_POLICY], again[header::CONTENT_SECURITY_POLICY], "the nonce is fresh");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn static_files_are_kept_by_the_browser() {
    let url = Page::sample(site(), Language::Ru).asset("site.css");
    let (status, headers, body) = fetch(&url, &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(body.contains(":root"));
    let tag = headers[header::ETAG].to_str().unwrap();
    let (status, _, _) = fetch(&url, &[(header::IF_NONE_MATCH, tag)]).await;
    assert_eq!(status, StatusCode::NOT_MODIFIED);
    assert_eq!(fetch("/assets/none.js", &[]).await.0, StatusCode::NOT_FOUND);
}
