//! Money. One kopeck is one base unit of the budget token (2 decimals, 1 token = 1 ₽).

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// An amount of money in kopecks, which are also the base units of a budget token.
///
/// In JSON it is a string of decimal digits, because JavaScript's numbers lose precision above 2^53; reading accepts a
/// number as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Kopecks(
    /// The bare number of kopecks.
    pub u128,
);

/// An amount of budget tokens in base units: the same thing as [`Kopecks`], under its name on chain.
pub type TokenAmount = Kopecks;

/// No-break space, between thousands and before the currency sign.
const NBSP: char = '\u{a0}';

impl Kopecks {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole rubles; `None` if that many do not fit.
    pub const fn from_rubles(rubles: u128) -> Option<Self> {
        match rubles.checked_mul(100) {
            Some(kopecks) => Some(Self(kopecks)),
            None => None,
        }
    }

    /// Sum; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// Difference; `None` if `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// Product; `None` on overflow.
    pub const fn checked_mul(self, factor: u128) -> Option<Self> {
        match self.0.checked_mul(factor) {
            Some(product) => Some(Self(product)),
            None => None,
        }
    }

    /// Difference, or nothing if `other` is larger.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self × numerator / denominator`, rounded down; `None` on overflow of the product or division by zero.
    pub const fn mul_div_down(self, numerator: u128, denominator: u128) -> Option<Self> {
        match self.0.checked_mul(numerator) {
            Some(product) => match product.checked_div(denominator) {
                Some(quotient) => Some(Self(quotient)),
                None => None,
            },
            None => None,
        }
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `1 234 567,00 ₽`: always with kopecks, for tables and titles.
    pub fn to_exact_string(self) -> String {
        format!("{},{:02}{NBSP}₽", grouped(self.0 / 100), self.0 % 100)
    }

    /// `1234567.00`: a plain decimal number for CSV and for outside tools.
    pub fn to_decimal(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(NBSP);
        }
        text.push(digit);
    }
    text
}

/// `1 234 567,89 ₽` with no-break spaces; whole rubles without kopecks: `1 500 000 ₽`.
impl fmt::Display for Kopecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0 / 100))?;
        if !self.0.is_multiple_of(100) {
            write!(f, ",{:02}", self.0 % 100)?;
        }
        write!(f, "{NBSP}₽")
    }
}

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseKopecksError {
    /// No digits at all.
    #[error("an amount of money is missing: write it like 1 234 567,89")]
    Empty,
    /// Something that is no digit, space, or decimal sign.
    #[error("unexpected \u{201c}{found}\u{201d} in an amount of money: write it like 1 234 567,89")]
    Unexpected {
        /// The first character that does not belong.
        found: char,
    },
    /// More than two decimals, one of them not zero.
    #[error("an amount of money has at most two decimals (kopecks)")]
    FractionOfKopeck,
    /// More money than fits.
    #[error("the amount of money is too large")]
    TooLarge,
}

/// Reads `1 234 567,89 ₽`, `1234567.89`, `1500000`; spaces of any kind may stand between digits.
impl FromStr for Kopecks {
    type Err = ParseKopecksError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let text = ["₽", "руб.", "руб"].iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
        let mut kopecks: u128 = 0;
        let mut digits = 0_usize;
        let mut decimals: Option<u32> = None;
        let push = |kopecks: u128, digit: u32| {
            kopecks.checked_mul(10).and_then(|tens| tens.checked_add(u128::from(digit))).ok_or(Self::Err::TooLarge)
        };
        for found in text.chars() {
            if let Some(digit) = found.to_digit(10) {
                digits += 1;
                match &mut decimals {
                    Some(2) if digit == 0 => {}
                    Some(2) => return Err(Self::Err::FractionOfKopeck),
                    Some(count) => {
                        *count += 1;
                        kopecks = push(kopecks, digit)?;
                    }
                    None => kopecks = push(kopecks, digit)?,
                }
            } else if matches!(found, ',' | '.') && decimals.is_none() && digits > 0 {
                decimals = Some(0);
            } else if !found.is_whitespace() {
                return Err(Self::Err::Unexpected { found });
            }
        }
        if digits == 0 {
            return Err(Self::Err::Empty);
        }
        let missing = 2 - decimals.unwrap_or(0);
        kopecks.checked_mul(10_u128.pow(missing)).map(Self).ok_or(Self::Err::TooLarge)
    }
}

/// Panics on overflow, as the standard library's integers do; use [`Kopecks::checked_add`] for untrusted amounts.
impl Sum for Kopecks {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl From<u128> for Kopecks {
    fn from(kopecks: u128) -> Self {
        Self(kopecks)
    }
}

impl Serialize for Kopecks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kopecks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(kopecks) => Ok(Self(u128::from(kopecks))),
            Form::Text(text) => text
                .parse()
                .map(Self)
                .map_err(|_| de::Error::custom(format!("kopecks are a whole number, found \u{201c}{text}\u{201d}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_for_people() {
        assert_eq!(Kopecks(123_456_789).to_string(), "1\u{a0}234\u{a0}567,89\u{a0}₽");
        assert_eq!(Kopecks(150_000_000).to_string(), "1\u{a0}500\u{a0}000\u{a0}₽");
        assert_eq!(Kopecks(5).to_string(), "0,05\u{a0}₽");
        assert_eq!(Kopecks(100_000).to_exact_string(), "1\u{a0}000,00\u{a0}₽");
        assert_eq!(Kopecks(100_001).to_decimal(), "1000.01");
    }

    #[test]
    fn parses_what_people_write() {
        for (text, kopecks) in [
            ("1\u{a0}234\u{a0}567,89\u{a0}₽", 123_456_789),
            (" 1 500 000 руб.", 150_000_000),
            ("12.5", 1_250),
            ("0,05", 5),
            ("7,", 700),
            ("7.5000", 750),
        ] {
            assert_eq!(text.parse(), Ok(Kopecks(kopecks)), "{text}");
        }
        for (text, error) in [
            ("", ParseKopecksError::Empty),
            (" ₽", ParseKopecksError::Empty),
            ("-5", ParseKopecksError::Unexpected { found: '-' }),
            ("1,2,3", ParseKopecksError::Unexpected { found: ',' }),
            ("1,234", ParseKopecksError::FractionOfKopeck),
            ("400000000000000000000000000000000000000", ParseKopecksError::TooLarge),
        ] {
            assert_eq!(text.parse::<Kopecks>(), Err(error), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(Kopecks(5).checked_sub(Kopecks(6)), None);
        assert_eq!(Kopecks(u128::MAX).checked_add(Kopecks(1)), None);
        assert_eq!(Kopecks(10).mul_div_down(2, 3), Some(Kopecks(6)));
        assert_eq!(Kopecks(10).mul_div_down(2, 0), None);
    }

    #[test]
    fn json_is_a_string_of_digits() {
        assert_eq!(serde_json::to_string(&Kopecks(7)).unwrap(), "\"7\"");
        assert_eq!(serde_json::from_str::<Kopecks>("7").unwrap(), Kopecks(7));
        assert!(serde_json::from_str::<Kopecks>("\"7,5\"").is_err());
    }
}
