//! `kopilka portal`.

use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::up::interrupted;
use crate::system::portal::{PortalOptions, start_portal};
use crate::system::{portal_address, site_address};

/// Arguments of `kopilka portal`.
#[derive(Debug, Args)]
#[command(after_help = "\
The portal of an office that keeps a share of a round's issuer key (docs/ceremony.md) and is not the municipality. It checks
citizens by itself, adds its part of the signature, and has no role on the chain, no relayer and no explorer: it names those of the
municipality. The data folder holds deployment.json, the same as the municipality's, and gets the rest at the first start.

Example:
  kopilka portal --data-dir /srv/office --rpc-url https://node.example --relayer-url https://relayer.example \\
      --explorer-url https://explorer.example --portal-url https://office.example")]
pub struct PortalArgs {
    /// Folder of everything that must survive a restart, with the municipality's deployment.json.
    #[arg(long, env = "KOPILKA_DATA_DIR", default_value = ".kopilka/portal", value_name = "DIR")]
    data_dir: PathBuf,
    /// Database; an embedded Postgres when missing.
    #[arg(long, env = "KOPILKA_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// JSON-RPC address of the chain, best a node of the office's own.
    #[arg(long, env = "KOPILKA_RPC_URL", value_name = "URL")]
    rpc_url: Url,
    /// The municipality's relayer, as browsers reach it.
    #[arg(long, env = "KOPILKA_RELAYER_URL", value_name = "URL", value_parser = site_address)]
    relayer_url: Url,
    /// The municipality's explorer, as browsers reach it.
    #[arg(long, env = "KOPILKA_EXPLORER_URL", value_name = "URL", value_parser = site_address)]
    explorer_url: Url,
    /// Where browsers reach this portal: the address that `ceremony install --portal` named for this office. Where it listens when
    /// missing.
    #[arg(long, env = "KOPILKA_PORTAL_URL", value_name = "URL", value_parser = portal_address)]
    portal_url: Option<Url>,
    /// Port of the portal; the stand-in for ESIA takes the next one.
    #[arg(long, env = "KOPILKA_PORT", default_value_t = 8080, value_name = "PORT")]
    port: u16,
    /// Take any free ports (and keep them over restarts).
    #[arg(long, conflicts_with = "port")]
    any_port: bool,
}

/// Starts the portal and waits for Ctrl-C.
pub(super) async fn run(args: PortalArgs) -> anyhow::Result<()> {
    let running = start_portal(PortalOptions {
        data_dir: args.data_dir,
        database_url: args.database_url,
        rpc_url: args.rpc_url,
        relayer_url: args.relayer_url,
        explorer_url: args.explorer_url,
        portal_url: args.portal_url,
        first_port: (!args.any_port).then_some(args.port),
    })
    .await?;
    let system = running.system();
    say!("ready");
    say!("Portal (citizens)      {}", system.portal_url);
    say!("Stand-in for ESIA      {}", system.esia_url);
    running.wait(interrupted()).await
}
