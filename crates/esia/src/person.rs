//! What ESIA tells about a person, reduced to what a log-in decides on. Nothing here is serialisable, and `Debug`
//! shows no value, so that personal data stays in memory.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};
use uuid::Uuid;

/// `DD.MM.YYYY`, as ESIA writes dates.
pub(crate) const DATE: &[BorrowedFormatItem<'static>] = format_description!("[day].[month].[year]");

/// ESIA's number of a person. Personal data: `Debug` hides it, and there is no `Display`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(u64);

impl Oid {
    /// Wraps a number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself. Never log or store it: derive a keyed value from it.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Oid(hidden)")
    }
}

impl<'de> Deserialize<'de> for Oid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer)
            .and_then(|number| u64::try_from(number).map(Self).map_err(|_| de::Error::custom("an oid is not negative")))
    }
}

/// A confirmed person, as far as a log-in needs it. Keep it in memory only.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// ESIA's number of the person.
    pub oid: Oid,
    /// `trusted` of the person's data; always true in what [`EsiaClient::person`](crate::EsiaClient::person) returns.
    pub trusted: bool,
    /// `None` when the scope `birthdate` was not asked for or ESIA knows no complete date.
    pub birth_date: Option<Date>,
    /// Address-register (ФИАС/ГАР) object of the registered address (`PRG`): usually the street or the settlement.
    /// `None` when there is no registered address, or it is not tied to the register.
    pub registration_fias: Option<Uuid>,
}

impl Person {
    /// Completed years of age on a day, if the birth date is known.
    pub fn age_on(&self, day: Date) -> Option<u8> {
        let born = self.birth_date?;
        let before_birthday = (u8::from(day.month()), day.day()) < (u8::from(born.month()), born.day());
        u8::try_from(day.year() - born.year() - i32::from(before_birthday)).ok()
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(hidden)")
    }
}

/// `GET /rs/prns/{oid}`, the fields that matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonBody {
    #[serde(default, deserialize_with = "truth")]
    pub(crate) trusted: bool,
    #[serde(default)]
    pub(crate) birth_date: Option<String>,
    #[serde(default)]
    pub(crate) addresses: Option<AddressesBody>,
}

/// A collection of addresses. Elements are links unless embedding was asked for.
#[derive(Deserialize)]
pub(crate) struct AddressesBody {
    #[serde(default)]
    elements: Vec<AddressElement>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AddressElement {
    Address(AddressBody),
    Link(#[expect(dead_code, reason = "only its being a link matters")] String),
}

#[derive(Deserialize)]
struct AddressBody {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "fiasCode", default)]
    fias_code: Option<String>,
}

impl AddressesBody {
    /// Whether the elements are objects (an empty list is).
    pub(crate) fn is_embedded(&self) -> bool {
        self.elements.iter().all(|element| matches!(element, AddressElement::Address(_)))
    }

    /// The register object of the registered address.
    pub(crate) fn registration_fias(&self) -> Option<Uuid> {
        self.elements
            .iter()
            .filter_map(|element| match element {
                AddressElement::Address(address) if address.kind == "PRG" => address.fias_code.as_deref(),
                _ => None,
            })
            .find_map(|code| Uuid::try_parse(code.trim()).ok())
    }
}

/// Reads a birth date; an incomplete one (old papers have only a year) counts as unknown.
pub(crate) fn birth_date(text: &str) -> Option<Date> {
    Date::parse(text.trim(), DATE).ok()
}

/// Reads an integer written as a number or as a string.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer, as a number or a string")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::custom("too large"))
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<i64, E> {
            value.parse().map_err(|_| E::custom("not an integer"))
        }
    }

    deserializer.deserialize_any(Number)
}

/// Reads `true` or `"true"` as true and everything else, also of another type, as false.
pub(crate) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value == true || value == "true")
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn tolerates_numbers_as_strings() {
        for json in ["1000000001", "\"1000000001\""] {
            assert_eq!(serde_json::from_str::<Oid>(json).expect("an oid").get(), 1_000_000_001, "{json}");
        }
        for json in ["-1", "\"x\"", "1.5", "null", "true"] {
            assert!(serde_json::from_str::<Oid>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn trusts_only_true() {
        let trusted = |json: &str| serde_json::from_str::<PersonBody>(json).expect("a person").trusted;
        assert!(trusted(r#"{"trusted":true}"#));
        assert!(trusted(r#"{"trusted":"true"}"#));
        for json in [r#"{}"#, r#"{"trusted":false}"#, r#"{"trusted":1}"#, r#"{"trusted":null}"#] {
            assert!(!trusted(json), "{json}");
        }
    }

    #[test]
    fn takes_the_registered_address_only() {
        let addresses = |json: &str| serde_json::from_str::<AddressesBody>(json).expect("a collection");
        let two = addresses(
            r#"{"elements":[{"type":"PLV","fiasCode":"00000000-0000-4000-8000-000000000001"},
                {"type":"PRG","fiasCode":"00000000-0000-4000-8000-000000000002","id":"7"}],"size":"2"}"#,
        );
        assert!(two.is_embedded());
        assert_eq!(two.registration_fias(), Some(Uuid::from_u128(0x4000_8000_0000_0000_0002)));
        assert!(!addresses(r#"{"elements":["https://esia/rs/prns/1/addrs/2"]}"#).is_embedded());
        assert_eq!(addresses(r#"{"elements":[{"type":"PRG","fiasCode":"31-0"}]}"#).registration_fias(), None);
        assert_eq!(addresses("{}").registration_fias(), None);
    }

    #[test]
    fn counts_completed_years() {
        let born = |date| Person { oid: Oid::new(1), trusted: true, birth_date: Some(date), registration_fias: None };
        let person = born(date!(2008 - 11 - 23));
        assert_eq!(person.age_on(date!(2026 - 11 - 22)), Some(17));
        assert_eq!(person.age_on(date!(2026 - 11 - 23)), Some(18));
        assert_eq!(born(date!(2008 - 02 - 29)).age_on(date!(2026 - 02 - 28)), Some(17));
        assert_eq!(person.age_on(date!(2000 - 01 - 01)), None);
    }

    #[test]
    fn shows_nothing() {
        let person = Person { oid: Oid::new(4242), trusted: true, birth_date: None, registration_fias: None };
        assert_eq!(format!("{person:?} {:?}", person.oid), "Person(hidden) Oid(hidden)");
    }
}
