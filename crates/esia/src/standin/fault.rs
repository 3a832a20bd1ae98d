//! Ways in which the stand-in can misbehave, one at a time, so that a client's checks can be seen to work.

use std::time::Duration;

use crate::error::TokenKind;

/// A misbehaviour of the stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One of the tokens is defective.
    Token {
        /// Which one.
        token: TokenKind,
        /// In which way.
        defect: Defect,
    },
    /// The token response carries another `state`.
    StateMismatch,
    /// The person's data says `trusted: false` although the token says confirmed.
    UntrustedPerson,
    /// The token endpoint answers only after this time.
    SlowTokens(Duration),
    /// The token endpoint answers with this HTTP status and no JSON.
    FailingTokens(u16),
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Another `iss`.
    Issuer,
    /// Made for another system (`aud` or `client_id`).
    Audience,
    /// `exp` two minutes ago.
    Expired,
    /// `nbf` in two minutes.
    NotYetValid,
    /// `iat` in two minutes.
    IssuedInFuture,
    /// Another person in `sub` or `urn:esia:sbj_id` than in the other token.
    Subject,
    /// A signature with one bit changed.
    Signature,
    /// Signed with a key that clients do not know yet.
    RotatedKey,
    /// `alg: none` and no signature.
    Unsigned,
    /// `alg: HS256`, keyed with the public certificate.
    Hmac,
    /// `alg: GOST3410_2012_256`, as after a change on the technology portal.
    Gost,
    /// The other token's `sbt`.
    Kind,
    /// An organisation instead of a person (`typ`; id token only).
    NotAPerson,
    /// No `is_tru` although the account is confirmed (id token only).
    MissingIsTru,
}

/// The defect that a token must get.
pub(super) fn defect_of(fault: Option<Fault>, wanted: TokenKind) -> Option<Defect> {
    match fault {
        Some(Fault::Token { token, defect }) if token == wanted => Some(defect),
        _ => None,
    }
}
