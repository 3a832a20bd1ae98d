//! The start page.

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use kopilka_store::chain::explorer;
use kopilka_store::chain::query::{self, Block, Head, Position, Transaction};
use kopilka_web::{Page, Rendered, WebResult};

use super::in_transactions;
use super::rounds::{RoundCard, cards};
use crate::names::Names;
use crate::state::Explorer;
use crate::words::Words;

/// Rows of each short list.
const ROWS: i64 = 6;

#[derive(Template)]
#[template(path = "pages/home.html")]
pub(super) struct HomePage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) head: Option<Head>,
    pub(super) rounds: Vec<RoundCard>,
    pub(super) blocks: Vec<Block>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) block_seconds: Option<f64>,
    pub(super) transactions_today: i64,
}

pub(crate) async fn home(page: Page, State(explorer): State<Explorer>) -> WebResult<impl IntoResponse> {
    let mut connection = explorer.connection().await?;
    let head = query::head(&mut connection).await?;
    let rounds = cards(&mut connection, i64::MAX, 4).await?;
    let blocks = query::blocks(&mut connection, u64::MAX, ROWS).await?;
    let transactions = query::transactions(&mut connection, Position::NEWEST, ROWS).await?;
    let names = Names::load(&mut connection, in_transactions(&transactions).collect()).await?;
    let block_seconds = explorer::average_block_seconds(&mut connection, 100).await?;
    let transactions_today = explorer::transactions_since(&mut connection, page.now() - time::Duration::DAY).await?;
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(HomePage { page, w, head, rounds, blocks, transactions, block_seconds, transactions_today }))
}
