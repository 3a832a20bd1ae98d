//! The `kopilka` program: runs the system, deploys it, does the staff's work, replays elections, audits rounds.
//!
//! The library exists so that tests can call the commands; the binary only parses and dispatches.

pub mod audit;
pub mod ceremony;
pub mod commands;
pub mod election;
pub mod replay;
pub mod staff;
pub mod system;
