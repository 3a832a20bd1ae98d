//! Invented citizens: a handful with a story, and any number computed from their `oid` alone, so that they cost no
//! memory and are the same every time. СНИЛС numbers start with 9, far from those in use.

use time::{Date, Duration, macros::date};
use uuid::{Uuid, uuid};

use super::{
    StandInError,
    stories::{MEN, NAMED, STREETS, SURNAMES, WOMEN},
};
use crate::person::Oid;

/// Invented region of every address.
pub(super) const REGION: &str = "Приозёрная область";

/// First number of generated citizens.
const GENERATED_FROM: u64 = 2_000_000_000;
/// Numbers set aside for one municipality.
const PER_MUNICIPALITY: u64 = 10_000_000;

/// A place where invented citizens live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Municipality {
    /// Name, for example `Зареченск`.
    pub name: String,
    /// ФИАС/ГАР code of the settlement; the `fiasCode` of every registered address in it.
    pub fias: Uuid,
    /// ОКТМО code of the municipality, 8 digits.
    pub oktmo: String,
}

/// The invented urban okrug Зареченск and the neighbouring municipal okrug Новолесье. Their codes have the right
/// structure (16 is no subject of the federation), and belong to no real place.
pub fn demo_municipalities() -> Vec<Municipality> {
    let place = |name: &str, fias, oktmo: &str| Municipality { name: name.into(), fias, oktmo: oktmo.into() };
    vec![
        place("Зареченск", uuid!("5c1b7d0e-8f3a-4e52-9d46-a1c07e2b9f31"), "16701000"),
        place("Новолесье", uuid!("d9e4f2a6-3b70-4c18-8a5d-60f7b3c8e142"), "16512000"),
    ]
}

/// The number of the `index`-th generated citizen of a municipality (by its place in
/// [`StandInConfig::municipalities`](super::StandInConfig::municipalities)). It is known to the server if
/// `index` is below the count configured for that municipality.
pub const fn generated_oid(municipality: usize, index: u32) -> Oid {
    Oid::new(GENERATED_FROM + municipality as u64 * PER_MUNICIPALITY + index as u64)
}

/// How far ESIA knows an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Confirmed,
    Standard,
    Simplified,
}

impl Level {
    pub(super) const ALL: [Self; 3] = [Self::Confirmed, Self::Standard, Self::Simplified];

    /// For the address of the login page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Standard => "standard",
            Self::Simplified => "simplified",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Confirmed => "подтверждённая",
            Self::Standard => "стандартная",
            Self::Simplified => "упрощённая",
        }
    }
}

/// Where a citizen is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// In the municipality with this index.
    Registered(usize),
    /// Lives there without registration.
    LivesIn(usize),
    /// Registered in a place unknown here.
    Elsewhere,
    Unknown,
}

/// Everything the stand-in knows about one invented citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Citizen {
    pub(super) oid: u64,
    pub(super) last_name: String,
    pub(super) first_name: &'static str,
    pub(super) middle_name: &'static str,
    pub(super) female: bool,
    pub(super) birth_date: Date,
    pub(super) level: Level,
    pub(super) home: Home,
    pub(super) street: &'static str,
    pub(super) house: u64,
    pub(super) flat: u64,
}

impl Citizen {
    pub(super) fn full_name(&self) -> String {
        format!("{} {} {}", self.last_name, self.first_name, self.middle_name)
    }

    /// Completed years on a day.
    pub(super) fn age(&self, today: Date) -> i32 {
        let birthday = (u8::from(self.birth_date.month()), self.birth_date.day());
        let before = (u8::from(today.month()), today.day()) < birthday;
        today.year() - self.birth_date.year() - i32::from(before)
    }

    /// A number with a right control sum.
    pub(super) fn snils(&self) -> String {
        let number = 900_000_000 + mix(self.oid ^ 0x5117) % 100_000_000;
        let sum: u64 = (0..9).map(|place| number / 10u64.pow(place) % 10 * u64::from(place + 1)).sum();
        let control = sum % 101 % 100;
        format!("{:03}-{:03}-{:03} {control:02}", number / 1_000_000, number / 1000 % 1000, number % 1000)
    }
}

/// What the login page looks for.
#[derive(Debug, Default)]
pub(super) struct Search<'a> {
    /// Part of a name, or a whole number.
    pub(super) text: &'a str,
    pub(super) municipality: Option<usize>,
    pub(super) level: Option<Level>,
}

/// All citizens.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) municipalities: Vec<Municipality>,
    /// How many citizens are generated, for each municipality.
    counts: Vec<u32>,
}

impl Register {
    pub(super) fn new(municipalities: Vec<Municipality>, generated: &[(Uuid, u32)]) -> Result<Self, StandInError> {
        if municipalities.is_empty() {
            return Err(StandInError::NoMunicipality);
        }
        let mut counts = vec![0; municipalities.len()];
        for (fias, count) in generated {
            let mut places = municipalities.iter().zip(&mut counts).filter(|(place, _)| place.fias == *fias);
            let (Some((_, slot)), None) = (places.next(), places.next()) else {
                return Err(StandInError::UnknownMunicipality(*fias));
            };
            if *slot != 0 {
                return Err(StandInError::UnknownMunicipality(*fias));
            }
            if u64::from(*count) > PER_MUNICIPALITY {
                return Err(StandInError::TooManyCitizens { asked: *count, max: PER_MUNICIPALITY as u32 });
            }
            *slot = *count;
        }
        Ok(Self { municipalities, counts })
    }

    /// The level of a known citizen.
    pub(super) fn level(&self, oid: u64) -> Option<Level> {
        match self.generated_home(oid) {
            Some(_) => Some(Level::Confirmed),
            None => NAMED.iter().find(|story| story.oid == oid).map(|story| story.level),
        }
    }

    /// A known citizen, as of a day.
    pub(super) fn find(&self, oid: u64, today: Date) -> Option<Citizen> {
        match self.generated_home(oid) {
            Some(municipality) => Some(generate(oid, municipality)),
            None => NAMED.iter().find(|story| story.oid == oid).map(|story| story.citizen(&self.municipalities, today)),
        }
    }

    /// The municipality of a generated citizen.
    fn generated_home(&self, oid: u64) -> Option<usize> {
        let place = oid.checked_sub(GENERATED_FROM)?;
        let municipality = usize::try_from(place / PER_MUNICIPALITY).ok()?;
        let count = *self.counts.get(municipality)?;
        (place % PER_MUNICIPALITY < u64::from(count)).then_some(municipality)
    }

    /// Every citizen, those with a story first, then generated ones of each municipality.
    fn all(&self, today: Date) -> impl Iterator<Item = Citizen> {
        let named = NAMED.iter().map(move |story| story.citizen(&self.municipalities, today));
        let generated = self.counts.iter().enumerate().flat_map(|(municipality, count)| {
            (0..*count).map(move |index| generate(generated_oid(municipality, index).get(), municipality))
        });
        named.chain(generated)
    }

    /// The first citizens found, at most `limit`, and whether there are more. Looks at no more than 20,000.
    pub(super) fn search(&self, search: &Search<'_>, today: Date, limit: usize) -> (Vec<Citizen>, bool) {
        let text = search.text.trim().to_lowercase().replace('ё', "е");
        if let Some(citizen) = text.parse().ok().and_then(|oid| self.find(oid, today)) {
            return (vec![citizen], false);
        }
        let mut found: Vec<_> = self
            .all(today)
            .take(20_000)
            .filter(|citizen| search.level.is_none_or(|level| level == citizen.level))
            .filter(|citizen| {
                let here = |index| citizen.home == Home::Registered(index) || citizen.home == Home::LivesIn(index);
                search.municipality.is_none_or(here)
            })
            .filter(|citizen| citizen.full_name().to_lowercase().replace('ё', "е").contains(&text))
            .take(limit + 1)
            .collect();
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }
}

/// A confirmed adult, from the number alone.
fn generate(oid: u64, municipality: usize) -> Citizen {
    let seed = mix(oid);
    let more = mix(seed);
    let female = seed & 1 == 1;
    let surname = pick(&SURNAMES, seed >> 1);
    let (_, son, daughter) = pick(&MEN, seed >> 16);
    // Born from 1946 to 2005: of age on any day since 2024.
    let birth_date = date!(1946 - 01 - 01) + Duration::days((more % 21_915) as i64);
    Citizen {
        oid,
        last_name: if female { format!("{surname}а") } else { surname.into() },
        first_name: if female { pick(&WOMEN, seed >> 32) } else { pick(&MEN, seed >> 32).0 },
        middle_name: if female { daughter } else { son },
        female,
        birth_date,
        level: Level::Confirmed,
        home: Home::Registered(municipality),
        street: pick(&STREETS, more >> 16),
        house: 1 + (more >> 24) % 80,
        flat: 1 + (more >> 40) % 120,
    }
}

pub(super) fn pick<T: Copy>(list: &[T], seed: u64) -> T {
    list[(seed % list.len() as u64) as usize]
}

/// SplitMix64's output function: spreads neighbouring numbers.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::standin::named;

    const TODAY: Date = date!(2026 - 11 - 22);

    fn register() -> Register {
        let municipalities = demo_municipalities();
        let generated = [(municipalities[0].fias, 3000), (municipalities[1].fias, 10)];
        Register::new(municipalities, &generated).expect("valid")
    }

    #[test]
    fn generation_is_a_function_of_the_number() {
        let (one, two) = (register(), register());
        for index in 0..3000 {
            let oid = generated_oid(0, index).get();
            let citizen = one.find(oid, TODAY).expect("configured");
            assert_eq!(Some(&citizen), two.find(oid, date!(2030 - 01 - 01)).as_ref());
            assert_eq!(citizen.home, Home::Registered(0));
            assert!(citizen.age(date!(2024 - 01 - 01)) >= 18);
            assert!(citizen.age(TODAY) <= 80);
        }
        let first = one.find(generated_oid(0, 0).get(), TODAY).expect("configured");
        insta::assert_snapshot!(
            format!("{}, {}, {}", first.full_name(), first.birth_date, first.snils()),
            @"Ручьёва Ксения Фёдоровна, 1958-10-10, 950-011-323 45"
        );
    }

    #[test]
    fn knows_exactly_the_configured_numbers() {
        let register = register();
        let known = |oid: Oid| {
            let level = register.level(oid.get());
            assert_eq!(level, register.find(oid.get(), TODAY).map(|citizen| citizen.level));
            level.is_some()
        };
        assert!(known(generated_oid(0, 2999)) && !known(generated_oid(0, 3000)));
        assert!(known(generated_oid(1, 9)) && !known(generated_oid(1, 10)));
        assert!(!known(generated_oid(2, 0)) && !known(Oid::new(0)) && !known(Oid::new(u64::MAX)));
        assert!(known(named::RESIDENT) && known(named::UNREGISTERED) && !known(Oid::new(1_000_000_013)));
    }

    #[test]
    fn invented_citizens_are_varied_and_have_right_control_sums() {
        let register = register();
        let people: Vec<_> = register.all(TODAY).collect();
        assert_eq!(people.len(), NAMED.len() + 3010);
        let names: HashSet<_> = people.iter().map(Citizen::full_name).collect();
        assert!(names.len() > 2500, "{} different names", names.len());
        for citizen in &people {
            let snils = citizen.snils();
            let digits: Vec<u32> = snils.chars().filter_map(|c| c.to_digit(10)).collect();
            let sum: u32 = digits[..9].iter().zip((1..=9).rev()).map(|(digit, weight)| digit * weight).sum();
            let control = if sum % 101 == 100 { 0 } else { sum % 101 };
            assert_eq!(digits[9] * 10 + digits[10], control, "{snils}");
            assert_eq!(snils.len(), "112-233-445 95".len());
        }
    }

    #[test]
    fn stories_keep_their_age() {
        let register = register();
        for today in [date!(2026 - 01 - 01), TODAY, date!(2031 - 05 - 15)] {
            let age = |oid: Oid| register.find(oid.get(), today).expect("named").age(today);
            assert!((13..=14).contains(&age(named::UNDERAGE)));
            assert!((16..=17).contains(&age(named::SIXTEEN)));
            assert!(age(named::RESIDENT) >= 18);
        }
    }

    #[test]
    fn finds_by_name_number_place_and_level() {
        let register = register();
        let find = |search: Search<'_>| register.search(&search, TODAY, 30);
        let (all, more) = find(Search::default());
        assert_eq!((all.len(), more), (30, true));
        let (one, more) = find(Search { text: " БЕРЕЗКИНА ", ..Default::default() });
        assert_eq!((one[0].oid, one.len(), more), (named::RESIDENT.get(), 1, false));
        let (one, _) = find(Search { text: "2000000005", ..Default::default() });
        assert_eq!(one[0].oid, 2_000_000_005);
        let (neighbours, more) = find(Search { municipality: Some(1), ..Default::default() });
        assert_eq!((neighbours.len(), more), (12, false));
        let (standard, _) = find(Search { level: Some(Level::Standard), ..Default::default() });
        assert_eq!(standard[0].oid, named::STANDARD.get());
    }

    #[test]
    fn demo_codes_have_the_right_structure() {
        for place in demo_municipalities() {
            assert_eq!(place.oktmo.len(), 8);
            assert!(place.oktmo.bytes().all(|byte| byte.is_ascii_digit()));
            assert!(matches!(place.oktmo.as_bytes()[2], b'5' | b'7'), "municipal or urban okrug");
            assert_eq!(place.fias.get_version_num(), 4);
        }
    }
}
