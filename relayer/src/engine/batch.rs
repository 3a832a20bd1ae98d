//! Putting claimed messages into one call.

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall as _;
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_bindings::polls::{IPolls, Polls};
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::{IRewardShop, RewardShop};
use kopilka_domain::MessageKind;
use kopilka_store::relay::{Claimed, Group};
use rand::seq::SliceRandom as _;

use crate::config::BatchConfig;
use crate::message::{AllocationContent, BallotContent, CREDENTIAL_BYTES, Choice, RedemptionContent, SIGNATURE_BYTES};

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

/// A message's calldata in bytes, at most.
fn encoded_bytes(kind: MessageKind, message: &Claimed) -> usize {
    match kind {
        MessageKind::Registration | MessageKind::StampClaim => 32 + CREDENTIAL_BYTES,
        // Offset, two scalars, two offsets, two lengths; every 2 stored bytes of a list become a word.
        MessageKind::Allocation => {
            7 * 32 + SIGNATURE_BYTES + 16 * message.content.len().saturating_sub(SIGNATURE_BYTES + 4)
        }
        // Account, and two or three words of the ballot.
        MessageKind::Ballot => 4 * 32 + SIGNATURE_BYTES + CREDENTIAL_BYTES,
        // Offset, six members, a length, and at most four seasons.
        MessageKind::Redemption => 12 * 32 + SIGNATURE_BYTES,
    }
}

/// An order that says nothing about who came first.
pub(crate) fn shuffle(messages: &mut [Claimed]) {
    messages.shuffle(&mut rand::rng());
}

/// The credential that a stored message brings, if any.
pub(crate) fn credential(kind: MessageKind, content: &[u8]) -> Option<[u8; CREDENTIAL_BYTES]> {
    match kind {
        MessageKind::Registration | MessageKind::StampClaim => content.try_into().ok(),
        MessageKind::Ballot => BallotContent::decode(content)?.credential,
        MessageKind::Allocation | MessageKind::Redemption => None,
    }
}

/// The call; `None` if a stored content is not what this program writes.
pub(crate) fn calldata(group: &Group, messages: &[Claimed]) -> Option<Bytes> {
    Some(match group.kind {
        MessageKind::Registration => {
            let (accounts, signatures) = credentials(messages)?;
            BudgetRound::registerCall { class: group.class, accounts, signatures }.abi_encode().into()
        }
        MessageKind::StampClaim => {
            let (accounts, signatures) = credentials(messages)?;
            RewardPoints::claimCall { sourceId: U256::from(group.scope), accounts, signatures }.abi_encode().into()
        }
        MessageKind::Allocation => allocations(messages)?,
        MessageKind::Ballot => ballots(group.scope, messages)?,
        MessageKind::Redemption => redemptions(messages)?,
    })
}

fn credentials(messages: &[Claimed]) -> Option<(Vec<Address>, Bytes)> {
    let mut signatures = Vec::with_capacity(messages.len() * CREDENTIAL_BYTES);
    for message in messages {
        signatures.extend::<[u8; CREDENTIAL_BYTES]>(message.content.as_slice().try_into().ok()?);
    }
    Some((messages.iter().map(|message| message.account).collect(), signatures.into()))
}

fn allocations(messages: &[Claimed]) -> Option<Bytes> {
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
    Some(BudgetRound::allocateCall { allocations, signatures: signatures.into() }.abi_encode().into())
}

/// Those with a credential first, as the contract wants them; within each part the order stays random.
fn ballots(poll: u64, messages: &[Claimed]) -> Option<Bytes> {
    let mut items = messages
        .iter()
        .map(|message| Some((message, BallotContent::decode(&message.content)?)))
        .collect::<Option<Vec<_>>>()?;
    items.sort_by_key(|(_, content)| content.credential.is_none());
    let accounts = items.iter().map(|(message, _)| message.account).collect();
    let signatures: Vec<u8> = items.iter().flat_map(|(_, content)| content.signature).collect();
    let credentials: Vec<u8> = items.iter().filter_map(|(_, content)| content.credential).flatten().collect();
    let (signatures, credentials) = (signatures.into(), credentials.into());
    let poll_id = U256::from(poll);
    // All ballots of a poll are of one form: admission compares it with the poll.
    match items.first()?.1.choice {
        Choice::Open(_) => {
            let ballots = items
                .iter()
                .map(|(message, content)| match content.choice {
                    Choice::Open(choice) => Some(IPolls::Ballot { version: message.version, choice }),
                    Choice::Sealed(..) => None,
                })
                .collect::<Option<_>>()?;
            let call = Polls::castBallotsCall { pollId: poll_id, accounts, ballots, signatures, credentials };
            Some(call.abi_encode().into())
        }
        Choice::Sealed(..) => {
            let ballots = items
                .iter()
                .map(|(message, content)| match content.choice {
                    Choice::Sealed(point, masked) => {
                        Some(IPolls::SealedBallot { version: message.version, point, maskedChoice: masked })
                    }
                    Choice::Open(_) => None,
                })
                .collect::<Option<_>>()?;
            let call = Polls::castSealedBallotsCall { pollId: poll_id, accounts, ballots, signatures, credentials };
            Some(call.abi_encode().into())
        }
    }
}

fn redemptions(messages: &[Claimed]) -> Option<Bytes> {
    let mut signatures = Vec::with_capacity(messages.len() * SIGNATURE_BYTES);
    let mut redemptions = Vec::with_capacity(messages.len());
    for message in messages {
        let RedemptionContent { terms, signature } = RedemptionContent::decode(&message.content)?;
        signatures.extend(signature);
        redemptions.push(IRewardShop::Redemption {
            account: message.account,
            prizeId: U256::from(terms.prize),
            price: U256::from(terms.price),
            contentHash: terms.content_hash,
            seasonIds: terms.seasons.iter().map(|&season| U256::from(season)).collect(),
            codeHash: terms.code_hash,
        });
    }
    Some(RewardShop::redeemCall { redemptions, signatures: signatures.into() }.abi_encode().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Terms;
    use alloy::primitives::B256;

    fn claimed(content: Vec<u8>, gas: u32) -> Claimed {
        Claimed {
            id: B256::new(rand::random()),
            account: Address::new(rand::random()),
            version: 1,
            content,
            gas,
            attempts: 0,
        }
    }

    fn group(kind: MessageKind) -> Group {
        Group { kind, contract: Address::ZERO, scope: 1, class: 0, alone: false }
    }

    #[test]
    fn batches_stop_before_gas_and_bytes_run_out() {
        let config = BatchConfig::default();
        let many = |gas, bytes| (0..300).map(|_| claimed(vec![0; bytes], gas)).collect::<Vec<_>>();
        assert_eq!(fit(MessageKind::Registration, many(1_000_000, 96), &config).len(), 14);
        assert_eq!(fit(MessageKind::Allocation, many(10, 68 + 4 * 100), &config).len(), 120_000 / (288 + 6_400));
        let dear = fit(MessageKind::Allocation, many(100_000_000, 70), &config);
        assert_eq!(dear.len(), 1, "a message that is too dear alone is still tried");
    }

    fn grows(kind: MessageKind, message: Claimed) -> usize {
        let pair = [message.clone(), message];
        calldata(&group(kind), &pair).unwrap().len() - calldata(&group(kind), &pair[..1]).unwrap().len()
    }

    #[test]
    fn the_size_of_calldata_is_known_beforehand() {
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
        assert!(calldata(&group(MessageKind::Registration), &[claimed(vec![1; 95], 1)]).is_none());
        for choice in [Choice::Open(1), Choice::Sealed(B256::ZERO, 1)] {
            for credential in [None, Some([1; 96])] {
                let message = claimed(BallotContent { choice, signature: [1; 64], credential }.encode(), 1);
                assert!(grows(MessageKind::Ballot, message.clone()) <= encoded_bytes(MessageKind::Ballot, &message));
            }
        }
        let terms =
            Terms { prize: 1, price: 1, content_hash: B256::ZERO, seasons: vec![1, 2, 3, 4], code_hash: B256::ZERO };
        let message = claimed(RedemptionContent { terms, signature: [1; 64] }.encode(), 1);
        assert_eq!(grows(MessageKind::Redemption, message.clone()), encoded_bytes(MessageKind::Redemption, &message));
    }

    #[test]
    fn ballots_with_a_credential_come_first() {
        let ballot = |credential| BallotContent { choice: Choice::Open(1), signature: [1; 64], credential }.encode();
        let messages = [claimed(ballot(None), 1), claimed(ballot(Some([2; 96])), 1)];
        let call =
            Polls::castBallotsCall::abi_decode(&calldata(&group(MessageKind::Ballot), &messages).unwrap()).unwrap();
        assert_eq!(call.accounts, [messages[1].account, messages[0].account]);
        assert_eq!(call.credentials.len(), 96);
        let mixed = BallotContent { choice: Choice::Sealed(B256::ZERO, 1), signature: [1; 64], credential: None };
        let messages = [claimed(ballot(None), 1), claimed(mixed.encode(), 1)];
        assert!(calldata(&group(MessageKind::Ballot), &messages).is_none(), "a stranger's form is not sent");
    }
}
