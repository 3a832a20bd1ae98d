-- What the indexer knows of the chain. One writer: the indexer. Everything here can be dropped and rebuilt from block 0.
--
-- Raw tables (meta, blocks, transactions, logs, token_metadata) repeat what the node said. All others are derived from
-- `logs`, `blocks` and `token_metadata` alone and can be rebuilt without the chain.
--
-- Every derived row names the event that made it by (block_number, log_index). A reorg is: delete the rows above the
-- common ancestor, correct the running totals, replay. There are no foreign keys: all rows of a range are written in one
-- transaction in bulk, and the contracts already guarantee the references.
--
-- Amounts of budget tokens are kopecks. Times that a contract leaves open (beyond the year 9999) are cut to its end.
create schema chain;

create domain chain.address as bytea check (octet_length(value) = 20);
create domain chain.hash as bytea check (octet_length(value) = 32);
create domain chain.amount as numeric(78, 0) check (value >= 0);

-- ---------------------------------------------------------------------------------------------------------------------
-- Raw
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.meta (
    id                   boolean       primary key default true check (id),
    chain_id             bigint        not null,
    genesis_hash         chain.hash    not null,
    first_block          bigint        not null,
    deployment           jsonb         not null,
    full_chain           boolean       not null,
    watched              bytea[]       not null default '{}',
    decoder_version      integer       not null
);
comment on table chain.meta is 'The one chain and deployment that this database indexes; written once, on the first start.';
comment on column chain.meta.first_block is 'Lowest block that is indexed: 0 on a full chain, else the deployment''s first block.';
comment on column chain.meta.deployment is 'Addresses of the deployment''s contracts by name, and its first block: the file that kopilka deploy writes.';
comment on column chain.meta.full_chain is 'Whether all transactions and logs of the chain are kept, or only logs of our contracts.';
comment on column chain.meta.watched is 'Foreign tokens whose logs are kept besides those of our contracts; empty on a full chain, which has all.';
comment on column chain.meta.decoder_version is 'Version of the program''s decoder that made the derived rows; an older one is rebuilt at start.';

create table chain.head (
    id               boolean     primary key default true check (id),
    indexed_block    bigint,
    node_block       bigint      not null,
    finalized_block  bigint,
    reorgs           bigint      not null default 0,
    updated_at       timestamptz not null
);
comment on table chain.head is 'How far the index is; lag = node_block - indexed_block. Not part of the rebuildable state.';
comment on column chain.head.indexed_block is 'Highest indexed block; null before the first.';
comment on column chain.head.finalized_block is 'Highest block that counts as final, by the configured depth or the chain''s own word; never decreases; null while none is.';
comment on column chain.head.reorgs is 'Reorganisations followed so far.';
comment on column chain.head.updated_at is 'Written with each commit, and every few seconds while the chain is silent: an old time means that no indexer runs.';

create table chain.blocks (
    number      bigint        primary key,
    hash        chain.hash    not null,
    parent_hash chain.hash,
    block_at    timestamptz   not null,
    miner       chain.address,
    gas_used    bigint,
    gas_limit   bigint,
    base_fee    chain.amount,
    size        bigint,
    tx_count    integer,
    logs_count  integer       not null,
    check (num_nulls(parent_hash, miner, gas_used, gas_limit, size, tx_count) in (0, 6))
);
create index blocks_by_hash on chain.blocks using hash (hash);
create index blocks_by_time on chain.blocks (block_at);
comment on table chain.blocks is 'Every block from meta.first_block to the head, without gaps, each the parent of the next. Where only logs of our contracts are kept and not every header is checked, final blocks without such logs are left out.';
comment on column chain.blocks.parent_hash is 'Null, like all that only a header tells, where the block is known from its logs alone.';
comment on column chain.blocks.base_fee is 'Wei for a unit of gas; null before EIP-1559.';
comment on column chain.blocks.size is 'Bytes.';
comment on column chain.blocks.logs_count is 'Logs of this block that are kept in chain.logs.';

create table chain.transactions (
    block_number        bigint        not null,
    tx_index            integer       not null,
    hash                chain.hash    not null,
    from_address        chain.address not null,
    to_address          chain.address,
    created_contract    chain.address,
    value               chain.amount  not null,
    input               bytea         not null,
    method              bytea         generated always as (case when octet_length(input) >= 4 and to_address is not null then substring(input from 1 for 4) end) stored,
    nonce               bigint        not null,
    tx_type             smallint      not null,
    gas                 bigint        not null,
    gas_price           chain.amount  not null,
    gas_used            bigint        not null,
    cumulative_gas_used bigint        not null,
    succeeded           boolean       not null,
    logs_count          integer       not null,
    primary key (block_number, tx_index)
);
create index transactions_by_hash on chain.transactions using hash (hash);
create index transactions_by_from on chain.transactions (from_address, block_number, tx_index);
create index transactions_by_to on chain.transactions (to_address, block_number, tx_index) where to_address is not null;
create index transactions_by_created on chain.transactions (created_contract) where created_contract is not null;
comment on table chain.transactions is 'All transactions of the chain when meta.full_chain, else none.';
comment on column chain.transactions.to_address is 'Null when the transaction creates a contract.';
comment on column chain.transactions.created_contract is 'Address of the contract that the transaction creates directly.';
comment on column chain.transactions.method is 'First four bytes of the input of a call: the function selector.';
comment on column chain.transactions.tx_type is 'EIP-2718 type.';
comment on column chain.transactions.gas is 'Gas limit.';
comment on column chain.transactions.gas_price is 'Effective price: wei paid for each unit of gas used.';
comment on column chain.transactions.succeeded is 'Receipt status.';

create table chain.logs (
    block_number bigint        not null,
    log_index    integer       not null,
    block_hash   chain.hash    not null,
    tx_hash      chain.hash    not null,
    tx_index     integer       not null,
    address      chain.address not null,
    topic0       chain.hash,
    topic1       chain.hash,
    topic2       chain.hash,
    topic3       chain.hash,
    data         bytea         not null,
    primary key (block_number, log_index)
);
create index logs_by_address on chain.logs (address, block_number, log_index);
create index logs_by_topic0 on chain.logs (topic0, block_number, log_index);
comment on table chain.logs is 'All logs of the chain when meta.full_chain, else those of the register, the factory, the rounds and their tokens.';
comment on column chain.logs.log_index is 'Position in the block.';
comment on column chain.logs.tx_index is 'Position of the transaction in the block; with block_number the key of chain.transactions.';

create table chain.token_metadata (
    address      chain.address primary key,
    name         text,
    symbol       text,
    decimals     smallint,
    block_number bigint not null
);
comment on table chain.token_metadata is 'What a token contract answered when asked once, after its first transfer or its round''s creation; null where it gave no answer.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Derived: tokens
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.transfers (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    tx_index     integer       not null,
    token        chain.address not null,
    from_address chain.address not null,
    to_address   chain.address not null,
    amount       chain.amount  not null,
    primary key (block_number, log_index)
);
create index transfers_by_token on chain.transfers (token, block_number, log_index);
create index transfers_by_from on chain.transfers (from_address, block_number, log_index);
create index transfers_by_to on chain.transfers (to_address, block_number, log_index);
comment on table chain.transfers is 'ERC-20 transfers; minted from and burnt to the zero address.';

create table chain.nft_transfers (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    tx_index     integer       not null,
    token        chain.address not null,
    from_address chain.address not null,
    to_address   chain.address not null,
    token_id     chain.amount  not null,
    primary key (block_number, log_index)
);
create index nft_transfers_by_token on chain.nft_transfers (token, token_id, block_number, log_index);
create index nft_transfers_by_from on chain.nft_transfers (from_address, block_number, log_index);
create index nft_transfers_by_to on chain.nft_transfers (to_address, block_number, log_index);
comment on table chain.nft_transfers is 'ERC-721 transfers; minted from and burnt to the zero address.';

create table chain.nft_owners (
    token    chain.address not null,
    token_id chain.amount  not null,
    owner    chain.address not null,
    primary key (token, token_id)
) with (fillfactor = 80);
create index nft_owners_by_owner on chain.nft_owners (owner, token, token_id);
comment on table chain.nft_owners is 'Receiver of the last of chain.nft_transfers of each piece; what was burnt has no row.';

create table chain.balances (
    token  chain.address not null,
    holder chain.address not null,
    amount numeric       not null,
    primary key (token, holder)
) with (fillfactor = 80);
create index balances_by_holder on chain.balances (holder);
create index balances_by_amount on chain.balances (token, amount desc, holder);
create index balances_empty on chain.balances (token, holder) where amount = 0;
comment on index chain.balances_empty is 'Finds the rows that a range brought to 0, which its transaction then deletes.';
comment on table chain.balances is 'Running totals of chain.transfers; nobody has a row with 0.';
comment on column chain.balances.amount is 'A whole number; outside 0..2^256 only for a foreign token whose Transfer events do not tell its balances.';

create table chain.tokens (
    address              chain.address primary key,
    round                chain.address,
    round_id             bigint,
    standard             text          not null default 'erc20' check (standard in ('erc20', 'erc721')),
    name                 text,
    symbol               text,
    decimals             smallint,
    appropriation_amount chain.amount,
    fiscal_year          integer,
    kbk                  text,
    document_hash        chain.hash,
    document_uri         text,
    minted               chain.amount not null default 0,
    paid                 chain.amount not null default 0,
    returned             chain.amount not null default 0,
    block_number         bigint       not null,
    log_index            integer      not null
) with (fillfactor = 80);
create unique index tokens_by_round on chain.tokens (round);
comment on table chain.tokens is 'Every ERC-20 and ERC-721 token seen; those of rounds have their appropriation, others (when meta.full_chain, or watched) have null there.';
comment on column chain.tokens.standard is 'As its first transfer shows.';
comment on column chain.tokens.round is 'Address of the round whose budget this is; null for a foreign token.';
comment on column chain.tokens.document_hash is 'keccak256 of the budget decision''s file.';
comment on column chain.tokens.minted is 'Budget tokens: total minted so far, never above the appropriation. Foreign tokens: 0, see transfers from zero.';
comment on column chain.tokens.paid is 'Burnt for payment orders.';
comment on column chain.tokens.returned is 'Burnt as returned to the budget.';
comment on column chain.tokens.block_number is 'First event: RoundCreated, or the first transfer of a foreign token.';

create table chain.mints (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    token        chain.address not null,
    mint_id      bigint        not null,
    treasurer    chain.address not null,
    approver     chain.address not null,
    amount       chain.amount  not null,
    minted_total chain.amount  not null,
    primary key (block_number, log_index)
);
create index mints_by_token on chain.mints (token, block_number, log_index);
comment on table chain.mints is 'BudgetMinted: two people minted against the appropriation.';
comment on column chain.mints.treasurer is 'Who proposed it.';
comment on column chain.mints.approver is 'Who approved it: always another person''s account.';

create table chain.returns (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    token        chain.address not null,
    from_address chain.address not null,
    amount       chain.amount  not null,
    primary key (block_number, log_index)
);
create index returns_by_token on chain.returns (token, block_number, log_index);
comment on table chain.returns is 'ReturnedToBudget: tokens burnt because the money went back to the budget.';
comment on column chain.returns.from_address is 'The round (purse), the token (treasury) or the wallet of an initiative.';

-- ---------------------------------------------------------------------------------------------------------------------
-- Derived: municipalities and roles
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.municipalities (
    municipality_id bigint     primary key,
    oktmo           text       not null,
    name            text       not null,
    tx_hash         chain.hash not null,
    block_number    bigint     not null,
    log_index       integer    not null
);
comment on table chain.municipalities is 'MunicipalityAdmitted.';

create table chain.roles (
    block_number     bigint        not null,
    log_index        integer       not null,
    tx_hash          chain.hash    not null,
    municipality_id  bigint        not null,
    role             text          not null check (role in ('treasurer', 'clerk', 'issuer', 'partner', 'controller', 'registrar')),
    account          chain.address not null,
    granted          boolean       not null,
    valid_from       timestamptz,
    valid_until      timestamptz,
    application_hash chain.hash,
    primary key (block_number, log_index),
    check (granted = (valid_from is not null) and granted = (valid_until is not null) and granted = (application_hash is not null))
);
create index roles_by_key on chain.roles (municipality_id, role, account, block_number, log_index);
create index roles_by_account on chain.roles (account);
comment on table chain.roles is 'Every RoleGranted and RoleRevoked; the last row of (municipality, role, account) counts, see chain.current_roles.';
comment on column chain.roles.granted is 'False for a revocation.';
comment on column chain.roles.valid_until is 'First moment without access.';

create view chain.current_roles as
select distinct on (municipality_id, role, account) *
from chain.roles
order by municipality_id, role, account, block_number desc, log_index desc;
comment on view chain.current_roles is 'The last word on each role; access holds where granted and now() is in [valid_from, valid_until).';

-- ---------------------------------------------------------------------------------------------------------------------
-- Derived: rounds
-- ---------------------------------------------------------------------------------------------------------------------

create table chain.rounds (
    address                  chain.address  primary key,
    round_id                 bigint         not null unique,
    municipality_id          bigint         not null,
    token                    chain.address  not null,
    ballot_kind              text           not null check (ballot_kind in ('cumulative', 'approval')),
    allotment                text           not null check (allotment in ('fixed', 'equal')),
    rule                     text           not null check (rule in ('equal-shares', 'greedy')),
    completion_raise         boolean        not null,
    completion_fill          boolean        not null,
    share_points             integer        not null,
    threshold                numeric(20, 0) not null,
    fixed_amount             chain.amount   not null,
    registration_until       timestamptz    not null,
    pledging_until           timestamptz    not null,
    objection_period_seconds bigint         not null,
    content_hash             chain.hash     not null,
    created_at               timestamptz    not null,
    tx_hash                  chain.hash     not null,
    block_number             bigint         not null,
    log_index                integer        not null,
    -- Running state, recomputed from the event tables below.
    phase                    text           not null default 'draft' check (phase in
        ('draft', 'registration', 'pledging', 'tallying', 'objection', 'settled', 'closed', 'cancelled')),
    registration_at          timestamptz,
    pledging_at              timestamptz,
    tallying_at              timestamptz,
    objection_at             timestamptz,
    settled_at               timestamptz,
    closed_at                timestamptz,
    cancelled_at             timestamptz,
    budget                   chain.amount,
    total_weight             chain.amount,
    registered               bigint         not null default 0,
    issued                   bigint         not null default 0,
    allocated                bigint         not null default 0
) with (fillfactor = 50);
create index rounds_by_municipality on chain.rounds (municipality_id, round_id);
comment on table chain.rounds is 'RoundCreated with its whole configuration, and where the round stands now.';
comment on column chain.rounds.share_points is 'Cumulative ballots: points of one share; approval ballots: 0.';
comment on column chain.rounds.threshold is 'Least support for an initiative to be considered; 0 for none.';
comment on column chain.rounds.fixed_amount is 'Allotment fixed: kopecks for weight 1; else 0.';
comment on column chain.rounds.content_hash is 'keccak256 of the published description, key of portal.documents.';
comment on column chain.rounds.created_at is 'Time of the block of RoundCreated.';
comment on column chain.rounds.registration_at is 'When this phase last began; null if never. The same for the other *_at of phases.';
comment on column chain.rounds.budget is 'Kopecks in play, known from PledgingOpened on; until then see tokens.minted.';
comment on column chain.rounds.total_weight is 'Weight of all registered when pledging opened.';
comment on column chain.rounds.registered is 'Registered accounts.';
comment on column chain.rounds.issued is 'Credentials that the issuer says it issued, all classes.';
comment on column chain.rounds.allocated is 'Accounts with a recorded allocation, empty ones included.';

create table chain.phase_changes (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    round        chain.address not null,
    phase        text          not null check (phase in
        ('draft', 'registration', 'pledging', 'tallying', 'objection', 'settled', 'closed', 'cancelled')),
    changed_at   timestamptz   not null,
    primary key (block_number, log_index)
);
create index phase_changes_by_round on chain.phase_changes (round, block_number, log_index);
comment on table chain.phase_changes is 'PhaseChanged: the new phase and the time of its block.';

create table chain.pledging_openings (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    round        chain.address not null,
    budget       chain.amount  not null,
    total_weight chain.amount  not null,
    primary key (block_number, log_index)
);
create index pledging_openings_by_round on chain.pledging_openings (round);
comment on table chain.pledging_openings is 'PledgingOpened: the budget and the weight that share it.';

create table chain.classes (
    round        chain.address not null,
    class        smallint      not null,
    weight       bigint        not null,
    issuer_key   bytea         not null check (octet_length(issuer_key) = 256),
    tx_hash      chain.hash    not null,
    block_number bigint        not null,
    log_index    integer       not null,
    registered   bigint        not null default 0,
    issued       bigint        not null default 0,
    primary key (round, class)
) with (fillfactor = 50);
comment on table chain.classes is 'ClassAdded: classes of citizens, each with its issuer key and weight, and their counts.';
comment on column chain.classes.issuer_key is 'Public key in G2, EIP-2537 encoding.';
comment on column chain.classes.registered is 'Registered accounts of the class.';
comment on column chain.classes.issued is 'Credentials issued according to the issuer''s last word.';

create table chain.issued (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    round        chain.address not null,
    class        smallint      not null,
    issued       bigint        not null,
    primary key (block_number, log_index)
);
create index issued_by_class on chain.issued (round, class, block_number, log_index);
comment on table chain.issued is 'CredentialsIssued: the issuer anchors its count; it never decreases.';

create table chain.initiatives (
    round         chain.address not null,
    initiative_id integer       not null,
    cost          chain.amount  not null,
    content_hash  chain.hash    not null,
    wallet        chain.address not null,
    tx_hash       chain.hash    not null,
    block_number  bigint        not null,
    log_index     integer       not null,
    -- Running state, recomputed from the event tables.
    supporters    bigint        not null default 0,
    points        bigint        not null default 0,
    balance       chain.amount  not null default 0,
    pledged       chain.amount  not null default 0,
    won           boolean,
    funded        chain.amount,
    paid          chain.amount  not null default 0,
    primary key (round, initiative_id)
) with (fillfactor = 50);
create index initiatives_by_wallet on chain.initiatives (wallet);
comment on table chain.initiatives is 'InitiativeAdded, and what its wallet holds and its supporters say now.';
comment on column chain.initiatives.content_hash is 'keccak256 of the published description, key of portal.documents.';
comment on column chain.initiatives.wallet is 'Address without key and code; only the round moves what is in it.';
comment on column chain.initiatives.supporters is 'Accounts whose current allocation names the initiative.';
comment on column chain.initiatives.points is 'Points of their current allocations; on approval ballots 1 each.';
comment on column chain.initiatives.balance is 'Kopecks in the wallet now.';
comment on column chain.initiatives.pledged is 'Kopecks that citizens put in: the balance until the settlement, then fixed at what it was before.';
comment on column chain.initiatives.won is 'Null before the settlement is final.';
comment on column chain.initiatives.funded is 'Kopecks that the settlement left in the wallet: the cost of a winner, else 0; null before.';
comment on column chain.initiatives.paid is 'Kopecks paid to the contractor by recorded payments.';

create table chain.registrations (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    round        chain.address not null,
    account      chain.address not null,
    class        smallint      not null,
    primary key (block_number, log_index)
);
create unique index registrations_by_round on chain.registrations (round, account);
create index registrations_by_account on chain.registrations (account);
comment on table chain.registrations is 'Registered: throw-away accounts with a credential, once for each round and account.';

create table chain.allocations (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    round        chain.address not null,
    account      chain.address not null,
    version      bigint        not null,
    initiatives  integer[]     not null,
    points       integer[]     not null,
    current      boolean       not null,
    primary key (block_number, log_index)
);
create unique index allocations_current on chain.allocations (round, account) where current;
create index allocations_by_account on chain.allocations (account, round, version);
comment on table chain.allocations is 'AllocationRecorded: whole distributions; a later one of the same account replaces the earlier.';
comment on column chain.allocations.initiatives is 'Ascending ids; empty where everything was taken back.';
comment on column chain.allocations.points is 'One for each initiative on cumulative ballots, empty on approval ballots.';
comment on column chain.allocations.current is 'Whether it is the account''s last one in this round.';

create table chain.skipped_items (
    block_number bigint        not null,
    log_index    integer       not null,
    tx_hash      chain.hash    not null,
    round        chain.address not null,
    kind         text          not null check (kind in ('registration', 'allocation')),
    account      chain.address not null,
    class        smallint,
    version      bigint,
    reason       text          not null check (reason in ('none', 'already-registered', 'funds-exhausted', 'not-registered',
        'signature-invalid', 'version-not-higher', 'choices-malformed')),
    primary key (block_number, log_index)
);
create index skipped_items_by_round on chain.skipped_items (round, block_number, log_index);
create index skipped_items_by_account on chain.skipped_items (account);
comment on table chain.skipped_items is 'RegistrationSkipped and AllocationSkipped: items of a batch that had no effect, and why.';
comment on column chain.skipped_items.class is 'Registrations only.';
comment on column chain.skipped_items.version is 'Allocations only.';

create table chain.settlements (
    block_number      bigint        not null,
    log_index         integer       not null,
    tx_hash           chain.hash    not null,
    round             chain.address not null,
    kind              text          not null check (kind in ('proposed', 'withdrawn', 'final')),
    account           chain.address,
    happened_at       timestamptz   not null,
    winners           integer[],
    transcript_digest chain.hash    not null,
    total_cost        chain.amount,
    final_at          timestamptz,
    returned          chain.amount,
    primary key (block_number, log_index)
);
create index settlements_by_round on chain.settlements (round, block_number, log_index);
comment on table chain.settlements is 'SettlementProposed, SettlementWithdrawn, SettlementFinalized; the last row of a round tells where its result stands.';
comment on column chain.settlements.account is 'Who proposed or withdrew it; null for the final one, which anybody may bring about.';
comment on column chain.settlements.happened_at is 'Time of the block.';
comment on column chain.settlements.winners is 'Ascending initiative ids; null for a withdrawal.';
comment on column chain.settlements.total_cost is 'Null for a withdrawal.';
comment on column chain.settlements.final_at is 'Proposals: earliest time of finality. Null otherwise.';
comment on column chain.settlements.returned is 'Final results: kopecks that went back to the budget. Null otherwise.';

create table chain.initiative_results (
    block_number  bigint        not null,
    log_index     integer       not null,
    tx_hash       chain.hash    not null,
    round         chain.address not null,
    initiative_id integer       not null,
    won           boolean       not null,
    pledged       chain.amount  not null,
    funded        chain.amount  not null,
    primary key (block_number, log_index)
);
create unique index initiative_results_by_initiative on chain.initiative_results (round, initiative_id);
comment on table chain.initiative_results is 'InitiativeSettled, once for each initiative of a settled round.';

create table chain.payments (
    block_number      bigint        not null,
    log_index         integer       not null,
    tx_hash           chain.hash    not null,
    round             chain.address not null,
    initiative_id     integer       not null,
    amount            chain.amount  not null,
    payment_reference chain.hash    not null,
    document_hash     chain.hash    not null,
    paid_at           timestamptz   not null,
    primary key (block_number, log_index)
);
create index payments_by_initiative on chain.payments (round, initiative_id, block_number, log_index);
comment on table chain.payments is 'PaymentRecorded: money burnt from a winner''s wallet for a payment order.';
comment on column chain.payments.paid_at is 'Time of the block.';

create table chain.contracts (
    address       chain.address not null,
    kind          text          not null check (kind in
        ('municipalities', 'issuer-keys', 'rounds', 'round-implementation', 'token-implementation', 'polls',
         'reward-points', 'reward-shop', 'anchors', 'milestones', 'round', 'token', 'wallet')),
    round         chain.address,
    initiative_id integer,
    block_number  bigint        not null,
    log_index     integer       not null,
    primary key (address)
);
create index contracts_by_round on chain.contracts (round, initiative_id);
comment on table chain.contracts is 'What we can say about an address of this deployment.';
comment on column chain.contracts.round is 'The round that the round, token or wallet belongs to.';
comment on column chain.contracts.initiative_id is 'Wallets only.';
comment on column chain.contracts.block_number is 'Event that announced the address; the deployment''s first block and -1 for its own contracts.';
