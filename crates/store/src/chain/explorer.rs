//! Queries of the explorer's pages and API.
