//! What is accepted and what is refused, over HTTP.

use alloy::primitives::Address;
use kopilka_domain::{Allotment, BallotKind, MessageStatus};
use kopilka_relay_client::{ClientError, Problem};
use kopilka_testkit::DEV_KEYS;
use serde_json::json;

use crate::fixture::{Citizen, Options, World};

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (u16, String, Option<String>) {
    match result.unwrap_err() {
        ClientError::Refused { problem, .. } => (problem.status, problem.slug().to_owned(), problem.field),
        other => panic!("not a refusal: {other:?}"),
    }
}

fn problem(status: u16, slug: &str, field: &str) -> (u16, String, Option<String>) {
    (status, slug.to_owned(), Some(field.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_are_checked_before_they_are_accepted() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    // Without senders nothing moves on, so that the queue itself can be looked at.
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let client = &relayer.client;
    let citizen = Citizen::new();
    let request = world.registration(&citizen);

    let accepted = client.register(&request).await?;
    assert_eq!(accepted.status, MessageStatus::Queued);
    let shown = client.message(accepted.id).await?;
    assert_eq!((shown.account, shown.contract, shown.status), (citizen.account(), world.round, MessageStatus::Queued));
    assert_eq!(client.register(&request).await?, accepted, "the same message is the same message");
    assert_eq!(client.status().await?.queued, 1);

    let other_class = world.registration_in(&citizen, 1);
    assert_eq!(refused(client.register(&other_class).await), problem(409, "account-registered", "account"));

    let stranger = Citizen::new();
    let good = world.registration(&stranger);
    let mut bad = good.clone();
    bad.signature = request.signature.clone();
    assert_eq!(refused(client.register(&bad).await), problem(422, "credential-invalid", "signature"));
    bad.signature = vec![0xff; 48].into();
    assert_eq!(refused(client.register(&bad).await), problem(422, "credential-invalid", "signature"));
    let mut bad = good.clone();
    bad.class = 1;
    assert_eq!(refused(client.register(&bad).await), problem(422, "credential-invalid", "signature"));
    bad.class = 7;
    assert_eq!(refused(client.register(&bad).await), problem(422, "class-unknown", "class"));
    let mut bad = good.clone();
    bad.round = Address::repeat_byte(5);
    assert_eq!(refused(client.register(&bad).await), problem(404, "round-unknown", "round"));
    bad.round = world.chain.deployment.round_implementation;
    assert_eq!(refused(client.register(&bad).await), problem(404, "round-unknown", "round"));
    let early = world.allocation(&citizen, 1, &[1], &[1]);
    assert_eq!(refused(client.allocate(&early).await), problem(409, "phase-wrong", "round"));
    assert_eq!(refused(client.message(alloy::primitives::B256::ZERO).await), problem(404, "message-unknown", "id"));

    world.open_pledging().await?;
    // A relayer learns of the new phase with the next look at the head of the chain.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(refused(client.register(&good).await), problem(409, "phase-wrong", "round"));
    assert_eq!(client.register(&request).await?, accepted, "asked again after the phase has ended");
    assert_eq!(client.status().await?.queued, 1);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn allocations_are_checked_before_they_are_accepted() -> anyhow::Result<()> {
    let world = World::start(Options { allotment: Allotment::Fixed, ..Options::default() }).await?;
    world.open_pledging().await?;
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let client = &relayer.client;
    let citizen = Citizen::new();

    let first = world.allocation(&citizen, 3, &[1, 4], &[6, 4]);
    assert_eq!(refused(client.allocate(&first).await), problem(422, "account-not-registered", "account"));
    client.register(&world.registration(&citizen)).await?;
    let accepted = client.allocate(&first).await?;
    assert_eq!(client.allocate(&first).await?, accepted);

    for (version, initiatives, points) in [(3, vec![1], vec![1]), (2, vec![2], vec![1])] {
        let late = world.allocation(&citizen, version, &initiatives, &points);
        let error = client.allocate(&late).await.unwrap_err();
        assert!(error.to_string().contains("version 3 of this account was accepted"), "{error}");
        assert_eq!(refused::<()>(Err(error)), problem(409, "version-not-higher", "version"));
    }
    let mut forged = world.allocation(&citizen, 4, &[1], &[1]);
    forged.points = vec![2];
    assert_eq!(refused(client.allocate(&forged).await), problem(422, "signature-invalid", "signature"));
    for (initiatives, points, field) in [
        (vec![4, 1], vec![1, 1], "initiatives"),
        (vec![1, 6], vec![1, 1], "initiatives"),
        (vec![0], vec![1], "initiatives"),
        (vec![1], vec![], "points"),
        (vec![1], vec![11], "points"),
        (vec![1], vec![0], "points"),
    ] {
        let malformed = world.allocation(&citizen, 4, &initiatives, &points);
        assert_eq!(
            refused(client.allocate(&malformed).await),
            problem(422, "choices-malformed", field),
            "{initiatives:?} {points:?}"
        );
    }
    let zero = world.allocation(&citizen, 0, &[1], &[1]);
    assert_eq!(refused(client.allocate(&zero).await), problem(422, "choices-malformed", "version"));

    let higher = client.allocate(&world.allocation(&citizen, 5, &[], &[])).await?;
    assert_eq!(client.message(higher.id).await?.status, MessageStatus::Queued);
    let replaced = client.message(accepted.id).await?;
    assert_eq!(replaced.status, MessageStatus::Failed);
    assert_eq!(replaced.reason.as_deref(), Some("replaced by version 5 before it was submitted"));
    relayer.stop().await
}

/// For a day after the end the phase lasts, so that what was accepted arrives; nothing new is accepted in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_arrives_after_the_end_of_pledging_and_nothing_else() -> anyhow::Result<()> {
    for (pledging_seconds, end) in [(3_600, 3_600), (0, 12 * 3_600)] {
        let options = Options { allotment: Allotment::Fixed, pledging_seconds, ..Options::default() };
        let world = World::start(options).await?;
        world.open_pledging().await?;
        let closes_at = world.contract().pledgingClosesAt().call().await?;
        let relayer = world.relayer(|config| config.senders.clear()).await?;
        let (citizen, late) = (Citizen::new(), Citizen::new());
        let registered = relayer.client.register(&world.registration(&citizen)).await?;
        let allocation = world.allocation(&citizen, 1, &[1], &[10]);
        let allocated = relayer.client.allocate(&allocation).await?;

        world.anvil("evm_setNextBlockTimestamp", json!([closes_at - pledging_seconds + end])).await?;
        world.mine().await?;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let again = world.allocation(&citizen, 2, &[2], &[10]);
        assert_eq!(refused(relayer.client.allocate(&again).await), problem(409, "phase-wrong", "round"));
        let error = relayer.client.register(&world.registration(&late)).await.unwrap_err();
        assert!(error.to_string().contains("only what was accepted by then still arrives"), "{error}");
        assert_eq!(relayer.client.allocate(&allocation).await?, allocated, "asked again after the end");
        relayer.stop().await?;

        let relayer = world.relayer(|_| ()).await?;
        for id in [registered.id, allocated.id] {
            assert_eq!(relayer.is_final(id).await?.status, MessageStatus::Finalized);
        }
        assert_eq!(world.contract().citizen(citizen.account()).call().await?.initiatives, [1]);
        relayer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_ballot_takes_no_points() -> anyhow::Result<()> {
    let options = Options { ballot_kind: BallotKind::Approval, allotment: Allotment::Fixed, ..Options::default() };
    let world = World::start(options).await?;
    world.open_pledging().await?;
    let relayer = world.relayer(|_| ()).await?;
    let citizen = Citizen::new();
    relayer.client.register(&world.registration(&citizen)).await?;
    let wrong = world.allocation(&citizen, 1, &[1, 2], &[1, 1]);
    assert_eq!(refused(relayer.client.allocate(&wrong).await), problem(422, "choices-malformed", "points"));
    let accepted = relayer.client.allocate(&world.allocation(&citizen, 1, &[1, 2], &[])).await?;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    assert_eq!(world.contract().citizen(citizen.account()).call().await?.initiatives, [1, 2]);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_answered_with_problem_documents() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let http = reqwest::Client::new();
    let url = |path: &str| relayer.url.join(path).unwrap();
    let good = serde_json::to_value(world.registration(&Citizen::new()))?;
    let with = |field: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    for (body, status, slug, field) in [
        ("{".to_owned(), 400, "body-malformed", None),
        ("[1]".to_owned(), 400, "body-malformed", None),
        (with("name", json!("Anna")), 400, "body-malformed", None),
        (with("account", json!("0x12")), 400, "field-malformed", Some("account")),
        (with("account", json!(5)), 400, "field-malformed", Some("account")),
        (with("class", json!(-1)), 400, "field-malformed", Some("class")),
        (with("class", json!("0")), 400, "field-malformed", Some("class")),
        (with("signature", json!("0xzz")), 400, "field-malformed", Some("signature")),
        (" ".repeat(20_000), 413, "body-too-large", None),
    ] {
        let response = http
            .post(url("v1/registrations"))
            .body(body.clone())
            .header("origin", "https://any.example")
            .send()
            .await?;
        assert_eq!(response.status(), status, "{body:.80}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let problem: Problem = response.json().await?;
        assert_eq!((problem.slug(), problem.field.as_deref()), (slug, field), "{body:.80}");
        assert!(!problem.detail.contains("Anna"), "refusals do not repeat foreign names");
    }
    assert_eq!(http.get(url("v1/nothing")).send().await?.status(), 404);
    assert_eq!(http.get(url("v1/messages/0x12")).send().await?.status(), 400);
    assert_eq!(http.get(url("healthz")).send().await?.status(), 200);
    assert_eq!(http.get(url("metrics")).send().await?.status(), 404, "no recorder was given");
    let preflight = http
        .request(reqwest::Method::OPTIONS, url("v1/registrations"))
        .header("origin", "https://any.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send()
        .await?;
    assert!(preflight.status().is_success());
    assert_eq!(preflight.headers()["access-control-allow-headers"], "content-type,last-event-id");
    relayer.stop().await?;

    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let relayer = world.relayer(|config| config.prometheus = Some(recorder.handle())).await?;
    assert_eq!(http.get(relayer.url.join("metrics")?).send().await?.status(), 200);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_and_says_when_to_come_back() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world
        .relayer(|config| {
            config.senders.clear();
            config.intake.queue_limit = 2;
        })
        .await?;
    let requests: Vec<_> = (0..3).map(|_| world.registration(&Citizen::new())).collect();
    relayer.client.register(&requests[0]).await?;
    relayer.client.register(&requests[1]).await?;
    match relayer.client.register(&requests[2]).await.unwrap_err() {
        ClientError::Refused { problem, retry_after } => {
            assert_eq!((problem.status, problem.slug()), (503, "queue-full"));
            assert!(retry_after.is_some());
        }
        other => panic!("{other:?}"),
    }
    relayer.client.register(&requests[0]).await?;
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_refused_at_the_start() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let text = |result: anyhow::Result<crate::fixture::Relayer>| format!("{:#}", result.err().unwrap());
    assert!(text(world.relayer(|c| c.chain_id = 5).await).contains("the node serves chain 31337"));
    assert!(
        text(world.relayer(|c| c.contracts.rounds = Address::repeat_byte(9)).await).contains("there is no contract at")
    );
    assert!(text(world.relayer(|c| c.senders.push(c.senders[0].clone())).await).contains("configured twice"));
    let error = kopilka_relayer::Signer::from_key(&DEV_KEYS[0][..20]).unwrap_err().to_string();
    assert!(error.contains("64 hexadecimal digits") && !error.contains(&DEV_KEYS[0][2..20]));
    Ok(())
}
