//! Which registered address belongs to which municipality.
//!
//! ESIA gives no ОКТМО code, only the address register's (ФИАС/ГАР) code of the street or settlement. A full installation
//! lists the codes of every street and settlement of its municipalities, taken from the ГАР extract.

use std::collections::BTreeMap;
use std::str::FromStr;

use kopilka_domain::MunicipalityId;
use uuid::Uuid;

/// Whole ФИАС codes or beginnings of them, each with its municipality; the longest beginning wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Territories(BTreeMap<String, MunicipalityId>);

/// Why a text is not a list of territories.
#[derive(Debug, thiserror::Error)]
pub enum ParseTerritoriesError {
    /// Not `code=municipality`.
    #[error("a territory is written as code=municipality, such as 5c1b7d0e-8f3a-4e52-9d46-a1c07e2b9f31=1; found {0:?}")]
    Malformed(String),
    /// Not the beginning of a UUID.
    #[error("a ФИАС code (or its beginning) has hexadecimal digits and hyphens, at most 36 characters; found {0:?}")]
    Code(String),
    /// One code twice.
    #[error("the ФИАС code {0:?} is listed twice")]
    Repeated(String),
}

impl Territories {
    /// Adds a ФИАС code or the beginning of one.
    ///
    /// # Errors
    /// When it cannot be the beginning of a code, or is listed already.
    pub fn add(&mut self, code: &str, municipality: MunicipalityId) -> Result<(), ParseTerritoriesError> {
        let code = code.trim().to_ascii_lowercase();
        let valid = !code.is_empty() && code.len() <= 36 && code.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !valid {
            return Err(ParseTerritoriesError::Code(code));
        }
        match self.0.insert(code.clone(), municipality) {
            None => Ok(()),
            Some(_) => Err(ParseTerritoriesError::Repeated(code)),
        }
    }

    /// The municipality of a registered address.
    pub fn municipality(&self, fias: Uuid) -> Option<MunicipalityId> {
        let code = fias.to_string();
        (1..=code.len()).rev().find_map(|length| self.0.get(&code[..length])).copied()
    }
}

/// `code=municipality`, separated by commas or whitespace.
impl FromStr for Territories {
    type Err = ParseTerritoriesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut territories = Self::default();
        for entry in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()) {
            let malformed = || ParseTerritoriesError::Malformed(entry.to_owned());
            let (code, municipality) = entry.split_once('=').ok_or_else(malformed)?;
            territories.add(code, municipality.parse().map_err(|_| malformed())?)?;
        }
        Ok(territories)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_wins() {
        let territories: Territories =
            "5c1b7d0e=1, 5C1B7D0E-8f3a-4e52-9d46-a1c07e2b9f31=2\nd9e4f2a6-3b70-4c18-8a5d-60f7b3c8e142=3"
                .parse()
                .unwrap();
        let of = |code: &str| territories.municipality(code.parse().unwrap()).map(u32::from);
        assert_eq!(of("5c1b7d0e-8f3a-4e52-9d46-a1c07e2b9f31"), Some(2));
        assert_eq!(of("5c1b7d0e-8f3a-4e52-9d46-a1c07e2b9f32"), Some(1));
        assert_eq!(of("d9e4f2a6-3b70-4c18-8a5d-60f7b3c8e142"), Some(3));
        assert_eq!(of("00000000-0000-4000-8000-000000000000"), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("5c1b", "code=municipality"),
            ("5c1b=x", "code=municipality"),
            ("улица=1", "ФИАС"),
            ("5c=1,5c=2", "twice"),
        ] {
            assert!(text.parse::<Territories>().unwrap_err().to_string().contains(part), "{text}");
        }
    }
}
