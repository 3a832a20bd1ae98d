//! Polls, stamps and prizes: from a ballot to something in the hand, nobody knowing who voted.

use alloy::primitives::{Address, U256, keccak256};
use alloy::providers::Provider as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context as _;
use futures::future::try_join_all;
use kopilka_bindings::polls::{IPolls, Polls};
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_credential::{BlindSignature, Blinding, Signature, blind, unblind};
use kopilka_domain::MessageStatus;
use kopilka_relay_client::{ClientError, StampClaimRequest};

use crate::fixture::{Citizen, Options, World, credential};
use crate::polls::{PRICE, poll, prize, publish, redemption, scope};

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
    let changed = client.vote(&poll.unproven(&world, &citizens[3], 2, 2)).await?;
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
    let prize = prize(&world, 5, content_hash).await?;
    let redeem = |code: u64| redemption(&world, &points_key, prize, content_hash, code);
    let mut dear = redeem(1);
    dear.price = 1;
    assert_eq!(slug(client.redeem(&dear).await), (409, "prize-unavailable".to_owned()));
    let redeemed = client.redeem(&redeem(1)).await?;
    let message = relayer.is_final(redeemed.id).await?;
    assert_eq!((message.status, message.reason), (MessageStatus::Finalized, None));
    assert_eq!(client.redeem(&redeem(1)).await?.id, redeemed.id, "the same message is the same message");
    assert_eq!(slug(client.redeem(&redeem(2)).await), (409, "points-insufficient".to_owned()));
    assert_eq!(shop.prize(U256::from(prize)).call().await?.stock, 4);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_took_effect_elsewhere_needs_no_room() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let poll = poll(&world, false, 20).await?;
    let contract = world.chain.deployment.reward_points;
    let relayer = world.relayer(|_| ()).await?;
    let account = Address::repeat_byte(5);
    let stamp = credential(&scope(&world, contract, poll.source), &poll.source_key, account);
    let claim = StampClaimRequest { contract, source: poll.source, account, signature: stamp.clone() };
    let waiting = relayer.client.claim(&claim).await?;

    // In one block, and by a stranger, the only ballot and the claim: the relayer's finds no room, then or ever.
    let citizen = Citizen::new();
    let ballot = poll.ballot(&world, &citizen, 1, 1);
    let signed = alloy::primitives::Signature::try_from(ballot.signature.as_ref())?.as_erc2098();
    let proof = Signature::from_bytes(ballot.credential.as_ref().context("a credential")?)?.to_uncompressed();
    let _: serde_json::Value = world.staff.raw_request("evm_setAutomine".into(), (false,)).await?;
    let polls = Polls::new(poll.contract, world.staff.clone());
    let cast = IPolls::Ballot { version: 1, choice: 2 };
    let cast = polls.castBallots(U256::from(poll.id), vec![citizen.account()], vec![cast], signed.into(), proof.into());
    let cast = cast.gas(1_000_000).send().await?;
    let points = RewardPoints::new(contract, world.staff.clone());
    let proof = Signature::from_bytes(&stamp)?.to_uncompressed();
    let direct = points.claim(U256::from(poll.source), vec![account], proof.into());
    let direct = direct.gas(1_000_000).send().await?;
    let _: serde_json::Value = world.staff.raw_request("evm_mine".into(), ()).await?;
    let _: serde_json::Value = world.staff.raw_request("evm_setAutomine".into(), (true,)).await?;
    assert!(cast.get_receipt().await?.decoded_log::<Polls::BallotCast>().is_some(), "the ballot counts");
    let claimed = direct.get_receipt().await?;
    assert!(claimed.decoded_log::<RewardPoints::StampClaimed>().is_some(), "the stranger made the claim");

    let claimed = relayer.is_final(waiting.id).await?;
    assert_eq!((claimed.status, claimed.reason), (MessageStatus::Finalized, None));
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
    assert_eq!(slug(client.vote(&poll.unproven(&world, &other, 1, 0)).await), (422, "credential-missing".to_owned()));
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
