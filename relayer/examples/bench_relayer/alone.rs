//! What to compare with: one message in a transaction, one transaction after the other; and what anvil executes of the same
//! calldata when nobody else needs the processors.

use std::time::Instant;

use alloy::consensus::{SignableTransaction as _, TxEip1559};
use alloy::eips::Encodable2718 as _;
use alloy::network::TxSignerSync as _;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall as _;
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_bindings::polls::{IPolls, Polls};
use kopilka_credential::Signature;
use kopilka_domain::MessageKind;
use kopilka_relay_client::{AllocationRequest, BallotRequest, RegistrationRequest};
use kopilka_testkit::DEV_KEYS;
use serde_json::json;

use crate::ground::Ground;
use crate::load::Load;
use crate::measure::processor_seconds;

/// Most messages in a transaction, as the relayer's.
const BATCH: usize = 200;
/// Gas at which a transaction is full, as the relayer's.
const GAS: usize = 14_000_000;
/// Transactions in a block.
const BLOCK: usize = 5;

/// A contract, and calls of it with so many messages each.
type Calls = (Address, Vec<(Bytes, usize)>);

fn messages<T: serde::de::DeserializeOwned>(load: &Load, count: usize) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(&load.file)?;
    text.lines().take(count).map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn uncompressed(signature: &Bytes) -> anyhow::Result<[u8; 96]> {
    Ok(Signature::from_bytes(signature)?.to_uncompressed())
}

fn compact(signature: &Bytes) -> anyhow::Result<[u8; 64]> {
    Ok(alloy::primitives::Signature::from_raw(signature)?.as_erc2098())
}

/// The first `count` messages as the relayer puts them into calls.
fn calls(ground: &Ground, load: &Load, count: usize, batch: usize) -> anyhow::Result<Calls> {
    let joined = |parts: anyhow::Result<Vec<Vec<u8>>>| parts.map(|parts| Bytes::from(parts.concat()));
    Ok(match load.kind {
        MessageKind::Registration => {
            let all: Vec<RegistrationRequest> = messages(load, count)?;
            let call = |part: &[RegistrationRequest]| {
                let signatures = joined(part.iter().map(|m| Ok(uncompressed(&m.signature)?.to_vec())).collect())?;
                let accounts = part.iter().map(|message| message.account).collect();
                let call = BudgetRound::registerCall { class: 0, accounts, signatures };
                anyhow::Ok((call.abi_encode().into(), part.len()))
            };
            (ground.world.round, all.chunks(batch).map(call).collect::<Result<_, _>>()?)
        }
        MessageKind::Allocation => {
            let all: Vec<AllocationRequest> = messages(load, count)?;
            let call = |part: &[AllocationRequest]| {
                let signatures = joined(part.iter().map(|m| Ok(compact(&m.signature)?.to_vec())).collect())?;
                let allocations = part.iter().map(|message| IBudgetRound::Allocation {
                    account: message.account,
                    version: message.version,
                    initiatives: message.initiatives.clone(),
                    points: message.points.clone(),
                });
                let call = BudgetRound::allocateCall { allocations: allocations.collect(), signatures };
                anyhow::Ok((call.abi_encode().into(), part.len()))
            };
            (ground.world.round, all.chunks(batch).map(call).collect::<Result<_, _>>()?)
        }
        _ => {
            let all: Vec<BallotRequest> = messages(load, count)?;
            let call = |part: &[BallotRequest]| {
                let signatures = joined(part.iter().map(|m| Ok(compact(&m.signature)?.to_vec())).collect())?;
                let proof = |m: &BallotRequest| uncompressed(m.credential.as_ref().context("a credential")?);
                let credentials = joined(part.iter().map(|m| Ok(proof(m)?.to_vec())).collect())?;
                let ballots = part.iter().map(|message| {
                    let choice = message.choice.as_ref().context("a choice")?.parse()?;
                    Ok(IPolls::Ballot { version: message.version, choice })
                });
                let ballots = ballots.collect::<anyhow::Result<_>>()?;
                let poll_id = U256::from(ground.poll.id);
                let accounts = part.iter().map(|message| message.account).collect();
                let call = Polls::castBallotsCall { pollId: poll_id, accounts, ballots, signatures, credentials };
                anyhow::Ok((call.abi_encode().into(), part.len()))
            };
            (ground.poll.contract, all.chunks(batch).map(call).collect::<Result<_, _>>()?)
        }
    })
}

fn signed(key: &PrivateKeySigner, chain_id: u64, nonce: u64, to: Address, input: Bytes) -> anyhow::Result<Bytes> {
    let mut transaction = TxEip1559 {
        chain_id,
        nonce,
        gas_limit: 16_777_216,
        max_fee_per_gas: 500_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(to),
        input,
        ..TxEip1559::default()
    };
    let signature = key.sign_transaction_sync(&mut transaction)?;
    Ok(transaction.into_signed(signature).encoded_2718().into())
}

/// How many messages in a batch of the relayer.
fn batch_of(kind: MessageKind) -> usize {
    // The relayer's estimates of gas: see relayer/src/gas.rs.
    let each = match kind {
        MessageKind::Registration => 60_000,
        MessageKind::Allocation => 48_000,
        _ => 66_000,
    };
    BATCH.min(GAS / each)
}

/// Sends calls of prepared messages to an anvil without relayer, block after block; prints what it executes in a second.
pub async fn alone(ground: &Ground, load: &Load, count: usize) -> anyhow::Result<f64> {
    let (to, calls) = calls(ground, load, count, batch_of(load.kind))?;
    let key: PrivateKeySigner = DEV_KEYS[1].parse()?;
    let provider = &ground.world.staff;
    ground.world.set_automine(false).await?;
    let chain_id = ground.world.chain.deployment.chain_id;
    let first = provider.get_transaction_count(key.address()).await?;
    let raw: Vec<Bytes> = (first..)
        .zip(&calls)
        .map(|(nonce, (input, _))| signed(&key, chain_id, nonce, to, input.clone()))
        .collect::<Result<_, _>>()?;
    let id = ground.world.chain.anvil.process_id();
    let (began, cpu) = (Instant::now(), processor_seconds(id)?);
    for block in raw.chunks(BLOCK) {
        for raw in block {
            let _ = provider.send_raw_transaction(raw).await?;
        }
        ground.world.mine().await?;
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), processor_seconds(id)? - cpu);
    let nonce = provider.get_transaction_count(key.address()).await?;
    ensure!(nonce == first + raw.len() as u64, "anvil did not take everything");
    ground.world.set_automine(true).await?;
    let rate = count as f64 / seconds;
    println!(
        "anvil alone, {}: {rate:.0} /s ({count} messages in {} transactions, {:.2} CPU s for 1,000)",
        load.kind,
        raw.len(),
        cpu * 1e3 / count as f64
    );
    Ok(rate)
}

/// Signs a transaction with one message, sends it, waits for its receipt; then the next. A block comes with each.
pub async fn one_by_one(ground: &Ground, load: &Load, count: usize) -> anyhow::Result<()> {
    let (to, calls) = calls(ground, load, count, 1)?;
    let key: PrivateKeySigner = DEV_KEYS[2].parse()?;
    let provider = &ground.world.staff;
    let chain_id = ground.world.chain.deployment.chain_id;
    let first = provider.get_transaction_count(key.address()).await?;
    let began = Instant::now();
    let mut gas = 0;
    for (nonce, (input, _)) in (first..).zip(calls) {
        let raw = signed(&key, chain_id, nonce, to, input)?;
        let hash = *provider.send_raw_transaction(&raw).await?.tx_hash();
        let receipt = loop {
            if let Some(receipt) = provider.get_transaction_receipt(hash).await? {
                break receipt;
            }
        };
        ensure!(receipt.status(), "a transaction of the floor failed");
        gas += receipt.gas_used;
    }
    let rate = count as f64 / began.elapsed().as_secs_f64();
    println!("one by one, {}: {rate:.0} /s, {} gas each (a block for each transaction)", load.kind, gas / count as u64);
    Ok(())
}

/// Measures all kinds on a fresh chain. Each account registers before it allocates.
pub async fn run(ground: &Ground, loads: &[Load], count: usize) -> anyhow::Result<()> {
    for load in loads {
        alone(ground, load, count).await?;
    }
    Ok(())
}

/// Measures the floor of all kinds on a fresh chain.
pub async fn floor(ground: &Ground, loads: &[Load], count: usize) -> anyhow::Result<()> {
    ground.world.anvil("anvil_setBlockTimestampInterval", json!([1])).await?;
    for load in loads {
        one_by_one(ground, load, count).await?;
    }
    Ok(())
}
