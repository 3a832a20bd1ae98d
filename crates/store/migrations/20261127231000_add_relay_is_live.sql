-- Every step of a message (submitted, mined, final) changes its status. While indexes named the status, each step wrote into
-- all of them anew. Now they name what only failing changes; with room left on the pages, most steps touch no index at all.
alter table relay.messages add column is_live boolean not null generated always as (status <> 'failed') stored;
comment on column relay.messages.is_live is 'Whether it has not failed; for the indexes';
alter table relay.messages set (fillfactor = 60);

drop index relay.messages_one_per_version;
create unique index messages_one_per_version on relay.messages (account, kind, contract, scope, version) where is_live;
drop index relay.messages_account;
drop index relay.messages_failed;
create index messages_failed on relay.messages (id) where not is_live;
create index messages_failed_account on relay.messages (account, id) where not is_live;
-- A live message without a submission is a queued one.
drop index relay.messages_queued;
create index messages_queued on relay.messages (kind, contract, scope, class, id) where submission is null and is_live;
drop index relay.messages_waiting;
create index messages_waiting on relay.messages (waits_for) where waits_for is not null and is_live;
-- What is under way is counted by its submissions.
drop index relay.messages_under_way;
