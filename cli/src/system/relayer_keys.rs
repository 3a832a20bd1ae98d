//! Keys of the relayer beside `secrets.json`: encrypted keystore files, a remote signer, keys for stamps.

use std::fmt;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use kopilka_credential::IssuerSecretKey;
use kopilka_relayer::Signer;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::Secrets;

/// Where the keys of the relayer are.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Keys of the relayer")]
pub struct RelayerKeys {
    /// Encrypted keystore files of the accounts that pay the gas (as geth and Foundry write them), instead of
    /// `relayer_keys` in secrets.json.
    #[arg(long = "relayer-keystore", env = "KOPILKA_RELAYER_KEYSTORES", value_name = "FILE", value_delimiter = ',')]
    pub keystores: Vec<PathBuf>,
    /// File whose first line is the passphrase of the keystore files.
    #[arg(long = "relayer-passphrase-file", env = "KOPILKA_RELAYER_PASSPHRASE_FILE", value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// The passphrase itself; only from the environment, because others can read a command line.
    #[arg(skip = passphrase_of_environment())]
    pub passphrase: Option<Zeroizing<String>>,
    /// Remote signer (Web3Signer's protocol) that holds the keys of accounts that pay the gas.
    #[arg(long = "relayer-signer", env = "KOPILKA_RELAYER_SIGNER", hide_env_values = true, value_name = "URL")]
    pub signer: Option<Url>,
    /// Accounts whose keys the remote signer holds.
    #[arg(
        long = "relayer-signer-account",
        env = "KOPILKA_RELAYER_SIGNER_ACCOUNTS",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    pub signer_accounts: Vec<Address>,
    /// Folder of the keys with which the relayer signs stamps, made by `kopilka relayer new-stamp-key`; `stamp-keys` in
    /// the data folder when missing.
    #[arg(long = "stamp-keys", env = "KOPILKA_STAMP_KEYS", value_name = "DIR")]
    pub stamp_keys: Option<PathBuf>,
}

impl fmt::Debug for RelayerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelayerKeys(…)")
    }
}

fn passphrase_of_environment() -> Option<Zeroizing<String>> {
    std::env::var("KOPILKA_RELAYER_PASSPHRASE").ok().map(Zeroizing::new)
}

impl RelayerKeys {
    /// Who pays the gas: keystore files and the remote signer where they are given, else the keys of `secrets`.
    ///
    /// # Errors
    /// The first key that cannot be had, and what would be right.
    pub async fn senders(&self, secrets: &Secrets) -> anyhow::Result<Vec<Signer>> {
        let mut senders = Vec::new();
        if !self.keystores.is_empty() {
            let passphrase = self.passphrase()?;
            for path in &self.keystores {
                let (path, passphrase) = (path.clone(), passphrase.clone());
                // Slow on purpose: other tasks go on meanwhile.
                let opened = tokio::task::spawn_blocking(move || Signer::from_keystore(&path, &passphrase)).await?;
                senders.push(opened?);
            }
        }
        match (&self.signer, self.signer_accounts.as_slice()) {
            (None, []) => {}
            (None, _) => {
                bail!("--relayer-signer-account needs --relayer-signer: where is the signer of these accounts?")
            }
            (Some(_), []) => {
                bail!("--relayer-signer needs --relayer-signer-account: which of the signer's accounts pay the gas?")
            }
            (Some(url), accounts) => {
                for account in accounts {
                    senders.push(Signer::remote(url, *account).await?);
                }
            }
        }
        if senders.is_empty() {
            for key in &secrets.relayer_keys {
                senders.push(Signer::from_key(key).context("relayer_keys in secrets.json")?);
            }
        }
        ensure!(
            !senders.is_empty(),
            "nobody pays the gas: give --relayer-keystore, --relayer-signer, or relayer_keys in secrets.json"
        );
        Ok(senders)
    }

    fn passphrase(&self) -> anyhow::Result<Zeroizing<String>> {
        let Some(path) = &self.passphrase_file else {
            return self.passphrase.clone().context(
                "the keystore files need a passphrase: give --relayer-passphrase-file, or KOPILKA_RELAYER_PASSPHRASE in the environment",
            );
        };
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text =
            text.with_context(|| format!("cannot read the passphrase of the keystores in {}", path.display()))?;
        let line = text.lines().next().unwrap_or_default();
        ensure!(!line.is_empty(), "{} must hold the passphrase in its first line, which is empty", path.display());
        Ok(Zeroizing::new(line.to_owned()))
    }

    /// Keys for stamps: every `.json` file of the folder.
    ///
    /// # Errors
    /// When a folder that was named is missing, or a file is damaged or open to others.
    pub fn stamp_keys(&self, data_dir: &Path) -> anyhow::Result<Vec<IssuerSecretKey>> {
        let folder = match &self.stamp_keys {
            Some(folder) => folder.clone(),
            None => data_dir.join("stamp-keys"),
        };
        if self.stamp_keys.is_none() && !folder.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("cannot read the folder of stamp keys {}", folder.display()))?;
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                keys.push(read_stamp_key(&path)?);
            }
        }
        Ok(keys)
    }
}

/// A stamp key's file.
#[derive(Serialize, Deserialize)]
struct StampKeyFile {
    /// As the contract keeps it.
    public_key: String,
    secret_key: String,
}

impl Drop for StampKeyFile {
    fn drop(&mut self) {
        self.secret_key.zeroize();
    }
}

fn public_text(key: &IssuerSecretKey) -> String {
    format!("0x{}", hex::encode(key.public_key().to_eip2537()))
}

fn read_stamp_key(path: &Path) -> anyhow::Result<IssuerSecretKey> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).map(Zeroizing::new).with_context(|| format!("cannot read the stamp key {shown}"))?;
    let mode = fs::metadata(path)?.permissions().mode();
    ensure!(
        mode & 0o077 == 0,
        "the stamp key {shown} can be read by others: chmod 600 it, and make a new key if it may have been read"
    );
    // The library's errors could repeat the key.
    let damaged = || anyhow::anyhow!("{shown} is no stamp key as `kopilka relayer new-stamp-key` writes it");
    let file: StampKeyFile = serde_json::from_str(&text).map_err(|_| damaged())?;
    let bytes = hex::decode(file.secret_key.trim_start_matches("0x")).map(Zeroizing::new).map_err(|_| damaged())?;
    let key = IssuerSecretKey::from_bytes(&bytes).map_err(|_| damaged())?;
    ensure!(public_text(&key) == file.public_key, "{shown} is damaged: its public key is not that of its secret key");
    Ok(key)
}

/// Makes a key for the stamps of one source of points; returns its file and the public key for `openSource`.
///
/// # Errors
/// When the folder cannot be written.
pub fn new_stamp_key(folder: &Path) -> anyhow::Result<(PathBuf, String)> {
    use std::io::Write as _;

    if !folder.exists() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let key = IssuerSecretKey::generate(&mut rand::rng());
    let public_key = public_text(&key);
    let secret_key = format!("0x{}", hex::encode(key.to_bytes()));
    let path = folder.join(format!("{}.json", &public_key[public_key.len() - 16..]));
    let body = StampKeyFile { public_key: public_key.clone(), secret_key };
    let text = Zeroizing::new(serde_json::to_string_pretty(&body)?);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
    .with_context(|| format!("cannot write {}", path.display()))?;
    Ok((path, public_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the Web3 Secret Storage definition; its passphrase is «testpassword».
    const KEYSTORE: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,
        "dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

    fn text<T>(result: anyhow::Result<T>) -> String {
        format!("{:#}", result.err().unwrap())
    }

    #[tokio::test]
    async fn keystores_pay_instead_of_the_keys_in_the_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("sender"), KEYSTORE).unwrap();
        fs::write(at("passphrase"), "testpassword\n").unwrap();
        let mut secrets = Secrets::for_development();
        let keys = RelayerKeys {
            keystores: vec![at("sender")],
            passphrase_file: Some(at("passphrase")),
            ..RelayerKeys::default()
        };
        let senders = keys.senders(&secrets).await.unwrap();
        assert_eq!(senders.len(), 1);
        assert_eq!(senders[0].address().to_string(), "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");

        let mut wrong = keys.clone();
        wrong.keystores = vec![at("elsewhere")];
        assert!(text(wrong.senders(&secrets).await).contains("elsewhere cannot be opened: No such file"));
        wrong = RelayerKeys { passphrase_file: None, passphrase: Some("another".to_owned().into()), ..keys.clone() };
        let error = text(wrong.senders(&secrets).await);
        assert!(error.contains("sender cannot be opened: the password is another"), "{error}");
        wrong.passphrase = None;
        assert!(text(wrong.senders(&secrets).await).contains("need a passphrase"));
        wrong.passphrase_file = Some(at("nothing"));
        assert!(text(wrong.senders(&secrets).await).contains("cannot read the passphrase"));
        fs::write(at("passphrase"), "\n").unwrap();
        assert!(text(keys.senders(&secrets).await).contains("first line, which is empty"));

        let none = RelayerKeys::default();
        assert_eq!(none.senders(&secrets).await.unwrap().len(), secrets.relayer_keys.len());
        let half = RelayerKeys { signer: Some("http://127.0.0.1:9/".parse().unwrap()), ..RelayerKeys::default() };
        assert!(text(half.senders(&secrets).await).contains("needs --relayer-signer-account"));
        secrets.relayer_keys.clear();
        assert!(text(none.senders(&secrets).await).contains("nobody pays the gas"));
    }

    #[test]
    fn stamp_keys_are_made_kept_and_read_by_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = RelayerKeys::default();
        assert!(keys.stamp_keys(folder.path()).unwrap().is_empty(), "no folder, no stamps");
        let (path, public_key) = new_stamp_key(&folder.path().join("stamp-keys")).unwrap();
        let read = keys.stamp_keys(folder.path()).unwrap();
        assert_eq!(public_text(&read[0]), public_key);
        assert_eq!(public_key.len(), 2 + 512);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(text(keys.stamp_keys(folder.path())).contains("can be read by others"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "{}").unwrap();
        assert!(text(keys.stamp_keys(folder.path())).contains("is no stamp key"));
        let missing = RelayerKeys { stamp_keys: Some(folder.path().join("nowhere")), ..RelayerKeys::default() };
        assert!(text(missing.stamp_keys(folder.path())).contains("cannot read the folder of stamp keys"));
    }
}
