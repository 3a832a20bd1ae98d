//! Published texts of rounds and initiatives, shown only if they hash to what stands on chain.

use std::collections::HashMap;

use alloy::primitives::{B256, keccak256};
use kopilka_store::portal;
use serde::Deserialize;
use sqlx::PgConnection;

/// A text as published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Document {
    /// Its heading.
    pub(crate) title: String,
    /// The text itself.
    #[serde(default)]
    pub(crate) description: String,
    /// Where an initiative is.
    #[serde(default)]
    pub(crate) place: Option<String>,
}

/// Texts by hash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts(HashMap<B256, Document>);

impl Texts {
    /// Fetches texts; those that are not published, do not hash right or are no documents are absent.
    pub(crate) async fn load(connection: &mut PgConnection, hashes: Vec<B256>) -> anyhow::Result<Self> {
        let mut hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.is_empty() {
            return Ok(Self::default());
        }
        let bodies = portal::documents(connection, &hashes).await?;
        Ok(Self(
            bodies
                .into_iter()
                .filter_map(|(hash, body)| Some((B256::from(hash), checked(B256::from(hash), &body)?)))
                .collect(),
        ))
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Document> {
        self.0.get(hash)
    }

    /// For samples.
    #[cfg(test)]
    pub(crate) fn of(documents: impl IntoIterator<Item = (B256, Document)>) -> Self {
        Self(documents.into_iter().collect())
    }
}

/// The document in a body, if the body hashes to what stands on chain.
fn checked(hash: B256, body: &str) -> Option<Document> {
    if keccak256(body.as_bytes()) != hash {
        tracing::warn!(%hash, "a published text does not hash to its key and is not shown");
        return None;
    }
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_text_is_shown() {
        let body = r#"{"kind":"round","title":"Дворы","description":"…"}"#;
        let hash = keccak256(body.as_bytes());
        assert_eq!(checked(hash, body).map(|document| document.title), Some("Дворы".to_owned()));
        assert_eq!(checked(hash, &body.replace("Дворы", "Дороги")), None);
        assert_eq!(checked(keccak256(b"{}"), "{}"), None);
    }
}
