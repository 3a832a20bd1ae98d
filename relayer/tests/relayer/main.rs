//! The relayer over HTTP, on a real Postgres and a real chain with the real contracts.
#![expect(clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod admission;
mod faults;
mod fixture;
mod interface;
mod life;
mod polls;
mod recovery;
mod rewards;
mod trouble;
