//! Percentages as whole hundredths of a per cent, so that nothing published depends on floating point.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hundredths of a per cent: 10 000 is 100 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(
    /// Hundredths of a per cent.
    pub u32,
);

impl Percent {
    /// `part / whole`, rounded down to a hundredth of a per cent; 0 % of nothing; stops at the largest value that fits.
    pub fn of(part: u128, whole: u128) -> Self {
        if whole == 0 {
            return Self(0);
        }
        let hundredths = match part.checked_mul(10_000) {
            Some(scaled) => scaled / whole,
            None => (part / whole).saturating_mul(10_000),
        };
        Self(u32::try_from(hundredths).unwrap_or(u32::MAX))
    }
}

/// `12,5 %`: decimal comma, no-break space, no trailing zeros.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 100)?;
        match self.0 % 100 {
            0 => {}
            tens if tens % 10 == 0 => write!(f, ",{}", tens / 10)?,
            hundredths => write!(f, ",{hundredths:02}")?,
        }
        f.write_str("\u{a0}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_and_formats() {
        assert_eq!(Percent::of(2, 3), Percent(6666));
        assert_eq!(Percent::of(1, 0), Percent(0));
        assert_eq!(Percent::of(u128::MAX, 1), Percent(u32::MAX));
        for (hundredths, text) in [(1250, "12,5\u{a0}%"), (10_000, "100\u{a0}%"), (5, "0,05\u{a0}%")] {
            assert_eq!(Percent(hundredths).to_string(), text);
        }
    }
}
