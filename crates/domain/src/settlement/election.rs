//! What a settlement is computed from.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Account, Allocation, AllocationError, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};

/// An initiative that can win.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its id in the round.
    pub id: InitiativeId,
    /// What it costs.
    pub cost: Kopecks,
}

/// The recorded allocation of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// The throw-away account.
    pub account: Account,
    /// Weight of its class, 1 or more.
    pub weight: u32,
    /// Its whole distribution.
    #[serde(flatten)]
    pub allocation: Allocation,
}

/// Everything that decides a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Election {
    /// Money to spend.
    pub budget: Kopecks,
    /// Kind of the ballots.
    pub kind: BallotKind,
    /// Settlement rule.
    pub rule: Rule,
    /// How equal shares are completed.
    pub completion: Completion,
    /// Least support to be considered; 0 for none.
    #[serde(default)]
    pub threshold: u64,
    /// Points that a share consists of on cumulative ballots; 0 on approval ballots.
    #[serde(default = "no_points")]
    pub share_points: Points,
    /// The initiatives.
    pub initiatives: Vec<Candidate>,
    /// The ballots, one for each account at most.
    pub ballots: Vec<Ballot>,
}

fn no_points() -> Points {
    Points(0)
}

/// Why an election cannot be settled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ElectionError {
    /// Two initiatives with one id.
    #[error("initiative {id} is listed twice")]
    InitiativeRepeats {
        /// The id.
        id: InitiativeId,
    },
    /// An initiative that costs nothing.
    #[error("initiative {id} costs nothing: costs must be positive")]
    CostZero {
        /// The id.
        id: InitiativeId,
    },
    /// Two ballots of one account.
    #[error("account {account} has two ballots")]
    AccountRepeats {
        /// The account.
        account: Account,
    },
    /// A ballot that counts nothing.
    #[error("the ballot of {account} has weight 0: weights must be positive")]
    WeightZero {
        /// The account.
        account: Account,
    },
    /// A ballot for something that is not in the election.
    #[error("the ballot of {account} names initiative {id}, which is not in the election")]
    InitiativeUnknown {
        /// The account.
        account: Account,
        /// The id.
        id: InitiativeId,
    },
    /// A malformed ballot.
    #[error("the ballot of {account} is malformed")]
    BallotMalformed {
        /// The account.
        account: Account,
        /// What is wrong with it.
        source: AllocationError,
    },
    /// Weights and points so large that sums would not stay exact in JavaScript.
    #[error(
        "all weights times the points of a share must add up to less than 2^53; divide the weights by a common factor"
    )]
    WeightsTooLarge,
}
