//! What must hold when the storm is over: every accepted message took effect exactly once, or failed with its reason.

use std::collections::HashMap;

use alloy::primitives::{Address, B256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent as _;
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_relay_client::{AllocationRequest, RegistrationRequest};
use sqlx::PgPool;
use sqlx::Row as _;

use crate::fixture::World;

/// What a point is worth in a round of 1,000 kopecks and 10 points for each citizen.
const KOPECKS_A_POINT: u64 = 100;

/// Transaction, block, index.
type Place = (B256, u64, u64);

/// What was accepted, by id.
#[derive(Debug, Default)]
pub struct Ledger {
    pub registrations: HashMap<B256, RegistrationRequest>,
    pub allocations: HashMap<B256, AllocationRequest>,
}

/// What the queue says of a message.
struct Row {
    status: String,
    reason: Option<String>,
    place: Option<Place>,
}

/// Numbers for the report of a storm.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub finalized: usize,
    pub replaced: usize,
}

impl Ledger {
    pub fn len(&self) -> usize {
        self.registrations.len() + self.allocations.len()
    }

    /// How many messages are not final.
    pub async fn open(&self, pool: &PgPool) -> anyhow::Result<i64> {
        let query = "select count(*) from relay.messages where status not in ('finalized', 'failed')";
        Ok(sqlx::query_scalar(query).fetch_one(pool).await?)
    }

    /// Compares queue and chain.
    pub async fn check(&self, world: &World, pool: &PgPool) -> anyhow::Result<Tally> {
        let rows = rows(pool).await?;
        ensure!(rows.len() == self.len(), "{} messages are stored, {} were accepted", rows.len(), self.len());
        let (registered, recorded) = events(world).await?;
        let mut tally = Tally::default();
        for (id, request) in &self.registrations {
            let row = rows.get(id).with_context(|| format!("the accepted registration {id} is lost"))?;
            let places = registered.get(&request.account).map(Vec::as_slice).unwrap_or_default();
            ensure!(row.status == "finalized", "registration {id} is {}: {:?}", row.status, row.reason);
            ensure!(places.len() == 1, "registration {id} took effect {} times", places.len());
            ensure!(row.place == Some(places[0]), "registration {id}: {:?}, but it is at {:?}", row.place, places[0]);
            tally.finalized += 1;
        }
        let mut highest: HashMap<Address, &AllocationRequest> = HashMap::new();
        for (id, request) in &self.allocations {
            let row = rows.get(id).with_context(|| format!("the accepted allocation {id} is lost"))?;
            let own: Vec<_> = recorded
                .get(&(request.account, request.version))
                .into_iter()
                .flatten()
                .filter(|(event, _)| event.initiatives == request.initiatives && event.points == request.points)
                .collect();
            match row.status.as_str() {
                "finalized" => {
                    ensure!(own.len() == 1, "allocation {id} took effect {} times", own.len());
                    ensure!(row.place == Some(own[0].1), "allocation {id}: {:?}, but at {:?}", row.place, own[0].1);
                    let best = highest.entry(request.account).or_insert(request);
                    if best.version < request.version {
                        *best = request;
                    }
                    tally.finalized += 1;
                }
                "failed" => {
                    let reason = row.reason.as_deref().unwrap_or_default();
                    let is_replaced = reason.contains("replaced by version") || reason.contains("is recorded already");
                    ensure!(is_replaced, "allocation {id} failed: {reason:?}");
                    ensure!(own.is_empty(), "allocation {id} failed ({reason}) and took effect");
                    tally.replaced += 1;
                }
                other => anyhow::bail!("allocation {id} is {other}"),
            }
        }
        let mut sums = HashMap::<u16, u64>::new();
        for (account, request) in &highest {
            let citizen = world.contract().citizen(*account).call().await?;
            ensure!(citizen.version == request.version, "{account}: version {}", citizen.version);
            ensure!(
                citizen.initiatives == request.initiatives && citizen.points == request.points,
                "{account}: choices"
            );
            for (initiative, points) in request.initiatives.iter().zip(&request.points) {
                *sums.entry(*initiative).or_default() += u64::from(*points);
            }
        }
        for (initiative, points) in sums {
            let held = world.contract().initiative(initiative).call().await?.pledged;
            let wanted = u128::from(points * KOPECKS_A_POINT);
            ensure!(held == wanted, "the wallet of {initiative} holds {held}, and should hold {wanted}");
        }
        Ok(tally)
    }
}

async fn rows(pool: &PgPool) -> anyhow::Result<HashMap<B256, Row>> {
    let rows = sqlx::query("select id, status, reason, tx_hash, block_number, log_index from relay.messages")
        .fetch_all(pool)
        .await?;
    rows.iter()
        .map(|row| {
            let place = match (
                row.try_get::<Option<Vec<u8>>, _>("tx_hash")?,
                row.try_get::<Option<i64>, _>("block_number")?,
                row.try_get::<Option<i64>, _>("log_index")?,
            ) {
                (Some(hash), Some(block), Some(log)) => Some((B256::from_slice(&hash), block as u64, log as u64)),
                _ => None,
            };
            let id = B256::from_slice(row.try_get("id")?);
            Ok((id, Row { status: row.try_get("status")?, reason: row.try_get("reason")?, place }))
        })
        .collect()
}

type Recorded = HashMap<(Address, u32), Vec<(BudgetRound::AllocationRecorded, Place)>>;

async fn events(world: &World) -> anyhow::Result<(HashMap<Address, Vec<Place>>, Recorded)> {
    let filter = Filter::new().address(world.round).from_block(0);
    let mut registered: HashMap<Address, Vec<Place>> = HashMap::new();
    let mut recorded = Recorded::new();
    for log in world.staff.get_logs(&filter).await? {
        let place = (
            log.transaction_hash.context("a log without transaction")?,
            log.block_number.context("a log without block")?,
            log.log_index.context("a log without index")?,
        );
        if let Ok(event) = BudgetRound::Registered::decode_log(&log.inner) {
            registered.entry(event.account).or_default().push(place);
        } else if let Ok(event) = BudgetRound::AllocationRecorded::decode_log(&log.inner) {
            recorded.entry((event.account, event.version)).or_default().push((event.data, place));
        }
    }
    Ok((registered, recorded))
}
