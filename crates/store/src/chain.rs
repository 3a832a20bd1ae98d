//! The `chain` schema: what the indexer writes and everybody else reads.
//!
//! Tables and their meaning are described in the migration and in docs/data-model.md.

pub mod explorer;
