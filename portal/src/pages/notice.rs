//! A page that says in plain words what happened and what to do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kopilka_web::{Page, Rendered};

use super::{Corner, login_url};

/// What happened on the way through ESIA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// The person pressed «cancel».
    LoginDenied,
    /// The account is not confirmed.
    LoginUnconfirmed,
    /// The way has to be begun again.
    LoginAgain,
    /// ESIA does not answer.
    LoginUnavailable,
    /// ESIA refuses us.
    LoginBroken,
}

impl NoticeKind {
    /// Every kind, for the test of pages.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] =
        [Self::LoginDenied, Self::LoginUnconfirmed, Self::LoginAgain, Self::LoginUnavailable, Self::LoginBroken];

    fn status(self) -> StatusCode {
        match self {
            Self::LoginDenied | Self::LoginUnconfirmed => StatusCode::FORBIDDEN,
            Self::LoginAgain => StatusCode::BAD_REQUEST,
            Self::LoginUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::LoginBroken => StatusCode::BAD_GATEWAY,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::LoginDenied => "login-denied",
            Self::LoginUnconfirmed => "login-unconfirmed",
            Self::LoginAgain => "login-again",
            Self::LoginUnavailable => "login-unavailable",
            Self::LoginBroken => "login-broken",
        }
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "pages/notice.html")]
pub(crate) struct Notice {
    page: Page,
    corner: Corner,
    kind: NoticeKind,
    again: String,
}

impl Notice {
    /// `next` is where the citizen wanted to go.
    pub(crate) fn new(page: Page, kind: NoticeKind, next: &str) -> Self {
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
        NoticeKind::ALL.map(|kind| Self::new(page.clone(), kind, "/")).into()
    }
}
