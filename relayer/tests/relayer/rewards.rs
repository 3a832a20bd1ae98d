//! Polls, stamps and prizes: from a ballot to something in the hand, nobody knowing who voted.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::ensure;
use futures::future::try_join_all;
use kopilka_bindings::polls::{IPolls, Polls};
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_bindings::signed::{self, signing_hash};
use kopilka_credential::{BlindSignature, Blinding, CredentialScope, IssuerSecretKey, Signature, blind, unblind};
use kopilka_domain::MessageStatus;
use kopilka_relay_client::{BallotRequest, ClientError, RedemptionRequest, StampClaimRequest};

use crate::fixture::{Citizen, Options, World};

const PRICE: u32 = 10;

/// A poll on the world's chain, with the keys of its issuer and of its source of points.
struct Poll {
    id: u64,
    contract: Address,
    issuer: IssuerSecretKey,
    source: u64,
    source_key: IssuerSecretKey,
}

fn scope(world: &World, contract: Address, id: u64) -> CredentialScope {
    CredentialScope::new(world.chain.deployment.chain_id, contract.into_array(), U256::from(id).to_be_bytes::<32>(), 0)
}

async fn poll(world: &World, revote: bool, issued: u32) -> anyhow::Result<Poll> {
    let deployment = &world.chain.deployment;
    let polls = Polls::new(deployment.polls, world.staff.clone());
    let issuer = IssuerSecretKey::generate(&mut rand::rng());
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
    let source_key = IssuerSecretKey::generate(&mut rand::rng());
    let key = Bytes::from(source_key.public_key().to_eip2537().to_vec());
    let points = RewardPoints::new(deployment.reward_points, world.staff.clone());
    let open = points.openSource(1, deployment.polls, U256::from(id), key, PRICE, 0);
    ensure!(open.send().await?.get_receipt().await?.status(), "no source was opened");
    let source = u64::try_from(points.sourceCount().call().await?)?;
    Ok(Poll { id, contract: deployment.polls, issuer, source, source_key })
}

async fn publish(world: &World, poll: u64, issued: u32) -> anyhow::Result<()> {
    let polls = Polls::new(world.chain.deployment.polls, world.staff.clone());
    let receipt = polls.publishIssued(U256::from(poll), issued).send().await?.get_receipt().await?;
    ensure!(receipt.status(), "the number was not published");
    Ok(())
}

impl Poll {
    fn credential(&self, world: &World, account: Address) -> Bytes {
        let scope = scope(world, self.contract, self.id);
        let blinding = Blinding::generate(&mut rand::rng());
        let blinded = blind(&scope, account.into_array().into(), &blinding);
        unblind(&self.issuer.sign_blinded(&blinded), &blinding).to_bytes().to_vec().into()
    }

    fn ballot(&self, world: &World, citizen: &Citizen, version: u32, option: u32) -> BallotRequest {
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
            signature: citizen.key.sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into(),
            credential: Some(self.credential(world, citizen.account())),
            stamp: None,
        }
    }
}

fn slug<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (u16, String) {
    match result.unwrap_err() {
        ClientError::Refused { problem, .. } => (problem.status, problem.slug().to_owned()),
        other => panic!("not a refusal: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_earns_a_stamp_and_the_stamp_a_prize() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let poll = poll(&world, true, 20).await?;
    let deployment = world.chain.deployment.clone();
    let key = poll.source_key.clone();
    let relayer = world.relayer(|config| config.stamp_keys = vec![key]).await?;
    let client = &relayer.client;

    // Ten citizens vote; the first asks for a stamp on a blinded points account.
    let citizens: Vec<Citizen> = (0..10).map(|_| Citizen::new()).collect();
    let mut ballots: Vec<_> = citizens.iter().map(|citizen| poll.ballot(&world, citizen, 1, 1)).collect();
    let points_key = PrivateKeySigner::random();
    let blinding = Blinding::generate(&mut rand::rng());
    let stamp_scope = scope(&world, deployment.reward_points, poll.source);
    let blinded = blind(&stamp_scope, points_key.address().into_array().into(), &blinding);
    ballots[0].stamp = Some(blinded.to_bytes().to_vec().into());
    let accepted = try_join_all(ballots.iter().map(|ballot| client.vote(ballot))).await?;
    for accepted in &accepted {
        let message = relayer.is_final(accepted.id).await?;
        assert_eq!((message.status, message.reason), (MessageStatus::Finalized, None));
    }
    let polls = Polls::new(deployment.polls, world.staff.clone());
    assert_eq!(polls.results(U256::from(poll.id)).call().await?, [0, 10, 0]);

    // The stamp is the same however often it is asked for on the same point, and there is none on another.
    let stamp = accepted[0].stamp.clone().expect("a stamp");
    assert!(accepted[1].stamp.is_none(), "nobody asked");
    assert_eq!(client.vote(&ballots[0]).await?.stamp, Some(stamp.clone()));
    let other = blind(&stamp_scope, Address::repeat_byte(1).into_array().into(), &blinding);
    let mut again = ballots[0].clone();
    again.stamp = Some(other.to_bytes().to_vec().into());
    assert_eq!(client.vote(&again).await?.stamp, None, "one stamp for one account");
    again.stamp = Some(vec![0xc0; 48].into());
    assert_eq!(slug(client.vote(&again).await), (400, "field-malformed".to_owned()));

    // Changing the ballot needs no credential once it is on chain.
    let mut changed = poll.ballot(&world, &citizens[3], 2, 2);
    changed.credential = None;
    let changed = client.vote(&changed).await?;
    assert_eq!(relayer.is_final(changed.id).await?.status, MessageStatus::Finalized);
    assert_eq!(polls.results(U256::from(poll.id)).call().await?, [0, 9, 1]);

    // The stamp is claimed to the points account.
    let signature: Signature = unblind(&BlindSignature::from_bytes(&stamp)?, &blinding);
    let claim = StampClaimRequest {
        contract: deployment.reward_points,
        source: poll.source,
        account: points_key.address(),
        signature: signature.to_bytes().to_vec().into(),
    };
    let mut forged = claim.clone();
    forged.account = Address::repeat_byte(2);
    assert_eq!(slug(client.claim(&forged).await), (422, "credential-invalid".to_owned()));
    let claimed = client.claim(&claim).await?;
    assert_eq!(relayer.is_final(claimed.id).await?.status, MessageStatus::Finalized);
    let points = RewardPoints::new(deployment.reward_points, world.staff.clone());
    assert_eq!(points.balanceOf(1, points_key.address()).call().await?, U256::from(PRICE));

    // The points buy a prize, once.
    let shop = RewardShop::new(deployment.reward_shop, world.staff.clone());
    let content_hash = keccak256("a ticket");
    let until = "1099511627775".parse()?;
    let list = shop.listPrize(1, PRICE, 5, alloy::primitives::aliases::U40::from(1), until, 86_400, content_hash);
    ensure!(list.send().await?.get_receipt().await?.status(), "no prize was listed");
    let redeem = |code: u8| {
        let code_hash = keccak256([code; 16]);
        let text = signed::Redemption {
            account: points_key.address(),
            prizeId: U256::from(1),
            price: U256::from(PRICE),
            contentHash: content_hash,
            seasonIds: vec![U256::ZERO],
            codeHash: code_hash,
        };
        let hash = signing_hash(deployment.chain_id, deployment.reward_shop, &text);
        RedemptionRequest {
            contract: deployment.reward_shop,
            account: points_key.address(),
            prize: 1,
            price: PRICE,
            content_hash,
            seasons: vec![0],
            code_hash,
            signature: points_key.sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into(),
        }
    };
    let mut dear = redeem(1);
    dear.price = 1;
    assert_eq!(slug(client.redeem(&dear).await), (409, "prize-unavailable".to_owned()));
    let redeemed = client.redeem(&redeem(1)).await?;
    let message = relayer.is_final(redeemed.id).await?;
    assert_eq!((message.status, message.reason), (MessageStatus::Finalized, None));
    assert_eq!(client.redeem(&redeem(1)).await?.id, redeemed.id, "the same message is the same message");
    assert_eq!(slug(client.redeem(&redeem(2)).await), (409, "points-insufficient".to_owned()));
    assert_eq!(shop.prize(U256::from(1)).call().await?.stock, 4);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn ballots_wait_until_enough_credentials_are_published() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let poll = poll(&world, false, 0).await?;
    let relayer = world.relayer(|_| ()).await?;
    let client = &relayer.client;
    let citizen = Citizen::new();
    let accepted = client.vote(&poll.ballot(&world, &citizen, 1, 0)).await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(client.message(accepted.id).await?.status, MessageStatus::Queued, "nothing is sent in vain");
    publish(&world, poll.id, 5).await?;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    assert_eq!(world.count("select count(*) from relay.submissions").await?, 1);

    let second = poll.ballot(&world, &citizen, 2, 1);
    assert_eq!(slug(client.vote(&second).await), (409, "ballot-recorded".to_owned()));
    let other = Citizen::new();
    let mut bare = poll.ballot(&world, &other, 1, 0);
    bare.credential = None;
    assert_eq!(slug(client.vote(&bare).await), (422, "credential-missing".to_owned()));
    let mut wide = poll.ballot(&world, &other, 1, 0);
    wide.choice = Some("3".to_owned());
    assert_eq!(slug(client.vote(&wide).await), (422, "choices-malformed".to_owned()));
    wide.poll = 77;
    assert_eq!(slug(client.vote(&wide).await), (404, "subject-unknown".to_owned()));
    let mut foreign = poll.ballot(&world, &other, 1, 0);
    foreign.credential = Some(poll.credential(&world, citizen.account()));
    assert_eq!(slug(client.vote(&foreign).await), (422, "credential-invalid".to_owned()));
    relayer.stop().await
}
