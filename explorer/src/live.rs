//! Pages that change while they are read: the indexer notifies after each commit, every open page of a touched round gets
//! the new amounts as a server-sent event.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::Address;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use kopilka_domain::Percent;
use kopilka_store::chain::HEAD_CHANNEL;
use kopilka_store::chain::rounds::{self, Initiative};
use kopilka_web::{I18n, Language, Page, WebResult};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgListener;
use tokio::sync::{OnceCell, broadcast};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;

use crate::state::Explorer;

/// Changes that a slow reader may lag behind before the oldest are dropped; each event tells the whole state anyway.
const BACKLOG: usize = 64;

/// Readers of live pages.
pub(crate) struct Live {
    changes: broadcast::Sender<Arc<Change>>,
    /// Commits of the indexer heard so far.
    version: AtomicU64,
    /// The events of the present version, made once for all readers of a round in one language.
    events: Mutex<HashMap<(Address, Language), (u64, Shown)>>,
}

/// An event, perhaps still being made; none when the round or the database is away.
type Shown = Arc<OnceCell<Option<Event>>>;

impl Default for Live {
    fn default() -> Self {
        Self { changes: broadcast::channel(BACKLOG).0, version: AtomicU64::new(0), events: Mutex::default() }
    }
}

impl Live {
    fn shown(&self, round: Address, language: Language) -> Shown {
        let version = self.version.load(Ordering::Acquire);
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody has asked for since the last commit is not kept.
        events.retain(|_, (made, _)| *made == version);
        Arc::clone(&events.entry((round, language)).or_insert_with(|| (version, Arc::default())).1)
    }
}

/// What the indexer says after a commit.
#[derive(Debug, Clone, Deserialize)]
struct Change {
    /// Rounds touched; none when there were too many to name.
    rounds: Option<Vec<Address>>,
}

impl Change {
    fn touches(&self, round: Address) -> bool {
        self.rounds.as_ref().is_none_or(|rounds| rounds.contains(&round))
    }
}

/// Listens to the indexer until cancelled; a lost connection is opened again.
pub(crate) async fn follow(explorer: Explorer) {
    let cancel = explorer.cancel.clone();
    let listen = async {
        loop {
            if let Err(error) = listen(&explorer).await {
                tracing::warn!(%error, "the explorer lost the indexer's notifications and tries again");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = listen => {}
    }
}

async fn listen(explorer: &Explorer) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(&explorer.pool).await?;
    listener.listen(HEAD_CHANNEL).await?;
    loop {
        // None: the connection was lost and is open again; what happened meanwhile is unknown.
        let change = match listener.try_recv().await? {
            Some(notification) => serde_json::from_str(notification.payload()).unwrap_or(Change { rounds: None }),
            None => Change { rounds: None },
        };
        explorer.live.version.fetch_add(1, Ordering::AcqRel);
        // No reader is no failure.
        let _ = explorer.live.changes.send(Arc::new(change));
    }
}

/// What a live page shows of a round, in the reader's language.
#[derive(Debug, Serialize)]
pub(crate) struct Wallets {
    phase: &'static str,
    registered: String,
    allocated: String,
    in_wallets: String,
    initiatives: Vec<Wallet>,
}

#[derive(Debug, Serialize)]
struct Wallet {
    id: i32,
    /// Thousandths of the bar that are filled.
    level: u128,
    pledged: String,
    exact: String,
    percent: String,
    full: bool,
    supporters: String,
    label: String,
    /// What is over the cost, in words.
    surplus: Option<String>,
}

async fn state(explorer: &Explorer, i18n: &I18n, address: Address) -> WebResult<Option<Wallets>> {
    let mut connection = explorer.connection().await?;
    let Some(round) = rounds::round(&mut connection, address).await? else { return Ok(None) };
    let initiatives = rounds::initiatives(&mut connection, address).await?;
    Ok(Some(Wallets {
        phase: round.phase.as_str(),
        registered: i18n.number(round.registered),
        allocated: i18n.number(round.allocated),
        in_wallets: i18n
            .money(initiatives.iter().map(|initiative| initiative.balance).sum::<kopilka_domain::Kopecks>()),
        initiatives: initiatives.iter().map(|initiative| wallet(i18n, initiative)).collect(),
    }))
}

fn wallet(i18n: &I18n, initiative: &Initiative) -> Wallet {
    let (pledged, cost) = (initiative.pledged, initiative.cost);
    let percent = i18n.percent(Percent::of(pledged.0, cost.0));
    let whole = cost.0.max(pledged.0).max(1);
    Wallet {
        id: initiative.initiative_id,
        level: pledged.0.min(cost.0).saturating_mul(1000) / whole,
        pledged: i18n.money(pledged),
        exact: i18n.money_exact(pledged),
        label: i18n
            .text("fill-label")
            .arg("pledged", i18n.money(pledged))
            .arg("cost", i18n.money(cost))
            .arg("percent", &percent)
            .to_string(),
        percent,
        full: pledged >= cost && !cost.is_zero(),
        surplus: (pledged > cost)
            .then(|| i18n.text("fill-surplus").arg("amount", i18n.money(pledged.saturating_sub(cost))).to_string()),
        supporters: i18n.text("supporters").arg("count", initiative.supporters).to_string(),
    }
}

/// `GET /round/{round}/wallets.json`: what the events carry, once.
pub(crate) async fn wallets(
    page: Page,
    State(explorer): State<Explorer>,
    Path(round): Path<String>,
) -> WebResult<Json<Option<Wallets>>> {
    let round = explorer.round(&round).await?;
    Ok(Json(state(&explorer, &page, round.address).await?))
}

/// `GET /round/{round}/events`: the state now, and again after every change.
pub(crate) async fn events(
    page: Page,
    State(explorer): State<Explorer>,
    Path(round): Path<String>,
) -> WebResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let address = explorer.round(&round).await?.address;
    let changes = BroadcastStream::new(explorer.live.changes.subscribe())
        // A reader who lagged behind gets the whole state with the next event.
        .filter(move |change| change.as_ref().map_or(true, |change| change.touches(address)));
    let first = futures::stream::once(async {});
    // Open pages must not keep the service from ending.
    let end = explorer.cancel.clone().cancelled_owned();
    let stream = futures::StreamExt::then(first.chain(changes.map(|_| ())), move |()| {
        let (explorer, i18n) = (explorer.clone(), page.i18n().clone());
        async move {
            let shown = explorer.live.shown(address, i18n.language());
            let event = shown.get_or_init(|| event(&explorer, &i18n, address)).await;
            // The round is gone in a reorganisation, or the database is away: the page stays as it is.
            event.clone().unwrap_or_else(|| Event::default().comment("unavailable"))
        }
    });
    let stream = futures::StreamExt::take_until(futures::StreamExt::map(stream, Ok), end);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

async fn event(explorer: &Explorer, i18n: &I18n, round: Address) -> Option<Event> {
    let wallets = state(explorer, i18n, round).await.ok()??;
    Event::default().event("wallets").json_data(wallets).ok()
}
