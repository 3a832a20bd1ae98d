//! Why a request is refused: one list, and one place that turns it into problem documents (RFC 9457).

use std::time::Duration;

use alloy::primitives::{Address, B256, U256};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kopilka_domain::Phase;
use kopilka_relay_client::Problem;

/// A refusal; the text of [`Refusal::problem`] says what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    BodyMalformed { detail: String },
    BodyTooLarge { limit: usize },
    FieldMalformed { field: &'static str, detail: String },
    PageUnknown,
    MessageUnknown { id: B256 },
    RoundUnknown { round: Address },
    VenueUnknown { field: &'static str, what: &'static str },
    PhaseWrong { current: Phase, needed: &'static str, is_over: bool },
    PledgingOver,
    ClassUnknown { class: u8, count: usize },
    PollNotOpen { poll: u64, is_over: bool },
    SourceClosed { source: u64 },
    PrizeUnavailable { prize: u64, why: &'static str },
    CredentialInvalid { field: &'static str, detail: String },
    CredentialMissing,
    SignatureInvalid { signer: Option<Address>, account: Address, form: &'static str },
    ChoicesMalformed { field: &'static str, detail: String },
    AccountRegistered,
    AccountNotRegistered,
    VersionNotHigher { version: u32, current: u32 },
    BallotRecorded,
    StampClaimed,
    CodeUsed,
    PointsInsufficient { points: U256, price: u32 },
    TooOften { who: &'static str, wait: Duration },
    QueueFull,
    Busy,
    Unavailable { what: &'static str },
}

impl Refusal {
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::BodyMalformed { .. } => (S::BAD_REQUEST, "body-malformed", "The body is not the expected JSON"),
            Self::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large"),
            Self::FieldMalformed { .. } => (S::BAD_REQUEST, "field-malformed", "A field is malformed"),
            Self::PageUnknown => (S::NOT_FOUND, "path-unknown", "There is nothing here"),
            Self::MessageUnknown { .. } => (S::NOT_FOUND, "message-unknown", "No such message was accepted"),
            Self::RoundUnknown { .. } => (S::NOT_FOUND, "round-unknown", "There is no such round"),
            Self::VenueUnknown { .. } => (S::NOT_FOUND, "subject-unknown", "There is nothing that it could be for"),
            Self::PollNotOpen { .. } => (S::CONFLICT, "poll-not-open", "The poll takes no ballots"),
            Self::SourceClosed { .. } => (S::CONFLICT, "source-closed", "The source gives no points any more"),
            Self::PrizeUnavailable { .. } => (S::CONFLICT, "prize-unavailable", "The prize cannot be had"),
            Self::CredentialMissing => (S::UNPROCESSABLE_ENTITY, "credential-missing", "The credential is missing"),
            Self::BallotRecorded => (S::CONFLICT, "ballot-recorded", "The account has voted"),
            Self::StampClaimed => (S::CONFLICT, "stamp-claimed", "The account has claimed this stamp already"),
            Self::CodeUsed => (S::CONFLICT, "code-used", "The code was used already"),
            Self::PointsInsufficient { .. } => (S::CONFLICT, "points-insufficient", "The points do not suffice"),
            Self::TooOften { .. } => (S::TOO_MANY_REQUESTS, "too-often", "Too many messages in a short time"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy", "Too many requests at the same time"),
            Self::PhaseWrong { .. } => (S::CONFLICT, "phase-wrong", "The round is in another phase"),
            Self::PledgingOver => (S::CONFLICT, "phase-wrong", "Pledging is over"),
            Self::ClassUnknown { .. } => (S::UNPROCESSABLE_ENTITY, "class-unknown", "The round has no such class"),
            Self::CredentialInvalid { .. } => {
                (S::UNPROCESSABLE_ENTITY, "credential-invalid", "The credential is not valid")
            }
            Self::SignatureInvalid { .. } => {
                (S::UNPROCESSABLE_ENTITY, "signature-invalid", "The signature is not the account's")
            }
            Self::ChoicesMalformed { .. } => {
                (S::UNPROCESSABLE_ENTITY, "choices-malformed", "The choices do not fit the ballot")
            }
            Self::AccountRegistered => (S::CONFLICT, "account-registered", "The account is registered already"),
            Self::AccountNotRegistered => {
                (S::UNPROCESSABLE_ENTITY, "account-not-registered", "The account is not registered")
            }
            Self::VersionNotHigher { .. } => {
                (S::CONFLICT, "version-not-higher", "A later version was accepted already")
            }
            Self::QueueFull => (S::SERVICE_UNAVAILABLE, "queue-full", "Too many messages are waiting"),
            Self::Unavailable { .. } => (S::SERVICE_UNAVAILABLE, "unavailable", "A part of the system does not answer"),
        }
    }

    /// Stable name, also in metrics.
    pub(crate) fn slug(&self) -> &'static str {
        self.parts().1
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::FieldMalformed { field, .. } | Self::ChoicesMalformed { field, .. } => Some(field),
            Self::VenueUnknown { field, .. } | Self::CredentialInvalid { field, .. } => Some(field),
            Self::RoundUnknown { .. } | Self::PhaseWrong { .. } | Self::PledgingOver => Some("round"),
            Self::PollNotOpen { .. } => Some("poll"),
            Self::SourceClosed { .. } => Some("source"),
            Self::PrizeUnavailable { .. } => Some("prize"),
            Self::CredentialMissing => Some("credential"),
            Self::BallotRecorded | Self::StampClaimed | Self::PointsInsufficient { .. } => Some("account"),
            Self::CodeUsed => Some("code_hash"),
            Self::MessageUnknown { .. } => Some("id"),
            Self::ClassUnknown { .. } => Some("class"),
            Self::SignatureInvalid { .. } => Some("signature"),
            Self::AccountRegistered | Self::AccountNotRegistered => Some("account"),
            Self::VersionNotHigher { .. } => Some("version"),
            _ => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::BodyMalformed { detail } | Self::FieldMalformed { detail, .. } | Self::ChoicesMalformed { detail, .. } => {
                detail.clone()
            }
            Self::BodyTooLarge { limit } => format!("Send at most {limit} bytes."),
            Self::PageUnknown => {
                "GET /openapi.json describes what there is.".to_owned()
            }
            Self::MessageUnknown { id } => {
                format!("{id} is not the id of a message that was accepted here. Send the message again: the answer holds its id.")
            }
            Self::RoundUnknown { round } => {
                format!("{round} is not in the register of rounds on this chain. Use the address that the round's page shows.")
            }
            Self::PhaseWrong { current, needed, is_over: false } => {
                format!("The round is in the phase «{current}»; this needs «{needed}», which has not begun. Try again then.")
            }
            Self::PhaseWrong { current, needed, is_over: true } => {
                format!("The round is in the phase «{current}»; this needed «{needed}», which is over. Nothing can be done now.")
            }
            Self::PledgingOver => {
                "The time for pledging is over: only what was accepted by then still arrives. Nothing can be done now.".to_owned()
            }
            Self::ClassUnknown { class, count } => {
                format!("Class {class} does not exist; the classes are numbered 0 to {}.", count.saturating_sub(1))
            }
            Self::VenueUnknown { what, .. } => {
                format!("There is no such {what} in the contract that this relayer serves. Use the address and number that its page shows.")
            }
            Self::PollNotOpen { poll, is_over: false } => format!("Poll {poll} has not begun. Try again then."),
            Self::PollNotOpen { poll, is_over: true } => {
                format!("Poll {poll} is over or was called off. Nothing can be done now.")
            }
            Self::SourceClosed { source } => {
                format!("Source {source} was closed by the clerk. Stamps that were not claimed before cannot be claimed.")
            }
            Self::PrizeUnavailable { prize, why } => format!("Prize {prize}: {why}"),
            Self::CredentialMissing => {
                "No ballot of this account is on chain yet: send the credential of the poll with the ballot.".to_owned()
            }
            Self::BallotRecorded => {
                "This poll does not allow to change a ballot. If the ballot is yours, nothing is left to do.".to_owned()
            }
            Self::StampClaimed => "Every account claims a stamp of a source once. Claim another stamp to another account.".to_owned(),
            Self::CodeUsed => {
                "One code serves one redemption. To redeem again, make a new code and sign again.".to_owned()
            }
            Self::PointsInsufficient { points, price } => {
                format!("The prize costs {price} points, and the account can spend {points}. Claim more stamps first.")
            }
            Self::TooOften { who, wait } => {
                format!("This {who} has sent too much. Try again in {} seconds; nothing was stored.", seconds(*wait))
            }
            Self::Busy => "Too many requests are at work. Try again in a few seconds.".to_owned(),
            Self::CredentialInvalid { detail, .. } => {
                format!("{detail} Ask the portal for the credential again, unblind it and check it before sending.")
            }
            Self::SignatureInvalid { signer: Some(signer), account, form } => format!(
                "The signature is {signer}'s, not {account}'s. Sign {form} by EIP-712 with the domain name Kopilka, version 1, \
                 this chain's id and the contract's address."
            ),
            Self::SignatureInvalid { signer: None, account, .. } => {
                format!("No key could have made this signature. Sign again with the key of {account}.")
            }
            Self::AccountRegistered => {
                "Every account is registered once. If this is your account, nothing is left to do.".to_owned()
            }
            Self::AccountNotRegistered => {
                "Neither the chain nor the queue has a registration of this account in this round. Send the registration first."
                    .to_owned()
            }
            Self::VersionNotHigher { version, current } => format!(
                "Version {version} comes too late: version {current} of this account was accepted. Sign version {} or higher.",
                current.saturating_add(1)
            ),
            Self::QueueFull => "The queue is full. Try again in a few seconds; nothing was stored.".to_owned(),
            Self::Unavailable { what } => {
                format!("{what} does not answer at the moment. Try again in a few seconds: a message counts once however often it is sent.")
            }
        }
    }

    /// When it may help to come back.
    fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooOften { wait, .. } => Some(*wait),
            Self::Busy => Some(Duration::from_secs(1)),
            Self::QueueFull => Some(Duration::from_secs(10)),
            Self::Unavailable { .. } => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    pub(crate) fn problem(&self) -> Problem {
        let (status, slug, title) = self.parts();
        Problem {
            kind: format!("{}{slug}", Problem::PREFIX),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail(),
            field: self.field().map(str::to_owned),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, _, _) = self.parts();
        let wait = self.wait();
        let mut response = (status, axum::Json(self.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        response
    }
}

/// Whole seconds, rounded up, at least one.
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs_f64().ceil() as u64).max(1)
}
