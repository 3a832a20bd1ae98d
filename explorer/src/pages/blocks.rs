//! Blocks: the list, and one of them.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use kopilka_domain::Percent;
use kopilka_store::chain::query::{self, Block, Head, Transaction};
use kopilka_web::components::Pager;
use kopilka_web::{Page, Rendered, WebError, WebResult};

use super::in_transactions;
use crate::names::Names;
use crate::paging::{After, FETCH, PAGE, cut};
use crate::state::{Explorer, parse_hash};
use crate::words::Words;

#[derive(Template)]
#[template(path = "pages/blocks.html")]
pub(super) struct BlocksPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) blocks: Vec<Block>,
    pub(super) pager: Pager,
}

pub(crate) async fn blocks(
    page: Page,
    State(explorer): State<Explorer>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let mut connection = explorer.connection().await?;
    let mut blocks = query::blocks(&mut connection, after.number().unwrap_or(u64::MAX), FETCH).await?;
    let url = explorer.urls.blocks();
    let next = cut(&mut blocks, |block| block.number.to_string()).map(|after| format!("{url}?after={after}"));
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, Names::default());
    Ok(Rendered(BlocksPage { page, w, blocks, pager }))
}

#[derive(Template)]
#[template(path = "pages/block.html")]
pub(super) struct BlockPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) block: Block,
    pub(super) head: Head,
    pub(super) transactions: Vec<Transaction>,
    pub(super) pager: Pager,
}

impl BlockPage {
    fn confirmations(&self) -> u64 {
        (self.head.node_block + 1).saturating_sub(self.block.number.cast_unsigned())
    }

    fn is_final(&self) -> bool {
        self.head.finalized_block.is_some_and(|block| block >= self.block.number.cast_unsigned())
    }

    fn has_next(&self) -> bool {
        self.head.indexed_block.is_some_and(|block| block > self.block.number.cast_unsigned())
    }

    fn gas_share(&self) -> String {
        let part = |number: i64| u128::try_from(number).unwrap_or(0);
        self.page.percent(Percent::of(part(self.block.gas_used), part(self.block.gas_limit)))
    }
}

pub(crate) async fn block(
    page: Page,
    State(explorer): State<Explorer>,
    Path(block): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let head = explorer.head().await?;
    let mut connection = explorer.connection().await?;
    let found = match (block.parse::<u64>(), parse_hash(&block)) {
        (Ok(number), _) => {
            if head.indexed_block.is_none_or(|indexed| number > indexed) && number <= head.node_block {
                return Err(WebError::not_found("error-block-not-indexed").arg("number", number));
            }
            query::block_by_number(&mut connection, number).await?
        }
        (_, Some(hash)) => query::block_by_hash(&mut connection, hash).await?,
        _ => return Err(WebError::not_found("error-block-malformed")),
    };
    let block = found.ok_or_else(|| WebError::not_found("error-block-missing"))?;
    let from = after.number().and_then(|index| u32::try_from(index).ok()).map_or(0, |index| index.saturating_add(1));
    let mut transactions =
        query::block_transactions(&mut connection, block.number.cast_unsigned(), from, FETCH).await?;
    let url = explorer.urls.block(block.number);
    let next = cut(&mut transactions, |tx| tx.tx_index.to_string()).map(|after| format!("{url}?after={after}"));
    debug_assert!(transactions.len() <= PAGE);
    let addresses = in_transactions(&transactions).chain([block.miner]).collect();
    let names = Names::load(&mut connection, addresses).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(BlockPage { page, w, block, head, transactions, pager }))
}
