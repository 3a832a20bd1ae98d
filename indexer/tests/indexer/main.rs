//! The indexer against a real chain and a real database: whatever happens on the way, the rows are those of a clean run.

mod election;
mod faults;
mod fixture;
mod hostile;
mod life;
mod numbers;
mod rebuild;
mod reorg;
mod services;
mod simulated;
