//! What became of messages: by id, by account, and as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, hex};
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as Shared};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use kopilka_relay_client::{AccountView, MessageView};
use kopilka_store::relay::messages::{self, MessageState};
use serde::Deserialize;

use super::State;
use crate::problem::Refusal;

const DATABASE: Refusal = Refusal::Unavailable { what: "The database" };
/// Messages of an account in one answer.
const PAGE: usize = 100;

pub(crate) fn view(state: MessageState) -> MessageView {
    MessageView {
        id: state.id,
        kind: state.kind,
        contract: state.contract,
        scope: state.scope,
        account: state.account,
        version: state.version,
        status: state.status,
        reason: state.reason,
        tx_hash: state.tx_hash,
        block_number: state.block_number,
        log_index: state.log_index,
    }
}

/// Where a message stands
///
/// With the place of its event on chain once it is mined: the receipt.
#[utoipa::path(get, path = "/v1/messages/{id}", tag = "messages", params(("id" = String, Path, description = "The message's id: 0x and 64 hexadecimal digits", pattern = "^0x[0-9a-fA-F]{64}$")), responses((status = 200, description = "Where it stands", body = MessageView)))]
pub(super) async fn show(
    Shared(state): Shared<Arc<State>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<MessageView>, Refusal> {
    find(&state, id).await.map(Json)
}

/// Follow a message
///
/// Server-sent events named `message`, each the same object as the message itself, until it is final.
#[utoipa::path(get, path = "/v1/messages/{id}/events", tag = "messages", params(("id" = String, Path, description = "The message's id: 0x and 64 hexadecimal digits", pattern = "^0x[0-9a-fA-F]{64}$")), responses((status = 200, description = "The events", body = String, content_type = "text/event-stream")))]
pub(super) async fn events(
    Shared(state): Shared<Arc<State>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let first = find(&state, id).await?;
    let mut changes = state.watch.subscribe(first.clone()).ok_or(Refusal::Busy)?;
    let stream = async_stream::stream! {
        let mut last = None;
        loop {
            let message = changes.borrow_and_update().clone();
            let is_final = message.status.is_final();
            if last.as_ref() != Some(&message) {
                if let Ok(event) = Event::default().event("message").json_data(&message) {
                    yield Ok(event);
                }
                last = Some(message);
            }
            if is_final || changes.changed().await.is_err() {
                return;
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// Where the next page of an account begins.
#[derive(Debug, Deserialize)]
pub(super) struct After {
    after: Option<String>,
}

/// An account's messages
///
/// In no order that tells when they came. Up to 100 in one answer.
#[utoipa::path(get, path = "/v1/accounts/{account}/messages", tag = "messages", params(("account" = String, Path, description = "0x and 40 hexadecimal digits", pattern = "^0x[0-9a-fA-F]{40}$"), ("after" = Option<String>, Query, description = "`next` of the answer before", pattern = "^0x[0-9a-fA-F]{64}$")), responses((status = 200, description = "Its messages; none for an unknown account", body = AccountView)))]
pub(super) async fn of_account(
    Shared(state): Shared<Arc<State>>,
    account: Result<Path<String>, PathRejection>,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Json<AccountView>, Refusal> {
    let account = account.ok().and_then(|Path(text)| fixed(&text)).map(Address::new);
    let account = account.ok_or(Refusal::FieldMalformed {
        field: "account",
        detail: "An account is an address: 0x and 40 hexadecimal digits.".to_owned(),
    })?;
    let after = match after.map(|Query(After { after })| after) {
        Ok(None) => Some(B256::ZERO),
        Ok(Some(text)) => fixed(&text).map(B256::new),
        Err(_) => None,
    };
    let after = after.ok_or(Refusal::FieldMalformed {
        field: "after",
        detail: "«after» is what the answer before gave as «next»: 0x and 64 hexadecimal digits.".to_owned(),
    })?;
    let found = async {
        let mut connection = state.pool.acquire().await?;
        messages::states_of(&mut connection, account, after, PAGE as i64 + 1).await
    };
    let mut found = found.await.map_err(|error| {
        tracing::error!(%error, "cannot look up an account's messages");
        DATABASE
    })?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found.last().filter(|_| has_more).map(|message| message.id);
    Ok(Json(AccountView { messages: found.into_iter().map(view).collect(), next }))
}

/// Exactly `0x` and the digits of so many bytes.
fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 2 * N)?;
    hex::decode(digits).ok()?.try_into().ok()
}

async fn find(state: &State, id: Result<Path<String>, PathRejection>) -> Result<MessageView, Refusal> {
    let id = id.ok().and_then(|Path(text)| fixed(&text)).map(B256::new).ok_or(Refusal::FieldMalformed {
        field: "id",
        detail: "A message's id is 0x and 64 hexadecimal digits, as the answer to sending it says.".to_owned(),
    })?;
    let failed = |error: sqlx::Error| {
        tracing::error!(%error, "cannot look up a message");
        DATABASE
    };
    let mut connection = state.pool.acquire().await.map_err(failed)?;
    let found = messages::states(&mut connection, &[id]).await.map_err(failed)?;
    found.into_iter().next().map(view).ok_or(Refusal::MessageUnknown { id })
}
