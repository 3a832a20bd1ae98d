//! The portal: citizens log in through ESIA, receive one blind credential for each round, and find the pages on which their
//! browser makes keys, registers and allocates.
//!
//! What the portal never learns: the account that a credential is for, and what its holder chooses. Scripts send both to the
//! relayer, without cookies. What it never stores: a name, an ESIA number, an address, a session, the time of anything.
//!
//! It deliberately does not relay messages, does not index the chain (it reads what the indexer wrote, and the chain itself
//! where a decision hangs on it), and keeps issuer keys outside the database.

mod api;
mod config;
mod error;
mod issuance;
mod keys;
mod live;
mod login;
mod pages;
mod publish;
mod rounds;
mod run;
mod session;
mod signing;
mod staff;
mod state;
mod territory;
mod texts;

pub use config::{Config, StaffToken};
pub use keys::{IssuerKey, KeyError, KeyStore};
pub use run::{RunError, run};
pub use territory::{ParseTerritoriesError, Territories};
