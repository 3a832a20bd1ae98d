//! Where browsers reach the sites, if that is not where they listen.

use clap::Args;
use url::Url;

use super::System;

/// Addresses behind a reverse proxy.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Behind a reverse proxy")]
pub struct PublicUrls {
    /// Where browsers reach the portal; http://localhost:PORT when missing.
    #[arg(long, env = "KOPILKA_PORTAL_URL", value_name = "URL")]
    portal_url: Option<Url>,
    /// Where browsers reach the explorer.
    #[arg(long, env = "KOPILKA_EXPLORER_URL", value_name = "URL")]
    explorer_url: Option<Url>,
    /// Where browsers reach the relayer.
    #[arg(long, env = "KOPILKA_RELAYER_URL", value_name = "URL")]
    relayer_url: Option<Url>,
}

impl PublicUrls {
    /// The system as browsers see it.
    pub(super) fn of(&self, system: &System) -> System {
        let or = |given: &Option<Url>, own: &Url| given.clone().unwrap_or_else(|| own.clone());
        System {
            portal_url: or(&self.portal_url, &system.portal_url),
            explorer_url: or(&self.explorer_url, &system.explorer_url),
            relayer_url: or(&self.relayer_url, &system.relayer_url),
            ..system.clone()
        }
    }
}
