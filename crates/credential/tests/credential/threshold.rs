//! Issuing by t of n: any t make the group's signature, fewer do not, and whoever cheats is caught and named.

use crate::generate::{self, negated, sum, times};
use crate::{account, rng, scope};
use kopilka_credential::threshold::{
    Answer, Complaint, Dealer, DealerFault, Dealing, DealtShare, GroupKeys, IssuerIndex, KeyShare, Outcome,
    PartialSignature, SessionId, Threshold, ThresholdError, conclude,
};
use kopilka_credential::{
    BlindSignature, BlindedMessage, Blinding, Credential, EncodingError, IssuerPublicKey, Signature, blind,
    message_point, unblind, verify_batch,
};
use proptest::prelude::*;
use std::collections::HashSet;

const SESSION: [u8; 32] = [7; 32];

fn index(number: u8) -> IssuerIndex {
    number.try_into().unwrap()
}

/// Dealers of one session, and what they published.
struct Dealers {
    session: SessionId,
    threshold: Threshold,
    dealers: Vec<Dealer>,
    dealings: Vec<Dealing>,
}

impl Dealers {
    fn new(needed: u8, issuers: u8, seed: u64) -> Self {
        let (session, threshold) = (SessionId::from(SESSION), Threshold::new(needed, issuers).unwrap());
        let mut rng = rng(seed);
        let dealers: Vec<_> =
            threshold.indices().map(|index| Dealer::generate(session, threshold, index, &mut rng)).collect();
        let dealings = dealers.iter().map(Dealer::dealing).collect();
        Self { session, threshold, dealers, dealings }
    }

    fn dealt_to(&self, index: IssuerIndex) -> Vec<(IssuerIndex, DealtShare)> {
        self.dealers.iter().map(|dealer| (dealer.index(), dealer.share_for(index))).collect()
    }

    fn conclude(&self, complaints: &[Complaint], answers: &[Answer]) -> Result<Outcome, ThresholdError> {
        conclude(self.session, self.threshold, &self.dealings, complaints, answers)
    }

    fn shares(&self, outcome: &Outcome) -> Vec<KeyShare> {
        let shares = self.threshold.indices().map(|index| KeyShare::assemble(outcome, index, &self.dealt_to(index)));
        shares.collect::<Result<_, _>>().unwrap()
    }

    /// x·H(m) computed from the constant terms, which together are the key that nobody holds.
    fn group_signature(&self, message: [u8; 48]) -> [u8; 48] {
        let parts = self.dealers.iter().map(|dealer| times(dealer.to_bytes()[..32].try_into().unwrap(), message));
        sum(&parts.collect::<Vec<_>>())
    }
}

/// A finished group whose members were all honest.
struct Group {
    dealers: Dealers,
    keys: GroupKeys,
    shares: Vec<KeyShare>,
}

impl Group {
    fn new(needed: u8, issuers: u8, seed: u64) -> Self {
        let dealers = Dealers::new(needed, issuers, seed);
        let outcome = dealers.conclude(&[], &[]).unwrap();
        assert!(outcome.disqualified.is_empty() && outcome.qualified.len() == usize::from(issuers));
        let shares = dealers.shares(&outcome);
        Self { dealers, keys: outcome.keys, shares }
    }

    fn sign(&self, numbers: &[u8], message: &BlindedMessage) -> Vec<PartialSignature> {
        numbers.iter().map(|number| self.shares[usize::from(*number) - 1].sign_blinded(message)).collect()
    }
}

fn blinding(label: &str) -> Blinding {
    Blinding::from_bytes(&generate::reduced(generate::label(label))).unwrap()
}

fn request(number: u32) -> (BlindedMessage, Blinding) {
    let blinding = blinding(&format!("blinding {number}"));
    (blind(&scope(), account(number), &blinding), blinding)
}

fn moved(dealing: &Dealing, number: u8) -> Dealing {
    Dealing { dealer: index(number), ..dealing.clone() }
}

#[test]
fn a_threshold_protects_or_is_none() {
    for (needed, issuers) in [(0, 0), (0, 3), (1, 1), (1, 3), (2, 4), (4, 8), (4, 3), (127, 254), (255, 254)] {
        assert_eq!(Threshold::new(needed, issuers), Err(ThresholdError::BadThreshold { needed, issuers }));
    }
    // (t, n) -> corrupt issuers withstood, withstood although a citizen helps, shares that may be lost.
    for (needed, issuers, expected) in [
        (2, 2, (1, 1, 0)),
        (2, 3, (1, 0, 1)),
        (3, 4, (2, 1, 1)),
        (5, 9, (4, 0, 4)),
        (6, 9, (5, 2, 3)),
        (255, 255, (254, 254, 0)),
    ] {
        let threshold = Threshold::new(needed, issuers).unwrap();
        let figures = (threshold.withstands(), threshold.withstands_with_a_citizen(), threshold.may_be_lost());
        assert_eq!(figures, expected, "{threshold}");
        assert_eq!(threshold.indices().count(), usize::from(issuers));
    }
    assert_eq!(IssuerIndex::try_from(0), Err(ThresholdError::IndexZero));
    assert!(serde_json::from_str::<Threshold>(r#"{"needed":1,"issuers":3}"#).is_err());
    assert!(serde_json::from_str::<IssuerIndex>("0").is_err());
    assert!(serde_json::from_str::<IssuerIndex>("256").is_err());
}

#[test]
fn every_two_of_three_make_the_credential_of_the_group_key() {
    let group = Group::new(2, 3, 1);
    let (message, blinding) = request(1);
    let expected = group.dealers.group_signature(message_point(&scope(), account(1)).to_bytes());
    for numbers in [&[1, 2][..], &[2, 1], &[1, 3], &[3, 1], &[2, 3], &[3, 2], &[1, 2, 3], &[3, 1, 2]] {
        let combined = group.keys.combine(&message, &group.sign(numbers, &message)).unwrap();
        let signature = unblind(&combined, &blinding);
        assert_eq!(signature.to_bytes(), expected, "issuers {numbers:?}");
        let credential = Credential { scope: scope(), account: account(1), signature };
        assert_eq!(verify_batch(&group.keys.group_key(), &[credential], &mut rng(0)), Ok(()));
    }
}

#[test]
fn too_few_unknown_and_repeated_issuers_are_refused() {
    let group = Group::new(3, 5, 2);
    let (message, _) = request(1);
    let combine = |partials: &[PartialSignature]| group.keys.combine(&message, partials).unwrap_err();
    assert_eq!(combine(&[]), ThresholdError::TooFewPartials { needed: 3, got: 0 });
    assert_eq!(combine(&group.sign(&[5, 2], &message)), ThresholdError::TooFewPartials { needed: 3, got: 2 });
    assert_eq!(combine(&group.sign(&[1, 2, 1], &message)), ThresholdError::DuplicateIssuer(index(1)));
    let mut partials = group.sign(&[1, 2, 3], &message);
    partials[1].issuer = index(6);
    assert_eq!(combine(&partials), ThresholdError::UnknownIssuer { index: 6, issuers: 5 });
    assert_eq!(
        group.keys.verify_partial(&message, &partials[1]),
        Err(ThresholdError::UnknownIssuer { index: 6, issuers: 5 })
    );
    assert!(matches!(group.keys.share_key(index(200)), Err(ThresholdError::UnknownIssuer { index: 200, .. })));
}

#[test]
fn a_wrong_partial_signature_is_named() {
    let group = Group::new(2, 3, 3);
    let (message, _) = request(1);
    let good = group.sign(&[1, 2, 3], &message);
    let (other, _) = request(2);
    let wrong = [
        ("of another message", group.sign(&[2], &other)[0].signature),
        ("of another issuer", good[0].signature),
        ("the message itself", message.to_string().parse().unwrap()),
        ("negated", answer_of(negated(good[1].signature.to_bytes()))),
    ];
    for (what, signature) in wrong {
        let bad = PartialSignature { issuer: index(2), signature };
        assert_eq!(
            group.keys.verify_partial(&message, &bad),
            Err(ThresholdError::WrongPartials(vec![index(2)])),
            "{what}"
        );
        for partials in [vec![good[0], bad], vec![bad, good[2]], vec![good[0], bad, good[2]]] {
            let named = group.keys.combine(&message, &partials).unwrap_err();
            assert_eq!(named, ThresholdError::WrongPartials(vec![index(2)]), "{what}");
        }
    }
    // Two that took each other's number are both named, and what they would have combined to is not issued.
    let (mut first, mut third) = (good[0], good[2]);
    (first.signature, third.signature) = (third.signature, first.signature);
    let named = group.keys.combine(&message, &[first, good[1], third]).unwrap_err();
    assert_eq!(named.to_string(), "the partial signature of issuer 1, issuer 3 is wrong");
}

#[test]
fn one_corrupt_issuer_of_three_cannot_issue_alone() {
    let group = Group::new(2, 3, 4);
    let key = group.keys.group_key();
    let point = message_point(&scope(), account(1)).to_bytes();
    let request = BlindedMessage::from_bytes(&point).unwrap();
    // What issuer 3 has: its share, its polynomial, what the others dealt to it, and everything that was published.
    let own = group.shares[2].sign_blinded(&request).signature.to_bytes();
    let polynomial = group.dealers.dealers[2].to_bytes();
    let constant = times(polynomial[..32].try_into().unwrap(), point);
    let slope = times(polynomial[32..].try_into().unwrap(), point);
    let dealt: Vec<_> =
        group.dealers.dealt_to(index(3)).iter().map(|(_, share)| times(&share.to_bytes(), point)).collect();
    let possessions: Vec<_> = group.dealers.dealings.iter().map(|dealing| dealing.possession.to_bytes()).collect();
    let attested: Vec<_> = group.shares.iter().map(|share| share.attest(&point).to_bytes()).collect();
    // Its own partial with the coefficients that two signers would have: λ₃ = -1/2 beside 1, -2 beside 2, 3/2 …
    let numbers = [1, 2, 3, 4, 6].map(word);
    let mut attempts: Vec<[u8; 48]> = numbers.iter().map(|number| times(number, own)).collect();
    attempts.extend(numbers.iter().map(|number| negated(times(number, own))));
    attempts.extend([constant, slope, sum(&[constant, slope]), sum(&[own, constant]), sum(&[own, negated(constant)])]);
    attempts.extend(dealt.iter().copied());
    attempts.extend([sum(&dealt), sum(&possessions), sum(&attested)]);
    attempts.extend(possessions.iter().chain(&attested).map(|other| sum(&[own, *other])));
    for (number, bytes) in attempts.into_iter().enumerate() {
        let credential =
            Credential { scope: scope(), account: account(1), signature: Signature::from_bytes(&bytes).unwrap() };
        assert!(!credential.verify(&key), "attempt {number}");
        let partial = PartialSignature { issuer: index(1), signature: answer_of(bytes) };
        let own = PartialSignature { issuer: index(3), signature: answer_of(own) };
        assert!(group.keys.combine(&request, &[partial, own]).is_err(), "attempt {number} as issuer 1's answer");
        let partial = PartialSignature { issuer: index(2), ..partial };
        assert!(group.keys.combine(&request, &[own, partial]).is_err(), "attempt {number} as issuer 2's answer");
    }
    // With one honest answer it can, which is what it must not get for a person who does not exist.
    let both = group.sign(&[1, 3], &request);
    assert!(group.keys.combine(&request, &both).is_ok());
}

fn answer_of(point: [u8; 48]) -> BlindSignature {
    BlindSignature::from_bytes(&point).unwrap()
}

fn word(number: u8) -> [u8; 32] {
    let mut word = [0; 32];
    word[31] = number;
    word
}

/// The sum forgery is no easier with several issuers: what they sign together is still one signature.
#[test]
fn one_answer_on_a_sum_of_messages_is_not_two_credentials() {
    let group = Group::new(2, 3, 5);
    let points = [1, 2].map(|number| message_point(&scope(), account(number)).to_bytes());
    let request = BlindedMessage::from_bytes(&sum(&points)).unwrap();
    let issued = group.keys.combine(&request, &group.sign(&[1, 2], &request)).unwrap().to_bytes();
    let split = times(&generate::reduced(generate::label("a split of the group's answer")), points[0]);
    let forged = [(1, split), (2, sum(&[issued, negated(split)]))].map(|(number, bytes)| Credential {
        scope: scope(),
        account: account(number),
        signature: Signature::from_bytes(&bytes).unwrap(),
    });
    assert_eq!(verify_batch(&group.keys.group_key(), &forged, &mut rng(1)), Err(vec![0, 1]));
}

/// Not a defect to be mended here but the limit that `withstands_with_a_citizen` states: two groups of two among three have a
/// member in common, and if that one is corrupt, a citizen shows the honest others different messages. With three of four
/// one corrupt issuer is not enough.
#[test]
fn a_corrupt_issuer_and_a_citizen_get_two_credentials_from_two_of_three_and_one_from_three_of_four() {
    let two_of_three = Group::new(2, 3, 6);
    assert_eq!(two_of_three.dealers.threshold.withstands_with_a_citizen(), 0);
    let requests = [request(1).0, request(2).0];
    // Issuers 1 and 2 are honest and sign one message for this person; issuer 3 signs whatever it is shown.
    assert!(two_of_three.keys.combine(&requests[0], &two_of_three.sign(&[1, 3], &requests[0])).is_ok());
    assert!(two_of_three.keys.combine(&requests[1], &two_of_three.sign(&[2, 3], &requests[1])).is_ok());

    let three_of_four = Group::new(3, 4, 6);
    assert_eq!(three_of_four.dealers.threshold.withstands_with_a_citizen(), 1);
    // Issuers 1, 2, 3 are honest: for one message there are enough of them, and then not for the other.
    let signers = [three_of_four.sign(&[1, 2, 4], &requests[0]), three_of_four.sign(&[3, 4], &requests[1])];
    assert!(three_of_four.keys.combine(&requests[0], &signers[0]).is_ok());
    let refused = three_of_four.keys.combine(&requests[1], &signers[1]);
    assert_eq!(refused, Err(ThresholdError::TooFewPartials { needed: 3, got: 2 }));
}

#[test]
fn sessions_do_not_mix() {
    let (one, other) = (Group::new(2, 3, 7), Group::new(2, 3, 8));
    let (message, _) = request(1);
    let mixed = [one.sign(&[1], &message)[0], other.sign(&[2], &message)[0]];
    let refused = |keys: &GroupKeys| keys.combine(&message, &mixed).unwrap_err();
    assert_eq!(refused(&one.keys), ThresholdError::WrongPartials(vec![index(2)]));
    assert_eq!(refused(&other.keys), ThresholdError::WrongPartials(vec![index(1)]));
    let stored = one.shares[0].to_bytes();
    assert!(KeyShare::from_bytes(&one.keys, index(1), stored.as_ref()).is_ok());
    for (keys, number) in [(&other.keys, 1), (&one.keys, 2)] {
        let refused = KeyShare::from_bytes(keys, index(number), stored.as_ref()).unwrap_err();
        assert_eq!(refused, ThresholdError::ShareMismatch);
    }
    // A dealing of another session, or of another threshold, is a stranger's.
    let dealing = &one.dealers.dealings[0];
    assert_eq!(dealing.check(SESSION.into(), one.dealers.threshold), Ok(()));
    assert_eq!(dealing.check([8; 32].into(), one.dealers.threshold), Err(DealerFault::WrongPossession));
    let more = Threshold::new(2, 2).unwrap();
    assert_eq!(dealing.check(SESSION.into(), more), Err(DealerFault::WrongPossession));
    let longer = Threshold::new(3, 3).unwrap();
    assert_eq!(dealing.check(SESSION.into(), longer), Err(DealerFault::WrongCommitments));
    // Nor do shares dealt in one session make a share in the other.
    let outcome = one.dealers.conclude(&[], &[]).unwrap();
    let mut dealt = one.dealers.dealt_to(index(1));
    dealt[1] = other.dealers.dealt_to(index(1))[1].clone();
    assert_eq!(KeyShare::assemble(&outcome, index(1), &dealt).unwrap_err(), ThresholdError::ShareMismatch);
}

#[test]
fn a_rogue_key_needs_a_proof_that_its_owner_cannot_make() {
    let honest = Dealers::new(2, 3, 9);
    // Issuer 3 waits for the others and commits to (its own key) - (theirs), so that the group's key would be its own.
    let own = Dealer::generate(honest.session, honest.threshold, index(3), &mut rng(10)).dealing();
    let others: Vec<_> = honest.dealings[..2].iter().map(|dealing| dealing.commitments[0]).collect();
    let rogue = difference_of_keys(own.commitments[0], &others);
    let mut commitments = own.commitments.clone();
    commitments[0] = rogue;
    let proofs = [own.possession, honest.dealings[0].possession, honest.dealings[1].possession];
    let combined = sum(&[proofs[0].to_bytes(), negated(proofs[1].to_bytes()), negated(proofs[2].to_bytes())]);
    for possession in proofs.into_iter().chain([Signature::from_bytes(&combined).unwrap()]) {
        let dealing = Dealing { dealer: index(3), commitments: commitments.clone(), possession };
        assert_eq!(dealing.check(honest.session, honest.threshold), Err(DealerFault::WrongPossession));
        let mut dealings = honest.dealings.clone();
        dealings[2] = dealing;
        let outcome = conclude(honest.session, honest.threshold, &dealings, &[], &[]).unwrap();
        assert_eq!(outcome.qualified, [index(1), index(2)]);
        assert_eq!(outcome.disqualified, [(index(3), DealerFault::WrongPossession)]);
        assert!(outcome.keys.group_key() != own.commitments[0]);
    }
    // Repeating another's dealing under one's own number does not pass either.
    assert_eq!(
        moved(&honest.dealings[0], 3).check(honest.session, honest.threshold),
        Err(DealerFault::WrongPossession)
    );
}

/// key - Σ others, by blst's own means.
fn difference_of_keys(key: IssuerPublicKey, others: &[IssuerPublicKey]) -> IssuerPublicKey {
    use blst::min_sig::{AggregatePublicKey, PublicKey};
    let point = |key: &IssuerPublicKey, negative: bool| {
        let mut bytes = key.to_bytes();
        bytes[0] ^= if negative { 0x20 } else { 0 };
        PublicKey::from_bytes(&bytes).unwrap()
    };
    let mut points = vec![point(&key, false)];
    points.extend(others.iter().map(|other| point(other, true)));
    let sum = AggregatePublicKey::aggregate(&points.iter().collect::<Vec<_>>(), true).unwrap();
    IssuerPublicKey::from_bytes(&sum.to_public_key().to_bytes()).unwrap()
}

#[test]
fn a_dealer_who_deals_a_wrong_share_is_caught_and_named() {
    let dealers = Dealers::new(2, 3, 11);
    // Issuer 3 gives issuer 1 a share of another polynomial.
    let wrong = Dealer::generate(dealers.session, dealers.threshold, index(3), &mut rng(12)).share_for(index(1));
    let right = dealers.dealers[2].share_for(index(1));
    let dealing = &dealers.dealings[2];
    assert!(!dealing.fits(index(1), &wrong));
    assert!(dealing.fits(index(1), &right));
    assert!(!dealing.fits(index(2), &right), "each share is for one issuer");

    let complaints = [Complaint { by: index(1), about: index(3) }];
    let answer = |share: &DealtShare| Answer { dealer: index(3), to: index(1), share: share.clone() };
    for (answers, fault) in [
        (vec![], DealerFault::NoAnswer { to: index(1) }),
        (vec![answer(&wrong)], DealerFault::WrongAnswer { to: index(1) }),
        (vec![answer(&right), answer(&wrong)], DealerFault::WrongAnswer { to: index(1) }),
        (vec![Answer { to: index(2), ..answer(&right) }], DealerFault::NoAnswer { to: index(1) }),
        (vec![Answer { dealer: index(2), ..answer(&right) }], DealerFault::NoAnswer { to: index(1) }),
    ] {
        let outcome = dealers.conclude(&complaints, &answers).unwrap();
        assert_eq!(outcome.disqualified, [(index(3), fault)]);
        assert_eq!(outcome.qualified, [index(1), index(2)]);
        // The other two have a key without it, in which issuer 3 still has a share.
        let shares = dealers.shares(&outcome);
        let (message, _) = request(1);
        let partials = [shares[0].sign_blinded(&message), shares[2].sign_blinded(&message)];
        assert!(outcome.keys.combine(&message, &partials).is_ok());
    }
    // The right answer settles it, and issuer 1 goes on with the published share.
    let outcome = dealers.conclude(&complaints, &[answer(&right)]).unwrap();
    assert!(outcome.disqualified.is_empty());
    let mut dealt = dealers.dealt_to(index(1));
    dealt[2].1 = wrong;
    assert_eq!(KeyShare::assemble(&outcome, index(1), &dealt).unwrap_err(), ThresholdError::ShareMismatch);
    dealt[2].1 = right;
    assert!(KeyShare::assemble(&outcome, index(1), &dealt).is_ok());
    dealt.pop();
    assert_eq!(KeyShare::assemble(&outcome, index(1), &dealt).unwrap_err(), ThresholdError::MissingShare(index(3)));
}

#[test]
fn as_many_complaints_as_signers_disqualify_whatever_is_answered() {
    let dealers = Dealers::new(2, 3, 13);
    let complaint = |by| Complaint { by: index(by), about: index(1) };
    let answer = |to| Answer { dealer: index(1), to: index(to), share: dealers.dealers[0].share_for(index(to)) };
    let outcome = dealers.conclude(&[complaint(2), complaint(3)], &[answer(2), answer(3)]).unwrap();
    assert_eq!(outcome.disqualified, [(index(1), DealerFault::TooManyComplaints(2))]);
    // The same complaint twice is one.
    assert!(dealers.conclude(&[complaint(2), complaint(2)], &[answer(2)]).unwrap().disqualified.is_empty());
    // With two dealers out, one is left, and a group of one dealer's making is none.
    let all = [complaint(2), complaint(3), Complaint { by: index(1), about: index(2) }];
    assert_eq!(dealers.conclude(&all, &[]), Err(ThresholdError::TooFewDealers { qualified: 1, needed: 2 }));
}

#[test]
fn dealings_must_have_the_right_shape() {
    let dealers = Dealers::new(3, 4, 14);
    let check = |dealing: &Dealing| dealing.check(dealers.session, dealers.threshold);
    let good = &dealers.dealings[0];
    assert_eq!(check(good), Ok(()));
    let with = |commitments: &[IssuerPublicKey]| Dealing { commitments: commitments.to_vec(), ..good.clone() };
    let [a, b, c] = good.commitments[..] else { panic!("three commitments") };
    for commitments in [&[][..], &[a], &[a, b], &[a, b, c, a]] {
        assert_eq!(check(&with(commitments)), Err(DealerFault::WrongCommitments));
    }
    for commitments in [[a, c, b], [b, a, c], [a, b, b]] {
        assert_eq!(check(&with(&commitments)), Err(DealerFault::WrongPossession));
    }
    // f(2) = 0: 4a₂ + 2a₁ + a₀ with a₀ = -(4a₂ + 2a₁).
    let double = |key: IssuerPublicKey| difference_of_keys(key, &[negative(key)]);
    let root = negative(difference_of_keys(double(double(c)), &[negative(double(b))]));
    assert_eq!(check(&with(&[root, b, c])), Err(DealerFault::WrongCommitments));

    let conclude = |dealings: &[Dealing], complaints: &[Complaint]| {
        conclude(dealers.session, dealers.threshold, dealings, complaints, &[]).unwrap_err()
    };
    let twice = [dealers.dealings.clone(), vec![good.clone()]].concat();
    assert_eq!(conclude(&twice, &[]), ThresholdError::DuplicateIssuer(index(1)));
    assert_eq!(conclude(&[moved(good, 5)], &[]), ThresholdError::UnknownIssuer { index: 5, issuers: 4 });
    let absent = Complaint { by: index(1), about: index(4) };
    assert_eq!(conclude(&dealers.dealings[..3], &[absent]), ThresholdError::NoSuchDealing(index(4)));
    let stranger = Complaint { by: index(9), about: index(1) };
    assert_eq!(conclude(&dealers.dealings, &[stranger]), ThresholdError::UnknownIssuer { index: 9, issuers: 4 });
    assert_eq!(conclude(&dealers.dealings[..2], &[]), ThresholdError::TooFewDealers { qualified: 2, needed: 3 });
}

fn negative(key: IssuerPublicKey) -> IssuerPublicKey {
    let mut bytes = key.to_bytes();
    bytes[0] ^= 0x20;
    IssuerPublicKey::from_bytes(&bytes).unwrap()
}

#[test]
fn attestations_are_of_one_issuer_and_one_statement() {
    let group = Group::new(2, 3, 15);
    let signature = group.shares[1].attest(b"transcript");
    let holds = |number, statement: &[u8]| group.keys.verify_attestation(index(number), statement, &signature).unwrap();
    assert!(holds(2, b"transcript"));
    assert!(!holds(1, b"transcript") && !holds(2, b"another"));
    assert!(group.keys.verify_attestation(index(4), b"transcript", &signature).is_err());
    // It is no credential: another domain.
    let message = scope().message(account(1));
    let attested = group.shares[1].attest(&message);
    let partial = group.shares[1]
        .sign_blinded(&BlindedMessage::from_bytes(&message_point(&scope(), account(1)).to_bytes()).unwrap());
    assert!(attested.to_bytes() != partial.signature.to_bytes());
}

#[test]
fn keys_are_written_down_and_checked_when_read() {
    let group = Group::new(3, 5, 16);
    let text = serde_json::to_string(&group.keys).unwrap();
    assert_eq!(serde_json::from_str::<GroupKeys>(&text).unwrap(), group.keys);
    let mut keys = group.keys.share_keys().to_vec();
    assert_eq!(GroupKeys::from_share_keys(group.keys.threshold(), keys.clone()).unwrap(), group.keys);
    keys.swap(0, 4);
    let read = |keys: &[IssuerPublicKey]| GroupKeys::from_share_keys(group.keys.threshold(), keys.to_vec());
    assert_eq!(read(&keys), Err(ThresholdError::InconsistentKeys));
    assert_eq!(read(&keys[..4]), Err(ThresholdError::InconsistentKeys));
    let other = Group::new(3, 5, 17).keys.group_key().to_string();
    let swapped = text.replace(&group.keys.group_key().to_string(), &other);
    assert!(swapped != text && serde_json::from_str::<GroupKeys>(&swapped).is_err());

    let dealer = &group.dealers.dealers[2];
    let bytes = dealer.to_bytes();
    let read = |bytes: &[u8]| Dealer::from_bytes(group.dealers.session, group.dealers.threshold, index(3), bytes);
    assert_eq!(read(&bytes).unwrap().dealing(), group.dealers.dealings[2]);
    let refused = read(&bytes[1..]).unwrap_err();
    assert_eq!(refused, EncodingError::WrongLength { expected: 96, actual: 95 }.into());
    assert_eq!(read(&[0xff; 96]).unwrap_err(), EncodingError::ScalarOutOfRange.into());
    let dealing = serde_json::to_string(&group.dealers.dealings[2]).unwrap();
    assert_eq!(serde_json::from_str::<Dealing>(&dealing).unwrap(), group.dealers.dealings[2]);
}

#[test]
fn secrets_do_not_print() {
    let group = Group::new(2, 3, 18);
    let dealt = group.dealers.dealers[0].share_for(index(2));
    let printed = format!("{:?} {:?} {:?}", group.dealers.dealers[0], dealt, group.shares[0]);
    assert_eq!(printed, "Dealer(1, redacted) DealtShare(redacted) KeyShare(1, redacted)");
}

/// t, n, and t+1 different issuers' numbers in random order.
fn groups() -> impl Strategy<Value = (u8, u8, Vec<u8>)> {
    (2_u8..=6, 0_u8..=5).prop_flat_map(|(needed, more)| {
        let issuers = needed + more.min(needed - 1);
        (Just(needed), Just(issuers), Just((1..=issuers).collect::<Vec<_>>()).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_t_of_n_make_the_same_credential_and_no_fewer((needed, issuers, order) in groups(), seed: u64) {
        let group = Group::new(needed, issuers, seed);
        let (message, blinding) = request(1);
        let (few, enough) = (usize::from(needed) - 1, usize::from(needed));
        let partials = group.sign(&order, &message);
        let expected = group.dealers.group_signature(message_point(&scope(), account(1)).to_bytes());
        for window in partials.windows(enough) {
            let signature = unblind(&group.keys.combine(&message, window).unwrap(), &blinding);
            prop_assert_eq!(signature.to_bytes(), expected);
        }
        let refused = group.keys.combine(&message, &partials[..few]);
        prop_assert_eq!(refused, Err(ThresholdError::TooFewPartials { needed, got: few }));
        // Nor does a guess for the missing one help, be it a repetition under another number.
        let mut guessed = partials[..few].to_vec();
        guessed.push(PartialSignature { issuer: partials[few].issuer, ..partials[0] });
        prop_assert_eq!(
            group.keys.combine(&message, &guessed),
            Err(ThresholdError::WrongPartials(vec![partials[few].issuer]))
        );
        prop_assert_eq!(GroupKeys::from_share_keys(group.keys.threshold(), group.keys.share_keys().to_vec()), Ok(group.keys));
    }

    #[test]
    fn exactly_the_wrong_partials_are_named((needed, issuers, order) in groups(), wrong: u16, seed: u64) {
        let group = Group::new(needed, issuers, seed);
        let (message, _) = request(1);
        let (other, _) = request(2);
        let is_wrong = |number: &u8| wrong >> (number - 1) & 1 == 1;
        let signed = |number: &u8| group.sign(&[*number], if is_wrong(number) { &other } else { &message })[0];
        let partials: Vec<_> = order.iter().map(signed).collect();
        let mut named: Vec<_> = order.iter().filter(|number| is_wrong(number)).map(|number| index(*number)).collect();
        match group.keys.combine(&message, &partials) {
            Ok(_) => prop_assert!(order[..usize::from(needed)].iter().all(|number| !is_wrong(number))),
            Err(error) => prop_assert_eq!(error, ThresholdError::WrongPartials(std::mem::take(&mut named))),
        }
    }

    #[test]
    fn any_bad_dealer_is_caught_by_any_victim((needed, issuers, order) in groups(), seed: u64) {
        prop_assume!(issuers > needed);
        let dealers = Dealers::new(needed, issuers, seed);
        let (bad, victim) = (index(order[0]), index(order[1]));
        let wrong = Dealer::generate(dealers.session, dealers.threshold, bad, &mut rng(seed ^ 1)).share_for(victim);
        let caught: HashSet<_> =
            dealers.dealings.iter().filter(|dealing| !dealing.fits(victim, &wrong)).map(|dealing| dealing.dealer).collect();
        prop_assert!(caught.contains(&bad));
        let complaint = Complaint { by: victim, about: bad };
        let outcome = dealers.conclude(&[complaint], &[Answer { dealer: bad, to: victim, share: wrong }]).unwrap();
        prop_assert_eq!(&outcome.disqualified, &vec![(bad, DealerFault::WrongAnswer { to: victim })]);
        prop_assert_eq!(outcome.qualified.len(), usize::from(issuers) - 1);
        prop_assert_eq!(dealers.shares(&outcome).len(), usize::from(issuers));
    }
}

#[test]
fn different_seeds_make_different_groups() {
    let keys: HashSet<_> = (0..8).map(|seed| Group::new(2, 3, seed).keys.group_key().to_string()).collect();
    assert_eq!(keys.len(), 8);
}
