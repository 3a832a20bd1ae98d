//! A round as its clerk describes it in a file.

use kopilka_domain::{Allotment, BallotKind, Completion, Kbk, Kopecks, Oktmo, Rule};
use serde::{Deserialize, Serialize};

/// Everything that is fixed before registration opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundPlan {
    /// Whose round it is.
    pub municipality: MunicipalityPlan,
    /// Title for citizens.
    pub title: String,
    /// Description for citizens.
    pub description: String,
    /// Name and symbol of the token.
    pub token_name: String,
    /// Symbol of the token.
    pub token_symbol: String,
    /// Line of the budget that backs it; its whole amount is minted.
    pub appropriation: AppropriationPlan,
    /// How citizens choose.
    pub ballot_kind: BallotKind,
    /// How shares are fixed.
    pub allotment: Allotment,
    /// With the fixed allotment: the share of weight 1.
    #[serde(default)]
    pub fixed_amount: Option<Kopecks>,
    /// How winners are found.
    pub rule: Rule,
    /// What equal shares do with the rest.
    #[serde(default)]
    pub completion: Completion,
    /// Cumulative ballots: points of a share; 0 on approval ballots.
    pub share_points: u16,
    /// Least support in points or approvals; 0 for none.
    #[serde(default)]
    pub threshold: u64,
    /// Earliest end of registration, Unix seconds; 0 for any time.
    #[serde(default)]
    pub registration_until: u64,
    /// Planned end of pledging, Unix seconds. Pledging lasts at least as long as this is after `registration_until`, whenever it is
    /// opened, and a day later anybody may end it. 0, with `registration_until` 0 too, plans no length.
    #[serde(default)]
    pub pledging_until: u64,
    /// Seconds in which anyone can recount a proposed result.
    pub objection_seconds: u32,
    /// What can be chosen, in the order of the ids from 1.
    pub initiatives: Vec<InitiativePlan>,
}

impl RoundPlan {
    /// For how long pledging is planned; `None` if it would end before it begins.
    #[must_use]
    pub fn pledging_seconds(&self) -> Option<u64> {
        self.pledging_until.checked_sub(self.registration_until)
    }
}

/// A municipality.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MunicipalityPlan {
    /// Code of ОК 033-2013.
    pub oktmo: Oktmo,
    /// Official name.
    pub name: String,
}

/// A line of the budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppropriationPlan {
    /// Amount.
    pub amount: Kopecks,
    /// Budget year.
    pub fiscal_year: u16,
    /// Classification code.
    pub kbk: Kbk,
    /// Where the decision is published.
    pub document_uri: String,
}

/// An initiative.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitiativePlan {
    /// Title.
    pub title: String,
    /// What is to be done.
    #[serde(default)]
    pub description: String,
    /// Where.
    #[serde(default)]
    pub place: String,
    /// Cost.
    pub cost: Kopecks,
}
