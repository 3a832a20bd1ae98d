//! Municipalities, roles, contracts of the deployment.

use alloy::primitives::{Address, B256};

use super::UnixTime;
use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// MunicipalityAdmitted.
    MunicipalityRow in "municipalities" {
        /// Id.
        municipality_id: u64,
        /// OKTMO code.
        oktmo: String,
        /// Official name.
        name: String,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// RoleGranted or RoleRevoked.
    RoleRow in "roles" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Municipality.
        municipality_id: u64,
        /// Role.
        role: &'static str,
        /// Who.
        account: Address,
        /// False for a revocation.
        granted: bool,
        /// Unix seconds.
        valid_from: Option<UnixTime>,
        /// Unix seconds.
        valid_until: Option<UnixTime>,
        /// Hash of the application.
        application_hash: Option<B256>,
    }
    /// An address of the deployment.
    ContractRow in "contracts" {
        /// Address.
        address: Address,
        /// What it is.
        kind: &'static str,
        /// Its round.
        round: Option<Address>,
        /// Its initiative.
        initiative_id: Option<u32>,
        /// Block.
        block_number: u64,
        /// Position in the block, -1 for the deployment itself.
        log_index: i32,
    }
}
