//! Issuing by t of n issuers, so that no single one can issue.
//!
//! The key of a scope is x = f(0) of a polynomial f of degree t-1 that nobody ever holds: it is the sum of polynomials that
//! the issuers deal to one another, each keeping f(j), its share (Pedersen 1991 with Feldman's commitments, the "JF-DKG" of
//! Gennaro, Jarecki, Krawczyk and Rabin, *Secure Distributed Key Generation for Discrete-Log Based Cryptosystems*, J. Cryptology
//! 20, 2007). A share signs a blinded message like a whole key, and any t partial signatures combine by Lagrange's coefficients
//! into the signature of x·B (Boldyreva, *Threshold Signatures, Multisignatures and Blind Signatures Based on the
//! Gap-Diffie-Hellman-Group Signature Scheme*, PKC 2003). Unblinding, verifying and contracts know nothing of all this:
//! the group key x·g₂ is an ordinary issuer key.
//!
//! ```
//! use kopilka_credential::threshold::{Dealer, IssuerIndex, KeyShare, SessionId, Threshold, conclude};
//! # use kopilka_credential::{CredentialScope, MasterSecret, blind, unblind, verify};
//! # let mut rng = rand::rng();
//! let (threshold, session) = (Threshold::new(2, 3)?, SessionId::from([7; 32]));
//!
//! // Each issuer deals: a public dealing to all, and a secret share to each (itself included).
//! let dealers: Vec<Dealer> =
//!     threshold.indices().map(|index| Dealer::generate(session, threshold, index, &mut rng)).collect();
//! let dealings: Vec<_> = dealers.iter().map(Dealer::dealing).collect();
//!
//! // Each checks what it got, complains of what is wrong (here nothing is), and adds up its share.
//! let outcome = conclude(session, threshold, &dealings, &[], &[])?;
//! let shares = threshold.indices().map(|index| {
//!     let dealt: Vec<_> = dealers.iter().map(|dealer| (dealer.index(), dealer.share_for(index))).collect();
//!     assert!(dealings.iter().zip(&dealt).all(|(dealing, (_, share))| dealing.fits(index, share)));
//!     KeyShare::assemble(&outcome, index, &dealt)
//! });
//! let shares: Vec<KeyShare> = shares.collect::<Result<_, _>>()?;
//!
//! // A citizen asks any two of the three with the same blinded message.
//! let scope = CredentialScope::new(31337, [0x11; 20], 7, 0);
//! let citizen = MasterSecret::generate(&mut rng);
//! let (account, blinding) = (citizen.account(&scope).address(), citizen.blinding(&scope));
//! let blinded = blind(&scope, account, &blinding);
//! let partials = [shares[2].sign_blinded(&blinded), shares[0].sign_blinded(&blinded)];
//! let signature = unblind(&outcome.keys.combine(&blinded, &partials)?, &blinding);
//! assert!(verify(&outcome.keys.group_key(), &scope, account, &signature));
//! # Ok::<(), kopilka_credential::threshold::ThresholdError>(())
//! ```
//!
//! # What it holds against
//! - t-1 issuers together hold nothing of x that the rest of the world does not, and cannot sign.
//! - A dealer who deals a wrong share is caught by whoever got it. The complaint is answered by publishing that one share; no
//!   answer, a wrong one, or t complaints (an honest dealer has at most t-1) disqualify ([`conclude`]). What an honest dealer
//!   publishes, it publishes of shares that dishonest issuers hold anyway.
//! - A dealer who chooses its constant term after having seen the others' (a rogue key) cannot prove that it knows it.
//! - Dealers who see the others' dealings first can bias the group key a little. That helps nobody to sign: Gennaro et al. 2007
//!   show it for Schnorr's scheme, Gurkan et al. (EUROCRYPT 2021) and Bacho and Loss (CCS 2022) for BLS.
//! - **What it alone does not hold against:** two groups of t issuers have at least 2t-n members in common. If all of those
//!   are corrupt, a citizen who works with them gets two credentials, by showing the honest rest of each group another blinded
//!   message. [`Threshold::new`] refuses 2t ≤ n, where it takes no corrupt issuer at all;
//!   [`Threshold::withstands_with_a_citizen`] says how many are harmless. Beyond that the issuers must compare what they signed.
//!
//! What this module deliberately does not do: it sends nothing and keeps nothing (`kopilka ceremony` does), and it does not
//! encrypt shares on their way.

mod dealing;
mod group;
mod share;

pub use dealing::{Answer, Complaint, Dealer, DealerFault, Dealing, DealtShare, Outcome, conclude};
pub use group::GroupKeys;
pub use share::{KeyShare, PartialSignature};

use crate::EncodingError;
use crate::encoding::{exactly, hex_text};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU8;
use thiserror::Error;

/// How many issuers there are, and how many of them a credential takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "ThresholdNumbers", into = "ThresholdNumbers")]
pub struct Threshold {
    needed: u8,
    issuers: u8,
}

impl Threshold {
    /// `needed` of `issuers`.
    ///
    /// # Errors
    /// [`ThresholdError::BadThreshold`] unless at least 2, more than half and at most all of the issuers are needed.
    pub fn new(needed: u8, issuers: u8) -> Result<Self, ThresholdError> {
        if needed < 2 || needed > issuers || 2 * u16::from(needed) <= u16::from(issuers) {
            return Err(ThresholdError::BadThreshold { needed, issuers });
        }
        Ok(Self { needed, issuers })
    }

    /// How many partial signatures make a signature (t).
    #[must_use]
    pub fn needed(self) -> u8 {
        self.needed
    }

    /// How many issuers there are (n).
    #[must_use]
    pub fn issuers(self) -> u8 {
        self.issuers
    }

    /// All issuers, from 1 to n.
    pub fn indices(self) -> impl DoubleEndedIterator<Item = IssuerIndex> + Clone {
        (1..=self.issuers).filter_map(NonZeroU8::new).map(IssuerIndex)
    }

    /// How many corrupt issuers together can still not issue: t-1.
    #[must_use]
    pub fn withstands(self) -> u8 {
        self.needed - 1
    }

    /// How many corrupt issuers are harmless even when a citizen who is entitled to one credential helps them to get a second:
    /// 2t-n-1. Above that the honest issuers must compare what they signed.
    #[must_use]
    pub fn withstands_with_a_citizen(self) -> u8 {
        (self.needed - 1) - (self.issuers - self.needed)
    }

    /// How many issuers may lose their shares, or be away, before no credential can be issued any more: n-t.
    #[must_use]
    pub fn may_be_lost(self) -> u8 {
        self.issuers - self.needed
    }

    /// The issuer if there is one of this number.
    pub(crate) fn check(self, index: IssuerIndex) -> Result<IssuerIndex, ThresholdError> {
        if index.get() > self.issuers {
            return Err(ThresholdError::UnknownIssuer { index: index.get(), issuers: self.issuers });
        }
        Ok(index)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.needed, self.issuers)
    }
}

/// The form in which a threshold is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdNumbers {
    needed: u8,
    issuers: u8,
}

impl TryFrom<ThresholdNumbers> for Threshold {
    type Error = ThresholdError;

    fn try_from(numbers: ThresholdNumbers) -> Result<Self, Self::Error> {
        Self::new(numbers.needed, numbers.issuers)
    }
}

impl From<Threshold> for ThresholdNumbers {
    fn from(threshold: Threshold) -> Self {
        Self { needed: threshold.needed, issuers: threshold.issuers }
    }
}

/// The number of an issuer, from 1: where its share lies on the polynomial. Zero is where the key itself lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct IssuerIndex(pub(crate) NonZeroU8);

impl IssuerIndex {
    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl TryFrom<u8> for IssuerIndex {
    type Error = ThresholdError;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        NonZeroU8::new(number).map(Self).ok_or(ThresholdError::IndexZero)
    }
}

impl From<IssuerIndex> for u8 {
    fn from(index: IssuerIndex) -> Self {
        index.get()
    }
}

impl fmt::Display for IssuerIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What one key generation is about, as a hash. Dealings of one session are worth nothing in another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// Reads the 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        exactly(bytes).map(|bytes| Self(*bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl From<[u8; 32]> for SessionId {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

hex_text!(SessionId);

/// Why something about a shared key was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ThresholdError {
    /// A threshold that gives no protection, or that cannot be reached.
    #[error(
        "{needed} of {issuers} issuers is no threshold: at least 2, more than half and at most all of the issuers must be needed"
    )]
    BadThreshold {
        /// The number needed.
        needed: u8,
        /// The number of issuers.
        issuers: u8,
    },
    /// Issuer number zero.
    #[error("issuers are numbered from 1")]
    IndexZero,
    /// A number above that of the issuers.
    #[error("there is no issuer {index}: the issuers are numbered from 1 to {issuers}")]
    UnknownIssuer {
        /// The number.
        index: u8,
        /// How many issuers there are.
        issuers: u8,
    },
    /// The same issuer twice where each may appear once.
    #[error("issuer {0} appears twice")]
    DuplicateIssuer(IssuerIndex),
    /// Fewer dealings are good than issuers are needed, so that perhaps no honest one is among them.
    #[error("only {qualified} issuers dealt rightly, {needed} must: start again, without those who did not")]
    TooFewDealers {
        /// How many dealt rightly.
        qualified: u8,
        /// How many must.
        needed: u8,
    },
    /// A complaint about somebody who dealt nothing, or an answer to no complaint.
    #[error("issuer {0} dealt nothing that one could complain of")]
    NoSuchDealing(IssuerIndex),
    /// The share of a qualified dealer is missing.
    #[error("the share that issuer {0} dealt is missing")]
    MissingShare(IssuerIndex),
    /// The dealt shares do not add up to the share whose public key is known.
    #[error("the share does not belong to its public key")]
    ShareMismatch,
    /// Share keys that lie on no polynomial of the threshold's degree.
    #[error("the public keys of the shares do not belong together")]
    InconsistentKeys,
    /// A key or share of zero: impossible but for a dealer who aimed at it and had much more than luck.
    #[error("a key of this session is zero: start again")]
    Degenerate,
    /// Not enough partial signatures.
    #[error("{got} partial signatures are too few: {needed} issuers must sign")]
    TooFewPartials {
        /// How many there must be.
        needed: u8,
        /// How many there are.
        got: usize,
    },
    /// Partial signatures that are not their issuers' on this message.
    #[error("the partial signature of {} is wrong", issuers(.0))]
    WrongPartials(Vec<IssuerIndex>),
    /// Bytes that are no point, key or scalar.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

impl ThresholdError {
    /// The stable name of the reason, the same in Rust, TypeScript and the test vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadThreshold { .. } => "bad-threshold",
            Self::IndexZero => "index-zero",
            Self::UnknownIssuer { .. } => "unknown-issuer",
            Self::DuplicateIssuer(_) => "duplicate-issuer",
            Self::TooFewDealers { .. } => "too-few-dealers",
            Self::NoSuchDealing(_) => "no-such-dealing",
            Self::MissingShare(_) => "missing-share",
            Self::ShareMismatch => "share-mismatch",
            Self::InconsistentKeys => "inconsistent-keys",
            Self::Degenerate => "degenerate",
            Self::TooFewPartials { .. } => "too-few-partials",
            Self::WrongPartials(_) => "wrong-partials",
            Self::Encoding(error) => error.code(),
        }
    }
}

fn issuers(indices: &[IssuerIndex]) -> String {
    let numbers: Vec<String> = indices.iter().map(|index| format!("issuer {index}")).collect();
    numbers.join(", ")
}

/// Refuses an issuer number that appears twice or is none of the threshold's.
fn check_indices(
    threshold: Threshold,
    indices: impl IntoIterator<Item = IssuerIndex>,
) -> Result<Vec<IssuerIndex>, ThresholdError> {
    let mut seen = Vec::new();
    for index in indices {
        threshold.check(index)?;
        if seen.contains(&index) {
            return Err(ThresholdError::DuplicateIssuer(index));
        }
        seen.push(index);
    }
    Ok(seen)
}
