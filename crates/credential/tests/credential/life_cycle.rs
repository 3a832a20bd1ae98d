//! From a master secret to a verified credential, and what the issuer cannot learn on the way.

use crate::{generate, rng, scope};
use kopilka_credential::{
    BlindedMessage, Blinding, CredentialScope, IssuerSecretKey, MasterSecret, Signature, blind, message_point, unblind,
    verify,
};
use proptest::prelude::*;

fn any_scope() -> impl Strategy<Value = CredentialScope> {
    (any::<u64>(), any::<[u8; 20]>(), any::<[u8; 32]>(), any::<u8>())
        .prop_map(|(chain_id, contract, id, class)| CredentialScope::new(chain_id, contract, id, class))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_credential_lives(scope in any_scope(), master in any::<[u8; 16]>(), seed: u64) {
        let master = MasterSecret::from_bytes(&master).unwrap();
        let issuer = IssuerSecretKey::generate(&mut rng(seed));
        let account = master.account(&scope).address();
        let blinded = blind(&scope, account, &master.blinding(&scope));
        let received: BlindedMessage = blinded.to_string().parse().unwrap();
        let signature = unblind(&issuer.sign_blinded(&received), &master.blinding(&scope));
        prop_assert!(verify(&issuer.public_key(), &scope, account, &signature));
        prop_assert_eq!(Signature::from_uncompressed(&signature.to_uncompressed()).unwrap(), signature);
        // The signature does not depend on the blinding: nothing of the request is left in it.
        let other = Blinding::generate(&mut rng(!seed));
        let again = unblind(&issuer.sign_blinded(&blind(&scope, account, &other)), &other);
        prop_assert_eq!(again, signature);
        // The wrong blinding leaves something that is no signature.
        let wrong = unblind(&issuer.sign_blinded(&received), &other);
        prop_assert!(!verify(&issuer.public_key(), &scope, account, &wrong));
    }

    /// The blinded message of one account is, with another blinding, that of any other: H(m) = a·g and H(m') = b·g, so
    /// r·H(m) = r'·H(m') for r' = r·a/b. Here a and b are known, which nobody can say of real messages; that r' exists
    /// and is as likely as r is what hides the account from an issuer of any power.
    #[test]
    fn a_blinded_message_fits_every_message(a in any::<[u8; 32]>(), b in any::<[u8; 32]>(), r in any::<[u8; 32]>()) {
        let [a, b, r] = [a, b, r].map(|mut bytes| { bytes[31] |= 1; generate::reduced(bytes) });
        let base = message_point(&scope(), [1; 20].into()).to_bytes();
        let (first, second) = (generate::times(&a, base), generate::times(&b, base));
        let blinded = generate::times(&r, first);
        // r·a·base, then taken to r'·b·base by dividing by b.
        let inverse_of_b = |point: [u8; 48]| {
            let point = kopilka_credential::BlindSignature::from_bytes(&point).unwrap();
            unblind(&point, &Blinding::from_bytes(&b).unwrap()).to_bytes()
        };
        let other_first_factor = inverse_of_b(generate::times(&r, generate::times(&a, second)));
        prop_assert_eq!(other_first_factor, blinded);
    }
}

#[test]
fn the_same_request_gets_the_same_answer() {
    let (scope, master, issuer) = (scope(), generate::master(0), generate::issuer(&scope()));
    let request = || blind(&scope, master.account(&scope).address(), &master.blinding(&scope));
    assert_eq!(request(), request());
    assert_eq!(issuer.sign_blinded(&request()), issuer.sign_blinded(&request()));
}

#[test]
fn blinded_messages_do_not_repeat_between_people_or_scopes() {
    let mut seen = std::collections::HashSet::new();
    for person in 0..20 {
        for id in 0..5u64 {
            let (scope, master) = (CredentialScope::new(1, [1; 20], id, 0), generate::master(person));
            let blinded = blind(&scope, master.account(&scope).address(), &master.blinding(&scope));
            assert!(seen.insert(blinded.to_bytes()));
        }
    }
}
