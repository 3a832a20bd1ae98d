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
    public_key: Bytes,
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

    /// Makes the issuer key of a class of a round; its public key in EIP-2537 form, 256 bytes.
    ///
    /// # Errors
    /// When the portal refuses or cannot be reached.
    pub async fn create_issuer_key(&self, round: Address, class: u8) -> anyhow::Result<Bytes> {
        let body = json!({ "round": round, "class": class });
        let key: IssuerKey = self.call(reqwest::Method::POST, "api/v1/staff/issuer-keys", Some(body)).await?;
        Ok(key.public_key)
    }

    /// Publishes a document; its keccak256.
    ///
    /// # Errors
    /// When the portal refuses or cannot be reached.
    pub async fn put_document(&self, document: &serde_json::Value) -> anyhow::Result<B256> {
        let stored: DocumentHash =
            self.call(reqwest::Method::PUT, "api/v1/documents", Some(document.clone())).await?;
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
        let response = request.send().await.with_context(|| format!("the portal at {} cannot be reached", self.base))?;
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        anyhow::ensure!(status.is_success(), "the portal refused {url} with {status}: {text}");
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).with_context(|| format!("the portal's answer to {url} is not understood"))
    }
}
