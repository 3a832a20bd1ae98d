//! Messages that are signed beforehand: one in a line, as they are posted. Kept on the disk, because signing takes longer
//! than the measurement.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::PathBuf;

use alloy::primitives::{Address, keccak256};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, ensure};
use kopilka_credential::{BlindedMessage, CredentialScope, IssuerSecretKey, message_point};
use kopilka_domain::MessageKind;
use kopilka_relay_client::{AllocationRequest, BallotRequest, RegistrationRequest};

use crate::fixture::Citizen;
use crate::ground::{Ground, folder};
use crate::polls;

/// Initiatives in an allocation.
const CHOICES: u16 = 3;

/// Prepared messages of one kind; the message at a position is that of the citizen with this number.
pub struct Load {
    pub kind: MessageKind,
    pub file: PathBuf,
    pub accounts: Vec<Address>,
}

/// The citizen with this number.
fn citizen(number: usize) -> Citizen {
    let key = keccak256(format!("a citizen of the measurements, number {number}"));
    Citizen { key: PrivateKeySigner::from_bytes(&key).expect("a hash is hardly ever no key") }
}

/// What an issuer's blind signature becomes when it is unblinded, made without blinding.
fn credential(scope: &CredentialScope, issuer: &IssuerSecretKey, account: Address) -> [u8; 48] {
    let point = message_point(scope, account.into_array().into()).to_bytes();
    issuer.sign_blinded(&BlindedMessage::from_bytes(&point).expect("a point of the subgroup")).to_bytes()
}

pub fn registration(ground: &Ground, number: usize) -> RegistrationRequest {
    let world = &ground.world;
    let account = citizen(number).account();
    let signature = credential(&world.scope_of(0), &world.issuers[0], account).to_vec().into();
    RegistrationRequest { round: world.round, class: 0, account, signature }
}

pub fn allocation(ground: &Ground, number: usize, version: u32) -> AllocationRequest {
    let first = (number % 16) as u16 + 1;
    let chosen: Vec<u16> = (first..first + CHOICES).collect();
    ground.world.allocation(&citizen(number), version, &chosen, &[5, 3, 2])
}

pub fn ballot(ground: &Ground, number: usize) -> BallotRequest {
    let citizen = citizen(number);
    let mut ballot = ground.poll.unproven(&ground.world, &citizen, 1, number as u32 % 3);
    let scope = polls::scope(&ground.world, ground.poll.contract, ground.poll.id);
    ballot.credential = Some(credential(&scope, &ground.poll.issuer, citizen.account()).to_vec().into());
    ballot
}

fn line(ground: &Ground, kind: MessageKind, number: usize) -> anyhow::Result<String> {
    Ok(match kind {
        MessageKind::Registration => serde_json::to_string(&registration(ground, number))?,
        MessageKind::Allocation => serde_json::to_string(&allocation(ground, number, 1))?,
        MessageKind::Ballot => serde_json::to_string(&ballot(ground, number))?,
        other => anyhow::bail!("there is no load of the kind {other}"),
    })
}

/// Reads `count` messages from the disk, or signs them and keeps them.
pub fn prepare(ground: &Ground, kind: MessageKind, count: usize) -> anyhow::Result<Load> {
    std::fs::create_dir_all(folder())?;
    let file = folder().join(format!("{kind}.jsonl"));
    let first = line(ground, kind, 0)?;
    let kept = accounts(&file).unwrap_or_default();
    let fits = File::open(&file).is_ok_and(|file| {
        let mut text = String::new();
        BufReader::new(file).read_line(&mut text).is_ok() && text.trim_end() == first
    });
    if fits && kept.len() >= count {
        return Ok(Load { kind, file, accounts: kept });
    }
    eprintln!("signing {count} messages of the kind {kind}");
    let threads = std::thread::available_parallelism()?.get();
    let parts: Vec<anyhow::Result<Vec<String>>> = std::thread::scope(|scope| {
        let each = count.div_ceil(threads);
        let works: Vec<_> = (0..threads)
            .map(|part| {
                let range = part * each..count.min((part + 1) * each);
                scope.spawn(move || range.map(|number| line(ground, kind, number)).collect())
            })
            .collect();
        works.into_iter().map(|work| work.join().expect("signing does not panic")).collect()
    });
    let mut writer = BufWriter::new(File::create(&file)?);
    for part in parts {
        for line in part? {
            writeln!(writer, "{line}")?;
        }
    }
    writer.flush()?;
    drop(writer);
    let accounts = accounts(&file)?;
    ensure!(accounts.len() == count, "{} is incomplete", file.display());
    Ok(Load { kind, file, accounts })
}

fn accounts(file: &PathBuf) -> anyhow::Result<Vec<Address>> {
    BufReader::new(File::open(file)?).lines().map(|line| account_of(&line?)).collect()
}

fn account_of(line: &str) -> anyhow::Result<Address> {
    let (_, rest) = line.split_once("\"account\":\"").context("a message without account")?;
    Ok(rest.get(..42).context("a short line")?.parse()?)
}
