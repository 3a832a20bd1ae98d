//! Steps of the script around the round: polls, points, prizes, milestones, anchors, and a foreign ERC-721 token.

use alloy::network::TransactionBuilder as _;
use alloy::primitives::{Address, B256, Bytes, U256, bytes, fixed_bytes, keccak256, uint};
use alloy::providers::Provider as _;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context as _;
use kopilka_bindings::anchors::Anchors;
use kopilka_bindings::milestones::Milestones;
use kopilka_bindings::municipalities::Municipalities;
use kopilka_bindings::polls::{IPolls, Polls};
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::{IRewardShop, RewardShop};
use kopilka_bindings::signed;
use kopilka_credential::{CredentialScope, IssuerSecretKey, MasterSecret, blind, unblind};

use crate::election::{Election, done, now, pass};

const PARTNER: u8 = 4;
const REGISTRAR: u8 = 6;
const DAY: u64 = 86_400;

/// x of the generator: the key to the secret 1.
const SEALING_KEY: B256 = fixed_bytes!("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");

/// Emits `Transfer(from, to, id)` with the three words of its input as topics, whatever it is called for.
const PIECES: Bytes = bytes!(
    "602d8060093d393df3" // constructor: return what follows
    "604035" "602035" "5f35"
    "7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    "5f5fa400"
);

impl Election<'_> {
    /// A poll of ratings, one that is sealed, and one that is called off.
    pub(crate) async fn create_polls(&self) -> anyhow::Result<()> {
        let polls = Polls::new(self.chain.deployment.polls, self.provider(1)?);
        let now = now(polls.provider()).await?;
        let config = |kind: u8, option_count: u8, max_choices: u8, sealing_key: B256| IPolls::PollConfig {
            municipalityId: 1,
            kind,
            optionCount: option_count,
            maxChoices: max_choices,
            revote: true,
            opensAt: 1,
            closesAt: now + 3_600,
            grace: 60,
            contentHash: keccak256("вопрос"),
            sealingKey: sealing_key,
        };
        let of = [config(2, 3, 0, B256::ZERO), config(1, 5, 2, SEALING_KEY), config(0, 2, 1, B256::ZERO)];
        for (number, config) in (0..).zip(of) {
            done(polls.createPoll(config, key(100 + number)).send().await?).await?;
        }
        done(polls.cancelPoll(uint!(3_U256), keccak256("причина")).send().await?).await?;
        let issuer = Polls::new(self.chain.deployment.polls, self.provider(3)?);
        for (poll, issued) in [(1, 2), (1, 3), (2, 3)] {
            done(issuer.publishIssued(U256::from(poll), issued).send().await?).await?;
        }
        Ok(())
    }

    /// Ballots of the open poll; one is replaced in the same batch, one later, one comes twice.
    pub(crate) async fn vote(&self) -> anyhow::Result<()> {
        self.cast(&[(0, 1, 0x105), (1, 1, 0x031)], true).await?;
        self.cast(&[(2, 2, 0x5)], true).await?;
        self.cast(&[(0, 2, 0x2), (1, 1, 0x1), (0, 3, 0x250)], false).await
    }

    async fn cast(&self, ballots: &[(u8, u32, u128)], first: bool) -> anyhow::Result<()> {
        let (polls, poll_id) = (self.chain.deployment.polls, uint!(1_U256));
        let scope = self.scope_of(polls, 1);
        let (mut accounts, mut items, mut signatures, mut credentials) = (vec![], vec![], vec![], vec![]);
        for (citizen, version, choice) in ballots.iter().copied() {
            let signer = signer(citizen, &scope)?;
            let account = signer.address();
            let message = signed::Ballot { pollId: poll_id, account, version, choice };
            signatures.extend(self.sign(&signer, polls, &message)?);
            if first {
                credentials.extend(credential(citizen, 100, &scope)?);
            }
            accounts.push(account);
            items.push(IPolls::Ballot { version, choice });
        }
        let polls = Polls::new(polls, self.provider(4)?);
        done(polls.castBallots(poll_id, accounts, items, signatures.into(), credentials.into()).send().await?).await
    }

    /// Ballots of the sealed poll: of three accounts, one replaced, one malformed.
    pub(crate) async fn vote_sealed(&self) -> anyhow::Result<()> {
        for (first, ballots) in [(true, vec![(0, 1), (1, 1), (2, 1)]), (false, vec![(1, 2), (1, 1)])] {
            let (polls, poll_id) = (self.chain.deployment.polls, uint!(2_U256));
            let scope = self.scope_of(polls, 2);
            let (mut accounts, mut items, mut signatures, mut credentials) = (vec![], vec![], vec![], vec![]);
            for (citizen, version) in ballots {
                let signer = signer(citizen, &scope)?;
                let account = signer.address();
                let sealed = self.seal(citizen, account, version);
                let message = signed::SealedBallot {
                    pollId: poll_id,
                    account,
                    version,
                    point: sealed.point,
                    maskedChoice: sealed.maskedChoice,
                };
                signatures.extend(self.sign(&signer, polls, &message)?);
                if first {
                    credentials.extend(credential(citizen, 101, &scope)?);
                }
                accounts.push(account);
                items.push(sealed);
            }
            let polls = Polls::new(polls, self.provider(4)?);
            let call = polls.castSealedBallots(poll_id, accounts, items, signatures.into(), credentials.into());
            done(call.send().await?).await?;
        }
        Ok(())
    }

    /// With the sealing key 1·G, both parties' point is r·G, and its address that of r as a private key.
    fn seal(&self, citizen: u8, account: Address, version: u32) -> IPolls::SealedBallot {
        let choice: u128 = if citizen == 2 { 0x7f } else { 0b11 << citizen };
        let mut number = u16::from(citizen) * 64 + u16::try_from(version).unwrap_or_default();
        let (ephemeral, point) = loop {
            let ephemeral = PrivateKeySigner::from_bytes(&B256::left_padding_from(&number.to_be_bytes()));
            let ephemeral = ephemeral.expect("a small number is a key");
            let point = ephemeral.credential().verifying_key().to_encoded_point(false);
            let (Some(x), Some(y)) = (point.x(), point.y()) else { unreachable!("no key is the point at infinity") };
            if y[31] % 2 == 0 {
                break (ephemeral, B256::from_slice(x));
            }
            number += 1_000;
        };
        let mut bytes = self.chain.deployment.polls.to_vec();
        bytes.extend(uint!(2_U256).to_be_bytes::<32>());
        bytes.extend(account);
        bytes.extend(version.to_be_bytes());
        bytes.extend(ephemeral.address());
        let mask = u128::from_be_bytes(keccak256(bytes)[..16].try_into().expect("16 bytes"));
        IPolls::SealedBallot { version, point, maskedChoice: choice ^ mask }
    }

    /// Time passes, the trustees publish the secret, somebody opens, one ballot twice.
    pub(crate) async fn open_ballots(&self) -> anyhow::Result<()> {
        let polls = Polls::new(self.chain.deployment.polls, self.provider(4)?);
        pass(polls.provider(), 4_000).await?;
        done(polls.publishSealingSecret(uint!(2_U256), uint!(1_U256)).send().await?).await?;
        let scope = self.scope_of(self.chain.deployment.polls, 2);
        let (mut accounts, mut items) = (vec![], vec![]);
        for (citizen, version) in [(0, 1), (1, 2), (2, 1), (0, 1)] {
            let account = signer(citizen, &scope)?.address();
            accounts.push(account);
            items.push(self.seal(citizen, account, version));
        }
        done(polls.openBallots(uint!(2_U256), accounts, items).send().await?).await
    }

    /// A season, two sources, claims, one of them again.
    pub(crate) async fn claim_stamps(&self) -> anyhow::Result<()> {
        let points = self.chain.deployment.reward_points;
        let clerk = RewardPoints::new(points, self.provider(1)?);
        let now = now(clerk.provider()).await?;
        done(clerk.openSeason(1, now + 10 * DAY).send().await?).await?;
        let (round, _) = self.address_of_round(1).await?;
        let polls = self.chain.deployment.polls;
        for (number, participation, season) in [(0, polls, 1), (1, round, 0)] {
            let call = clerk.openSource(1, participation, uint!(1_U256), key(110 + number), 50, season);
            done(call.send().await?).await?;
        }
        let scope = self.scope_of(points, 1);
        let anyone = RewardPoints::new(points, self.provider(4)?);
        for citizens in [&[0_u8, 1] as &[u8], &[1, 2]] {
            let (mut accounts, mut signatures) = (vec![], vec![]);
            for citizen in citizens {
                accounts.push(signer(*citizen, &scope)?.address());
                signatures.extend(credential(*citizen, 110, &scope)?);
            }
            done(anyone.claim(uint!(1_U256), accounts, signatures.into()).send().await?).await?;
        }
        done(clerk.closeSource(uint!(2_U256)).send().await?).await
    }

    /// Prizes are listed and redeemed.
    pub(crate) async fn redeem(&self) -> anyhow::Result<()> {
        let register = Municipalities::new(self.chain.deployment.municipalities, self.operator()?);
        let partner = self.chain.account(3)?;
        done(register.grantRole(1, PARTNER, partner, 1, u64::MAX, keccak256("application")).send().await?).await?;
        let shop = RewardShop::new(self.chain.deployment.reward_shop, self.provider(3)?);
        let until = now(shop.provider()).await? + 30 * DAY;
        for (price, stock) in [(20, 3), (10, 1)] {
            let until = alloy::primitives::aliases::U40::from(until);
            let from = alloy::primitives::aliases::U40::from(1);
            let call = shop.listPrize(1, price, stock, from, until, DAY as u32, keccak256("кружка"));
            done(call.send().await?).await?;
        }
        done(shop.raiseStock(uint!(1_U256), 4).send().await?).await?;
        done(shop.lowerStock(uint!(1_U256), 2).send().await?).await?;
        done(shop.withdrawPrize(uint!(2_U256)).send().await?).await?;
        let scope = self.scope_of(self.chain.deployment.reward_points, 1);
        let (mut messages, mut signatures) = (vec![], vec![]);
        for (citizen, code) in [(0, 1), (1, 2), (2, 3), (2, 3)] {
            let signer = signer(citizen, &scope)?;
            let message = signed::Redemption {
                account: signer.address(),
                prizeId: uint!(1_U256),
                price: uint!(20_U256),
                contentHash: keccak256("кружка"),
                seasonIds: vec![uint!(1_U256)],
                codeHash: keccak256(u128::to_be_bytes(code)),
            };
            signatures.extend(self.sign(&signer, *shop.address(), &message)?);
            messages.push(IRewardShop::Redemption {
                account: message.account,
                prizeId: message.prizeId,
                price: message.price,
                contentHash: message.contentHash,
                seasonIds: message.seasonIds,
                codeHash: message.codeHash,
            });
        }
        let anyone = RewardShop::new(*shop.address(), self.provider(4)?);
        done(anyone.redeem(messages, signatures.into()).send().await?).await
    }

    /// One is handed over, one refused, one lapses.
    pub(crate) async fn end_redemptions(&self) -> anyhow::Result<()> {
        let scope = self.scope_of(self.chain.deployment.reward_points, 1);
        let shop = RewardShop::new(self.chain.deployment.reward_shop, self.provider(3)?);
        let mut ids = Vec::new();
        for (citizen, code) in [(0, 1_u128), (1, 2), (2, 3)] {
            let account = signer(citizen, &scope)?.address();
            ids.push(shop.redemptionIdOf(account, keccak256(code.to_be_bytes())).call().await?);
        }
        done(shop.honour(ids[0], 1_u128.to_be_bytes().into()).send().await?).await?;
        done(shop.refuse(ids[1], keccak256("разбилась")).send().await?).await?;
        pass(shop.provider(), 2 * DAY).await?;
        done(shop.lapse(ids[2]).send().await?).await
    }

    /// The winner is carried out, late, and given up.
    pub(crate) async fn carry_out(&self) -> anyhow::Result<()> {
        let (round, _) = self.address_of_round(1).await?;
        let clerk = Milestones::new(self.chain.deployment.milestones, self.provider(1)?);
        let start = now(clerk.provider()).await? + DAY;
        done(clerk.schedule(round, 1, [start, start, start + 1, start + DAY]).send().await?).await?;
        let reason = keccak256("зима");
        done(clerk.postpone(round, 1, 3, start + 2 * DAY, reason).send().await?).await?;
        done(clerk.postpone(round, 1, 3, start + 3 * DAY, reason).send().await?).await?;
        done(clerk.reach(round, 1, 0, keccak256("план")).send().await?).await?;
        done(clerk.reach(round, 1, 1, keccak256("договор")).send().await?).await?;
        done(clerk.abandon(round, 1, keccak256("подрядчик исчез")).send().await?).await
    }

    /// A register with one anchor.
    pub(crate) async fn anchor(&self) -> anyhow::Result<()> {
        let register = Municipalities::new(self.chain.deployment.municipalities, self.operator()?);
        let registrar = self.chain.account(3)?;
        done(register.grantRole(1, REGISTRAR, registrar, 1, u64::MAX, keccak256("application")).send().await?).await?;
        let anchors = Anchors::new(self.chain.deployment.anchors, self.provider(3)?);
        for name in ["appeals", "moderation"] {
            done(anchors.openStream(1, name.to_owned()).send().await?).await?;
        }
        let stream = anchors.streamIdOf(1, "appeals".to_owned()).call().await?;
        done(anchors.anchor(stream, 1, keccak256("root"), vec![]).send().await?).await
    }

    /// Pieces of a foreign token are minted, passed on and burnt.
    pub(crate) async fn move_pieces(&self) -> anyhow::Result<()> {
        let provider = self.provider(4)?;
        let deploy = TransactionRequest::default().with_deploy_code(PIECES);
        let receipt = provider.send_transaction(deploy).await?.get_receipt().await?;
        let token = receipt.contract_address.context("a contract")?;
        let (zero, a, b) = (Address::ZERO, Address::with_last_byte(0xa), Address::with_last_byte(0xb));
        for (from, to, piece) in [(zero, a, 1_u64), (zero, b, 2), (zero, a, 3), (a, b, 1), (b, zero, 2)] {
            let mut input = Vec::new();
            input.extend(from.into_word());
            input.extend(to.into_word());
            input.extend(U256::from(piece).to_be_bytes::<32>());
            let call = TransactionRequest::default().with_to(token).with_input(input);
            done(provider.send_transaction(call).await?).await?;
        }
        Ok(())
    }

    fn scope_of(&self, contract: Address, id: u64) -> CredentialScope {
        CredentialScope::new(self.chain.deployment.chain_id, contract.into_array(), id, 0)
    }

    fn sign(
        &self,
        signer: &PrivateKeySigner,
        contract: Address,
        message: &impl alloy::sol_types::SolStruct,
    ) -> anyhow::Result<[u8; 64]> {
        let hash = signed::signing_hash(self.chain.deployment.chain_id, contract, message);
        Ok(signer.sign_hash_sync(&hash)?.as_erc2098())
    }
}

fn issuer(number: u8) -> IssuerSecretKey {
    let mut scalar = [0; 32];
    scalar[31] = number;
    IssuerSecretKey::from_bytes(&scalar).expect("a small number is a scalar")
}

fn key(number: u8) -> Bytes {
    Bytes::from(issuer(number).public_key().to_eip2537().to_vec())
}

fn secret(citizen: u8) -> anyhow::Result<MasterSecret> {
    Ok(MasterSecret::from_bytes(&[citizen + 1; 16])?)
}

fn signer(citizen: u8, scope: &CredentialScope) -> anyhow::Result<PrivateKeySigner> {
    Ok(PrivateKeySigner::from_slice(&*secret(citizen)?.account(scope).to_bytes())?)
}

fn credential(citizen: u8, issuer_number: u8, scope: &CredentialScope) -> anyhow::Result<[u8; 96]> {
    let secret = secret(citizen)?;
    let (account, blinding) = (secret.account(scope).address(), secret.blinding(scope));
    let answer = issuer(issuer_number).sign_blinded(&blind(scope, account, &blinding));
    Ok(unblind(&answer, &blinding).to_uncompressed())
}
