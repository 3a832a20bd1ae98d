//! `kopilka replay`: an election from a Pabulib file, every voter an invented citizen who goes through the real HTTP
//! interfaces. Only the staff's part (creating the round, ending its phases) is done by the replay itself.

mod citizen;
mod http;
mod plan;
mod report;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::{DynProvider, Provider as _};
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent as _;
use anyhow::{Context as _, ensure};
use futures::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_credential::{CredentialScope, IssuerPublicKey};
use kopilka_domain::Kopecks;
use kopilka_domain::pabulib::{Instance, Vote};
use kopilka_domain::settlement;
use kopilka_esia::standin::{demo_municipalities, generated_oid};

use crate::audit::audit;
use crate::election::ChainRound;
use crate::staff::{Staff, connect};
use crate::system::{Secrets, System};

pub use plan::{ChainIds, RuleChoice, rule_of};
pub use report::{Report, Stage};

use citizen::{Citizen, RoundScope, Sites, message_status};

/// How a replay is run.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// Only the first voters of the file.
    pub voters: Option<usize>,
    /// Rule, where it differs from the file's.
    pub choice: RuleChoice,
    /// Citizens under way at once.
    pub concurrency: usize,
    /// Length of the objection window.
    pub objection_seconds: u32,
    /// Stop while pledging is open, so that people can take part.
    pub leave_open: bool,
}

/// How many voters one replay can have: the citizens that the stand-in invents.
pub const MAX_VOTERS: usize = 200_000;

/// How long accepted messages may take to be mined.
const PATIENCE: Duration = Duration::from_secs(600);

/// Replays `file` on a running system.
///
/// # Errors
/// The first thing that stops it, with the stage.
pub async fn replay(
    file: &Path,
    system: &System,
    secrets: &Secrets,
    options: &ReplayOptions,
    bars: &MultiProgress,
) -> anyhow::Result<Report> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let instance = Instance::from_bytes(&bytes).with_context(|| format!("{} is not a Pabulib file", file.display()))?;
    let votes = match options.voters {
        Some(voters) => instance.votes.get(..voters.min(instance.votes.len())).unwrap_or_default(),
        None => &instance.votes,
    };
    ensure!(!votes.is_empty(), "{} has no votes", file.display());
    ensure!(
        votes.len() <= MAX_VOTERS,
        "the stand-in invents {MAX_VOTERS} citizens; use --voters to replay fewer of the {} voters",
        votes.len()
    );

    let mut stages = Vec::new();
    let started = Instant::now();
    let municipality = demo_municipalities().into_iter().next().context("the stand-in has no municipality")?;
    let staff = Staff::new(system, secrets)?;
    let plan = plan::plan(&instance, &municipality, &options.choice, options.objection_seconds)?;
    let handle = staff.create_round(&plan, None).await.context("the round could not be created")?;
    let order = keccak256(&plan.appropriation.document_uri);
    staff.approve_mint(handle.token, handle.mint_id, plan.appropriation.amount, order).await?;
    staff.open_registration(handle.round).await?;
    stages.push(Stage::ended("setup", plan.initiatives.len(), started));

    let provider = connect(&system.rpc_url, EthereumWallet::default());
    let round = round_scope(&provider, handle.round, system.deployment.chain_id).await?;
    let sites = Sites { portal: system.portal_url.clone(), relayer: system.relayer_url.clone() };
    let mut run = Run { sites, client: http::client()?, round, options, bars, rejected: Mutex::default() };

    let voting = Instant::now();
    let citizens = run.register_all(votes).await?;
    stages.push(Stage::ended("login, credential, registration", citizens.len(), voting));

    let opening = Instant::now();
    staff.open_pledging(handle.round).await?;
    stages.push(Stage::ended("opening of pledging", 1, opening));

    let ids = ChainIds::new(&instance);
    let pledging = Instant::now();
    let allocated = run.allocate_all(&citizens, &ids).await?;
    stages.push(Stage::ended("allocation", allocated, pledging));
    let voting_seconds: f64 = stages
        .iter()
        .filter(|stage| stage.name != "setup" && stage.name != "opening of pledging")
        .map(|stage| stage.seconds)
        .sum();
    ensure!(!options.leave_open, "pledging of round {} is left open on request", handle.round);

    let settling = Instant::now();
    staff.close_pledging(handle.round).await?;
    let before = ChainRound::read(&provider, handle.round, system.deployment.first_block).await?;
    let pledged: U256 = before
        .initiatives
        .values()
        .map(|initiative| before.balances.get(&initiative.wallet).copied().unwrap_or_default())
        .sum();
    let outcome = settlement::settle(&before.election()?)?;
    let mut winners: Vec<u16> = outcome.winners.iter().map(|winner| winner.id.0).collect();
    winners.sort_unstable();
    let digest: B256 = outcome.transcript.digest().into();
    staff.propose(handle.round, winners.clone(), digest).await?;
    staff.approve(handle.round, winners.clone(), digest).await?;
    staff.finalize(handle.round).await?;
    stages.push(Stage::ended("settlement", winners.len(), settling));

    let auditing = Instant::now();
    let bar = run.bar("audit", 0);
    let database = wait_for_index(system, &provider).await?;
    let audited = audit(&system.rpc_url, handle.round, system.deployment.first_block, database, &bar).await?;
    bar.finish_and_clear();
    stages.push(Stage::ended("audit", audited.registered, auditing));

    let after = ChainRound::read(&provider, handle.round, system.deployment.first_block).await?;
    let official = (options.voters.is_none()).then(|| instance.official_winners()).flatten();
    let in_file: Vec<String> = {
        let mut projects: Vec<_> =
            instance.projects.iter().filter(|p| ids.of(p.id).is_some_and(|id| winners.contains(&id))).collect();
        projects.sort_unstable_by_key(|project| project.id);
        projects.into_iter().map(|project| project.external_id.clone()).collect()
    };
    let gas_of = |signature: B256| gas_of_events(&provider, handle.round, system.deployment.first_block, signature);
    let ballots = outcome.voters.max(1);
    Ok(Report {
        election: file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        round: handle.round,
        round_url: system.explorer_url.join(&format!("round/{}", handle.round))?.to_string(),
        ballot_kind: instance.kind.to_string(),
        rule: describe_rule(&instance, &options.choice),
        voters: votes.len(),
        registered: after.registrations.len(),
        allocations: after.allocations.len(),
        rejected: run.rejected.get_mut().map(std::mem::take).unwrap_or_default(),
        minted: after.minted.to_string(),
        pledged: pledged.to_string(),
        spent: outcome.total_cost.0.to_string(),
        returned: after.returned.to_string(),
        official_match: official.map(|official| ids.all(&official) == winners),
        winners,
        winners_in_file: in_file,
        voters_with_nothing: outcome.voters_with_nothing,
        voters_with_nothing_percent: (outcome.voters_with_nothing as f64 * 1000.0 / ballots as f64).round() / 10.0,
        transcript_digest: outcome.transcript.digest_hex(),
        gas_per_registration: gas_of(BudgetRound::Registered::SIGNATURE_HASH).await?,
        gas_per_allocation: gas_of(BudgetRound::AllocationRecorded::SIGNATURE_HASH).await?,
        audit_passed: true,
        voting_rate: votes.len() as f64 / voting_seconds,
        stages,
    })
}

struct Run<'a> {
    sites: Sites,
    client: reqwest::Client,
    round: RoundScope,
    options: &'a ReplayOptions,
    bars: &'a MultiProgress,
    rejected: Mutex<BTreeMap<String, u64>>,
}

impl Run<'_> {
    /// Every voter logs in, obtains a credential and registers; returns when all are on chain.
    async fn register_all<'v>(&mut self, votes: &'v [Vote]) -> anyhow::Result<Vec<(Citizen, &'v Vote)>> {
        let bar = self.bar("registering", votes.len());
        let this = &*self;
        let results: Vec<Option<(Citizen, &Vote, String)>> = futures::stream::iter(votes.iter().enumerate())
            .map(|(index, vote)| {
                let bar = bar.clone();
                async move {
                    let oid = generated_oid(0, u32::try_from(index).unwrap_or(u32::MAX)).get();
                    let citizen = Citizen::new(oid, &this.round.scope, &mut rand::rng())?;
                    let outcome = async {
                        let credential = citizen.obtain_credential(&this.client, &this.sites, &this.round).await?;
                        citizen.register(&this.client, &this.sites, &this.round, &credential).await
                    }
                    .await;
                    bar.inc(1);
                    match outcome {
                        Ok(accepted) => Ok(Some((citizen, vote, accepted.id))),
                        Err(error) => this.reject("registration", &error).map(|()| None),
                    }
                }
            })
            .buffer_unordered(this.options.concurrency)
            .collect::<Vec<anyhow::Result<_>>>()
            .await
            .into_iter()
            .collect::<anyhow::Result<_>>()?;
        let ids: Vec<String> = results.iter().flatten().map(|(_, _, id)| id.clone()).collect();
        bar.finish_and_clear();
        let done = this.wait_until_done("on chain", &ids).await?;
        Ok(results
            .into_iter()
            .flatten()
            .zip(done)
            .filter_map(|((citizen, vote, _), done)| done.then_some((citizen, vote)))
            .collect())
    }

    /// Every registered citizen signs and sends the file's ballot; returns when all are on chain.
    async fn allocate_all(&self, citizens: &[(Citizen, &Vote)], ids: &ChainIds) -> anyhow::Result<usize> {
        let bar = self.bar("allocating", citizens.len());
        let results: Vec<Option<String>> = futures::stream::iter(citizens)
            .map(|(citizen, vote)| {
                let bar = bar.clone();
                async move {
                    let choices = ids.allocation(&vote.allocation);
                    let outcome = citizen.allocate(&self.client, &self.sites, &self.round, 1, choices).await;
                    bar.inc(1);
                    match outcome {
                        Ok(accepted) => Ok(Some(accepted.id)),
                        Err(error) => self.reject("allocation", &error).map(|()| None),
                    }
                }
            })
            .buffer_unordered(self.options.concurrency)
            .collect::<Vec<anyhow::Result<_>>>()
            .await
            .into_iter()
            .collect::<anyhow::Result<_>>()?;
        bar.finish_and_clear();
        let accepted: Vec<String> = results.into_iter().flatten().collect();
        let done = self.wait_until_done("on chain", &accepted).await?;
        Ok(done.into_iter().filter(|done| *done).count())
    }

    /// Asks the relayer for each accepted message until it is mined or failed.
    async fn wait_until_done(&self, what: &'static str, ids: &[String]) -> anyhow::Result<Vec<bool>> {
        let bar = self.bar(what, ids.len());
        let until = Instant::now() + PATIENCE;
        let results: Vec<anyhow::Result<bool>> = futures::stream::iter(ids)
            .map(|id| {
                let bar = bar.clone();
                async move {
                    loop {
                        let status = message_status(&self.client, &self.sites, id).await?;
                        match status.status.as_str() {
                            "mined" | "finalized" => {
                                bar.inc(1);
                                return Ok(true);
                            }
                            "failed" => {
                                bar.inc(1);
                                let reason = status.reason.unwrap_or_else(|| "no reason given".to_owned());
                                return self.reject("relayed", &anyhow::anyhow!(reason)).map(|()| false);
                            }
                            _ => ensure!(
                                Instant::now() < until,
                                "message {id} is still {} after {} s",
                                status.status,
                                PATIENCE.as_secs()
                            ),
                        }
                        tokio::time::sleep(Duration::from_millis(250)).await;
                    }
                }
            })
            .buffered(self.options.concurrency)
            .collect()
            .await;
        bar.finish_and_clear();
        results.into_iter().collect()
    }

    /// Counts a refusal; anything else ends the replay.
    fn reject(&self, stage: &str, error: &anyhow::Error) -> anyhow::Result<()> {
        let mut rejected = self.rejected.lock().map_err(|_| anyhow::anyhow!("a citizen's task broke down"))?;
        *rejected.entry(format!("{stage}: {error:#}")).or_default() += 1;
        ensure!(rejected.values().sum::<u64>() < 1000, "too many refusals; the last one: {stage}: {error:#}");
        Ok(())
    }

    fn bar(&self, message: &'static str, length: usize) -> ProgressBar {
        let style = ProgressStyle::with_template("  {msg:<12} {bar:40} {pos}/{len} {per_sec:>12} {eta:>5}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bars.add(ProgressBar::new(length as u64).with_style(style).with_message(message))
    }
}

async fn round_scope(provider: &DynProvider, round: Address, chain_id: u64) -> anyhow::Result<RoundScope> {
    let contract = BudgetRound::new(round, provider.clone());
    let round_id = contract.roundId().call().await?;
    let key = contract.classInfo(0).call().await?.issuerKey;
    Ok(RoundScope {
        round,
        scope: CredentialScope::new(
            chain_id,
            round.into_array(),
            kopilka_credential::ScopeId::from(round_id.to_be_bytes()),
            0,
        ),
        issuer_key: IssuerPublicKey::from_eip2537(&key).context("the issuer key on chain is malformed")?,
    })
}

/// Waits until the indexer has seen the head, so that its tables can be compared as well.
async fn wait_for_index<'a>(system: &'a System, provider: &DynProvider) -> anyhow::Result<Option<&'a str>> {
    let head = provider.get_block_number().await?;
    let pool = kopilka_store::connect(&system.database_url, 1).await?;
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let mut connection = pool.acquire().await?;
        let indexed = kopilka_store::chain::audit::indexed_block(&mut connection).await?;
        if indexed.is_some_and(|block| block >= head) {
            return Ok(Some(&system.database_url));
        }
        ensure!(Instant::now() < until, "the indexer is at block {indexed:?}, the chain at {head}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Gas of all transactions that emitted an event, divided by the number of the events.
async fn gas_of_events(
    provider: &DynProvider,
    round: Address,
    first_block: u64,
    signature: B256,
) -> anyhow::Result<f64> {
    let filter = Filter::new().address(round).event_signature(signature).from_block(first_block);
    let logs = provider.get_logs(&filter).await?;
    let mut transactions: Vec<B256> = logs.iter().filter_map(|log| log.transaction_hash).collect();
    transactions.sort_unstable();
    transactions.dedup();
    let mut gas = 0;
    for hash in transactions {
        gas += provider.get_transaction_receipt(hash).await?.context("a transaction without a receipt")?.gas_used;
    }
    Ok((gas as f64 * 10.0 / logs.len().max(1) as f64).round() / 10.0)
}

fn describe_rule(instance: &Instance, choice: &RuleChoice) -> String {
    let (rule, completion, threshold) = rule_of(instance, choice);
    let mut text = rule.to_string();
    if rule == kopilka_domain::Rule::EqualShares {
        for (on, word) in [(completion.raise, "raise"), (completion.fill, "fill")] {
            if on {
                text.push('+');
                text.push_str(word);
            }
        }
    }
    if threshold > 0 {
        text.push_str(&format!(", threshold {threshold}"));
    }
    text
}

/// A report in words.
pub fn summary(report: &Report) -> String {
    let money = |kopecks: &str| kopecks.parse().map_or_else(|_| kopecks.to_owned(), |k| Kopecks(k).to_string());
    let mut lines = vec![
        format!("{} ({}, {})", report.election, report.ballot_kind, report.rule),
        format!("  voters {}, registered {}, allocations {}", report.voters, report.registered, report.allocations),
        format!(
            "  minted {} = spent {} + returned {}",
            money(&report.minted),
            money(&report.spent),
            money(&report.returned)
        ),
        format!(
            "  pledged {}, winners {}: {}",
            money(&report.pledged),
            report.winners.len(),
            report.winners_in_file.join(", ")
        ),
        format!("  voters with nothing {} ({} %)", report.voters_with_nothing, report.voters_with_nothing_percent),
        format!("  gas: registration {}, allocation {}", report.gas_per_registration, report.gas_per_allocation),
        format!("  voting {:.0} citizens a second; audit passed", report.voting_rate),
    ];
    if let Some(matches) = report.official_match {
        lines.push(format!("  official winners: {}", if matches { "the same" } else { "DIFFERENT" }));
    }
    for stage in &report.stages {
        lines.push(format!("  {:<32} {:>8.1} s {:>8.0}/s", stage.name, stage.seconds, stage.rate));
    }
    for (reason, count) in &report.rejected {
        lines.push(format!("  turned away {count}: {reason}"));
    }
    lines.join("\n")
}
