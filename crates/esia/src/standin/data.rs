//! `/rs/prns`: the person's data, as far as the access token's scopes go.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    Shared,
    citizens::{Citizen, Home, Level, REGION},
    fault::Fault,
    oauth::{Params, ServerState},
    tokens::AccessClaims,
};
use crate::person::DATE;

/// A refusal: status and reason.
type Refusal = (StatusCode, &'static str);

fn answer(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(value) => ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response(),
        Err((status, message)) => {
            (status, Json(json!({"code": status.as_u16().to_string(), "message": message}))).into_response()
        }
    }
}

/// `GET /rs/prns/{oid}`
pub(super) async fn person(
    State(shared): ServerState,
    Path(oid): Path<u64>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let read = || {
        let (claims, citizen) = shared.admit(&headers, oid)?;
        let mut body = person_body(&shared, &claims, &citizen);
        let query = query.unwrap_or_default();
        let params = Params::parse(query.as_bytes());
        for name in embedded(params.text("embed")).filter_map(|part| part.strip_suffix(".elements")) {
            let collection = Collection::from_embed(name).ok_or((StatusCode::BAD_REQUEST, "неизвестное вложение"))?;
            let elements = collection.elements(&shared, &claims, &citizen)?;
            body.insert(name.into(), wrap(elements));
        }
        Ok(Value::Object(body))
    };
    answer(read())
}

/// `GET /rs/prns/{oid}/{collection}`
pub(super) async fn collection(
    State(shared): ServerState,
    Path((oid, name)): Path<(u64, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let read = || {
        let (claims, citizen) = shared.admit(&headers, oid)?;
        let collection = Collection::from_path(&name).ok_or((StatusCode::NOT_FOUND, "нет такого набора данных"))?;
        let elements = collection.elements(&shared, &claims, &citizen)?;
        let query = query.unwrap_or_default();
        let params = Params::parse(query.as_bytes());
        if embedded(params.text("embed")).any(|part| part == "elements") {
            return Ok(wrap(elements));
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let links =
            elements.iter().map(|element| format!("http://{host}/rs/prns/{oid}/{name}/{}", element["id"]).into());
        Ok(wrap(links.collect()))
    };
    answer(read())
}

/// `GET /rs/prns/{oid}/{collection}/{id}`
pub(super) async fn element(
    State(shared): ServerState,
    Path((oid, name, id)): Path<(u64, String, u64)>,
    headers: HeaderMap,
) -> Response {
    let read = || {
        let (claims, citizen) = shared.admit(&headers, oid)?;
        let missing = (StatusCode::NOT_FOUND, "нет такого объекта");
        let elements = Collection::from_path(&name).ok_or(missing)?.elements(&shared, &claims, &citizen)?;
        elements.into_iter().find(|element| element["id"] == id).ok_or(missing)
    };
    answer(read())
}

/// The parts of `(contacts.elements,addresses.elements-1)`, without depth suffixes.
fn embedded(embed: &str) -> impl Iterator<Item = &str> {
    let list = embed.trim_start_matches('(').trim_end_matches(')');
    list.split(',').map(|part| part.trim().trim_end_matches("-1")).filter(|part| !part.is_empty())
}

fn wrap(elements: Vec<Value>) -> Value {
    json!({"stateFacts": ["hasSize"], "size": elements.len(), "eTag": "STANDIN", "elements": elements})
}

impl Shared {
    /// Checks the access token: ours, an access token, not expired, for this person.
    fn admit(&self, headers: &HeaderMap, oid: u64) -> Result<(AccessClaims, Citizen), Refusal> {
        let unauthorized = (StatusCode::UNAUTHORIZED, "маркер доступа отсутствует, повреждён или истёк");
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(unauthorized)?;
        // An id token has no `urn:esia:sbj_id` and no `scope`, so that it does not parse as access claims.
        let claims: AccessClaims = self.signer.open(token).ok_or(unauthorized)?;
        if claims.exp <= self.now() {
            return Err(unauthorized);
        }
        if claims.oid != oid {
            return Err((StatusCode::FORBIDDEN, "маркер доступа выдан для другого пользователя"));
        }
        let citizen = self.register.find(oid, self.today()).ok_or((StatusCode::NOT_FOUND, "пользователь не найден"))?;
        Ok((claims, citizen))
    }
}

fn person_body(shared: &Shared, claims: &AccessClaims, citizen: &Citizen) -> Map<String, Value> {
    let trusted = citizen.level == Level::Confirmed && shared.fault() != Some(Fault::UntrustedPerson);
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.into(), value);
    put("stateFacts", json!(["EntityRoot"]));
    put("trusted", trusted.into());
    put("status", "REGISTERED".into());
    put("verifying", false.into());
    put("containsUpCfmCode", false.into());
    put("updatedOn", 1_700_000_000.into());
    put("eTag", "STANDIN".into());
    if claims.has_scope("fullname") {
        put("firstName", citizen.first_name.into());
        put("lastName", citizen.last_name.as_str().into());
        put("middleName", citizen.middle_name.into());
    }
    if claims.has_scope("birthdate") {
        put("birthDate", citizen.birth_date.format(DATE).unwrap_or_default().into());
    }
    if claims.has_scope("birthplace") {
        put("birthPlace", REGION.into());
    }
    if claims.has_scope("gender") {
        put("gender", if citizen.female { "F" } else { "M" }.into());
    }
    if citizen.level != Level::Simplified {
        if claims.has_scope("snils") {
            put("snils", citizen.snils().into());
        }
        if claims.has_scope("inn") {
            put("inn", format!("00{:010}", citizen.oid).into());
        }
        if claims.has_scope("id_doc") {
            put("citizenship", "RUS".into());
            put("rIdDoc", 3.into());
        }
    }
    body
}

/// The collections of a person.
#[derive(Clone, Copy)]
enum Collection {
    Addresses,
    Contacts,
    Documents,
}

impl Collection {
    fn from_path(name: &str) -> Option<Self> {
        match name {
            "addrs" => Some(Self::Addresses),
            "ctts" => Some(Self::Contacts),
            "docs" => Some(Self::Documents),
            _ => None,
        }
    }

    fn from_embed(name: &str) -> Option<Self> {
        match name {
            "addresses" => Some(Self::Addresses),
            "contacts" => Some(Self::Contacts),
            "documents" => Some(Self::Documents),
            _ => None,
        }
    }

    fn elements(self, shared: &Shared, claims: &AccessClaims, citizen: &Citizen) -> Result<Vec<Value>, Refusal> {
        let granted = |scopes: &[&str]| scopes.iter().any(|scope| claims.has_scope(scope));
        let forbidden = Err((StatusCode::FORBIDDEN, "нет разрешения на эту область доступа"));
        match self {
            Self::Addresses if granted(&["addresses", "contacts"]) => Ok(addresses(shared, citizen)),
            Self::Contacts if granted(&["email", "mobile", "contacts"]) => {
                let mut contacts = Vec::new();
                if granted(&["email", "contacts"]) {
                    let value = format!("citizen{}@example.ru", citizen.oid);
                    contacts.push(json!({"id": 1, "type": "EML", "vrfStu": "VERIFIED", "value": value}));
                }
                if granted(&["mobile", "contacts"]) {
                    let value = format!("+7(900){:07}", citizen.oid % 10_000_000);
                    contacts.push(json!({"id": 2, "type": "MBT", "vrfStu": "VERIFIED", "value": value}));
                }
                Ok(contacts)
            }
            Self::Documents if granted(&["id_doc"]) => Ok(match citizen.level {
                Level::Simplified => Vec::new(),
                _ => vec![json!({
                    "id": 3, "type": "RF_PASSPORT", "vrfStu": "VERIFIED", "series": "0000",
                    "number": format!("{:06}", citizen.oid % 1_000_000), "issueDate": "01.01.2020",
                    "issueId": "000000", "issuedBy": "Учебный стенд (вымышленный документ)",
                })],
            }),
            _ => forbidden,
        }
    }
}

fn addresses(shared: &Shared, citizen: &Citizen) -> Vec<Value> {
    let (kind, city, fias) = match citizen.home {
        Home::Unknown => return Vec::new(),
        Home::Elsewhere => ("PRG", "Дальнегорье", "00000000-0000-4000-8000-00000000e15e".to_owned()),
        Home::Registered(index) | Home::LivesIn(index) => {
            let place = &shared.register.municipalities[index];
            let kind = if matches!(citizen.home, Home::LivesIn(_)) { "PLV" } else { "PRG" };
            (kind, place.name.as_str(), place.fias.to_string())
        }
    };
    let (street, house, flat) = (citizen.street, citizen.house.to_string(), citizen.flat.to_string());
    vec![json!({
        "stateFacts": ["Identifiable"], "id": 4, "type": kind,
        "addressStr": format!("{REGION}, {city}, улица {street}"),
        "fiasCode": fias, "countryId": "RUS", "region": REGION, "city": city, "street": street,
        "house": house, "flat": flat, "zipCode": "000000", "vrfDdt": "0,0,0", "eTag": "STANDIN",
    })]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_embed_lists() {
        let parts = |text| embedded(text).collect::<Vec<_>>();
        assert_eq!(parts("(contacts.elements,addresses.elements-1)"), ["contacts.elements", "addresses.elements"]);
        assert_eq!(parts("(elements)"), ["elements"]);
        assert!(parts("").is_empty());
    }
}
