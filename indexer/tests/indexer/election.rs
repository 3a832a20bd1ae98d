//! A whole round as a script of steps, so that a test can stop, kill or undo between any two of them.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::{DynProvider, Provider as _};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, ensure};
use kopilka_bindings::allocation::{Allocation, allocation_hash};
use kopilka_bindings::budget_round::{BudgetRound, IBudgetRound};
use kopilka_bindings::budget_rounds::{BudgetRounds, IBudgetRound as RoundTypes, IBudgetToken as TokenTypes};
use kopilka_bindings::budget_token::BudgetToken;
use kopilka_bindings::municipalities::Municipalities;
use kopilka_credential::{CredentialScope, IssuerSecretKey, MasterSecret, blind, unblind};
use kopilka_domain::{
    Account, Allocation as Distribution, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule, settlement,
};
use kopilka_testkit::{CONTROLLER_ROLE, TestChain};

const TREASURER: u8 = 1;
const CLERK: u8 = 2;
const ISSUER: u8 = 3;
const PARTNER: u8 = 4;

/// A step of the script; the name appears in failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Admit,
    CreateRound,
    Mint,
    Prepare,
    Register,
    RegisterAgain,
    OpenPledging,
    Allocate,
    AllocateAgain,
    TakeBack,
    ClosePledging,
    Propose,
    WithdrawAndPropose,
    Finalize,
    Pay,
    Close,
    MoreRounds,
    CarryOut,
    CreatePolls,
    Vote,
    VoteSealed,
    OpenBallots,
    ClaimStamps,
    Redeem,
    EndRedemptions,
    Anchor,
    MovePieces,
}

/// All steps in order.
pub(crate) const STEPS: [Step; 27] = [
    Step::Admit,
    Step::CreateRound,
    Step::Mint,
    Step::Prepare,
    Step::Register,
    Step::RegisterAgain,
    Step::OpenPledging,
    Step::Allocate,
    Step::AllocateAgain,
    Step::TakeBack,
    Step::ClosePledging,
    Step::Propose,
    Step::WithdrawAndPropose,
    Step::Finalize,
    Step::Pay,
    Step::Close,
    Step::MoreRounds,
    Step::CarryOut,
    Step::CreatePolls,
    Step::Vote,
    Step::VoteSealed,
    Step::OpenBallots,
    Step::ClaimStamps,
    Step::Redeem,
    Step::EndRedemptions,
    Step::Anchor,
    Step::MovePieces,
];

/// Support that initiatives of the first round need.
const THRESHOLD: u64 = 18;

/// Costs in kopecks of the first round's initiatives. The third is dearer than the budget and cannot win.
const COSTS: [u128; 3] = [90_000, 200_000, 1_000_000];

/// Kopecks minted for the first round.
const MINTED: [u128; 2] = [600_000, 300_001];

/// Points of a share.
const SHARE_POINTS: u16 = 10;

/// Citizens of class 0; two more are of class 1, with double weight.
const CITIZENS: u8 = 6;

/// Development keys: 1 is clerk, 2 treasurer, 3 issuer, 4 carries messages.
pub(crate) struct Election<'a> {
    pub(crate) chain: &'a TestChain,
}

impl<'a> Election<'a> {
    pub(crate) fn new(chain: &'a TestChain) -> Self {
        Self { chain }
    }

    pub(crate) async fn run(&self, step: Step) -> anyhow::Result<()> {
        self.take(step).await.with_context(|| format!("step {step:?}"))
    }

    /// A fresh provider for each step: after a reorg nothing remembered about nonces holds.
    pub(crate) fn provider(&self, index: usize) -> anyhow::Result<DynProvider> {
        let provider = self.chain.provider(index)?;
        provider.client().set_poll_interval(Duration::from_millis(5));
        Ok(provider)
    }

    fn controller(&self) -> anyhow::Result<DynProvider> {
        let provider = self.chain.controller()?;
        provider.client().set_poll_interval(Duration::from_millis(5));
        Ok(provider)
    }

    pub(crate) fn operator(&self) -> anyhow::Result<DynProvider> {
        let provider = self.chain.operator()?;
        provider.client().set_poll_interval(Duration::from_millis(5));
        Ok(provider)
    }

    pub(crate) async fn address_of_round(&self, id: u64) -> anyhow::Result<(Address, Address)> {
        let rounds = BudgetRounds::new(self.chain.deployment.rounds, self.provider(4)?);
        let at = rounds.roundAt(U256::from(id)).call().await?;
        ensure!(!at.round.is_zero(), "round {id} does not exist");
        Ok((at.round, at.token))
    }

    async fn take(&self, step: Step) -> anyhow::Result<()> {
        match step {
            Step::Admit => self.admit().await,
            Step::CreateRound => self.create_round("Первый раунд", 0).await,
            Step::Mint => self.mint().await,
            Step::Prepare => self.prepare().await,
            Step::Register => {
                self.register(0, &[0, 1, 2, 3]).await?;
                self.register(1, &[CITIZENS]).await
            }
            Step::RegisterAgain => {
                self.register(0, &[1, 4, 5, 2]).await?;
                self.register(1, &[CITIZENS + 1, CITIZENS]).await?;
                self.publish(0, 7).await?;
                self.publish(1, 2).await
            }
            Step::OpenPledging => self.clerk(|round| round.openPledging()).await,
            Step::Allocate => {
                self.allocate(&[
                    (0, 1, &[1, 2], &[6, 4]),
                    (1, 1, &[2], &[10]),
                    (2, 3, &[1, 2, 3], &[1, 1, 1]),
                    (CITIZENS, 1, &[3], &[10]),
                    // Nobody registered this one, and the next gives more points than there are.
                    (77, 1, &[1], &[10]),
                    (3, 1, &[1, 2], &[9, 9]),
                ])
                .await
            }
            Step::AllocateAgain => {
                // Twice in one batch, then again in another block, then an old version.
                self.allocate(&[(0, 2, &[3], &[7]), (0, 3, &[1], &[10]), (3, 1, &[1], &[5])]).await?;
                self.allocate(&[(0, 4, &[1, 3], &[5, 5]), (1, 1, &[1], &[1]), (4, 9, &[2, 3], &[2, 2])]).await
            }
            Step::TakeBack => self.allocate(&[(2, 4, &[], &[]), (5, 1, &[1], &[10])]).await,
            Step::ClosePledging => self.clerk(|round| round.closePledging()).await,
            Step::Propose => {
                // A wrong one, which is withdrawn.
                self.clerk(|round| round.proposeSettlement(vec![1, 2], keccak256("another transcript"))).await
            }
            Step::WithdrawAndPropose => {
                self.clerk(|round| round.withdrawSettlement()).await?;
                let (round, _) = self.address_of_round(1).await?;
                let (winners, digest) = self.outcome(round)?;
                self.clerk(|round| round.proposeSettlement(winners, digest)).await
            }
            Step::Finalize => {
                let (round, _) = self.address_of_round(1).await?;
                let controller = BudgetRound::new(round, self.controller()?);
                let (winners, digest) = self.outcome(round)?;
                done(controller.approveSettlement(winners, digest).send().await?).await?;
                let round = BudgetRound::new(round, self.provider(4)?);
                done(round.finalizeSettlement().send().await?).await
            }
            Step::Pay => {
                self.treasurer(|round| {
                    round.recordPayment(1, U256::from(60_000), keccak256("order 1"), keccak256("scan 1"))
                })
                .await?;
                self.treasurer(|round| {
                    round.recordPayment(1, U256::from(10_000), keccak256("order 2"), keccak256("scan 2"))
                })
                .await?;
                self.treasurer(|round| round.returnRemainder(1)).await
            }
            Step::CarryOut => self.carry_out().await,
            Step::CreatePolls => self.create_polls().await,
            Step::Vote => self.vote().await,
            Step::VoteSealed => self.vote_sealed().await,
            Step::OpenBallots => self.open_ballots().await,
            Step::ClaimStamps => self.claim_stamps().await,
            Step::Redeem => self.redeem().await,
            Step::EndRedemptions => self.end_redemptions().await,
            Step::Anchor => self.anchor().await,
            Step::MovePieces => self.move_pieces().await,
            Step::Close => self.treasurer(|round| round.close()).await,
            Step::MoreRounds => {
                self.create_round("Второй раунд", 5_000).await?;
                let (round, _) = self.address_of_round(2).await?;
                let round = BudgetRound::new(round, self.provider(1)?);
                done(round.cancel().send().await?).await?;
                // The third keeps its money: what is closed leaves no balances to compare.
                self.create_round("Третий раунд", 0).await?;
                let (_, token) = self.address_of_round(3).await?;
                self.chain.mint(token, &self.provider(2)?, U256::from(12_345)).await
            }
        }
    }

    async fn admit(&self) -> anyhow::Result<()> {
        let register = Municipalities::new(self.chain.deployment.municipalities, self.operator()?);
        // The zero character is what a careless or hostile operator might send: Postgres has none.
        done(register.admit("46".to_owned() + "000000", "Город\0 Заречный".to_owned()).send().await?).await?;
        let grants = [(CLERK, 1), (TREASURER, 2), (ISSUER, 3), (PARTNER, 4), (CLERK, 4)];
        for (role, account) in grants {
            let account = self.chain.account(account)?;
            let grant = register.grantRole(1, role, account, 1, u64::MAX, keccak256("application"));
            done(grant.send().await?).await?;
        }
        let controller = self.chain.controller_account()?;
        let grant = register.grantRole(1, CONTROLLER_ROLE, controller, 1, u64::MAX, keccak256("application"));
        done(grant.send().await?).await?;
        done(register.pause(keccak256("reason")).send().await?).await?;
        done(register.unpause().send().await?).await?;
        done(register.revokeRole(1, PARTNER, self.chain.account(4)?).send().await?).await
    }

    async fn create_round(&self, name: &str, fixed_amount: u128) -> anyhow::Result<()> {
        let rounds = BudgetRounds::new(self.chain.deployment.rounds, self.provider(1)?);
        let config = RoundTypes::RoundConfig {
            municipalityId: 1,
            ballotKind: u8::from(fixed_amount > 0),
            allotment: u8::from(fixed_amount == 0),
            rule: 0,
            completionRaise: true,
            completionFill: true,
            sharePoints: if fixed_amount == 0 { SHARE_POINTS } else { 0 },
            threshold: if fixed_amount == 0 { THRESHOLD } else { u64::MAX },
            fixedAmount: fixed_amount,
            registrationUntil: 1,
            pledgingUntil: 1,
            objectionPeriod: 0,
            contentHash: keccak256(name),
        };
        let appropriation = TokenTypes::Appropriation {
            amount: 1_000_000,
            fiscalYear: 2026,
            kbk: "90405030000000000244".to_owned(),
            documentHash: keccak256("decision"),
            documentURI: "https://example.org/decision.pdf".to_owned(),
        };
        let call = rounds.createRound(config, appropriation, name.to_owned(), "КОП".to_owned());
        done(call.send().await?).await
    }

    async fn mint(&self) -> anyhow::Result<()> {
        let (_, token) = self.address_of_round(1).await?;
        let treasurer = self.provider(2)?;
        for amount in MINTED {
            self.chain.mint(token, &treasurer, U256::from(amount)).await?;
        }
        // One that nobody approves, and one that is taken back.
        let token = BudgetToken::new(token, treasurer);
        done(token.proposeMint(U256::from(1), keccak256("order")).send().await?).await?;
        done(token.proposeMint(U256::from(2), keccak256("order")).send().await?).await?;
        done(token.cancelMint(U256::from(4)).send().await?).await
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        let key = |class| Bytes::from(issuer(class).public_key().to_eip2537().to_vec());
        self.clerk(|round| round.addClass(1, key(0))).await?;
        self.clerk(|round| round.addClass(2, key(1))).await?;
        for (name, cost) in ["Площадка", "Сквер", "Набережная"].into_iter().zip(COSTS) {
            self.clerk(|round| round.addInitiative(cost, keccak256(name))).await?;
        }
        self.clerk(|round| round.openRegistration()).await
    }

    async fn register(&self, class: u8, citizens: &[u8]) -> anyhow::Result<()> {
        let (round, _) = self.address_of_round(1).await?;
        let scope = self.scope(round, class);
        let mut accounts = Vec::new();
        let mut signatures = Vec::new();
        for citizen in citizens {
            let secret = secret(*citizen)?;
            let (account, blinding) = (secret.account(&scope).address(), secret.blinding(&scope));
            let answer = issuer(class).sign_blinded(&blind(&scope, account, &blinding));
            accounts.push(Address::from(account.to_bytes()));
            signatures.extend(unblind(&answer, &blinding).to_uncompressed());
        }
        let round = BudgetRound::new(round, self.provider(4)?);
        done(round.register(class, accounts, signatures.into()).send().await?).await
    }

    async fn publish(&self, class: u8, issued: u32) -> anyhow::Result<()> {
        let (round, _) = self.address_of_round(1).await?;
        let round = BudgetRound::new(round, self.provider(3)?);
        done(round.publishIssued(class, issued).send().await?).await
    }

    async fn allocate(&self, allocations: &[(u8, u32, &[u16], &[u16])]) -> anyhow::Result<()> {
        let (round, _) = self.address_of_round(1).await?;
        let mut items = Vec::new();
        let mut signatures = Vec::new();
        for (citizen, version, initiatives, points) in allocations {
            let class = u8::from(*citizen >= CITIZENS && *citizen < 70);
            let key = secret(*citizen)?.account(&self.scope(round, class));
            let signer = PrivateKeySigner::from_slice(&*key.to_bytes())?;
            let message = Allocation {
                account: signer.address(),
                version: *version,
                initiatives: initiatives.to_vec(),
                points: points.to_vec(),
            };
            let hash = allocation_hash(self.chain.deployment.chain_id, round, &message);
            signatures.extend(signer.sign_hash_sync(&hash)?.as_erc2098());
            items.push(IBudgetRound::Allocation {
                account: message.account,
                version: message.version,
                initiatives: message.initiatives,
                points: message.points,
            });
        }
        let round = BudgetRound::new(round, self.provider(4)?);
        done(round.allocate(items, signatures.into()).send().await?).await
    }

    /// Winners and digest that the rules give the first round.
    fn outcome(&self, round: Address) -> anyhow::Result<(Vec<u16>, B256)> {
        // What stands after all allocations.
        let ballots: [(u8, u32, &[u16], &[u16]); 6] = [
            (0, 1, &[1, 3], &[5, 5]),
            (1, 1, &[2], &[10]),
            (3, 1, &[1], &[5]),
            (4, 1, &[2, 3], &[2, 2]),
            (5, 1, &[1], &[10]),
            (CITIZENS, 2, &[3], &[10]),
        ];
        let ballot = |(citizen, weight, initiatives, points): (u8, u32, &[u16], &[u16])| {
            let scope = self.scope(round, u8::from(citizen >= CITIZENS));
            anyhow::Ok(settlement::Ballot {
                account: Account(secret(citizen)?.account(&scope).address().to_bytes()),
                weight,
                allocation: Distribution {
                    initiatives: initiatives.iter().copied().map(InitiativeId).collect(),
                    points: points.iter().copied().map(Points).collect(),
                },
            })
        };
        let outcome = settlement::settle(&settlement::Election {
            budget: Kopecks(MINTED.iter().sum()),
            kind: BallotKind::Cumulative,
            rule: Rule::EqualShares,
            completion: Completion { raise: true, fill: true },
            threshold: THRESHOLD,
            share_points: Points(SHARE_POINTS),
            initiatives: (1..)
                .zip(COSTS)
                .map(|(id, cost)| settlement::Candidate { id: InitiativeId(id), cost: Kopecks(cost) })
                .collect(),
            ballots: ballots.into_iter().map(ballot).collect::<anyhow::Result<_>>()?,
        })?;
        let winners = outcome.winner_ids().iter().map(|id| id.0).collect::<Vec<_>>();
        ensure!(winners == [1], "initiative 1 alone should win, not {winners:?}");
        Ok((winners, outcome.transcript.digest().into()))
    }

    fn scope(&self, round: Address, class: u8) -> CredentialScope {
        CredentialScope::new(self.chain.deployment.chain_id, round.into_array(), 1, class)
    }

    async fn clerk<C: alloy::sol_types::SolCall + Unpin>(
        &self,
        call: impl FnOnce(
            &BudgetRound::BudgetRoundInstance<DynProvider>,
        ) -> alloy::contract::SolCallBuilder<&DynProvider, C>,
    ) -> anyhow::Result<()> {
        self.act(1, call).await
    }

    async fn treasurer<C: alloy::sol_types::SolCall + Unpin>(
        &self,
        call: impl FnOnce(
            &BudgetRound::BudgetRoundInstance<DynProvider>,
        ) -> alloy::contract::SolCallBuilder<&DynProvider, C>,
    ) -> anyhow::Result<()> {
        self.act(2, call).await
    }

    async fn act<C: alloy::sol_types::SolCall + Unpin>(
        &self,
        key: usize,
        call: impl FnOnce(
            &BudgetRound::BudgetRoundInstance<DynProvider>,
        ) -> alloy::contract::SolCallBuilder<&DynProvider, C>,
    ) -> anyhow::Result<()> {
        let (round, _) = self.address_of_round(1).await?;
        let round = BudgetRound::new(round, self.provider(key)?);
        let pending = call(&round).send().await?;
        done(pending).await
    }
}

pub(crate) async fn done(
    pending: alloy::providers::PendingTransactionBuilder<alloy::network::Ethereum>,
) -> anyhow::Result<()> {
    let receipt = pending.get_receipt().await?;
    ensure!(receipt.status(), "transaction {} was reverted", receipt.transaction_hash);
    Ok(())
}

/// Time of the highest block, Unix seconds.
pub(crate) async fn now(provider: &DynProvider) -> anyhow::Result<u64> {
    let block = provider.get_block(alloy::eips::BlockId::latest()).await?.context("no block")?;
    Ok(block.header.timestamp)
}

/// Lets time pass.
pub(crate) async fn pass(provider: &DynProvider, seconds: u64) -> anyhow::Result<()> {
    let _: serde_json::Value = provider.raw_request("evm_increaseTime".into(), (seconds,)).await?;
    let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await?;
    Ok(())
}

fn issuer(class: u8) -> IssuerSecretKey {
    let mut scalar = [0; 32];
    scalar[31] = class + 1;
    IssuerSecretKey::from_bytes(&scalar).expect("a small number is a scalar")
}

fn secret(citizen: u8) -> anyhow::Result<MasterSecret> {
    Ok(MasterSecret::from_bytes(&[citizen + 1; 16])?)
}

/// A hash nobody uses, for blocks that differ.
pub(crate) fn other(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}
