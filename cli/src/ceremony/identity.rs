//! Who takes part: a key that signs statements and a key that shares are encrypted to.

use std::fmt;
use std::str::FromStr as _;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::{scrypt, x25519};
use alloy::primitives::{Address, Bytes, Signature};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

/// 2¹⁷ rounds of scrypt over 128 MiB, about half a second, whatever else the machine is doing when it seals.
const WORK_FACTOR: u8 = 17;
const CARD_STATEMENT: &str = "kopilka ceremony v1\ncard\n";

/// What seals an identity file.
pub type Passphrase = SecretString;

/// The public part of an identity, to be handed to whoever prepares the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The office and the person, as others know them.
    pub name: String,
    /// Address of the key that signs this participant's statements.
    pub signer: Address,
    /// What shares for this participant are encrypted to (age, X25519).
    pub recipient: String,
    /// The signer's signature on the name and the recipient.
    pub signature: Bytes,
}

impl Card {
    /// Checks that name, signer and recipient belong together.
    ///
    /// # Errors
    /// When the card was altered or put together from others.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.name.trim().is_empty(), "a card has no name");
        self.recipient()?;
        let statement = card_statement(&self.name, &self.recipient);
        ensure!(self.has_signed(statement.as_bytes(), &self.signature), "the card of {} was altered", self.name);
        Ok(())
    }

    /// Whether the signature is this participant's on a statement.
    pub(super) fn has_signed(&self, statement: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_raw(signature);
        signature.is_ok_and(|signature| signature.recover_address_from_msg(statement).is_ok_and(|by| by == self.signer))
    }

    pub(super) fn recipient(&self) -> anyhow::Result<x25519::Recipient> {
        x25519::Recipient::from_str(&self.recipient)
            .map_err(|reason| anyhow::anyhow!("the card of {} has no good encryption key: {reason}", self.name))
    }
}

fn card_statement(name: &str, recipient: &str) -> String {
    format!("{CARD_STATEMENT}{recipient}\n{name}")
}

/// The secret part. It never prints.
pub struct Identity {
    name: String,
    signer: PrivateKeySigner,
    decryption: x25519::Identity,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, redacted)", self.name)
    }
}

/// The form in which an identity is written down, before sealing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    signing_key: String,
    decryption_key: String,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.signing_key.zeroize();
        self.decryption_key.zeroize();
    }
}

impl Identity {
    /// New keys.
    #[must_use]
    pub fn generate(name: &str) -> Self {
        Self { name: name.to_owned(), signer: PrivateKeySigner::random(), decryption: x25519::Identity::generate() }
    }

    /// The public part.
    ///
    /// # Errors
    /// When signing fails.
    pub fn card(&self) -> anyhow::Result<Card> {
        let recipient = self.decryption.to_public().to_string();
        let signature = self.sign(card_statement(&self.name, &recipient).as_bytes())?;
        Ok(Card { name: self.name.clone(), signer: self.signer.address(), recipient, signature })
    }

    pub(super) fn address(&self) -> Address {
        self.signer.address()
    }

    pub(super) fn sign(&self, statement: &[u8]) -> anyhow::Result<Bytes> {
        let signature = self.signer.sign_message_sync(statement).context("signing failed")?;
        Ok(signature.as_bytes().into())
    }

    /// Encrypts to oneself, as ASCII text.
    pub(super) fn seal(&self, secret: &[u8]) -> anyhow::Result<String> {
        Ok(age::encrypt_and_armor(&self.decryption.to_public(), secret)?)
    }

    /// Decrypts what was encrypted to this identity.
    pub(super) fn open(&self, sealed: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(age::decrypt(&self.decryption, sealed.as_bytes())?))
    }

    /// The text of the identity file: sealed with the passphrase if there is one.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn to_text(&self, passphrase: Option<&Passphrase>) -> anyhow::Result<Zeroizing<String>> {
        let written = Written {
            name: self.name.clone(),
            signing_key: alloy::hex::encode_prefixed(self.signer.to_bytes()),
            decryption_key: self.decryption.to_string().expose_secret().to_owned(),
        };
        let text = Zeroizing::new(serde_json::to_string_pretty(&written)?);
        match passphrase {
            None => Ok(text),
            Some(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK_FACTOR);
                Ok(Zeroizing::new(age::encrypt_and_armor(&recipient, text.as_bytes())?))
            }
        }
    }

    /// Whether the text of an identity file needs a passphrase.
    #[must_use]
    pub fn is_sealed(text: &str) -> bool {
        text.trim_start().starts_with("-----BEGIN AGE ENCRYPTED FILE-----")
    }

    /// Reads the text of an identity file.
    ///
    /// # Errors
    /// When the passphrase is missing or wrong, or the text is no identity.
    pub fn from_text(text: &str, passphrase: Option<&Passphrase>) -> anyhow::Result<Self> {
        let opened = match (Self::is_sealed(text), passphrase) {
            (false, _) => Zeroizing::new(text.as_bytes().to_vec()),
            (true, None) => bail!("the identity is sealed: a passphrase is needed"),
            (true, Some(passphrase)) => {
                let identity = scrypt::Identity::new(passphrase.clone());
                let opened = age::decrypt(&identity, text.as_bytes());
                Zeroizing::new(opened.map_err(|_| anyhow::anyhow!("the passphrase is wrong, or the file is damaged"))?)
            }
        };
        // The parser's message could repeat a secret.
        let written: Written =
            serde_json::from_slice(&opened).map_err(|_| anyhow::anyhow!("the file holds no identity"))?;
        let signer =
            written.signing_key.parse().map_err(|_| anyhow::anyhow!("the identity's signing key is damaged"))?;
        let decryption = x25519::Identity::from_str(&written.decryption_key)
            .map_err(|_| anyhow::anyhow!("the identity's decryption key is damaged"))?;
        Ok(Self { name: written.name.clone(), signer, decryption })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_back_and_never_prints() {
        let identity = Identity::generate("Прокуратура");
        let text = identity.to_text(None).unwrap();
        let again = Identity::from_text(&text, None).unwrap();
        assert_eq!(again.card().unwrap(), identity.card().unwrap());
        assert_eq!(format!("{identity:?}"), "Identity(Прокуратура, redacted)");
        let sealed = again.seal(b"share").unwrap();
        assert_eq!(identity.open(&sealed).unwrap().as_slice(), b"share");
        assert!(Identity::generate("other").open(&sealed).is_err());
    }

    #[test]
    fn a_sealed_identity_needs_its_passphrase() {
        let identity = Identity::generate("Администрация");
        let passphrase = Passphrase::from("пароль из шести слов".to_owned());
        let text = identity.to_text(Some(&passphrase)).unwrap();
        assert!(Identity::is_sealed(&text) && !text.contains("signing_key"));
        let reason = |passphrase: Option<&Passphrase>| Identity::from_text(&text, passphrase).unwrap_err().to_string();
        assert_eq!(reason(None), "the identity is sealed: a passphrase is needed");
        let wrong = Passphrase::from("другой".to_owned());
        assert_eq!(reason(Some(&wrong)), "the passphrase is wrong, or the file is damaged");
        assert_eq!(Identity::from_text(&text, Some(&passphrase)).unwrap().card().unwrap(), identity.card().unwrap());
    }

    #[test]
    fn a_card_put_together_from_two_is_refused() {
        let (one, two) = (Identity::generate("one").card().unwrap(), Identity::generate("two").card().unwrap());
        one.check().unwrap();
        for altered in [
            Card { recipient: two.recipient.clone(), ..one.clone() },
            Card { name: "two".into(), ..one.clone() },
            Card { signer: two.signer, ..one.clone() },
        ] {
            assert!(altered.check().unwrap_err().to_string().ends_with("was altered"));
        }
        let broken = Card { recipient: "age1".into(), ..one };
        assert!(broken.check().unwrap_err().to_string().contains("no good encryption key"));
    }
}
