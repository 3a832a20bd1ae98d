//! The staff interface of the portal.

use alloy::primitives::{Address, B256, Bytes};
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// A client with the staff's bearer token.
#[derive(Clone)]
pub struct PortalStaff {
    base: Url,
    token: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct IssuerKey {
    key_id: String,
    public_key_eip2537: Bytes,
}

#[derive(Deserialize)]
struct DocumentHash {
    hash: B256,
}

impl PortalStaff {
    /// Talks to the portal at `base`.
    pub fn new(base: Url, token: String) -> Self {
        Self { base, token, http: reqwest::Client::new() }
    }

    /// Makes an issuer key: its id, and its public key as `addClass` takes it.
    ///
    /// # Errors
    /// When the portal refuses or cannot be reached.
    pub async fn create_issuer_key(&self) -> anyhow::Result<(String, Bytes)> {
        let key: IssuerKey = self.call(reqwest::Method::POST, "api/v1/staff/issuer-keys", None).await?;
        Ok((key.key_id, key.public_key_eip2537))
    }

    /// The public key of an issuer key that the portal has, as `addClass` takes it.
    ///
    /// # Errors
    /// When the portal has no such key, refuses or cannot be reached.
    pub async fn issuer_key(&self, key_id: &str) -> anyhow::Result<Bytes> {
        let path = format!("api/v1/staff/issuer-keys/{key_id}");
        let key: IssuerKey = self.call(reqwest::Method::GET, &path, None).await.with_context(|| {
            format!("the portal does not have the issuer key {key_id}: `kopilka ceremony install` gives it one and prints its id")
        })?;
        Ok(key.public_key_eip2537)
    }

    /// Tells the portal for which class of which round it issues with a key; the key must stand on chain already.
    ///
    /// # Errors
    /// When the portal refuses or cannot be reached.
    pub async fn bind_issuer_key(&self, key_id: &str, round: Address, class: u8) -> anyhow::Result<()> {
        let body = json!({ "round": round, "class": class });
        let path = format!("api/v1/staff/issuer-keys/{key_id}");
        self.call::<serde_json::Value>(reqwest::Method::PUT, &path, Some(body)).await.map(drop)
    }

    /// Publishes a document; its keccak256.
    ///
    /// # Errors
    /// When the portal refuses or cannot be reached.
    pub async fn put_document(&self, document: &serde_json::Value) -> anyhow::Result<B256> {
        let stored: DocumentHash = self.call(reqwest::Method::PUT, "api/v1/documents", Some(document.clone())).await?;
        Ok(stored.hash)
    }

    /// Has the numbers of issued credentials written to the chain now.
    ///
    /// # Errors
    /// When the portal refuses or cannot be reached.
    pub async fn publish_issued(&self, round: Address) -> anyhow::Result<()> {
        let path = format!("api/v1/staff/rounds/{round}/publish-issued");
        self.call::<serde_json::Value>(reqwest::Method::POST, &path, None).await.map(|_| ())
    }

    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> anyhow::Result<T> {
        let url = self.base.join(path)?;
        let mut request = self.http.request(method, url.clone()).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response =
            request.send().await.with_context(|| format!("the portal at {} cannot be reached", self.base))?;
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        anyhow::ensure!(status.is_success(), "the portal refused {url} with {status}: {text}");
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).with_context(|| format!("the portal's answer to {url} is not understood"))
    }
}
