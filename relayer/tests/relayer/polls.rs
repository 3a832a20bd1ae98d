//! Polls with a source of points, prizes, and what citizens sign for them.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::ensure;
use kopilka_bindings::polls::{IPolls, Polls};
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_bindings::signed::{self, signing_hash};
use kopilka_credential::{CredentialScope, IssuerSecretKey};
use kopilka_relay_client::{BallotRequest, RedemptionRequest};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::fixture::{Citizen, World, credential};

/// Points for a ballot, and the price of a prize.
pub const PRICE: u32 = 10;

/// A poll on the world's chain, with the keys of its issuer and of its source of points.
pub struct Poll {
    pub id: u64,
    pub contract: Address,
    pub issuer: IssuerSecretKey,
    pub source: u64,
    pub source_key: IssuerSecretKey,
}

/// What credentials of a poll or stamps of a source are for.
pub fn scope(world: &World, contract: Address, id: u64) -> CredentialScope {
    CredentialScope::new(world.chain.deployment.chain_id, contract.into_array(), U256::from(id).to_be_bytes::<32>(), 0)
}

/// Creates a poll of three options, for which so many credentials are issued, and a source of points for its ballots.
pub async fn poll(world: &World, revote: bool, issued: u32) -> anyhow::Result<Poll> {
    poll_of(world, revote, issued, None).await
}

/// The same with keys that a seed gives.
pub async fn poll_of(world: &World, revote: bool, issued: u32, seed: Option<u64>) -> anyhow::Result<Poll> {
    let mut rng = seed.map_or_else(rand::make_rng, StdRng::seed_from_u64);
    let deployment = &world.chain.deployment;
    let polls = Polls::new(deployment.polls, world.staff.clone());
    let issuer = IssuerSecretKey::generate(&mut rng);
    let config = IPolls::PollConfig {
        municipalityId: 1,
        kind: 0,
        optionCount: 3,
        maxChoices: 1,
        revote,
        opensAt: 1,
        closesAt: 10_000_000_000,
        grace: 3_600,
        contentHash: keccak256("poll"),
        sealingKey: B256::ZERO,
    };
    let key = Bytes::from(issuer.public_key().to_eip2537().to_vec());
    let receipt = polls.createPoll(config, key).send().await?.get_receipt().await?;
    ensure!(receipt.status(), "no poll was made");
    let id = u64::try_from(polls.pollCount().call().await?)?;
    if issued > 0 {
        publish(world, id, issued).await?;
    }
    let source_key = IssuerSecretKey::generate(&mut rng);
    let key = Bytes::from(source_key.public_key().to_eip2537().to_vec());
    let points = RewardPoints::new(deployment.reward_points, world.staff.clone());
    let open = points.openSource(1, deployment.polls, U256::from(id), key, PRICE, 0);
    ensure!(open.send().await?.get_receipt().await?.status(), "no source was opened");
    let source = u64::try_from(points.sourceCount().call().await?)?;
    Ok(Poll { id, contract: deployment.polls, issuer, source, source_key })
}

/// Publishes how many credentials of a poll were issued.
pub async fn publish(world: &World, poll: u64, issued: u32) -> anyhow::Result<()> {
    let polls = Polls::new(world.chain.deployment.polls, world.staff.clone());
    let receipt = polls.publishIssued(U256::from(poll), issued).send().await?.get_receipt().await?;
    ensure!(receipt.status(), "the number was not published");
    Ok(())
}

impl Poll {
    pub fn credential(&self, world: &World, account: Address) -> Bytes {
        credential(&scope(world, self.contract, self.id), &self.issuer, account)
    }

    pub fn ballot(&self, world: &World, citizen: &Citizen, version: u32, option: u32) -> BallotRequest {
        let credential = Some(self.credential(world, citizen.account()));
        BallotRequest { credential, ..self.unproven(world, citizen, version, option) }
    }

    /// A ballot without its credential.
    pub fn unproven(&self, world: &World, citizen: &Citizen, version: u32, option: u32) -> BallotRequest {
        let choice = 1_u128 << option;
        let text = signed::Ballot { pollId: U256::from(self.id), account: citizen.account(), version, choice };
        let hash = signing_hash(world.chain.deployment.chain_id, self.contract, &text);
        BallotRequest {
            contract: self.contract,
            poll: self.id,
            account: citizen.account(),
            version,
            choice: Some(choice.to_string()),
            point: None,
            masked_choice: None,
            signature: citizen.key.sign_hash_sync(&hash).expect("a local key always signs").as_bytes().to_vec().into(),
            credential: None,
            stamp: None,
        }
    }
}

/// Lists a prize and returns its number.
pub async fn prize(world: &World, stock: u32, content_hash: B256) -> anyhow::Result<u64> {
    let shop = RewardShop::new(world.chain.deployment.reward_shop, world.staff.clone());
    let until = "1099511627775".parse()?;
    let from = alloy::primitives::aliases::U40::from(1);
    let list = shop.listPrize(1, PRICE, stock, from, until, 86_400, content_hash);
    ensure!(list.send().await?.get_receipt().await?.status(), "no prize was listed");
    Ok(u64::try_from(shop.prizeCount().call().await?)?)
}

/// A redemption of one prize for points of the only season, with the code that the number stands for.
pub fn redemption(
    world: &World,
    key: &PrivateKeySigner,
    prize: u64,
    content_hash: B256,
    code: u64,
) -> RedemptionRequest {
    let code_hash = keccak256(u128::from(code).to_be_bytes());
    let text = signed::Redemption {
        account: key.address(),
        prizeId: U256::from(prize),
        price: U256::from(PRICE),
        contentHash: content_hash,
        seasonIds: vec![U256::ZERO],
        codeHash: code_hash,
    };
    let contract = world.chain.deployment.reward_shop;
    let hash = signing_hash(world.chain.deployment.chain_id, contract, &text);
    RedemptionRequest {
        contract,
        account: key.address(),
        prize,
        price: PRICE,
        content_hash,
        seasons: vec![0],
        code_hash,
        signature: key.sign_hash_sync(&hash).expect("a local key always signs").as_bytes().to_vec().into(),
    }
}
