//! What municipal staff do on the chain and at the portal, as functions that the commands and the replay share.

mod actions;
mod execution;
mod plan;
mod portal;

pub(crate) use actions::connect;
pub use actions::{RoundHandle, Staff, describe};
pub use execution::Stage;
pub use plan::{AppropriationPlan, InitiativePlan, MunicipalityPlan, RoundPlan};
pub use portal::PortalStaff;
