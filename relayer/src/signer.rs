//! Who signs transactions. One kind today; a remote signer is one more variant.

use std::fmt;

use alloy::consensus::{SignableTransaction as _, TxEip1559};
use alloy::primitives::{Address, B256, Bytes};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;

/// An account that pays the gas.
#[derive(Clone)]
pub enum Signer {
    /// The key is in this process.
    Local(PrivateKeySigner),
}

/// Why a key or a signature could not be had. Never contains the key.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The text is no private key.
    #[error("a sender's key must be 0x and 64 hexadecimal digits, and a valid secp256k1 key")]
    KeyMalformed,
    /// The signer refused.
    #[error("the signer of {sender} refused")]
    Refused {
        /// Whose signer.
        sender: Address,
        /// Why.
        #[source]
        source: alloy::signers::Error,
    },
}

impl Signer {
    /// A local key in hex.
    ///
    /// # Errors
    /// [`SignerError::KeyMalformed`].
    pub fn from_key(key: &str) -> Result<Self, SignerError> {
        key.trim().parse().map(Self::Local).map_err(|_| SignerError::KeyMalformed)
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        match self {
            Self::Local(signer) => signer.address(),
        }
    }

    /// Signs; returns the hash and the bytes to send.
    ///
    /// # Errors
    /// [`SignerError::Refused`].
    pub async fn sign(&self, transaction: TxEip1559) -> Result<(B256, Bytes), SignerError> {
        let signature = match self {
            Self::Local(signer) => signer.sign_hash_sync(&transaction.signature_hash()),
        }
        .map_err(|source| SignerError::Refused { sender: self.address(), source })?;
        let signed = transaction.into_signed(signature);
        let mut raw = Vec::new();
        signed.eip2718_encode(&mut raw);
        Ok((*signed.hash(), raw.into()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.address())
    }
}
