//! The `chain` schema: what the indexer writes and everybody else reads.
//!
//! Tables and their meaning are described in the migration and in docs/data-model.md. The indexer alone uses
//! [`rows`], [`write`](mod@write), [`rollback`], [`rebuild`], [`indexes`], [`state`] and [`tables`]; readers use [`query`], [`rounds`] and [`explorer`].

pub mod audit;
pub mod columns;
mod copy;
pub mod explorer;
pub mod indexes;
pub mod query;
pub mod rebuild;
pub mod rollback;
pub mod rounds;
pub mod rows;
mod services;
pub mod state;
pub mod tables;
pub mod write;

/// Channel on which the indexer notifies after each commit. The payload is JSON:
/// `{"from":1,"block":9,"hash":"0x…","reorg":false,"rounds":["0x…"],"topics":["transfers"]}`: `rounds` is null when too
/// many were touched, `topics` are the derived tables that got rows (null after a reorg: any may have changed).
pub const HEAD_CHANNEL: &str = "chain_head";
