//! What addresses are called: contracts of the deployment, wallets of initiatives, accounts of citizens, people who act for
//! a municipality, relayers.

use std::collections::{BTreeSet, HashMap, HashSet};

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolCall as _;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_store::chain::explorer::{self, KnownContract, RoleLine};
use kopilka_store::chain::rounds;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::texts::{Document, Texts};

/// Rounds whose initiatives are named on one page at most.
const ROUNDS: usize = 20;

/// Names of the addresses on one page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) contracts: HashMap<Address, KnownContract>,
    pub(crate) citizens: HashMap<Address, Address>,
    pub(crate) roles: HashMap<Address, Vec<RoleLine>>,
    pub(crate) relayers: HashSet<Address>,
    /// Descriptions of initiatives by round and number.
    pub(crate) initiatives: HashMap<(Address, i32), B256>,
    pub(crate) texts: Texts,
}

impl Names {
    /// Looks addresses up; the zero address needs no name.
    pub(crate) async fn load(connection: &mut PgConnection, addresses: Vec<Address>) -> anyhow::Result<Self> {
        let addresses: BTreeSet<Address> = addresses.into_iter().filter(|address| !address.is_zero()).collect();
        let all: Vec<Address> = addresses.into_iter().collect();
        let mut names = Self::default();
        for contract in explorer::known_contracts(connection, &all).await? {
            names.contracts.insert(contract.address, contract);
        }
        let others: Vec<Address> = all.into_iter().filter(|address| !names.contracts.contains_key(address)).collect();
        if !others.is_empty() {
            names.citizens = explorer::registered_accounts(connection, &others).await?.into_iter().collect();
            let others: Vec<Address> =
                others.into_iter().filter(|address| !names.citizens.contains_key(address)).collect();
            for role in explorer::roles(connection, &others).await? {
                names.roles.entry(role.account).or_default().push(role);
            }
            let batches = [BudgetRound::registerCall::SELECTOR, BudgetRound::allocateCall::SELECTOR];
            names.relayers = explorer::batch_senders(connection, &others, &batches).await?.into_iter().collect();
        }
        let rounds: BTreeSet<Address> = names.contracts.values().filter_map(|contract| contract.round).collect();
        for round in rounds.into_iter().take(ROUNDS) {
            for initiative in rounds::initiatives(connection, round).await? {
                names.initiatives.insert((round, initiative.initiative_id), initiative.content_hash);
            }
        }
        names.texts = Texts::load(connection, names.hashes()).await?;
        Ok(names)
    }

    fn hashes(&self) -> Vec<B256> {
        let of_contracts = self
            .contracts
            .values()
            .flat_map(|contract| [contract.round_content_hash, contract.initiative_content_hash]);
        of_contracts.flatten().chain(self.initiatives.values().copied()).collect()
    }

    /// The published text of an initiative.
    pub(crate) fn initiative(&self, round: Address, id: i32) -> Option<&Document> {
        self.initiatives.get(&(round, id)).and_then(|hash| self.texts.get(hash))
    }

    /// The published text of the round that a contract belongs to.
    pub(crate) fn round_of(&self, contract: &KnownContract) -> Option<&Document> {
        contract.round_content_hash.as_ref().and_then(|hash| self.texts.get(hash))
    }

    /// What an account may do for a municipality now, the weightiest access first.
    pub(crate) fn role(&self, account: Address, now: OffsetDateTime) -> Option<&RoleLine> {
        let holds = |role: &&RoleLine| {
            role.granted
                && role.valid_from.is_some_and(|from| from <= now)
                && role.valid_until.is_some_and(|until| now < until)
        };
        self.roles.get(&account)?.iter().find(holds)
    }
}

/// Words of 32 bytes that look like addresses: candidates for names in topics, data and inputs.
pub(crate) fn candidates(bytes: &[u8]) -> impl Iterator<Item = Address> + '_ {
    bytes.chunks_exact(32).filter_map(|word| {
        let (head, tail) = word.split_at(12);
        let is_address = head.iter().all(|byte| *byte == 0) && tail[..6].iter().any(|byte| *byte != 0);
        is_address.then(|| Address::from_slice(tail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_no_addresses() {
        let mut bytes = vec![0_u8; 32];
        bytes[31] = 7;
        let address = Address::repeat_byte(0x11);
        bytes.extend(address.into_word());
        bytes.extend([0xff; 32]);
        assert_eq!(candidates(&bytes).collect::<Vec<_>>(), vec![address]);
    }
}
