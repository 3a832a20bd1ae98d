//! Tests of the settlement and of Pabulib files: against a naive recount in fractions, by properties, on real elections, and
//! on the vectors that the browser's settlement passes too.

mod elections;
mod oracle;
mod properties;
mod real_elections;
mod vectors;
