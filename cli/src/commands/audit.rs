//! `kopilka audit`.

use std::path::PathBuf;

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, U256};
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_domain::Kopecks;
use url::Url;

use crate::audit::audit;
use crate::staff::connect;
use crate::system::System;

/// Arguments of `kopilka audit`.
#[derive(Debug, Args)]
#[command(after_help = "\
The audit trusts nothing but the chain: it reads the events of the round and its token, rebuilds registrations, allocations,
balances and the result, and holds them against the contracts' state. It stops at the first difference and names its place.

Examples:
  kopilka audit                                         every round of the system in .kopilka/run
  kopilka audit --round 0x… --rpc-url https://…         one round, from any node")]
pub struct AuditArgs {
    /// Address of the round; all rounds of the system when missing.
    #[arg(long, value_name = "ADDRESS")]
    round: Option<Address>,
    /// JSON-RPC address of any node of the chain; the running system's when missing.
    #[arg(long, env = "KOPILKA_AUDIT_RPC_URL", value_name = "URL")]
    rpc_url: Option<Url>,
    /// First block to read.
    #[arg(long, default_value_t = 0, value_name = "N")]
    first_block: u64,
    /// Also hold the indexer's tables against the chain: connection URL of the database.
    #[arg(long, hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Also hold the tables of the running system's own database against the chain.
    #[arg(long, conflicts_with = "database_url")]
    database: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    /// Data folder of the running system.
    #[arg(long, env = "KOPILKA_DATA_DIR", default_value = ".kopilka/run", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Audits one round or all.
pub(super) async fn run(args: AuditArgs) -> anyhow::Result<()> {
    let system = match (&args.rpc_url, args.round) {
        (Some(_), Some(_)) => System::load_if_present(&args.data_dir)?,
        _ => Some(System::load(&args.data_dir)?),
    };
    let rpc_url = match (&args.rpc_url, &system) {
        (Some(url), _) => url.clone(),
        (None, Some(system)) => system.rpc_url.clone(),
        (None, None) => anyhow::bail!("--rpc-url is missing: name a node of the chain"),
    };
    let database_url = match (&args.database_url, args.database, &system) {
        (Some(url), ..) => Some(url.clone()),
        (None, true, Some(system)) => Some(system.database_url.clone()),
        _ => None,
    };
    let rounds = match (args.round, &system) {
        (Some(round), _) => vec![round],
        (None, Some(system)) => {
            let factory = BudgetRounds::new(system.deployment.rounds, connect(&rpc_url, EthereumWallet::default()));
            let count = factory.roundCount().call().await.context("the chain's node does not answer")?.to::<u64>();
            let mut rounds = Vec::new();
            for id in 1..=count {
                rounds.push(factory.roundAt(U256::from(id)).call().await?.round);
            }
            rounds
        }
        (None, None) => anyhow::bail!("--round is missing"),
    };
    for round in rounds {
        let progress = ProgressBar::new(0).with_style(
            ProgressStyle::with_template("  {msg:<12} {bar:40} {pos}/{len} {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let report = audit(&rpc_url, round, args.first_block, database_url.as_deref(), &progress)
            .await
            .with_context(|| format!("round {round} does not pass"))?;
        progress.finish_and_clear();
        if args.json {
            say!("{}", serde_json::to_string_pretty(&report)?);
            continue;
        }
        let money =
            |kopecks: U256| u128::try_from(kopecks).map_or_else(|_| kopecks.to_string(), |k| Kopecks(k).to_string());
        say!("round {round}: everything agrees at block {}", report.head);
        say!("  registered {} of {} issued, allocations {}", report.registered, report.issued, report.allocations);
        say!("  minted {}, paid {}, returned {}", money(report.minted), money(report.paid), money(report.returned));
        match (report.winners, report.digest) {
            (Some(winners), Some(digest)) => say!("  winners {winners:?}, transcript {digest}"),
            _ => say!("  no result is proposed yet"),
        }
        if report.database_compared {
            say!("  the indexer's tables agree with the chain");
        }
    }
    Ok(())
}
