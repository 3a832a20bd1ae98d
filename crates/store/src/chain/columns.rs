//! How columns become the types that programs work with: addresses, hashes, amounts, names of enumerations.
//!
//! Used in the overrides of `query_as!`: `address as "address: AddressColumn"`, and for columns that may be null
//! `to_address as "to_address!: Nullable<AddressColumn>"`.

use alloy::primitives::{Address, B256, Bytes, U256};
use kopilka_domain::{Allotment, BallotKind, Kopecks, Phase, Rule};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use sqlx::{Decode, Type, ValueRef as _};

/// A column that may be null.
#[derive(Debug)]
pub struct Nullable<T>(Option<T>);

/// `chain.address`.
#[derive(Debug)]
pub struct AddressColumn(Address);

/// `chain.hash`.
#[derive(Debug)]
pub struct HashColumn(B256);

/// `bytea` of any length.
#[derive(Debug)]
pub struct BytesColumn(Bytes);

/// A whole number from 0 to 2^256 - 1 in a `numeric`.
#[derive(Debug)]
pub struct AmountColumn(U256);

/// Kopecks in a `numeric`.
#[derive(Debug)]
pub struct KopecksColumn(Kopecks);

/// A `numeric` of at most 64 bits.
#[derive(Debug)]
pub struct WideColumn(u64);

/// The name of a variant of an enumeration.
#[derive(Debug)]
pub struct CodeColumn<T>(T);

macro_rules! column {
    ($column:ident, $sql:ty, $target:ty) => {
        impl Type<Postgres> for $column {
            fn type_info() -> PgTypeInfo {
                <$sql as Type<Postgres>>::type_info()
            }
        }

        impl From<$column> for $target {
            fn from(column: $column) -> Self {
                column.0
            }
        }

        impl From<Nullable<$column>> for Option<$target> {
            fn from(column: Nullable<$column>) -> Self {
                column.0.map(|column| column.0)
            }
        }
    };
}

column!(AddressColumn, [u8], Address);
column!(HashColumn, [u8], B256);
column!(BytesColumn, [u8], Bytes);
column!(AmountColumn, sqlx::types::BigDecimal, U256);
column!(KopecksColumn, sqlx::types::BigDecimal, Kopecks);
column!(WideColumn, sqlx::types::BigDecimal, u64);

impl<T: Type<Postgres>> Type<Postgres> for Nullable<T> {
    fn type_info() -> PgTypeInfo {
        T::type_info()
    }
}

impl<'r, T: Decode<'r, Postgres>> Decode<'r, Postgres> for Nullable<T> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.is_null() { Ok(Self(None)) } else { T::decode(value).map(|value| Self(Some(value))) }
    }
}

impl<'r> Decode<'r, Postgres> for AddressColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Address::from(<[u8; 20]>::decode(value)?)))
    }
}

impl<'r> Decode<'r, Postgres> for HashColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(B256::from(<[u8; 32]>::decode(value)?)))
    }
}

impl<'r> Decode<'r, Postgres> for BytesColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Bytes::copy_from_slice(<&[u8]>::decode(value)?)))
    }
}

impl<'r> Decode<'r, Postgres> for AmountColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        whole_number(&value).map(Self)
    }
}

impl<'r> Decode<'r, Postgres> for KopecksColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Kopecks(u128::try_from(whole_number(&value)?)?)))
    }
}

impl<'r> Decode<'r, Postgres> for WideColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(u64::try_from(whole_number(&value)?)?))
    }
}

/// Reads Postgres's binary `numeric`: digits to the base 10,000 after a header of digit count, weight, sign and scale.
fn whole_number(value: &PgValueRef<'_>) -> Result<U256, BoxDynError> {
    if value.format() == PgValueFormat::Text {
        return Ok(value.as_str()?.parse()?);
    }
    let bytes = value.as_bytes()?;
    let word = |at: usize| bytes.get(at * 2..at * 2 + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let header = (word(0), word(1), word(2));
    let (Some(count), Some(weight), Some(0)) = header else {
        return Err("the number is negative or not a number; expected a whole number from 0 to 2^256 - 1".into());
    };
    let (count, weight) = (usize::from(count), i32::from(weight.cast_signed()));
    let mut number = U256::ZERO;
    let whole_digits = usize::try_from(weight + 1).unwrap_or(0);
    if count > whole_digits {
        return Err("the number has a fraction; expected a whole number".into());
    }
    for at in 0..whole_digits {
        let digit = if at < count { word(4 + at).ok_or("a digit is missing")? } else { 0 };
        number = number
            .checked_mul(U256::from(10_000))
            .and_then(|number| number.checked_add(U256::from(digit)))
            .ok_or("the number is above 2^256 - 1")?;
    }
    Ok(number)
}

macro_rules! code {
    ($($name:ident),+) => {$(
        impl<'r> Decode<'r, Postgres> for CodeColumn<$name> {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                let text = <&str>::decode(value)?;
                $name::ALL.iter().find(|variant| variant.as_str() == text).map(|variant| Self(*variant))
                    .ok_or_else(|| format!("`{text}` is no {}", stringify!($name)).into())
            }
        }

        impl From<CodeColumn<$name>> for $name {
            fn from(column: CodeColumn<$name>) -> Self {
                column.0
            }
        }
    )+};
}

code!(Phase, BallotKind, Allotment, Rule);

impl<T> Type<Postgres> for CodeColumn<T> {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}
