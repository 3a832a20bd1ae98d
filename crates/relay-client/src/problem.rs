//! Problem documents (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable name of the kind of problem, a URI: `urn:kopilka:problem:` and a slug.
    #[serde(rename = "type")]
    #[schema(pattern = "^urn:kopilka:problem:[a-z-]+$")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong here, and what would be right.
    pub detail: String,
    /// Which field of the request is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// What every `kind` starts with.
    pub const PREFIX: &str = "urn:kopilka:problem:";

    /// The end of `kind`.
    pub fn slug(&self) -> &str {
        self.kind.strip_prefix(Self::PREFIX).unwrap_or(&self.kind)
    }
}
