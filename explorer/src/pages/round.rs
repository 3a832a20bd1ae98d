//! A round: phases, numbers, rules, initiatives with their wallets filling up.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use kopilka_domain::{Kopecks, Percent, Phase, Rule};
use kopilka_store::chain::explorer::{self, PhaseChange};
use kopilka_store::chain::rounds::{self, Class, Initiative, Round, Token};
use kopilka_web::components::Fill;
use kopilka_web::{Html, Page, Rendered, WebResult};
use time::OffsetDateTime;

use crate::names::Names;
use crate::state::Explorer;
use crate::texts::Document;
use crate::words::{Words, allotment_key, ballot_kind_key, phase_key, rule_key};

/// A step of the timeline.
pub(super) struct Step {
    /// `step-done`, `step-current`, `step-bad` or nothing.
    class: &'static str,
    key: &'static str,
    when: Option<Html>,
    note: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/round.html")]
pub(super) struct RoundPage {
    pub(super) page: Page,
    pub(super) w: Words,
    pub(super) round: Round,
    pub(super) text: Option<Document>,
    pub(super) token: Option<Token>,
    pub(super) classes: Vec<Class>,
    pub(super) initiatives: Vec<Initiative>,
    pub(super) changes: Vec<PhaseChange>,
    pub(super) skipped: i64,
    pub(super) portal_url: Option<String>,
}

impl RoundPage {
    fn hex(&self) -> String {
        self.w.hex(self.round.address)
    }

    fn title(&self) -> String {
        match &self.text {
            Some(text) => text.title.clone(),
            None => self.page.text("label-round-untitled").arg("id", self.round.round_id).to_string(),
        }
    }

    fn initiative_text(&self, initiative: &Initiative) -> Option<&Document> {
        self.w.names.texts.get(&initiative.content_hash)
    }

    fn fill(&self, initiative: &Initiative) -> Fill {
        Fill::new(&self.page, initiative.pledged, initiative.cost).live(initiative.initiative_id.to_string())
    }

    /// The budget, or what is minted so far.
    fn money(&self) -> Kopecks {
        self.round.budget.unwrap_or(self.round.minted)
    }

    fn in_wallets(&self) -> Kopecks {
        self.initiatives.iter().map(|initiative| initiative.balance).sum()
    }

    fn cost(&self) -> Kopecks {
        self.initiatives.iter().map(|initiative| initiative.cost).sum()
    }

    fn turnout(&self) -> String {
        let part = |number: i64| u128::try_from(number).unwrap_or(0);
        self.page.percent(Percent::of(part(self.round.allocated), part(self.round.registered)))
    }

    /// A share of weight 1, once it is known.
    fn share(&self) -> Option<Kopecks> {
        let budget = self.round.budget?;
        let weight = self.round.total_weight?;
        kopilka_domain::allotment::allotment(self.round.allotment, self.round.fixed_amount, budget, 1, weight)
    }

    /// Whether wallets still change because citizens put money in.
    fn is_live(&self) -> bool {
        matches!(self.round.phase, Phase::Registration | Phase::Pledging)
    }

    fn has_result(&self) -> bool {
        matches!(self.round.phase, Phase::Tallying | Phase::Objection | Phase::Settled | Phase::Closed)
    }

    fn is_small(&self) -> bool {
        self.round.issued > 0 && self.round.issued < SMALL_CROWD && self.round.phase != Phase::Draft
    }

    fn ballot_kind_key(&self) -> &'static str {
        ballot_kind_key(self.round.ballot_kind)
    }

    fn rule_key(&self) -> &'static str {
        rule_key(self.round.rule)
    }

    fn allotment_key(&self) -> &'static str {
        allotment_key(self.round.allotment)
    }

    fn completion_key(&self) -> Option<&'static str> {
        match (self.round.rule, self.round.completion_raise, self.round.completion_fill) {
            (Rule::Greedy, _, _) => None,
            (_, true, true) => Some("completion-full"),
            (_, true, false) => Some("completion-raise"),
            (_, false, true) => Some("completion-fill"),
            (_, false, false) => Some("completion-none"),
        }
    }

    /// The phases in their order, with the time of each that has begun and the earliest end of the present one.
    fn steps(&self) -> Vec<Step> {
        let round = &self.round;
        let order = [
            (Phase::Draft, Some(round.created_at)),
            (Phase::Registration, round.registration_at),
            (Phase::Pledging, round.pledging_at),
            (Phase::Tallying, round.tallying_at),
            (Phase::Objection, round.objection_at),
            (Phase::Settled, round.settled_at),
            (Phase::Closed, round.closed_at),
        ];
        let at = |at: Option<OffsetDateTime>| at.map(|at| self.page.time(at));
        let not_before =
            |key: &str, at: OffsetDateTime| Some(self.page.text(key).arg("when", self.page.date_time(at)).to_string());
        let cancelled = round.phase == Phase::Cancelled;
        let mut steps: Vec<Step> = order
            .into_iter()
            .filter(|(_, began)| !cancelled || began.is_some())
            .map(|(phase, began)| Step {
                class: match () {
                    () if phase == round.phase && phase == Phase::Closed => "step-done",
                    () if phase == round.phase => "step-current",
                    () if cancelled || phase < round.phase => "step-done",
                    () => "",
                },
                key: phase_key(phase),
                // A withdrawn proposal leaves a time of objection behind a round that is tallied again.
                when: if cancelled || phase <= round.phase { at(began) } else { None },
                note: match phase {
                    Phase::Registration if round.phase <= Phase::Registration => {
                        not_before("step-registration-until", round.registration_until)
                    }
                    Phase::Pledging if round.phase <= Phase::Pledging => {
                        not_before("step-pledging-until", round.pledging_closes_at())
                    }
                    _ => None,
                },
            })
            .collect();
        if cancelled {
            steps.push(Step {
                class: "step-bad",
                key: phase_key(Phase::Cancelled),
                when: at(round.cancelled_at),
                note: None,
            });
        }
        steps
    }
}

/// Below so many credentials a choice may be guessed by who could have made it.
pub(super) const SMALL_CROWD: i64 = 50;

pub(crate) async fn round(
    page: Page,
    State(explorer): State<Explorer>,
    Path(round): Path<String>,
) -> WebResult<impl IntoResponse> {
    let round = explorer.round(&round).await?;
    let mut connection = explorer.connection().await?;
    let token = rounds::token(&mut connection, round.token).await?;
    let classes = rounds::classes(&mut connection, round.address).await?;
    let initiatives = rounds::initiatives(&mut connection, round.address).await?;
    let changes = explorer::phase_changes(&mut connection, round.address).await?;
    let skipped = explorer::skipped_count(&mut connection, round.address).await?;
    let names = Names::load(&mut connection, vec![round.address, round.token]).await?;
    let text = names.texts.get(&round.content_hash).cloned();
    let portal_url = explorer.portal.as_ref().map(|portal| portal.round(format!("{:#x}", round.address)));
    let w = Words::new(&page, &explorer, names);
    Ok(Rendered(RoundPage { page, w, round, text, token, classes, initiatives, changes, skipped, portal_url }))
}
