//! A token: the appropriation behind it, supply, who holds it, how it moved.

use alloy::primitives::U256;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use kopilka_domain::{Kopecks, Percent};
use kopilka_store::chain::explorer::{self, Mint, Supply};
use kopilka_store::chain::query::{self, Holder, Transfer};
use kopilka_store::chain::rounds::{self, Token};
use kopilka_web::components::Pager;
use kopilka_web::{Html, Page, PageLink, Rendered, WebError, WebResult};
use sqlx::PgConnection;

use super::in_transfers;
use crate::names::Names;
use crate::paging::{After, FETCH, cut, to_text};
use crate::state::{Explorer, parse_address};
use crate::words::Words;

/// What is below the tabs.
pub(super) enum Tab {
    Transfers(Vec<Transfer>),
    Holders(Vec<Holder>),
}

#[derive(Template)]
#[template(path = "pages/token.html")]
pub(super) struct TokenPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) token: Token,
    pub(super) supply: Supply,
    pub(super) mints: Vec<Mint>,
    pub(super) tabs: Vec<PageLink>,
    pub(super) tab: Tab,
    pub(super) pager: Pager,
}

impl TokenPage {
    fn name(&self) -> String {
        match (&self.token.name, &self.token.symbol) {
            (Some(name), _) => name.clone(),
            (None, Some(symbol)) => symbol.clone(),
            (None, None) => self.page.text("token-nameless").to_string(),
        }
    }

    fn amount(&self, amount: &U256) -> Html {
        if self.token.round.is_some() {
            self.w.kopecks(*amount)
        } else {
            self.w.units(amount, self.token.decimals, self.token.symbol.clone())
        }
    }

    fn share(&self, holder: &Holder) -> String {
        let whole = u128::try_from(self.supply.supply).unwrap_or(u128::MAX);
        let part = u128::try_from(holder.amount).unwrap_or(u128::MAX);
        self.page.percent(Percent::of(part, whole))
    }

    /// What may still be minted.
    fn unminted(&self) -> Kopecks {
        self.token.appropriation_amount.unwrap_or_default().saturating_sub(self.token.minted)
    }
}

async fn found(
    explorer: &Explorer,
    connection: &mut PgConnection,
    text: &str,
) -> WebResult<(Token, Supply, Vec<Mint>)> {
    let address = parse_address(text)?;
    let token = rounds::token(connection, address).await?;
    let Some(token) = token else {
        let is_address_used = explorer.node.code_size(address).await.is_some_and(|size| size > 0);
        let key = if is_address_used { "error-token-silent" } else { "error-token-missing" };
        return Err(WebError::not_found(key));
    };
    let supply = explorer::supply(connection, address).await?;
    let mints = explorer::mints(connection, address).await?;
    Ok((token, supply, mints))
}

fn tabs(page: &Page, explorer: &Explorer, token: &Token, supply: Supply, current: usize) -> Vec<PageLink> {
    let hex = format!("{:#x}", token.address);
    vec![
        PageLink {
            url: explorer.urls.token(&hex),
            text: page.text("tab-transfers").to_string(),
            current: current == 0,
        },
        PageLink {
            url: explorer.urls.token_holders(&hex),
            text: page.text("tab-holders").arg("count", supply.holders).to_string(),
            current: current == 1,
        },
    ]
}

pub(crate) async fn token(
    page: Page,
    State(explorer): State<Explorer>,
    Path(token): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let mut connection = explorer.connection().await?;
    let (token, supply, mints) = found(&explorer, &mut connection, &token).await?;
    let mut rows = query::token_transfers(&mut connection, token.address, after.position(), FETCH).await?;
    let url = explorer.urls.token(format!("{:#x}", token.address));
    let next = cut(&mut rows, |transfer| to_text(transfer.position())).map(|after| format!("{url}?after={after}"));
    let named = in_transfers(&rows)
        .chain(mints.iter().map(|mint| mint.treasurer))
        .chain([token.address])
        .chain(token.round)
        .collect();
    let names = Names::load(&mut connection, named).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    let tabs = tabs(&page, &explorer, &token, supply, 0);
    Ok(Rendered(TokenPage { page, w, token, supply, mints, tabs, tab: Tab::Transfers(rows), pager }))
}

pub(crate) async fn holders(
    page: Page,
    State(explorer): State<Explorer>,
    Path(token): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let mut connection = explorer.connection().await?;
    let (token, supply, mints) = found(&explorer, &mut connection, &token).await?;
    let last = after.text().and_then(|text| {
        let (amount, holder) = text.split_once('-')?;
        Some(Holder { amount: amount.parse().ok()?, holder: parse_address(holder).ok()? })
    });
    let mut rows = query::holders(&mut connection, token.address, last.as_ref(), FETCH).await?;
    let url = explorer.urls.token_holders(format!("{:#x}", token.address));
    let next = cut(&mut rows, |holder| format!("{}-{:#x}", holder.amount, holder.holder))
        .map(|after| format!("{url}?after={after}"));
    let named = rows
        .iter()
        .map(|holder| holder.holder)
        .chain(mints.iter().map(|mint| mint.treasurer))
        .chain([token.address])
        .chain(token.round)
        .collect();
    let names = Names::load(&mut connection, named).await?;
    let pager = Pager::new(&page, last.is_some().then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    let tabs = tabs(&page, &explorer, &token, supply, 1);
    Ok(Rendered(TokenPage { page, w, token, supply, mints, tabs, tab: Tab::Holders(rows), pager }))
}
