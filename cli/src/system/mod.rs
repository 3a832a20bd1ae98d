//! A running system as the other commands see it: addresses and secrets in the data folder of `kopilka up`.

mod ground;
pub mod portal;
mod public_urls;
mod relayer_keys;
mod relayer_settings;
mod secrets;
mod services;
pub mod start;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kopilka_bindings::deploy::Deployment;
use serde::{Deserialize, Serialize};
use url::Url;

pub use public_urls::PublicUrls;
pub(crate) use public_urls::{portal_address, site_address};
pub use relayer_keys::{RelayerKeys, new_stamp_key};
pub use relayer_settings::RelayerSettings;
pub use secrets::{PortalSecrets, Secrets};

/// Where the parts of a running system are; written by `kopilka up`, kept over restarts so that addresses stay the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct System {
    /// JSON-RPC address of the chain.
    pub rpc_url: Url,
    /// Connection URL of the database.
    pub database_url: String,
    /// Citizens' site.
    pub portal_url: Url,
    /// Public's site.
    pub explorer_url: Url,
    /// Relayer.
    pub relayer_url: Url,
    /// ESIA or its stand-in.
    pub esia_url: Url,
    /// Addresses of the contracts.
    pub deployment: Deployment,
}

impl System {
    /// File inside a data folder.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("system.json")
    }

    /// Reads the description of the system that `kopilka up` started with this data folder.
    ///
    /// # Errors
    /// When there is none, with the remedy.
    pub fn load(data_dir: &Path) -> anyhow::Result<Self> {
        Self::load_if_present(data_dir)?.with_context(|| {
            format!(
                "no system was started in {}: run `kopilka up` first, or name its folder with --data-dir",
                data_dir.display()
            )
        })
    }

    /// The same, `None` where nothing was started yet.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn load_if_present(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = Self::path(data_dir);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).with_context(|| {
                format!("{} is not what `kopilka up` writes: remove it and start again", path.display())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes the description in one step.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, data_dir: &Path) -> anyhow::Result<()> {
        let path = Self::path(data_dir);
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, serde_json::to_string_pretty(self)?)
            .and_then(|()| std::fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
