//! Every bad encoding is refused for its reason; every value survives its own encoding.

use crate::{account, generate, scope};
use kopilka_credential::{
    AccountAddress, BlindSignature, BlindedMessage, Blinding, EncodingError, IssuerPublicKey, IssuerSecretKey,
    MessagePoint, Signature,
};
use proptest::prelude::*;
use serde_json::Value;

/// A list of bad encodings from the vectors, each with its reason and what it is.
pub(crate) fn bad(list: &str) -> Vec<(String, String, Vec<u8>)> {
    let vectors: Value = serde_json::from_str(&generate::vectors()).unwrap();
    let column = |name: &str| -> Vec<String> { serde_json::from_value(vectors[list][name].clone()).unwrap() };
    let rows = column("reason").into_iter().zip(column("what")).zip(column("encoding"));
    rows.map(|((reason, what), encoding)| (reason, what, hex::decode(&encoding[2..]).unwrap())).collect()
}

fn refused<T>(list: &str, parse: impl Fn(&[u8]) -> Result<T, EncodingError>) {
    for (reason, what, bytes) in bad(list) {
        let refusal = parse(&bytes).err().unwrap_or_else(|| panic!("{list}: {what} was accepted"));
        assert_eq!(refusal.code(), reason, "{list}: {what}");
    }
}

#[test]
fn bad_points_and_scalars_are_refused_for_their_reason() {
    refused("badG1Compressed", BlindedMessage::from_bytes);
    refused("badG1Compressed", BlindSignature::from_bytes);
    refused("badG1Compressed", Signature::from_bytes);
    refused("badG1Compressed", MessagePoint::from_bytes);
    refused("badG1Uncompressed", Signature::from_uncompressed);
    refused("badG2Compressed", IssuerPublicKey::from_bytes);
    refused("badG2Eip2537", IssuerPublicKey::from_eip2537);
    refused("badScalar", IssuerSecretKey::from_bytes);
    refused("badScalar", Blinding::from_bytes);
}

#[test]
fn text_must_be_hex_with_its_prefix() {
    let good = generate::sign(&generate::issuer(&scope()), &scope(), account(0)).to_string();
    assert_eq!(good.parse::<Signature>().unwrap().to_string(), good);
    assert_eq!(good[2..].parse::<Signature>(), Err(EncodingError::NotHex), "no prefix");
    assert_eq!(good.replace("0x", "0X").parse::<Signature>(), Err(EncodingError::NotHex), "wrong prefix");
    assert_eq!(good[..97].parse::<Signature>(), Err(EncodingError::NotHex), "odd digits");
    assert_eq!(format!("{}g0", &good[..96]).parse::<Signature>(), Err(EncodingError::NotHex), "no digit");
    assert_eq!(good[..96].parse::<Signature>(), Err(EncodingError::WrongLength { expected: 48, actual: 47 }));
}

#[test]
fn json_carries_hex_and_refuses_what_parsing_refuses() {
    let issuer = generate::issuer(&scope());
    let signature = generate::sign(&issuer, &scope(), account(0));
    let json = serde_json::to_string(&(signature, issuer.public_key(), account(0))).unwrap();
    assert_eq!(json, format!("[\"{signature}\",\"{}\",\"{}\"]", issuer.public_key(), account(0)));
    let back: (Signature, IssuerPublicKey, AccountAddress) = serde_json::from_str(&json).unwrap();
    assert_eq!(back, (signature, issuer.public_key(), account(0)));

    let infinity = format!("\"0xc0{}\"", "00".repeat(47));
    let error = serde_json::from_str::<BlindedMessage>(&infinity).unwrap_err().to_string();
    assert!(error.contains("infinity is not allowed"), "{error}");
}

#[test]
fn secrets_do_not_print() {
    let master = generate::master(0);
    let secrets = format!(
        "{:?} {:?} {:?} {:?}",
        master,
        master.blinding(&scope()),
        master.account(&scope()),
        generate::issuer(&scope())
    );
    assert_eq!(secrets, "MasterSecret(redacted) Blinding(redacted) AccountKey(redacted) IssuerSecretKey(redacted)");
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic_or_change(bytes in prop::collection::vec(any::<u8>(), 40..100), flags in 0u8..8) {
        let mut bytes = bytes;
        bytes[0] = bytes[0] & 0x1f | flags << 5;
        for length in [48, 96, bytes.len()] {
            let Some(part) = bytes.get(..length) else { continue };
            if let Ok(point) = BlindedMessage::from_bytes(part) { prop_assert_eq!(&point.to_bytes()[..], part); }
            if let Ok(point) = Signature::from_uncompressed(part) { prop_assert_eq!(&point.to_uncompressed()[..], part); }
            if let Ok(key) = IssuerPublicKey::from_bytes(part) { prop_assert_eq!(&key.to_bytes()[..], part); }
        }
    }
}
