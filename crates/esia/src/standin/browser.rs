//! A person at a browser, in a few lines: for tests and for replays that log in by the thousand.

use reqwest::{Client, StatusCode, header};
use thiserror::Error;
use url::{Url, form_urlencoded};

use crate::person::Oid;

/// The stand-in did not do what was expected.
#[derive(Debug, Error)]
pub enum BrowserError {
    /// The stand-in cannot be reached.
    #[error("the ESIA stand-in cannot be reached")]
    Http(#[source] reqwest::Error),
    /// It answered without sending the browser on.
    #[error("the ESIA stand-in answered {0} instead of sending the browser on")]
    NoRedirect(StatusCode),
    /// It sent the browser to something that is no address.
    #[error("the ESIA stand-in sent the browser to something that is no address")]
    Address,
}

/// Opens the address that an application sent the browser to, chooses a citizen on the login page, and returns the
/// address the browser is sent back to: with a code, or with an error.
///
/// `http` must not follow redirects by itself and should keep its connections.
///
/// # Errors
/// When the stand-in cannot be reached or shows an error page instead of sending the browser on.
pub async fn log_in_as(http: &Client, authorization_url: &Url, oid: Oid) -> Result<Url, BrowserError> {
    let next = redirect_of(http.get(authorization_url.clone()), authorization_url).await?;
    let request = next.query_pairs().find(|(name, _)| name == "request");
    let Some((_, request)) = request.filter(|_| next.origin() == authorization_url.origin() && next.path() == "/login")
    else {
        return Ok(next);
    };
    let form = form_urlencoded::Serializer::new(String::with_capacity(request.len() + 64))
        .append_pair("request", &request)
        .append_pair("oid", &oid.get().to_string())
        .finish();
    let mut login = next.clone();
    login.set_query(None);
    let choose = http.post(login.clone()).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    redirect_of(choose, &login).await
}

async fn redirect_of(request: reqwest::RequestBuilder, base: &Url) -> Result<Url, BrowserError> {
    let response = request.send().await.map_err(|error| BrowserError::Http(error.without_url()))?;
    if !response.status().is_redirection() {
        return Err(BrowserError::NoRedirect(response.status()));
    }
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    location.and_then(|location| base.join(location).ok()).ok_or(BrowserError::Address)
}
