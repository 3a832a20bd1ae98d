//! A round read from the chain's logs and views alone: no database of ours is asked.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, U256};
use alloy::providers::{DynProvider, Provider as _};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::{SolEvent as _, SolEventInterface as _};
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_round::BudgetRound::{self, BudgetRoundEvents};
use kopilka_bindings::budget_round::IBudgetRound::RoundConfig;
use kopilka_bindings::budget_token::BudgetToken::BudgetTokenEvents;
use kopilka_domain::settlement::{Ballot, Candidate, Election};
use kopilka_domain::{Account, Allocation, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};

/// Blocks asked for at first in one request; halved when the node refuses.
const BLOCK_RANGE: u64 = 2_000;

/// A registration event.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    /// Class of the credential.
    pub class: u8,
    /// Block of the event.
    pub block_number: u64,
}

/// The allocation that counts: the last recorded one of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its version.
    pub version: u32,
    /// Initiative ids.
    pub initiatives: Vec<u16>,
    /// Points; empty on approval ballots.
    pub points: Vec<u16>,
}

/// A class as its event declared it.
#[derive(Debug, Clone)]
pub struct Class {
    /// Weight.
    pub weight: u32,
    /// Credentials that the issuer says it issued.
    pub issued: u32,
}

/// An initiative as its events declared it.
#[derive(Debug, Clone)]
pub struct ChainInitiative {
    /// Cost in kopecks.
    pub cost: u128,
    /// Its wallet.
    pub wallet: Address,
    /// Hash of its description.
    pub content_hash: B256,
    /// Outcome: whether it won, what was pledged, what it was funded with.
    pub settled: Option<(bool, U256, U256)>,
}

/// A proposed or final result in the events.
#[derive(Debug, Clone)]
pub struct ChainSettlement {
    /// Ascending ids.
    pub winners: Vec<u16>,
    /// Digest of the transcript.
    pub digest: B256,
    /// Sum of the winners' costs.
    pub total_cost: U256,
    /// Who proposed it, from `SettlementProposed`.
    pub proposer: Address,
    /// Who approved it, from `SettlementApproved`; zero before.
    pub approver: Address,
    /// Whether it is final.
    pub is_final: bool,
    /// Returned to the budget when it became final.
    pub returned: U256,
}

/// Everything the events of a round and its token say.
#[derive(Debug)]
pub struct ChainRound {
    /// Address of the round.
    pub round: Address,
    /// Address of its token.
    pub token: Address,
    /// Its configuration, from the contract's view (immutable after creation).
    pub config: RoundConfig,
    /// Budget from `PledgingOpened`; zero before.
    pub budget: U256,
    /// Sum of weights from `PledgingOpened`.
    pub total_weight: U256,
    /// Classes from `ClassAdded` and `CredentialsIssued`.
    pub classes: Vec<Class>,
    /// Initiatives by id.
    pub initiatives: BTreeMap<u16, ChainInitiative>,
    /// Registrations by account.
    pub registrations: BTreeMap<Address, Registration>,
    /// Current allocations by account.
    pub allocations: BTreeMap<Address, Recorded>,
    /// How many allocation events there were.
    pub allocation_events: u64,
    /// The latest settlement that was not withdrawn.
    pub settlement: Option<ChainSettlement>,
    /// Token balances rebuilt from `Transfer` events.
    pub balances: BTreeMap<Address, U256>,
    /// Sum of `BudgetMinted`.
    pub minted: U256,
    /// Sum of `PaymentBurned`.
    pub paid: U256,
    /// Sum of `ReturnedToBudget`.
    pub returned: U256,
    /// Head at which it was read.
    pub head: u64,
}

impl ChainRound {
    /// Reads a round from the node, from `first_block` to the present head.
    ///
    /// # Errors
    /// When the node fails, or an event contradicts an earlier one; the message names the place.
    pub async fn read(provider: &DynProvider, round: Address, first_block: u64) -> anyhow::Result<Self> {
        let contract = BudgetRound::new(round, provider.clone());
        let head = provider.get_block_number().await.context("the chain's node cannot be reached")?;
        let config = contract.config().call().await.with_context(|| {
            format!("{round} does not answer as a round of Kopilka: check the address and the chain")
        })?;
        let token = contract.token().call().await?;
        let mut read = Self {
            round,
            token,
            config,
            budget: U256::ZERO,
            total_weight: U256::ZERO,
            classes: Vec::new(),
            initiatives: BTreeMap::new(),
            registrations: BTreeMap::new(),
            allocations: BTreeMap::new(),
            allocation_events: 0,
            settlement: None,
            balances: BTreeMap::new(),
            minted: U256::ZERO,
            paid: U256::ZERO,
            returned: U256::ZERO,
            head,
        };
        let mut from = first_block;
        let mut span = BLOCK_RANGE;
        while from <= head {
            let to = head.min(from + span - 1);
            let filter = Filter::new().address(vec![round, token]).from_block(from).to_block(to);
            match provider.get_logs(&filter).await {
                Ok(logs) => {
                    for log in &logs {
                        read.apply(log).with_context(|| place(log))?;
                    }
                    from = to + 1;
                    span = (span * 2).min(BLOCK_RANGE);
                }
                Err(_) if span > 1 => span /= 2,
                Err(error) => return Err(error).with_context(|| format!("the node gives no logs of block {from}")),
            }
        }
        Ok(read)
    }

    fn apply(&mut self, log: &Log) -> anyhow::Result<()> {
        ensure!(!log.removed, "the node gave a log that it calls removed");
        if log.address() == self.token {
            return self.apply_token(log);
        }
        match BudgetRoundEvents::decode_log(&log.inner).context("an event that is not the round's")?.data {
            BudgetRoundEvents::ClassAdded(event) => {
                ensure!(usize::from(event.class) == self.classes.len(), "class {} is out of order", event.class);
                self.classes.push(Class { weight: event.weight, issued: 0 });
            }
            BudgetRoundEvents::CredentialsIssued(event) => {
                let class = self.classes.get_mut(usize::from(event.class)).context("issued for an unknown class")?;
                ensure!(event.issued >= class.issued, "the number of issued credentials went down");
                class.issued = event.issued;
            }
            BudgetRoundEvents::InitiativeAdded(event) => {
                let initiative = ChainInitiative {
                    cost: event.cost,
                    wallet: event.wallet,
                    content_hash: event.contentHash,
                    settled: None,
                };
                let before = self.initiatives.insert(event.initiativeId, initiative);
                ensure!(before.is_none(), "initiative {} was added twice", event.initiativeId);
            }
            BudgetRoundEvents::Registered(event) => {
                let registration =
                    Registration { class: event.class, block_number: log.block_number.unwrap_or_default() };
                let before = self.registrations.insert(event.account, registration);
                ensure!(before.is_none(), "account {} was registered twice", event.account);
                ensure!(usize::from(event.class) < self.classes.len(), "registered in unknown class {}", event.class);
            }
            BudgetRoundEvents::PledgingOpened(event) => {
                self.budget = event.budget;
                self.total_weight = event.totalWeight;
            }
            BudgetRoundEvents::AllocationRecorded(event) => {
                ensure!(self.registrations.contains_key(&event.account), "{} was never registered", event.account);
                let before = self.allocations.get(&event.account).map_or(0, |recorded| recorded.version);
                ensure!(event.version > before, "version {} of {} follows {before}", event.version, event.account);
                self.allocation_events += 1;
                let recorded =
                    Recorded { version: event.version, initiatives: event.initiatives, points: event.points };
                self.allocations.insert(event.account, recorded);
            }
            BudgetRoundEvents::SettlementProposed(event) => {
                self.settlement = Some(ChainSettlement {
                    winners: event.winners,
                    digest: event.transcriptDigest,
                    total_cost: event.totalCost,
                    proposer: event.proposer,
                    approver: Address::ZERO,
                    is_final: false,
                    returned: U256::ZERO,
                });
            }
            BudgetRoundEvents::SettlementApproved(event) => {
                let proposed = self.settlement.as_mut().context("a result was approved that nobody proposed")?;
                ensure!(event.transcriptDigest == proposed.digest, "another result was approved than proposed");
                ensure!(event.proposer == proposed.proposer, "the approval names another proposer");
                ensure!(event.approver != event.proposer, "{} approved its own proposal of a result", event.approver);
                proposed.approver = event.approver;
            }
            BudgetRoundEvents::SettlementWithdrawn(_) => self.settlement = None,
            BudgetRoundEvents::SettlementFinalized(event) => {
                let proposed = self.settlement.as_mut().context("a result became final that nobody proposed")?;
                ensure!(!proposed.approver.is_zero(), "a result became final that nobody approved");
                ensure!(
                    event.winners == proposed.winners && event.transcriptDigest == proposed.digest,
                    "another result became final than was proposed"
                );
                proposed.is_final = true;
                proposed.returned = event.returned;
            }
            BudgetRoundEvents::InitiativeSettled(event) => {
                let initiative =
                    self.initiatives.get_mut(&event.initiativeId).context("an unknown initiative was settled")?;
                initiative.settled = Some((event.won, event.pledged, event.funded));
            }
            _ => {}
        }
        Ok(())
    }

    fn apply_token(&mut self, log: &Log) -> anyhow::Result<()> {
        match BudgetTokenEvents::decode_log(&log.inner).context("an event that is not the token's")?.data {
            BudgetTokenEvents::Transfer(event) => {
                if event.from != Address::ZERO {
                    let balance = self.balances.entry(event.from).or_default();
                    *balance = balance
                        .checked_sub(event.value)
                        .with_context(|| format!("{} sent more tokens than it had", event.from))?;
                }
                if event.to != Address::ZERO {
                    let balance = self.balances.entry(event.to).or_default();
                    *balance = balance.checked_add(event.value).context("a balance overflows")?;
                }
            }
            BudgetTokenEvents::BudgetMinted(event) => {
                ensure!(event.approver != event.proposer, "{} approved its own proposal to mint", event.approver);
                self.minted += event.amount;
            }
            BudgetTokenEvents::PaymentBurned(event) => self.paid += event.amount,
            BudgetTokenEvents::ReturnedToBudget(event) => self.returned += event.amount,
            _ => {}
        }
        Ok(())
    }

    /// The election that the settlement is computed from.
    ///
    /// # Errors
    /// When the chain holds codes that this version does not know.
    pub fn election(&self) -> anyhow::Result<Election> {
        let weight = |account: &Address| -> anyhow::Result<u32> {
            let registration = self.registrations.get(account).context("an allocation without a registration")?;
            Ok(self.classes.get(usize::from(registration.class)).context("an unknown class")?.weight)
        };
        let ballots = self
            .allocations
            .iter()
            .filter(|(_, recorded)| !recorded.initiatives.is_empty())
            .map(|(account, recorded)| {
                Ok(Ballot {
                    account: Account(account.into_array()),
                    weight: weight(account)?,
                    allocation: Allocation {
                        initiatives: recorded.initiatives.iter().copied().map(InitiativeId).collect(),
                        points: recorded.points.iter().copied().map(Points).collect(),
                    },
                })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Election {
            budget: Kopecks(u128::try_from(self.budget).context("a budget beyond 2^128 kopecks")?),
            kind: BallotKind::try_from(self.config.ballotKind)?,
            rule: Rule::try_from(self.config.rule)?,
            completion: Completion { raise: self.config.completionRaise, fill: self.config.completionFill },
            threshold: self.config.threshold,
            share_points: Points(self.config.sharePoints),
            initiatives: self
                .initiatives
                .iter()
                .map(|(id, initiative)| Candidate { id: InitiativeId(*id), cost: Kopecks(initiative.cost) })
                .collect(),
            ballots,
        })
    }
}

/// Where a log stands, for an error message.
fn place(log: &Log) -> String {
    format!(
        "block {}, log {}, transaction {}",
        log.block_number.unwrap_or_default(),
        log.log_index.unwrap_or_default(),
        log.transaction_hash.unwrap_or_default()
    )
}

/// Signature hash of the event by which a stranger finds all rounds of a factory.
pub const ROUND_CREATED: B256 = kopilka_bindings::budget_rounds::BudgetRounds::RoundCreated::SIGNATURE_HASH;
