//! Blind BLS credentials: the one cryptographic primitive of Kopilka (Boldyreva 2003 over BLS12-381).
//!
//! A credential proves that an issuer has found its holder entitled in a scope (a round, a poll, a stamp) without anyone,
//! the issuer included, being able to tell whom. Signatures are in G1 and keys in G2; messages are hashed to G1 as RFC 9380
//! says; points travel compressed in `0x` hex, and uncompressed to contracts.
//!
//! ```
//! use kopilka_credential::{AccountAddress, CredentialScope, IssuerSecretKey, MasterSecret, blind, unblind, verify};
//! # let mut rng = rand::rng();
//! let scope = CredentialScope::new(31337, [0x11; 20], 7, 0);
//! let issuer = IssuerSecretKey::generate(&mut rng); // a key for this scope alone
//!
//! let secret = MasterSecret::generate(&mut rng); // the citizen's browser
//! let (account, blinding) = (secret.account(&scope).address(), secret.blinding(&scope));
//! let blinded = blind(&scope, account, &blinding);
//!
//! let blind_signature = issuer.sign_blinded(&blinded); // the portal, after ESIA's word
//!
//! let signature = unblind(&blind_signature, &blinding); // the browser again
//! assert!(verify(&issuer.public_key(), &scope, account, &signature));
//! ```
//!
//! What this crate deliberately does not do: it keeps no list of who was issued what (the portal's), nor of which accounts
//! have used a credential (the contract's), and it never checks a plain sum of signatures (see [`verify_batch`]).
//!
//! # Several issuers
//! [`threshold`] issues by t of n issuers: each holds a share of the scope's key, and the browser combines their answers. The
//! result is an ordinary signature of an ordinary key, so unblinding, verifying and the contract stay as they are.

mod batch;
mod blind;
mod curve;
mod derive;
mod encoding;
mod scope;
pub mod threshold;

pub use batch::{Credential, verify, verify_batch};
pub use blind::{
    BlindSignature, BlindedMessage, Blinding, IssuerPublicKey, IssuerSecretKey, Signature, blind, unblind,
};
pub use derive::{AccountKey, IssuerSeed, MasterSecret};
pub use encoding::EncodingError;
pub use scope::{
    AccountAddress, CredentialScope, DOMAIN, MESSAGE_BYTES, MessagePoint, ScopeId, hash_to_curve, message_point,
};
