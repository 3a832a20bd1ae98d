//! Measures what a relayer and an issuer do, on one core: `cargo run -p kopilka-credential --example measure`.

use kopilka_credential::threshold::{Dealer, KeyShare, SessionId, Threshold, conclude};
use kopilka_credential::{
    BlindedMessage, Credential, CredentialScope, IssuerSecretKey, MasterSecret, Signature, blind, message_point,
    unblind, verify_batch,
};
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let mut rng = rand::rng();
    let scope = CredentialScope::new(31337, [0x11; 20], 1, 0);
    let issuer = IssuerSecretKey::generate(&mut rng);
    let key = issuer.public_key();
    let credentials: Vec<Credential> = (0..200)
        .map(|_| {
            let master = MasterSecret::generate(&mut rng);
            let (account, blinding) = (master.account(&scope).address(), master.blinding(&scope));
            let signature = unblind(&issuer.sign_blinded(&blind(&scope, account, &blinding)), &blinding);
            Credential { scope, account, signature }
        })
        .collect();
    let compressed: Vec<_> = credentials.iter().map(|credential| credential.signature.to_bytes()).collect();
    let mut next = (0..200).cycle();
    let mut index = || next.next().unwrap_or_default();

    measure("parse a compressed signature", 1, || Signature::from_bytes(&compressed[index()]).is_ok());
    measure("hash a message to the curve", 1, || message_point(&scope, credentials[index()].account));
    let blinded = BlindedMessage::from_bytes(&compressed[0]).unwrap_or_else(|error| panic!("{error}"));
    measure("sign a blinded message", 1, || issuer.sign_blinded(&blinded));
    for size in [1, 20, 200] {
        let batch = &credentials[..size];
        measure(&format!("verify a batch of {size}"), size, || verify_batch(&key, batch, &mut rng).is_ok());
    }
    let mut spoilt = credentials.clone();
    spoilt[77].account = [0; 20].into();
    measure("name the one bad of 200", 200, || verify_batch(&key, &spoilt, &mut rng).is_err());
    for (needed, issuers) in [(2, 3), (5, 9)] {
        several_issuers(needed, issuers, &blinded);
    }
}

fn several_issuers(needed: u8, issuers: u8, blinded: &BlindedMessage) {
    let threshold = Threshold::new(needed, issuers).unwrap_or_else(|error| panic!("{error}"));
    let session = SessionId::from([1; 32]);
    let generate = || {
        let dealers: Vec<_> =
            threshold.indices().map(|index| Dealer::generate(session, threshold, index, &mut rand::rng())).collect();
        let dealings: Vec<_> = dealers.iter().map(Dealer::dealing).collect();
        let outcome = conclude(session, threshold, &dealings, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        let shares: Vec<_> = threshold
            .indices()
            .map(|index| {
                let dealt: Vec<_> = dealers.iter().map(|dealer| (dealer.index(), dealer.share_for(index))).collect();
                assert!(dealings.iter().zip(&dealt).all(|(dealing, (_, share))| dealing.fits(index, share)));
                KeyShare::assemble(&outcome, index, &dealt).unwrap_or_else(|error| panic!("{error}"))
            })
            .collect();
        (outcome.keys, shares)
    };
    measure(&format!("{threshold}: generate a key, all issuers' work together"), 1, generate);
    let (keys, shares) = generate();
    let partials: Vec<_> = shares.iter().map(|share| share.sign_blinded(blinded)).collect();
    measure(&format!("{threshold}: sign with a share"), 1, || shares[0].sign_blinded(blinded));
    measure(&format!("{threshold}: check one partial signature"), 1, || keys.verify_partial(blinded, &partials[0]));
    measure(&format!("{threshold}: combine and check"), 1, || keys.combine(blinded, &partials));
}

/// Prints the time of one item, from as many rounds as fit into half a second.
fn measure<T>(what: &str, items: usize, mut work: impl FnMut() -> T) {
    black_box(work());
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed().as_millis() < 500 {
        black_box(work());
        rounds += 1;
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / (rounds * items) as f64;
    println!("{what}: {micros:.1} µs per item");
}
