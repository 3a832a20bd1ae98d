//! Pages of words alone.

use askama::Template;
use axum::extract::State;
use kopilka_web::{Page, Rendered};

use super::Corner;
use crate::session::MaybeSession;
use crate::state::AppState;

/// What the system promises and what it cannot.
#[derive(Debug, Template)]
#[template(path = "pages/honest.html")]
pub(crate) struct Honest {
    page: Page,
    corner: Corner,
}

/// `GET /honest`.
pub(crate) async fn honest(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
) -> Rendered<Honest> {
    let corner = Corner::new(&state, session.as_ref(), "/honest");
    Rendered(Honest { page, corner })
}

#[cfg(test)]
impl Honest {
    pub(crate) fn samples(page: &Page) -> Vec<Self> {
        vec![Self { page: page.clone(), corner: Corner::nobody() }]
    }
}
