//! Writing a range of blocks: rows in bulk, then the running totals that they change.
//!
//! Totals over many rows (balances, counts of supporters and registrations) move by the difference that the range makes;
//! all other running state is recomputed from the event tables of the rounds that the range touched.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::map::HashMap;
use alloy::primitives::{Address, Uint};
use sqlx::PgConnection;

use super::rows::{AllocationRow, NftTransferRow, Rows, TransferRow};
use super::services::{Touched, replace_ballots};

/// A sum of very many amounts of 256 bits.
type Sum = Uint<320, 5>;

/// Writes all rows of a range above everything written before, and brings the totals up to date.
///
/// # Errors
/// When the database refuses; the caller's transaction must then be given up.
pub async fn write_range(connection: &mut PgConnection, rows: &Rows) -> Result<(), sqlx::Error> {
    write_raw(connection, rows).await?;
    write_derived(connection, rows).await
}

/// The raw part of [`write_range`].
///
/// # Errors
/// As [`write_range`].
pub async fn write_raw(connection: &mut PgConnection, rows: &Rows) -> Result<(), sqlx::Error> {
    rows.copy_raw(connection).await
}

/// The derived part of [`write_range`]: used alone when derived tables are rebuilt from raw ones.
///
/// # Errors
/// As [`write_range`].
pub async fn write_derived(connection: &mut PgConnection, rows: &Rows) -> Result<(), sqlx::Error> {
    let replaced = replace_allocations(connection, &rows.allocations).await?;
    replace_ballots(connection, &rows.ballots).await?;
    rows.copy_derived(connection).await?;
    add_to_balances(connection, rows).await?;
    move_pieces(connection, &rows.nft_transfers).await?;
    add_registrations(connection, rows).await?;
    replaced.write(connection).await?;
    Touched::by(rows).refresh(connection).await?;
    let changed = changed_rounds(rows);
    if !changed.is_empty() {
        refresh_rounds(connection, &changed).await?;
    }
    let tokens: BTreeSet<Address> = rows.transfers.iter().map(|row| row.token).collect();
    if !tokens.is_empty() || !changed.is_empty() {
        refresh_wallets(connection, &tokens, &changed).await?;
    }
    Ok(())
}

/// What tokens' holders received and spent.
#[derive(Debug, Default)]
pub struct BalanceChanges(HashMap<(Address, Address), (Sum, Sum)>);

/// A part of [`BalanceChanges`] as columns; amounts are decimal numbers.
#[derive(Debug, Default)]
pub(super) struct BalanceColumns<'a> {
    pub(super) tokens: Vec<&'a [u8]>,
    pub(super) holders: Vec<&'a [u8]>,
    pub(super) changes: Vec<String>,
}

impl BalanceChanges {
    /// Counts transfers; nobody holds what is minted from or burnt to the zero address.
    pub fn add(&mut self, transfers: &[TransferRow]) {
        for transfer in transfers {
            let amount = Sum::from(transfer.amount);
            if !transfer.to_address.is_zero() {
                self.0.entry((transfer.token, transfer.to_address)).or_default().0 += amount;
            }
            if !transfer.from_address.is_zero() {
                self.0.entry((transfer.token, transfer.from_address)).or_default().1 += amount;
            }
        }
    }

    /// Changes in the order of the table's key, without those that come to nothing, as of what passes through a citizen's
    /// account.
    pub(super) fn columns(&self) -> BalanceColumns<'_> {
        let mut changes: Vec<_> = self.0.iter().filter(|(_, (received, spent))| received != spent).collect();
        changes.sort_unstable_by_key(|(key, _)| *key);
        let mut columns = BalanceColumns::default();
        for ((token, holder), (received, spent)) in changes {
            columns.tokens.push(token.as_slice());
            columns.holders.push(holder.as_slice());
            columns.changes.push(if received > spent {
                (received - spent).to_string()
            } else {
                format!("-{}", spent - received)
            });
        }
        columns
    }
}

async fn add_to_balances(connection: &mut PgConnection, rows: &Rows) -> Result<(), sqlx::Error> {
    let mut changes = BalanceChanges::default();
    changes.add(&rows.transfers);
    let BalanceColumns { tokens, holders, changes } = changes.columns();
    if tokens.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into chain.balances (token, holder, amount)
         select token, holder, change::numeric from unnest($1::bytea[], $2::bytea[], $3::text[]) as t (token, holder, change)
         on conflict (token, holder) do update set amount = balances.amount + excluded.amount",
        &tokens as &[&[u8]],
        &holders as &[&[u8]],
        &changes,
    )
    .execute(&mut *connection)
    .await?;
    delete_empty_balances(connection).await
}

pub(super) async fn delete_empty_balances(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from chain.balances where amount = 0").execute(connection).await?;
    Ok(())
}

async fn add_registrations(connection: &mut PgConnection, rows: &Rows) -> Result<(), sqlx::Error> {
    let mut counts: BTreeMap<(Address, u8), i64> = BTreeMap::new();
    for row in &rows.registrations {
        *counts.entry((row.round, row.class)).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(());
    }
    let rounds: Vec<&[u8]> = counts.keys().map(|(round, _)| round.as_slice()).collect();
    let classes: Vec<i16> = counts.keys().map(|(_, class)| i16::from(*class)).collect();
    let added: Vec<i64> = counts.values().copied().collect();
    sqlx::query!(
        "update chain.classes c set registered = c.registered + t.added
         from unnest($1::bytea[], $2::smallint[], $3::bigint[]) as t (round, class, added)
         where c.round = t.round and c.class = t.class",
        &rounds as &[&[u8]],
        &classes,
        &added,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.rounds r set registered = r.registered + t.added
         from (select round, sum(added)::bigint as added from unnest($1::bytea[], $2::bigint[]) as u (round, added)
               group by round) t
         where r.address = t.round",
        &rounds as &[&[u8]],
        &added,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Pieces of ERC-721 tokens belong to the receiver of their last transfer.
async fn move_pieces(connection: &mut PgConnection, rows: &[NftTransferRow]) -> Result<(), sqlx::Error> {
    let last: BTreeMap<_, Address> = rows.iter().map(|row| ((row.token, row.token_id), row.to_address)).collect();
    if last.is_empty() {
        return Ok(());
    }
    let tokens: Vec<&[u8]> = last.keys().map(|(token, _)| token.as_slice()).collect();
    let ids: Vec<String> = last.keys().map(|(_, id)| id.to_string()).collect();
    let owners: Vec<&[u8]> = last.values().map(|owner| owner.as_slice()).collect();
    sqlx::query!(
        "insert into chain.nft_owners (token, token_id, owner)
         select token, id::numeric, owner from unnest($1::bytea[], $2::text[], $3::bytea[]) as t (token, id, owner)
         on conflict (token, token_id) do update set owner = excluded.owner",
        &tokens as &[&[u8]],
        &ids,
        &owners as &[&[u8]],
    )
    .execute(&mut *connection)
    .await?;
    delete_burnt_pieces(connection).await
}

pub(super) async fn delete_burnt_pieces(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from chain.nft_owners where owner = decode(repeat('00', 20), 'hex')")
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes `current` from the allocations that new ones replace. Returns by how much the initiatives' support changes.
async fn replace_allocations(
    connection: &mut PgConnection,
    rows: &[AllocationRow],
) -> Result<SupportChanges, sqlx::Error> {
    let mut changes = SupportChanges::default();
    if rows.is_empty() {
        return Ok(changes);
    }
    let current: Vec<&AllocationRow> = rows.iter().filter(|row| row.current).collect();
    let rounds: Vec<&[u8]> = current.iter().map(|row| row.round.as_slice()).collect();
    let accounts: Vec<&[u8]> = current.iter().map(|row| row.account.as_slice()).collect();
    let replaced = sqlx::query!(
        "update chain.allocations a set current = false
         from unnest($1::bytea[], $2::bytea[]) as t (round, account)
         where a.round = t.round and a.account = t.account and a.current
         returning a.round, a.initiatives, a.points",
        &rounds as &[&[u8]],
        &accounts as &[&[u8]],
    )
    .fetch_all(connection)
    .await?;
    for row in &replaced {
        changes.add(Address::from_slice(&row.round), row.initiatives.iter().copied(), &row.points, -1);
    }
    for row in current {
        let points: Vec<i32> = row.points.iter().map(|points| i32::from(*points)).collect();
        changes.add(row.round, row.initiatives.iter().map(|id| i32::from(*id)), &points, 1);
    }
    Ok(changes)
}

/// By how much supporters and points of initiatives and the counts of allocating accounts change.
#[derive(Default)]
struct SupportChanges {
    rounds: BTreeMap<Address, i64>,
    initiatives: BTreeMap<(Address, i32), (i64, i64)>,
}

impl SupportChanges {
    fn add(&mut self, round: Address, initiatives: impl Iterator<Item = i32>, points: &[i32], sign: i64) {
        *self.rounds.entry(round).or_default() += sign;
        for (at, initiative) in initiatives.enumerate() {
            let change = self.initiatives.entry((round, initiative)).or_default();
            change.0 += sign;
            change.1 += sign * points.get(at).copied().map_or(1, i64::from);
        }
    }

    async fn write(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.rounds.is_empty() {
            return Ok(());
        }
        let rounds: Vec<&[u8]> = self.initiatives.keys().map(|(round, _)| round.as_slice()).collect();
        let ids: Vec<i32> = self.initiatives.keys().map(|(_, id)| *id).collect();
        let supporters: Vec<i64> = self.initiatives.values().map(|(supporters, _)| *supporters).collect();
        let points: Vec<i64> = self.initiatives.values().map(|(_, points)| *points).collect();
        sqlx::query!(
            "update chain.initiatives i set supporters = i.supporters + t.supporters, points = i.points + t.points
             from unnest($1::bytea[], $2::integer[], $3::bigint[], $4::bigint[]) as t (round, id, supporters, points)
             where i.round = t.round and i.initiative_id = t.id and (t.supporters <> 0 or t.points <> 0)",
            &rounds as &[&[u8]],
            &ids,
            &supporters,
            &points,
        )
        .execute(&mut *connection)
        .await?;
        let rounds: Vec<&[u8]> = self.rounds.keys().map(|round| round.as_slice()).collect();
        let accounts: Vec<i64> = self.rounds.values().copied().collect();
        sqlx::query!(
            "update chain.rounds r set allocated = r.allocated + t.accounts
             from unnest($1::bytea[], $2::bigint[]) as t (round, accounts)
             where r.address = t.round and t.accounts <> 0",
            &rounds as &[&[u8]],
            &accounts,
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Rounds of which an event came that is recomputed and not counted.
fn changed_rounds(rows: &Rows) -> BTreeSet<Address> {
    let mut changed = BTreeSet::new();
    changed.extend(rows.rounds.iter().map(|row| row.address));
    changed.extend(rows.phase_changes.iter().map(|row| row.round));
    changed.extend(rows.pledging_openings.iter().map(|row| row.round));
    changed.extend(rows.classes.iter().map(|row| row.round));
    changed.extend(rows.issued.iter().map(|row| row.round));
    changed.extend(rows.initiatives.iter().map(|row| row.round));
    changed.extend(rows.settlements.iter().map(|row| row.round));
    changed.extend(rows.initiative_results.iter().map(|row| row.round));
    changed.extend(rows.payments.iter().map(|row| row.round));
    changed
}

/// Recomputes phase, times, budget and issued counts of rounds from their event tables.
pub(super) async fn refresh_rounds(
    connection: &mut PgConnection,
    rounds: &BTreeSet<Address>,
) -> Result<(), sqlx::Error> {
    let rounds: Vec<&[u8]> = rounds.iter().map(|round| round.as_slice()).collect();
    sqlx::query!(
        "update chain.classes c set issued = coalesce((
             select i.issued from chain.issued i where i.round = c.round and i.class = c.class
             order by i.block_number desc, i.log_index desc limit 1), 0)
         where c.round = any($1::bytea[])",
        &rounds as &[&[u8]],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.rounds r set
             phase = coalesce((
                 select p.phase from chain.phase_changes p where p.round = r.address
                 order by p.block_number desc, p.log_index desc limit 1), 'draft'),
             registration_at = s.registration_at, pledging_at = s.pledging_at, tallying_at = s.tallying_at,
             objection_at = s.objection_at, settled_at = s.settled_at, closed_at = s.closed_at,
             cancelled_at = s.cancelled_at,
             budget = (select o.budget from chain.pledging_openings o where o.round = r.address),
             total_weight = (select o.total_weight from chain.pledging_openings o where o.round = r.address),
             issued = (select coalesce(sum(c.issued), 0)::bigint from chain.classes c where c.round = r.address)
         from (
             select r.address,
                 max(p.changed_at) filter (where p.phase = 'registration') as registration_at,
                 max(p.changed_at) filter (where p.phase = 'pledging') as pledging_at,
                 max(p.changed_at) filter (where p.phase = 'tallying') as tallying_at,
                 max(p.changed_at) filter (where p.phase = 'objection') as objection_at,
                 max(p.changed_at) filter (where p.phase = 'settled') as settled_at,
                 max(p.changed_at) filter (where p.phase = 'closed') as closed_at,
                 max(p.changed_at) filter (where p.phase = 'cancelled') as cancelled_at
             from chain.rounds r left join chain.phase_changes p on p.round = r.address
             where r.address = any($1::bytea[])
             group by r.address
         ) s
         where r.address = s.address",
        &rounds as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Recomputes what tokens minted, paid and returned, and what initiatives hold, won and were paid, for the given tokens
/// and rounds. No wallet of a chain that is true holds less than 0; a node that shows a fork where one does must not stop
/// the index.
pub(super) async fn refresh_wallets(
    connection: &mut PgConnection,
    tokens: &BTreeSet<Address>,
    rounds: &BTreeSet<Address>,
) -> Result<(), sqlx::Error> {
    let tokens: Vec<&[u8]> = tokens.iter().map(|token| token.as_slice()).collect();
    let rounds: Vec<&[u8]> = rounds.iter().map(|round| round.as_slice()).collect();
    sqlx::query!(
        "update chain.tokens t set minted = s.minted, paid = s.paid, returned = s.returned
         from (
             select t.address,
                 coalesce((select m.minted_total from chain.mints m where m.token = t.address
                           order by m.block_number desc, m.log_index desc limit 1), 0) as minted,
                 coalesce((select sum(p.amount) from chain.payments p where p.round = t.round), 0) as paid,
                 coalesce((select sum(b.amount) from chain.returns b where b.token = t.address), 0) as returned
             from chain.tokens t
             where t.round is not null and (t.address = any($1::bytea[]) or t.round = any($2::bytea[]))
         ) s
         where t.address = s.address and (t.minted, t.paid, t.returned) is distinct from (s.minted, s.paid, s.returned)",
        &tokens as &[&[u8]],
        &rounds as &[&[u8]],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update chain.initiatives i set
             balance = s.balance, pledged = s.pledged, won = s.won, funded = s.funded, paid = s.paid
         from (
             select i.round, i.initiative_id,
                 greatest(b.amount, 0) as balance,
                 coalesce(e.pledged, greatest(b.amount, 0)) as pledged,
                 e.won, e.funded,
                 coalesce((select sum(p.amount) from chain.payments p
                           where p.round = i.round and p.initiative_id = i.initiative_id), 0) as paid
             from chain.rounds r
             join chain.initiatives i on i.round = r.address
             left join chain.balances b on b.token = r.token and b.holder = i.wallet
             left join chain.initiative_results e on e.round = i.round and e.initiative_id = i.initiative_id
             where r.token = any($1::bytea[]) or r.address = any($2::bytea[])
         ) s
         where i.round = s.round and i.initiative_id = s.initiative_id
           and (i.balance, i.pledged, i.won, i.funded, i.paid)
               is distinct from (s.balance, s.pledged, s.won, s.funded, s.paid)",
        &tokens as &[&[u8]],
        &rounds as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}
