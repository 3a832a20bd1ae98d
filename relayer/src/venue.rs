//! What a message is for, as the chain shows it now: a round, a poll, a source of points, a prize. Read from the chain and
//! kept until the next block.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::transports::TransportError;
use kopilka_bindings::polls::Polls;
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_credential::{CredentialScope, IssuerPublicKey};

use crate::chain::{Chain, Head};
use crate::config::Contracts;
use crate::message::Message;
use crate::rounds::{Round, RoundError, Rounds};

/// Polls, sources and prizes kept in memory; beyond that the list starts anew.
const KEPT: usize = 10_000;

/// What a message is for.
#[derive(Clone)]
pub(crate) enum Venue {
    Round(Arc<Round>),
    Poll(Arc<Poll>),
    Source(Arc<Source>),
    Prize(Arc<Prize>),
}

/// What a ballot says; the numbers of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollKind {
    /// So many of the options at most: bit i stands for option i.
    Options(u8),
    /// Grades from 1 to 5: bits 4i to 4i+3 are the grade of option i.
    Rating,
}

/// Where a poll stands, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollStatus {
    Announced,
    Open,
    /// Citizens vote no more, but what was accepted still arrives.
    Closing,
    Closed,
    Cancelled,
}

impl PollStatus {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Announced, Self::Open, Self::Closing, Self::Closed, Self::Cancelled].get(usize::from(code)).copied()
    }
}

/// A poll as of one block.
#[derive(Debug, Clone)]
pub(crate) struct Poll {
    pub(crate) polls: Address,
    pub(crate) id: u64,
    pub(crate) kind: PollKind,
    pub(crate) option_count: u8,
    pub(crate) revote: bool,
    pub(crate) is_sealed: bool,
    pub(crate) status: PollStatus,
    pub(crate) issuer_key: IssuerPublicKey,
    /// Ballots that the published number of credentials leaves room for.
    pub(crate) room: u64,
}

/// A source of points as of one block.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) points: Address,
    pub(crate) id: u64,
    pub(crate) is_closed: bool,
    pub(crate) issuer_key: IssuerPublicKey,
    /// Claims that the number of participants leaves room for.
    pub(crate) room: u64,
    pub(crate) participation: Address,
    pub(crate) participation_id: U256,
}

/// A prize as of one block.
#[derive(Debug, Clone)]
pub(crate) struct Prize {
    pub(crate) id: u64,
    pub(crate) municipality: u32,
    pub(crate) price: u32,
    pub(crate) stock: u32,
    pub(crate) is_withdrawn: bool,
    pub(crate) content_hash: B256,
}

/// Why a venue could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VenueError {
    #[error("there is no such round, poll, source or prize")]
    Unknown,
    #[error("the node did not say how it stands")]
    Node(#[from] TransportError),
    #[error("it is other than this program knows: {0}")]
    Unexpected(String),
}

impl From<RoundError> for VenueError {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::Unknown => Self::Unknown,
            RoundError::Node(error) => Self::Node(error),
            RoundError::Unexpected(text) => Self::Unexpected(text),
        }
    }
}

impl Venue {
    /// Who issues credentials of a class, if credentials count here.
    pub(crate) fn issuer_key(&self, class: u8) -> Option<&IssuerPublicKey> {
        match self {
            Self::Round(round) => round.class_keys.get(usize::from(class)),
            Self::Poll(poll) => Some(&poll.issuer_key),
            Self::Source(source) => Some(&source.issuer_key),
            Self::Prize(_) => None,
        }
    }

    /// What a credential of a class must be for.
    pub(crate) fn credential_scope(&self, chain_id: u64, class: u8) -> Option<CredentialScope> {
        let scope = |contract: Address, id: u64| {
            CredentialScope::new(chain_id, contract.into_array(), U256::from(id).to_be_bytes::<32>(), 0)
        };
        match self {
            Self::Round(round) => Some(round.scope(chain_id, class)),
            Self::Poll(poll) => Some(scope(poll.polls, poll.id)),
            Self::Source(source) => Some(scope(source.points, source.id)),
            Self::Prize(_) => None,
        }
    }
}

/// Everything that messages can be for.
pub(crate) struct Venues {
    pub(crate) rounds: Rounds,
    pub(crate) contracts: Contracts,
    chain: Chain,
    polls: Kept<Poll>,
    sources: Kept<Source>,
    prizes: Kept<Prize>,
}

/// Things by id, each as of a block.
struct Kept<T>(Mutex<HashMap<u64, (Head, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    fn get(&self, id: u64, head: Option<Head>) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&id).filter(|(at, _)| head.is_none_or(|head| head == *at)).map(|(_, thing)| thing.clone())
    }

    fn put(&self, id: u64, head: Option<Head>, thing: T) -> Arc<T> {
        let thing = Arc::new(thing);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        if let Some(head) = head {
            kept.insert(id, (head, thing.clone()));
        }
        thing
    }
}

impl Venues {
    pub(crate) fn new(chain: Chain, contracts: Contracts) -> Self {
        Self {
            rounds: Rounds::new(chain.clone(), contracts.rounds),
            contracts,
            chain,
            polls: Kept::default(),
            sources: Kept::default(),
            prizes: Kept::default(),
        }
    }

    /// What the message is for, as of the newest block that is known here.
    pub(crate) async fn get(&self, message: &Message) -> Result<Venue, VenueError> {
        let head = self.chain.head();
        Ok(match message {
            Message::Registration(_) | Message::Allocation(_) => {
                Venue::Round(self.rounds.get(message.contract()).await?)
            }
            Message::Ballot(ballot) => match self.polls.get(ballot.poll, head) {
                Some(poll) if ballot.polls == self.contracts.polls => Venue::Poll(poll),
                _ => return self.reread(message).await,
            },
            Message::StampClaim(claim) => match self.sources.get(claim.source, head) {
                Some(source) if claim.points == self.contracts.reward_points => Venue::Source(source),
                _ => return self.reread(message).await,
            },
            Message::Redemption(redemption) => match self.prizes.get(redemption.terms.prize, head) {
                Some(prize) if redemption.shop == self.contracts.reward_shop => Venue::Prize(prize),
                _ => return self.reread(message).await,
            },
        })
    }

    /// What the message is for, as the node shows it now: asked before a refusal that a newer block could make wrong.
    pub(crate) async fn reread(&self, message: &Message) -> Result<Venue, VenueError> {
        let known = |contract: Address, own: Address| if contract == own { Ok(()) } else { Err(VenueError::Unknown) };
        Ok(match message {
            Message::Registration(_) | Message::Allocation(_) => {
                Venue::Round(self.rounds.reread(message.contract()).await?)
            }
            Message::Ballot(ballot) => {
                known(ballot.polls, self.contracts.polls)?;
                Venue::Poll(self.poll(ballot.poll).await?)
            }
            Message::StampClaim(claim) => {
                known(claim.points, self.contracts.reward_points)?;
                Venue::Source(self.source(claim.source).await?)
            }
            Message::Redemption(redemption) => {
                known(redemption.shop, self.contracts.reward_shop)?;
                Venue::Prize(self.prize(redemption.terms.prize).await?)
            }
        })
    }

    /// A poll as the node shows it now.
    pub(crate) async fn poll(&self, id: u64) -> Result<Arc<Poll>, VenueError> {
        let head = self.chain.head();
        let polls = self.contracts.polls;
        let info = self.chain.read_one(polls, &Polls::pollCall { pollId: U256::from(id) }).await;
        let info = info.map_err(unless::<Polls::PollUnknown>)?;
        let poll = Poll {
            polls,
            id,
            kind: match info.config.kind {
                0 | 1 => PollKind::Options(info.config.maxChoices),
                2 => PollKind::Rating,
                other => return Err(VenueError::Unexpected(format!("polls of kind {other}"))),
            },
            option_count: info.config.optionCount,
            revote: info.config.revote,
            is_sealed: !info.config.sealingKey.is_zero(),
            status: PollStatus::from_code(info.status)
                .ok_or_else(|| VenueError::Unexpected(format!("a poll of status {}", info.status)))?,
            issuer_key: key(&info.issuerKey)?,
            room: u64::from(info.issued.saturating_sub(info.ballots)),
        };
        Ok(self.polls.put(id, head, poll))
    }

    /// A source as the node shows it now.
    pub(crate) async fn source(&self, id: u64) -> Result<Arc<Source>, VenueError> {
        let head = self.chain.head();
        let points = self.contracts.reward_points;
        let info = self.chain.read_one(points, &RewardPoints::sourceCall { sourceId: U256::from(id) }).await;
        let info = info.map_err(unless::<RewardPoints::SourceUnknown>)?;
        // Every contract that people take part in counts them by the same function.
        let count = Polls::participantsCall { pollId: info.participationId };
        let participants = self.chain.read_one(info.participation, &count).await?;
        let source = Source {
            points,
            id,
            is_closed: info.closed,
            issuer_key: key(&info.issuerKey)?,
            room: u64::try_from(participants).unwrap_or(u64::MAX).saturating_sub(info.claimed),
            participation: info.participation,
            participation_id: info.participationId,
        };
        Ok(self.sources.put(id, head, source))
    }

    /// How many sources there are: their ids count from 1.
    pub(crate) async fn source_count(&self) -> Result<u64, VenueError> {
        let count = self.chain.read_one(self.contracts.reward_points, &RewardPoints::sourceCountCall {}).await?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// A prize as the node shows it now.
    async fn prize(&self, id: u64) -> Result<Arc<Prize>, VenueError> {
        let head = self.chain.head();
        let call = RewardShop::prizeCall { prizeId: U256::from(id) };
        let info = self.chain.read_one(self.contracts.reward_shop, &call).await;
        let info = info.map_err(unless::<RewardShop::PrizeUnknown>)?;
        let prize = Prize {
            id,
            municipality: info.municipalityId,
            price: info.price,
            stock: info.stock,
            is_withdrawn: info.withdrawn,
            content_hash: info.contentHash,
        };
        Ok(self.prizes.put(id, head, prize))
    }
}

fn key(bytes: &Bytes) -> Result<IssuerPublicKey, VenueError> {
    IssuerPublicKey::from_eip2537(bytes).map_err(|error| VenueError::Unexpected(format!("its issuer key: {error}")))
}

/// Unknown, if the contract says so with its error `E`; else the node's failure.
fn unless<E: alloy::sol_types::SolError>(error: TransportError) -> VenueError {
    let data = error.as_error_resp().and_then(|payload| payload.as_revert_data());
    match data {
        Some(data) if data.get(..4) == Some(&E::SELECTOR[..]) => VenueError::Unknown,
        _ => VenueError::Node(error),
    }
}
