//! Calls in sentences.

use alloy::primitives::Address;
use alloy::sol_types::SolInterface as _;
use kopilka_bindings::budget_round::BudgetRound::BudgetRoundCalls;
use kopilka_bindings::budget_rounds::BudgetRounds::BudgetRoundsCalls;
use kopilka_bindings::budget_token::BudgetToken::BudgetTokenCalls;
use kopilka_bindings::municipalities::Municipalities::MunicipalitiesCalls;
use kopilka_domain::Kopecks;
use kopilka_web::Html;

use super::{Parameter, abi, choices, joined, moment, role_key};
use crate::words::Words;

/// Items of a batch that are listed.
const LISTED: usize = 500;

/// A call as it is told.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// In a sentence, if we know what it means.
    pub(crate) sentence: Option<Html>,
    /// The items of a batch.
    pub(crate) items: Vec<Html>,
    /// The function's signature.
    pub(crate) signature: String,
    /// The values by the ABI.
    pub(crate) parameters: Vec<Parameter>,
}

/// Tells a call of one of our contracts; none for others.
pub(crate) fn call(words: &Words, to: Address, input: &[u8]) -> Option<Call> {
    let contract = words.names.contracts.get(&to)?;
    let function = abi::function(input)?;
    let (sentence, items) = match contract.kind.as_str() {
        "round" => of_round(words, to, BudgetRoundCalls::abi_decode(input).ok()),
        "rounds" => (of_rounds(words, BudgetRoundsCalls::abi_decode(input).ok()), Vec::new()),
        "token" => (of_token(words, BudgetTokenCalls::abi_decode(input).ok()), Vec::new()),
        "municipalities" => (of_municipalities(words, MunicipalitiesCalls::abi_decode(input).ok()), Vec::new()),
        _ => (None, Vec::new()),
    };
    Some(Call {
        sentence,
        items,
        signature: function.signature(),
        parameters: abi::call_parameters(words, function, input),
    })
}

/// Key of the short name of a method, for lists.
pub(crate) fn method_key(method: &[u8]) -> Option<&'static str> {
    let function = abi::function(method)?;
    Some(match function.name.as_str() {
        "register" => "method-register",
        "allocate" => "method-allocate",
        "publishIssued" => "method-publish-issued",
        "addClass" => "method-add-class",
        "addInitiative" => "method-add-initiative",
        "openRegistration" => "method-open-registration",
        "openPledging" => "method-open-pledging",
        "closePledging" => "method-close-pledging",
        "proposeSettlement" => "method-propose-settlement",
        "withdrawSettlement" => "method-withdraw-settlement",
        "finalizeSettlement" => "method-finalize-settlement",
        "recordPayment" => "method-record-payment",
        "returnRemainder" => "method-return-remainder",
        "close" => "method-close",
        "cancel" => "method-cancel",
        "createRound" => "method-create-round",
        "proposeMint" => "method-propose-mint",
        "approveMint" => "method-approve-mint",
        "cancelMint" => "method-cancel-mint",
        "approveSettlement" => "method-approve-settlement",
        "pause" => "method-pause",
        "unpause" => "method-unpause",
        "transferOwnership" => "method-transfer-ownership",
        "acceptOwnership" => "method-accept-ownership",
        "admitVerifier" => "method-admit-verifier",
        "schedule" => "method-schedule",
        "postpone" => "method-postpone",
        "reach" => "method-reach",
        "abandon" => "method-abandon",
        "createPoll" => "method-create-poll",
        "cancelPoll" => "method-cancel-poll",
        "castBallots" => "method-cast-ballots",
        "castSealedBallots" => "method-cast-sealed-ballots",
        "openBallots" => "method-open-ballots",
        "publishSealingSecret" => "method-publish-sealing-secret",
        "claim" => "method-claim",
        "openSeason" => "method-open-season",
        "openSource" => "method-open-source",
        "closeSource" => "method-close-source",
        "listPrize" => "method-list-prize",
        "raiseStock" => "method-raise-stock",
        "lowerStock" => "method-lower-stock",
        "withdrawPrize" => "method-withdraw-prize",
        "redeem" => "method-redeem",
        "honour" => "method-honour",
        "refuse" => "method-refuse",
        "lapse" => "method-lapse",
        "openStream" => "method-open-stream",
        "anchor" => "method-anchor",
        "admit" => "method-admit",
        "grantRole" => "method-grant-role",
        "revokeRole" => "method-revoke-role",
        _ => return None,
    })
}

fn of_round(words: &Words, round: Address, call: Option<BudgetRoundCalls>) -> (Option<Html>, Vec<Html>) {
    let Some(call) = call else { return (None, Vec::new()) };
    let link = words.address(round);
    let mut items = Vec::new();
    let told = match call {
        BudgetRoundCalls::register(call) => {
            items.extend(call.accounts.iter().take(LISTED).map(|account| words.digits(account)));
            words.text("call-register").arg("count", call.accounts.len()).arg("class", call.class).html("round", link)
        }
        BudgetRoundCalls::allocate(call) => {
            items.extend(call.allocations.iter().take(LISTED).map(|allocation| {
                let key = match (allocation.initiatives.is_empty(), allocation.points.is_empty()) {
                    (true, _) => "event-allocation-empty",
                    (false, true) => "event-allocation-approval",
                    (false, false) => "event-allocation-cumulative",
                };
                words
                    .text(key)
                    .html("account", words.digits(allocation.account))
                    .arg("version", allocation.version)
                    .html("choices", choices(words, round, &allocation.initiatives, &allocation.points))
                    .to_html()
            }));
            words.text("call-allocate").arg("count", call.allocations.len()).html("round", link)
        }
        BudgetRoundCalls::publishIssued(call) => {
            words.text("call-publish-issued").arg("count", call.issued).arg("class", call.class).html("round", link)
        }
        BudgetRoundCalls::addClass(call) => words.text("call-add-class").arg("weight", call.weight).html("round", link),
        BudgetRoundCalls::addInitiative(call) => {
            words.text("call-add-initiative").html("cost", words.rubles(Kopecks(call.cost))).html("round", link)
        }
        BudgetRoundCalls::openRegistration(_) => words.text("call-open-registration").html("round", link),
        BudgetRoundCalls::openPledging(_) => words.text("call-open-pledging").html("round", link),
        BudgetRoundCalls::closePledging(_) => words.text("call-close-pledging").html("round", link),
        BudgetRoundCalls::proposeSettlement(call) => words
            .text("call-propose-settlement")
            .arg("count", call.winners.len())
            .html("winners", joined(call.winners.iter().map(|&id| words.initiative_short(round, i32::from(id)))))
            .html("digest", words.plain_hash(call.transcriptDigest))
            .html("round", link),
        BudgetRoundCalls::approveSettlement(call) => words
            .text("call-approve-settlement")
            .html("digest", words.plain_hash(call.transcriptDigest))
            .html("round", link),
        BudgetRoundCalls::withdrawSettlement(_) => words.text("call-withdraw-settlement").html("round", link),
        BudgetRoundCalls::finalizeSettlement(_) => words.text("call-finalize-settlement").html("round", link),
        BudgetRoundCalls::recordPayment(call) => words
            .text("call-record-payment")
            .html("amount", words.kopecks(call.amount))
            .html("initiative", words.initiative(round, i32::from(call.initiativeId)))
            .html("reference", words.plain_hash(call.paymentReference)),
        BudgetRoundCalls::returnRemainder(call) => words
            .text("call-return-remainder")
            .html("initiative", words.initiative(round, i32::from(call.initiativeId))),
        BudgetRoundCalls::close(_) => words.text("call-close").html("round", link),
        BudgetRoundCalls::cancel(_) => words.text("call-cancel").html("round", link),
        _ => return (None, Vec::new()),
    };
    (Some(told.to_html()), items)
}

fn of_rounds(words: &Words, call: Option<BudgetRoundsCalls>) -> Option<Html> {
    match call? {
        BudgetRoundsCalls::createRound(call) => Some(
            words
                .text("call-create-round")
                .html("amount", words.rubles(Kopecks(call.appropriation.amount)))
                .arg("municipality", call.config.municipalityId)
                .arg("token", call.tokenSymbol)
                .to_html(),
        ),
        _ => None,
    }
}

fn of_token(words: &Words, call: Option<BudgetTokenCalls>) -> Option<Html> {
    match call? {
        BudgetTokenCalls::proposeMint(call) => {
            Some(words.text("call-propose-mint").html("amount", words.kopecks(call.amount)).to_html())
        }
        BudgetTokenCalls::approveMint(call) => Some(
            words
                .text("call-approve-mint")
                .arg("id", call.mintId.to_string())
                .html("amount", words.kopecks(call.amount))
                .to_html(),
        ),
        BudgetTokenCalls::cancelMint(call) => {
            Some(Html::escaped(words.text("call-cancel-mint").arg("id", call.mintId.to_string())))
        }
        _ => None,
    }
}

fn of_municipalities(words: &Words, call: Option<MunicipalitiesCalls>) -> Option<Html> {
    let told = match call? {
        MunicipalitiesCalls::admit(call) => {
            words.text("call-admit").html("name", Html::escaped(call.name)).arg("oktmo", call.oktmo)
        }
        MunicipalitiesCalls::grantRole(call) => words
            .text("call-grant-role")
            .arg("role", words.text(role_key(call.role)))
            .arg("id", call.municipalityId)
            .html("account", words.digits(call.account))
            .html("from", moment(words, call.validFrom))
            .html("until", moment(words, call.validUntil)),
        MunicipalitiesCalls::revokeRole(call) => words
            .text("call-revoke-role")
            .arg("role", words.text(role_key(call.role)))
            .arg("id", call.municipalityId)
            .html("account", words.digits(call.account)),
        MunicipalitiesCalls::pause(call) => {
            words.text("event-paused").html("reason", words.plain_hash(call.reasonHash))
        }
        MunicipalitiesCalls::unpause(_) => return Some(Html::escaped(words.text("event-unpaused"))),
        _ => return None,
    };
    Some(told.to_html())
}
