-- While the past of a chain is written into an empty database, indexes that only readers use are left out: keeping them costs
-- more than all the rest. They are made at once when the head is reached.
create table chain.deferred_indexes (
    name       text primary key,
    definition text not null
);
comment on table chain.deferred_indexes is 'Indexes that are left out until the head is reached for the first time; empty afterwards.';
comment on column chain.deferred_indexes.definition is 'The statement that makes it again.';
