//! Credentials: one for each person and round, whatever runs in parallel.

use std::collections::HashSet;

use futures::future::join_all;
use kopilka_credential::IssuerSecretKey;
use kopilka_esia::standin::{generated_oid, named};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::world::{Keys, RoundOptions, STAFF_TOKEN, World, issued_on_chain, problem};

#[tokio::test]
async fn a_resident_gets_a_credential_and_the_same_one_again() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let citizen = world.citizen(named::RESIDENT).await;
    let info: Value = citizen.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    assert_eq!(info["class"], 0);
    assert_eq!(info["issued"], false);
    assert_eq!(info["phase"], "registration");
    assert_eq!(info["chain_id"], 31337);
    assert_eq!(info["issuer_key"], round.keys[0].to_string());
    assert_eq!(info["initiatives"][0]["cost"], "1000000");

    let keys = Keys::new(&round.scope);
    let first: Value = citizen.ask(&round, 0, &keys.blinded.to_string()).await.json().await.unwrap();
    assert!(keys.accepts(&round.keys[0], &round.scope, &first));
    // Again, from another session of the same person, by way of another process.
    let again: Value = citizen.ask(&round, 0, &keys.blinded.to_string()).await.json().await.unwrap();
    assert_eq!(again, first);
    let elsewhere = world.citizen(named::RESIDENT).await;
    let again: Value = elsewhere.ask(&round, 0, &keys.blinded.to_string()).await.json().await.unwrap();
    assert_eq!(again, first);
    // Another message: refused, with the way out.
    let refused = elsewhere.ask(&round, 0, &Keys::new(&round.scope).blinded.to_string()).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let body: Value = refused.json().await.unwrap();
    assert!(body["type"].as_str().unwrap().ends_with(":credential-already-issued"));
    assert!(body["detail"].as_str().unwrap().contains("по словам восстановления"), "{body}");
    let info: Value = elsewhere.get(&format!("api/v1/rounds/{}", round.address)).await.json().await.unwrap();
    assert_eq!(info["issued"], true);
    // Another round is another matter.
    let next = world.round(RoundOptions::default()).await;
    citizen.credential(&next).await;
}

#[tokio::test]
async fn fifty_parallel_requests_get_exactly_one_signature() {
    let world = World::start().await;
    let round = world.round(RoundOptions { classes: 2, ..Default::default() }).await;
    let second = world.second_portal().await;
    let citizen = world.citizen(named::RESIDENT).await;
    let cookie = session_cookie(&world).await;
    let requests = (0..50).map(|index| {
        // Two processes, alternately; cookies are bound to hosts, not to ports, but the client is told explicitly.
        let base = if index % 2 == 0 { world.portal.clone() } else { second.clone() };
        let url = base.join(&format!("api/v1/rounds/{}/credential", round.address)).unwrap();
        let keys = Keys::new(&round.scope);
        let body = json!({ "class": 0, "blinded": keys.blinded });
        let request = Client::new().post(url).header("cookie", &cookie.0).header("x-csrf-token", &cookie.1).json(&body);
        async move { (keys, request.send().await.unwrap()) }
    });
    let mut signed = 0;
    for (keys, response) in join_all(requests).await {
        match response.status() {
            StatusCode::OK => {
                let answer = response.json().await.unwrap();
                assert!(keys.accepts(&round.keys[0], &round.scope, &answer));
                signed += 1;
            }
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(signed, 1);
    drop(citizen);
    let rows: i64 =
        sqlx::query_scalar("select count(*) from portal.issuances").fetch_one(&world.database.pool).await.unwrap();
    assert_eq!(rows, 1);
}

/// Cookie header and token of a session of the resident.
async fn session_cookie(world: &World) -> (String, String) {
    let citizen = crate::world::Citizen::new(world.portal.clone());
    let arrived = citizen.log_in(named::RESIDENT).await;
    let cookie = arrived
        .headers()
        .get_all("set-cookie")
        .iter()
        .find_map(|value| value.to_str().unwrap().split(';').next().filter(|pair| pair.starts_with("kopilka_session=")))
        .unwrap()
        .to_owned();
    let csrf = citizen.session().await["csrf"].as_str().unwrap().to_owned();
    (cookie, csrf)
}

#[tokio::test]
async fn every_refusal_says_why() {
    let world = World::start().await;
    let draft = world.draft(RoundOptions::default()).await;
    let round = world.round(RoundOptions::default()).await;
    let foreign = world.round(RoundOptions { municipality: 2, ..Default::default() }).await;
    let young = world.round(RoundOptions { classes: 2, ..Default::default() }).await;
    let blinded = Keys::new(&round.scope).blinded.to_string();
    let mut citizen = world.citizen(named::RESIDENT).await;
    let expect = async |response, status: StatusCode, kind: &str| {
        assert_eq!(problem(response).await, (status, kind.to_owned()));
    };

    // Nobody, or a forged call.
    let stranger = crate::world::Citizen::new(world.portal.clone());
    expect(stranger.ask(&round, 0, &blinded).await, StatusCode::UNAUTHORIZED, "login-needed").await;
    let token = std::mem::replace(&mut citizen.csrf, "forged".to_owned());
    expect(citizen.ask(&round, 0, &blinded).await, StatusCode::FORBIDDEN, "csrf").await;
    citizen.csrf = world.citizen(named::SECOND_RESIDENT).await.csrf;
    expect(citizen.ask(&round, 0, &blinded).await, StatusCode::FORBIDDEN, "csrf").await;
    citizen.csrf = token;

    // The wrong person.
    expect(citizen.ask(&foreign, 0, &blinded).await, StatusCode::FORBIDDEN, "other-municipality").await;
    let neighbour = world.citizen(named::NEIGHBOUR).await;
    expect(neighbour.ask(&round, 0, &blinded).await, StatusCode::FORBIDDEN, "other-municipality").await;
    let child = world.citizen(named::UNDERAGE).await;
    expect(child.ask(&young, 0, &blinded).await, StatusCode::FORBIDDEN, "too-young").await;
    let sixteen = world.citizen(named::SIXTEEN).await;
    expect(sixteen.ask(&round, 0, &blinded).await, StatusCode::FORBIDDEN, "too-young").await;
    expect(sixteen.ask(&young, 0, &blinded).await, StatusCode::FORBIDDEN, "class-wrong").await;
    expect(citizen.ask(&young, 1, &blinded).await, StatusCode::FORBIDDEN, "class-wrong").await;
    let scope = kopilka_credential::CredentialScope { class: 1, ..young.scope };
    let keys = Keys::new(&scope);
    let answer: Value = sixteen.ask(&young, 1, &keys.blinded.to_string()).await.json().await.unwrap();
    assert!(keys.accepts(&young.keys[1], &scope, &answer));

    // The wrong point: infinity, outside the subgroup, too short, no hex.
    let infinity = format!("0xc0{}", "00".repeat(47));
    // x = 4 is on the curve, but of another order.
    let outside = format!("0x80{}04", "00".repeat(46));
    for bad in [infinity.as_str(), outside.as_str(), "0x1234", "hello", ""] {
        expect(citizen.ask(&round, 0, bad).await, StatusCode::UNPROCESSABLE_ENTITY, "blinded-malformed").await;
    }
    let url = citizen.url(&format!("api/v1/rounds/{}/credential", round.address));
    let garbage = citizen
        .http
        .post(url)
        .header("x-csrf-token", &citizen.csrf)
        .header("content-type", "application/json")
        .body("{")
        .send();
    assert_eq!(problem(garbage.await.unwrap()).await.0, StatusCode::BAD_REQUEST);

    // The wrong time or place.
    expect(citizen.ask(&draft, 0, &blinded).await, StatusCode::CONFLICT, "registration-closed").await;
    world.contract(&round).cancel().send().await.unwrap().get_receipt().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    expect(citizen.ask(&round, 0, &blinded).await, StatusCode::CONFLICT, "registration-closed").await;
    let elsewhere =
        crate::world::Round { address: world.chain.deployment.rounds, scope: round.scope, keys: Vec::new() };
    expect(citizen.ask(&elsewhere, 0, &blinded).await, StatusCode::NOT_FOUND, "round-unknown").await;
    let rows: i64 =
        sqlx::query_scalar("select count(*) from portal.issuances").fetch_one(&world.database.pool).await.unwrap();
    assert_eq!(rows, 1, "only the sixteen-year-old's");
}

#[tokio::test]
async fn keys_are_bound_only_to_the_class_that_has_them_on_chain() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let key: Value = world.staff("POST", "api/v1/staff/issuer-keys", None).await.json().await.unwrap();
    let path = format!("api/v1/staff/issuer-keys/{}", key["key_id"].as_str().unwrap());
    let bind = json!({ "round": round.address, "class": 0 });
    let (status, kind) = problem(world.staff("PUT", &path, Some(bind.clone())).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::CONFLICT, "issuer-key-not-on-chain"));
    let unknown = format!("api/v1/staff/issuer-keys/{}", uuid::Uuid::new_v4());
    let (status, kind) = problem(world.staff("PUT", &unknown, Some(bind)).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::NOT_FOUND, "issuer-key-unknown"));

    for request in [
        Client::new().post(world.url("api/v1/staff/issuer-keys")),
        Client::new().post(world.url("api/v1/staff/issuer-keys")).bearer_auth("wrong"),
        Client::new().post(world.url(&format!("api/v1/staff/rounds/{}/publish-issued", round.address))),
        Client::new().put(world.url("api/v1/documents")).body("{}"),
    ] {
        let (status, kind) = problem(request.send().await.unwrap()).await;
        assert_eq!((status, kind.as_str()), (StatusCode::UNAUTHORIZED, "staff-token"));
    }
    assert!(STAFF_TOKEN.len() >= 16);
}

#[tokio::test]
async fn a_key_file_that_differs_from_the_chain_signs_nothing() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    // Somebody swaps the key file of the round for another key with the same binding; a new process reads it.
    let entry = std::fs::read_dir(&world.keys_dir).unwrap().next().unwrap().unwrap().path();
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&entry).unwrap()).unwrap();
    let other = IssuerSecretKey::generate(&mut rand::rng());
    file["secret_key"] = hex::encode(other.to_bytes().as_ref()).into();
    file["public_key"] = other.public_key().to_string().into();
    std::fs::write(&entry, file.to_string()).unwrap();
    let second = world.second_portal().await;
    let (cookie, csrf) = session_cookie(&world).await;
    let response = Client::new()
        .post(second.join(&format!("api/v1/rounds/{}/credential", round.address)).unwrap())
        .header("cookie", cookie)
        .header("x-csrf-token", csrf)
        .json(&json!({ "class": 0, "blinded": Keys::new(&round.scope).blinded }))
        .send();
    assert_eq!(problem(response.await.unwrap()).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_count_is_published_so_that_pledging_can_open() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let citizens = join_all((0..5).map(|index| world.citizen(generated_oid(0, index)))).await;
    join_all(citizens.iter().map(|citizen| citizen.credential(&round))).await;
    assert_eq!(issued_on_chain(&world, &round).await, 0);
    let path = format!("api/v1/staff/rounds/{}/publish-issued", round.address);
    let published: Value = world.staff("POST", &path, None).await.json().await.unwrap();
    assert_eq!(published[0]["issued"], 5);
    assert!(published[0]["tx_hash"].is_string());
    assert_eq!(issued_on_chain(&world, &round).await, 5);
    let again: Value = world.staff("POST", &path, None).await.json().await.unwrap();
    assert_eq!(again[0]["issued"], 5);
    assert!(again[0]["tx_hash"].is_null());
}

#[tokio::test]
async fn fixed_allotments_issue_while_pledging() {
    let world = World::start().await;
    for fixed in [true, false] {
        let round = world.round(RoundOptions { fixed, ..Default::default() }).await;
        world.open_pledging(&round).await;
        let keys = Keys::new(&round.scope);
        let citizen = world.citizen(named::RESIDENT).await;
        let answer = citizen.ask(&round, 0, &keys.blinded.to_string()).await;
        assert_eq!(answer.status(), if fixed { StatusCode::OK } else { StatusCode::CONFLICT });
    }
}

#[tokio::test]
async fn issuing_is_fast() {
    let world = World::start().await;
    let round = world.round(RoundOptions::default()).await;
    let citizens = join_all((0..100).map(|index| world.citizen(generated_oid(0, index)))).await;
    let bodies: Vec<_> = citizens.iter().map(|_| Keys::new(&round.scope).blinded.to_string()).collect();
    let began = std::time::Instant::now();
    let answers =
        join_all(citizens.iter().zip(&bodies).map(|(citizen, blinded)| citizen.ask(&round, 0, blinded))).await;
    let took = began.elapsed();
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
    let signatures: HashSet<String> =
        join_all(answers.into_iter().map(|answer| answer.text())).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(signatures.len(), 100);
    println!("100 credentials in {took:?}");
}
