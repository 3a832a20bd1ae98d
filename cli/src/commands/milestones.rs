//! `kopilka milestones …`: how the winners of a round are carried out.

use std::path::PathBuf;

use alloy::network::EthereumWallet;
use alloy::primitives::{B256, keccak256};
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_bindings::milestones::Milestones;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, offset, time};
use time::{Date, OffsetDateTime};

use super::round::{InitiativeArgs, open};
use crate::staff::{Stage, connect, describe};
use crate::system::System;

/// The staff's steps after a result is final.
#[derive(Debug, Subcommand)]
pub enum MilestonesCommand {
    /// Show deadlines, postponements and documents of a winner.
    Show(InitiativeArgs),
    /// Clerk: set the four deadlines of a winner, once.
    Schedule(ScheduleArgs),
    /// Clerk: give a stage more time, with a published reason.
    Postpone(PostponeArgs),
    /// Record that a stage is reached; the acceptance is the controller's, the rest the clerk's.
    Reach(ReachArgs),
    /// Clerk: give a winner up whose money is back in the budget.
    Abandon(AbandonArgs),
}

/// Arguments of `schedule`. A date means its last second in Moscow; RFC 3339 says any other moment.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    #[command(flatten)]
    which: InitiativeArgs,
    /// Last day of planning, e.g. 2027-03-31.
    #[arg(long, value_name = "DATE", value_parser = deadline)]
    plan: u64,
    /// Last day on which a contractor must be bound.
    #[arg(long, value_name = "DATE", value_parser = deadline)]
    contract: u64,
    /// Last day of the acceptance.
    #[arg(long, value_name = "DATE", value_parser = deadline)]
    acceptance: u64,
    /// Last day on which the report must be published.
    #[arg(long, value_name = "DATE", value_parser = deadline)]
    report: u64,
}

/// Arguments of `postpone`.
#[derive(Debug, Args)]
pub struct PostponeArgs {
    #[command(flatten)]
    which: InitiativeArgs,
    /// The stage that needs more time.
    #[arg(long)]
    stage: Stage,
    /// Its new last day, e.g. 2027-03-31.
    #[arg(long, value_name = "DATE", value_parser = deadline)]
    until: u64,
    /// The reason as published; only its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Arguments of `reach`.
#[derive(Debug, Args)]
pub struct ReachArgs {
    #[command(flatten)]
    which: InitiativeArgs,
    /// The stage that is reached: the next one.
    #[arg(long)]
    stage: Stage,
    /// The document that proves it; only the hash of its bytes goes on chain.
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
}

/// Arguments of `abandon`.
#[derive(Debug, Args)]
pub struct AbandonArgs {
    #[command(flatten)]
    which: InitiativeArgs,
    /// The reason as published; only its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Runs one step.
pub(super) async fn run(command: MilestonesCommand) -> anyhow::Result<()> {
    match command {
        MilestonesCommand::Show(which) => show(&which).await,
        MilestonesCommand::Schedule(args) => {
            let (round, initiative) = args.which.named();
            let deadlines = [args.plan, args.contract, args.acceptance, args.report];
            open(args.which.folder())?.1.schedule(round, initiative, deadlines).await
        }
        MilestonesCommand::Postpone(args) => {
            let (round, initiative) = args.which.named();
            open(args.which.folder())?.1.postpone(round, initiative, args.stage, args.until, &args.reason).await
        }
        MilestonesCommand::Reach(args) => {
            let (round, initiative) = args.which.named();
            let document = hash_of(&args.document)?;
            open(args.which.folder())?.1.reach(round, initiative, args.stage, document).await?;
            say!("document {document}");
            Ok(())
        }
        MilestonesCommand::Abandon(args) => {
            let (round, initiative) = args.which.named();
            open(args.which.folder())?.1.abandon(round, initiative, &args.reason).await
        }
    }
}

async fn show(which: &InitiativeArgs) -> anyhow::Result<()> {
    let system = System::load(which.folder().data_dir())?;
    let (round, initiative) = which.named();
    let provider = connect(&system.rpc_url, EthereumWallet::default());
    let refused = |error: alloy::contract::Error| anyhow::anyhow!("the chain refuses: {}", describe(&error));
    let factory = BudgetRounds::new(system.deployment.rounds, provider.clone());
    ensure!(
        factory.isRound(round).call().await.map_err(refused)?,
        "{round} is not a round of this system: see `kopilka round list`"
    );
    let won = BudgetRound::new(round, provider.clone()).initiative(initiative).call().await.map_err(refused)?.won;
    ensure!(won, "initiative {initiative} has not won: see `kopilka round status`");
    let contract = Milestones::new(system.deployment.milestones, provider);
    let status = contract.statusOf(round, initiative).call().await.map_err(refused)?;
    say!("status       {}", words(status.status));
    for (stage, milestone) in
        Stage::ALL.iter().zip(contract.milestones(round, initiative).call().await.map_err(refused)?)
    {
        if milestone.deadline == 0 {
            continue;
        }
        let name = format!("{stage:?}").to_lowercase();
        let mut line = format!("{name:<12} until {}", moment(milestone.deadline)?);
        if milestone.postponements > 0 {
            line +=
                &format!(", promised for {}, postponements {}", moment(milestone.promised)?, milestone.postponements);
        }
        if milestone.reachedAt > 0 {
            line += &format!(
                ", reached {} by {} with document {}",
                moment(milestone.reachedAt)?,
                milestone.account,
                milestone.documentHash
            );
        }
        say!("{line}");
    }
    let reason = contract.abandonedBecause(round, initiative).call().await.map_err(refused)?;
    if !reason.is_zero() {
        say!("given up     reason {reason}");
    }
    Ok(())
}

/// What `IMilestones.Status` means.
fn words(status: u8) -> &'static str {
    match status {
        0 => "no deadlines yet: `kopilka milestones schedule` sets them",
        1 => "in time",
        2 => "overdue",
        3 => "done",
        4 => "given up",
        _ => "unknown to this version of kopilka",
    }
}

fn hash_of(path: &std::path::Path) -> anyhow::Result<B256> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(!bytes.is_empty(), "{} is empty: a document proves something", path.display());
    Ok(keccak256(bytes))
}

fn moment(unix: u64) -> anyhow::Result<String> {
    let moment = OffsetDateTime::from_unix_timestamp(i64::try_from(unix)?)?.to_offset(offset!(+3));
    Ok(moment.format(&Rfc3339)?)
}

/// The last second of a day in Moscow, or a moment of RFC 3339, in Unix seconds.
fn deadline(text: &str) -> Result<u64, String> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let moment = day
        .map(|date| date.with_time(time!(23:59:59)).assume_offset(offset!(+3)))
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339))
        .map_err(|_| format!("`{text}` is neither a day as 2027-03-31 nor a moment as 2027-03-31T18:00:00+03:00"))?;
    u64::try_from(moment.unix_timestamp()).map_err(|_| format!("`{text}` is before 1970"))
}

#[cfg(test)]
mod tests {
    use super::deadline;

    #[test]
    fn a_day_ends_with_its_last_second_in_moscow() {
        assert_eq!(deadline("2027-03-31"), Ok(1_806_526_799));
        assert_eq!(deadline("2027-03-31"), deadline("2027-03-31T20:59:59Z"));
        assert!(deadline("31.03.2027").unwrap_err().contains("neither a day as 2027-03-31"));
        assert!(deadline("1969-01-01").unwrap_err().contains("before 1970"));
    }
}
