//! The public folder: signed statements, what they add up to, and the transcript that all must reach.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::Bytes;
use anyhow::{Context as _, bail, ensure};
use kopilka_credential::Signature;
use kopilka_credential::threshold::{
    Answer, Complaint, Dealing, DealtShare, GroupKeys, IssuerIndex, Outcome, SessionId, Threshold, conclude,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::private::write_through;
use super::{Card, Identity};

const PLAN: &str = "ceremony.json";

/// What the key is for. A key serves one class of one contract on one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The EVM chain.
    pub chain_id: u64,
    /// The kind of contract, for example BudgetRound.
    pub contract: String,
    /// The municipality.
    pub municipality: String,
    /// In words, for example «Бюджет 2027, все жители от 14 лет».
    pub what: String,
}

/// The paper that a ceremony starts from. Its digest names the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// 16 random bytes, so that no two ceremonies are the same.
    pub id: Bytes,
    /// What the key is for.
    pub purpose: Purpose,
    /// How many issuers there are and how many must sign.
    pub threshold: Threshold,
    /// The issuers: the first is issuer 1.
    pub participants: Vec<Card>,
}

impl Plan {
    /// Checks the plan and every card in it.
    ///
    /// # Errors
    /// Says which participant is wrong, or that a key appears twice.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(self.id.len() == 16, "the plan's id must be 16 bytes");
        ensure!(
            self.participants.len() == usize::from(self.threshold.issuers()),
            "the plan names {} participants, but a threshold of {}",
            self.participants.len(),
            self.threshold
        );
        for (place, card) in self.participants.iter().enumerate() {
            card.check()?;
            for other in &self.participants[..place] {
                let same = other.signer == card.signer || other.recipient == card.recipient || other.name == card.name;
                ensure!(
                    !same,
                    "{} and {} share a name or a key: each participant needs its own",
                    other.name,
                    card.name
                );
            }
        }
        Ok(())
    }

    /// The session: a digest of the whole plan.
    ///
    /// # Panics
    /// Never: the plan is plain data, which always serializes.
    #[must_use]
    pub fn session(&self) -> SessionId {
        digest("plan", self).into()
    }

    /// "issuer 2 (name)".
    #[must_use]
    pub fn name(&self, index: IssuerIndex) -> String {
        match self.participants.get(usize::from(index.get()) - 1) {
            Some(card) => format!("issuer {index} ({})", card.name),
            None => format!("issuer {index}"),
        }
    }

    /// The number of an identity.
    ///
    /// # Errors
    /// When it does not take part.
    pub fn index_of(&self, identity: &Identity) -> anyhow::Result<IssuerIndex> {
        let numbered = self.threshold.indices().zip(&self.participants);
        let found = numbered.into_iter().find(|(_, card)| card.signer == identity.address());
        found
            .map(|(index, _)| index)
            .context("this identity takes no part in the ceremony: compare card.json with the plan")
    }

    pub(super) fn card(&self, index: IssuerIndex) -> anyhow::Result<&Card> {
        self.participants.get(usize::from(index.get()) - 1).with_context(|| format!("there is no issuer {index}"))
    }
}

/// What a participant says publicly.
pub trait Statement: Serialize + DeserializeOwned {
    /// The word in file names and under signatures.
    const KIND: &'static str;
    /// Whose statement it is.
    fn author(&self) -> IssuerIndex;
}

/// Round 1: the dealing, and a share for every participant, encrypted to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// Commitments and proof.
    pub dealing: Dealing,
    /// age files in ASCII, one for each participant.
    pub shares: BTreeMap<IssuerIndex, String>,
}

impl Statement for Contribution {
    const KIND: &'static str = "contribution";
    fn author(&self) -> IssuerIndex {
        self.dealing.dealer
    }
}

/// Round 2: which contributions a participant has seen, and of which dealers it complains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Who reviews.
    pub by: IssuerIndex,
    /// Digest of all contributions.
    pub contributions: Bytes,
    /// Dealers whose share for this participant does not open or does not fit.
    pub complaints: Vec<IssuerIndex>,
}

impl Statement for Review {
    const KIND: &'static str = "review";
    fn author(&self) -> IssuerIndex {
        self.by
    }
}

/// Round 3, if anybody complained: the disputed shares, in the open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The dealer.
    pub dealer: IssuerIndex,
    /// The share of each participant that complained, 32 bytes.
    pub shares: BTreeMap<IssuerIndex, Bytes>,
}

impl Statement for Answers {
    const KIND: &'static str = "answer";
    fn author(&self) -> IssuerIndex {
        self.dealer
    }
}

/// The end: a participant holds its share, and has reached this transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Who confirms.
    pub issuer: IssuerIndex,
    /// Digest of the transcript.
    pub transcript: Bytes,
    /// The digest signed with the share itself, which proves that the share works.
    pub attestation: Signature,
}

impl Statement for Confirmation {
    const KIND: &'static str = "confirmation";
    fn author(&self) -> IssuerIndex {
        self.issuer
    }
}

/// After the round: a participant says that it has destroyed its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destruction {
    /// Who destroyed.
    pub issuer: IssuerIndex,
    /// Names of the files.
    pub files: Vec<String>,
}

impl Statement for Destruction {
    const KIND: &'static str = "destruction";
    fn author(&self) -> IssuerIndex {
        self.issuer
    }
}

/// A statement with its author's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// What is said.
    pub body: T,
    /// By whom, see [`Card::signer`].
    pub signature: Bytes,
}

impl<T: Statement> Signed<T> {
    /// Signs a statement of a session.
    ///
    /// # Errors
    /// When signing fails.
    pub fn new(session: SessionId, body: T, identity: &Identity) -> anyhow::Result<Self> {
        let signature = identity.sign(&signed_bytes(session, &body))?;
        Ok(Self { body, signature })
    }
}

fn signed_bytes<T: Statement>(session: SessionId, body: &T) -> Vec<u8> {
    let mut bytes = format!("kopilka ceremony v1\n{}\n{session}\n", T::KIND).into_bytes();
    bytes.extend(canonical(body));
    bytes
}

/// Fields in the order of their declaration, maps in the order of their keys: the same bytes whoever writes them.
fn canonical(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serializes")
}

fn digest(kind: &str, value: &impl Serialize) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!("kopilka ceremony v1\n{kind}\n"));
    hash.update(canonical(value));
    hash.finalize().into()
}

/// Why a participant's contribution is not in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disqualified {
    /// Who.
    pub dealer: IssuerIndex,
    /// Why.
    pub reason: String,
}

/// The public result. Everybody who has the same files reaches the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// Digest of the plan.
    pub session: SessionId,
    /// Digest of all contributions.
    pub contributions: Bytes,
    /// All complaints.
    pub complaints: Vec<Complaint>,
    /// Whose contributions make up the key.
    pub qualified: Vec<IssuerIndex>,
    /// Whose do not.
    pub disqualified: Vec<Disqualified>,
    /// The group key and the keys of the shares.
    pub keys: GroupKeys,
}

impl Transcript {
    /// The digest that the participants compare and sign.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest("transcript", self)
    }
}

/// Everything in a public folder, each statement with its author's good signature.
#[derive(Debug, Clone)]
pub struct Record {
    folder: PathBuf,
    /// The plan.
    pub plan: Plan,
    /// Round 1.
    pub contributions: BTreeMap<IssuerIndex, Contribution>,
    /// Round 2.
    pub reviews: BTreeMap<IssuerIndex, Review>,
    /// Round 3.
    pub answers: BTreeMap<IssuerIndex, Answers>,
    /// The end.
    pub confirmations: BTreeMap<IssuerIndex, Confirmation>,
    /// Afterwards.
    pub destructions: BTreeMap<IssuerIndex, Destruction>,
}

impl Record {
    /// Writes the plan of a new ceremony into an empty or new folder.
    ///
    /// # Errors
    /// When the plan is wrong, or the folder holds a ceremony already.
    pub fn create(folder: &Path, plan: Plan) -> anyhow::Result<Self> {
        plan.check()?;
        let path = folder.join(PLAN);
        ensure!(!path.exists(), "{} exists already: a ceremony needs a folder of its own", path.display());
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        write_json(&path, &plan)?;
        Self::read(folder)
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// Names the file that is missing, malformed, misnamed or not signed by its author.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(PLAN);
        ensure!(path.exists(), "{} does not exist: name the folder with the ceremony's files", path.display());
        let plan: Plan = read_json(&path)?;
        plan.check().with_context(|| format!("{} is not good", path.display()))?;
        Ok(Self {
            contributions: read_statements(folder, &plan)?,
            reviews: read_statements(folder, &plan)?,
            answers: read_statements(folder, &plan)?,
            confirmations: read_statements(folder, &plan)?,
            destructions: read_statements(folder, &plan)?,
            folder: folder.to_owned(),
            plan,
        })
    }

    /// Where a statement lies.
    #[must_use]
    pub fn path<T: Statement>(&self, author: IssuerIndex) -> PathBuf {
        self.folder.join(file_name::<T>(author))
    }

    /// Signs a statement and writes its file, which must not exist yet.
    ///
    /// # Errors
    /// When it exists, or cannot be written.
    pub fn publish<T: Statement>(&self, body: T, identity: &Identity) -> anyhow::Result<PathBuf> {
        let path = self.path::<T>(body.author());
        ensure!(!path.exists(), "{} exists already: what was said cannot be changed", path.display());
        write_json(&path, &Signed::new(self.plan.session(), body, identity)?)?;
        Ok(path)
    }

    /// Writes the transcript, or checks the one that is there.
    ///
    /// # Errors
    /// When another transcript is there.
    pub fn publish_transcript(&self, transcript: &Transcript) -> anyhow::Result<PathBuf> {
        let path = self.folder.join("transcript.json");
        if path.exists() {
            let found: Transcript = read_json(&path)?;
            ensure!(found == *transcript, "{} is not what the other files add up to", path.display());
        } else {
            write_json(&path, transcript)?;
        }
        Ok(path)
    }

    /// Who of the participants is missing from a list.
    #[must_use]
    pub fn missing<T>(&self, present: &BTreeMap<IssuerIndex, T>) -> Vec<String> {
        let absent = self.plan.threshold.indices().filter(|index| !present.contains_key(index));
        absent.map(|index| self.plan.name(index)).collect()
    }

    /// Digest of all contributions.
    ///
    /// # Errors
    /// Names those that are missing.
    pub fn contributions_digest(&self) -> anyhow::Result<[u8; 32]> {
        let missing = self.missing(&self.contributions);
        ensure!(missing.is_empty(), "the contribution of {} is missing", missing.join(", "));
        Ok(digest("contributions", &self.contributions.values().collect::<Vec<_>>()))
    }

    /// All complaints, once everybody has reviewed the same contributions.
    ///
    /// # Errors
    /// Names whose review is missing, or who has seen other contributions.
    pub fn complaints(&self) -> anyhow::Result<Vec<Complaint>> {
        let seen = self.contributions_digest()?;
        let missing = self.missing(&self.reviews);
        ensure!(missing.is_empty(), "the review of {} is missing", missing.join(", "));
        let mut complaints = Vec::new();
        for review in self.reviews.values() {
            ensure!(
                review.contributions[..] == seen,
                "{} has reviewed other contributions than those in this folder: somebody sent different files to different people; compare them, and start again without whoever signed two",
                self.plan.name(review.by)
            );
            complaints.extend(review.complaints.iter().map(|about| Complaint { by: review.by, about: *about }));
        }
        Ok(complaints)
    }

    /// Complaints that wait for an answer which could still help.
    ///
    /// # Errors
    /// As [`Record::complaints`].
    pub fn unanswered(&self) -> anyhow::Result<Vec<Complaint>> {
        let complaints = self.complaints()?;
        let (session, threshold) = (self.plan.session(), self.plan.threshold);
        let hopeless = |dealer: IssuerIndex| {
            let count = complaints.iter().filter(|complaint| complaint.about == dealer).count();
            count >= usize::from(threshold.needed())
                || self.contributions.get(&dealer).is_none_or(|found| found.dealing.check(session, threshold).is_err())
        };
        let answered = |complaint: &&Complaint| {
            self.answers.get(&complaint.about).is_some_and(|answers| answers.shares.contains_key(&complaint.by))
        };
        Ok(complaints.iter().filter(|one| !answered(one) && !hopeless(one.about)).copied().collect())
    }

    /// What everybody reaches who has these files. `without_answer` names the dealers whose answers are no longer waited for; one
    /// that comes later counts no more, or those who have it would make another key.
    ///
    /// # Errors
    /// When statements are missing, or too few contributions are good.
    pub fn outcome(&self, without_answer: &[IssuerIndex]) -> anyhow::Result<Outcome> {
        let waiting: Vec<_> =
            self.unanswered()?.into_iter().filter(|one| !without_answer.contains(&one.about)).collect();
        if let Some(one) = waiting.first() {
            bail!(
                "{} has not answered the complaint of {}: wait for it, or go on without with `--without-answer {}` when all others do",
                self.plan.name(one.about),
                self.plan.name(one.by),
                one.about
            );
        }
        let dealings: Vec<_> = self.contributions.values().map(|found| found.dealing.clone()).collect();
        let in_time = self.answers.values().filter(|answers| !without_answer.contains(&answers.dealer));
        let answers: Vec<_> = in_time.flat_map(Self::answers_of).collect();
        Ok(conclude(self.plan.session(), self.plan.threshold, &dealings, &self.complaints()?, &answers)?)
    }

    /// Published shares that are scalars; others count as none.
    fn answers_of(answers: &Answers) -> impl Iterator<Item = Answer> {
        answers.shares.iter().filter_map(|(to, bytes)| {
            let share = DealtShare::from_bytes(bytes).ok()?;
            Some(Answer { dealer: answers.dealer, to: *to, share })
        })
    }

    /// The published share of a dealer for an issuer.
    #[must_use]
    pub fn answered_share(&self, dealer: IssuerIndex, to: IssuerIndex) -> Option<DealtShare> {
        Self::answers_of(self.answers.get(&dealer)?).find(|answer| answer.to == to).map(|answer| answer.share)
    }

    /// The transcript of an outcome.
    ///
    /// # Errors
    /// As [`Record::complaints`].
    pub fn transcript(&self, outcome: &Outcome) -> anyhow::Result<Transcript> {
        let disqualified = outcome.disqualified.iter();
        Ok(Transcript {
            session: self.plan.session(),
            contributions: self.contributions_digest()?.into(),
            complaints: self.complaints()?,
            qualified: outcome.qualified.clone(),
            disqualified: disqualified
                .map(|(dealer, fault)| Disqualified { dealer: *dealer, reason: fault.to_string() })
                .collect(),
            keys: outcome.keys.clone(),
        })
    }

    /// Names who has still to confirm a transcript before the key may be used: everybody whose contribution was not left out. A
    /// confirmation of another one, or with another share, is an error: it means that people have different files.
    ///
    /// # Errors
    /// Names whose confirmation differs.
    pub fn unconfirmed(&self, transcript: &Transcript) -> anyhow::Result<Vec<String>> {
        let digest = transcript.digest();
        let left_out = |issuer: IssuerIndex| transcript.disqualified.iter().any(|one| one.dealer == issuer);
        for confirmation in self.confirmations.values() {
            let issuer = confirmation.issuer;
            if left_out(issuer) {
                continue;
            }
            let signed = transcript.keys.verify_attestation(issuer, &digest, &confirmation.attestation)?;
            ensure!(
                confirmation.transcript[..] == digest && signed,
                "{} has confirmed another transcript: compare the files, and do not use the key",
                self.plan.name(issuer)
            );
        }
        let absent =
            self.plan.threshold.indices().filter(|one| !left_out(*one) && !self.confirmations.contains_key(one));
        Ok(absent.map(|issuer| self.plan.name(issuer)).collect())
    }
}

fn file_name<T: Statement>(author: IssuerIndex) -> String {
    format!("{}-{author}.json", T::KIND)
}

fn read_statements<T: Statement>(folder: &Path, plan: &Plan) -> anyhow::Result<BTreeMap<IssuerIndex, T>> {
    let mut found = BTreeMap::new();
    for index in plan.threshold.indices() {
        let path = folder.join(file_name::<T>(index));
        if !path.exists() {
            continue;
        }
        let statement: Signed<T> = read_json(&path)?;
        ensure!(statement.body.author() == index, "{} is of another issuer than its name says", path.display());
        let bytes = signed_bytes(plan.session(), &statement.body);
        ensure!(
            plan.card(index)?.has_signed(&bytes, &statement.signature),
            "{} is not signed by {}: it was altered, or belongs to another ceremony",
            path.display(),
            plan.name(index)
        );
        found.insert(index, statement.body);
    }
    Ok(found)
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a file of a ceremony, or damaged", path.display()))
}

fn write_json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = format!("{}\n", serde_json::to_string_pretty(value)?);
    write_through(path, &text, 0o644).with_context(|| format!("cannot write {}", path.display()))
}
