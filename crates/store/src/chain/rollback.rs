//! Undoing blocks after a reorg: rows above the common ancestor go, running totals are corrected.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use sqlx::PgConnection;

use super::services::{Touched, restore_ballots};
use super::tables::delete_above;
use super::write::{delete_burnt_pieces, delete_empty_balances, refresh_rounds, refresh_wallets};

/// Removes everything above block `ancestor`. Returns the rounds that were touched and still exist.
///
/// # Errors
/// When the database refuses; the caller's transaction must then be given up.
pub async fn roll_back(connection: &mut PgConnection, ancestor: u64) -> Result<Vec<Address>, sqlx::Error> {
    let above = i64::try_from(ancestor).unwrap_or(i64::MAX);
    subtract_from_balances(connection, above).await?;
    let tokens: BTreeSet<Address> =
        sqlx::query_scalar!(r#"select distinct token as "token!" from chain.transfers where block_number > $1"#, above)
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(|token| Address::from_slice(token))
            .collect();
    let rounds = touched_rounds(connection, above).await?;
    restore_current_allocations(connection, above).await?;
    let services = Touched::above(connection, above).await?;
    restore_ballots(connection, above).await?;
    return_pieces(connection, above).await?;
    delete_above(connection, above).await?;
    services.refresh(connection).await?;
    recount(connection, &rounds).await?;
    refresh_rounds(connection, &rounds).await?;
    refresh_wallets(connection, &tokens, &rounds).await?;
    Ok(rounds.into_iter().collect())
}

async fn subtract_from_balances(connection: &mut PgConnection, above: i64) -> Result<(), sqlx::Error> {
    // A holder whose balance had become 0 has no row and gets one back.
    sqlx::query!(
        "insert into chain.balances (token, holder, amount)
         select token, holder, sum(change) from (
             select token, to_address as holder, -amount as change from chain.transfers where block_number > $1
             union all
             select token, from_address, amount from chain.transfers where block_number > $1
         ) c
         where holder <> decode(repeat('00', 20), 'hex')
         group by token, holder having sum(change) <> 0
         on conflict (token, holder) do update set amount = balances.amount + excluded.amount",
        above,
    )
    .execute(&mut *connection)
    .await?;
    delete_empty_balances(connection).await
}

async fn touched_rounds(connection: &mut PgConnection, above: i64) -> Result<BTreeSet<Address>, sqlx::Error> {
    let rounds = sqlx::query_scalar!(
        r#"select round as "round!" from chain.phase_changes where block_number > $1
           union select round from chain.pledging_openings where block_number > $1
           union select round from chain.classes where block_number > $1
           union select round from chain.issued where block_number > $1
           union select round from chain.initiatives where block_number > $1
           union select round from chain.registrations where block_number > $1
           union select round from chain.allocations where block_number > $1
           union select round from chain.settlements where block_number > $1
           union select round from chain.initiative_results where block_number > $1
           union select round from chain.payments where block_number > $1
           union select t.round from chain.tokens t join chain.transfers x on x.token = t.address
                 where x.block_number > $1 and t.round is not null"#,
        above,
    )
    .fetch_all(connection)
    .await?;
    Ok(rounds.iter().map(|round| Address::from_slice(round)).collect())
}

/// Deletes allocations and makes the last remaining one of each account current again.
async fn restore_current_allocations(connection: &mut PgConnection, above: i64) -> Result<(), sqlx::Error> {
    let deleted = sqlx::query!("delete from chain.allocations where block_number > $1 returning round, account", above)
        .fetch_all(&mut *connection)
        .await?;
    let rounds: Vec<&[u8]> = deleted.iter().map(|row| row.round.as_slice()).collect();
    let accounts: Vec<&[u8]> = deleted.iter().map(|row| row.account.as_slice()).collect();
    sqlx::query!(
        "update chain.allocations a set current = true
         from (
             select distinct on (a.round, a.account) a.block_number, a.log_index
             from unnest($1::bytea[], $2::bytea[]) as t (round, account)
             join chain.allocations a on a.round = t.round and a.account = t.account
             order by a.round, a.account, a.version desc
         ) l
         where a.block_number = l.block_number and a.log_index = l.log_index",
        &rounds as &[&[u8]],
        &accounts as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives pieces of ERC-721 tokens back to the receiver of their last remaining transfer, or to nobody.
async fn return_pieces(connection: &mut PgConnection, above: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into chain.nft_owners (token, token_id, owner)
         select t.token, t.token_id, coalesce(l.to_address, decode(repeat('00', 20), 'hex'))
         from (select distinct token, token_id from chain.nft_transfers where block_number > $1) t
         left join lateral (
             select n.to_address from chain.nft_transfers n
             where n.token = t.token and n.token_id = t.token_id and n.block_number <= $1
             order by n.block_number desc, n.log_index desc limit 1
         ) l on true
         on conflict (token, token_id) do update set owner = excluded.owner",
        above,
    )
    .execute(&mut *connection)
    .await?;
    delete_burnt_pieces(connection).await
}

/// Counts registrations and supporters of rounds anew.
pub(super) async fn recount(connection: &mut PgConnection, rounds: &BTreeSet<Address>) -> Result<(), sqlx::Error> {
    let rounds: Vec<&[u8]> = rounds.iter().map(|round| round.as_slice()).collect();
    sqlx::query!(
        "update chain.classes c set registered =
             (select count(*) from chain.registrations g where g.round = c.round and g.class = c.class)
         where c.round = any($1::bytea[])",
        &rounds as &[&[u8]],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.rounds r set
             registered = (select count(*) from chain.registrations g where g.round = r.address),
             allocated = (select count(*) from chain.allocations a where a.round = r.address and a.current)
         where r.address = any($1::bytea[])",
        &rounds as &[&[u8]],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.initiatives i set supporters = coalesce(s.supporters, 0), points = coalesce(s.points, 0)
         from chain.initiatives o
         left join (
             select a.round, c.initiative_id, count(*) as supporters, sum(coalesce(c.points, 1))::bigint as points
             from chain.allocations a, unnest(a.initiatives, a.points) as c (initiative_id, points)
             where a.current and a.round = any($1::bytea[])
             group by a.round, c.initiative_id
         ) s on s.round = o.round and s.initiative_id = o.initiative_id
         where o.round = any($1::bytea[]) and i.round = o.round and i.initiative_id = o.initiative_id",
        &rounds as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}
