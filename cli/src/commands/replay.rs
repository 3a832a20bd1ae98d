//! `kopilka replay`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::MultiProgress;
use kopilka_domain::Rule;

use crate::replay::{ReplayOptions, RuleChoice, replay, summary};
use crate::system::{Secrets, System};

/// Arguments of `kopilka replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
The system must be running (`kopilka up`). Each voter of the file becomes a citizen of the stand-in for ESIA: logs in, receives a
blind credential, registers, signs and sends the ballot of the file. The replay creates the round, ends its phases, settles it
and audits the result. It waits patiently while the system is restarted.

Examples:
  kopilka replay demo/Zarechensk_2026.pb
  kopilka replay FILE.pb --rule greedy --threshold 1000 --report out.json")]
pub struct ReplayArgs {
    /// Election in the format of Pabulib.
    file: PathBuf,
    /// Only the first N voters.
    #[arg(long, value_name = "N")]
    voters: Option<usize>,
    /// Write the report here as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Settlement rule, instead of the file's.
    #[arg(long)]
    rule: Option<RuleName>,
    /// Equal shares: raise everyone's share in steps of 1 % while the budget holds.
    #[arg(long, value_name = "true|false")]
    raise: Option<bool>,
    /// Equal shares: fill greedily at the end.
    #[arg(long, value_name = "true|false")]
    fill: Option<bool>,
    /// Least support in points or approvals, instead of the file's.
    #[arg(long, value_name = "N")]
    threshold: Option<u64>,
    /// Citizens under way at once.
    #[arg(long, default_value_t = 48, value_name = "N")]
    concurrency: usize,
    /// Length of the objection window in seconds.
    #[arg(long, default_value_t = 2, value_name = "SECONDS")]
    objection_seconds: u32,
    /// Stop while pledging is open, so that you can take part yourself.
    #[arg(long)]
    leave_open: bool,
    /// Data folder of the running system.
    #[arg(long, env = "KOPILKA_DATA_DIR", default_value = ".kopilka/run", value_name = "DIR")]
    data_dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RuleName {
    EqualShares,
    Greedy,
}

/// Replays a file and prints the summary.
pub(super) async fn run(args: ReplayArgs) -> anyhow::Result<()> {
    let system = System::load(&args.data_dir)?;
    let secrets = Secrets::load(&args.data_dir)?;
    let options = ReplayOptions {
        voters: args.voters,
        choice: RuleChoice {
            rule: args.rule.map(|rule| match rule {
                RuleName::EqualShares => Rule::EqualShares,
                RuleName::Greedy => Rule::Greedy,
            }),
            raise: args.raise,
            fill: args.fill,
            threshold: args.threshold,
        },
        concurrency: args.concurrency.max(1),
        objection_seconds: args.objection_seconds,
        leave_open: args.leave_open,
    };
    let report = replay(&args.file, &system, &secrets, &options, &MultiProgress::new()).await?;
    say!("{}", summary(&report));
    say!("  {}", report.round_url);
    if let Some(path) = args.report {
        std::fs::write(&path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
