//! Events in sentences.

use alloy::primitives::{Address, U256};
use alloy::sol_types::SolEventInterface as _;
use kopilka_bindings::budget_round::BudgetRound::{self, BudgetRoundEvents};
use kopilka_bindings::budget_rounds::BudgetRounds::BudgetRoundsEvents;
use kopilka_bindings::budget_token::BudgetToken::BudgetTokenEvents;
use kopilka_bindings::milestones::Milestones::MilestonesEvents;
use kopilka_bindings::municipalities::Municipalities::MunicipalitiesEvents;
use kopilka_domain::{Kopecks, Phase};
use kopilka_store::chain::query::Log;
use kopilka_web::Html;

use super::{abi, choices, joined, moment, role_key, skip_key};
use crate::decode::Parameter;
use crate::words::{Words, phase_key};

/// An event as it is told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// In a sentence, if we know what it means.
    pub(crate) sentence: Option<Html>,
    /// The name of the event, if one of our contracts has it.
    pub(crate) name: Option<String>,
    /// Its values.
    pub(crate) parameters: Vec<Parameter>,
}

/// Tells an event.
pub(crate) fn event(words: &Words, log: &Log) -> Told {
    let topics = log.topics();
    let described = log.topic0.and_then(abi::event);
    let parameters = described.and_then(|event| abi::event_parameters(words, event, &topics, &log.data));
    Told {
        sentence: sentence(words, log),
        name: parameters.as_ref().and(described).map(|event| event.name.clone()),
        parameters: parameters.unwrap_or_default(),
    }
}

fn sentence(words: &Words, log: &Log) -> Option<Html> {
    let (topics, data) = (log.topics(), &log.data);
    let contract = words.names.contracts.get(&log.address);
    match contract.map(|contract| contract.kind.as_str()) {
        Some("round") => {
            BudgetRoundEvents::decode_raw_log(&topics, data).ok().and_then(|event| of_round(words, log.address, event))
        }
        Some("rounds") => BudgetRoundsEvents::decode_raw_log(&topics, data).ok().map(|event| of_rounds(words, event)),
        Some("milestones") => {
            MilestonesEvents::decode_raw_log(&topics, data).ok().map(|event| of_milestones(words, event))
        }
        Some("municipalities") => {
            MunicipalitiesEvents::decode_raw_log(&topics, data).ok().and_then(|event| of_municipalities(words, event))
        }
        Some("token") => {
            let round = contract.and_then(|contract| contract.round).unwrap_or_default();
            BudgetTokenEvents::decode_raw_log(&topics, data)
                .ok()
                .and_then(|event| of_token(words, log.address, round, event))
        }
        _ => match BudgetTokenEvents::decode_raw_log(&topics, data).ok()? {
            BudgetTokenEvents::Transfer(event) => Some(
                words
                    .text("event-foreign-transfer")
                    .html("from", words.address(event.from))
                    .html("to", words.address(event.to))
                    .arg("amount", event.value.to_string())
                    .html("token", words.address(log.address))
                    .to_html(),
            ),
            _ => None,
        },
    }
}

fn of_round(words: &Words, round: Address, event: BudgetRoundEvents) -> Option<Html> {
    let told = match event {
        BudgetRoundEvents::PhaseChanged(BudgetRound::PhaseChanged { phase }) => {
            let phase = Phase::try_from(phase).ok()?;
            words
                .text("event-phase-changed")
                .html("round", words.address(round))
                .arg("phase", words.text(phase_key(phase)))
        }
        BudgetRoundEvents::ClassAdded(event) => words
            .text("event-class-added")
            .html("round", words.address(round))
            .arg("class", event.class)
            .arg("weight", event.weight),
        BudgetRoundEvents::InitiativeAdded(event) => words
            .text("event-initiative-added")
            .html("initiative", words.initiative(round, i32::from(event.initiativeId)))
            .html("cost", words.rubles(Kopecks(event.cost)))
            .html("wallet", words.digits(event.wallet)),
        BudgetRoundEvents::CredentialsIssued(event) => words
            .text("event-credentials-issued")
            .html("round", words.address(round))
            .arg("class", event.class)
            .arg("count", event.issued),
        BudgetRoundEvents::Registered(event) => words
            .text("event-registered")
            .html("account", words.digits(event.account))
            .arg("class", event.class)
            .html("round", words.address(round)),
        BudgetRoundEvents::RegistrationSkipped(event) => words
            .text("event-registration-skipped")
            .html("account", words.digits(event.account))
            .arg("reason", words.text(skip_key(event.reason))),
        BudgetRoundEvents::PledgingOpened(event) => words
            .text("event-pledging-opened")
            .html("round", words.address(round))
            .html("budget", words.kopecks(event.budget))
            .arg("weight", u128::try_from(event.totalWeight).unwrap_or(u128::MAX)),
        BudgetRoundEvents::AllocationRecorded(event) => {
            let key = match (event.initiatives.is_empty(), event.points.is_empty()) {
                (true, _) => "event-allocation-empty",
                (false, true) => "event-allocation-approval",
                (false, false) => "event-allocation-cumulative",
            };
            words
                .text(key)
                .html("account", words.digits(event.account))
                .arg("version", event.version)
                .html("choices", choices(words, round, &event.initiatives, &event.points))
        }
        BudgetRoundEvents::AllocationSkipped(event) => words
            .text("event-allocation-skipped")
            .html("account", words.digits(event.account))
            .arg("version", event.version)
            .arg("reason", words.text(skip_key(event.reason))),
        BudgetRoundEvents::SettlementProposed(event) => words
            .text("event-settlement-proposed")
            .html("round", words.address(round))
            .arg("count", event.winners.len())
            .html("winners", winners(words, round, &event.winners))
            .html("cost", words.kopecks(event.totalCost))
            .html("final", moment(words, event.finalAt))
            .html("digest", words.plain_hash(event.transcriptDigest)),
        BudgetRoundEvents::SettlementApproved(event) => words
            .text("event-settlement-approved")
            .html("round", words.address(round))
            .html("proposer", words.digits(event.proposer))
            .html("approver", words.digits(event.approver))
            .html("digest", words.plain_hash(event.transcriptDigest)),
        BudgetRoundEvents::SettlementWithdrawn(event) => words
            .text("event-settlement-withdrawn")
            .html("round", words.address(round))
            .html("account", words.digits(event.account))
            .html("digest", words.plain_hash(event.transcriptDigest)),
        BudgetRoundEvents::InitiativeSettled(event) => {
            let key = if event.won { "event-initiative-won" } else { "event-initiative-lost" };
            words
                .text(key)
                .html("initiative", words.initiative(round, i32::from(event.initiativeId)))
                .html("pledged", words.kopecks(event.pledged))
                .html("funded", words.kopecks(event.funded))
        }
        BudgetRoundEvents::SettlementFinalized(event) => words
            .text("event-settlement-finalized")
            .html("round", words.address(round))
            .arg("count", event.winners.len())
            .html("winners", winners(words, round, &event.winners))
            .html("cost", words.kopecks(event.totalCost))
            .html("returned", words.kopecks(event.returned)),
        BudgetRoundEvents::PaymentRecorded(event) => words
            .text("event-payment-recorded")
            .html("initiative", words.initiative(round, i32::from(event.initiativeId)))
            .html("amount", words.kopecks(event.amount))
            .html("reference", words.plain_hash(event.paymentReference)),
        _ => return None,
    };
    Some(told.to_html())
}

fn winners(words: &Words, round: Address, ids: &[u16]) -> Html {
    joined(ids.iter().map(|&id| words.initiative_short(round, i32::from(id))))
}

fn of_rounds(words: &Words, event: BudgetRoundsEvents) -> Html {
    match event {
        BudgetRoundsEvents::RoundCreated(event) => words
            .text("event-round-created")
            .arg("id", u128::try_from(event.roundId).unwrap_or(u128::MAX))
            .html("round", words.address(event.round))
            .html("token", words.address(event.token))
            .to_html(),
    }
}

fn of_milestones(words: &Words, event: MilestonesEvents) -> Html {
    let initiative = |round: Address, id: u16| words.initiative(round, i32::from(id));
    match event {
        MilestonesEvents::ExecutionScheduled(event) => words
            .text("event-execution-scheduled")
            .html("initiative", initiative(event.round, event.initiativeId))
            .html("until", moment(words, event.deadlines[3])),
        MilestonesEvents::MilestonePostponed(event) => words
            .text("event-milestone-postponed")
            .html("initiative", initiative(event.round, event.initiativeId))
            .arg("stage", words.text(stage_key(event.stage)))
            .html("from", moment(words, event.previousDeadline))
            .html("until", moment(words, event.deadline))
            .html("reason", words.plain_hash(event.reasonHash)),
        MilestonesEvents::MilestoneReached(event) => words
            .text("event-milestone-reached")
            .html("initiative", initiative(event.round, event.initiativeId))
            .arg("stage", words.text(stage_key(event.stage)))
            .html("account", words.digits(event.account))
            .html("document", words.plain_hash(event.documentHash)),
        MilestonesEvents::ExecutionAbandoned(event) => words
            .text("event-execution-abandoned")
            .html("initiative", initiative(event.round, event.initiativeId))
            .html("reason", words.plain_hash(event.reasonHash)),
    }
    .to_html()
}

/// Key of the name of an `IMilestones.Stage`.
fn stage_key(stage: u8) -> &'static str {
    match stage {
        0 => "stage-plan",
        1 => "stage-contract",
        2 => "stage-acceptance",
        _ => "stage-report",
    }
}

fn of_municipalities(words: &Words, event: MunicipalitiesEvents) -> Option<Html> {
    let told = match event {
        MunicipalitiesEvents::MunicipalityAdmitted(event) => words
            .text("event-municipality-admitted")
            .html("name", Html::escaped(event.name))
            .arg("oktmo", event.oktmo)
            .arg("id", event.municipalityId),
        MunicipalitiesEvents::RoleGranted(event) => words
            .text("event-role-granted")
            .html("account", words.digits(event.account))
            .arg("role", words.text(role_key(event.role)))
            .arg("id", event.municipalityId)
            .html("from", moment(words, event.validFrom))
            .html("until", moment(words, event.validUntil)),
        MunicipalitiesEvents::RoleRevoked(event) => words
            .text("event-role-revoked")
            .html("account", words.digits(event.account))
            .arg("role", words.text(role_key(event.role)))
            .arg("id", event.municipalityId),
        MunicipalitiesEvents::Paused(event) => {
            words.text("event-paused").html("reason", words.plain_hash(event.reasonHash))
        }
        MunicipalitiesEvents::Unpaused(_) => return Some(Html::escaped(words.text("event-unpaused"))),
        MunicipalitiesEvents::OwnershipTransferred(event) => words
            .text("event-ownership-transferred")
            .html("from", words.address(event.previousOwner))
            .html("to", words.address(event.newOwner)),
        _ => return None,
    };
    Some(told.to_html())
}

fn of_token(words: &Words, token: Address, round: Address, event: BudgetTokenEvents) -> Option<Html> {
    let told = match event {
        BudgetTokenEvents::Transfer(event) => {
            return Some(transfer(words, token, round, event.from, event.to, event.value));
        }
        BudgetTokenEvents::AppropriationRecorded(event) => words
            .text("event-appropriation-recorded")
            .html("token", words.address(token))
            .html("amount", words.rubles(Kopecks(event.amount)))
            .arg("year", event.fiscalYear.to_string())
            .arg("kbk", event.kbk),
        BudgetTokenEvents::BudgetMinted(event) => words
            .text("event-budget-minted")
            .html("proposer", words.digits(event.proposer))
            .html("approver", words.digits(event.approver))
            .html("amount", words.kopecks(event.amount))
            .html("total", words.kopecks(event.mintedTotal)),
        BudgetTokenEvents::MintProposed(event) => words
            .text("event-mint-proposed")
            .arg("id", event.mintId.to_string())
            .html("proposer", words.digits(event.proposer))
            .html("amount", words.kopecks(event.amount)),
        BudgetTokenEvents::MintCancelled(event) => words
            .text("event-mint-cancelled")
            .arg("id", event.mintId.to_string())
            .html("account", words.digits(event.account)),
        BudgetTokenEvents::PaymentBurned(event) => words
            .text("event-payment-burned")
            .html("initiative", words.initiative(round, i32::from(event.initiativeId)))
            .html("amount", words.kopecks(event.amount)),
        BudgetTokenEvents::ReturnedToBudget(event) => words
            .text("event-returned-to-budget")
            .html("from", words.address(event.from))
            .html("amount", words.kopecks(event.amount)),
        _ => return None,
    };
    Some(told.to_html())
}

/// A move of budget tokens, told by what the two sides are.
fn transfer(words: &Words, token: Address, round: Address, from: Address, to: Address, amount: U256) -> Html {
    let is_wallet =
        |address: &Address| words.names.contracts.get(address).is_some_and(|contract| contract.kind == "wallet");
    let key = match () {
        () if from.is_zero() => "transfer-minted",
        () if to.is_zero() => "transfer-burnt",
        () if from == token && to == round => "transfer-released",
        () if from == round && is_wallet(&to) => "transfer-purse-to-wallet",
        () if is_wallet(&from) && to == round => "transfer-wallet-to-purse",
        () if from == round => "transfer-share",
        () if to == round => "transfer-back",
        () if is_wallet(&to) => "transfer-pledged",
        () if is_wallet(&from) => "transfer-taken-back",
        () => "transfer-other",
    };
    words
        .text(key)
        .html("amount", words.kopecks(amount))
        .html("from", words.address(from))
        .html("to", words.address(to))
        .to_html()
}
