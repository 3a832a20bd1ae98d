//! The messages that citizens send: their identity, and the bytes in which they are kept until they are on chain.
//!
//! A new kind is one more variant of [`Message`] here, one of `MessageKind`, and an arm wherever the compiler then asks.

use alloy::primitives::{Address, B256, Signature, U256, keccak256};
use kopilka_bindings::allocation::Allocation as SignedAllocation;
use kopilka_domain::MessageKind;
use kopilka_store::relay::AccountKey;

/// Bytes of a credential as the contracts take it.
pub(crate) const CREDENTIAL_BYTES: usize = 96;
/// Bytes of a compact signature (ERC-2098).
pub(crate) const SIGNATURE_BYTES: usize = 64;
/// Most seasons that a redemption can name.
pub(crate) const MAX_SEASONS: usize = 4;

/// A well-formed message, not checked against anything yet.
#[derive(Clone)]
pub(crate) enum Message {
    /// Registers an account by its credential.
    Registration(Registration),
    /// Records an account's whole distribution.
    Allocation(Allocation),
    /// Casts an account's ballot in a poll.
    Ballot(Ballot),
    /// Claims a stamp to an account of points.
    StampClaim(StampClaim),
    /// Spends an account's points on a prize.
    Redemption(Redemption),
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

#[derive(Clone)]
pub(crate) struct Ballot {
    pub(crate) polls: Address,
    pub(crate) poll: u64,
    pub(crate) account: Address,
    pub(crate) version: u32,
    pub(crate) choice: Choice,
    pub(crate) signature: Signature,
    /// Compressed point of G1; an account's first ballot needs it.
    pub(crate) credential: Option<[u8; 48]>,
}

/// What a ballot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Of an open poll.
    Open(u128),
    /// Of a sealed poll: the point, and the masked choice.
    Sealed(B256, u128),
}

#[derive(Clone)]
pub(crate) struct StampClaim {
    pub(crate) points: Address,
    pub(crate) source: u64,
    pub(crate) account: Address,
    /// Compressed point of G1.
    pub(crate) signature: [u8; 48],
}

#[derive(Clone)]
pub(crate) struct Redemption {
    pub(crate) shop: Address,
    pub(crate) account: Address,
    pub(crate) terms: Terms,
    pub(crate) signature: Signature,
}

/// What a redemption says beside its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) prize: u64,
    pub(crate) price: u32,
    pub(crate) content_hash: B256,
    pub(crate) seasons: Vec<u32>,
    pub(crate) code_hash: B256,
}

impl Terms {
    /// One code, one redemption of an account: the head of its hash tells an account's redemptions apart.
    fn version(&self) -> u32 {
        let [a, b, c, d, ..] = self.code_hash.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl Message {
    pub(crate) fn kind(&self) -> MessageKind {
        match self {
            Self::Registration(_) => MessageKind::Registration,
            Self::Allocation(_) => MessageKind::Allocation,
            Self::Ballot(_) => MessageKind::Ballot,
            Self::StampClaim(_) => MessageKind::StampClaim,
            Self::Redemption(_) => MessageKind::Redemption,
        }
    }

    /// The contract that it is for.
    pub(crate) fn contract(&self) -> Address {
        match self {
            Self::Registration(message) => message.round,
            Self::Allocation(message) => message.round,
            Self::Ballot(message) => message.polls,
            Self::StampClaim(message) => message.points,
            Self::Redemption(message) => message.shop,
        }
    }

    /// Poll or source within the contract. Redemptions of all prizes go together, so they have none.
    pub(crate) fn scope(&self) -> u64 {
        match self {
            Self::Registration(_) | Self::Allocation(_) | Self::Redemption(_) => 0,
            Self::Ballot(message) => message.poll,
            Self::StampClaim(message) => message.source,
        }
    }

    pub(crate) fn account(&self) -> Address {
        match self {
            Self::Registration(message) => message.account,
            Self::Allocation(message) => message.signed.account,
            Self::Ballot(message) => message.account,
            Self::StampClaim(message) => message.account,
            Self::Redemption(message) => message.account,
        }
    }

    pub(crate) fn class(&self) -> u8 {
        match self {
            Self::Registration(message) => message.class,
            _ => 0,
        }
    }

    pub(crate) fn version(&self) -> u32 {
        match self {
            Self::Registration(_) | Self::StampClaim(_) => 0,
            Self::Allocation(message) => message.signed.version,
            Self::Ballot(message) => message.version,
            Self::Redemption(message) => message.terms.version(),
        }
    }

    /// Whose message of which kind it is.
    pub(crate) fn key(&self) -> AccountKey {
        AccountKey { kind: self.kind(), contract: self.contract(), scope: self.scope(), account: self.account() }
    }

    /// keccak256 of kind (1 byte) ‖ chain id (8) ‖ contract (20) ‖ what is said, big-endian:
    /// - registration (1): class (1) ‖ account (20)
    /// - allocation (2): account (20) ‖ version (4) ‖ count (2) ‖ initiatives (2 each) ‖ count (2) ‖ points (2 each)
    /// - ballot (3): poll (8) ‖ account (20) ‖ version (4) ‖ content without signature and credential
    /// - stamp claim (4): source (8) ‖ account (20)
    /// - redemption (5): account (20) ‖ content without signature
    ///
    /// The signature is left out: the same content signed again is the same message.
    pub(crate) fn id(&self, chain_id: u64) -> B256 {
        let mut text = Vec::with_capacity(160);
        text.push(match self {
            Self::Registration(_) => 1,
            Self::Allocation(_) => 2,
            Self::Ballot(_) => 3,
            Self::StampClaim(_) => 4,
            Self::Redemption(_) => 5,
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
            Self::Ballot(message) => {
                text.extend(message.poll.to_be_bytes());
                text.extend(message.account.as_slice());
                text.extend(message.version.to_be_bytes());
                push_choice(&mut text, message.choice);
            }
            Self::StampClaim(message) => {
                text.extend(message.source.to_be_bytes());
                text.extend(message.account.as_slice());
            }
            Self::Redemption(message) => {
                text.extend(message.account.as_slice());
                push_terms(&mut text, &message.terms);
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

/// What is kept of a ballot beside its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BallotContent {
    pub(crate) choice: Choice,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
    /// As the contract takes it.
    pub(crate) credential: Option<[u8; CREDENTIAL_BYTES]>,
}

impl BallotContent {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + 48 + SIGNATURE_BYTES + CREDENTIAL_BYTES);
        push_choice(&mut bytes, self.choice);
        bytes.extend(self.signature);
        bytes.extend(self.credential.iter().flatten());
        bytes
    }

    /// `None` if the bytes were not written by [`Self::encode`].
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let choice = take_choice(&mut bytes)?;
        let (signature, rest) = bytes.split_first_chunk::<SIGNATURE_BYTES>()?;
        let credential = if rest.is_empty() { None } else { Some(rest.try_into().ok()?) };
        Some(Self { choice, signature: *signature, credential })
    }
}

/// What is kept of a redemption beside its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedemptionContent {
    pub(crate) terms: Terms,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
}

impl RedemptionContent {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(77 + 4 * self.terms.seasons.len() + SIGNATURE_BYTES);
        push_terms(&mut bytes, &self.terms);
        bytes.extend(self.signature);
        bytes
    }

    /// `None` if the bytes were not written by [`Self::encode`].
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let terms = take_terms(&mut bytes)?;
        Some(Self { terms, signature: bytes.try_into().ok()? })
    }
}

/// The message that the account signs.
pub(crate) fn redemption_to_sign(account: Address, terms: &Terms) -> kopilka_bindings::signed::Redemption {
    kopilka_bindings::signed::Redemption {
        account,
        prizeId: U256::from(terms.prize),
        price: U256::from(terms.price),
        contentHash: terms.content_hash,
        seasonIds: terms.seasons.iter().map(|&season| U256::from(season)).collect(),
        codeHash: terms.code_hash,
    }
}

fn push_list(bytes: &mut Vec<u8>, list: &[u16]) {
    // Lists come from requests of limited size and are at most 255 long once checked.
    bytes.extend((list.len() as u16).to_be_bytes());
    list.iter().for_each(|item| bytes.extend(item.to_be_bytes()));
}

fn take_list(bytes: &mut &[u8]) -> Option<Vec<u16>> {
    let count = u16::from_be_bytes(take(bytes)?);
    let (items, rest) = bytes.split_at_checked(2 * usize::from(count))?;
    *bytes = rest;
    Some(items.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
}

fn push_choice(bytes: &mut Vec<u8>, choice: Choice) {
    match choice {
        Choice::Open(choice) => {
            bytes.push(0);
            bytes.extend(choice.to_be_bytes());
        }
        Choice::Sealed(point, masked) => {
            bytes.push(1);
            bytes.extend(point);
            bytes.extend(masked.to_be_bytes());
        }
    }
}

fn take_choice(bytes: &mut &[u8]) -> Option<Choice> {
    match take::<1>(bytes)? {
        [0] => Some(Choice::Open(u128::from_be_bytes(take(bytes)?))),
        [1] => Some(Choice::Sealed(B256::new(take(bytes)?), u128::from_be_bytes(take(bytes)?))),
        _ => None,
    }
}

fn push_terms(bytes: &mut Vec<u8>, terms: &Terms) {
    bytes.extend(terms.prize.to_be_bytes());
    bytes.extend(terms.price.to_be_bytes());
    bytes.extend(terms.content_hash);
    bytes.extend(terms.code_hash);
    // At most MAX_SEASONS once checked.
    bytes.push(terms.seasons.len() as u8);
    terms.seasons.iter().for_each(|season| bytes.extend(season.to_be_bytes()));
}

fn take_terms(bytes: &mut &[u8]) -> Option<Terms> {
    let prize = u64::from_be_bytes(take(bytes)?);
    let price = u32::from_be_bytes(take(bytes)?);
    let content_hash = B256::new(take(bytes)?);
    let code_hash = B256::new(take(bytes)?);
    let [count] = take::<1>(bytes)?;
    let seasons = (0..count).map(|_| Some(u32::from_be_bytes(take(bytes)?))).collect::<Option<_>>()?;
    Some(Terms { prize, price, content_hash, seasons, code_hash })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_credential_of_a_ballot_is_no_part_of_its_identity() {
        let ballot = |choice, credential| {
            let message = Ballot {
                polls: Address::repeat_byte(1),
                poll: 1,
                account: Address::repeat_byte(2),
                version: 1,
                choice,
                signature: Signature::new(U256::from(1), U256::from(1), false),
                credential,
            };
            Message::Ballot(message).id(1)
        };
        assert_eq!(ballot(Choice::Open(1), None), ballot(Choice::Open(1), Some([7; 48])));
        assert_ne!(ballot(Choice::Open(1), None), ballot(Choice::Open(2), None));
        assert_ne!(ballot(Choice::Open(1), None), ballot(Choice::Sealed(B256::ZERO, 1), None));
    }

    #[test]
    fn contents_survive_storage() {
        let content = AllocationContent { initiatives: vec![1, 500], points: vec![7, 3], signature: [9; 64] };
        let bytes = content.encode();
        assert_eq!(AllocationContent::decode(&bytes), Some(content));
        assert_eq!(AllocationContent::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(AllocationContent::decode(&[]), None);
        for choice in [Choice::Open(5), Choice::Sealed(B256::repeat_byte(3), 1 << 100)] {
            for credential in [None, Some([8; 96])] {
                let content = BallotContent { choice, signature: [9; 64], credential };
                let bytes = content.encode();
                assert_eq!(BallotContent::decode(&bytes), Some(content));
                assert_eq!(BallotContent::decode(&bytes[..bytes.len() - 1]), None);
            }
        }
        let terms = Terms {
            prize: 3,
            price: 40,
            content_hash: B256::repeat_byte(1),
            seasons: vec![2, 0],
            code_hash: B256::repeat_byte(0xab),
        };
        assert_eq!(terms.version(), 0xabab_abab);
        let content = RedemptionContent { terms, signature: [9; 64] };
        let bytes = content.encode();
        assert_eq!(RedemptionContent::decode(&bytes), Some(content));
        assert_eq!(RedemptionContent::decode(&bytes[..bytes.len() - 1]), None);
    }
}
