//! An address: who or what it is, what it holds, what it did.

use alloy::primitives::{Address, B256, U256};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use kopilka_store::chain::explorer::{self, Activity, AllocationLine, Registration, RoleLine, Skipped};
use kopilka_store::chain::query::{self, Holding, Log, Transaction, Transfer};
use kopilka_web::components::Pager;
use kopilka_web::{Html, Page, PageLink, Rendered, WebResult};
use sqlx::PgConnection;

use super::{in_transactions, in_transfers};
use crate::decode::{self, Told};
use crate::names::{Names, candidates};
use crate::paging::{After, FETCH, cut, to_text};
use crate::state::{Explorer, parse_address};
use crate::words::{Words, skip_reason_key};

/// Tokens shown.
const HOLDINGS: i64 = 50;

/// What stands above the tabs.
pub(super) struct Summary {
    pub(super) address: Address,
    /// Wei; none when the node is away.
    pub(super) balance: Option<U256>,
    /// Bytes of code; none when the node is away.
    pub(super) code_size: Option<usize>,
    pub(super) holdings: Vec<Holding>,
    pub(super) activity: Activity,
    pub(super) creation: Option<(B256, Address)>,
    pub(super) roles: Vec<RoleLine>,
    pub(super) registrations: Vec<Registration>,
    pub(super) allocations: Vec<AllocationLine>,
    pub(super) skipped: Vec<Skipped>,
}

impl Summary {
    async fn load(explorer: &Explorer, connection: &mut PgConnection, address: Address) -> WebResult<Self> {
        let (balance, code_size) =
            futures::future::join(explorer.node.balance(address), explorer.node.code_size(address)).await;
        Ok(Self {
            address,
            balance,
            code_size,
            holdings: query::holdings(connection, address, HOLDINGS).await?,
            activity: explorer::activity(connection, address).await?,
            creation: explorer::creation(connection, address).await?,
            roles: explorer::roles(connection, &[address]).await?,
            registrations: explorer::account_registrations(connection, address).await?,
            allocations: explorer::account_allocations(connection, address).await?,
            skipped: explorer::account_skipped(connection, address).await?,
        })
    }

    /// Addresses whose names the summary shows.
    fn addresses(&self) -> Vec<Address> {
        let creator = self.creation.map(|(_, creator)| creator);
        let rounds = self.registrations.iter().map(|registration| registration.round);
        let tokens = self.holdings.iter().map(|holding| holding.token);
        let skipped = self.skipped.iter().map(|item| item.round);
        [self.address].into_iter().chain(creator).chain(rounds).chain(tokens).chain(skipped).collect()
    }

    fn is_citizen(&self) -> bool {
        !self.registrations.is_empty()
    }

    fn is_contract(&self) -> bool {
        self.code_size.is_some_and(|size| size > 0) || self.creation.is_some()
    }

    /// Whether nothing is known of it at all.
    fn is_unused(&self) -> bool {
        self.activity.first_at.is_none()
            && self.holdings.is_empty()
            && self.balance.is_none_or(|balance| balance.is_zero())
            && !self.is_contract()
            && self.roles.is_empty()
    }
}

/// What is below the tabs.
pub(super) enum Tab {
    Transactions(Vec<Transaction>),
    Transfers(Vec<Transfer>),
    Logs(Vec<(Log, Told)>),
}

#[derive(Template)]
#[template(path = "pages/address.html")]
pub(super) struct AddressPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) summary: Summary,
    pub(super) tabs: Vec<PageLink>,
    pub(super) tab: Tab,
    pub(super) pager: Pager,
}

impl AddressPage {
    /// «Анонимный аккаунт жителя», «Контракт», or the address's own name.
    fn title(&self) -> String {
        if let Some(name) = self.w.name(self.summary.address) {
            return name.to_string();
        }
        let key = match () {
            () if self.summary.is_citizen() => "address-citizen",
            () if self.summary.is_contract() => "address-contract",
            () => "address-account",
        };
        self.page.text(key).to_string()
    }

    fn holding(&self, holding: &Holding) -> Html {
        if self.w.is_budget(holding.token) {
            self.w.kopecks(holding.amount)
        } else {
            self.w.units(holding.amount, holding.decimals, holding.symbol.clone())
        }
    }

    fn round_url(&self) -> Option<String> {
        let contract = self.w.names.contracts.get(&self.summary.address)?;
        let hex = format!("{:#x}", contract.round?);
        match (contract.kind.as_str(), contract.initiative_id) {
            ("round", _) => Some(self.w.urls.round(hex)),
            ("token", _) => Some(self.w.urls.token(self.w.hex(self.summary.address))),
            ("wallet", Some(id)) => Some(self.w.urls.initiative(hex, id)),
            _ => None,
        }
    }

    fn allocation(&self, line: &AllocationLine) -> Html {
        super::allocations::sentence(&self.w, line)
    }

    fn role_key(&self, role: &RoleLine) -> &'static str {
        match role.role.as_str() {
            "treasurer" => "role-treasurer",
            "clerk" => "role-clerk",
            "issuer" => "role-issuer",
            "controller" => "role-controller",
            "registrar" => "role-registrar",
            _ => "role-partner",
        }
    }

    fn skip_key(&self, item: &Skipped) -> &'static str {
        skip_reason_key(&item.reason)
    }
}

fn tabs(page: &Page, explorer: &Explorer, address: Address, current: usize) -> Vec<PageLink> {
    let hex = format!("{address:#x}");
    let links = [
        ("tab-transactions", explorer.urls.address(&hex)),
        ("tab-transfers", explorer.urls.address_transfers(&hex)),
        ("tab-events", explorer.urls.address_logs(&hex)),
    ];
    let link = |(place, (key, url)): (usize, (&str, String))| PageLink {
        url,
        text: page.text(key).to_string(),
        current: place == current,
    };
    links.into_iter().enumerate().map(link).collect()
}

pub(crate) async fn address(
    page: Page,
    State(explorer): State<Explorer>,
    Path(address): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let address = parse_address(&address)?;
    let mut connection = explorer.connection().await?;
    let summary = Summary::load(&explorer, &mut connection, address).await?;
    let mut rows = query::address_transactions(&mut connection, address, after.position(), FETCH).await?;
    let url = explorer.urls.address(format!("{address:#x}"));
    let next = cut(&mut rows, |tx| to_text(tx.position())).map(|after| format!("{url}?after={after}"));
    let names = Names::load(&mut connection, in_transactions(&rows).chain(summary.addresses()).collect()).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    let tabs = tabs(&page, &explorer, address, 0);
    Ok(Rendered(AddressPage { page, w, summary, tabs, tab: Tab::Transactions(rows), pager }))
}

pub(crate) async fn transfers(
    page: Page,
    State(explorer): State<Explorer>,
    Path(address): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let address = parse_address(&address)?;
    let mut connection = explorer.connection().await?;
    let summary = Summary::load(&explorer, &mut connection, address).await?;
    let mut rows = query::address_transfers(&mut connection, address, after.position(), FETCH).await?;
    let url = explorer.urls.address_transfers(format!("{address:#x}"));
    let next = cut(&mut rows, |transfer| to_text(transfer.position())).map(|after| format!("{url}?after={after}"));
    let names = Names::load(&mut connection, in_transfers(&rows).chain(summary.addresses()).collect()).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    let tabs = tabs(&page, &explorer, address, 1);
    Ok(Rendered(AddressPage { page, w, summary, tabs, tab: Tab::Transfers(rows), pager }))
}

pub(crate) async fn logs(
    page: Page,
    State(explorer): State<Explorer>,
    Path(address): Path<String>,
    Query(after): Query<After>,
) -> WebResult<impl IntoResponse> {
    let address = parse_address(&address)?;
    let mut connection = explorer.connection().await?;
    let summary = Summary::load(&explorer, &mut connection, address).await?;
    let mut rows = query::address_logs(&mut connection, address, after.position(), FETCH).await?;
    let url = explorer.urls.address_logs(format!("{address:#x}"));
    let next = cut(&mut rows, |log| to_text(log.position())).map(|after| format!("{url}?after={after}"));
    let named = rows.iter().flat_map(|log| {
        let in_topics: Vec<_> =
            log.topics().iter().flat_map(|topic| candidates(topic.as_slice()).collect::<Vec<_>>()).collect();
        in_topics.into_iter().chain(candidates(&log.data))
    });
    let named: Vec<_> = named.chain(summary.addresses()).collect();
    let names = Names::load(&mut connection, named).await?;
    let pager = Pager::new(&page, (!after.is_first()).then_some(url), next);
    let w = Words::new(&page, &explorer, names);
    let rows = rows
        .into_iter()
        .map(|log| {
            let told = decode::event(&w, &log);
            (log, told)
        })
        .collect();
    let tabs = tabs(&page, &explorer, address, 2);
    Ok(Rendered(AddressPage { page, w, summary, tabs, tab: Tab::Logs(rows), pager }))
}
