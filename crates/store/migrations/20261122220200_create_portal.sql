create schema portal;
comment on schema portal is 'What the portal keeps: that a credential was issued, and published texts. Nothing about persons. Writer: portal.';

create table portal.issuances (
    round bytea not null check (octet_length(round) = 20),
    person_tag bytea not null check (octet_length(person_tag) = 32),
    class smallint not null check (class between 0 and 255),
    blinded_hash bytea not null check (octet_length(blinded_hash) = 32),
    primary key (round, person_tag)
);
comment on table portal.issuances is
    'One row for each credential issued. The primary key is the promise «one credential for each person and round, across all '
    'classes». Deliberately absent: any time, any sequence number, anything that tells an order. portal compacts the table '
    '(see kopilka_store::portal::compact_issuances), so that neither the place on disk nor xmin tells an order for long.';
comment on column portal.issuances.round is 'Address of the round''s contract.';
comment on column portal.issuances.person_tag is
    'HMAC-SHA256 of the round and of a keyed value of the ESIA number; the keys are not in this database, and tags of two rounds cannot be joined without them.';
comment on column portal.issuances.class is 'Class of citizens whose key signed.';
comment on column portal.issuances.blinded_hash is
    'SHA-256 of the blinded message that was signed: the same message gets the same answer again, another one is refused. It is independent of the account that it hides.';

create table portal.documents (
    hash bytea primary key check (octet_length(hash) = 32),
    body text not null
);
comment on table portal.documents is 'Published texts of rounds and initiatives: JSON documents, by the keccak256 of their exact UTF-8 bytes (contentHash on chain).';
