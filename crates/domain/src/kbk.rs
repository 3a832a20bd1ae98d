//! КБК: codes of the budget classification.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A КБК: 20 digits. The meaning of the digits depends on the year and on whether it is income or expenditure, so it is
/// kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kbk(String);

/// Why a text is not a КБК.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseKbkError {
    /// Something else than digits and spaces.
    #[error("a КБК consists of digits only, found \u{201c}{found}\u{201d}")]
    NotADigit {
        /// The first character that is no digit.
        found: char,
    },
    /// Wrong number of digits.
    #[error("a КБК has 20 digits, found {length}")]
    WrongLength {
        /// Digits found.
        length: usize,
    },
}

impl Kbk {
    /// The 20 digits without spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Chief manager of funds (ГРБС) or administrator of income: digits 1 to 3.
    pub fn chief_manager(&self) -> &str {
        &self.0[..3]
    }

    /// `901 0503 1234567890 244`: the groups in which expenditure codes are printed.
    pub fn to_grouped_string(&self) -> String {
        format!("{} {} {} {}", &self.0[..3], &self.0[3..7], &self.0[7..17], &self.0[17..])
    }
}

impl FromStr for Kbk {
    type Err = ParseKbkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        if let Some(found) = digits.chars().find(|character| !character.is_ascii_digit()) {
            return Err(ParseKbkError::NotADigit { found });
        }
        match digits.len() {
            20 => Ok(Self(digits)),
            length => Err(ParseKbkError::WrongLength { length }),
        }
    }
}

impl fmt::Display for Kbk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Kbk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kbk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_spaces_and_counts_digits() {
        let code: Kbk = "901 0503 1234567890\u{a0}244".parse().unwrap();
        assert_eq!(code.as_str(), "90105031234567890244");
        assert_eq!(code.chief_manager(), "901");
        assert_eq!(code.to_grouped_string(), "901 0503 1234567890 244");
        assert_eq!("901".parse::<Kbk>(), Err(ParseKbkError::WrongLength { length: 3 }));
        assert_eq!("9010503123456789024O".parse::<Kbk>(), Err(ParseKbkError::NotADigit { found: 'O' }));
    }
}
