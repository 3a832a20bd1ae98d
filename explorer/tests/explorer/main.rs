//! The explorer over HTTP, with a real Postgres filled as the indexer fills it.

mod files;
mod fixture;
mod live;
mod pages;
mod rounds;
mod rpc;
