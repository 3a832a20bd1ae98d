//! Pieces of pages: small templates that stand in larger ones as `{{ piece }}`.

use askama::Template;
use askama::filters::HtmlSafe;
use kopilka_domain::{Kopecks, Percent};

use crate::i18n::{Html, Message};
use crate::page::Page;

/// A piggy bank filling up: how much lies in it and how much it needs. More than it needs is shown as surplus.
#[derive(Debug, Clone, Template)]
#[template(path = "components/fill.html")]
pub struct Fill {
    /// For the texts.
    page: Page,
    /// What is in it.
    pledged: Kopecks,
    /// What it needs.
    cost: Kopecks,
    /// Whether texts stand under the bar.
    texts: bool,
    /// Key under which scripts find it, see `browser/src/explorer/live.ts`.
    live: Option<String>,
}

impl HtmlSafe for Fill {}

impl Fill {
    /// A bar with its texts.
    pub fn new(page: &Page, pledged: Kopecks, cost: Kopecks) -> Self {
        Self { page: page.clone(), pledged, cost, texts: true, live: None }
    }

    /// The bar alone.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.texts = false;
        self
    }

    /// Lets scripts update it: `data-live` gets this key.
    #[must_use]
    pub fn live(mut self, key: impl Into<String>) -> Self {
        self.live = Some(key.into());
        self
    }

    fn percent(&self) -> Percent {
        Percent::of(self.pledged.0, self.cost.0)
    }

    /// Hundredths of the bar that are filled: with a surplus the whole bar stands for what is in it.
    fn filled(&self) -> u128 {
        let whole = self.cost.0.max(self.pledged.0).max(1);
        self.pledged.0.min(self.cost.0).saturating_mul(1000) / whole
    }

    fn is_over(&self) -> bool {
        self.pledged > self.cost
    }

    fn is_full(&self) -> bool {
        self.pledged >= self.cost && !self.cost.is_zero()
    }

    fn surplus(&self) -> Kopecks {
        self.pledged.saturating_sub(self.cost)
    }
}

/// What a tag says besides its text: a colour and a sign, so that nothing rests on colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Good, done.
    Good,
    /// Going on.
    Active,
    /// Waiting.
    Neutral,
    /// Look here.
    Warning,
    /// Failed.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Active => "active",
            Self::Neutral => "neutral",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Active => "●",
            Self::Neutral => "○",
            Self::Warning => "!",
            Self::Bad => "✕",
        }
    }
}

/// A status: `<span class="tag tag-good"><span aria-hidden="true">✓</span> …</span>`.
pub fn tag(tone: Tone, text: &Message) -> Html {
    Html::trusted(format!(
        "<span class=\"tag tag-{}\"><span class=\"tag-sign\" aria-hidden=\"true\">{}</span>{}</span>",
        tone.class(),
        tone.sign(),
        Html::escaped(text)
    ))
}

/// An address or hash, shortened for the eye and whole for copying, as a link if there is a URL.
pub fn hash(full: &str, url: Option<&str>) -> Html {
    let inner = shortened(full);
    let full = Html::escaped(full);
    match url {
        Some(url) => {
            Html::trusted(format!("<a class=\"hash\" href=\"{}\" title=\"{full}\">{inner}</a>", Html::escaped(url)))
        }
        None => Html::trusted(format!("<span class=\"hash\" title=\"{full}\">{inner}</span>")),
    }
}

/// Head, hidden middle, tail: the middle is squeezed by the style sheet to an ellipsis and still copied.
fn shortened(full: &str) -> String {
    if full.len() <= 14 || !full.is_ascii() {
        return Html::escaped(full).to_string();
    }
    let (head, rest) = full.split_at(6);
    let (middle, tail) = rest.split_at(rest.len() - 4);
    format!(
        "<span>{}</span><span class=\"hash-middle\">{}</span><span>{}</span>",
        Html::escaped(head),
        Html::escaped(middle),
        Html::escaped(tail)
    )
}

/// An address or hash in full, with a button that copies it (shown by a script only).
pub fn hash_in_full(page: &Page, full: &str) -> Html {
    Html::trusted(format!(
        "<span class=\"hash-full\">{full}</span><button type=\"button\" class=\"copy\" data-copy=\"{full}\" \
         data-copied=\"{copied}\" hidden>{copy}</button>",
        full = Html::escaped(full),
        copy = Html::escaped(page.text("copy")),
        copied = Html::escaped(page.text("copied")),
    ))
}

/// Money with its exact value in the title.
pub fn money(page: &Page, amount: Kopecks) -> Html {
    Html::trusted(format!(
        "<span class=\"money\" title=\"{}\">{}</span>",
        Html::escaped(page.money_exact(amount)),
        Html::escaped(page.money(amount))
    ))
}

/// The way through a long list, by keys: back to the first page, on to the next.
#[derive(Debug, Clone, Template)]
#[template(path = "components/pager.html")]
pub struct Pager {
    page: Page,
    first: Option<String>,
    next: Option<String>,
}

impl HtmlSafe for Pager {}

impl Pager {
    /// `first` leads to the beginning (absent there), `next` to what follows (absent at the end).
    pub fn new(page: &Page, first: Option<String>, next: Option<String>) -> Self {
        Self { page: page.clone(), first, next }
    }

    fn is_needed(&self) -> bool {
        self.first.is_some() || self.next.is_some()
    }
}
