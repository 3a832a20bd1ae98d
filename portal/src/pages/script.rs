//! Pages that a script drives, because only the browser may know the keys: taking part, checking, restoring.

use alloy::primitives::Address;
use askama::Template;
use axum::extract::State;
use kopilka_web::{Page, Rendered, WebResult};

use super::Corner;
use crate::api::{self, RoundPath};
use crate::session::MaybeSession;
use crate::state::AppState;
use crate::texts;

/// What a script gets with its page: messages in the reader's language.
#[derive(Debug)]
pub(crate) struct Script {
    name: &'static str,
    texts: String,
    /// Address of the round; empty where there is none.
    round: String,
}

impl Script {
    fn new(page: &Page, name: &'static str, round: Option<Address>) -> Self {
        let round = round.map(|round| round.to_string()).unwrap_or_default();
        Self { name, texts: texts::for_script(page), round }
    }
}

macro_rules! script_page {
    ($(#[$doc:meta])* $name:ident, $template:literal) => {
        $(#[$doc])*
        #[derive(Debug, Template)]
        #[template(path = $template)]
        pub(crate) struct $name {
            page: Page,
            corner: Corner,
            script: Script,
        }

        impl $name {
            fn make(page: Page, corner: Corner, script: &'static str, round: Option<Address>) -> Self {
                let script = Script::new(&page, script, round);
                Self { page, corner, script }
            }
        }
    };
}

script_page! {
    /// The citizen's whole way.
    TakePart, "pages/take-part.html"
}
script_page! {
    /// «Проверить мой голос».
    Check, "pages/check.html"
}
script_page! {
    /// Another issuer's part of the signature.
    CoSign, "pages/co-sign.html"
}
script_page! {
    /// Recovery words.
    Restore, "pages/restore.html"
}

/// `GET /rounds/{address}/take-part`.
pub(crate) async fn take_part(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
    RoundPath(address): RoundPath,
) -> WebResult<Rendered<TakePart>> {
    api::round(&state, address).await?;
    let corner = Corner::new(&state, session.as_ref(), page.path());
    Ok(Rendered(TakePart::make(page, corner, "portal-take-part.js", Some(address))))
}

/// `GET /rounds/{address}/check`.
pub(crate) async fn check(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
    RoundPath(address): RoundPath,
) -> WebResult<Rendered<Check>> {
    api::round(&state, address).await?;
    let corner = Corner::new(&state, session.as_ref(), page.path());
    Ok(Rendered(Check::make(page, corner, "portal-check.js", Some(address))))
}

/// `GET /rounds/{address}/co-sign`: where a browser comes from another issuer's portal. What it brings stands behind the `#`.
pub(crate) async fn co_sign(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
    RoundPath(address): RoundPath,
) -> WebResult<Rendered<CoSign>> {
    api::round(&state, address).await?;
    let corner = Corner::new(&state, session.as_ref(), page.path());
    Ok(Rendered(CoSign::make(page, corner, "portal-co-sign.js", Some(address))))
}

/// `GET /restore`.
pub(crate) async fn restore(
    State(state): State<AppState>,
    MaybeSession(session): MaybeSession,
    page: Page,
) -> Rendered<Restore> {
    let corner = Corner::new(&state, session.as_ref(), "/restore");
    Rendered(Restore::make(page, corner, "portal-restore.js", None))
}

#[cfg(test)]
macro_rules! script_samples {
    ($($name:ident $script:literal,)+) => {
        $(impl $name {
            pub(crate) fn samples(page: &Page) -> Vec<Self> {
                vec![Self::make(page.clone(), Corner::nobody(), $script, Some(Address::repeat_byte(0x11)))]
            }
        })+
    };
}
#[cfg(test)]
script_samples! {
    TakePart "portal-take-part.js",
    Check "portal-check.js",
    CoSign "portal-co-sign.js",
    Restore "portal-restore.js",
}
