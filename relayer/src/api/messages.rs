//! `GET /v1/messages/{id}` and its server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::B256;
use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use kopilka_relay_client::MessageView;
use kopilka_store::relay::messages::{self, MessageState};

use super::State;
use crate::problem::Refusal;

const DATABASE: Refusal = Refusal::Unavailable { what: "The database" };

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

pub(super) async fn show(
    Shared(state): Shared<Arc<State>>,
    Path(id): Path<String>,
) -> Result<Json<MessageView>, Refusal> {
    find(&state, &id).await.map(Json)
}

pub(super) async fn events(
    Shared(state): Shared<Arc<State>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let first = find(&state, &id).await?;
    let mut changes = state.watch.subscribe(first.clone()).ok_or(Refusal::QueueFull)?;
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

async fn find(state: &State, id: &str) -> Result<MessageView, Refusal> {
    let id: B256 = id.parse().map_err(|_| Refusal::FieldMalformed {
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
