//! Derivation: everything follows from the master secret, and nothing is shared between scopes.

use crate::{generate, rng, scope};
use kopilka_credential::{CredentialScope, IssuerSecretKey, IssuerSeed, MasterSecret};
use std::collections::HashSet;

#[test]
fn scopes_share_no_secret_but_classes_share_the_account() {
    let scopes = [
        scope(),
        CredentialScope { chain_id: 1, ..scope() },
        CredentialScope { contract: [0x12; 20].into(), ..scope() },
        CredentialScope { id: 2.into(), ..scope() },
        CredentialScope { class: 1, ..scope() },
    ];
    let master = generate::master(1);
    let seed = IssuerSeed::from_bytes(&[7; 32]).unwrap();
    let blindings: HashSet<_> = scopes.iter().map(|scope| *master.blinding(scope).to_bytes()).collect();
    let issuers: HashSet<_> = scopes.iter().map(|scope| *IssuerSecretKey::derive(&seed, scope).to_bytes()).collect();
    let accounts: HashSet<_> = scopes.iter().map(|scope| *master.account(scope).to_bytes()).collect();
    assert_eq!((blindings.len(), issuers.len(), accounts.len()), (5, 5, 4));
    assert_eq!(master.account(&scopes[0]).address(), master.account(&scopes[4]).address());
}

#[test]
fn restoring_the_secret_restores_the_keys() {
    let master = MasterSecret::generate(&mut rng(1));
    let restored = MasterSecret::from_bytes(master.to_bytes().as_ref()).unwrap();
    assert_eq!(master.account(&scope()).to_bytes(), restored.account(&scope()).to_bytes());
    assert_eq!(master.blinding(&scope()).to_bytes(), restored.blinding(&scope()).to_bytes());
}

#[test]
fn an_account_has_its_well_known_address() {
    // The first account that every development chain opens with.
    let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let secret = k256::SecretKey::from_slice(&hex::decode(key).unwrap()).unwrap();
    let account = kopilka_credential::AccountKey::from(secret);
    assert_eq!(account.address().to_string(), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
}
