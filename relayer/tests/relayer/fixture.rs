//! A chain with a round, a database, citizens with real credentials, and relayers that start and end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::{DynProvider, Provider as _};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, ensure};
use kopilka_bindings::allocation::{Allocation, allocation_hash};
use kopilka_bindings::budget_round::BudgetRound::{self, BudgetRoundInstance};
use kopilka_bindings::budget_rounds::{BudgetRounds, IBudgetRound, IBudgetToken};
use kopilka_bindings::municipalities::Municipalities;
use kopilka_credential::{Blinding, CredentialScope, IssuerSecretKey, blind, unblind};
use kopilka_domain::{Allotment, BallotKind};
use kopilka_relay_client::{AllocationRequest, MessageView, RegistrationRequest, RelayClient};
use kopilka_relayer::{Config, Signer};
use kopilka_testkit::{CONTROLLER_ROLE, DEV_KEYS, TestChain, TestDatabase};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Longer than anything here takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POINTS: u16 = 10;
const BUDGET: u64 = 100_000_000;

/// What kind of round and chain a test wants.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub ballot_kind: BallotKind,
    pub allotment: Allotment,
    pub initiatives: u16,
    /// Seconds between blocks, or a block for each transaction.
    pub block_seconds: Option<f64>,
    /// Kopecks of a fixed share.
    pub fixed_amount: u64,
    /// Planned length of pledging, 0 for none.
    pub pledging_seconds: u64,
    /// A consortium chain on which gas costs nothing.
    pub is_free: bool,
    /// Gas of a block.
    pub block_gas: u64,
    /// Where the issuers' keys come from; random when missing.
    pub issuer_seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ballot_kind: BallotKind::Cumulative,
            allotment: Allotment::Equal,
            initiatives: 5,
            block_seconds: None,
            fixed_amount: 1_000,
            pledging_seconds: 0,
            is_free: false,
            block_gas: 60_000_000,
            issuer_seed: None,
        }
    }
}

/// Everything around the relayers of a test.
pub struct World {
    pub database: TestDatabase,
    pub chain: TestChain,
    /// Signs as every official.
    pub staff: DynProvider,
    pub round: Address,
    pub issuers: [IssuerSecretKey; 2],
    pub round_id: U256,
    issued: AtomicU32,
}

/// A citizen's throw-away account.
pub struct Citizen {
    pub key: PrivateKeySigner,
}

impl Citizen {
    pub fn new() -> Self {
        Self { key: PrivateKeySigner::random() }
    }

    pub fn account(&self) -> Address {
        self.key.address()
    }
}

/// A credential as the portal issues it and a browser unblinds it.
pub fn credential(scope: &CredentialScope, issuer: &IssuerSecretKey, account: Address) -> Bytes {
    let blinding = Blinding::generate(&mut rand::rng());
    let blinded = blind(scope, account.into_array().into(), &blinding);
    unblind(&issuer.sign_blinded(&blinded), &blinding).to_bytes().to_vec().into()
}

/// A relayer that runs.
pub struct Relayer {
    pub client: RelayClient,
    pub url: Url,
    cancel: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Relayer {
    /// Stops it as an operator does.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.cancel.cancel();
        self.task.await?
    }

    /// Ends it at once and without a word, as kill -9 does.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// The error with which it ends by itself.
    pub async fn failure(self) -> anyhow::Result<anyhow::Error> {
        match tokio::time::timeout(PATIENCE, self.task).await?? {
            Ok(()) => anyhow::bail!("it ended without an error"),
            Err(error) => Ok(error),
        }
    }

    pub async fn is_final(&self, id: B256) -> anyhow::Result<MessageView> {
        Ok(self.client.wait_final(id, PATIENCE).await?)
    }
}

impl World {
    /// A round in the phase of registration, and a database of its own.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_on(options, TestDatabase::create().await?).await
    }

    /// The same on a given, empty database.
    pub async fn start_on(options: Options, database: TestDatabase) -> anyhow::Result<Self> {
        let chain = TestChain::start_with(|config| {
            config.block_seconds = options.block_seconds;
            config.block_gas_limit = options.block_gas;
            if options.is_free {
                let free = ["--base-fee", "0", "--gas-price", "0", "--disable-min-priority-fee"];
                config.arguments.extend(free.map(str::to_owned));
            }
        })
        .await?;
        let staff = chain.provider(0)?;
        staff.client().set_poll_interval(Duration::from_millis(20));
        let officer = chain.account(0)?;
        let operator = chain.operator()?;
        operator.client().set_poll_interval(Duration::from_millis(20));
        let register = Municipalities::new(chain.deployment.municipalities, operator);
        let done = |receipt: alloy::rpc::types::TransactionReceipt| {
            ensure!(receipt.status(), "a transaction of the fixture failed");
            Ok(receipt)
        };
        done(register.admit("01701000".to_owned(), "Барнаул".to_owned()).send().await?.get_receipt().await?)?;
        let mut grants = Vec::new();
        for role in 1..=4 {
            let grant = register.grantRole(1, role, officer, 0, u64::from(u32::MAX), B256::repeat_byte(role));
            grants.push(grant.send().await?);
        }
        let controller = chain.controller_account()?;
        let grant = register.grantRole(1, CONTROLLER_ROLE, controller, 0, u64::from(u32::MAX), B256::repeat_byte(5));
        grants.push(grant.send().await?);
        for grant in grants {
            done(grant.get_receipt().await?)?;
        }
        let is_fixed = options.allotment == Allotment::Fixed;
        let config = IBudgetRound::RoundConfig {
            municipalityId: 1,
            ballotKind: options.ballot_kind.code(),
            allotment: options.allotment.code(),
            rule: 0,
            completionRaise: true,
            completionFill: true,
            sharePoints: if options.ballot_kind == BallotKind::Cumulative { POINTS } else { 0 },
            threshold: 0,
            fixedAmount: if is_fixed { u128::from(options.fixed_amount) } else { 0 },
            registrationUntil: 0,
            pledgingUntil: options.pledging_seconds,
            objectionPeriod: 1,
            contentHash: keccak256("round"),
        };
        let appropriation = IBudgetToken::Appropriation {
            amount: u128::from(BUDGET),
            fiscalYear: 2026,
            kbk: "90105031234567890244".to_owned(),
            documentHash: keccak256("decision"),
            documentURI: "https://example.org/decision".to_owned(),
        };
        let factory = BudgetRounds::new(chain.deployment.rounds, staff.clone());
        let create = factory.createRound(config, appropriation, "Бюджет".to_owned(), "БЮД".to_owned());
        let receipt = done(create.send().await?.get_receipt().await?)?;
        let created = receipt.decoded_log::<BudgetRounds::RoundCreated>().context("no round")?;
        let mut rng = options.issuer_seed.map_or_else(rand::make_rng, StdRng::seed_from_u64);
        let issuers = [IssuerSecretKey::generate(&mut rng), IssuerSecretKey::generate(&mut rng)];
        let round = BudgetRound::new(created.round, staff.clone());
        chain.mint(created.token, &staff, U256::from(BUDGET)).await?;
        let mut sent = Vec::new();
        for (weight, issuer) in (1..).zip(&issuers) {
            let key = Bytes::from(issuer.public_key().to_eip2537().to_vec());
            sent.push(round.addClass(weight, key).send().await?);
        }
        for initiative in 1..=options.initiatives {
            sent.push(round.addInitiative(1_000 * u128::from(initiative), keccak256([initiative as u8])).send().await?);
        }
        for pending in sent {
            done(pending.get_receipt().await?)?;
        }
        done(round.openRegistration().send().await?.get_receipt().await?)?;
        Ok(Self {
            database,
            round: created.round,
            round_id: created.roundId,
            chain,
            staff,
            issuers,
            issued: AtomicU32::new(0),
        })
    }

    pub fn contract(&self) -> BudgetRoundInstance<DynProvider> {
        BudgetRound::new(self.round, self.staff.clone())
    }

    /// A credential as the portal issues it, and the request that a browser makes of it.
    pub fn registration(&self, citizen: &Citizen) -> RegistrationRequest {
        self.registration_in(citizen, 0)
    }

    pub fn registration_in(&self, citizen: &Citizen, class: u8) -> RegistrationRequest {
        self.issued.fetch_add(1, Ordering::Relaxed);
        let account = citizen.account();
        let signature = credential(&self.scope_of(class), &self.issuers[usize::from(class)], account);
        RegistrationRequest { round: self.round, class, account, signature }
    }

    /// What credentials of a class of the round are for.
    pub fn scope_of(&self, class: u8) -> CredentialScope {
        let chain_id = self.chain.deployment.chain_id;
        CredentialScope::new(chain_id, self.round.into_array(), self.round_id.to_be_bytes::<32>(), class)
    }

    /// A signed distribution.
    pub fn allocation(
        &self,
        citizen: &Citizen,
        version: u32,
        initiatives: &[u16],
        points: &[u16],
    ) -> AllocationRequest {
        let signed = Allocation {
            account: citizen.account(),
            version,
            initiatives: initiatives.to_vec(),
            points: points.to_vec(),
        };
        let hash = allocation_hash(self.chain.deployment.chain_id, self.round, &signed);
        let signature = citizen.key.sign_hash_sync(&hash).expect("a local key always signs");
        AllocationRequest {
            round: self.round,
            account: signed.account,
            version,
            initiatives: signed.initiatives,
            points: signed.points,
            signature: signature.as_bytes().to_vec().into(),
            stamp: None,
        }
    }

    pub async fn open_pledging(&self) -> anyhow::Result<()> {
        let round = self.contract();
        for class in 0..2 {
            let issued = round.classInfo(class).call().await?.issued.max(self.issued.load(Ordering::Relaxed));
            let _ = round.publishIssued(class, issued.max(1)).send().await;
        }
        let receipt = round.openPledging().gas(3_000_000).send().await?.get_receipt().await?;
        ensure!(receipt.status(), "pledging could not be opened");
        Ok(())
    }

    pub async fn close_pledging(&self) -> anyhow::Result<()> {
        let receipt = self.contract().closePledging().gas(3_000_000).send().await?.get_receipt().await?;
        ensure!(receipt.status(), "pledging could not be closed");
        Ok(())
    }

    /// Settings for tests: quick looks, two senders.
    pub fn config(&self) -> Config {
        let senders = DEV_KEYS[1..3].iter().map(|key| Signer::from_key(key).expect("a development key")).collect();
        let deployment = &self.chain.deployment;
        let rpc_url = self.chain.anvil.url().parse().expect("anvil has a URL");
        let mut config = Config::new(self.database.url.clone(), rpc_url, deployment, senders);
        config.poll_interval = Duration::from_millis(20);
        config.batch.registration_wait = Duration::from_millis(50);
        config.batch.allocation_wait = Duration::from_millis(50);
        config.follow.rebroadcast = Duration::from_millis(300);
        config
    }

    pub async fn relayer(&self, change: impl FnOnce(&mut Config)) -> anyhow::Result<Relayer> {
        let mut config = self.config();
        change(&mut config);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url: Url = format!("http://{}", listener.local_addr()?).parse()?;
        let cancel = CancellationToken::new();
        let task = tokio::spawn(kopilka_relayer::run(config, listener, cancel.clone()));
        let relayer = Relayer { client: RelayClient::new(url.clone()), url, cancel, task };
        // Ready as soon as the chain's head is known.
        let ready = relayer.url.join("readyz")?;
        for _ in 0..1_000 {
            if relayer.task.is_finished() {
                break;
            }
            if reqwest::get(ready.clone()).await.is_ok_and(|response| response.status().is_success()) {
                return Ok(relayer);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        match relayer.task.await? {
            Ok(()) => anyhow::bail!("the relayer ended"),
            Err(error) => Err(error),
        }
    }

    /// A call of anvil's own.
    pub async fn anvil(&self, method: &'static str, parameters: Value) -> anyhow::Result<Value> {
        Ok(self.staff.raw_request(method.into(), parameters).await?)
    }

    pub async fn set_automine(&self, on: bool) -> anyhow::Result<()> {
        self.anvil("evm_setAutomine", json!([on])).await.map(drop)
    }

    pub async fn mine(&self) -> anyhow::Result<()> {
        self.anvil("evm_mine", json!([])).await.map(drop)
    }

    /// Asks the database until the answer is as wanted.
    pub async fn until(&self, query: &'static str, wanted: i64) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found: i64 = sqlx::query_scalar(query).fetch_one(&self.database.pool).await?;
            if found == wanted {
                return Ok(());
            }
            ensure!(tokio::time::Instant::now() < deadline, "{query}: {found}, wanted {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn count(&self, query: &'static str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(query).fetch_one(&self.database.pool).await?)
    }

    /// Registered events of the round: more than accounts would be double work.
    pub async fn registered(&self) -> anyhow::Result<u32> {
        Ok(self.contract().registeredCount().call().await?)
    }
}
