//! What can go wrong with a log-in, sorted by what the caller can do about it. Messages contain no personal data:
//! only ESIA's own code survives from its descriptions, and addresses (which contain the `oid`) are removed.

use std::fmt;

use thiserror::Error;

use crate::signer::SignerError;

/// Why a log-in did not succeed.
#[derive(Debug, Error)]
pub enum EsiaError {
    /// The person pressed «cancel», or ESIA refused on their behalf. Offer to try again.
    #[error("the log-in was refused by the person or by ESIA{}", Suffix(*.code))]
    Denied {
        /// ESIA's code, if it gave one.
        code: Option<EsiaCode>,
    },
    /// The account is real but not confirmed. Tell the person how to confirm it.
    #[error("the ESIA account is not confirmed")]
    Unconfirmed,
    /// The code was used, expired or belongs to another request. The person has to start again.
    #[error("ESIA does not accept the code any more{}; the log-in must start again", Suffix(*.code))]
    CodeRejected {
        /// ESIA's code, if it gave one.
        code: Option<EsiaCode>,
    },
    /// The call-back or the token response does not belong to the request. The person has to start again.
    #[error("{0}")]
    State(StateFault),
    /// ESIA does not answer or says that it cannot; worth trying again later.
    #[error("ESIA is unavailable: {reason}")]
    Unavailable {
        /// What happened.
        reason: &'static str,
        /// The transport's error, without the address.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// ESIA refuses our system, not the person. An operator has to act.
    #[error("ESIA refuses our request{}: {advice}", Suffix(*.code))]
    Misconfigured {
        /// ESIA's code, if it gave one.
        code: Option<EsiaCode>,
        /// What to check.
        advice: &'static str,
    },
    /// A token failed one of the mandatory checks.
    #[error("the {token} token is not valid: {fault}")]
    Token {
        /// Which token.
        token: TokenKind,
        /// Which check.
        fault: TokenFault,
    },
    /// ESIA's answer does not have the documented shape.
    #[error("unexpected answer from ESIA: {0}")]
    Protocol(&'static str),
    /// Our request could not be signed.
    #[error("the request to ESIA could not be signed")]
    Signer(#[from] SignerError),
}

impl EsiaError {
    /// Whether the same step may work in a moment, without the person doing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether an operator must look at it: our configuration, our keys, or something that looks like an attack.
    pub fn needs_operator(&self) -> bool {
        matches!(self, Self::Misconfigured { .. } | Self::Token { .. } | Self::Protocol(_) | Self::Signer(_))
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let reason = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection failed"
        };
        Self::Unavailable { reason, source: Some(error.without_url()) }
    }

    /// Sorts an OAuth error with ESIA's description.
    pub(crate) fn from_oauth(error: &str, description: Option<&str>) -> Self {
        let code = description.and_then(EsiaCode::parse);
        let unavailable = |reason| Self::Unavailable { reason, source: None };
        let misconfigured = |advice| Self::Misconfigured { code, advice };
        match code.map(|code| code.0) {
            Some(7004 | 7046) => Self::Denied { code },
            Some(7055) => Self::Unconfirmed,
            Some(7007) => unavailable("internal error"),
            Some(7008) => unavailable("overloaded"),
            Some(7011) => Self::CodeRejected { code },
            Some(7002) => misconfigured("is our certificate registered for this mnemonic, and not expired?"),
            Some(7003) => misconfigured("a parameter is missing, wrong or repeated"),
            Some(7005) => misconfigured("check the mnemonic, and that its certificate is registered"),
            Some(7006 | 7013 | 7019) => misconfigured("check that every scope we ask for is granted to our system"),
            Some(7009 | 7012) => misconfigured("the response or grant type is not supported: check the ESIA version"),
            Some(7014) => misconfigured("a mandatory parameter is missing, or the body is not a form"),
            Some(7015) => misconfigured("check this machine's clock (NTP) and the timestamp format"),
            Some(7023) => misconfigured("register the host of redirect_uri on the technology portal"),
            Some(7039 | 7040) => misconfigured("all processes must share one PKCE secret"),
            Some(7053) => misconfigured(
                "client_secret is wrong: check the signing key, that the certificate is active and belongs to the \
                 mnemonic, that its hash is over the DER, and the byte order of the signature",
            ),
            Some(_) => misconfigured("see this code in ESIA's documentation"),
            None => match error {
                "access_denied" => Self::Denied { code },
                "invalid_grant" => Self::CodeRejected { code },
                "server_error" => unavailable("internal error"),
                "temporarily_unavailable" => unavailable("overloaded"),
                _ => misconfigured("ESIA gave no code of its own"),
            },
        }
    }
}

/// A code such as `ESIA-007053`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EsiaCode(pub u32);

impl EsiaCode {
    /// Finds the code at the start of an `error_description`.
    pub fn parse(description: &str) -> Option<Self> {
        let digits = description.trim_start().strip_prefix("ESIA-")?.get(..6)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(Self)
    }
}

impl fmt::Display for EsiaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ESIA-{:06}", self.0)
    }
}

/// Writes an optional code in brackets.
struct Suffix(Option<EsiaCode>);

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

/// Which `state` did not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StateFault {
    /// The call-back's `state` is missing or not the one given to this browser.
    #[error("the call-back does not belong to this browser's log-in (state differs)")]
    Callback,
    /// The token response's `state` is not the one just sent.
    #[error("the token response does not belong to our request (state differs)")]
    TokenResponse,
}

/// The two tokens of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Says who logged in.
    Id,
    /// Opens the person's data.
    Access,
}

impl TokenKind {
    /// The value of `sbt` in the token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Access => "access",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The check that a token failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Not three base64url parts, or a mandatory claim is missing or of the wrong type.
    #[error("malformed")]
    Malformed,
    /// `alg` is not on the allow-list.
    #[error("its algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// `alg` is allowed but no key for it is configured: see the algorithm chosen on the technology portal.
    #[error("no key for its algorithm is configured; compare the algorithm set on ESIA's technology portal")]
    NoKeyForAlgorithm,
    /// No configured key made the signature.
    #[error("no configured key made its signature; has ESIA rotated its certificate?")]
    Signature,
    /// `sbt` says that it is the other kind of token.
    #[error("it is another kind of token (sbt)")]
    WrongKind,
    /// `iss` is not exactly the configured issuer.
    #[error("its issuer is not the configured one (iss)")]
    Issuer,
    /// `aud` or `client_id` is not our mnemonic.
    #[error("it was made for another system (aud or client_id)")]
    Audience,
    /// `exp` has passed.
    #[error("expired (exp)")]
    Expired,
    /// `nbf` is in the future.
    #[error("not valid yet (nbf)")]
    NotYetValid,
    /// `iat` is in the future.
    #[error("issued in the future (iat)")]
    IssuedInFuture,
    /// `auth_time` is further back than allowed.
    #[error("the person authenticated too long ago (auth_time)")]
    AuthenticationTooOld,
    /// `sub`, `urn:esia:sbj:oid` and `urn:esia:sbj_id` are not one number.
    #[error("it names different subjects (sub, sbj:oid, sbj_id)")]
    Subject,
    /// `urn:esia:sbj:typ` is not `P`.
    #[error("its subject is not a natural person (typ)")]
    NotAPerson,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_esia_codes_by_what_to_do() {
        let sort = |code| EsiaError::from_oauth("access_denied", Some(code));
        assert!(matches!(sort("ESIA-007004: refused"), EsiaError::Denied { code: Some(EsiaCode(7004)) }));
        assert!(matches!(sort("ESIA-007055: x"), EsiaError::Unconfirmed));
        assert!(matches!(sort("ESIA-007011: x"), EsiaError::CodeRejected { .. }));
        assert!(sort("ESIA-007008: x").is_retryable());
        let wrong = sort("ESIA-007053: OAuthErrorEnum.clientSecretWrong");
        assert!(wrong.needs_operator());
        assert!(wrong.to_string().starts_with("ESIA refuses our request (ESIA-007053): client_secret is wrong"));
        assert!(matches!(EsiaError::from_oauth("access_denied", None), EsiaError::Denied { code: None }));
        assert!(matches!(EsiaError::from_oauth("access_denied", Some("Иванов")), EsiaError::Denied { code: None }));
    }

    #[test]
    fn reads_only_well_formed_codes() {
        assert_eq!(EsiaCode::parse("ESIA-007053: text"), Some(EsiaCode(7053)));
        for text in ["", "ESIA-", "ESIA-0070", "ESIA-00705я", "esia-007053", "ESIA-+07053"] {
            assert_eq!(EsiaCode::parse(text), None, "{text}");
        }
    }
}
