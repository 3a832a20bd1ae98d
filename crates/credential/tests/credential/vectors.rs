//! The vectors that Rust, TypeScript and Solidity share: unchanged, and right by RFC 9380's own.

use crate::{generate, rng, scope};
use kopilka_credential::threshold::{GroupKeys, PartialSignature, Threshold};
use kopilka_credential::{BlindSignature, Blinding, Credential, hash_to_curve, unblind, verify_batch};
use serde_json::Value;

#[test]
fn the_committed_file_is_what_the_generator_writes() {
    let committed = std::fs::read_to_string(generate::PATH).unwrap();
    assert!(
        committed == generate::vectors(),
        "crates/credential/vectors/credential.json has drifted: run `cargo run -p kopilka-credential --example vectors`"
    );
}

/// RFC 9380, appendix J.9.1.
#[test]
fn hashing_to_the_curve_follows_rfc_9380() {
    let expected = [
        (
            String::new(),
            "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1",
            "08ba738453bfed09cb546dbb0783dbb3a5f1f566ed67bb6be0e8c67e2e81a4cc68ee29813bb7994998f3eae0c9c6a265",
        ),
        (
            "abc".to_owned(),
            "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903",
            "0b9c15f3fe6e5cf4211f346271d7b01c8f3b28be689c8429c85b67af215533311f0b8dfaaa154fa6b88176c229f2885d",
        ),
        (
            "abcdef0123456789".to_owned(),
            "11e0b079dea29a68f0383ee94fed1b940995272407e3bb916bbf268c263ddd57a6a27200a784cbc248e84f357ce82d98",
            "03a87ae2caf14e8ee52e51fa2ed8eefe80f02457004ba4d486d6aa1f517c0889501dc7413753f9599b099ebcbbd2d709",
        ),
        (
            format!("q128_{}", "q".repeat(128)),
            "15f68eaa693b95ccb85215dc65fa81038d69629f70aeee0d0f677cf22285e7bf58d7cb86eefe8f2e9bc3f8cb84fac488",
            "1807a1d50c29f430b8cafc4f8638dfeeadf51211e1602a5f184443076715f91bb90a48ba1e370edce6ae1062f5e6dd38",
        ),
        (
            format!("a512_{}", "a".repeat(512)),
            "082aabae8b7dedb0e78aeb619ad3bfd9277a2f77ba7fad20ef6aabdc6c31d19ba5a6d12283553294c1825c4b3ca2dcfe",
            "05b84ae5a942248eea39e1d91030458c40153f3b654ab7872d779ad1e942856a20c438e8d99bc8abfbf74729ce1f7ac8",
        ),
    ];
    for (message, x, y) in expected {
        let point = hash_to_curve(message.as_bytes(), generate::RFC9380_DOMAIN.as_bytes());
        assert_eq!(hex::encode(point.to_uncompressed()), format!("{x}{y}"), "message {message:?}");
    }
}

#[test]
fn the_batch_of_the_vectors_is_valid() {
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(generate::PATH).unwrap()).unwrap();
    let column = |name: &str| -> Vec<String> { serde_json::from_value(vectors["batch"][name].clone()).unwrap() };
    let batch: Vec<_> = column("account")
        .iter()
        .zip(column("signature"))
        .map(|(account, signature)| Credential {
            scope: scope(),
            account: account.parse().unwrap(),
            signature: signature.parse().unwrap(),
        })
        .collect();
    let key = vectors["batch"]["issuerPublicKey"].as_str().unwrap().parse().unwrap();
    assert_eq!(batch.len(), 20);
    assert_eq!(verify_batch(&key, &batch, &mut rng(0)), Ok(()));
}

/// The generator has computed the groups of the vectors with this crate; here the files' values alone must fit together.
#[test]
fn the_groups_of_the_vectors_issue_ordinary_credentials() {
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(generate::PATH).unwrap()).unwrap();
    for name in ["twoOfThree", "threeOfFive"] {
        let group = &vectors["threshold"][name];
        let column = |name: &str| -> Vec<String> { serde_json::from_value(group[name].clone()).unwrap() };
        let numbers = [&group["needed"], &group["issuers"]].map(|number| number.as_u64().unwrap() as u8);
        let threshold = Threshold::new(numbers[0], numbers[1]).unwrap();
        let keys = column("shareKey").iter().map(|key| key.parse().unwrap()).collect();
        let keys = GroupKeys::from_share_keys(threshold, keys).unwrap();
        assert_eq!(keys.group_key().to_string(), group["groupKey"]);
        let partials: Vec<BlindSignature> = column("partial").iter().map(|text| text.parse().unwrap()).collect();
        for (row, blinded) in column("blinded").iter().enumerate() {
            let blinded = blinded.parse().unwrap();
            let issuers = usize::from(threshold.issuers());
            let mut answers: Vec<_> = threshold
                .indices()
                .zip(&partials[issuers * row..])
                .map(|(issuer, signature)| PartialSignature { issuer, signature: *signature })
                .collect();
            answers.reverse();
            let combined = keys.combine(&blinded, &answers).unwrap();
            assert_eq!(combined.to_string(), column("combined")[row]);
            let blinding = hex::decode(&column("blinding")[row][2..]).unwrap();
            let signature = unblind(&combined, &Blinding::from_bytes(&blinding).unwrap());
            assert_eq!(signature.to_string(), column("signature")[row]);
            let account = column("account")[row].parse().unwrap();
            assert!(Credential { scope: scope(), account, signature }.verify(&keys.group_key()));
        }
        let message = column("blinded")[0].parse().unwrap();
        for (row, what) in
            serde_json::from_value::<Vec<String>>(group["refused"]["what"].clone()).unwrap().iter().enumerate()
        {
            let partials: Vec<PartialSignature> =
                serde_json::from_value(group["refused"]["partials"][row].clone()).unwrap();
            let error = keys.combine(&message, &partials).unwrap_err();
            assert_eq!(error.code(), group["refused"]["reason"][row], "{what}");
        }
    }
}
