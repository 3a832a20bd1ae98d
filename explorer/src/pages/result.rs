//! The result of a round: what was proposed on chain, and what this program counts from the same public data.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use kopilka_domain::settlement::{Loser, LossReason, Outcome, Route, Winner};
use kopilka_domain::{BallotKind, Percent, Rule};
use kopilka_store::chain::rounds::{self, Round, Settlement};
use kopilka_store::chain::state;
use kopilka_web::i18n::Message;
use kopilka_web::{Html, Page, Rendered, WebResult};
use num_traits::ToPrimitive as _;

use crate::names::Names;
use crate::settlement;
use crate::state::Explorer;
use crate::words::{Words, rule_key};

/// Whether the counts agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Nothing was proposed yet.
    Unproposed,
    /// The proposal has our digest and winners.
    Same,
    /// It has not.
    Different,
}

#[derive(Template)]
#[template(path = "pages/result.html")]
pub(super) struct ResultPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) round: Round,
    /// Computed here; none while ballots can still change.
    pub(super) outcome: Option<Arc<Outcome>>,
    /// Every word on the result, the newest first.
    pub(super) history: Vec<Settlement>,
    /// Whom the recount in the browser asks unless the reader names another node.
    pub(super) rpc_url: String,
    /// The chain that every such node must follow.
    pub(super) chain_id: Option<u64>,
}

impl ResultPage {
    fn round_hex(&self) -> String {
        self.w.hex(self.round.address)
    }

    /// The proposal or final result that stands now.
    fn standing(&self) -> Option<&Settlement> {
        self.history.first().filter(|word| word.kind != "withdrawn")
    }

    /// The winners that stand on chain, as the recount in the browser compares them.
    fn standing_winners(&self) -> String {
        let ids = self.standing().and_then(|word| word.winners.as_deref()).unwrap_or_default();
        ids.iter().map(i32::to_string).collect::<Vec<_>>().join(" ")
    }

    fn is_final(&self) -> bool {
        self.standing().is_some_and(|word| word.kind == "final")
    }

    fn agreement(&self) -> Agreement {
        let (Some(standing), Some(outcome)) = (self.standing(), &self.outcome) else { return Agreement::Unproposed };
        let winners: Vec<i32> = outcome.winner_ids().iter().map(|id| i32::from(id.0)).collect();
        let same_winners = standing.winners.as_deref() == Some(winners.as_slice());
        if same_winners && standing.transcript_digest.0 == outcome.transcript.digest() {
            Agreement::Same
        } else {
            Agreement::Different
        }
    }

    fn is_same(&self) -> bool {
        self.agreement() == Agreement::Same
    }

    fn is_different(&self) -> bool {
        self.agreement() == Agreement::Different
    }

    fn is_window_open(&self) -> bool {
        self.standing().and_then(|word| word.final_at).is_some_and(|final_at| self.page.now() < final_at)
    }

    fn rule_key(&self) -> &'static str {
        rule_key(self.round.rule)
    }

    fn initiative(&self, id: &kopilka_domain::InitiativeId) -> Html {
        self.w.initiative_short(self.round.address, i32::from(id.0))
    }

    fn support(&self, support: &u64) -> Message {
        let key = if self.round.ballot_kind == BallotKind::Cumulative { "support-points" } else { "support-votes" };
        self.page.text(key).arg("count", support)
    }

    fn route(&self, winner: &Winner) -> Message {
        match &winner.route {
            Route::EqualShares { rate } => {
                // Millionths of a kopeck; shown with the decimals that a reader can use.
                let kopecks = rate.millionths().to_f64().unwrap_or(0.0) / 1_000_000.0;
                let key = if self.round.ballot_kind == BallotKind::Cumulative {
                    "route-equal-shares-points"
                } else {
                    "route-equal-shares"
                };
                self.page.text(key).arg("rate", self.page.decimal(kopecks / 100.0, 2))
            }
            Route::Fill => self.page.text("route-fill"),
            Route::Greedy => self.page.text("route-greedy"),
        }
    }

    fn reason(&self, loser: &Loser) -> Message {
        match &loser.reason {
            LossReason::NoSupport => self.page.text("loss-no-support"),
            LossReason::BelowThreshold { support, threshold } => {
                self.page.text("loss-below-threshold").arg("support", support).arg("threshold", threshold)
            }
            LossReason::ExceedsRemainingBudget { cost, remaining } => self
                .page
                .text("loss-exceeds")
                .arg("cost", self.page.money(cost))
                .arg("remaining", self.page.money(remaining)),
            LossReason::NotAffordableBySupporters { effective_support } => {
                self.page.text("loss-not-affordable").arg("percent", self.page.percent(*effective_support))
            }
        }
    }

    fn nothing_share(&self, outcome: &Outcome) -> String {
        self.page.percent(Percent::of(outcome.voters_with_nothing.into(), outcome.voters.into()))
    }

    fn spent_share(&self, outcome: &Outcome) -> String {
        self.page.percent(Percent::of(outcome.total_cost.0, outcome.budget.0))
    }

    fn is_equal_shares(&self) -> bool {
        self.round.rule == Rule::EqualShares
    }

    fn word_key(&self, word: &Settlement) -> &'static str {
        match word.kind.as_str() {
            "proposed" => "settlement-proposed",
            "withdrawn" => "settlement-withdrawn",
            _ => "settlement-final",
        }
    }
}

pub(crate) async fn result(
    page: Page,
    State(explorer): State<Explorer>,
    Path(round): Path<String>,
) -> WebResult<impl IntoResponse> {
    let round = explorer.round(&round).await?;
    let outcome = settlement::outcome(&explorer, &round).await?;
    let mut connection = explorer.connection().await?;
    let history = rounds::settlements(&mut connection, round.address).await?;
    let names = Names::load(&mut connection, vec![round.address, round.token]).await?;
    let rpc_url = explorer.urls.eth_rpc();
    let chain_id = state::meta(&mut connection).await?.map(|meta| meta.deployment.chain_id);
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(ResultPage { page, w, round, outcome, history, rpc_url, chain_id }))
}
