//! Search: a block, a transaction, an address, a token, a text. One hit leads straight there.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use kopilka_store::chain::{explorer, query, rounds};
use kopilka_web::{Html, Page, Rendered, WebResult};
use serde::Deserialize;

use crate::names::Names;
use crate::state::{Explorer, parse_address, parse_hash};
use crate::words::Words;

/// Hits of each kind.
const HITS: i64 = 20;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "pages/search.html")]
pub(super) struct SearchPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) asked: String,
    pub(super) hits: Vec<Html>,
}

pub(crate) async fn search(
    page: Page,
    State(explorer): State<Explorer>,
    Query(asked): Query<Asked>,
) -> WebResult<Response> {
    let text: String = asked.q.trim().chars().take(200).collect();
    let mut connection = explorer.connection().await?;
    let urls = &explorer.urls;
    let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    if let Ok(number) = digits.parse::<u64>()
        && query::block_by_number(&mut connection, number).await?.is_some()
    {
        return Ok(Redirect::to(&urls.block(number)).into_response());
    }
    if let Some(hash) = parse_hash(&digits) {
        let is_block = query::block_by_hash(&mut connection, hash).await?.is_some();
        let hex = format!("{hash:#x}");
        let target = if is_block { urls.block(hex) } else { urls.transaction(hex) };
        return Ok(Redirect::to(&target).into_response());
    }
    if let Ok(address) = parse_address(&digits) {
        let hex = format!("{address:#x}");
        let known = query::labels(&mut connection, &[address]).await?;
        let target = match known.first().map(|label| label.kind.as_str()) {
            Some("round") => urls.round(hex),
            Some("token") => urls.token(hex),
            _ => urls.address(hex),
        };
        return Ok(Redirect::to(&target).into_response());
    }
    let mut targets = Vec::new();
    if !text.is_empty() {
        for address in explorer::search_tokens(&mut connection, &text, HITS).await? {
            targets.push((address, None, urls.token(format!("{address:#x}"))));
        }
        for (round, id) in explorer::search_texts(&mut connection, &text, HITS).await? {
            let hex = format!("{round:#x}");
            targets.push((round, id, id.map_or_else(|| urls.round(&hex), |id| urls.initiative(&hex, id))));
        }
    }
    let mut names = Names::default();
    if !targets.is_empty() {
        names = Names::load(&mut connection, targets.iter().map(|(address, _, _)| *address).collect()).await?;
        // Only what is shown counts: a text that does not hash right is no hit.
        targets.retain(|(address, id, _)| match (id, names.contracts.get(address)) {
            (Some(id), _) => names.initiative(*address, *id).is_some(),
            (None, Some(contract)) => contract.kind != "round" || names.round_of(contract).is_some(),
            (None, None) => true,
        });
    }
    if let [(_, _, target)] = targets.as_slice() {
        return Ok(Redirect::to(target).into_response());
    }
    let mut hits = Vec::new();
    for (address, id, url) in targets {
        let name = match (id, names.contracts.contains_key(&address)) {
            (Some(_), _) | (None, true) => None,
            (None, false) => rounds::token(&mut connection, address).await?.and_then(|token| token.name),
        };
        hits.push((address, id, url, name));
    }
    let w = Words::new(&page, &explorer, names);
    let hits = hits
        .into_iter()
        .map(|(address, id, url, name)| match (id, name) {
            (Some(id), _) => w.initiative(address, id),
            (None, Some(name)) => Html::link(url, name),
            (None, None) => w.address(address),
        })
        .collect();
    Ok(Rendered(SearchPage { page, w, asked: text, hits }).into_response())
}
