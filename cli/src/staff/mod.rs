//! What municipal staff do on the chain and at the portal, as functions that the commands and the replay share.

mod actions;
mod execution;
mod plan;
mod portal;

pub use actions::{RoundHandle, Staff, describe};
pub(crate) use actions::{connect, find_municipality};
pub use execution::Stage;
pub use plan::{AppropriationPlan, InitiativePlan, MunicipalityPlan, RoundPlan};
pub use portal::PortalStaff;
