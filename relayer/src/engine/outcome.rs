//! What a mined transaction did to each of its messages: read from events, never from the receipt's status alone.

use std::collections::HashMap;

use alloy::primitives::{Address, B256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolEventInterface as _;
use kopilka_bindings::budget_round::BudgetRound::BudgetRoundEvents;
use kopilka_domain::MessageKind;
use kopilka_store::relay::SubmittedMessage;

/// Why the contract left a message out; the numbers of `SkipReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    AlreadyRegistered,
    FundsExhausted,
    NotRegistered,
    SignatureInvalid,
    VersionNotHigher,
    ChoicesMalformed,
    Other(u8),
}

impl Skip {
    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::AlreadyRegistered,
            2 => Self::FundsExhausted,
            3 => Self::NotRegistered,
            4 => Self::SignatureInvalid,
            5 => Self::VersionNotHigher,
            6 => Self::ChoicesMalformed,
            other => Self::Other(other),
        }
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

/// The verdict on each message, in the same order.
pub(crate) fn verdicts(messages: &[SubmittedMessage], logs: &[Log]) -> Vec<Verdict> {
    let mut events: HashMap<(Address, MessageKind, Address, u32), Verdict> = HashMap::new();
    for log in logs {
        let Ok(event) = BudgetRoundEvents::decode_log(&log.inner) else { continue };
        let (kind, account, version, skip) = match event.data {
            BudgetRoundEvents::Registered(event) => (MessageKind::Registration, event.account, 0, None),
            BudgetRoundEvents::RegistrationSkipped(event) => {
                (MessageKind::Registration, event.account, 0, Some(event.reason))
            }
            BudgetRoundEvents::AllocationRecorded(event) => {
                (MessageKind::Allocation, event.account, event.version, None)
            }
            BudgetRoundEvents::AllocationSkipped(event) => {
                (MessageKind::Allocation, event.account, event.version, Some(event.reason))
            }
            _ => continue,
        };
        let verdict = match (skip, log.transaction_hash, log.block_number, log.log_index) {
            (Some(code), ..) => Verdict::Skipped(Skip::from_code(code)),
            (None, Some(hash), Some(block), Some(index)) => Verdict::Done(hash, block, index),
            _ => continue,
        };
        // An account that stands twice in a batch is done the first time and skipped the second: done counts.
        let slot = events.entry((log.address(), kind, account, version)).or_insert(verdict);
        if matches!(verdict, Verdict::Done(..)) {
            *slot = verdict;
        }
    }
    messages
        .iter()
        .map(|message| {
            events
                .get(&(message.contract, message.kind, message.account, message.version))
                .copied()
                .unwrap_or(Verdict::Missing)
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
                Verdict::Skipped(Skip::FundsExhausted),
                Verdict::Missing,
                Verdict::Done(hash, 5, 4),
            ]
        );
    }
}
