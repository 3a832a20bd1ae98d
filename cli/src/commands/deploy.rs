//! `kopilka deploy` and `kopilka migrate`.

use std::path::PathBuf;

use alloy::network::EthereumWallet;
use alloy::providers::Provider as _;
use anyhow::Context as _;
use clap::Args;
use kopilka_bindings::deploy::{self, Deployment};
use url::Url;

use crate::staff::connect;
use crate::system::Secrets;

/// Arguments of `kopilka deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// JSON-RPC address of the chain.
    #[arg(long, env = "KOPILKA_RPC_URL", value_name = "URL")]
    rpc_url: Url,
    /// Private key that pays for the deployment and will own the register of municipalities.
    #[arg(long, env = "KOPILKA_DEPLOYER_KEY", hide_env_values = true, value_name = "HEX")]
    deployer_key: Option<String>,
    /// File with the addresses.
    #[arg(long, env = "KOPILKA_DEPLOYMENT", default_value = "deployment.json", value_name = "FILE")]
    deployment: PathBuf,
    /// Deploy nothing: check that the addresses in the file carry exactly our code.
    #[arg(long)]
    check: bool,
}

/// Arguments of `kopilka migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Connection URL of the database.
    #[arg(long, env = "KOPILKA_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
}

/// Deploys, or finds and checks what the file says.
pub(super) async fn run(args: DeployArgs) -> anyhow::Result<()> {
    let read_only = connect(&args.rpc_url, EthereumWallet::default());
    if args.deployment.exists() {
        let text = std::fs::read_to_string(&args.deployment)
            .with_context(|| format!("cannot read {}", args.deployment.display()))?;
        let deployment: Deployment = serde_json::from_str(&text)
            .with_context(|| format!("{} does not hold the addresses of a deployment", args.deployment.display()))?;
        deploy::verify(&read_only, &deployment).await?;
        say!("The contracts of {} stand on chain {} with our code.", args.deployment.display(), deployment.chain_id);
        return Ok(());
    }
    anyhow::ensure!(!args.check, "{} does not exist: there is nothing to check", args.deployment.display());
    let key = args
        .deployer_key
        .context("--deployer-key or KOPILKA_DEPLOYER_KEY is missing: the deployment needs a funded account")?;
    let signer = Secrets::signer("KOPILKA_DEPLOYER_KEY", &key)?;
    let owner = signer.address();
    let provider = connect(&args.rpc_url, EthereumWallet::from(signer));
    provider.get_chain_id().await.with_context(|| format!("no chain answers at {}", args.rpc_url))?;
    let deployment = deploy::deploy(provider, owner).await?;
    deploy::verify(&read_only, &deployment).await?;
    std::fs::write(&args.deployment, serde_json::to_string_pretty(&deployment)?)
        .with_context(|| format!("cannot write {}", args.deployment.display()))?;
    say!("Deployed to chain {}; the addresses are in {}.", deployment.chain_id, args.deployment.display());
    Ok(())
}

/// Applies the migrations.
pub(super) async fn migrate(args: MigrateArgs) -> anyhow::Result<()> {
    let pool = kopilka_store::connect(&args.database_url, 1).await?;
    kopilka_store::migrate(&pool).await?;
    say!("The schema is up to date.");
    Ok(())
}
