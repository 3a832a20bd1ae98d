//! What the relayer accepts and where an accepted message stands: the words shared by its API, its table and its clients.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that names no variant of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no {what}")]
pub struct UnknownName {
    /// Name of the enumeration.
    pub what: &'static str,
    /// The text found.
    pub text: String,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in JSON, tables and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownName { what: stringify!($name), text: text.to_owned() }),
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

named! {
    /// What a relayed message does on chain.
    MessageKind {
        /// Registers an account by its credential.
        Registration "registration",
        /// Records an account's whole distribution.
        Allocation "allocation",
        /// Casts an account's ballot in a poll.
        Ballot "ballot",
        /// Claims a stamp to an account of points.
        StampClaim "stamp-claim",
        /// Spends an account's points on a prize.
        Redemption "redemption",
    }
}

impl MessageKind {
    /// Whether an account may replace its message by one of a higher version.
    pub const fn is_versioned(self) -> bool {
        matches!(self, Self::Allocation | Self::Ballot)
    }
}

named! {
    /// Where an accepted message stands. Only `Finalized` and `Failed` are final.
    MessageStatus {
        /// Stored; in no transaction.
        Queued "queued",
        /// In a stored, signed transaction that is not in a block.
        Submitted "submitted",
        /// In a block that could still be replaced. Becomes `Finalized` or `Failed` as further blocks follow.
        Mined "mined",
        /// Took effect, in a block that counts as permanent.
        Finalized "finalized",
        /// Took no effect and never will; there is a reason.
        Failed "failed",
    }
}

impl MessageStatus {
    /// Whether nothing will change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Finalized | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive() {
        for &status in MessageStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
        for &kind in MessageKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("mind".parse::<MessageStatus>().unwrap_err().to_string(), "\"mind\" is no MessageStatus");
    }
}
