//! A key that three offices made together: a citizen gets a credential from two of them, the third being away.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use kopilka_tests::{RunningSystem, kopilka_binary, repository_root};
use serde_json::json;

#[test]
fn two_of_three_issuers_give_a_credential() -> anyhow::Result<()> {
    let system = RunningSystem::start()?;
    let folder = tempfile::tempdir()?;
    let ceremony = Ceremony::hold(folder.path())?;

    let ground = system.system()?;
    let other_office = RunningSystem::start_portal(&ground)?;
    let other = other_office.system()?;
    // The third office answers nobody.
    let portals = [ground.portal_url.as_str(), other.portal_url.as_str(), "http://127.0.0.1:9/"];

    let own = system.data_dir.join("issuer-keys");
    let key = ceremony.install(1, &own, &portals, &[])?;
    let round = create_round(&system, &key)?;
    let other_keys = other_office.data_dir.join("issuer-keys");
    let other_key = ceremony.install(2, &other_keys, &portals, &[])?;
    ensure!(ceremony.install(2, &other_keys, &portals, &["--round", &round])? == other_key, "one share, one name");
    ensure!(ceremony.install(3, &other_keys, &portals, &[]).is_err(), "a portal takes the shares of two issuers");
    system.must(&["round", "open-registration", "--round", &round])?;

    let told = json!({
        "round": round, "home": ground.portal_url, "homeEsia": ground.esia_url,
        "other": other.portal_url, "otherEsia": other.esia_url,
    });
    let output = Command::new("node")
        .arg("tests/browser/issuers.mjs")
        .arg(told.to_string())
        .current_dir(repository_root())
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the citizen did not get through:\n{said}");

    system.must(&["round", "open-pledging", "--round", &round])?;
    let audit: serde_json::Value = serde_json::from_str(&system.must(&["audit", "--round", &round, "--json"])?)?;
    ensure!(audit["registered"] == 1, "registered: {audit}");
    Ok(())
}

/// The clerk's part, with the key of the three offices.
fn create_round(system: &RunningSystem, key: &str) -> anyhow::Result<String> {
    let mut plan: serde_json::Value = serde_json::from_str(&system_less(&["round", "example"])?)?;
    plan["municipality"] = json!({ "oktmo": "16701000", "name": "Зареченск" });
    let file = system.data_dir.join("plan.json");
    std::fs::write(&file, plan.to_string())?;
    let file = file.to_str().context("a path in UTF-8")?;
    let created = system.must(&["round", "create", "--issuer-key", key, file])?;
    let word_after = |word: &str| {
        let mut words = created.split_whitespace().skip_while(|one| *one != word);
        words.nth(1).map(|word| word.trim_end_matches([',', '.', ';']).to_owned())
    };
    let round = word_after("round").with_context(|| format!("no round in: {created}"))?;
    let mint = word_after("mint").with_context(|| format!("no mint in: {created}"))?;
    let order = plan["appropriation"]["document_uri"].as_str().context("the plan's decision")?;
    let expected = ["--amount", "3000000", "--document", order];
    system.must(&[&["round", "approve-mint", "--round", &round, "--mint", &mint][..], &expected].concat())?;
    Ok(round)
}

/// Three offices, each with a private folder.
struct Ceremony {
    folder: String,
    private: Vec<String>,
}

impl Ceremony {
    /// Two of three must sign.
    fn hold(folder: &Path) -> anyhow::Result<Self> {
        let at = |name: &str| folder.join(name).to_str().map(str::to_owned).context("a path in UTF-8");
        let private: Vec<_> = ["a", "b", "c"].into_iter().map(at).collect::<anyhow::Result<_>>()?;
        let this = Self { folder: at("round")?, private };
        let mut cards = Vec::new();
        for (number, private) in this.private.iter().enumerate() {
            let name = format!("Office {}", number + 1);
            system_less(&["ceremony", "identity", "--private", private, "--name", &name, "--no-passphrase"])?;
            cards.push(format!("{private}/card.json"));
        }
        let mut init = vec!["ceremony", "init", "--folder", &this.folder, "--needed", "2", "--chain-id", "31337"];
        init.extend(["--municipality", "Зареченск", "--purpose", "test"]);
        init.extend(cards.iter().flat_map(|card| ["--card", card]));
        system_less(&init)?;
        for step in ["contribute", "verify", "finish"] {
            for private in &this.private {
                system_less(&["ceremony", step, "--folder", &this.folder, "--private", private])?;
            }
        }
        Ok(this)
    }

    /// Gives an office's share to a portal's folder; the id of the key there.
    fn install(&self, number: usize, keys: &Path, portals: &[&str], more: &[&str]) -> anyhow::Result<String> {
        let private = &self.private[number - 1];
        let keys = keys.to_str().context("a path in UTF-8")?;
        let mut arguments = vec!["ceremony", "install", "--folder", &self.folder, "--private", private, "--keys", keys];
        arguments.extend(portals.iter().flat_map(|portal| ["--portal", portal]));
        arguments.extend(more);
        let said = system_less(&arguments)?;
        let key =
            said.lines().find_map(|line| line.strip_prefix("key ")).with_context(|| format!("no key in: {said}"))?;
        Ok(key.to_owned())
    }
}

/// A `kopilka` command that needs no running system.
fn system_less(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(kopilka_binary()?).args(arguments).current_dir(repository_root()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "kopilka {arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}
