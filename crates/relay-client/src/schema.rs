//! Parts of the descriptions of requests and answers (OpenAPI) that no attribute of a field can say.

use kopilka_domain::{MessageKind, MessageStatus};
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Type};

fn names(all: impl Iterator<Item = &'static str>, description: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(all)).description(Some(description)).build()
}

/// Every status.
pub(crate) fn status() -> Object {
    let names_of = MessageStatus::ALL.iter().map(|status| status.as_str());
    names(names_of, "Where it stands; `finalized` and `failed` are the end.")
}

/// Every kind of message.
pub(crate) fn kind() -> Object {
    names(MessageKind::ALL.iter().map(|kind| kind.as_str()), "What it does.")
}

/// A list of at most `length` whole numbers up to `most`.
fn list(most: u64, length: usize, description: &str) -> Array {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_u64)).maximum(Some(most));
    ArrayBuilder::new().items(number.build()).max_items(Some(length)).description(Some(description)).build()
}

/// Most numbers in a list of an allocation: more than any contract takes, and so few that a request stays small.
pub const MAX_LIST: usize = 4_096;

pub(crate) fn initiatives() -> Array {
    list(u16::MAX.into(), MAX_LIST, "Initiative ids, strictly ascending; empty takes everything back.")
}

pub(crate) fn points() -> Array {
    list(u16::MAX.into(), MAX_LIST, "Cumulative ballots: points for each initiative. Approval ballots: empty.")
}

pub(crate) fn seasons() -> Array {
    list(u32::MAX.into(), 4, "Seasons to pay from, in this order, four at most.")
}
