//! Settles a Pabulib file: `settle FILE.pb [--rule equal-shares|greedy] [--no-raise] [--no-fill] [--threshold N]
//! [--json] [--transcript] [--election] [--repeat N]`.
//!
//! Without `--threshold` the file's own is used. `--json` prints the outcome with the file's project ids, `--election` the
//! election itself, as the browser's settlement reads it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use kopilka_domain::pabulib::Instance;
use kopilka_domain::settlement::{Outcome, settle};
use kopilka_domain::{Completion, InitiativeId, Percent, Rule};

struct Options {
    file: String,
    rule: Rule,
    completion: Completion,
    threshold: Option<u64>,
    json: bool,
    transcript: bool,
    election: bool,
    repeat: u32,
}

fn options() -> Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options {
        file: String::new(),
        rule: Rule::EqualShares,
        completion: Completion::FULL,
        threshold: None,
        json: false,
        transcript: false,
        election: false,
        repeat: 1,
    };
    while let Some(argument) = arguments.next() {
        let mut value = |what: &str| arguments.next().ok_or(format!("{argument} needs {what}"));
        match argument.as_str() {
            "--rule" => {
                let name = value("a rule")?;
                let known = Rule::ALL.iter().find(|rule| rule.as_str() == name);
                options.rule = *known.ok_or(format!("unknown rule {name}: equal-shares or greedy"))?;
            }
            "--no-raise" => options.completion.raise = false,
            "--no-fill" => options.completion.fill = false,
            "--threshold" => {
                let number = value("a number")?;
                options.threshold = Some(number.parse().map_err(|_| format!("{number} is no threshold"))?);
            }
            "--repeat" => {
                let number = value("a number")?;
                options.repeat = number.parse().map_err(|_| format!("{number} is no number of times"))?;
            }
            "--json" => options.json = true,
            "--election" => options.election = true,
            "--transcript" => options.transcript = true,
            file if !file.starts_with('-') && options.file.is_empty() => options.file = file.to_owned(),
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    if options.file.is_empty() {
        return Err("which file? settle FILE.pb [--rule equal-shares|greedy] [--json] …".to_owned());
    }
    Ok(options)
}

fn run() -> Result<(), String> {
    let options = options()?;
    let bytes = std::fs::read(&options.file).map_err(|error| format!("cannot read {}: {error}", options.file))?;
    let instance = Instance::from_bytes(&bytes).map_err(|error| format!("{}: {error}", options.file))?;
    let threshold = options.threshold.unwrap_or(instance.threshold());
    let election = instance.election(options.rule, options.completion, threshold);
    if options.election {
        println!("{}", serde_json::to_string(&election).map_err(|error| error.to_string())?);
        return Ok(());
    }
    let start = Instant::now();
    let mut outcome = settle(&election).map_err(|error| error.to_string())?;
    for _ in 1..options.repeat {
        outcome = settle(&election).map_err(|error| error.to_string())?;
    }
    let elapsed = start.elapsed() / options.repeat.max(1);
    let external = |id: InitiativeId| {
        instance.projects.iter().find(|project| project.id == id).map_or("", |project| &project.external_id)
    };
    if options.transcript {
        print!("{}", outcome.transcript.text());
    } else if options.json {
        let winners: Vec<_> = outcome.winners.iter().map(|winner| external(winner.id)).collect();
        let official = instance.official_winners();
        let official: Option<Vec<_>> = official.map(|ids| ids.into_iter().map(external).collect());
        let ids: BTreeMap<_, _> = instance.projects.iter().map(|project| (&project.external_id, project.id)).collect();
        let report = serde_json::json!({
            "ids": ids, "threshold": threshold,
            "winners": winners, "official": official, "outcome": outcome, "seconds": elapsed.as_secs_f64(),
            "warnings": instance.warnings,
        });
        println!("{report:#}");
    } else {
        print_table(&instance, &outcome, external);
        println!("settled in {elapsed:.2?}");
    }
    Ok(())
}

fn print_table<'a>(instance: &Instance, outcome: &Outcome, external: impl Fn(InitiativeId) -> &'a str) {
    for warning in &instance.warnings {
        println!("warning: {warning}");
    }
    for winner in &outcome.winners {
        println!("{:<14} {:>6} {:>20} {:>9}", winner.route.as_str(), external(winner.id), winner.cost, winner.support);
    }
    for loser in &outcome.losers {
        let (id, support) = (external(loser.id), loser.effective_support);
        println!("{:<14} {id:>6} {:>20} {:>9} {support} {}", "-", loser.cost, loser.support, loser.reason.as_str());
    }
    let used = Percent::of(outcome.total_cost.0, outcome.budget.0);
    let nothing = Percent::of(outcome.voters_with_nothing.into(), outcome.voters.into());
    println!("{} winners, {} of {} used ({used})", outcome.winners.len(), outcome.total_cost, outcome.budget);
    println!(
        "{} of {} voters with nothing ({nothing}); raised {} steps",
        outcome.voters_with_nothing, outcome.voters, outcome.raise_steps
    );
    println!("digest {}", outcome.transcript.digest_hex());
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
