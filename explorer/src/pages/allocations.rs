//! All distributions of a round, superseded ones included.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use kopilka_store::chain::explorer::{self, AllocationLine};
use kopilka_store::chain::rounds::Round;
use kopilka_web::components::Pager;
use kopilka_web::{Html, Page, Rendered, WebResult};

use crate::names::Names;
use crate::paging::{After, FETCH, cut, to_text};
use crate::state::Explorer;
use crate::words::Words;

#[derive(Template)]
#[template(path = "pages/allocations.html")]
pub(super) struct AllocationsPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) round: Round,
    pub(super) rows: Vec<AllocationLine>,
    pub(super) pager: Pager,
}

impl AllocationsPage {
    fn round_hex(&self) -> String {
        self.w.hex(self.round.address)
    }

    fn choices(&self, line: &AllocationLine) -> Html {
        sentence(&self.w, line)
    }
}

/// A distribution in words, without the account: «№ 1 «Лавочки» — 4 балла, …».
pub(super) fn sentence(words: &Words, line: &AllocationLine) -> Html {
    if line.initiatives.is_empty() {
        return Html::escaped(words.text("allocation-nothing"));
    }
    let parts = line.initiatives.iter().enumerate().map(|(place, &id)| {
        let link = words.initiative_short(line.round, id);
        match line.points.get(place) {
            Some(&points) => words.text("choice-with-points").html("initiative", link).arg("points", points).to_html(),
            None => link,
        }
    });
    let parts: Vec<String> = parts.map(|part| part.to_string()).collect();
    Html::trusted(parts.join(", "))
}

pub(crate) async fn allocations(
    page: Page,
    State(explorer): State<Explorer>,
    Path(round): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let round = explorer.round(&round).await?;
    let mut connection = explorer.connection().await?;
    let mut rows = explorer::round_allocations(&mut connection, round.address, after.position(), FETCH).await?;
    let url = explorer.urls.allocations(format!("{:#x}", round.address));
    let next = cut(&mut rows, |row| to_text(row.position())).map(|after| format!("{url}?after={after}"));
    let names = Names::load(&mut connection, vec![round.address]).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(AllocationsPage { page, w, round, rows, pager }))
}
