//! `contracts/test/vectors/settlement.json`: whole rounds with everything that this crate says of them, kopeck by kopeck. The
//! contracts play them in `contracts/test/integration/Settlement.t.sol`.
//!
//! After a wanted change: `KOPILKA_WRITE_VECTORS=1 cargo test -p kopilka-domain rounds`. `scripts/differential` plays many
//! more, of another seed.

mod expectations;
mod random;

use kopilka_domain::settlement::Election;
use kopilka_domain::{Account, Allocation, Allotment, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};
use sha3::{Digest, Keccak256};

use crate::elections::Numbers;
use crate::vectors;

/// In the crate's folder, in which cargo runs its tests.
const PATH: &str = "../../contracts/test/vectors/settlement.json";

/// Three of each combination of ballot kind, allotment, rule and completions.
const ROUNDS: u64 = 60;

/// Ballots of the largest of the settlement's own vectors that is played as a round among the committed ones.
const FEW_BALLOTS: usize = 6;

/// A round from its draft to the last allocation.
struct Round {
    name: String,
    kind: BallotKind,
    allotment: Allotment,
    rule: Rule,
    completion: Completion,
    threshold: u64,
    share_points: Points,
    /// Nothing unless the allotment is fixed.
    fixed_amount: Kopecks,
    appropriation: Kopecks,
    /// The budget, in the parts in which it is minted.
    mints: Vec<Kopecks>,
    /// Of the classes.
    weights: Vec<u32>,
    /// Of the initiatives, from id 1.
    costs: Vec<Kopecks>,
    /// People who try to register or to allocate.
    citizens: usize,
    /// Before pledging opens.
    registrations: Vec<Registration>,
    /// After the first batch of allocations; with fixed allotments alone.
    late: Vec<Registration>,
    /// Allocations as they are submitted together.
    batches: Vec<Vec<Submission>>,
    /// Winners that the clerk tries to propose before the right ones.
    proposals: Vec<Vec<InitiativeId>>,
}

/// Citizens next to each other with credentials of one class.
struct Registration {
    class: u8,
    first: usize,
    count: usize,
}

/// An allocation as it is submitted.
struct Submission {
    citizen: usize,
    version: u32,
    allocation: Allocation,
    /// Whether somebody else signed it.
    forged: bool,
}

impl Round {
    fn budget(&self) -> Kopecks {
        self.mints.iter().copied().sum()
    }

    /// The round that an election is the end of; `None` if the contracts know no such round.
    fn of(name: &str, election: &Election) -> Option<Self> {
        let mut weights: Vec<_> = election.ballots.iter().map(|ballot| ballot.weight).collect();
        weights.sort_unstable();
        weights.dedup();
        if weights.is_empty() {
            weights.push(1);
        }
        let count = election.initiatives.len() as u16;
        let ids = election.initiatives.iter().map(|initiative| initiative.id);
        let numbered = count > 0 && ids.eq((1..=count).map(InitiativeId));
        if weights.len() > 16 || election.budget.is_zero() || !numbered {
            return None;
        }
        // Classes are registered one after another, so citizens are numbered by weight.
        let mut ballots: Vec<_> = election.ballots.iter().collect();
        ballots.sort_by_key(|ballot| ballot.weight);
        let registrations = (0_u8..).zip(&weights).map(|(class, &weight)| Registration {
            class,
            first: ballots.partition_point(|ballot| ballot.weight < weight),
            count: ballots.iter().filter(|ballot| ballot.weight == weight).count(),
        });
        let submissions = ballots.iter().enumerate().map(|(citizen, ballot)| Submission {
            citizen,
            version: 1,
            allocation: ballot.allocation.clone(),
            forged: false,
        });
        let completion = if election.rule == Rule::Greedy { Completion::NONE } else { election.completion };
        Some(Self {
            name: format!("vectors: {name}"),
            kind: election.kind,
            allotment: Allotment::Equal,
            rule: election.rule,
            completion,
            threshold: election.threshold,
            share_points: election.share_points,
            fixed_amount: Kopecks::ZERO,
            appropriation: election.budget,
            mints: vec![election.budget],
            registrations: registrations.filter(|registration| registration.count > 0).collect(),
            weights,
            costs: election.initiatives.iter().map(|initiative| initiative.cost).collect(),
            citizens: ballots.len(),
            late: Vec::new(),
            batches: if ballots.is_empty() { Vec::new() } else { vec![submissions.collect()] },
            proposals: Vec::new(),
        })
    }
}

/// The account of a citizen in the contracts' tests (`RoundFixture._citizen`): that of the secret
/// `keccak256(abi.encode("citizen", index)) >> 4`.
fn citizen(index: usize) -> Account {
    use k256::elliptic_curve::sec1::ToEncodedPoint as _;

    let mut encoded = [0_u8; 128];
    encoded[31] = 64;
    encoded[56..64].copy_from_slice(&(index as u64).to_be_bytes());
    encoded[95] = 7;
    encoded[96..103].copy_from_slice(b"citizen");
    let mut secret: [u8; 32] = Keccak256::digest(encoded).into();
    let mut carry = 0;
    for byte in &mut secret {
        (*byte, carry) = (*byte >> 4 | carry << 4, *byte & 0x0f);
    }
    let point = k256::SecretKey::from_slice(&secret).unwrap().public_key().to_encoded_point(false);
    let mut account = Account::default();
    account.0.copy_from_slice(&Keccak256::digest(&point.as_bytes()[1..])[12..]);
    account
}

/// Random rounds, and those of the settlement's own vectors that have at most so many ballots.
fn rounds(seed: u64, count: u64, most_ballots: usize) -> Vec<Round> {
    let mut numbers = Numbers(seed);
    let mut rounds: Vec<_> = vectors::cases()
        .iter()
        .filter(|(_, election)| election.ballots.len() <= most_ballots)
        .filter_map(|(name, election)| Round::of(name, election))
        .collect();
    rounds.extend((0..count).map(|index| random::round(&mut numbers, index)));
    rounds
}

/// One round on a line, and what they are together.
fn text(rounds: &[Round]) -> (String, String) {
    let accounts: Vec<_> = (0..rounds.iter().map(|round| round.citizens).max().unwrap_or(0)).map(citizen).collect();
    let lines: Vec<_> =
        rounds.iter().map(|round| serde_json::to_string(&expectations::of(round, &accounts)).unwrap()).collect();
    let submissions = rounds.iter().flat_map(|round| &round.batches).map(Vec::len).sum::<usize>();
    let citizens = rounds.iter().map(|round| round.citizens).sum::<usize>();
    let sum = format!("{} rounds, {citizens} citizens, {submissions} allocations", rounds.len());
    (format!("[\n{}\n]\n", lines.join(",\n")), sum)
}

#[test]
fn the_contracts_play_the_rounds_of_this_crate() {
    let (text, _) = text(&rounds(2027, ROUNDS, FEW_BALLOTS));
    if std::env::var_os("KOPILKA_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(PATH).unwrap() == text,
        "contracts/test/vectors/settlement.json is not what this crate says now: \
         run `KOPILKA_WRITE_VECTORS=1 cargo test -p kopilka-domain rounds`"
    );
}

/// `KOPILKA_SETTLEMENT_VECTORS` says where; `KOPILKA_ROUNDS` how many, `KOPILKA_SEED` which.
#[test]
fn more_rounds_are_written_where_asked() {
    let Some(path) = std::env::var_os("KOPILKA_SETTLEMENT_VECTORS") else {
        return;
    };
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let (seed, count) = (number("KOPILKA_SEED").unwrap_or(1), number("KOPILKA_ROUNDS").unwrap_or(500));
    let (text, sum) = text(&rounds(seed, count, usize::MAX));
    std::fs::write(path, text).unwrap();
    println!("seed {seed}: {sum}");
}
