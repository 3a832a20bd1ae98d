//! What the public JSON-RPC offers.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use kopilka_web::{Page, Rendered};

use crate::rpc::{ALLOWED, BATCH};
use crate::state::Explorer;

#[derive(Template)]
#[template(path = "pages/rpc.html")]
pub(super) struct RpcPage {
    pub(super) page: Page,
    pub(super) url: String,
    pub(super) methods: Vec<&'static str>,
    pub(super) batch: usize,
}

/// The page at the address of the JSON-RPC.
pub(crate) fn describe(page: Page, explorer: &Explorer) -> Response {
    let url = explorer.urls.eth_rpc();
    Rendered(RpcPage { page, url, methods: ALLOWED.to_vec(), batch: BATCH }).into_response()
}
