//! Events of the contracts around the rounds: issuer keys, milestones, polls, points, the reward shop, anchors.

use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::SolEvent as _;
use kopilka_bindings::anchors::Anchors;
use kopilka_bindings::deploy::Deployment;
use kopilka_bindings::issuer_keys::IssuerKeys;
use kopilka_bindings::milestones::Milestones;
use kopilka_bindings::polls::Polls;
use kopilka_bindings::reward_points::RewardPoints;
use kopilka_bindings::reward_shop::RewardShop;
use kopilka_store::chain::rows::{
    AbandonmentRow, AnchorRow, AnchorStreamRow, BallotOpeningRow, BallotRow, ExecutionRow, IssuerKeyClaimRow,
    IssuerKeyVerifierRow, LogRow, MilestoneRow, PointsSpentRow, PollCancellationRow, PollIssuedRow, PollRow,
    PollSecretRow, PostponementRow, PrizeRow, PrizeStockRow, PrizeWithdrawalRow, RedemptionEndRow, RedemptionRow, Rows,
    SeasonRow, SkippedBallotRow, SkippedRedemptionRow, SkippedStampRow, StampClaimRow, StampSourceClosingRow,
    StampSourceRow, UnixTime,
};

use super::{DecodeError, event, unreadable};

/// Decodes an event of one of the deployment's single contracts.
pub(super) fn service_event(
    deployment: &Deployment,
    log: &LogRow,
    topic0: B256,
    at: UnixTime,
    rows: &mut Rows,
) -> Result<(), DecodeError> {
    let contract = log.address;
    if contract == deployment.polls {
        poll_event(log, topic0, at, rows)
    } else if contract == deployment.reward_points {
        points_event(log, topic0, at, rows)
    } else if contract == deployment.reward_shop {
        shop_event(log, topic0, at, rows)
    } else if contract == deployment.milestones {
        milestone_event(log, topic0, at, rows)
    } else if contract == deployment.anchors {
        anchor_event(log, topic0, rows)
    } else if contract == deployment.issuer_keys {
        key_event(log, topic0, rows)
    } else {
        Ok(())
    }
}

/// An id that a contract counts from 1.
pub(super) fn id(log: &LogRow, event: &'static str, id: U256) -> Result<u64, DecodeError> {
    u64::try_from(id).map_err(|error| unreadable(log, event, error.to_string()))
}

/// The word for a value of an enumeration.
pub(super) fn word(
    log: &LogRow,
    event: &'static str,
    words: &[&'static str],
    value: u8,
) -> Result<&'static str, DecodeError> {
    words
        .get(usize::from(value))
        .copied()
        .ok_or_else(|| unreadable(log, event, format!("{value} is none of {}", words.join(", "))))
}

const KINDS: &[&str] = &["single", "multiple", "rating"];
const BALLOT_REASONS: &[&str] = &[
    "none",
    "credential-missing",
    "issued-reached",
    "revote-forbidden",
    "version-not-higher",
    "choice-malformed",
    "signature-invalid",
    "not-sealed",
    "seal-mismatch",
];

fn poll_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    let (block_number, log_index, tx_hash) = (log.block_number, log.log_index, log.tx_hash);
    let poll = |poll: U256| id(log, "pollId", poll);
    let ballot = |poll_id: u64, account: Address, version: u32| BallotRow {
        block_number,
        log_index,
        tx_hash,
        poll_id,
        account,
        version: version.into(),
        choice: None,
        point: None,
        masked_choice: None,
        current: false,
    };
    match topic0 {
        Polls::BallotCast::SIGNATURE_HASH => {
            let event: Polls::BallotCast = event(log)?;
            let row = ballot(poll(event.pollId)?, event.account, event.version);
            rows.ballots.push(BallotRow { choice: Some(U256::from(event.choice)), ..row });
        }
        Polls::SealedBallotCast::SIGNATURE_HASH => {
            let event: Polls::SealedBallotCast = event(log)?;
            let row = ballot(poll(event.pollId)?, event.account, event.version);
            let masked_choice = Some(U256::from(event.maskedChoice));
            rows.ballots.push(BallotRow { point: Some(event.point), masked_choice, ..row });
        }
        Polls::BallotOpened::SIGNATURE_HASH => {
            let event: Polls::BallotOpened = event(log)?;
            rows.ballot_openings.push(BallotOpeningRow {
                block_number,
                log_index,
                tx_hash,
                poll_id: poll(event.pollId)?,
                account: event.account,
                version: event.version.into(),
                choice: Some(U256::from(event.choice)),
            });
        }
        Polls::BallotSpoilt::SIGNATURE_HASH => {
            let event: Polls::BallotSpoilt = event(log)?;
            rows.ballot_openings.push(BallotOpeningRow {
                block_number,
                log_index,
                tx_hash,
                poll_id: poll(event.pollId)?,
                account: event.account,
                version: event.version.into(),
                choice: None,
            });
        }
        Polls::BallotSkipped::SIGNATURE_HASH => {
            let event: Polls::BallotSkipped = event(log)?;
            rows.skipped_ballots.push(SkippedBallotRow {
                block_number,
                log_index,
                tx_hash,
                poll_id: poll(event.pollId)?,
                account: event.account,
                version: event.version.into(),
                opening: false,
                reason: word(log, Polls::BallotSkipped::SIGNATURE, BALLOT_REASONS, event.reason)?,
            });
        }
        Polls::OpeningSkipped::SIGNATURE_HASH => {
            let event: Polls::OpeningSkipped = event(log)?;
            rows.skipped_ballots.push(SkippedBallotRow {
                block_number,
                log_index,
                tx_hash,
                poll_id: poll(event.pollId)?,
                account: event.account,
                version: event.version.into(),
                opening: true,
                reason: word(log, Polls::OpeningSkipped::SIGNATURE, BALLOT_REASONS, event.reason)?,
            });
        }
        Polls::PollCreated::SIGNATURE_HASH => {
            let event: Polls::PollCreated = event(log)?;
            let config = event.config;
            rows.polls.push(PollRow {
                poll_id: poll(event.pollId)?,
                municipality_id: event.municipalityId.into(),
                kind: word(log, Polls::PollCreated::SIGNATURE, KINDS, config.kind)?,
                option_count: config.optionCount,
                max_choices: config.maxChoices,
                revote: config.revote,
                opens_at: UnixTime(config.opensAt),
                closes_at: UnixTime(config.closesAt),
                accepts_until: UnixTime(config.closesAt.saturating_add(config.grace.into())),
                content_hash: config.contentHash,
                sealing_key: (!config.sealingKey.is_zero()).then_some(config.sealingKey),
                issuer_key: event.issuerKey,
                created_at: at,
                tx_hash,
                block_number,
                log_index,
            });
        }
        Polls::CredentialsIssued::SIGNATURE_HASH => {
            let event: Polls::CredentialsIssued = event(log)?;
            let (poll_id, issued) = (poll(event.pollId)?, event.issued.into());
            rows.poll_issued.push(PollIssuedRow { block_number, log_index, tx_hash, poll_id, issued });
        }
        Polls::PollCancelled::SIGNATURE_HASH => {
            let event: Polls::PollCancelled = event(log)?;
            rows.poll_cancellations.push(PollCancellationRow {
                block_number,
                log_index,
                tx_hash,
                poll_id: poll(event.pollId)?,
                reason_hash: event.reasonHash,
                cancelled_at: at,
            });
        }
        Polls::SealingSecretPublished::SIGNATURE_HASH => {
            let event: Polls::SealingSecretPublished = event(log)?;
            let (poll_id, secret) = (poll(event.pollId)?, event.secret);
            rows.poll_secrets.push(PollSecretRow { block_number, log_index, tx_hash, poll_id, secret });
        }
        _ => {}
    }
    Ok(())
}

fn points_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    const REASONS: &[&str] = &["none", "already-claimed", "participants-exceeded"];
    let (block_number, log_index, tx_hash) = (log.block_number, log.log_index, log.tx_hash);
    let source = |source: U256| id(log, "sourceId", source);
    match topic0 {
        RewardPoints::StampClaimed::SIGNATURE_HASH => {
            let event: RewardPoints::StampClaimed = event(log)?;
            let (source_id, account) = (source(event.sourceId)?, event.account);
            rows.stamp_claims.push(StampClaimRow { block_number, log_index, tx_hash, source_id, account });
        }
        RewardPoints::StampSkipped::SIGNATURE_HASH => {
            let event: RewardPoints::StampSkipped = event(log)?;
            rows.skipped_stamps.push(SkippedStampRow {
                block_number,
                log_index,
                tx_hash,
                source_id: source(event.sourceId)?,
                account: event.account,
                reason: word(log, RewardPoints::StampSkipped::SIGNATURE, REASONS, event.reason)?,
            });
        }
        RewardPoints::PointsBurned::SIGNATURE_HASH => {
            let event: RewardPoints::PointsBurned = event(log)?;
            rows.points_spent.push(PointsSpentRow {
                block_number,
                log_index,
                tx_hash,
                municipality_id: event.municipalityId.into(),
                season_id: event.seasonId.into(),
                account: event.account,
                amount: event.amount.into(),
                returned: false,
            });
        }
        RewardPoints::PointsReturned::SIGNATURE_HASH => {
            let event: RewardPoints::PointsReturned = event(log)?;
            rows.points_spent.push(PointsSpentRow {
                block_number,
                log_index,
                tx_hash,
                municipality_id: event.municipalityId.into(),
                season_id: event.seasonId.into(),
                account: event.account,
                amount: event.amount.into(),
                returned: true,
            });
        }
        RewardPoints::SeasonOpened::SIGNATURE_HASH => {
            let event: RewardPoints::SeasonOpened = event(log)?;
            rows.seasons.push(SeasonRow {
                municipality_id: event.municipalityId.into(),
                season_id: event.seasonId.into(),
                ends_at: UnixTime(event.endsAt),
                tx_hash,
                block_number,
                log_index,
            });
        }
        RewardPoints::SourceOpened::SIGNATURE_HASH => {
            let event: RewardPoints::SourceOpened = event(log)?;
            rows.stamp_sources.push(StampSourceRow {
                source_id: source(event.sourceId)?,
                municipality_id: event.municipalityId.into(),
                participation: event.participation,
                participation_id: event.participationId,
                season_id: event.seasonId.into(),
                points_per_stamp: event.pointsPerStamp.into(),
                issuer_key: event.issuerKey,
                opened_at: at,
                tx_hash,
                block_number,
                log_index,
            });
        }
        RewardPoints::SourceClosed::SIGNATURE_HASH => {
            let event: RewardPoints::SourceClosed = event(log)?;
            let (source_id, closed_at) = (source(event.sourceId)?, at);
            let row = StampSourceClosingRow { block_number, log_index, tx_hash, source_id, closed_at };
            rows.stamp_source_closings.push(row);
        }
        _ => {}
    }
    Ok(())
}

fn shop_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    const REASONS: &[&str] = &[
        "none",
        "code-used",
        "prize-unknown",
        "prize-differs",
        "prize-withdrawn",
        "partner-lacks-role",
        "not-yet-valid",
        "no-longer-valid",
        "sold-out",
        "signature-invalid",
        "points-insufficient",
    ];
    let (block_number, log_index, tx_hash) = (log.block_number, log.log_index, log.tx_hash);
    let prize = |prize: U256| id(log, "prizeId", prize);
    let stock = |prize_id: u64, amount: u32, raised: bool, stock: u32| PrizeStockRow {
        block_number,
        log_index,
        tx_hash,
        prize_id,
        amount: amount.into(),
        raised,
        stock: stock.into(),
    };
    let end = |redemption_id: B256, prize_id: u64, status: &'static str, reason_hash: Option<B256>| RedemptionEndRow {
        block_number,
        log_index,
        tx_hash,
        redemption_id,
        prize_id,
        status,
        reason_hash,
        ended_at: at,
    };
    match topic0 {
        RewardShop::PrizeRedeemed::SIGNATURE_HASH => {
            let event: RewardShop::PrizeRedeemed = event(log)?;
            rows.redemptions.push(RedemptionRow {
                redemption_id: event.redemptionId,
                prize_id: prize(event.prizeId)?,
                account: event.account,
                code_hash: event.codeHash,
                collect_until: UnixTime(event.collectUntil.to()),
                redeemed_at: at,
                tx_hash,
                block_number,
                log_index,
            });
        }
        RewardShop::RedemptionHonoured::SIGNATURE_HASH => {
            let event: RewardShop::RedemptionHonoured = event(log)?;
            rows.redemption_ends.push(end(event.redemptionId, prize(event.prizeId)?, "honoured", None));
        }
        RewardShop::RedemptionRefused::SIGNATURE_HASH => {
            let event: RewardShop::RedemptionRefused = event(log)?;
            let reason = Some(event.reasonHash);
            rows.redemption_ends.push(end(event.redemptionId, prize(event.prizeId)?, "refused", reason));
        }
        RewardShop::RedemptionLapsed::SIGNATURE_HASH => {
            let event: RewardShop::RedemptionLapsed = event(log)?;
            rows.redemption_ends.push(end(event.redemptionId, prize(event.prizeId)?, "lapsed", None));
        }
        RewardShop::RedemptionSkipped::SIGNATURE_HASH => {
            let event: RewardShop::RedemptionSkipped = event(log)?;
            rows.skipped_redemptions.push(SkippedRedemptionRow {
                block_number,
                log_index,
                tx_hash,
                account: event.account,
                prize_id: event.prizeId,
                code_hash: event.codeHash,
                reason: word(log, RewardShop::RedemptionSkipped::SIGNATURE, REASONS, event.reason)?,
            });
        }
        RewardShop::PrizeListed::SIGNATURE_HASH => {
            let event: RewardShop::PrizeListed = event(log)?;
            rows.prizes.push(PrizeRow {
                prize_id: prize(event.prizeId)?,
                municipality_id: event.municipalityId.into(),
                partner: event.partner,
                price: event.price.into(),
                listed_stock: event.stock.into(),
                valid_from: UnixTime(event.validFrom.to()),
                valid_until: UnixTime(event.validUntil.to()),
                collect_period_seconds: event.collectPeriod.into(),
                content_hash: event.contentHash,
                listed_at: at,
                tx_hash,
                block_number,
                log_index,
            });
        }
        RewardShop::PrizeStockRaised::SIGNATURE_HASH => {
            let event: RewardShop::PrizeStockRaised = event(log)?;
            rows.prize_stock_changes.push(stock(prize(event.prizeId)?, event.amount, true, event.stock));
        }
        RewardShop::PrizeStockLowered::SIGNATURE_HASH => {
            let event: RewardShop::PrizeStockLowered = event(log)?;
            rows.prize_stock_changes.push(stock(prize(event.prizeId)?, event.amount, false, event.stock));
        }
        RewardShop::PrizeWithdrawn::SIGNATURE_HASH => {
            let event: RewardShop::PrizeWithdrawn = event(log)?;
            let (prize_id, withdrawn_at) = (prize(event.prizeId)?, at);
            rows.prize_withdrawals.push(PrizeWithdrawalRow {
                block_number,
                log_index,
                tx_hash,
                prize_id,
                withdrawn_at,
            });
        }
        _ => {}
    }
    Ok(())
}

fn milestone_event(log: &LogRow, topic0: B256, at: UnixTime, rows: &mut Rows) -> Result<(), DecodeError> {
    const STAGES: &[&str] = &["plan", "contract", "acceptance", "report"];
    let (block_number, log_index, tx_hash) = (log.block_number, log.log_index, log.tx_hash);
    match topic0 {
        Milestones::ExecutionScheduled::SIGNATURE_HASH => {
            let event: Milestones::ExecutionScheduled = event(log)?;
            rows.executions.push(ExecutionRow {
                round: event.round,
                initiative_id: event.initiativeId.into(),
                account: event.account,
                deadlines: event.deadlines.into_iter().map(UnixTime).collect(),
                tx_hash,
                block_number,
                log_index,
            });
        }
        Milestones::MilestonePostponed::SIGNATURE_HASH => {
            let event: Milestones::MilestonePostponed = event(log)?;
            rows.milestone_postponements.push(PostponementRow {
                block_number,
                log_index,
                tx_hash,
                round: event.round,
                initiative_id: event.initiativeId.into(),
                stage: word(log, Milestones::MilestonePostponed::SIGNATURE, STAGES, event.stage)?,
                account: event.account,
                previous_deadline: UnixTime(event.previousDeadline),
                deadline: UnixTime(event.deadline),
                reason_hash: event.reasonHash,
                postponed_at: at,
            });
        }
        Milestones::MilestoneReached::SIGNATURE_HASH => {
            let event: Milestones::MilestoneReached = event(log)?;
            rows.milestones_reached.push(MilestoneRow {
                block_number,
                log_index,
                tx_hash,
                round: event.round,
                initiative_id: event.initiativeId.into(),
                stage: word(log, Milestones::MilestoneReached::SIGNATURE, STAGES, event.stage)?,
                account: event.account,
                deadline: UnixTime(event.deadline),
                document_hash: event.documentHash,
                reached_at: at,
            });
        }
        Milestones::ExecutionAbandoned::SIGNATURE_HASH => {
            let event: Milestones::ExecutionAbandoned = event(log)?;
            rows.execution_abandonments.push(AbandonmentRow {
                block_number,
                log_index,
                tx_hash,
                round: event.round,
                initiative_id: event.initiativeId.into(),
                account: event.account,
                reason_hash: event.reasonHash,
                abandoned_at: at,
            });
        }
        _ => {}
    }
    Ok(())
}

fn anchor_event(log: &LogRow, topic0: B256, rows: &mut Rows) -> Result<(), DecodeError> {
    let (block_number, log_index, tx_hash) = (log.block_number, log.log_index, log.tx_hash);
    match topic0 {
        Anchors::StreamOpened::SIGNATURE_HASH => {
            let event: Anchors::StreamOpened = event(log)?;
            rows.anchor_streams.push(AnchorStreamRow {
                stream: event.stream,
                municipality_id: event.municipalityId.into(),
                name: event.name,
                tx_hash,
                block_number,
                log_index,
            });
        }
        Anchors::Anchored::SIGNATURE_HASH => {
            let event: Anchors::Anchored = event(log)?;
            rows.anchors.push(AnchorRow {
                block_number,
                log_index,
                tx_hash,
                stream: event.stream,
                anchor_index: event.index,
                root: event.root,
                leaf_count: event.leafCount,
                anchored_at: UnixTime(event.anchoredAt),
            });
        }
        _ => {}
    }
    Ok(())
}

fn key_event(log: &LogRow, topic0: B256, rows: &mut Rows) -> Result<(), DecodeError> {
    let (block_number, log_index, tx_hash) = (log.block_number, log.log_index, log.tx_hash);
    match topic0 {
        IssuerKeys::IssuerKeyClaimed::SIGNATURE_HASH => {
            let event: IssuerKeys::IssuerKeyClaimed = event(log)?;
            let (key_hash, verifier) = (event.keyHash, event.verifier);
            rows.issuer_key_claims.push(IssuerKeyClaimRow { block_number, log_index, tx_hash, key_hash, verifier });
        }
        IssuerKeys::VerifierAdmitted::SIGNATURE_HASH => {
            let event: IssuerKeys::VerifierAdmitted = event(log)?;
            let verifier = event.verifier;
            rows.issuer_key_verifiers.push(IssuerKeyVerifierRow { block_number, log_index, tx_hash, verifier });
        }
        _ => {}
    }
    Ok(())
}
