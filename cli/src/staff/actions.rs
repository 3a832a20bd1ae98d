//! The staff's transactions.

use std::time::Duration;

use alloy::network::{Ethereum, EthereumWallet};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::{DynProvider, PendingTransactionBuilder, Provider as _, ProviderBuilder};
use alloy::rpc::types::TransactionReceipt;
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_round::BudgetRound::{self, BudgetRoundInstance};
use kopilka_bindings::budget_rounds::{self, BudgetRounds};
use kopilka_bindings::budget_token::BudgetToken;
use kopilka_bindings::deploy::Deployment;
use kopilka_bindings::milestones::Milestones;
use kopilka_bindings::municipalities::Municipalities::{self, MunicipalitiesInstance};
use kopilka_domain::Kopecks;
use serde_json::json;
use url::Url;

use super::{PortalStaff, RoundPlan};
use crate::system::{Secrets, System};

/// Roles of `IMunicipalities.Role`.
const TREASURER: u8 = 1;
const CLERK: u8 = 2;
const ISSUER: u8 = 3;
const CONTROLLER: u8 = 5;

/// How long a staff's transaction may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Longest planned pledging, as in the contract.
const MAX_PLEDGING: u64 = 366 * 24 * 3600;

/// A year's access.
const ACCESS_SECONDS: u64 = 366 * 24 * 3600;

/// The staff of a municipality with their keys.
pub struct Staff {
    operator: DynProvider,
    treasurer: DynProvider,
    pub(super) controller: DynProvider,
    pub(super) clerk: DynProvider,
    accounts: [(u8, Address); 4],
    pub(super) deployment: Deployment,
    portal: PortalStaff,
}

/// Id of the municipality with this code, if it was admitted to the register.
pub(crate) async fn find_municipality(
    register: &MunicipalitiesInstance<DynProvider>,
    oktmo: &str,
) -> anyhow::Result<Option<u32>> {
    for candidate in 1..=register.municipalityCount().call().await? {
        if register.municipality(candidate).call().await?.oktmo == oktmo {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// A round that stands on the chain.
#[derive(Debug, Clone, Copy)]
pub struct RoundHandle {
    /// Address of the round.
    pub round: Address,
    /// Address of its token.
    pub token: Address,
    /// The treasurer's proposal to mint the whole appropriation; a controller must approve it.
    pub mint_id: U256,
}

impl Staff {
    /// The staff of a running system.
    ///
    /// # Errors
    /// When a key is malformed.
    pub fn new(system: &System, secrets: &Secrets) -> anyhow::Result<Self> {
        let provider = |name: &str, key: &str| -> anyhow::Result<DynProvider> {
            let wallet = EthereumWallet::from(Secrets::signer(name, key)?);
            Ok(connect(&system.rpc_url, wallet))
        };
        Ok(Self {
            operator: provider("operator_key", &secrets.operator_key)?,
            treasurer: provider("treasurer_key", &secrets.treasurer_key)?,
            controller: provider("controller_key", &secrets.controller_key)?,
            clerk: provider("clerk_key", &secrets.clerk_key)?,
            accounts: [
                (TREASURER, Secrets::address("treasurer_key", &secrets.treasurer_key)?),
                (CLERK, Secrets::address("clerk_key", &secrets.clerk_key)?),
                (ISSUER, Secrets::address("issuer_key", &secrets.issuer_key)?),
                (CONTROLLER, Secrets::address("controller_key", &secrets.controller_key)?),
            ],
            deployment: system.deployment.clone(),
            portal: PortalStaff::new(system.portal_url.clone(), secrets.staff_token.clone()),
        })
    }

    /// The staff interface of the portal.
    pub fn portal(&self) -> &PortalStaff {
        &self.portal
    }

    /// Id of the municipality with this code; admits it and grants its staff a year's access where that is missing.
    ///
    /// # Errors
    /// When a transaction is refused.
    pub async fn ensure_municipality(&self, oktmo: &str, name: &str) -> anyhow::Result<u32> {
        let register = Municipalities::new(self.deployment.municipalities, self.operator.clone());
        let id = match find_municipality(&register, oktmo).await? {
            Some(id) => id,
            None => {
                let receipt = mined(register.admit(oktmo.to_owned(), name.to_owned()).send().await, "admit").await?;
                receipt
                    .decoded_log::<Municipalities::MunicipalityAdmitted>()
                    .context("the transaction admitted no municipality")?
                    .municipalityId
            }
        };
        let latest = self.operator.get_block_by_number(Default::default()).await?.context("the chain has no block")?;
        let now = latest.header.timestamp;
        // All grants are sent before the first is waited for: they are independent.
        let mut grants = Vec::new();
        for (role, account) in self.accounts {
            if register.hasRole(id, role, account).call().await? {
                continue;
            }
            let application = keccak256(format!("{oktmo}/{role}/{account}"));
            let from = now.saturating_sub(60);
            grants.push(register.grantRole(id, role, account, from, now + ACCESS_SECONDS, application).send().await);
        }
        for grant in grants {
            mined(grant, "grantRole").await?;
        }
        Ok(id)
    }

    /// Creates a round from a plan: texts published, minting of the budget proposed, class 0 with its issuer key,
    /// initiatives added. It stays in `Draft`, and without money until a controller approves. The issuer key is `issuer_key`, which
    /// the portal has already, or else a new one.
    ///
    /// # Errors
    /// When the portal or the chain refuses a step; the message names it.
    pub async fn create_round(&self, plan: &RoundPlan, issuer_key: Option<&str>) -> anyhow::Result<RoundHandle> {
        ensure!(!plan.initiatives.is_empty(), "the plan has no initiatives: a round needs at least one");
        ensure!(
            plan.pledging_seconds().is_some_and(|planned| planned <= MAX_PLEDGING),
            "pledging_until must be at most 366 days after registration_until, both in Unix seconds: pledging lasts that long"
        );
        // First of all, so that a key that is not there leaves no round without one.
        let (key_id, key) = match issuer_key {
            Some(key_id) => (key_id.to_owned(), self.portal.issuer_key(key_id).await?),
            None => self.portal.create_issuer_key().await?,
        };
        let municipality_id =
            self.ensure_municipality(plan.municipality.oktmo.as_str(), &plan.municipality.name).await?;
        let text = json!({ "kind": "round", "title": plan.title, "description": plan.description });
        let content_hash = self.portal.put_document(&text).await?;
        let config = budget_rounds::IBudgetRound::RoundConfig {
            municipalityId: municipality_id,
            ballotKind: plan.ballot_kind.code(),
            allotment: plan.allotment.code(),
            rule: plan.rule.code(),
            completionRaise: plan.completion.raise,
            completionFill: plan.completion.fill,
            sharePoints: plan.share_points,
            threshold: plan.threshold,
            fixedAmount: plan.fixed_amount.map_or(0, amount),
            registrationUntil: plan.registration_until,
            pledgingUntil: plan.pledging_until,
            objectionPeriod: plan.objection_seconds,
            contentHash: content_hash,
        };
        let appropriation = budget_rounds::IBudgetToken::Appropriation {
            amount: amount(plan.appropriation.amount),
            fiscalYear: plan.appropriation.fiscal_year,
            kbk: plan.appropriation.kbk.as_str().to_owned(),
            documentHash: keccak256(&plan.appropriation.document_uri),
            documentURI: plan.appropriation.document_uri.clone(),
        };
        let factory = BudgetRounds::new(self.deployment.rounds, self.clerk.clone());
        let create = factory.createRound(config, appropriation, plan.token_name.clone(), plan.token_symbol.clone());
        let receipt = mined(create.send().await, "createRound").await?;
        let created =
            receipt.decoded_log::<BudgetRounds::RoundCreated>().context("the transaction created no round")?;
        let order = &plan.appropriation.document_uri;
        let mint_id = self.propose_mint(created.token, plan.appropriation.amount, order).await?;
        let handle = RoundHandle { round: created.round, token: created.token, mint_id };

        let round = self.clerk_round(handle.round);
        mined(round.addClass(1, key).send().await, "addClass").await?;
        self.portal.bind_issuer_key(&key_id, handle.round, 0).await?;
        let mut pending = Vec::with_capacity(plan.initiatives.len());
        for initiative in &plan.initiatives {
            let text = json!({
                "kind": "initiative", "title": initiative.title, "description": initiative.description,
                "place": initiative.place,
            });
            let hash = self.portal.put_document(&text).await?;
            pending.push(round.addInitiative(amount(initiative.cost), hash).send().await);
        }
        for sent in pending {
            mined(sent, "addInitiative").await?;
        }
        Ok(handle)
    }

    /// Treasurer: proposes to mint; returns the proposal's id.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn propose_mint(&self, token: Address, minted: Kopecks, document: &str) -> anyhow::Result<U256> {
        let token = BudgetToken::new(token, self.treasurer.clone());
        let proposal = token.proposeMint(U256::from(amount(minted)), keccak256(document));
        let receipt = mined(proposal.send().await, "proposeMint").await?;
        let proposed = receipt.decoded_log::<BudgetToken::MintProposed>();
        Ok(proposed.context("the transaction proposed no mint")?.mintId)
    }

    /// Controller: mints what the treasurer proposed, if it is this amount on the document with this hash.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn approve_mint(
        &self,
        token: Address,
        mint_id: U256,
        minted: Kopecks,
        document_hash: B256,
    ) -> anyhow::Result<()> {
        let token = BudgetToken::new(token, self.controller.clone());
        let approval = token.approveMint(mint_id, U256::from(amount(minted)), document_hash);
        mined(approval.send().await, "approveMint").await.map(drop)
    }

    /// Controller: refuses what the treasurer proposed.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn cancel_mint(&self, token: Address, mint_id: U256) -> anyhow::Result<()> {
        let token = BudgetToken::new(token, self.controller.clone());
        mined(token.cancelMint(mint_id).send().await, "cancelMint").await.map(drop)
    }

    /// Clerk: draft to registration.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn open_registration(&self, round: Address) -> anyhow::Result<()> {
        mined(self.clerk_round(round).openRegistration().send().await, "openRegistration").await.map(drop)
    }

    /// Publishes the numbers of issued credentials, then opens pledging.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn open_pledging(&self, round: Address) -> anyhow::Result<()> {
        self.portal.publish_issued(round).await?;
        mined(self.clerk_round(round).openPledging().send().await, "openPledging").await.map(drop)
    }

    /// Clerk: pledging to tallying.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn close_pledging(&self, round: Address) -> anyhow::Result<()> {
        self.portal.publish_issued(round).await?;
        mined(self.clerk_round(round).closePledging().send().await, "closePledging").await.map(drop)
    }

    /// Clerk: proposes a result.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn propose(&self, round: Address, winners: Vec<u16>, digest: B256) -> anyhow::Result<()> {
        mined(self.clerk_round(round).proposeSettlement(winners, digest).send().await, "proposeSettlement")
            .await
            .map(drop)
    }

    /// Controller: approves a proposed result.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn approve(&self, round: Address, winners: Vec<u16>, digest: B256) -> anyhow::Result<()> {
        let round = BudgetRound::new(round, self.controller.clone());
        mined(round.approveSettlement(winners, digest).send().await, "approveSettlement").await.map(drop)
    }

    /// Controller: withdraws a proposed result after a founded objection.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn withdraw(&self, round: Address) -> anyhow::Result<()> {
        let round = BudgetRound::new(round, self.controller.clone());
        mined(round.withdrawSettlement().send().await, "withdrawSettlement").await.map(drop)
    }

    /// Makes a proposed and approved result final, waiting for the end of the objection window by the chain's clock.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn finalize(&self, round: Address) -> anyhow::Result<TransactionReceipt> {
        let contract = self.clerk_round(round);
        let settlement = contract.settlement().call().await?;
        let proposed = settlement.proposedAt;
        ensure!(proposed > 0, "no result is proposed in round {round}: run `kopilka round settle` first");
        ensure!(
            !settlement.approver.is_zero(),
            "the result of round {round} is not approved yet: run `kopilka round approve` first"
        );
        let final_at = proposed + u64::from(contract.config().call().await?.objectionPeriod);
        loop {
            let latest = self.clerk.get_block_by_number(Default::default()).await?.context("the chain has no block")?;
            if latest.header.timestamp >= final_at {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        mined(contract.finalizeSettlement().send().await, "finalizeSettlement").await
    }

    /// Treasurer: pays `amount` from a winner's wallet.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn pay(
        &self,
        round: Address,
        initiative: u16,
        paid: Kopecks,
        reference: &str,
        document: &str,
    ) -> anyhow::Result<()> {
        let contract = BudgetRound::new(round, self.treasurer.clone());
        let payment =
            contract.recordPayment(initiative, U256::from(amount(paid)), keccak256(reference), keccak256(document));
        mined(payment.send().await, "recordPayment").await.map(drop)
    }

    /// Treasurer: returns what is left in a winner's wallet to the budget.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn return_remainder(&self, round: Address, initiative: u16) -> anyhow::Result<()> {
        let contract = BudgetRound::new(round, self.treasurer.clone());
        mined(contract.returnRemainder(initiative).send().await, "returnRemainder").await.map(drop)
    }

    /// Treasurer: closes a settled round whose wallets are empty.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn close(&self, round: Address) -> anyhow::Result<()> {
        let contract = BudgetRound::new(round, self.treasurer.clone());
        mined(contract.close().send().await, "close").await.map(drop)
    }

    /// Clerk: calls the round off.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn cancel(&self, round: Address) -> anyhow::Result<()> {
        mined(self.clerk_round(round).cancel().send().await, "cancel").await.map(drop)
    }

    fn clerk_round(&self, round: Address) -> BudgetRoundInstance<DynProvider> {
        BudgetRound::new(round, self.clerk.clone())
    }
}

/// A provider that signs with `wallet` and polls often, since blocks may come every second.
pub(crate) fn connect(rpc_url: &Url, wallet: EthereumWallet) -> DynProvider {
    let provider = ProviderBuilder::new().wallet(wallet).connect_http(rpc_url.clone()).erased();
    provider.client().set_poll_interval(Duration::from_millis(100));
    provider
}

/// Waits for a transaction and insists on its success.
pub(super) async fn mined(
    sent: Result<PendingTransactionBuilder<Ethereum>, alloy::contract::Error>,
    what: &str,
) -> anyhow::Result<TransactionReceipt> {
    let pending = sent.map_err(|error| anyhow::anyhow!("the chain refuses {what}: {}", describe(&error)))?;
    let receipt =
        pending.with_timeout(Some(PATIENCE)).get_receipt().await.with_context(|| format!("{what} was not mined"))?;
    ensure!(receipt.status(), "{what} failed on the chain in transaction {}", receipt.transaction_hash);
    Ok(receipt)
}

/// A contract's error in words where it is one of ours.
pub fn describe(error: &alloy::contract::Error) -> String {
    macro_rules! decoded {
        ($($errors:ty),+) => {
            $(if let Some(error) = error.as_decoded_interface_error::<$errors>() {
                return plain(&format!("{error:?}"));
            })+
        };
    }
    decoded!(
        BudgetRound::BudgetRoundErrors,
        BudgetToken::BudgetTokenErrors,
        BudgetRounds::BudgetRoundsErrors,
        Milestones::MilestonesErrors,
        Municipalities::MunicipalitiesErrors
    );
    error.to_string()
}

/// An error without the name of the list that it comes from, and what to do where staff can do something.
///
/// Example: `MintUnknown(MintUnknown { mintId: 9 })` becomes `MintUnknown { mintId: 9 }: …`.
fn plain(debug: &str) -> String {
    let error = debug.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(debug);
    let name = error.split([' ', '(']).next().unwrap_or(error);
    let advice = match name {
        "ActionsPaused" => "the region's operator has stopped new actions",
        "ApproverIsProposer" => "another person than the one who proposed must approve",
        "AcceptedByContractingPerson" => "another person than the one who recorded the contract must accept",
        "BudgetMissing" => "nothing is minted: a controller approves the mint with `kopilka round approve-mint`",
        "CallerLacksRole" | "CallerNotClerk" => "the key of secrets.json has no valid access in this role",
        "DeadlineInThePast" | "DeadlinesNotAscending" | "DeadlineNotLater" => {
            "deadlines lie ahead and follow each other (Unix seconds)"
        }
        "InitiativeNotWinner" => "only winners of a settled round are carried out: see `kopilka round status`",
        "MintUnknown" => "`kopilka round create` and `propose-mint` print the ids of proposals",
        "MintingClosed" => "the budget is fixed once pledging is open",
        "NotScheduled" => "set the deadlines first with `kopilka milestones schedule`",
        "PhaseWrong" => "`kopilka round status` tells the phase",
        "RegisteredExceedsIssued" => "wait until the portal has published how many credentials it issued",
        "SettlementNotApproved" => "a controller approves the result with `kopilka round approve`",
        "StageOutOfOrder" | "StageAlreadyReached" => {
            "stages are plan 0, contract 1, acceptance 2, report 3, in this order: see `kopilka milestones show`"
        }
        "TooEarly" => "the published time has not come (Unix seconds)",
        "WalletNotEmpty" => "first the treasurer returns the money with `kopilka round return-remainder`",
        _ => return error.to_owned(),
    };
    format!("{error}: {advice}")
}

fn amount(kopecks: Kopecks) -> u128 {
    kopecks.0
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;
    use kopilka_bindings::budget_token::BudgetToken;

    use super::plain;

    #[test]
    fn refusals_say_what_to_do() {
        let unknown = BudgetToken::BudgetTokenErrors::MintUnknown(BudgetToken::MintUnknown { mintId: U256::from(9) });
        assert_eq!(
            plain(&format!("{unknown:?}")),
            "MintUnknown { mintId: 9 }: `kopilka round create` and `propose-mint` print the ids of proposals"
        );
        let closed = BudgetToken::BudgetTokenErrors::MintingClosed(BudgetToken::MintingClosed {});
        assert_eq!(plain(&format!("{closed:?}")), "MintingClosed: the budget is fixed once pledging is open");
        let other = BudgetToken::BudgetTokenErrors::AmountZero(BudgetToken::AmountZero {});
        assert_eq!(plain(&format!("{other:?}")), "AmountZero");
    }
}
