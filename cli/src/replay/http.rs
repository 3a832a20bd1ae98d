//! A very small browser: cookies, no automatic redirects, patience with a system that is being restarted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use url::Url;

/// How long a request is repeated while a service is down or busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// A client for all citizens of a replay: one pool of connections, cookies kept by each [`Browser`].
///
/// # Errors
/// When the client cannot be built.
pub(super) fn client() -> anyhow::Result<Client> {
    Ok(Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(256)
        .build()?)
}

/// A refusal by one of the services, from its problem document.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Problem {
    /// What is wrong, for a person.
    #[serde(default)]
    pub(super) title: String,
    /// What to do about it.
    #[serde(default)]
    pub(super) detail: String,
}

/// An answer that a citizen cannot go on with.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path} was refused with {status}: {reason}")]
pub(super) struct Refused {
    /// HTTP method.
    pub(super) method: Method,
    /// Path of the URL.
    pub(super) path: String,
    /// HTTP status.
    pub(super) status: StatusCode,
    /// Title of the problem document, or the status.
    pub(super) reason: String,
}

/// Sends a request until it gets through: connection failures, 429 and 5xx are repeated with growing pauses.
pub(super) async fn send_patiently(build: impl Fn() -> reqwest::RequestBuilder) -> anyhow::Result<Response> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        let result = build().send().await;
        let retry = match &result {
            Ok(response) => response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS,
            Err(_) => true,
        };
        if !retry || started.elapsed() > PATIENCE {
            return result.context("the service cannot be reached");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Turns an answer that is not a success into [`Refused`].
pub(super) async fn succeeded(method: Method, url: &Url, response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Option<Problem> = response.json().await.ok();
    let reason = problem.map_or_else(|| status.to_string(), |problem| format!("{} {}", problem.title, problem.detail));
    Err(Refused { method, path: url.path().to_owned(), status, reason }.into())
}

/// One citizen's browser.
pub(super) struct Browser<'a> {
    client: &'a Client,
    /// Cookies by origin.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    /// A browser without cookies.
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, cookies: BTreeMap::new() }
    }

    /// Forgets all cookies.
    pub(super) fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Sends a request with this browser's cookies and keeps those that come back.
    ///
    /// # Errors
    /// When the service stays unreachable.
    pub(super) async fn send(
        &mut self,
        url: &Url,
        build: impl Fn(&Client) -> reqwest::RequestBuilder,
    ) -> anyhow::Result<Response> {
        let origin = url.origin().ascii_serialization();
        let cookies = self
            .cookies
            .get(&origin)
            .map(|jar| jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "))
            .filter(|cookies| !cookies.is_empty());
        let response = send_patiently(|| {
            let request = build(self.client);
            match &cookies {
                Some(cookies) => request.header(COOKIE, cookies),
                None => request,
            }
        })
        .await?;
        self.keep_cookies(&origin, response.headers());
        Ok(response)
    }

    /// GET that expects to be sent elsewhere; the address it is sent to.
    ///
    /// # Errors
    /// When the answer is no redirect.
    pub(super) async fn get_redirect(&mut self, url: &Url) -> anyhow::Result<Url> {
        let response = self.send(url, |client| client.get(url.clone())).await?;
        redirect_target(Method::GET, url, response).await
    }

    fn keep_cookies(&mut self, origin: &str, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let Some((name, rest)) = cookie.to_str().ok().and_then(|text| text.split_once('=')) else { continue };
            let value = rest.split(';').next().unwrap_or_default();
            let gone = value.is_empty() || rest.to_ascii_lowercase().contains("max-age=0");
            let jar = self.cookies.entry(origin.to_owned()).or_default();
            if gone {
                jar.remove(name.trim());
            } else {
                jar.insert(name.trim().to_owned(), value.to_owned());
            }
        }
    }
}

/// Where a redirect leads.
///
/// # Errors
/// When the answer is no redirect.
pub(super) async fn redirect_target(method: Method, url: &Url, response: Response) -> anyhow::Result<Url> {
    if !response.status().is_redirection() {
        succeeded(method, url, response).await?;
        bail!("{} answered with a page where a redirect was expected", url.path());
    }
    let location = response.headers().get(LOCATION).context("a redirect without an address")?;
    Ok(url.join(location.to_str()?)?)
}
