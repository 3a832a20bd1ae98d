//! An explorer over a database filled as the indexer fills it: an invented town with a settled round and one in which
//! citizens still choose.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::SolCall as _;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_bindings::deploy::Deployment;
use kopilka_domain::settlement::{self, Ballot, Candidate, Election, Outcome};
use kopilka_domain::{Account, Allocation, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};
use kopilka_explorer::Config;
use kopilka_store::chain::rows::{
    AllocationRow, BlockRow, ClassRow, ContractRow, InitiativeRow, IssuedRow, LogRow, MintRow, MunicipalityRow,
    PaymentRow, PhaseRow, PledgingOpeningRow, RegistrationRow, ResultRow, RoleRow, RoundRow, Rows, SettlementRow,
    SkippedRow, TokenRow, TransactionRow, TransferRow, UnixTime,
};
use kopilka_store::chain::state::{self, Meta};
use kopilka_store::chain::write::write_range;
use kopilka_store::portal;
use kopilka_testkit::TestDatabase;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use url::Url;

/// The settled round.
pub(crate) const SETTLED: Address = Address::repeat_byte(0xa1);
/// The round in which citizens still choose.
pub(crate) const OPEN: Address = Address::repeat_byte(0xb1);
/// Token of the settled round.
pub(crate) const TOKEN: Address = Address::repeat_byte(0xa2);
/// The relayer.
pub(crate) const RELAYER: Address = Address::repeat_byte(0xc1);
/// A treasurer.
pub(crate) const TREASURER: Address = Address::repeat_byte(0xc2);
/// An address that nobody has used.
pub(crate) const UNUSED: Address = Address::repeat_byte(0xee);

const TOWN: u64 = 1;
const START: u64 = 1_790_000_000;
/// Blocks that are indexed: 0 to this one.
pub(crate) const TIP: u64 = 40;

/// Text of the settled round.
pub(crate) const ROUND_TEXT: &str = r#"{"kind":"round","title":"Дворы Заречья","description":"Первый раунд."}"#;
/// Text of its first initiative.
pub(crate) const BENCHES_TEXT: &str =
    r#"{"kind":"initiative","title":"Лавочки","description":"Десять лавочек.","place":"ул. Мира"}"#;

/// Address of a citizen's account.
pub(crate) fn citizen(number: u8) -> Address {
    Address::repeat_byte(0x10 + number)
}

/// Wallet of an initiative.
pub(crate) fn wallet(round: Address, id: u8) -> Address {
    Address::repeat_byte(round[0] + 4 + id)
}

/// Hash of the transaction of a block.
pub(crate) fn tx_hash(block: u64) -> B256 {
    keccak256(format!("tx {block}"))
}

/// Hash of a block.
pub(crate) fn block_hash(block: u64) -> B256 {
    keccak256(format!("block {block}"))
}

/// The election of the settled round.
pub(crate) fn election() -> Election {
    let initiative = |id: u16, rubles: u128| Candidate { id: InitiativeId(id), cost: Kopecks(rubles * 100) };
    let ballot = |number: u8, choices: &[(u16, u16)]| Ballot {
        account: Account(citizen(number).0.0),
        weight: 1,
        allocation: Allocation::cumulative(choices.iter().map(|(id, points)| (InitiativeId(*id), Points(*points)))),
    };
    Election {
        budget: Kopecks(100_000),
        kind: BallotKind::Cumulative,
        rule: Rule::EqualShares,
        completion: Completion::FULL,
        threshold: 0,
        share_points: Points(10),
        initiatives: vec![initiative(1, 400), initiative(2, 500), initiative(3, 300)],
        ballots: vec![
            ballot(1, &[(1, 4), (2, 6)]),
            ballot(2, &[(1, 5), (2, 5)]),
            ballot(3, &[(2, 10)]),
            ballot(4, &[(3, 1)]),
        ],
    }
}

/// An explorer with its database.
pub(crate) struct Fixture {
    pub(crate) pool: PgPool,
    pub(crate) router: Router,
    pub(crate) outcome: Outcome,
    _assets: tempfile::TempDir,
    _cancel: tokio_util::sync::DropGuard,
}

impl Fixture {
    /// A node that nobody answers for: pages must do without it.
    pub(crate) async fn without_node() -> Self {
        Self::start(Url::parse("http://127.0.0.1:9").unwrap()).await
    }

    pub(crate) async fn start(rpc_url: Url) -> Self {
        let database = TestDatabase::create().await.unwrap();
        let outcome = settlement::settle(&election()).unwrap();
        fill(&database.pool, &outcome).await.unwrap();
        let assets = tempfile::tempdir().unwrap();
        for name in ["explorer.js", "explorer-result.js", "explorer-recount.js"] {
            std::fs::write(assets.path().join(name), "// a script").unwrap();
        }
        let cancel = CancellationToken::new();
        let config = Config {
            pool: database.pool.clone(),
            rpc_url,
            public_url: Url::parse("https://explorer.example").unwrap(),
            portal_url: Some(Url::parse("https://portal.example").unwrap()),
            assets_dir: assets.path().to_owned(),
            offset: time::UtcOffset::from_hms(3, 0, 0).unwrap(),
            currency: "ETH".to_owned(),
        };
        let router = kopilka_explorer::router(config, cancel.clone()).unwrap();
        Self { pool: database.pool, router, outcome, _assets: assets, _cancel: cancel.drop_guard() }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let (status, _, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }
}

fn time_of(block: u64) -> UnixTime {
    UnixTime(START + block * 60)
}

async fn fill(pool: &PgPool, outcome: &Outcome) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    let meta = Meta {
        genesis_hash: block_hash(0),
        first_block: 0,
        deployment: Deployment {
            chain_id: 31_337,
            first_block: 1,
            municipalities: Address::repeat_byte(0xd1),
            rounds: Address::repeat_byte(0xd2),
            round_implementation: Address::repeat_byte(0xd3),
            token_implementation: Address::repeat_byte(0xd4),
            issuer_keys: Address::repeat_byte(0xd5),
            polls: Address::repeat_byte(0xd6),
            reward_points: Address::repeat_byte(0xd7),
            reward_shop: Address::repeat_byte(0xd8),
            anchors: Address::repeat_byte(0xd9),
            milestones: Address::repeat_byte(0xda),
        },
        full_chain: true,
        watched: Vec::new(),
        decoder_version: 1,
    };
    state::write_meta(&mut transaction, &meta).await?;
    write_range(&mut transaction, &rows(outcome)).await?;
    state::write_head(&mut transaction, Some(TIP), TIP + 2, Some(TIP - 10), 0).await?;
    for text in [ROUND_TEXT, BENCHES_TEXT] {
        portal::put_document(&mut transaction, &keccak256(text).0, text).await?;
    }
    // A text that does not hash to its key must not be shown.
    portal::put_document(&mut transaction, &keccak256("other").0, BENCHES_TEXT).await?;
    transaction.commit().await?;
    Ok(())
}

/// Numbers logs of a block one after another.
struct Chain {
    rows: Rows,
    next_log: u32,
}

impl Chain {
    fn log(&mut self, block: u64, address: Address, topics: &[B256], data: Bytes) -> u32 {
        let log_index = self.next_log;
        self.next_log += 1;
        let topic = |place: usize| topics.get(place).copied();
        self.rows.logs.push(LogRow {
            block_number: block,
            log_index,
            block_hash: block_hash(block),
            tx_hash: tx_hash(block),
            tx_index: 0,
            address,
            topic0: topic(0),
            topic1: topic(1),
            topic2: topic(2),
            topic3: topic(3),
            data,
        });
        log_index
    }

    fn event(&mut self, block: u64, address: Address, event: &impl alloy::sol_types::SolEvent) -> u32 {
        let data = event.encode_log_data();
        self.log(block, address, data.topics(), data.data.clone())
    }

    fn transaction(&mut self, block: u64, from: Address, to: Address, input: Vec<u8>, succeeded: bool) {
        self.rows.transactions.push(TransactionRow {
            block_number: block,
            tx_index: 0,
            hash: tx_hash(block),
            from_address: from,
            to_address: Some(to),
            created_contract: None,
            value: U256::ZERO,
            input: input.into(),
            nonce: block,
            tx_type: 2,
            gas: 500_000,
            gas_price: U256::from(1_000_000_000_u64),
            gas_used: 400_000,
            cumulative_gas_used: 400_000,
            succeeded,
            logs_count: 0,
        });
    }

    fn transfer(&mut self, block: u64, from: Address, to: Address, amount: u64) {
        let log_index = self.event(
            block,
            TOKEN,
            &kopilka_bindings::budget_token::BudgetToken::Transfer { from, to, value: U256::from(amount) },
        );
        self.rows.transfers.push(TransferRow {
            block_number: block,
            log_index,
            tx_hash: tx_hash(block),
            tx_index: 0,
            token: TOKEN,
            from_address: from,
            to_address: to,
            amount: U256::from(amount),
        });
    }

    fn phase(&mut self, block: u64, round: Address, phase: &'static str, code: u8) {
        let log_index = self.event(block, round, &BudgetRound::PhaseChanged { phase: code });
        let (tx_hash, changed_at) = (tx_hash(block), time_of(block));
        self.rows.phase_changes.push(PhaseRow { block_number: block, log_index, tx_hash, round, phase, changed_at });
    }

    fn round(&mut self, block: u64, round: Address, id: u64, token: Address, kind: &'static str, text: B256) {
        let log_index = self.next_log;
        self.next_log += 1;
        self.rows.rounds.push(RoundRow {
            address: round,
            round_id: id,
            municipality_id: TOWN,
            token,
            ballot_kind: kind,
            allotment: "equal",
            rule: "equal-shares",
            completion_raise: true,
            completion_fill: true,
            share_points: if kind == "cumulative" { 10 } else { 0 },
            threshold: U256::ZERO,
            fixed_amount: U256::ZERO,
            registration_until: time_of(block),
            pledging_until: time_of(block + 100),
            objection_period_seconds: 3_600,
            content_hash: text,
            created_at: time_of(block),
            tx_hash: tx_hash(block),
            block_number: block,
            log_index,
        });
        self.rows.tokens.push(TokenRow {
            address: token,
            standard: "erc20",
            round: Some(round),
            round_id: Some(id),
            name: Some(format!("Заречье {id}")),
            symbol: Some(format!("ZAR{id}")),
            decimals: Some(2),
            appropriation_amount: Some(U256::from(200_000)),
            fiscal_year: Some(2026),
            kbk: Some("90105031234567890244".to_owned()),
            document_hash: Some(keccak256("decision")),
            document_uri: Some("https://zarechensk.example/budget".to_owned()),
            block_number: block,
            log_index,
        });
        let class = ClassRow {
            round,
            class: 0,
            weight: 1,
            issuer_key: vec![id as u8; 256].into(),
            tx_hash: tx_hash(block),
            block_number: block,
            log_index,
        };
        self.rows.classes.push(class);
        for (address, kind) in [(round, "round"), (token, "token")] {
            self.contract(block, address, kind, Some(round), None);
        }
    }

    fn contract(&mut self, block: u64, address: Address, kind: &'static str, round: Option<Address>, id: Option<u32>) {
        let row = ContractRow { address, kind, round, initiative_id: id, block_number: block, log_index: 0 };
        self.rows.contracts.push(row);
    }

    fn initiative(&mut self, block: u64, round: Address, id: u8, cost: u128, text: B256) {
        let log_index = self.event(
            block,
            round,
            &BudgetRound::InitiativeAdded {
                initiativeId: id.into(),
                cost,
                contentHash: text,
                wallet: wallet(round, id),
            },
        );
        self.rows.initiatives.push(InitiativeRow {
            round,
            initiative_id: id.into(),
            cost: U256::from(cost),
            content_hash: text,
            wallet: wallet(round, id),
            tx_hash: tx_hash(block),
            block_number: block,
            log_index,
        });
        self.contract(block, wallet(round, id), "wallet", Some(round), Some(id.into()));
    }

    fn register(&mut self, block: u64, round: Address, account: Address) {
        let log_index = self.event(block, round, &BudgetRound::Registered { account, class: 0 });
        let row = RegistrationRow { block_number: block, log_index, tx_hash: tx_hash(block), round, account, class: 0 };
        self.rows.registrations.push(row);
    }

    fn allocate(
        &mut self,
        block: u64,
        round: Address,
        account: Address,
        version: u32,
        choices: &Allocation,
        current: bool,
    ) {
        let initiatives: Vec<u16> = choices.initiatives.iter().map(|id| id.0).collect();
        let points: Vec<u16> = choices.points.iter().map(|points| points.0).collect();
        let event = BudgetRound::AllocationRecorded {
            account,
            version,
            initiatives: initiatives.clone(),
            points: points.clone(),
        };
        let log_index = self.event(block, round, &event);
        self.rows.allocations.push(AllocationRow {
            block_number: block,
            log_index,
            tx_hash: tx_hash(block),
            round,
            account,
            version: version.into(),
            initiatives,
            points,
            current,
        });
    }
}

fn rows(outcome: &Outcome) -> Rows {
    let mut chain = Chain { rows: Rows::default(), next_log: 0 };
    let town = MunicipalityRow {
        municipality_id: TOWN,
        oktmo: "12345678".to_owned(),
        name: "Город Зареченск".to_owned(),
        tx_hash: tx_hash(1),
        block_number: 1,
        log_index: 0,
    };
    chain.rows.municipalities.push(town);
    chain.next_log = 1;
    chain.rows.roles.push(RoleRow {
        block_number: 1,
        log_index: 1,
        tx_hash: tx_hash(1),
        municipality_id: TOWN,
        role: "treasurer",
        account: TREASURER,
        granted: true,
        valid_from: Some(UnixTime(0)),
        valid_until: Some(UnixTime(START + 1_000_000_000)),
        application_hash: Some(keccak256("application")),
    });
    chain.next_log = 2;
    settled_round(&mut chain, outcome);
    open_round(&mut chain);
    for number in 0..=TIP {
        chain.rows.blocks.push(BlockRow {
            number,
            hash: block_hash(number),
            parent_hash: Some(if number == 0 { B256::ZERO } else { block_hash(number - 1) }),
            block_at: time_of(number),
            miner: Some(Address::ZERO),
            gas_used: Some(400_000),
            gas_limit: Some(30_000_000),
            base_fee: Some(U256::from(7)),
            size: Some(900),
            tx_count: Some(chain.rows.transactions.iter().filter(|tx| tx.block_number == number).count() as u32),
            logs_count: 0,
        });
    }
    chain.rows
}

fn settled_round(chain: &mut Chain, outcome: &Outcome) {
    chain.round(2, SETTLED, 1, TOKEN, "cumulative", keccak256(ROUND_TEXT));
    let texts = [keccak256(BENCHES_TEXT), keccak256("other"), keccak256("never published")];
    for (place, initiative) in election().initiatives.iter().enumerate() {
        chain.initiative(2, SETTLED, place as u8 + 1, initiative.cost.0, texts[place]);
    }
    let log_index = chain.next_log;
    chain.transfer(3, Address::ZERO, TOKEN, 100_000);
    chain.rows.mints.push(MintRow {
        block_number: 3,
        log_index,
        tx_hash: tx_hash(3),
        token: TOKEN,
        mint_id: 1,
        treasurer: TREASURER,
        approver: Address::repeat_byte(0xc3),
        amount: U256::from(100_000),
        minted_total: U256::from(100_000),
    });
    chain.phase(4, SETTLED, "registration", 1);
    let accounts: Vec<Address> = (1..=4).map(citizen).collect();
    let call = BudgetRound::registerCall { class: 0, accounts: accounts.clone(), signatures: Bytes::new() };
    chain.transaction(5, RELAYER, SETTLED, call.abi_encode(), true);
    for account in accounts {
        chain.register(5, SETTLED, account);
    }
    let log_index = chain.event(6, SETTLED, &BudgetRound::CredentialsIssued { class: 0, issued: 5 });
    chain.rows.issued.push(IssuedRow {
        block_number: 6,
        log_index,
        tx_hash: tx_hash(6),
        round: SETTLED,
        class: 0,
        issued: 5,
    });
    let opened = BudgetRound::PledgingOpened { budget: U256::from(100_000), totalWeight: U256::from(4) };
    let log_index = chain.event(7, SETTLED, &opened);
    chain.rows.pledging_openings.push(PledgingOpeningRow {
        block_number: 7,
        log_index,
        tx_hash: tx_hash(7),
        round: SETTLED,
        budget: U256::from(100_000),
        total_weight: U256::from(4),
    });
    chain.phase(7, SETTLED, "pledging", 2);
    chain.transfer(7, TOKEN, SETTLED, 100_000);
    let first = Allocation::cumulative([(InitiativeId(3), Points(10))]);
    let ballots = election().ballots;
    let signed: Vec<_> = ballots
        .iter()
        .map(|ballot| IBudgetRound::Allocation {
            account: Address::from(ballot.account.0),
            version: 2,
            initiatives: ballot.allocation.initiatives.iter().map(|id| id.0).collect(),
            points: ballot.allocation.points.iter().map(|points| points.0).collect(),
        })
        .collect();
    chain.allocate(8, SETTLED, citizen(1), 1, &first, false);
    let call = BudgetRound::allocateCall { allocations: signed, signatures: Bytes::new() };
    chain.transaction(9, RELAYER, SETTLED, call.abi_encode(), true);
    for ballot in &ballots {
        chain.allocate(9, SETTLED, Address::from(ballot.account.0), 2, &ballot.allocation, true);
    }
    chain.transfer(9, SETTLED, citizen(1), 10_000);
    chain.transfer(9, citizen(1), wallet(SETTLED, 1), 10_000);
    let log_index =
        chain.event(9, SETTLED, &BudgetRound::AllocationSkipped { account: citizen(2), version: 1, reason: 5 });
    chain.rows.skipped_items.push(SkippedRow {
        block_number: 9,
        log_index,
        tx_hash: tx_hash(9),
        round: SETTLED,
        kind: "allocation",
        account: citizen(2),
        class: None,
        version: Some(1),
        reason: "version-not-higher",
    });
    chain.phase(10, SETTLED, "tallying", 3);
    settle(chain, outcome);
    chain.transaction(20, TREASURER, SETTLED, BudgetRound::closeCall {}.abi_encode(), false);
}

fn settle(chain: &mut Chain, outcome: &Outcome) {
    let winners: Vec<u16> = outcome.winner_ids().iter().map(|id| id.0).collect();
    let digest = B256::from(outcome.transcript.digest());
    let cost = U256::from(outcome.total_cost.0);
    let final_at = START + 11 * 60 + 3_600;
    let call = BudgetRound::proposeSettlementCall { winners: winners.clone(), transcriptDigest: digest };
    chain.transaction(11, TREASURER, SETTLED, call.abi_encode(), true);
    let proposed = BudgetRound::SettlementProposed {
        proposer: TREASURER,
        winners: winners.clone(),
        transcriptDigest: digest,
        totalCost: cost,
        finalAt: final_at,
    };
    let log_index = chain.event(11, SETTLED, &proposed);
    chain.phase(11, SETTLED, "objection", 4);
    let word = |block: u64, log_index: u32, kind: &'static str| SettlementRow {
        block_number: block,
        log_index,
        tx_hash: tx_hash(block),
        round: SETTLED,
        kind,
        happened_at: time_of(block),
        account: (kind == "proposed").then_some(TREASURER),
        winners: Some(winners.clone()),
        transcript_digest: digest,
        total_cost: Some(cost),
        final_at: (kind == "proposed").then_some(UnixTime(final_at)),
        returned: (kind == "final").then(|| U256::from(100_000) - cost),
    };
    chain.rows.settlements.push(word(11, log_index, "proposed"));
    for id in 1..=3_u16 {
        let won = winners.contains(&id);
        let settled =
            BudgetRound::InitiativeSettled { initiativeId: id, won, pledged: U256::from(1), funded: U256::ZERO };
        let log_index = chain.event(12, SETTLED, &settled);
        chain.rows.initiative_results.push(ResultRow {
            block_number: 12,
            log_index,
            tx_hash: tx_hash(12),
            round: SETTLED,
            initiative_id: id.into(),
            won,
            pledged: U256::from(10_000),
            funded: U256::ZERO,
        });
    }
    let log_index = chain.next_log;
    chain.next_log += 1;
    chain.rows.settlements.push(word(12, log_index, "final"));
    chain.phase(12, SETTLED, "settled", 5);
    let log_index = chain.next_log;
    chain.next_log += 1;
    chain.rows.payments.push(PaymentRow {
        block_number: 13,
        log_index,
        tx_hash: tx_hash(13),
        round: SETTLED,
        initiative_id: 1,
        amount: U256::from(40_000),
        payment_reference: keccak256("order 5"),
        document_hash: keccak256("order 5.pdf"),
        paid_at: time_of(13),
    });
}

/// A round with many distributions, so that lists have more than one page.
fn open_round(chain: &mut Chain) {
    let token = Address::repeat_byte(0xb2);
    chain.round(21, OPEN, 2, token, "approval", keccak256("unpublished round"));
    chain.initiative(21, OPEN, 1, 50_000, keccak256(BENCHES_TEXT));
    chain.phase(22, OPEN, "registration", 1);
    chain.phase(23, OPEN, "pledging", 2);
    let opened = BudgetRound::PledgingOpened { budget: U256::from(60_000), totalWeight: U256::from(60) };
    let log_index = chain.event(23, OPEN, &opened);
    chain.rows.pledging_openings.push(PledgingOpeningRow {
        block_number: 23,
        log_index,
        tx_hash: tx_hash(23),
        round: OPEN,
        budget: U256::from(60_000),
        total_weight: U256::from(60),
    });
    for number in 0..60_u8 {
        let account = Address::with_last_byte(number).0.map(|byte| byte | 0x40);
        let account = Address::from(account);
        chain.register(24, OPEN, account);
        chain.allocate(25, OPEN, account, 1, &Allocation::approval([InitiativeId(1)]), true);
    }
    for block in 26..=TIP {
        chain.transaction(block, RELAYER, OPEN, BudgetRound::closePledgingCall {}.abi_encode(), true);
    }
}
