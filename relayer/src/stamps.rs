//! Stamps: for an accepted ballot or allocation the relayer signs one blinded point, with the key of the source that gives
//! points for the poll or round. What is behind the point it cannot see; the citizen later claims it to another account.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use alloy::primitives::{Address, U256, keccak256};
use kopilka_credential::{BlindedMessage, IssuerSecretKey};
use kopilka_store::relay::stamps;
use sqlx::PgPool;

use crate::problem::Refusal;
use crate::venue::{Venue, VenueError, Venues};

/// Keys of the sources that this relayer stamps for.
pub(crate) struct Stamps {
    keys: Vec<([u8; 256], IssuerSecretKey)>,
    /// Source and position of its key, by what people take part in.
    sources: Mutex<HashMap<(Address, U256), (u64, usize)>>,
    /// Sources looked at so far: ids count from 1, and nothing in a source that matters here ever changes.
    seen: tokio::sync::Mutex<u64>,
}

impl Stamps {
    pub(crate) fn new(keys: Vec<IssuerSecretKey>) -> Self {
        let keys = keys.into_iter().map(|key| (key.public_key().to_eip2537(), key)).collect();
        Self { keys, sources: Mutex::default(), seen: tokio::sync::Mutex::default() }
    }

    /// Reads a blinded point; it must be in the subgroup and not infinity.
    pub(crate) fn blinded(bytes: &[u8; 48]) -> Result<BlindedMessage, Refusal> {
        BlindedMessage::from_bytes(bytes).map_err(|error| Refusal::FieldMalformed {
            field: "stamp",
            detail: format!("«stamp» must be a blinded point of G1, 48 bytes compressed: {error}."),
        })
    }

    /// The stamp of an account for taking part: the same for the same blinded point however often it is asked for, `None`
    /// if no points are given here or the account's stamp was issued on another point.
    pub(crate) async fn issue(
        &self,
        pool: &PgPool,
        venues: &Venues,
        venue: &Venue,
        account: Address,
        blinded: &BlindedMessage,
    ) -> Result<Option<[u8; 48]>, Refusal> {
        let participation = match venue {
            Venue::Round(round) => (round.address, round.id),
            Venue::Poll(poll) => (poll.polls, U256::from(poll.id)),
            Venue::Source(_) | Venue::Prize(_) => return Ok(None),
        };
        let found = self.source_of(venues, participation).await.map_err(|error| {
            tracing::warn!(%error, "cannot read the sources of points");
            Refusal::Unavailable { what: "The chain's node" }
        })?;
        let Some((source, key)) = found else { return Ok(None) };
        let hash = keccak256(blinded.to_bytes());
        let claimed = async { stamps::claim(&mut *pool.acquire().await?, source, account, hash).await };
        match claimed.await {
            Ok(true) => {
                metrics::counter!("kopilka_relayer_stamps_total").increment(1);
                Ok(Some(self.keys[key].1.sign_blinded(blinded).to_bytes()))
            }
            Ok(false) => Ok(None),
            Err(error) => {
                tracing::error!(%error, "cannot store that a stamp is issued");
                Err(Refusal::Unavailable { what: "The database" })
            }
        }
    }

    async fn source_of(
        &self,
        venues: &Venues,
        participation: (Address, U256),
    ) -> Result<Option<(u64, usize)>, VenueError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let known = || self.sources.lock().unwrap_or_else(PoisonError::into_inner).get(&participation).copied();
        if let Some(found) = known() {
            return Ok(Some(found));
        }
        let mut seen = self.seen.lock().await;
        for id in *seen + 1..=venues.source_count().await? {
            let source = venues.source(id).await?;
            let key = source.issuer_key.to_eip2537();
            if let Some(position) = self.keys.iter().position(|(own, _)| *own == key) {
                let of = (source.participation, source.participation_id);
                self.sources.lock().unwrap_or_else(PoisonError::into_inner).insert(of, (id, position));
            }
            *seen = id;
        }
        Ok(known())
    }
}
