//! Numbers, money, percentages and dates as each language writes them.

use kopilka_domain::{Kopecks, Percent};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::i18n::{Html, Language};

/// No-break space.
const NBSP: char = '\u{a0}';

fn group(language: Language) -> char {
    match language {
        Language::Ru => NBSP,
        Language::En => ',',
    }
}

fn point(language: Language) -> char {
    match language {
        Language::Ru => ',',
        Language::En => '.',
    }
}

fn grouped(language: Language, digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(group(language));
        }
        text.push(digit);
    }
    text
}

/// `1 234 567`; `1,234,567` in English.
pub fn integer(language: Language, number: i128) -> String {
    let digits = grouped(language, &number.unsigned_abs().to_string());
    if number < 0 { format!("\u{2212}{digits}") } else { digits }
}

/// `1 234,5` with at most `decimals` decimals, without trailing zeros.
pub fn decimal(language: Language, number: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", number.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut shown = grouped(language, whole);
    if !fraction.is_empty() {
        shown.push(point(language));
        shown.push_str(fraction);
    }
    let is_zero = shown == "0";
    if number < 0.0 && !is_zero { format!("\u{2212}{shown}") } else { shown }
}

/// A whole number of base units with that many decimals, exactly: `wei(1, 18)`. Trailing zeros are dropped.
pub fn units(language: Language, digits: &str, decimals: usize) -> String {
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    let fraction = fraction.trim_end_matches('0');
    let mut shown = grouped(language, whole);
    if !fraction.is_empty() {
        shown.push(point(language));
        shown.push_str(fraction);
    }
    shown
}

/// Like [`units`] for programs: `1234567.89`, all decimals kept.
pub fn plain_units(digits: &str, decimals: usize) -> String {
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn with_sign(language: Language, number: String) -> String {
    match language {
        Language::Ru => format!("{number}{NBSP}₽"),
        Language::En => format!("₽{number}"),
    }
}

/// `1 500 000 ₽`, `1 234 567,89 ₽`; `₽1,500,000` in English.
pub fn money(language: Language, amount: Kopecks) -> String {
    if amount.0.is_multiple_of(100) {
        with_sign(language, grouped(language, &(amount.0 / 100).to_string()))
    } else {
        money_exact(language, amount)
    }
}

/// Like [`money`], always with kopecks.
pub fn money_exact(language: Language, amount: Kopecks) -> String {
    let rubles = grouped(language, &(amount.0 / 100).to_string());
    with_sign(language, format!("{rubles}{}{:02}", point(language), amount.0 % 100))
}

/// `12,5 %`; `12.5%` in English.
pub fn percent(language: Language, percent: Percent) -> String {
    let number = units(language, &percent.0.to_string(), 2);
    match language {
        Language::Ru => format!("{number}{NBSP}%"),
        Language::En => format!("{number}%"),
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `22.11.2026`; `22 Nov 2026` in English.
pub fn date(language: Language, at: OffsetDateTime) -> String {
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    match language {
        Language::Ru => format!("{day:02}.{month:02}.{year}"),
        Language::En => format!("{day}{NBSP}{}{NBSP}{year}", MONTHS[usize::from(month) - 1]),
    }
}

/// `22.11.2026, 14:05`.
pub fn date_time(language: Language, at: OffsetDateTime) -> String {
    format!("{}, {:02}:{:02}", date(language, at), at.hour(), at.minute())
}

/// `22.11.2026, 14:05:09`.
pub fn date_time_seconds(language: Language, at: OffsetDateTime) -> String {
    format!("{}:{:02}", date_time(language, at), at.second())
}

/// A `<time>` element.
pub(crate) fn time_element(language: Language, at: OffsetDateTime, day_only: bool) -> Html {
    let machine = at.format(&Rfc3339).unwrap_or_default();
    let shown = if day_only { date(language, at) } else { date_time(language, at) };
    let exact = format!("{} UTC{}", date_time_seconds(language, at), offset(at));
    Html::trusted(format!("<time datetime=\"{machine}\" title=\"{exact}\">{shown}</time>"))
}

/// `+3`, `+5:30`.
pub(crate) fn offset(at: OffsetDateTime) -> String {
    let (hours, minutes, _) = at.offset().as_hms();
    if minutes == 0 { format!("{hours:+}") } else { format!("{hours:+}:{:02}", minutes.abs()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn formats_follow_the_language() {
        let (ru, en) = (Language::Ru, Language::En);
        assert_eq!(integer(ru, 1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(integer(ru, -12), "\u{2212}12");
        assert_eq!(decimal(ru, 1_234.5, 2), "1\u{a0}234,5");
        assert_eq!(decimal(en, -0.001, 2), "0");
        assert_eq!(money(ru, Kopecks(150_000_000)), "1\u{a0}500\u{a0}000\u{a0}₽");
        assert_eq!(money(ru, Kopecks(123_456_789)), "1\u{a0}234\u{a0}567,89\u{a0}₽");
        assert_eq!(money(en, Kopecks(123_456_789)), "₽1,234,567.89");
        assert_eq!(percent(ru, Percent(1250)), "12,5\u{a0}%");
        assert_eq!(percent(en, Percent(5)), "0.05%");
        assert_eq!(units(ru, "1", 18), "0,000000000000000001");
        let at = datetime!(2026-11-22 14:05:09 +3);
        assert_eq!(date(ru, at), "22.11.2026");
        assert_eq!(date_time(ru, at), "22.11.2026, 14:05");
        assert_eq!(date(en, at), "22\u{a0}Nov\u{a0}2026");
    }
}
