//! What a browser needs of a round.

use alloy::primitives::{Address, B256};
use axum::Json;
use axum::extract::State;
use kopilka_credential::IssuerPublicKey;
use kopilka_credential::threshold::IssuerIndex;
use kopilka_domain::{Allotment, BallotKind, Kopecks, Phase};
use kopilka_store::portal::{self, view};
use kopilka_web::{Page, WebResult};
use serde::Serialize;
use url::Url;

use super::{RoundPath, documents};
use crate::error::OrUnavailable as _;
use crate::issuance::{Ineligible, class_of};
use crate::session::MaybeSession;
use crate::signing::SigningKey;
use crate::state::AppState;

/// `GET /api/v1/rounds/{address}`.
#[derive(Debug, Serialize)]
pub(crate) struct RoundJson {
    chain_id: u64,
    contract: Address,
    round_id: u64,
    municipality_id: u32,
    title: Option<String>,
    phase: Phase,
    /// Whether credentials are issued now.
    issuing: bool,
    /// Class of the citizen who asks; null when not logged in or not eligible.
    class: Option<u8>,
    /// Why the citizen who is logged in has no class.
    ineligible: Option<Ineligible>,
    /// Whether the citizen who is logged in had a credential of this round: then only the same key can have it again.
    issued: bool,
    /// Key of that class (of class 0 for others). The browser compares it with the chain.
    issuer_key: Option<IssuerPublicKey>,
    classes: Vec<ClassJson>,
    ballot_kind: BallotKind,
    allotment: Allotment,
    share_points: u16,
    fixed_amount: Kopecks,
    registration_until: u64,
    pledging_until: u64,
    initiatives: Vec<InitiativeJson>,
    relayer_url: Url,
    rpc_url: Url,
    explorer_url: Url,
    registration_delay_ms: u64,
}

#[derive(Debug, Serialize)]
struct ClassJson {
    weight: u32,
    issuer_key: IssuerPublicKey,
    /// Where several issuers hold the key together: who must sign. Null with one issuer, and when nothing is issued.
    group: Option<GroupJson>,
}

/// Several issuers, of whom `needed` must sign.
#[derive(Debug, Serialize)]
struct GroupJson {
    needed: u8,
    /// The number of this portal's issuer, from 1.
    issuer: IssuerIndex,
    /// The number of the issuer at whose portal citizens begin.
    home: IssuerIndex,
    /// All of them, the first issuer first.
    members: Vec<MemberJson>,
}

#[derive(Debug, Serialize)]
struct MemberJson {
    portal: Url,
    /// Key of its share.
    share_key: IssuerPublicKey,
}

impl GroupJson {
    fn new(key: &SigningKey) -> Option<Self> {
        let SigningKey::Share(member) = key else { return None };
        let members = member.portals.iter().zip(member.keys.share_keys());
        Some(Self {
            needed: member.keys.threshold().needed(),
            issuer: member.issuer(),
            home: member.home,
            members: members.map(|(portal, key)| MemberJson { portal: portal.clone(), share_key: *key }).collect(),
        })
    }
}

#[derive(Debug, Serialize)]
struct InitiativeJson {
    id: u16,
    title: Option<String>,
    place: Option<String>,
    cost: Kopecks,
    wallet: Address,
    content_hash: B256,
}

pub(crate) async fn round_json(
    State(state): State<AppState>,
    page: Page,
    RoundPath(address): RoundPath,
    MaybeSession(session): MaybeSession,
) -> WebResult<Json<RoundJson>> {
    let round = super::round(&state, address).await?;
    let (class, ineligible) = match session.as_ref().map(|session| class_of(session, &round)) {
        None => (None, None),
        Some(Ok(class)) => (Some(class), None),
        Some(Err(reason)) => (None, Some(reason)),
    };
    let mut classes = Vec::with_capacity(round.classes.len());
    for (index, class) in (0..).zip(&round.classes) {
        let key = if round.is_issuing() { state.keys.shown(address, index).or_unavailable()? } else { None };
        classes.push(ClassJson {
            weight: class.weight,
            issuer_key: class.issuer_key,
            group: key.as_ref().and_then(GroupJson::new),
        });
    }
    let mut connection = state.connection().await.or_unavailable()?;
    let hashes = round.initiatives.iter().map(|initiative| initiative.content_hash).chain([round.content_hash]);
    let texts = documents(&mut connection, hashes).await.or_unavailable()?;
    let issued = match session {
        Some(session) if class.is_some() => {
            let tag = session.person_tag(&state.config.person_tag_secret, &address.0.0);
            portal::is_issued(&mut connection, &address.0.0, &tag).await.or_unavailable()?
        }
        _ => false,
    };
    drop(connection);
    let text = |hash| texts.get(hash).map(|document| document.in_language(page.language()));
    Ok(Json(RoundJson {
        chain_id: state.rounds.chain_id(),
        contract: round.address,
        round_id: round.round_id,
        municipality_id: round.municipality_id,
        title: text(&round.content_hash).map(|text| text.title.clone()),
        phase: round.phase,
        issuing: round.is_issuing(),
        class,
        ineligible,
        issued,
        issuer_key: round.classes.get(usize::from(class.unwrap_or(0))).map(|class| class.issuer_key),
        classes,
        ballot_kind: round.ballot_kind,
        allotment: round.allotment,
        share_points: round.share_points,
        fixed_amount: round.fixed_amount,
        registration_until: round.registration_until,
        pledging_until: round.pledging_until,
        initiatives: round
            .initiatives
            .iter()
            .map(|initiative| {
                let text = text(&initiative.content_hash);
                InitiativeJson {
                    id: initiative.id,
                    title: text.map(|text| text.title.clone()),
                    place: text.and_then(|text| text.place.clone()),
                    cost: initiative.cost,
                    wallet: initiative.wallet,
                    content_hash: initiative.content_hash,
                }
            })
            .collect(),
        relayer_url: state.config.relayer_url.clone(),
        rpc_url: state.config.public_rpc_url.clone(),
        explorer_url: state.config.explorer_url.clone(),
        registration_delay_ms: u64::try_from(state.config.registration_delay.as_millis()).unwrap_or(u64::MAX),
    }))
}

/// An entry of `GET /api/v1/rounds`.
#[derive(Debug, Serialize)]
pub(crate) struct RoundEntry {
    chain_id: u64,
    contract: Address,
    round_id: u64,
    municipality_id: u32,
    title: Option<String>,
    phase: String,
}

/// `GET /api/v1/rounds`: every round, the newest first.
pub(crate) async fn rounds_json(State(state): State<AppState>, page: Page) -> WebResult<Json<Vec<RoundEntry>>> {
    let mut connection = state.connection().await.or_unavailable()?;
    let rounds = view::rounds(&mut connection, None).await.or_unavailable()?;
    let hashes = rounds.iter().map(|round| B256::from(round.content_hash));
    let texts = documents(&mut connection, hashes).await.or_unavailable()?;
    let entries = rounds.into_iter().map(|round| RoundEntry {
        chain_id: state.rounds.chain_id(),
        contract: round.address.into(),
        round_id: round.round_id,
        municipality_id: round.municipality_id,
        title: texts.get(&B256::from(round.content_hash)).map(|text| text.in_language(page.language()).title.clone()),
        phase: round.phase,
    });
    Ok(Json(entries.collect()))
}
