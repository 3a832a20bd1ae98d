//! Samples of every page, rendered in every language and view.

mod chain;
mod rounds;
mod rows;

use std::sync::Arc;

use askama::Template;
use kopilka_web::preferences::Preferences;
use kopilka_web::{Assets, Language, Locales, NavItem, Page, Site};

use super::address::AddressPage;
use super::allocations::AllocationsPage;
use super::blocks::{BlockPage, BlocksPage};
use super::home::HomePage;
use super::initiative::InitiativePage;
use super::markup;
use super::result::ResultPage;
use super::round::RoundPage;
use super::rounds::RoundsPage;
use super::rpc::RpcPage;
use super::search::SearchPage;
use super::token::TokenPage;
use super::transaction::{TransactionPage, WaitingPage};
use super::transactions::TransactionsPage;
use crate::decode;
use rows::{ROUND, allocate, register, words};

/// A page type with pages of every kind it can show.
trait Samples: Template + Sized {
    fn samples(page: &Page) -> Vec<Self>;
}

fn site() -> Arc<Site> {
    Arc::new(Site {
        name_key: "site-name",
        about_key: "site-about",
        locales: Arc::new(
            Locales::new(include_str!("../../../locales/ru.ftl"), include_str!("../../../locales/en.ftl")).unwrap(),
        ),
        assets: Assets::embedded(),
        nav: vec![NavItem { key: "menu-rounds", url: "/rounds".to_owned() }],
        footer: vec![NavItem { key: "menu-rpc", url: "/api/eth-rpc".to_owned() }],
        offset: time::UtcOffset::from_hms(3, 0, 0).unwrap(),
        secure: false,
        policy: kopilka_web::ContentPolicy::default(),
    })
}

fn rendered<T: Samples>(page: &Page) -> Vec<String> {
    T::samples(page).iter().map(|sample| sample.render().unwrap()).collect()
}

/// Every page type, in the order of `pages/mod.rs`.
type Render = fn(&Page) -> Vec<String>;
const PAGES: [(&str, Render); 15] = [
    ("address", rendered::<AddressPage>),
    ("allocations", rendered::<AllocationsPage>),
    ("blocks", rendered::<BlocksPage>),
    ("block", rendered::<BlockPage>),
    ("home", rendered::<HomePage>),
    ("initiative", rendered::<InitiativePage>),
    ("result", rendered::<ResultPage>),
    ("round", rendered::<RoundPage>),
    ("rounds", rendered::<RoundsPage>),
    ("rpc", rendered::<RpcPage>),
    ("search", rendered::<SearchPage>),
    ("token", rendered::<TokenPage>),
    ("transaction", rendered::<TransactionPage>),
    ("waiting", rendered::<WaitingPage>),
    ("transactions", rendered::<TransactionsPage>),
];

#[test]
fn every_page_is_well_formed_in_every_language() {
    let site = site();
    for language in Language::ALL {
        for view in ["", "vision:on.size:largest.colors:blue", "theme:dark"] {
            let mut page = Page::sample(Arc::clone(&site), language);
            page.preferences = Preferences::from_cookie(view);
            for (name, render) in PAGES {
                for (number, html) in render(&page).iter().enumerate() {
                    let faults = markup::faults(html);
                    assert!(faults.is_empty(), "{name} {number} in {language}: {faults:#?}\n{html}");
                    assert!(
                        !html.contains("<b>line</b>") && !html.contains("<2026>") && !html.contains("<script>"),
                        "{name} {number} does not escape"
                    );
                    assert!(!html.contains("href=\"javascript:"), "{name} {number} links to a script");
                }
            }
        }
    }
}

#[test]
fn english_pages_are_english() {
    let page = Page::sample(site(), Language::En);
    for (name, render) in PAGES {
        for html in render(&page) {
            // The switch names every language in itself.
            let text = html.replace(Language::Ru.own_name(), "");
            let russian: String = text.chars().filter(|character| ('\u{400}'..'\u{500}').contains(character)).collect();
            assert_eq!(russian, "", "{name}");
        }
    }
}

#[test]
fn a_batch_is_told_in_words() {
    let page = Page::sample(site(), Language::Ru);
    let told = |input: Vec<u8>| decode::call(&words(&page), ROUND, &input).unwrap();
    let registration = told(register());
    assert!(
        registration.sentence.unwrap().as_str().contains("Регистрация 20 жителей класса 0: <a href=\"/round/0x1111")
    );
    assert_eq!(registration.items.len(), 20);
    let allocation = told(allocate());
    assert!(allocation.sentence.unwrap().as_str().starts_with("2 жителя распределили свои доли"));
    let first = allocation.items[0].as_str();
    assert!(
        first.contains("№ 1 «Benches &amp; &quot;lamps&quot;»</a> — 4 балла") && first.contains("№ 2</a> — 6 баллов"),
        "{first}"
    );
}
