//! Logs become rows: no chain, no database, no clock.
//!
//! Only contracts of the deployment speak for the deployment: the register, the factory, and the rounds and tokens that the
//! factory announced. ERC-20 transfers are read from every contract.

mod services;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256, b256};
use alloy::sol_types::SolEvent;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_bindings::budget_token::BudgetToken;
use kopilka_bindings::deploy::Deployment;
use kopilka_bindings::municipalities::Municipalities;
use kopilka_domain::{Allotment, BallotKind, Phase, Rule};
use kopilka_store::chain::rows::{
    AllocationRow, ClassRow, ContractRow, InitiativeRow, IssuedRow, LogRow, MintCancellationRow, MintProposalRow,
    MintRow, MunicipalityRow, NftTransferRow, PauseRow, PaymentRow, PhaseRow, PledgingOpeningRow, RegistrationRow,
    ResultRow, ReturnRow, RoleRow, RoundRow, Rows, SettlementApprovalRow, SettlementRow, SkippedRow, TokenRow,
    TransferRow, UnixTime,
};

use services::{id, service_event};

/// Changes whenever the derived rows of the same logs change: the tables are then rebuilt at the next start.
pub const DECODER_VERSION: i32 = 2;

const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// A log that its contract cannot have emitted, or that this version does not understand.
#[derive(Debug, thiserror::Error)]
#[error("log {log_index} of block {block_number}, {event} of {address}, cannot be read: {reason}")]
pub struct DecodeError {
    /// Block.
    pub block_number: u64,
    /// Position in the block.
    pub log_index: u32,
    /// Emitting contract.
    pub address: Address,
    /// Expected event.
    pub event: &'static str,
    /// What is wrong.
    pub reason: String,
}

/// The contracts whose events count.
#[derive(Debug, Clone)]
pub struct Known {
    deployment: Deployment,
    rounds: BTreeSet<Address>,
    /// Every token seen; budget tokens with their round.
    tokens: BTreeMap<Address, Option<Address>>,
    /// Foreign tokens whose logs are wanted.
    watched: BTreeSet<Address>,
}

impl Known {
    /// The deployment's own contracts, foreign tokens to watch, and tokens (with their rounds) that were found before.
    pub fn new(
        deployment: &Deployment,
        watched: &[Address],
        tokens: impl IntoIterator<Item = (Address, Option<Address>)>,
    ) -> Self {
        let tokens: BTreeMap<_, _> = tokens.into_iter().collect();
        Self {
            deployment: deployment.clone(),
            rounds: tokens.values().copied().flatten().collect(),
            tokens,
            watched: watched.iter().copied().collect(),
        }
    }

    /// Addresses whose logs are needed when the chain is not kept whole.
    pub fn addresses(&self) -> BTreeSet<Address> {
        let budget_tokens = self.tokens.iter().filter(|(_, round)| round.is_some()).map(|(token, _)| *token);
        let ours = self.deployment.contracts().into_iter().map(|(_, address)| address);
        ours.chain(self.rounds.iter().copied()).chain(budget_tokens).chain(self.watched.iter().copied()).collect()
    }

    /// Chain and contracts.
    pub(crate) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The round that speaks through a contract: itself, or the round of its token.
    pub(crate) fn round_of(&self, contract: Address) -> Option<Address> {
        match self.tokens.get(&contract) {
            Some(round) => *round,
            None => self.rounds.get(&contract).copied(),
        }
    }
}

/// Rows for the deployment's own contracts.
pub fn deployment_contracts(deployment: &Deployment) -> Vec<ContractRow> {
    deployment
        .contracts()
        .map(|(kind, address)| ContractRow {
            address,
            kind,
            round: None,
            initiative_id: None,
            block_number: deployment.first_block,
            log_index: -1,
        })
        .into()
}

/// Round and token of a `RoundCreated`.
pub(crate) fn created(log: &LogRow) -> Result<(Address, Address), DecodeError> {
    let event: BudgetRounds::RoundCreated = event(log)?;
    Ok((event.round, event.token))
}

/// Appends the derived rows of `logs`, which are in the chain's order and follow everything decoded before. `time` gives the
/// Unix time of a block. Tokens seen for the first time come without name, symbol and decimals.
///
/// # Errors
/// [`DecodeError`] for a log of ours that cannot be read.
pub fn decode(
    known: &mut Known,
    logs: &[LogRow],
    time: impl Fn(u64) -> u64,
    rows: &mut Rows,
) -> Result<(), DecodeError> {
    // A token speaks in the transaction that creates it, before or after the factory does.
    for log in logs {
        if log.address == known.deployment.rounds && log.topic0 == Some(BudgetRounds::RoundCreated::SIGNATURE_HASH) {
            let (round, token) = created(log)?;
            known.rounds.insert(round);
            known.tokens.insert(token, Some(round));
            round_created(log, UnixTime(time(log.block_number)), rows)?;
        }
    }
    for log in logs {
        let Some(topic0) = log.topic0 else { continue };
        if topic0 == TRANSFER {
            transfer(known, log, rows);
        } else if known.rounds.contains(&log.address) {
            round_event(log, topic0, UnixTime(time(log.block_number)), rows)?;
        } else if log.address == known.deployment.municipalities {
            municipality_event(log, topic0, UnixTime(time(log.block_number)), rows)?;
        } else if matches!(known.tokens.get(&log.address), Some(Some(_))) {
            token_event(log, topic0, UnixTime(time(log.block_number)), rows)?;
        } else {
            service_event(&known.deployment, log, topic0, UnixTime(time(log.block_number)), rows)?;
        }
    }
    mark_current(&mut rows.allocations, |row| (row.round, row.account), |row| &mut row.current);
    mark_current(&mut rows.ballots, |row| (row.poll_id, row.account), |row| &mut row.current);
    Ok(())
}

/// The last row of each account is the current one.
fn mark_current<R, K: Ord>(rows: &mut [R], key: impl Fn(&R) -> K, current: impl Fn(&mut R) -> &mut bool) {
    let mut seen = BTreeSet::new();
    for row in rows.iter_mut().rev() {
        let last = seen.insert(key(row));
        *current(row) = last;
    }
}

fn event<E: SolEvent>(log: &LogRow) -> Result<E, DecodeError> {
    let topics = [log.topic0, log.topic1, log.topic2, log.topic3].into_iter().map_while(|topic| topic);
    E::decode_raw_log(topics, &log.data).map_err(|error| unreadable(log, E::SIGNATURE, error.to_string()))
}

fn unreadable(log: &LogRow, event: &'static str, reason: String) -> DecodeError {
    DecodeError { block_number: log.block_number, log_index: log.log_index, address: log.address, event, reason }
}

fn code<T: TryFrom<u8>>(log: &LogRow, event: &'static str, code: u8) -> Result<T, DecodeError>
where
    T::Error: std::fmt::Display,
{
    T::try_from(code).map_err(|error| unreadable(log, event, error.to_string()))
}

fn transfer(known: &mut Known, log: &LogRow, rows: &mut Rows) {
    let (Some(from), Some(to)) = (log.topic1, log.topic2) else { return };
    // ERC-20 has the amount as data, ERC-721 the piece as fourth topic; whatever else uses this name is neither.
    let standard = match (log.topic3, log.data.len()) {
        (None, 32) => "erc20",
        (Some(_), 0) => "erc721",
        _ => return,
    };
    if let Entry::Vacant(unknown) = known.tokens.entry(log.address) {
        unknown.insert(None);
        rows.tokens.push(token(log.address, standard, log));
    }
    let (from_address, to_address) = (Address::from_word(from), Address::from_word(to));
    let (block_number, log_index, tx_hash, tx_index) = (log.block_number, log.log_index, log.tx_hash, log.tx_index);
    match log.topic3 {
        None => rows.transfers.push(TransferRow {
            block_number,
            log_index,
            tx_hash,
            tx_index,
            token: log.address,
            from_address,
            to_address,
            amount: U256::from_be_slice(&log.data),
        }),
        Some(id) => rows.nft_transfers.push(NftTransferRow {
            block_number,
            log_index,
            tx_hash,
            tx_index,
            token: log.address,
            from_address,
            to_address,
            token_id: id.into(),
        }),
    }
}

/// A token at its first event.
fn token(address: Address, standard: &'static str, log: &LogRow) -> TokenRow {
    TokenRow {
        address,
        round: None,
        round_id: None,
        standard,
        name: None,
        symbol: None,
        decimals: None,
        appropriation_amount: None,
        fiscal_year: None,
        kbk: None,
        document_hash: None,
        document_uri: None,
        block_number: log.block_number,
        log_index: log.log_index,
    }
}

fn round_created(log: &LogRow, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    const NAME: &str = BudgetRounds::RoundCreated::SIGNATURE;
    let event: BudgetRounds::RoundCreated = event(log)?;
    let config = event.config;
    let round_id = id(log, NAME, event.roundId)?;
    rows.rounds.push(RoundRow {
        address: event.round,
        round_id,
        municipality_id: event.municipalityId.into(),
        token: event.token,
        ballot_kind: code::<BallotKind>(log, NAME, config.ballotKind)?.as_str(),
        allotment: code::<Allotment>(log, NAME, config.allotment)?.as_str(),
        rule: code::<Rule>(log, NAME, config.rule)?.as_str(),
        completion_raise: config.completionRaise,
        completion_fill: config.completionFill,
        share_points: config.sharePoints.into(),
        threshold: U256::from(config.threshold),
        fixed_amount: U256::from(config.fixedAmount),
        registration_until: UnixTime(config.registrationUntil),
        pledging_until: UnixTime(config.pledgingUntil),
        objection_period_seconds: config.objectionPeriod.into(),
        content_hash: config.contentHash,
        created_at: at,
        tx_hash: log.tx_hash,
        block_number: log.block_number,
        log_index: log.log_index,
    });
    rows.tokens.push(TokenRow {
        round: Some(event.round),
        round_id: Some(round_id),
        ..token(event.token, "erc20", log)
    });
    for (kind, address) in [("round", event.round), ("token", event.token)] {
        rows.contracts.push(ContractRow {
            address,
            kind,
            round: Some(event.round),
            initiative_id: None,
            block_number: log.block_number,
            log_index: log.log_index.cast_signed(),
        });
    }
    Ok(())
}

fn municipality_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    match topic0 {
        Municipalities::MunicipalityAdmitted::SIGNATURE_HASH => {
            let event: Municipalities::MunicipalityAdmitted = event(log)?;
            rows.municipalities.push(MunicipalityRow {
                municipality_id: event.municipalityId.into(),
                oktmo: event.oktmo,
                name: event.name,
                tx_hash: log.tx_hash,
                block_number: log.block_number,
                log_index: log.log_index,
            });
        }
        Municipalities::RoleGranted::SIGNATURE_HASH => {
            let event: Municipalities::RoleGranted = event(log)?;
            rows.roles.push(RoleRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                municipality_id: event.municipalityId.into(),
                role: role(log, event.role)?,
                account: event.account,
                granted: true,
                valid_from: Some(UnixTime(event.validFrom)),
                valid_until: Some(UnixTime(event.validUntil)),
                application_hash: Some(event.applicationHash),
            });
        }
        Municipalities::RoleRevoked::SIGNATURE_HASH => {
            let event: Municipalities::RoleRevoked = event(log)?;
            rows.roles.push(RoleRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                municipality_id: event.municipalityId.into(),
                role: role(log, event.role)?,
                account: event.account,
                granted: false,
                valid_from: None,
                valid_until: None,
                application_hash: None,
            });
        }
        Municipalities::Paused::SIGNATURE_HASH => {
            let event: Municipalities::Paused = event(log)?;
            rows.pauses.push(pause(log, at, event.account, Some(event.reasonHash)));
        }
        Municipalities::Unpaused::SIGNATURE_HASH => {
            let event: Municipalities::Unpaused = event(log)?;
            rows.pauses.push(pause(log, at, event.account, None));
        }
        _ => {}
    }
    Ok(())
}

/// A pause for a reason, or without one its end.
fn pause(log: &LogRow, at: UnixTime, account: Address, reason_hash: Option<B256>) -> PauseRow {
    PauseRow {
        block_number: log.block_number,
        log_index: log.log_index,
        tx_hash: log.tx_hash,
        account,
        paused: reason_hash.is_some(),
        reason_hash,
        changed_at: at,
    }
}

fn role(log: &LogRow, role: u8) -> Result<&'static str, DecodeError> {
    match role {
        1 => Ok("treasurer"),
        2 => Ok("clerk"),
        3 => Ok("issuer"),
        4 => Ok("partner"),
        5 => Ok("controller"),
        6 => Ok("registrar"),
        _ => Err(unreadable(log, "RoleGranted or RoleRevoked", format!("{role} is no role"))),
    }
}

fn token_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    match topic0 {
        BudgetToken::AppropriationRecorded::SIGNATURE_HASH => {
            let event: BudgetToken::AppropriationRecorded = event(log)?;
            // Once, in the transaction that creates the token: its row is among these.
            let token = rows.tokens.iter_mut().find(|token| token.address == log.address).ok_or_else(|| {
                unreadable(log, BudgetToken::AppropriationRecorded::SIGNATURE, "the token was created earlier".into())
            })?;
            token.appropriation_amount = Some(U256::from(event.amount));
            token.fiscal_year = Some(event.fiscalYear.into());
            token.kbk = Some(event.kbk);
            token.document_hash = Some(event.documentHash);
            token.document_uri = Some(event.documentURI);
        }
        BudgetToken::BudgetMinted::SIGNATURE_HASH => {
            let event: BudgetToken::BudgetMinted = event(log)?;
            rows.mints.push(MintRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                token: log.address,
                mint_id: id(log, BudgetToken::BudgetMinted::SIGNATURE, event.mintId)?,
                treasurer: event.proposer,
                approver: event.approver,
                amount: event.amount,
                minted_total: event.mintedTotal,
            });
        }
        BudgetToken::MintProposed::SIGNATURE_HASH => {
            let event: BudgetToken::MintProposed = event(log)?;
            rows.mint_proposals.push(MintProposalRow {
                token: log.address,
                mint_id: id(log, BudgetToken::MintProposed::SIGNATURE, event.mintId)?,
                proposer: event.proposer,
                amount: event.amount,
                document_hash: event.documentHash,
                proposed_at: at,
                tx_hash: log.tx_hash,
                block_number: log.block_number,
                log_index: log.log_index,
            });
        }
        BudgetToken::MintCancelled::SIGNATURE_HASH => {
            let event: BudgetToken::MintCancelled = event(log)?;
            rows.mint_cancellations.push(MintCancellationRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                token: log.address,
                mint_id: id(log, BudgetToken::MintCancelled::SIGNATURE, event.mintId)?,
                account: event.account,
                cancelled_at: at,
            });
        }
        BudgetToken::ReturnedToBudget::SIGNATURE_HASH => {
            let event: BudgetToken::ReturnedToBudget = event(log)?;
            rows.returns.push(ReturnRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                token: log.address,
                from_address: event.from,
                amount: event.amount,
            });
        }
        // PaymentBurned is the token's side of the round's PaymentRecorded.
        _ => {}
    }
    Ok(())
}

fn round_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    let (block_number, log_index, tx_hash, round) = (log.block_number, log.log_index, log.tx_hash, log.address);
    match topic0 {
        BudgetRound::AllocationRecorded::SIGNATURE_HASH => {
            let event: BudgetRound::AllocationRecorded = event(log)?;
            rows.allocations.push(AllocationRow {
                block_number,
                log_index,
                tx_hash,
                round,
                account: event.account,
                version: event.version.into(),
                initiatives: event.initiatives,
                points: event.points,
                current: false,
            });
        }
        BudgetRound::Registered::SIGNATURE_HASH => {
            let event: BudgetRound::Registered = event(log)?;
            let (account, class) = (event.account, event.class);
            rows.registrations.push(RegistrationRow { block_number, log_index, tx_hash, round, account, class });
        }
        BudgetRound::RegistrationSkipped::SIGNATURE_HASH => {
            let event: BudgetRound::RegistrationSkipped = event(log)?;
            rows.skipped_items.push(SkippedRow {
                block_number,
                log_index,
                tx_hash,
                round,
                kind: "registration",
                account: event.account,
                class: Some(event.class),
                version: None,
                reason: skip_reason(log, event.reason)?,
            });
        }
        BudgetRound::AllocationSkipped::SIGNATURE_HASH => {
            let event: BudgetRound::AllocationSkipped = event(log)?;
            rows.skipped_items.push(SkippedRow {
                block_number,
                log_index,
                tx_hash,
                round,
                kind: "allocation",
                account: event.account,
                class: None,
                version: Some(event.version.into()),
                reason: skip_reason(log, event.reason)?,
            });
        }
        BudgetRound::PhaseChanged::SIGNATURE_HASH => {
            let event: BudgetRound::PhaseChanged = event(log)?;
            let phase = code::<Phase>(log, BudgetRound::PhaseChanged::SIGNATURE, event.phase)?.as_str();
            rows.phase_changes.push(PhaseRow { block_number, log_index, tx_hash, round, phase, changed_at: at });
        }
        BudgetRound::ClassAdded::SIGNATURE_HASH => {
            let event: BudgetRound::ClassAdded = event(log)?;
            rows.classes.push(ClassRow {
                round,
                class: event.class,
                weight: event.weight.into(),
                issuer_key: event.issuerKey,
                tx_hash,
                block_number,
                log_index,
            });
        }
        BudgetRound::InitiativeAdded::SIGNATURE_HASH => {
            let event: BudgetRound::InitiativeAdded = event(log)?;
            rows.initiatives.push(InitiativeRow {
                round,
                initiative_id: event.initiativeId.into(),
                cost: U256::from(event.cost),
                content_hash: event.contentHash,
                wallet: event.wallet,
                tx_hash,
                block_number,
                log_index,
            });
            rows.contracts.push(ContractRow {
                address: event.wallet,
                kind: "wallet",
                round: Some(round),
                initiative_id: Some(event.initiativeId.into()),
                block_number,
                log_index: log_index.cast_signed(),
            });
        }
        BudgetRound::CredentialsIssued::SIGNATURE_HASH => {
            let event: BudgetRound::CredentialsIssued = event(log)?;
            let (class, issued) = (event.class, event.issued.into());
            rows.issued.push(IssuedRow { block_number, log_index, tx_hash, round, class, issued });
        }
        BudgetRound::PledgingOpened::SIGNATURE_HASH => {
            let event: BudgetRound::PledgingOpened = event(log)?;
            let (budget, total_weight) = (event.budget, event.totalWeight);
            rows.pledging_openings.push(PledgingOpeningRow {
                block_number,
                log_index,
                tx_hash,
                round,
                budget,
                total_weight,
            });
        }
        BudgetRound::PaymentRecorded::SIGNATURE_HASH => {
            let event: BudgetRound::PaymentRecorded = event(log)?;
            rows.payments.push(PaymentRow {
                block_number,
                log_index,
                tx_hash,
                round,
                initiative_id: event.initiativeId.into(),
                amount: event.amount,
                payment_reference: event.paymentReference,
                document_hash: event.documentHash,
                paid_at: at,
            });
        }
        _ => settlement_event(log, topic0, at, rows)?,
    }
    Ok(())
}

fn settlement_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    let row = |kind, transcript_digest| SettlementRow {
        block_number: log.block_number,
        log_index: log.log_index,
        tx_hash: log.tx_hash,
        round: log.address,
        kind,
        account: None,
        happened_at: at,
        winners: None,
        transcript_digest,
        total_cost: None,
        final_at: None,
        returned: None,
    };
    match topic0 {
        BudgetRound::SettlementProposed::SIGNATURE_HASH => {
            let event: BudgetRound::SettlementProposed = event(log)?;
            rows.settlements.push(SettlementRow {
                account: Some(event.proposer),
                winners: Some(event.winners),
                total_cost: Some(event.totalCost),
                final_at: Some(UnixTime(event.finalAt)),
                ..row("proposed", event.transcriptDigest)
            });
        }
        BudgetRound::SettlementWithdrawn::SIGNATURE_HASH => {
            let event: BudgetRound::SettlementWithdrawn = event(log)?;
            let row = row("withdrawn", event.transcriptDigest);
            rows.settlements.push(SettlementRow { account: Some(event.account), ..row });
        }
        BudgetRound::SettlementApproved::SIGNATURE_HASH => {
            let event: BudgetRound::SettlementApproved = event(log)?;
            rows.settlement_approvals.push(SettlementApprovalRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                round: log.address,
                proposer: event.proposer,
                approver: event.approver,
                transcript_digest: event.transcriptDigest,
                approved_at: at,
            });
        }
        BudgetRound::SettlementFinalized::SIGNATURE_HASH => {
            let event: BudgetRound::SettlementFinalized = event(log)?;
            rows.settlements.push(SettlementRow {
                winners: Some(event.winners),
                total_cost: Some(event.totalCost),
                returned: Some(event.returned),
                ..row("final", event.transcriptDigest)
            });
        }
        BudgetRound::InitiativeSettled::SIGNATURE_HASH => {
            let event: BudgetRound::InitiativeSettled = event(log)?;
            rows.initiative_results.push(ResultRow {
                block_number: log.block_number,
                log_index: log.log_index,
                tx_hash: log.tx_hash,
                round: log.address,
                initiative_id: event.initiativeId.into(),
                won: event.won,
                pledged: event.pledged,
                funded: event.funded,
            });
        }
        // An event of a later version of the contracts, or of OpenZeppelin's `Initializable`.
        _ => {}
    }
    Ok(())
}

fn skip_reason(log: &LogRow, reason: u8) -> Result<&'static str, DecodeError> {
    Ok(match reason {
        0 => "none",
        1 => "already-registered",
        2 => "funds-exhausted",
        3 => "not-registered",
        4 => "signature-invalid",
        5 => "version-not-higher",
        6 => "choices-malformed",
        _ => return Err(unreadable(log, "skipped item", format!("{reason} is no reason"))),
    })
}
