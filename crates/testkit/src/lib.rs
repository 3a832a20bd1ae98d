//! Fixtures for tests: a fresh database on a real Postgres, a fresh anvil with the contracts deployed.
//!
//! One Postgres serves all tests of a checkout: the first test starts it below `.kopilka/test/`, later ones find it.
//! A chain belongs to one test and dies with it.

mod chain;
mod database;
pub mod node;

pub use chain::{CONTROLLER_KEY, CONTROLLER_ROLE, DEV_KEYS, OPERATOR_KEY, TestChain};
pub use database::{TestDatabase, repository_root};
