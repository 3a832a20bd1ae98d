//! The stand-in's pages. Russian only: they imitate a Russian service for developers and demonstrations.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Shared,
    authorize::LoginRequest,
    citizens::{Citizen, Home, Level, Search},
};

/// How many citizens one page shows.
const SHOWN: usize = 40;

#[derive(Template)]
#[template(path = "standin/login.html")]
struct LoginPage<'a> {
    /// The sealed request that the forms carry.
    request: &'a str,
    client_id: &'a str,
    scope: &'a str,
    query: &'a str,
    places: Vec<Choice<'a>>,
    levels: Vec<Choice<'a>>,
    people: Vec<Person<'a>>,
    more: bool,
    only_confirmed: bool,
}

/// One option of a filter.
struct Choice<'a> {
    value: String,
    label: &'a str,
    selected: bool,
}

/// One citizen on the page.
struct Person<'a> {
    oid: u64,
    name: String,
    age: String,
    place: &'a str,
    level: Level,
}

#[derive(Template)]
#[template(path = "standin/message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
    is_error: bool,
}

/// The login page.
pub(super) fn login(shared: &Shared, sealed: &str, request: &LoginRequest, search: &Search<'_>) -> Response {
    let today = shared.today();
    let (found, more) = shared.register.search(search, today, SHOWN);
    let municipalities = &shared.register.municipalities;
    let person = |citizen: &Citizen| Person {
        oid: citizen.oid,
        name: citizen.full_name(),
        age: years(citizen.age(today)),
        place: match citizen.home {
            Home::Registered(index) => municipalities[index].name.as_str(),
            Home::LivesIn(_) => "без регистрации по месту жительства",
            Home::Elsewhere => "другое муниципальное образование",
            Home::Unknown => "адрес не указан",
        },
        level: citizen.level,
    };
    let page = LoginPage {
        request: sealed,
        client_id: &request.client_id,
        scope: &request.scope,
        query: search.text,
        places: municipalities
            .iter()
            .enumerate()
            .map(|(index, place)| Choice {
                value: index.to_string(),
                label: &place.name,
                selected: search.municipality == Some(index),
            })
            .collect(),
        levels: Level::ALL
            .into_iter()
            .map(|level| Choice {
                value: level.name().into(),
                label: level.label(),
                selected: search.level == Some(level),
            })
            .collect(),
        people: found.iter().map(person).collect(),
        more,
        only_confirmed: request.only_confirmed(),
    };
    render(StatusCode::OK, &page, &request.origin())
}

/// A page that says what went wrong.
pub(super) fn error(status: StatusCode, text: &str) -> Response {
    render(status, &MessagePage { title: "Вход не выполнен", text, is_error: true }, "")
}

/// A page with one message.
pub(super) fn message(title: &str, text: &str) -> Response {
    render(StatusCode::OK, &MessagePage { title, text, is_error: false }, "")
}

/// `GET /`
pub(super) async fn about() -> Response {
    message(
        "Учебный стенд входа",
        "Здесь входят вымышленные жители. Начните вход на сайте, который подключён к стенду.",
    )
}

/// `GET /standin.css`
pub(super) async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("../../templates/standin/style.css")).into_response()
}

fn render(status: StatusCode, page: &impl Template, form_target: &str) -> Response {
    let Ok(html) = page.render() else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "Страница не построена.\n").into_response();
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {form_target}; frame-ancestors 'none'; base-uri 'none'"
    );
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, html).into_response()
}

/// «21 год», «22 года», «25 лет».
fn years(age: i32) -> String {
    let word = match (age % 10, age % 100) {
        (_, 11..=14) => "лет",
        (1, _) => "год",
        (2..=4, _) => "года",
        _ => "лет",
    };
    format!("{age} {word}")
}

#[cfg(test)]
mod tests {
    use super::years;

    #[test]
    fn counts_years_in_russian() {
        let all = [1, 2, 5, 11, 14, 21, 34, 40, 111, 112].map(years);
        assert_eq!(
            all,
            ["1 год", "2 года", "5 лет", "11 лет", "14 лет", "21 год", "34 года", "40 лет", "111 лет", "112 лет"]
        );
    }
}
