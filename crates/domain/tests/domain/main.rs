//! Tests of the settlement and of Pabulib files: against a naive recount in fractions, by properties, on real elections, and
//! on the vectors that the browser's settlement passes too; and the rounds that the contracts play.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod elections;
mod oracle;
mod properties;
mod real_elections;
mod rounds;
mod vectors;
