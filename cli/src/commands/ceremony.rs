//! `kopilka ceremony …`: an issuer key made by several offices.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use kopilka_credential::BlindedMessage;
use kopilka_credential::threshold::{IssuerIndex, PartialSignature};
use kopilka_portal::KeyStore;
use url::Url;
use zeroize::Zeroizing;

use crate::ceremony::{self, Card, Identity, Passphrase, PrivateFolder, Purpose, Record, Transcript};
use crate::system::portal_address;

/// The steps, in the order in which a ceremony takes them.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Everybody exchanges the files of the public folder in any way, e.g. by mail; nothing in it is secret. What lies in the private
folder leaves it never. Compare the digests that the steps print by telephone. The whole procedure is in docs/ceremony.md.

Example, for three offices of which two must sign:
  kopilka ceremony identity --private mine --name 'Администрация, Иванова'    each; hand on mine/card.json
  kopilka ceremony init --folder round-7 --needed 2 --card a.json --card b.json --card c.json …   one of them
  kopilka ceremony contribute --folder round-7 --private mine                 each; pass contribution-N.json round
  kopilka ceremony verify --folder round-7 --private mine                     each; pass review-N.json round
  kopilka ceremony finish --folder round-7 --private mine                     each; pass confirmation-N.json round
  kopilka ceremony show --folder round-7                                      the key for the contract
  kopilka ceremony install --folder round-7 --private mine --keys DIR \\
      --portal https://a.example --portal https://b.example --portal https://c.example     each; gives the share to the portal")]
pub enum CeremonyCommand {
    /// Make the keys of a participant: an identity, which is secret, and a card to hand on.
    Identity(IdentityArgs),
    /// Start a ceremony from the cards of all participants.
    Init(InitArgs),
    /// Round 1: deal shares to all participants.
    Contribute(Mine),
    /// Round 2: check the shares that were dealt to you, and complain of wrong ones.
    Verify(Mine),
    /// Round 3, only if somebody complained of you: publish the disputed shares.
    Answer(Mine),
    /// The end: store your share and confirm the key.
    Finish(FinishArgs),
    /// Show the key in the encoding that contracts take, or what is still missing.
    Show(ShowArgs),
    /// Give your share to your portal, which signs with it from then on.
    Install(InstallArgs),
    /// Sign a blinded message with your share, to try the key out.
    Sign(SignArgs),
    /// Combine the signatures of several participants.
    Combine(CombineArgs),
    /// After the round: destroy your share and say so.
    Destroy(DestroyArgs),
}

/// The public folder.
#[derive(Debug, Args)]
struct Public {
    /// Folder with the files that all participants see.
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
}

/// The private folder and how to open it.
#[derive(Debug, Args)]
struct Private {
    /// Your own folder, which nobody else may read.
    #[arg(long, value_name = "DIR")]
    private: PathBuf,
    /// File whose first line is the passphrase; asked for when missing.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// A participant's step.
#[derive(Debug, Args)]
pub struct Mine {
    #[command(flatten)]
    public: Public,
    #[command(flatten)]
    private: Private,
}

/// Arguments of `identity`.
#[derive(Debug, Args)]
pub struct IdentityArgs {
    #[command(flatten)]
    private: Private,
    /// Office and person, as the others know them.
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Do not seal the identity with a passphrase: for a medium that is locked away.
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    #[command(flatten)]
    public: Public,
    /// How many participants must sign: more than half of them.
    #[arg(long, value_name = "N")]
    needed: u8,
    /// Card of a participant; the first is issuer 1.
    #[arg(long = "card", value_name = "FILE", required = true)]
    cards: Vec<PathBuf>,
    /// The EVM chain on which the key will be used.
    #[arg(long, value_name = "N")]
    chain_id: u64,
    /// The kind of contract that will have the key.
    #[arg(long, value_name = "NAME", default_value = "BudgetRound")]
    contract: String,
    /// The municipality.
    #[arg(long, value_name = "TEXT")]
    municipality: String,
    /// What the key is for: the round or poll, and the class of citizens.
    #[arg(long, value_name = "TEXT")]
    purpose: String,
}

/// Arguments of `finish`.
#[derive(Debug, Args)]
pub struct FinishArgs {
    #[command(flatten)]
    mine: Mine,
    /// Number of an issuer whose answer to a complaint is no longer waited for. All participants must decide alike.
    #[arg(long, value_name = "N")]
    without_answer: Vec<u8>,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    public: Public,
    /// As for `finish`.
    #[arg(long, value_name = "N")]
    without_answer: Vec<u8>,
    /// Print the key for the contract alone; refuse unless everybody has confirmed it.
    #[arg(long)]
    key: bool,
}

/// Arguments of `install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    #[command(flatten)]
    mine: Mine,
    /// As for `finish`.
    #[arg(long, value_name = "N")]
    without_answer: Vec<u8>,
    /// Where the key's file goes: the portal's folder of issuer keys, DATA/issuer-keys, or one from which it is carried there.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Address of an issuer's portal, once for each issuer, the first issuer's first.
    #[arg(long = "portal", value_name = "URL", required = true, value_parser = portal_address)]
    portals: Vec<Url>,
    /// The issuer at whose portal citizens begin, the municipality's: it signs first, and the others only what it has signed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    home: u8,
    /// The round that has the key; at the home portal the clerk's `round create --issuer-key` says it.
    #[arg(long, value_name = "ADDRESS")]
    round: Option<Address>,
    /// The class that has the key.
    #[arg(long, value_name = "N", default_value_t = 0)]
    class: u8,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    #[command(flatten)]
    mine: Mine,
    /// As for `finish`.
    #[arg(long, value_name = "N")]
    without_answer: Vec<u8>,
    /// The blinded message, 48 bytes in hex; the ceremony's own trial message when missing.
    #[arg(long, value_name = "HEX")]
    blinded: Option<BlindedMessage>,
}

/// Arguments of `combine`.
#[derive(Debug, Args)]
pub struct CombineArgs {
    #[command(flatten)]
    public: Public,
    /// As for `finish`.
    #[arg(long, value_name = "N")]
    without_answer: Vec<u8>,
    /// The blinded message, as given to `sign`.
    #[arg(long, value_name = "HEX")]
    blinded: Option<BlindedMessage>,
    /// What `sign` printed, a file for each issuer.
    #[arg(required = true, value_name = "FILE")]
    signatures: Vec<PathBuf>,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    mine: Mine,
    /// Keep the identity because it serves another ceremony: until it is destroyed too, the share can be restored.
    #[arg(long)]
    keep_identity: bool,
}

/// Runs one step.
pub(super) fn run(command: CeremonyCommand) -> anyhow::Result<()> {
    match command {
        CeremonyCommand::Identity(args) => identity(&args),
        CeremonyCommand::Init(args) => init(args),
        CeremonyCommand::Contribute(args) => contribute(&args),
        CeremonyCommand::Verify(args) => verify(&args),
        CeremonyCommand::Answer(args) => answer(&args),
        CeremonyCommand::Finish(args) => finish(&args),
        CeremonyCommand::Show(args) => show(&args),
        CeremonyCommand::Install(args) => install(&args),
        CeremonyCommand::Sign(args) => sign(&args),
        CeremonyCommand::Combine(args) => combine(&args),
        CeremonyCommand::Destroy(args) => destroy(&args),
    }
}

fn identity(args: &IdentityArgs) -> anyhow::Result<()> {
    ensure!(!args.name.trim().is_empty(), "--name is empty: others must know whose card this is");
    let private = args.private.folder();
    let path = private.identity_file();
    ensure!(!path.exists(), "{} exists already, and is not overwritten", path.display());
    let passphrase = if args.no_passphrase { None } else { Some(args.private.new_passphrase()?) };
    let identity = Identity::generate(args.name.trim());
    private.create_identity(&identity, passphrase.as_ref())?;
    let card = identity.card()?;
    let file = private.card_file();
    std::fs::write(&file, format!("{}\n", serde_json::to_string_pretty(&card)?))
        .with_context(|| format!("cannot write {}", file.display()))?;
    say!("Your identity is {}: keep it, and its passphrase, to yourself.", path.display());
    say!("Hand on {}, and read this to whoever prepares the ceremony:", file.display());
    say!("  {}", card.signer);
    Ok(())
}

fn init(args: InitArgs) -> anyhow::Result<()> {
    let mut cards = Vec::new();
    for path in &args.cards {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let card: Card = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a card: `kopilka ceremony identity` makes one", path.display()))?;
        cards.push(card);
    }
    let purpose = Purpose {
        chain_id: args.chain_id,
        contract: args.contract,
        municipality: args.municipality,
        what: args.purpose,
    };
    let record = ceremony::create(&args.public.folder, args.needed, purpose, cards)?;
    print_plan(&record);
    say!("Send ceremony.json to all, and let everybody compare the session by telephone before contributing.");
    Ok(())
}

fn print_plan(record: &Record) {
    let (plan, threshold) = (&record.plan, record.plan.threshold);
    let purpose = &plan.purpose;
    say!("session      {}", plan.session());
    say!("key for      {}, {}, {}, chain {}", purpose.what, purpose.municipality, purpose.contract, purpose.chain_id);
    say!("threshold    {threshold} must sign; {} may lose their shares", threshold.may_be_lost());
    say!("withstands   {} corrupt who would issue alone;", threshold.withstands());
    say!(
        "             {} corrupt who help a citizen to a second credential ({} where the home issuer is honest)",
        threshold.withstands_with_a_citizen(),
        threshold.withstands()
    );
    if threshold.withstands_with_a_citizen() == 0 {
        say!("WARNING      a corrupt home issuer and a citizen together could make two credentials of one:");
        say!("             where that is a worry, let more sign, such as 3 of 3 or 3 of 4");
    }
    for (index, card) in threshold.indices().zip(&plan.participants) {
        say!("issuer {index:<5} {} {}", card.signer, card.name);
    }
}

fn contribute(args: &Mine) -> anyhow::Result<()> {
    let (record, identity, private) = args.open()?;
    let path = ceremony::contribute(&record, &identity, &private)?;
    say!("session {}", record.plan.session());
    say!("Send {} to all the others. Nothing in it is secret.", path.display());
    Ok(())
}

fn verify(args: &Mine) -> anyhow::Result<()> {
    let (record, identity, _) = args.open()?;
    let (path, complaints) = ceremony::verify(&record, &identity)?;
    for dealer in &complaints {
        say!(
            "The share from {} does not open or does not fit: your review complains of it.",
            record.plan.name(*dealer)
        );
    }
    if complaints.is_empty() {
        say!("All shares that were dealt to you are right.");
    }
    say!("contributions {}", hex::encode(record.contributions_digest()?));
    say!("Send {} to all the others.", path.display());
    Ok(())
}

fn answer(args: &Mine) -> anyhow::Result<()> {
    let (record, identity, private) = args.open()?;
    match ceremony::answer(&record, &identity, &private)? {
        None => say!("Nobody complains of you: there is nothing to answer."),
        Some(path) => say!("Send {} to all the others. The shares in it are public now.", path.display()),
    }
    Ok(())
}

fn finish(args: &FinishArgs) -> anyhow::Result<()> {
    let (record, identity, private) = args.mine.open()?;
    let without = indices(&args.without_answer)?;
    let transcript = ceremony::finish(&record, &identity, &private, &without)?;
    print_result(&record, &transcript);
    say!("Your share is {}; your polynomial is destroyed.", private.share_file(record.plan.session()).display());
    say!("Send confirmation-N.json to all the others, and compare the transcript by telephone.");
    Ok(())
}

fn print_result(record: &Record, transcript: &Transcript) {
    say!("transcript   {}", hex::encode(transcript.digest()));
    for complaint in &transcript.complaints {
        say!("complaint    {} of {}", record.plan.name(complaint.by), record.plan.name(complaint.about));
    }
    for one in &transcript.disqualified {
        say!("left out     {}: {}", record.plan.name(one.dealer), one.reason);
    }
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let record = Record::read(&args.public.folder)?;
    let without = indices(&args.without_answer)?;
    if !args.key {
        print_plan(&record);
        let dealing =
            [("contribution", record.missing(&record.contributions)), ("review", record.missing(&record.reviews))];
        for (what, missing) in &dealing {
            say_missing(what, missing);
        }
        say_missing("confirmation", &record.missing(&record.confirmations));
        if dealing.iter().any(|(_, missing)| !missing.is_empty()) {
            return Ok(());
        }
    }
    let (_, transcript) = ceremony::transcript(&record, &without)?;
    let unconfirmed = record.unconfirmed(&transcript)?;
    let key = transcript.keys.group_key();
    if args.key {
        require_confirmed(&unconfirmed)?;
        say!("0x{}", hex::encode(key.to_eip2537()));
        return Ok(());
    }
    print_result(&record, &transcript);
    for (index, share) in record.plan.threshold.indices().zip(transcript.keys.share_keys()) {
        say!("share key {index:<2} {share}");
    }
    say!("group key    {key}");
    say!("for addClass 0x{}", hex::encode(key.to_eip2537()));
    for destruction in record.destructions.values() {
        say!("destroyed    {} by {}", destruction.files.join(", "), record.plan.name(destruction.issuer));
    }
    if !unconfirmed.is_empty() {
        say!("Do not use the key before everybody has confirmed it.");
    }
    Ok(())
}

fn say_missing(what: &str, missing: &[String]) {
    if !missing.is_empty() {
        say!("missing      {what} of {}", missing.join(", "));
    }
}

fn require_confirmed(unconfirmed: &[String]) -> anyhow::Result<()> {
    ensure!(unconfirmed.is_empty(), "the key is not to be used: {} have not confirmed it", unconfirmed.join(", "));
    Ok(())
}

fn install(args: &InstallArgs) -> anyhow::Result<()> {
    let (record, identity, private) = args.mine.open()?;
    let (_, transcript) = ceremony::transcript(&record, &indices(&args.without_answer)?)?;
    require_confirmed(&record.unconfirmed(&transcript)?)?;
    for (i, portal) in args.portals.iter().enumerate() {
        ensure!(!args.portals[..i].contains(portal), "{portal} is given twice: each issuer has a portal of its own");
    }
    let share = ceremony::share(&record, &transcript, &identity, &private)?;
    let issuer = share.issuer();
    let store = KeyStore::open(&args.keys)?;
    let home = args.home.try_into().context("--home 0: issuers are numbered from 1")?;
    let key = store.add_share(share, transcript.keys, args.portals.clone(), home)?;
    say!("key {}", key.id);
    say!("file {}", args.keys.join(format!("{}.json", key.id)).display());
    match args.round {
        Some(round) => {
            store.bind(key.id, round, args.class)?;
            say!("The portal signs in part, as issuer {issuer}, for class {} of the round {round}.", args.class);
        }
        None if issuer == home => say!("Create the round with: kopilka round create --issuer-key {} PLAN", key.id),
        None => {
            say!("Citizens begin at issuer {home}'s portal. When its round is there, run this again with --round 0x…");
        }
    }
    Ok(())
}

fn sign(args: &SignArgs) -> anyhow::Result<()> {
    let (record, identity, private) = args.mine.open()?;
    let (_, transcript) = ceremony::transcript(&record, &indices(&args.without_answer)?)?;
    let message = args.blinded.unwrap_or_else(|| ceremony::trial_message(&record.plan));
    let partial = ceremony::sign(&record, &transcript, &identity, &private, &message)?;
    say!("{}", serde_json::to_string(&partial)?);
    Ok(())
}

fn combine(args: &CombineArgs) -> anyhow::Result<()> {
    let record = Record::read(&args.public.folder)?;
    let (_, transcript) = ceremony::transcript(&record, &indices(&args.without_answer)?)?;
    let message = args.blinded.unwrap_or_else(|| ceremony::trial_message(&record.plan));
    let partials: Vec<PartialSignature> = args
        .signatures
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not what `kopilka ceremony sign` prints", path.display()))
        })
        .collect::<anyhow::Result<_>>()?;
    let signature = ceremony::combine(&record, &transcript, &message, &partials)?;
    say!("{signature}");
    Ok(())
}

fn destroy(args: &DestroyArgs) -> anyhow::Result<()> {
    let (record, identity, private) = args.mine.open()?;
    let files = ceremony::destroy(&record, &identity, &private, args.keep_identity)?;
    say!("Destroyed: {}. Send destruction-N.json to all the others.", files.join(", "));
    if args.keep_identity {
        say!("Until the identity is destroyed too, the share can be restored from the ceremony's files.");
    }
    say!(
        "Copies, such as the portal's in its folder of issuer keys, and old media are not reached by this: see docs/ceremony.md."
    );
    Ok(())
}

fn indices(numbers: &[u8]) -> anyhow::Result<Vec<IssuerIndex>> {
    numbers.iter().map(|number| Ok(IssuerIndex::try_from(*number)?)).collect()
}

impl Mine {
    fn open(&self) -> anyhow::Result<(Record, Identity, PrivateFolder)> {
        let record = Record::read(&self.public.folder)?;
        let private = self.private.folder();
        let identity = private.identity(|| self.private.passphrase())?;
        Ok((record, identity, private))
    }
}

impl Private {
    fn folder(&self) -> PrivateFolder {
        PrivateFolder::at(&self.private)
    }

    fn passphrase(&self) -> anyhow::Result<Passphrase> {
        match &self.passphrase_file {
            Some(path) => first_line(path),
            None => prompt("Passphrase: "),
        }
    }

    /// Asked for twice, so that a slip does not lock the identity for ever.
    fn new_passphrase(&self) -> anyhow::Result<Passphrase> {
        use age::secrecy::ExposeSecret as _;
        let passphrase = self.passphrase()?;
        let length = passphrase.expose_secret().chars().count();
        ensure!(length >= 12, "the passphrase has {length} characters: take 12 or more, best several words");
        if self.passphrase_file.is_none() {
            let again = prompt("Once more: ")?;
            ensure!(again.expose_secret() == passphrase.expose_secret(), "the two passphrases differ");
        }
        Ok(passphrase)
    }
}

fn first_line(path: &Path) -> anyhow::Result<Passphrase> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = Zeroizing::new(text);
    Ok(Passphrase::from(text.lines().next().unwrap_or_default().to_owned()))
}

fn prompt(question: &str) -> anyhow::Result<Passphrase> {
    if !std::io::stdin().is_terminal() {
        bail!("the identity is sealed, and nobody is there to type its passphrase: name a file with --passphrase-file");
    }
    Ok(Passphrase::from(rpassword::prompt_password(question).context("cannot read the passphrase")?))
}
