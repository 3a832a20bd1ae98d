//! The description of this interface for machines (OpenAPI 3.1): `GET /openapi.json`. It is made of the types of
//! `kopilka-relay-client` and of what stands at the handlers; a test holds it against the fields that are read and another
//! against the routes.

use axum::Json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Ref, Type};
use utoipa::openapi::{ContentBuilder, OpenApi as Document};
use utoipa::{Modify, OpenApi};

use super::{messages, status, submit};

/// The document, but for problems.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kopilka relayer",
        description = "Accepts messages that citizens signed and carries them to the chain. It takes no cookie and keeps nothing \
                       of the sender. A message counts once however often it is sent: after 202 it will not be lost."
    ),
    paths(
        submit::registration,
        submit::allocation,
        submit::ballot,
        submit::stamp_claim,
        submit::redemption,
        submit::bulk,
        messages::show,
        messages::events,
        messages::of_account,
        status::show,
        status::healthz,
        status::readyz,
        status::metrics,
        show
    ),
    components(schemas(kopilka_relay_client::Problem)),
    modifiers(&Problems)
)]
struct Description;

/// What each path may answer instead.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            if let Some(post) = &mut item.post {
                add(post, &[400, 404, 409, 413, 422, 429, 503]);
            }
            let Some(get) = &mut item.get else { continue };
            match path.as_str() {
                "/v1/messages/{id}" | "/v1/messages/{id}/events" => add(get, &[400, 404, 503]),
                "/v1/accounts/{account}/messages" => add(get, &[400, 503]),
                "/v1/status" | "/readyz" => add(get, &[503]),
                "/metrics" => add(get, &[404]),
                _ => {}
            }
        }
    }
}

fn add(operation: &mut Operation, problems: &[u16]) {
    for &status in problems {
        operation.responses.responses.insert(status.to_string(), problem(status).into());
    }
}

fn problem(status: u16) -> Response {
    let description = match status {
        400 => "The body or a field is malformed; the detail says what would be right",
        404 => "It does not exist",
        409 => "It comes too early or too late, or the right is used already",
        413 => "The body is too large",
        422 => "A credential, signature or choice does not hold",
        429 => "The network or the account sends too often",
        _ => "The queue is full, or the node or the database does not answer",
    };
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
        let header = HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds to wait")).build();
        return response.header("Retry-After", header).build();
    }
    response.build()
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json"))
)]
pub(super) async fn show() -> Json<Document> {
    Json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use crate::api::fields::names;
    use kopilka_domain::MessageKind;
    use kopilka_relay_client::Request;
    use std::collections::BTreeSet;

    #[test]
    fn the_fields_described_are_the_fields_read() {
        for kind in MessageKind::ALL {
            let described = Request::schema_of(*kind);
            let (needed, optional) = names(*kind);
            let all: BTreeSet<&str> = needed.iter().chain(optional).copied().collect();
            assert_eq!(described.properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), all, "{kind}");
            let required: BTreeSet<&str> = described.required.iter().map(String::as_str).collect();
            assert_eq!(required, needed.iter().copied().collect(), "{kind}");
            assert!(described.additional_properties.is_some(), "{kind} takes no other field");
        }
    }
}
