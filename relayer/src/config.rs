//! What a relayer needs to run: plain values, parsed by the caller.

use std::time::Duration;

use alloy::primitives::Address;
use kopilka_bindings::deploy::Deployment;
use kopilka_credential::IssuerSecretKey;
use metrics_exporter_prometheus::PrometheusHandle;
use url::Url;

use crate::engine::FaultPlan;
use crate::signer::Signer;

/// EIP-7825: no transaction may use more gas.
pub const TRANSACTION_GAS_CAP: u64 = 16_777_216;

/// Everything a relayer is started with. [`Config::new`] gives defaults for what is not an address.
#[derive(Debug, Clone)]
pub struct Config {
    /// Connection URL of Postgres. Connections must be sessions of their own (no transaction pooling): leases of senders
    /// are advisory locks.
    pub database_url: String,
    /// Most connections to Postgres.
    pub database_connections: u32,
    /// JSON-RPC address of a node.
    pub rpc_url: Url,
    /// Longest wait for an answer of the node.
    pub rpc_timeout: Duration,
    /// EIP-155 chain id; the node must serve this chain.
    pub chain_id: u64,
    /// Contracts that are served.
    pub contracts: Contracts,
    /// First block of the deployment, from which events are looked up.
    pub first_block: u64,
    /// Who pays the gas.
    pub senders: Vec<Signer>,
    /// How often the head of the chain is asked for.
    pub poll_interval: Duration,
    /// What requests are accepted, and how they are collected.
    pub intake: IntakeConfig,
    /// How often one network or account may send.
    pub limits: LimitConfig,
    /// Keys of the sources of points for which this relayer stamps. Each is found by its public key in the contract.
    pub stamp_keys: Vec<IssuerSecretKey>,
    /// How messages are put into transactions.
    pub batch: BatchConfig,
    /// What is paid.
    pub fees: FeeConfig,
    /// How transactions are followed.
    pub follow: FollowConfig,
    /// Renders `/metrics`; the process installs the recorder once and gives every service the handle.
    pub prometheus: Option<PrometheusHandle>,
    /// Where to break off, for tests of recovery.
    pub fault: Option<FaultPlan>,
}

/// What requests are accepted, and how they are collected before they are checked and stored together.
#[derive(Debug, Clone)]
pub struct IntakeConfig {
    /// Most requests that are checked and stored together.
    pub group_size: usize,
    /// Longest wait for companions.
    pub group_wait: Duration,
    /// Groups that are checked at the same time.
    pub groups_at_once: usize,
    /// Most requests that wait to be collected.
    pub backlog: usize,
    /// Most messages in the queue; beyond it requests are refused for a while.
    pub queue_limit: u64,
    /// Most bytes of a request with one message.
    pub body_limit: usize,
    /// Most bytes of a request with many.
    pub bulk_limit: usize,
}

/// The contracts that a relayer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contracts {
    /// The register of rounds; only its rounds are served.
    pub rounds: Address,
    /// Polls.
    pub polls: Address,
    /// Points for taking part.
    pub reward_points: Address,
    /// Prizes for points.
    pub reward_shop: Address,
}

impl From<&Deployment> for Contracts {
    fn from(deployment: &Deployment) -> Self {
        Self {
            rounds: deployment.rounds,
            polls: deployment.polls,
            reward_points: deployment.reward_points,
            reward_shop: deployment.reward_shop,
        }
    }
}

/// How often somebody may send. Kept in memory alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Messages a second in the long run.
    pub per_second: f64,
    /// Messages at once.
    pub burst: u32,
}

/// How often one network or account may send; `None` for any number.
#[derive(Debug, Clone, Copy)]
pub struct LimitConfig {
    /// A network is 24 bits of IPv4 or 48 of IPv6; this machine itself is not limited. Many citizens of one mobile
    /// operator share a network.
    pub per_network: Option<Rate>,
    /// Messages of one account whose signature or credential is good.
    pub per_account: Option<Rate>,
    /// A reverse proxy of ours stands before this process: the last address of `X-Forwarded-For` is where a request comes
    /// from.
    pub behind_proxy: bool,
}

/// How messages are put into transactions.
#[derive(Debug, Clone)]
pub struct BatchConfig {
    /// Most messages in a transaction.
    pub max_items: u32,
    /// Gas at which a batch is full.
    pub target_gas: u64,
    /// Most bytes of calldata: nodes refuse transactions beyond 128 KiB.
    pub max_bytes: usize,
    /// How long a batch that is not full waits for more. The longer, the more citizens a reader of the chain sees arrive
    /// at one moment: a public deployment sets minutes for registrations.
    pub registration_wait: Duration,
    /// The same for allocations.
    pub allocation_wait: Duration,
    /// The same for ballots.
    pub ballot_wait: Duration,
    /// The same for claims of stamps.
    pub claim_wait: Duration,
    /// The same for redemptions.
    pub redemption_wait: Duration,
    /// Transactions of one sender that may be on their way at the same time.
    pub max_in_flight: u64,
    /// Transactions without effect after which a message fails.
    pub max_attempts: i16,
}

/// What is paid for gas.
#[derive(Debug, Clone)]
pub struct FeeConfig {
    /// Least tip for a unit of gas, in wei.
    pub min_priority_fee: u128,
    /// Most wei for a unit of gas, tip included, whatever happens.
    pub max_fee_ceiling: u128,
    /// Blocks after which the lowest transaction of a sender that is not mined is replaced by a dearer one.
    pub bump_after_blocks: u64,
    /// Balance of a sender below which a warning is given, in wei.
    pub low_balance: u128,
}

/// How transactions are followed.
#[derive(Debug, Clone)]
pub struct FollowConfig {
    /// Blocks, the transaction's own included, after which it counts as permanent.
    pub confirmations: u64,
    /// How often the same bytes are sent again until they are mined.
    pub rebroadcast: Duration,
    /// Blocks after finality at which contents are removed from the database.
    pub prune_after_blocks: u64,
}

impl Default for BatchConfig {
    fn default() -> Self {
        let wait = Duration::from_millis(500);
        Self {
            max_items: 200,
            target_gas: 14_000_000,
            max_bytes: 120_000,
            registration_wait: wait,
            allocation_wait: wait,
            ballot_wait: wait,
            claim_wait: wait,
            redemption_wait: wait,
            max_in_flight: 8,
            max_attempts: 5,
        }
    }
}

impl Default for FeeConfig {
    fn default() -> Self {
        Self {
            min_priority_fee: 100_000_000,
            max_fee_ceiling: 500_000_000_000,
            bump_after_blocks: 5,
            low_balance: 100_000_000_000_000_000,
        }
    }
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self { confirmations: 1, rebroadcast: Duration::from_secs(5), prune_after_blocks: 1_000 }
    }
}

impl Config {
    /// Defaults for a development chain; a public one wants more confirmations and longer waits.
    pub fn new(database_url: String, rpc_url: Url, deployment: &Deployment, senders: Vec<Signer>) -> Self {
        Self {
            database_url,
            database_connections: 16,
            rpc_url,
            rpc_timeout: Duration::from_secs(20),
            chain_id: deployment.chain_id,
            contracts: deployment.into(),
            first_block: deployment.first_block,
            senders,
            poll_interval: Duration::from_millis(250),
            intake: IntakeConfig {
                group_size: 256,
                // Credentials cost a pairing for each group: what waits a moment for others costs less.
                group_wait: Duration::from_millis(15),
                // While the node makes a block it answers nothing: these are checked meanwhile.
                groups_at_once: 4,
                backlog: 4_096,
                queue_limit: 100_000,
                body_limit: 16 * 1024,
                bulk_limit: 1024 * 1024,
            },
            limits: LimitConfig {
                per_network: Some(Rate { per_second: 50.0, burst: 1_000 }),
                per_account: Some(Rate { per_second: 0.5, burst: 30 }),
                behind_proxy: false,
            },
            stamp_keys: Vec::new(),
            batch: BatchConfig::default(),
            fees: FeeConfig::default(),
            follow: FollowConfig::default(),
            prometheus: None,
            fault: None,
        }
    }
}
