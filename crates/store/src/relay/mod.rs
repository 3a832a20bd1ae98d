//! The `relay` schema: accepted messages, and the transactions that carry them. Written by the relayer alone.
//!
//! [`messages`] is the queue and what became of each message, [`submissions`] are nonces and signed transactions,
//! [`lease`] decides which process uses which sender.

pub mod lease;
pub mod messages;
pub mod submissions;

pub use messages::{Claimed, Counts, Group, KnownAccount, MessageState, NewMessage, Outcome, SubmittedMessage};
pub use submissions::{Mined, NewSubmission, NewTransaction, SignedTransaction, Submission, SubmissionKind};

/// A value of the database that no version of the program writes.
fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
