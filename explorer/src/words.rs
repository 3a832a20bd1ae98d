//! Pieces of sentences: links with names, money, moments, for one reader.

use std::borrow::Borrow;
use std::ops::Deref;

use alloy::primitives::{Address, B256, U256};
use kopilka_domain::{Allotment, BallotKind, Kopecks, Phase, Rule};
use kopilka_store::chain::query::Transfer;
use kopilka_web::components::{self, Tone};
use kopilka_web::i18n::Message;
use kopilka_web::urls::ExplorerUrls;
use kopilka_web::{Html, Page, format};
use time::OffsetDateTime;

use crate::names::Names;
use crate::state::Explorer;

/// The names on a page in the reader's language. Dereferences to the page, so that templates say `w.text("…")`.
#[derive(Clone)]
pub(crate) struct Words {
    page: Page,
    pub(crate) names: Names,
    pub(crate) urls: ExplorerUrls,
    pub(crate) currency: String,
}

impl Deref for Words {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl Words {
    pub(crate) fn new(page: &Page, explorer: &Explorer, names: Names) -> Self {
        Self { page: page.clone(), names, urls: explorer.urls.clone(), currency: explorer.currency.clone() }
    }

    /// For samples.
    #[cfg(test)]
    pub(crate) fn sample(page: &Page, names: Names) -> Self {
        Self { page: page.clone(), names, urls: ExplorerUrls::local(), currency: "ETH".to_owned() }
    }

    /// An address in full, lower case.
    pub(crate) fn hex(&self, address: impl Borrow<Address>) -> String {
        format!("{:#x}", address.borrow())
    }

    /// A link to an address: its name, or its digits.
    pub(crate) fn address(&self, address: impl Borrow<Address>) -> Html {
        let address = *address.borrow();
        match self.name(address) {
            Some(name) => {
                let url = self.best_url(address);
                Html::trusted(format!(
                    "<a href=\"{}\" title=\"{address:#x}\">{}</a>",
                    Html::escaped(url),
                    Html::escaped(name)
                ))
            }
            None => self.digits(address),
        }
    }

    /// A link to an address by its digits, even if it has a name.
    pub(crate) fn digits(&self, address: impl Borrow<Address>) -> Html {
        let hex = self.hex(address);
        components::hash(&hex, Some(&self.urls.address(&hex)))
    }

    fn best_url(&self, address: Address) -> String {
        let hex = format!("{address:#x}");
        match self.names.contracts.get(&address) {
            Some(contract) if contract.kind == "round" => self.urls.round(hex),
            Some(contract) if contract.kind == "token" => self.urls.token(hex),
            Some(contract) if contract.kind == "wallet" => match (contract.round, contract.initiative_id) {
                (Some(round), Some(id)) => self.urls.initiative(format!("{round:#x}"), id),
                _ => self.urls.address(hex),
            },
            _ => self.urls.address(hex),
        }
    }

    /// What an address is called; accounts of citizens have no name.
    pub(crate) fn name(&self, address: Address) -> Option<Message> {
        if address.is_zero() {
            return Some(self.text("label-zero"));
        }
        if let Some(contract) = self.names.contracts.get(&address) {
            return Some(match contract.kind.as_str() {
                "municipalities" => self.text("label-municipalities"),
                "rounds" => self.text("label-rounds"),
                "issuer-keys" => self.text("label-issuer-keys"),
                "polls" => self.text("label-polls"),
                "reward-points" => self.text("label-reward-points"),
                "reward-shop" => self.text("label-reward-shop"),
                "anchors" => self.text("label-anchors"),
                "milestones" => self.text("label-milestones"),
                "round-implementation" => self.text("label-round-implementation"),
                "token-implementation" => self.text("label-token-implementation"),
                "token" => self.text("label-token").arg("symbol", contract.symbol.as_deref().unwrap_or("?")),
                "wallet" => {
                    let id = contract.initiative_id.unwrap_or_default();
                    let text = contract.initiative_content_hash.as_ref().and_then(|hash| self.names.texts.get(hash));
                    match text {
                        Some(text) => self
                            .text("label-wallet")
                            .arg("id", id)
                            .arg("title", shortened(&text.title, INITIATIVE_TITLE)),
                        None => self.text("label-wallet-untitled").arg("id", id),
                    }
                }
                _ => {
                    let id = contract.round_id.unwrap_or_default();
                    match self.names.round_of(contract) {
                        Some(text) => {
                            self.text("label-round").arg("id", id).arg("title", shortened(&text.title, ROUND_TITLE))
                        }
                        None => self.text("label-round-untitled").arg("id", id),
                    }
                }
            });
        }
        if let Some(role) = self.names.role(address, self.now()) {
            let municipality = role.municipality.as_deref().unwrap_or("?");
            return Some(self.text(role_key(&role.role)).arg("municipality", municipality));
        }
        self.names.relayers.contains(&address).then(|| self.text("label-relayer"))
    }

    /// «инициатива № 3 «Лавочки»» as a link.
    pub(crate) fn initiative(&self, round: Address, id: i32) -> Html {
        let url = self.urls.initiative(format!("{round:#x}"), id);
        Html::link(url, self.initiative_name(round, id))
    }

    /// «№ 3 «Лавочки»» as a link, for lists.
    pub(crate) fn initiative_short(&self, round: Address, id: i32) -> Html {
        let url = self.urls.initiative(format!("{round:#x}"), id);
        Html::link(
            url,
            match self.names.initiative(round, id) {
                Some(text) => {
                    self.text("initiative-short").arg("id", id).arg("title", shortened(&text.title, INITIATIVE_TITLE))
                }
                None => self.text("initiative-short-untitled").arg("id", id),
            },
        )
    }

    pub(crate) fn initiative_name(&self, round: Address, id: i32) -> Message {
        match self.names.initiative(round, id) {
            Some(text) => {
                self.text("initiative-name").arg("id", id).arg("title", shortened(&text.title, INITIATIVE_TITLE))
            }
            None => self.text("initiative-name-untitled").arg("id", id),
        }
    }

    /// A link to a transaction.
    pub(crate) fn tx(&self, hash: impl Borrow<B256>) -> Html {
        let hex = format!("{:#x}", hash.borrow());
        components::hash(&hex, Some(&self.urls.transaction(&hex)))
    }

    /// A link to a block.
    pub(crate) fn block(&self, number: impl Borrow<i64>) -> Html {
        Html::link(self.urls.block(number.borrow()), self.number(*number.borrow()))
    }

    /// A hash without a link.
    pub(crate) fn plain_hash(&self, hash: impl Borrow<B256>) -> Html {
        components::hash(&format!("{:#x}", hash.borrow()), None)
    }

    /// A hash in full.
    pub(crate) fn full_hash(&self, hash: impl Borrow<B256>) -> Html {
        components::hash_in_full(&self.page, &format!("{:#x}", hash.borrow()))
    }

    /// An address in full.
    pub(crate) fn full_address(&self, address: impl Borrow<Address>) -> Html {
        components::hash_in_full(&self.page, &self.hex(address))
    }

    /// Money with its exact value in the title.
    pub(crate) fn rubles(&self, amount: impl Borrow<Kopecks>) -> Html {
        components::money(&self.page, *amount.borrow())
    }

    /// Base units of a budget token as money.
    pub(crate) fn kopecks(&self, amount: U256) -> Html {
        self.rubles(Kopecks(u128::try_from(amount).unwrap_or(u128::MAX)))
    }

    /// An amount of a token with its symbol.
    pub(crate) fn units(
        &self,
        amount: impl Borrow<U256>,
        decimals: impl Borrow<Option<i16>>,
        symbol: impl Borrow<Option<String>>,
    ) -> Html {
        let decimals = decimals.borrow().and_then(|decimals| usize::try_from(decimals).ok()).unwrap_or(0);
        let number = format::units(self.language(), &amount.borrow().to_string(), decimals);
        let symbol = symbol.borrow().as_deref().unwrap_or_default();
        Html::trusted(format!("<span class=\"money\">{}&nbsp;{}</span>", Html::escaped(number), Html::escaped(symbol)))
    }

    /// What a transfer moved: money for budget tokens.
    pub(crate) fn transferred(&self, transfer: &Transfer) -> Html {
        if self.is_budget(transfer.token) {
            self.kopecks(transfer.amount)
        } else {
            self.units(transfer.amount, transfer.decimals, transfer.symbol.clone())
        }
    }

    /// Whether a token is the budget of a round.
    pub(crate) fn is_budget(&self, token: Address) -> bool {
        self.names.contracts.get(&token).is_some_and(|contract| contract.kind == "token")
    }

    /// Wei as the chain's own currency.
    pub(crate) fn wei(&self, amount: impl Borrow<U256>) -> Html {
        let number = format::units(self.language(), &amount.borrow().to_string(), 18);
        Html::trusted(format!(
            "<span class=\"coins\">{}&nbsp;{}</span>",
            Html::escaped(number),
            Html::escaped(&self.currency)
        ))
    }

    /// Wei as billionths.
    pub(crate) fn gwei(&self, amount: impl Borrow<U256>) -> Html {
        let number = format::units(self.language(), &amount.borrow().to_string(), 9);
        Html::trusted(format!("<span class=\"coins\">{}&nbsp;Gwei</span>", Html::escaped(number)))
    }

    /// A moment with how long ago it was.
    pub(crate) fn moment(&self, at: impl Borrow<OffsetDateTime>) -> Html {
        let at = *at.borrow();
        Html::trusted(format!(
            "{} <span class=\"muted\">({})</span>",
            self.time(at),
            Html::escaped(self.ago(at, self.now()))
        ))
    }

    /// A moment as how long ago it was, exact in the title.
    pub(crate) fn age(&self, at: impl Borrow<OffsetDateTime>) -> Html {
        let at = *at.borrow();
        Html::trusted(format!(
            "<time class=\"nowrap\" datetime=\"{}\" title=\"{}\">{}</time>",
            at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default(),
            Html::escaped(self.date_time_seconds(at)),
            Html::escaped(self.ago(at, self.now()))
        ))
    }

    /// Where a round stands.
    pub(crate) fn phase(&self, phase: impl Borrow<Phase>) -> Html {
        let phase = *phase.borrow();
        let tone = match phase {
            Phase::Draft => Tone::Neutral,
            Phase::Registration | Phase::Pledging | Phase::Tallying => Tone::Active,
            Phase::Objection => Tone::Warning,
            Phase::Settled | Phase::Closed => Tone::Good,
            Phase::Cancelled => Tone::Bad,
        };
        components::tag(tone, &self.text(phase_key(phase)))
    }

    /// Whether a transaction succeeded.
    pub(crate) fn success(&self, succeeded: impl Borrow<bool>) -> Html {
        if *succeeded.borrow() {
            components::tag(Tone::Good, &self.text("tx-succeeded"))
        } else {
            components::tag(Tone::Bad, &self.text("tx-failed"))
        }
    }
}

/// Letters of a round's title inside a sentence or a list at most.
const ROUND_TITLE: usize = 36;
/// The same of an initiative's.
const INITIATIVE_TITLE: usize = 64;

/// A title cut after a whole word where it is long.
fn shortened(title: &str, longest: usize) -> String {
    let Some((end, _)) = title.char_indices().nth(longest) else { return title.to_owned() };
    let cut = &title[..end];
    let cut = cut.rsplit_once(' ').map_or(cut, |(whole_words, _)| whole_words);
    format!("{}…", cut.trim_end_matches([',', ':', ';', '.', ' ', '—', '(']))
}

fn role_key(role: &str) -> &'static str {
    match role {
        "treasurer" => "label-role-treasurer",
        "clerk" => "label-role-clerk",
        "issuer" => "label-role-issuer",
        "controller" => "label-role-controller",
        "registrar" => "label-role-registrar",
        _ => "label-role-partner",
    }
}

/// Key of a phase's name.
pub(crate) fn phase_key(phase: Phase) -> &'static str {
    match phase {
        Phase::Draft => "phase-draft",
        Phase::Registration => "phase-registration",
        Phase::Pledging => "phase-pledging",
        Phase::Tallying => "phase-tallying",
        Phase::Objection => "phase-objection",
        Phase::Settled => "phase-settled",
        Phase::Closed => "phase-closed",
        Phase::Cancelled => "phase-cancelled",
    }
}

/// Key of a ballot kind's description.
pub(crate) fn ballot_kind_key(kind: BallotKind) -> &'static str {
    match kind {
        BallotKind::Cumulative => "ballot-kind-cumulative",
        BallotKind::Approval => "ballot-kind-approval",
    }
}

/// Key of a rule's name.
pub(crate) fn rule_key(rule: Rule) -> &'static str {
    match rule {
        Rule::EqualShares => "rule-equal-shares",
        Rule::Greedy => "rule-greedy",
    }
}

/// Key of an allotment's description.
pub(crate) fn allotment_key(allotment: Allotment) -> &'static str {
    match allotment {
        Allotment::Fixed => "allotment-fixed",
        Allotment::Equal => "allotment-equal",
    }
}

/// Key of a reason why an item of a batch had no effect, as `chain.skipped_items` names it.
pub(crate) fn skip_reason_key(reason: &str) -> &'static str {
    match reason {
        "already-registered" => "skip-already-registered",
        "funds-exhausted" => "skip-funds-exhausted",
        "not-registered" => "skip-not-registered",
        "signature-invalid" => "skip-signature-invalid",
        "version-not-higher" => "skip-version-not-higher",
        "choices-malformed" => "skip-choices-malformed",
        _ => "skip-none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_titles_end_after_a_word() {
        assert_eq!(shortened("Лавочки", 7), "Лавочки");
        let long = "Выдуманные данные: инициативные проекты города Зареченска (такого города нет), 2026";
        assert_eq!(shortened(long, ROUND_TITLE), "Выдуманные данные: инициативные…");
    }
}
