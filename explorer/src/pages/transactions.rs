//! The list of transactions.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use kopilka_store::chain::query::{self, Transaction};
use kopilka_web::components::Pager;
use kopilka_web::{Page, Rendered, WebResult};

use super::in_transactions;
use crate::names::Names;
use crate::paging::{After, FETCH, cut, to_text};
use crate::state::Explorer;
use crate::words::Words;

#[derive(Template)]
#[template(path = "pages/transactions.html")]
pub(super) struct TransactionsPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) transactions: Vec<Transaction>,
    pub(super) pager: Pager,
}

pub(crate) async fn transactions(
    page: Page,
    State(explorer): State<Explorer>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let mut connection = explorer.connection().await?;
    let mut transactions = query::transactions(&mut connection, after.position(), FETCH).await?;
    let url = explorer.urls.transactions();
    let next = cut(&mut transactions, |tx| to_text(tx.position())).map(|after| format!("{url}?after={after}"));
    let names = Names::load(&mut connection, in_transactions(&transactions).collect()).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(TransactionsPage { page, w, transactions, pager }))
}
