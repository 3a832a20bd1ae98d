//! The canonical text of a settlement, and its digest.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use sha3::{Digest, Keccak256};

use super::{Ballot, Election, LossReason, Outcome, Route};

/// Inputs and result of a settlement as lines of ASCII, each ended by a line feed. Ballots stand in ascending order of
/// accounts, initiatives and losers in ascending order of ids, winners in the order in which they were found:
///
/// ```text
/// kopilka settlement 1
/// kind cumulative
/// rule equal-shares
/// completion raise fill            (raise | fill | none, as the round says, also for the greedy rule)
/// threshold 0
/// share-points 10
/// budget 300000000                 (kopecks, as all money)
/// initiatives 2
/// 1 150000000                      (id, cost)
/// 2 90000000
/// ballots 1
/// 0x00000000000000000000000000000000000000ff 1 1:4 2:6     (account, weight, id:points; approval: id)
/// raised 3                         (steps of 1 %)
/// winners 1
/// 2 60 equal-shares 15000000000000 (id, support, route; equal shares: rate in millionths of a kopeck, rounded down)
/// losers 1
/// 1 40 9999 exceeds-remaining-budget 80000000   (id, support, effective support in hundredths of a per cent, reason;
///                                                what the reason names: threshold or remaining money)
/// total 90000000
/// voters 1
/// nothing 0                        (ballots none of whose initiatives won)
/// ```
///
/// (The remarks in brackets are not part of it.) Empty allocations are no ballots and do not appear. The digest is the
/// keccak256 of the text. In JSON a transcript is its digest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    text: String,
    digest: [u8; 32],
}

impl Transcript {
    pub(super) fn new(election: &Election, outcome: &Outcome) -> Self {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write_text(&mut text, election, outcome);
        let digest = Keccak256::digest(text.as_bytes()).into();
        Self { text, digest }
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its keccak256.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The digest as `0x` and 64 hexadecimal digits.
    pub fn digest_hex(&self) -> String {
        self.digest.iter().fold(String::from("0x"), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl Serialize for Transcript {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.digest_hex())
    }
}

fn write_text(out: &mut String, election: &Election, outcome: &Outcome) -> std::fmt::Result {
    let completion = match (election.completion.raise, election.completion.fill) {
        (true, true) => "raise fill",
        (true, false) => "raise",
        (false, true) => "fill",
        (false, false) => "none",
    };
    writeln!(out, "kopilka settlement 1")?;
    writeln!(out, "kind {}", election.kind)?;
    writeln!(out, "rule {}", election.rule)?;
    writeln!(out, "completion {completion}")?;
    writeln!(out, "threshold {}", election.threshold)?;
    writeln!(out, "share-points {}", election.share_points)?;
    writeln!(out, "budget {}", election.budget.0)?;

    let mut initiatives: Vec<_> = election.initiatives.iter().collect();
    initiatives.sort_unstable_by_key(|initiative| initiative.id);
    writeln!(out, "initiatives {}", initiatives.len())?;
    for initiative in initiatives {
        writeln!(out, "{} {}", initiative.id, initiative.cost.0)?;
    }

    let mut ballots: Vec<&Ballot> = election.ballots.iter().filter(|ballot| !ballot.allocation.is_empty()).collect();
    ballots.sort_unstable_by_key(|ballot| ballot.account);
    writeln!(out, "ballots {}", ballots.len())?;
    for ballot in ballots {
        write!(out, "{} {}", ballot.account, ballot.weight)?;
        if ballot.allocation.points.is_empty() {
            ballot.allocation.initiatives.iter().try_for_each(|id| write!(out, " {id}"))?;
        } else {
            ballot.allocation.choices().try_for_each(|(id, points)| write!(out, " {id}:{points}"))?;
        }
        writeln!(out)?;
    }

    writeln!(out, "raised {}", outcome.raise_steps)?;
    writeln!(out, "winners {}", outcome.winners.len())?;
    for winner in &outcome.winners {
        write!(out, "{} {} {}", winner.id, winner.support, winner.route.as_str())?;
        if let Route::EqualShares { rate } = &winner.route {
            write!(out, " {}", rate.millionths())?;
        }
        writeln!(out)?;
    }
    writeln!(out, "losers {}", outcome.losers.len())?;
    for loser in &outcome.losers {
        write!(out, "{} {} {} {}", loser.id, loser.support, loser.effective_support.0, loser.reason.as_str())?;
        match &loser.reason {
            LossReason::BelowThreshold { threshold, .. } => write!(out, " {threshold}")?,
            LossReason::ExceedsRemainingBudget { remaining, .. } => write!(out, " {}", remaining.0)?,
            LossReason::NoSupport | LossReason::NotAffordableBySupporters { .. } => {}
        }
        writeln!(out)?;
    }
    writeln!(out, "total {}", outcome.total_cost.0)?;
    writeln!(out, "voters {}", outcome.voters)?;
    writeln!(out, "nothing {}", outcome.voters_with_nothing)
}
