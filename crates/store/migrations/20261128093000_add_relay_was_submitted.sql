-- A transaction that was given up may be mined all the same (a node showed a nonce as used that was not). What its messages did
-- is then for the chain to say, not for a newer message that comes in meanwhile.
alter table relay.messages add column was_submitted boolean not null default false;
comment on column relay.messages.was_submitted is 'Whether a transaction with it was given up: it may yet take effect';
