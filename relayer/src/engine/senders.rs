//! The accounts that pay the gas: which of them this process uses, and how busy they are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use kopilka_relay_client::SenderView;
use kopilka_store::relay::lease;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::signer::Signer;

/// How often leases are checked and missing ones tried.
const LEASE_INTERVAL: Duration = Duration::from_secs(1);

/// All configured senders.
#[derive(Debug)]
pub(crate) struct Senders {
    pub(crate) list: Vec<Arc<Sender>>,
}

/// One sender.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) signer: Signer,
    pub(crate) address: Address,
    state: Mutex<State>,
    /// Whether a batch is being made for it: nonces are taken one after the other.
    busy: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    leased: bool,
    /// The account's nonce on chain; unknown until the follower has asked.
    chain_nonce: Option<u64>,
    in_flight: u64,
    balance: Option<U256>,
    /// What the transaction costs at most that the sender could not pay.
    unpaid: Option<U256>,
    broadcast: HashMap<B256, Broadcast>,
    complained: Option<Instant>,
}

/// When this process sent a transaction.
#[derive(Debug)]
struct Broadcast {
    last: Instant,
    /// Head of the chain when it was first sent.
    first_block: u64,
}

/// The right to make a batch for a sender; ends when dropped.
#[derive(Debug)]
pub(crate) struct Turn(pub(crate) Arc<Sender>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
    }
}

impl Sender {
    fn new(signer: Signer) -> Self {
        Self { address: signer.address(), signer, state: Mutex::default(), busy: AtomicBool::new(false) }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Nothing done under the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_leased(&self) -> bool {
        self.locked().leased
    }

    /// The nonce on chain, if this process may use the sender and the follower has looked at it.
    pub(crate) fn chain_nonce(&self) -> Option<u64> {
        let state = self.locked();
        state.chain_nonce.filter(|_| state.leased)
    }

    fn is_free(&self, max_in_flight: u64) -> bool {
        let state = self.locked();
        state.leased
            && state.unpaid.is_none()
            && state.chain_nonce.is_some()
            && state.in_flight < max_in_flight
            && !self.busy.load(Ordering::Acquire)
    }

    pub(crate) fn observed(&self, chain_nonce: u64, in_flight: u64) {
        let mut state = self.locked();
        state.chain_nonce = Some(chain_nonce);
        state.in_flight = in_flight;
    }

    pub(crate) fn took_nonce(&self) {
        self.locked().in_flight += 1;
    }

    /// Notes the balance; once it suffices again for what could not be paid, the sender makes batches again.
    pub(crate) fn set_balance(&self, balance: U256) {
        let mut state = self.locked();
        state.balance = Some(balance);
        if state.unpaid.is_some_and(|price| balance >= price * U256::from(state.in_flight + 1)) {
            state.unpaid = None;
            tracing::info!(sender = %self.address, "the sender can pay again");
        }
    }

    /// The node refused a transaction of this price for want of funds; true if that is news.
    pub(crate) fn cannot_pay(&self, price: U256) -> bool {
        self.locked().unpaid.replace(price).is_none()
    }

    /// Whether the sender has, as far as is known, money for one more transaction of this price beside those on their way;
    /// if not, it makes no more batches until it has.
    pub(crate) fn can_pay(&self, price: U256) -> bool {
        let mut state = self.locked();
        if state.balance.is_none_or(|balance| balance >= price * U256::from(state.in_flight + 1)) {
            return true;
        }
        state.unpaid = Some(price);
        false
    }

    /// Whether it is time to complain again of what stays wrong.
    pub(crate) fn complains(&self, interval: Duration) -> bool {
        let mut state = self.locked();
        let is_time = state.complained.is_none_or(|at| at.elapsed() >= interval * 6);
        if is_time {
            state.complained = Some(Instant::now());
        }
        is_time
    }

    /// Whether a transaction waits for funds.
    pub(crate) fn is_broke(&self) -> bool {
        self.locked().unpaid.is_some()
    }

    pub(crate) fn sent(&self, hash: B256, head: u64) {
        let mut state = self.locked();
        let broadcast = state.broadcast.entry(hash).or_insert(Broadcast { last: Instant::now(), first_block: head });
        broadcast.last = Instant::now();
    }

    /// Forgets that a transaction was sent: the pool may have lost it.
    pub(crate) fn forget_sent(&self, hash: &B256) {
        self.locked().broadcast.remove(hash);
    }

    /// Whether the transaction was sent by this process within `interval`.
    pub(crate) fn sent_within(&self, hash: &B256, interval: Duration) -> bool {
        self.locked().broadcast.get(hash).is_some_and(|broadcast| broadcast.last.elapsed() < interval)
    }

    /// How many blocks came since this process first sent the transaction.
    pub(crate) fn blocks_ignored(&self, hash: &B256, head: u64) -> u64 {
        self.locked().broadcast.get(hash).map_or(0, |broadcast| head.saturating_sub(broadcast.first_block))
    }

    fn set_leased(&self, leased: bool) {
        let mut state = self.locked();
        if state.leased != leased {
            *state = State { leased, balance: state.balance, ..State::default() };
            tracing::info!(sender = %self.address, leased, "lease of a sender changed");
        }
    }
}

impl Senders {
    pub(crate) fn new(signers: Vec<Signer>) -> Self {
        Self { list: signers.into_iter().map(|signer| Arc::new(Sender::new(signer))).collect() }
    }

    /// Whether [`Self::free`] would find a sender.
    pub(crate) fn any_free(&self, max_in_flight: u64) -> bool {
        self.list.iter().any(|sender| sender.is_free(max_in_flight))
    }

    /// The sender with the fewest transactions on their way that has room for one more and makes no batch.
    pub(crate) fn free(&self, max_in_flight: u64) -> Option<Turn> {
        let mut best: Option<(u64, &Arc<Sender>)> = None;
        for sender in &self.list {
            let in_flight = sender.locked().in_flight;
            if sender.is_free(max_in_flight) && best.is_none_or(|(fewest, _)| in_flight < fewest) {
                best = Some((in_flight, sender));
            }
        }
        let (_, sender) = best?;
        sender.busy.store(true, Ordering::Release);
        Some(Turn(sender.clone()))
    }

    pub(crate) fn views(&self) -> Vec<SenderView> {
        self.list
            .iter()
            .map(|sender| {
                let state = sender.locked();
                SenderView {
                    address: sender.address,
                    leased: state.leased,
                    in_flight: state.in_flight,
                    balance: state.balance.map(|balance| balance.to_string()),
                }
            })
            .collect()
    }

    /// Holds the leases on a connection of its own until cancelled. When the connection is lost, so are the leases.
    pub(crate) async fn hold_leases(self: Arc<Self>, database_url: String, chain_id: u64, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            let held = async {
                let mut connection = PgConnection::connect(&database_url).await?;
                loop {
                    lease::check(&mut connection).await?;
                    for sender in self.list.iter().filter(|sender| !sender.is_leased()) {
                        if lease::try_acquire(&mut connection, chain_id, sender.address).await? {
                            sender.set_leased(true);
                        }
                    }
                    tokio::time::sleep(LEASE_INTERVAL).await;
                }
            };
            let result: Result<(), sqlx::Error> = tokio::select! {
                result = held => result,
                () = cancel.cancelled() => Ok(()),
            };
            self.list.iter().for_each(|sender| sender.set_leased(false));
            if let Err(error) = result {
                tracing::warn!(%error, "lost the connection that holds the leases of the senders");
                tokio::select! {
                    () = tokio::time::sleep(LEASE_INTERVAL) => {}
                    () = cancel.cancelled() => {}
                }
            }
        }
    }
}
