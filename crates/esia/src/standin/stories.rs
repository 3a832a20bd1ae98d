//! Names, streets, and the citizens with a story.

use time::{Date, Month, macros::date};

use super::citizens::{Citizen, Home, Level, Municipality, mix, pick};

/// Numbers of the citizens with a story. Municipalities are named by their place in the configuration.
pub mod named {
    use crate::person::Oid;

    /// Confirmed adult of the first municipality.
    pub const RESIDENT: Oid = Oid::new(1_000_000_001);
    /// Another confirmed adult of the first municipality.
    pub const SECOND_RESIDENT: Oid = Oid::new(1_000_000_002);
    /// Confirmed, first municipality, always 16 or 17 years old.
    pub const SIXTEEN: Oid = Oid::new(1_000_000_005);
    /// Confirmed, first municipality, always 13 or 14 years old.
    pub const UNDERAGE: Oid = Oid::new(1_000_000_006);
    /// Confirmed adult of the second municipality.
    pub const NEIGHBOUR: Oid = Oid::new(1_000_000_007);
    /// First municipality; a standard, not confirmed, account.
    pub const STANDARD: Oid = Oid::new(1_000_000_009);
    /// A simplified account: no СНИЛС, no address.
    pub const SIMPLIFIED: Oid = Oid::new(1_000_000_010);
    /// Confirmed adult registered in a place that no municipality here knows.
    pub const OUTSIDER: Oid = Oid::new(1_000_000_011);
    /// Confirmed adult of the first municipality with an actual but no registered address.
    pub const UNREGISTERED: Oid = Oid::new(1_000_000_012);
}

/// A citizen with a story.
pub(super) struct Story {
    pub(super) oid: u64,
    pub(super) name: (&'static str, &'static str, &'static str),
    pub(super) female: bool,
    pub(super) born: Born,
    pub(super) level: Level,
    pub(super) home: Home,
}

pub(super) enum Born {
    On(Date),
    /// On the 15th of May, so many years before the present one: completed years are this or one less.
    YearsAgo(i32),
}

impl Story {
    pub(super) fn citizen(&self, municipalities: &[Municipality], today: Date) -> Citizen {
        let birth_date = match self.born {
            Born::On(date) => date,
            // The 15th of May exists in every year.
            Born::YearsAgo(years) => {
                Date::from_calendar_date(today.year() - years, Month::May, 15).unwrap_or(Date::MIN)
            }
        };
        let here = |index: usize| index.min(municipalities.len() - 1);
        let home = match self.home {
            Home::Registered(index) => Home::Registered(here(index)),
            Home::LivesIn(index) => Home::LivesIn(here(index)),
            other => other,
        };
        let (last_name, first_name, middle_name) = self.name;
        let seed = mix(self.oid);
        Citizen {
            oid: self.oid,
            last_name: last_name.into(),
            first_name,
            middle_name,
            female: self.female,
            birth_date,
            level: self.level,
            home,
            street: pick(&STREETS, seed),
            house: 1 + (seed >> 8) % 80,
            flat: 1 + (seed >> 16) % 120,
        }
    }
}

pub(super) const NAMED: [Story; 12] = {
    use Born::{On, YearsAgo};
    use Home::{Elsewhere, LivesIn, Registered, Unknown};
    use Level::{Confirmed, Simplified, Standard};
    const fn story(
        oid: u64,
        name: (&'static str, &'static str, &'static str),
        female: bool,
        born: Born,
        level: Level,
        home: Home,
    ) -> Story {
        Story { oid, name, female, born, level, home }
    }
    [
        story(
            1_000_000_001,
            ("Берёзкина", "Вера", "Ильинична"),
            true,
            On(date!(1988 - 03 - 14)),
            Confirmed,
            Registered(0),
        ),
        story(
            1_000_000_002,
            ("Мостовой", "Пётр", "Алексеевич"),
            false,
            On(date!(1975 - 10 - 02)),
            Confirmed,
            Registered(0),
        ),
        story(
            1_000_000_003,
            ("Ясная", "Гульнара", "Маратовна"),
            true,
            On(date!(1993 - 06 - 21)),
            Confirmed,
            Registered(0),
        ),
        story(
            1_000_000_004,
            ("Старожилов", "Николай", "Фёдорович"),
            false,
            On(date!(1948 - 01 - 30)),
            Confirmed,
            Registered(0),
        ),
        story(1_000_000_005, ("Юнина", "Дарья", "Олеговна"), true, YearsAgo(17), Confirmed, Registered(0)),
        story(1_000_000_006, ("Школьников", "Тимофей", "Андреевич"), false, YearsAgo(14), Confirmed, Registered(0)),
        story(
            1_000_000_007,
            ("Соседкина", "Марина", "Павловна"),
            true,
            On(date!(1982 - 12 - 05)),
            Confirmed,
            Registered(1),
        ),
        story(
            1_000_000_008,
            ("Лесной", "Артём", "Игоревич"),
            false,
            On(date!(1999 - 08 - 17)),
            Confirmed,
            Registered(1),
        ),
        story(
            1_000_000_009,
            ("Стандартов", "Олег", "Викторович"),
            false,
            On(date!(1990 - 04 - 09)),
            Standard,
            Registered(0),
        ),
        story(
            1_000_000_010,
            ("Упрощёнова", "Ксения", "Дмитриевна"),
            true,
            On(date!(1996 - 11 - 11)),
            Simplified,
            Unknown,
        ),
        story(
            1_000_000_011,
            ("Приезжев", "Роман", "Борисович"),
            false,
            On(date!(1985 - 07 - 26)),
            Confirmed,
            Elsewhere,
        ),
        story(
            1_000_000_012,
            ("Безадресная", "Лидия", "Степановна"),
            true,
            On(date!(1969 - 02 - 18)),
            Confirmed,
            LivesIn(0),
        ),
    ]
};

/// Surnames that form the feminine by adding «а».
pub(super) const SURNAMES: [&str; 32] = [
    "Заречнов",
    "Лугов",
    "Рощин",
    "Полянов",
    "Озерцов",
    "Ключев",
    "Ветров",
    "Громов",
    "Зимин",
    "Летов",
    "Осинин",
    "Кленов",
    "Рябинин",
    "Калинов",
    "Ручьёв",
    "Холмов",
    "Садов",
    "Мельников",
    "Плотников",
    "Гончаров",
    "Бортников",
    "Рыбаков",
    "Пахомов",
    "Снегов",
    "Туманов",
    "Росин",
    "Светлов",
    "Воронин",
    "Снегирёв",
    "Синицын",
    "Журавлёв",
    "Соколов",
];
/// Men's names, with the patronymics that their sons and daughters have.
pub(super) const MEN: [(&str, &str, &str); 20] = [
    ("Александр", "Александрович", "Александровна"),
    ("Алексей", "Алексеевич", "Алексеевна"),
    ("Андрей", "Андреевич", "Андреевна"),
    ("Борис", "Борисович", "Борисовна"),
    ("Виктор", "Викторович", "Викторовна"),
    ("Григорий", "Григорьевич", "Григорьевна"),
    ("Дамир", "Дамирович", "Дамировна"),
    ("Евгений", "Евгеньевич", "Евгеньевна"),
    ("Иван", "Иванович", "Ивановна"),
    ("Константин", "Константинович", "Константиновна"),
    ("Леонид", "Леонидович", "Леонидовна"),
    ("Максим", "Максимович", "Максимовна"),
    ("Николай", "Николаевич", "Николаевна"),
    ("Олег", "Олегович", "Олеговна"),
    ("Павел", "Павлович", "Павловна"),
    ("Рустам", "Рустамович", "Рустамовна"),
    ("Сергей", "Сергеевич", "Сергеевна"),
    ("Тимур", "Тимурович", "Тимуровна"),
    ("Фёдор", "Фёдорович", "Фёдоровна"),
    ("Юрий", "Юрьевич", "Юрьевна"),
];
pub(super) const WOMEN: [&str; 20] = [
    "Айгуль",
    "Анна",
    "Валентина",
    "Вера",
    "Галина",
    "Дарья",
    "Екатерина",
    "Елена",
    "Зоя",
    "Ирина",
    "Ксения",
    "Лариса",
    "Мария",
    "Наталья",
    "Ольга",
    "Полина",
    "Светлана",
    "Татьяна",
    "Ульяна",
    "Юлия",
];
pub(super) const STREETS: [&str; 10] = [
    "Речная",
    "Лесная",
    "Школьная",
    "Садовая",
    "Мостовая",
    "Ярмарочная",
    "Заводская",
    "Полевая",
    "Вокзальная",
    "Тихая",
];
