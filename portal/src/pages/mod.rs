//! The pages. Each is a struct with a template; what needs a signature is driven by a script on top of it.

mod account;
mod home;
mod notice;
mod round;
mod script;
mod words;

pub(crate) use account::account;
pub(crate) use home::home;
pub(crate) use notice::{LoginFailure, Notice};
pub(crate) use round::{initiative, round};
pub(crate) use script::{check, co_sign, restore, take_part};
pub(crate) use words::honest;

use crate::session::Session;
use crate::state::AppState;

/// The corner of the header: log in, or who is in and out.
#[derive(Debug, Clone)]
pub(crate) struct Corner {
    /// Token for the logout form; none when nobody is logged in.
    pub(crate) csrf: Option<String>,
    /// Where the login button leads.
    pub(crate) login_url: String,
}

impl Corner {
    pub(crate) fn new(state: &AppState, session: Option<&Session>, path: &str) -> Self {
        let login_url = login_url(path);
        Self { csrf: session.map(|session| session.csrf_token(&state.csrf)), login_url }
    }

    /// For pages outside of a session.
    pub(crate) fn nobody() -> Self {
        Self { csrf: None, login_url: login_url("/") }
    }
}

/// To ESIA and back to a path.
pub(crate) fn login_url(next: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("/login?{query}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use askama::Template as _;
    use kopilka_web::{Assets, ContentPolicy, Language, Locales, Page, Site};
    use time::UtcOffset;

    const RU: &str = include_str!("../../locales/ru.ftl");
    const EN: &str = include_str!("../../locales/en.ftl");

    fn site() -> Arc<Site> {
        Arc::new(Site {
            name_key: "site-name",
            about_key: "site-about",
            locales: Arc::new(Locales::new(RU, EN).unwrap()),
            assets: Assets::embedded(),
            nav: Vec::new(),
            footer: Vec::new(),
            offset: UtcOffset::UTC,
            secure: false,
            policy: ContentPolicy::default(),
        })
    }

    #[test]
    fn every_page_renders_in_every_language() {
        let site = site();
        for language in Language::ALL {
            let page = Page::sample(Arc::clone(&site), language);
            let mut rendered = Vec::new();
            macro_rules! render {
                ($($type:ty,)+) => {$(
                    for sample in <$type>::samples(&page) {
                        rendered.push((stringify!($type), sample.render().unwrap()));
                    }
                )+};
            }
            render! {
                super::home::Home, super::round::Round, super::round::Initiative, super::notice::Notice,
                super::account::Account, super::words::Honest, super::script::TakePart, super::script::Check,
                super::script::CoSign, super::script::Restore,
            }
            for (name, markup) in rendered {
                assert!(!markup.contains('\u{2329}'), "{name} in {language}: a message is missing\n{markup}");
                assert_eq!(markup.matches("<h1").count(), 1, "{name} in {language}");
            }
        }
    }

    #[test]
    fn both_languages_have_the_same_messages() {
        let keys = |source: &'static str| -> BTreeSet<&'static str> {
            source
                .lines()
                .filter_map(|line| line.split_once(" ="))
                .map(|(key, _)| key)
                .filter(|key| !key.starts_with([' ', '#']))
                .collect()
        };
        let (ru, en) = (keys(RU), keys(EN));
        assert_eq!(ru.difference(&en).collect::<Vec<_>>(), Vec::<&&str>::new(), "only in Russian");
        assert_eq!(en.difference(&ru).collect::<Vec<_>>(), Vec::<&&str>::new(), "only in English");
    }
}
