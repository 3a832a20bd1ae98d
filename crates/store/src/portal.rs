//! The `portal` schema: issued credentials and published texts.
//!
//! Deliberately absent: persons, sessions, times. A row of `portal.issuances` says that some person had a credential in a
//! round; who that was can be told only with keys that are not in the database, and what the person chose not at all.

pub mod view;

use std::collections::HashMap;

use sqlx::{PgConnection, PgTransaction};

use crate::StoreError;

/// Outcome of [`record_issuance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuance {
    /// The person's first credential in this round: sign.
    First,
    /// The same blinded message in the same class was signed before: sign it again, the answer is the same.
    Repeated,
    /// The person has a credential of this round for another message or class: refuse.
    Refused,
}

/// Key of the advisory lock under which one process publishes the numbers of issued credentials.
const PUBLISHING_LOCK: i64 = 0x6b6f_7069_6c6b_6101;

/// Records that the person behind `person_tag` gets a credential of a round, unless one was issued before. Of any number of
/// parallel calls for one person and round exactly one returns [`Issuance::First`]. Sign only after this was committed.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn record_issuance(
    connection: &mut PgConnection,
    round: &[u8; 20],
    person_tag: &[u8; 32],
    class: u8,
    blinded_hash: &[u8; 32],
) -> Result<Issuance, StoreError> {
    loop {
        let inserted = sqlx::query!(
            "insert into portal.issuances (round, person_tag, class, blinded_hash) values ($1, $2, $3, $4)
             on conflict do nothing",
            &round[..],
            &person_tag[..],
            i16::from(class),
            &blinded_hash[..],
        )
        .execute(&mut *connection)
        .await?
        .rows_affected();
        if inserted == 1 {
            return Ok(Issuance::First);
        }
        let earlier = sqlx::query!(
            "select class, blinded_hash from portal.issuances where round = $1 and person_tag = $2",
            &round[..],
            &person_tag[..],
        )
        .fetch_optional(&mut *connection)
        .await?;
        // A missing row means that the table was being compacted between the two statements: ask again.
        if let Some(earlier) = earlier {
            let same = earlier.class == i16::from(class) && earlier.blinded_hash == blinded_hash;
            return Ok(if same { Issuance::Repeated } else { Issuance::Refused });
        }
    }
}

/// Whether the person behind `person_tag` had a credential of a round.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn is_issued(
    connection: &mut PgConnection,
    round: &[u8; 20],
    person_tag: &[u8; 32],
) -> Result<bool, StoreError> {
    let row = sqlx::query!(
        r#"select exists (select from portal.issuances where round = $1 and person_tag = $2) as "issued!""#,
        &round[..],
        &person_tag[..],
    )
    .fetch_one(connection)
    .await?;
    Ok(row.issued)
}

/// Credentials issued so far in one class of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCount {
    /// The round's contract.
    pub round: [u8; 20],
    /// The class.
    pub class: u8,
    /// How many were issued.
    pub issued: u32,
}

/// The numbers of issued credentials of every round and class that has any.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn issued_counts(connection: &mut PgConnection) -> Result<Vec<IssuedCount>, StoreError> {
    let rows = sqlx::query!(
        r#"select round, class, count(*) as "issued!" from portal.issuances group by round, class order by round, class"#
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(IssuedCount {
                round: row.round.try_into().ok()?,
                class: u8::try_from(row.class).ok()?,
                issued: u32::try_from(row.issued).ok()?,
            })
        })
        .collect())
}

/// Rewrites the table in the order of the tags, within one transaction: afterwards neither a row's place on disk nor its
/// `xmin` tells when it was written. Issuing waits meanwhile (about a second for 100,000 rows).
///
/// `CLUSTER` would order the pages but keep every row's own `xmin`, hence the copy.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn compact_issuances(transaction: &mut PgTransaction<'_>) -> Result<u64, StoreError> {
    sqlx::query!("lock table portal.issuances in access exclusive mode").execute(&mut **transaction).await?;
    // Types and not-null as in the table; gone with the transaction.
    sqlx::query("create temporary table issuances_copy on commit drop as table portal.issuances")
        .execute(&mut **transaction)
        .await?;
    sqlx::query!("truncate portal.issuances").execute(&mut **transaction).await?;
    let copied = sqlx::query(
        "insert into portal.issuances (round, person_tag, class, blinded_hash)
         select round, person_tag, class, blinded_hash from issuances_copy order by round, person_tag",
    )
    .execute(&mut **transaction)
    .await?;
    Ok(copied.rows_affected())
}

/// Waits for the lock of the one process that publishes. Freed when the transaction ends.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn lock_publishing(transaction: &mut PgTransaction<'_>) -> Result<(), StoreError> {
    sqlx::query!("select pg_advisory_xact_lock($1)", PUBLISHING_LOCK).fetch_one(&mut **transaction).await?;
    Ok(())
}

/// Stores a document under its hash; one that is there already stays as it is.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn put_document(connection: &mut PgConnection, hash: &[u8; 32], body: &str) -> Result<(), StoreError> {
    sqlx::query!("insert into portal.documents (hash, body) values ($1, $2) on conflict do nothing", &hash[..], body)
        .execute(connection)
        .await?;
    Ok(())
}

/// The document with this hash.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn document(connection: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query!("select body from portal.documents where hash = $1", &hash[..]).fetch_optional(connection).await?;
    Ok(row.map(|row| row.body))
}

/// The documents with these hashes; unknown hashes are left out.
///
/// # Errors
/// [`StoreError::Query`].
pub async fn documents(
    connection: &mut PgConnection,
    hashes: &[Vec<u8>],
) -> Result<HashMap<[u8; 32], String>, StoreError> {
    let rows = sqlx::query!("select hash, body from portal.documents where hash = any($1)", hashes)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.hash.try_into().ok()?, row.body))).collect())
}
