//! The whole system, run as its users run it.

mod audit;
mod citizen;
mod crash;
mod election;
mod issuers;
