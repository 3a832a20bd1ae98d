//! The relayer: accepts messages that citizens signed, pays the gas, and follows the transactions until they are final.
//!
//! A citizen needs no wallet and no gas, and the chain never sees who paid for whom. What the relayer may not do: log in
//! anybody, keep an address of a sender or the time of a message, or decide who may vote. Authority is in credentials and
//! signatures, which the contracts check again.
//!
//! Accepted means stored: the answer 202 is sent after the commit. From then on everything can be torn apart at any point
//! and goes on from Postgres alone; see [`engine`] for how nothing is lost or done twice.

mod admission;
mod api;
mod chain;
pub mod config;
pub mod engine;
mod gas;
mod intake;
mod keystore;
mod limits;
mod message;
mod problem;
mod receipt;
mod rounds;
mod run;
pub mod signer;
mod stamps;
mod venue;
mod verify;
mod watch;

pub use config::{Config, Contracts};
pub use engine::{Fault, FaultPlan, FaultPoint, UnknownFaultPoint};
pub use run::run;
pub use signer::{Signer, SignerError};
