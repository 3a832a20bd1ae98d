//! The words and the arithmetic that every other part of Kopilka shares: ids, amounts of money, statuses, the division
//! of a citizen's share, and the settlement of a round.
//!
//! Deliberately absent: files, network, database, clock, randomness. Everything here is a function of its arguments.

pub mod allocation;
pub mod allotment;
pub mod amount;
pub mod ids;
pub mod kbk;
pub mod oktmo;
pub mod pabulib;
pub mod percent;
pub mod relay;
pub mod round;
pub mod settlement;

pub use allocation::{Allocation, AllocationError};
pub use amount::{Kopecks, ParseKopecksError, TokenAmount};
pub use ids::{Account, InitiativeId, MunicipalityId, ParseAccountError, Points, PollId, RoundId};
pub use kbk::{Kbk, ParseKbkError};
pub use oktmo::{Oktmo, ParseOktmoError};
pub use percent::Percent;
pub use relay::{MessageKind, MessageStatus, UnknownName};
pub use round::{Allotment, BallotKind, Completion, Phase, Rule, UnknownCode};
