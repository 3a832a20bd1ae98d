//! The expensive checks: credentials, as a batch for each key, and signatures. Runs on threads for computing.

use std::collections::HashMap;

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolStruct;
use kopilka_bindings::allocation::allocation_hash;
use kopilka_bindings::signed::{self, signing_hash};
use kopilka_credential::{Credential, Signature, verify_batch};

use crate::message::{
    AllocationContent, Ballot, BallotContent, CREDENTIAL_BYTES, Choice, Message, RedemptionContent, redemption_to_sign,
};
use crate::problem::Refusal;
use crate::venue::Venue;

/// Issuer key by contract, scope and class.
type KeyName = (Address, u64, u8);

/// Checks each message; returns what is to be kept of the good ones, in the same order.
pub(crate) fn verify(chain_id: u64, messages: &[(Message, Venue)]) -> Vec<Result<Vec<u8>, Refusal>> {
    let mut results: Vec<Result<Vec<u8>, Refusal>> = Vec::with_capacity(messages.len());
    let mut by_key: HashMap<KeyName, Vec<(usize, Credential)>> = HashMap::new();
    for (index, (message, venue)) in messages.iter().enumerate() {
        results.push(content(chain_id, message, venue).map(|(content, credential)| {
            if let Some(credential) = credential {
                let key = (message.contract(), message.scope(), message.class());
                by_key.entry(key).or_default().push((index, credential));
            }
            content
        }));
    }
    for items in by_key.into_values() {
        let Some((first, _)) = items.first() else { continue };
        let (message, venue) = &messages[*first];
        let Some(key) = venue.issuer_key(message.class()) else { continue };
        let credentials: Vec<Credential> = items.iter().map(|(_, credential)| *credential).collect();
        if let Err(bad) = verify_batch(key, &credentials, &mut rand::rng()) {
            for position in bad {
                let index = items[position].0;
                results[index] = Err(Refusal::CredentialInvalid {
                    field: credential_field(&messages[index].0),
                    detail: "It is not the issuer's signature on this account, for this and nothing else.".to_owned(),
                });
            }
        }
    }
    results
}

/// Under which name a message carries its credential.
fn credential_field(message: &Message) -> &'static str {
    if matches!(message, Message::Ballot(_)) { "credential" } else { "signature" }
}

/// What is to be kept of a message, and the credential that is still to be checked.
fn content(chain_id: u64, message: &Message, venue: &Venue) -> Result<(Vec<u8>, Option<Credential>), Refusal> {
    let credential = |compressed: &[u8; 48]| {
        let field = credential_field(message);
        let signature = Signature::from_bytes(compressed)
            .map_err(|error| Refusal::CredentialInvalid { field, detail: format!("It is no signature: {error}.") })?;
        let scope = venue
            .credential_scope(chain_id, message.class())
            .ok_or(Refusal::CredentialInvalid { field, detail: "No credential counts here.".to_owned() })?;
        Ok(Credential { scope, account: message.account().into_array().into(), signature })
    };
    match message {
        Message::Registration(registration) => {
            let credential = credential(&registration.signature)?;
            Ok((credential.signature.to_uncompressed().to_vec(), Some(credential)))
        }
        Message::StampClaim(claim) => {
            let credential = credential(&claim.signature)?;
            Ok((credential.signature.to_uncompressed().to_vec(), Some(credential)))
        }
        Message::Allocation(allocation) => {
            let hash = allocation_hash(chain_id, allocation.round, &allocation.signed);
            check_signer(message, &allocation.signature, hash)?;
            let content = AllocationContent {
                initiatives: allocation.signed.initiatives.clone(),
                points: allocation.signed.points.clone(),
                signature: allocation.signature.as_erc2098(),
            };
            Ok((content.encode(), None))
        }
        Message::Ballot(ballot) => {
            check_signer(message, &ballot.signature, ballot_hash(chain_id, ballot))?;
            let credential = ballot.credential.as_ref().map(credential).transpose()?;
            let content = BallotContent {
                choice: ballot.choice,
                signature: ballot.signature.as_erc2098(),
                credential: credential.map(|credential| credential.signature.to_uncompressed()),
            };
            Ok((content.encode(), credential))
        }
        Message::Redemption(redemption) => {
            let text = redemption_to_sign(redemption.account, &redemption.terms);
            check_signer(message, &redemption.signature, signing_hash(chain_id, redemption.shop, &text))?;
            let content =
                RedemptionContent { terms: redemption.terms.clone(), signature: redemption.signature.as_erc2098() };
            Ok((content.encode(), None))
        }
    }
}

fn ballot_hash(chain_id: u64, ballot: &Ballot) -> B256 {
    fn hash(chain_id: u64, ballot: &Ballot, text: &impl SolStruct) -> B256 {
        signing_hash(chain_id, ballot.polls, text)
    }
    let (poll, account, version) = (alloy::primitives::U256::from(ballot.poll), ballot.account, ballot.version);
    match ballot.choice {
        Choice::Open(choice) => hash(chain_id, ballot, &signed::Ballot { pollId: poll, account, version, choice }),
        Choice::Sealed(point, masked) => {
            let text = signed::SealedBallot { pollId: poll, account, version, point, maskedChoice: masked };
            hash(chain_id, ballot, &text)
        }
    }
}

fn check_signer(message: &Message, signature: &alloy::primitives::Signature, hash: B256) -> Result<(), Refusal> {
    let account = message.account();
    let form = match message {
        Message::Ballot(Ballot { choice: Choice::Sealed(..), .. }) => SEALED_BALLOT,
        Message::Ballot(_) => BALLOT,
        Message::Redemption(_) => REDEMPTION,
        _ => ALLOCATION,
    };
    match signature.recover_address_from_prehash(&hash) {
        Ok(signer) if signer == account => Ok(()),
        Ok(signer) => Err(Refusal::SignatureInvalid { signer: Some(signer), account, form }),
        Err(_) => Err(Refusal::SignatureInvalid { signer: None, account, form }),
    }
}

const ALLOCATION: &str = "Allocation(address account,uint32 version,uint16[] initiatives,uint16[] points)";
const BALLOT: &str = "Ballot(uint256 pollId,address account,uint32 version,uint128 choice)";
const SEALED_BALLOT: &str =
    "SealedBallot(uint256 pollId,address account,uint32 version,bytes32 point,uint128 maskedChoice)";
const REDEMPTION: &str = "Redemption(address account,uint256 prizeId,uint256 price,bytes32 contentHash,uint256[] seasonIds,\
                          bytes32 codeHash)";

/// Positions of the stored credentials that the key did not sign: asked after the contract refused a whole batch. A
/// message without a credential is never among them.
pub(crate) fn bad_credentials(
    chain_id: u64,
    venue: &Venue,
    class: u8,
    stored: &[(Address, Option<[u8; CREDENTIAL_BYTES]>)],
) -> Vec<usize> {
    let (Some(key), Some(scope)) = (venue.issuer_key(class), venue.credential_scope(chain_id, class)) else {
        return Vec::new();
    };
    let mut bad = Vec::new();
    let mut positions = Vec::new();
    let mut credentials = Vec::new();
    for (position, (account, content)) in stored.iter().enumerate() {
        let Some(content) = content else { continue };
        match Signature::from_uncompressed(content) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_types_that_are_signed() {
        assert_eq!(ALLOCATION, kopilka_bindings::allocation::Allocation::eip712_encode_type());
        assert_eq!(BALLOT, signed::Ballot::eip712_encode_type());
        assert_eq!(SEALED_BALLOT, signed::SealedBallot::eip712_encode_type());
        assert_eq!(REDEMPTION, signed::Redemption::eip712_encode_type());
    }
}
