//! The relayer's HTTP interface: requests, answers, problem documents, and a small client.
//!
//! For the command line, tests and tools. Services do not call the relayer, browsers do; so nothing here signs or waits
//! longer than it is told.

mod client;
mod messages;
mod problem;
mod schema;

pub use client::{ClientError, RelayClient};
pub use messages::{
    Accepted, AccountView, AllocationRequest, BallotRequest, BulkAnswer, BulkRequest, BulkResult, MessageView,
    RedemptionRequest, RegistrationRequest, Request, SenderView, StampClaimRequest, StatusView,
};
pub use problem::Problem;
pub use schema::MAX_LIST;
