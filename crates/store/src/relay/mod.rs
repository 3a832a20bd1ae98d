//! The `relay` schema: accepted messages, and the transactions that carry them. Written by the relayer alone.
//!
//! [`messages`] is what was accepted and where it stands, [`queue`] takes messages for transactions and writes down what
//! became of them, [`submissions`] are nonces and signed transactions, [`lease`] decides which process uses which sender, [`stamps`] which
//! account's stamp was issued.

pub mod lease;
pub mod messages;
pub mod queue;
pub mod stamps;
pub mod submissions;

pub use messages::{AccountKey, Counts, KnownAccount, MessageState, NewMessage};
pub use queue::{Claimed, Group, Outcome, SubmittedMessage};
pub use submissions::{Mined, NewSubmission, NewTransaction, SignedTransaction, Submission, SubmissionKind};

/// A value of the database that no version of the program writes.
fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
