//! What the sites of Kopilka share: the layout of a page, languages, the reader's preferences, formats of numbers and
//! dates, error pages, security headers, form tokens, sealed cookies, static files.
//!
//! A site builds its own [`axum::Router`] with handlers that take a [`Page`] and answer with a template which extends
//! `layout/base.html`, then wraps it with [`app`]. The crate knows nothing of the chain, the database or ESIA.
//!
//! A site's `askama.toml` names this crate's templates after its own:
//! `dirs = ["templates", "../crates/web/templates"]`. A page is a struct with a field `page: Page` and a template
//! `{% extends "layout/base.html" %}` that fills the blocks `title` and `content`.

// Templates name this crate by its full path, because other crates' pages extend them.
extern crate self as kopilka_web;

mod app;
pub mod assets;
pub mod components;
pub mod csrf;
pub mod error;
pub mod format;
pub mod i18n;
mod page;
pub mod preferences;
pub mod sealed;
pub mod secret;
mod security;
pub mod urls;

pub use app::app;
pub use assets::Assets;
pub use csrf::Csrf;
pub use error::WebError;
pub use i18n::{Html, I18n, Language, Locales, Message};
pub use page::{FooterLink, NavItem, Page, PageLink, Rendered, Site};
pub use preferences::Preferences;
pub use sealed::Sealer;
pub use secret::SecretKey;
pub use security::ContentPolicy;

/// What handlers of pages return.
pub type WebResult<T> = Result<T, WebError>;
