//! From acceptance to finality, nothing going wrong but single messages.

use futures::StreamExt as _;
use futures::future::try_join_all;
use kopilka_domain::{Allotment, MessageStatus};
use kopilka_relay_client::MessageView;

use crate::fixture::{Citizen, Options, PATIENCE, World};

#[tokio::test(flavor = "multi_thread")]
async fn registrations_and_allocations_become_final_and_are_on_chain() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|_| ()).await?;
    let citizens: Vec<Citizen> = (0..25).map(|_| Citizen::new()).collect();
    let requests: Vec<_> =
        citizens.iter().enumerate().map(|(n, citizen)| world.registration_in(citizen, (n % 2) as u8)).collect();
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    for (accepted, citizen) in accepted.iter().zip(&citizens) {
        let message = relayer.is_final(accepted.id).await?;
        assert_eq!((message.status, message.reason.as_deref()), (MessageStatus::Finalized, None));
        assert!(message.tx_hash.is_some() && message.block_number.is_some() && message.log_index.is_some());
        assert!(world.contract().citizen(citizen.account()).call().await?.registered);
    }
    assert_eq!(world.registered().await?, 25);
    let again = relayer.client.register(&requests[0]).await?;
    assert_eq!((again.id, again.status), (accepted[0].id, MessageStatus::Finalized));

    world.open_pledging().await?;
    let allocations: Vec<_> = citizens.iter().map(|c| world.allocation(c, 1, &[1, 3, 5], &[5, 3, 2])).collect();
    let accepted = try_join_all(allocations.iter().map(|request| relayer.client.allocate(request))).await?;
    for (accepted, citizen) in accepted.iter().zip(&citizens) {
        assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
        let recorded = world.contract().citizen(citizen.account()).call().await?;
        assert_eq!((recorded.version, recorded.initiatives, recorded.points), (1, vec![1, 3, 5], vec![5, 3, 2]));
    }
    let status = relayer.client.status().await?;
    assert_eq!((status.finalized, status.queued, status.submitted, status.mined, status.failed), (50, 0, 0, 0, 0));
    assert!(status.senders.iter().all(|sender| sender.leased && sender.in_flight == 0 && sender.balance.is_some()));
    let transactions = world.count("select count(*) from relay.transactions").await?;
    assert!(transactions < 20, "messages share transactions: {transactions}");
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_waits_for_the_registration_of_its_account() -> anyhow::Result<()> {
    let world = World::start(Options { allotment: Allotment::Fixed, ..Options::default() }).await?;
    world.open_pledging().await?;
    let relayer =
        world.relayer(|config| config.batch.registration_wait = std::time::Duration::from_millis(500)).await?;
    let citizen = Citizen::new();
    relayer.client.register(&world.registration(&citizen)).await?;
    let accepted = relayer.client.allocate(&world.allocation(&citizen, 1, &[2], &[10])).await?;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    assert_eq!(
        world.count("select coalesce(sum(attempts), 0) from relay.messages").await?,
        0,
        "nothing was sent in vain"
    );
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_version_counts_whatever_the_order() -> anyhow::Result<()> {
    let world = World::start(Options { allotment: Allotment::Fixed, ..Options::default() }).await?;
    world.open_pledging().await?;
    let relayer = world.relayer(|_| ()).await?;
    let citizen = Citizen::new();
    relayer.is_final(relayer.client.register(&world.registration(&citizen)).await?.id).await?;
    let mut ids = Vec::new();
    for version in 1..=12_u16 {
        let request = world.allocation(&citizen, version.into(), &[version % 5 + 1], &[version.min(10)]);
        ids.push(relayer.client.allocate(&request).await?.id);
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    let last = relayer.is_final(*ids.last().unwrap()).await?;
    assert_eq!(last.status, MessageStatus::Finalized);
    let recorded = world.contract().citizen(citizen.account()).call().await?;
    assert_eq!((recorded.version, recorded.initiatives, recorded.points), (12, vec![3], vec![10]));
    for id in ids {
        let message = relayer.is_final(id).await?;
        let replaced = message
            .reason
            .as_deref()
            .is_some_and(|r| r.contains("replaced by version") || r.contains("is recorded already"));
        assert_eq!(message.status == MessageStatus::Failed, replaced, "{message:?}");
    }
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_credential_does_not_spoil_the_batch() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let requests: Vec<_> = (0..7).map(|_| world.registration(&Citizen::new())).collect();
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    relayer.stop().await?;
    // Admission keeps bad credentials out, so one is put in behind its back: two messages get each other's credential.
    let bad = [accepted[2].id, accepted[5].id];
    sqlx::query(
        "update relay.messages m set content = o.content from relay.messages o
         where (m.id = $1 and o.id = $2) or (m.id = $2 and o.id = $1)",
    )
    .bind(bad[0].as_slice())
    .bind(bad[1].as_slice())
    .execute(&world.database.pool)
    .await?;
    let relayer = world.relayer(|_| ()).await?;
    for accepted in accepted {
        let message = relayer.is_final(accepted.id).await?;
        if bad.contains(&accepted.id) {
            assert_eq!(message.status, MessageStatus::Failed);
            assert!(message.reason.unwrap().contains("the credential is not the issuer's signature"));
        } else {
            assert_eq!(message.status, MessageStatus::Finalized);
        }
    }
    assert_eq!(world.registered().await?, 5);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_used_up_fails_the_rest_with_a_reason() -> anyhow::Result<()> {
    let options = Options { allotment: Allotment::Fixed, fixed_amount: 30_000_000, ..Options::default() };
    let world = World::start(options).await?;
    let relayer = world.relayer(|_| ()).await?;
    let requests: Vec<_> = (0..5).map(|_| world.registration(&Citizen::new())).collect();
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    let mut failed = 0;
    for accepted in accepted {
        let message = relayer.is_final(accepted.id).await?;
        if message.status == MessageStatus::Failed {
            assert_eq!(message.reason.as_deref(), Some("the budget does not cover another share"));
            failed += 1;
        }
    }
    assert_eq!((failed, world.registered().await?), (2, 3));
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_too_late_fail_with_a_reason() -> anyhow::Result<()> {
    let world = World::start(Options { allotment: Allotment::Fixed, ..Options::default() }).await?;
    world.open_pledging().await?;
    let relayer = world.relayer(|_| ()).await?;
    let citizen = Citizen::new();
    relayer.is_final(relayer.client.register(&world.registration(&citizen)).await?.id).await?;
    relayer.stop().await?;
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let accepted = relayer.client.allocate(&world.allocation(&citizen, 1, &[1], &[1])).await?;
    relayer.stop().await?;
    world.close_pledging().await?;
    let relayer = world.relayer(|_| ()).await?;
    let message = relayer.is_final(accepted.id).await?;
    assert_eq!(message.reason.as_deref(), Some("the round went on to the phase «tallying» before it took effect"));
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_told_as_it_happens() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.batch.registration_wait = std::time::Duration::from_secs(1)).await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    let url = relayer.url.join(&format!("v1/messages/{}/events", accepted.id))?;
    let response = reqwest::get(url).await?;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut stream = response.bytes_stream();
    while let Some(part) = tokio::time::timeout(PATIENCE, stream.next()).await? {
        text.push_str(std::str::from_utf8(&part?)?);
    }
    let messages: Vec<MessageView> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(messages.first().unwrap().status, MessageStatus::Queued);
    assert_eq!(messages.last().unwrap().status, MessageStatus::Finalized, "the stream ends with the end state");
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_leave_the_database_once_they_are_safely_on_chain() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.follow.prune_after_blocks = 1).await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    relayer.is_final(accepted.id).await?;
    assert_eq!(world.count("select count(*) from relay.messages where content is not null").await?, 1);
    world.mine().await?;
    world.mine().await?;
    world.until("select count(*) from relay.messages where content is not null", 0).await?;
    let message = relayer.client.message(accepted.id).await?;
    assert!(message.status == MessageStatus::Finalized && message.tx_hash.is_some());
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_for_now_can_be_sent_again() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let request = world.registration(&Citizen::new());
    let relayer = world.relayer(|config| config.senders.clear()).await?;
    let accepted = relayer.client.register(&request).await?;
    sqlx::query("update relay.messages set status = 'failed', reason = 'trouble', content = null")
        .execute(&world.database.pool)
        .await?;
    let mut forged = request.clone();
    forged.signature = world.registration(&Citizen::new()).signature;
    let answer = relayer.client.register(&forged).await?;
    assert_eq!((answer.id, answer.status), (accepted.id, MessageStatus::Failed), "as it stands: nothing new was shown");
    let again = relayer.client.register(&request).await?;
    assert_eq!((again.id, again.status), (accepted.id, MessageStatus::Queued));
    relayer.stop().await?;
    let relayer = world.relayer(|_| ()).await?;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    relayer.stop().await
}
