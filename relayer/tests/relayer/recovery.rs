//! Torn apart at each point and started again: nothing is lost, nothing is done twice.

use futures::future::try_join_all;
use kopilka_domain::MessageStatus;
use kopilka_relayer::{Fault, FaultPoint, Signer};
use kopilka_testkit::DEV_KEYS;

use crate::fixture::{Citizen, Options, World};

async fn survives(point: FaultPoint) -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.fault = Some(point.into())).await?;
    let requests: Vec<_> = (0..6).map(|_| world.registration(&Citizen::new())).collect();
    // The engine may break off before the last of them is answered; those are sent again, as a browser does.
    let _ = futures::future::join_all(requests.iter().map(|request| relayer.client.register(request))).await;
    let error = relayer.failure().await?;
    assert_eq!(error.downcast_ref::<Fault>(), Some(&Fault(point)));

    let relayer = world.relayer(|_| ()).await?;
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    for accepted in accepted {
        assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    }
    assert_eq!(world.registered().await?, 6);
    assert_eq!(world.count("select count(*) from relay.messages").await?, 6);
    // Nonces without gaps, none displaced: what was stored before the fault is what was mined.
    let nonces = "select count(*) from (select sender from relay.submissions group by sender
                  having max(nonce) + 1 <> count(*) or bool_or(status <> 'finalized' or reverted)) gaps";
    world.until("select count(*) from relay.submissions where status <> 'finalized'", 0).await?;
    assert_eq!(world.count(nonces).await?, 0);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_after_signing() -> anyhow::Result<()> {
    survives(FaultPoint::BatchSigned).await
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_between_storing_and_sending() -> anyhow::Result<()> {
    survives(FaultPoint::BatchStored).await
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_after_sending() -> anyhow::Result<()> {
    survives(FaultPoint::BatchSent).await
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_while_reading_a_receipt() -> anyhow::Result<()> {
    survives(FaultPoint::ReceiptRead).await
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_after_an_outcome() -> anyhow::Result<()> {
    survives(FaultPoint::OutcomeStored).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_again_and_again() -> anyhow::Result<()> {
    let world = World::start(Options { block_seconds: Some(0.2), ..Options::default() }).await?;
    let requests: Vec<_> = (0..60).map(|_| world.registration(&Citizen::new())).collect();
    for part in requests.chunks(10) {
        let relayer = world.relayer(|config| config.batch.max_items = 3).await?;
        try_join_all(part.iter().map(|request| relayer.client.register(request))).await?;
        tokio::time::sleep(std::time::Duration::from_millis(rand::random_range(0..600))).await;
        relayer.kill().await;
    }
    let relayer = world.relayer(|_| ()).await?;
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    for accepted in accepted {
        assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    }
    assert_eq!(world.registered().await?, 60);
    assert_eq!(world.count("select count(*) from relay.messages where attempts > 0").await?, 0);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relayers_share_a_queue_and_a_sender() -> anyhow::Result<()> {
    let world = World::start(Options { block_seconds: Some(0.2), ..Options::default() }).await?;
    let keys = |range: std::ops::Range<usize>| -> Vec<Signer> {
        DEV_KEYS[range].iter().map(|key| Signer::from_key(key).unwrap()).collect()
    };
    let few = |config: &mut kopilka_relayer::Config, senders| {
        (config.senders, config.batch.max_items, config.batch.max_in_flight) = (senders, 5, 1);
    };
    let one = world.relayer(|config| few(config, keys(1..3))).await?;
    let two = world.relayer(|config| few(config, keys(2..4))).await?;
    let requests: Vec<_> = (0..80).map(|_| world.registration(&Citizen::new())).collect();
    let sent = requests.iter().enumerate().map(|(n, request)| {
        let relayer = if n % 2 == 0 { &one } else { &two };
        relayer.client.register(request)
    });
    let accepted = try_join_all(sent).await?;
    // The first is killed with work under way: the second takes over its sender's lease, or leaves it; nothing is lost.
    one.kill().await;
    for accepted in &accepted {
        // Messages in transactions of a sender that only the first had wait for it, so it comes back.
        let message = two.client.message(accepted.id).await?;
        assert_ne!(message.status, MessageStatus::Failed);
    }
    let one = world.relayer(|config| few(config, keys(1..3))).await?;
    for accepted in accepted {
        assert_eq!(two.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    }
    assert_eq!(world.registered().await?, 80);
    let senders = world.count("select count(distinct sender) from relay.submissions").await?;
    assert!(senders > 1, "the work was shared");
    assert_eq!(world.count("select count(*) from relay.submissions where status = 'displaced' or reverted").await?, 0);
    one.stop().await?;
    two.stop().await
}
