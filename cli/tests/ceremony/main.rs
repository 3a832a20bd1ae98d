//! Whole ceremonies with the real program: every participant has folders of its own, and files go from one to the other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod office;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kopilka_cli::ceremony::{self, Answers, Contribution, PrivateFolder, Record, Review, Signed};
use kopilka_credential::threshold::{Dealer, DealtShare, IssuerIndex, PartialSignature};
use kopilka_credential::{CredentialScope, IssuerPublicKey, MasterSecret, blind, unblind, verify};
use office::{Offices, index};

/// Issuer 3 deals a share of another polynomial to issuer 1, under honest commitments.
fn deal_wrongly(offices: &Offices) {
    let record = offices.record(3);
    let (identity, private) = (offices.identity(3), PrivateFolder::at(offices.private(3)));
    let dealer = ceremony::deal(&record, &identity, &private).unwrap();
    let other = Dealer::generate(record.plan.session(), record.plan.threshold, index(3), &mut rand::rng());
    let wrong = |to: IssuerIndex| if to == index(1) { other.share_for(to) } else { dealer.share_for(to) };
    let shares = ceremony::seal_shares(&record.plan, index(3), wrong).unwrap();
    record.publish(Contribution { dealing: dealer.dealing(), shares }, &identity).unwrap();
    offices.post(3, "contribution-3.json");
}

fn review_all(offices: &Offices) -> Vec<String> {
    (1..=3)
        .map(|number| {
            let said = offices.step(number, "verify", &[]);
            offices.post(number, &format!("review-{number}.json"));
            said
        })
        .collect()
}

fn finish_all(offices: &Offices, more: &[&str]) -> Vec<String> {
    (1..=3)
        .map(|number| {
            let said = offices.step(number, "finish", more);
            offices.post(number, &format!("confirmation-{number}.json"));
            said
        })
        .collect()
}

fn line<'a>(said: &'a str, word: &str) -> &'a str {
    said.lines().find(|line| line.starts_with(word)).unwrap_or_else(|| panic!("{said} has no line of {word}"))
}

#[test]
fn two_of_three_make_a_key_although_the_third_cheats() {
    let offices = Offices::with_plan();
    let shown = offices.step_publicly(3, "show", &[]);
    assert!(
        line(&shown, "session").len() > 64 && line(&shown, "missing").contains("contribution of issuer 1"),
        "{shown}"
    );
    for number in [1, 2] {
        offices.step(number, "contribute", &[]);
        offices.post(number, &format!("contribution-{number}.json"));
    }
    let refused = offices.refused(1, "verify", &[]);
    assert!(refused.contains("the contribution of issuer 3 (Прокуратура) is missing"), "{refused}");
    let refused = offices.refused(1, "contribute", &[]);
    assert!(refused.contains("issuer 1 (Администрация) has contributed already"), "{refused}");
    deal_wrongly(&offices);

    let refused = offices.refused(1, "finish", &[]);
    assert!(refused.contains("the review of issuer 1 (Администрация), issuer 2 (Дума), issuer 3"), "{refused}");
    let reviews = review_all(&offices);
    assert!(
        reviews[0].contains("The share from issuer 3 (Прокуратура) does not open or does not fit"),
        "{}",
        reviews[0]
    );
    assert!(reviews[1].contains("All shares that were dealt to you are right."));
    assert_eq!(line(&reviews[0], "contributions"), line(&reviews[2], "contributions"));

    // Without an answer nobody goes on unawares.
    let refused = offices.refused(2, "finish", &[]);
    assert!(
        refused.contains("issuer 3 (Прокуратура) has not answered the complaint of issuer 1 (Администрация)"),
        "{refused}"
    );
    // The cheat stands by the wrong share.
    let record = offices.record(3);
    let wrong = DealtShare::from_bytes(&[9; 32]).unwrap();
    let shares = [(index(1), wrong.to_bytes().to_vec().into())].into();
    record.publish(Answers { dealer: index(3), shares }, &offices.identity(3)).unwrap();
    offices.post(3, "answer-3.json");

    let finished = finish_all(&offices, &[]);
    for said in &finished {
        assert_eq!(line(said, "transcript"), line(&finished[0], "transcript"));
        assert_eq!(
            line(said, "left out"),
            "left out     issuer 3 (Прокуратура): the share that it published for issuer 1 is wrong"
        );
    }
    let shown = offices.step_publicly(2, "show", &[]);
    assert!(shown.contains("2 of 3 must sign; 1 may lose their shares"), "{shown}");
    assert!(!shown.contains("Do not use the key"), "{shown}");
    credential_from(&offices, 1, 2);
    // Whoever cheated in dealing still has a share of the others' key.
    credential_from(&offices, 3, 1);
}

/// A citizen's credential from two issuers, through files, under the key that `show --key` prints for the contract.
fn credential_from(offices: &Offices, first: u8, second: u8) {
    let key = offices.step_publicly(1, "show", &["--key"]);
    let bytes = alloy::hex::decode(key.trim()).unwrap();
    let key = IssuerPublicKey::from_eip2537(&bytes).unwrap();
    let scope = CredentialScope::new(31337, [0x11; 20], 7, 0);
    let citizen = MasterSecret::generate(&mut rand::rng());
    let (account, blinding) = (citizen.account(&scope).address(), citizen.blinding(&scope));
    let blinded = blind(&scope, account, &blinding).to_string();
    let files = offices.sign([first, second], &["--blinded", &blinded]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let combined = offices.step_publicly(2, "combine", &[&["--blinded", &blinded], &files[..]].concat());
    let signature = unblind(&combined.trim().parse().unwrap(), &blinding);
    assert!(verify(&key, &scope, account, &signature), "issuers {first} and {second}");
}

#[test]
fn an_honest_answer_settles_a_complaint_and_a_missing_one_can_be_given_up() {
    let offices = Offices::with_plan();
    offices.contribute([1, 2]);
    deal_wrongly(&offices);
    review_all(&offices);
    assert!(offices.step(1, "answer", &[]).contains("Nobody complains of you"));

    // In one world all others give the answer up; it must be all, or the confirmations do not fit.
    let world = offices.copy();
    let without = ["--without-answer", "3"];
    for number in [1, 2] {
        let finished = world.step(number, "finish", &without);
        assert!(line(&finished, "left out").ends_with("it left the complaint of issuer 1 without an answer"));
        world.post(number, &format!("confirmation-{number}.json"));
        // Issuer 3, who was left out, need not confirm.
        let shown = world.step_publicly(number, "show", &without);
        assert_eq!(shown.contains("Do not use the key"), number == 1, "{shown}");
    }

    // In the other the dealer answers with the right share.
    let said = offices.step(3, "answer", &[]);
    assert!(said.contains("The shares in it are public now."), "{said}");
    offices.post(3, "answer-3.json");
    // Where the others went on without it, it comes too late and changes nothing.
    let key = world.step_publicly(2, "show", &[&["--key"], &without[..]].concat());
    let transcript = world.step_publicly(2, "show", &without);
    fs::copy(offices.public(3).join("answer-3.json"), world.public(2).join("answer-3.json")).unwrap();
    assert_eq!(world.step_publicly(2, "show", &[&["--key"], &without[..]].concat()), key);
    assert_eq!(world.step_publicly(2, "show", &without), transcript);
    let finished = finish_all(&offices, &[]);
    assert!(finished.iter().all(|said| !said.contains("left out")));
    assert_ne!(line(&finished[0], "transcript"), line(&offices.step_publicly(1, "show", &[]), "group key"));
    credential_from(&offices, 1, 3);

    // Who took the one way is noticed by those who took the other.
    fs::copy(world.public(1).join("confirmation-1.json"), offices.public(2).join("confirmation-1.json")).unwrap();
    let refused = offices.refused_publicly(2, "show", &["--key"]);
    assert!(refused.contains("issuer 1 (Администрация) has confirmed another transcript"), "{refused}");
}

#[test]
fn different_files_for_different_people_are_noticed() {
    let offices = Offices::with_plan();
    offices.contribute([1, 2]);
    // Issuer 3 signs two contributions and sends one to issuer 1, the other to the rest.
    let (record, identity) = (offices.record(3), offices.identity(3));
    let contribution = || {
        let (session, threshold) = (record.plan.session(), record.plan.threshold);
        let dealer = Dealer::generate(session, threshold, index(3), &mut rand::rng());
        let shares = ceremony::seal_shares(&record.plan, index(3), |to| dealer.share_for(to)).unwrap();
        let signed = Signed::new(session, Contribution { dealing: dealer.dealing(), shares }, &identity).unwrap();
        serde_json::to_string(&signed).unwrap()
    };
    let (one, other) = (contribution(), contribution());
    for number in 1..=3 {
        let text = if number == 1 { &one } else { &other };
        fs::write(offices.public(number).join("contribution-3.json"), text).unwrap();
    }
    let reviews = review_all(&offices);
    assert_ne!(line(&reviews[0], "contributions"), line(&reviews[1], "contributions"));
    let refused = offices.refused(2, "finish", &[]);
    assert!(refused.contains("issuer 1 (Администрация) has reviewed other contributions"), "{refused}");
    let refused = offices.refused(1, "finish", &[]);
    assert!(refused.contains("issuer 2 (Дума) has reviewed other contributions"), "{refused}");
}

#[test]
fn altered_and_misplaced_files_are_refused() {
    let offices = Offices::with_plan();
    offices.contribute([1, 2, 3]);
    let file = offices.public(1).join("contribution-2.json");
    let good = fs::read_to_string(&file).unwrap();
    let refused = |text: &str, reason: &str| {
        fs::write(&file, text).unwrap();
        let said = offices.refused(1, "verify", &[]);
        assert!(said.contains(reason), "{said}");
    };
    refused("{}", "contribution-2.json is not a file of a ceremony, or damaged");
    refused(&good.replacen("AGE ENCRYPTED", "AGE encrypted", 1), "is not signed by issuer 2 (Дума)");
    let other = fs::read_to_string(offices.public(1).join("contribution-1.json")).unwrap();
    refused(&other, "is of another issuer than its name says");
    let foreign = Offices::with_plan();
    foreign.contribute([2]);
    refused(
        &fs::read_to_string(foreign.public(2).join("contribution-2.json")).unwrap(),
        "is not signed by issuer 2 (Дума)",
    );
    fs::write(&file, good).unwrap();

    // A stranger, an identity that others can read, a folder without a ceremony.
    let said = foreign.run(&[
        "verify",
        "--folder",
        offices.public(1).to_str().unwrap(),
        "--private",
        foreign.private(2).to_str().unwrap(),
    ]);
    assert!(said.unwrap_err().contains("this identity takes no part in the ceremony"));
    let secret = offices.private(2).join("identity");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    let said = offices.refused(2, "verify", &[]);
    assert!(said.contains("identity can be read by others: chmod 600 it"), "{said}");
    let said = offices.run(&["show", "--folder", offices.private(2).to_str().unwrap()]).unwrap_err();
    assert!(said.contains("ceremony.json does not exist: name the folder with the ceremony's files"), "{said}");
}

#[test]
fn a_plan_that_protects_nobody_is_refused() {
    let offices = Offices::new(false);
    let (one, two, three) = (offices.card(1), offices.card(2), offices.card(3));
    let init = |needed: &str, cards: &[&str]| {
        let folder = offices.root().join("refused");
        let mut args = vec!["init", "--folder", folder.to_str().unwrap(), "--needed", needed];
        args.extend(["--chain-id", "1", "--municipality", "Заречный", "--purpose", "Бюджет 2027"]);
        cards.iter().for_each(|card| args.extend(["--card", card]));
        offices.run(&args).unwrap_err()
    };
    assert!(init("1", &[&one, &two, &three]).contains("1 of 3 issuers is no threshold"));
    assert!(init("4", &[&one, &two, &three]).contains("4 of 3 issuers is no threshold"));
    assert!(init("2", &[&one, &two, &one]).contains("Администрация and Администрация share a name or a key"));
    let altered = offices.root().join("altered.json");
    fs::write(&altered, fs::read_to_string(&two).unwrap().replace("Дума", "Контора")).unwrap();
    assert!(init("2", &[&one, altered.to_str().unwrap()]).contains("the card of Контора was altered"));
    let secret = offices.private(2).join("identity");
    assert!(init("2", &[&one, secret.to_str().unwrap()]).contains("is not a card"));
    assert!(!offices.root().join("refused/ceremony.json").exists());
}

#[test]
fn secrets_are_sealed_restored_and_destroyed() {
    let offices = Offices::sealed_with_plan();
    offices.contribute([1, 2, 3]);
    // A second contribution would be another key for whoever has the first.
    for number in 1..=3 {
        let polynomial = fs::read_dir(offices.private(number)).unwrap();
        let names: Vec<_> = polynomial.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(names.iter().any(|name| name.starts_with("polynomial-")), "{names:?}");
    }
    review_all(&offices);
    let refused = offices.refused_publicly(1, "show", &["--key"]);
    assert!(refused.contains("the key is not to be used: issuer 1 (Администрация), issuer 2 (Дума)"), "{refused}");
    finish_all(&offices, &[]);

    let mut shares = Vec::new();
    for number in 1..=3 {
        let folder = fs::read_dir(offices.private(number)).unwrap();
        let files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        assert!(!files.iter().any(|file| file.to_string_lossy().contains("polynomial-")), "destroyed");
        let share = files.iter().find(|file| file.to_string_lossy().contains("share-")).unwrap().clone();
        assert_eq!(fs::metadata(&share).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(offices.private(number)).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(fs::read_to_string(&share).unwrap().starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        shares.push(share);
    }
    let identity = offices.private(1).join("identity");
    assert!(fs::read_to_string(&identity).unwrap().starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "sealed");
    let wrong = offices.root().join("wrong");
    fs::write(&wrong, "не тот пароль\n").unwrap();
    let folders = [offices.public(1), offices.private(1)].map(|path| path.to_str().unwrap().to_owned());
    let args =
        ["sign", "--folder", &folders[0], "--private", &folders[1], "--passphrase-file", wrong.to_str().unwrap()];
    assert!(offices.run(&args).unwrap_err().contains("the passphrase is wrong"));

    // A lost share comes back from the public files, the same as before.
    let before = offices.sign([2, 3], &[]);
    let before = fs::read_to_string(&before[0]).unwrap();
    fs::remove_file(&shares[1]).unwrap();
    assert!(offices.refused(2, "sign", &[]).contains("there is no share of this ceremony"));
    offices.step(2, "finish", &[]);
    let files = offices.sign([2, 3], &[]);
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), before);

    // The trial: two sign, one is not enough, and a wrong one is named.
    assert!(offices.step_publicly(1, "combine", &[&files[0], &files[1]]).starts_with("0x"));
    let refused = offices.refused_publicly(1, "combine", &[&files[0]]);
    assert!(refused.contains("1 partial signatures are too few: 2 issuers must sign"), "{refused}");
    let mut partial: PartialSignature = serde_json::from_str(&before).unwrap();
    let third: PartialSignature = serde_json::from_str(&fs::read_to_string(&files[1]).unwrap()).unwrap();
    partial.signature = third.signature;
    fs::write(&files[0], serde_json::to_string(&partial).unwrap()).unwrap();
    let refused = offices.refused_publicly(1, "combine", &[&files[0], &files[1]]);
    assert!(refused.contains("the signature of issuer 2 (Дума) is wrong"), "{refused}");

    // After the round.
    let said = offices.step(2, "destroy", &["--keep-identity"]);
    assert!(said.contains("Destroyed: share-") && said.contains("can be restored"), "{said}");
    assert!(!shares[1].exists() && offices.private(2).join("identity").exists());
    offices.step(2, "destroy", &[]);
    assert!(!offices.private(2).join("identity").exists());
    let refused = offices.refused(2, "finish", &[]);
    assert!(refused.contains("there is no identity in"), "{refused}");
    assert!(offices.step_publicly(2, "show", &[]).contains("destroyed    share-"));
}

/// What is written down is what is read, whoever reads it: a statement survives being copied, reformatted and reordered.
#[test]
fn formatting_does_not_matter_and_content_does() {
    let offices = Offices::with_plan();
    offices.contribute([1, 2, 3]);
    review_all(&offices);
    let path = offices.public(1).join("review-2.json");
    let review: Signed<Review> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    fs::write(&path, serde_json::to_string(&review).unwrap()).unwrap();
    Record::read(&offices.public(1)).unwrap();
    let complaining = Signed { body: Review { complaints: vec![index(1)], ..review.body }, ..review };
    fs::write(&path, serde_json::to_string(&complaining).unwrap()).unwrap();
    let refused = Record::read(&offices.public(1)).unwrap_err().to_string();
    assert!(refused.contains("review-2.json is not signed by issuer 2 (Дума)"), "{refused}");
}
