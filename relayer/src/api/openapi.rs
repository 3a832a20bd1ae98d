//! The description of this interface for machines (OpenAPI 3.1): `GET /openapi.json`. Which fields a message has comes from
//! the code that reads them, so that neither can have one more.

use axum::Json;
use kopilka_domain::{MessageKind, MessageStatus};
use serde_json::{Map, Value, json};

use super::fields::{MAX_MESSAGES, names};

const PROBLEM: &str = "application/problem+json";

/// Where messages of a kind are handed in.
pub(super) const fn path(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Registration => "/v1/registrations",
        MessageKind::Allocation => "/v1/allocations",
        MessageKind::Ballot => "/v1/ballots",
        MessageKind::StampClaim => "/v1/stamp-claims",
        MessageKind::Redemption => "/v1/redemptions",
    }
}

fn bytes(length: usize, description: &str) -> Value {
    json!({"type": "string", "pattern": format!("^0x[0-9a-fA-F]{{{}}}$", 2 * length), "description": description})
}

fn number(least: u64, most: u64, description: &str) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most, "description": description})
}

/// A field of a message. `signature` is a credential where nothing is signed by the account.
fn field(kind: MessageKind, name: &str) -> Value {
    const ID: u64 = (1 << 53) - 1;
    let is_credential = matches!(kind, MessageKind::Registration | MessageKind::StampClaim);
    let list = |most: u64, length: Option<usize>, description: &str| {
        let mut list = json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": most}, "description": description});
        if let Some(length) = length {
            list["maxItems"] = length.into();
        }
        list
    };
    match name {
        "round" => bytes(20, "The round's contract"),
        "contract" => bytes(20, "The contract of the polls, the points or the shop"),
        "account" => bytes(20, "The throw-away account"),
        "signature" if is_credential => bytes(48, "The unblinded credential, a compressed point of G1"),
        "signature" => bytes(65, "EIP-712 signature of the account, r‖s‖v"),
        "credential" => bytes(48, "The unblinded credential; needed until a ballot of the account is on chain"),
        "stamp" => bytes(48, "A blinded point of G1, to be stamped for taking part"),
        "class" => number(0, 255, "Class of the credential"),
        "version" => number(1, u32::MAX.into(), "Higher than every earlier one of the account"),
        "poll" => number(1, ID, "The poll"),
        "source" => number(1, ID, "The source of the stamp"),
        "prize" => number(1, ID, "The prize"),
        "price" => number(0, u32::MAX.into(), "Its price in points"),
        "initiatives" => list(u16::MAX.into(), None, "Initiatives, strictly ascending; none takes everything back"),
        "points" => list(u16::MAX.into(), None, "Cumulative ballots: points for each initiative"),
        "seasons" => list(u32::MAX.into(), Some(4), "Seasons to pay from, in this order"),
        "content_hash" => bytes(32, "keccak256 of the prize's description"),
        "code_hash" => bytes(32, "keccak256 of the 16 random bytes of the code"),
        "point" => bytes(32, "Sealed polls: x of the random point"),
        "masked_choice" => bytes(16, "Sealed polls: the masked choice"),
        _ => {
            json!({"type": "string", "pattern": "^(0|[1-9][0-9]{0,38})$", "description": "Open polls: what is chosen, in decimal digits"})
        }
    }
}

/// A message of a kind; with its `kind` for requests that hold many.
fn message(kind: MessageKind, is_named: bool) -> Value {
    let (needed, optional) = names(kind);
    let mut required: Vec<&str> = needed.to_vec();
    let mut properties: Map<String, Value> =
        needed.iter().chain(optional).map(|name| ((*name).to_owned(), field(kind, name))).collect();
    if is_named {
        required.push("kind");
        properties.insert("kind".to_owned(), json!({"const": kind.as_str()}));
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn schemas() -> Value {
    let statuses: Vec<&str> = MessageStatus::ALL.iter().map(|status| status.as_str()).collect();
    let kinds: Vec<&str> = MessageKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let optional_number = json!({"type": "integer", "minimum": 0});
    let mut schemas = json!({
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "properties": {
                "type": {"type": "string", "pattern": "^urn:kopilka:problem:[a-z-]+$"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string", "description": "What is wrong here, and what would be right"},
                "field": {"type": "string", "description": "Which field of the request is meant"}
            },
            "required": ["type", "title", "status", "detail"]
        },
        "Accepted": {
            "type": "object",
            "properties": {
                "id": bytes(32, "keccak256 of the message: the same message twice is one message"),
                "status": {"enum": statuses},
                "stamp": bytes(48, "The signed blinded point, if one was asked for and points are given here")
            },
            "required": ["id", "status"]
        },
        "Message": {
            "type": "object",
            "properties": {
                "id": bytes(32, "keccak256 of the message"),
                "kind": {"enum": kinds},
                "contract": bytes(20, "The contract that it is for"),
                "scope": number(0, u64::MAX >> 1, "Poll or source within the contract"),
                "account": bytes(20, "Who it is about"),
                "version": number(0, u32::MAX.into(), "Version of an allocation or ballot"),
                "status": {"enum": statuses},
                "reason": {"type": "string", "description": "Why it took, or will take, no effect"},
                "tx_hash": bytes(32, "Transaction in which it was mined"),
                "block_number": optional_number,
                "log_index": optional_number
            },
            "required": ["id", "kind", "contract", "scope", "account", "version", "status"]
        },
        "Account": {
            "type": "object",
            "properties": {
                "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
                "next": bytes(32, "There are more: ask again with this as `after`")
            },
            "required": ["messages"]
        },
        "Bulk": {
            "type": "object",
            "properties": {"messages": {
                "type": "array", "minItems": 1, "maxItems": MAX_MESSAGES,
                "items": {"oneOf": MessageKind::ALL.iter().map(|kind| message(*kind, true)).collect::<Vec<_>>()}
            }},
            "required": ["messages"],
            "additionalProperties": false
        },
        "BulkAnswer": {
            "type": "object",
            "properties": {"results": {"type": "array", "items": {"anyOf": [
                {"$ref": "#/components/schemas/Accepted"},
                {"type": "object", "properties": {"problem": {"$ref": "#/components/schemas/Problem"}}, "required": ["problem"]}
            ]}}},
            "required": ["results"]
        },
        "Status": {
            "type": "object",
            "properties": {
                "chain_id": optional_number,
                "queued": optional_number,
                "submitted": optional_number,
                "mined": optional_number,
                "finalized": optional_number,
                "failed": optional_number,
                "senders": {"type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "address": bytes(20, "Its address"),
                        "leased": {"type": "boolean"},
                        "in_flight": optional_number,
                        "balance": {"type": "string", "description": "Wei in decimal; absent until known"}
                    },
                    "required": ["address", "leased", "in_flight"]
                }}
            },
            "required": ["chain_id", "queued", "submitted", "mined", "finalized", "failed", "senders"]
        }
    });
    for kind in MessageKind::ALL {
        schemas[kind.as_str()] = message(*kind, false);
    }
    schemas
}

fn of(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// An answer of `status` with a body.
fn answer(description: &str, content_type: &str, schema: Value) -> Value {
    json!({"description": description, "content": {content_type: {"schema": schema}}})
}

/// The good answer and these problems.
fn answers(status: &str, good: Value, problems: &[u16]) -> Value {
    let mut all = Map::new();
    all.insert(status.to_owned(), good);
    for problem in problems {
        let description = match problem {
            400 => "The body or a field is malformed; the detail says what would be right",
            404 => "It does not exist",
            409 => "It comes too early or too late, or the right is used already",
            413 => "The body is too large",
            422 => "A credential, signature or choice does not hold",
            429 => "The network or the account sends too often; Retry-After says when to come back",
            _ => "The queue is full, or the node or the database does not answer; Retry-After says when to come back",
        };
        all.insert(problem.to_string(), answer(description, PROBLEM, of("Problem")));
    }
    Value::Object(all)
}

fn parameter(name: &str, length: usize) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": bytes(length, "0x and hexadecimal digits")})
}

fn document() -> Value {
    const SUBMIT: &[u16] = &[400, 404, 409, 413, 422, 429, 503];
    const LOOK_UP: &[u16] = &[400, 404, 503];
    let post = |summary: &str, schema: &str, good: Value| {
        json!({"post": {
            "summary": summary,
            "requestBody": {"required": true, "content": {"application/json": {"schema": of(schema)}}},
            "responses": answers("202", good, SUBMIT)
        }})
    };
    let get = |summary: &str, parameters: Value, responses: Value| json!({"get": {"summary": summary, "parameters": parameters, "responses": responses}});
    let json_answer = |description: &str, schema: &str| answer(description, "application/json", of(schema));
    let text = |content_type: &str| answer("As named", content_type, json!({"type": "string"}));
    let id = json!([parameter("id", 32)]);
    let after =
        json!({"name": "after", "in": "query", "required": false, "schema": bytes(32, "`next` of the answer before")});
    let mut paths = json!({
        "/v1/messages": post("Hand in many messages; each is accepted or refused by itself", "Bulk",
            json_answer("Those without a problem are stored and will not be lost", "BulkAnswer")),
        "/v1/messages/{id}": get("Where a message stands, with its receipt once it is mined", id.clone(),
            answers("200", json_answer("Where it stands", "Message"), LOOK_UP)),
        "/v1/messages/{id}/events": get("Server-sent events `message`, each the message as it stands, until it is final", id,
            answers("200", text("text/event-stream"), LOOK_UP)),
        "/v1/accounts/{account}/messages": get("An account's messages, in no order that tells when they came",
            json!([parameter("account", 20), after]),
            answers("200", json_answer("Its messages; none for an unknown account", "Account"), &[400, 503])),
        "/v1/status": get("The relayer's state", json!([]), answers("200", json_answer("The state", "Status"), &[503])),
        "/openapi.json": get("This description", json!([]),
            answers("200", answer("OpenAPI 3.1", "application/json", json!({"type": "object"})), &[])),
        "/healthz": get("Whether the process runs", json!([]), answers("200", text("text/plain"), &[])),
        "/readyz": get("Whether messages can be accepted", json!([]), answers("200", text("text/plain"), &[503])),
        "/metrics": get("Metrics for Prometheus", json!([]), answers("200", text("text/plain"), &[404]))
    });
    for kind in MessageKind::ALL {
        let summary = format!("Hand in a message of the kind {kind}");
        paths[path(*kind)] = post(&summary, kind.as_str(), json_answer("Stored; it will not be lost", "Accepted"));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kopilka relayer",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accepts messages that citizens signed and carries them to the chain. It takes no cookie and keeps nothing \
                            of the sender. A message counts once however often it is sent: after 202 it will not be lost."
        },
        "paths": paths,
        "components": {"schemas": schemas()}
    })
}

pub(super) async fn show() -> Json<Value> {
    Json(document())
}
