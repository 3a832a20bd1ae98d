//! Languages: Project Fluent messages, Russian and English, both complete.
//!
//! A template asks for a message by key and never holds a sentence itself: `{{ page.text("allocation-submit") }}`,
//! `{{ page.text("voters").arg("count", count) }}`. A sentence with links inside takes them as [`Html`] arguments, so that
//! a translator sees the whole sentence.

use std::borrow::Borrow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use askama::filters::HtmlSafe;
use fluent::concurrent::FluentBundle;
use fluent::{FluentArgs, FluentResource, FluentValue};
use kopilka_domain::{Kopecks, Percent};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use crate::format;

/// A language of the sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Russian, the first language.
    #[default]
    Ru,
    /// English.
    En,
}

impl Language {
    /// Every language, the first one first.
    pub const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// The tag in `lang` attributes, cookies and URLs.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language's name in itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::Ru => "Русский",
            Self::En => "English",
        }
    }

    /// Reads a tag such as `ru`, `en-GB`, `RU_ru`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.tag() == primary)
    }

    /// The best language for an `Accept-Language` header: the one with the highest quality, earlier ones first.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::from_tag) else {
                continue;
            };
            let quality = parts
                .find_map(|parameter| parameter.trim().strip_prefix("q="))
                .map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0));
            if quality > 0.0 && best.is_none_or(|(so_far, _)| quality > so_far) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// Why message files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalesError {
    /// A file is not valid Fluent.
    #[error("the {language} messages do not parse: {detail}")]
    Malformed {
        /// Language of the file.
        language: Language,
        /// What the parser says.
        detail: String,
    },
    /// One key twice.
    #[error("the {language} messages define a key twice: {detail}")]
    Repeated {
        /// Language of the file.
        language: Language,
        /// Which key.
        detail: String,
    },
}

/// All messages of a site: this crate's own and the site's, in every language.
pub struct Locales {
    ru: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

impl fmt::Debug for Locales {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locales")
    }
}

impl Locales {
    /// Messages of this crate and of a site: `Locales::new(include_str!("../locales/ru.ftl"), include_str!("../locales/en.ftl"))`.
    ///
    /// # Errors
    /// [`LocalesError`] names the file's language and the first fault.
    pub fn new(ru: &str, en: &str) -> Result<Self, LocalesError> {
        Ok(Self {
            ru: bundle(Language::Ru, &[include_str!("../locales/ru.ftl"), ru])?,
            en: bundle(Language::En, &[include_str!("../locales/en.ftl"), en])?,
        })
    }

    fn bundle(&self, language: Language) -> &FluentBundle<FluentResource> {
        match language {
            Language::Ru => &self.ru,
            Language::En => &self.en,
        }
    }

    fn format(&self, language: Language, key: &str, args: &FluentArgs<'_>) -> String {
        let bundle = self.bundle(language);
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(%key, %language, "a message is missing");
            return format!("\u{2329}{key}\u{232a}");
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(%key, %language, ?errors, "a message could not be filled in");
        }
        text
    }
}

fn bundle(language: Language, sources: &[&str]) -> Result<FluentBundle<FluentResource>, LocalesError> {
    // Both tags are two letters, which always parse; the fallback keeps the compiler content.
    let tag = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::Ru => |value, _| format_value(Language::Ru, value),
        Language::En => |value, _| format_value(Language::En, value),
    }));
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned())
            .map_err(|(_, errors)| LocalesError::Malformed { language, detail: format!("{errors:?}") })?;
        bundle
            .add_resource(resource)
            .map_err(|errors| LocalesError::Repeated { language, detail: format!("{errors:?}") })?;
    }
    Ok(bundle)
}

/// Numbers inside messages look like numbers outside them.
fn format_value(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) if number.value.fract() == 0.0 => {
            Some(format::integer(language, number.value as i128))
        }
        FluentValue::Number(number) => Some(format::decimal(language, number.value, 2)),
        _ => None,
    }
}

/// Markup that is inserted as it is: made by this program, with every text inside already escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Takes markup whose texts the caller has escaped.
    pub fn trusted(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    /// Escapes a text.
    pub fn escaped(text: impl fmt::Display) -> Self {
        let mut markup = String::new();
        escape_into(&mut markup, &text.to_string());
        Self(markup)
    }

    /// A link with a plain text.
    pub fn link(url: impl fmt::Display, text: impl fmt::Display) -> Self {
        let mut markup = String::from("<a href=\"");
        escape_into(&mut markup, &url.to_string());
        markup.push_str("\">");
        escape_into(&mut markup, &text.to_string());
        markup.push_str("</a>");
        Self(markup)
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

fn escape_into(markup: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => markup.push_str("&amp;"),
            '<' => markup.push_str("&lt;"),
            '>' => markup.push_str("&gt;"),
            '"' => markup.push_str("&quot;"),
            '\'' => markup.push_str("&#39;"),
            other => markup.push(other),
        }
    }
}

/// The messages in one reader's language, with that reader's time zone.
#[derive(Debug, Clone)]
pub struct I18n {
    language: Language,
    locales: Arc<Locales>,
    offset: UtcOffset,
}

impl I18n {
    /// Messages in a language; times are shown at `offset` from UTC.
    pub fn new(locales: Arc<Locales>, language: Language, offset: UtcOffset) -> Self {
        Self { language, locales, offset }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Offset of the shown times from UTC.
    pub fn offset(&self) -> UtcOffset {
        self.offset
    }

    /// The message of a key; fill its placeholders with [`Message::arg`] and [`Message::html`].
    pub fn text(&self, key: impl AsRef<str>) -> Message {
        Message { i18n: self.clone(), key: key.as_ref().to_owned(), args: Vec::new() }
    }

    /// Whether a message exists.
    pub fn has(&self, key: &str) -> bool {
        self.locales.bundle(self.language).has_message(key)
    }

    /// `1 500 000 ₽`, `1 234 567,89 ₽`.
    pub fn money(&self, amount: impl IntoKopecks) -> String {
        format::money(self.language, amount.into_kopecks())
    }

    /// Like [`Self::money`], always with kopecks.
    pub fn money_exact(&self, amount: impl IntoKopecks) -> String {
        format::money_exact(self.language, amount.into_kopecks())
    }

    /// `1 234 567`.
    pub fn number(&self, number: impl IntoInteger) -> String {
        format::integer(self.language, number.into_integer())
    }

    /// `1 234,57` with at most that many decimals.
    pub fn decimal(&self, number: impl Borrow<f64>, decimals: usize) -> String {
        format::decimal(self.language, *number.borrow(), decimals)
    }

    /// `12,5 %`.
    pub fn percent(&self, percent: impl Borrow<Percent>) -> String {
        format::percent(self.language, *percent.borrow())
    }

    /// `22.11.2026`.
    pub fn date(&self, at: impl Borrow<OffsetDateTime>) -> String {
        format::date(self.language, at.borrow().to_offset(self.offset))
    }

    /// `22.11.2026, 14:05`.
    pub fn date_time(&self, at: impl Borrow<OffsetDateTime>) -> String {
        format::date_time(self.language, at.borrow().to_offset(self.offset))
    }

    /// `22.11.2026, 14:05:09`.
    pub fn date_time_seconds(&self, at: impl Borrow<OffsetDateTime>) -> String {
        format::date_time_seconds(self.language, at.borrow().to_offset(self.offset))
    }

    /// A `<time>` element: day and minute for the eye, the exact moment for machines and in the title.
    pub fn time(&self, at: impl Borrow<OffsetDateTime>) -> Html {
        format::time_element(self.language, at.borrow().to_offset(self.offset), false)
    }

    /// Like [`Self::time`], the day alone.
    pub fn day(&self, at: impl Borrow<OffsetDateTime>) -> Html {
        format::time_element(self.language, at.borrow().to_offset(self.offset), true)
    }

    /// «2 мин назад», in the largest fitting unit, for a moment before `now`.
    pub fn ago(&self, at: impl Borrow<OffsetDateTime>, now: OffsetDateTime) -> String {
        let seconds = (now - *at.borrow()).whole_seconds().max(0);
        let (key, count) = match seconds {
            0..60 => ("time-seconds-ago", seconds),
            60..3600 => ("time-minutes-ago", seconds / 60),
            3600..86_400 => ("time-hours-ago", seconds / 3600),
            _ => ("time-days-ago", seconds / 86_400),
        };
        self.text(key).arg("count", count).to_string()
    }
}

/// What can be shown as money.
pub trait IntoKopecks {
    /// The amount in kopecks.
    fn into_kopecks(self) -> Kopecks;
}

impl IntoKopecks for Kopecks {
    fn into_kopecks(self) -> Kopecks {
        self
    }
}

impl IntoKopecks for u128 {
    fn into_kopecks(self) -> Kopecks {
        Kopecks(self)
    }
}

impl<T: IntoKopecks + Copy> IntoKopecks for &T {
    fn into_kopecks(self) -> Kopecks {
        (*self).into_kopecks()
    }
}

/// What can be shown as a whole number.
pub trait IntoInteger {
    /// The number.
    fn into_integer(self) -> i128;
}

impl<T: IntoInteger + Copy> IntoInteger for &T {
    fn into_integer(self) -> i128 {
        (*self).into_integer()
    }
}

/// What can fill a placeholder of a message.
pub trait Argument {
    /// The value for Fluent; numbers choose plural forms.
    fn value(&self) -> FluentValue<'static>;
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> FluentValue<'static> {
        (**self).value()
    }
}

macro_rules! integers {
    ($($ty:ty)+) => {
        $(
            impl IntoInteger for $ty {
                fn into_integer(self) -> i128 {
                    i128::try_from(self).unwrap_or(i128::MAX)
                }
            }
            impl Argument for $ty {
                fn value(&self) -> FluentValue<'static> {
                    FluentValue::from(*self as f64)
                }
            }
        )+
    };
}
integers!(i8 i16 u8 u16 u32 u64 u128 usize i32 i64 i128);

impl Argument for f64 {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(*self)
    }
}

impl Argument for str {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.to_owned())
    }
}

impl Argument for String {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.clone())
    }
}

impl Argument for Message {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.to_string())
    }
}

/// A message with what fills its placeholders; shown in the language of the [`I18n`] that made it.
#[derive(Debug, Clone)]
pub struct Message {
    i18n: I18n,
    key: String,
    args: Vec<(&'static str, FluentValue<'static>)>,
}

impl Message {
    /// Fills a placeholder with a text or a number.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl Argument) -> Self {
        self.args.push((name, value.value()));
        self
    }

    /// Fills a placeholder with markup, for instance a link; the whole becomes markup.
    #[must_use]
    pub fn html(self, name: &'static str, markup: Html) -> RichMessage {
        RichMessage { message: self, parts: Vec::new() }.html(name, markup)
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut args = FluentArgs::with_capacity(self.args.len());
        for (name, value) in &self.args {
            args.set(*name, value.clone());
        }
        f.write_str(&self.i18n.locales.format(self.i18n.language, &self.key, &args))
    }
}

/// A message with markup in some placeholders.
#[derive(Debug, Clone)]
pub struct RichMessage {
    message: Message,
    parts: Vec<Html>,
}

/// Stand around the number of a markup part while Fluent formats; from Unicode's private use area, so no text has them.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

impl RichMessage {
    /// Fills a placeholder with a text or a number.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl Argument) -> Self {
        self.message = self.message.arg(name, value);
        self
    }

    /// Fills a placeholder with markup.
    #[must_use]
    pub fn html(mut self, name: &'static str, markup: Html) -> Self {
        self.message = self.message.arg(name, format!("{OPEN}{}{CLOSE}", self.parts.len()));
        self.parts.push(markup);
        self
    }

    /// The finished markup.
    pub fn to_html(&self) -> Html {
        let text = self.message.to_string();
        let mut markup = String::with_capacity(text.len() * 2);
        let mut rest = text.as_str();
        while let Some(start) = rest.find(OPEN) {
            escape_into(&mut markup, &rest[..start]);
            let after = &rest[start + OPEN.len_utf8()..];
            let Some(end) = after.find(CLOSE) else { break };
            if let Some(part) = after[..end].parse::<usize>().ok().and_then(|index| self.parts.get(index)) {
                let _ = write!(markup, "{part}");
            }
            rest = &after[end + CLOSE.len_utf8()..];
        }
        escape_into(&mut markup, rest);
        Html(markup)
    }
}

impl fmt::Display for RichMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_html(), f)
    }
}

impl HtmlSafe for RichMessage {}

#[cfg(test)]
mod tests {
    use super::*;

    fn i18n(language: Language) -> I18n {
        let locales = Locales::new(
            "votes = { $count ->\n    [one] { $count } голос\n    [few] { $count } голоса\n   *[many] { $count } голосов\n}\nwho = Аккаунт { $who } & Ко",
            "votes = { $count ->\n    [one] { $count } vote\n   *[other] { $count } votes\n}\nwho = Account { $who } & Co",
        )
        .unwrap();
        I18n::new(Arc::new(locales), language, UtcOffset::UTC)
    }

    #[test]
    fn plurals_follow_the_language() {
        let ru = i18n(Language::Ru);
        for (count, text) in
            [(1, "1 голос"), (2, "2 голоса"), (5, "5 голосов"), (21, "21 голос"), (12_345, "12\u{a0}345 голосов")]
        {
            assert_eq!(ru.text("votes").arg("count", count).to_string(), text);
        }
        assert_eq!(i18n(Language::En).text("votes").arg("count", 1).to_string(), "1 vote");
        assert_eq!(i18n(Language::En).text("votes").arg("count", 12_345).to_string(), "12,345 votes");
    }

    #[test]
    fn markup_is_kept_and_text_is_escaped() {
        let sentence = i18n(Language::Ru).text("who").html("who", Html::link("/a?b&c", "<x>"));
        assert_eq!(sentence.to_string(), "Аккаунт <a href=\"/a?b&amp;c\">&lt;x&gt;</a> &amp; Ко");
    }

    #[test]
    fn the_best_language_is_found() {
        assert_eq!(Language::from_accept_language("en-US,en;q=0.9,ru;q=0.8"), Some(Language::En));
        assert_eq!(Language::from_accept_language("de, ru;q=0.5, en;q=0.4"), Some(Language::Ru));
        assert_eq!(Language::from_accept_language("tt-RU"), None);
        assert_eq!(Language::from_accept_language(""), None);
    }

    #[test]
    fn a_missing_message_is_visible() {
        assert_eq!(i18n(Language::Ru).text("no-such").to_string(), "\u{2329}no-such\u{232a}");
    }
}
