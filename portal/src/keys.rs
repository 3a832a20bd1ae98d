//! The issuer's secret keys: a file for each, mode 0600, in a folder outside the database.
//!
//! A key is made before its round exists, because the round is created with the public key inside, and is bound to one round
//! and class afterwards. A blind issuer cannot see for which round it signs, so a key never serves two.
//!
//! Of a key that several issuers made together (`kopilka ceremony`) the folder holds this issuer's share. It signs in part, and
//! the citizen's browser collects the other parts at the other issuers' portals.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use kopilka_credential::threshold::{GroupKeys, IssuerIndex, KeyShare};
use kopilka_credential::{IssuerPublicKey, IssuerSecretKey};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;
use zeroize::{Zeroize as _, Zeroizing};

use crate::signing::{Member, SigningKey};

/// For pages, a folder in which a key is missing is not read again before this time is over.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a key cannot be made, bound or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The folder or a file cannot be used.
    #[error("the folder of issuer keys {} cannot be used", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no key, or one that differs from its own public key.
    #[error("the issuer key file {} is damaged: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// In which way.
        reason: String,
    },
    /// Others than the owner can read a file.
    #[error("the issuer key file {} can be read by others: chmod 600 it, and make a new key if it may have been read", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// There is no such key.
    #[error("there is no issuer key {0}")]
    Unknown(Uuid),
    /// The key serves another round or class.
    #[error(
        "the issuer key {key} is bound to the round {round}, class {class}: every round and class needs a key of its own"
    )]
    BoundElsewhere {
        /// The key.
        key: Uuid,
        /// Its round.
        round: Address,
        /// Its class.
        class: u8,
    },
    /// The folder has another issuer's share of the same key.
    #[error("the folder has another issuer's share of this key, under the id {0}: each portal has one issuer's share")]
    Taken(Uuid),
    /// The issuer that is to sign first does not exist.
    #[error("issuer {home} is to sign first, but {issuers} issuers made the key: name one from 1 to {issuers}")]
    Home {
        /// Who was named.
        home: IssuerIndex,
        /// How many issuers there are.
        issuers: u8,
    },
    /// The number of portals is not that of the issuers.
    #[error(
        "{portals} addresses of portals are given, but {issuers} issuers made the key: name one for each, the first issuer's first"
    )]
    Portals {
        /// How many addresses there are.
        portals: usize,
        /// How many issuers there are.
        issuers: u8,
    },
    /// A share names another address for this portal than it has.
    #[error(
        "the share of the issuer key names {named} for this portal, which is at {portal}: install it again, with the right --portal"
    )]
    Elsewhere {
        /// What the share names.
        named: String,
        /// Where the portal is.
        portal: String,
    },
    /// The round and class have another key.
    #[error("the round {round}, class {class} has the issuer key {key} already")]
    RoundTaken {
        /// The round.
        round: Address,
        /// The class.
        class: u8,
        /// Its key.
        key: Uuid,
    },
}

/// What a key serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub(crate) round: Address,
    pub(crate) class: u8,
}

/// An issuer key without its secret part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerKey {
    /// Name of the key.
    pub id: Uuid,
    /// What goes on chain.
    pub public_key: IssuerPublicKey,
}

#[derive(Clone)]
struct Stored {
    id: Uuid,
    key: SigningKey,
    public: IssuerPublicKey,
    binding: Option<Binding>,
}

/// A key's file.
#[derive(Serialize, Deserialize)]
struct FileBody {
    public_key: String,
    secret_key: String,
    #[serde(default)]
    binding: Option<Binding>,
    /// Only with a share: then `secret_key` is the share, and `public_key` the key of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
}

/// What a share belongs to.
#[derive(Serialize, Deserialize)]
struct Group {
    issuer: IssuerIndex,
    keys: GroupKeys,
    portals: Vec<Url>,
    home: IssuerIndex,
}

impl Drop for FileBody {
    fn drop(&mut self) {
        self.secret_key.zeroize();
    }
}

/// The keys of a folder. Several processes may use one folder: a key unknown here is looked for there.
pub struct KeyStore {
    dir: PathBuf,
    keys: Mutex<HashMap<Uuid, Stored>>,
    /// When a missing key was last looked for.
    looked_at: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Opens the folder, creating it with mode 0700 if need be, and reads every key.
    ///
    /// # Errors
    /// [`KeyError`] names the first file that cannot be used.
    pub fn open(dir: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: dir.to_owned(), source };
        if !dir.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
        }
        let store = Self { dir: dir.to_owned(), keys: Mutex::default(), looked_at: Mutex::default() };
        store.reload()?;
        Ok(store)
    }

    /// Makes a key that serves nothing yet, durably.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn create(&self) -> Result<IssuerKey, KeyError> {
        self.add(SigningKey::Whole(IssuerSecretKey::generate(&mut rand::rng())))
    }

    /// Keeps this issuer's share of a key that several issuers made together, durably; it serves nothing yet.
    ///
    /// `portals` are the addresses of all issuers' portals, the first issuer's first: where browsers are sent for the other
    /// parts of a signature. `home` is the issuer at whose portal citizens begin; the others sign only what it has signed. A share
    /// that is there already keeps its name and what it serves, and takes the new addresses; running portals read them at their
    /// next start.
    ///
    /// # Errors
    /// [`KeyError::Portals`], [`KeyError::Home`], [`KeyError::Taken`] or [`KeyError::Io`].
    pub fn add_share(
        &self,
        share: KeyShare,
        keys: GroupKeys,
        portals: Vec<Url>,
        home: IssuerIndex,
    ) -> Result<IssuerKey, KeyError> {
        let issuers = keys.threshold().issuers();
        if portals.len() != usize::from(issuers) {
            return Err(KeyError::Portals { portals: portals.len(), issuers });
        }
        if home.get() > issuers {
            return Err(KeyError::Home { home, issuers });
        }
        self.reload()?;
        let present = self.lock().values().find(|stored| stored.public == keys.group_key()).cloned();
        let (issuer, public) = (share.issuer(), keys.group_key());
        let key = SigningKey::Share(Arc::new(Member { share, keys, portals, home }));
        match present {
            None => self.add(key),
            Some(Stored { id, key: SigningKey::Share(member), binding, .. }) if member.issuer() == issuer => {
                self.keep(Stored { id, key, public, binding })
            }
            Some(Stored { id, .. }) => Err(KeyError::Taken(id)),
        }
    }

    fn add(&self, key: SigningKey) -> Result<IssuerKey, KeyError> {
        self.keep(Stored { id: Uuid::new_v4(), public: key.public_key(), key, binding: None })
    }

    fn keep(&self, stored: Stored) -> Result<IssuerKey, KeyError> {
        self.write(&stored)?;
        let key = IssuerKey { id: stored.id, public_key: stored.public };
        self.lock().insert(stored.id, stored);
        Ok(key)
    }

    /// The public part of a key.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], or a failure to look into the folder.
    pub fn public(&self, id: Uuid) -> Result<IssuerPublicKey, KeyError> {
        self.find(id).map(|stored| stored.public)
    }

    /// Binds a key to the one round and class that it serves; again with the same, nothing changes.
    ///
    /// # Errors
    /// [`KeyError`] when the key or the round has another partner.
    pub fn bind(&self, id: Uuid, round: Address, class: u8) -> Result<IssuerPublicKey, KeyError> {
        self.reload()?;
        let mut stored = self.find(id)?;
        let wanted = Binding { round, class };
        match stored.binding {
            Some(binding) if binding == wanted => return Ok(stored.public),
            Some(Binding { round, class }) => return Err(KeyError::BoundElsewhere { key: id, round, class }),
            None => {}
        }
        if let Some(other) = self.bound_to(wanted) {
            return Err(KeyError::RoundTaken { round, class, key: other.id });
        }
        stored.binding = Some(wanted);
        self.write(&stored)?;
        let public = stored.public;
        self.lock().insert(id, stored);
        Ok(public)
    }

    /// What signs for a round and class.
    ///
    /// # Errors
    /// A failure to look into the folder.
    pub(crate) fn signing(&self, round: Address, class: u8) -> Result<Option<SigningKey>, KeyError> {
        let wanted = Binding { round, class };
        if let Some(stored) = self.bound_to(wanted) {
            return Ok(Some(stored.key));
        }
        self.reload()?;
        Ok(self.bound_to(wanted).map(|stored| stored.key))
    }

    /// The same for pages, which ask far more often: a key that is not there is looked for once a second at most.
    ///
    /// # Errors
    /// A failure to look into the folder.
    pub(crate) fn shown(&self, round: Address, class: u8) -> Result<Option<SigningKey>, KeyError> {
        if let Some(stored) = self.bound_to(Binding { round, class }) {
            return Ok(Some(stored.key));
        }
        {
            let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
            if looked_at.is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
                return Ok(None);
            }
            *looked_at = Some(Instant::now());
        }
        self.signing(round, class)
    }

    fn bound_to(&self, binding: Binding) -> Option<Stored> {
        self.lock().values().find(|stored| stored.binding == Some(binding)).cloned()
    }

    fn find(&self, id: Uuid) -> Result<Stored, KeyError> {
        if let Some(stored) = self.lock().get(&id) {
            return Ok(stored.clone());
        }
        self.reload()?;
        self.lock().get(&id).cloned().ok_or(KeyError::Unknown(id))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Stored>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reload(&self) -> Result<(), KeyError> {
        let io = |source| KeyError::Io { path: self.dir.clone(), source };
        let mut found = HashMap::new();
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
            if let Some(id) = id.and_then(|id| id.parse().ok()) {
                found.insert(id, read(id, &path)?);
            }
        }
        *self.lock() = found;
        Ok(())
    }

    /// Writes beside and renames, so that a crash leaves the old file or the new one.
    fn write(&self, stored: &Stored) -> Result<(), KeyError> {
        let path = self.dir.join(format!("{}.json", stored.id));
        let body = FileBody {
            public_key: stored.public.to_string(),
            secret_key: hex::encode(stored.key.to_bytes().as_ref()),
            binding: stored.binding,
            group: match &stored.key {
                SigningKey::Whole(_) => None,
                SigningKey::Share(member) => {
                    let Member { keys, portals, home, .. } = member.as_ref();
                    Some(Group { issuer: member.issuer(), keys: keys.clone(), portals: portals.clone(), home: *home })
                }
            },
        };
        let io = |source| KeyError::Io { path: path.clone(), source };
        let text = Zeroizing::new(serde_json::to_string_pretty(&body).map_err(|error| io(error.into()))?);
        let beside = self.dir.join(format!(".{}.{}", stored.id, std::process::id()));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(io)
    }
}

/// Whether a share names this address for the portal that has it.
///
/// # Errors
/// [`KeyError::Elsewhere`].
pub(crate) fn check_address(member: &Member, portal: &Url) -> Result<(), KeyError> {
    match member.own_portal() {
        Some(named) if named.origin() == portal.origin() => Ok(()),
        named => {
            let named = named.map_or("no address", Url::as_str).to_owned();
            Err(KeyError::Elsewhere { named, portal: portal.to_string() })
        }
    }
}

fn read(id: Uuid, path: &Path) -> Result<Stored, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let damaged = |reason: String| KeyError::Damaged { path: path.to_owned(), reason };
    if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    // The parser's message could quote the secret.
    let mut body: FileBody =
        serde_json::from_str(&text).map_err(|_| damaged("it is not JSON of the expected shape".into()))?;
    let bytes = Zeroizing::new(hex::decode(&body.secret_key).map_err(|_| damaged("its secret key is not hex".into()))?);
    let key = match body.group.take() {
        None => SigningKey::Whole(IssuerSecretKey::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))?),
        Some(Group { issuer, keys, portals, home }) => {
            let share = KeyShare::from_bytes(&keys, issuer, &bytes).map_err(|error| damaged(error.to_string()))?;
            SigningKey::Share(Arc::new(Member { share, keys, portals, home }))
        }
    };
    let public = key.public_key();
    if public.to_string() != body.public_key {
        return Err(damaged("its public key does not belong to its secret key".into()));
    }
    Ok(Stored { id, key, public, binding: body.binding })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_serves_one_round_and_class() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyStore::open(&dir.path().join("issuer-keys")).unwrap();
        let (one, two) = (keys.create().unwrap(), keys.create().unwrap());
        let (round, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        assert!(keys.signing(round, 0).unwrap().is_none());
        assert_eq!(keys.bind(one.id, round, 0).unwrap(), one.public_key);
        assert_eq!(keys.bind(one.id, round, 0).unwrap(), one.public_key);
        assert!(matches!(keys.bind(one.id, other, 0), Err(KeyError::BoundElsewhere { .. })));
        assert!(matches!(keys.bind(two.id, round, 0), Err(KeyError::RoundTaken { .. })));
        assert!(matches!(keys.bind(Uuid::nil(), round, 1), Err(KeyError::Unknown(_))));
        keys.bind(two.id, round, 1).unwrap();

        let again = KeyStore::open(&dir.path().join("issuer-keys")).unwrap();
        assert_eq!(again.signing(round, 0).unwrap().unwrap().public_key(), one.public_key);
        assert_eq!(again.signing(round, 1).unwrap().unwrap().public_key(), two.public_key);
        let third = keys.create().unwrap();
        assert_eq!(again.public(third.id).unwrap(), third.public_key);
    }

    #[test]
    fn files_are_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("issuer-keys");
        let key = KeyStore::open(&folder).unwrap().create().unwrap();
        let path = folder.join(format!("{}.json", key.id));
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(KeyStore::open(&folder), Err(KeyError::Exposed { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "{}").unwrap();
        assert!(matches!(KeyStore::open(&folder), Err(KeyError::Damaged { .. })));
    }
}
