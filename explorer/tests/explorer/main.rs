//! The explorer over HTTP, with a real Postgres filled as the indexer fills it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod files;
mod fixture;
mod live;
mod pages;
mod rounds;
mod rpc;
