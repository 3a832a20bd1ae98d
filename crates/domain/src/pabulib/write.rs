//! Writing of Pabulib files.

use std::fmt::Write as _;

use super::{Instance, Project, Vote};
use crate::settlement::{Election, Outcome};
use crate::{BallotKind, InitiativeId, Kopecks, Rule};

/// What a file says about an election beside its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// One line about the election.
    pub description: String,
    /// Country, in English.
    pub country: String,
    /// Municipality.
    pub unit: String,
    /// Year or other name of the round.
    pub instance: String,
    /// First day, `DD.MM.YYYY`.
    pub date_begin: String,
    /// Last day, `DD.MM.YYYY`.
    pub date_end: String,
    /// Language of the names, such as `ru`.
    pub language: String,
    /// Currency, such as `RUB`.
    pub currency: String,
}

impl Instance {
    /// An election as a file. The format knows no weights: a ballot of weight w becomes w rows, after all weights and the
    /// threshold are divided by what they have in common, with voter ids `0x…`, `0x…/2` and so on. Empty allocations are left out.
    pub fn from_election(
        election: &Election,
        outcome: Option<&Outcome>,
        description: &Description,
        mut name_of: impl FnMut(InitiativeId) -> String,
    ) -> Self {
        let ballots: Vec<_> = election.ballots.iter().filter(|ballot| !ballot.allocation.is_empty()).collect();
        let common = ballots.iter().fold(0, |common, ballot| num_integer::gcd(common, ballot.weight)).max(1);
        let cumulative = election.kind == BallotKind::Cumulative;

        let mut vote_columns = vec!["voter_id".to_owned(), "vote".to_owned()];
        vote_columns.extend(cumulative.then(|| "points".to_owned()));
        let mut votes = Vec::new();
        for ballot in ballots {
            for copy in 1..=ballot.weight / common {
                let voter_id =
                    if copy == 1 { ballot.account.to_string() } else { format!("{}/{copy}", ballot.account) };
                let mut fields = vec![voter_id.clone(), joined(&ballot.allocation.initiatives)];
                fields.extend(cumulative.then(|| joined(&ballot.allocation.points)));
                votes.push(Vote { voter_id, account: ballot.account, allocation: ballot.allocation.clone(), fields });
            }
        }

        let mut project_columns: Vec<String> = ["project_id", "cost", "votes"].map(str::to_owned).to_vec();
        project_columns.extend(cumulative.then(|| "score".to_owned()));
        project_columns.push("name".to_owned());
        project_columns.extend(outcome.map(|_| "selected".to_owned()));
        let mut initiatives: Vec<_> = election.initiatives.iter().collect();
        initiatives.sort_unstable_by_key(|initiative| initiative.id);
        let projects: Vec<_> = initiatives
            .into_iter()
            .map(|initiative| {
                let points = || {
                    let choices = votes.iter().flat_map(|vote| vote.allocation.choices());
                    choices.filter(|choice| choice.0 == initiative.id).map(|choice| u64::from(choice.1.0))
                };
                let name = name_of(initiative.id);
                let selected = outcome.map(|outcome| u8::from(outcome.has_won(initiative.id)));
                let external_id = initiative.id.to_string();
                let mut fields = vec![external_id.clone(), amount(initiative.cost), points().count().to_string()];
                fields.extend(cumulative.then(|| points().sum::<u64>().to_string()));
                fields.push(name.clone());
                fields.extend(selected.map(|selected| selected.to_string()));
                Project { id: initiative.id, external_id, cost: initiative.cost, name, selected, fields }
            })
            .collect();

        let threshold = election.threshold.div_ceil(u64::from(common));
        let rule = match (election.rule, threshold) {
            (Rule::EqualShares, _) => "equalshares",
            (Rule::Greedy, 0) => "greedy",
            (Rule::Greedy, _) => "greedy-threshold",
        };
        let mut meta: Vec<(String, String)> = Vec::new();
        let mut put = |key: &str, value: String| meta.push((key.to_owned(), value));
        put("description", description.description.clone());
        put("country", description.country.clone());
        put("unit", description.unit.clone());
        put("instance", description.instance.clone());
        put("num_projects", projects.len().to_string());
        put("num_votes", votes.len().to_string());
        put("budget", amount(election.budget));
        put("vote_type", election.kind.to_string());
        put("rule", rule.to_owned());
        put("date_begin", description.date_begin.clone());
        put("date_end", description.date_end.clone());
        if cumulative {
            put("max_sum_points", election.share_points.to_string());
        }
        if threshold > 0 {
            put("min_project_score_threshold", threshold.to_string());
        }
        put("language", description.language.clone());
        put("currency", description.currency.clone());
        Self {
            meta,
            kind: election.kind,
            budget: election.budget,
            share_points: election.share_points,
            project_columns,
            projects,
            vote_columns,
            votes,
            warnings: Vec::new(),
        }
    }

    /// The text of the file.
    pub fn to_pb(&self) -> String {
        let mut text = String::from("META\nkey;value\n");
        for (key, value) in &self.meta {
            let _ = writeln!(text, "{};{}", quoted(key), quoted(value));
        }
        text.push_str("PROJECTS\n");
        push_row(&mut text, &self.project_columns);
        self.projects.iter().for_each(|project| push_row(&mut text, &project.fields));
        text.push_str("VOTES\n");
        push_row(&mut text, &self.vote_columns);
        self.votes.iter().for_each(|vote| push_row(&mut text, &vote.fields));
        text
    }
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

/// Whole amounts without decimals, as the published files have them.
fn amount(kopecks: Kopecks) -> String {
    if kopecks.0.is_multiple_of(100) { (kopecks.0 / 100).to_string() } else { kopecks.to_decimal() }
}

fn push_row(text: &mut String, fields: &[String]) {
    let row: Vec<_> = fields.iter().map(|field| quoted(field)).collect();
    text.push_str(&row.join(";"));
    text.push('\n');
}

fn quoted(field: &str) -> String {
    if field.contains([';', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settlement::{Ballot, Candidate, settle};
    use crate::{Account, Allocation, Completion, Points};

    fn election() -> Election {
        let ballot = |number: u8, weight, choices: &[(u16, u16)]| Ballot {
            account: Account([number; 20]),
            weight,
            allocation: Allocation::cumulative(choices.iter().map(|&(id, points)| (InitiativeId(id), Points(points)))),
        };
        Election {
            budget: Kopecks(1_000_050),
            kind: BallotKind::Cumulative,
            rule: Rule::EqualShares,
            completion: Completion::FULL,
            threshold: 7,
            share_points: Points(10),
            initiatives: vec![
                Candidate { id: InitiativeId(2), cost: Kopecks(400_000) },
                Candidate { id: InitiativeId(1), cost: Kopecks(700_001) },
            ],
            ballots: vec![ballot(1, 4, &[(1, 7), (2, 3)]), ballot(2, 2, &[(2, 10)]), ballot(3, 2, &[])],
        }
    }

    #[test]
    fn a_written_file_is_read_back() {
        let election = election();
        let outcome = settle(&election).unwrap();
        let description = Description { unit: "Зареченск; центр".into(), ..Description::default() };
        let written =
            Instance::from_election(&election, Some(&outcome), &description, |id| format!("№ {id}: \"парк\""));
        let read = Instance::parse(&written.to_pb()).unwrap();
        assert_eq!(read.warnings, [""; 0]);
        assert_eq!(read.meta, written.meta);
        assert_eq!(read.projects, written.projects);
        assert_eq!(read.threshold(), 4);
        assert_eq!(read.official_winners(), Some(outcome.winner_ids()));
        // Weights 4, 2 and an empty ballot: three rows.
        assert_eq!(read.votes.len(), 3);
        assert_eq!(
            read.projects[0].fields,
            ["1", "7000.01", "2", "14", "№ 1: \"парк\"", read.projects[0].fields[5].as_str()]
        );
        let again = settle(&read.election(Rule::EqualShares, Completion::FULL, read.threshold())).unwrap();
        assert_eq!(again.winner_ids(), outcome.winner_ids());
        assert_eq!(read.to_pb(), written.to_pb());
    }

    #[test]
    fn with_weight_one_the_digest_survives() {
        let mut election = election();
        election.ballots.iter_mut().for_each(|ballot| ballot.weight = 1);
        let digest = settle(&election).unwrap().transcript.digest();
        let text = Instance::from_election(&election, None, &Description::default(), |id| id.to_string()).to_pb();
        let read = Instance::parse(&text).unwrap().election(Rule::EqualShares, Completion::FULL, 7);
        assert_eq!(settle(&read).unwrap().transcript.digest(), digest);
    }
}
