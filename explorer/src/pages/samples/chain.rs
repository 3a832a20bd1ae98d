//! Pages of blocks, transactions, addresses and tokens, and those around them.

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolError as _;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_domain::Kopecks;
use kopilka_store::chain::explorer::{Activity, Mint, Registration, RoleLine, Skipped, Supply};
use kopilka_store::chain::query::{Holder, Holding, Log, Transaction};
use kopilka_web::{Html, Page, PageLink};

use super::super::address::{self, AddressPage, Summary};
use super::super::blocks::{BlockPage, BlocksPage};
use super::super::home::HomePage;
use super::super::rounds::RoundsPage;
use super::super::rpc::RpcPage;
use super::super::search::SearchPage;
use super::super::token::{self, TokenPage};
use super::super::transaction::{TransactionPage, WaitingPage};
use super::super::transactions::TransactionsPage;
use super::Samples;
use super::rows::{
    CITIZEN, CLERK, HASH, NOON, RELAYER, ROUND, STRANGER, TOKEN, WALLET, allocate, block, head, line, logs, no_pager,
    pager, role, token_sample, transactions, transfers, words,
};
use crate::decode;
use crate::rpc::NodeTransaction;

impl Samples for HomePage {
    fn samples(page: &Page) -> Vec<Self> {
        let full = Self {
            page: page.clone(),
            w: words(page),
            head: Some(head()),
            rounds: RoundsPage::samples(page).swap_remove(1).rounds,
            blocks: vec![block(1_000), block(999)],
            transactions: transactions(),
            block_seconds: Some(1.25),
            transactions_today: 1_234,
        };
        let empty = Self {
            page: page.clone(),
            w: words(page),
            head: None,
            rounds: vec![],
            blocks: vec![],
            transactions: vec![],
            block_seconds: None,
            transactions_today: 0,
        };
        vec![full, empty]
    }
}

impl Samples for BlocksPage {
    fn samples(page: &Page) -> Vec<Self> {
        vec![
            Self { page: page.clone(), w: words(page), blocks: vec![block(5)], pager: pager(page) },
            Self { page: page.clone(), w: words(page), blocks: vec![], pager: no_pager(page) },
        ]
    }
}

impl Samples for BlockPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample = |number: i64, transactions: Vec<Transaction>| Self {
            page: page.clone(),
            w: words(page),
            block: block(number),
            head: head(),
            transactions,
            pager: no_pager(page),
        };
        vec![sample(1_000, transactions()), sample(0, vec![])]
    }
}

impl Samples for TransactionsPage {
    fn samples(page: &Page) -> Vec<Self> {
        vec![Self { page: page.clone(), w: words(page), transactions: transactions(), pager: pager(page) }]
    }
}

impl Samples for TransactionPage {
    fn samples(page: &Page) -> Vec<Self> {
        let w = words(page);
        transactions()
            .into_iter()
            .map(|tx| {
                let call = tx.to_address.and_then(|to| decode::call(&w, to, &tx.input));
                let told = |log: Log| {
                    let told = decode::event(&w, &log);
                    (log, told)
                };
                let refusal = || decode::refusal(&w, &BudgetRound::PhaseWrong { current: 1, required: 2 }.abi_encode());
                Self {
                    page: page.clone(),
                    w: w.clone(),
                    head: head(),
                    call,
                    refusal: (!tx.succeeded).then(refusal).flatten(),
                    events: logs().into_iter().map(told).collect(),
                    events_total: 300,
                    transfers: transfers(),
                    transfers_total: 200,
                    pager: pager(page),
                    tx,
                }
            })
            .collect()
    }
}

impl Samples for WaitingPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample = |block_number: Option<u64>| {
            let w = words(page);
            let tx = NodeTransaction {
                from: RELAYER,
                to: Some(ROUND),
                value: U256::ZERO,
                input: allocate().into(),
                nonce: U256::from(1),
                gas: U256::from(21_000),
                block_number: block_number.map(U256::from),
            };
            let call = decode::call(&w, ROUND, &tx.input);
            Self { page: page.clone(), w, hash: HASH, tx, call }
        };
        vec![sample(None), sample(Some(2_000))]
    }
}

fn summary(address: Address) -> Summary {
    let is_citizen = address == CITIZEN;
    let is_known = address != STRANGER;
    let registration = Registration {
        block_number: 900,
        log_index: 1,
        block_at: NOON,
        tx_hash: HASH,
        round: ROUND,
        account: CITIZEN,
        class: 0,
    };
    let holding = |token: Address, is_budget: bool| Holding {
        token,
        name: is_budget.then(|| "Zarechensk".to_owned()),
        symbol: is_budget.then(|| "ZAR26".to_owned()),
        decimals: is_budget.then_some(2),
        amount: U256::from(1_234),
    };
    Summary {
        address,
        balance: is_known.then(|| U256::from(5)),
        code_size: is_known.then_some(if is_citizen { 0 } else { 45 }),
        holdings: if is_known { vec![holding(TOKEN, true), holding(STRANGER, false)] } else { vec![] },
        activity: Activity { first_at: is_known.then_some(NOON), last_at: is_known.then_some(NOON), sent: 3 },
        creation: (address == ROUND).then_some((HASH, CLERK)),
        roles: if address == CLERK { vec![role(), RoleLine { granted: false, ..role() }] } else { vec![] },
        registrations: if is_citizen { vec![registration] } else { vec![] },
        allocations: if is_citizen { vec![line(true), line(false)] } else { vec![] },
        skipped: if is_citizen {
            let reason = "version-not-higher".to_owned();
            vec![Skipped { block_at: NOON, tx_hash: HASH, round: ROUND, kind: "allocation".to_owned(), reason }]
        } else {
            vec![]
        },
    }
}

impl Samples for AddressPage {
    fn samples(page: &Page) -> Vec<Self> {
        let w = words(page);
        let told = |log: Log| {
            let told = decode::event(&w, &log);
            (log, told)
        };
        let tabs = [
            address::Tab::Transactions(transactions()),
            address::Tab::Transfers(transfers()),
            address::Tab::Logs(logs().into_iter().map(told).collect()),
            address::Tab::Transactions(vec![]),
            address::Tab::Transfers(vec![]),
            address::Tab::Logs(vec![]),
        ];
        let link = PageLink { url: "/a".to_owned(), text: "A".to_owned(), current: true };
        [ROUND, TOKEN, WALLET, CITIZEN, CLERK, STRANGER]
            .into_iter()
            .zip(tabs)
            .map(|(address, tab)| Self {
                page: page.clone(),
                w: w.clone(),
                summary: summary(address),
                tabs: vec![link.clone()],
                tab,
                pager: pager(page),
            })
            .collect()
    }
}

impl Samples for TokenPage {
    fn samples(page: &Page) -> Vec<Self> {
        let holders =
            vec![Holder { holder: ROUND, amount: U256::from(300) }, Holder { holder: STRANGER, amount: U256::MAX }];
        let mint =
            Mint { block_at: NOON, tx_hash: HASH, treasurer: CLERK, amount: Kopecks(5), minted_total: Kopecks(7) };
        let sample = |is_budget: bool, tab: token::Tab| Self {
            page: page.clone(),
            w: words(page),
            token: token_sample(is_budget),
            supply: Supply { holders: 2, supply: U256::from(1_000) },
            mints: if is_budget { vec![mint.clone()] } else { vec![] },
            tabs: vec![],
            tab,
            pager: no_pager(page),
        };
        vec![
            sample(true, token::Tab::Transfers(transfers())),
            sample(false, token::Tab::Holders(holders)),
            sample(false, token::Tab::Holders(vec![])),
        ]
    }
}

impl Samples for SearchPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample =
            |asked: &str, hits: Vec<Html>| Self { page: page.clone(), w: words(page), asked: asked.to_owned(), hits };
        vec![
            sample("", vec![]),
            sample("\"><script>", vec![]),
            sample("benches", vec![Html::link("/a", "A & B"), words(page).initiative(ROUND, 1)]),
        ]
    }
}

impl Samples for RpcPage {
    fn samples(page: &Page) -> Vec<Self> {
        vec![Self { page: page.clone(), url: "/api/eth-rpc".to_owned(), methods: vec!["eth_call"], batch: 100 }]
    }
}
