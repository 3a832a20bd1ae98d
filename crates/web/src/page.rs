//! What every page of a site has: [`Site`] is fixed at start, [`Page`] belongs to one request.

use std::ops::Deref;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use time::{OffsetDateTime, UtcOffset};

use crate::assets::Assets;
use crate::error::WebError;
use crate::format;
use crate::i18n::{I18n, Language, Locales};
use crate::preferences::Preferences;
use crate::security::ContentPolicy;

/// An entry of the menu at the top.
#[derive(Debug, Clone)]
pub struct NavItem {
    /// Key of its text.
    pub key: &'static str,
    /// Where it leads.
    pub url: String,
}

/// A link at the foot of every page.
pub type FooterLink = NavItem;

/// What is the same on all pages of a site.
#[derive(Debug)]
pub struct Site {
    /// Key of the site's name, shown in the header and after every title.
    pub name_key: &'static str,
    /// Key of a line under the name at the foot of the page.
    pub about_key: &'static str,
    /// Its messages.
    pub locales: Arc<Locales>,
    /// Style sheet, icon, scripts.
    pub assets: Assets,
    /// Menu.
    pub nav: Vec<NavItem>,
    /// Links at the foot.
    pub footer: Vec<FooterLink>,
    /// Offset of the shown times from UTC.
    pub offset: UtcOffset,
    /// Whether the site is reached over https: then cookies and headers insist on it.
    pub secure: bool,
    /// What pages may load and where forms may lead besides the site itself.
    pub policy: ContentPolicy,
}

/// A link of a pager or a tab row.
#[derive(Debug, Clone)]
pub struct PageLink {
    /// Where it leads.
    pub url: String,
    /// Shown text.
    pub text: String,
    /// Whether this is where the reader is.
    pub current: bool,
}

/// The reader's side of a page: language, preferences, the site. Handlers take it as an extractor, templates have it as
/// their field `page`. It dereferences to [`I18n`], so that templates say `page.text("…")`, `page.money(…)`.
#[derive(Debug, Clone)]
pub struct Page {
    site: Arc<Site>,
    i18n: I18n,
    /// The reader's choices.
    pub preferences: Preferences,
    nonce: String,
    path: String,
    query: String,
    now: OffsetDateTime,
}

impl Deref for Page {
    type Target = I18n;

    fn deref(&self) -> &I18n {
        &self.i18n
    }
}

impl Page {
    pub(crate) fn new(
        site: Arc<Site>,
        language: Language,
        preferences: Preferences,
        nonce: String,
        (path, query): (String, String),
        now: OffsetDateTime,
    ) -> Self {
        let i18n = I18n::new(Arc::clone(&site.locales), language, site.offset);
        Self { site, i18n, preferences, nonce, path, query, now }
    }

    /// A page outside of any request, for samples and tests.
    pub fn sample(site: Arc<Site>, language: Language) -> Self {
        let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_779);
        Self::new(site, language, Preferences::default(), "sample".to_owned(), ("/".to_owned(), String::new()), now)
    }

    /// The site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The messages.
    pub fn i18n(&self) -> &I18n {
        &self.i18n
    }

    /// Tag of the language.
    pub fn lang(&self) -> &'static str {
        self.i18n.language().tag()
    }

    /// Nonce of this answer's scripts.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Path of the request.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// When the request came.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Path and query, for the return from forms.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// This page in another language.
    pub fn in_language(&self, language: Language) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(url::form_urlencoded::parse(self.query.as_bytes()).filter(|(name, _)| name != "lang"));
        query.append_pair("lang", language.tag());
        format!("{}?{}", self.path, query.finish())
    }

    /// Every language, for the switch.
    pub fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    /// Whether this is the language of the page.
    pub fn is_language(&self, language: &Language) -> bool {
        self.i18n.language() == *language
    }

    /// Whether the menu entry is where the reader is.
    pub fn is_current(&self, url: &str) -> bool {
        self.path == url || (url != "/" && self.path.strip_prefix(url).is_some_and(|rest| rest.starts_with('/')))
    }

    /// URL of a static file; its name holds the hash of its content.
    pub fn asset(&self, name: &str) -> String {
        self.site.assets.url(name)
    }

    /// Whether cookies must be `Secure`.
    pub fn is_secure(&self) -> bool {
        self.site.secure
    }

    /// `+3`: the offset of the shown times.
    pub fn offset_text(&self) -> String {
        format::offset(self.now.to_offset(self.site.offset))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler takes a Page, but its router is not wrapped by kopilka_web::app");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }
}

/// A template as an HTML answer.
#[derive(Debug)]
pub struct Rendered<T>(
    /// The page.
    pub T,
);

impl<T: Template> IntoResponse for Rendered<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(markup) => {
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                ([(header::CONTENT_TYPE, html)], markup).into_response()
            }
            Err(error) => WebError::from(error).into_response(),
        }
    }
}
