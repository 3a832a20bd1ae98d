//! Publishing on chain how many credentials were issued, so that registrations can never exceed them unseen.

use std::time::Duration;

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, B256};
use alloy::providers::{DynProvider, Provider as _, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_domain::{Allotment, Phase};
use kopilka_store::portal;
use serde::Serialize;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::error::PortalError;

/// How long a transaction may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands on chain after publishing.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Published {
    round: Address,
    class: u8,
    issued: u32,
    /// Null when the number stood there already.
    tx_hash: Option<B256>,
}

/// Sends the issuer's transactions.
#[derive(Debug)]
pub(crate) struct Publisher {
    provider: Option<DynProvider>,
    // Nonces are taken from the node one transaction at a time.
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Publisher {
    pub(crate) fn new(rpc_url: &Url, account: Option<&PrivateKeySigner>) -> Self {
        let provider = account.map(|account| {
            ProviderBuilder::default()
                .with_simple_nonce_management()
                .with_gas_estimation()
                .fetch_chain_id()
                .wallet(EthereumWallet::from(account.clone()))
                .connect_http(rpc_url.clone())
                .erased()
        });
        Self { provider, one_at_a_time: tokio::sync::Mutex::default() }
    }

    pub(crate) fn can_publish(&self) -> bool {
        self.provider.is_some()
    }

    /// Publishes what has changed, of one round or of all; an error is told after all were tried. Of several processes one does it at a time.
    pub(crate) async fn publish(
        &self,
        database: &PgPool,
        only: Option<Address>,
    ) -> Result<Vec<Published>, PortalError> {
        let Some(provider) = &self.provider else { return Ok(Vec::new()) };
        let _turn = self.one_at_a_time.lock().await;
        let mut transaction = database.begin().await.map_err(PortalError::database)?;
        portal::lock_publishing(&mut transaction).await?;
        let counts = portal::issued_counts(&mut transaction).await?;
        let mut published = Vec::new();
        let mut failed = None;
        for count in counts {
            let round = Address::from(count.round);
            if only.is_some_and(|only| only != round) {
                continue;
            }
            match publish_one(&BudgetRound::new(round, provider), count.class, count.issued).await {
                Ok(done) => published.push(done),
                // The trouble of one round does not hold up the others.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(published), Err)
    }

    /// Publishes at intervals until cancelled; failures are logged and tried again at the next.
    pub(crate) async fn run(&self, database: &PgPool, interval: Duration, cancel: &CancellationToken) {
        if self.provider.is_none() {
            tracing::warn!("no issuer account is configured: numbers of issued credentials are not published on chain");
            return;
        }
        while !paused(interval, cancel).await {
            match self.publish(database, None).await {
                Ok(published) => {
                    for Published { round, class, issued, tx_hash } in published {
                        if let Some(tx_hash) = tx_hash {
                            tracing::info!(%round, class, issued, %tx_hash, "published the number of issued credentials");
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "numbers of issued credentials were not published"
                    );
                }
            }
        }
    }
}

async fn publish_one(
    contract: &BudgetRound::BudgetRoundInstance<&DynProvider>,
    class: u8,
    issued: u32,
) -> Result<Published, PortalError> {
    let on_chain = contract.classInfo(class).call().await?.issued;
    let tx_hash = match on_chain < issued && takes_counts(contract).await? {
        true => Some(send(contract, class, issued).await?),
        false => None,
    };
    let issued = if tx_hash.is_some() { issued } else { on_chain };
    Ok(Published { round: *contract.address(), class, issued, tx_hash })
}

/// Whether the contract takes a number now: while registrations are possible.
async fn takes_counts(contract: &BudgetRound::BudgetRoundInstance<&DynProvider>) -> Result<bool, PortalError> {
    Ok(match Phase::try_from(contract.phase().call().await?) {
        Ok(Phase::Registration) => true,
        Ok(Phase::Pledging) => contract.config().call().await?.allotment == Allotment::Fixed.code(),
        _ => false,
    })
}

async fn send(
    contract: &BudgetRound::BudgetRoundInstance<&DynProvider>,
    class: u8,
    issued: u32,
) -> Result<B256, PortalError> {
    let pending = contract.publishIssued(class, issued).send().await?;
    let receipt = pending
        .with_timeout(Some(PATIENCE))
        .get_receipt()
        .await
        .map_err(|error| PortalError::Transaction(error.to_string()))?;
    if receipt.status() {
        Ok(receipt.transaction_hash)
    } else {
        Err(PortalError::Transaction(format!("{} was reverted", receipt.transaction_hash)))
    }
}

/// Rewrites the table of issuances at intervals, and once more at the end, if credentials were issued meanwhile.
pub(crate) async fn compact_at_intervals(database: &PgPool, interval: Duration, cancel: &CancellationToken) {
    let mut last = 0;
    loop {
        let ended = paused(interval, cancel).await;
        match compact_if_changed(database, last).await {
            Ok(rows) => last = rows,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the table of issuances was not compacted");
            }
        }
        if ended {
            return;
        }
    }
}

async fn compact_if_changed(database: &PgPool, last: u64) -> Result<u64, PortalError> {
    let mut transaction = database.begin().await.map_err(PortalError::database)?;
    let rows: u64 = portal::issued_counts(&mut transaction).await?.iter().map(|count| u64::from(count.issued)).sum();
    if rows == last {
        return Ok(rows);
    }
    let rows = portal::compact_issuances(&mut transaction).await?;
    transaction.commit().await.map_err(PortalError::database)?;
    Ok(rows)
}

/// Waits; true when it is time to end.
async fn paused(interval: Duration, cancel: &CancellationToken) -> bool {
    tokio::select! {
        () = cancel.cancelled() => true,
        () = tokio::time::sleep(interval) => false,
    }
}
