//! Pabulib files (`.pb`): elections in the format of pabulib.org/format (arXiv:2012.06539), read and written.
//!
//! Three sections, META, PROJECTS and VOTES, of semicolon-separated rows below a header row. Read are approval, choose-1 (as
//! approval) and cumulative ballots. Columns that mean nothing here are kept and written back. Odd but harmless data are
//! repaired with a warning; what would change the count is an error that names the line.

mod parse;
mod rows;
mod write;

pub use parse::{Fault, ParseError};
pub use write::Description;

use crate::settlement::{Ballot, Candidate, Election};
use crate::{Account, Allocation, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};

/// A Pabulib file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Keys and values of META, in the order of the file.
    pub meta: Vec<(String, String)>,
    /// Kind of the ballots.
    pub kind: BallotKind,
    /// Money to spend; hundredths of the currency stand for kopecks.
    pub budget: Kopecks,
    /// Cumulative ballots: points that a share consists of; otherwise 0.
    pub share_points: Points,
    /// Names of the columns of PROJECTS.
    pub project_columns: Vec<String>,
    /// The projects in the order of the file.
    pub projects: Vec<Project>,
    /// Names of the columns of VOTES.
    pub vote_columns: Vec<String>,
    /// The votes in the order of the file.
    pub votes: Vec<Vote>,
    /// What was odd, and how it was understood.
    pub warnings: Vec<String>,
}

/// A row of PROJECTS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id here: the file's if all of the file's ids are numbers from 1 to 65535, otherwise its place in the file.
    pub id: InitiativeId,
    /// The file's id.
    pub external_id: String,
    /// What it costs.
    pub cost: Kopecks,
    /// Its name, or the file's id if it has none.
    pub name: String,
    /// The column `selected`, if there is one: 1 means an official winner.
    pub selected: Option<u8>,
    /// The whole row, by column.
    pub fields: Vec<String>,
}

/// A row of VOTES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The file's id of the voter.
    pub voter_id: String,
    /// Account that stands for the voter: the id itself if it is an address, otherwise derived from it by keccak256.
    pub account: Account,
    /// The ballot.
    pub allocation: Allocation,
    /// The whole row, by column.
    pub fields: Vec<String>,
}

impl Instance {
    /// Value of a META key.
    pub fn meta(&self, key: &str) -> Option<&str> {
        self.meta.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// The threshold of support that META names (`min_project_score_threshold`), rounded up; 0 if none.
    pub fn threshold(&self) -> u64 {
        let value: f64 = self.meta("min_project_score_threshold").and_then(|text| text.parse().ok()).unwrap_or(0.0);
        value.max(0.0).ceil() as u64
    }

    /// Official winners by the column `selected`, ascending; `None` if the file has no such column.
    pub fn official_winners(&self) -> Option<Vec<InitiativeId>> {
        let selected: Vec<_> =
            self.projects.iter().filter_map(|project| Some((project.id, project.selected?))).collect();
        if selected.is_empty() {
            return None;
        }
        let mut winners: Vec<_> =
            selected.into_iter().filter(|&(_, selected)| selected == 1).map(|(id, _)| id).collect();
        winners.sort_unstable();
        Some(winners)
    }

    /// The election in the file, to be settled by a rule; every voter has weight 1.
    pub fn election(&self, rule: Rule, completion: Completion, threshold: u64) -> Election {
        Election {
            budget: self.budget,
            kind: self.kind,
            rule,
            completion,
            threshold,
            share_points: self.share_points,
            initiatives: self.projects.iter().map(|project| Candidate { id: project.id, cost: project.cost }).collect(),
            ballots: self
                .votes
                .iter()
                .map(|vote| Ballot { account: vote.account, weight: 1, allocation: vote.allocation.clone() })
                .collect(),
        }
    }
}
