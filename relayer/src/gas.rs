//! What messages cost in a full batch, as docs/gas.md has it: a registration 53,500, an allocation of 1, 3, 10 choices 28,700,
//! 38,200, 94,000, a first ballot 59,800, a claim 53,600, a redemption 71,500 (113,900 alone). Generous, because unused gas is
//! not paid.

use kopilka_domain::MessageKind;

use crate::config::TRANSACTION_GAS_CAP;
use crate::message::{Choice, Message};

/// Of a transaction, whatever is in it.
const BASE: u64 = 150_000;
const REGISTRATION: u32 = 60_000;
const ALLOCATION: u32 = 24_000;
const CHOICE: u32 = 8_000;
const BALLOT: u32 = 66_000;
/// A ballot that replaces another and brings no credential.
const REVOTE: u32 = 34_000;
/// What sealing adds.
const SEALED: u32 = 24_000;
const CLAIM: u32 = 64_000;
const REDEMPTION: u32 = 140_000;
/// A plain transfer, for fillers.
pub(crate) const TRANSFER: u64 = 21_000;

/// Gas of a message in a full batch.
pub(crate) fn of(message: &Message) -> u32 {
    match message {
        Message::Registration(_) => REGISTRATION,
        Message::Allocation(message) => {
            // A later version also takes back what the earlier one chose.
            let choices = u32::try_from(message.signed.initiatives.len()).unwrap_or(u32::MAX);
            let replaced = if message.signed.version > 1 { choices } else { 0 };
            ALLOCATION.saturating_add(CHOICE.saturating_mul(choices.saturating_add(replaced)))
        }
        Message::Ballot(message) => {
            let kind = if message.credential.is_some() { BALLOT } else { REVOTE };
            kind + if matches!(message.choice, Choice::Sealed(..)) { SEALED } else { 0 }
        }
        Message::StampClaim(_) => CLAIM,
        Message::Redemption(_) => REDEMPTION,
    }
}

/// Gas limit of a batch whose messages cost `sum`. Small batches with credentials pay for the pairing alone.
pub(crate) fn limit(kind: MessageKind, sum: u64) -> u64 {
    let extra = match kind {
        MessageKind::Registration | MessageKind::Ballot | MessageKind::StampClaim => 250_000,
        MessageKind::Allocation | MessageKind::Redemption => 300_000,
    };
    (BASE + extra + sum + sum / 4).min(TRANSACTION_GAS_CAP)
}
