//! What this crate says of a round: every figure that the contracts must show.

use std::collections::HashSet;

use kopilka_domain::allotment::{allotment, fixed_allotment};
use kopilka_domain::settlement::{Ballot, Candidate, Election, settle};
use kopilka_domain::{Account, Allocation, Allotment, Completion, InitiativeId, Kopecks, Rule};
use serde_json::{Value, json};

use super::{Registration, Round, Submission};

/// `IBudgetRound.SkipReason`.
#[derive(Clone, Copy, PartialEq)]
enum SkipReason {
    None = 0,
    NotRegistered = 3,
    SignatureInvalid = 4,
    VersionNotHigher = 5,
    ChoicesMalformed = 6,
}

/// A round as it is played.
struct Play<'a> {
    round: &'a Round,
    /// Class of each citizen who is registered.
    classes: Vec<Option<u8>>,
    /// What the registered weigh together.
    total_weight: u64,
    /// The recorded allocations, with version 0 before the first.
    recorded: Vec<(u32, Allocation)>,
}

impl Play<'_> {
    fn weight(&self, class: u8) -> u32 {
        self.round.weights[class as usize]
    }

    /// Registers in order whoever is new and, with fixed allotments, covered by the funds.
    fn register(&mut self, registrations: &[Registration]) {
        for registration in registrations {
            let weight = self.weight(registration.class);
            for citizen in registration.first..registration.first + registration.count {
                if self.classes[citizen].is_some() || !self.covers(weight) {
                    continue;
                }
                self.classes[citizen] = Some(registration.class);
                self.total_weight += u64::from(weight);
            }
        }
    }

    fn covers(&self, weight: u32) -> bool {
        if self.round.allotment == Allotment::Equal {
            return true;
        }
        let share = |weight| fixed_allotment(self.round.fixed_amount, weight).unwrap();
        let given: Kopecks = self.classes.iter().flatten().map(|&class| share(self.weight(class))).sum();
        given.checked_add(share(weight)).unwrap() <= self.round.budget()
    }

    fn allotment(&self, citizen: usize) -> Kopecks {
        let Some(class) = self.classes[citizen] else {
            return Kopecks::ZERO;
        };
        let round = self.round;
        allotment(round.allotment, round.fixed_amount, round.budget(), self.weight(class), self.total_weight).unwrap()
    }

    fn election(&self, ballots: Vec<Ballot>) -> Election {
        let round = self.round;
        let candidates = (1..).zip(&round.costs).map(|(id, &cost)| Candidate { id: InitiativeId(id), cost });
        Election {
            budget: round.budget(),
            kind: round.kind,
            rule: round.rule,
            completion: round.completion,
            threshold: round.threshold,
            share_points: round.share_points,
            initiatives: candidates.collect(),
            ballots,
        }
    }

    /// Whether any settlement takes it as a ballot.
    fn is_ballot(&self, allocation: &Allocation) -> bool {
        let ballot = Ballot { account: Account::default(), weight: 1, allocation: allocation.clone() };
        settle(&Election { rule: Rule::Greedy, completion: Completion::NONE, ..self.election(vec![ballot]) }).is_ok()
    }

    fn allocate(&mut self, submission: &Submission) -> SkipReason {
        let citizen = submission.citizen;
        if self.classes[citizen].is_none() {
            return SkipReason::NotRegistered;
        }
        if submission.version <= self.recorded[citizen].0 {
            return SkipReason::VersionNotHigher;
        }
        if !self.is_ballot(&submission.allocation) {
            return SkipReason::ChoicesMalformed;
        }
        if submission.forged {
            return SkipReason::SignatureInvalid;
        }
        self.recorded[citizen] = (submission.version, submission.allocation.clone());
        SkipReason::None
    }

    /// What is in the wallets, and what each citizen has left.
    fn divide(&self) -> (Vec<Kopecks>, Vec<Kopecks>) {
        let round = self.round;
        let mut wallets = vec![Kopecks::ZERO; round.costs.len()];
        let unspent = self.recorded.iter().enumerate().map(|(citizen, (_, allocation))| {
            let division = allocation.divide(round.kind, round.share_points, self.allotment(citizen)).unwrap();
            for (id, amount) in division.pledges {
                wallets[usize::from(id.0) - 1].0 += amount.0;
            }
            division.purse
        });
        let unspent = unspent.collect();
        (wallets, unspent)
    }

    fn submitted(&mut self, submission: &Submission) -> Value {
        let reason = self.allocate(submission);
        json!({
            "citizen": submission.citizen,
            "version": submission.version,
            "initiatives": submission.allocation.initiatives,
            "points": submission.allocation.points,
            "reason": reason as u8,
        })
    }
}

/// A result that the clerk tries: what it costs, and whether it could be one by what holds of every settlement.
fn proposed(round: &Round, winners: &[InitiativeId]) -> Value {
    let cost_of = |id: &InitiativeId| round.costs.get(usize::from(id.0).wrapping_sub(1)).copied();
    let ascending = winners.windows(2).all(|pair| pair[0] < pair[1]) && winners.first() != Some(&InitiativeId(0));
    let cost: Kopecks = winners.iter().filter_map(cost_of).sum();
    let refusal = if !ascending {
        "order"
    } else if winners.iter().any(|id| cost_of(id).is_none()) {
        "unknown"
    } else if cost > round.budget() {
        "budget"
    } else {
        "none"
    };
    json!({ "winners": winners, "cost": cost, "refusal": refusal })
}

/// Plays the round with the functions of this crate. `accounts` are those of the citizens.
pub(super) fn of(round: &Round, accounts: &[Account]) -> Value {
    let accounts = &accounts[..round.citizens];
    let mut play = Play {
        round,
        classes: vec![None; round.citizens],
        total_weight: 0,
        recorded: vec![(0, Allocation::default()); round.citizens],
    };
    play.register(&round.registrations);
    let mut batches = Vec::new();
    for (index, batch) in round.batches.iter().enumerate() {
        let allocations: Vec<_> = batch.iter().map(|submission| play.submitted(submission)).collect();
        batches.push(json!({ "allocations": allocations, "wallets": play.divide().0 }));
        if index == 0 {
            play.register(&round.late);
        }
    }
    let (wallets, unspent) = play.divide();
    let registered: Vec<_> = (0..round.citizens).filter(|&citizen| play.classes[citizen].is_some()).collect();
    let allotments: Vec<_> = (0..round.citizens).map(|citizen| play.allotment(citizen)).collect();
    let given: Kopecks = allotments.iter().copied().sum();
    assert!(given <= round.budget(), "{}: more is given than there is", round.name);
    let held: Kopecks = wallets.iter().chain(&unspent).copied().sum();
    assert_eq!(held, given, "{}: a kopeck was made or lost", round.name);

    let ballots = registered.iter().map(|&citizen| Ballot {
        account: accounts[citizen],
        weight: play.weight(play.classes[citizen].unwrap()),
        allocation: play.recorded[citizen].1.clone(),
    });
    let election = play.election(ballots.collect());
    let outcome = settle(&election).unwrap();
    let support = (1..=round.costs.len() as u16).map(InitiativeId).map(|id| {
        let winner = outcome.winners.iter().find(|winner| winner.id == id).map(|winner| winner.support);
        winner.or(outcome.losers.iter().find(|loser| loser.id == id).map(|loser| loser.support)).unwrap()
    });
    let bought = outcome.winners.iter().filter(|winner| winner.route.as_str() == "equal-shares").count();
    let text = outcome.transcript.text();
    let (_, result) = text.split_at(text.find("raised ").unwrap());
    let ids: HashSet<_> = outcome.winners.iter().map(|winner| winner.id).collect();
    assert_eq!(ids.len() + outcome.losers.len(), round.costs.len(), "{}: one fate each", round.name);

    let registrations = |list: &[Registration]| -> Value {
        list.iter().map(|some| json!({ "class": some.class, "first": some.first, "count": some.count })).collect()
    };
    json!({
        "name": round.name,
        "ballotKind": round.kind.code(),
        "allotment": round.allotment.code(),
        "rule": round.rule.code(),
        "raise": round.completion.raise,
        "fill": round.completion.fill,
        "threshold": round.threshold,
        "sharePoints": round.share_points,
        "fixedAmount": round.fixed_amount,
        "appropriation": round.appropriation,
        "mints": round.mints,
        "weights": round.weights,
        "costs": round.costs,
        "accounts": accounts,
        "registrations": registrations(&round.registrations),
        "late": registrations(&round.late),
        "registered": play.classes.iter().map(Option::is_some).collect::<Vec<_>>(),
        "classes": play.classes.iter().map(|class| class.unwrap_or(0)).collect::<Vec<_>>(),
        "batches": batches,
        "allotments": allotments,
        "unspent": unspent,
        "participants": play.recorded.iter().filter(|(version, _)| *version > 0).count(),
        "proposals": round.proposals.iter().map(|winners| proposed(round, winners)).collect::<Vec<_>>(),
        "budget": round.budget(),
        "support": support.collect::<Vec<_>>(),
        "found": outcome.winners.iter().map(|winner| winner.id).collect::<Vec<_>>(),
        "bought": bought,
        "winners": outcome.winner_ids(),
        "totalCost": outcome.total_cost,
        "returned": outcome.budget.checked_sub(outcome.total_cost).unwrap(),
        "result": result,
        "digest": outcome.transcript.digest_hex(),
    })
}
