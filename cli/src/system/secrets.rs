//! Keys of the staff and secrets of the services.

use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context as _;
use rand::Rng as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Everything secret that the services of one system need. On an embedded chain `kopilka up` makes it; otherwise the
/// operator writes the file, or gives a path to it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Owner of the register of municipalities.
    pub operator_key: String,
    /// Treasurer of the municipality: proposes to mint, pays.
    pub treasurer_key: String,
    /// Controller of the municipality, another person: approves what treasurer and clerk propose with money.
    pub controller_key: String,
    /// Clerk of the municipality.
    pub clerk_key: String,
    /// Publishes how many credentials were issued.
    pub issuer_key: String,
    /// Pay the gas, unless keystore files or a remote signer do.
    #[serde(default)]
    pub relayer_keys: Vec<String>,
    /// Seals the portal's cookies, 32 bytes in hex.
    pub session_key: String,
    /// Makes the tags of persons, 32 bytes in hex.
    pub person_tag_secret: String,
    /// Bearer token of the portal's staff interface.
    pub staff_token: String,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// What an issuer's portal that runs by itself keeps secret: it has no role on the chain.
#[derive(Clone, Serialize, Deserialize)]
pub struct PortalSecrets {
    /// Seals the portal's cookies, 32 bytes in hex.
    pub session_key: String,
    /// Makes the tags of persons, 32 bytes in hex.
    pub person_tag_secret: String,
}

impl fmt::Debug for PortalSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortalSecrets(…)")
    }
}

impl PortalSecrets {
    /// Reads the secrets of a portal's data folder, or makes random ones and keeps them, readable by the owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn load_or_create(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("portal-secrets.json");
        if path.exists() {
            return read(&path);
        }
        let secrets = Self { session_key: random(), person_tag_secret: random() };
        write_new(&path, &secrets)?;
        Ok(secrets)
    }
}

/// 32 random bytes in hex.
fn random() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} does not hold the secrets of a system", path.display()))
}

/// Writes a file that only its owner may read, and that must not exist yet.
fn write_new(path: &Path, secrets: &impl Serialize) -> anyhow::Result<()> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(serde_json::to_string_pretty(secrets)?.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The ten accounts that anvil funds; of no value anywhere else.
const DEV_MNEMONIC_KEYS: [&str; 10] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
];

impl Secrets {
    /// Secrets of a development system: anvil's funded accounts, fresh random tokens.
    pub fn for_development() -> Self {
        let [operator, treasurer, controller, clerk, issuer, relayers @ ..] = DEV_MNEMONIC_KEYS.map(str::to_owned);
        Self {
            operator_key: operator,
            treasurer_key: treasurer,
            controller_key: controller,
            clerk_key: clerk,
            issuer_key: issuer,
            relayer_keys: relayers.to_vec(),
            session_key: random(),
            person_tag_secret: random(),
            staff_token: random(),
        }
    }

    /// Reads the secrets of a data folder.
    ///
    /// # Errors
    /// When the file is missing or malformed.
    pub fn load(data_dir: &Path) -> anyhow::Result<Self> {
        read(&data_dir.join("secrets.json"))
    }

    /// Reads the secrets of a data folder, or makes those of a development system and keeps them, readable by the owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn load_or_create(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("secrets.json");
        if path.exists() {
            return Self::load(data_dir);
        }
        let secrets = Self::for_development();
        write_new(&path, &secrets)?;
        Ok(secrets)
    }

    /// What of them the portal needs.
    pub fn portal(&self) -> PortalSecrets {
        PortalSecrets { session_key: self.session_key.clone(), person_tag_secret: self.person_tag_secret.clone() }
    }

    /// A 32-byte secret from hex.
    ///
    /// # Errors
    /// When it is not 64 hexadecimal digits.
    pub fn bytes32(name: &str, text: &str) -> anyhow::Result<[u8; 32]> {
        let bytes = hex::decode(text.trim_start_matches("0x")).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.with_context(|| format!("{name} must be 64 hexadecimal digits (32 bytes)"))
    }

    /// Address of a key.
    ///
    /// # Errors
    /// When it is not a private key.
    pub fn address(name: &str, key: &str) -> anyhow::Result<Address> {
        Ok(Self::signer(name, key)?.address())
    }

    /// Signer of a key.
    ///
    /// # Errors
    /// When it is not a private key.
    pub fn signer(name: &str, key: &str) -> anyhow::Result<PrivateKeySigner> {
        // The library's error could repeat the key.
        key.parse().map_err(|_| anyhow::anyhow!("{name} must be a private key: 0x and 64 hexadecimal digits"))
    }
}
