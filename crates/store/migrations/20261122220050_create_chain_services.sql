-- What the indexer derives from the contracts around the rounds: two-person approvals, pause, issuer keys, milestones,
-- polls, points, the reward shop, anchors. The same rules as in create_chain.sql hold: every row names the event that
-- made it, amounts and counts that run are recomputed from the events, a reorg is delete and replay.
--
-- Ids that contracts count from 1 are bigint.

-- ---------------------------------------------------------------------------------------------------------------------
-- Two people for money; pause; keys
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.mint_proposals (
    token         chain.address not null,
    mint_id       bigint        not null,
    proposer      chain.address not null,
    amount        chain.amount  not null,
    document_hash chain.hash    not null,
    proposed_at   timestamptz   not null,
    tx_hash       chain.hash    not null,
    block_number  bigint        not null,
    log_index     integer       not null,
    primary key (token, mint_id)
);
comment on table chain.mint_proposals is 'MintProposed: the first of the two people who mint; see chain.mint_states for what became of it.';
comment on column chain.mint_proposals.document_hash is 'keccak256 of the document that justifies it.';

create table chain.mint_cancellations (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    token        chain.address not null,
    mint_id      bigint        not null,
    account      chain.address not null,
    cancelled_at timestamptz   not null,
    primary key (block_number, log_index)
);
create index mint_cancellations_by_mint on chain.mint_cancellations (token, mint_id);
comment on table chain.mint_cancellations is 'MintCancelled: the proposal is void.';

create view chain.mint_states as
select p.token, p.mint_id, p.proposer, p.amount, p.document_hash, p.proposed_at,
       case when m.mint_id is not null then 'minted' when c.mint_id is not null then 'cancelled' else 'proposed' end as status,
       m.approver, m.tx_hash as minted_tx_hash, c.account as cancelled_by, c.cancelled_at
from chain.mint_proposals p
left join chain.mints m on m.token = p.token and m.mint_id = p.mint_id
left join chain.mint_cancellations c on c.token = p.token and c.mint_id = p.mint_id;
comment on view chain.mint_states is 'Every proposed mint with its status: proposed, minted (by whom approved) or cancelled (by whom).';

create table chain.settlement_approvals (
    block_number      bigint        not null,
    log_index         integer       not null,
    tx_hash           chain.hash    not null,
    round             chain.address not null,
    proposer          chain.address not null,
    approver          chain.address not null,
    transcript_digest chain.hash    not null,
    approved_at       timestamptz   not null,
    primary key (block_number, log_index)
);
create index settlement_approvals_by_round on chain.settlement_approvals (round, block_number, log_index);
comment on table chain.settlement_approvals is 'SettlementApproved: the second person stands for the proposed result; void when the proposal is withdrawn after it.';

create table chain.pauses (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    account      chain.address not null,
    paused       boolean       not null,
    reason_hash  chain.hash,
    changed_at   timestamptz   not null,
    primary key (block_number, log_index)
);
comment on table chain.pauses is 'Paused and Unpaused; the last row tells whether new actions are possible.';
comment on column chain.pauses.reason_hash is 'keccak256 of the published reason of a pause.';

create table chain.issuer_key_claims (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    key_hash     chain.hash    not null,
    verifier     chain.address not null,
    primary key (block_number, log_index)
);
create unique index issuer_key_claims_by_key on chain.issuer_key_claims (key_hash);
comment on table chain.issuer_key_claims is 'IssuerKeyClaimed: an issuer key serves one purpose for ever.';
comment on column chain.issuer_key_claims.verifier is 'The contract that accepts its credentials: the factory for its rounds, polls, reward points.';

create table chain.issuer_key_verifiers (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    verifier     chain.address not null,
    primary key (block_number, log_index)
);
comment on table chain.issuer_key_verifiers is 'VerifierAdmitted: contracts that may claim issuer keys.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Milestones
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.executions (
    round         chain.address not null,
    initiative_id integer       not null,
    account       chain.address not null,
    deadlines     timestamptz[] not null check (cardinality(deadlines) = 4),
    tx_hash       chain.hash    not null,
    block_number  bigint        not null,
    log_index     integer       not null,
    primary key (round, initiative_id)
);
comment on table chain.executions is 'ExecutionScheduled: what was promised first for each winner.';
comment on column chain.executions.deadlines is 'Plan, contract, acceptance, report: last second in time of each.';

create table chain.milestone_postponements (
    block_number      bigint        not null,
    log_index         integer       not null,
    tx_hash           chain.hash    not null,
    round             chain.address not null,
    initiative_id     integer       not null,
    stage             text          not null check (stage in ('plan', 'contract', 'acceptance', 'report')),
    account           chain.address not null,
    previous_deadline timestamptz   not null,
    deadline          timestamptz   not null,
    reason_hash       chain.hash    not null,
    postponed_at      timestamptz   not null,
    primary key (block_number, log_index)
);
create index milestone_postponements_by_stage on chain.milestone_postponements (round, initiative_id, stage, block_number, log_index);
comment on table chain.milestone_postponements is 'MilestonePostponed.';

create table chain.milestones_reached (
    block_number  bigint        not null,
    log_index     integer       not null,
    tx_hash       chain.hash    not null,
    round         chain.address not null,
    initiative_id integer       not null,
    stage         text          not null check (stage in ('plan', 'contract', 'acceptance', 'report')),
    account       chain.address not null,
    deadline      timestamptz   not null,
    document_hash chain.hash    not null,
    reached_at    timestamptz   not null,
    primary key (block_number, log_index)
);
create unique index milestones_reached_by_stage on chain.milestones_reached (round, initiative_id, stage);
comment on table chain.milestones_reached is 'MilestoneReached, once for each stage, in their order; in time if reached_at <= deadline.';

create table chain.execution_abandonments (
    block_number  bigint        not null,
    log_index     integer       not null,
    tx_hash       chain.hash    not null,
    round         chain.address not null,
    initiative_id integer       not null,
    account       chain.address not null,
    reason_hash   chain.hash    not null,
    abandoned_at  timestamptz   not null,
    primary key (block_number, log_index)
);
create index execution_abandonments_by_initiative on chain.execution_abandonments (round, initiative_id);
comment on table chain.execution_abandonments is 'ExecutionAbandoned: the winner is given up, its money is back in the budget.';

create view chain.milestones as
select e.round, e.initiative_id, s.position, s.stage, e.deadlines[s.position] as promised,
       coalesce(r.deadline, p.deadline, e.deadlines[s.position]) as deadline, coalesce(p.postponements, 0) as postponements,
       r.reached_at, r.account, r.document_hash, a.abandoned_at
from chain.executions e
cross join (values (1, 'plan'), (2, 'contract'), (3, 'acceptance'), (4, 'report')) as s (position, stage)
left join chain.milestones_reached r on r.round = e.round and r.initiative_id = e.initiative_id and r.stage = s.stage
left join lateral (
    select max(x.deadline) as deadline, count(*) as postponements from chain.milestone_postponements x
    where x.round = e.round and x.initiative_id = e.initiative_id and x.stage = s.stage
) p on true
left join chain.execution_abandonments a on a.round = e.round and a.initiative_id = e.initiative_id;
comment on view chain.milestones is 'Four rows for each scheduled winner: first and present deadline, when and by whom reached. Overdue is what is neither reached nor abandoned after its deadline.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Polls
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.polls (
    poll_id         bigint        primary key,
    municipality_id bigint        not null,
    kind            text          not null check (kind in ('single', 'multiple', 'rating')),
    option_count    smallint      not null,
    max_choices     smallint      not null,
    revote          boolean       not null,
    opens_at        timestamptz   not null,
    closes_at       timestamptz   not null,
    accepts_until   timestamptz   not null,
    content_hash    chain.hash    not null,
    sealing_key     chain.hash,
    issuer_key      bytea         not null check (octet_length(issuer_key) = 256),
    created_at      timestamptz   not null,
    tx_hash         chain.hash    not null,
    block_number    bigint        not null,
    log_index       integer       not null,
    -- Running state, recomputed from the event tables below.
    issued          bigint        not null default 0,
    ballots         bigint        not null default 0,
    opened          bigint        not null default 0,
    spoilt          bigint        not null default 0,
    cancelled_at    timestamptz,
    sealing_secret  chain.amount
) with (fillfactor = 50);
create index polls_by_municipality on chain.polls (municipality_id, poll_id);
comment on table chain.polls is 'PollCreated, and where the poll stands. Announced, open, closing and closed follow from the times.';
comment on column chain.polls.closes_at is 'First second in which citizens may vote no more.';
comment on column chain.polls.accepts_until is 'First second in which the contract takes no ballot any more: closes_at and the grace.';
comment on column chain.polls.sealing_key is 'The trustees'' key of a sealed poll, by its x; null for an open one.';
comment on column chain.polls.issued is 'Credentials that the issuer says it issued; never less than ballots.';
comment on column chain.polls.ballots is 'Accounts with an accepted ballot.';
comment on column chain.polls.opened is 'Sealed polls: ballots opened and counted.';
comment on column chain.polls.spoilt is 'Sealed polls: ballots opened and found malformed.';
comment on column chain.polls.sealing_secret is 'Null until the trustees publish it.';

create table chain.poll_issued (
    block_number bigint     not null,
    log_index    integer    not null,
    tx_hash      chain.hash not null,
    poll_id      bigint     not null,
    issued       bigint     not null,
    primary key (block_number, log_index)
);
create index poll_issued_by_poll on chain.poll_issued (poll_id, block_number, log_index);
comment on table chain.poll_issued is 'CredentialsIssued of a poll; it never decreases.';

create table chain.poll_cancellations (
    block_number bigint      not null,
    log_index    integer     not null,
    tx_hash      chain.hash  not null,
    poll_id      bigint      not null,
    reason_hash  chain.hash  not null,
    cancelled_at timestamptz not null,
    primary key (block_number, log_index)
);
create index poll_cancellations_by_poll on chain.poll_cancellations (poll_id);
comment on table chain.poll_cancellations is 'PollCancelled.';

create table chain.poll_secrets (
    block_number bigint       not null,
    log_index    integer      not null,
    tx_hash      chain.hash   not null,
    poll_id      bigint       not null,
    secret       chain.amount not null,
    primary key (block_number, log_index)
);
create index poll_secrets_by_poll on chain.poll_secrets (poll_id);
comment on table chain.poll_secrets is 'SealingSecretPublished: from here on everyone can open every ballot of the poll.';

create table chain.ballots (
    block_number  bigint        not null,
    log_index     integer       not null,
    tx_hash       chain.hash    not null,
    poll_id       bigint        not null,
    account       chain.address not null,
    version       bigint        not null,
    choice        chain.amount,
    point         chain.hash,
    masked_choice chain.amount,
    current       boolean       not null,
    primary key (block_number, log_index),
    check ((choice is null) = (point is not null) and (point is null) = (masked_choice is null))
);
create unique index ballots_current on chain.ballots (poll_id, account) where current;
create index ballots_by_account on chain.ballots (account, poll_id, version);
create index ballots_by_poll on chain.ballots (poll_id, block_number, log_index);
comment on table chain.ballots is 'BallotCast and SealedBallotCast with all replaced ones.';
comment on column chain.ballots.choice is 'Open polls: bit i for option i; of ratings bits 4i to 4i+3 are the grade of option i. Null when sealed.';
comment on column chain.ballots.current is 'Whether it is the account''s last one in this poll.';

create table chain.ballot_openings (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    poll_id      bigint        not null,
    account      chain.address not null,
    version      bigint        not null,
    choice       chain.amount,
    primary key (block_number, log_index)
);
create unique index ballot_openings_by_account on chain.ballot_openings (poll_id, account);
comment on table chain.ballot_openings is 'BallotOpened, and BallotSpoilt with a null choice: once for each account of a sealed poll.';

create table chain.skipped_ballots (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    poll_id      bigint        not null,
    account      chain.address not null,
    version      bigint        not null,
    opening      boolean       not null,
    reason       text          not null check (reason in ('none', 'credential-missing', 'issued-reached', 'revote-forbidden',
        'version-not-higher', 'choice-malformed', 'signature-invalid', 'not-sealed', 'seal-mismatch')),
    primary key (block_number, log_index)
);
create index skipped_ballots_by_account on chain.skipped_ballots (account);
create index skipped_ballots_by_poll on chain.skipped_ballots (poll_id);
comment on table chain.skipped_ballots is 'BallotSkipped and OpeningSkipped: items of a batch that had no effect, and why. Anybody may have sent them.';

create table chain.tallies (
    poll_id bigint   not null,
    option  smallint not null,
    grade   smallint not null check (grade between 0 and 5),
    votes   bigint   not null check (votes > 0),
    primary key (poll_id, option, grade)
);
comment on table chain.tallies is 'The count of each poll: current ballots of open polls, opened ones of sealed polls. Nothing chosen, no row.';
comment on column chain.tallies.option is 'From 0.';
comment on column chain.tallies.grade is 'Ratings: 1 to 5; otherwise 0.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Points
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.seasons (
    municipality_id bigint      not null,
    season_id       bigint      not null,
    ends_at         timestamptz not null,
    tx_hash         chain.hash  not null,
    block_number    bigint      not null,
    log_index       integer     not null,
    primary key (municipality_id, season_id)
);
comment on table chain.seasons is 'SeasonOpened: points of a season cannot be spent from ends_at on. Season 0, without an end, has no row.';

create table chain.stamp_sources (
    source_id        bigint        primary key,
    municipality_id  bigint        not null,
    participation    chain.address not null,
    participation_id chain.amount  not null,
    season_id        bigint        not null,
    points_per_stamp bigint        not null,
    issuer_key       bytea         not null check (octet_length(issuer_key) = 256),
    opened_at        timestamptz   not null,
    tx_hash          chain.hash    not null,
    block_number     bigint        not null,
    log_index        integer       not null,
    claimed          bigint        not null default 0,
    closed_at        timestamptz
) with (fillfactor = 50);
create index stamp_sources_by_participation on chain.stamp_sources (participation, participation_id);
comment on table chain.stamp_sources is 'SourceOpened: a poll or round that gives points, with the key of its stamps.';
comment on column chain.stamp_sources.participation is 'The round, or the contract of polls; participation_id is the poll''s id.';
comment on column chain.stamp_sources.claimed is 'Stamps claimed; never more than people took part.';
comment on column chain.stamp_sources.closed_at is 'SourceClosed; null while stamps can be claimed.';

create table chain.stamp_source_closings (
    block_number bigint      not null,
    log_index    integer     not null,
    tx_hash      chain.hash  not null,
    source_id    bigint      not null,
    closed_at    timestamptz not null,
    primary key (block_number, log_index)
);
create index stamp_source_closings_by_source on chain.stamp_source_closings (source_id);
comment on table chain.stamp_source_closings is 'SourceClosed.';

create table chain.stamp_claims (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    source_id    bigint        not null,
    account      chain.address not null,
    primary key (block_number, log_index)
);
create unique index stamp_claims_by_source on chain.stamp_claims (source_id, account);
create index stamp_claims_by_account on chain.stamp_claims (account);
comment on table chain.stamp_claims is 'StampClaimed, once for each source and points account.';

create table chain.skipped_stamps (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    source_id    bigint        not null,
    account      chain.address not null,
    reason       text          not null check (reason in ('none', 'already-claimed', 'participants-exceeded')),
    primary key (block_number, log_index)
);
create index skipped_stamps_by_account on chain.skipped_stamps (account);
comment on table chain.skipped_stamps is 'StampSkipped.';

create table chain.points_spent (
    block_number    bigint        not null,
    log_index       integer       not null,
    tx_hash         chain.hash    not null,
    municipality_id bigint        not null,
    season_id       bigint        not null,
    account         chain.address not null,
    amount          bigint        not null,
    returned        boolean       not null,
    primary key (block_number, log_index)
);
create index points_spent_by_account on chain.points_spent (account);
comment on table chain.points_spent is 'PointsBurned and, where returned, PointsReturned.';

create view chain.point_balances as
select account, municipality_id, season_id, sum(points)::bigint as points
from (
    select c.account, s.municipality_id, s.season_id, s.points_per_stamp as points
    from chain.stamp_claims c join chain.stamp_sources s using (source_id)
    union all
    select account, municipality_id, season_id, case when returned then amount else -amount end from chain.points_spent
) p
group by account, municipality_id, season_id;
comment on view chain.point_balances is 'Points of an account by municipality and season, ended seasons included. Ask with an account: indexes serve that.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Reward shop
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.prizes (
    prize_id               bigint        primary key,
    municipality_id        bigint        not null,
    partner                chain.address not null,
    price                  bigint        not null,
    listed_stock           bigint        not null,
    valid_from             timestamptz   not null,
    valid_until            timestamptz   not null,
    collect_period_seconds bigint        not null,
    content_hash           chain.hash    not null,
    listed_at              timestamptz   not null,
    tx_hash                chain.hash    not null,
    block_number           bigint        not null,
    log_index              integer       not null,
    stock                  bigint        not null default 0,
    redeemed               bigint        not null default 0,
    withdrawn_at           timestamptz
) with (fillfactor = 50);
create index prizes_by_municipality on chain.prizes (municipality_id, prize_id);
create index prizes_by_partner on chain.prizes (partner);
comment on table chain.prizes is 'PrizeListed, and what is left.';
comment on column chain.prizes.listed_stock is 'Pieces when it was listed.';
comment on column chain.prizes.stock is 'Pieces left: listed and changed, less redeemed, plus refused and lapsed.';
comment on column chain.prizes.redeemed is 'Redemptions carried out, whatever became of them.';

create table chain.prize_stock_changes (
    block_number bigint     not null,
    log_index    integer    not null,
    tx_hash      chain.hash not null,
    prize_id     bigint     not null,
    amount       bigint     not null,
    raised       boolean    not null,
    stock        bigint     not null,
    primary key (block_number, log_index)
);
create index prize_stock_changes_by_prize on chain.prize_stock_changes (prize_id, block_number, log_index);
comment on table chain.prize_stock_changes is 'PrizeStockRaised and PrizeStockLowered; stock is what was left.';

create table chain.prize_withdrawals (
    block_number bigint      not null,
    log_index    integer     not null,
    tx_hash      chain.hash  not null,
    prize_id     bigint      not null,
    withdrawn_at timestamptz not null,
    primary key (block_number, log_index)
);
create index prize_withdrawals_by_prize on chain.prize_withdrawals (prize_id);
comment on table chain.prize_withdrawals is 'PrizeWithdrawn: no redemption follows.';

create table chain.redemptions (
    redemption_id chain.hash    primary key,
    prize_id      bigint        not null,
    account       chain.address not null,
    code_hash     chain.hash    not null,
    collect_until timestamptz   not null,
    redeemed_at   timestamptz   not null,
    tx_hash       chain.hash    not null,
    block_number  bigint        not null,
    log_index     integer       not null,
    status        text          not null default 'open' check (status in ('open', 'honoured', 'refused', 'lapsed')),
    ended_at      timestamptz
) with (fillfactor = 80);
create index redemptions_by_prize on chain.redemptions (prize_id, block_number, log_index);
create index redemptions_by_account on chain.redemptions (account);
comment on table chain.redemptions is 'PrizeRedeemed, and what became of it.';
comment on column chain.redemptions.collect_until is 'First moment in which it may lapse.';

create table chain.redemption_ends (
    block_number  bigint      not null,
    log_index     integer     not null,
    tx_hash       chain.hash  not null,
    redemption_id chain.hash  not null,
    prize_id      bigint      not null,
    status        text        not null check (status in ('honoured', 'refused', 'lapsed')),
    reason_hash   chain.hash,
    ended_at      timestamptz not null,
    primary key (block_number, log_index)
);
create unique index redemption_ends_by_redemption on chain.redemption_ends (redemption_id);
create index redemption_ends_by_prize on chain.redemption_ends (prize_id);
comment on table chain.redemption_ends is 'RedemptionHonoured, RedemptionRefused (with a reason), RedemptionLapsed: each final.';

create table chain.skipped_redemptions (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    account      chain.address not null,
    prize_id     chain.amount  not null,
    code_hash    chain.hash    not null,
    reason       text          not null check (reason in ('none', 'code-used', 'prize-unknown', 'prize-differs', 'prize-withdrawn',
        'partner-lacks-role', 'not-yet-valid', 'no-longer-valid', 'sold-out', 'signature-invalid', 'points-insufficient')),
    primary key (block_number, log_index)
);
create index skipped_redemptions_by_account on chain.skipped_redemptions (account);
comment on table chain.skipped_redemptions is 'RedemptionSkipped: nothing has changed, and why. Anybody may have sent it, with any number for a prize.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Anchors
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.anchor_streams (
    stream          chain.hash primary key,
    municipality_id bigint     not null,
    name            text       not null,
    tx_hash         chain.hash not null,
    block_number    bigint     not null,
    log_index       integer    not null
);
create index anchor_streams_by_municipality on chain.anchor_streams (municipality_id);
comment on table chain.anchor_streams is 'StreamOpened: an off-chain register whose roots are anchored.';

create table chain.anchors (
    block_number bigint      not null,
    log_index    integer     not null,
    tx_hash      chain.hash  not null,
    stream       chain.hash  not null,
    anchor_index bigint      not null,
    root         chain.hash  not null,
    leaf_count   bigint      not null,
    anchored_at  timestamptz not null,
    primary key (block_number, log_index)
);
create unique index anchors_by_stream on chain.anchors (stream, anchor_index);
comment on table chain.anchors is 'Anchored: each root covers the tree of the one before.';
comment on column chain.anchors.root is 'Merkle tree hash (RFC 9162) of the first leaf_count leaves.';

create view chain.last_anchors as
select distinct on (s.stream) s.stream, s.municipality_id, s.name, a.anchor_index, a.root, a.leaf_count, a.anchored_at, a.tx_hash
from chain.anchor_streams s left join chain.anchors a using (stream)
order by s.stream, a.anchor_index desc;
comment on view chain.last_anchors is 'Every register with its last anchor; null before the first.';
