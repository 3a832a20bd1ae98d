//! What can go wrong behind a handler, and how it is told.

use alloy::contract;
use alloy::transports::TransportError;
use kopilka_store::StoreError;
use kopilka_web::WebError;

use crate::KeyError;

/// A failure of something that the portal relies on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortalError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] StoreError),
    /// The node refused or does not answer.
    #[error("the chain's node does not answer a call")]
    Chain(#[from] contract::Error),
    /// The node does not answer.
    #[error("the chain's node does not answer")]
    Rpc(#[from] TransportError),
    /// The chain says something that no round of ours can.
    #[error("the chain's answer makes no sense: {0}")]
    Nonsense(&'static str),
    /// The issuer's keys cannot be used.
    #[error("the issuer's keys cannot be used")]
    Keys(#[from] KeyError),
    /// A transaction failed.
    #[error("a transaction was not carried out: {0}")]
    Transaction(String),
}

impl PortalError {
    pub(crate) fn database(error: sqlx::Error) -> Self {
        Self::Database(StoreError::Query(error))
    }

    /// The answer to the caller; the cause goes to the log.
    pub(crate) fn into_web(self) -> WebError {
        let key = match &self {
            Self::Chain(_) | Self::Rpc(_) | Self::Nonsense(_) | Self::Transaction(_) => "error-chain-unavailable",
            Self::Database(_) => "error-database-unavailable",
            Self::Keys(_) => "error-issuer-unavailable",
        };
        WebError::unavailable(key).with_source(self)
    }
}

/// `.or_unavailable()?` in handlers.
pub(crate) trait OrUnavailable<T> {
    /// Turns a failure into 503.
    fn or_unavailable(self) -> Result<T, WebError>;
}

impl<T, E: Into<PortalError>> OrUnavailable<T> for Result<T, E> {
    fn or_unavailable(self) -> Result<T, WebError> {
        self.map_err(|error| error.into().into_web())
    }
}
