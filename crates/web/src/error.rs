//! One error type for handlers, one place that turns it into an answer: a page for people, an RFC 9457 problem document
//! for programs. Causes go to the log, never to the client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::page::Page;

type BoxError = Box<dyn Error + Send + Sync>;

/// What went wrong in a handler, told by the key of a message. Any error becomes an internal one by `?`: its cause is
/// logged, the reader sees a number to quote.
#[derive(Debug, Clone)]
pub struct WebError {
    status: StatusCode,
    key: Cow<'static, str>,
    args: Vec<(&'static str, String)>,
    source: Option<Arc<BoxError>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $status:ident,)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(key: impl Into<Cow<'static, str>>) -> Self {
                Self::new(StatusCode::$status, key)
            }
        )+
    };
}

impl WebError {
    /// An error with a status and the key of its explanation.
    #[must_use]
    pub fn new(status: StatusCode, key: impl Into<Cow<'static, str>>) -> Self {
        Self { status, key: key.into(), args: Vec::new(), source: None }
    }

    constructors! {
        /// 400: the request is malformed.
        bad_request = BAD_REQUEST,
        /// 401: nobody is logged in.
        unauthorized = UNAUTHORIZED,
        /// 403: not for this reader.
        forbidden = FORBIDDEN,
        /// 404: there is no such thing.
        not_found = NOT_FOUND,
        /// 409: contradicts what is recorded.
        conflict = CONFLICT,
        /// 413: too much.
        too_large = PAYLOAD_TOO_LARGE,
        /// 422: understood, but not acceptable.
        unprocessable = UNPROCESSABLE_ENTITY,
        /// 429: too often.
        too_many = TOO_MANY_REQUESTS,
        /// 502: a service behind this one failed.
        bad_gateway = BAD_GATEWAY,
        /// 503: not now.
        unavailable = SERVICE_UNAVAILABLE,
    }

    /// Fills a placeholder of the explanation.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// Keeps a cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::new(source.into()));
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The key of the explanation.
    pub fn key(&self) -> &str {
        &self.key
    }

    fn explanation(&self, page: &Page) -> String {
        let message = self.args.iter().fold(page.text(&self.key), |message, (name, value)| message.arg(name, value));
        message.to_string()
    }
}

/// `?` on anything that is an error makes an internal one.
impl<E: Into<BoxError>> From<E> for WebError {
    fn from(error: E) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "error-internal").with_source(error)
    }
}

/// A bare answer that [`crate::app`] replaces by a page or a problem document.
impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    title: String,
    explanation: String,
    reference: Option<String>,
}

/// Whether the caller is a program: it asks for JSON and not for HTML, sends JSON, or calls the API.
pub(crate) fn wants_problem(path: &str, headers: &HeaderMap) -> bool {
    let mentions = |name, what: &str| {
        headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).is_some_and(|value| value.contains(what))
    };
    if mentions(header::ACCEPT, "text/html") {
        return false;
    }
    path.starts_with("/api/")
        || path.starts_with("/v1/")
        || mentions(header::ACCEPT, "json")
        || mentions(header::CONTENT_TYPE, "json")
}

/// Replaces an error's bare answer, and the plain-text answers of the framework itself.
pub(crate) fn render(page: Page, method: &Method, problem: bool, response: Response) -> Response {
    let status = response.status();
    let error = match response.extensions().get::<WebError>() {
        Some(error) => error.clone(),
        None if (status.is_client_error() || status.is_server_error()) && is_bare(&response) => {
            WebError::new(status, generic_key(status))
        }
        None => return response,
    };
    let reference = error.status.is_server_error().then(|| format!("{:08x}", rand::random::<u32>()));
    if let Some(reference) = &reference {
        let cause = error.source.as_deref().map(|source| chain(source.as_ref())).unwrap_or_default();
        tracing::error!(%method, path = page.path(), status = error.status.as_u16(), %reference, %cause, "a request failed");
    } else if let Some(source) = &error.source {
        tracing::debug!(%method, path = page.path(), status = error.status.as_u16(), cause = %chain(source.as_ref().as_ref()), "a request was refused");
    }
    let title = page.text(title_key(error.status)).to_string();
    let explanation = error.explanation(&page);
    let kept: Vec<_> = [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE, header::SET_COOKIE]
        .into_iter()
        .flat_map(|name| {
            response.headers().get_all(&name).iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
        })
        .collect();
    let mut rendered = if problem {
        let document = Problem {
            r#type: format!("urn:kopilka:problem:{}", error.key.strip_prefix("error-").unwrap_or(&error.key)),
            title,
            status: error.status.as_u16(),
            detail: explanation,
            instance: reference.map(|reference| format!("urn:kopilka:failure:{reference}")),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        ([(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    } else {
        let document = ErrorPage { page, status: error.status.as_u16(), title, explanation, reference };
        let body = document.render().unwrap_or_default();
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
    };
    *rendered.status_mut() = error.status;
    for (name, value) in kept {
        rendered.headers_mut().append(name, value);
    }
    rendered
}

fn is_bare(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn generic_key(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "error-page-missing",
        StatusCode::METHOD_NOT_ALLOWED => "error-method",
        StatusCode::PAYLOAD_TOO_LARGE => "error-too-large",
        StatusCode::REQUEST_TIMEOUT => "error-timeout",
        status if status.is_client_error() => "error-malformed",
        _ => "error-internal",
    }
}

fn title_key(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "error-title-bad-request",
        StatusCode::UNAUTHORIZED => "error-title-unauthorized",
        StatusCode::FORBIDDEN => "error-title-forbidden",
        StatusCode::NOT_FOUND => "error-title-not-found",
        StatusCode::CONFLICT => "error-title-conflict",
        StatusCode::TOO_MANY_REQUESTS => "error-title-too-many",
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => "error-title-unavailable",
        status if status.is_client_error() => "error-title-bad-request",
        _ => "error-title-internal",
    }
}

/// An error and its causes, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
