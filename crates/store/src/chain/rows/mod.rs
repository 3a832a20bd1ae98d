//! The rows that the indexer writes, one type for each table, with their bulk encoding.

use sqlx::PgConnection;

use super::copy::{copy, replace};

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
            const TABLE: &'static str = $table;
            const NAMES: &'static str = rows!(@columns $($field)+);
            const STATEMENT: &'static str =
                concat!("copy chain.", $table, " (", rows!(@columns $($field)+), ") from stdin (format binary)");
            const MADE: &'static str = rows!(@made $($field)+);
            const COLUMNS: i16 = [$(stringify!($field)),+].len() as i16;

            fn types() -> Vec<sqlx::postgres::PgTypeInfo> {
                vec![$(<$type as Field>::type_info()),+]
            }

            fn fields(&self, to: &mut Encoder) {
                $(self.$field.write(to);)+
            }
        }
    )+};
    (@columns $first:ident $($rest:ident)*) => { concat!(stringify!($first) $(, ", ", stringify!($rest))*) };
    (@made $first:ident $($rest:ident)*) => { concat!(rows!(@value $first) $(, ", ", rows!(@value $rest))*) };
    (@value current) => { "false" };
    (@value $column:ident) => { stringify!($column) };
}

mod execution;
mod polls;
mod raw;
mod register;
mod rewards;
mod rounds;
mod tokens;

pub use execution::*;
pub use polls::*;
pub use raw::*;
pub use register::*;
pub use rewards::*;
pub use rounds::*;
pub use tokens::*;

macro_rules! row_sets {
    (raw { $($raw:ident: $raw_row:ty,)+ } derived { $($derived:ident: $derived_row:ty,)+ }) => {
        /// All rows of a range of blocks.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Rows {
            $(#[doc = concat!("`chain.", stringify!($raw), "`.")] pub $raw: Vec<$raw_row>,)+
            $(#[doc = concat!("`chain.", stringify!($derived), "`.")] pub $derived: Vec<$derived_row>,)+
        }

        impl Rows {
            /// Writes the raw rows in bulk.
            pub(super) async fn copy_raw(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
                $(copy(connection, &self.$raw).await?;)+
                Ok(())
            }

            /// Writes the derived rows in bulk; running totals are not among them.
            pub(super) async fn copy_derived(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
                $(copy(connection, &self.$derived).await?;)+
                Ok(())
            }

            /// Makes the derived rows that blocks `from` to `to` made these. Returns how many were written or deleted.
            pub(super) async fn replace_derived(
                &self,
                connection: &mut PgConnection,
                from: i64,
                to: i64,
            ) -> Result<u64, sqlx::Error> {
                let mut changed = 0;
                $(changed += replace(connection, &self.$derived, from, to).await?;)+
                Ok(changed)
            }

            /// Names of the derived tables that get rows.
            pub fn derived_tables(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if !self.$derived.is_empty() { names.push(stringify!($derived)); })+
                names
            }
        }
    };
}

row_sets! {
    raw {
        blocks: BlockRow,
        transactions: TransactionRow,
        logs: LogRow,
        token_metadata: TokenMetadataRow,
    }
    derived {
        transfers: TransferRow,
        nft_transfers: NftTransferRow,
        tokens: TokenRow,
        mints: MintRow,
        returns: ReturnRow,
        municipalities: MunicipalityRow,
        roles: RoleRow,
        rounds: RoundRow,
        phase_changes: PhaseRow,
        pledging_openings: PledgingOpeningRow,
        classes: ClassRow,
        issued: IssuedRow,
        initiatives: InitiativeRow,
        registrations: RegistrationRow,
        allocations: AllocationRow,
        skipped_items: SkippedRow,
        settlements: SettlementRow,
        initiative_results: ResultRow,
        payments: PaymentRow,
        contracts: ContractRow,
        mint_proposals: MintProposalRow,
        mint_cancellations: MintCancellationRow,
        settlement_approvals: SettlementApprovalRow,
        pauses: PauseRow,
        issuer_key_claims: IssuerKeyClaimRow,
        issuer_key_verifiers: IssuerKeyVerifierRow,
        executions: ExecutionRow,
        milestone_postponements: PostponementRow,
        milestones_reached: MilestoneRow,
        execution_abandonments: AbandonmentRow,
        polls: PollRow,
        poll_issued: PollIssuedRow,
        poll_cancellations: PollCancellationRow,
        poll_secrets: PollSecretRow,
        ballots: BallotRow,
        ballot_openings: BallotOpeningRow,
        skipped_ballots: SkippedBallotRow,
        seasons: SeasonRow,
        stamp_sources: StampSourceRow,
        stamp_source_closings: StampSourceClosingRow,
        stamp_claims: StampClaimRow,
        skipped_stamps: SkippedStampRow,
        points_spent: PointsSpentRow,
        prizes: PrizeRow,
        prize_stock_changes: PrizeStockRow,
        prize_withdrawals: PrizeWithdrawalRow,
        redemptions: RedemptionRow,
        redemption_ends: RedemptionEndRow,
        skipped_redemptions: SkippedRedemptionRow,
        anchor_streams: AnchorStreamRow,
        anchors: AnchorRow,
    }
}
