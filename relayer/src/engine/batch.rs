//! Putting claimed messages into one call.

use alloy::primitives::Bytes;
use alloy::sol_types::SolCall as _;
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_domain::MessageKind;
use kopilka_store::relay::Claimed;
use rand::seq::SliceRandom as _;

use crate::config::BatchConfig;
use crate::message::{AllocationContent, CREDENTIAL_BYTES, SIGNATURE_BYTES};

/// As many messages from the front as one transaction holds, at least one. The others stay in the queue.
pub(crate) fn fit(kind: MessageKind, mut messages: Vec<Claimed>, config: &BatchConfig) -> Vec<Claimed> {
    let mut gas = 0_u64;
    let mut bytes = 0;
    let count = messages
        .iter()
        .take_while(|message| {
            gas += u64::from(message.gas);
            bytes += encoded_bytes(kind, message);
            gas <= config.target_gas && bytes <= config.max_bytes
        })
        .count();
    messages.truncate(count.max(1));
    messages
}

/// A message's calldata in bytes.
fn encoded_bytes(kind: MessageKind, message: &Claimed) -> usize {
    match kind {
        MessageKind::Registration => 32 + CREDENTIAL_BYTES,
        // Offset, two scalars, two offsets, two lengths; every 2 stored bytes of a list become a word.
        MessageKind::Allocation => {
            7 * 32 + SIGNATURE_BYTES + 16 * message.content.len().saturating_sub(SIGNATURE_BYTES + 4)
        }
    }
}

/// An order that says nothing about who came first.
pub(crate) fn shuffle(messages: &mut [Claimed]) {
    messages.shuffle(&mut rand::rng());
}

/// The call; `None` if a stored content is not what this program writes.
pub(crate) fn calldata(kind: MessageKind, class: u8, messages: &[Claimed]) -> Option<Bytes> {
    Some(match kind {
        MessageKind::Registration => {
            let mut signatures = Vec::with_capacity(messages.len() * CREDENTIAL_BYTES);
            for message in messages {
                signatures.extend::<[u8; CREDENTIAL_BYTES]>(message.content.as_slice().try_into().ok()?);
            }
            let accounts = messages.iter().map(|message| message.account).collect();
            BudgetRound::registerCall { class, accounts, signatures: signatures.into() }.abi_encode().into()
        }
        MessageKind::Allocation => {
            let mut signatures = Vec::with_capacity(messages.len() * SIGNATURE_BYTES);
            let mut allocations = Vec::with_capacity(messages.len());
            for message in messages {
                let content = AllocationContent::decode(&message.content)?;
                signatures.extend(content.signature);
                allocations.push(IBudgetRound::Allocation {
                    account: message.account,
                    version: message.version,
                    initiatives: content.initiatives,
                    points: content.points,
                });
            }
            BudgetRound::allocateCall { allocations, signatures: signatures.into() }.abi_encode().into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, B256};

    fn claimed(content: Vec<u8>, gas: u32) -> Claimed {
        Claimed { id: B256::new(rand::random()), account: Address::new(rand::random()), version: 1, content, gas }
    }

    #[test]
    fn batches_stop_before_gas_and_bytes_run_out() {
        let config =
            crate::Config::new(String::new(), "http://localhost".parse().unwrap(), 1, Address::ZERO, vec![]).batch;
        let many = |gas, bytes| (0..300).map(|_| claimed(vec![0; bytes], gas)).collect::<Vec<_>>();
        assert_eq!(fit(MessageKind::Registration, many(1_000_000, 96), &config).len(), 14);
        assert_eq!(fit(MessageKind::Allocation, many(10, 68 + 4 * 100), &config).len(), 120_000 / (288 + 6_400));
        let dear = fit(MessageKind::Allocation, many(100_000_000, 70), &config);
        assert_eq!(dear.len(), 1, "a message that is too dear alone is still tried");
    }

    #[test]
    fn the_size_of_calldata_is_known_beforehand() {
        let grows = |kind, message: Claimed| {
            let pair = [message.clone(), message];
            calldata(kind, 0, &pair).unwrap().len() - calldata(kind, 0, &pair[..1]).unwrap().len()
        };
        for choices in [0_u16, 1, 3, 40, 255] {
            for points in [true, false] {
                let initiatives: Vec<u16> = (1..=choices).collect();
                let points = if points { initiatives.clone() } else { Vec::new() };
                let message = claimed(AllocationContent { initiatives, points, signature: [1; 64] }.encode(), 1);
                let expected = encoded_bytes(MessageKind::Allocation, &message);
                assert_eq!(grows(MessageKind::Allocation, message), expected, "{choices} choices");
            }
        }
        let message = claimed(vec![1; 96], 1);
        let expected = encoded_bytes(MessageKind::Registration, &message);
        assert_eq!(grows(MessageKind::Registration, message), expected);
        assert!(calldata(MessageKind::Registration, 0, &[claimed(vec![1; 95], 1)]).is_none());
    }
}
