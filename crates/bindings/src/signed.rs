//! The EIP-712 messages that throw-away accounts sign beside [`crate::allocation`]: ballots and redemptions. All share one
//! form of domain: name "Kopilka", version "1", the chain and the contract that they are for.

use alloy::primitives::{Address, B256};
use alloy::sol_types::{Eip712Domain, SolStruct, eip712_domain};

mod message {
    alloy::sol! {
        /// A ballot of an open poll.
        struct Ballot {
            uint256 pollId;
            address account;
            uint32 version;
            uint128 choice;
        }
        /// A ballot of a sealed poll.
        struct SealedBallot {
            uint256 pollId;
            address account;
            uint32 version;
            bytes32 point;
            uint128 maskedChoice;
        }
        /// Points spent on a prize.
        struct Redemption {
            address account;
            uint256 prizeId;
            uint256 price;
            bytes32 contentHash;
            uint256[] seasonIds;
            bytes32 codeHash;
        }
    }
}

pub use message::{Ballot, Redemption, SealedBallot};

/// EIP-712 domain of a contract that takes signed messages.
pub fn domain(chain_id: u64, contract: Address) -> Eip712Domain {
    eip712_domain! {
        name: "Kopilka",
        version: "1",
        chain_id: chain_id,
        verifying_contract: contract,
    }
}

/// The 32 bytes that the account signs.
pub fn signing_hash(chain_id: u64, contract: Address, message: &impl SolStruct) -> B256 {
    message.eip712_signing_hash(&domain(chain_id, contract))
}
