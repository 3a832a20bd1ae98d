//! One invented citizen: logs in at the stand-in for ESIA, receives a credential, registers and allocates, all over HTTP.

use std::time::Duration;

use alloy::primitives::{Address, Bytes};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, ensure};
use kopilka_bindings::allocation::{Allocation, allocation_hash};
use kopilka_credential::{
    BlindSignature, CredentialScope, IssuerPublicKey, MasterSecret, Signature, blind, unblind, verify,
};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::http::{Browser, redirect_target, send_patiently, succeeded};

/// The places a citizen's browser talks to.
#[derive(Debug, Clone)]
pub(super) struct Sites {
    /// Portal.
    pub(super) portal: Url,
    /// Relayer.
    pub(super) relayer: Url,
}

/// The round, with the issuer key as the chain gives it.
#[derive(Clone)]
pub(super) struct RoundScope {
    /// Address of the round.
    pub(super) round: Address,
    /// Chain, contract, id and class that a credential is good for.
    pub(super) scope: CredentialScope,
    /// Issuer key of class 0, read from the chain.
    pub(super) issuer_key: IssuerPublicKey,
}

/// A citizen's keys.
pub(super) struct Citizen {
    oid: u64,
    secret: MasterSecret,
    signer: PrivateKeySigner,
}

/// A message that the relayer has accepted.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Accepted {
    /// Its id.
    pub(super) id: String,
}

/// What the relayer says of a message.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MessageStatus {
    /// `queued`, `submitted`, `mined`, `finalized` or `failed`.
    pub(super) status: String,
    /// Why it failed.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

#[derive(Deserialize)]
struct Session {
    confirmed: bool,
    csrf: String,
}

#[derive(Deserialize)]
struct RoundInfo {
    phase: String,
    #[serde(default)]
    class: Option<u8>,
}

#[derive(Deserialize)]
struct Issued {
    signature: Bytes,
}

impl Citizen {
    /// A citizen with a fresh master secret, known to the stand-in by `oid`.
    ///
    /// # Errors
    /// When the derived key is no private key, which does not happen.
    pub(super) fn new(
        oid: u64,
        scope: &CredentialScope,
        rng: &mut (impl rand::CryptoRng + ?Sized),
    ) -> anyhow::Result<Self> {
        let secret = MasterSecret::generate(rng);
        let signer = PrivateKeySigner::from_slice(&*secret.account(scope).to_bytes())?;
        Ok(Self { oid, secret, signer })
    }

    /// The throw-away account.
    pub(super) fn account(&self) -> Address {
        self.signer.address()
    }

    /// Logs in, receives a blind credential, unblinds and checks it.
    ///
    /// # Errors
    /// A refusal by the portal, or a credential that does not verify against the key on chain.
    pub(super) async fn obtain_credential(
        &self,
        client: &Client,
        sites: &Sites,
        round: &RoundScope,
    ) -> anyhow::Result<Signature> {
        let mut browser = Browser::new(client);
        self.log_in(&mut browser, sites).await?;
        let session_url = sites.portal.join("api/v1/session")?;
        let response = browser.send(&session_url, |client| client.get(session_url.clone())).await?;
        let session: Session = succeeded(Method::GET, &session_url, response).await?.json().await?;
        ensure!(session.confirmed, "the account is not confirmed");
        let info_url = sites.portal.join(&format!("api/v1/rounds/{}", round.round))?;
        let response = browser.send(&info_url, |client| client.get(info_url.clone())).await?;
        let info: RoundInfo = succeeded(Method::GET, &info_url, response).await?.json().await?;
        ensure!(info.class == Some(0), "the citizen has no class in this round");
        ensure!(info.phase == "registration", "registration is not open: the round is in phase {}", info.phase);

        let account = self.account().into_array().into();
        let blinding = self.secret.blinding(&round.scope);
        let blinded = blind(&round.scope, account, &blinding);
        let url = sites.portal.join(&format!("api/v1/rounds/{}/credential", round.round))?;
        let body = json!({ "class": 0, "blinded": Bytes::from(blinded.to_bytes().to_vec()) });
        let response = browser
            .send(&url, |client| client.post(url.clone()).header("X-CSRF-Token", &session.csrf).json(&body))
            .await?;
        let issued: Issued = succeeded(Method::POST, &url, response).await?.json().await?;
        let signature = unblind(&BlindSignature::from_bytes(&issued.signature)?, &blinding);
        ensure!(
            verify(&round.issuer_key, &round.scope, account, &signature),
            "the credential does not verify against the issuer key on chain"
        );
        Ok(signature)
    }

    async fn log_in(&self, browser: &mut Browser<'_>, sites: &Sites) -> anyhow::Result<()> {
        // The whole walk is repeated if it breaks in the middle: a restarted stand-in has forgotten its codes.
        let mut last = None;
        for attempt in 0..20 {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                browser.clear();
            }
            match self.walk_through_esia(browser, sites).await {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no attempt was made"))).context("the log-in did not succeed")
    }

    async fn walk_through_esia(&self, browser: &mut Browser<'_>, sites: &Sites) -> anyhow::Result<()> {
        let login = sites.portal.join("login?next=/")?;
        let authorize = browser.get_redirect(&login).await?;
        let chooser = browser.get_redirect(&authorize).await?;
        let page = browser.send(&chooser, |client| client.get(chooser.clone())).await?;
        succeeded(Method::GET, &chooser, page).await?;
        let request = chooser
            .query_pairs()
            .find(|(name, _)| name == "request")
            .map(|(_, value)| value.into_owned())
            .context("the log-in page names no request")?;
        let mut form_url = chooser.clone();
        form_url.set_query(None);
        let form = [("request", request), ("oid", self.oid.to_string())];
        let response = browser.send(&form_url, |client| client.post(form_url.clone()).form(&form)).await?;
        let callback = redirect_target(Method::POST, &form_url, response).await?;
        ensure!(callback.query_pairs().any(|(name, _)| name == "code"), "the log-in was refused");
        browser.get_redirect(&callback).await.map(drop)
    }

    /// Hands the credential to the relayer: no cookie, no login.
    ///
    /// # Errors
    /// A refusal by the relayer.
    pub(super) async fn register(
        &self,
        client: &Client,
        sites: &Sites,
        round: &RoundScope,
        credential: &Signature,
    ) -> anyhow::Result<Accepted> {
        let body = json!({
            "round": round.round, "class": 0, "account": self.account(),
            "signature": Bytes::from(credential.to_bytes().to_vec()),
        });
        post(client, &sites.relayer.join("v1/registrations")?, &body).await
    }

    /// Signs a whole distribution and hands it to the relayer.
    ///
    /// # Errors
    /// A refusal by the relayer.
    pub(super) async fn allocate(
        &self,
        client: &Client,
        sites: &Sites,
        round: &RoundScope,
        version: u32,
        (initiatives, points): (Vec<u16>, Vec<u16>),
    ) -> anyhow::Result<Accepted> {
        let allocation = Allocation { account: self.account(), version, initiatives, points };
        let hash = allocation_hash(round.scope.chain_id, round.round, &allocation);
        let signature = self.signer.sign_hash_sync(&hash)?;
        let body = json!({
            "round": round.round, "account": allocation.account, "version": version,
            "initiatives": allocation.initiatives, "points": allocation.points,
            "signature": Bytes::from(signature.as_bytes().to_vec()),
        });
        post(client, &sites.relayer.join("v1/allocations")?, &body).await
    }
}

/// What the relayer says of a message.
///
/// # Errors
/// When it does not know the message, or cannot be reached.
pub(super) async fn message_status(client: &Client, sites: &Sites, id: &str) -> anyhow::Result<MessageStatus> {
    let url = sites.relayer.join(&format!("v1/messages/{id}"))?;
    let response = send_patiently(|| client.get(url.clone())).await?;
    Ok(succeeded(Method::GET, &url, response).await?.json().await?)
}

async fn post(client: &Client, url: &Url, body: &serde_json::Value) -> anyhow::Result<Accepted> {
    let response = send_patiently(|| client.post(url.clone()).json(body)).await?;
    Ok(succeeded(Method::POST, url, response).await?.json().await?)
}
