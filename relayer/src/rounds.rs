//! What the relayer knows of rounds, read from the chain and kept until the next block.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall as _;
use alloy::transports::TransportError;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_credential::{CredentialScope, IssuerPublicKey};
use kopilka_domain::{Allotment, BallotKind, Phase, Points};

use crate::chain::{Chain, Head, decode};

/// Addresses asked for in one block that are no rounds; beyond that the list starts anew.
const STRANGERS_KEPT: usize = 10_000;

/// Seconds for which a round without a planned length takes allocations, half of the time after which anybody may close it.
const UNPLANNED: u64 = 12 * 3600;

/// A round as of one block.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) address: Address,
    pub(crate) id: U256,
    pub(crate) ballot_kind: BallotKind,
    pub(crate) allotment: Allotment,
    pub(crate) share_points: Points,
    pub(crate) phase: Phase,
    pub(crate) initiative_count: u16,
    pub(crate) class_keys: Vec<IssuerPublicKey>,
    /// Planned length of pledging in seconds, 0 without a plan.
    pub(crate) pledging_seconds: u64,
    /// Earliest close of pledging in Unix seconds, 0 before it is open.
    pub(crate) pledging_closes_at: u64,
    /// Time of the block in Unix seconds.
    pub(crate) time: u64,
}

impl Round {
    /// Whether citizens' time is over while the phase lasts: for a day only the clerk can end it, and what was accepted arrives.
    pub(crate) fn is_closing(&self) -> bool {
        let longer = if self.pledging_seconds == 0 { UNPLANNED } else { 0 };
        self.phase == Phase::Pledging && self.time >= self.pledging_closes_at.saturating_add(longer)
    }

    /// What a credential of a class must be for.
    pub(crate) fn scope(&self, chain_id: u64, class: u8) -> CredentialScope {
        CredentialScope::new(chain_id, self.address.into_array(), self.id.to_be_bytes::<32>(), class)
    }
}

/// Why a round could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundError {
    #[error("the address is not in the register of rounds")]
    Unknown,
    #[error("the node did not say how the round stands")]
    Node(#[from] TransportError),
    #[error("the round is other than this program knows: {0}")]
    Unexpected(String),
}

/// The rounds of one register.
pub(crate) struct Rounds {
    chain: Chain,
    register: Address,
    known: Mutex<HashMap<Address, Arc<Slot>>>,
    strangers: Mutex<(Option<Head>, HashMap<Address, ()>)>,
    /// Strange addresses are looked up one at a time, so that they cannot keep the node busy.
    lookup: tokio::sync::Mutex<()>,
}

struct Slot {
    latest: Mutex<(Head, Arc<Round>)>,
    refresh: tokio::sync::Mutex<()>,
}

impl Rounds {
    pub(crate) fn new(chain: Chain, register: Address) -> Self {
        Self {
            chain,
            register,
            known: Mutex::default(),
            strangers: Mutex::default(),
            lookup: tokio::sync::Mutex::default(),
        }
    }

    /// The round as of the newest block that is known here.
    pub(crate) async fn get(&self, address: Address) -> Result<Arc<Round>, RoundError> {
        let Some(slot) = locked(&self.known).get(&address).cloned() else { return self.first(address).await };
        let head = self.chain.head();
        let current = |slot: &Slot| {
            let latest = locked(&slot.latest);
            (Some(latest.0) == head || head.is_none()).then(|| latest.1.clone())
        };
        if let Some(round) = current(&slot) {
            return Ok(round);
        }
        let _one = slot.refresh.lock().await;
        match current(&slot) {
            Some(round) => Ok(round),
            None => self.refresh(&slot).await,
        }
    }

    /// The round as the node shows it now: asked before a refusal that a newer block could make wrong.
    pub(crate) async fn reread(&self, address: Address) -> Result<Arc<Round>, RoundError> {
        let Some(slot) = locked(&self.known).get(&address).cloned() else { return self.first(address).await };
        let before = locked(&slot.latest).1.clone();
        let _one = slot.refresh.lock().await;
        let now = locked(&slot.latest).1.clone();
        // Someone else read it again while this call waited.
        if Arc::ptr_eq(&before, &now) { self.refresh(&slot).await } else { Ok(now) }
    }

    async fn refresh(&self, slot: &Slot) -> Result<Arc<Round>, RoundError> {
        let old = locked(&slot.latest).1.clone();
        let head = self.chain.head();
        let round = Arc::new(self.update(&old).await?);
        if let Some(head) = head {
            *locked(&slot.latest) = (head, round.clone());
        }
        Ok(round)
    }

    async fn first(&self, address: Address) -> Result<Arc<Round>, RoundError> {
        let _one = self.lookup.lock().await;
        if let Some(slot) = locked(&self.known).get(&address) {
            return Ok(locked(&slot.latest).1.clone());
        }
        let head = self.chain.head();
        {
            let mut strangers = locked(&self.strangers);
            if strangers.0 != head || strangers.1.len() >= STRANGERS_KEPT {
                *strangers = (head, HashMap::new());
            }
            if strangers.1.contains_key(&address) {
                return Err(RoundError::Unknown);
            }
        }
        match self.load(address).await {
            Ok(round) => {
                let round = Arc::new(round);
                if let Some(head) = head {
                    let slot =
                        Slot { latest: Mutex::new((head, round.clone())), refresh: tokio::sync::Mutex::default() };
                    locked(&self.known).insert(address, Arc::new(slot));
                }
                Ok(round)
            }
            Err(RoundError::Unknown) => {
                locked(&self.strangers).1.insert(address, ());
                Err(RoundError::Unknown)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a round of which nothing is known, and checks that the register has it.
    async fn load(&self, address: Address) -> Result<Round, RoundError> {
        let calls =
            [(address, BudgetRound::roundIdCall {}.abi_encode()), (address, BudgetRound::configCall {}.abi_encode())];
        let mut answers = self.chain.read(&calls).await?.into_iter();
        let mut next = || answers.next().ok_or(RoundError::Unknown);
        // A stranger without code, or with other code, answers nothing or reverts.
        let id = next()?.and_then(|data| decode::<BudgetRound::roundIdCall>(&data)).map_err(stranger)?;
        let config = next()?.and_then(|data| decode::<BudgetRound::configCall>(&data)).map_err(stranger)?;
        let listed =
            self.chain.read_one(self.register, &BudgetRounds::roundAtCall { roundId: id }).await.map_err(stranger)?;
        if listed.round != address {
            return Err(RoundError::Unknown);
        }
        let unexpected = |error: kopilka_domain::UnknownCode| RoundError::Unexpected(error.to_string());
        let empty = Round {
            address,
            id,
            ballot_kind: BallotKind::try_from(config.ballotKind).map_err(unexpected)?,
            allotment: Allotment::try_from(config.allotment).map_err(unexpected)?,
            share_points: Points(config.sharePoints),
            phase: Phase::Draft,
            initiative_count: 0,
            class_keys: Vec::new(),
            pledging_seconds: config.pledgingUntil.saturating_sub(config.registrationUntil),
            pledging_closes_at: 0,
            time: 0,
        };
        self.update(&empty).await
    }

    /// Reads what can change: phase, initiatives, classes, the end of pledging. Keys of classes never change.
    async fn update(&self, old: &Round) -> Result<Round, RoundError> {
        let calls = [
            (old.address, BudgetRound::phaseCall {}.abi_encode()),
            (old.address, BudgetRound::initiativeCountCall {}.abi_encode()),
            (old.address, BudgetRound::classCountCall {}.abi_encode()),
            (old.address, BudgetRound::pledgingClosesAtCall {}.abi_encode()),
        ];
        let time = self.chain.head().map_or(0, |head| head.time);
        let mut answers = self.chain.read(&calls).await?.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(alloy::transports::RpcError::NullResp));
        let phase = decode::<BudgetRound::phaseCall>(&next()?)?;
        let initiative_count = decode::<BudgetRound::initiativeCountCall>(&next()?)?;
        let class_count = decode::<BudgetRound::classCountCall>(&next()?)?;
        let pledging_closes_at = decode::<BudgetRound::pledgingClosesAtCall>(&next()?)?;
        let mut round = Round { pledging_closes_at, time, ..old.clone() };
        round.phase = Phase::try_from(phase).map_err(|error| RoundError::Unexpected(error.to_string()))?;
        round.initiative_count = initiative_count;
        for class in round.class_keys.len()..usize::from(class_count) {
            // The loop ends below `class_count`, which is 8 bits.
            let info = self.chain.read_one(old.address, &BudgetRound::classInfoCall { class: class as u8 }).await?;
            let key = IssuerPublicKey::from_eip2537(&info.issuerKey)
                .map_err(|error| RoundError::Unexpected(format!("issuer key of class {class}: {error}")))?;
            round.class_keys.push(key);
        }
        Ok(round)
    }
}

/// An address that answers wrongly is no round; a node that does not answer, or has enough of us, says nothing.
fn stranger(error: TransportError) -> RoundError {
    let is_busy = error.as_error_resp().is_some_and(|payload| payload.is_retry_err());
    if error.is_transport_error() || is_busy { RoundError::Node(error) } else { RoundError::Unknown }
}

/// Nothing that is done under these locks can panic half-way, so a poisoned one is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
