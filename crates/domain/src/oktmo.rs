//! ОКТМО (ОК 033-2013): codes of municipal territories.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// An ОКТМО code: 8 digits (municipality) or 11 (settlement inside it). Leading zeros matter, so it is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oktmo(String);

/// Why a text is not an ОКТМО code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseOktmoError {
    /// Something else than digits.
    #[error("an ОКТМО code consists of digits only, found \u{201c}{found}\u{201d}")]
    NotADigit {
        /// The first character that is no digit.
        found: char,
    },
    /// Wrong number of digits.
    #[error("an ОКТМО code has 8 or 11 digits (leading zeros included), found {length}")]
    WrongLength {
        /// Digits found.
        length: usize,
    },
}

impl Oktmo {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Code of the municipality: the first 8 digits.
    pub fn municipality(&self) -> &str {
        &self.0[..8]
    }

    /// Code of the subject of the federation: the first 2 digits.
    pub fn subject(&self) -> &str {
        &self.0[..2]
    }

    /// The check digit, which classifiers print in brackets after the code and which is not part of it: the digits
    /// weighted 1, 2, 3, … modulo 11; if that is 10, weighted 3, 4, 5, …; if 10 again, 0.
    pub fn check_digit(&self) -> u8 {
        let control = |first_weight: u32| {
            let sum: u32 =
                self.0.bytes().zip(first_weight..).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
            sum % 11
        };
        match control(1) {
            10 => (control(3) % 10) as u8,
            digit => digit as u8,
        }
    }
}

impl FromStr for Oktmo {
    type Err = ParseOktmoError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        if let Some(found) = digits.chars().find(|character| !character.is_ascii_digit()) {
            return Err(ParseOktmoError::NotADigit { found });
        }
        match digits.len() {
            8 | 11 => Ok(Self(digits)),
            length => Err(ParseOktmoError::WrongLength { length }),
        }
    }
}

impl fmt::Display for Oktmo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Oktmo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Oktmo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_of_both_lengths() {
        let kazan: Oktmo = "92 701 000".parse().unwrap();
        assert_eq!((kazan.as_str(), kazan.subject(), kazan.municipality()), ("92701000", "92", "92701000"));
        assert_eq!("01701000001".parse::<Oktmo>().unwrap().municipality(), "01701000");
        assert_eq!("1701000".parse::<Oktmo>(), Err(ParseOktmoError::WrongLength { length: 7 }));
        assert_eq!("9270100x".parse::<Oktmo>(), Err(ParseOktmoError::NotADigit { found: 'x' }));
        assert_eq!("٩2701000".parse::<Oktmo>(), Err(ParseOktmoError::NotADigit { found: '٩' }));
    }

    #[test]
    fn check_digit_follows_the_three_cases() {
        // 9·1 + 2·2 + 7·3 + 0 + 1·5 = 39, 39 mod 11 = 6.
        assert_eq!("92701000".parse::<Oktmo>().unwrap().check_digit(), 6);
        // 5·2 = 10, so again with weights 3, 4, …: 5·4 = 20, 20 mod 11 = 9.
        assert_eq!("05000000".parse::<Oktmo>().unwrap().check_digit(), 9);
        // A code for which both sums are 10 modulo 11.
        let twice_ten = (0..100_000_000_u32)
            .step_by(7919)
            .map(|number| format!("{number:08}").parse::<Oktmo>().unwrap())
            .find(|code| {
                let sum = |first: u32| {
                    code.as_str()
                        .bytes()
                        .zip(first..)
                        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
                        .sum::<u32>()
                };
                sum(1) % 11 == 10 && sum(3) % 11 == 10
            })
            .unwrap();
        assert_eq!(twice_ten.check_digit(), 0);
    }
}
