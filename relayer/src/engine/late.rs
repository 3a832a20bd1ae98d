//! Ending messages whose time is over, without calling those failed that took effect in a transaction that nobody follows:
//! one that was given up and mined all the same, or a stranger's.

use std::collections::HashMap;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall as _;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::polls::Polls;
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_domain::MessageKind;
use kopilka_store::relay::{Claimed, Group, SubmittedMessage, queue};
use sqlx::PgConnection;

use super::read::effect_of;
use super::senders::Sender;
use super::{Engine, EngineError, batch};
use crate::chain::{TrialError, decode, redemption_id};
use crate::config::TRANSACTION_GAS_CAP;
use crate::message::RedemptionContent;

/// Whether messages were ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All of them.
    Done,
    /// None: the block that says that it is too late may still be replaced.
    NotYet,
}

/// Ends messages that are refused because it is too late for all of them: as done where they have taken effect, and as
/// failed for `reason` otherwise. It waits until the chain's refusal is permanent; what has no effect then never has.
pub(super) async fn end(
    engine: &Engine,
    work: &mut PgConnection,
    sender: &Sender,
    group: &Group,
    items: &[Claimed],
    refusal: &Bytes,
    reason: &str,
) -> Result<Ended, EngineError> {
    let head = engine.chain.head().ok_or(EngineError::Later("the node does not say what its newest block is"))?;
    let settled = (head.number + 1).saturating_sub(engine.follow.confirmations).min(head.number);
    let Some(input) = batch::calldata(group, items) else { return Ok(Ended::NotYet) };
    let answer = engine.chain.try_out(sender.address, group.contract, &input, TRANSACTION_GAS_CAP, Some(settled)).await;
    match answer {
        Err(TrialError::Reverted(data)) if data == *refusal => {}
        Err(TrialError::Unknown(error)) => return Err(error.into()),
        _ => return Ok(Ended::NotYet),
    }
    let recorded = recorded(engine, group, items, Some(settled)).await?;
    let mut failed = Vec::new();
    for item in items {
        // Registrations and claims have no version: theirs count as 0.
        if recorded.get(&item.id).is_some_and(|&version| version >= item.version.max(1)) {
            let outcome = effect_of(engine, &message(group, item)).await?;
            tracing::warn!(message.id = %item.id, reason = outcome.reason, "a message took effect outside its transaction");
            queue::settle_queued(work, &outcome).await?;
        } else {
            failed.push(item.clone());
        }
    }
    fail(work, &failed, reason).await?;
    Ok(Ended::Done)
}

/// Ends messages as failed.
pub(super) async fn fail(work: &mut PgConnection, items: &[Claimed], reason: &str) -> Result<(), EngineError> {
    if items.is_empty() {
        return Ok(());
    }
    tracing::warn!(reason, count = items.len(), "messages fail");
    metrics::counter!("kopilka_relayer_failed_total").increment(items.len() as u64);
    let ids: Vec<B256> = items.iter().map(|item| item.id).collect();
    Ok(queue::fail_queued(work, &ids, reason).await?)
}

fn message(group: &Group, item: &Claimed) -> SubmittedMessage {
    SubmittedMessage {
        id: item.id,
        kind: group.kind,
        contract: group.contract,
        scope: group.scope,
        account: item.account,
        version: item.version,
        content: Some(item.content.clone()),
    }
}

/// The version that the chain has recorded for each message's account, as of a block, the newest if `None`: 0 for none, 1
/// where there are no versions.
pub(super) async fn recorded(
    engine: &Engine,
    group: &Group,
    items: &[Claimed],
    block: Option<u64>,
) -> Result<HashMap<B256, u32>, EngineError> {
    let calls = items
        .iter()
        .map(|item| Ok((group.contract, question(group, item)?)))
        .collect::<Result<Vec<(Address, Vec<u8>)>, EngineError>>()?;
    let answers = engine.chain.read_together(&calls, block).await?;
    let mut recorded = HashMap::new();
    for (item, answer) in items.iter().zip(answers) {
        let answer = answer.ok_or(EngineError::Later("the node does not say what has taken effect"))?;
        let version = match group.kind {
            MessageKind::Registration => decode::<BudgetRound::citizenCall>(&answer)?.registered.into(),
            MessageKind::Allocation => decode::<BudgetRound::citizenCall>(&answer)?.version,
            MessageKind::Ballot => decode::<Polls::ballotOfCall>(&answer)?.version,
            MessageKind::StampClaim => decode::<RewardPoints::hasClaimedCall>(&answer)?.into(),
            MessageKind::Redemption => (!decode::<RewardShop::redemptionCall>(&answer)?.account.is_zero()).into(),
        };
        recorded.insert(item.id, version);
    }
    Ok(recorded)
}

fn question(group: &Group, item: &Claimed) -> Result<Vec<u8>, EngineError> {
    let (scope, account) = (U256::from(group.scope), item.account);
    Ok(match group.kind {
        MessageKind::Registration | MessageKind::Allocation => BudgetRound::citizenCall { account }.abi_encode(),
        MessageKind::Ballot => Polls::ballotOfCall { pollId: scope, account }.abi_encode(),
        MessageKind::StampClaim => RewardPoints::hasClaimedCall { sourceId: scope, account }.abi_encode(),
        MessageKind::Redemption => {
            let content = RedemptionContent::decode(&item.content)
                .ok_or(EngineError::Later("a stored redemption is unreadable"))?;
            let id = redemption_id(group.contract, account, content.terms.code_hash);
            RewardShop::redemptionCall { redemptionId: id }.abi_encode()
        }
    })
}
