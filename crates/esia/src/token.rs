//! The checks that a token must pass. Pure: keys, expectations and the time are arguments.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    error::{EsiaError, TokenFault, TokenKind},
    keys::{Algorithm, TrustedKeys},
    person::{Oid, number, truth},
};

/// What the tokens of a log-in must say.
pub(crate) struct Expected<'a> {
    pub(crate) keys: &'a TrustedKeys,
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// Unix seconds.
    pub(crate) now: i64,
    pub(crate) leeway: Duration,
    pub(crate) max_auth_age: Option<Duration>,
}

/// What the two tokens agree on.
pub(crate) struct Subject {
    pub(crate) oid: Oid,
    /// Unix seconds, if ESIA said it.
    pub(crate) authenticated_at: Option<i64>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    sbt: Option<String>,
    /// Extensions that must be understood: none is.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// Claims that both tokens have.
#[derive(Deserialize)]
struct Common {
    iss: String,
    #[serde(deserialize_with = "number")]
    exp: i64,
    #[serde(deserialize_with = "number")]
    nbf: i64,
    #[serde(deserialize_with = "number")]
    iat: i64,
}

#[derive(Deserialize)]
struct IdClaims {
    #[serde(flatten)]
    common: Common,
    aud: Audience,
    sub: Oid,
    #[serde(default, deserialize_with = "optional_number")]
    auth_time: Option<i64>,
    #[serde(rename = "urn:esia:sbj")]
    subject: SubjectClaims,
}

#[derive(Deserialize)]
struct SubjectClaims {
    #[serde(rename = "urn:esia:sbj:typ")]
    kind: String,
    #[serde(rename = "urn:esia:sbj:is_tru", default, deserialize_with = "truth")]
    is_trusted: bool,
    #[serde(rename = "urn:esia:sbj:oid")]
    oid: Oid,
}

#[derive(Deserialize)]
struct AccessClaims {
    #[serde(flatten)]
    common: Common,
    client_id: String,
    #[serde(rename = "urn:esia:sbj_id")]
    subject: Oid,
}

/// `aud` is a string, or by the JWT standard a list; a list must name us alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    List(Vec<String>),
}

impl Audience {
    fn is(&self, client_id: &str) -> bool {
        match self {
            Self::One(audience) => audience == client_id,
            Self::List(audiences) => audiences.iter().map(String::as_str).eq([client_id]),
        }
    }
}

/// Checks both tokens of a log-in and that they name one confirmed natural person.
pub(crate) fn verify(expected: &Expected<'_>, id_token: &str, access_token: &str) -> Result<Subject, EsiaError> {
    let in_id = |fault| EsiaError::Token { token: TokenKind::Id, fault };
    let in_access = |fault| EsiaError::Token { token: TokenKind::Access, fault };

    let id: IdClaims = open(expected.keys, TokenKind::Id, id_token).map_err(in_id)?;
    check_common(expected, &id.common).map_err(in_id)?;
    if !id.aud.is(expected.client_id) {
        return Err(in_id(TokenFault::Audience));
    }
    if let Some(limit) = expected.max_auth_age {
        let authenticated_at = id.auth_time.ok_or(in_id(TokenFault::Malformed))?;
        if authenticated_at.saturating_add(seconds(limit + expected.leeway)) < expected.now {
            return Err(in_id(TokenFault::AuthenticationTooOld));
        }
    }
    if id.sub != id.subject.oid {
        return Err(in_id(TokenFault::Subject));
    }

    let access: AccessClaims = open(expected.keys, TokenKind::Access, access_token).map_err(in_access)?;
    check_common(expected, &access.common).map_err(in_access)?;
    if access.client_id != expected.client_id {
        return Err(in_access(TokenFault::Audience));
    }
    if access.subject != id.sub {
        return Err(in_access(TokenFault::Subject));
    }

    if id.subject.kind != "P" {
        return Err(in_id(TokenFault::NotAPerson));
    }
    if !id.subject.is_trusted {
        return Err(EsiaError::Unconfirmed);
    }
    Ok(Subject { oid: id.sub, authenticated_at: id.auth_time })
}

/// Checks algorithm, signature and kind of a token, in this order, and only then reads its claims.
fn open<T: DeserializeOwned>(keys: &TrustedKeys, kind: TokenKind, token: &str) -> Result<T, TokenFault> {
    let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenFault::Malformed)?;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenFault::Malformed)?;
    if header.crit.is_some() {
        return Err(TokenFault::Malformed);
    }

    let algorithm = Algorithm::from_name(&header.alg).ok_or(TokenFault::AlgorithmNotAllowed)?;
    let signature = decode(signature)?;
    let mut candidates = keys.of(algorithm).peekable();
    if candidates.peek().is_none() {
        return Err(TokenFault::NoKeyForAlgorithm);
    }
    if !candidates.any(|key| key.verify(message.as_bytes(), &signature)) {
        return Err(TokenFault::Signature);
    }

    if header.sbt.as_deref() != Some(kind.as_str()) {
        return Err(TokenFault::WrongKind);
    }
    serde_json::from_slice(&decode(payload)?).map_err(|_| TokenFault::Malformed)
}

fn check_common(expected: &Expected<'_>, claims: &Common) -> Result<(), TokenFault> {
    let leeway = seconds(expected.leeway);
    if claims.iss != expected.issuer {
        return Err(TokenFault::Issuer);
    }
    if claims.exp.saturating_add(leeway) <= expected.now {
        return Err(TokenFault::Expired);
    }
    if claims.nbf.saturating_sub(leeway) > expected.now {
        return Err(TokenFault::NotYetValid);
    }
    if claims.iat.saturating_sub(leeway) > expected.now {
        return Err(TokenFault::IssuedInFuture);
    }
    Ok(())
}

/// Decodes base64url with or without padding.
fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).map_err(|_| TokenFault::Malformed)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn optional_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    number(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use serde_json::{Value, json};

    use super::*;
    use crate::signer::RsaSigner;

    const NOW: i64 = 1_790_000_000;
    const ISSUER: &str = "http://esia.test/";

    static SIGNER: LazyLock<RsaSigner> = LazyLock::new(|| RsaSigner::generate("esia").expect("a key"));

    fn sign(header: &Value, payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(payload));
        let signature = SIGNER.sign_now(message.as_bytes()).expect("signed");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn id_payload() -> Value {
        json!({"aud": "KOPILKA", "sub": 1000000001, "nbf": NOW, "iat": NOW, "exp": NOW + 10_800, "auth_time": NOW,
            "amr": "PWD", "iss": ISSUER, "urn:esia:sbj": {"urn:esia:sbj:typ": "P", "urn:esia:sbj:is_tru": true,
            "urn:esia:sbj:oid": 1000000001, "urn:esia:sbj:nam": "OID.1000000001"}})
    }

    fn access_payload() -> Value {
        json!({"nbf": NOW, "iat": NOW, "exp": NOW + 3600, "iss": ISSUER, "client_id": "KOPILKA",
            "urn:esia:sbj_id": 1000000001, "scope": "openid"})
    }

    fn header(kind: &str) -> Value {
        json!({"ver": 1, "typ": "JWT", "sbt": kind, "alg": "RS256"})
    }

    fn keys() -> TrustedKeys {
        TrustedKeys::from_pem(SIGNER.certificate_pem()).expect("a certificate")
    }

    fn check_at(now: i64, max_auth_age: Option<Duration>, id: &str, access: &str) -> Result<Subject, EsiaError> {
        let keys = keys();
        let leeway = Duration::from_secs(60);
        verify(&Expected { keys: &keys, issuer: ISSUER, client_id: "KOPILKA", now, leeway, max_auth_age }, id, access)
    }

    /// The fault found when claims of one of the two otherwise good tokens are replaced.
    fn fault(token: TokenKind, change: impl FnOnce(&mut Value)) -> TokenFault {
        let (mut id, mut access) = (id_payload(), access_payload());
        change(if token == TokenKind::Id { &mut id } else { &mut access });
        match check_at(NOW, None, &sign(&header("id"), &id), &sign(&header("access"), &access)) {
            Err(EsiaError::Token { token: found, fault }) if found == token => fault,
            Err(other) => panic!("another error: {other}"),
            Ok(_) => panic!("accepted"),
        }
    }

    fn good() -> (String, String) {
        (sign(&header("id"), &id_payload()), sign(&header("access"), &access_payload()))
    }

    #[test]
    fn accepts_the_published_shape_with_numbers_or_strings() {
        let (id, access) = good();
        let subject = check_at(NOW, None, &id, &access).expect("valid");
        assert_eq!(subject.oid.get(), 1_000_000_001);
        assert_eq!(subject.authenticated_at, Some(NOW));

        let mut strings = id_payload();
        strings["sub"] = json!("1000000001");
        strings["exp"] = json!((NOW + 10).to_string());
        strings["aud"] = json!(["KOPILKA"]);
        strings["urn:esia:sbj"]["urn:esia:sbj:is_tru"] = json!("true");
        strings.as_object_mut().expect("an object").remove("auth_time");
        check_at(NOW, None, &sign(&header("id"), &strings), &access).expect("valid with strings");
    }

    #[test]
    fn each_claim_is_checked_in_both_tokens() {
        use TokenFault::*;
        use TokenKind::{Access, Id};
        for token in [Id, Access] {
            assert_eq!(fault(token, |c| c["iss"] = json!("http://esia.test")), Issuer);
            assert_eq!(fault(token, |c| c["exp"] = json!(NOW - 60)), Expired);
            assert_eq!(fault(token, |c| c["nbf"] = json!(NOW + 61)), NotYetValid);
            assert_eq!(fault(token, |c| c["iat"] = json!(NOW + 61)), IssuedInFuture);
            assert_eq!(fault(token, |c| c["exp"] = json!(null)), Malformed);
        }
        assert_eq!(fault(Id, |c| c["aud"] = json!("OTHER")), Audience);
        assert_eq!(fault(Id, |c| c["aud"] = json!(["KOPILKA", "OTHER"])), Audience);
        assert_eq!(fault(Access, |c| c["client_id"] = json!("OTHER")), Audience);
        assert_eq!(fault(Id, |c| c["sub"] = json!(2)), Subject);
        assert_eq!(fault(Id, |c| c["urn:esia:sbj"]["urn:esia:sbj:oid"] = json!(2)), Subject);
        assert_eq!(fault(Access, |c| c["urn:esia:sbj_id"] = json!(2)), Subject);
        assert_eq!(fault(Id, |c| c["urn:esia:sbj"]["urn:esia:sbj:typ"] = json!("O")), NotAPerson);
    }

    #[test]
    fn leeway_has_exact_edges() {
        let (id, access) = good();
        let at = |now| check_at(now, None, &id, &access).is_ok();
        assert!(at(NOW - 60) && !at(NOW - 61), "nbf and iat");
        assert!(at(NOW + 3600 + 59) && !at(NOW + 3600 + 60), "exp of the access token");
        let aged = |age| check_at(NOW + 100, Some(Duration::from_secs(age)), &id, &access);
        assert!(aged(40).is_ok());
        assert!(matches!(aged(39), Err(EsiaError::Token { fault: TokenFault::AuthenticationTooOld, .. })));
    }

    #[test]
    fn only_true_is_confirmed() {
        for value in [json!(false), json!(1), json!("yes"), json!(null)] {
            let mut id = id_payload();
            id["urn:esia:sbj"]["urn:esia:sbj:is_tru"] = value;
            let result = check_at(NOW, None, &sign(&header("id"), &id), &good().1);
            assert!(matches!(result, Err(EsiaError::Unconfirmed)));
        }
    }

    #[test]
    fn algorithm_signature_and_kind_come_first() {
        let id_fault = |token: &str| match check_at(NOW, None, token, &good().1) {
            Err(EsiaError::Token { token: TokenKind::Id, fault }) => fault,
            _ => panic!("not the expected error"),
        };
        let with_header = |header: Value| id_fault(&sign(&header, &id_payload()));
        for alg in ["none", "HS256", "RS384", "rs256"] {
            assert_eq!(with_header(json!({"alg": alg, "sbt": "id"})), TokenFault::AlgorithmNotAllowed);
        }
        assert_eq!(with_header(json!({"alg": "GOST3410_2012_256", "sbt": "id"})), TokenFault::NoKeyForAlgorithm);
        assert_eq!(with_header(json!({"alg": "RS256", "sbt": "access"})), TokenFault::WrongKind);
        assert_eq!(with_header(json!({"alg": "RS256"})), TokenFault::WrongKind);
        assert_eq!(with_header(json!({"alg": "RS256", "sbt": "id", "crit": ["x"]})), TokenFault::Malformed);

        let (id, access) = good();
        let (message, _) = id.rsplit_once('.').expect("a token");
        assert_eq!(id_fault(&format!("{message}.")), TokenFault::Signature);
        let (_, foreign) = access.rsplit_once('.').expect("a token");
        assert_eq!(id_fault(&format!("{message}.{foreign}")), TokenFault::Signature);
        for broken in ["", ".", "..", "a.b", "a.b.c", "e30.e30.e30", &format!("{id}.x")] {
            assert_eq!(id_fault(broken), TokenFault::Malformed, "{broken}");
        }
        assert!(check_at(NOW, None, &access, &id).is_err(), "swapped tokens");
    }

    #[test]
    fn any_configured_key_will_do() {
        let other = RsaSigner::generate("last year").expect("a key");
        let mut two = TrustedKeys::from_pem(other.certificate_pem()).expect("a certificate");
        let (id, access) = good();
        let with = |keys: &TrustedKeys| {
            let leeway = Duration::ZERO;
            let client_id = "KOPILKA";
            let expected = Expected { keys, issuer: ISSUER, client_id, now: NOW, leeway, max_auth_age: None };
            verify(&expected, &id, &access).is_ok()
        };
        assert!(!with(&two));
        two.extend(keys());
        assert!(with(&two));
    }
}
