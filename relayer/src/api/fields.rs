//! Reading requests field by field, so that a refusal names the field and says what it should be.

use alloy::primitives::{Address, B256, Signature, hex};
use kopilka_bindings::allocation::Allocation as SignedAllocation;
use kopilka_domain::MessageKind;
use kopilka_relay_client::MAX_LIST;
use serde_json::{Map, Value};

use crate::message::{Allocation, Ballot, Choice, MAX_SEASONS, Message, Redemption, Registration, StampClaim, Terms};
use crate::problem::Refusal;

/// Most messages in a request.
pub(super) const MAX_MESSAGES: usize = 500;
/// Numbers that every JSON library reads exactly.
const MAX_ID: u64 = (1 << 53) - 1;

/// A well-formed request.
pub(super) struct Parsed {
    pub(super) message: Message,
    /// Blinded point that is to be stamped.
    pub(super) stamp: Option<[u8; 48]>,
}

/// The members of a JSON object.
struct Fields(Map<String, Value>);

fn malformed(field: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::FieldMalformed { field, detail: detail.into() }
}

fn refused(detail: String) -> Refusal {
    Refusal::BodyMalformed { detail }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn json(body: &[u8], expected: &str) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        refused(format!(
            "Send {expected}; the text stops being JSON at line {}, column {}.",
            error.line(),
            error.column()
        ))
    })
}

/// The fields of a kind: those that are needed, then those that may be left out.
pub(super) fn names(kind: MessageKind) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        MessageKind::Registration => (&["round", "class", "account", "signature"], &[]),
        MessageKind::Allocation => (&["round", "account", "version", "initiatives", "signature"], &["points", "stamp"]),
        MessageKind::Ballot => (
            &["contract", "poll", "account", "version", "signature"],
            &["choice", "point", "masked_choice", "credential", "stamp"],
        ),
        MessageKind::StampClaim => (&["contract", "source", "account", "signature"], &[]),
        MessageKind::Redemption => {
            (&["contract", "account", "prize", "price", "content_hash", "seasons", "code_hash", "signature"], &[])
        }
    }
}

fn expected(kind: MessageKind) -> String {
    let (needed, optional) = names(kind);
    let mut text = format!("a JSON object with the fields {}", needed.join(", "));
    if !optional.is_empty() {
        text.push_str(" and, where they apply, ");
        text.push_str(&optional.join(", "));
    }
    text
}

impl Fields {
    fn new(kind: MessageKind, members: Map<String, Value>) -> Result<Self, Refusal> {
        let (needed, optional) = names(kind);
        let is_known = |name: &str| needed.contains(&name) || optional.contains(&name);
        if members.keys().all(|name| is_known(name)) {
            Ok(Self(members))
        } else {
            // A foreign name is not repeated: it could be anything.
            Err(refused(format!("There is a field that does not belong here; send {}.", expected(kind))))
        }
    }

    fn get(&self, field: &'static str, expected: &str) -> Result<&Value, Refusal> {
        self.0.get(field).ok_or_else(|| malformed(field, format!("The field «{field}» is missing; send {expected}.")))
    }

    /// Whether the field is there and not null.
    fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    fn bytes<const N: usize>(&self, field: &'static str, what: &str) -> Result<[u8; N], Refusal> {
        let expected = format!("{what}: 0x and {} hexadecimal digits", 2 * N);
        let text = self.get(field, &expected)?;
        let wrong = |found: String| malformed(field, format!("«{field}» must be {expected}; found {found}."));
        let text = text.as_str().ok_or_else(|| wrong(kind_of(text).to_owned()))?;
        let digits = text.strip_prefix("0x").ok_or_else(|| wrong("a text without 0x".to_owned()))?;
        // A second prefix would be taken for none.
        let is_plain = !digits.starts_with("0x");
        let bytes = hex::decode(digits).ok().filter(|_| is_plain);
        let bytes = bytes.ok_or_else(|| wrong("a text that is not hexadecimal".to_owned()))?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| wrong(format!("{} digits", 2 * length)))
    }

    fn address(&self, field: &'static str) -> Result<Address, Refusal> {
        self.bytes(field, "an address").map(Address::new)
    }

    fn hash(&self, field: &'static str) -> Result<B256, Refusal> {
        self.bytes(field, "32 bytes").map(B256::new)
    }

    fn number<T: TryFrom<u64>>(&self, field: &'static str, most: u64) -> Result<T, Refusal> {
        let expected = format!("a whole number from 0 to {most}");
        let value = self.get(field, &expected)?;
        value
            .as_u64()
            .filter(|number| *number <= most)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| malformed(field, format!("«{field}» must be {expected}; found {}.", shown(value))))
    }

    fn list<T: TryFrom<u64>>(&self, field: &'static str, most: u64, length: usize) -> Result<Vec<T>, Refusal> {
        let expected = format!("a list of at most {length} whole numbers from 0 to {most}");
        let value = self.get(field, &expected)?;
        let wrong = |found: String| malformed(field, format!("«{field}» must be {expected}; found {found}."));
        let items = value.as_array().ok_or_else(|| wrong(kind_of(value).to_owned()))?;
        if items.len() > length {
            return Err(wrong(format!("{} numbers", items.len())));
        }
        items
            .iter()
            .map(|item| {
                let number = item.as_u64().filter(|number| *number <= most).and_then(|n| T::try_from(n).ok());
                number.ok_or_else(|| wrong(format!("in it {}", shown(item))))
            })
            .collect()
    }

    /// A number of up to 128 bits, which JSON's numbers do not hold.
    fn large(&self, field: &'static str) -> Result<u128, Refusal> {
        let expected = "a text of decimal digits, a whole number below 2^128";
        let value = self.get(field, expected)?;
        let digits = value.as_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        digits
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| malformed(field, format!("«{field}» must be {expected}; found {}.", shown(value))))
    }

    fn signature(&self) -> Result<Signature, Refusal> {
        let bytes: [u8; 65] = self.bytes("signature", "an EIP-712 signature r‖s‖v")?;
        Signature::from_raw_array(&bytes)
            .map_err(|_| malformed("signature", "«signature» must end in the byte v: 0x1b or 0x1c (or 0x00, 0x01)."))
    }

    fn credential(&self, field: &'static str) -> Result<[u8; 48], Refusal> {
        self.bytes(field, "the credential as a compressed point of G1")
    }

    fn choice(&self) -> Result<Choice, Refusal> {
        if self.has("choice") && (self.has("point") || self.has("masked_choice")) {
            let detail = "Send «choice» for an open poll, or «point» and «masked_choice» for a sealed one, not both.";
            return Err(malformed("choice", detail));
        }
        if self.has("point") || self.has("masked_choice") {
            let masked = u128::from_be_bytes(self.bytes("masked_choice", "the masked choice")?);
            return Ok(Choice::Sealed(self.hash("point")?, masked));
        }
        self.large("choice").map(Choice::Open)
    }

    fn parse(self, kind: MessageKind) -> Result<Parsed, Refusal> {
        let message = match kind {
            MessageKind::Registration => Message::Registration(Registration {
                round: self.address("round")?,
                class: self.number("class", u8::MAX.into())?,
                account: self.address("account")?,
                signature: self.credential("signature")?,
            }),
            MessageKind::Allocation => {
                let round = self.address("round")?;
                let signed = SignedAllocation {
                    account: self.address("account")?,
                    version: self.number("version", u32::MAX.into())?,
                    initiatives: self.list("initiatives", u16::MAX.into(), MAX_LIST)?,
                    // Approval ballots have no points: leaving the field out means the same as an empty list.
                    points: if self.has("points") {
                        self.list("points", u16::MAX.into(), MAX_LIST)?
                    } else {
                        Vec::new()
                    },
                };
                Message::Allocation(Allocation { round, signed, signature: self.signature()? })
            }
            MessageKind::Ballot => Message::Ballot(Ballot {
                polls: self.address("contract")?,
                poll: self.number("poll", MAX_ID)?,
                account: self.address("account")?,
                version: self.number("version", u32::MAX.into())?,
                choice: self.choice()?,
                signature: self.signature()?,
                credential: if self.has("credential") { Some(self.credential("credential")?) } else { None },
            }),
            MessageKind::StampClaim => Message::StampClaim(StampClaim {
                points: self.address("contract")?,
                source: self.number("source", MAX_ID)?,
                account: self.address("account")?,
                signature: self.credential("signature")?,
            }),
            MessageKind::Redemption => Message::Redemption(Redemption {
                shop: self.address("contract")?,
                account: self.address("account")?,
                terms: Terms {
                    prize: self.number("prize", MAX_ID)?,
                    price: self.number("price", u32::MAX.into())?,
                    content_hash: self.hash("content_hash")?,
                    seasons: self.list("seasons", u32::MAX.into(), MAX_SEASONS)?,
                    code_hash: self.hash("code_hash")?,
                },
                signature: self.signature()?,
            }),
        };
        let stamp =
            if self.has("stamp") { Some(self.bytes("stamp", "a blinded, compressed point of G1")?) } else { None };
        Ok(Parsed { message, stamp })
    }
}

/// A number as it was sent; of anything else only what it is.
fn shown(value: &Value) -> String {
    if value.is_number() { value.to_string() } else { kind_of(value).to_owned() }
}

/// A request that holds one message.
pub(super) fn one(kind: MessageKind, body: &[u8]) -> Result<Parsed, Refusal> {
    match json(body, &expected(kind))? {
        Value::Object(members) => Fields::new(kind, members)?.parse(kind),
        other => Err(refused(format!("Send {}; found {}.", expected(kind), kind_of(&other)))),
    }
}

/// A request that holds many messages, each with its `kind`: each is well-formed or refused by itself.
pub(super) fn many(body: &[u8]) -> Result<Vec<Result<Parsed, Refusal>>, Refusal> {
    const EXPECTED: &str = "a JSON object with the field messages, a list of 1 to 500 objects with a kind each";
    let wrong = |found: &str| refused(format!("Send {EXPECTED}; found {found}."));
    let Value::Object(mut members) = json(body, EXPECTED)? else { return Err(wrong("something else")) };
    let messages = members.remove("messages").ok_or_else(|| wrong("no such field"))?;
    if !members.is_empty() {
        return Err(wrong("a field that does not belong here"));
    }
    let Value::Array(messages) = messages else { return Err(wrong(kind_of(&messages))) };
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        return Err(wrong(&format!("{} messages", messages.len())));
    }
    Ok(messages.into_iter().map(of_any_kind).collect())
}

fn of_any_kind(value: Value) -> Result<Parsed, Refusal> {
    let names = || MessageKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let Value::Object(mut members) = value else {
        return Err(refused(format!("Send each message as a JSON object; found {}.", kind_of(&value))));
    };
    let kind = members.remove("kind");
    let kind = kind.as_ref().and_then(Value::as_str).and_then(|kind| kind.parse::<MessageKind>().ok());
    let kind = kind.ok_or_else(|| malformed("kind", format!("«kind» must be one of {}.", names())))?;
    Fields::new(kind, members)?.parse(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(body: &[u8]) -> Result<Parsed, Refusal> {
        one(MessageKind::Registration, body)
    }

    fn detail<T>(result: Result<T, Refusal>) -> (Option<String>, String) {
        let problem = result.err().unwrap().problem();
        (problem.field, problem.detail)
    }

    #[test]
    fn refusals_name_the_field_and_what_is_right() {
        assert_eq!(
            detail(registration(b"[]")).1,
            "Send a JSON object with the fields round, class, account, signature; found a list."
        );
        let (field, text) = detail(registration(br#"{"round":"0x12"}"#));
        assert_eq!(field.as_deref(), Some("round"));
        assert_eq!(text, "«round» must be an address: 0x and 40 hexadecimal digits; found 2 digits.");
        let (_, text) = detail(registration(br#"{"round":"0x0x1111111111111111111111111111111111111111"}"#));
        assert!(text.ends_with("found a text that is not hexadecimal."), "{text}");
        let (field, text) =
            detail(registration(br#"{"round":"0x1111111111111111111111111111111111111111","class":256}"#));
        assert_eq!(field.as_deref(), Some("class"));
        assert_eq!(text, "«class» must be a whole number from 0 to 255; found 256.");
        let (field, text) = detail(registration(br#"{"round":"0x1111111111111111111111111111111111111111"}"#));
        assert_eq!(
            (field.as_deref(), text.as_str()),
            (Some("class"), "The field «class» is missing; send a whole number from 0 to 255.")
        );
        assert!(detail(registration(br#"{"secret":1}"#)).1.starts_with("There is a field that does not belong here"));
        assert!(detail(registration(b"{")).1.contains("line 1"));
    }

    #[test]
    fn numbers_beyond_16_bits_are_refused_and_not_cut() {
        let body = br#"{"round":"0x1111111111111111111111111111111111111111","account":"0x1111111111111111111111111111111111111111",
            "version":1,"initiatives":[65537],"points":[1],"signature":"0x00"}"#;
        let (field, text) = detail(one(MessageKind::Allocation, body));
        assert_eq!(field.as_deref(), Some("initiatives"));
        assert!(text.ends_with("whole numbers from 0 to 65535; found in it 65537."), "{text}");
    }

    #[test]
    fn a_ballot_is_open_or_sealed_and_never_both() {
        let ballot = |choice: &str| {
            let text = format!(
                r#"{{"contract":"0x1111111111111111111111111111111111111111","poll":1,"version":1,{choice}
                "account":"0x1111111111111111111111111111111111111111","signature":"0x{}1b"}}"#,
                "11".repeat(64)
            );
            one(MessageKind::Ballot, text.as_bytes())
        };
        let choice = |parsed: Result<Parsed, Refusal>| match parsed.ok().unwrap().message {
            Message::Ballot(ballot) => ballot.choice,
            _ => unreachable!(),
        };
        let largest = u128::MAX.to_string();
        assert_eq!(choice(ballot(&format!(r#""choice":"{largest}","#))), Choice::Open(u128::MAX));
        let sealed = format!(r#""point":"0x{}","masked_choice":"0x{}","#, "22".repeat(32), "00".repeat(15) + "07");
        assert_eq!(choice(ballot(&sealed)), Choice::Sealed(B256::repeat_byte(0x22), 7));
        for wrong in [r#""choice":"+5","#, r#""choice":5,"#, r#""choice":"","#, ""] {
            assert_eq!(detail(ballot(wrong)).0.as_deref(), Some("choice"), "{wrong}");
        }
        assert_eq!(detail(ballot(&format!(r#""choice":"1",{sealed}"#))).0.as_deref(), Some("choice"));
        assert_eq!(detail(ballot(r#""masked_choice":"0x00","#)).0.as_deref(), Some("masked_choice"));
    }

    #[test]
    fn each_of_many_is_judged_by_itself() {
        assert!(many(b"[]").is_err());
        assert!(many(br#"{"messages":[]}"#).is_err());
        assert!(many(br#"{"messages":[1],"more":1}"#).is_err());
        let results =
            many(br#"{"messages":[1,{"kind":"ballott"},{"kind":"registration","round":"0x"}]}"#).ok().unwrap();
        assert_eq!(results.len(), 3);
        let fields: Vec<_> = results.into_iter().map(|result| detail(result).0).collect();
        assert_eq!(fields, [None, Some("kind".to_owned()), Some("round".to_owned())]);
    }
}
