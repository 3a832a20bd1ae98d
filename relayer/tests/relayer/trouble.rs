//! A chain that takes back, loses and ignores.

use std::time::Duration;

use alloy::network::TransactionBuilder as _;
use alloy::primitives::{B256, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use futures::future::try_join_all;
use kopilka_bindings::budget_round::IBudgetRound;
use kopilka_domain::MessageStatus;
use kopilka_relay_client::{Accepted, AllocationRequest};
use kopilka_relayer::FaultPoint;
use serde_json::json;

use crate::fixture::{Citizen, Options, PATIENCE, Relayer, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_reorg_takes_back_and_the_same_bytes_are_mined_again() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.follow.confirmations = 4).await?;
    let requests: Vec<_> = (0..5).map(|_| world.registration(&Citizen::new())).collect();
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    for message in &accepted {
        relayer.client.wait(message.id, PATIENCE, "mined", |m| m.status == MessageStatus::Mined).await?;
    }
    let before: Vec<u8> = sqlx::query_scalar("select block_hash from relay.submissions order by id limit 1")
        .fetch_one(&world.database.pool)
        .await?;
    // Two more blocks, and all of it is replaced by blocks without our transactions.
    world.mine().await?;
    world.mine().await?;
    world.anvil("anvil_reorg", json!([3, []])).await?;
    assert_eq!(world.registered().await?, 0, "the registrations are gone from the chain");
    for _ in 0..60 {
        world.mine().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        if relayer.client.status().await?.finalized == 5 {
            break;
        }
    }
    for message in &accepted {
        assert_eq!(relayer.is_final(message.id).await?.status, MessageStatus::Finalized);
    }
    assert_eq!(world.registered().await?, 5);
    let after: Vec<u8> = sqlx::query_scalar("select block_hash from relay.submissions order by id limit 1")
        .fetch_one(&world.database.pool)
        .await?;
    assert_ne!(before, after);
    assert_eq!(
        world.count("select count(*) from relay.submissions").await?,
        world.count("select count(*) from relay.transactions").await?,
        "no transaction was made anew"
    );
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_reorg_is_repaired_even_after_finality() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.follow.confirmations = 1).await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    world.anvil("anvil_reorg", json!([1, []])).await?;
    assert_eq!(world.registered().await?, 0);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while world.registered().await? == 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.registered().await?, 1);
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_pool_lost_is_sent_again() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    world.set_automine(false).await?;
    let relayer = world.relayer(|config| config.fees.bump_after_blocks = 1_000).await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    relayer.client.wait(accepted.id, PATIENCE, "submitted", |m| m.status == MessageStatus::Submitted).await?;
    let hash: Vec<u8> =
        sqlx::query_scalar("select hash from relay.transactions").fetch_one(&world.database.pool).await?;
    let hash = B256::from_slice(&hash);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while world.staff.get_transaction_by_hash(hash).await?.is_none() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.anvil("anvil_dropTransaction", json!([hash])).await?;
    assert!(world.staff.get_transaction_by_hash(hash).await?.is_none(), "the pool has lost it");
    while world.staff.get_transaction_by_hash(hash).await?.is_none() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.mine().await?;
    let message = relayer.is_final(accepted.id).await?;
    assert_eq!((message.status, message.tx_hash), (MessageStatus::Finalized, Some(hash)));
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_transaction_is_replaced_by_a_dearer_one() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    world.set_automine(false).await?;
    let relayer = world.relayer(|config| config.fees.bump_after_blocks = 2).await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    relayer.client.wait(accepted.id, PATIENCE, "submitted", |m| m.status == MessageStatus::Submitted).await?;
    // The base fee rises far beyond what the transaction offers, and stays there for some blocks.
    for _ in 0..12 {
        world.anvil("anvil_setNextBlockBaseFeePerGas", json!(["0x9502f9000"])).await?;
        world.mine().await?;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let message = relayer.is_final(accepted.id).await?;
    assert_eq!(message.status, MessageStatus::Finalized);
    let attempts = world.count("select count(*) from relay.transactions").await?;
    assert!(attempts > 1, "it was replaced");
    assert_eq!(world.count("select count(*) from relay.submissions").await?, 1, "under the same nonce");
    let raised: bool = sqlx::query_scalar(
        "select bool_and(coalesce(max_fee_per_gas >= 1.125 * previous, true)) from (
             select max_fee_per_gas, lag(max_fee_per_gas) over (order by max_fee_per_gas) as previous from relay.transactions
         ) t",
    )
    .fetch_one(&world.database.pool)
    .await?;
    assert!(raised, "each replacement offers an eighth more");
    assert_eq!(world.registered().await?, 1);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_off_between_storing_and_sending_a_replacement() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    world.set_automine(false).await?;
    let relayer = world
        .relayer(|config| {
            config.fees.bump_after_blocks = 1;
            config.fault = Some(FaultPoint::ReplacementStored.into());
        })
        .await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    relayer.client.wait(accepted.id, PATIENCE, "submitted", |m| m.status == MessageStatus::Submitted).await?;
    world.anvil("anvil_setNextBlockBaseFeePerGas", json!(["0x9502f9000"])).await?;
    world.mine().await?;
    relayer.failure().await?;
    let relayer = world.relayer(|config| config.fees.bump_after_blocks = 1_000).await?;
    world.set_automine(true).await?;
    for _ in 0..200 {
        world.mine().await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        if relayer.client.message(accepted.id).await?.status.is_final() {
            break;
        }
    }
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    assert_eq!(world.count("select count(*) from relay.submissions").await?, 1);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_taken_by_a_stranger_costs_nothing_but_time() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    world.set_automine(false).await?;
    let relayer = world
        .relayer(|config| {
            config.senders.truncate(1);
            config.fault = Some(FaultPoint::BatchStored.into());
        })
        .await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    relayer.failure().await?;
    // Someone else uses the sender's key for the nonce that is stored, before the transaction was ever sent.
    world.set_automine(true).await?;
    let stranger = world.chain.provider(1)?;
    let transfer = TransactionRequest::default().with_to(world.chain.account(0)?).with_value(U256::from(1));
    stranger.send_transaction(transfer).await?.get_receipt().await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    assert_eq!(relayer.is_final(accepted.id).await?.status, MessageStatus::Finalized);
    assert_eq!(world.registered().await?, 1);
    assert_eq!(world.count("select count(*) from relay.submissions where status = 'displaced'").await?, 1);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_of_nonces_is_filled() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    // As after a partial restore: nonce 2 is stored without its bytes, 0 and 1 are not, and the chain has seen none of them.
    sqlx::query("insert into relay.submissions (sender, nonce, kind, recipient) values ($1, 2, 'filler', $1)")
        .bind(world.chain.account(1)?.as_slice())
        .execute(&world.database.pool)
        .await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    world.until("select count(*) from relay.submissions where kind = 'filler' and status = 'finalized'", 3).await?;
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverted_batch_is_tried_again() -> anyhow::Result<()> {
    let world = World::start(Options::default()).await?;
    world.set_automine(false).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    let requests: Vec<_> = (0..3).map(|_| world.registration(&Citizen::new())).collect();
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    for message in &accepted {
        relayer.client.wait(message.id, PATIENCE, "submitted", |m| m.status == MessageStatus::Submitted).await?;
    }
    // The phase ends while the transaction waits: it will be mined and revert.
    let round = world.contract();
    for class in 0..2 {
        let _ = round
            .publishIssued(class, 10)
            .gas(500_000)
            .max_priority_fee_per_gas(9_000_000_000)
            .max_fee_per_gas(90_000_000_000)
            .send()
            .await?;
    }
    let _ = round
        .openPledging()
        .gas(3_000_000)
        .max_priority_fee_per_gas(9_000_000_000)
        .max_fee_per_gas(90_000_000_000)
        .send()
        .await?;
    world.mine().await?;
    world.set_automine(true).await?;
    for message in &accepted {
        let message = relayer.is_final(message.id).await?;
        assert_eq!(message.status, MessageStatus::Failed);
        assert_eq!(message.reason.as_deref(), Some("the round went on to the phase «pledging» before it took effect"));
    }
    assert_eq!(world.registered().await?, 0);
    assert_eq!(world.count("select count(*) from relay.submissions where reverted").await?, 1);
    relayer.stop().await
}

/// Posts a message and counts the blocks until it is mined.
async fn blocks_until_mined(world: &World, relayer: &Relayer) -> anyhow::Result<u64> {
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    for blocks in 0..40 {
        let message = relayer.client.message(accepted.id).await?;
        if matches!(message.status, MessageStatus::Mined | MessageStatus::Finalized) {
            return Ok(blocks);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.mine().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("after 40 blocks the message is not mined")
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_that_drifted_heal_by_themselves() -> anyhow::Result<()> {
    // Three below: the key was used elsewhere, so the chain is ahead of what is stored.
    let world = World::start(Options::default()).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    relayer.is_final(relayer.client.register(&world.registration(&Citizen::new())).await?.id).await?;
    relayer.stop().await?;
    let stranger = world.chain.provider(1)?;
    for _ in 0..3 {
        let transfer = TransactionRequest::default().with_to(world.chain.account(0)?).with_value(U256::from(1));
        stranger.send_transaction(transfer).await?.get_receipt().await?;
    }
    world.set_automine(false).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    let blocks = blocks_until_mined(&world, &relayer).await?;
    assert!(blocks <= 5, "three below: {blocks} blocks");
    relayer.stop().await?;

    // Four above: the chain has forgotten transactions that are stored, and whose bytes are lost as well.
    let next = "insert into relay.submissions (sender, nonce, kind, recipient, status)
                select $1, max(nonce) + 5, 'filler', $1, 'pending' from relay.submissions where sender = $1";
    sqlx::query(next).bind(world.chain.account(1)?.as_slice()).execute(&world.database.pool).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    let blocks = blocks_until_mined(&world, &relayer).await?;
    assert!(blocks <= 5, "four above: {blocks} blocks");
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_without_funds_hands_its_work_on() -> anyhow::Result<()> {
    let world = World::start(Options { block_seconds: Some(0.2), ..Options::default() }).await?;
    let (poor, rich) = (world.chain.account(1)?, world.chain.account(2)?);
    // It is drained after its transaction is stored and before it is sent.
    let relayer = world
        .relayer(|config| {
            config.senders.truncate(1);
            config.fault = Some(FaultPoint::BatchStored.into());
        })
        .await?;
    let accepted = relayer.client.register(&world.registration(&Citizen::new())).await?;
    relayer.failure().await?;
    world.anvil("anvil_setBalance", json!([poor, "0x0"])).await?;
    let relayer = world.relayer(|config| config.fees.bump_after_blocks = 2).await?;
    let message = relayer.is_final(accepted.id).await?;
    assert_eq!(message.status, MessageStatus::Finalized);
    let payer = world.staff.get_transaction_by_hash(message.tx_hash.unwrap()).await?.unwrap();
    assert_eq!(alloy::network::TransactionResponse::from(&payer), rich);
    assert_eq!(world.count("select count(*) from relay.submissions where kind = 'filler'").await?, 1);
    // With money again, the nonce is closed by an empty transaction, and the sender works as before.
    world.anvil("anvil_setBalance", json!([poor, "0x21e19e0c9bab2400000"])).await?;
    world.until("select count(*) from relay.submissions where status = 'finalized'", 2).await?;
    assert_eq!(world.registered().await?, 1);
    relayer.stop().await
}

/// An allocation whose transaction is given up, because its sender cannot pay when it is to be sent. The relayer that did so
/// goes on without money.
async fn give_up(world: &World, request: &AllocationRequest) -> anyhow::Result<(Accepted, Relayer)> {
    let relayer = world
        .relayer(|config| {
            config.senders.truncate(1);
            config.fault = Some(FaultPoint::BatchStored.into());
        })
        .await?;
    let accepted = relayer.client.allocate(request).await?;
    relayer.failure().await?;
    world.anvil("anvil_setBalance", json!([world.chain.account(1)?, "0x0"])).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    world.until("select count(*) from relay.messages where kind = 'allocation' and status = 'queued'", 1).await?;
    Ok((accepted, relayer))
}

/// The sender has money again, and somebody sends the newest of its transactions after all.
async fn mine_given_up(world: &World) -> anyhow::Result<TransactionReceipt> {
    world.anvil("anvil_setBalance", json!([world.chain.account(1)?, "0x21e19e0c9bab2400000"])).await?;
    let newest = "select t.raw from relay.transactions t join relay.submissions s on s.id = t.submission
                  order by s.nonce desc limit 1";
    let raw: Vec<u8> = sqlx::query_scalar(newest).fetch_one(&world.database.pool).await?;
    Ok(world.staff.send_raw_transaction(&raw).await?.get_receipt().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_and_mined_nevertheless_is_told_as_done() -> anyhow::Result<()> {
    let world = World::start(Options { block_seconds: Some(0.2), ..Options::default() }).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    let citizen = Citizen::new();
    relayer.is_final(relayer.client.register(&world.registration(&citizen)).await?.id).await?;
    relayer.stop().await?;
    world.open_pledging().await?;

    let (first, relayer) = give_up(&world, &world.allocation(&citizen, 1, &[1], &[1])).await?;

    // A newer version does not say what became of it: the transaction is mined after all.
    let second = relayer.client.allocate(&world.allocation(&citizen, 2, &[2], &[1])).await?;
    assert_eq!(relayer.client.message(first.id).await?.status, MessageStatus::Queued);
    relayer.stop().await?;
    let receipt = mine_given_up(&world).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    let done = relayer.is_final(first.id).await?;
    assert_eq!((done.status, done.reason), (MessageStatus::Finalized, None));
    assert_eq!(done.tx_hash, Some(receipt.transaction_hash));
    assert_eq!(relayer.is_final(second.id).await?.status, MessageStatus::Finalized);
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_took_effect_elsewhere_before_the_phase_ended_is_told_as_done() -> anyhow::Result<()> {
    let world = World::start(Options { block_seconds: Some(0.2), ..Options::default() }).await?;
    let relayer = world.relayer(|config| config.senders.truncate(1)).await?;
    let citizens = [Citizen::new(), Citizen::new(), Citizen::new()];
    for citizen in &citizens {
        relayer.is_final(relayer.client.register(&world.registration(citizen)).await?.id).await?;
    }
    relayer.stop().await?;
    world.open_pledging().await?;

    // The first transaction is given up; for the others there is no money from the start.
    let [first, second, third] = [0, 1, 2].map(|index: usize| world.allocation(&citizens[index], 1, &[1], &[1]));
    let (given_up, relayer) = give_up(&world, &first).await?;
    let by_stranger = relayer.client.allocate(&second).await?;
    let never = relayer.client.allocate(&third).await?;
    world.until("select count(*) from relay.messages where kind = 'allocation' and status = 'queued'", 3).await?;
    relayer.stop().await?;

    // It is mined after all, a stranger brings the second, nobody the third; then the phase is over.
    let mined = mine_given_up(&world).await?;
    let signature = alloy::primitives::Signature::try_from(second.signature.as_ref())?.as_erc2098();
    let signed = IBudgetRound::Allocation {
        account: second.account,
        version: second.version,
        initiatives: second.initiatives.clone(),
        points: second.points.clone(),
    };
    let direct = world.contract().allocate(vec![signed], signature.into()).send().await?.get_receipt().await?;
    assert!(mined.status() && direct.status());
    world.close_pledging().await?;

    let relayer = world.relayer(|config| config.follow.confirmations = 5).await?;
    for (accepted, by) in [(given_up, mined), (by_stranger, direct)] {
        let done = relayer.is_final(accepted.id).await?;
        assert_eq!((done.status, done.reason), (MessageStatus::Finalized, None));
        assert_eq!((done.tx_hash, done.block_number), (Some(by.transaction_hash), by.block_number));
    }
    let late = relayer.is_final(never.id).await?;
    assert_eq!(late.status, MessageStatus::Failed);
    assert_eq!(late.reason.as_deref(), Some("the round went on to the phase «tallying» before it took effect"));
    let counts = relayer.client.status().await?;
    assert_eq!((counts.queued, counts.finalized, counts.failed), (0, 5, 1));
    relayer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_without_fees_needs_no_money() -> anyhow::Result<()> {
    let world = World::start(Options { is_free: true, ..Options::default() }).await?;
    for index in 1..3 {
        world.anvil("anvil_setBalance", json!([world.chain.account(index)?, "0x0"])).await?;
    }
    let relayer = world
        .relayer(|config| {
            config.fees.min_priority_fee = 0;
            config.fees.max_fee_ceiling = 0;
            config.fees.low_balance = 0;
        })
        .await?;
    let requests: Vec<_> = (0..4).map(|_| world.registration(&Citizen::new())).collect();
    let accepted = try_join_all(requests.iter().map(|request| relayer.client.register(request))).await?;
    for message in accepted {
        assert_eq!(relayer.is_final(message.id).await?.status, MessageStatus::Finalized);
    }
    let paid = "select count(*) from relay.transactions where max_fee_per_gas > 0";
    assert_eq!(world.count(paid).await?, 0);
    relayer.stop().await
}
