//! Random good inputs and ways to spoil them.

use blst::min_sig::{AggregateSignature, PublicKey, Signature as BlstSignature};
use kopilka_credential::{
    BlindedMessage, Credential, CredentialScope, IssuerPublicKey, IssuerSecretKey, Signature, message_point,
    verify_batch,
};
use num_bigint::BigUint;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};

/// `eth_call` takes the chain id from the chain.
pub(crate) const SCOPE_CHAIN: u64 = 31337;

const MODULUS: &str =
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

/// A batch as a contract gets it.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) kind: &'static str,
    pub(crate) scope: CredentialScope,
    pub(crate) key: [u8; 256],
    pub(crate) accounts: Vec<[u8; 20]>,
    pub(crate) signatures: Vec<[u8; 96]>,
    pub(crate) kept: Vec<usize>,
    pub(crate) dirty_accounts: bool,
}

impl Batch {
    /// What blst says: every kept signature is a point of the subgroup, and the batch holds, and so does each alone.
    pub(crate) fn holds(&self, rng: &mut StdRng) -> bool {
        let key = IssuerPublicKey::from_eip2537(&self.key).unwrap();
        let credential = |index: &usize| {
            let signature = Signature::from_uncompressed(&self.signatures[*index]).ok()?;
            Some(Credential { scope: self.scope, account: self.accounts[*index].into(), signature })
        };
        let Some(credentials) = self.kept.iter().map(credential).collect::<Option<Vec<_>>>() else {
            return false;
        };
        let together = verify_batch(&key, &credentials, rng).is_ok();
        assert_eq!(together, credentials.iter().all(|one| one.verify(&key)), "{}: blst agrees with itself", self.kind);
        together
    }
}

pub(crate) fn random<const N: usize>(rng: &mut StdRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A scope that is random or at an edge.
pub(crate) fn scope(rng: &mut StdRng) -> CredentialScope {
    let contract = match rng.random_range(0..8) {
        0 => [0; 20],
        1 => [0xff; 20],
        _ => random(rng),
    };
    let id: [u8; 32] = match rng.random_range(0..4) {
        0 => random(rng),
        1 => [0xff; 32],
        _ => {
            let mut id = [0; 32];
            id[31] = rng.random_range(0..=255);
            id
        }
    };
    CredentialScope::new(SCOPE_CHAIN, contract, id, rng.random_range(0..=255))
}

/// An account that is random or at an edge.
pub(crate) fn account(rng: &mut StdRng) -> [u8; 20] {
    match rng.random_range(0..16) {
        0 => [0; 20],
        1 => [0xff; 20],
        _ => random(rng),
    }
}

fn modulus() -> [u8; 48] {
    hex::decode(MODULUS).unwrap().try_into().unwrap()
}

/// The number plus the field modulus, if that fits: the same coordinate for a careless reader.
fn plus_modulus(coordinate: &mut [u8]) -> bool {
    let (mut carry, mut sum) = (0, [0; 48]);
    for (index, digit) in modulus().iter().enumerate().rev() {
        let total = u16::from(*digit) + u16::from(coordinate[index]) + carry;
        sum[index] = total.to_be_bytes()[1];
        carry = total >> 8;
    }
    if carry == 0 {
        coordinate.copy_from_slice(&sum);
    }
    carry == 0
}

/// A point of the curve, nearly always outside the subgroup.
fn curve_point(rng: &mut StdRng) -> BlstSignature {
    loop {
        let mut bytes: [u8; 48] = random(rng);
        bytes[0] = bytes[0] & 0x3f | 0x80;
        if let Ok(point) = BlstSignature::uncompress(&bytes) {
            return point;
        }
    }
}

/// (0, 2), a point of order 3, or its negative. blst will not even add it, so the sum is made by hand.
fn plus_order_three(signature: &[u8; 96], negative: bool) -> [u8; 96] {
    let p = BigUint::from_bytes_be(&modulus());
    let torsion = if negative { &p - 2_u8 } else { BigUint::from(2_u8) };
    let (x, y) = (BigUint::from_bytes_be(&signature[..48]), BigUint::from_bytes_be(&signature[48..]));
    let slope = (y + &p - &torsion) * x.modpow(&(&p - 2_u8), &p) % &p;
    let sum_x = (&slope * &slope + &p - x) % &p;
    let sum_y = (slope * (&p - &sum_x) + &p - torsion) % &p;
    joined(&sum_x, &sum_y)
}

fn joined(x: &BigUint, y: &BigUint) -> [u8; 96] {
    let mut bytes = [0; 96];
    for (number, end) in [(x, 48), (y, 96)] {
        let digits = number.to_bytes_be();
        bytes[end - digits.len()..end].copy_from_slice(&digits);
    }
    bytes
}

fn negative(point: &BlstSignature) -> BlstSignature {
    let mut bytes = point.compress();
    bytes[0] ^= 0x20;
    BlstSignature::uncompress(&bytes).unwrap()
}

fn sum(points: &[&BlstSignature]) -> BlstSignature {
    AggregateSignature::aggregate(points, false).unwrap().to_signature()
}

fn point(bytes: &[u8; 96]) -> BlstSignature {
    BlstSignature::deserialize(bytes).unwrap()
}

fn scalar(rng: &mut StdRng) -> [u8; 32] {
    let mut bytes: [u8; 32] = random(rng);
    bytes[0] &= 0x3f;
    bytes[31] |= 1;
    bytes
}

fn times(factor: &[u8; 32], signature: &[u8; 96]) -> [u8; 96] {
    let message = BlindedMessage::from_uncompressed(signature).unwrap();
    IssuerSecretKey::from_bytes(factor).unwrap().sign_blinded(&message).to_uncompressed()
}

fn sign(issuer: &IssuerSecretKey, scope: &CredentialScope, account: [u8; 20]) -> [u8; 96] {
    times(&issuer.to_bytes(), &message_point(scope, account.into()).to_uncompressed())
}

fn small(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = number;
    bytes
}

/// What is done to a good batch. `true` beside it: it stays good.
const KINDS: [(&str, bool); 28] = [
    ("honest", true),
    ("honest, a bad one left out", true),
    ("an account twice", true),
    ("dirty bits beside the accounts", true),
    ("one bit flipped", false),
    ("random bytes", false),
    ("infinity", false),
    ("all infinity", false),
    ("x plus p", false),
    ("y plus p", false),
    ("y off the curve", false),
    ("x and y exchanged", false),
    ("a flag of the compressed form", false),
    ("a point of the curve", false),
    ("a point of order 3", false),
    ("plus a point of order 3", false),
    ("points of order 3 that cancel", false),
    ("points of the curve that cancel", false),
    ("two exchanged", false),
    ("an offset that cancels", false),
    ("one signature on the sum, split", false),
    ("one signature on the sum, halved", false),
    ("one for two accounts", false),
    ("scaled", false),
    ("negated", false),
    ("all negated", false),
    ("another key's", false),
    ("another scope's", false),
];

/// The number of kinds.
pub(crate) const KIND_COUNT: usize = KINDS.len();

/// A batch of a kind, and whether it should hold.
pub(crate) fn batch(rng: &mut StdRng, number: usize) -> (Batch, bool) {
    let (kind, good) = KINDS[number % KIND_COUNT];
    let scope = scope(rng);
    let issuer = IssuerSecretKey::generate(rng);
    let size = rng.random_range(2..=8);
    let mut accounts: Vec<[u8; 20]> = Vec::new();
    while accounts.len() < size {
        let account = account(rng);
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    let mut signatures: Vec<[u8; 96]> = accounts.iter().map(|account| sign(&issuer, &scope, *account)).collect();
    let mut kept: Vec<usize> = (0..size).collect();
    let one = rng.random_range(0..size);
    let other = (one + rng.random_range(1..size)) % size;
    let mut dirty_accounts = false;
    // One issued signature on H(m₁)+H(m₂).
    let issued = sum(&[&point(&signatures[one]), &point(&signatures[other])]);
    match kind {
        "honest" => {}
        "honest, a bad one left out" => {
            signatures[one] = random(rng);
            kept.remove(one);
            kept.reverse();
        }
        "an account twice" => {
            accounts[other] = accounts[one];
            signatures[other] = signatures[one];
        }
        "dirty bits beside the accounts" => dirty_accounts = true,
        "one bit flipped" => signatures[one][rng.random_range(0..96)] ^= 1 << rng.random_range(0..8),
        "random bytes" => signatures[one] = random(rng),
        "infinity" => signatures[one] = [0; 96],
        "all infinity" => signatures.fill([0; 96]),
        "x plus p" => assert!(plus_modulus(&mut signatures[one][..48]), "2p is below 2^384"),
        "y plus p" => assert!(plus_modulus(&mut signatures[one][48..]), "2p is below 2^384"),
        "y off the curve" => signatures[one][95] ^= 1 << rng.random_range(0..8),
        "x and y exchanged" => signatures[one].rotate_left(48),
        "a flag of the compressed form" => signatures[one][0] |= 0x80 >> rng.random_range(0..3),
        "a point of the curve" => signatures[one] = curve_point(rng).serialize(),
        "a point of order 3" => {
            signatures[one] = [0; 96];
            signatures[one][95] = 2;
        }
        "plus a point of order 3" => {
            signatures[one] = plus_order_three(&signatures[one], rng.random());
        }
        "points of order 3 that cancel" => {
            signatures[one] = plus_order_three(&signatures[one], false);
            signatures[other] = plus_order_three(&signatures[other], true);
        }
        "points of the curve that cancel" => {
            let offset = curve_point(rng);
            signatures[one] = sum(&[&point(&signatures[one]), &offset]).serialize();
            signatures[other] = sum(&[&point(&signatures[other]), &negative(&offset)]).serialize();
        }
        "two exchanged" => signatures.swap(one, other),
        "an offset that cancels" => {
            let offset = point(&times(&scalar(rng), &signatures[other]));
            signatures[one] = sum(&[&point(&signatures[one]), &offset]).serialize();
            signatures[other] = sum(&[&point(&signatures[other]), &negative(&offset)]).serialize();
        }
        "one signature on the sum, split" => {
            let split = point(&times(&scalar(rng), &signatures[one]));
            signatures[one] = split.serialize();
            signatures[other] = sum(&[&issued, &negative(&split)]).serialize();
        }
        "one signature on the sum, halved" => {
            let half = hex::decode("39f6d3a994cebea4199cec0404d0ec02a9ded2017fff2dff7fffffff80000001").unwrap();
            signatures[one] = times(&half.try_into().unwrap(), &issued.serialize());
            signatures[other] = signatures[one];
        }
        "one for two accounts" => signatures[other] = signatures[one],
        "scaled" => signatures[one] = times(&small(rng.random_range(2..=255)), &signatures[one]),
        "negated" => signatures[one] = negative(&point(&signatures[one])).serialize(),
        "all negated" => signatures.iter_mut().for_each(|one| *one = negative(&point(one)).serialize()),
        "another key's" => signatures[one] = sign(&IssuerSecretKey::generate(rng), &scope, accounts[one]),
        "another scope's" => {
            let class = CredentialScope { class: scope.class ^ 1, ..scope };
            signatures[one] = sign(&issuer, &class, accounts[one]);
        }
        _ => panic!("every kind is made"),
    }
    let key = issuer.public_key().to_eip2537();
    (Batch { kind, scope, key, accounts, signatures, kept, dirty_accounts }, good)
}

/// Issuer keys, good and bad, each with its kind.
pub(crate) fn key(rng: &mut StdRng, number: usize) -> (&'static str, Vec<u8>) {
    let good = IssuerSecretKey::generate(rng).public_key().to_eip2537().to_vec();
    let mut bytes = good.clone();
    let field = 64 * rng.random_range(0..4);
    let kind = match number % 15 {
        0 => "good",
        1 => {
            // The negative is a key as good as any.
            bytes = IssuerPublicKey::from_bytes(&negative_key(&good)).unwrap().to_eip2537().to_vec();
            "negated"
        }
        2 => {
            bytes[rng.random_range(0..256)] ^= 1 << rng.random_range(0..8);
            "one bit flipped"
        }
        3 => {
            bytes[field + rng.random_range(0..16)] = rng.random_range(1..=255);
            "dirty padding"
        }
        4 => {
            assert!(plus_modulus(&mut bytes[field + 16..field + 64]));
            "plus p"
        }
        5 => {
            bytes[field + 16..field + 64].copy_from_slice(&modulus());
            "p itself"
        }
        6 => {
            bytes.fill(0);
            "infinity"
        }
        7 => {
            bytes.truncate(rng.random_range(0..256));
            "too short"
        }
        8 => {
            bytes.extend(vec![0; rng.random_range(1..64)]);
            "too long"
        }
        9 => {
            bytes[..128].rotate_left(64);
            bytes[128..].rotate_left(64);
            "c0 and c1 exchanged"
        }
        10 => {
            bytes.rotate_left(128);
            "x and y exchanged"
        }
        11 => {
            bytes = padded(&curve_key(rng).serialize());
            "a point of the twist"
        }
        12 => {
            bytes = random::<256>(rng).to_vec();
            "random bytes"
        }
        13 => {
            bytes[255] ^= 1;
            "off the curve"
        }
        _ => {
            bytes = [&good[..128], &[0; 128]].concat();
            "y zero"
        }
    };
    (kind, bytes)
}

fn negative_key(eip2537: &[u8]) -> [u8; 96] {
    let mut bytes = IssuerPublicKey::from_eip2537(eip2537).unwrap().to_bytes();
    bytes[0] ^= 0x20;
    bytes
}

fn curve_key(rng: &mut StdRng) -> PublicKey {
    loop {
        let mut bytes: [u8; 96] = random(rng);
        bytes[0] = bytes[0] & 0x3f | 0x80;
        if let Ok(key) = PublicKey::uncompress(&bytes) {
            return key;
        }
    }
}

/// blst's 192 bytes, c1 before c0, as EIP-2537 wants them.
fn padded(serialized: &[u8; 192]) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    for (index, value) in serialized.chunks_exact(48).enumerate() {
        bytes[64 * (index ^ 1) + 16..][..48].copy_from_slice(value);
    }
    bytes
}
