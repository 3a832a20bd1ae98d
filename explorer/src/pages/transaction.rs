//! A transaction: what it did, in words.

use alloy::primitives::{B256, U256};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use kopilka_store::chain::query::{self, Head, Log, Transaction, Transfer};
use kopilka_web::components::Pager;
use kopilka_web::{Html, Page, Rendered, WebError, WebResult};
use serde_json::json;

use super::in_transfers;
use crate::decode::{self, Call, Told};
use crate::names::{Names, candidates};
use crate::paging::After;
use crate::rpc::NodeTransaction;
use crate::state::{Explorer, parse_hash};
use crate::words::Words;

/// Events, and transfers, shown at once.
const EVENTS: usize = 50;

#[derive(Template)]
#[template(path = "pages/transaction.html")]
pub(super) struct TransactionPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) tx: Transaction,
    pub(super) head: Head,
    pub(super) call: Option<Call>,
    /// Why the contract refused, for failed ones.
    pub(super) refusal: Option<Html>,
    pub(super) events: Vec<(Log, Told)>,
    pub(super) events_total: usize,
    pub(super) transfers: Vec<Transfer>,
    pub(super) transfers_total: usize,
    pub(super) pager: Pager,
}

impl TransactionPage {
    fn confirmations(&self) -> u64 {
        (self.head.node_block + 1).saturating_sub(self.tx.block_number.cast_unsigned())
    }

    fn is_final(&self) -> bool {
        self.head.finalized_block.is_some_and(|block| block >= self.tx.block_number.cast_unsigned())
    }

    fn fee(&self) -> U256 {
        U256::from(self.tx.gas_used.unsigned_abs()).saturating_mul(self.tx.gas_price)
    }

    fn input_size(&self) -> usize {
        self.tx.input.len()
    }
}

/// A transaction that waits, or whose block is not indexed yet.
#[derive(Template)]
#[template(path = "pages/waiting.html")]
pub(super) struct WaitingPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) hash: B256,
    pub(super) tx: NodeTransaction,
    pub(super) call: Option<Call>,
}

pub(crate) async fn transaction(
    page: Page,
    State(explorer): State<Explorer>,
    Path(hash): Path<String>,
    Query(after): Query<After>,
) -> WebResult<Response> {
    let hash = parse_hash(&hash).ok_or_else(|| WebError::not_found("error-tx-malformed"))?;
    let head = explorer.head().await?;
    let mut connection = explorer.connection().await?;
    let Some(tx) = query::transaction(&mut connection, hash).await? else {
        return waiting(page, &explorer, hash).await;
    };
    let (number, index) = (tx.block_number.cast_unsigned(), tx.tx_index.cast_unsigned());
    let logs = query::transaction_logs(&mut connection, number, index).await?;
    let mut transfers = query::transaction_transfers(&mut connection, number, index).await?;
    let (events_total, transfers_total) = (logs.len(), transfers.len());
    let skipped = after.number().and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let logs: Vec<Log> = logs.into_iter().skip(skipped).take(EVENTS).collect();
    transfers.truncate(EVENTS);

    let in_logs = logs.iter().flat_map(|log| {
        let topics = log.topics();
        let in_topics: Vec<_> = topics.iter().flat_map(|topic| candidates(topic.as_slice())).collect();
        in_topics.into_iter().chain(candidates(&log.data)).chain([log.address])
    });
    let in_input = tx.input.get(4..).into_iter().flat_map(candidates);
    let addresses: Vec<_> = [Some(tx.from_address), tx.to_address, tx.created_contract]
        .into_iter()
        .flatten()
        .chain(in_logs)
        .chain(in_input)
        .chain(in_transfers(&transfers))
        .collect();
    let names = Names::load(&mut connection, addresses).await?;
    drop(connection);

    let w = Words::new(&page, &explorer, names);
    let refusal = if tx.succeeded { None } else { reason(&explorer, &w, &tx).await };
    let call = tx.to_address.and_then(|to| decode::call(&w, to, &tx.input));
    let events: Vec<_> = logs
        .into_iter()
        .map(|log| {
            let told = decode::event(&w, &log);
            (log, told)
        })
        .collect();
    let url = explorer.urls.transaction(format!("{hash:#x}"));
    let shown = skipped + events.len();
    let next = (shown < events_total).then(|| format!("{url}?after={shown}"));
    let pager = Pager::new(&page, (skipped > 0).then_some(url), next);
    let shown =
        TransactionPage { page, w, tx, head, call, refusal, events, events_total, transfers, transfers_total, pager };
    Ok(Rendered(shown).into_response())
}

/// Why a contract refused: asked by calling it again on top of the block before.
async fn reason(explorer: &Explorer, words: &Words, tx: &Transaction) -> Option<Html> {
    let call = json!({ "from": tx.from_address, "to": tx.to_address, "value": tx.value, "input": tx.input });
    let data = explorer.node.refusal(call, tx.block_number - 1).await?;
    decode::refusal(words, &data)
}

async fn waiting(page: Page, explorer: &Explorer, hash: B256) -> WebResult<Response> {
    let tx = explorer.node.transaction(hash).await.ok_or_else(|| WebError::not_found("error-tx-missing"))?;
    let mut connection = explorer.connection().await?;
    let in_input = tx.input.get(4..).into_iter().flat_map(candidates);
    let addresses: Vec<_> = [Some(tx.from), tx.to].into_iter().flatten().chain(in_input).collect();
    let names = Names::load(&mut connection, addresses).await?;
    let w = Words::new(&page, explorer, names);
    let call = tx.to.and_then(|to| decode::call(&w, to, &tx.input));
    Ok(Rendered(WaitingPage { page, w, hash, tx, call }).into_response())
}
