//! Results of rounds, computed from the indexed allocations by the same code that a clerk uses, and kept while the
//! allocations stay the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::Address;
use anyhow::Context as _;
use kopilka_domain::settlement::{self, Ballot, Candidate, Election, Outcome};
use kopilka_domain::{Account, Allocation, Completion, InitiativeId, Phase, Points};
use kopilka_store::chain::rounds::Round;
use kopilka_store::chain::{explorer, query, rounds};
use sqlx::PgConnection;
use tokio::sync::OnceCell;

use crate::state::Explorer;

/// What an outcome depends on: the round, its last allocation, how many there are, reorganisations so far.
type Key = (Address, i64, i64, u64);

/// An outcome, perhaps still being computed: all who ask meanwhile wait for the same.
type Cell = Arc<OnceCell<Arc<Outcome>>>;

/// Computed outcomes: one for each round, the latest.
#[derive(Default)]
pub(crate) struct Outcomes(Mutex<HashMap<Address, (Key, Cell)>>);

impl Outcomes {
    fn cell(&self, key: Key) -> Cell {
        let mut outcomes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = outcomes.entry(key.0).or_insert_with(|| (key, Arc::default()));
        if entry.0 != key {
            *entry = (key, Arc::default());
        }
        Arc::clone(&entry.1)
    }
}

/// Whether the ballots of a round are fixed, so that its result can be computed.
pub(crate) fn is_countable(round: &Round) -> bool {
    matches!(round.phase, Phase::Tallying | Phase::Objection | Phase::Settled | Phase::Closed) && round.budget.is_some()
}

/// The election of a round as it is recorded; none before pledging fixed the budget.
pub(crate) async fn election(connection: &mut PgConnection, round: &Round) -> anyhow::Result<Option<Election>> {
    let Some(budget) = round.budget else { return Ok(None) };
    let initiatives = rounds::initiatives(connection, round.address)
        .await?
        .into_iter()
        .map(|initiative| {
            let id = u16::try_from(initiative.initiative_id).context("an initiative's id does not fit")?;
            Ok(Candidate { id: InitiativeId(id), cost: initiative.cost })
        })
        .collect::<anyhow::Result<_>>()?;
    let ballots = explorer::ballots(connection, round.address)
        .await?
        .into_iter()
        .map(|ballot| {
            let small = |number: i32| u16::try_from(number).context("a number of an allocation does not fit");
            Ok(Ballot {
                account: Account(ballot.account.0.0),
                weight: u32::try_from(ballot.weight).context("a weight does not fit")?,
                allocation: Allocation {
                    initiatives: ballot
                        .initiatives
                        .into_iter()
                        .map(|id| small(id).map(InitiativeId))
                        .collect::<Result<_, _>>()?,
                    points: ballot
                        .points
                        .into_iter()
                        .map(|points| small(points).map(Points))
                        .collect::<Result<_, _>>()?,
                },
            })
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(Some(Election {
        budget,
        kind: round.ballot_kind,
        rule: round.rule,
        completion: Completion { raise: round.completion_raise, fill: round.completion_fill },
        threshold: round.threshold,
        share_points: Points(u16::try_from(round.share_points).context("the points of a share do not fit")?),
        initiatives,
        ballots,
    }))
}

/// The result of a round; none while its ballots can still change.
pub(crate) async fn outcome(explorer: &Explorer, round: &Round) -> anyhow::Result<Option<Arc<Outcome>>> {
    if !is_countable(round) {
        return Ok(None);
    }
    let mut connection = explorer.pool.acquire().await?;
    let (block, count) = explorer::ballots_version(&mut connection, round.address).await?;
    let reorgs = query::head(&mut connection).await?.map_or(0, |head| head.reorgs);
    let cell = explorer.outcomes.cell((round.address, block, count, reorgs));
    let outcome = cell
        .get_or_try_init(|| async {
            let election = election(&mut connection, round).await?.context("a countable round has a budget")?;
            // Minutes of arithmetic would be thousands of ballots: not on a thread that serves readers.
            let outcome = tokio::task::spawn_blocking(move || settlement::settle(&election)).await??;
            anyhow::Ok(Arc::new(outcome))
        })
        .await?;
    Ok(Some(Arc::clone(outcome)))
}
