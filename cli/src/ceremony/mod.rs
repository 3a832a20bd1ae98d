//! The making of an issuer key by several offices, so that no single one ever holds it: see docs/ceremony.md.
//!
//! The people of a ceremony exchange files in any way they like (mail, a memory stick, a shared folder): everything in the
//! public folder is signed by its author and secret to nobody; shares in it are encrypted to their receivers. What must
//! stay secret lies in each one's private folder. Every step is a function from files to files, so it can be looked at, repeated
//! and judged by anybody afterwards.
//!
//! Deliberately absent: a network protocol, and any trust in whoever carries the files. A file that was altered, or that differs
//! from one receiver to the next, shows in the digests that the participants sign.

mod identity;
mod private;
mod record;
mod steps;

pub use identity::{Card, Identity, Passphrase};
pub use private::PrivateFolder;
pub use record::{
    Answers, Confirmation, Contribution, Destruction, Disqualified, Plan, Purpose, Record, Review, Signed, Statement,
    Transcript,
};
pub use steps::{
    answer, combine, contribute, create, deal, destroy, finish, seal_shares, share, sign, transcript, trial_message,
    verify,
};
