//! An initiative: its text, its wallet, its supporters, its payments.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use kopilka_domain::{BallotKind, Kopecks, Phase};
use kopilka_store::chain::query::{self, Transfer};
use kopilka_store::chain::rounds::{self, Initiative, Payment, Round};
use kopilka_web::components::{Fill, Pager};
use kopilka_web::{Page, Rendered, WebError, WebResult};

use super::in_transfers;
use crate::names::Names;
use crate::paging::{After, FETCH, cut, to_text};
use crate::state::Explorer;
use crate::texts::Document;
use crate::words::Words;

#[derive(Template)]
#[template(path = "pages/initiative.html")]
pub(super) struct InitiativePage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) round: Round,
    pub(super) initiative: Initiative,
    pub(super) text: Option<Document>,
    pub(super) payments: Vec<Payment>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) pager: Pager,
    pub(super) portal_url: Option<String>,
}

impl InitiativePage {
    fn title(&self) -> String {
        match &self.text {
            Some(text) => text.title.clone(),
            None => self.page.text("initiative-untitled").arg("id", self.initiative.initiative_id).to_string(),
        }
    }

    fn fill(&self) -> Fill {
        Fill::new(&self.page, self.initiative.pledged, self.initiative.cost)
            .live(self.initiative.initiative_id.to_string())
    }

    fn round_hex(&self) -> String {
        self.w.hex(self.round.address)
    }

    fn is_cumulative(&self) -> bool {
        self.round.ballot_kind == BallotKind::Cumulative
    }

    /// Whether citizens can still put money in.
    fn is_live(&self) -> bool {
        matches!(self.round.phase, Phase::Registration | Phase::Pledging)
    }

    fn unpaid(&self) -> Kopecks {
        self.initiative.balance
    }
}

pub(crate) async fn initiative(
    page: Page,
    State(explorer): State<Explorer>,
    Path((round, id)): Path<(String, String)>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let round = explorer.round(&round).await?;
    let missing = || WebError::not_found("error-initiative-missing");
    let id: u16 = id.parse().map_err(|_| missing())?;
    let mut connection = explorer.connection().await?;
    let initiative = rounds::initiative(&mut connection, round.address, i32::from(id)).await?.ok_or_else(missing)?;
    let payments = rounds::payments(&mut connection, round.address).await?;
    let payments = payments.into_iter().filter(|payment| payment.initiative_id == i32::from(id)).collect();
    let mut transfers = query::address_transfers(&mut connection, initiative.wallet, after.position(), FETCH).await?;
    let hex = format!("{:#x}", round.address);
    let url = explorer.urls.initiative(&hex, id);
    let next = cut(&mut transfers, |transfer| to_text(transfer.position())).map(|after| format!("{url}?after={after}"));
    let named = in_transfers(&transfers).chain([round.address, round.token]).collect();
    let names = Names::load(&mut connection, named).await?;
    let text = names.texts.get(&initiative.content_hash).cloned();
    let portal_url = explorer.portal.as_ref().map(|portal| portal.round(&hex));
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(InitiativePage { page, w, round, initiative, text, payments, transfers, pager, portal_url }))
}
