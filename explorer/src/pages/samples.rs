//! Samples of every page, rendered in every language and view.

use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::{SolCall as _, SolError as _, SolEvent as _};
use askama::Template;
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_domain::settlement::{self, Ballot, Candidate, Election};
use kopilka_domain::{
    Account, Allocation, Allotment, BallotKind, Completion, InitiativeId, Kopecks, Phase, Points, Rule,
};
use kopilka_store::chain::explorer::{
    Activity, AllocationLine, KnownContract, Mint, PhaseChange, Registration, RoleLine, Skipped, Supply,
};
use kopilka_store::chain::query::{Block, Head, Holder, Holding, Log, Transaction, Transfer};
use kopilka_store::chain::rounds::{Class, Initiative, Payment, Round, Settlement, Token};
use kopilka_web::components::Pager;
use kopilka_web::preferences::Preferences;
use kopilka_web::{Assets, Html, Language, Locales, NavItem, Page, PageLink, Site};
use time::OffsetDateTime;
use time::macros::datetime;

use super::address::{AddressPage, Summary};
use super::allocations::AllocationsPage;
use super::blocks::{BlockPage, BlocksPage};
use super::home::HomePage;
use super::initiative::InitiativePage;
use super::result::ResultPage;
use super::round::RoundPage;
use super::rounds::{RoundCard, RoundsPage};
use super::rpc::RpcPage;
use super::search::SearchPage;
use super::token::TokenPage;
use super::transaction::{TransactionPage, WaitingPage};
use super::transactions::TransactionsPage;
use super::{address, markup, token};
use crate::decode;
use crate::names::Names;
use crate::rpc::NodeTransaction;
use crate::texts::{Document, Texts};
use crate::words::Words;

const NOON: OffsetDateTime = datetime!(2026-11-22 09:00 UTC);
const ROUND: Address = Address::repeat_byte(0x11);
const TOKEN: Address = Address::repeat_byte(0x22);
const WALLET: Address = Address::repeat_byte(0x33);
const CITIZEN: Address = Address::repeat_byte(0x44);
const RELAYER: Address = Address::repeat_byte(0x55);
const CLERK: Address = Address::repeat_byte(0x66);
const STRANGER: Address = Address::repeat_byte(0x77);
const HASH: B256 = B256::repeat_byte(0x88);
const ROUND_TEXT: B256 = B256::repeat_byte(0x90);
const INITIATIVE_TEXT: B256 = B256::repeat_byte(0x91);

/// A page type with pages of every kind it can show.
trait Samples: Template + Sized {
    fn samples(page: &Page) -> Vec<Self>;
}

fn site() -> Arc<Site> {
    Arc::new(Site {
        name_key: "site-name",
        about_key: "site-about",
        locales: Arc::new(
            Locales::new(include_str!("../../locales/ru.ftl"), include_str!("../../locales/en.ftl")).unwrap(),
        ),
        assets: Assets::embedded(),
        nav: vec![NavItem { key: "menu-rounds", url: "/rounds".to_owned() }],
        footer: vec![NavItem { key: "menu-rpc", url: "/api/eth-rpc".to_owned() }],
        offset: time::UtcOffset::from_hms(3, 0, 0).unwrap(),
        secure: false,
        policy: kopilka_web::ContentPolicy::default(),
    })
}

fn known(address: Address, kind: &str, id: Option<i32>) -> KnownContract {
    KnownContract {
        address,
        kind: kind.to_owned(),
        round: Some(ROUND),
        round_id: Some(7),
        round_content_hash: Some(ROUND_TEXT),
        initiative_id: id,
        initiative_content_hash: id.map(|_| INITIATIVE_TEXT),
        symbol: (kind == "token").then(|| "ZAR26".to_owned()),
    }
}

fn role() -> RoleLine {
    RoleLine {
        municipality_id: 1,
        municipality: Some("Zarechensk".to_owned()),
        role: "clerk".to_owned(),
        account: CLERK,
        granted: true,
        valid_from: Some(NOON - time::Duration::DAY),
        valid_until: Some(NOON + time::Duration::days(4_000)),
    }
}

/// Names with a markup character in a published title, which must be escaped wherever it stands.
fn names() -> Names {
    let title = |title: &str| Document {
        title: title.to_owned(),
        description: "First line.\n\nSecond <b>line</b>.".to_owned(),
        place: Some("Mira street, 5".to_owned()),
    };
    Names {
        contracts: [(ROUND, "round", None), (TOKEN, "token", None), (WALLET, "wallet", Some(1))]
            .into_iter()
            .map(|(address, kind, id)| (address, known(address, kind, id)))
            .collect(),
        citizens: [(CITIZEN, ROUND)].into(),
        roles: [(CLERK, vec![role()])].into(),
        relayers: [RELAYER].into(),
        initiatives: [((ROUND, 1), INITIATIVE_TEXT)].into(),
        texts: Texts::of([(ROUND_TEXT, title("Yards <2026>")), (INITIATIVE_TEXT, title("Benches & \"lamps\""))]),
    }
}

fn words(page: &Page) -> Words {
    Words::sample(page, names())
}

fn no_pager(page: &Page) -> Pager {
    Pager::new(page, None, None)
}

fn pager(page: &Page) -> Pager {
    Pager::new(page, Some("/first".to_owned()), Some("/next?after=1-2&x=y".to_owned()))
}

fn block(number: i64) -> Block {
    Block {
        number,
        hash: HASH,
        parent_hash: HASH,
        block_at: NOON,
        miner: STRANGER,
        gas_used: 12_345_678,
        gas_limit: 30_000_000,
        base_fee: Some(U256::from(7_000_000_000_u64)),
        size: 1_234,
        tx_count: 2,
        logs_count: 3,
    }
}

fn head() -> Head {
    Head {
        indexed_block: Some(1_000),
        indexed_block_at: Some(NOON),
        node_block: 1_010,
        finalized_block: Some(990),
        reorgs: 0,
        updated_at: NOON,
    }
}

fn transaction(to: Option<Address>, input: Vec<u8>, succeeded: bool) -> Transaction {
    let input = Bytes::from(input);
    Transaction {
        block_number: 1_000,
        tx_index: 0,
        block_at: NOON,
        hash: HASH,
        from_address: RELAYER,
        to_address: to,
        created_contract: to.is_none().then_some(STRANGER),
        value: U256::from(10).pow(U256::from(18)),
        method: (input.len() >= 4).then(|| input.slice(..4)),
        input,
        nonce: 3,
        tx_type: 2,
        gas: 1_000_000,
        gas_price: U256::from(1_500_000_000_u64),
        gas_used: 900_000,
        cumulative_gas_used: 900_000,
        succeeded,
        logs_count: 1,
    }
}

fn register() -> Vec<u8> {
    let accounts = vec![CITIZEN; 20];
    BudgetRound::registerCall { class: 0, accounts, signatures: Bytes::new() }.abi_encode()
}

fn allocate() -> Vec<u8> {
    let allocation =
        IBudgetRound::Allocation { account: CITIZEN, version: 2, initiatives: vec![1, 2], points: vec![4, 6] };
    let empty = IBudgetRound::Allocation { account: CITIZEN, version: 3, initiatives: vec![], points: vec![] };
    BudgetRound::allocateCall { allocations: vec![allocation, empty], signatures: Bytes::new() }.abi_encode()
}

fn transactions() -> Vec<Transaction> {
    vec![
        transaction(Some(ROUND), register(), true),
        transaction(Some(ROUND), allocate(), false),
        transaction(None, vec![1, 2, 3], true),
        transaction(Some(STRANGER), vec![], true),
        transaction(Some(STRANGER), vec![1, 2, 3, 4], true),
    ]
}

fn transfer(token: Address, from: Address, to: Address) -> Transfer {
    Transfer {
        block_number: 1_000,
        log_index: 4,
        block_at: NOON,
        tx_hash: HASH,
        tx_index: 0,
        token,
        from_address: from,
        to_address: to,
        amount: U256::from(123_456),
        symbol: Some("ZAR26".to_owned()),
        decimals: Some(2),
    }
}

fn transfers() -> Vec<Transfer> {
    vec![transfer(TOKEN, Address::ZERO, TOKEN), transfer(TOKEN, CITIZEN, WALLET), transfer(STRANGER, STRANGER, CITIZEN)]
}

fn log(address: Address, topics: &[B256], data: Bytes) -> Log {
    let topic = |place: usize| topics.get(place).copied();
    Log {
        block_number: 1_000,
        log_index: 5,
        block_hash: HASH,
        tx_hash: HASH,
        tx_index: 0,
        address,
        topic0: topic(0),
        topic1: topic(1),
        topic2: topic(2),
        topic3: topic(3),
        data,
    }
}

fn logs() -> Vec<Log> {
    let encoded = |data: alloy::primitives::LogData| log(ROUND, data.topics(), data.data.clone());
    vec![
        encoded(BudgetRound::Registered { account: CITIZEN, class: 0 }.encode_log_data()),
        encoded(
            BudgetRound::AllocationRecorded { account: CITIZEN, version: 1, initiatives: vec![1], points: vec![10] }
                .encode_log_data(),
        ),
        encoded(BudgetRound::AllocationSkipped { account: CITIZEN, version: 1, reason: 5 }.encode_log_data()),
        encoded(BudgetRound::PhaseChanged { phase: 2 }.encode_log_data()),
        encoded(
            BudgetRound::SettlementProposed {
                proposer: STRANGER,
                winners: vec![1],
                transcriptDigest: HASH,
                totalCost: U256::from(5_000_000),
                finalAt: 1_800_000_000,
            }
            .encode_log_data(),
        ),
        log(STRANGER, &[HASH], Bytes::from(vec![1, 2, 3])),
        log(STRANGER, &[], Bytes::new()),
    ]
}

fn round(phase: Phase, kind: BallotKind, rule: Rule) -> Round {
    let began = |step: Phase| (phase >= step).then_some(NOON);
    Round {
        address: ROUND,
        round_id: 7,
        municipality_id: 1,
        municipality_name: "Zarechensk".to_owned(),
        token: TOKEN,
        ballot_kind: kind,
        allotment: if kind == BallotKind::Cumulative { Allotment::Equal } else { Allotment::Fixed },
        rule,
        completion_raise: true,
        completion_fill: rule == Rule::EqualShares,
        share_points: if kind == BallotKind::Cumulative { 10 } else { 0 },
        threshold: if rule == Rule::Greedy { 3 } else { 0 },
        fixed_amount: Kopecks(100_000),
        registration_until: NOON,
        pledging_until: NOON,
        objection_period_seconds: 5_400,
        content_hash: ROUND_TEXT,
        created_at: NOON,
        tx_hash: HASH,
        block_number: 10,
        phase,
        registration_at: began(Phase::Registration),
        pledging_at: began(Phase::Pledging),
        tallying_at: began(Phase::Tallying),
        objection_at: began(Phase::Objection),
        settled_at: began(Phase::Settled),
        closed_at: began(Phase::Closed),
        cancelled_at: began(Phase::Cancelled),
        budget: began(Phase::Pledging).map(|_| Kopecks(30_000_000)),
        total_weight: began(Phase::Pledging).map(|_| 3),
        registered: 3,
        issued: 4,
        allocated: 2,
        minted: Kopecks(30_000_000),
        paid: Kopecks(0),
        returned: Kopecks(0),
    }
}

fn initiatives(won: Option<bool>) -> Vec<Initiative> {
    let initiative = |id: i32, cost: u128, pledged: u128| Initiative {
        round: ROUND,
        initiative_id: id,
        cost: Kopecks(cost),
        content_hash: if id == 1 { INITIATIVE_TEXT } else { HASH },
        wallet: WALLET,
        supporters: i64::from(id) - 1,
        points: 4,
        balance: Kopecks(pledged),
        pledged: Kopecks(pledged),
        won: won.map(|won| won == (id == 1)),
        funded: won.map(|_| Kopecks(cost)),
        paid: Kopecks(100),
        tx_hash: HASH,
    };
    vec![initiative(1, 5_000_000, 7_500_050), initiative(2, 20_000_000, 1), initiative(3, 1_000, 1_000)]
}

fn token_sample(is_budget: bool) -> Token {
    Token {
        address: TOKEN,
        round: is_budget.then_some(ROUND),
        name: is_budget.then(|| "Zarechensk 2026".to_owned()),
        symbol: is_budget.then(|| "ZAR26".to_owned()),
        decimals: is_budget.then_some(2),
        appropriation_amount: is_budget.then_some(Kopecks(50_000_000)),
        fiscal_year: is_budget.then_some(2026),
        kbk: is_budget.then(|| "90105031234567890244".to_owned()),
        document_hash: is_budget.then_some(HASH),
        document_uri: is_budget.then(|| "javascript:alert(1)".to_owned()),
        minted: Kopecks(30_000_000),
        paid: Kopecks(0),
        returned: Kopecks(0),
        block_number: 10,
    }
}

fn line(current: bool) -> AllocationLine {
    AllocationLine {
        block_number: 1_000,
        log_index: 7,
        block_at: NOON,
        tx_hash: HASH,
        round: ROUND,
        account: CITIZEN,
        version: 2,
        initiatives: if current { vec![1, 2] } else { vec![] },
        points: if current { vec![4, 6] } else { vec![] },
        current,
    }
}

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

impl Samples for RoundsPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample = |phases: &[Phase]| Self {
            page: page.clone(),
            w: words(page),
            rounds: phases
                .iter()
                .map(|phase| RoundCard {
                    round: round(*phase, BallotKind::Cumulative, Rule::EqualShares),
                    text: names().texts.get(&ROUND_TEXT).cloned().filter(|_| *phase != Phase::Draft),
                    in_wallets: Kopecks(12_345_678),
                })
                .collect(),
            pager: no_pager(page),
        };
        vec![sample(&[]), sample(Phase::ALL)]
    }
}

impl Samples for RoundPage {
    fn samples(page: &Page) -> Vec<Self> {
        Phase::ALL
            .iter()
            .map(|phase| {
                let is_draft = *phase == Phase::Draft;
                let (kind, rule) = if is_draft {
                    (BallotKind::Approval, Rule::Greedy)
                } else {
                    (BallotKind::Cumulative, Rule::EqualShares)
                };
                let class = Class { class: 0, weight: 1, issuer_key: vec![7; 256].into(), registered: 3, issued: 4 };
                Self {
                    page: page.clone(),
                    w: words(page),
                    round: round(*phase, kind, rule),
                    text: names().texts.get(&ROUND_TEXT).cloned().filter(|_| !is_draft),
                    token: (!is_draft).then(|| token_sample(true)),
                    classes: if is_draft { vec![] } else { vec![class] },
                    initiatives: if is_draft {
                        vec![]
                    } else {
                        initiatives((*phase >= Phase::Settled).then_some(true))
                    },
                    changes: vec![PhaseChange { phase: *phase, changed_at: NOON, tx_hash: HASH }],
                    skipped: 1,
                    portal_url: (!is_draft).then(|| "https://portal.example/rounds/0x1".to_owned()),
                }
            })
            .collect()
    }
}

impl Samples for InitiativePage {
    fn samples(page: &Page) -> Vec<Self> {
        let payment = Payment {
            initiative_id: 1,
            amount: Kopecks(5_000),
            payment_reference: HASH,
            document_hash: HASH,
            paid_at: NOON,
            block_number: 9,
            tx_hash: HASH,
        };
        [None, Some(true), Some(false)]
            .into_iter()
            .flat_map(initiatives)
            .map(|initiative| Self {
                page: page.clone(),
                w: words(page),
                round: round(Phase::Pledging, BallotKind::Cumulative, Rule::EqualShares),
                text: names().texts.get(&initiative.content_hash).cloned(),
                payments: if initiative.won == Some(true) { vec![payment.clone()] } else { vec![] },
                transfers: if initiative.won.is_some() { transfers() } else { vec![] },
                pager: no_pager(page),
                portal_url: Some("https://portal.example".to_owned()),
                initiative,
            })
            .collect()
    }
}

impl Samples for AllocationsPage {
    fn samples(page: &Page) -> Vec<Self> {
        let sample = |rows: Vec<AllocationLine>| Self {
            page: page.clone(),
            w: words(page),
            round: round(Phase::Pledging, BallotKind::Cumulative, Rule::EqualShares),
            rows,
            pager: pager(page),
        };
        vec![sample(vec![line(true), line(false)]), sample(vec![])]
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

/// An election in which initiatives win and lose in all ways.
fn election(kind: BallotKind, rule: Rule) -> Election {
    let initiative = |id: u16, rubles: u128| Candidate { id: InitiativeId(id), cost: Kopecks(rubles * 100) };
    let ballot = |account: u8, ids: &[u16]| Ballot {
        account: Account([account; 20]),
        weight: 1,
        allocation: match kind {
            BallotKind::Approval => Allocation::approval(ids.iter().map(|id| InitiativeId(*id))),
            BallotKind::Cumulative => Allocation::cumulative(ids.iter().map(|id| (InitiativeId(*id), Points(2)))),
        },
    };
    Election {
        budget: Kopecks(100_000),
        kind,
        rule,
        completion: Completion::FULL,
        threshold: 2,
        share_points: Points(if kind == BallotKind::Cumulative { 10 } else { 0 }),
        initiatives: vec![
            initiative(1, 400),
            initiative(2, 500),
            initiative(3, 300),
            initiative(4, 2_000),
            initiative(5, 10),
        ],
        ballots: vec![ballot(1, &[1, 2]), ballot(2, &[1, 2]), ballot(3, &[2, 3]), ballot(4, &[3, 4]), ballot(5, &[4])],
    }
}

impl Samples for ResultPage {
    fn samples(page: &Page) -> Vec<Self> {
        let word = |kind: &str, winners: Vec<i32>, digest: B256| Settlement {
            kind: kind.to_owned(),
            happened_at: NOON,
            winners: (kind != "withdrawn").then_some(winners),
            transcript_digest: digest,
            total_cost: Some(Kopecks(90_000)),
            final_at: (kind == "proposed").then_some(NOON + time::Duration::days(4_000)),
            returned: (kind == "final").then_some(Kopecks(10_000)),
            block_number: 9,
            tx_hash: HASH,
        };
        let sample =
            |phase: Phase, kind: BallotKind, rule: Rule, history: &dyn Fn(Vec<i32>, B256) -> Vec<Settlement>| {
                let outcome =
                    (phase != Phase::Pledging).then(|| Arc::new(settlement::settle(&election(kind, rule)).unwrap()));
                let (winners, digest) = outcome.as_ref().map_or((vec![], HASH), |outcome| {
                    let winners = outcome.winner_ids().iter().map(|id| i32::from(id.0)).collect();
                    (winners, B256::from(outcome.transcript.digest()))
                });
                Self {
                    page: page.clone(),
                    w: words(page),
                    round: round(phase, kind, rule),
                    outcome,
                    history: history(winners, digest),
                    rpc_url: "/api/eth-rpc".to_owned(),
                    chain_id: Some(31_337),
                }
            };
        let (shares, greedy) = (Rule::EqualShares, Rule::Greedy);
        vec![
            sample(Phase::Pledging, BallotKind::Approval, shares, &|_, _| vec![]),
            sample(Phase::Tallying, BallotKind::Approval, greedy, &|winners, digest| {
                vec![word("withdrawn", winners, digest)]
            }),
            sample(Phase::Objection, BallotKind::Cumulative, shares, &|winners, digest| {
                vec![word("proposed", winners, digest)]
            }),
            sample(Phase::Settled, BallotKind::Approval, shares, &|_, _| {
                vec![word("final", vec![4], keccak256(b"wrong"))]
            }),
        ]
    }
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
