//! Trying a batch out before it is sent, and leaving out what would spoil it.

use std::collections::HashSet;

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::{SolError as _, SolInterface as _};
use kopilka_bindings::budget_round::BudgetRound::BudgetRoundErrors;
use kopilka_bindings::polls::Polls::PollsErrors;
use kopilka_bindings::reward_points::RewardPoints::RewardPointsErrors;
use kopilka_domain::{MessageKind, Phase};
use kopilka_store::relay::{Claimed, Group, queue};
use sqlx::PgConnection;

use super::late::{Ended, end, fail, recorded};
use super::senders::Sender;
use super::{Engine, EngineError, batch};
use crate::admission::{Opening, opening};
use crate::chain::TrialError;
use crate::config::TRANSACTION_GAS_CAP;
use crate::gas;
use crate::message::CREDENTIAL_BYTES;
use crate::venue::{PollStatus, Venue};
use crate::verify::bad_credentials;

/// What is left of a batch after trying it out.
pub(super) enum Content {
    Call(Bytes, u64),
    Empty,
    Hold(&'static str),
}

/// Tries the call out, and leaves out what spoils it, until it succeeds or nothing is left.
pub(super) async fn settle_content(
    engine: &Engine,
    work: &mut PgConnection,
    sender: &Sender,
    group: &Group,
    items: &mut Vec<Claimed>,
) -> Result<Content, EngineError> {
    if is_uniform(group.kind, items)
        && let Some(call) = sample(engine, sender, group, items).await?
    {
        return Ok(call);
    }
    loop {
        if items.is_empty() {
            return Ok(Content::Empty);
        }
        let Some(input) = batch::calldata(group, items) else {
            let (good, bad): (Vec<_>, Vec<_>) =
                items.drain(..).partition(|item| batch::calldata(group, std::slice::from_ref(item)).is_some());
            fail(work, &bad, "its stored content cannot be read").await?;
            *items = good;
            continue;
        };
        let estimate = gas::limit(group.kind, items.iter().map(|item| u64::from(item.gas)).sum());
        let mut refusal = None;
        for gas_limit in [estimate, TRANSACTION_GAS_CAP] {
            if refusal.is_some() && estimate == TRANSACTION_GAS_CAP {
                break;
            }
            match engine.chain.try_out(sender.address, group.contract, &input, gas_limit, None).await {
                Ok(()) => return Ok(Content::Call(input, gas_limit)),
                Err(TrialError::Unknown(error)) => return Err(error.into()),
                // Without enough gas a call can fail with any error: it is believed only with all the gas there is.
                Err(error) => refusal = Some(error),
            }
        }
        let Some(TrialError::Reverted(refusal)) = refusal else {
            split(engine, work, items, "it needs more gas than a transaction may have").await?;
            continue;
        };
        match remedy(engine, group, &refusal).await? {
            Remedy::Hold(why) => return Ok(Content::Hold(why)),
            Remedy::EndAll(reason) => match end(engine, work, sender, group, items, &refusal, &reason).await? {
                Ended::Done => items.clear(),
                Ended::NotYet => return Ok(Content::Hold("the block that ends their time is not permanent yet")),
            },
            Remedy::CheckCredentials(venue) => check_credentials(engine, work, group, venue, items).await?,
            Remedy::Split(reason) => split(engine, work, items, &reason).await?,
        }
    }
}

/// Whether a batch does what its first message does. What each message brings was checked when it was accepted, and what
/// does not count is skipped by the contract; so a batch reverts for causes that hold for all of it (a phase, a pause), or
/// for want of gas, which is known where messages of a kind cost the same. A message that was in vain before is suspect.
fn is_uniform(kind: MessageKind, items: &[Claimed]) -> bool {
    let costs_as_estimated = |item: &Claimed| match kind {
        MessageKind::Registration | MessageKind::Ballot | MessageKind::StampClaim => true,
        // A later version also takes back an earlier one, of which nothing is known here.
        MessageKind::Allocation => item.version == 1,
        MessageKind::Redemption => false,
    };
    items.len() > 1 && items.iter().all(|item| item.attempts == 0 && costs_as_estimated(item))
}

/// Tries out the first message alone: to execute a whole batch twice would cost the node as much as the batch itself.
/// `None` if it does not succeed, which says nothing of the others.
async fn sample(
    engine: &Engine,
    sender: &Sender,
    group: &Group,
    items: &[Claimed],
) -> Result<Option<Content>, EngineError> {
    let (Some(first), Some(input)) = (batch::calldata(group, &items[..1]), batch::calldata(group, items)) else {
        return Ok(None);
    };
    let limit = |items: &[Claimed]| gas::limit(group.kind, items.iter().map(|item| u64::from(item.gas)).sum());
    match engine.chain.try_out(sender.address, group.contract, &first, limit(&items[..1]), None).await {
        Ok(()) => Ok(Some(Content::Call(input, limit(items)))),
        Err(TrialError::Unknown(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

alloy::sol! {
    /// What every contract answers while the municipality's actions are paused.
    error ActionsPaused();
}

/// What to do about a call that reverts.
enum Remedy {
    /// It may succeed later.
    Hold(&'static str),
    /// None of the messages can take effect any more.
    EndAll(String),
    /// At least one credential is bad: find out which.
    CheckCredentials(Venue),
    /// Find out which message it is by halving.
    Split(String),
}

async fn remedy(engine: &Engine, group: &Group, data: &Bytes) -> Result<Remedy, EngineError> {
    if data.get(..4) == Some(&ActionsPaused::SELECTOR[..]) {
        return Ok(Remedy::Hold("the municipality's actions are paused"));
    }
    tracing::info!(kind = %group.kind, contract = %group.contract, error = %data.slice(..data.len().min(4)), "a batch would revert");
    let remedy = match group.kind {
        MessageKind::Registration | MessageKind::Allocation => round_remedy(engine, group, data).await?,
        MessageKind::Ballot => poll_remedy(engine, group, data).await?,
        MessageKind::StampClaim => source_remedy(engine, group, data).await?,
        MessageKind::Redemption => None,
    };
    Ok(remedy.unwrap_or_else(|| {
        let selector = data.get(..4).map(alloy::primitives::hex::encode).unwrap_or_default();
        Remedy::Split(format!("the contract refuses it with error 0x{selector}"))
    }))
}

async fn round_remedy(engine: &Engine, group: &Group, data: &Bytes) -> Result<Option<Remedy>, EngineError> {
    Ok(match BudgetRoundErrors::abi_decode(data) {
        Ok(BudgetRoundErrors::PhaseWrong(error)) => {
            let round = engine.venues.rounds.reread(group.contract).await?;
            let current = Phase::try_from(error.current).unwrap_or(round.phase);
            Some(match opening(group.kind, current, round.allotment) {
                Opening::Over => {
                    Remedy::EndAll(format!("the round went on to the phase «{current}» before it took effect"))
                }
                Opening::NotYet | Opening::Open => Remedy::Hold("the round's phase has not begun on the node"),
            })
        }
        Ok(BudgetRoundErrors::CredentialsInvalid(_)) => {
            Some(Remedy::CheckCredentials(Venue::Round(engine.venues.rounds.reread(group.contract).await?)))
        }
        Ok(BudgetRoundErrors::ClassUnknown(_)) => Some(Remedy::Hold("the class is not known to the node yet")),
        _ => None,
    })
}

async fn poll_remedy(engine: &Engine, group: &Group, data: &Bytes) -> Result<Option<Remedy>, EngineError> {
    Ok(match PollsErrors::abi_decode(data) {
        Ok(PollsErrors::PollStatusWrong(error)) => Some(match PollStatus::from_code(error.current) {
            Some(PollStatus::Cancelled) => Remedy::EndAll("the poll was called off".to_owned()),
            Some(PollStatus::Closed) => Remedy::EndAll("the poll was closed before it took effect".to_owned()),
            _ => Remedy::Hold("the poll is not open on the node"),
        }),
        Ok(PollsErrors::CredentialsInvalid(_)) => {
            Some(Remedy::CheckCredentials(Venue::Poll(engine.venues.poll(group.scope).await?)))
        }
        Ok(PollsErrors::PollUnknown(_)) => Some(Remedy::Hold("the poll is not known to the node yet")),
        _ => None,
    })
}

async fn source_remedy(engine: &Engine, group: &Group, data: &Bytes) -> Result<Option<Remedy>, EngineError> {
    Ok(match RewardPointsErrors::abi_decode(data) {
        Ok(RewardPointsErrors::SourceClosedAlready(_)) => {
            Some(Remedy::EndAll("the source gives no points any more".to_owned()))
        }
        Ok(RewardPointsErrors::SeasonOver(_)) => Some(Remedy::EndAll("the season of these points is over".to_owned())),
        Ok(RewardPointsErrors::StampsInvalid(_)) => {
            Some(Remedy::CheckCredentials(Venue::Source(engine.venues.source(group.scope).await?)))
        }
        Ok(RewardPointsErrors::SourceUnknown(_)) => Some(Remedy::Hold("the source is not known to the node yet")),
        _ => None,
    })
}

/// Leaves out what the contract has no room for yet. What has taken effect already needs none: a transaction that was given
/// up and mined all the same, or a stranger's; in a batch the contract skips it, and so its effect is found.
pub(super) async fn keep_to_room(engine: &Engine, group: &Group, items: &mut Vec<Claimed>) -> Result<(), EngineError> {
    let mut room = match group.kind {
        MessageKind::Ballot => engine.venues.poll(group.scope).await?.room,
        MessageKind::StampClaim => engine.venues.source(group.scope).await?.room,
        MessageKind::Registration | MessageKind::Allocation | MessageKind::Redemption => return Ok(()),
    };
    // An account that has voted brings no credential.
    let is_new = |item: &Claimed| {
        group.kind == MessageKind::StampClaim || batch::credential(group.kind, &item.content).is_some()
    };
    let new: Vec<Claimed> = items.iter().filter(|item| is_new(item)).cloned().collect();
    if new.len() as u64 <= room {
        return Ok(());
    }
    let recorded = recorded(engine, group, &new, None).await?;
    items.retain(|item| {
        if recorded.get(&item.id).is_none_or(|&version| version > 0) {
            return true;
        }
        let has_room = room > 0;
        room = room.saturating_sub(1);
        has_room
    });
    Ok(())
}

async fn check_credentials(
    engine: &Engine,
    work: &mut PgConnection,
    group: &Group,
    venue: Venue,
    items: &mut Vec<Claimed>,
) -> Result<(), EngineError> {
    let stored: Vec<(Address, Option<[u8; CREDENTIAL_BYTES]>)> =
        items.iter().map(|item| (item.account, batch::credential(group.kind, &item.content))).collect();
    let (chain_id, class) = (engine.chain.chain_id, group.class);
    let bad: HashSet<usize> = tokio::task::spawn_blocking(move || bad_credentials(chain_id, &venue, class, &stored))
        .await
        .map_err(|_| EngineError::Later("checking credentials panicked"))?
        .into_iter()
        .collect();
    if bad.is_empty() {
        return split(engine, work, items, "the contract refuses its credential").await;
    }
    let mut position = 0;
    let (bad, good): (Vec<_>, Vec<_>) = items.drain(..).partition(|_| {
        position += 1;
        bad.contains(&(position - 1))
    });
    *items = good;
    fail(work, &bad, "the credential is not the issuer's signature on this account, for this and nothing else").await
}

/// Goes on with the first half; the others stay in the queue. A message that is refused alone is the culprit: it is
/// tried some more times, alone, and then fails.
async fn split(
    engine: &Engine,
    work: &mut PgConnection,
    items: &mut Vec<Claimed>,
    reason: &str,
) -> Result<(), EngineError> {
    if items.len() > 1 {
        items.truncate(items.len() / 2);
        return Ok(());
    }
    if let Some(item) = items.pop() {
        tracing::warn!(reason, "a message is refused");
        queue::count_attempt(work, &[item.id], engine.batch.max_attempts, reason).await?;
    }
    Ok(())
}
