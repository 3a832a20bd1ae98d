//! Deployment of the contracts, the same for a test, the demonstration and production.

use alloy::network::Ethereum;
use alloy::primitives::{Address, Bytes, keccak256};
use alloy::providers::Provider;
use serde::{Deserialize, Serialize};

use crate::anchors::Anchors;
use crate::budget_round::BudgetRound;
use crate::budget_rounds::BudgetRounds;
use crate::budget_token::BudgetToken;
use crate::issuer_keys::IssuerKeys;
use crate::milestones::Milestones;
use crate::municipalities::Municipalities;
use crate::polls::Polls;
use crate::reward_points::RewardPoints;
use crate::reward_shop::RewardShop;

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
    /// Polls.
    pub polls: Address,
    /// Points for taking part.
    pub reward_points: Address,
    /// Prizes for points.
    pub reward_shop: Address,
    /// Roots of off-chain registers.
    pub anchors: Address,
    /// How winners are carried out.
    pub milestones: Address,
}

impl Deployment {
    /// Name and address of each contract.
    pub fn contracts(&self) -> [(&'static str, Address); 10] {
        [
            ("municipalities", self.municipalities),
            ("issuer-keys", self.issuer_keys),
            ("rounds", self.rounds),
            ("round-implementation", self.round_implementation),
            ("token-implementation", self.token_implementation),
            ("polls", self.polls),
            ("reward-points", self.reward_points),
            ("reward-shop", self.reward_shop),
            ("anchors", self.anchors),
            ("milestones", self.milestones),
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
    /// A contract of the deployment trusts another one than the deployment's.
    #[error("{contract} at {address}: its {part} is {found}; expected {expected}")]
    WiredDifferently {
        /// Contract's name.
        contract: &'static str,
        /// Where it is.
        address: Address,
        /// What it trusts.
        part: &'static str,
        /// The address in the contract.
        found: Address,
        /// The deployment's.
        expected: Address,
    },
    /// A verifier that cannot claim issuer keys.
    #[error("IssuerKeys at {issuer_keys}: {verifier} may not claim keys; was the register deployed with the others?")]
    VerifierMissing {
        /// Register of keys.
        issuer_keys: Address,
        /// Who should be admitted.
        verifier: Address,
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
    // The account that deploys is known from its first transaction, and with its nonce the addresses that follow: some
    // contracts name each other at construction.
    let first = Municipalities::deploy_builder(provider.clone(), owner).send().await?;
    let first = first.get_receipt().await.map_err(alloy::contract::Error::from)?;
    let municipalities = first.contract_address.ok_or(alloy::contract::Error::ContractNotDeployed)?;
    let nonce = provider.get_transaction_count(first.from).await?;
    let at = |position: u64| first.from.create(nonce + position);
    let deployment = Deployment {
        chain_id,
        first_block,
        municipalities,
        issuer_keys: at(0),
        round_implementation: at(1),
        token_implementation: at(2),
        rounds: at(3),
        polls: at(4),
        reward_points: at(5),
        reward_shop: at(6),
        anchors: at(7),
        milestones: at(8),
    };
    let Deployment { issuer_keys, rounds, polls, reward_points, reward_shop, .. } = deployment;
    let (round, token) = (deployment.round_implementation, deployment.token_implementation);
    let verifiers = vec![rounds, polls, reward_points];
    // In the order of the positions above.
    let pending = [
        IssuerKeys::deploy_builder(&provider, municipalities, verifiers).send().await?,
        BudgetRound::deploy_builder(&provider).send().await?,
        BudgetToken::deploy_builder(&provider).send().await?,
        BudgetRounds::deploy_builder(&provider, municipalities, issuer_keys, round, token).send().await?,
        Polls::deploy_builder(&provider, municipalities, issuer_keys).send().await?,
        RewardPoints::deploy_builder(&provider, municipalities, issuer_keys, rounds, reward_shop).send().await?,
        RewardShop::deploy_builder(&provider, municipalities, reward_points).send().await?,
        Anchors::deploy_builder(&provider, municipalities).send().await?,
        Milestones::deploy_builder(&provider, municipalities, rounds).send().await?,
    ];
    for (position, pending) in (0..).zip(pending) {
        let receipt = pending.get_receipt().await.map_err(alloy::contract::Error::from)?;
        if !receipt.status() || receipt.contract_address != Some(at(position)) {
            return Err(alloy::contract::Error::ContractNotDeployed.into());
        }
    }
    Ok(deployment)
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
    macro_rules! contract {
        ($name:ident, $address:ident) => {
            (
                stringify!($name),
                deployment.$address,
                &$name::DEPLOYED_BYTECODE,
                include_str!(concat!("../../../abi/", stringify!($name), ".json")),
            )
        };
    }
    let expected: [(&'static str, Address, &Bytes, &str); 10] = [
        contract!(Municipalities, municipalities),
        contract!(IssuerKeys, issuer_keys),
        contract!(BudgetRound, round_implementation),
        contract!(BudgetToken, token_implementation),
        contract!(BudgetRounds, rounds),
        contract!(Polls, polls),
        contract!(RewardPoints, reward_points),
        contract!(RewardShop, reward_shop),
        contract!(Anchors, anchors),
        contract!(Milestones, milestones),
    ];
    for (contract, address, code, json) in expected {
        let found = provider.get_code_at(address).await?;
        let immutables = immutable_positions(json);
        if mask(&found, &immutables) != mask(code, &immutables) {
            let found = if found.is_empty() { "no code".to_owned() } else { format!("code {}", keccak256(&found)) };
            return Err(DeployError::CodeDiffers { contract, address, found, expected: keccak256(code).to_string() });
        }
    }
    verify_wiring(provider, deployment).await
}

/// What the contracts were told at construction is not in the comparable code: they are asked.
async fn verify_wiring<P: Provider<Ethereum>>(provider: &P, deployment: &Deployment) -> Result<(), DeployError> {
    macro_rules! wired {
        ($($contract:ident at $address:ident: $($view:ident = $expected:ident),+;)+) => {
            $($(
                let address = deployment.$address;
                let found = $contract::new(address, provider).$view().call().await?;
                let expected = deployment.$expected;
                if found != expected {
                    let (contract, part) = (stringify!($contract), stringify!($view));
                    return Err(DeployError::WiredDifferently { contract, address, part, found, expected });
                }
            )+)+
        };
    }
    wired! {
        IssuerKeys at issuer_keys: municipalities = municipalities;
        BudgetRounds at rounds: municipalities = municipalities, issuerKeys = issuer_keys,
            roundImplementation = round_implementation, tokenImplementation = token_implementation;
        Polls at polls: municipalities = municipalities, issuerKeys = issuer_keys;
        RewardPoints at reward_points: municipalities = municipalities, issuerKeys = issuer_keys, rounds = rounds,
            shop = reward_shop;
        RewardShop at reward_shop: municipalities = municipalities, points = reward_points;
        Anchors at anchors: municipalities = municipalities;
        Milestones at milestones: municipalities = municipalities, rounds = rounds;
    }
    let issuer_keys = deployment.issuer_keys;
    for verifier in [deployment.rounds, deployment.polls, deployment.reward_points] {
        if !IssuerKeys::new(issuer_keys, provider).isVerifier(verifier).call().await? {
            return Err(DeployError::VerifierMissing { issuer_keys, verifier });
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
