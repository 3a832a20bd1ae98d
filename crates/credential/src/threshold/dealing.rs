//! Key generation: dealing, checking what was dealt, and judging who dealt rightly.

use super::{GroupKeys, IssuerIndex, SessionId, Threshold, ThresholdError, check_indices};
use crate::EncodingError;
use crate::blind::{IssuerPublicKey, Signature, random_scalar};
use crate::curve::{G1, G2, Scalar, pairing_holds};
use crate::encoding::exactly;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Domain separation tag of proofs of possession.
const POSSESSION_DOMAIN: &[u8] = b"KOPILKA-V01-CS01-POSSESSION-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";

/// An issuer's secret polynomial of one session: forget it (drop it, delete its file) once everybody has a share.
pub struct Dealer {
    session: SessionId,
    threshold: Threshold,
    index: IssuerIndex,
    coefficients: Vec<Scalar>,
}

impl Dealer {
    /// A random polynomial.
    pub fn generate(
        session: SessionId,
        threshold: Threshold,
        index: IssuerIndex,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let coefficients = (0..threshold.needed()).map(|_| random_scalar(rng)).collect();
        let dealer = Self { session, threshold, index, coefficients };
        // A zero among the shares has probability 2⁻²⁴⁷; whoever meets it deals again.
        let zero = threshold.indices().any(|index| Scalar::evaluate(&dealer.coefficients, index.0).is_none());
        if zero { Self::generate(session, threshold, index, rng) } else { dealer }
    }

    /// Reads back what [`Dealer::to_bytes`] wrote.
    ///
    /// # Errors
    /// When there are not as many scalars as the threshold needs, or one is out of range.
    pub fn from_bytes(
        session: SessionId,
        threshold: Threshold,
        index: IssuerIndex,
        bytes: &[u8],
    ) -> Result<Self, ThresholdError> {
        let expected = 32 * usize::from(threshold.needed());
        if bytes.len() != expected {
            return Err(EncodingError::WrongLength { expected, actual: bytes.len() }.into());
        }
        let coefficients: Result<Vec<_>, _> =
            bytes.chunks_exact(32).map(|bytes| Scalar::from_be_bytes(exactly(bytes)?)).collect();
        Ok(Self { session, threshold, index: threshold.check(index)?, coefficients: coefficients? })
    }

    /// The coefficients, 32 bytes each, for sealed storage until complaints are settled.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 * self.coefficients.len()));
        self.coefficients.iter().for_each(|coefficient| bytes.extend_from_slice(coefficient.to_be_bytes().as_ref()));
        bytes
    }

    /// Whose polynomial it is.
    #[must_use]
    pub fn index(&self) -> IssuerIndex {
        self.index
    }

    /// What everybody may see.
    #[must_use]
    pub fn dealing(&self) -> Dealing {
        let commitments: Vec<_> =
            self.coefficients.iter().map(|secret| IssuerPublicKey(G2::generated_by(secret))).collect();
        let message = possession_message(self.session, self.threshold, self.index, &commitments);
        let point = hashed(&message, POSSESSION_DOMAIN);
        let possession = Signature(point.mul(&self.coefficients[0]));
        Dealing { dealer: self.index, commitments, possession }
    }

    /// The share for one issuer, for its eyes alone.
    ///
    /// # Panics
    /// If the issuer's share is zero, which [`Dealer::generate`] has ruled out.
    #[must_use]
    pub fn share_for(&self, recipient: IssuerIndex) -> DealtShare {
        DealtShare(
            Scalar::evaluate(&self.coefficients, recipient.0).expect("dealt polynomials have no root at an issuer"),
        )
    }
}

impl fmt::Debug for Dealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Dealer({}, redacted)", self.index)
    }
}

/// A share on its way from a dealer to one issuer. It prints as redacted.
#[derive(Clone)]
pub struct DealtShare(Scalar);

impl DealtShare {
    /// Reads 32 bytes, big-endian, between 1 and r-1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        Scalar::from_be_bytes(exactly(bytes)?).map(Self)
    }

    /// The 32 bytes, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.to_be_bytes()
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.0
    }
}

impl fmt::Debug for DealtShare {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DealtShare(redacted)")
    }
}

/// The public part of what an issuer deals: commitments to its polynomial, and a proof that it knows the constant term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dealing {
    /// Who deals.
    pub dealer: IssuerIndex,
    /// aₖ·g₂ for each coefficient of the polynomial, the constant term first.
    pub commitments: Vec<IssuerPublicKey>,
    /// The constant term's signature on the session, the dealer and all commitments.
    pub possession: Signature,
}

impl Dealing {
    /// Checks all that needs no secret.
    ///
    /// # Errors
    /// The fault that disqualifies the dealer.
    pub fn check(&self, session: SessionId, threshold: Threshold) -> Result<(), DealerFault> {
        let [constant, ..] = &self.commitments[..] else { return Err(DealerFault::WrongCommitments) };
        if self.commitments.len() != usize::from(threshold.needed())
            || threshold.indices().any(|index| self.share_key(index).is_none())
        {
            return Err(DealerFault::WrongCommitments);
        }
        let message = possession_message(session, threshold, self.dealer, &self.commitments);
        let point = hashed(&message, POSSESSION_DOMAIN);
        if !pairing_holds(Some(self.possession.0), Some(point), &constant.0) {
            return Err(DealerFault::WrongPossession);
        }
        Ok(())
    }

    /// Whether a share is the one that the dealing promises to an issuer.
    #[must_use]
    pub fn fits(&self, recipient: IssuerIndex, share: &DealtShare) -> bool {
        self.share_key(recipient) == Some(G2::generated_by(&share.0))
    }

    /// The public key of an issuer's part, or `None` if that part is zero.
    pub(super) fn share_key(&self, recipient: IssuerIndex) -> Option<G2> {
        let points: Vec<_> = self.commitments.iter().map(|commitment| commitment.0).collect();
        G2::evaluate(&points, recipient.0)
    }
}

/// An issuer says publicly that a dealer gave it no share, or a wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// Who complains.
    pub by: IssuerIndex,
    /// Of which dealer.
    pub about: IssuerIndex,
}

/// A dealer's answer to a complaint: the share itself, for everybody to check. It is no secret any more.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The dealer.
    pub dealer: IssuerIndex,
    /// The issuer who complained.
    pub to: IssuerIndex,
    /// The share.
    pub share: DealtShare,
}

/// Why a dealer's contribution is left out of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DealerFault {
    /// There are not as many commitments as issuers are needed, or they promise somebody a share of zero.
    #[error("its commitments are not those of a polynomial of the right degree")]
    WrongCommitments,
    /// The proof does not show that the dealer knows its constant term.
    #[error("it did not prove that it knows what it committed to")]
    WrongPossession,
    /// As many issuers complained as are needed to sign: at least one of them is honest.
    #[error("{0} issuers complained of it")]
    TooManyComplaints(usize),
    /// A complaint was left without an answer.
    #[error("it left the complaint of issuer {to} without an answer")]
    NoAnswer {
        /// Who complained.
        to: IssuerIndex,
    },
    /// The published share is not the one that was promised.
    #[error("the share that it published for issuer {to} is wrong")]
    WrongAnswer {
        /// Who complained.
        to: IssuerIndex,
    },
}

/// How a key generation ended: everybody who has seen the same messages reaches the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The group key and the public keys of the shares.
    pub keys: GroupKeys,
    /// Whose dealings make up the key.
    pub qualified: Vec<IssuerIndex>,
    /// Whose do not, and why.
    pub disqualified: Vec<(IssuerIndex, DealerFault)>,
}

/// Judges all dealings by what everybody can see, and adds up the good ones. Call it when nobody can complain or answer
/// any more.
///
/// # Errors
/// When numbers are unknown or appear twice, or fewer than t dealings are good.
pub fn conclude(
    session: SessionId,
    threshold: Threshold,
    dealings: &[Dealing],
    complaints: &[Complaint],
    answers: &[Answer],
) -> Result<Outcome, ThresholdError> {
    let dealers = check_indices(threshold, dealings.iter().map(|dealing| dealing.dealer))?;
    for complaint in complaints {
        threshold.check(complaint.by)?;
        if !dealers.contains(&complaint.about) {
            return Err(ThresholdError::NoSuchDealing(complaint.about));
        }
    }
    let mut disqualified = Vec::new();
    let mut good: Vec<&Dealing> = Vec::new();
    for dealing in dealings {
        match judge(session, threshold, dealing, complaints, answers) {
            Ok(()) => good.push(dealing),
            Err(fault) => disqualified.push((dealing.dealer, fault)),
        }
    }
    good.sort_unstable_by_key(|dealing| dealing.dealer);
    disqualified.sort_unstable_by_key(|(dealer, _)| *dealer);
    let (qualified, needed) = (good.len() as u8, threshold.needed());
    if qualified < needed {
        return Err(ThresholdError::TooFewDealers { qualified, needed });
    }
    let sums = (0..usize::from(needed)).map(|place| {
        G2::sum(good.iter().map(|dealing| &dealing.commitments[place].0)).ok_or(ThresholdError::Degenerate)
    });
    let commitments: Vec<G2> = sums.collect::<Result<_, _>>()?;
    let share_keys = threshold.indices().map(|index| G2::evaluate(&commitments, index.0).map(IssuerPublicKey));
    let share_keys: Vec<_> = share_keys.collect::<Option<_>>().ok_or(ThresholdError::Degenerate)?;
    let keys = GroupKeys::new(threshold, IssuerPublicKey(commitments[0]), share_keys);
    Ok(Outcome { keys, qualified: good.iter().map(|dealing| dealing.dealer).collect(), disqualified })
}

fn judge(
    session: SessionId,
    threshold: Threshold,
    dealing: &Dealing,
    complaints: &[Complaint],
    answers: &[Answer],
) -> Result<(), DealerFault> {
    dealing.check(session, threshold)?;
    let mut complainers: Vec<_> =
        complaints.iter().filter(|complaint| complaint.about == dealing.dealer).map(|complaint| complaint.by).collect();
    complainers.sort_unstable();
    complainers.dedup();
    if complainers.len() >= usize::from(threshold.needed()) {
        return Err(DealerFault::TooManyComplaints(complainers.len()));
    }
    for to in complainers {
        let mut given = answers.iter().filter(|answer| answer.dealer == dealing.dealer && answer.to == to).peekable();
        if given.peek().is_none() {
            return Err(DealerFault::NoAnswer { to });
        }
        if !given.all(|answer| dealing.fits(to, &answer.share)) {
            return Err(DealerFault::WrongAnswer { to });
        }
    }
    Ok(())
}

fn possession_message(
    session: SessionId,
    threshold: Threshold,
    dealer: IssuerIndex,
    commitments: &[IssuerPublicKey],
) -> Vec<u8> {
    let mut message = session.to_bytes().to_vec();
    message.extend([threshold.needed(), threshold.issuers(), dealer.get()]);
    commitments.iter().for_each(|commitment| message.extend(commitment.to_bytes()));
    message
}

/// A message hashed to the curve under a domain of its own.
pub(super) fn hashed(message: &[u8], domain: &[u8]) -> G1 {
    G1::hash_all([message], domain)[0]
}
