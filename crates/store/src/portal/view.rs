//! What the portal's pages show of the indexed chain. Read-only: the indexer writes these tables.

use kopilka_domain::Kopecks;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::StoreError;

/// A round with its totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundView {
    /// The round's contract.
    pub address: [u8; 20],
    /// Its number in the register.
    pub round_id: u64,
    /// Whose round it is.
    pub municipality_id: u32,
    /// Name of the municipality; empty if the register does not know it.
    pub municipality: String,
    /// Name of the phase, as `kopilka_domain::Phase` writes it.
    pub phase: String,
    /// Name of the ballot kind.
    pub ballot_kind: String,
    /// keccak256 of the description.
    pub content_hash: [u8; 32],
    /// Money in play: the budget once it is fixed, what was minted before.
    pub budget: Kopecks,
    /// Registered accounts.
    pub registered: u64,
    /// Accounts with a recorded allocation.
    pub allocated: u64,
    /// Initiatives.
    pub initiatives: u32,
    /// What lies in all piggy banks together, or lay there when the round was settled.
    pub pledged: Kopecks,
    /// Earliest end of the registration.
    pub registration_until: OffsetDateTime,
    /// Earliest end of the pledging.
    pub pledging_until: OffsetDateTime,
    /// Earliest time of finality of a proposed result.
    pub final_at: Option<OffsetDateTime>,
}

/// An initiative with its totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiativeView {
    /// Its number in the round.
    pub id: u16,
    /// What it costs.
    pub cost: Kopecks,
    /// keccak256 of the description.
    pub content_hash: [u8; 32],
    /// Address of its piggy bank.
    pub wallet: [u8; 20],
    /// Accounts whose current allocation names it.
    pub supporters: u64,
    /// Points of their current allocations.
    pub points: u64,
    /// What citizens put in: the balance until the settlement, then fixed at what it was before.
    pub pledged: Kopecks,
    /// Whether it won; unknown before the result is final.
    pub won: Option<bool>,
    /// What was paid for it so far.
    pub paid: Kopecks,
}

fn kopecks(text: &str) -> Kopecks {
    Kopecks(text.parse().unwrap_or(u128::MAX))
}

fn whole<T: TryFrom<i64> + Default>(number: i64) -> T {
    T::try_from(number).unwrap_or_default()
}

/// Every round, the newest first; `round` restricts to one.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn rounds(connection: &mut PgConnection, round: Option<&[u8; 20]>) -> Result<Vec<RoundView>, StoreError> {
    let rows = sqlx::query!(
        r#"select r.address::bytea as "address!", r.round_id, r.municipality_id, coalesce(m.name, '') as "municipality!",
                  r.phase, r.ballot_kind, r.content_hash::bytea as "content_hash!",
                  coalesce(r.budget::numeric, t.minted::numeric, 0)::text as "budget!",
                  r.registered, r.allocated, r.registration_until,
                  -- Pledging lasts as long as planned, also when it was opened late. Without a plan there is nothing to say.
                  case when r.phase = 'pledging' and r.pledging_until > r.registration_until
                      then least(coalesce(r.pledging_at + (r.pledging_until - r.registration_until), r.pledging_until),
                          timestamptz '9999-12-31 23:59:59Z')
                      else r.pledging_until end as "pledging_until!",
                  i.initiatives as "initiatives!", i.pledged as "pledged!", s.final_at as "final_at?"
           from chain.rounds r
           left join chain.municipalities m on m.municipality_id = r.municipality_id
           left join chain.tokens t on t.address = r.token
           cross join lateral (
               select count(*) as initiatives, coalesce(sum(pledged::numeric), 0)::text as pledged
               from chain.initiatives where round = r.address
           ) i
           left join lateral (
               select case when kind = 'proposed' then final_at end as final_at
               from chain.settlements where round = r.address order by block_number desc, log_index desc limit 1
           ) s on true
           where $1::bytea is null or r.address = $1
           order by r.round_id desc"#,
        round.map(|address| &address[..])
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(RoundView {
                address: row.address.try_into().ok()?,
                round_id: whole(row.round_id),
                municipality_id: whole(row.municipality_id),
                municipality: row.municipality,
                phase: row.phase,
                ballot_kind: row.ballot_kind,
                content_hash: row.content_hash.try_into().ok()?,
                budget: kopecks(&row.budget),
                registered: whole(row.registered),
                allocated: whole(row.allocated),
                initiatives: whole(row.initiatives),
                pledged: kopecks(&row.pledged),
                registration_until: row.registration_until,
                pledging_until: row.pledging_until,
                final_at: row.final_at,
            })
        })
        .collect())
}

/// The initiatives of a round in the order of their numbers.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn initiatives(connection: &mut PgConnection, round: &[u8; 20]) -> Result<Vec<InitiativeView>, StoreError> {
    let rows = sqlx::query!(
        r#"select initiative_id, cost::numeric::text as "cost!", content_hash::bytea as "content_hash!", wallet::bytea as "wallet!",
                  supporters, points, pledged::numeric::text as "pledged!", won, paid::numeric::text as "paid!"
           from chain.initiatives where round = $1 order by initiative_id"#,
        &round[..] as _
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(InitiativeView {
                id: u16::try_from(row.initiative_id).ok()?,
                cost: kopecks(&row.cost),
                content_hash: row.content_hash.try_into().ok()?,
                wallet: row.wallet.try_into().ok()?,
                supporters: whole(row.supporters),
                points: whole(row.points),
                pledged: kopecks(&row.pledged),
                won: row.won,
                paid: kopecks(&row.paid),
            })
        })
        .collect())
}

/// Name of a municipality of the register.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn municipality_name(connection: &mut PgConnection, id: u32) -> Result<Option<String>, StoreError> {
    let row = sqlx::query!("select name from chain.municipalities where municipality_id = $1", i64::from(id))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.name))
}
