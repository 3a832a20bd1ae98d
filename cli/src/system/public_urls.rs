//! Where browsers reach the sites, if that is not where they listen: read so that a slip is noticed at the start and not by a citizen.

use clap::Args;
use url::Url;

use super::System;

/// Addresses behind a reverse proxy.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Behind a reverse proxy")]
pub struct PublicUrls {
    /// Where browsers reach the portal; http://localhost:PORT when missing.
    #[arg(long, env = "KOPILKA_PORTAL_URL", value_name = "URL", value_parser = portal_address)]
    portal_url: Option<Url>,
    /// Where browsers reach the explorer.
    #[arg(long, env = "KOPILKA_EXPLORER_URL", value_name = "URL", value_parser = site_address)]
    explorer_url: Option<Url>,
    /// Where browsers reach the relayer.
    #[arg(long, env = "KOPILKA_RELAYER_URL", value_name = "URL", value_parser = site_address)]
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

/// The address of a site: http or https and a host, perhaps a path.
pub(crate) fn site_address(text: &str) -> Result<Url, String> {
    let example = "it should look like https://kopilka.example";
    let url: Url = text.parse().map_err(|error| format!("{error}: {example}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("browsers reach a site by http or https: {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("an address for everybody has no name and password in it: {example}"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("the address of a site ends before ? and #: {example}"));
    }
    Ok(url)
}

/// The address of a portal, which has a host for itself: its pages and cookies begin at the root.
pub(crate) fn portal_address(text: &str) -> Result<Url, String> {
    let url = site_address(text)?;
    if url.path() != "/" {
        return Err(format!("a portal has a host for itself, without a path: {}", url.origin().ascii_serialization()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_sites() {
        for good in ["https://kopilka.example", "http://localhost:8080", "https://kopilka.example/explorer"] {
            assert!(site_address(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("kopilka.example", "relative URL without a base"),
            ("localhost:8080", "http or https"),
            ("ftp://kopilka.example", "http or https"),
            ("https://", "empty host"),
            ("https://clerk:secret@kopilka.example", "name and password"),
            ("https://kopilka.example/?round=1", "before ? and #"),
            ("https://kopilka.example/#pay", "before ? and #"),
        ] {
            let error = site_address(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
            assert!(error.contains("https://kopilka.example"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_portal_has_no_path() {
        assert!(portal_address("https://kopilka.example/").is_ok());
        let error = portal_address("https://kopilka.example/portal").unwrap_err();
        assert!(error.ends_with("https://kopilka.example"), "{error}");
    }
}
