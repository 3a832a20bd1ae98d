//! What messages cost in a batch, measured with the contracts of `abi/`: a registration 53,400, an allocation of 1, 3, 10
//! choices 26,400, 36,100, 92,700. Generous, because unused gas is not paid.

use kopilka_domain::MessageKind;

use crate::config::TRANSACTION_GAS_CAP;

/// Of a transaction, whatever is in it.
const BASE: u64 = 150_000;
const REGISTRATION: u32 = 60_000;
const ALLOCATION: u32 = 24_000;
const CHOICE: u32 = 8_000;
/// A plain transfer, for fillers.
pub(crate) const TRANSFER: u64 = 21_000;

/// Gas of a registration in a full batch.
pub(crate) fn registration() -> u32 {
    REGISTRATION
}

/// Gas of an allocation in a full batch; a later version also takes back what the earlier one chose.
pub(crate) fn allocation(choices: usize, version: u32) -> u32 {
    let choices = u32::try_from(choices).unwrap_or(u32::MAX);
    let replaced = if version > 1 { choices } else { 0 };
    ALLOCATION.saturating_add(CHOICE.saturating_mul(choices.saturating_add(replaced)))
}

/// Gas limit of a batch whose messages cost `sum`. Small batches of registrations pay for the pairing alone.
pub(crate) fn limit(kind: MessageKind, sum: u64) -> u64 {
    let extra = match kind {
        MessageKind::Registration => 200_000,
        MessageKind::Allocation => 300_000,
    };
    (BASE + extra + sum + sum / 4).min(TRANSACTION_GAS_CAP)
}
