//! Reading of Pabulib files.

use std::collections::HashMap;

use sha3::{Digest, Keccak256};
use thiserror::Error;

use super::rows::{Row, rows};
use super::{Instance, Project, Vote};
use crate::{Account, Allocation, BallotKind, InitiativeId, Kopecks, ParseKopecksError, Points};

/// Why a file cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct ParseError {
    /// Line of the file, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Not text.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// A section is absent.
    #[error("the section {0} is missing: a .pb file has META, PROJECTS and VOTES, in this order")]
    SectionMissing(&'static str),
    /// A column is absent.
    #[error("the column {column} is missing in {section}")]
    ColumnMissing {
        /// The section.
        section: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A META key is absent.
    #[error("META does not say {0}")]
    KeyMissing(&'static str),
    /// Ballots of a kind that cannot be settled here.
    #[error("vote_type \u{201c}{0}\u{201d} is not supported: approval, choose-1 and cumulative are")]
    VoteType(String),
    /// An unreadable amount of money.
    #[error("{what} \u{201c}{text}\u{201d} is no amount of money: {reason}")]
    Money {
        /// What it should be.
        what: &'static str,
        /// What was found.
        text: String,
        /// Why not.
        reason: ParseKopecksError,
    },
    /// A project for nothing.
    #[error("project {0} costs nothing: costs must be positive")]
    CostZero(String),
    /// Two projects with one id.
    #[error("project {id} was listed in line {first_line} already")]
    ProjectRepeats {
        /// The id.
        id: String,
        /// Where it was first.
        first_line: usize,
    },
    /// More projects than ids.
    #[error("more than 65535 projects")]
    TooManyProjects,
    /// A vote for something that is not listed.
    #[error("the vote names project \u{201c}{0}\u{201d}, which is not in PROJECTS")]
    ProjectUnknown(String),
    /// Not one number of points for each project of a vote.
    #[error("the vote names {projects} projects and has {points} numbers of points")]
    PointsCount {
        /// Projects named.
        projects: usize,
        /// Numbers found.
        points: usize,
    },
    /// Points that are not whole numbers from 0 to 65535.
    #[error("\u{201c}{0}\u{201d} is no whole number of points")]
    PointsMalformed(String),
    /// A ballot with more points than can be handled.
    #[error("the ballot has {0} points together, at most 65535 are possible")]
    TooManyPoints(u64),
}

/// Gathers what is read; `warnings` keeps only the first of many alike.
struct Reader {
    warnings: Vec<String>,
    suppressed: HashMap<&'static str, usize>,
}

/// How often the same kind of warning is spelled out.
const WARNINGS_OF_A_KIND: usize = 5;

impl Instance {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            ParseError { line, fault: Fault::NotUtf8 }
        })?;
        Self::parse(text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let rows = rows(text);
        let last_line = rows.last().map_or(1, |row| row.line);
        let title = |name: &'static str| {
            let is_title =
                |row: &Row| row.fields[0].eq_ignore_ascii_case(name) && row.fields[1..].iter().all(String::is_empty);
            let missing = ParseError { line: last_line, fault: Fault::SectionMissing(name) };
            rows.iter().position(is_title).ok_or(missing)
        };
        let (meta, projects, votes) = (title("META")?, title("PROJECTS")?, title("VOTES")?);
        for (first, second, name) in [(meta, projects, "PROJECTS"), (projects, votes, "VOTES")] {
            if first > second {
                return Err(rows[second].fault(Fault::SectionMissing(name)));
            }
        }
        let mut reader = Reader { warnings: Vec::new(), suppressed: HashMap::new() };
        let meta_rows = &rows[meta + 1..projects];
        let pairs = read_meta(meta_rows);
        let value = |key: &'static str| {
            let found = pairs.iter().position(|(name, _)| name.eq_ignore_ascii_case(key));
            let at = found.ok_or(rows[meta].fault(Fault::KeyMissing(key)))?;
            let line = meta_rows.iter().find(|row| row.fields[0].eq_ignore_ascii_case(key)).map_or(1, |row| row.line);
            Ok((pairs[at].1.as_str(), line))
        };
        let (vote_type, line) = value("vote_type")?;
        let kind = match vote_type.to_ascii_lowercase().as_str() {
            "approval" | "choose-1" => BallotKind::Approval,
            "cumulative" => BallotKind::Cumulative,
            _ => {
                return Err(ParseError { line, fault: Fault::VoteType(vote_type.to_owned()) });
            }
        };
        let (budget, line) = value("budget")?;
        let budget = reader.money("budget", budget, line)?;

        let (project_columns, projects) = reader.read_projects(&rows[projects], &rows[projects + 1..votes])?;
        let (vote_columns, votes) = reader.read_votes(kind, &projects, &rows[votes], &rows[votes + 1..])?;
        for (key, found) in [("num_projects", projects.len()), ("num_votes", votes.len())] {
            if let Ok((text, line)) = value(key)
                && text.parse() != Ok(found)
            {
                reader.warnings.push(format!("line {line}: {key} says {text}, the file has {found}"));
            }
        }
        let share_points = match kind {
            BallotKind::Approval => Points(0),
            BallotKind::Cumulative => {
                let stated = value("max_sum_points").ok().and_then(|(text, _)| text.parse().ok());
                reader.share_points(stated, &votes)
            }
        };
        Ok(Self {
            kind,
            budget,
            share_points,
            project_columns,
            projects,
            vote_columns,
            votes,
            warnings: reader.finish(),
            meta: pairs,
        })
    }
}

impl Row {
    fn fault(&self, fault: Fault) -> ParseError {
        ParseError { line: self.line, fault }
    }
}

fn read_meta(rows: &[Row]) -> Vec<(String, String)> {
    let is_header = |row: &Row| row.fields[0].eq_ignore_ascii_case("key");
    rows.iter()
        .filter(|row| !is_header(row))
        .map(|row| (row.fields[0].clone(), row.fields[1..].join(";").trim_end_matches(';').to_owned()))
        .collect()
}

/// The header row of a section and the rows below it.
fn header<'a>(section: &'static str, title: &Row, rows: &'a [Row]) -> Result<(Vec<String>, &'a [Row]), ParseError> {
    let first = if section == "PROJECTS" { "project_id" } else { "vote" };
    match rows.split_first() {
        Some((header, rows)) => Ok((header.fields.clone(), rows)),
        None => Err(title.fault(Fault::ColumnMissing { section, column: first })),
    }
}

fn column(columns: &[String], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.eq_ignore_ascii_case(name))
}

fn text(row: &Row, column: Option<usize>) -> &str {
    column.and_then(|column| row.fields.get(column)).map_or("", String::as_str)
}

impl Reader {
    fn warn(&mut self, kind: &'static str, line: usize, message: impl FnOnce() -> String) {
        let count = self.suppressed.entry(kind).or_insert(0);
        *count += 1;
        if *count <= WARNINGS_OF_A_KIND {
            self.warnings.push(format!("line {line}: {}", message()));
        }
    }

    fn finish(mut self) -> Vec<String> {
        let mut more: Vec<_> = self.suppressed.into_iter().filter(|&(_, count)| count > WARNINGS_OF_A_KIND).collect();
        more.sort_unstable();
        for (kind, count) in more {
            self.warnings.push(format!("and {} more lines where {kind}", count - WARNINGS_OF_A_KIND));
        }
        self.warnings
    }

    /// Money with any number of decimals; fractions of a kopeck are rounded to the nearest.
    fn money(&mut self, what: &'static str, text: &str, line: usize) -> Result<Kopecks, ParseError> {
        let fault = |reason| ParseError { line, fault: Fault::Money { what, text: text.to_owned(), reason } };
        match text.parse::<Kopecks>() {
            Err(ParseKopecksError::FractionOfKopeck) => {
                let cut = text.find(['.', ',']).map_or(text.len(), |at| (at + 3).min(text.len()));
                let down: Kopecks = text[..cut].parse().map_err(fault)?;
                let up = text[cut..].starts_with(['5', '6', '7', '8', '9']);
                self.warn("money was rounded to hundredths", line, || {
                    format!("{what} {text} was rounded to hundredths")
                });
                down.checked_add(Kopecks(u128::from(up))).ok_or_else(|| fault(ParseKopecksError::TooLarge))
            }
            money => money.map_err(fault),
        }
    }

    fn read_projects(&mut self, title: &Row, rows: &[Row]) -> Result<(Vec<String>, Vec<Project>), ParseError> {
        let (columns, rows) = header("PROJECTS", title, rows)?;
        let find = |name| column(&columns, name);
        let need = |name| find(name).ok_or(title.fault(Fault::ColumnMissing { section: "PROJECTS", column: name }));
        let (id_column, cost_column) = (need("project_id")?, need("cost")?);
        let (name_column, selected_column) = (find("name"), find("selected"));
        if rows.len() > usize::from(u16::MAX) {
            return Err(title.fault(Fault::TooManyProjects));
        }
        let own_ids: Option<Vec<u16>> = rows
            .iter()
            .map(|row| text(row, Some(id_column)))
            .map(|id| id.parse().ok().filter(|&number: &u16| number > 0 && number.to_string() == id))
            .collect();
        let mut first_lines: HashMap<&str, usize> = HashMap::new();
        let mut projects = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let external_id = text(row, Some(id_column));
            if let Some(first_line) = first_lines.insert(external_id, row.line) {
                return Err(row.fault(Fault::ProjectRepeats { id: external_id.to_owned(), first_line }));
            }
            if row.fields.len() > columns.len() {
                self.warn("a project had too many fields", row.line, || {
                    format!("{} fields below {} columns; is a semicolon unquoted?", row.fields.len(), columns.len())
                });
            }
            let cost = self.money("cost", text(row, Some(cost_column)), row.line)?;
            if cost.is_zero() {
                return Err(row.fault(Fault::CostZero(external_id.to_owned())));
            }
            let name = match text(row, name_column) {
                "" => external_id,
                name => name,
            };
            projects.push(Project {
                id: InitiativeId(own_ids.as_ref().map_or(index as u16 + 1, |ids| ids[index])),
                external_id: external_id.to_owned(),
                cost,
                name: name.to_owned(),
                selected: selected_column.and_then(|column| text(row, Some(column)).parse().ok()),
                fields: row.fields.clone(),
            });
        }
        Ok((columns, projects))
    }

    fn read_votes(
        &mut self,
        kind: BallotKind,
        projects: &[Project],
        title: &Row,
        rows: &[Row],
    ) -> Result<(Vec<String>, Vec<Vote>), ParseError> {
        let (columns, rows) = header("VOTES", title, rows)?;
        let find = |name| column(&columns, name);
        let need = |name| find(name).ok_or(title.fault(Fault::ColumnMissing { section: "VOTES", column: name }));
        let vote_column = need("vote")?;
        let points_column = if kind == BallotKind::Cumulative { Some(need("points")?) } else { None };
        let voter_column = find("voter_id");
        let ids: HashMap<&str, InitiativeId> =
            projects.iter().map(|project| (project.external_id.as_str(), project.id)).collect();

        let mut seen: HashMap<Account, usize> = HashMap::with_capacity(rows.len());
        let mut votes = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let voter_id = match text(row, voter_column) {
                "" => format!("row {}", index + 1),
                id => id.to_owned(),
            };
            let mut account = account_of(&voter_id);
            let count = seen.entry(account).or_insert(0);
            *count += 1;
            if *count > 1 {
                account = account_of(&format!("{voter_id} {count}"));
                self.warn("a voter id came again", row.line, || {
                    format!("voter {voter_id} came before; counted as another voter")
                });
            }
            let named = list(text(row, Some(vote_column)));
            let initiatives = named
                .iter()
                .map(|&id| ids.get(id).copied().ok_or_else(|| row.fault(Fault::ProjectUnknown(id.to_owned()))))
                .collect::<Result<Vec<_>, _>>()?;
            let allocation = match points_column {
                None => {
                    let allocation = Allocation::approval(initiatives.iter().copied());
                    if allocation.initiatives.len() < initiatives.len() {
                        self.warn("a project was named twice", row.line, || {
                            "a project is named twice; counted once".into()
                        });
                    }
                    allocation
                }
                Some(column) => self.cumulative(row, &initiatives, text(row, Some(column)))?,
            };
            votes.push(Vote { voter_id, account, allocation, fields: row.fields.clone() });
        }
        Ok((columns, votes))
    }

    fn cumulative(&mut self, row: &Row, initiatives: &[InitiativeId], points: &str) -> Result<Allocation, ParseError> {
        let points = list(points);
        if points.len() != initiatives.len() {
            return Err(row.fault(Fault::PointsCount { projects: initiatives.len(), points: points.len() }));
        }
        let mut choices: Vec<(InitiativeId, u64)> = Vec::with_capacity(points.len());
        for (&initiative, text) in initiatives.iter().zip(points) {
            // Whole numbers written as decimals are still whole.
            let whole = text
                .split_once('.')
                .map_or(text, |(whole, zeros)| if zeros.bytes().all(|digit| digit == b'0') { whole } else { text });
            let points: u16 = whole.parse().map_err(|_| row.fault(Fault::PointsMalformed(text.to_owned())))?;
            if points == 0 {
                self.warn("a project got 0 points", row.line, || "a project gets 0 points; left out".into());
            } else if let Some(choice) = choices.iter_mut().find(|choice| choice.0 == initiative) {
                choice.1 += u64::from(points);
                self.warn("a project was named twice", row.line, || "a project is named twice; points added up".into());
            } else {
                choices.push((initiative, u64::from(points)));
            }
        }
        let sum: u64 = choices.iter().map(|choice| choice.1).sum();
        if sum > u64::from(u16::MAX) {
            return Err(row.fault(Fault::TooManyPoints(sum)));
        }
        Ok(Allocation::cumulative(choices.into_iter().map(|(initiative, points)| (initiative, Points(points as u16)))))
    }

    /// Points of a share: what META says, or more if a ballot has more.
    fn share_points(&mut self, stated: Option<u16>, votes: &[Vote]) -> Points {
        let sum = |vote: &Vote| vote.allocation.points.iter().map(|points| points.0).sum::<u16>();
        let largest = votes.iter().map(sum).max().unwrap_or(0);
        match stated {
            Some(stated) if stated >= largest => Points(stated),
            Some(stated) => {
                self.warnings.push(format!("max_sum_points says {stated}, a ballot has {largest}; counted as given"));
                Points(largest)
            }
            None => Points(largest),
        }
    }
}

fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn account_of(voter_id: &str) -> Account {
    voter_id.parse().unwrap_or_else(|_| {
        let hash = Keccak256::digest(format!("pabulib voter {voter_id}").as_bytes());
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&hash[12..]);
        Account(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "META\nkey;value\nbudget;100,50\nvote_type;cumulative\nmax_sum_points;5\nPROJECTS\n\
        project_id;cost;name;selected;colour\nbike;60.5;\"Path; long\";1;red\nb-2;50;Park;0;green\n\
        VOTES\nvoter_id;vote;points\n1;bike,b-2;3,2\n2;b-2;5\n";

    fn fault(text: &str) -> (usize, Fault) {
        let error = Instance::parse(text).unwrap_err();
        (error.line, error.fault)
    }

    #[test]
    fn reads_all_that_counts() {
        let instance = Instance::parse(SMALL).unwrap();
        assert_eq!(instance.budget, Kopecks(10_050));
        assert_eq!(instance.share_points, Points(5));
        assert_eq!(instance.projects[0].id, InitiativeId(1));
        assert_eq!(instance.projects[0].external_id, "bike");
        assert_eq!(instance.projects[0].name, "Path; long");
        assert_eq!(instance.projects[0].fields[4], "red");
        assert_eq!(instance.projects[1].cost, Kopecks(5_000));
        assert_eq!(instance.official_winners(), Some(vec![InitiativeId(1)]));
        assert_eq!(instance.votes[0].allocation.points, [Points(3), Points(2)]);
        assert_eq!(instance.warnings, [""; 0]);
        let windows = Instance::parse(&format!("\u{feff}{}", SMALL.replace('\n', "\r\n"))).unwrap();
        assert_eq!(windows, instance);
    }

    #[test]
    fn numeric_ids_are_kept() {
        let text = SMALL.replace("bike", "700").replace("b-2", "12");
        let instance = Instance::parse(&text).unwrap();
        assert_eq!(instance.projects.iter().map(|project| project.id.0).collect::<Vec<_>>(), [700, 12]);
        assert_eq!(instance.votes[0].allocation.initiatives, [InitiativeId(12), InitiativeId(700)]);
    }

    #[test]
    fn faults_name_the_line() {
        assert_eq!(fault("").1, Fault::SectionMissing("META"));
        assert_eq!(fault(&SMALL.replace("1;bike,b-2", "1;bike,b-3")), (12, Fault::ProjectUnknown("b-3".into())));
        assert_eq!(fault(&SMALL.replace("3,2", "3")), (12, Fault::PointsCount { projects: 2, points: 1 }));
        assert_eq!(fault(&SMALL.replace("3,2", "3,x")), (12, Fault::PointsMalformed("x".into())));
        assert_eq!(
            fault(&SMALL.replace("b-2;50", "bike;50")),
            (9, Fault::ProjectRepeats { id: "bike".into(), first_line: 8 })
        );
        assert_eq!(fault(&SMALL.replace("cumulative", "ordinal")), (4, Fault::VoteType("ordinal".into())));
        assert_eq!(fault(&SMALL.replace("b-2;50", "b-2;0")), (9, Fault::CostZero("b-2".into())));
        assert_eq!(
            fault(&SMALL.replace("b-2;50", "b-2;5e3")),
            (
                9,
                Fault::Money { what: "cost", text: "5e3".into(), reason: ParseKopecksError::Unexpected { found: 'e' } }
            )
        );
        assert_eq!(fault(&SMALL.replace("budget;100,50\n", "")), (1, Fault::KeyMissing("budget")));
        assert_eq!(
            fault(&SMALL.replace(";points", ";scores")),
            (10, Fault::ColumnMissing { section: "VOTES", column: "points" })
        );
        let error = Instance::from_bytes(b"META\nkey;\xff").unwrap_err();
        assert_eq!((error.line, error.fault), (2, Fault::NotUtf8));
    }

    #[test]
    fn harmless_oddities_are_warnings() {
        let instance =
            Instance::parse(&SMALL.replace("2;b-2;5", "1;b-2,b-2,bike;3,3.0,0").replace(";60.5", ";60.505")).unwrap();
        assert_eq!(instance.projects[0].cost, Kopecks(6_051));
        assert_eq!(instance.votes[1].allocation.points, [Points(6)]);
        assert_ne!(instance.votes[0].account, instance.votes[1].account);
        assert_eq!(instance.share_points, Points(6));
        assert_eq!(instance.warnings.len(), 5, "{:?}", instance.warnings);
    }

    #[test]
    fn addresses_stand_for_themselves() {
        let address = "0x00112233445566778899aabbccddeeff00112233";
        let instance = Instance::parse(&SMALL.replace("2;b-2;5", &format!("{address};b-2;5"))).unwrap();
        assert_eq!(instance.votes[1].account.to_string(), address);
    }
}
