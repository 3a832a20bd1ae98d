//! The contracts' credential library against blst, on random good, malformed and forged inputs.
//!
//! A few hundred cases run always; `KOPILKA_DEEP=1` runs thousands, from a seed of the day that is printed (`KOPILKA_SEED` repeats
//! it). `KOPILKA_DIFFERENTIAL_CASES=FILE` writes the cases with their verdicts, for noble to judge them too
//! (`scripts/differential`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod cases;
mod chain;

use std::collections::BTreeMap;
use std::path::PathBuf;

use cases::KIND_COUNT;
use chain::Chain;
use kopilka_credential::{IssuerPublicKey, message_point};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// How many cases of each sort, and where their randomness starts.
struct Extent {
    seed: u64,
    messages: usize,
    keys: usize,
    batches: usize,
}

impl Extent {
    fn of_environment() -> Self {
        let deep = std::env::var("KOPILKA_DEEP").is_ok_and(|value| value == "1");
        let seed = std::env::var("KOPILKA_SEED").map(|text| text.parse().expect("KOPILKA_SEED is a whole number"));
        let seed = seed.unwrap_or_else(|_| if deep { rand::random() } else { 2537 });
        println!("seed {seed}{}", if deep { ", deep" } else { "" });
        if deep {
            Self { seed, messages: 5_000, keys: 3_000, batches: 150 * KIND_COUNT }
        } else {
            Self { seed, messages: 200, keys: 150, batches: 6 * KIND_COUNT }
        }
    }

    fn rng(&self, purpose: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ purpose << 56)
    }
}

#[tokio::test]
async fn contracts_and_blst_agree() {
    let (extent, chain) = (Extent::of_environment(), Chain::start().await);
    let written = json!({
        "chainId": cases::SCOPE_CHAIN,
        "messages": compare_messages(&extent, &chain).await,
        "keys": compare_keys(&extent, &chain).await,
        "batches": compare_batches(&extent, &chain).await,
    });
    if let Some(path) = std::env::var_os("KOPILKA_DIFFERENTIAL_CASES").map(PathBuf::from) {
        std::fs::write(&path, serde_json::to_string(&written).unwrap()).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

async fn compare_messages(extent: &Extent, chain: &Chain) -> Vec<Value> {
    let mut rng = extent.rng(1);
    let messages: Vec<_> = (0..extent.messages).map(|_| (cases::scope(&mut rng), cases::account(&mut rng))).collect();
    let on_chain = chain.hashes(&messages).await;
    for (number, ((scope, account), point)) in messages.iter().zip(&on_chain).enumerate() {
        let expected = message_point(scope, (*account).into()).to_uncompressed();
        assert_eq!(point, &expected, "seed {}, message {number}: {scope:?} {}", extent.seed, hex(account));
    }
    println!("hash to curve: {} cases, 0 mismatches", messages.len());
    let write = |((scope, account), point): (&(kopilka_credential::CredentialScope, [u8; 20]), &[u8; 96])| json!({ "contract": scope.contract, "id": scope.id, "class": scope.class, "account": hex(account), "point": hex(point) });
    messages.iter().zip(&on_chain).map(write).collect()
}

async fn compare_keys(extent: &Extent, chain: &Chain) -> Vec<Value> {
    let mut rng = extent.rng(2);
    let (kinds, keys): (Vec<_>, Vec<_>) = (0..extent.keys).map(|number| cases::key(&mut rng, number)).unzip();
    let on_chain = chain.are_issuer_keys(&keys).await;
    let mut taken: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (number, ((kind, key), verdict)) in kinds.iter().zip(&keys).zip(&on_chain).enumerate() {
        let expected = IssuerPublicKey::from_eip2537(key).is_ok();
        assert_eq!(*verdict, expected, "seed {}, key {number}, {kind}: {}", extent.seed, hex(key));
        assert_eq!(*verdict, matches!(*kind, "good" | "negated"), "seed {}, key {number}, {kind}", extent.seed);
        taken.entry(kind).or_default()[usize::from(*verdict)] += 1;
    }
    assert_eq!(taken.len(), 15, "every kind was tried");
    println!("issuer keys: {} cases of {} kinds, 0 mismatches", keys.len(), taken.len());
    let cases = kinds.iter().zip(&keys).zip(&on_chain);
    cases.map(|((kind, key), verdict)| json!({ "kind": kind, "key": hex(key), "valid": verdict })).collect()
}

async fn compare_batches(extent: &Extent, chain: &Chain) -> Vec<Value> {
    let mut rng = extent.rng(3);
    let batches: Vec<_> = (0..extent.batches).map(|number| cases::batch(&mut rng, number)).collect();
    let (batches, good): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
    let on_chain = chain.accept(&batches).await;
    for (number, ((batch, good), verdict)) in batches.iter().zip(&good).zip(&on_chain).enumerate() {
        let place = format!("seed {}, batch {number}, {}", extent.seed, batch.kind);
        assert_eq!(*verdict, batch.holds(&mut rng), "{place}: contract and blst differ");
        assert_eq!(verdict, good, "{place}: neither may take it for what it is not");
    }
    let signatures: usize = batches.iter().map(|batch| batch.kept.len()).sum();
    println!("batches: {} of {KIND_COUNT} kinds with {signatures} signatures, 0 mismatches", batches.len());
    let cases = batches.iter().zip(&on_chain);
    let write = |(batch, verdict): (&cases::Batch, &bool)| {
        json!({
            "kind": batch.kind,
            "contract": batch.scope.contract,
            "id": batch.scope.id,
            "class": batch.scope.class,
            "key": hex(&batch.key),
            "accounts": batch.accounts.iter().map(|account| hex(account)).collect::<Vec<_>>(),
            "signatures": batch.signatures.iter().map(|signature| hex(signature)).collect::<Vec<_>>(),
            "kept": batch.kept,
            "valid": verdict,
        })
    };
    cases.map(write).collect()
}
