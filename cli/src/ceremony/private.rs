//! The private folder of a participant: files that only the owner reads.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use kopilka_credential::threshold::SessionId;
use zeroize::Zeroizing;

use super::{Identity, Passphrase};

/// Where a participant keeps what nobody else may have.
#[derive(Debug, Clone)]
pub struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// The folder at a path; it need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The identity's file.
    #[must_use]
    pub fn identity_file(&self) -> PathBuf {
        self.0.join("identity")
    }

    /// The public card's file, which lies beside the identity to be handed on.
    #[must_use]
    pub fn card_file(&self) -> PathBuf {
        self.0.join("card.json")
    }

    /// The file of the secret polynomial, which lives until the ceremony is finished.
    #[must_use]
    pub fn polynomial_file(&self, session: SessionId) -> PathBuf {
        self.0.join(format!("polynomial-{}.age", short(session)))
    }

    /// The file of the share, which lives as long as the key.
    #[must_use]
    pub fn share_file(&self, session: SessionId) -> PathBuf {
        self.0.join(format!("share-{}.age", short(session)))
    }

    /// Writes a new identity, which must not exist yet.
    ///
    /// # Errors
    /// When it exists, or the folder cannot be written.
    pub fn create_identity(&self, identity: &Identity, passphrase: Option<&Passphrase>) -> anyhow::Result<()> {
        if !self.0.exists() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
            made.with_context(|| format!("cannot make the folder {}", self.0.display()))?;
        }
        self.write_new(&self.identity_file(), &identity.to_text(passphrase)?)
    }

    /// Opens the identity; `passphrase` is asked for only if the file is sealed.
    ///
    /// # Errors
    /// When it is missing, readable by others, or does not open.
    pub fn identity(&self, passphrase: impl FnOnce() -> anyhow::Result<Passphrase>) -> anyhow::Result<Identity> {
        let path = self.identity_file();
        ensure!(
            path.exists(),
            "there is no identity in {}: make one with `kopilka ceremony identity`",
            self.0.display()
        );
        let text = read_secret(&path)?;
        let passphrase = if Identity::is_sealed(&text) { Some(passphrase()?) } else { None };
        Identity::from_text(&text, passphrase.as_ref()).with_context(|| format!("cannot open {}", path.display()))
    }

    pub(super) fn write_new(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        ensure!(!path.exists(), "{} exists already, and is not overwritten", path.display());
        write_through(path, text, 0o600).with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
        read_secret(path)
    }

    /// Overwrites and removes a file. On flash memory, journals and backups the bytes may survive: docs/ceremony.md says what
    /// to do about the medium itself.
    pub(super) fn wipe(path: &Path) -> anyhow::Result<bool> {
        if !path.exists() {
            return Ok(false);
        }
        let overwrite = || -> io::Result<()> {
            let length = usize::try_from(fs::metadata(path)?.len()).unwrap_or(usize::MAX).min(1 << 20);
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.write_all(&vec![0; length])?;
            file.sync_all()?;
            fs::remove_file(path)
        };
        overwrite().with_context(|| format!("cannot destroy {}", path.display()))?;
        Ok(true)
    }
}

/// Writes beside and renames, so that a crash leaves no half of a file.
pub(super) fn write_through(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

fn read_secret(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        metadata.permissions().mode() & 0o077 == 0,
        "{} can be read by others: chmod 600 it, and treat what is in it as known if it may have been read",
        path.display()
    );
    fs::read_to_string(path).map(Zeroizing::new).with_context(|| format!("cannot read {}", path.display()))
}

/// Eight digits that tell ceremonies apart.
pub(super) fn short(session: SessionId) -> String {
    session.to_string()[2..10].to_owned()
}
