//! What a credential is for: the scope, the account that holds it, and the message that the issuer signs unseen.

use crate::EncodingError;
use crate::curve::G1;
use crate::encoding::{exactly, hex_text};

/// Domain separation tag of credential messages (RFC 9380).
pub const DOMAIN: &[u8] = b"KOPILKA-V01-CS01-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";
/// Bytes in a credential message.
pub const MESSAGE_BYTES: usize = 105;

/// The throw-away account (an EVM address) that holds a credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountAddress([u8; 20]);

impl AccountAddress {
    /// Reads the 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        exactly(bytes).map(|bytes| Self(*bytes))
    }

    /// The 20 bytes.
    pub fn to_bytes(self) -> [u8; 20] {
        self.0
    }
}

impl From<[u8; 20]> for AccountAddress {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

hex_text!(AccountAddress);

/// The number of a round, poll or stamp in its contract (a `uint256`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId([u8; 32]);

impl ScopeId {
    /// Reads the 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        exactly(bytes).map(|bytes| Self(*bytes))
    }

    /// The 32 bytes, big-endian.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl From<[u8; 32]> for ScopeId {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<u64> for ScopeId {
    fn from(number: u64) -> Self {
        Self(word(number))
    }
}

hex_text!(ScopeId);

/// What a credential entitles to. Every scope has an issuer key of its own: the issuer cannot see for which scope it
/// signs, so a key shared by two scopes would let a credential for one be used in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CredentialScope {
    /// The EVM chain.
    pub chain_id: u64,
    /// The contract that accepts the credential.
    pub contract: AccountAddress,
    /// The round, poll or stamp in that contract.
    pub id: ScopeId,
    /// The class within it, for example the class of voters by weight.
    pub class: u8,
}

impl CredentialScope {
    /// A scope of its parts.
    pub fn new(chain_id: u64, contract: impl Into<AccountAddress>, id: impl Into<ScopeId>, class: u8) -> Self {
        Self { chain_id, contract: contract.into(), id: id.into(), class }
    }

    /// The message: chain id (32 bytes) ‖ contract (20) ‖ scope id (32) ‖ class (1) ‖ account (20).
    pub fn message(&self, account: AccountAddress) -> [u8; MESSAGE_BYTES] {
        let mut message = [0; MESSAGE_BYTES];
        message[..84].copy_from_slice(&self.place());
        message[84] = self.class;
        message[85..].copy_from_slice(&account.0);
        message
    }

    /// Chain id (32 bytes) ‖ contract (20) ‖ scope id (32): the part of the scope that an account key belongs to.
    pub(crate) fn place(&self) -> [u8; 84] {
        let mut place = [0; 84];
        place[..32].copy_from_slice(&word(self.chain_id));
        place[32..52].copy_from_slice(&self.contract.0);
        place[52..].copy_from_slice(&self.id.0);
        place
    }

    /// The place and the class: 85 bytes that no two scopes share.
    pub(crate) fn whole(&self) -> [u8; 85] {
        let mut whole = [0; 85];
        whole[..84].copy_from_slice(&self.place());
        whole[84] = self.class;
        whole
    }
}

fn word(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}

/// A message hashed onto the curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessagePoint(pub(crate) G1);

impl MessagePoint {
    /// Reads the 48-byte compressed form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        G1::from_compressed(bytes).map(Self)
    }

    /// The 48-byte compressed form.
    pub fn to_bytes(self) -> [u8; 48] {
        self.0.to_compressed()
    }

    /// x and y, 48 bytes each without padding.
    pub fn to_uncompressed(self) -> [u8; 96] {
        self.0.to_uncompressed()
    }
}

hex_text!(MessagePoint);

/// RFC 9380 `BLS12381G1_XMD:SHA-256_SSWU_RO_` with any domain separation tag of at most 255 bytes.
pub fn hash_to_curve(message: &[u8], dst: &[u8]) -> MessagePoint {
    MessagePoint(G1::hash_all([message], dst)[0])
}

/// The point that is signed for an account in a scope.
pub fn message_point(scope: &CredentialScope, account: AccountAddress) -> MessagePoint {
    hash_to_curve(&scope.message(account), DOMAIN)
}
