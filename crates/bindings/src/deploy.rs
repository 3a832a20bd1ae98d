//! Deployment of the contracts, the same for a test, the demonstration and production.

use alloy::network::Ethereum;
use alloy::primitives::{Address, Bytes, keccak256};
use alloy::providers::Provider;
use serde::{Deserialize, Serialize};

use crate::{
    budget_round::BudgetRound, budget_rounds::BudgetRounds, budget_token::BudgetToken, issuer_keys::IssuerKeys,
    municipalities::Municipalities,
};

/// Addresses of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Block of the first deployment transaction: indexing starts here.
    pub first_block: u64,
    /// Register of municipalities and roles.
    pub municipalities: Address,
    /// Register of the issuer keys in use.
    pub issuer_keys: Address,
    /// Factory and register of rounds.
    pub rounds: Address,
    /// Code that every round delegates to.
    pub round_implementation: Address,
    /// Code that every token delegates to.
    pub token_implementation: Address,
}

impl Deployment {
    /// Name and address of each contract.
    pub fn contracts(&self) -> [(&'static str, Address); 5] {
        [
            ("municipalities", self.municipalities),
            ("issuer-keys", self.issuer_keys),
            ("rounds", self.rounds),
            ("round-implementation", self.round_implementation),
            ("token-implementation", self.token_implementation),
        ]
    }
}

/// Why a deployment failed or does not match.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The node refused or could not be reached.
    #[error("the chain's node refused the deployment")]
    Contract(#[from] alloy::contract::Error),
    /// The node did not answer a question.
    #[error("the chain's node did not answer")]
    Rpc(#[from] alloy::transports::TransportError),
    /// Another chain than the deployment's.
    #[error("the node serves chain {actual}, but the deployment is on chain {expected}")]
    WrongChain {
        /// Chain id of the deployment.
        expected: u64,
        /// Chain id of the node.
        actual: u64,
    },
    /// No code, or other code, stands at an address.
    #[error("{contract} at {address}: {found}; expected the code of abi/{contract}.json (keccak256 {expected})")]
    CodeDiffers {
        /// Contract's name.
        contract: &'static str,
        /// Where it should be.
        address: Address,
        /// What is there.
        found: String,
        /// Hash of the expected code.
        expected: String,
    },
}

/// Deploys all contracts from the provider's account; `owner` becomes the region operator.
///
/// # Errors
/// [`DeployError`] when the node refuses a transaction.
pub async fn deploy<P: Provider<Ethereum> + Clone>(provider: P, owner: Address) -> Result<Deployment, DeployError> {
    let chain_id = provider.get_chain_id().await?;
    let first_block = provider.get_block_number().await? + 1;
    // The account that deploys is known from its first transaction, and with its nonce the addresses that follow: the
    // register of keys and the contracts that claim them name each other at construction.
    let first = Municipalities::deploy_builder(provider.clone(), owner).send().await?;
    let first = first.get_receipt().await.map_err(alloy::contract::Error::from)?;
    let municipalities = first.contract_address.ok_or(alloy::contract::Error::ContractNotDeployed)?;
    let nonce = provider.get_transaction_count(first.from).await?;
    let rounds = first.from.create(nonce + 3);
    let issuer_keys = *IssuerKeys::deploy(provider.clone(), municipalities, vec![rounds]).await?.address();
    let round_implementation = *BudgetRound::deploy(provider.clone()).await?.address();
    let token_implementation = *BudgetToken::deploy(provider.clone()).await?.address();
    BudgetRounds::deploy(provider, municipalities, issuer_keys, round_implementation, token_implementation).await?;
    Ok(Deployment {
        chain_id,
        first_block,
        municipalities,
        issuer_keys,
        rounds,
        round_implementation,
        token_implementation,
    })
}

/// Checks that a deployment stands on the provider's chain with exactly the code of `abi/`.
///
/// # Errors
/// [`DeployError`] names the first difference.
pub async fn verify<P: Provider<Ethereum>>(provider: &P, deployment: &Deployment) -> Result<(), DeployError> {
    let actual = provider.get_chain_id().await?;
    if actual != deployment.chain_id {
        return Err(DeployError::WrongChain { expected: deployment.chain_id, actual });
    }
    let expected: [(&'static str, Address, &Bytes, &str); 5] = [
        (
            "Municipalities",
            deployment.municipalities,
            &Municipalities::DEPLOYED_BYTECODE,
            include_str!("../../../abi/Municipalities.json"),
        ),
        (
            "IssuerKeys",
            deployment.issuer_keys,
            &IssuerKeys::DEPLOYED_BYTECODE,
            include_str!("../../../abi/IssuerKeys.json"),
        ),
        (
            "BudgetRound",
            deployment.round_implementation,
            &BudgetRound::DEPLOYED_BYTECODE,
            include_str!("../../../abi/BudgetRound.json"),
        ),
        (
            "BudgetToken",
            deployment.token_implementation,
            &BudgetToken::DEPLOYED_BYTECODE,
            include_str!("../../../abi/BudgetToken.json"),
        ),
        (
            "BudgetRounds",
            deployment.rounds,
            &BudgetRounds::DEPLOYED_BYTECODE,
            include_str!("../../../abi/BudgetRounds.json"),
        ),
    ];
    for (contract, address, code, json) in expected {
        let found = provider.get_code_at(address).await?;
        let immutables = immutable_positions(json);
        if mask(&found, &immutables) != mask(code, &immutables) {
            let found = if found.is_empty() { "no code".to_owned() } else { format!("code {}", keccak256(&found)) };
            return Err(DeployError::CodeDiffers { contract, address, found, expected: keccak256(code).to_string() });
        }
    }
    Ok(())
}

/// Start and length of every immutable in the deployed code: set at construction, so not comparable.
fn immutable_positions(json: &str) -> Vec<(usize, usize)> {
    #[derive(Deserialize)]
    struct Position {
        start: usize,
        length: usize,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Artifact {
        #[serde(default)]
        immutable_references: std::collections::BTreeMap<String, Vec<Position>>,
    }
    serde_json::from_str::<Artifact>(json)
        .map(|artifact| artifact.immutable_references.into_values().flatten().map(|p| (p.start, p.length)).collect())
        .unwrap_or_default()
}

fn mask(code: &[u8], immutables: &[(usize, usize)]) -> Vec<u8> {
    let mut code = code.to_vec();
    for &(start, length) in immutables {
        if let Some(range) = code.get_mut(start..start + length) {
            range.fill(0);
        }
    }
    code
}
