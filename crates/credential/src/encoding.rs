//! Strict parsing of hex, scalars and points: every refusal names its reason. Nothing here does curve arithmetic.

use thiserror::Error;

/// Why bytes were refused as a credential value. [`EncodingError::code`] is the stable name shared with the browser
/// code and the test vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// The text is not `0x` and an even number of hex digits.
    #[error("expected 0x followed by an even number of hex digits")]
    NotHex,
    /// The value has another length.
    #[error("expected {expected} bytes, got {actual}")]
    WrongLength {
        /// The length that the value must have.
        expected: usize,
        /// The length that it has.
        actual: usize,
    },
    /// The three top bits (compressed, infinity, sign) or the padding do not fit the format.
    #[error("the flag bits or the padding do not fit the format")]
    WrongFlags,
    /// A coordinate is not below the field modulus.
    #[error("a coordinate is not below the field modulus")]
    NonCanonical,
    /// No curve point has these coordinates.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// The point is on the curve, but outside the subgroup of prime order.
    #[error("the point is not in the subgroup of prime order")]
    NotInSubgroup,
    /// The point at infinity, which is never a message, a signature or a key.
    #[error("the point at infinity is not allowed")]
    Infinity,
    /// A secret scalar is zero or not below the group order.
    #[error("the scalar must be between 1 and the group order minus 1")]
    ScalarOutOfRange,
}

impl EncodingError {
    /// The stable name of the reason, the same in Rust, TypeScript and the test vectors.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotHex => "not-hex",
            Self::WrongLength { .. } => "wrong-length",
            Self::WrongFlags => "wrong-flags",
            Self::NonCanonical => "non-canonical",
            Self::NotOnCurve => "not-on-curve",
            Self::NotInSubgroup => "not-in-subgroup",
            Self::Infinity => "infinity",
            Self::ScalarOutOfRange => "scalar-out-of-range",
        }
    }
}

/// Bytes of exactly `N`, or the refusal that says how many there were.
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], EncodingError> {
    bytes.try_into().map_err(|_| EncodingError::WrongLength { expected: N, actual: bytes.len() })
}

/// Bytes of a `0x` hex text.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, EncodingError> {
    let digits = text.strip_prefix("0x").ok_or(EncodingError::NotHex)?;
    hex::decode(digits).map_err(|_| EncodingError::NotHex)
}

/// The `0x` hex text of bytes.
pub(crate) fn to_hex(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// `Display`, `FromStr`, `Debug` and serde through the `0x` hex text of a public type that has `from_bytes` and `to_bytes`.
macro_rules! hex_text {
    ($type:ident) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&$crate::encoding::to_hex(self.to_bytes()))
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!(stringify!($type), "({})"), self)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::EncodingError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_bytes(&$crate::encoding::from_hex(text)?)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use hex_text;
