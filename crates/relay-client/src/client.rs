//! A client over reqwest.

use std::time::Duration;

use alloy::primitives::B256;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{Accepted, AllocationRequest, MessageView, Problem, RegistrationRequest, StatusView};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The relayer refused and says why.
    #[error("{} ({}): {}", .problem.title, .problem.slug(), .problem.detail)]
    Refused {
        /// What it says.
        problem: Problem,
        /// When to try again, where that may help.
        retry_after: Option<Duration>,
    },
    /// The relayer cannot be reached, or answers otherwise than it should.
    #[error("the relayer did not answer as expected")]
    Http(#[from] reqwest::Error),
    /// The address is none.
    #[error("the relayer's address is malformed")]
    Url(#[from] url::ParseError),
    /// The message did not get there in time.
    #[error("after {seconds} s the message is {status}, not yet {expected}")]
    TooSlow {
        /// How long was waited.
        seconds: u64,
        /// Where it stands.
        status: &'static str,
        /// What was waited for.
        expected: &'static str,
    },
}

impl ClientError {
    /// Slug of the problem, if the relayer refused.
    pub fn slug(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => Some(problem.slug()),
            _ => None,
        }
    }
}

/// Talks to one relayer.
#[derive(Debug, Clone)]
pub struct RelayClient {
    base: Url,
    http: reqwest::Client,
}

impl RelayClient {
    /// A client of the relayer at `base`.
    pub fn new(base: Url) -> Self {
        Self { base, http: reqwest::Client::new() }
    }

    /// Hands over a registration.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn register(&self, request: &RegistrationRequest) -> Result<Accepted, ClientError> {
        self.post("v1/registrations", request).await
    }

    /// Hands over an allocation.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn allocate(&self, request: &AllocationRequest) -> Result<Accepted, ClientError> {
        self.post("v1/allocations", request).await
    }

    /// Where a message stands.
    ///
    /// # Errors
    /// [`ClientError`]; an unknown message is refused with `message-unknown`.
    pub async fn message(&self, id: B256) -> Result<MessageView, ClientError> {
        answer(self.http.get(self.base.join(&format!("v1/messages/{id}"))?).send().await?).await
    }

    /// The relayer's state.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<StatusView, ClientError> {
        answer(self.http.get(self.base.join("v1/status")?).send().await?).await
    }

    /// Asks until the message is final.
    ///
    /// # Errors
    /// [`ClientError::TooSlow`] after `limit`.
    pub async fn wait_final(&self, id: B256, limit: Duration) -> Result<MessageView, ClientError> {
        self.wait(id, limit, "final", |message| message.status.is_final()).await
    }

    /// Asks until the message is as expected.
    ///
    /// # Errors
    /// [`ClientError::TooSlow`] after `limit`.
    pub async fn wait(
        &self,
        id: B256,
        limit: Duration,
        expected: &'static str,
        reached: impl Fn(&MessageView) -> bool,
    ) -> Result<MessageView, ClientError> {
        let until = tokio::time::Instant::now() + limit;
        loop {
            let message = self.message(id).await?;
            if reached(&message) {
                return Ok(message);
            }
            if tokio::time::Instant::now() >= until {
                return Err(ClientError::TooSlow {
                    seconds: limit.as_secs(),
                    status: message.status.as_str(),
                    expected,
                });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        answer(self.http.post(self.base.join(path)?).json(body).send().await?).await
    }
}

async fn answer<T: DeserializeOwned>(response: reqwest::Response) -> Result<T, ClientError> {
    if response.status().is_success() {
        return Ok(response.json().await?);
    }
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let is_problem = response.headers().get("content-type").is_some_and(|value| value == "application/problem+json");
    match response.error_for_status_ref() {
        Err(error) if !is_problem => Err(error.into()),
        _ => Err(ClientError::Refused {
            problem: response.json().await?,
            retry_after: retry_after.map(Duration::from_secs),
        }),
    }
}
