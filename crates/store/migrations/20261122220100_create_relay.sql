create schema relay;
comment on schema relay is 'Accepted messages and the transactions that carry them. Written by the relayer alone.';

-- A submission is one nonce of one sender, taken for ever. It is stored together with its first signed transaction and before
-- anything is sent, so a nonce is never taken for work that could be forgotten.
create table relay.submissions (
    id bigint generated always as identity primary key,
    sender bytea not null check (octet_length(sender) = 20),
    nonce bigint not null check (nonce >= 0),
    kind text not null check (kind in ('registration', 'allocation', 'ballot', 'stamp-claim', 'redemption', 'filler')),
    recipient bytea not null check (octet_length(recipient) = 20),
    scope bigint not null default 0 check (scope >= 0),
    class smallint not null default 0 check (class between 0 and 255),
    status text not null default 'pending' check (status in ('pending', 'mined', 'finalized', 'displaced')),
    tx_hash bytea check (octet_length(tx_hash) = 32),
    block_number bigint check (block_number >= 0),
    block_hash bytea check (octet_length(block_hash) = 32),
    gas_used bigint,
    reverted boolean,
    finalized_count integer not null default 0,
    pruned boolean not null default false,
    unique (sender, nonce),
    check ((status in ('mined', 'finalized')) = (tx_hash is not null)),
    check ((tx_hash is null) = (block_number is null) and (tx_hash is null) = (block_hash is null))
);
comment on table relay.submissions is 'One nonce of one sender and what it is used for.';
comment on column relay.submissions.kind is 'Kind of its messages; filler: an empty transaction that closes a gap of nonces';
comment on column relay.submissions.recipient is 'The contract that is called; for a filler the sender itself';
comment on column relay.submissions.scope is 'Poll, source or prize within the contract; 0 for rounds';
comment on column relay.submissions.finalized_count is 'Once final: how many of its messages took effect, so that nobody has to count messages';
comment on column relay.submissions.status is
    'pending: not in a block; mined: in a block that could be replaced; finalized: in a block that counts as permanent; displaced: another transaction, not ours, took the nonce';
comment on column relay.submissions.tx_hash is 'Which of its transactions was mined';
comment on column relay.submissions.reverted is 'The transaction was mined without effect; its messages went back to the queue';
comment on column relay.submissions.pruned is 'The content of its messages was removed here; it is on chain';
create index submissions_blocks on relay.submissions (sender, block_number);
create index submissions_open on relay.submissions (sender, nonce) where status in ('pending', 'mined');
create index submissions_unpruned on relay.submissions (block_number) where status = 'finalized' and not pruned;

create table relay.transactions (
    hash bytea primary key check (octet_length(hash) = 32),
    submission bigint not null references relay.submissions (id),
    raw bytea not null,
    max_fee_per_gas numeric(78, 0) not null,
    max_priority_fee_per_gas numeric(78, 0) not null,
    gas_limit bigint not null,
    signed_block bigint not null
);
comment on table relay.transactions is
    'Signed transactions of a submission: the first and its replacements with higher fees. The same bytes are sent until one is mined.';
comment on column relay.transactions.signed_block is 'Head of the chain at signing: a replacement waits some blocks';
create index transactions_submission on relay.transactions (submission);

-- There is no time and no order of arrival here: messages are inserted and taken in the order of their ids, which are hashes.
create table relay.messages (
    id bytea primary key check (octet_length(id) = 32),
    kind text not null check (kind in ('registration', 'allocation', 'ballot', 'stamp-claim', 'redemption')),
    contract bytea not null check (octet_length(contract) = 20),
    scope bigint not null default 0 check (scope >= 0),
    class smallint not null check (class between 0 and 255),
    account bytea not null check (octet_length(account) = 20),
    version bigint not null check (version between 0 and 4294967295),
    content bytea,
    gas integer not null check (gas > 0),
    waits_for bytea check (octet_length(waits_for) = 32),
    status text not null default 'queued' check (status in ('queued', 'submitted', 'mined', 'finalized', 'failed')),
    attempts smallint not null default 0,
    submission bigint references relay.submissions (id),
    reason text,
    tx_hash bytea check (octet_length(tx_hash) = 32),
    block_number bigint,
    log_index bigint,
    check (status <> 'queued' or (content is not null and submission is null)),
    check (status <> 'failed' or reason is not null)
);
comment on table relay.messages is 'Messages that citizens signed and this relayer accepted.';
comment on column relay.messages.id is 'keccak256 of what the message says, without its signature';
comment on column relay.messages.contract is 'The contract that it is for: a round, the polls, the points, the shop';
comment on column relay.messages.scope is 'Poll, source or prize within the contract; 0 for rounds';
comment on column relay.messages.class is 'Class of a registration; 0 for kinds without';
comment on column relay.messages.version is 'Version of an allocation or ballot, nonce of a redemption; 0 for messages that an account sends once';
comment on column relay.messages.content is 'What the contract is given, in the encoding of the relayer; removed once it is safely on chain';
comment on column relay.messages.gas is 'Estimate of what the message costs in a batch';
comment on column relay.messages.waits_for is 'Registration that must be mined first';
comment on column relay.messages.attempts is 'Transactions with this message that were mined without effect';
comment on column relay.messages.reason is 'Why it took no effect; a mined message with a reason becomes failed when its block is final';
create unique index messages_one_per_version on relay.messages (account, kind, contract, scope, version) where status <> 'failed';
create index messages_account on relay.messages (account, id);
create index messages_queued on relay.messages (kind, contract, scope, class, id) where status = 'queued';
create index messages_waiting on relay.messages (waits_for) where status = 'queued' and waits_for is not null;
create index messages_submission on relay.messages (submission) where submission is not null;
create index messages_under_way on relay.messages (status) where status in ('queued', 'submitted', 'mined');
create index messages_failed on relay.messages (id) where status = 'failed';

create table relay.stamps (
    source bigint not null check (source > 0),
    account bytea not null check (octet_length(account) = 20),
    blinded_hash bytea not null check (octet_length(blinded_hash) = 32),
    primary key (source, account)
);
comment on table relay.stamps is
    'Accounts that took part and whose stamp was issued. It says nothing of the account that the stamp is claimed to: the point is blinded.';
comment on column relay.stamps.blinded_hash is 'keccak256 of the blinded point: the same point is signed again, another is refused';
