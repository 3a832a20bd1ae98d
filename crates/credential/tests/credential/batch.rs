//! Batches: valid ones pass, and exactly the bad items are named.

use crate::{credentials, generate, rng, scope};
use kopilka_credential::{CredentialScope, IssuerSecretKey, verify_batch};
use proptest::prelude::*;

#[test]
fn valid_batches_of_any_size_pass() {
    let issuer = generate::issuer(&scope());
    let all = credentials(&issuer, 70);
    for count in [0, 1, 2, 3, 31, 32, 33, 70] {
        assert_eq!(verify_batch(&issuer.public_key(), &all[..count], &mut rng(1)), Ok(()), "a batch of {count}");
    }
}

#[test]
fn a_batch_may_span_scopes_of_one_key() {
    let issuer = generate::issuer(&scope());
    let mut batch = credentials(&issuer, 3);
    batch[1].scope.class = 9;
    batch[1].signature = generate::sign(&issuer, &batch[1].scope, batch[1].account);
    assert_eq!(verify_batch(&issuer.public_key(), &batch, &mut rng(2)), Ok(()));
}

#[test]
fn a_credential_of_another_scope_class_account_or_key_is_named() {
    let issuer = generate::issuer(&scope());
    let valid = credentials(&issuer, 6);
    let mut batch = valid.clone();
    batch[0].scope = CredentialScope { id: 2.into(), ..scope() };
    batch[1].scope = CredentialScope { class: 1, ..scope() };
    batch[2].scope = CredentialScope { chain_id: 1, ..scope() };
    batch[3].scope = CredentialScope { contract: [0x12; 20].into(), ..scope() };
    batch[4].account = [0x33; 20].into();
    assert_eq!(verify_batch(&issuer.public_key(), &batch, &mut rng(3)), Err(vec![0, 1, 2, 3, 4]));
    for (index, credential) in batch.iter().enumerate() {
        assert_eq!(credential.verify(&issuer.public_key()), index == 5, "credential {index} alone");
    }

    let other = IssuerSecretKey::generate(&mut rng(4));
    assert_eq!(verify_batch(&other.public_key(), &valid, &mut rng(3)), Err(vec![0, 1, 2, 3, 4, 5]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn exactly_the_bad_are_named(bad in prop::collection::vec(prop::bool::weighted(0.2), 1..40), seed: u64) {
        let issuer = generate::issuer(&scope());
        let mut batch = credentials(&issuer, bad.len() as u32);
        for (index, credential) in batch.iter_mut().enumerate().filter(|(index, _)| bad[*index]) {
            credential.account = [index as u8; 20].into();
        }
        let expected: Vec<usize> = (0..bad.len()).filter(|index| bad[*index]).collect();
        let result = verify_batch(&issuer.public_key(), &batch, &mut rng(seed));
        prop_assert_eq!(result, if expected.is_empty() { Ok(()) } else { Err(expected) });
    }
}
