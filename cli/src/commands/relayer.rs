//! `kopilka relayer …`: what an operator asks of the queue and does about it.

use std::path::PathBuf;

use alloy::primitives::{B256, hex};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use kopilka_domain::MessageStatus;
use kopilka_store::relay::{MessageState, messages, queue};
use sqlx::PgConnection;

use crate::system;

/// Commands for the operator of a relayer. They work on its database, whether a relayer runs or not.
#[derive(Debug, Subcommand)]
pub enum RelayerCommand {
    /// List messages that stand at a status.
    List(ListArgs),
    /// Show everything that is known about messages.
    Inspect(IdArgs),
    /// Put failed messages back into the queue, once the cause is removed.
    Retry(IdArgs),
    /// Count messages by status.
    Status(DatabaseArgs),
    /// Make a key for the stamps of one source of points, and print its public part.
    NewStampKey(StampKeyArgs),
}

/// Arguments of `kopilka relayer new-stamp-key`.
#[derive(Debug, Args)]
pub struct StampKeyArgs {
    /// Folder of the keys, as `kopilka up --stamp-keys` reads it.
    #[arg(long, env = "KOPILKA_STAMP_KEYS", default_value = ".kopilka/run/stamp-keys", value_name = "DIR")]
    stamp_keys: PathBuf,
}

/// Which database.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// The relayer's database.
    #[arg(long, env = "KOPILKA_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
}

/// Arguments of `kopilka relayer list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// queued, submitted, mined, finalized or failed.
    #[arg(long, default_value = "failed", value_name = "STATUS")]
    status: String,
    /// Most messages.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u32,
}

/// Arguments of commands about single messages.
#[derive(Debug, Args)]
pub struct IdArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Ids of messages: 0x and 64 hexadecimal digits.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Runs one of the commands.
pub(super) async fn run(command: RelayerCommand) -> anyhow::Result<()> {
    match command {
        RelayerCommand::List(args) => list(args).await,
        RelayerCommand::Inspect(args) => inspect(args).await,
        RelayerCommand::Retry(args) => retry(args).await,
        RelayerCommand::Status(args) => status(args).await,
        RelayerCommand::NewStampKey(args) => new_stamp_key(&args),
    }
}

async fn connect(args: &DatabaseArgs) -> anyhow::Result<PgConnection> {
    let pool = kopilka_store::connect(&args.database_url, 1).await?;
    Ok(pool.acquire().await?.detach())
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let status: MessageStatus = args.status.parse().map_err(|_| {
        let known = MessageStatus::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
        anyhow::anyhow!("there is no status {:?}; the statuses are {known}", args.status)
    })?;
    let mut connection = connect(&args.database).await?;
    let found = messages::list(&mut connection, status, B256::ZERO, i64::from(args.limit)).await?;
    for message in &found {
        say!("{}", line(message));
    }
    if found.len() == args.limit as usize {
        say!("… and perhaps more: raise --limit");
    } else if found.is_empty() {
        say!("no message is {status}");
    }
    Ok(())
}

/// A message in one line.
fn line(message: &MessageState) -> String {
    let reason = message.reason.as_deref().map(|reason| format!("  {reason}")).unwrap_or_default();
    format!("{}  {:<12} {:<9}{reason}", message.id, message.kind, message.status)
}

async fn inspect(args: IdArgs) -> anyhow::Result<()> {
    let ids = ids(&args.ids)?;
    let mut connection = connect(&args.database).await?;
    let found = messages::states(&mut connection, &ids).await?;
    for id in &ids {
        let Some(message) = found.iter().find(|message| message.id == *id) else {
            say!("{id}  was not accepted here");
            continue;
        };
        say!("{}", line(message));
        say!(
            "  contract {}  scope {}  account {}  version {}",
            message.contract,
            message.scope,
            message.account,
            message.version
        );
        if let (Some(hash), Some(block)) = (message.tx_hash, message.block_number) {
            say!("  transaction {hash}  block {block}  log {}", message.log_index.unwrap_or_default());
        }
        for transaction in queue::transactions_of(&mut connection, *id).await? {
            say!(
                "  nonce {} of {}  {}  {} wei for a unit of gas  {}",
                transaction.nonce,
                transaction.sender,
                transaction.hash,
                transaction.max_fee_per_gas,
                transaction.status
            );
        }
    }
    Ok(())
}

async fn retry(args: IdArgs) -> anyhow::Result<()> {
    let ids = ids(&args.ids)?;
    let mut connection = connect(&args.database).await?;
    let again = queue::retry(&mut connection, &ids)
        .await
        .context("not retried: has another message of the same account taken the place meanwhile?")?;
    for id in &ids {
        let result =
            if again.contains(id) { "queued again" } else { "not failed, or its content is gone: left as it is" };
        say!("{id}  {result}");
    }
    if again.is_empty() {
        bail!("no message was put back into the queue");
    }
    Ok(())
}

async fn status(args: DatabaseArgs) -> anyhow::Result<()> {
    let counts = messages::counts(&mut connect(&args).await?).await?;
    say!(
        "queued {}, submitted {}, mined {}, finalized {}, failed {}",
        counts.queued,
        counts.submitted,
        counts.mined,
        counts.finalized,
        counts.failed
    );
    Ok(())
}

fn new_stamp_key(args: &StampKeyArgs) -> anyhow::Result<()> {
    let (path, public_key) = system::new_stamp_key(&args.stamp_keys)?;
    say!("{public_key}");
    say!("The secret part is in {}: keep a copy where nobody else reads it.", path.display());
    say!("Open one source of points with this public key (RewardPoints.openSource), then start the relayer again.");
    Ok(())
}

fn ids(texts: &[String]) -> anyhow::Result<Vec<B256>> {
    texts
        .iter()
        .map(|text| {
            let bytes = hex::decode(text).ok().and_then(|bytes| B256::try_from(bytes.as_slice()).ok());
            bytes.with_context(|| format!("{text:?} is no id of a message: 0x and 64 hexadecimal digits"))
        })
        .collect()
}
