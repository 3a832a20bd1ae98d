//! Every secret of a citizen from one 128-bit master secret, and every key of an issuer from one seed (HKDF-SHA256), so
//! that whoever restores the one restores all. The browser derives the same bytes.

use crate::EncodingError;
use crate::blind::Blinding;
use crate::curve::Scalar;
use crate::encoding::exactly;
use crate::scope::{AccountAddress, CredentialScope};
use hkdf::Hkdf;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use rand::CryptoRng;
use sha2::Sha256;
use sha3::{Digest, Keccak256};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const CITIZEN_SALT: &[u8] = b"kopilka/v1";
const ISSUER_SALT: &[u8] = b"kopilka/v1/issuer";

/// The one secret that a citizen keeps; recovery words stand for it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterSecret([u8; 16]);

impl MasterSecret {
    /// Reads the 16 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        exactly(bytes).map(|bytes| Self(*bytes))
    }

    /// The 16 bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(self.0)
    }

    /// A random master secret.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The throw-away account of a round or poll: the same for all its classes.
    pub fn account(&self, scope: &CredentialScope) -> AccountKey {
        AccountKey(expand::secp256k1_secret(&hkdf(CITIZEN_SALT, &self.0, &[b"account", &scope.place()])))
    }

    /// The blinding of a scope.
    pub fn blinding(&self, scope: &CredentialScope) -> Blinding {
        Blinding(expand::bls_scalar(&hkdf(CITIZEN_SALT, &self.0, &[b"blinding", &scope.whole()])))
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterSecret(redacted)")
    }
}

/// The secp256k1 key of a throw-away account.
#[derive(Clone)]
pub struct AccountKey(k256::SecretKey);

impl AccountKey {
    /// The 32 bytes, big-endian, for a signer.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The account's address.
    pub fn address(&self) -> AccountAddress {
        let point = self.0.public_key().to_encoded_point(false);
        let hash: [u8; 32] = Keccak256::digest(&point.as_bytes()[1..]).into();
        let mut address = [0; 20];
        address.copy_from_slice(&hash[12..]);
        address.into()
    }
}

impl From<k256::SecretKey> for AccountKey {
    fn from(secret: k256::SecretKey) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccountKey(redacted)")
    }
}

/// The one secret that an issuer keeps.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct IssuerSeed([u8; 32]);

impl IssuerSeed {
    /// Reads the 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        exactly(bytes).map(|bytes| Self(*bytes))
    }

    pub(crate) fn issuer_scalar(&self, scope: &CredentialScope) -> Scalar {
        expand::bls_scalar(&hkdf(ISSUER_SALT, &self.0, &[b"issuer", &scope.whole()]))
    }
}

impl fmt::Debug for IssuerSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IssuerSeed(redacted)")
    }
}

fn hkdf(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 48]> {
    let mut output = Zeroizing::new([0; 48]);
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand_multi_info(info, output.as_mut())
        .expect("48 bytes are fewer than the 8160 that HKDF-SHA256 can give");
    output
}

/// 48 uniform bytes reduced to a scalar that is never zero: modulo (order - 1), plus 1.
pub(crate) mod expand {
    use crate::curve::Scalar;
    use k256::elliptic_curve::bigint::{Encoding, U384};
    use zeroize::{Zeroize, Zeroizing};

    const BLS_ORDER_MINUS_1: U384 = U384::from_be_hex(concat!(
        "00000000000000000000000000000000",
        "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000"
    ));
    const SECP256K1_ORDER_MINUS_1: U384 = U384::from_be_hex(concat!(
        "00000000000000000000000000000000",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
    ));

    pub(crate) fn bls_scalar(wide: &[u8; 48]) -> Scalar {
        Scalar::from_be_bytes(&reduce(wide, &BLS_ORDER_MINUS_1)).expect("one plus a remainder of order - 1 is in range")
    }

    pub(crate) fn secp256k1_secret(wide: &[u8; 48]) -> k256::SecretKey {
        k256::SecretKey::from_slice(reduce(wide, &SECP256K1_ORDER_MINUS_1).as_ref())
            .expect("one plus a remainder of order - 1 is in range")
    }

    /// Takes the same time for every input: `const_rem` varies with the modulus alone.
    fn reduce(wide: &[u8; 48], order_minus_1: &U384) -> Zeroizing<[u8; 32]> {
        let mut value = U384::from_be_slice(wide);
        let (mut remainder, _) = value.const_rem(order_minus_1);
        let mut scalar = remainder.wrapping_add(&U384::ONE);
        let mut bytes = scalar.to_be_bytes();
        let mut low = Zeroizing::new([0; 32]);
        low.copy_from_slice(&bytes[16..]);
        value.zeroize();
        remainder.zeroize();
        scalar.zeroize();
        bytes.zeroize();
        low
    }
}
