//! From a Pabulib file to the plan of a round.

use std::collections::BTreeMap;

use alloy::primitives::keccak256;
use anyhow::Context as _;
use kopilka_domain::pabulib::Instance;
use kopilka_domain::{Allocation, Allotment, BallotKind, Completion, InitiativeId, Kbk, Oktmo, Rule};
use kopilka_esia::standin::Municipality;

use crate::staff::{AppropriationPlan, InitiativePlan, MunicipalityPlan, RoundPlan};

/// What the caller wants otherwise than the file says.
#[derive(Debug, Clone, Default)]
pub struct RuleChoice {
    /// Rule, instead of the file's.
    pub rule: Option<Rule>,
    /// Raise shares, instead of what follows from the file's rule.
    pub raise: Option<bool>,
    /// Fill greedily at the end, instead of what follows from the file's rule.
    pub fill: Option<bool>,
    /// Threshold, instead of the file's.
    pub threshold: Option<u64>,
}

/// Ids on chain count from 1 without gaps; a file's may have gaps. The order is kept, since it breaks ties.
#[derive(Debug, Clone)]
pub struct ChainIds(BTreeMap<InitiativeId, u16>);

impl ChainIds {
    /// Numbers the projects of a file in the order of their ids.
    pub fn new(instance: &Instance) -> Self {
        let mut ids: Vec<_> = instance.projects.iter().map(|project| project.id).collect();
        ids.sort_unstable();
        Self(ids.into_iter().zip(1..).collect())
    }

    /// Id on chain of a project.
    pub fn of(&self, id: InitiativeId) -> Option<u16> {
        self.0.get(&id).copied()
    }

    /// Ids on chain of several projects, ascending.
    pub fn all(&self, ids: &[InitiativeId]) -> Vec<u16> {
        let mut ids: Vec<u16> = ids.iter().filter_map(|id| self.of(*id)).collect();
        ids.sort_unstable();
        ids
    }

    /// An allocation with the ids on chain.
    pub fn allocation(&self, allocation: &Allocation) -> (Vec<u16>, Vec<u16>) {
        let initiatives = allocation.initiatives.iter().filter_map(|id| self.of(*id)).collect();
        (initiatives, allocation.points.iter().map(|points| points.0).collect())
    }
}

/// The rule of a file: what its META names in Pabulib's words, equal shares with full completion where it names none.
/// `equalshares/add1` raises shares and stops there; every other kind of equal shares is also filled up.
pub fn rule_of(instance: &Instance, choice: &RuleChoice) -> (Rule, Completion, u64) {
    let named = instance.meta("rule").unwrap_or_default().to_ascii_lowercase();
    let greedy = named.starts_with("greedy");
    let rule = choice.rule.unwrap_or(if greedy { Rule::Greedy } else { Rule::EqualShares });
    let completion = match rule {
        Rule::Greedy => Completion::NONE,
        Rule::EqualShares => {
            Completion { raise: choice.raise.unwrap_or(true), fill: choice.fill.unwrap_or(named != "equalshares/add1") }
        }
    };
    (rule, completion, choice.threshold.unwrap_or_else(|| instance.threshold()))
}

/// The plan of a round that lets the voters of a file vote.
pub(super) fn plan(
    instance: &Instance,
    municipality: &Municipality,
    choice: &RuleChoice,
    objection_seconds: u32,
) -> anyhow::Result<RoundPlan> {
    let (rule, completion, threshold) = rule_of(instance, choice);
    let mut projects: Vec<_> = instance.projects.iter().collect();
    projects.sort_unstable_by_key(|project| project.id);
    let column = |name: &str| instance.project_columns.iter().position(|column| column == name);
    let field = |project: &kopilka_domain::pabulib::Project, name: &str| {
        column(name).and_then(|at| project.fields.get(at)).cloned().unwrap_or_default()
    };
    let title = instance.meta("description").unwrap_or("Инициативное бюджетирование");
    let year = instance.meta("instance").and_then(|text| text.parse().ok()).unwrap_or(2026);
    Ok(RoundPlan {
        municipality: MunicipalityPlan {
            oktmo: municipality.oktmo.parse::<Oktmo>().context("the municipality's OKTMO")?,
            name: municipality.name.clone(),
        },
        title: format!("{title}, {year}"),
        description: instance
            .meta("comment")
            .map_or_else(|| "Жители распределяют часть бюджета между инициативами.".to_owned(), str::to_owned),
        token_name: format!("Бюджетный рубль {year}"),
        token_symbol: format!("БР{:02}", year % 100),
        appropriation: AppropriationPlan {
            amount: instance.budget,
            fiscal_year: year,
            kbk: "90105031234567890244".parse::<Kbk>().context("the budget code")?,
            document_uri: format!("urn:kopilka:budget:{}", keccak256(title)),
        },
        ballot_kind: instance.kind,
        allotment: Allotment::Equal,
        fixed_amount: None,
        rule,
        completion,
        share_points: if instance.kind == BallotKind::Cumulative { instance.share_points.0 } else { 0 },
        threshold,
        registration_until: 0,
        pledging_until: 0,
        objection_seconds,
        initiatives: projects
            .into_iter()
            .map(|project| InitiativePlan {
                title: project.name.clone(),
                description: field(project, "description"),
                place: ["neighborhood", "district"].map(|name| field(project, name)).concat(),
                cost: project.cost,
            })
            .collect(),
    })
}
