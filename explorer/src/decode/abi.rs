//! Any call, event or error of our contracts by its ABI: names, types and values, without knowing what they mean.

use std::fmt::Write as _;
use std::sync::LazyLock;

use alloy::dyn_abi::{DynSolValue, ErrorExt as _, EventExt as _, JsonAbiExt as _};
use alloy::json_abi::{Event, Function, JsonAbi};
use alloy::primitives::{B256, hex};
use alloy::sol_types::{Revert, SolError as _, SolInterface as _};
use kopilka_bindings::budget_round::BudgetRound::BudgetRoundErrors;
use kopilka_domain::Phase;
use kopilka_web::{Html, Message};
use serde::Deserialize;

use crate::words::{Words, phase_key};

/// Longest text of a value that is shown.
const LONGEST: usize = 4_000;

/// A file in `abi/`.
#[derive(Deserialize)]
struct Artifact {
    abi: JsonAbi,
}

/// The ABIs of all our contracts.
static ABIS: LazyLock<Vec<JsonAbi>> = LazyLock::new(|| {
    [
        include_str!("../../../abi/BudgetRound.json"),
        include_str!("../../../abi/BudgetRounds.json"),
        include_str!("../../../abi/BudgetToken.json"),
        include_str!("../../../abi/Municipalities.json"),
        include_str!("../../../abi/IssuerKeys.json"),
        include_str!("../../../abi/Milestones.json"),
        include_str!("../../../abi/Polls.json"),
        include_str!("../../../abi/RewardPoints.json"),
        include_str!("../../../abi/RewardShop.json"),
        include_str!("../../../abi/Anchors.json"),
    ]
    .into_iter()
    .filter_map(|json| match serde_json::from_str::<Artifact>(json) {
        Ok(artifact) => Some(artifact.abi),
        Err(error) => {
            tracing::error!(%error, "a file in abi/ cannot be read");
            None
        }
    })
    .collect()
});

/// A named value of a call or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) value: Html,
}

/// The function that an input calls.
pub(super) fn function(input: &[u8]) -> Option<&'static Function> {
    let selector = input.get(..4)?;
    ABIS.iter().flat_map(JsonAbi::functions).find(|function| function.selector() == selector)
}

/// The values of a call.
pub(super) fn call_parameters(words: &Words, function: &Function, input: &[u8]) -> Vec<Parameter> {
    let values = input.get(4..).and_then(|data| function.abi_decode_input(data).ok()).unwrap_or_default();
    function
        .inputs
        .iter()
        .zip(values)
        .map(|(parameter, value)| Parameter {
            name: parameter.name.clone(),
            kind: parameter.selector_type().into_owned(),
            value: shown(words, &value),
        })
        .collect()
}

/// The event with a first topic.
pub(super) fn event(topic0: B256) -> Option<&'static Event> {
    ABIS.iter().flat_map(JsonAbi::events).find(|event| event.selector() == topic0)
}

/// The values of an event.
pub(super) fn event_parameters(words: &Words, event: &Event, topics: &[B256], data: &[u8]) -> Option<Vec<Parameter>> {
    let decoded = event.decode_log_parts(topics.iter().copied(), data).ok()?;
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    event
        .inputs
        .iter()
        .map(|parameter| {
            let value = if parameter.indexed { indexed.next()? } else { body.next()? };
            Some(Parameter {
                name: parameter.name.clone(),
                kind: parameter.selector_type().into_owned(),
                value: shown(words, &value),
            })
        })
        .collect()
}

/// Why a contract refused: in words where we have them, then the name of its error with the values, or the text of a `require`.
pub(crate) fn refusal(words: &Words, data: &[u8]) -> Option<Html> {
    let raw = raw_refusal(data)?;
    Some(match refusal_sentence(words, data) {
        Some(sentence) => Html::trusted(format!("{} <code>{}</code>", Html::escaped(sentence), Html::escaped(raw))),
        None => Html::trusted(format!("<code>{}</code>", Html::escaped(raw))),
    })
}

fn refusal_sentence(words: &Words, data: &[u8]) -> Option<Message> {
    use BudgetRoundErrors as Error;
    let phase =
        |code: u8| Phase::try_from(code).map(|phase| words.text(phase_key(phase)).to_string()).unwrap_or_default();
    Some(match Error::abi_decode(data).ok()? {
        Error::PhaseWrong(error) => words
            .text("refusal-phase-wrong")
            .arg("current", phase(error.current))
            .arg("required", phase(error.required)),
        Error::TooEarly(error) => {
            words.text("refusal-too-early").arg("moment", super::moment_text(words, error.notBefore))
        }
        Error::CallerLacksRole(_) => words.text("refusal-no-role"),
        Error::CredentialsInvalid(_) => words.text("refusal-credentials"),
        Error::RegisteredExceedsIssued(error) => words
            .text("refusal-exceeds-issued")
            .arg("class", error.class)
            .arg("registered", error.registered)
            .arg("issued", error.issued),
        Error::BudgetExceeded(_) => words.text("refusal-budget-exceeded"),
        Error::BudgetMissing(_) => words.text("refusal-budget-missing"),
        Error::InitiativeUnknown(error) => words.text("refusal-initiative-unknown").arg("id", error.initiativeId),
        Error::PaymentExceedsWallet(error) => words.text("refusal-payment-exceeds").arg("id", error.initiativeId),
        Error::WalletsNotEmpty(_) => words.text("refusal-wallets"),
        _ => return None,
    })
}

fn raw_refusal(data: &[u8]) -> Option<String> {
    if let Ok(revert) = Revert::abi_decode(data) {
        return Some(revert.reason);
    }
    let selector = data.get(..4)?;
    let error = ABIS.iter().flat_map(JsonAbi::errors).find(|error| error.selector() == selector)?;
    let decoded = error.decode_error(data).ok()?;
    let values = error.inputs.iter().zip(&decoded.body).map(|(parameter, value)| {
        let mut text = format!("{}: ", parameter.name);
        write_plain(&mut text, value);
        text
    });
    Some(format!("{}({})", error.name, values.collect::<Vec<_>>().join(", ")))
}

fn shown(words: &Words, value: &DynSolValue) -> Html {
    match value {
        DynSolValue::Address(address) => words.address(address),
        other => {
            let mut text = String::new();
            write_plain(&mut text, other);
            if text.len() > LONGEST {
                text.truncate(text.floor_char_boundary(LONGEST));
                text.push('…');
            }
            Html::escaped(text)
        }
    }
}

fn write_plain(text: &mut String, value: &DynSolValue) {
    // Enough is enough: what follows is cut off anyway.
    if text.len() > LONGEST {
        return;
    }
    // Writing into a string cannot fail.
    let _ = match value {
        DynSolValue::Bool(value) => write!(text, "{value}"),
        DynSolValue::Int(value, _) => write!(text, "{value}"),
        DynSolValue::Uint(value, _) => write!(text, "{value}"),
        DynSolValue::FixedBytes(word, size) => write!(text, "0x{}", hex::encode(&word[..(*size).min(32)])),
        DynSolValue::Address(address) => write!(text, "{address:#x}"),
        DynSolValue::Bytes(bytes) => write!(text, "0x{}", hex::encode(bytes)),
        DynSolValue::String(value) => write!(text, "{value}"),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            let (open, close) = if matches!(value, DynSolValue::Tuple(_)) { ('(', ')') } else { ('[', ']') };
            text.push(open);
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                write_plain(text, value);
            }
            text.push(close);
            Ok(())
        }
        DynSolValue::Function(function) => write!(text, "{function}"),
        #[expect(unreachable_patterns, reason = "the enumeration may grow with features of alloy")]
        _ => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;
    use kopilka_bindings::budget_round::BudgetRound;

    #[test]
    fn refusals_are_named() {
        let data = BudgetRound::PaymentExceedsWallet { initiativeId: 3, amount: U256::from(7), balance: U256::from(5) };
        assert_eq!(
            raw_refusal(&data.abi_encode()).as_deref(),
            Some("PaymentExceedsWallet(initiativeId: 3, amount: 7, balance: 5)")
        );
        assert_eq!(raw_refusal(&Revert::from("no").abi_encode()).as_deref(), Some("no"));
        assert_eq!(raw_refusal(&[1, 2, 3, 4]), None);
        assert_eq!(raw_refusal(&[]), None);
    }

    #[test]
    fn all_contracts_are_known() {
        let files = std::fs::read_dir("../abi").unwrap();
        assert_eq!(ABIS.len(), files.count(), "a contract of abi/ is missing from this file's list");
        assert!(ABIS.iter().all(|abi| !abi.functions.is_empty()));
    }
}
