//! What must hold when the storm is over: every accepted message took effect exactly once, or failed with its reason.

use std::collections::HashMap;

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::{SolEvent as _, SolValue as _};
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::polls::Polls;
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_relay_client::{AllocationRequest, BallotRequest, RedemptionRequest, Request};
use sqlx::PgPool;
use sqlx::Row as _;

use super::storm::{STOCK, Shop};
use crate::fixture::World;

/// What a point is worth in a round of 1,000 kopecks and 10 points for each citizen.
const KOPECKS_A_POINT: u64 = 100;

/// Transaction, block, index.
type Place = (B256, u64, u64);

/// What was accepted, by id.
#[derive(Debug, Default)]
pub struct Ledger {
    pub accepted: HashMap<B256, Request>,
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
    /// Redemptions that failed for want of points that a reorg had taken away.
    pub unpaid: usize,
}

impl Ledger {
    /// How many messages are not final.
    pub async fn open(&self, pool: &PgPool) -> anyhow::Result<i64> {
        let query = "select count(*) from relay.messages where status not in ('finalized', 'failed')";
        Ok(sqlx::query_scalar(query).fetch_one(pool).await?)
    }

    /// Compares queue and chain.
    pub async fn check(&self, world: &World, shop: &Shop, pool: &PgPool) -> anyhow::Result<Tally> {
        let rows = rows(pool).await?;
        let count = self.accepted.len();
        ensure!(rows.len() == count, "{} messages are stored, {count} were accepted", rows.len());
        let effects = Effects::read(world, shop).await?;
        let mut tally = Tally::default();
        let mut allocations: HashMap<Address, &AllocationRequest> = HashMap::new();
        let mut ballots: HashMap<Address, &BallotRequest> = HashMap::new();
        let mut redeemed = 0;
        for (id, request) in &self.accepted {
            let row = rows.get(id).with_context(|| format!("the accepted message {id} is lost: {request:?}"))?;
            let places = effects.of(request);
            ensure!(places.len() <= 1, "message {id} took effect at {places:?}: {request:?}");
            if row.status == "finalized" {
                let place = places.first().copied();
                ensure!(place.is_some(), "message {id} is final and took no effect: {request:?}");
                ensure!(row.place == place, "message {id}: {:?}, but it is at {place:?}", row.place);
                tally.finalized += 1;
                match request {
                    Request::Allocation(new) => {
                        let best = allocations.entry(new.account).or_insert(new);
                        if best.version < new.version {
                            *best = new;
                        }
                    }
                    Request::Ballot(new) => {
                        let best = ballots.entry(new.account).or_insert(new);
                        if best.version < new.version {
                            *best = new;
                        }
                    }
                    Request::Redemption(_) => redeemed += 1,
                    _ => {}
                }
                continue;
            }
            ensure!(row.status == "failed", "message {id} is {}", row.status);
            let reason = row.reason.as_deref().unwrap_or_default();
            ensure!(places.is_empty(), "message {id} failed ({reason}) and took effect: {request:?}");
            let is_replaced = reason.contains("replaced by version") || reason.contains("is recorded already");
            match request {
                Request::Allocation(_) | Request::Ballot(_) if is_replaced => tally.replaced += 1,
                Request::Redemption(_) if reason.contains("do not hold enough points") => tally.unpaid += 1,
                _ => anyhow::bail!("message {id} failed: {reason:?}: {request:?}"),
            }
        }
        check_round(world, &allocations).await?;
        check_poll(world, shop, &ballots).await?;
        let stock = RewardShop::new(world.chain.deployment.reward_shop, &world.staff);
        let left = stock.prize(U256::from(shop.prize)).call().await?.stock;
        ensure!(left + redeemed == STOCK, "{left} pieces of the prize are left, and {redeemed} were redeemed");
        Ok(tally)
    }
}

/// The highest version of each account is what counts, and the wallets hold its sum.
async fn check_round(world: &World, highest: &HashMap<Address, &AllocationRequest>) -> anyhow::Result<()> {
    let mut sums = HashMap::<u16, u64>::new();
    for (account, request) in highest {
        let citizen = world.contract().citizen(*account).call().await?;
        ensure!(citizen.version == request.version, "{account}: version {}", citizen.version);
        ensure!(citizen.initiatives == request.initiatives && citizen.points == request.points, "{account}: choices");
        for (initiative, points) in request.initiatives.iter().zip(&request.points) {
            *sums.entry(*initiative).or_default() += u64::from(*points);
        }
    }
    for (initiative, points) in sums {
        let held = world.contract().initiative(initiative).call().await?.pledged;
        let wanted = u128::from(points * KOPECKS_A_POINT);
        ensure!(held == wanted, "the wallet of {initiative} holds {held}, and should hold {wanted}");
    }
    Ok(())
}

/// Each account is counted once, with its last ballot.
async fn check_poll(world: &World, shop: &Shop, highest: &HashMap<Address, &BallotRequest>) -> anyhow::Result<()> {
    let mut counts = [0_u32; 3];
    for ballot in highest.values() {
        let choice: u128 = ballot.choice.as_ref().context("a choice")?.parse()?;
        counts[choice.trailing_zeros() as usize] += 1;
    }
    let polls = Polls::new(shop.poll.contract, &world.staff);
    let results = polls.results(U256::from(shop.poll.id)).call().await?;
    ensure!(results == counts, "the poll counts {results:?}, and should count {counts:?}");
    Ok(())
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

type Allocated = (Vec<u16>, Vec<u16>, Place);

/// Where the chain says that something took effect.
#[derive(Default)]
struct Effects {
    registered: HashMap<Address, Vec<Place>>,
    allocated: HashMap<(Address, u32), Vec<Allocated>>,
    cast: HashMap<(Address, u32, u128), Vec<Place>>,
    claimed: HashMap<Address, Vec<Place>>,
    redeemed: HashMap<B256, Vec<Place>>,
}

impl Effects {
    async fn read(world: &World, shop: &Shop) -> anyhow::Result<Self> {
        let deployment = &world.chain.deployment;
        let contracts = vec![world.round, shop.poll.contract, deployment.reward_points, deployment.reward_shop];
        let filter = Filter::new().address(contracts).from_block(0);
        let mut effects = Self::default();
        for log in world.staff.get_logs(&filter).await? {
            let place = (
                log.transaction_hash.context("a log without transaction")?,
                log.block_number.context("a log without block")?,
                log.log_index.context("a log without index")?,
            );
            if let Ok(event) = BudgetRound::Registered::decode_log(&log.inner) {
                effects.registered.entry(event.account).or_default().push(place);
            } else if let Ok(event) = BudgetRound::AllocationRecorded::decode_log(&log.inner) {
                let key = (event.account, event.version);
                let event = event.data;
                effects.allocated.entry(key).or_default().push((event.initiatives, event.points, place));
            } else if let Ok(event) = Polls::BallotCast::decode_log(&log.inner) {
                effects.cast.entry((event.account, event.version, event.choice)).or_default().push(place);
            } else if let Ok(event) = RewardPoints::StampClaimed::decode_log(&log.inner) {
                effects.claimed.entry(event.account).or_default().push(place);
            } else if let Ok(event) = RewardShop::PrizeRedeemed::decode_log(&log.inner) {
                effects.redeemed.entry(event.redemptionId).or_default().push(place);
            }
        }
        Ok(effects)
    }

    fn of(&self, request: &Request) -> Vec<Place> {
        let found = match request {
            Request::Registration(own) => self.registered.get(&own.account),
            Request::Allocation(own) => {
                let same =
                    |(initiatives, points, _): &&Allocated| *initiatives == own.initiatives && *points == own.points;
                let all = self.allocated.get(&(own.account, own.version)).into_iter().flatten();
                return all.filter(same).map(|(_, _, place)| *place).collect();
            }
            Request::Ballot(own) => {
                let choice = own.choice.as_ref().and_then(|choice| choice.parse().ok()).unwrap_or_default();
                self.cast.get(&(own.account, own.version, choice))
            }
            Request::StampClaim(own) => self.claimed.get(&own.account),
            Request::Redemption(own) => self.redeemed.get(&redemption_id(own)),
        };
        found.cloned().unwrap_or_default()
    }
}

/// The shop's name for a redemption.
fn redemption_id(own: &RedemptionRequest) -> B256 {
    keccak256((own.contract, own.account, own.code_hash).abi_encode())
}
