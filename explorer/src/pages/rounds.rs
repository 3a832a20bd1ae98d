//! All rounds.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use kopilka_domain::Kopecks;
use kopilka_store::chain::explorer;
use kopilka_store::chain::rounds::{self, Round};
use kopilka_web::components::{Fill, Pager};
use kopilka_web::{Page, Rendered, WebResult};
use sqlx::PgConnection;

use crate::names::Names;
use crate::paging::{After, FETCH, cut};
use crate::state::Explorer;
use crate::texts::{Document, Texts};
use crate::words::Words;

/// A round in a list.
pub(super) struct RoundCard {
    pub(super) round: Round,
    pub(super) text: Option<Document>,
    /// Kopecks in all wallets now.
    pub(super) in_wallets: Kopecks,
}

impl RoundCard {
    /// What the wallets can hold: the budget, or what is minted so far.
    fn money(&self) -> Kopecks {
        self.round.budget.unwrap_or(self.round.minted)
    }

    pub(super) fn fill(&self, page: &Page) -> Fill {
        Fill::new(page, self.in_wallets, self.money())
    }
}

/// Rounds below a number, with their texts.
pub(super) async fn cards(connection: &mut PgConnection, before: i64, limit: i64) -> anyhow::Result<Vec<RoundCard>> {
    let rounds = rounds::rounds(connection, None, before, limit).await?;
    let texts = Texts::load(connection, rounds.iter().map(|round| round.content_hash).collect()).await?;
    let addresses: Vec<_> = rounds.iter().map(|round| round.address).collect();
    let in_wallets = explorer::in_wallets(connection, &addresses).await?;
    Ok(rounds
        .into_iter()
        .map(|round| {
            let amount = in_wallets.iter().find(|(address, _)| *address == round.address);
            RoundCard {
                text: texts.get(&round.content_hash).cloned(),
                in_wallets: amount.map(|(_, amount)| *amount).unwrap_or_default(),
                round,
            }
        })
        .collect())
}

#[derive(Template)]
#[template(path = "pages/rounds.html")]
pub(super) struct RoundsPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) rounds: Vec<RoundCard>,
    pub(super) pager: Pager,
}

pub(crate) async fn rounds(
    page: Page,
    State(explorer): State<Explorer>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let mut connection = explorer.connection().await?;
    let before = after.number().and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
    let mut rounds = cards(&mut connection, before, FETCH).await?;
    let url = explorer.urls.rounds();
    let next = cut(&mut rounds, |card| card.round.round_id.to_string()).map(|after| format!("{url}?after={after}"));
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, Names::default());
    Ok(Rendered(RoundsPage { page, w, rounds, pager }))
}
