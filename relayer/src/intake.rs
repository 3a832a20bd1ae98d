//! Accepting messages: requests that arrive together are checked together and stored by one statement, and each is
//! answered once the commit is through.
//!
//! Nothing here keeps when or in which order requests came.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::SolCall as _;
use alloy::transports::{RpcError, TransportError};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::polls::Polls;
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_domain::MessageStatus;
use kopilka_relay_client::Accepted;
use kopilka_store::relay::messages::{self, AccountKey, KnownAccount, MessageState, NewMessage};
use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, decode, redemption_id};
use crate::config::IntakeConfig;
use crate::engine::{FaultPoint, Faults};
use crate::gas;
use crate::limits::Limiter;
use crate::message::Message;
use crate::problem::Refusal;
use crate::venue::Venue;
use crate::verify::verify;

type Answer = Result<Accepted, Refusal>;

const DATABASE: Refusal = Refusal::Unavailable { what: "The database" };
const NODE: Refusal = Refusal::Unavailable { what: "The chain's node" };

struct Request {
    id: B256,
    message: Message,
    venue: Venue,
    reply: oneshot::Sender<Answer>,
}

/// How full the queue is, as far as this process knows, and the bell that tells the engine of new messages.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    depth: AtomicU64,
    pub(crate) bell: Notify,
}

impl Queue {
    pub(crate) fn set_depth(&self, depth: u64) {
        self.depth.store(depth, Ordering::Relaxed);
    }

    fn add(&self, count: u64) {
        self.depth.fetch_add(count, Ordering::Relaxed);
        self.bell.notify_one();
    }

    fn depth(&self) -> u64 {
        self.depth.load(Ordering::Relaxed)
    }
}

/// The place where requests are handed in.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    requests: mpsc::Sender<Request>,
}

/// The task behind an [`Intake`].
pub(crate) struct Collector {
    requests: mpsc::Receiver<Request>,
    config: IntakeConfig,
    desk: Arc<Desk>,
}

struct Desk {
    pool: PgPool,
    chain: Chain,
    queue: Arc<Queue>,
    queue_limit: u64,
    reward_points: Address,
    accounts: Limiter,
    faults: Faults,
}

/// What the chain says of an account's right.
#[derive(Debug, Clone, Copy, Default)]
struct OnChain {
    /// Registered, claimed, or the code used.
    is_done: bool,
    /// Version of the recorded allocation or ballot, 0 for none.
    version: u32,
    /// Points that can be spent, where that matters.
    points: Option<U256>,
}

/// A message that is not stored yet, with everyone who waits for the answer.
struct Candidate {
    id: B256,
    message: Message,
    venue: Venue,
    replies: Vec<oneshot::Sender<Answer>>,
    /// It was stored and failed, but may be tried again.
    failed: Option<Accepted>,
}

impl Candidate {
    fn answer(self, answer: &Answer) {
        for reply in self.replies {
            // Whoever went away can ask again with the same message.
            let _ = reply.send(answer.clone());
        }
    }

    /// A message that failed and is not taken again is answered with how it stands.
    fn refuse(self, refusal: Refusal) {
        let answer = self.failed.clone().ok_or(refusal);
        self.answer(&answer);
    }
}

impl Intake {
    pub(crate) fn new(
        pool: PgPool,
        chain: Chain,
        queue: Arc<Queue>,
        config: IntakeConfig,
        reward_points: Address,
        accounts: Limiter,
        faults: Faults,
    ) -> (Self, Collector) {
        let (sender, requests) = mpsc::channel(config.backlog);
        let desk =
            Arc::new(Desk { pool, chain, queue, queue_limit: config.queue_limit, reward_points, accounts, faults });
        (Self { requests: sender }, Collector { requests, config, desk })
    }

    /// Stores a message that fits its round; answers once it is durable.
    pub(crate) async fn accept(&self, id: B256, message: Message, venue: Venue) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.requests.try_send(Request { id, message, venue, reply }).map_err(|_| Refusal::Busy)?;
        answer.await.unwrap_or(Err(DATABASE))
    }
}

impl Collector {
    /// Runs until it is cancelled; groups that are being stored are then finished.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.config.groups_at_once.max(1)));
        loop {
            let first = tokio::select! {
                first = self.requests.recv() => first,
                () = cancel.cancelled() => None,
            };
            let Some(first) = first else { break };
            let mut group = vec![first];
            let closing = tokio::time::sleep(self.config.group_wait);
            tokio::pin!(closing);
            while group.len() < self.config.group_size {
                tokio::select! {
                    biased;
                    next = self.requests.recv() => match next {
                        Some(next) => group.push(next),
                        None => break,
                    },
                    () = &mut closing => break,
                }
            }
            // While all places are taken, requests gather in the channel, and the next group is the larger for it.
            let Ok(place) = places.clone().acquire_owned().await else { break };
            while group.len() < self.config.group_size
                && let Ok(next) = self.requests.try_recv()
            {
                group.push(next);
            }
            let desk = self.desk.clone();
            tokio::spawn(async move {
                desk.process(group).await;
                drop(place);
            });
        }
        // Waits for the groups at work.
        let _ = places.acquire_many(self.config.groups_at_once.max(1) as u32).await;
    }
}

impl Desk {
    async fn process(&self, group: Vec<Request>) {
        let started = Instant::now();
        metrics::histogram!("kopilka_relayer_intake_group_size").record(group.len() as f64);
        let mut candidates: HashMap<B256, Candidate> = HashMap::new();
        for Request { id, message, venue, reply } in group {
            let candidate =
                candidates.entry(id).or_insert(Candidate { id, message, venue, replies: Vec::new(), failed: None });
            candidate.replies.push(reply);
        }
        let candidates: Vec<Candidate> = candidates.into_values().collect();
        let ids: Vec<B256> = candidates.iter().map(|candidate| candidate.id).collect();
        let stored = match self.states(&ids).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(%error, "cannot look up messages");
                return candidates.into_iter().for_each(|candidate| candidate.answer(&Err(DATABASE)));
            }
        };
        let mut fresh = Vec::with_capacity(candidates.len());
        for mut candidate in candidates {
            match stored.get(&candidate.id) {
                Some(state) if state.can_retry => {
                    candidate.failed = Some(accepted(state));
                    fresh.push(candidate);
                }
                Some(state) => candidate.answer(&Ok(accepted(state))),
                None if self.queue.depth() >= self.queue_limit => candidate.answer(&Err(Refusal::QueueFull)),
                None => fresh.push(candidate),
            }
        }
        if !fresh.is_empty() {
            self.check_and_store(fresh).await;
        }
        metrics::histogram!("kopilka_relayer_intake_group_seconds").record(started.elapsed().as_secs_f64());
    }

    async fn check_and_store(&self, fresh: Vec<Candidate>) {
        let messages: Vec<_> = fresh.iter().map(|item| (item.message.clone(), item.venue.clone())).collect();
        let accounts: Vec<AccountKey> = fresh.iter().map(|item| item.message.key()).collect();
        let chain_id = self.chain.chain_id;
        let verified = tokio::task::spawn_blocking(move || verify(chain_id, &messages));
        let (verified, on_chain, known) = tokio::join!(verified, self.on_chain(&fresh), self.known(&accounts));
        let (verified, on_chain, known) = match (verified, on_chain, known) {
            (Ok(verified), Ok(on_chain), Ok(known)) => (verified, on_chain, known),
            (_, Err(error), _) => {
                tracing::warn!(%error, "the node does not say which accounts are registered");
                return fresh.into_iter().for_each(|item| item.answer(&Err(NODE)));
            }
            (verified, _, known) => {
                let error =
                    known.err().map(|error| error.to_string()).or(verified.err().map(|error| error.to_string()));
                tracing::error!(error, "cannot check messages");
                return fresh.into_iter().for_each(|item| item.answer(&Err(DATABASE)));
            }
        };
        let mut good = Vec::with_capacity(fresh.len());
        let mut new = Vec::with_capacity(fresh.len());
        for (((item, content), on_chain), known) in fresh.into_iter().zip(verified).zip(on_chain).zip(known) {
            let admitted = content.and_then(|content| {
                // After the signature is checked: nobody can use up the allowance of somebody else's account.
                let account = item.message.account();
                self.accounts.take(account, 1).map_err(|wait| Refusal::TooOften { who: "account", wait })?;
                admit(&item, content, on_chain, known)
            });
            match admitted {
                Ok(message) => {
                    new.push(message);
                    good.push(item);
                }
                Err(refusal) => item.refuse(refusal),
            }
        }
        if new.is_empty() {
            return;
        }
        let again: Vec<B256> = good.iter().filter(|item| item.failed.is_some()).map(|item| item.id).collect();
        match self.store(&new, &again).await {
            Ok(inserted) => self.answer_stored(good, &inserted).await,
            Err(error) => {
                tracing::error!(%error, "cannot store messages");
                good.into_iter().for_each(|item| item.answer(&Err(DATABASE)));
            }
        }
    }

    async fn store(&self, new: &[NewMessage], again: &[B256]) -> sqlx::Result<Vec<B256>> {
        let mut transaction = self.pool.begin().await?;
        if !again.is_empty() {
            messages::forget_failed(&mut transaction, again).await?;
        }
        let inserted = messages::insert(&mut transaction, new).await?;
        messages::supersede(&mut transaction, new).await?;
        transaction.commit().await?;
        // Only a plan that aborts the process has an effect here: whoever sent the messages must not get an answer.
        let _ = self.faults.pass(FaultPoint::MessagesStored);
        self.queue.add(inserted.len() as u64);
        Ok(inserted)
    }

    /// Answers those that were stored; for the others, someone was faster: either with the same message or with another
    /// one of the same account.
    async fn answer_stored(&self, good: Vec<Candidate>, inserted: &[B256]) {
        let mut late = Vec::new();
        for item in good {
            if inserted.contains(&item.id) {
                metrics::counter!("kopilka_relayer_accepted_total", "kind" => item.message.kind().as_str())
                    .increment(1);
                let answer = Ok(Accepted { id: item.id, status: MessageStatus::Queued, stamp: None });
                item.answer(&answer);
            } else {
                late.push(item);
            }
        }
        if late.is_empty() {
            return;
        }
        let ids: Vec<B256> = late.iter().map(|item| item.id).collect();
        match self.states(&ids).await {
            Ok(stored) => {
                for item in late {
                    let answer = match stored.get(&item.id) {
                        Some(state) => Ok(accepted(state)),
                        None => Err(conflict(&item.message)),
                    };
                    item.answer(&answer);
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot look up messages");
                late.into_iter().for_each(|item| item.answer(&Err(DATABASE)));
            }
        }
    }

    async fn states(&self, ids: &[B256]) -> sqlx::Result<HashMap<B256, MessageState>> {
        let mut connection = self.pool.acquire().await?;
        let states = messages::states(&mut connection, ids).await?;
        Ok(states.into_iter().map(|state| (state.id, state)).collect())
    }

    async fn known(&self, accounts: &[AccountKey]) -> sqlx::Result<Vec<KnownAccount>> {
        let mut connection = self.pool.acquire().await?;
        messages::known_accounts(&mut connection, accounts).await
    }

    async fn on_chain(&self, fresh: &[Candidate]) -> Result<Vec<OnChain>, TransportError> {
        let mut calls = Vec::with_capacity(fresh.len());
        for item in fresh {
            questions(item, self.reward_points, &mut calls);
        }
        let mut answers = self.chain.read_together(&calls, None).await?.into_iter();
        let mut next = || answers.next().flatten().ok_or(RpcError::NullResp);
        fresh
            .iter()
            .map(|item| {
                Ok(match &item.message {
                    Message::Registration(_) | Message::Allocation(_) => {
                        let citizen = decode::<BudgetRound::citizenCall>(&next()?)?;
                        OnChain { is_done: citizen.registered, version: citizen.version, points: None }
                    }
                    Message::Ballot(_) => {
                        let ballot = decode::<Polls::ballotOfCall>(&next()?)?;
                        OnChain { version: ballot.version, ..OnChain::default() }
                    }
                    Message::StampClaim(_) => {
                        OnChain { is_done: decode::<RewardPoints::hasClaimedCall>(&next()?)?, ..OnChain::default() }
                    }
                    Message::Redemption(_) => {
                        let record = decode::<RewardShop::redemptionCall>(&next()?)?;
                        let points = decode::<RewardPoints::balanceOfCall>(&next()?)?;
                        OnChain { is_done: !record.account.is_zero(), version: 0, points: Some(points) }
                    }
                })
            })
            .collect()
    }
}

/// What is to be asked of the chain about the right that a message uses.
fn questions(item: &Candidate, reward_points: Address, calls: &mut Vec<(Address, Vec<u8>)>) {
    let (contract, account) = (item.message.contract(), item.message.account());
    match (&item.message, &item.venue) {
        (Message::Ballot(ballot), _) => {
            let call = Polls::ballotOfCall { pollId: U256::from(ballot.poll), account };
            calls.push((contract, call.abi_encode()));
        }
        (Message::StampClaim(claim), _) => {
            let call = RewardPoints::hasClaimedCall { sourceId: U256::from(claim.source), account };
            calls.push((contract, call.abi_encode()));
        }
        (Message::Redemption(redemption), venue) => {
            let id = redemption_id(contract, account, redemption.terms.code_hash);
            calls.push((contract, RewardShop::redemptionCall { redemptionId: id }.abi_encode()));
            let municipality = if let Venue::Prize(prize) = venue { prize.municipality } else { 0 };
            let call = RewardPoints::balanceOfCall { municipalityId: municipality, account };
            calls.push((reward_points, call.abi_encode()));
        }
        _ => calls.push((contract, BudgetRound::citizenCall { account }.abi_encode())),
    }
}

/// Whether a verified message may be stored, given what chain and queue know of its account.
fn admit(item: &Candidate, content: Vec<u8>, on_chain: OnChain, known: KnownAccount) -> Result<NewMessage, Refusal> {
    let mut new = NewMessage {
        id: item.id,
        kind: item.message.kind(),
        contract: item.message.contract(),
        scope: item.message.scope(),
        class: item.message.class(),
        account: item.message.account(),
        version: item.message.version(),
        content,
        gas: gas::of(&item.message),
        waits_for: None,
    };
    let version = item.message.version();
    let current = on_chain.version.max(known.version.unwrap_or(0));
    match (&item.message, &item.venue) {
        (Message::Registration(_), _) => {
            if on_chain.is_done || known.registration.is_some() {
                return Err(Refusal::AccountRegistered);
            }
        }
        (Message::Allocation(_), _) => {
            if !on_chain.is_done {
                let (registration, _) = known.registration.ok_or(Refusal::AccountNotRegistered)?;
                new.waits_for = Some(registration);
            }
            if version <= current {
                return Err(Refusal::VersionNotHigher { version, current });
            }
        }
        (Message::Ballot(ballot), venue) => {
            if current > 0 && matches!(venue, Venue::Poll(poll) if !poll.revote) {
                return Err(Refusal::BallotRecorded);
            }
            // One in the queue could still fail: only what is on chain makes the credential needless.
            if on_chain.version == 0 && ballot.credential.is_none() {
                return Err(Refusal::CredentialMissing);
            }
            if version <= current {
                return Err(Refusal::VersionNotHigher { version, current });
            }
        }
        (Message::StampClaim(_), _) => {
            if on_chain.is_done || known.version.is_some() {
                return Err(Refusal::StampClaimed);
            }
        }
        (Message::Redemption(redemption), _) => {
            if on_chain.is_done {
                return Err(Refusal::CodeUsed);
            }
            let price = redemption.terms.price;
            if let Some(points) = on_chain.points.filter(|points| *points < U256::from(price)) {
                return Err(Refusal::PointsInsufficient { points, price });
            }
        }
    }
    Ok(new)
}

fn accepted(state: &MessageState) -> Accepted {
    metrics::counter!("kopilka_relayer_duplicates_total", "kind" => state.kind.as_str()).increment(1);
    Accepted { id: state.id, status: state.status, stamp: None }
}

fn conflict(message: &Message) -> Refusal {
    match message {
        Message::Registration(_) => Refusal::AccountRegistered,
        Message::Allocation(_) | Message::Ballot(_) => {
            Refusal::VersionNotHigher { version: message.version(), current: message.version() }
        }
        Message::StampClaim(_) => Refusal::StampClaimed,
        Message::Redemption(_) => Refusal::CodeUsed,
    }
}
