//! A round and its initiatives.

use alloy::primitives::{Address, B256};
use askama::Template;
use axum::extract::{Path, State};
use kopilka_store::portal::view::{self, InitiativeView};
use kopilka_web::components::{Fill, Tone, hash, tag};
use kopilka_web::urls::ExplorerUrls;
use kopilka_web::{Html, Page, Rendered, WebError, WebResult};

use super::Corner;
use super::home::RoundCard;
use crate::api::{RoundPath, Text, documents};
use crate::error::OrUnavailable as _;
use crate::session::MaybeSession;
use crate::state::AppState;

/// An initiative in a list or on its page.
#[derive(Debug, Clone)]
pub(crate) struct InitiativeCard {
    url: String,
    title: String,
    place: Option<String>,
    paragraphs: Vec<String>,
    view: InitiativeView,
    fill: Fill,
    result: Option<Html>,
    wallet: Html,
}

impl InitiativeCard {
    fn new(page: &Page, explorer: &ExplorerUrls, round: Address, view: InitiativeView, text: Option<&Text>) -> Self {
        let wallet = Address::from(view.wallet).to_string();
        Self {
            url: format!("/rounds/{round}/initiatives/{}", view.id),
            title: text.map_or_else(
                || page.text("initiative-untitled").arg("number", view.id).to_string(),
                |text| text.title.clone(),
            ),
            place: text.and_then(|text| text.place.clone()),
            paragraphs: text.map(|text| paragraphs(&text.description)).unwrap_or_default(),
            fill: Fill::new(page, view.pledged, view.cost).live(view.id.to_string()),
            result: view.won.map(|won| match won {
                true => tag(Tone::Good, &page.text("initiative-won")),
                false => tag(Tone::Neutral, &page.text("initiative-lost")),
            }),
            wallet: hash(&wallet, Some(&explorer.address(&wallet))),
            view,
        }
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).map(str::to_owned).collect()
}

/// A step on a round's way.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    class: &'static str,
    name: String,
    when: Option<Html>,
}

const WAY: [&str; 5] = ["registration", "pledging", "tallying", "objection", "settled"];

fn steps(page: &Page, card: &RoundCard) -> Vec<Step> {
    let phase = if card.view.phase == "closed" { "settled" } else { card.view.phase.as_str() };
    let current = WAY.iter().position(|step| *step == phase);
    WAY.iter()
        .enumerate()
        .map(|(index, step)| Step {
            class: match current {
                Some(current) if index < current || phase == "settled" => "step-done",
                Some(current) if index == current => "step-current",
                _ => "",
            },
            name: page.text(format!("step-{step}")).to_string(),
            when: match *step {
                "registration" => Some(card.view.registration_until),
                "pledging" => Some(card.view.pledging_until),
                "objection" => card.view.final_at,
                _ => None,
            }
            // Zero stands for no promise at all; what is over needs none.
            .filter(|at| at.unix_timestamp() > 0 && current.is_some_and(|current| index >= current))
            .map(|at| page.text("step-not-before").html("time", page.time(at)).to_html()),
        })
        .collect()
}

#[derive(Debug, Template)]
#[template(path = "pages/round.html")]
pub(crate) struct Round {
    page: Page,
    corner: Corner,
    card: RoundCard,
    address: String,
    paragraphs: Vec<String>,
    steps: Vec<Step>,
    initiatives: Vec<InitiativeCard>,
    explorer: String,
    result: Option<String>,
}

impl Round {
    fn now_key(&self) -> String {
        format!("now-{}", self.card.view.phase)
    }

    fn can_take_part(&self) -> bool {
        matches!(self.card.view.phase.as_str(), "registration" | "pledging")
    }
}

struct Loaded {
    card: RoundCard,
    text: Vec<String>,
    initiatives: Vec<InitiativeCard>,
}

async fn load(state: &AppState, page: &Page, address: Address) -> WebResult<Loaded> {
    let mut connection = state.connection().await.or_unavailable()?;
    let view = view::rounds(&mut connection, Some(&address.0.0)).await.or_unavailable()?.pop();
    let view = view.ok_or_else(|| WebError::not_found("error-round-unknown"))?;
    let initiatives = view::initiatives(&mut connection, &address.0.0).await.or_unavailable()?;
    let hashes = initiatives.iter().map(|initiative| initiative.content_hash).chain([view.content_hash]);
    let texts = documents(&mut connection, hashes.map(B256::from)).await.or_unavailable()?;
    drop(connection);
    let text = |hash: [u8; 32]| texts.get(&B256::from(hash)).map(|document| document.in_language(page.language()));
    let explorer = ExplorerUrls::at(state.config.explorer_url.as_str());
    Ok(Loaded {
        text: text(view.content_hash).map(|text| paragraphs(&text.description)).unwrap_or_default(),
        initiatives: initiatives
            .into_iter()
            .map(|view| {
                let text = text(view.content_hash);
                InitiativeCard::new(page, &explorer, address, view, text)
            })
            .collect(),
        card: RoundCard::new(page, view.clone(), text(view.content_hash).map(|text| text.title.clone())),
    })
}

/// `GET /rounds/{address}`.
pub(crate) async fn round(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
    RoundPath(address): RoundPath,
) -> WebResult<Rendered<Round>> {
    let loaded = load(&state, &page, address).await?;
    let explorer = ExplorerUrls::at(state.config.explorer_url.as_str());
    let phase = loaded.card.view.phase.as_str();
    let result = matches!(phase, "objection" | "settled" | "closed").then(|| explorer.result(address));
    let corner = Corner::new(&state, session.as_ref(), &format!("/rounds/{address}/take-part"));
    Ok(Rendered(Round {
        corner,
        address: address.to_string(),
        paragraphs: loaded.text,
        steps: steps(&page, &loaded.card),
        initiatives: loaded.initiatives,
        explorer: explorer.round(address),
        result,
        card: loaded.card,
        page,
    }))
}

#[derive(Debug, Template)]
#[template(path = "pages/initiative.html")]
pub(crate) struct Initiative {
    page: Page,
    corner: Corner,
    card: RoundCard,
    address: String,
    initiative: InitiativeCard,
    document: String,
    explorer: String,
}

/// `GET /rounds/{address}/initiatives/{id}`.
pub(crate) async fn initiative(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
    RoundPath(address): RoundPath,
    Path(parameters): Path<std::collections::HashMap<String, String>>,
) -> WebResult<Rendered<Initiative>> {
    let id: Option<u16> = parameters.get("id").and_then(|id| id.parse().ok());
    let loaded = load(&state, &page, address).await?;
    let initiative = loaded.initiatives.into_iter().find(|initiative| Some(initiative.view.id) == id);
    let initiative = initiative.ok_or_else(|| WebError::not_found("error-initiative-unknown"))?;
    let explorer = ExplorerUrls::at(state.config.explorer_url.as_str());
    let corner = Corner::new(&state, session.as_ref(), page.path());
    Ok(Rendered(Initiative {
        page,
        corner,
        card: loaded.card,
        address: address.to_string(),
        document: format!("/documents/{}", B256::from(initiative.view.content_hash)),
        explorer: explorer.initiative(address, initiative.view.id),
        initiative,
    }))
}

#[cfg(test)]
pub(crate) fn sample_round(phase: &str) -> view::RoundView {
    use kopilka_domain::Kopecks;
    view::RoundView {
        address: [0x11; 20],
        round_id: 1,
        municipality_id: 1,
        municipality: "Зареченск".into(),
        phase: phase.into(),
        ballot_kind: "cumulative".into(),
        content_hash: [1; 32],
        budget: Kopecks(150_000_000),
        registered: 1234,
        allocated: 900,
        initiatives: 12,
        pledged: Kopecks(70_000_000),
        registration_until: time::macros::datetime!(2026-12-01 12:00 UTC),
        pledging_until: time::macros::datetime!(2026-12-15 12:00 UTC),
        final_at: (phase == "objection").then_some(time::macros::datetime!(2026-12-20 12:00 UTC)),
    }
}

#[cfg(test)]
fn sample_initiatives(page: &Page, won: Option<bool>) -> Vec<InitiativeCard> {
    use kopilka_domain::Kopecks;
    let explorer = ExplorerUrls::at("https://explorer.example");
    let text = Text {
        title: "Освещение <парка>".into(),
        description: "Фонари.\n\nИ лавки.".into(),
        place: Some("Парк Победы".into()),
        en: None,
    };
    let view = |id, pledged| InitiativeView {
        id,
        cost: Kopecks(50_000_000),
        content_hash: [2; 32],
        wallet: [3; 20],
        supporters: 321,
        points: 2000,
        pledged: Kopecks(pledged),
        won,
        paid: Kopecks(0),
    };
    let address = Address::repeat_byte(0x11);
    vec![
        InitiativeCard::new(page, &explorer, address, view(1, 30_000_000), Some(&text)),
        InitiativeCard::new(page, &explorer, address, view(2, 70_000_000), None),
    ]
}

#[cfg(test)]
impl Round {
    pub(crate) fn samples(page: &Page) -> Vec<Self> {
        let phases = ["registration", "pledging", "tallying", "objection", "settled", "closed", "cancelled"];
        phases
            .map(|phase| {
                let card = RoundCard::new(page, sample_round(phase), Some("Дворы 2026".into()));
                Self {
                    page: page.clone(),
                    corner: Corner::nobody(),
                    address: Address::repeat_byte(0x11).to_string(),
                    paragraphs: vec!["О раунде".into()],
                    steps: steps(page, &card),
                    initiatives: sample_initiatives(page, (phase == "settled").then_some(true)),
                    explorer: "https://explorer.example/round/0x11".into(),
                    result: (phase == "settled").then(|| "https://explorer.example/round/0x11/result".into()),
                    card,
                }
            })
            .into()
    }
}

#[cfg(test)]
impl Initiative {
    pub(crate) fn samples(page: &Page) -> Vec<Self> {
        sample_initiatives(page, None)
            .into_iter()
            .map(|initiative| Self {
                page: page.clone(),
                corner: Corner::nobody(),
                card: RoundCard::new(page, sample_round("pledging"), None),
                address: Address::repeat_byte(0x11).to_string(),
                document: "/documents/0x22".into(),
                explorer: "https://explorer.example".into(),
                initiative,
            })
            .collect()
    }
}
