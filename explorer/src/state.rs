//! What all handlers share.

use std::ops::Deref;
use std::str::FromStr as _;
use std::sync::Arc;

use alloy::primitives::{Address, B256};
use kopilka_store::chain::{query, rounds};
use kopilka_web::urls::{ExplorerUrls, PortalUrls};
use kopilka_web::{WebError, WebResult};
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::live::Live;
use crate::rpc::Node;
use crate::settlement::Outcomes;

/// Shared state; cheap to clone.
#[derive(Clone)]
pub(crate) struct Explorer(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) node: Node,
    pub(crate) urls: ExplorerUrls,
    pub(crate) portal: Option<PortalUrls>,
    pub(crate) currency: String,
    pub(crate) live: Live,
    pub(crate) outcomes: Outcomes,
    /// Ends the service, and every stream that would last.
    pub(crate) cancel: CancellationToken,
}

impl Deref for Explorer {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Explorer {
    pub(crate) fn new(config: Config, cancel: CancellationToken) -> Self {
        Self(Arc::new(Shared {
            pool: config.pool,
            node: Node::new(config.rpc_url),
            urls: ExplorerUrls::local(),
            portal: config.portal_url.map(|url| PortalUrls::at(url.as_str())),
            currency: config.currency,
            live: Live::default(),
            outcomes: Outcomes::default(),
            cancel,
        }))
    }

    pub(crate) async fn connection(&self) -> WebResult<PoolConnection<Postgres>> {
        self.pool.acquire().await.map_err(|error| WebError::unavailable("error-database").with_source(error))
    }

    /// How far the index is; an explanation where the indexer has never run.
    pub(crate) async fn head(&self) -> WebResult<query::Head> {
        let mut connection = self.connection().await?;
        query::head(&mut connection).await?.ok_or_else(|| WebError::unavailable("error-index-empty"))
    }

    /// The round in a path.
    pub(crate) async fn round(&self, text: &str) -> WebResult<rounds::Round> {
        let address = parse_address(text)?;
        let mut connection = self.connection().await?;
        rounds::round(&mut connection, address).await?.ok_or_else(|| WebError::not_found("error-round-missing"))
    }
}

/// An address in a path, in any letter case.
pub(crate) fn parse_address(text: &str) -> WebResult<Address> {
    let lower = text.trim().to_ascii_lowercase();
    let malformed = || WebError::not_found("error-address-malformed");
    if !lower.starts_with("0x") {
        return Err(malformed());
    }
    Address::from_str(&lower).map_err(|_| malformed())
}

/// A hash in a path, in any letter case.
pub(crate) fn parse_hash(text: &str) -> Option<B256> {
    let lower = text.trim().to_ascii_lowercase();
    if lower.len() == 66 && lower.starts_with("0x") { B256::from_str(&lower).ok() } else { None }
}
