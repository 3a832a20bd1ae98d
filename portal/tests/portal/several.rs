//! A key that several issuers made together: this portal has a share, signs in part, and names the others.

use std::fs;

use alloy::primitives::Address;
use kopilka_credential::threshold::{
    Dealer, GroupKeys, IssuerIndex, KeyShare, PartialSignature, SessionId, Threshold, conclude,
};
use kopilka_credential::{unblind, verify};
use kopilka_esia::standin::named;
use kopilka_portal::{KeyError, KeyStore};
use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use crate::world::{Keys, RoundOptions, World, problem};

/// Two of three, dealt and concluded as in a ceremony.
fn group() -> (GroupKeys, Vec<KeyShare>) {
    let threshold = Threshold::new(2, 3).unwrap();
    let session = SessionId::from([7; 32]);
    let dealers: Vec<_> =
        threshold.indices().map(|index| Dealer::generate(session, threshold, index, &mut rand::rng())).collect();
    let dealings: Vec<_> = dealers.iter().map(Dealer::dealing).collect();
    let outcome = conclude(session, threshold, &dealings, &[], &[]).unwrap();
    let shares = threshold.indices().map(|issuer| {
        let dealt: Vec<_> = dealers.iter().map(|dealer| (dealer.index(), dealer.share_for(issuer))).collect();
        KeyShare::assemble(&outcome, issuer, &dealt).unwrap()
    });
    let shares = shares.collect();
    (outcome.keys, shares)
}

/// The number of an issuer.
fn issuer(number: u8) -> IssuerIndex {
    number.try_into().unwrap()
}

/// Three portals, of which this is the second.
fn portals(own: &str) -> Vec<Url> {
    ["https://one.example/", own, "https://three.example/"].map(|portal| portal.parse().unwrap()).to_vec()
}

#[tokio::test]
async fn a_share_signs_in_part_and_two_parts_make_a_credential() {
    let world = World::start().await;
    let (keys, shares) = group();
    let store = KeyStore::open(&world.keys_dir).unwrap();
    let portals = portals(world.portal.as_str());
    let id = store.add_share(shares[1].clone(), keys.clone(), portals.clone(), issuer(1)).unwrap().id.to_string();
    let round = world.round(RoundOptions { key: Some(id), ..Default::default() }).await;
    assert_eq!(round.keys[0], keys.group_key());

    let citizen = world.citizen(named::RESIDENT).await;
    let info: Value = citizen.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    let told = &info["classes"][0]["group"];
    assert_eq!((&told["needed"], &told["issuer"], &told["home"]), (&2.into(), &2.into(), &1.into()), "{info}");
    let members = told["members"].as_array().unwrap();
    for ((member, portal), key) in members.iter().zip(portals).zip(keys.share_keys()) {
        assert_eq!(member["portal"], portal.as_str());
        assert_eq!(member["share_key"], key.to_string());
    }
    assert_eq!(members.len(), 3);

    let mine = Keys::new(&round.scope);
    let first = shares[0].sign_blinded(&mine.blinded);
    let answer = citizen.ask_second(&round, &mine.blinded.to_string(), &first.signature.to_string()).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["issuer"], 2, "{answer}");
    assert!(!mine.accepts(&keys.group_key(), &round.scope, &answer), "one part is no credential");
    let signature = answer["signature"].as_str().unwrap().parse().unwrap();
    let part = PartialSignature { issuer: issuer(2), signature };
    keys.verify_partial(&mine.blinded, &part).unwrap();
    keys.combine(&mine.blinded, &[part]).unwrap_err();
    let whole = keys.combine(&mine.blinded, &[part, shares[2].sign_blinded(&mine.blinded)]).unwrap();
    let credential = unblind(&whole, &mine.blinding);
    assert!(verify(&keys.group_key(), &round.scope, mine.account, &credential));
    // Each issuer signs one message for a person, whatever the others did.
    let other = Keys::new(&round.scope).blinded;
    let begun = shares[0].sign_blinded(&other).signature.to_string();
    let other = citizen.ask_second(&round, &other.to_string(), &begun).await;
    assert_eq!(problem(other).await, (StatusCode::CONFLICT, "credential-already-issued".to_owned()));

    // The contract takes it as any other.
    let account = Address::from(mine.account.to_bytes());
    let contract = world.contract(&round);
    let register = contract.register(0, vec![account], credential.to_uncompressed().to_vec().into());
    register.send().await.unwrap().get_receipt().await.unwrap();
    assert!(contract.citizen(account).call().await.unwrap().registered);
}

#[tokio::test]
async fn an_issuer_signs_only_what_the_home_issuer_has_signed() {
    let world = World::start().await;
    let (keys, shares) = group();
    let store = KeyStore::open(&world.keys_dir).unwrap();
    let portals = portals(world.portal.as_str());
    let id = store.add_share(shares[1].clone(), keys, portals, issuer(1)).unwrap().id.to_string();
    let round = world.round(RoundOptions { key: Some(id), ..Default::default() }).await;
    let citizen = world.citizen(named::RESIDENT).await;
    let (mine, other) = (Keys::new(&round.scope).blinded, Keys::new(&round.scope).blinded);

    let refused = citizen.ask(&round, 0, &mine.to_string()).await;
    assert_eq!(problem(refused).await, (StatusCode::FORBIDDEN, "first-missing".to_owned()));
    for wrong in [
        // For another message, of another issuer, the message itself, and what is no point.
        shares[0].sign_blinded(&other).signature.to_string(),
        shares[2].sign_blinded(&mine).signature.to_string(),
        mine.to_string(),
        format!("0x{}", "ab".repeat(48)),
        String::new(),
    ] {
        let refused = citizen.ask_second(&round, &mine.to_string(), &wrong).await;
        assert_eq!(problem(refused).await, (StatusCode::FORBIDDEN, "first-wrong".to_owned()), "{wrong}");
    }
    let info: Value = citizen.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    assert_eq!(info["issued"], false, "a refusal spends nothing: {info}");

    // With the home issuer's part for this very message it signs.
    let first = shares[0].sign_blinded(&mine).signature.to_string();
    let signed = citizen.ask_second(&round, &mine.to_string(), &first).await;
    assert_eq!(signed.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_home_issuer_signs_first_and_counts() {
    let world = World::start().await;
    let (keys, shares) = group();
    let store = KeyStore::open(&world.keys_dir).unwrap();
    let id = store.add_share(shares[1].clone(), keys.clone(), portals(world.portal.as_str()), issuer(2)).unwrap().id;
    let round = world.round(RoundOptions { key: Some(id.to_string()), ..Default::default() }).await;
    let citizen = world.citizen(named::RESIDENT).await;
    let mine = Keys::new(&round.scope).blinded;
    let answer: Value = citizen.ask(&round, 0, &mine.to_string()).await.json().await.unwrap();
    let part =
        PartialSignature { issuer: issuer(2), signature: answer["signature"].as_str().unwrap().parse().unwrap() };
    keys.verify_partial(&mine, &part).unwrap();
    let info: Value = citizen.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    assert_eq!(info["issued"], true, "{info}");
}

#[tokio::test]
async fn one_issuer_is_no_group() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let citizen = world.citizen(named::RESIDENT).await;
    let info: Value = citizen.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    assert!(info["classes"][0]["group"].is_null(), "{info}");
    let answer: Value =
        citizen.ask(&round, 0, &Keys::new(&round.scope).blinded.to_string()).await.json().await.unwrap();
    assert!(answer.get("issuer").is_none(), "{answer}");
}

#[tokio::test]
async fn a_share_of_a_portal_that_is_elsewhere_signs_nothing() {
    let world = World::start().await;
    let (keys, shares) = group();
    let store = KeyStore::open(&world.keys_dir).unwrap();
    let id =
        store.add_share(shares[1].clone(), keys, portals("https://two.example/"), issuer(2)).unwrap().id.to_string();
    let round = world.round(RoundOptions { key: Some(id), ..Default::default() }).await;
    let citizen = world.citizen(named::RESIDENT).await;
    let refused = citizen.ask(&round, 0, &Keys::new(&round.scope).blinded.to_string()).await;
    assert_eq!(problem(refused).await, (StatusCode::SERVICE_UNAVAILABLE, "issuer-unavailable".to_owned()));
}

#[test]
fn a_share_is_kept_once_and_only_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, shares) = group();
    let store = KeyStore::open(dir.path()).unwrap();
    let portals = portals("https://two.example/");
    let add = |share: usize, portals: &[Url], home| {
        store.add_share(shares[share].clone(), keys.clone(), portals.to_vec(), issuer(home))
    };
    assert!(matches!(add(1, &portals[..2], 1), Err(KeyError::Portals { portals: 2, issuers: 3 })));
    assert!(matches!(add(1, &portals, 4), Err(KeyError::Home { issuers: 3, .. })));
    let key = add(1, &portals, 1).unwrap();
    assert_eq!(key.public_key, keys.group_key());
    assert!(matches!(add(0, &portals, 1), Err(KeyError::Taken(id)) if id == key.id));

    // Again with other addresses: the same key, serving the same round.
    let round = Address::repeat_byte(1);
    store.bind(key.id, round, 0).unwrap();
    let moved =
        ["https://one.example/", "https://new.example/", "https://three.example/"].map(|url| url.parse().unwrap());
    assert_eq!(add(1, &moved, 3).unwrap(), key);
    let file: Value = serde_json::from_slice(&fs::read(dir.path().join(format!("{}.json", key.id))).unwrap()).unwrap();
    assert_eq!((&file["group"]["portals"][1], &file["group"]["home"]), (&moved[1].as_str().into(), &3.into()));
    assert_eq!(KeyStore::open(dir.path()).unwrap().bind(key.id, round, 0).unwrap(), keys.group_key());
    let other = Address::repeat_byte(2);
    assert!(matches!(store.bind(key.id, other, 0), Err(KeyError::BoundElsewhere { .. })));
    assert_eq!(KeyStore::open(dir.path()).unwrap().public(key.id).unwrap(), keys.group_key());

    // The share of one issuer under another's number, and a key that is not the group's, are noticed.
    let path = dir.path().join(format!("{}.json", key.id));
    let text = fs::read_to_string(&path).unwrap();
    let (other, _) = group();
    for damaged in [
        text.replace("\"issuer\": 2", "\"issuer\": 3"),
        text.replace(&keys.group_key().to_string(), &other.group_key().to_string()),
    ] {
        assert_ne!(damaged, text);
        fs::write(&path, damaged).unwrap();
        let refused = KeyStore::open(dir.path()).unwrap_err();
        assert!(matches!(refused, KeyError::Damaged { .. }), "{refused}");
    }
}
