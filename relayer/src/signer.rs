//! Who signs transactions: a key in this process (from the environment or an encrypted keystore file), or a remote signer
//! that speaks the protocol of Web3Signer, behind which an HSM or a vault keeps the key.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use alloy::consensus::{SignableTransaction as _, TxEip1559};
use alloy::primitives::{Address, B256, Bytes, Signature, hex, keccak256};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use serde_json::json;
use url::Url;

use crate::keystore;

/// Longest wait for a remote signer.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(10);

/// An account that pays the gas.
#[derive(Clone)]
pub enum Signer {
    /// The key is in this process.
    Local(PrivateKeySigner),
    /// The key is elsewhere.
    Remote(RemoteSigner),
}

/// One key of a remote signer.
#[derive(Debug, Clone)]
pub struct RemoteSigner {
    address: Address,
    /// Where to post what is to be signed with this key.
    url: Url,
    http: reqwest::Client,
}

/// Why a key or a signature could not be had. Never contains the key or a password.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The text is no private key.
    #[error("a sender's key must be 0x and 64 hexadecimal digits, and a valid secp256k1 key")]
    KeyMalformed,
    /// The keystore file cannot be opened.
    #[error("the keystore file {path} cannot be opened: {reason}")]
    Keystore {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The remote signer does not answer as it should.
    #[error("the remote signer at {url} does not answer as expected")]
    Remote {
        /// Where, without what a URL may hold beside the host.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The remote signer answered with something else than a signature of this account.
    #[error("the remote signer's answer is no signature of {sender}")]
    RemoteWrong {
        /// Whose signature was asked for.
        sender: Address,
    },
    /// The remote signer has no such key.
    #[error("the remote signer at {url} has no key of {sender}")]
    RemoteKeyUnknown {
        /// Where.
        url: String,
        /// Whose key.
        sender: Address,
    },
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

    /// A local key from an encrypted keystore file (Web3 Secret Storage, as geth and Foundry write it). Takes a second or
    /// so: the encryption is slow on purpose.
    ///
    /// # Errors
    /// [`SignerError::Keystore`] when the file cannot be read or the password is another.
    pub fn from_keystore(path: &Path, password: &str) -> Result<Self, SignerError> {
        let failed = |reason: String| SignerError::Keystore { path: path.display().to_string(), reason };
        let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let key = keystore::decrypt(&text, password).map_err(|error| failed(error.to_string()))?;
        PrivateKeySigner::from_slice(&key).map(Self::Local).map_err(|_| failed("it holds no secp256k1 key".to_owned()))
    }

    /// A key of a remote signer, found by its address among the keys that the signer lists.
    ///
    /// # Errors
    /// [`SignerError::Remote`] when it does not answer, [`SignerError::RemoteKeyUnknown`] when it has no such key.
    pub async fn remote(base: &Url, address: Address) -> Result<Self, SignerError> {
        let url = shown(base);
        let failed = |source: reqwest::Error| SignerError::Remote { url: url.clone(), source };
        let unknown = || SignerError::RemoteKeyUnknown { url: url.clone(), sender: address };
        let http = reqwest::Client::builder().timeout(REMOTE_TIMEOUT).build().map_err(failed)?;
        let list = base.join("api/v1/eth1/publicKeys").map_err(|_| unknown())?;
        let response = http.get(list).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let keys: Vec<String> = response.json().await.map_err(failed)?;
        let key = keys.into_iter().find(|key| address_of(key) == Some(address)).ok_or_else(unknown)?;
        let url = base.join(&format!("api/v1/eth1/sign/{key}")).map_err(|_| unknown())?;
        Ok(Self::Remote(RemoteSigner { address, url, http }))
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        match self {
            Self::Local(signer) => signer.address(),
            Self::Remote(signer) => signer.address,
        }
    }

    /// Signs; returns the hash and the bytes to send.
    ///
    /// # Errors
    /// [`SignerError::Refused`], [`SignerError::Remote`], [`SignerError::RemoteWrong`].
    pub async fn sign(&self, transaction: TxEip1559) -> Result<(B256, Bytes), SignerError> {
        let signature = match self {
            Self::Local(signer) => signer
                .sign_hash_sync(&transaction.signature_hash())
                .map_err(|source| SignerError::Refused { sender: self.address(), source })?,
            Self::Remote(signer) => signer.sign(&transaction).await?,
        };
        let signed = transaction.into_signed(signature);
        let mut raw = Vec::new();
        signed.eip2718_encode(&mut raw);
        Ok((*signed.hash(), raw.into()))
    }
}

impl RemoteSigner {
    /// The signer hashes what it is given, so it is given the whole transaction and may look at it.
    async fn sign(&self, transaction: &TxEip1559) -> Result<Signature, SignerError> {
        let failed = |source: reqwest::Error| SignerError::Remote { url: shown(&self.url), source };
        let mut text = Vec::new();
        transaction.encode_for_signing(&mut text);
        let body = json!({ "data": hex::encode_prefixed(&text) });
        let response = self.http.post(self.url.clone()).json(&body).send().await;
        let answer = response.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let answer = answer.text().await.map_err(failed)?;
        let wrong = || SignerError::RemoteWrong { sender: self.address };
        let bytes: [u8; 65] =
            hex::decode(answer.trim().trim_matches('"')).ok().and_then(|b| b.try_into().ok()).ok_or_else(wrong)?;
        let signature = Signature::from_raw_array(&bytes).map_err(|_| wrong())?.normalized_s();
        // A signature of another account would take effect as that account's, or as nobody's.
        match signature.recover_address_from_prehash(&transaction.signature_hash()) {
            Ok(signer) if signer == self.address => Ok(signature),
            _ => Err(wrong()),
        }
    }
}

/// The account of an uncompressed public key in hex, with or without the leading 04.
fn address_of(key: &str) -> Option<Address> {
    let bytes = hex::decode(key).ok()?;
    let point = if bytes.len() == 65 { bytes.strip_prefix(&[4])? } else { &bytes };
    (point.len() == 64).then(|| Address::from_slice(&keccak256(point)[12..]))
}

/// Scheme and host: a URL may hold a password.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.address())
    }
}
