-- A signed transaction of 200 messages has 60 KB, is read while it is on its way, and is then kept for reorganisations alone. To
-- compress it cost Postgres a sixth of its work for a message.
alter table relay.transactions alter column raw set storage external;
