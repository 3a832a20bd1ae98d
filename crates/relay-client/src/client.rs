//! A client over reqwest.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use futures::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    Accepted, AccountView, AllocationRequest, BallotRequest, BulkAnswer, BulkRequest, BulkResult, MessageView, Problem,
    RedemptionRequest, RegistrationRequest, Request, StampClaimRequest, StatusView,
};

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

    /// Hands over a ballot.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn vote(&self, request: &BallotRequest) -> Result<Accepted, ClientError> {
        self.post("v1/ballots", request).await
    }

    /// Hands over a claim of a stamp.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn claim(&self, request: &StampClaimRequest) -> Result<Accepted, ClientError> {
        self.post("v1/stamp-claims", request).await
    }

    /// Hands over a redemption.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn redeem(&self, request: &RedemptionRequest) -> Result<Accepted, ClientError> {
        self.post("v1/redemptions", request).await
    }

    /// Hands over a message of any kind.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&self, request: &Request) -> Result<Accepted, ClientError> {
        match request {
            Request::Registration(request) => self.register(request).await,
            Request::Allocation(request) => self.allocate(request).await,
            Request::Ballot(request) => self.vote(request).await,
            Request::StampClaim(request) => self.claim(request).await,
            Request::Redemption(request) => self.redeem(request).await,
        }
    }

    /// Hands over many messages at once; each is accepted or refused by itself.
    ///
    /// # Errors
    /// [`ClientError`] when the request as a whole is refused.
    pub async fn send_many(&self, messages: Vec<Request>) -> Result<Vec<BulkResult>, ClientError> {
        let answer: BulkAnswer = self.post("v1/messages", &BulkRequest { messages }).await?;
        Ok(answer.results)
    }

    /// An account's messages, by id from `after` on; the answer says where to go on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn messages_of(&self, account: Address, after: Option<B256>) -> Result<AccountView, ClientError> {
        let mut url = self.base.join(&format!("v1/accounts/{account}/messages"))?;
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", &after.to_string());
        }
        answer(self.http.get(url).send().await?).await
    }

    /// Follows a message by server-sent events and calls `seen` at each change; returns the last state that was told.
    ///
    /// # Errors
    /// [`ClientError`]; `None` if the stream ended without telling anything.
    pub async fn follow(
        &self,
        id: B256,
        mut seen: impl FnMut(&MessageView),
    ) -> Result<Option<MessageView>, ClientError> {
        let response = self.http.get(self.base.join(&format!("v1/messages/{id}/events"))?).send().await?;
        if !response.status().is_success() {
            return answer::<MessageView>(response).await.map(Some);
        }
        let mut last = None;
        let mut text = Vec::new();
        let mut parts = response.bytes_stream();
        while let Some(part) = parts.next().await {
            text.extend_from_slice(&part?);
            while let Some(end) = text.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                if let Some(data) = line.strip_prefix(b"data: ")
                    && let Ok(message) = serde_json::from_slice::<MessageView>(data)
                {
                    seen(&message);
                    last = Some(message);
                }
            }
        }
        Ok(last)
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
