//! ESIA (ЕСИА, the identity provider behind Госуслуги): a client that checks everything a log-in must be checked for,
//! and a [stand-in server](standin) with invented citizens for development, demonstrations and tests.
//!
//! The client speaks the current endpoints (`v2/ac`, `v3/te`). It stores nothing: of a person it returns only what a
//! log-in decides on, to be kept in memory. Neither errors nor `Debug` output contain personal data.
//!
//! Real ESIA wants requests signed with GOST R 34.10-2012 by certified cryptography. Implement [`RequestSigner`] (and
//! [`TokenKey`], if the technology portal is set to GOST tokens) around it; nothing else changes.
//!
//! ```
//! use std::sync::Arc;
//!
//! use kopilka_esia::{EsiaClient, EsiaConfig, LoginState, RsaSigner, TrustedKeys, standin};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A stand-in in this process, on a free loopback port, that knows us by our certificate.
//! let signer = Arc::new(RsaSigner::generate("KOPILKA")?);
//! let esia = standin::StandIn::new(standin::StandInConfig {
//!     clients: vec![standin::RegisteredClient::local("KOPILKA", signer.certificate_pem())],
//!     ..Default::default()
//! })?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let base_url = format!("http://{}", listener.local_addr()?).parse()?;
//! let server = esia.clone();
//! tokio::spawn(async move { server.serve(listener).await });
//!
//! // The application's side.
//! let trusted = TrustedKeys::from_pem(esia.certificate_pem())?;
//! let redirect_uri = "http://localhost:8080/esia/callback".parse()?;
//! let config = EsiaConfig::new(base_url, esia.issuer(), "KOPILKA", redirect_uri, trusted);
//! let client = EsiaClient::new(config, signer)?;
//!
//! let state = LoginState::new(); // goes into the browser's session
//! let redirect_to = client.authorization_url(&state).await?;
//!
//! // The person chooses themselves on the login page and comes back.
//! let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
//! let callback = standin::log_in_as(&browser, &redirect_to, standin::named::RESIDENT).await?;
//!
//! let person = client.log_in(&serde_urlencoded_query(&callback), &state).await?;
//! assert!(person.trusted);
//! assert_eq!(person.registration_fias, Some(standin::demo_municipalities()[0].fias));
//! # Ok(())
//! # }
//! # fn serde_urlencoded_query(url: &url::Url) -> kopilka_esia::CallbackQuery {
//! #     // A handler receives it as axum::extract::Query<CallbackQuery>.
//! #     axum::extract::Query::try_from_uri(&url.as_str().parse().unwrap()).unwrap().0
//! # }
//! ```

mod client;
mod config;
mod error;
mod keys;
mod person;
mod signer;
pub mod standin;
mod token;

pub use client::{CallbackQuery, EsiaClient, LoginState, VerifiedLogin};
pub use config::{Clock, ConfigError, DEFAULT_SCOPES, EsiaConfig, MAX_LEEWAY, PkceSecret};
pub use error::{EsiaCode, EsiaError, StateFault, TokenFault, TokenKind};
pub use keys::{Algorithm, KeyError, RsaTokenKey, TokenKey, TrustedKeys};
pub use person::{Oid, Person};
pub use signer::{RequestSigner, RsaSigner, SignFuture, SignerError};
