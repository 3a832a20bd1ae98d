//! Rows as the store reads them, and what pages are made with.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall as _, SolEvent as _};
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_domain::{Allotment, BallotKind, Kopecks, Phase, Rule};
use kopilka_store::chain::explorer::{AllocationLine, KnownContract, RoleLine};
use kopilka_store::chain::query::{Block, Head, Log, Transaction, Transfer};
use kopilka_store::chain::rounds::{Initiative, Round, Token};
use kopilka_web::Page;
use kopilka_web::components::Pager;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::names::Names;
use crate::texts::{Document, Texts};
use crate::words::Words;

pub(super) const NOON: OffsetDateTime = datetime!(2026-11-22 09:00 UTC);
pub(super) const ROUND: Address = Address::repeat_byte(0x11);
pub(super) const TOKEN: Address = Address::repeat_byte(0x22);
pub(super) const WALLET: Address = Address::repeat_byte(0x33);
pub(super) const CITIZEN: Address = Address::repeat_byte(0x44);
pub(super) const RELAYER: Address = Address::repeat_byte(0x55);
pub(super) const CLERK: Address = Address::repeat_byte(0x66);
pub(super) const STRANGER: Address = Address::repeat_byte(0x77);
pub(super) const HASH: B256 = B256::repeat_byte(0x88);
pub(super) const ROUND_TEXT: B256 = B256::repeat_byte(0x90);
pub(super) const INITIATIVE_TEXT: B256 = B256::repeat_byte(0x91);

pub(super) fn known(address: Address, kind: &str, id: Option<i32>) -> KnownContract {
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

pub(super) fn role() -> RoleLine {
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
pub(super) fn names() -> Names {
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

pub(super) fn words(page: &Page) -> Words {
    Words::sample(page, names())
}

pub(super) fn no_pager(page: &Page) -> Pager {
    Pager::new(page, None, None)
}

pub(super) fn pager(page: &Page) -> Pager {
    Pager::new(page, Some("/first".to_owned()), Some("/next?after=1-2&x=y".to_owned()))
}

pub(super) fn block(number: i64) -> Block {
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

pub(super) fn head() -> Head {
    Head {
        indexed_block: Some(1_000),
        indexed_block_at: Some(NOON),
        node_block: 1_010,
        finalized_block: Some(990),
        reorgs: 0,
        updated_at: NOON,
    }
}

pub(super) fn transaction(to: Option<Address>, input: Vec<u8>, succeeded: bool) -> Transaction {
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

pub(super) fn register() -> Vec<u8> {
    let accounts = vec![CITIZEN; 20];
    BudgetRound::registerCall { class: 0, accounts, signatures: Bytes::new() }.abi_encode()
}

pub(super) fn allocate() -> Vec<u8> {
    let allocation =
        IBudgetRound::Allocation { account: CITIZEN, version: 2, initiatives: vec![1, 2], points: vec![4, 6] };
    let empty = IBudgetRound::Allocation { account: CITIZEN, version: 3, initiatives: vec![], points: vec![] };
    BudgetRound::allocateCall { allocations: vec![allocation, empty], signatures: Bytes::new() }.abi_encode()
}

pub(super) fn transactions() -> Vec<Transaction> {
    vec![
        transaction(Some(ROUND), register(), true),
        transaction(Some(ROUND), allocate(), false),
        transaction(None, vec![1, 2, 3], true),
        transaction(Some(STRANGER), vec![], true),
        transaction(Some(STRANGER), vec![1, 2, 3, 4], true),
    ]
}

pub(super) fn transfer(token: Address, from: Address, to: Address) -> Transfer {
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

pub(super) fn transfers() -> Vec<Transfer> {
    vec![transfer(TOKEN, Address::ZERO, TOKEN), transfer(TOKEN, CITIZEN, WALLET), transfer(STRANGER, STRANGER, CITIZEN)]
}

pub(super) fn log(address: Address, topics: &[B256], data: Bytes) -> Log {
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

pub(super) fn logs() -> Vec<Log> {
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

pub(super) fn round(phase: Phase, kind: BallotKind, rule: Rule) -> Round {
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

pub(super) fn initiatives(won: Option<bool>) -> Vec<Initiative> {
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

pub(super) fn token_sample(is_budget: bool) -> Token {
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

pub(super) fn line(current: bool) -> AllocationLine {
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
