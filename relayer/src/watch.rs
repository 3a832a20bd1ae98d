//! Who waits for which message: one question to the database for all of them, so that it does not matter which process
//! moves a message on, nor how many wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::primitives::B256;
use kopilka_relay_client::MessageView;
use kopilka_store::relay::messages;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::view;

/// Most messages that are waited for at the same time.
const LIMIT: usize = 20_000;
const INTERVAL: Duration = Duration::from_millis(500);

/// The list of messages that someone waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    watched: Arc<Mutex<HashMap<B256, watch::Sender<MessageView>>>>,
}

impl Watch {
    fn locked(&self) -> MutexGuard<'_, HashMap<B256, watch::Sender<MessageView>>> {
        // Nothing done under the lock can panic half-way.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a message from the state that is known; `None` if too many are followed.
    pub(crate) fn subscribe(&self, known: MessageView) -> Option<watch::Receiver<MessageView>> {
        let mut watched = self.locked();
        if watched.len() >= LIMIT && !watched.contains_key(&known.id) {
            return None;
        }
        Some(watched.entry(known.id).or_insert_with(|| watch::Sender::new(known)).subscribe())
    }

    /// Tells everyone who waits, until cancelled.
    pub(crate) async fn run(self, pool: PgPool, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                () = cancel.cancelled() => break,
            }
            let ids: Vec<B256> = {
                let mut watched = self.locked();
                watched.retain(|_, sender| sender.receiver_count() > 0 && !sender.borrow().status.is_final());
                watched.keys().copied().collect()
            };
            if ids.is_empty() {
                continue;
            }
            let states = async { messages::states(&mut *pool.acquire().await?, &ids).await };
            // While the database does not answer, those who wait keep waiting.
            let Ok(states) = states.await else { continue };
            let watched = self.locked();
            for state in states {
                if let Some(sender) = watched.get(&state.id) {
                    let view = view(state);
                    sender.send_if_modified(|known| std::mem::replace(known, view.clone()) != view);
                }
            }
        }
        // Dropping the senders ends the streams, so that the server can stop.
        self.locked().clear();
    }
}
