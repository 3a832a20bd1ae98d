//! A page that says in plain words what happened and what to do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kopilka_web::{Page, Rendered};

use super::{Corner, login_url};

/// What happened on the way through ESIA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginFailure {
    /// The person pressed «cancel».
    Denied,
    /// The account is not confirmed.
    Unconfirmed,
    /// The way has to be begun again.
    Again,
    /// ESIA does not answer.
    Unavailable,
    /// ESIA refuses us.
    Broken,
}

impl LoginFailure {
    /// Every kind, for the test of pages.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] = [Self::Denied, Self::Unconfirmed, Self::Again, Self::Unavailable, Self::Broken];

    fn status(self) -> StatusCode {
        match self {
            Self::Denied | Self::Unconfirmed => StatusCode::FORBIDDEN,
            Self::Again => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_GATEWAY,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Denied => "login-denied",
            Self::Unconfirmed => "login-unconfirmed",
            Self::Again => "login-again",
            Self::Unavailable => "login-unavailable",
            Self::Broken => "login-broken",
        }
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "pages/notice.html")]
pub(crate) struct Notice {
    page: Page,
    corner: Corner,
    kind: LoginFailure,
    again: String,
}

impl Notice {
    /// `next` is where the citizen wanted to go.
    pub(crate) fn new(page: Page, kind: LoginFailure, next: &str) -> Self {
        Self { page, corner: Corner::nobody(), kind, again: login_url(next) }
    }

    fn key(&self, part: &str) -> String {
        format!("{}-{part}", self.kind.name())
    }
}

impl IntoResponse for Notice {
    fn into_response(self) -> Response {
        (self.kind.status(), Rendered(self)).into_response()
    }
}

#[cfg(test)]
impl Notice {
    pub(crate) fn samples(page: &Page) -> Vec<Self> {
        LoginFailure::ALL.map(|kind| Self::new(page.clone(), kind, "/")).into()
    }
}
