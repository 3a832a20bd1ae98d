//! What a mined transaction did to each of its messages: read from events, never from the receipt's status alone.

use std::collections::HashMap;

use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEventInterface as _;
use kopilka_bindings::budget_round::BudgetRound::BudgetRoundEvents;
use kopilka_bindings::polls::Polls::PollsEvents;
use kopilka_bindings::reward_points::RewardPoints::RewardPointsEvents;
use kopilka_bindings::reward_shop::RewardShop::RewardShopEvents;
use kopilka_domain::MessageKind;
use kopilka_store::relay::SubmittedMessage;

/// Why a contract left a message out, as far as it matters what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    /// What it wants is done already, perhaps by this very message in another transaction.
    Done,
    /// A version at least as high is recorded, perhaps this one.
    VersionNotHigher,
    /// The account's registration is missing.
    NotRegistered,
    /// It may count later: the message goes back to the queue.
    NotYet,
    /// It never will, for this reason.
    Never(&'static str),
    /// A reason that this program does not know.
    Unknown(u8),
}

/// The numbers of `SkipReason` of each contract.
fn skip(kind: MessageKind, code: u8) -> Skip {
    use MessageKind as K;
    use Skip::{Done, Never, NotRegistered, NotYet, Unknown, VersionNotHigher};
    const SIGNATURE: Skip = Never("the contract does not accept the signature");
    const CHOICES: Skip = Never("the contract does not accept the choices");
    match (kind, code) {
        (K::Registration | K::Allocation, 1) => Done,
        (K::Registration | K::Allocation, 2) => Never("the budget does not cover another share"),
        (K::Registration | K::Allocation, 3) => NotRegistered,
        (K::Registration | K::Allocation, 4) => SIGNATURE,
        (K::Registration | K::Allocation, 5) => VersionNotHigher,
        (K::Registration | K::Allocation, 6) => CHOICES,
        // Its earlier ballot may have gone with a block that was replaced, or more credentials are published later.
        (K::Ballot, 1 | 2) => NotYet,
        (K::Ballot, 3 | 4) => VersionNotHigher,
        (K::Ballot, 5) => CHOICES,
        (K::Ballot, 6) => SIGNATURE,
        (K::StampClaim, 1) => Done,
        (K::StampClaim, 2) => NotYet,
        (K::Redemption, 1) => Done,
        (K::Redemption, 2) => Never("there is no such prize"),
        (K::Redemption, 3) => Never("the prize has another price or description than the one signed"),
        (K::Redemption, 4) => Never("the partner has withdrawn the prize"),
        (K::Redemption, 5) => Never("the partner's access has ended"),
        (K::Redemption, 6) => Never("the prize cannot be had yet"),
        (K::Redemption, 7) => Never("the prize cannot be had any more"),
        (K::Redemption, 8) => Never("no piece of the prize is left"),
        (K::Redemption, 9) => SIGNATURE,
        (K::Redemption, 10) => Never("the seasons named do not hold enough points"),
        (_, other) => Unknown(other),
    }
}

/// What the events say of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It took effect: transaction, block, log index.
    Done(B256, u64, u64),
    /// It was left out.
    Skipped(Skip),
    /// No event names it.
    Missing,
}

/// Which message an event is about: kind, scope, account, version; and the code of the reason if it was left out.
type About = (MessageKind, u64, Address, u32, Option<u8>);

fn about(log: &Log) -> Option<About> {
    use MessageKind as K;
    let number = |id: U256| u64::try_from(id).unwrap_or(u64::MAX);
    // The head of a code's hash tells an account's redemptions apart.
    let code = |hash: B256| u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    if let Ok(event) = BudgetRoundEvents::decode_log(&log.inner) {
        return match event.data {
            BudgetRoundEvents::Registered(e) => Some((K::Registration, 0, e.account, 0, None)),
            BudgetRoundEvents::RegistrationSkipped(e) => Some((K::Registration, 0, e.account, 0, Some(e.reason))),
            BudgetRoundEvents::AllocationRecorded(e) => Some((K::Allocation, 0, e.account, e.version, None)),
            BudgetRoundEvents::AllocationSkipped(e) => Some((K::Allocation, 0, e.account, e.version, Some(e.reason))),
            _ => None,
        };
    }
    if let Ok(event) = PollsEvents::decode_log(&log.inner) {
        return match event.data {
            PollsEvents::BallotCast(e) => Some((K::Ballot, number(e.pollId), e.account, e.version, None)),
            PollsEvents::SealedBallotCast(e) => Some((K::Ballot, number(e.pollId), e.account, e.version, None)),
            PollsEvents::BallotSkipped(e) => Some((K::Ballot, number(e.pollId), e.account, e.version, Some(e.reason))),
            _ => None,
        };
    }
    if let Ok(event) = RewardPointsEvents::decode_log(&log.inner) {
        return match event.data {
            RewardPointsEvents::StampClaimed(e) => Some((K::StampClaim, number(e.sourceId), e.account, 0, None)),
            RewardPointsEvents::StampSkipped(e) => {
                Some((K::StampClaim, number(e.sourceId), e.account, 0, Some(e.reason)))
            }
            _ => None,
        };
    }
    match RewardShopEvents::decode_log(&log.inner).ok()?.data {
        RewardShopEvents::PrizeRedeemed(e) => Some((K::Redemption, 0, e.account, code(e.codeHash), None)),
        RewardShopEvents::RedemptionSkipped(e) => Some((K::Redemption, 0, e.account, code(e.codeHash), Some(e.reason))),
        _ => None,
    }
}

/// The verdict on each message, in the same order.
pub(crate) fn verdicts(messages: &[SubmittedMessage], logs: &[Log]) -> Vec<Verdict> {
    let mut events: HashMap<(Address, MessageKind, u64, Address, u32), Verdict> = HashMap::new();
    for log in logs {
        let Some((kind, scope, account, version, left_out)) = about(log) else { continue };
        let verdict = match (left_out, log.transaction_hash, log.block_number, log.log_index) {
            (Some(code), ..) => Verdict::Skipped(skip(kind, code)),
            (None, Some(hash), Some(block), Some(index)) => Verdict::Done(hash, block, index),
            _ => continue,
        };
        // An account that stands twice in a batch is done the first time and skipped the second: done counts.
        let slot = events.entry((log.address(), kind, scope, account, version)).or_insert(verdict);
        if matches!(verdict, Verdict::Done(..)) {
            *slot = verdict;
        }
    }
    messages
        .iter()
        .map(|message| {
            let key = (message.contract, message.kind, message.scope, message.account, message.version);
            events.get(&key).copied().unwrap_or(Verdict::Missing)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::sol_types::SolEvent as _;
    use kopilka_bindings::budget_round::BudgetRound;

    fn log(address: Address, data: alloy::primitives::LogData, index: u64) -> Log {
        Log {
            inner: alloy::primitives::Log { address, data },
            transaction_hash: Some(B256::repeat_byte(7)),
            block_number: Some(5),
            log_index: Some(index),
            ..Log::default()
        }
    }

    #[test]
    fn events_of_the_own_round_alone_decide() {
        let (round, foreign) = (Address::repeat_byte(1), Address::repeat_byte(9));
        let account = |n| Address::repeat_byte(n);
        let message = |n, kind, version| SubmittedMessage {
            id: B256::repeat_byte(n),
            kind,
            contract: round,
            scope: 0,
            account: account(n),
            version,
            content: None,
        };
        let registered = |n| BudgetRound::Registered { account: account(n), class: 0 }.encode_log_data();
        let skipped =
            |n, reason| BudgetRound::RegistrationSkipped { account: account(n), class: 0, reason }.encode_log_data();
        let recorded = |n, version| {
            BudgetRound::AllocationRecorded { account: account(n), version, initiatives: vec![1], points: vec![] }
                .encode_log_data()
        };
        let logs = [
            log(foreign, registered(2), 0),
            log(round, registered(3), 1),
            log(round, skipped(3, 1), 2),
            log(round, skipped(4, 2), 3),
            log(round, recorded(5, 2), 4),
        ];
        let messages = [
            message(2, MessageKind::Registration, 0),
            message(3, MessageKind::Registration, 0),
            message(4, MessageKind::Registration, 0),
            message(5, MessageKind::Allocation, 1),
            message(5, MessageKind::Allocation, 2),
        ];
        let hash = B256::repeat_byte(7);
        assert_eq!(
            verdicts(&messages, &logs),
            [
                Verdict::Missing,
                Verdict::Done(hash, 5, 1),
                Verdict::Skipped(Skip::Never("the budget does not cover another share")),
                Verdict::Missing,
                Verdict::Done(hash, 5, 4),
            ]
        );
    }
}
