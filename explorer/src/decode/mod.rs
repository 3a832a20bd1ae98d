//! Calls, events and refusals of our contracts in words.

mod abi;
mod call;
mod event;

pub(crate) use abi::{Parameter, refusal};
pub(crate) use call::{Call, call, method_key};
pub(crate) use event::{Told, event};

use alloy::primitives::Address;
use kopilka_web::Html;
use time::OffsetDateTime;

use crate::words::Words;

/// Chosen initiatives with their points: «№ 1 «Лавочки» — 4 балла, № 4 «Сквер» — 6 баллов».
fn choices(words: &Words, round: Address, initiatives: &[u16], points: &[u16]) -> Html {
    let parts = initiatives.iter().enumerate().map(|(place, &id)| {
        let link = words.initiative_short(round, i32::from(id));
        match points.get(place) {
            Some(&points) => words.text("choice-with-points").html("initiative", link).arg("points", points).to_html(),
            None => link,
        }
    });
    joined(parts)
}

/// A comma-separated list.
fn joined(parts: impl Iterator<Item = Html>) -> Html {
    let parts: Vec<String> = parts.map(|part| part.to_string()).collect();
    Html::trusted(parts.join(", "))
}

/// Key of a reason why an item of a batch had no effect, as the contract numbers it.
fn skip_key(reason: u8) -> &'static str {
    match reason {
        1 => "skip-already-registered",
        2 => "skip-funds-exhausted",
        3 => "skip-not-registered",
        4 => "skip-signature-invalid",
        5 => "skip-version-not-higher",
        6 => "skip-choices-malformed",
        _ => "skip-none",
    }
}

/// Key of a role's name, as the contract numbers it.
fn role_key(role: u8) -> &'static str {
    match role {
        1 => "role-treasurer",
        2 => "role-clerk",
        3 => "role-issuer",
        4 => "role-partner",
        5 => "role-controller",
        6 => "role-registrar",
        _ => "role-none",
    }
}

/// Unix time.
fn moment(words: &Words, seconds: u64) -> Html {
    at(seconds).map_or_else(|| Html::escaped(seconds), |at| words.time(at))
}

/// The same as a text.
fn moment_text(words: &Words, seconds: u64) -> String {
    at(seconds).map_or_else(|| seconds.to_string(), |at| words.date_time(at))
}

fn at(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}
