//! The rows that the indexer writes, one type for each table, with their bulk encoding.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::copy::{CopyRow, Encoder, Field as _};

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UnixTime(pub u64);

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident in $table:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)+
    })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl CopyRow for $name {
            const STATEMENT: &'static str =
                concat!("copy chain.", $table, " (", rows!(@columns $($field)+), ") from stdin (format binary)");
            const COLUMNS: i16 = [$(stringify!($field)),+].len() as i16;

            fn fields(&self, to: &mut Encoder) {
                $(self.$field.write(to);)+
            }
        }
    )+};
    (@columns $first:ident $($rest:ident)*) => { concat!(stringify!($first) $(, ", ", stringify!($rest))*) };
}

rows! {
    /// A block.
    BlockRow in "blocks" {
        /// Height.
        number: u64,
        /// Its hash.
        hash: B256,
        /// Hash of the block before.
        parent_hash: B256,
        /// Unix seconds.
        block_at: UnixTime,
        /// Proposer.
        miner: Address,
        /// Gas used.
        gas_used: u64,
        /// Gas limit.
        gas_limit: u64,
        /// Wei for a unit of gas.
        base_fee: Option<U256>,
        /// Bytes.
        size: u64,
        /// Transactions.
        tx_count: u32,
        /// Logs kept.
        logs_count: u32,
    }
    /// A transaction with its receipt.
    TransactionRow in "transactions" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        tx_index: u32,
        /// Hash.
        hash: B256,
        /// Sender.
        from_address: Address,
        /// Receiver; none for a creation.
        to_address: Option<Address>,
        /// Contract created.
        created_contract: Option<Address>,
        /// Wei.
        value: U256,
        /// Call data.
        input: Bytes,
        /// Sender's nonce.
        nonce: u64,
        /// EIP-2718 type.
        tx_type: u8,
        /// Gas limit.
        gas: u64,
        /// Effective price in wei.
        gas_price: U256,
        /// Gas used.
        gas_used: u64,
        /// Gas used in the block up to here.
        cumulative_gas_used: u64,
        /// Status.
        succeeded: bool,
        /// Logs emitted.
        logs_count: u32,
    }
    /// A log.
    LogRow in "logs" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Hash of the block.
        block_hash: B256,
        /// Transaction.
        tx_hash: B256,
        /// Its position.
        tx_index: u32,
        /// Emitting contract.
        address: Address,
        /// First topic.
        topic0: Option<B256>,
        /// Second topic.
        topic1: Option<B256>,
        /// Third topic.
        topic2: Option<B256>,
        /// Fourth topic.
        topic3: Option<B256>,
        /// Data.
        data: Bytes,
    }
    /// What a token said of itself.
    TokenMetadataRow in "token_metadata" {
        /// Token.
        address: Address,
        /// Name.
        name: Option<String>,
        /// Symbol.
        symbol: Option<String>,
        /// Decimals.
        decimals: Option<u8>,
        /// Block of its first event.
        block_number: u64,
    }
    /// An ERC-20 transfer.
    TransferRow in "transfers" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Position of the transaction.
        tx_index: u32,
        /// Token.
        token: Address,
        /// Payer; zero for a mint.
        from_address: Address,
        /// Payee; zero for a burn.
        to_address: Address,
        /// Base units.
        amount: U256,
    }
    /// A token at its first event.
    TokenRow in "tokens" {
        /// Token.
        address: Address,
        /// Its round; none for a foreign token.
        round: Option<Address>,
        /// Id of the round.
        round_id: Option<u64>,
        /// Name.
        name: Option<String>,
        /// Symbol.
        symbol: Option<String>,
        /// Decimals.
        decimals: Option<u8>,
        /// Most that may be minted.
        appropriation_amount: Option<U256>,
        /// Year of the budget.
        fiscal_year: Option<u32>,
        /// Budget classification code.
        kbk: Option<String>,
        /// Hash of the budget decision.
        document_hash: Option<B256>,
        /// Where the decision is published.
        document_uri: Option<String>,
        /// Block of the first event.
        block_number: u64,
        /// Its position.
        log_index: u32,
    }
    /// BudgetMinted.
    MintRow in "mints" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Token.
        token: Address,
        /// Who minted.
        treasurer: Address,
        /// Kopecks.
        amount: U256,
        /// Kopecks minted so far.
        minted_total: U256,
    }
    /// ReturnedToBudget.
    ReturnRow in "returns" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Token.
        token: Address,
        /// Whose tokens were burnt.
        from_address: Address,
        /// Kopecks.
        amount: U256,
    }
    /// MunicipalityAdmitted.
    MunicipalityRow in "municipalities" {
        /// Id.
        municipality_id: u64,
        /// OKTMO code.
        oktmo: String,
        /// Official name.
        name: String,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// RoleGranted or RoleRevoked.
    RoleRow in "roles" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Municipality.
        municipality_id: u64,
        /// Role.
        role: &'static str,
        /// Who.
        account: Address,
        /// False for a revocation.
        granted: bool,
        /// Unix seconds.
        valid_from: Option<UnixTime>,
        /// Unix seconds.
        valid_until: Option<UnixTime>,
        /// Hash of the application.
        application_hash: Option<B256>,
    }
    /// RoundCreated.
    RoundRow in "rounds" {
        /// Round.
        address: Address,
        /// Id.
        round_id: u64,
        /// Owner.
        municipality_id: u64,
        /// Its token.
        token: Address,
        /// Ballot kind.
        ballot_kind: &'static str,
        /// Allotment.
        allotment: &'static str,
        /// Settlement rule.
        rule: &'static str,
        /// Raise shares.
        completion_raise: bool,
        /// Fill greedily.
        completion_fill: bool,
        /// Points of a share.
        share_points: u32,
        /// Least support.
        threshold: U256,
        /// Kopecks for weight 1.
        fixed_amount: U256,
        /// Unix seconds.
        registration_until: UnixTime,
        /// Unix seconds.
        pledging_until: UnixTime,
        /// Seconds.
        objection_period_seconds: u64,
        /// Hash of the description.
        content_hash: B256,
        /// Time of the block, Unix seconds.
        created_at: UnixTime,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// PhaseChanged.
    PhaseRow in "phase_changes" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// New phase.
        phase: &'static str,
        /// Time of the block, Unix seconds.
        changed_at: UnixTime,
    }
    /// PledgingOpened.
    PledgingOpeningRow in "pledging_openings" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Kopecks.
        budget: U256,
        /// Weight of the registered.
        total_weight: U256,
    }
    /// ClassAdded.
    ClassRow in "classes" {
        /// Round.
        round: Address,
        /// Class.
        class: u8,
        /// Weight.
        weight: u64,
        /// Key in G2.
        issuer_key: Bytes,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// CredentialsIssued.
    IssuedRow in "issued" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Class.
        class: u8,
        /// Credentials so far.
        issued: u64,
    }
    /// InitiativeAdded.
    InitiativeRow in "initiatives" {
        /// Round.
        round: Address,
        /// Id.
        initiative_id: u32,
        /// Kopecks.
        cost: U256,
        /// Hash of the description.
        content_hash: B256,
        /// Wallet.
        wallet: Address,
        /// Transaction.
        tx_hash: B256,
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
    }
    /// Registered.
    RegistrationRow in "registrations" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Throw-away account.
        account: Address,
        /// Class.
        class: u8,
    }
    /// AllocationRecorded.
    AllocationRow in "allocations" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Throw-away account.
        account: Address,
        /// Version.
        version: u64,
        /// Chosen initiatives.
        initiatives: Vec<u16>,
        /// Their points.
        points: Vec<u16>,
        /// Whether no later one of the account is among these rows.
        current: bool,
    }
    /// RegistrationSkipped or AllocationSkipped.
    SkippedRow in "skipped_items" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// `registration` or `allocation`.
        kind: &'static str,
        /// Throw-away account.
        account: Address,
        /// Class of a registration.
        class: Option<u8>,
        /// Version of an allocation.
        version: Option<u64>,
        /// Why.
        reason: &'static str,
    }
    /// SettlementProposed, SettlementWithdrawn or SettlementFinalized.
    SettlementRow in "settlements" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// `proposed`, `withdrawn` or `final`.
        kind: &'static str,
        /// Time of the block, Unix seconds.
        happened_at: UnixTime,
        /// Winners.
        winners: Option<Vec<u16>>,
        /// Digest of the transcript.
        transcript_digest: B256,
        /// Kopecks.
        total_cost: Option<U256>,
        /// Unix seconds.
        final_at: Option<UnixTime>,
        /// Kopecks returned to the budget.
        returned: Option<U256>,
    }
    /// InitiativeSettled.
    ResultRow in "initiative_results" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Initiative.
        initiative_id: u32,
        /// Whether it won.
        won: bool,
        /// Kopecks before.
        pledged: U256,
        /// Kopecks after.
        funded: U256,
    }
    /// PaymentRecorded.
    PaymentRow in "payments" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Round.
        round: Address,
        /// Initiative.
        initiative_id: u32,
        /// Kopecks.
        amount: U256,
        /// Reference.
        payment_reference: B256,
        /// Hash of the payment order.
        document_hash: B256,
        /// Time of the block, Unix seconds.
        paid_at: UnixTime,
    }
    /// An address of the deployment.
    ContractRow in "contracts" {
        /// Address.
        address: Address,
        /// What it is.
        kind: &'static str,
        /// Its round.
        round: Option<Address>,
        /// Its initiative.
        initiative_id: Option<u32>,
        /// Block.
        block_number: u64,
        /// Position in the block, -1 for the deployment itself.
        log_index: i32,
    }
}

/// All rows of a range of blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// `chain.blocks`.
    pub blocks: Vec<BlockRow>,
    /// `chain.transactions`.
    pub transactions: Vec<TransactionRow>,
    /// `chain.logs`.
    pub logs: Vec<LogRow>,
    /// `chain.token_metadata`.
    pub token_metadata: Vec<TokenMetadataRow>,
    /// `chain.transfers`.
    pub transfers: Vec<TransferRow>,
    /// `chain.tokens`.
    pub tokens: Vec<TokenRow>,
    /// `chain.mints`.
    pub mints: Vec<MintRow>,
    /// `chain.returns`.
    pub returns: Vec<ReturnRow>,
    /// `chain.municipalities`.
    pub municipalities: Vec<MunicipalityRow>,
    /// `chain.roles`.
    pub roles: Vec<RoleRow>,
    /// `chain.rounds`.
    pub rounds: Vec<RoundRow>,
    /// `chain.phase_changes`.
    pub phase_changes: Vec<PhaseRow>,
    /// `chain.pledging_openings`.
    pub pledging_openings: Vec<PledgingOpeningRow>,
    /// `chain.classes`.
    pub classes: Vec<ClassRow>,
    /// `chain.issued`.
    pub issued: Vec<IssuedRow>,
    /// `chain.initiatives`.
    pub initiatives: Vec<InitiativeRow>,
    /// `chain.registrations`.
    pub registrations: Vec<RegistrationRow>,
    /// `chain.allocations`.
    pub allocations: Vec<AllocationRow>,
    /// `chain.skipped_items`.
    pub skipped_items: Vec<SkippedRow>,
    /// `chain.settlements`.
    pub settlements: Vec<SettlementRow>,
    /// `chain.initiative_results`.
    pub initiative_results: Vec<ResultRow>,
    /// `chain.payments`.
    pub payments: Vec<PaymentRow>,
    /// `chain.contracts`.
    pub contracts: Vec<ContractRow>,
}
