//! What a round can be: its phases, ballot kinds, allotments and settlement rules. The numbers are those on chain.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number that stands for no variant of an enumeration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{code} is no {what}")]
pub struct UnknownCode {
    /// Name of the enumeration.
    pub what: &'static str,
    /// The number found.
    pub code: u8,
}

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant = $code,)+
        }

        impl $name {
            /// Every variant, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The number on chain.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The name in JSON, URLs and tables.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl TryFrom<u8> for $name {
            type Error = UnknownCode;

            fn try_from(code: u8) -> Result<Self, UnknownCode> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(UnknownCode { what: stringify!($name), code }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

coded! {
    /// Where a round stands. Every change is a transaction; none happens by time alone.
    Phase {
        /// Initiatives, classes and keys are being entered.
        Draft = 0 "draft",
        /// Credentials are issued and registered.
        Registration = 1 "registration",
        /// Registered citizens put their shares into initiatives (fixed allotment: registration goes on too).
        Pledging = 2 "pledging",
        /// Pledging is over; the clerk computes the result.
        Tallying = 3 "tallying",
        /// A result is proposed; anyone may recount until the objection window ends.
        Objection = 4 "objection",
        /// The result is final; winners' wallets hold exactly their costs.
        Settled = 5 "settled",
        /// Every token was paid or returned.
        Closed = 6 "closed",
        /// Called off; every token was returned.
        Cancelled = 7 "cancelled",
    }
}

coded! {
    /// Ballot kinds as Pabulib names them.
    BallotKind {
        /// The citizen divides the points of a share among initiatives.
        Cumulative = 0 "cumulative",
        /// The citizen names initiatives; the share is divided equally among them.
        Approval = 1 "approval",
    }
}

coded! {
    /// How a citizen's share is fixed.
    Allotment {
        /// A fixed amount times weight for each registration while funds last.
        Fixed = 0 "fixed",
        /// The budget divided by weight among the registered when pledging opens.
        Equal = 1 "equal",
    }
}

coded! {
    /// How the winners of a round are found; fixed before registration. See [`crate::settlement`].
    Rule {
        /// The Method of Equal Shares.
        EqualShares = 0 "equal-shares",
        /// The cities' rule: descending support, whatever still fits.
        Greedy = 1 "greedy",
    }
}

/// How the Method of Equal Shares spends what is left; means nothing to the greedy rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Completion {
    /// Raise everyone's share in equal steps of 1 % of the first share while the total cost stays within the budget.
    pub raise: bool,
    /// Then take initiatives by descending support as long as they fit.
    pub fill: bool,
}

impl Completion {
    /// Both steps: what a round gets unless it says otherwise.
    pub const FULL: Self = Self { raise: true, fill: true };
    /// Neither: the bare method.
    pub const NONE: Self = Self { raise: false, fill: false };
}

impl Default for Completion {
    fn default() -> Self {
        Self::FULL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_survive() {
        for &phase in Phase::ALL {
            assert_eq!(Phase::try_from(phase.code()), Ok(phase));
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("\"{phase}\""));
        }
        assert_eq!(Phase::ALL.len(), 8);
        assert_eq!(Rule::try_from(9).unwrap_err().to_string(), "9 is no Rule");
    }
}
