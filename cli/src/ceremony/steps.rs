//! What each participant does, from files to files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy::primitives::Bytes;
use anyhow::{Context as _, bail, ensure};
use kopilka_credential::threshold::{
    Dealer, DealtShare, IssuerIndex, KeyShare, Outcome, PartialSignature, SessionId, Threshold,
};
use kopilka_credential::{BlindSignature, BlindedMessage, hash_to_curve};
use rand::Rng as _;
use zeroize::Zeroizing;

use super::{
    Answers, Card, Confirmation, Contribution, Destruction, Identity, Plan, PrivateFolder, Purpose, Record, Review,
    Transcript,
};

/// Domain separation tag of the message that tries a key out.
const TRIAL_DOMAIN: &[u8] = b"KOPILKA-V01-CS01-TRIAL-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";
/// Session (32 bytes), dealer (1), receiver (1): what a share says of itself under its encryption.
const LABEL_BYTES: usize = 34;

/// Starts a ceremony: writes its plan.
///
/// # Errors
/// When a card is wrong or the folder is in use.
pub fn create(folder: &Path, needed: u8, purpose: Purpose, participants: Vec<Card>) -> anyhow::Result<Record> {
    let issuers = u8::try_from(participants.len()).context("there can be 255 participants at most")?;
    let threshold = Threshold::new(needed, issuers)?;
    let mut id = [0; 16];
    rand::rng().fill_bytes(&mut id);
    Record::create(folder, Plan { id: Bytes::copy_from_slice(&id), purpose, threshold, participants })
}

/// The participant's secret polynomial: the stored one, or a new one that is stored before anything of it is published.
///
/// # Errors
/// When the identity takes no part, or the private folder cannot be used.
pub fn deal(record: &Record, identity: &Identity, private: &PrivateFolder) -> anyhow::Result<Dealer> {
    let (session, threshold) = (record.plan.session(), record.plan.threshold);
    let index = record.plan.index_of(identity)?;
    let path = private.polynomial_file(session);
    if path.exists() {
        return polynomial(record, identity, private);
    }
    let dealer = Dealer::generate(session, threshold, index, &mut rand::rng());
    private.write_new(&path, &identity.seal(&dealer.to_bytes())?)?;
    Ok(dealer)
}

fn polynomial(record: &Record, identity: &Identity, private: &PrivateFolder) -> anyhow::Result<Dealer> {
    let (session, threshold) = (record.plan.session(), record.plan.threshold);
    let path = private.polynomial_file(session);
    let opened = open(identity, &path)?;
    let dealer = Dealer::from_bytes(session, threshold, record.plan.index_of(identity)?, &opened);
    dealer.with_context(|| format!("{} is damaged", path.display()))
}

fn open(identity: &Identity, path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let sealed = PrivateFolder::read(path)?;
    identity.open(&sealed).with_context(|| format!("{} does not open with this identity", path.display()))
}

/// Encrypts a dealer's shares, each to its receiver.
///
/// # Errors
/// When encryption fails.
pub fn seal_shares(
    plan: &Plan,
    dealer: IssuerIndex,
    share_for: impl Fn(IssuerIndex) -> DealtShare,
) -> anyhow::Result<BTreeMap<IssuerIndex, String>> {
    plan.threshold
        .indices()
        .map(|to| {
            let mut secret = Zeroizing::new(label(plan.session(), dealer, to));
            secret.extend_from_slice(share_for(to).to_bytes().as_ref());
            Ok((to, age::encrypt_and_armor(&plan.card(to)?.recipient()?, &secret)?))
        })
        .collect()
}

fn label(session: SessionId, dealer: IssuerIndex, to: IssuerIndex) -> Vec<u8> {
    let mut label = session.to_bytes().to_vec();
    label.extend([dealer.get(), to.get()]);
    label
}

/// Round 1: deals, and publishes the commitments and the encrypted shares.
///
/// # Errors
/// When this participant has contributed already, or a folder cannot be used.
pub fn contribute(record: &Record, identity: &Identity, private: &PrivateFolder) -> anyhow::Result<PathBuf> {
    let index = record.plan.index_of(identity)?;
    ensure!(!record.contributions.contains_key(&index), "{} has contributed already", record.plan.name(index));
    let dealer = deal(record, identity, private)?;
    let shares = seal_shares(&record.plan, index, |to| dealer.share_for(to))?;
    record.publish(Contribution { dealing: dealer.dealing(), shares }, identity)
}

/// The share that a dealer sent to this participant, if it opens and fits the dealer's commitments.
fn received(record: &Record, identity: &Identity, to: IssuerIndex, from: IssuerIndex) -> Option<DealtShare> {
    let contribution = record.contributions.get(&from)?;
    let opened = identity.open(contribution.shares.get(&to)?).ok()?;
    let (about, secret) = opened.split_at_checked(LABEL_BYTES)?;
    let share = DealtShare::from_bytes(secret).ok()?;
    let fits = about == label(record.plan.session(), from, to) && contribution.dealing.fits(to, &share);
    fits.then_some(share)
}

/// Round 2: checks every share that was dealt to this participant and publishes the review. Returns its file and the dealers that
/// it complains of.
///
/// # Errors
/// When contributions are missing, or this participant has reviewed already.
pub fn verify(record: &Record, identity: &Identity) -> anyhow::Result<(PathBuf, Vec<IssuerIndex>)> {
    let by = record.plan.index_of(identity)?;
    let contributions = record.contributions_digest()?.into();
    let dealers = record.plan.threshold.indices();
    let complaints: Vec<_> = dealers.filter(|dealer| received(record, identity, by, *dealer).is_none()).collect();
    let path = record.publish(Review { by, contributions, complaints: complaints.clone() }, identity)?;
    Ok((path, complaints))
}

/// Round 3, for a dealer of whom somebody complained: publishes the disputed shares. Returns nothing if nobody did.
///
/// # Errors
/// When reviews are missing, or so many complain that their shares together would be the whole polynomial.
pub fn answer(record: &Record, identity: &Identity, private: &PrivateFolder) -> anyhow::Result<Option<PathBuf>> {
    let index = record.plan.index_of(identity)?;
    let complaints = record.complaints()?;
    let by: Vec<_> = complaints.iter().filter(|one| one.about == index).map(|one| one.by).collect();
    if by.is_empty() {
        return Ok(None);
    }
    ensure!(
        by.len() < usize::from(record.plan.threshold.needed()),
        "{} participants complain: to answer them all would publish your whole secret, so your contribution is left out",
        by.len()
    );
    let dealer = polynomial(record, identity, private)?;
    let share = |to: IssuerIndex| (to, Bytes::copy_from_slice(dealer.share_for(to).to_bytes().as_ref()));
    let shares = by.into_iter().map(share).collect();
    record.publish(Answers { dealer: index, shares }, identity).map(Some)
}

/// The public result of what lies in the folder.
///
/// # Errors
/// As [`Record::outcome`].
pub fn transcript(record: &Record, without_answer: &[IssuerIndex]) -> anyhow::Result<(Outcome, Transcript)> {
    let outcome = record.outcome(without_answer)?;
    let transcript = record.transcript(&outcome)?;
    Ok((outcome, transcript))
}

/// The end: assembles this participant's share, stores it, publishes the transcript and the confirmation, and destroys the
/// polynomial, which nobody may ask for any more. Done again, it restores a lost share as long as the identity is there.
///
/// # Errors
/// When statements are missing, a share cannot be had, or a folder cannot be used.
pub fn finish(
    record: &Record,
    identity: &Identity,
    private: &PrivateFolder,
    without_answer: &[IssuerIndex],
) -> anyhow::Result<Transcript> {
    let index = record.plan.index_of(identity)?;
    let (outcome, transcript) = transcript(record, without_answer)?;
    let mut dealt = Vec::new();
    for dealer in &outcome.qualified {
        let share = received(record, identity, index, *dealer).or_else(|| record.answered_share(*dealer, index));
        let Some(share) = share else {
            bail!("the share from {} does not open, and you did not complain of it", record.plan.name(*dealer));
        };
        dealt.push((*dealer, share));
    }
    let share = KeyShare::assemble(&outcome, index, &dealt)?;
    let (session, digest) = (record.plan.session(), transcript.digest());
    if !private.share_file(session).exists() {
        private.write_new(&private.share_file(session), &identity.seal(share.to_bytes().as_ref())?)?;
    }
    record.publish_transcript(&transcript)?;
    if !record.confirmations.contains_key(&index) {
        let attestation = share.attest(&digest);
        let confirmation = Confirmation { issuer: index, transcript: digest.into(), attestation };
        record.publish(confirmation, identity)?;
    }
    PrivateFolder::wipe(&private.polynomial_file(session))?;
    Ok(transcript)
}

/// A message to try a key out with: nobody's credential.
///
/// # Panics
/// Never: a hash to the curve is in the subgroup and not infinity.
#[must_use]
pub fn trial_message(plan: &Plan) -> BlindedMessage {
    let point = hash_to_curve(&plan.session().to_bytes(), TRIAL_DOMAIN);
    BlindedMessage::from_bytes(&point.to_bytes()).expect("a hash to the curve is a member of the group")
}

/// This participant's share of the key.
///
/// # Errors
/// When there is no share, or it is damaged.
pub fn share(
    record: &Record,
    transcript: &Transcript,
    identity: &Identity,
    private: &PrivateFolder,
) -> anyhow::Result<KeyShare> {
    let index = record.plan.index_of(identity)?;
    let path = private.share_file(record.plan.session());
    ensure!(path.exists(), "there is no share of this ceremony in {}: run `kopilka ceremony finish`", path.display());
    let opened = open(identity, &path)?;
    let share = KeyShare::from_bytes(&transcript.keys, index, &opened);
    share.with_context(|| format!("{} does not hold your share of this key", path.display()))
}

/// Signs a blinded message with this participant's share.
///
/// # Errors
/// When there is no share, or it is damaged.
pub fn sign(
    record: &Record,
    transcript: &Transcript,
    identity: &Identity,
    private: &PrivateFolder,
    message: &BlindedMessage,
) -> anyhow::Result<PartialSignature> {
    Ok(share(record, transcript, identity, private)?.sign_blinded(message))
}

/// Combines partial signatures, naming whoever signed wrongly.
///
/// # Errors
/// When there are too few, or some are wrong.
pub fn combine(
    record: &Record,
    transcript: &Transcript,
    message: &BlindedMessage,
    partials: &[PartialSignature],
) -> anyhow::Result<BlindSignature> {
    use kopilka_credential::threshold::ThresholdError;
    transcript.keys.combine(message, partials).map_err(|error| match error {
        ThresholdError::WrongPartials(issuers) => {
            let names: Vec<_> = issuers.into_iter().map(|index| record.plan.name(index)).collect();
            anyhow::anyhow!("the signature of {} is wrong: leave it out and ask somebody else", names.join(", "))
        }
        error => error.into(),
    })
}

/// After the round: destroys everything secret of this ceremony, and says so publicly. Whoever keeps the identity, because
/// it serves another ceremony too, can still restore the share from the public files.
///
/// # Errors
/// When a file cannot be destroyed, or nothing is left to destroy.
pub fn destroy(
    record: &Record,
    identity: &Identity,
    private: &PrivateFolder,
    keep_identity: bool,
) -> anyhow::Result<Vec<String>> {
    let index = record.plan.index_of(identity)?;
    let session = record.plan.session();
    let mut paths = vec![private.polynomial_file(session), private.share_file(session)];
    if !keep_identity {
        paths.push(private.identity_file());
    }
    let mut files = Vec::new();
    for path in paths {
        if PrivateFolder::wipe(&path)? {
            files.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    ensure!(!files.is_empty(), "there is nothing left to destroy");
    // Whoever first kept the identity has published this already.
    if !record.destructions.contains_key(&index) {
        record.publish(Destruction { issuer: index, files: files.clone() }, identity)?;
    }
    Ok(files)
}
