//! `kopilka audit`: a stranger's recount of a round.
//!
//! Everything is rebuilt from the events of the round and its token, then held against the contracts' state and the
//! declared result. With a database named, the indexer's tables are held against the same events.

mod database;

use std::collections::BTreeMap;

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, U256};
use alloy::providers::DynProvider;
use anyhow::{Context as _, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use indicatif::ProgressBar;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_token::BudgetToken;
use kopilka_domain::allotment::allotment;
use kopilka_domain::settlement::{self, Outcome};
use kopilka_domain::{Allocation, Allotment, BallotKind, InitiativeId, Kopecks, Phase, Points};
use serde::Serialize;
use url::Url;

use crate::election::{ChainRound, Recorded};
use crate::staff::connect;

pub use database::compare_database;

/// Calls to the node under way at once.
const CALLS: usize = 32;

/// What an audit found to be in order.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// Address of the round.
    pub round: Address,
    /// Block at which it was read.
    pub head: u64,
    /// Registered accounts, each held against the contract.
    pub registered: usize,
    /// Credentials that the issuer says it issued.
    pub issued: u64,
    /// Current allocations, each held against the contract.
    pub allocations: usize,
    /// Kopecks.
    pub minted: U256,
    /// Kopecks paid out.
    pub paid: U256,
    /// Kopecks returned to the budget.
    pub returned: U256,
    /// Winners by the recount; absent before a result is proposed.
    pub winners: Option<Vec<u16>>,
    /// Digest of the recount's transcript.
    pub digest: Option<String>,
    /// Whether the indexer's tables were compared as well.
    pub database_compared: bool,
}

/// Recounts a round.
///
/// # Errors
/// The first difference, named by its place; or why the chain could not be read.
pub async fn audit(
    rpc_url: &Url,
    round: Address,
    first_block: u64,
    database_url: Option<&str>,
    progress: &ProgressBar,
) -> anyhow::Result<AuditReport> {
    let provider = connect(rpc_url, EthereumWallet::default());
    let read = ChainRound::read(&provider, round, first_block).await?;
    let contract = BudgetRound::new(round, provider.clone());
    let phase = Phase::try_from(contract.phase().call().await?)?;
    check_classes(&read, &contract).await?;
    check_citizens(&read, &provider, progress).await?;
    check_money(&read, &provider, phase).await?;
    let outcome = check_result(&read, &contract, phase).await?;
    check_wallets(&read, &provider, phase, outcome.as_ref()).await?;
    if let Some(url) = database_url {
        compare_database(url, &read).await?;
    }
    Ok(AuditReport {
        round,
        head: read.head,
        registered: read.registrations.len(),
        issued: read.classes.iter().map(|class| u64::from(class.issued)).sum(),
        allocations: read.allocations.len(),
        minted: read.minted,
        paid: read.paid,
        returned: read.returned,
        winners: outcome.as_ref().map(|outcome| {
            let mut winners: Vec<u16> = outcome.winners.iter().map(|winner| winner.id.0).collect();
            winners.sort_unstable();
            winners
        }),
        digest: outcome.map(|outcome| outcome.transcript.digest_hex()),
        database_compared: database_url.is_some(),
    })
}

type Round = BudgetRound::BudgetRoundInstance<DynProvider>;

async fn check_classes(read: &ChainRound, contract: &Round) -> anyhow::Result<()> {
    let count = contract.classCount().call().await?;
    ensure!(
        usize::from(count) == read.classes.len(),
        "the contract has {count} classes, its events {}",
        read.classes.len()
    );
    for (class, declared) in (0..count).zip(&read.classes) {
        let stored = contract.classInfo(class).call().await?;
        let registered = read.registrations.values().filter(|registration| registration.class == class).count();
        same(&format!("class {class}: weight"), stored.weight, declared.weight)?;
        same(&format!("class {class}: issued"), stored.issued, declared.issued)?;
        same(&format!("class {class}: registered"), usize::try_from(stored.registered)?, registered)?;
        let phase = Phase::try_from(contract.phase().call().await?)?;
        // While registration is possible the issuer's number may be behind; then the contract insists.
        let registering = matches!(phase, Phase::Draft | Phase::Registration | Phase::Cancelled)
            || (phase == Phase::Pledging && read.config.allotment == Allotment::Fixed.code());
        if !registering {
            let issued = usize::try_from(declared.issued)?;
            ensure!(
                registered <= issued,
                "class {class}: {registered} are registered, but only {issued} credentials were issued"
            );
        }
    }
    let participants = contract.participants(contract.roundId().call().await?).call().await?;
    same("accounts with an allocation", participants, U256::from(read.allocations.len()))?;
    same("registered accounts", usize::try_from(contract.registeredCount().call().await?)?, read.registrations.len())
}

async fn check_citizens(read: &ChainRound, provider: &DynProvider, progress: &ProgressBar) -> anyhow::Result<()> {
    progress.set_length(read.registrations.len() as u64);
    progress.set_message("accounts");
    let none = Recorded { version: 0, initiatives: Vec::new(), points: Vec::new() };
    futures::stream::iter(read.registrations.iter().map(|(account, registration)| {
        let contract = BudgetRound::new(read.round, provider.clone());
        let recorded = read.allocations.get(account).unwrap_or(&none);
        async move {
            let stored = contract.citizen(*account).call().await.with_context(|| format!("citizen({account})"))?;
            ensure!(
                stored.registered,
                "account {account} registered in block {} but the contract does not know it",
                registration.block_number
            );
            same(&format!("account {account}: class"), stored.class, registration.class)?;
            let stored = Recorded { version: stored.version, initiatives: stored.initiatives, points: stored.points };
            ensure!(
                stored == *recorded,
                "allocation of account {account}: the contract holds {stored:?}, the events say {recorded:?}"
            );
            progress.inc(1);
            Ok(())
        }
    }))
    .buffer_unordered(CALLS)
    .try_collect::<()>()
    .await
}

async fn check_money(read: &ChainRound, provider: &DynProvider, phase: Phase) -> anyhow::Result<()> {
    let token = BudgetToken::new(read.token, provider.clone());
    let appropriation = U256::from(token.appropriation().call().await?.amount);
    ensure!(
        read.minted <= appropriation,
        "{} kopecks were minted against an appropriation of {appropriation}",
        read.minted
    );
    same("minted", token.mintedTotal().call().await?, read.minted)?;
    same("paid", token.paidTotal().call().await?, read.paid)?;
    same("returned", token.returnedTotal().call().await?, read.returned)?;
    let supply = token.totalSupply().call().await?;
    let held = read
        .balances
        .values()
        .try_fold(U256::ZERO, |sum, balance| sum.checked_add(*balance))
        .context("balances overflow")?;
    same("token supply against the sum of all balances", supply, held)?;
    same("minted = supply + paid + returned", read.minted, supply + read.paid + read.returned)?;
    for (holder, balance) in &read.balances {
        same(&format!("balance of {holder}"), token.balanceOf(*holder).call().await?, *balance)?;
    }
    let sums = token.reconciliation().call().await?;
    same(
        "minted = treasury + purse + wallets + paid + returned",
        sums.minted,
        sums.treasury + sums.purse + sums.wallets + sums.paid + sums.returned,
    )?;
    if matches!(phase, Phase::Closed | Phase::Cancelled) {
        same("tokens left after the end of the round", supply, U256::ZERO)?;
    }
    Ok(())
}

async fn check_result(read: &ChainRound, contract: &Round, phase: Phase) -> anyhow::Result<Option<Outcome>> {
    let Some(declared) = &read.settlement else { return Ok(None) };
    if phase == Phase::Cancelled {
        return Ok(None);
    }
    let outcome = settlement::settle(&read.election()?)?;
    let mut winners: Vec<u16> = outcome.winners.iter().map(|winner| winner.id.0).collect();
    winners.sort_unstable();
    if winners != declared.winners {
        let missing: Vec<_> = winners.iter().filter(|id| !declared.winners.contains(id)).collect();
        let extra: Vec<_> = declared.winners.iter().filter(|id| !winners.contains(id)).collect();
        bail!("winners differ: by the recount {missing:?} should have won, and {extra:?} should not");
    }
    same("digest of the transcript", declared.digest.0, outcome.transcript.digest())?;
    same("total cost of the winners", declared.total_cost, U256::from(outcome.total_cost.0))?;
    let stored = contract.settlement().call().await?;
    ensure!(
        stored.winners == declared.winners,
        "the contract holds the winners {:?}, its events say {:?}",
        stored.winners,
        declared.winners
    );
    same("digest in the contract", stored.transcriptDigest, declared.digest)?;
    same("proposer in the contract", stored.proposer, declared.proposer)?;
    same("approver in the contract", stored.approver, declared.approver)?;
    same("total cost in the contract", U256::from(stored.totalCost), declared.total_cost)?;
    Ok(Some(outcome))
}

async fn check_wallets(
    read: &ChainRound,
    provider: &DynProvider,
    phase: Phase,
    outcome: Option<&Outcome>,
) -> anyhow::Result<()> {
    let contract = BudgetRound::new(read.round, provider.clone());
    same("number of initiatives", usize::from(contract.initiativeCount().call().await?), read.initiatives.len())?;
    let pledged = if phase < Phase::Settled && phase >= Phase::Pledging { Some(pledged(read)?) } else { None };
    for (id, declared) in &read.initiatives {
        let stored = contract.initiative(*id).call().await?;
        same(&format!("initiative {id}: cost"), stored.cost, declared.cost)?;
        same(&format!("initiative {id}: wallet"), stored.wallet, declared.wallet)?;
        same(&format!("initiative {id}: description"), stored.contentHash, declared.content_hash)?;
        let balance = read.balances.get(&declared.wallet).copied().unwrap_or_default();
        if let Some(pledged) = &pledged {
            let expected = pledged.get(id).copied().unwrap_or_default();
            same(&format!("initiative {id}: wallet against the allocations"), balance, U256::from(expected))?;
            same(&format!("initiative {id}: pledged"), U256::from(stored.pledged), balance)?;
        }
        if let (Some(outcome), true) = (outcome, matches!(phase, Phase::Settled | Phase::Closed)) {
            let won = outcome.has_won(InitiativeId(*id));
            same(&format!("initiative {id}: won"), stored.won, won)?;
            let funded = if won { U256::from(declared.cost) } else { U256::ZERO };
            let (event_won, _, event_funded) =
                declared.settled.with_context(|| format!("initiative {id} was not settled"))?;
            same(&format!("initiative {id}: won in its event"), event_won, won)?;
            same(&format!("initiative {id}: funded in its event"), event_funded, funded)?;
            ensure!(balance <= funded, "initiative {id}: its wallet holds {balance}, more than its cost {funded}");
        }
    }
    Ok(())
}

/// Kopecks that each initiative's wallet must hold while the allocations stand.
fn pledged(read: &ChainRound) -> anyhow::Result<BTreeMap<u16, u128>> {
    let kind = BallotKind::try_from(read.config.ballotKind)?;
    let mut sums: BTreeMap<u16, u128> = BTreeMap::new();
    for (account, recorded) in &read.allocations {
        let class = read.registrations.get(account).context("an allocation without a registration")?.class;
        let weight = read.classes.get(usize::from(class)).context("an unknown class")?.weight;
        let share = allotment(
            Allotment::try_from(read.config.allotment)?,
            Kopecks(read.config.fixedAmount),
            Kopecks(u128::try_from(read.budget)?),
            weight,
            u64::try_from(read.total_weight)?,
        )
        .with_context(|| format!("the share of {account} cannot be computed"))?;
        let allocation = Allocation {
            initiatives: recorded.initiatives.iter().copied().map(InitiativeId).collect(),
            points: recorded.points.iter().copied().map(Points).collect(),
        };
        let division = allocation
            .divide(kind, Points(read.config.sharePoints), share)
            .with_context(|| format!("the allocation of {account} cannot be divided"))?;
        for (id, amount) in division.pledges {
            *sums.entry(id.0).or_default() += amount.0;
        }
    }
    Ok(sums)
}

/// Insists on equality and names the place where it fails.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> anyhow::Result<()> {
    ensure!(found == expected, "{what}: found {found:?}, expected {expected:?}");
    Ok(())
}
