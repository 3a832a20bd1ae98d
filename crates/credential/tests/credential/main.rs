//! Tests of credentials from outside: life cycle, shared vectors, forgeries, refusals of bad encodings, hiding.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "../../examples/vectors/generate.rs"]
mod generate;

mod batch;
mod encoding;
mod forgery;
mod keys;
mod life_cycle;
mod threshold;
mod vectors;

use kopilka_credential::{AccountAddress, Credential, CredentialScope, IssuerSecretKey};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Randomness that repeats.
fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn scope() -> CredentialScope {
    CredentialScope::new(31337, [0x11; 20], 1, 0)
}

fn account(number: u32) -> AccountAddress {
    generate::master(number).account(&scope()).address()
}

fn credentials(issuer: &IssuerSecretKey, count: u32) -> Vec<Credential> {
    (0..count)
        .map(|number| {
            let account = account(number);
            Credential { scope: scope(), account, signature: generate::sign(issuer, &scope(), account) }
        })
        .collect()
}
