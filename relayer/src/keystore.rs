//! Encrypted keystore files (Web3 Secret Storage, version 3), as geth and Foundry write them.

use std::num::NonZeroU32;

use alloy::primitives::{hex, keccak256};
use aws_lc_rs::cipher::{AES_128, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use serde::Deserialize;

/// Why a keystore does not open. Says nothing of key or password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeystoreError {
    #[error("it is no keystore of version 3 with aes-128-ctr and scrypt or pbkdf2")]
    Malformed,
    #[error("the password is another")]
    PasswordWrong,
}

#[derive(Deserialize)]
struct File {
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParameters,
    ciphertext: String,
    kdf: String,
    kdfparams: KeyParameters,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParameters {
    iv: String,
}

/// Parameters of scrypt (`n`, `r`, `p`) or of PBKDF2 (`c`, `prf`).
#[derive(Deserialize)]
struct KeyParameters {
    dklen: usize,
    salt: String,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<NonZeroU32>,
    prf: Option<String>,
}

/// The private key in a keystore file.
pub(crate) fn decrypt(text: &[u8], password: &str) -> Result<Vec<u8>, KeystoreError> {
    let File { crypto } = serde_json::from_slice(text).map_err(|_| KeystoreError::Malformed)?;
    if crypto.cipher != "aes-128-ctr" {
        return Err(KeystoreError::Malformed);
    }
    let bytes = |text: &str| hex::decode(text).map_err(|_| KeystoreError::Malformed);
    let mut secret = bytes(&crypto.ciphertext)?;
    let derived = derived_key(&crypto, password)?;
    if keccak256([&derived[16..32], &secret].concat()).as_slice() != bytes(&crypto.mac)? {
        return Err(KeystoreError::PasswordWrong);
    }
    let iv: [u8; 16] = bytes(&crypto.cipherparams.iv)?.try_into().map_err(|_| KeystoreError::Malformed)?;
    let key = UnboundCipherKey::new(&AES_128, &derived[..16]).and_then(DecryptingKey::ctr);
    let key = key.map_err(|_| KeystoreError::Malformed)?;
    let plain = key.decrypt(&mut secret, DecryptionContext::Iv128(FixedLength::from(iv)));
    plain.map(|plain| plain.to_vec()).map_err(|_| KeystoreError::Malformed)
}

fn derived_key(crypto: &Crypto, password: &str) -> Result<[u8; 32], KeystoreError> {
    let parameters = &crypto.kdfparams;
    let salt = hex::decode(&parameters.salt).map_err(|_| KeystoreError::Malformed)?;
    let mut derived = [0; 32];
    if parameters.dklen != derived.len() {
        return Err(KeystoreError::Malformed);
    }
    match (crypto.kdf.as_str(), parameters) {
        ("scrypt", &KeyParameters { n: Some(n), r: Some(r), p: Some(p), .. }) if n.is_power_of_two() => {
            let parameters = scrypt::Params::new(n.ilog2() as u8, r, p, derived.len());
            let parameters = parameters.map_err(|_| KeystoreError::Malformed)?;
            scrypt::scrypt(password.as_bytes(), &salt, &parameters, &mut derived)
                .map_err(|_| KeystoreError::Malformed)?;
        }
        ("pbkdf2", KeyParameters { c: Some(c), prf: Some(prf), .. }) if prf == "hmac-sha256" => {
            derive(PBKDF2_HMAC_SHA256, *c, &salt, password.as_bytes(), &mut derived);
        }
        _ => return Err(KeystoreError::Malformed),
    }
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the Web3 Secret Storage definition.
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,
        "dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"version":3}"#;
    /// The same key as `cast wallet` encrypts it, but for the cost; made with OpenSSL and Python.
    const SCRYPT: &str = r#"{"Crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"3b4309355ad643f2b15cfb6a83a7f6f328e7a6459a56ab8c6e25a89c8f43eb80","kdf":"scrypt","kdfparams":{"dklen":32,
        "n":4096,"p":1,"r":8,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"994d83f6bfb7e6e3aa95980f72b6ad87db9d352789d0f2e433cf777425db3a42"},"version":3}"#;
    const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

    #[test]
    fn keystores_of_both_derivations_open() {
        for text in [PBKDF2, SCRYPT] {
            assert_eq!(decrypt(text.as_bytes(), "testpassword").map(hex::encode).as_deref(), Ok(KEY));
        }
        assert_eq!(decrypt(PBKDF2.as_bytes(), "testpasswort"), Err(KeystoreError::PasswordWrong));
        for (from, to) in [("aes-128-ctr", "aes-256-gcm"), ("pbkdf2", "md5"), ("6087dab2", "zz"), ("\"c\"", "\"d\"")] {
            assert_eq!(decrypt(PBKDF2.replace(from, to).as_bytes(), "testpassword"), Err(KeystoreError::Malformed));
        }
    }
}
