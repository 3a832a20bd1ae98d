//! Reading requests field by field, so that a refusal names the field and says what it should be.

use alloy::primitives::{Address, Signature, hex};
use serde_json::{Map, Value};

use crate::message::{Allocation, Message, Registration};
use crate::problem::Refusal;
use kopilka_bindings::allocation::Allocation as SignedAllocation;

/// The members of a JSON object.
struct Fields(Map<String, Value>);

fn malformed(field: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::FieldMalformed { field, detail: detail.into() }
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

impl Fields {
    fn parse(body: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let names = known.join(", ");
        let refused = |detail: String| Refusal::BodyMalformed { detail };
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => match members.keys().find(|name| !known.contains(&name.as_str())) {
                // A foreign name is not repeated: it could be anything.
                Some(_) => {
                    Err(refused(format!("There is a field that does not belong here; the fields are: {names}.")))
                }
                None => Ok(Self(members)),
            },
            Ok(other) => {
                Err(refused(format!("Send a JSON object with the fields {names}; found {}.", kind_of(&other))))
            }
            Err(error) => Err(refused(format!(
                "Send a JSON object with the fields {names}; the text stops being JSON at line {}, column {}.",
                error.line(),
                error.column()
            ))),
        }
    }

    fn get(&self, field: &'static str, expected: &str) -> Result<&Value, Refusal> {
        self.0.get(field).ok_or_else(|| malformed(field, format!("The field «{field}» is missing; send {expected}.")))
    }

    fn bytes<const N: usize>(&self, field: &'static str, what: &str) -> Result<[u8; N], Refusal> {
        let expected = format!("{what}: 0x and {} hexadecimal digits", 2 * N);
        let text = self.get(field, &expected)?;
        let wrong = |found: String| malformed(field, format!("«{field}» must be {expected}; found {found}."));
        let text = text.as_str().ok_or_else(|| wrong(kind_of(text).to_owned()))?;
        let digits = text.strip_prefix("0x").ok_or_else(|| wrong("a text without 0x".to_owned()))?;
        let bytes = hex::decode(digits).map_err(|_| wrong("a text that is not hexadecimal".to_owned()))?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| wrong(format!("{} digits", 2 * length)))
    }

    fn address(&self, field: &'static str) -> Result<Address, Refusal> {
        self.bytes(field, "an address").map(Address::new)
    }

    fn number<T: TryFrom<u64>>(&self, field: &'static str, most: u64) -> Result<T, Refusal> {
        let expected = format!("a whole number from 0 to {most}");
        let value = self.get(field, &expected)?;
        value
            .as_u64()
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| malformed(field, format!("«{field}» must be {expected}; found {}.", shown(value))))
    }

    fn list(&self, field: &'static str) -> Result<Vec<u16>, Refusal> {
        let expected = "a list of whole numbers from 0 to 65535";
        let value = self.get(field, expected)?;
        let wrong = |found: String| malformed(field, format!("«{field}» must be {expected}; found {found}."));
        let items = value.as_array().ok_or_else(|| wrong(kind_of(value).to_owned()))?;
        items
            .iter()
            .map(|item| {
                item.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or_else(|| wrong(format!("in it {}", shown(item))))
            })
            .collect()
    }
}

/// A number as it was sent; of anything else only what it is.
fn shown(value: &Value) -> String {
    if value.is_number() { value.to_string() } else { kind_of(value).to_owned() }
}

pub(super) fn registration(body: &[u8]) -> Result<Message, Refusal> {
    let fields = Fields::parse(body, &["round", "class", "account", "signature"])?;
    Ok(Message::Registration(Registration {
        round: fields.address("round")?,
        class: fields.number("class", u8::MAX.into())?,
        account: fields.address("account")?,
        signature: fields.bytes("signature", "the credential as a compressed point of G1")?,
    }))
}

pub(super) fn allocation(body: &[u8]) -> Result<Message, Refusal> {
    let fields = Fields::parse(body, &["round", "account", "version", "initiatives", "points", "signature"])?;
    let round = fields.address("round")?;
    let signed = SignedAllocation {
        account: fields.address("account")?,
        version: fields.number("version", u32::MAX.into())?,
        initiatives: fields.list("initiatives")?,
        // Approval ballots have no points: leaving the field out means the same as an empty list.
        points: if fields.0.contains_key("points") { fields.list("points")? } else { Vec::new() },
    };
    let bytes: [u8; 65] = fields.bytes("signature", "an EIP-712 signature r‖s‖v")?;
    let signature = Signature::from_raw_array(&bytes)
        .map_err(|_| malformed("signature", "«signature» must end in the byte v: 0x1b or 0x1c (or 0x00, 0x01)."))?;
    Ok(Message::Allocation(Allocation { round, signed, signature }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(result: Result<Message, Refusal>) -> (Option<String>, String) {
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
        let (field, text) = detail(allocation(body));
        assert_eq!(field.as_deref(), Some("initiatives"));
        assert_eq!(text, "«initiatives» must be a list of whole numbers from 0 to 65535; found in it 65537.");
    }
}
