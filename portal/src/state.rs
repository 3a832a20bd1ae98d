//! What all handlers share.

use std::sync::Arc;

use kopilka_esia::EsiaClient;
use kopilka_web::{Csrf, Sealer};
use sqlx::PgPool;
use sqlx::pool::PoolConnection;

use crate::error::PortalError;
use crate::live::Live;
use crate::publish::Publisher;
use crate::rounds::Rounds;
use crate::{Config, KeyStore};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Shared>);

/// See [`AppState`].
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) database: PgPool,
    pub(crate) esia: EsiaClient,
    pub(crate) sealer: Sealer,
    pub(crate) csrf: Csrf,
    pub(crate) keys: KeyStore,
    pub(crate) rounds: Rounds,
    pub(crate) publisher: Publisher,
    pub(crate) live: Live,
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// A connection for one request.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<sqlx::Postgres>, PortalError> {
        self.database.acquire().await.map_err(PortalError::database)
    }
}
