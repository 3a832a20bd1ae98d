//! From the queue to the chain. Two loops share what they know only through Postgres:
//! - [`dispatch`] makes batches, and stores nonce and signed bytes in one database transaction before anything is sent;
//! - [`follow`] sends the same bytes again until they are mined and replaces them by dearer ones ([`mend`]), reads what
//!   they did ([`read`]), takes it back when the chain does, and makes it final.
//!
//! Messages name their effect and not a step («this account is registered», «version 3 is this distribution»), so the
//! contract does nothing twice: whatever is in doubt may be sent again.

mod batch;
mod dispatch;
mod fault;
mod fees;
mod follow;
mod late;
mod mend;
mod outcome;
mod read;
mod schedule;
mod senders;
mod trial;

use std::sync::Arc;

use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::transports::TransportError;
use kopilka_store::relay::NewTransaction;
use sqlx::PgPool;

pub(crate) use fault::Faults;
pub use fault::{Fault, FaultPlan, FaultPoint, UnknownFaultPoint};
pub(crate) use senders::Senders;

use crate::chain::{Chain, Sent};
use crate::config::{BatchConfig, FeeConfig, FollowConfig};
use crate::intake::Queue;
use crate::rounds::RoundError;
use crate::signer::SignerError;
use crate::venue::{VenueError, Venues};
use fees::{Fees, Usual};
use senders::Sender;

/// Transactions without effect after which a message goes alone, so that it cannot spoil others.
const ALONE_FROM: i16 = 2;

/// What both loops use.
pub(crate) struct Engine {
    pub(crate) pool: PgPool,
    pub(crate) chain: Chain,
    pub(crate) venues: Arc<Venues>,
    pub(crate) senders: Arc<Senders>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) batch: BatchConfig,
    pub(crate) fees: FeeConfig,
    pub(crate) follow: FollowConfig,
    pub(crate) first_block: u64,
    pub(crate) faults: Faults,
}

/// Why a step was not done. Only a fault ends the engine; everything else is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the node did not answer")]
    Node(#[from] TransportError),
    #[error(transparent)]
    Signer(#[from] SignerError),
    #[error(transparent)]
    Round(#[from] RoundError),
    #[error(transparent)]
    Venue(#[from] VenueError),
    #[error("the sender cannot pay")]
    CannotPay,
    #[error("{0}")]
    Later(&'static str),
}

/// A transaction to be signed.
struct Unsigned {
    nonce: u64,
    to: Address,
    gas_limit: u64,
    input: Bytes,
    fees: Fees,
}

impl Engine {
    async fn usual_fees(&self) -> Result<Usual, EngineError> {
        Ok(fees::suggest(&self.chain.fee_history().await?, &self.fees))
    }

    async fn sign(&self, sender: &Sender, unsigned: Unsigned) -> Result<NewTransaction, EngineError> {
        let Unsigned { nonce, to, gas_limit, input, fees } = unsigned;
        let transaction = TxEip1559 {
            chain_id: self.chain.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            to: TxKind::Call(to),
            value: U256::ZERO,
            access_list: Default::default(),
            input,
        };
        let (hash, raw) = sender.signer.sign(transaction).await?;
        let signed_block = self.chain.head().map(|head| head.number).unwrap_or_default();
        Ok(NewTransaction {
            hash,
            raw,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            gas_limit,
            signed_block,
        })
    }

    /// Sends stored bytes. Whatever the node answers, the follower comes back to them.
    async fn send(&self, sender: &Sender, transaction: &NewTransaction) {
        sender.sent(transaction.hash, self.chain.head().map(|head| head.number).unwrap_or_default());
        let (result, sent) = match self.chain.send(&transaction.raw).await {
            Sent::Accepted => ("accepted", None),
            Sent::NonceTooLow => ("nonce-too-low", None),
            Sent::Underpriced => ("underpriced", None),
            Sent::InsufficientFunds => {
                let price = U256::from(transaction.max_fee_per_gas) * U256::from(transaction.gas_limit);
                if sender.cannot_pay(price) {
                    tracing::error!(
                        sender = %sender.address,
                        needed_wei = %price,
                        "the sender cannot pay for its transaction and makes no more batches: send it funds"
                    );
                }
                ("insufficient-funds", None)
            }
            Sent::Failed(error) => ("failed", Some(error)),
        };
        if let Some(error) = sent {
            tracing::warn!(%error, tx.hash = %transaction.hash, "the node did not take a transaction; it will be sent again");
        }
        metrics::counter!("kopilka_relayer_sent_total", "result" => result).increment(1);
    }
}

pub(crate) use dispatch::run as run_dispatch;
pub(crate) use follow::run as run_follow;
