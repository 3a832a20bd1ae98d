//! How a reader wants to see the pages: language, light or dark, and the version for people with low vision.
//!
//! Kept in two cookies that hold nothing but these choices, changed by a plain form, so that all of it works without
//! JavaScript. The form changes nothing but the reader's own view and needs no token against forgery.

use axum::Form;
use axum::extract::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use crate::i18n::Language;
use crate::page::Page;

/// Cookie with the language.
pub(crate) const LANGUAGE_COOKIE: &str = "kopilka_lang";
/// Id of the settings of the version for low vision, in `layout/vision.html`.
const VISION_PANEL: &str = "vision-panel";
/// Cookie with the rest.
pub(crate) const VIEW_COOKIE: &str = "kopilka_view";

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal $key:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every choice.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in cookies, forms and `data-` attributes.
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Key of the choice's name.
            pub const fn key(&self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)+
                }
            }

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

choice! {
    /// Light or dark.
    Theme {
        /// As the device says.
        #[default]
        Auto = "auto" "theme-auto",
        /// Light.
        Light = "light" "theme-light",
        /// Dark.
        Dark = "dark" "theme-dark",
    }
}

choice! {
    /// Size of the letters in the version for people with low vision.
    Size {
        /// A quarter larger.
        #[default]
        Large = "large" "vision-size-large",
        /// Half as large again.
        Larger = "larger" "vision-size-larger",
        /// Twice as large.
        Largest = "largest" "vision-size-largest",
    }
}

choice! {
    /// Colours in the version for people with low vision.
    Colors {
        /// Black on white.
        #[default]
        BlackOnWhite = "black-on-white" "vision-colors-black-on-white",
        /// White on black.
        WhiteOnBlack = "white-on-black" "vision-colors-white-on-black",
        /// Dark blue on light blue.
        Blue = "blue" "vision-colors-blue",
        /// Yellow on black.
        YellowOnBlack = "yellow-on-black" "vision-colors-yellow-on-black",
    }
}

choice! {
    /// Typeface in the version for people with low vision.
    Typeface {
        /// Without serifs.
        #[default]
        Sans = "sans" "vision-typeface-sans",
        /// With serifs.
        Serif = "serif" "vision-typeface-serif",
    }
}

choice! {
    /// Space between letters and lines in the version for people with low vision.
    Spacing {
        /// Usual.
        #[default]
        Usual = "usual" "vision-spacing-usual",
        /// Wide.
        Wide = "wide" "vision-spacing-wide",
        /// Widest.
        Widest = "widest" "vision-spacing-widest",
    }
}

choice! {
    /// Whether pictures are shown in the version for people with low vision.
    Images {
        /// Shown.
        #[default]
        On = "on" "vision-images-on",
        /// Hidden; their text alternatives stay.
        Off = "off" "vision-images-off",
    }
}

/// Settings of «Версия для слабовидящих».
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vision {
    /// Letters.
    pub size: Size,
    /// Colours.
    pub colors: Colors,
    /// Typeface.
    pub typeface: Typeface,
    /// Spacing.
    pub spacing: Spacing,
    /// Pictures.
    pub images: Images,
}

/// Everything except the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// The version for people with low vision, if it is switched on.
    pub vision: Option<Vision>,
}

impl Preferences {
    /// Reads the cookie; unknown words are passed over.
    pub fn from_cookie(value: &str) -> Self {
        let mut preferences = Self::default();
        for (name, choice) in value.split('.').filter_map(|word| word.split_once(':')) {
            preferences.set(name, choice);
        }
        preferences
    }

    /// Writes the cookie.
    pub fn to_cookie(&self) -> String {
        let mut value = format!("theme:{}", self.theme.as_str());
        if let Some(vision) = &self.vision {
            value.push_str(&format!(
                ".vision:on.size:{}.colors:{}.typeface:{}.spacing:{}.images:{}",
                vision.size.as_str(),
                vision.colors.as_str(),
                vision.typeface.as_str(),
                vision.spacing.as_str(),
                vision.images.as_str()
            ));
        }
        value
    }

    /// Changes one setting; a setting of the version for low vision switches it on. Unknown names change nothing.
    fn set(&mut self, name: &str, choice: &str) {
        let mut vision = self.vision.unwrap_or_default();
        let known = match name {
            "theme" => {
                self.theme = Theme::parse(choice).unwrap_or(self.theme);
                return;
            }
            "vision" if choice == "off" => {
                self.vision = None;
                return;
            }
            "vision" => choice == "on",
            "size" => Size::parse(choice).map(|size| vision.size = size).is_some(),
            "colors" => Colors::parse(choice).map(|colors| vision.colors = colors).is_some(),
            "typeface" => Typeface::parse(choice).map(|typeface| vision.typeface = typeface).is_some(),
            "spacing" => Spacing::parse(choice).map(|spacing| vision.spacing = spacing).is_some(),
            "images" => Images::parse(choice).map(|images| vision.images = images).is_some(),
            _ => false,
        };
        if known {
            self.vision = Some(vision);
        }
    }

    /// The theme for the `data-theme` attribute: the version for low vision brings its own colours.
    pub fn theme_attribute(&self) -> &'static str {
        if self.vision.is_some() { "vision" } else { self.theme.as_str() }
    }
}

/// The form at the top of every page.
#[derive(Deserialize)]
pub(crate) struct Change {
    return_to: Option<String>,
    theme: Option<String>,
    vision: Option<String>,
    size: Option<String>,
    colors: Option<String>,
    typeface: Option<String>,
    spacing: Option<String>,
    images: Option<String>,
}

/// `POST /preferences`: keeps the choice and returns to the page.
pub(crate) async fn change(Extension(page): Extension<Page>, jar: CookieJar, Form(change): Form<Change>) -> Response {
    let mut preferences = page.preferences;
    let is_vision_changed = change.theme.is_none() && change.vision.as_deref() != Some("off");
    let named = [
        ("theme", change.theme),
        ("vision", change.vision),
        ("size", change.size),
        ("colors", change.colors),
        ("typeface", change.typeface),
        ("spacing", change.spacing),
        ("images", change.images),
    ];
    for (name, choice) in named {
        if let Some(choice) = choice {
            preferences.set(name, &choice);
        }
    }
    let target = change.return_to.as_deref().filter(|target| is_local_path(target)).unwrap_or("/");
    // Who changes the version for low vision is shown its settings again.
    let target = if is_vision_changed { format!("{target}#{VISION_PANEL}") } else { target.to_owned() };
    let jar = jar.add(lasting_cookie(VIEW_COOKIE, preferences.to_cookie(), page.is_secure()));
    (jar, Redirect::to(&target)).into_response()
}

/// Whether a redirect target stays on this site.
pub fn is_local_path(target: &str) -> bool {
    target.starts_with('/')
        && !target.starts_with("//")
        && !target.contains('\\')
        && !target.chars().any(char::is_control)
}

/// A cookie that lasts a year.
pub(crate) fn lasting_cookie(name: &'static str, value: String, secure: bool) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .max_age(time::Duration::days(365))
        .same_site(SameSite::Lax)
        .http_only(true)
        .secure(secure)
        .build()
}

/// The language of a request: `?lang=`, else the cookie, else what the browser asks for, else Russian. The flag says that
/// the reader has just chosen it.
pub(crate) fn language(query: Option<&str>, headers: &HeaderMap) -> (Language, bool) {
    let asked = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, value)| Language::from_tag(&value));
    if let Some(language) = asked {
        return (language, true);
    }
    let jar = CookieJar::from_headers(headers);
    let kept = jar.get(LANGUAGE_COOKIE).and_then(|cookie| Language::from_tag(cookie.value()));
    let accepted = || {
        headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .and_then(Language::from_accept_language)
    };
    (kept.or_else(accepted).unwrap_or_default(), false)
}

/// Keeps a language that was chosen by a link.
pub(crate) fn keep_language(response: &mut Response, language: Language, secure: bool) {
    if response.status() == StatusCode::NOT_MODIFIED {
        return;
    }
    let cookie = lasting_cookie(LANGUAGE_COOKIE, language.tag().to_owned(), secure);
    if let Ok(value) = cookie.to_string().parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_survives() {
        let mut preferences = Preferences::default();
        assert_eq!(Preferences::from_cookie(&preferences.to_cookie()), preferences);
        preferences.set("theme", "dark");
        preferences.set("size", "largest");
        preferences.set("colors", "yellow-on-black");
        preferences.set("images", "off");
        assert_eq!(Preferences::from_cookie(&preferences.to_cookie()), preferences);
        assert_eq!(preferences.vision.map(|vision| vision.size), Some(Size::Largest));
        preferences.set("vision", "off");
        assert_eq!(preferences, Preferences { theme: Theme::Dark, vision: None });
    }

    #[test]
    fn rubbish_changes_nothing() {
        assert_eq!(Preferences::from_cookie("theme:purple.size:9.:.x"), Preferences::default());
    }

    #[test]
    fn redirects_stay_here() {
        assert!(is_local_path("/round/0x1?lang=en"));
        for bad in ["", "round", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y"] {
            assert!(!is_local_path(bad), "{bad:?}");
        }
    }
}
