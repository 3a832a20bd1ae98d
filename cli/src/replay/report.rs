//! What a replay measured.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use serde::Serialize;

/// The report of a replay. Amounts are kopecks as decimal strings.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the file.
    pub election: String,
    /// Address of the round.
    pub round: Address,
    /// Its page in the explorer.
    pub round_url: String,
    /// Ballot kind.
    pub ballot_kind: String,
    /// Settlement rule and its completion.
    pub rule: String,
    /// Voters replayed.
    pub voters: usize,
    /// Accounts registered on chain.
    pub registered: usize,
    /// Accounts with an allocation on chain.
    pub allocations: usize,
    /// How many were turned away, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Minted.
    pub minted: String,
    /// Put into initiatives when pledging closed.
    pub pledged: String,
    /// Cost of the winners: what is spent.
    pub spent: String,
    /// Returned to the budget.
    pub returned: String,
    /// Ids on chain of the winners, ascending.
    pub winners: Vec<u16>,
    /// The file's ids of the winners.
    pub winners_in_file: Vec<String>,
    /// Whether they are the file's official winners; absent if it names none.
    pub official_match: Option<bool>,
    /// Voters none of whose initiatives won.
    pub voters_with_nothing: u64,
    /// The same in per cent of the voters with a ballot.
    pub voters_with_nothing_percent: f64,
    /// Digest of the settlement's transcript.
    pub transcript_digest: String,
    /// Gas of a registration, all overhead included.
    pub gas_per_registration: f64,
    /// Gas of an allocation, all overhead included.
    pub gas_per_allocation: f64,
    /// Whether the audit passed.
    pub audit_passed: bool,
    /// Seconds and citizens a second, by stage.
    pub stages: Vec<Stage>,
    /// Citizens a second over both voting stages together: from the first log-in to the last pledge on chain.
    pub voting_rate: f64,
}

/// A stage.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// Items handled.
    pub items: usize,
    /// Items a second.
    pub rate: f64,
}

impl Stage {
    /// A stage that began at `since` and ends now.
    pub fn ended(name: &'static str, items: usize, since: std::time::Instant) -> Self {
        let seconds = since.elapsed().as_secs_f64();
        Self { name, seconds, items, rate: if seconds > 0.0 { items as f64 / seconds } else { 0.0 } }
    }
}
