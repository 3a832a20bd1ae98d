//! Vectors of issuing by t of n, computed anew from labels.

use super::{hex, label, master, negated, reduced, scopes, times, word};
use kopilka_credential::threshold::{
    Dealer, GroupKeys, IssuerIndex, KeyShare, PartialSignature, SessionId, Threshold, ThresholdError, conclude,
};
use kopilka_credential::{BlindSignature, BlindedMessage, blind, unblind};
use serde_json::{Value, json};

/// Two groups of issuers of one scope each.
pub(super) fn vectors() -> Value {
    json!({ "twoOfThree": group(2, 3), "threeOfFive": group(3, 5) })
}

fn group(needed: u8, issuers: u8) -> Value {
    let threshold = Threshold::new(needed, issuers).expect("a good threshold");
    let name = format!("{needed} of {issuers}");
    let session = SessionId::from(label::<32>(&format!("session {name}")));
    let dealers: Vec<Dealer> = threshold
        .indices()
        .map(|index| {
            let coefficients: Vec<u8> = (0..needed)
                .flat_map(|place| reduced(label(&format!("{name}, dealer {index}, coefficient {place}"))))
                .collect();
            Dealer::from_bytes(session, threshold, index, &coefficients).expect("scalars in range")
        })
        .collect();
    let dealings: Vec<_> = dealers.iter().map(Dealer::dealing).collect();
    let outcome = conclude(session, threshold, &dealings, &[], &[]).expect("all are honest");
    let dealt_to = |index| dealers.iter().map(move |dealer| (dealer.index(), dealer.share_for(index)));
    let shares: Vec<KeyShare> = threshold
        .indices()
        .map(|index| KeyShare::assemble(&outcome, index, &dealt_to(index).collect::<Vec<_>>()).expect("all are honest"))
        .collect();

    let scope = scopes()[0];
    let requests: Vec<_> = (0..4)
        .map(|person| {
            let master = master(person);
            let (account, blinding) = (master.account(&scope).address(), master.blinding(&scope));
            (account, blinding.clone(), blind(&scope, account, &blinding))
        })
        .collect();
    let partials: Vec<Vec<PartialSignature>> =
        requests.iter().map(|request| shares.iter().map(|share| share.sign_blinded(&request.2)).collect()).collect();
    let combined: Vec<BlindSignature> = requests
        .iter()
        .zip(&partials)
        .map(|(request, partials)| outcome.keys.combine(&request.2, partials).expect("all are honest"))
        .collect();
    let signatures: Vec<_> =
        requests.iter().zip(&combined).map(|(request, combined)| unblind(combined, &request.1)).collect();

    json!({
        "needed": needed,
        "issuers": issuers,
        "session": session,
        "polynomial": dealers.iter().map(|dealer| hex(dealer.to_bytes().as_slice())).collect::<Vec<_>>(),
        "commitment": dealings.iter().flat_map(|dealing| dealing.commitments.clone()).collect::<Vec<_>>(),
        "possession": dealings.iter().map(|dealing| dealing.possession).collect::<Vec<_>>(),
        "dealtShare": threshold
            .indices()
            .flat_map(|index| dealt_to(index).map(|(_, share)| hex(*share.to_bytes())).collect::<Vec<_>>())
            .collect::<Vec<_>>(),
        "shareSecret": shares.iter().map(|share| hex(*share.to_bytes())).collect::<Vec<_>>(),
        "shareKey": outcome.keys.share_keys(),
        "groupKey": outcome.keys.group_key(),
        "groupKeyEip2537": hex(outcome.keys.group_key().to_eip2537()),
        "attestation": shares.iter().map(|share| share.attest(b"statement")).collect::<Vec<_>>(),
        "chainId": hex(word(scope.chain_id)),
        "contract": scope.contract,
        "scopeId": scope.id,
        "class": hex([scope.class]),
        "account": requests.iter().map(|request| request.0).collect::<Vec<_>>(),
        "blinding": requests.iter().map(|request| hex(*request.1.to_bytes())).collect::<Vec<_>>(),
        "blinded": requests.iter().map(|request| request.2).collect::<Vec<_>>(),
        "partial": partials.iter().flatten().map(|partial| partial.signature).collect::<Vec<_>>(),
        "combined": combined,
        "signature": signatures,
        "signatureUncompressed": signatures.iter().map(|signature| hex(signature.to_uncompressed())).collect::<Vec<_>>(),
        "refused": refused(&outcome.keys, &requests[0].2, &partials),
    })
}

/// Answers to the first request that must not be combined, with the reason and the issuers to blame.
fn refused(keys: &GroupKeys, message: &BlindedMessage, partials: &[Vec<PartialSignature>]) -> Value {
    let good = &partials[0];
    let needed = usize::from(keys.threshold().needed());
    let with = |place: usize, bytes: [u8; 48]| {
        let mut changed = good[..needed].to_vec();
        changed[place].signature = BlindSignature::from_bytes(&bytes).expect("a member");
        changed
    };
    let point = |place: usize| good[place].signature.to_bytes();
    let mut unknown = good[..needed].to_vec();
    unknown[0].issuer = IssuerIndex::try_from(keys.threshold().issuers() + 1).expect("not zero");
    let mut swapped = good.clone();
    (swapped[0].signature, swapped[1].signature) = (good[1].signature, good[0].signature);
    let mut repeated = good[..needed].to_vec();
    repeated[needed - 1] = repeated[0];
    let cases: Vec<(&str, Vec<PartialSignature>)> = vec![
        ("none", vec![]),
        ("one too few", good[..needed - 1].to_vec()),
        ("an issuer twice", repeated),
        ("an unknown issuer", unknown),
        ("one negated", with(1, negated(point(1)))),
        ("one doubled", with(0, times(&word(2), point(0)))),
        ("one of another message", with(needed - 1, partials[1][needed - 1].signature.to_bytes())),
        ("one of another issuer", with(1, point(0))),
        ("two swapped, in all", swapped),
        ("all of another message", partials[1].clone()),
    ];
    let reasons: Vec<ThresholdError> =
        cases.iter().map(|case| keys.combine(message, &case.1).expect_err("a refusal")).collect();
    let wrong = reasons.iter().map(|reason| match reason {
        ThresholdError::WrongPartials(issuers) => issuers.clone(),
        _ => Vec::new(),
    });
    json!({
        "what": cases.iter().map(|case| case.0).collect::<Vec<_>>(),
        "partials": cases.iter().map(|case| &case.1).collect::<Vec<_>>(),
        "reason": reasons.iter().map(ThresholdError::code).collect::<Vec<_>>(),
        "wrong": wrong.collect::<Vec<_>>(),
    })
}
