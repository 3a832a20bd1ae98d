//! The expensive checks: credentials, as a batch for each key, and signatures. Runs on threads for computing.

use std::collections::HashMap;
use std::sync::Arc;

use alloy::primitives::Address;
use kopilka_bindings::allocation::allocation_hash;
use kopilka_credential::{Credential, Signature, verify_batch};

use crate::message::{Allocation, AllocationContent, CREDENTIAL_BYTES, Message, Registration};
use crate::problem::Refusal;
use crate::rounds::Round;

/// Checks each message; returns what is to be kept of the good ones, in the same order.
pub(crate) fn verify(chain_id: u64, messages: &[(Message, Arc<Round>)]) -> Vec<Result<Vec<u8>, Refusal>> {
    let mut results: Vec<Result<Vec<u8>, Refusal>> = Vec::with_capacity(messages.len());
    let mut by_key: HashMap<(Address, u8), Vec<(usize, Credential)>> = HashMap::new();
    for (index, (message, round)) in messages.iter().enumerate() {
        results.push(match message {
            Message::Registration(registration) => match credential(chain_id, registration, round) {
                Ok(credential) => {
                    let key = (registration.round, registration.class);
                    by_key.entry(key).or_default().push((index, credential));
                    Ok(credential.signature.to_uncompressed().to_vec())
                }
                Err(refusal) => Err(refusal),
            },
            Message::Allocation(allocation) => signed(chain_id, allocation),
        });
    }
    for items in by_key.into_values() {
        let Some((first, _)) = items.first() else { continue };
        let (message, round) = &messages[*first];
        let Some(key) = round.class_keys.get(usize::from(message.class())) else { continue };
        let credentials: Vec<Credential> = items.iter().map(|(_, credential)| *credential).collect();
        if let Err(bad) = verify_batch(key, &credentials, &mut rand::rng()) {
            for position in bad {
                results[items[position].0] = Err(Refusal::CredentialInvalid {
                    detail: "It is not the issuer's signature on this account, class and round.".to_owned(),
                });
            }
        }
    }
    results
}

fn credential(chain_id: u64, registration: &Registration, round: &Round) -> Result<Credential, Refusal> {
    let signature = Signature::from_bytes(&registration.signature)
        .map_err(|error| Refusal::CredentialInvalid { detail: format!("It is no signature: {error}.") })?;
    Ok(Credential {
        scope: round.scope(chain_id, registration.class),
        account: registration.account.into_array().into(),
        signature,
    })
}

fn signed(chain_id: u64, allocation: &Allocation) -> Result<Vec<u8>, Refusal> {
    let account = allocation.signed.account;
    let hash = allocation_hash(chain_id, allocation.round, &allocation.signed);
    match allocation.signature.recover_address_from_prehash(&hash) {
        Ok(signer) if signer == account => Ok(AllocationContent {
            initiatives: allocation.signed.initiatives.clone(),
            points: allocation.signed.points.clone(),
            signature: allocation.signature.as_erc2098(),
        }
        .encode()),
        Ok(signer) => Err(Refusal::SignatureInvalid { signer: Some(signer), account }),
        Err(_) => Err(Refusal::SignatureInvalid { signer: None, account }),
    }
}

/// Positions of the stored credentials that the key did not sign: asked after the contract refused a whole batch.
pub(crate) fn bad_credentials(chain_id: u64, round: &Round, class: u8, stored: &[(Address, Vec<u8>)]) -> Vec<usize> {
    let Some(key) = round.class_keys.get(usize::from(class)) else { return Vec::new() };
    let scope = round.scope(chain_id, class);
    let mut bad = Vec::new();
    let mut positions = Vec::new();
    let mut credentials = Vec::new();
    for (position, (account, content)) in stored.iter().enumerate() {
        match Signature::from_uncompressed(content.get(..CREDENTIAL_BYTES).unwrap_or_default()) {
            Ok(signature) => {
                positions.push(position);
                credentials.push(Credential { scope, account: account.into_array().into(), signature });
            }
            Err(_) => bad.push(position),
        }
    }
    if let Err(found) = verify_batch(key, &credentials, &mut rand::rng()) {
        bad.extend(found.into_iter().map(|index| positions[index]));
    }
    bad.sort_unstable();
    bad
}
