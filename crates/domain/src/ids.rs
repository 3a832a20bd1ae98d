//! Identifiers: a type for each, so that one cannot be passed where another is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(
            /// The bare number, as on chain.
            pub $inner,
        );

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.trim().parse().map(Self)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

id! {
    /// A municipality in the contract `Municipalities`.
    MunicipalityId(u32)
}
id! {
    /// A round in the contract `BudgetRounds`; ids count from 1 without gaps.
    RoundId(u64)
}
id! {
    /// An initiative of one round; ids count from 1 without gaps.
    InitiativeId(u16)
}
id! {
    /// A poll.
    PollId(u64)
}
id! {
    /// Parts of a citizen's share on a cumulative ballot.
    Points(u16)
}

/// Address of a throw-away account (20 bytes), written as `0x` and 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Account(
    /// The bytes.
    pub [u8; 20],
);

/// Why a text is not an account address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an account address is 0x and 40 hexadecimal digits, found {length} characters")]
pub struct ParseAccountError {
    /// Length of the rejected text in characters.
    pub length: usize,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Account {
    type Err = ParseAccountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseAccountError { length: text.chars().count() };
        let digits = text.strip_prefix("0x").ok_or_else(error)?.as_bytes();
        if digits.len() != 40 {
            return Err(error());
        }
        let mut bytes = [0_u8; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| (digit as char).to_digit(16).ok_or_else(error);
            *byte = (nibble(pair[0])? * 16 + nibble(pair[1])?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_survive_text() {
        let account: Account = "0x00112233445566778899AABBccddeeff00112233".parse().unwrap();
        assert_eq!(account.to_string(), "0x00112233445566778899aabbccddeeff00112233");
        assert_eq!(account.to_string().parse::<Account>().unwrap(), account);
        for bad in ["", "0x", "00112233445566778899aabbccddeeff00112233", "0x0g112233445566778899aabbccddeeff00112233"]
        {
            assert!(bad.parse::<Account>().is_err(), "{bad}");
        }
    }
}
