//! Published texts of rounds and initiatives, by the hash that stands on chain.

use std::collections::HashMap;

use alloy::primitives::{B256, keccak256};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use kopilka_store::portal;
use kopilka_web::{Language, WebError, WebResult};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::error::OrUnavailable as _;
use crate::error::PortalError;
use crate::staff::Staff;
use crate::state::AppState;

/// Largest document.
pub(crate) const MAX_DOCUMENT: usize = 256 * 1024;
/// Longest title, in characters.
const MAX_TITLE: usize = 300;

/// A text about a round or an initiative. Further keys are allowed and kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Document {
    /// About a round.
    Round(Text),
    /// About an initiative.
    Initiative(Text),
}

/// What readers see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Text {
    /// One line.
    pub(crate) title: String,
    /// Paragraphs.
    pub(crate) description: String,
    /// Where; initiatives only.
    #[serde(default)]
    pub(crate) place: Option<String>,
    /// The same in English, if somebody wrote it.
    #[serde(default)]
    pub(crate) en: Option<Box<Text>>,
}

impl Document {
    /// Reads and checks.
    fn parse(body: &str) -> Result<Self, String> {
        let document: Self = serde_json::from_str(body).map_err(|error| error.to_string())?;
        let text = document.text();
        for text in std::iter::once(text).chain(text.en.as_deref()) {
            let title = text.title.trim();
            if title.is_empty() || title.chars().count() > MAX_TITLE || title.contains('\n') {
                return Err(format!("\"title\" must be one line of 1 to {MAX_TITLE} characters"));
            }
        }
        Ok(document)
    }

    fn text(&self) -> &Text {
        match self {
            Self::Round(text) | Self::Initiative(text) => text,
        }
    }

    /// The text in the reader's language, or in the one it has.
    pub(crate) fn in_language(&self, language: Language) -> &Text {
        let text = self.text();
        match (language, &text.en) {
            (Language::En, Some(en)) => en,
            _ => text,
        }
    }
}

/// The documents with these hashes that are there, hash right and make sense.
pub(crate) async fn documents(
    connection: &mut PgConnection,
    hashes: impl IntoIterator<Item = B256>,
) -> Result<HashMap<B256, Document>, PortalError> {
    let hashes: Vec<_> = hashes.into_iter().map(|hash| hash.to_vec()).collect();
    let bodies = portal::documents(connection, &hashes).await?;
    Ok(bodies
        .into_iter()
        .filter(|(hash, body)| keccak256(body) == B256::from(*hash))
        .filter_map(|(hash, body)| Some((hash.into(), Document::parse(&body).ok()?)))
        .collect())
}

/// `GET /documents/{hash}`: the exact bytes, for anybody and for ever.
pub(crate) async fn document(State(state): State<AppState>, Path(hash): Path<String>) -> WebResult<Response> {
    let unknown = || WebError::not_found("error-document-unknown");
    let hash: B256 = hash.parse().map_err(|_| unknown())?;
    let mut connection = state.connection().await.or_unavailable()?;
    let body = portal::document(&mut connection, &hash.0).await.or_unavailable()?.ok_or_else(unknown)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, body).into_response())
}

/// Answer to a stored document.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    hash: B256,
}

/// `PUT /api/v1/documents` (staff): stores the body as it is.
pub(crate) async fn put_document(_: Staff, State(state): State<AppState>, body: Bytes) -> WebResult<Json<Stored>> {
    let refused = |reason: String| WebError::unprocessable("error-document-malformed").arg("reason", reason);
    let text = std::str::from_utf8(&body).map_err(|error| refused(error.to_string()))?;
    Document::parse(text).map_err(refused)?;
    if text.contains('\0') {
        return Err(refused("it contains a zero byte".to_owned()));
    }
    let hash = keccak256(&body);
    let mut connection = state.connection().await.or_unavailable()?;
    portal::put_document(&mut connection, &hash.0, text).await.or_unavailable()?;
    Ok(Json(Stored { hash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_need_a_kind_a_title_and_a_description() {
        let good = r#"{"kind":"initiative","title":"Двор","description":"Лавки","place":"ул. Мира","budget":[1],"en":{"title":"Yard","description":"Benches"}}"#;
        let document = Document::parse(good).unwrap();
        assert_eq!(document.in_language(Language::Ru).title, "Двор");
        assert_eq!(document.in_language(Language::En).title, "Yard");
        for (bad, part) in [
            ("", "EOF"),
            (r#"{"kind":"poll","title":"a","description":"b"}"#, "poll"),
            (r#"{"title":"a","description":"b"}"#, "kind"),
            (r#"{"kind":"round","title":"","description":"b"}"#, "title"),
            (r#"{"kind":"round","title":"a"}"#, "description"),
            (r#"{"kind":"round","title":1,"description":"b"}"#, "string"),
        ] {
            let error = Document::parse(bad).unwrap_err();
            assert!(error.contains(part), "{bad}: {error}");
        }
    }
}
