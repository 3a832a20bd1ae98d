//! What the portal knows of the citizen who is logged in, and what to do when that is not enough.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kopilka_store::portal::view;
use kopilka_web::{Page, Rendered, WebResult};

use super::{Corner, login_url};
use crate::error::OrUnavailable as _;
use crate::session::{Age, MaybeSession};
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "pages/account.html")]
pub(crate) struct Account {
    page: Page,
    corner: Corner,
    municipality: Option<String>,
    age: Age,
}

impl Account {
    fn age_key(&self) -> &'static str {
        match self.age {
            Age::Adult => "age-adult",
            Age::Youth => "age-youth",
            Age::Child => "age-child",
            Age::Unknown => "age-unknown",
        }
    }

    fn is_too_young(&self) -> bool {
        self.age == Age::Child
    }

    fn is_age_unknown(&self) -> bool {
        self.age == Age::Unknown
    }
}

/// `GET /account`.
pub(crate) async fn account(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
) -> WebResult<Response> {
    let Some(session) = session else { return Ok(Redirect::to(&login_url("/account")).into_response()) };
    let municipality = match session.municipality {
        None => None,
        Some(id) => {
            let mut connection = state.connection().await.or_unavailable()?;
            let name = view::municipality_name(&mut connection, id).await.or_unavailable()?;
            Some(name.unwrap_or_else(|| page.text("municipality-number").arg("number", id).to_string()))
        }
    };
    let corner = Corner::new(&state, Some(&session), "/account");
    Ok(Rendered(Account { page, corner, municipality, age: session.age }).into_response())
}

#[cfg(test)]
impl Account {
    pub(crate) fn samples(page: &Page) -> Vec<Self> {
        let sample = |municipality: Option<&str>, age| Self {
            page: page.clone(),
            corner: Corner { csrf: Some("token".into()), ..Corner::nobody() },
            municipality: municipality.map(str::to_owned),
            age,
        };
        vec![
            sample(Some("Зареченск"), Age::Adult),
            sample(Some("Зареченск"), Age::Youth),
            sample(Some("Зареченск"), Age::Child),
            sample(None, Age::Adult),
            sample(None, Age::Unknown),
        ]
    }
}
