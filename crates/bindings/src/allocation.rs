//! The EIP-712 message with which a citizen distributes a share.

use alloy::primitives::{Address, B256};
use alloy::sol_types::{Eip712Domain, SolStruct, eip712_domain};

mod message {
    alloy::sol! {
        struct Allocation {
            address account;
            uint32 version;
            uint16[] initiatives;
            uint16[] points;
        }
    }
}

/// The signed message; the contract's struct of the same shape is [`crate::budget_round::IBudgetRound::Allocation`].
pub use message::Allocation;

/// EIP-712 domain of a round: name "Kopilka", version "1", the chain and the round's address.
pub fn allocation_domain(chain_id: u64, round: Address) -> Eip712Domain {
    eip712_domain! {
        name: "Kopilka",
        version: "1",
        chain_id: chain_id,
        verifying_contract: round,
    }
}

/// The 32 bytes that the account signs.
pub fn allocation_hash(chain_id: u64, round: Address, allocation: &Allocation) -> B256 {
    allocation.eip712_signing_hash(&allocation_domain(chain_id, round))
}
