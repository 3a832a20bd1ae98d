//! Making ℓ+1 credentials out of ℓ. blst's own `aggregate_verify` is the plain-sum check that we never do: it shows which of
//! the attempts such a check would let through.

use crate::encoding::bad;
use crate::generate::{self, negated, reduced, sum, times};
use crate::{account, credentials, rng, scope};
use blst::BLST_ERROR;
use blst::min_sig::{AggregateSignature, PublicKey, Signature as BlstSignature};
use kopilka_credential::{
    BlindedMessage, Blinding, Credential, DOMAIN, EncodingError, IssuerPublicKey, Signature, message_point, unblind,
    verify_batch,
};
use proptest::prelude::*;
use serde_json::Value;

fn point(number: u32) -> [u8; 48] {
    message_point(&scope(), account(number)).to_bytes()
}

fn claim(number: u32, signature: [u8; 48]) -> Credential {
    Credential { scope: scope(), account: account(number), signature: Signature::from_bytes(&signature).unwrap() }
}

/// e(Σ σᵢ, g₂) = Π e(H(mᵢ), pk), as any library for aggregate signatures checks it.
fn plain_sum_accepts(key: &IssuerPublicKey, claims: &[Credential]) -> bool {
    let key = PublicKey::from_bytes(&key.to_bytes()).unwrap();
    let signatures: Vec<_> =
        claims.iter().map(|claim| BlstSignature::from_bytes(&claim.signature.to_bytes()).unwrap()).collect();
    let sum = AggregateSignature::aggregate(&signatures.iter().collect::<Vec<_>>(), true).unwrap().to_signature();
    let messages: Vec<_> = claims.iter().map(|claim| claim.scope.message(claim.account)).collect();
    let messages: Vec<&[u8]> = messages.iter().map(|message| &message[..]).collect();
    sum.aggregate_verify(true, &messages, DOMAIN, &vec![&key; claims.len()], true) == BLST_ERROR::BLST_SUCCESS
}

#[test]
fn one_issued_signature_on_a_sum_of_messages_is_not_two_credentials() {
    let issuer = generate::issuer(&scope());
    let key = issuer.public_key();

    // The forger asks once, for r·(H(m₁)+H(m₂)), a point as good as any other to the issuer.
    let blinding = reduced(generate::label("forger"));
    let request = BlindedMessage::from_bytes(&times(&blinding, sum(&[point(1), point(2)]))).unwrap();
    let issued = unblind(&issuer.sign_blinded(&request), &Blinding::from_bytes(&blinding).unwrap()).to_bytes();

    // It splits σ into σ₁+σ₂ at any point it likes.
    let first = times(&reduced(generate::label("any point")), point(1));
    let forged = [claim(1, first), claim(2, sum(&[issued, negated(first)]))];
    assert!(plain_sum_accepts(&key, &forged), "the attack is real: a plain sum counts two votes for one credential");

    for seed in 0..50 {
        assert_eq!(verify_batch(&key, &forged, &mut rng(seed)), Err(vec![0, 1]), "seed {seed}");
    }
    // Among honest credentials nothing else is spoilt.
    let mut batch = credentials(&issuer, 30);
    batch[7] = forged[0];
    batch[23] = forged[1];
    assert!(plain_sum_accepts(&key, &batch));
    assert_eq!(verify_batch(&key, &batch, &mut rng(0)), Err(vec![7, 23]));
}

#[test]
fn one_issued_signature_on_many_messages_is_not_many_credentials() {
    let issuer = generate::issuer(&scope());
    let messages: Vec<_> = (0..10).map(point).collect();
    let issued = times(&issuer.to_bytes(), sum(&messages));
    let parts: Vec<_> =
        (0..9).map(|part| times(&reduced(generate::label(&format!("part {part}"))), point(part))).collect();
    let last = sum(&[&[issued], &parts.iter().map(|part| negated(*part)).collect::<Vec<_>>()[..]].concat());
    let forged: Vec<_> = (0..).zip(parts.into_iter().chain([last])).map(|(number, part)| claim(number, part)).collect();
    assert!(plain_sum_accepts(&issuer.public_key(), &forged));
    assert_eq!(verify_batch(&issuer.public_key(), &forged, &mut rng(0)), Err((0..10).collect()));
}

#[test]
fn the_forgeries_of_the_vectors_are_refused() {
    let vectors: Value = serde_json::from_str(&generate::vectors()).unwrap();
    let list = &vectors["forgeries"];
    let accounts: Vec<_> =
        list["account"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().parse()).collect();
    let signatures: Vec<String> = serde_json::from_value(list["signature"].clone()).unwrap();
    let key = generate::issuer(&scope()).public_key();
    for (index, name) in list["name"].as_array().unwrap().iter().enumerate() {
        let claims = [0, 1].map(|which| Credential {
            scope: scope(),
            account: accounts[which].unwrap(),
            signature: signatures[2 * index + which].parse().unwrap(),
        });
        assert_eq!(plain_sum_accepts(&key, &claims), list["plainSumAccepts"][index], "plain sum: {name}");
        let expected: Vec<usize> = (0..2).filter(|which| !claims[*which].verify(&key)).collect();
        assert!(!expected.is_empty(), "{name}");
        assert_eq!(verify_batch(&key, &claims, &mut rng(index as u64)), Err(expected), "{name}");
    }
}

#[test]
fn two_credentials_and_their_combinations_are_not_three() {
    let issuer = generate::issuer(&scope());
    let key = issuer.public_key();
    let signature = |number| times(&issuer.to_bytes(), point(number));
    // The forger was issued σ(H₁+H₂) and σ(H₂+H₃), and tries three accounts.
    let (left, right) = (sum(&[signature(1), signature(2)]), sum(&[signature(2), signature(3)]));
    let difference = sum(&[left, negated(right)]);
    let attempts = [
        [left, right, difference],
        [difference, right, left],
        [left, sum(&[right, negated(point(3))]), point(3)],
        [sum(&[left, negated(point(2))]), sum(&[right, negated(point(3))]), sum(&[point(2), point(3)])],
    ];
    for (index, attempt) in attempts.into_iter().enumerate() {
        let claims = [claim(1, attempt[0]), claim(2, attempt[1]), claim(3, attempt[2])];
        assert_eq!(verify_batch(&key, &claims, &mut rng(5)), Err(vec![0, 1, 2]), "attempt {index}");
    }
}

#[test]
fn a_credential_is_no_credential_of_another_scope_with_its_own_key() {
    let issuer = generate::issuer(&scope());
    let other_scope = kopilka_credential::CredentialScope { class: 1, ..scope() };
    let other = generate::issuer(&other_scope);
    assert!(other.public_key() != issuer.public_key(), "derived keys differ by scope");
    let signature = generate::sign(&issuer, &scope(), account(0));
    let moved = Credential { scope: other_scope, account: account(0), signature };
    assert_eq!(verify_batch(&other.public_key(), &[moved], &mut rng(0)), Err(vec![0]));
    // The forger blinds the other scope's message for this issuer: the signature is valid under the wrong key only.
    let wrong_key = Credential { signature: generate::sign(&issuer, &other_scope, account(0)), ..moved };
    assert!(wrong_key.verify(&issuer.public_key()), "which is why every scope has its own key");
    assert_eq!(verify_batch(&other.public_key(), &[wrong_key], &mut rng(0)), Err(vec![0]));
}

#[test]
fn the_issuer_never_sees_a_point_outside_the_subgroup_or_infinity() {
    // A point of order 3 would give away the key modulo 3, one of the curve's other small orders more of it.
    let reasons: Vec<_> = bad("badG1Compressed")
        .into_iter()
        .map(|(_, _, bytes)| BlindedMessage::from_bytes(&bytes).unwrap_err())
        .collect();
    assert!(reasons.contains(&EncodingError::NotInSubgroup) && reasons.contains(&EncodingError::Infinity));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any way to split an issued sum passes the plain sum, and never passes ours.
    #[test]
    fn no_split_passes(split in any::<[u8; 32]>(), seed: u64) {
        let mut split = reduced(split);
        split[31] |= 1;
        let issuer = generate::issuer(&scope());
        let issued = times(&issuer.to_bytes(), sum(&[point(1), point(2)]));
        let first = times(&split, point(2));
        let forged = [claim(1, first), claim(2, sum(&[issued, negated(first)]))];
        prop_assert!(plain_sum_accepts(&issuer.public_key(), &forged));
        prop_assert_eq!(verify_batch(&issuer.public_key(), &forged, &mut rng(seed)), Err(vec![0, 1]));
    }

    /// Multiplying a valid signature by anything but one spoils it.
    #[test]
    fn no_multiple_passes(factor in any::<[u8; 32]>(), seed: u64) {
        let mut factor = reduced(factor);
        factor[30] |= 1;
        let issuer = generate::issuer(&scope());
        let mut batch = credentials(&issuer, 3);
        batch[1] = claim(1, times(&factor, batch[1].signature.to_bytes()));
        prop_assert_eq!(verify_batch(&issuer.public_key(), &batch, &mut rng(seed)), Err(vec![1]));
    }
}
