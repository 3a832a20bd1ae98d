//! The pages. Each is a struct with a template; what needs a signature is driven by a script on top of it.

mod account;
mod home;
mod notice;
mod round;
mod script;
mod words;

pub(crate) use account::account;
pub(crate) use home::home;
pub(crate) use notice::{Notice, NoticeKind};
pub(crate) use round::{initiative, round};
pub(crate) use script::{check, restore, take_part};
pub(crate) use words::honest;

use crate::session::Session;
use crate::state::AppState;

/// The corner of the header: log in, or who is in and out.
#[derive(Debug, Clone)]
pub(crate) struct Corner {
    /// Token for the logout form; none when nobody is logged in.
    pub(crate) csrf: Option<String>,
    /// Where the login button leads.
    pub(crate) login_url: String,
}

impl Corner {
    pub(crate) fn new(state: &AppState, session: Option<&Session>, path: &str) -> Self {
        let login_url = login_url(path);
        Self { csrf: session.map(|session| session.csrf_token(&state.csrf)), login_url }
    }

    /// For pages outside of a session.
    pub(crate) fn nobody() -> Self {
        Self { csrf: None, login_url: login_url("/") }
    }
}

/// To ESIA and back to a path.
pub(crate) fn login_url(next: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("/login?{query}")
}
