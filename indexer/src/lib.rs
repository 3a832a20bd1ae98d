//! kopilka-indexer.
