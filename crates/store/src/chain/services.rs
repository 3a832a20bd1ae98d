//! Running state of polls, stamp sources, prizes and redemptions: recomputed from their events whenever one is touched,
//! the same way after a range and after a rollback.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, U256};
use sqlx::PgConnection;

use super::columns::{AmountColumn, HashColumn};
use super::query::to_i64;
use super::rows::{BallotRow, Rows};

/// Things whose events came or went.
#[derive(Debug, Default)]
pub(super) struct Touched {
    polls: BTreeSet<i64>,
    sources: BTreeSet<i64>,
    prizes: BTreeSet<i64>,
    redemptions: BTreeSet<B256>,
}

impl Touched {
    /// By a range.
    pub(super) fn by(rows: &Rows) -> Self {
        let mut touched = Self::default();
        touched.polls.extend(rows.polls.iter().map(|row| to_i64(row.poll_id)));
        touched.polls.extend(rows.poll_issued.iter().map(|row| to_i64(row.poll_id)));
        touched.polls.extend(rows.poll_cancellations.iter().map(|row| to_i64(row.poll_id)));
        touched.polls.extend(rows.poll_secrets.iter().map(|row| to_i64(row.poll_id)));
        touched.polls.extend(rows.ballots.iter().map(|row| to_i64(row.poll_id)));
        touched.polls.extend(rows.ballot_openings.iter().map(|row| to_i64(row.poll_id)));
        touched.sources.extend(rows.stamp_sources.iter().map(|row| to_i64(row.source_id)));
        touched.sources.extend(rows.stamp_source_closings.iter().map(|row| to_i64(row.source_id)));
        touched.sources.extend(rows.stamp_claims.iter().map(|row| to_i64(row.source_id)));
        touched.prizes.extend(rows.prizes.iter().map(|row| to_i64(row.prize_id)));
        touched.prizes.extend(rows.prize_stock_changes.iter().map(|row| to_i64(row.prize_id)));
        touched.prizes.extend(rows.prize_withdrawals.iter().map(|row| to_i64(row.prize_id)));
        touched.prizes.extend(rows.redemptions.iter().map(|row| to_i64(row.prize_id)));
        touched.prizes.extend(rows.redemption_ends.iter().map(|row| to_i64(row.prize_id)));
        touched.redemptions.extend(rows.redemptions.iter().map(|row| row.redemption_id));
        touched.redemptions.extend(rows.redemption_ends.iter().map(|row| row.redemption_id));
        touched
    }

    /// By the blocks above one that are about to be deleted.
    pub(super) async fn above(connection: &mut PgConnection, above: i64) -> Result<Self, sqlx::Error> {
        let polls = sqlx::query_scalar!(
            r#"select poll_id as "id!" from chain.poll_issued where block_number > $1
               union select poll_id from chain.poll_cancellations where block_number > $1
               union select poll_id from chain.poll_secrets where block_number > $1
               union select poll_id from chain.ballots where block_number > $1
               union select poll_id from chain.ballot_openings where block_number > $1"#,
            above,
        )
        .fetch_all(&mut *connection)
        .await?;
        let sources = sqlx::query_scalar!(
            r#"select source_id as "id!" from chain.stamp_source_closings where block_number > $1
               union select source_id from chain.stamp_claims where block_number > $1"#,
            above,
        )
        .fetch_all(&mut *connection)
        .await?;
        let prizes = sqlx::query_scalar!(
            r#"select prize_id as "id!" from chain.prize_stock_changes where block_number > $1
               union select prize_id from chain.prize_withdrawals where block_number > $1
               union select prize_id from chain.redemptions where block_number > $1
               union select prize_id from chain.redemption_ends where block_number > $1"#,
            above,
        )
        .fetch_all(&mut *connection)
        .await?;
        let redemptions = sqlx::query!(
            r#"select redemption_id as "id: HashColumn" from chain.redemption_ends where block_number > $1"#,
            above,
        )
        .fetch_all(connection)
        .await?;
        Ok(Self {
            polls: polls.into_iter().collect(),
            sources: sources.into_iter().collect(),
            prizes: prizes.into_iter().collect(),
            redemptions: redemptions.into_iter().map(|row| row.id.into()).collect(),
        })
    }

    /// All there are.
    pub(super) async fn all(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let polls = sqlx::query_scalar!("select poll_id from chain.polls").fetch_all(&mut *connection).await?;
        let sources =
            sqlx::query_scalar!("select source_id from chain.stamp_sources").fetch_all(&mut *connection).await?;
        let prizes = sqlx::query_scalar!("select prize_id from chain.prizes").fetch_all(&mut *connection).await?;
        let redemptions = sqlx::query!(r#"select redemption_id as "id: HashColumn" from chain.redemptions"#)
            .fetch_all(connection)
            .await?;
        Ok(Self {
            polls: polls.into_iter().collect(),
            sources: sources.into_iter().collect(),
            prizes: prizes.into_iter().collect(),
            redemptions: redemptions.into_iter().map(|row| row.id.into()).collect(),
        })
    }

    /// Recomputes their running state.
    pub(super) async fn refresh(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.polls.is_empty() {
            let polls: Vec<i64> = self.polls.iter().copied().collect();
            refresh_polls(connection, &polls).await?;
            count_ballots(connection, &polls).await?;
        }
        if !self.sources.is_empty() {
            let sources: Vec<i64> = self.sources.iter().copied().collect();
            refresh_sources(connection, &sources).await?;
        }
        if !self.prizes.is_empty() {
            let prizes: Vec<i64> = self.prizes.iter().copied().collect();
            refresh_prizes(connection, &prizes).await?;
        }
        if !self.redemptions.is_empty() {
            let redemptions: Vec<&[u8]> = self.redemptions.iter().map(|id| id.as_slice()).collect();
            refresh_redemptions(connection, &redemptions).await?;
        }
        Ok(())
    }
}

async fn refresh_polls(connection: &mut PgConnection, polls: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chain.polls p set
             issued = coalesce((select i.issued from chain.poll_issued i where i.poll_id = p.poll_id
                                order by i.block_number desc, i.log_index desc limit 1), 0),
             ballots = (select count(*) from chain.ballots b where b.poll_id = p.poll_id and b.current),
             opened = (select count(*) from chain.ballot_openings o where o.poll_id = p.poll_id and o.choice is not null),
             spoilt = (select count(*) from chain.ballot_openings o where o.poll_id = p.poll_id and o.choice is null),
             cancelled_at = (select c.cancelled_at from chain.poll_cancellations c where c.poll_id = p.poll_id),
             sealing_secret = (select s.secret from chain.poll_secrets s where s.poll_id = p.poll_id)
         where p.poll_id = any($1)",
        polls,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes `chain.tallies` of some polls anew.
async fn count_ballots(connection: &mut PgConnection, polls: &[i64]) -> Result<(), sqlx::Error> {
    let counted = sqlx::query!(
        r#"select p.poll_id, p.kind, p.option_count, c.choice as "choice!: AmountColumn", count(*) as "votes!"
           from chain.polls p
           join (
               select poll_id, choice from chain.ballots where poll_id = any($1) and current and choice is not null
               union all
               select poll_id, choice from chain.ballot_openings where poll_id = any($1) and choice is not null
           ) c using (poll_id)
           group by p.poll_id, p.kind, p.option_count, c.choice"#,
        polls,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tallies: BTreeMap<(i64, i16, i16), i64> = BTreeMap::new();
    for row in counted {
        for (option, grade) in options(&row.kind, row.option_count, row.choice.into()) {
            *tallies.entry((row.poll_id, option, grade)).or_default() += row.votes;
        }
    }
    sqlx::query!("delete from chain.tallies where poll_id = any($1)", polls).execute(&mut *connection).await?;
    let of = |part: fn(&(i64, i16, i16)) -> i16| -> Vec<i16> { tallies.keys().map(part).collect() };
    let ids: Vec<i64> = tallies.keys().map(|(poll, ..)| *poll).collect();
    let votes: Vec<i64> = tallies.values().copied().collect();
    sqlx::query!(
        "insert into chain.tallies (poll_id, option, grade, votes)
         select poll_id, option, grade, votes
         from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::bigint[]) as t (poll_id, option, grade, votes)",
        &ids,
        &of(|key| key.1),
        &of(|key| key.2),
        &votes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The options that a choice names, with the grade of each, 0 where there are none.
fn options(kind: &str, option_count: i16, choice: U256) -> Vec<(i16, i16)> {
    let bits = if kind == "rating" { 4 } else { 1 };
    let value = |option: i16| {
        let shift = usize::try_from(option).unwrap_or_default() * bits;
        let value: u64 = (choice >> shift).as_limbs()[0] & ((1 << bits) - 1);
        i16::try_from(value).unwrap_or_default()
    };
    (0..option_count)
        .map(|option| (option, value(option)))
        .filter(|(_, value)| *value > 0)
        .map(|(option, value)| (option, if bits == 4 { value } else { 0 }))
        .collect()
}

async fn refresh_sources(connection: &mut PgConnection, sources: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chain.stamp_sources s set
             claimed = (select count(*) from chain.stamp_claims c where c.source_id = s.source_id),
             closed_at = (select c.closed_at from chain.stamp_source_closings c where c.source_id = s.source_id)
         where s.source_id = any($1)",
        sources,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn refresh_prizes(connection: &mut PgConnection, prizes: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chain.prizes p set
             redeemed = r.redeemed, stock = p.listed_stock + s.changed - r.redeemed + e.returned,
             withdrawn_at = (select w.withdrawn_at from chain.prize_withdrawals w where w.prize_id = p.prize_id)
         from unnest($1::bigint[]) as t (prize_id)
         cross join lateral (
             select coalesce(sum(case when raised then amount else -amount end), 0)::bigint as changed
             from chain.prize_stock_changes c where c.prize_id = t.prize_id) s
         cross join lateral (
             select count(*) as redeemed from chain.redemptions x where x.prize_id = t.prize_id) r
         cross join lateral (
             select count(*) as returned from chain.redemption_ends x
             where x.prize_id = t.prize_id and x.status <> 'honoured') e
         where p.prize_id = t.prize_id",
        prizes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn refresh_redemptions(connection: &mut PgConnection, redemptions: &[&[u8]]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update chain.redemptions r set status = coalesce(e.status, 'open'), ended_at = e.ended_at
         from unnest($1::bytea[]) as t (id) left join chain.redemption_ends e on e.redemption_id = t.id
         where r.redemption_id = t.id and (r.status, r.ended_at) is distinct from (coalesce(e.status, 'open'), e.ended_at)",
        redemptions as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes `current` from the ballots that new ones replace.
pub(super) async fn replace_ballots(connection: &mut PgConnection, rows: &[BallotRow]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let current: Vec<&BallotRow> = rows.iter().filter(|row| row.current).collect();
    let polls: Vec<i64> = current.iter().map(|row| to_i64(row.poll_id)).collect();
    let accounts: Vec<&[u8]> = current.iter().map(|row| row.account.as_slice()).collect();
    sqlx::query!(
        "update chain.ballots b set current = false
         from unnest($1::bigint[], $2::bytea[]) as t (poll_id, account)
         where b.poll_id = t.poll_id and b.account = t.account and b.current",
        &polls,
        &accounts as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes ballots, and makes the last remaining one of each account current again.
pub(super) async fn restore_ballots(connection: &mut PgConnection, above: i64) -> Result<(), sqlx::Error> {
    let deleted = sqlx::query!("delete from chain.ballots where block_number > $1 returning poll_id, account", above)
        .fetch_all(&mut *connection)
        .await?;
    let polls: Vec<i64> = deleted.iter().map(|row| row.poll_id).collect();
    let accounts: Vec<&[u8]> = deleted.iter().map(|row| row.account.as_slice()).collect();
    sqlx::query!(
        "update chain.ballots b set current = true
         from (
             select distinct on (b.poll_id, b.account) b.block_number, b.log_index
             from unnest($1::bigint[], $2::bytea[]) as t (poll_id, account)
             join chain.ballots b on b.poll_id = t.poll_id and b.account = t.account
             order by b.poll_id, b.account, b.version desc
         ) l
         where b.block_number = l.block_number and b.log_index = l.log_index",
        &polls,
        &accounts as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_name_options() {
        assert_eq!(options("single", 3, U256::from(4)), [(2, 0)]);
        assert_eq!(options("multiple", 32, (U256::ONE << 31) | U256::ONE), [(0, 0), (31, 0)]);
        assert_eq!(options("rating", 3, U256::from(0x105)), [(0, 5), (2, 1)]);
        assert_eq!(options("rating", 32, U256::from(3) << 124), [(31, 3)]);
        assert_eq!(options("single", 2, U256::ZERO), []);
    }
}
