//! The messages that citizens send: their identity, and the bytes in which they are kept until they are on chain.
//!
//! A new kind is one more variant of [`Message`] here, one of `MessageKind`, and an arm wherever the compiler then asks.

use alloy::primitives::{Address, B256, Signature, keccak256};
use kopilka_bindings::allocation::Allocation as SignedAllocation;
use kopilka_domain::MessageKind;
use kopilka_store::relay::AccountKey;

/// Bytes of a credential as the contract takes it.
pub(crate) const CREDENTIAL_BYTES: usize = 96;
/// Bytes of a compact signature (ERC-2098).
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// A well-formed message, not checked against anything yet.
#[derive(Clone)]
pub(crate) enum Message {
    /// Registers an account by its credential.
    Registration(Registration),
    /// Records an account's whole distribution.
    Allocation(Allocation),
}

#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) round: Address,
    pub(crate) class: u8,
    pub(crate) account: Address,
    /// Compressed point of G1.
    pub(crate) signature: [u8; 48],
}

#[derive(Clone)]
pub(crate) struct Allocation {
    pub(crate) round: Address,
    pub(crate) signed: SignedAllocation,
    pub(crate) signature: Signature,
}

impl Message {
    pub(crate) fn kind(&self) -> MessageKind {
        match self {
            Self::Registration(_) => MessageKind::Registration,
            Self::Allocation(_) => MessageKind::Allocation,
        }
    }

    /// The contract that it is for.
    pub(crate) fn contract(&self) -> Address {
        match self {
            Self::Registration(message) => message.round,
            Self::Allocation(message) => message.round,
        }
    }

    pub(crate) fn account(&self) -> Address {
        match self {
            Self::Registration(message) => message.account,
            Self::Allocation(message) => message.signed.account,
        }
    }

    /// Poll, source or prize within the contract.
    pub(crate) fn scope(&self) -> u64 {
        match self {
            Self::Registration(_) | Self::Allocation(_) => 0,
        }
    }

    pub(crate) fn class(&self) -> u8 {
        match self {
            Self::Registration(message) => message.class,
            Self::Allocation(_) => 0,
        }
    }

    pub(crate) fn version(&self) -> u32 {
        match self {
            Self::Registration(_) => 0,
            Self::Allocation(message) => message.signed.version,
        }
    }

    /// Whose message of which kind it is.
    pub(crate) fn key(&self) -> AccountKey {
        AccountKey { kind: self.kind(), contract: self.contract(), scope: self.scope(), account: self.account() }
    }

    /// keccak256 of kind (1 byte) ‖ chain id (8) ‖ round (20) ‖ what is said. A registration says class (1) ‖ account (20), an
    /// allocation account (20) ‖ version (4) ‖ count (2) ‖ initiatives (2 each) ‖ count (2) ‖ points (2 each); big-endian.
    ///
    /// The signature is left out: the same content signed again is the same message.
    pub(crate) fn id(&self, chain_id: u64) -> B256 {
        let mut text = Vec::with_capacity(96);
        text.push(match self {
            Self::Registration(_) => 1,
            Self::Allocation(_) => 2,
        });
        text.extend(chain_id.to_be_bytes());
        text.extend(self.contract().as_slice());
        match self {
            Self::Registration(message) => {
                text.push(message.class);
                text.extend(message.account.as_slice());
            }
            Self::Allocation(message) => {
                text.extend(message.signed.account.as_slice());
                text.extend(message.signed.version.to_be_bytes());
                push_list(&mut text, &message.signed.initiatives);
                push_list(&mut text, &message.signed.points);
            }
        }
        keccak256(text)
    }
}

/// What is kept of an allocation beside its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllocationContent {
    pub(crate) initiatives: Vec<u16>,
    pub(crate) points: Vec<u16>,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
}

impl AllocationContent {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + 2 * (self.initiatives.len() + self.points.len()) + SIGNATURE_BYTES);
        push_list(&mut bytes, &self.initiatives);
        push_list(&mut bytes, &self.points);
        bytes.extend(self.signature);
        bytes
    }

    /// `None` if the bytes were not written by [`Self::encode`].
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let initiatives = take_list(&mut bytes)?;
        let points = take_list(&mut bytes)?;
        Some(Self { initiatives, points, signature: bytes.try_into().ok()? })
    }
}

fn push_list(bytes: &mut Vec<u8>, list: &[u16]) {
    // Lists come from requests of at most 16 KiB and are at most 255 long once checked.
    bytes.extend((list.len() as u16).to_be_bytes());
    list.iter().for_each(|item| bytes.extend(item.to_be_bytes()));
}

fn take_list(bytes: &mut &[u8]) -> Option<Vec<u16>> {
    let (count, rest) = bytes.split_first_chunk::<2>()?;
    let (items, rest) = rest.split_at_checked(2 * usize::from(u16::from_be_bytes(*count)))?;
    *bytes = rest;
    Some(items.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;

    fn allocation(version: u32, initiatives: &[u16], points: &[u16]) -> Message {
        Message::Allocation(Allocation {
            round: Address::repeat_byte(1),
            signed: SignedAllocation {
                account: Address::repeat_byte(2),
                version,
                initiatives: initiatives.to_vec(),
                points: points.to_vec(),
            },
            signature: Signature::new(U256::from(1), U256::from(version), false),
        })
    }

    #[test]
    fn ids_tell_contents_apart_and_ignore_signatures() {
        let message = allocation(1, &[1, 2], &[3, 4]);
        let mut again = message.clone();
        if let Message::Allocation(inner) = &mut again {
            inner.signature = Signature::new(U256::from(9), U256::from(9), true);
        }
        assert_eq!(message.id(1), again.id(1));
        let others = [
            message.id(2),
            allocation(2, &[1, 2], &[3, 4]).id(1),
            allocation(1, &[1, 2, 3], &[4]).id(1),
            allocation(1, &[], &[]).id(1),
        ];
        assert!(others.iter().all(|other| *other != message.id(1)));
    }

    #[test]
    fn contents_survive_storage() {
        let content = AllocationContent { initiatives: vec![1, 500], points: vec![7, 3], signature: [9; 64] };
        assert_eq!(AllocationContent::decode(&content.encode()), Some(content.clone()));
        let bytes = content.encode();
        assert_eq!(AllocationContent::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(AllocationContent::decode(&[]), None);
    }
}
