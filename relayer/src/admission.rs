//! Whether a message fits what it is for, now: checks that need nothing but the message and the round, poll, source or prize.

use kopilka_bindings::allocation::Allocation as SignedAllocation;
use kopilka_domain::{Allocation, AllocationError, Allotment, BallotKind, InitiativeId, MessageKind, Phase, Points};

use crate::message::{Ballot, Choice, Message, Terms};
use crate::problem::Refusal;
use crate::rounds::Round;
use crate::venue::{Poll, PollKind, PollStatus, Prize, Venue};

/// Most initiatives in one allocation, as in the contract.
const MAX_CHOICES: usize = 255;

/// Whether the phase admits the kind, or may do so later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Open,
    NotYet,
    Over,
}

/// Whether registrations or allocations take effect in a phase.
pub(crate) fn opening(kind: MessageKind, phase: Phase, allotment: Allotment) -> Opening {
    let last = match (kind, allotment) {
        (MessageKind::Registration, Allotment::Equal) => Phase::Registration,
        _ => Phase::Pledging,
    };
    let first = first_phase(kind);
    if phase < first {
        Opening::NotYet
    } else if phase <= last {
        Opening::Open
    } else {
        Opening::Over
    }
}

fn first_phase(kind: MessageKind) -> Phase {
    match kind {
        MessageKind::Registration => Phase::Registration,
        _ => Phase::Pledging,
    }
}

/// Checks a message against what it is for.
pub(crate) fn check(message: &Message, venue: &Venue) -> Result<(), Refusal> {
    match (message, venue) {
        (Message::Registration(registration), Venue::Round(round)) => {
            check_phase(message.kind(), round)?;
            if usize::from(registration.class) >= round.class_keys.len() {
                return Err(Refusal::ClassUnknown { class: registration.class, count: round.class_keys.len() });
            }
            Ok(())
        }
        (Message::Allocation(allocation), Venue::Round(round)) => {
            check_phase(message.kind(), round)?;
            check_choices(&allocation.signed, round)
        }
        (Message::Ballot(ballot), Venue::Poll(poll)) => check_ballot(ballot, poll),
        (Message::StampClaim(claim), Venue::Source(source)) => {
            if source.is_closed {
                Err(Refusal::SourceClosed { source: claim.source })
            } else {
                Ok(())
            }
        }
        (Message::Redemption(redemption), Venue::Prize(prize)) => check_prize(&redemption.terms, prize),
        _ => Err(Refusal::VenueUnknown { field: "contract", what: "contract" }),
    }
}

fn check_phase(kind: MessageKind, round: &Round) -> Result<(), Refusal> {
    match opening(kind, round.phase, round.allotment) {
        Opening::Open if round.is_closing() => Err(Refusal::PledgingOver),
        Opening::Open => Ok(()),
        other => Err(Refusal::PhaseWrong {
            current: round.phase,
            needed: first_phase(kind).as_str(),
            is_over: other == Opening::Over,
        }),
    }
}

/// Whether citizens may vote in a poll that stands so; what was accepted arrives for some time longer.
fn check_ballot(ballot: &Ballot, poll: &Poll) -> Result<(), Refusal> {
    match poll.status {
        PollStatus::Open => {}
        PollStatus::Announced => return Err(Refusal::PollNotOpen { poll: poll.id, is_over: false }),
        _ => return Err(Refusal::PollNotOpen { poll: poll.id, is_over: true }),
    }
    if ballot.version == 0 {
        return Err(Refusal::ChoicesMalformed { field: "version", detail: "Versions count from 1.".to_owned() });
    }
    match ballot.choice {
        Choice::Sealed(..) if poll.is_sealed => Ok(()),
        Choice::Sealed(..) => Err(Refusal::ChoicesMalformed {
            field: "point",
            detail: "This poll is open: send «choice» and neither «point» nor «masked_choice».".to_owned(),
        }),
        Choice::Open(_) if poll.is_sealed => Err(Refusal::ChoicesMalformed {
            field: "choice",
            detail: "This poll is sealed: send «point» and «masked_choice» instead of «choice».".to_owned(),
        }),
        Choice::Open(choice) => check_choice(choice, poll)
            .map_err(|detail| Refusal::ChoicesMalformed { field: "choice", detail: detail.to_owned() }),
    }
}

/// The contract's rule, in words.
fn check_choice(choice: u128, poll: &Poll) -> Result<(), &'static str> {
    let options = u32::from(poll.option_count);
    match poll.kind {
        PollKind::Options(most) => {
            let chosen = choice.count_ones();
            if options < 128 && choice >> options != 0 {
                Err("A bit is set beyond the poll's options.")
            } else if chosen == 0 {
                Err("Choose at least one option: bit i stands for option i.")
            } else if chosen > u32::from(most) {
                Err("More options are chosen than the poll allows.")
            } else {
                Ok(())
            }
        }
        PollKind::Rating => {
            let grades = (0..32).map(|option| (choice >> (4 * option)) & 15);
            if grades.clone().enumerate().any(|(option, grade)| grade > 5 || (grade > 0 && option >= options as usize))
            {
                Err("Bits 4i to 4i+3 are the grade of option i, from 1 to 5, or 0 for none.")
            } else if grades.sum::<u128>() == 0 {
                Err("Grade at least one option.")
            } else {
                Ok(())
            }
        }
    }
}

fn check_prize(terms: &Terms, prize: &Prize) -> Result<(), Refusal> {
    if prize.price != terms.price || prize.content_hash != terms.content_hash {
        return Err(Refusal::PrizeUnavailable {
            prize: prize.id,
            why: "Its price or description is another than the one signed. Look at the prize again and sign anew.",
        });
    }
    if prize.is_withdrawn {
        return Err(Refusal::PrizeUnavailable {
            prize: prize.id,
            why: "The partner has withdrawn it. Choose another.",
        });
    }
    if prize.stock == 0 {
        return Err(Refusal::PrizeUnavailable { prize: prize.id, why: "No piece is left. Choose another." });
    }
    Ok(())
}

fn check_choices(allocation: &SignedAllocation, round: &Round) -> Result<(), Refusal> {
    let malformed = |field, detail: String| Err(Refusal::ChoicesMalformed { field, detail });
    if allocation.version == 0 {
        return malformed("version", "Versions count from 1.".to_owned());
    }
    if allocation.initiatives.len() > MAX_CHOICES {
        let found = allocation.initiatives.len();
        return malformed("initiatives", format!("At most {MAX_CHOICES} initiatives can be chosen, found {found}."));
    }
    if let Some(&unknown) = allocation.initiatives.iter().find(|&&id| id == 0 || id > round.initiative_count) {
        let count = round.initiative_count;
        return malformed("initiatives", format!("There is no initiative {unknown}; the round has 1 to {count}."));
    }
    let choices = Allocation {
        initiatives: allocation.initiatives.iter().copied().map(InitiativeId).collect(),
        points: allocation.points.iter().copied().map(Points).collect(),
    };
    choices.validate(round.ballot_kind, round.share_points).or_else(|error| {
        let field = match error {
            AllocationError::NotAscending { .. } => "initiatives",
            _ => "points",
        };
        let kind = match round.ballot_kind {
            BallotKind::Approval => "approval",
            BallotKind::Cumulative => "cumulative",
        };
        malformed(field, format!("On this {kind} ballot: {error}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_goes_on_while_pledging_only_with_fixed_shares() {
        use {Allotment as A, MessageKind as K, Opening as O, Phase as P};
        for (kind, phase, allotment, expected) in [
            (K::Registration, P::Draft, A::Equal, O::NotYet),
            (K::Registration, P::Registration, A::Equal, O::Open),
            (K::Registration, P::Pledging, A::Equal, O::Over),
            (K::Registration, P::Pledging, A::Fixed, O::Open),
            (K::Registration, P::Tallying, A::Fixed, O::Over),
            (K::Allocation, P::Registration, A::Fixed, O::NotYet),
            (K::Allocation, P::Pledging, A::Equal, O::Open),
            (K::Allocation, P::Tallying, A::Equal, O::Over),
            (K::Allocation, P::Cancelled, A::Equal, O::Over),
        ] {
            assert_eq!(opening(kind, phase, allotment), expected, "{kind} {phase} {allotment}");
        }
    }
}
