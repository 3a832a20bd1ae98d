//! Whether a round takes a message now: checks that need nothing but the message and the round.

use kopilka_bindings::allocation::Allocation as SignedAllocation;
use kopilka_domain::{Allocation, AllocationError, Allotment, BallotKind, InitiativeId, MessageKind, Phase, Points};

use crate::message::Message;
use crate::problem::Refusal;
use crate::rounds::Round;

/// Most initiatives in one allocation, as in the contract.
const MAX_CHOICES: usize = 255;

/// Whether the phase admits the kind, or may do so later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Open,
    NotYet,
    Over,
}

/// Whether messages of a kind take effect in a phase.
pub(crate) fn opening(kind: MessageKind, phase: Phase, allotment: Allotment) -> Opening {
    let last = match (kind, allotment) {
        (MessageKind::Registration, Allotment::Equal) => Phase::Registration,
        (MessageKind::Registration, Allotment::Fixed) | (MessageKind::Allocation, _) => Phase::Pledging,
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
        MessageKind::Allocation => Phase::Pledging,
    }
}

/// Checks a message against its round.
pub(crate) fn check(message: &Message, round: &Round) -> Result<(), Refusal> {
    match opening(message.kind(), round.phase, round.allotment) {
        Opening::Open => {}
        other => {
            return Err(Refusal::PhaseWrong {
                current: round.phase,
                needed: first_phase(message.kind()).as_str(),
                is_over: other == Opening::Over,
            });
        }
    }
    match message {
        Message::Registration(registration) => {
            if usize::from(registration.class) >= round.class_keys.len() {
                return Err(Refusal::ClassUnknown { class: registration.class, count: round.class_keys.len() });
            }
        }
        Message::Allocation(allocation) => check_choices(&allocation.signed, round)?,
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
