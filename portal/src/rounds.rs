//! What the chain itself says about a round, kept for a moment. Decisions (may a credential be issued, with which key) hang
//! on this and not on the index, which may lag.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use alloy::providers::DynProvider;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_bindings::deploy::Deployment;
use kopilka_credential::IssuerPublicKey;
use kopilka_domain::{Allotment, BallotKind, Kopecks, Phase};
use tokio::sync::Mutex;

use crate::error::PortalError;

/// How long a phase that was read is believed. A draft is read anew every time: staff open it and go on at once.
const BELIEVED: Duration = Duration::from_millis(300);
/// How long it is believed while the node does not answer. A credential issued too late is of no use, and does no harm.
const BELIEVED_AT_MOST: Duration = Duration::from_secs(60);
/// The register is asked for new rounds at most this often.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Parallel calls while a round is read for the first time.
const PARALLEL: usize = 8;

/// A class of citizens.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) weight: u32,
    pub(crate) issuer_key: IssuerPublicKey,
}

/// An initiative; its totals are the index's matter.
#[derive(Debug, Clone)]
pub(crate) struct Initiative {
    pub(crate) id: u16,
    pub(crate) cost: Kopecks,
    pub(crate) content_hash: B256,
    pub(crate) wallet: Address,
}

/// A round as the chain has it.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) address: Address,
    pub(crate) round_id: u64,
    pub(crate) municipality_id: u32,
    pub(crate) phase: Phase,
    pub(crate) ballot_kind: BallotKind,
    pub(crate) allotment: Allotment,
    pub(crate) share_points: u16,
    pub(crate) fixed_amount: Kopecks,
    pub(crate) registration_until: u64,
    pub(crate) pledging_until: u64,
    pub(crate) content_hash: B256,
    pub(crate) classes: Vec<Class>,
    pub(crate) initiatives: Vec<Initiative>,
}

impl Round {
    /// Whether credentials are issued now.
    pub(crate) fn is_issuing(&self) -> bool {
        match self.phase {
            Phase::Registration => true,
            Phase::Pledging => self.allotment == Allotment::Fixed,
            _ => false,
        }
    }
}

#[derive(Debug, Default)]
struct Cell {
    round: Option<Arc<Round>>,
    read_at: Option<Instant>,
}

type Known = HashMap<Address, Arc<Mutex<Cell>>>;

/// Reads rounds of one register.
#[derive(Debug)]
pub(crate) struct Rounds {
    provider: DynProvider,
    deployment: Deployment,
    known: RwLock<Known>,
    /// When the register was last asked for new rounds.
    asked_at: Mutex<Option<Instant>>,
}

impl Rounds {
    pub(crate) fn new(provider: DynProvider, deployment: Deployment) -> Self {
        Self { provider, deployment, known: RwLock::default(), asked_at: Mutex::default() }
    }

    pub(crate) fn chain_id(&self) -> u64 {
        self.deployment.chain_id
    }

    /// A round of our register; `None` for every other address, whatever contract stands there.
    pub(crate) async fn get(&self, address: Address) -> Result<Option<Arc<Round>>, PortalError> {
        let Some(cell) = self.cell(address).await? else { return Ok(None) };
        // One caller asks the node, the others wait for its answer.
        let mut cell = cell.lock().await;
        if let (Some(round), Some(read_at)) = (&cell.round, cell.read_at)
            && read_at.elapsed() < BELIEVED
            && round.phase != Phase::Draft
        {
            return Ok(Some(Arc::clone(round)));
        }
        match self.read(address, cell.round.as_deref()).await {
            Ok(round) => {
                let round = Arc::new(round);
                *cell = Cell { round: Some(Arc::clone(&round)), read_at: Some(Instant::now()) };
                Ok(Some(round))
            }
            Err(error) => match (&cell.round, cell.read_at) {
                (Some(round), Some(read_at)) if read_at.elapsed() < BELIEVED_AT_MOST => {
                    tracing::warn!(%error, "the chain's node does not answer; a phase read earlier is used");
                    Ok(Some(Arc::clone(round)))
                }
                _ => Err(error),
            },
        }
    }

    async fn cell(&self, address: Address) -> Result<Option<Arc<Mutex<Cell>>>, PortalError> {
        if let Some(cell) = self.known(address) {
            return Ok(Some(cell));
        }
        // Unknown addresses wait for their turn, so that nobody can make the portal ask the node without end.
        let mut asked_at = self.asked_at.lock().await;
        if let Some(cell) = self.known(address) {
            return Ok(Some(cell));
        }
        if let Some(asked_at) = *asked_at {
            tokio::time::sleep_until((asked_at + ASK_EVERY).into()).await;
        }
        *asked_at = Some(Instant::now());
        let register = BudgetRounds::new(self.deployment.rounds, &self.provider);
        let count: u64 = register.roundCount().call().await?.try_into().unwrap_or(u64::MAX);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).len() as u64;
        for id in known + 1..=count {
            let created = register.roundAt(U256::from(id)).call().await?;
            self.known.write().unwrap_or_else(PoisonError::into_inner).entry(created.round).or_default();
        }
        Ok(self.known(address))
    }

    fn known(&self, address: Address) -> Option<Arc<Mutex<Cell>>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    /// Once registration is open nothing but the phase changes.
    async fn read(&self, address: Address, earlier: Option<&Round>) -> Result<Round, PortalError> {
        let contract = BudgetRound::new(address, &self.provider);
        let phase =
            Phase::try_from(contract.phase().call().await?).map_err(|_| PortalError::Nonsense("an unknown phase"))?;
        if let Some(earlier) = earlier
            && earlier.phase != Phase::Draft
        {
            return Ok(Round { phase, ..earlier.clone() });
        }
        let config = contract.config().call().await?;
        let round_id = contract.roundId().call().await?;
        let classes = contract.classCount().call().await?;
        let initiatives = contract.initiativeCount().call().await?;
        let classes: Vec<Class> = stream::iter(0..classes)
            .map(|class| {
                let contract = &contract;
                async move {
                    let info = contract.classInfo(class).call().await?;
                    let issuer_key = IssuerPublicKey::from_eip2537(&info.issuerKey)
                        .map_err(|_| PortalError::Nonsense("a malformed issuer key"))?;
                    Ok::<_, PortalError>(Class { weight: info.weight, issuer_key })
                }
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let initiatives: Vec<Initiative> = stream::iter(1..=initiatives)
            .map(|id| {
                let contract = &contract;
                async move {
                    let initiative = contract.initiative(id).call().await?;
                    Ok::<_, PortalError>(Initiative {
                        id,
                        cost: Kopecks(initiative.cost),
                        content_hash: initiative.contentHash,
                        wallet: initiative.wallet,
                    })
                }
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        Ok(Round {
            address,
            round_id: round_id.try_into().map_err(|_| PortalError::Nonsense("a round id beyond 2^64"))?,
            municipality_id: config.municipalityId,
            phase,
            ballot_kind: BallotKind::try_from(config.ballotKind)
                .map_err(|_| PortalError::Nonsense("an unknown ballot kind"))?,
            allotment: Allotment::try_from(config.allotment)
                .map_err(|_| PortalError::Nonsense("an unknown allotment"))?,
            share_points: config.sharePoints,
            fixed_amount: Kopecks(config.fixedAmount),
            registration_until: config.registrationUntil,
            pledging_until: config.pledgingUntil,
            content_hash: config.contentHash,
            classes,
            initiatives,
        })
    }
}
