//! `kopilka round …`: what municipal staff do.

use std::path::{Path, PathBuf};

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, B256, U256, keccak256};
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_bindings::budget_token::BudgetToken;
use kopilka_domain::{Kopecks, Phase, settlement};
use uuid::Uuid;

use crate::election::ChainRound;
use crate::staff::{RoundPlan, Staff, connect, describe};
use crate::system::{Secrets, System};

/// Seconds; what is planned shorter than this gives people no time to pledge, or to recount.
const DAY: u32 = 24 * 3600;

/// The staff's steps, in the order in which a round takes them.
#[derive(Debug, Subcommand)]
pub enum RoundCommand {
    /// Show an example of a plan file for `create`.
    Example,
    /// Create a round from a plan: admit the municipality, publish texts, propose to mint the budget, add initiatives.
    Create(CreateArgs),
    /// Treasurer: propose to mint more, within the appropriation.
    ProposeMint(ProposeMintArgs),
    /// Controller: mint what the treasurer proposed.
    ApproveMint(ApproveMintArgs),
    /// Controller: refuse what the treasurer proposed to mint.
    CancelMint(MintArgs),
    /// List the rounds on the chain.
    List(Folder),
    /// Show where a round stands.
    Status(OneRound),
    /// Let citizens register.
    OpenRegistration(OneRound),
    /// Fix the shares and let citizens put them into initiatives.
    OpenPledging(OneRound),
    /// End pledging.
    ClosePledging(OneRound),
    /// Clerk: compute the result from the chain and propose it; the objection window begins.
    Settle(OneRound),
    /// Controller: recount from the chain and approve the proposed result if it is the same.
    Approve(OneRound),
    /// Controller: withdraw a proposed result after a founded objection.
    Withdraw(OneRound),
    /// Make a proposed and approved result final after the objection window.
    Finalize(OneRound),
    /// Record a payment from a winner's wallet.
    Pay(PayArgs),
    /// Return what is left in a winner's wallet to the budget.
    ReturnRemainder(InitiativeArgs),
    /// Close a settled round whose wallets are empty.
    Close(OneRound),
    /// Call a round off; everything returns to the budget.
    Cancel(OneRound),
}

/// Which system.
#[derive(Debug, Args)]
pub struct Folder {
    /// Data folder of the running system.
    #[arg(long, env = "KOPILKA_DATA_DIR", default_value = ".kopilka/run", value_name = "DIR")]
    data_dir: PathBuf,
}

impl Folder {
    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

/// Which round of which system.
#[derive(Debug, Args)]
pub struct OneRound {
    #[command(flatten)]
    folder: Folder,
    /// Address of the round.
    #[arg(long, value_name = "ADDRESS")]
    round: Address,
}

/// Arguments of `create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    #[command(flatten)]
    folder: Folder,
    /// The plan; `kopilka round example` shows one.
    plan: PathBuf,
    /// Issuer key that the portal has already, such as a share of a key made by several offices, as `kopilka ceremony install`
    /// prints it; without it the portal makes a key.
    #[arg(long, value_name = "ID")]
    issuer_key: Option<Uuid>,
}

/// Arguments of `propose-mint`.
#[derive(Debug, Args)]
pub struct ProposeMintArgs {
    #[command(flatten)]
    one: OneRound,
    /// Amount in rubles, e.g. 125000,50.
    #[arg(long, value_name = "RUBLES")]
    amount: Kopecks,
    /// Name or address of the order to mint; only its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    document: String,
}

/// Which proposal to mint.
#[derive(Debug, Args)]
pub struct MintArgs {
    #[command(flatten)]
    one: OneRound,
    /// Id of the proposal, as `create` and `propose-mint` print it.
    #[arg(long, value_name = "N")]
    mint: U256,
}

/// Which proposal to mint, and what the controller expects of it.
#[derive(Debug, Args)]
pub struct ApproveMintArgs {
    #[command(flatten)]
    mint: MintArgs,
    /// Amount in rubles that the proposal must be for.
    #[arg(long, value_name = "RUBLES")]
    amount: Option<Kopecks>,
    /// Name or address of the order on which it must rest; that of the plan's appropriation for the first one.
    #[arg(long, value_name = "TEXT")]
    document: Option<String>,
}

/// Which initiative.
#[derive(Debug, Args)]
pub struct InitiativeArgs {
    #[command(flatten)]
    one: OneRound,
    /// Id of the initiative.
    #[arg(long, value_name = "N")]
    initiative: u16,
}

impl InitiativeArgs {
    pub(super) fn folder(&self) -> &Folder {
        &self.one.folder
    }

    /// The round and the initiative's id.
    pub(super) fn named(&self) -> (Address, u16) {
        (self.one.round, self.initiative)
    }
}

/// Arguments of `pay`.
#[derive(Debug, Args)]
pub struct PayArgs {
    #[command(flatten)]
    which: InitiativeArgs,
    /// Amount in rubles, e.g. 125000,50.
    #[arg(long, value_name = "RUBLES")]
    amount: Kopecks,
    /// Number of the payment order; only its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    reference: String,
    /// Name or address of the supporting document; only its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    document: String,
}

/// Runs one step.
pub(super) async fn run(command: RoundCommand) -> anyhow::Result<()> {
    match command {
        RoundCommand::Example => {
            say!("{}", include_str!("../../round-plan.example.json"));
            Ok(())
        }
        RoundCommand::Create(args) => {
            let plan = read_plan(&args.plan)?;
            let (_, staff) = open(&args.folder)?;
            let handle = staff.create_round(&plan, args.issuer_key.as_ref().map(Uuid::to_string).as_deref()).await?;
            say!("round {}\ntoken {}\nmint {}", handle.round, handle.token, handle.mint_id);
            say!("The round has no money yet: a controller approves it with `kopilka round approve-mint`.");
            if plan.pledging_seconds().is_some_and(|planned| planned < u64::from(DAY)) {
                say!(
                    "NOTE: pledging is planned for less than a day. Relayers take nothing after its end (without a plan, half a day after the opening), and a day later anybody may end it. pledging_until should be days after registration_until."
                );
            }
            if plan.objection_seconds < DAY {
                say!(
                    "NOTE: a result can be made final {} s after it was proposed: too soon for anybody to recount it. objection_seconds should be days.",
                    plan.objection_seconds
                );
            }
            Ok(())
        }
        RoundCommand::ProposeMint(args) => {
            let (system, staff) = open(&args.one.folder)?;
            let token = token_of(&system, args.one.round).await?;
            let mint_id = staff.propose_mint(token, args.amount, &args.document).await?;
            say!("mint {mint_id}");
            say!("Nothing is minted yet: a controller approves it with `kopilka round approve-mint`.");
            Ok(())
        }
        RoundCommand::ApproveMint(args) => approve_mint(&args).await,
        RoundCommand::CancelMint(args) => {
            let (system, staff) = open(&args.one.folder)?;
            staff.cancel_mint(token_of(&system, args.one.round).await?, args.mint).await
        }
        RoundCommand::List(folder) => list(&folder).await,
        RoundCommand::Status(one) => status(&one).await,
        RoundCommand::OpenRegistration(one) => open(&one.folder)?.1.open_registration(one.round).await,
        RoundCommand::OpenPledging(one) => open(&one.folder)?.1.open_pledging(one.round).await,
        RoundCommand::ClosePledging(one) => open(&one.folder)?.1.close_pledging(one.round).await,
        RoundCommand::Settle(one) => settle(&one).await,
        RoundCommand::Approve(one) => approve(&one).await,
        RoundCommand::Withdraw(one) => open(&one.folder)?.1.withdraw(one.round).await,
        RoundCommand::Finalize(one) => {
            open(&one.folder)?.1.finalize(one.round).await?;
            say!("The result is final.");
            Ok(())
        }
        RoundCommand::Pay(args) => {
            let which = &args.which;
            let (_, staff) = open(&which.one.folder)?;
            staff.pay(which.one.round, which.initiative, args.amount, &args.reference, &args.document).await
        }
        RoundCommand::ReturnRemainder(args) => {
            open(&args.one.folder)?.1.return_remainder(args.one.round, args.initiative).await
        }
        RoundCommand::Close(one) => open(&one.folder)?.1.close(one.round).await,
        RoundCommand::Cancel(one) => open(&one.folder)?.1.cancel(one.round).await,
    }
}

pub(super) fn open(folder: &Folder) -> anyhow::Result<(System, Staff)> {
    let system = System::load(&folder.data_dir)?;
    let staff = Staff::new(&system, &Secrets::load(&folder.data_dir)?)?;
    Ok((system, staff))
}

fn read_plan(path: &Path) -> anyhow::Result<RoundPlan> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a plan of a round: compare `kopilka round example`", path.display()))
}

async fn list(folder: &Folder) -> anyhow::Result<()> {
    let system = System::load(&folder.data_dir)?;
    let provider = connect(&system.rpc_url, EthereumWallet::default());
    let factory = BudgetRounds::new(system.deployment.rounds, provider.clone());
    let count = factory.roundCount().call().await?.to::<u64>();
    for id in 1..=count {
        let address = factory.roundAt(U256::from(id)).call().await?.round;
        let phase = Phase::try_from(BudgetRound::new(address, provider.clone()).phase().call().await?)?;
        say!("{id}\t{address}\t{phase}");
    }
    Ok(())
}

async fn status(one: &OneRound) -> anyhow::Result<()> {
    let system = System::load(&one.folder.data_dir)?;
    let provider = connect(&system.rpc_url, EthereumWallet::default());
    let round = BudgetRound::new(one.round, provider);
    let phase = Phase::try_from(round.phase().call().await?)?;
    say!("phase        {phase}");
    let token = BudgetToken::new(round.token().call().await?, round.provider().clone());
    let sums = token.reconciliation().call().await?;
    for (name, kopecks) in [
        ("appropriated", sums.appropriation),
        ("minted", sums.minted),
        ("treasury", sums.treasury),
        ("purse", sums.purse),
        ("wallets", sums.wallets),
        ("paid", sums.paid),
        ("returned", sums.returned),
    ] {
        say!("{name:<12} {}", Kopecks(kopecks.to::<u128>()));
    }
    say!("registered   {}", round.registeredCount().call().await?);
    say!("initiatives  {}", round.initiativeCount().call().await?);
    for id in 1..=round.initiativeCount().call().await? {
        let initiative = round.initiative(id).call().await?;
        let won = if initiative.won { "  won" } else { "" };
        say!("{id:>5}  {} of {}{won}", Kopecks(initiative.pledged), Kopecks(initiative.cost));
    }
    Ok(())
}

async fn settle(one: &OneRound) -> anyhow::Result<()> {
    let (system, staff) = open(&one.folder)?;
    let provider = connect(&system.rpc_url, EthereumWallet::default());
    let read = ChainRound::read(&provider, one.round, system.deployment.first_block).await?;
    ensure!(
        read.settlement.is_none(),
        "a result is proposed already: run `kopilka round finalize`, or have it withdrawn"
    );
    let (winners, digest) = count(&read)?;
    staff.propose(one.round, winners, digest).await?;
    say!(
        "The result is proposed; the objection window is open. A controller approves it with `kopilka round approve`."
    );
    Ok(())
}

/// The controller trusts no proposal: the result is counted again.
async fn approve(one: &OneRound) -> anyhow::Result<()> {
    let (system, staff) = open(&one.folder)?;
    let provider = connect(&system.rpc_url, EthereumWallet::default());
    let read = ChainRound::read(&provider, one.round, system.deployment.first_block).await?;
    let proposed = read.settlement.as_ref().context("no result is proposed: run `kopilka round settle` first")?;
    let (winners, digest) = count(&read)?;
    ensure!(
        winners == proposed.winners && digest == proposed.digest,
        "the proposed result is not that of the recount: proposed winners {:?} with transcript {}; withdraw it with \
         `kopilka round withdraw`",
        proposed.winners,
        proposed.digest
    );
    staff.approve(one.round, winners, digest).await?;
    say!("The result is approved.");
    Ok(())
}

/// Winners and digest of the transcript, from the chain alone.
fn count(read: &ChainRound) -> anyhow::Result<(Vec<u16>, B256)> {
    let outcome = settlement::settle(&read.election()?)?;
    let mut winners: Vec<u16> = outcome.winners.iter().map(|winner| winner.id.0).collect();
    winners.sort_unstable();
    say!("winners {winners:?}, together {}", outcome.total_cost);
    Ok((winners, outcome.transcript.digest().into()))
}

async fn approve_mint(args: &ApproveMintArgs) -> anyhow::Result<()> {
    let (system, staff) = open(&args.mint.one.folder)?;
    let token = token_of(&system, args.mint.one.round).await?;
    let reader = BudgetToken::new(token, connect(&system.rpc_url, EthereumWallet::default()));
    let proposal =
        reader.mintProposal(args.mint.mint).call().await.map_err(|error| anyhow::anyhow!(describe(&error)))?;
    let amount = Kopecks(proposal.amount);
    if let Some(expected) = args.amount {
        ensure!(
            amount == expected,
            "proposal {} is to mint {amount}, not {expected}: nothing is approved",
            args.mint.mint
        );
    }
    if let Some(document) = &args.document {
        ensure!(
            proposal.documentHash == keccak256(document),
            "proposal {} rests on another document than «{document}»: its hash is {}; nothing is approved",
            args.mint.mint,
            proposal.documentHash
        );
    }
    staff.approve_mint(token, args.mint.mint, amount, proposal.documentHash).await?;
    say!("{amount} are minted, proposed by {} on the document {}.", proposal.proposer, proposal.documentHash);
    Ok(())
}

async fn token_of(system: &System, round: Address) -> anyhow::Result<Address> {
    let round = BudgetRound::new(round, connect(&system.rpc_url, EthereumWallet::default()));
    round.token().call().await.with_context(|| format!("{} is not a round on this chain", round.address()))
}
