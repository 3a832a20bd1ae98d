//! A key that several issuers made together: this portal has a share, signs in part, and names the others.

use std::fs;

use alloy::primitives::Address;
use kopilka_credential::threshold::{Dealer, GroupKeys, KeyShare, PartialSignature, SessionId, Threshold, conclude};
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
    let id = store.add_share(shares[1].clone(), keys.clone(), portals.clone()).unwrap().id.to_string();
    let round = world.round(RoundOptions { key: Some(id), ..Default::default() }).await;
    assert_eq!(round.keys[0], keys.group_key());

    let citizen = world.citizen(named::RESIDENT).await;
    let info: Value = citizen.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    let told = &info["classes"][0]["group"];
    assert_eq!((&told["needed"], &told["issuer"]), (&2.into(), &2.into()), "{info}");
    let members = told["members"].as_array().unwrap();
    for ((member, portal), key) in members.iter().zip(portals).zip(keys.share_keys()) {
        assert_eq!(member["portal"], portal.as_str());
        assert_eq!(member["share_key"], key.to_string());
    }
    assert_eq!(members.len(), 3);

    let mine = Keys::new(&round.scope);
    let answer: Value = citizen.ask(&round, 0, &mine.blinded.to_string()).await.json().await.unwrap();
    assert_eq!(answer["issuer"], 2, "{answer}");
    assert!(!mine.accepts(&keys.group_key(), &round.scope, &answer), "one part is no credential");
    let signature = answer["signature"].as_str().unwrap().parse().unwrap();
    let part = PartialSignature { issuer: 2.try_into().unwrap(), signature };
    keys.verify_partial(&mine.blinded, &part).unwrap();
    keys.combine(&mine.blinded, &[part]).unwrap_err();
    let whole = keys.combine(&mine.blinded, &[part, shares[2].sign_blinded(&mine.blinded)]).unwrap();
    let credential = unblind(&whole, &mine.blinding);
    assert!(verify(&keys.group_key(), &round.scope, mine.account, &credential));
    // Each issuer signs one message for a person, whatever the others did.
    let other = citizen.ask(&round, 0, &Keys::new(&round.scope).blinded.to_string()).await;
    assert_eq!(problem(other).await, (StatusCode::CONFLICT, "credential-already-issued".to_owned()));

    // The contract takes it as any other.
    let account = Address::from(mine.account.to_bytes());
    let contract = world.contract(&round);
    let register = contract.register(0, vec![account], credential.to_uncompressed().to_vec().into());
    register.send().await.unwrap().get_receipt().await.unwrap();
    assert!(contract.citizen(account).call().await.unwrap().registered);
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
    let id = store.add_share(shares[1].clone(), keys, portals("https://two.example/")).unwrap().id.to_string();
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
    let too_few = store.add_share(shares[1].clone(), keys.clone(), portals[..2].to_vec());
    assert!(matches!(too_few, Err(KeyError::Portals { portals: 2, issuers: 3 })));
    let key = store.add_share(shares[1].clone(), keys.clone(), portals.clone()).unwrap();
    assert_eq!(key.public_key, keys.group_key());
    let again = store.add_share(shares[1].clone(), keys.clone(), portals.clone());
    assert!(matches!(again, Err(KeyError::Present(id)) if id == key.id));
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
