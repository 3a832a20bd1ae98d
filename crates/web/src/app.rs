//! Wraps a site's router with everything that this crate provides.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use time::OffsetDateTime;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::error::{self, WebError};
use crate::page::{Page, Site};
use crate::preferences::{self, Preferences, VIEW_COOKIE};
use crate::{assets, security};

/// Adds static files, the form of preferences, error pages, the context that [`Page`] extracts, security headers and
/// compression to a site's routes. Call it once, on the finished router, after `with_state`.
pub fn app(routes: Router, site: Arc<Site>) -> Router {
    let compressible = DefaultPredicate::new().and(NotForContentType::new("text/event-stream"));
    routes
        .route(&format!("{}/{{*name}}", assets::PREFIX), get(assets::serve))
        .route("/preferences", post(preferences::change))
        .route("/favicon.ico", get(icon))
        .fallback(missing)
        .layer(CatchPanicLayer::new())
        .layer(Extension(site.assets.clone()))
        .layer(middleware::from_fn_with_state(site, context))
        .layer(CompressionLayer::new().compress_when(compressible))
}

async fn missing() -> WebError {
    WebError::not_found("error-page-missing")
}

async fn icon(page: Page) -> Response {
    axum::response::Redirect::permanent(&page.asset("icon.svg")).into_response()
}

async fn context(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let uri = request.uri();
    let path = uri.path().to_owned();
    let query = uri.query().unwrap_or_default().to_owned();
    let (language, chosen) = preferences::language(Some(&query), request.headers());
    let view = CookieJar::from_headers(request.headers())
        .get(VIEW_COOKIE)
        .map(|cookie| Preferences::from_cookie(cookie.value()))
        .unwrap_or_default();
    let nonce = STANDARD_NO_PAD.encode(rand::random::<[u8; 18]>());
    let method = request.method().clone();
    let problem = error::wants_problem(&path, request.headers());
    let page = Page::new(Arc::clone(&site), language, view, nonce.clone(), (path, query), OffsetDateTime::now_utc());
    request.extensions_mut().insert(page.clone());

    let response = next.run(request).await;
    let mut response = error::render(page, &method, problem, response);
    let is_html =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    security::add_headers(response.headers_mut(), &site.policy, &nonce, site.secure, is_html);
    if chosen {
        preferences::keep_language(&mut response, language, site.secure);
    }
    response
}
