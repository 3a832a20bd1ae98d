//! The start page: what this is, and every round with its piggy banks.

use alloy::primitives::{Address, B256};
use askama::Template;
use axum::extract::State;
use kopilka_domain::Kopecks;
use kopilka_store::portal::view::{self, RoundView};
use kopilka_web::components::{Fill, Tone, tag};
use kopilka_web::{Html, Page, Rendered, WebResult};

use super::Corner;
use crate::api::documents;
use crate::error::OrUnavailable as _;
use crate::session::MaybeSession;
use crate::state::AppState;

/// A round in a list.
#[derive(Debug, Clone)]
pub(crate) struct RoundCard {
    /// Where it leads.
    pub(crate) url: String,
    /// Its title, or its number.
    pub(crate) title: String,
    /// What is known of it.
    pub(crate) view: RoundView,
    /// Its phase as a tag.
    pub(crate) phase: Html,
    /// How full all piggy banks are, measured by the money in play.
    pub(crate) fill: Fill,
}

impl RoundCard {
    pub(crate) fn new(page: &Page, view: RoundView, title: Option<String>) -> Self {
        Self {
            url: format!("/rounds/{}", Address::from(view.address)),
            title: title.unwrap_or_else(|| page.text("round-untitled").arg("number", view.round_id).to_string()),
            phase: phase_tag(page, &view.phase),
            fill: Fill::new(page, view.pledged, view.budget),
            view,
        }
    }

    fn is_filling(&self) -> bool {
        !matches!(self.view.phase.as_str(), "draft" | "registration") && self.view.budget > Kopecks::ZERO
    }
}

/// The phase of a round in words, with a sign and a colour.
pub(crate) fn phase_tag(page: &Page, phase: &str) -> Html {
    let tone = match phase {
        "registration" | "pledging" => Tone::Active,
        "settled" | "closed" => Tone::Good,
        "objection" => Tone::Warning,
        "cancelled" => Tone::Bad,
        _ => Tone::Neutral,
    };
    tag(tone, &page.text(format!("phase-{phase}")))
}

#[derive(Debug, Template)]
#[template(path = "pages/home.html")]
pub(crate) struct Home {
    page: Page,
    corner: Corner,
    open: Vec<RoundCard>,
    over: Vec<RoundCard>,
}

/// `GET /`.
pub(crate) async fn home(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
) -> WebResult<Rendered<Home>> {
    let mut connection = state.connection().await.or_unavailable()?;
    let rounds = view::rounds(&mut connection, None).await.or_unavailable()?;
    let texts =
        documents(&mut connection, rounds.iter().map(|round| B256::from(round.content_hash))).await.or_unavailable()?;
    drop(connection);
    let cards = rounds.into_iter().filter(|round| round.phase != "draft").map(|round| {
        let title = texts
            .get(&B256::from(round.content_hash))
            .map(|document| document.in_language(page.language()).title.clone());
        RoundCard::new(&page, round, title)
    });
    let (open, over) = cards
        .partition(|card| matches!(card.view.phase.as_str(), "registration" | "pledging" | "tallying" | "objection"));
    let corner = Corner::new(&state, session.as_ref(), "/");
    Ok(Rendered(Home { page, corner, open, over }))
}

#[cfg(test)]
impl Home {
    pub(crate) fn samples(page: &Page) -> Vec<Self> {
        let cards = ["registration", "pledging", "tallying", "objection", "settled", "closed", "cancelled"]
            .map(|phase| RoundCard::new(page, super::round::sample_round(phase), Some("Дворы 2026".into())));
        vec![
            Self { page: page.clone(), corner: Corner::nobody(), open: Vec::new(), over: Vec::new() },
            Self {
                page: page.clone(),
                corner: Corner { csrf: Some("token".into()), ..Corner::nobody() },
                open: cards[..4].to_vec(),
                over: cards[4..].to_vec(),
            },
        ]
    }
}
