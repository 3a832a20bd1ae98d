//! An allocation: a citizen's whole distribution, as it is signed and recorded on chain.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{BallotKind, InitiativeId, Kopecks, Points};

/// A citizen's whole distribution. Empty means that everything was taken back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Allocation {
    /// Chosen initiatives, strictly ascending.
    pub initiatives: Vec<InitiativeId>,
    /// Cumulative ballots: the points of each initiative. Approval ballots: empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Points>,
}

/// Why an allocation is malformed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AllocationError {
    /// An initiative repeats or the order is wrong.
    #[error("initiatives must be strictly ascending: {next} comes after {previous}")]
    NotAscending {
        /// The earlier entry.
        previous: InitiativeId,
        /// The entry that is not larger.
        next: InitiativeId,
    },
    /// Points on an approval ballot.
    #[error("an approval ballot names initiatives without points, found {found} points")]
    PointsOnApproval {
        /// Entries in `points`.
        found: usize,
    },
    /// Not one number of points for each initiative.
    #[error("a cumulative ballot needs points for each initiative: {initiatives} initiatives, {points} points")]
    PointsMissing {
        /// Entries in `initiatives`.
        initiatives: usize,
        /// Entries in `points`.
        points: usize,
    },
    /// An initiative without points.
    #[error("initiative {initiative} gets 0 points: leave it out instead")]
    PointsZero {
        /// The initiative.
        initiative: InitiativeId,
    },
    /// More points than the share has.
    #[error("{sum} points were given, a share has {share_points}")]
    TooManyPoints {
        /// Points given.
        sum: u64,
        /// Points that a share consists of.
        share_points: Points,
    },
}

impl Allocation {
    /// An approval ballot: sorts the initiatives and drops repetitions.
    pub fn approval(initiatives: impl IntoIterator<Item = InitiativeId>) -> Self {
        let mut initiatives: Vec<_> = initiatives.into_iter().collect();
        initiatives.sort_unstable();
        initiatives.dedup();
        Self { initiatives, points: Vec::new() }
    }

    /// A cumulative ballot: sorts by initiative; repetitions stay and are reported by [`Self::validate`].
    pub fn cumulative(choices: impl IntoIterator<Item = (InitiativeId, Points)>) -> Self {
        let mut choices: Vec<_> = choices.into_iter().collect();
        choices.sort_unstable_by_key(|&(initiative, _)| initiative);
        let (initiatives, points) = choices.into_iter().unzip();
        Self { initiatives, points }
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.initiatives.is_empty()
    }

    /// Checks the shape that the contract demands. `share_points` means nothing to approval ballots.
    pub fn validate(&self, kind: BallotKind, share_points: Points) -> Result<(), AllocationError> {
        if let Some(pair) = self.initiatives.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(AllocationError::NotAscending { previous: pair[0], next: pair[1] });
        }
        match kind {
            BallotKind::Approval if self.points.is_empty() => Ok(()),
            BallotKind::Approval => Err(AllocationError::PointsOnApproval { found: self.points.len() }),
            BallotKind::Cumulative => {
                if self.points.len() != self.initiatives.len() {
                    return Err(AllocationError::PointsMissing {
                        initiatives: self.initiatives.len(),
                        points: self.points.len(),
                    });
                }
                if let Some((initiative, _)) = self.choices().find(|&(_, points)| points == Points(0)) {
                    return Err(AllocationError::PointsZero { initiative });
                }
                let sum = self.points.iter().map(|points| u64::from(points.0)).sum();
                if sum > u64::from(share_points.0) {
                    return Err(AllocationError::TooManyPoints { sum, share_points });
                }
                Ok(())
            }
        }
    }

    /// Each chosen initiative with its points; on an approval ballot each counts as one point.
    pub fn choices(&self) -> impl Iterator<Item = (InitiativeId, Points)> + '_ {
        let points = self.points.iter().copied().chain(std::iter::repeat(Points(1)));
        self.initiatives.iter().copied().zip(points)
    }

    /// How a valid allocation divides an allotment: cumulative ⌊allotment × points / share points⌋ each, approval
    /// ⌊allotment / number of initiatives⌋ each. What remains stays in the purse. `None` on overflow or 0 share points.
    pub fn divide(&self, kind: BallotKind, share_points: Points, allotment: Kopecks) -> Option<Division> {
        let whole = match kind {
            BallotKind::Cumulative => u128::from(share_points.0),
            BallotKind::Approval => self.initiatives.len() as u128,
        };
        let mut purse = allotment;
        let mut pledges = Vec::with_capacity(self.initiatives.len());
        for (initiative, points) in self.choices() {
            let amount = allotment.mul_div_down(u128::from(points.0), whole)?;
            purse = purse.checked_sub(amount)?;
            pledges.push((initiative, amount));
        }
        Some(Division { pledges, purse })
    }
}

/// An allotment divided by an allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// What goes to each chosen initiative.
    pub pledges: Vec<(InitiativeId, Kopecks)>,
    /// What stays with the citizen.
    pub purse: Kopecks,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cumulative(choices: &[(u16, u16)]) -> Allocation {
        Allocation::cumulative(choices.iter().map(|&(initiative, points)| (InitiativeId(initiative), Points(points))))
    }

    #[test]
    fn shapes_are_checked() {
        let ten = Points(10);
        assert_eq!(cumulative(&[(3, 4), (1, 6)]).validate(BallotKind::Cumulative, ten), Ok(()));
        assert_eq!(Allocation::default().validate(BallotKind::Cumulative, ten), Ok(()));
        assert_eq!(
            cumulative(&[(1, 6), (3, 5)]).validate(BallotKind::Cumulative, ten),
            Err(AllocationError::TooManyPoints { sum: 11, share_points: ten })
        );
        assert_eq!(
            cumulative(&[(1, 6), (1, 1)]).validate(BallotKind::Cumulative, ten),
            Err(AllocationError::NotAscending { previous: InitiativeId(1), next: InitiativeId(1) })
        );
        assert_eq!(
            cumulative(&[(1, 0)]).validate(BallotKind::Cumulative, ten),
            Err(AllocationError::PointsZero { initiative: InitiativeId(1) })
        );
        let approval = Allocation::approval([InitiativeId(5), InitiativeId(2), InitiativeId(5)]);
        assert_eq!(approval.validate(BallotKind::Approval, Points(0)), Ok(()));
        assert_eq!(
            approval.validate(BallotKind::Cumulative, ten),
            Err(AllocationError::PointsMissing { initiatives: 2, points: 0 })
        );
        assert_eq!(
            cumulative(&[(1, 1)]).validate(BallotKind::Approval, ten),
            Err(AllocationError::PointsOnApproval { found: 1 })
        );
    }

    #[test]
    fn remainders_stay_in_the_purse() {
        let division = cumulative(&[(1, 3), (2, 3)]).divide(BallotKind::Cumulative, Points(10), Kopecks(101)).unwrap();
        assert_eq!(division.pledges, [(InitiativeId(1), Kopecks(30)), (InitiativeId(2), Kopecks(30))]);
        assert_eq!(division.purse, Kopecks(41));
        let approval = Allocation::approval([1, 2, 3].map(InitiativeId));
        assert_eq!(approval.divide(BallotKind::Approval, Points(0), Kopecks(100)).unwrap().purse, Kopecks(1));
    }

    proptest! {
        #[test]
        fn no_kopeck_is_made_or_lost(
            points in prop::collection::vec(1_u16..=100, 0..20), allotment in 0_u64.., approval: bool,
        ) {
            let kind = if approval { BallotKind::Approval } else { BallotKind::Cumulative };
            let choices = (1_u16..).map(InitiativeId).zip(points.iter().copied().map(Points));
            let allocation = if approval {
                Allocation::approval(choices.map(|(initiative, _)| initiative))
            } else {
                Allocation::cumulative(choices)
            };
            let share_points = Points(2_000);
            prop_assert_eq!(allocation.validate(kind, share_points), Ok(()));
            let division = allocation.divide(kind, share_points, Kopecks(allotment.into())).unwrap();
            let pledged: Kopecks = division.pledges.iter().map(|&(_, amount)| amount).sum();
            prop_assert_eq!(pledged.0 + division.purse.0, u128::from(allotment));
        }
    }
}
