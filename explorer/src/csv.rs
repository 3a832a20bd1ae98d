//! Files: transfers and allocations as CSV, streamed from the database; the election for outside counters.

use alloy::primitives::Address;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use kopilka_domain::pabulib::{Description, Instance};
use kopilka_domain::{BallotKind, Rule};
use kopilka_store::chain::explorer::{AllocationLine, stream_allocations, stream_transfers};
use kopilka_store::chain::query::Transfer;
use kopilka_store::chain::rounds;
use kopilka_web::{WebError, WebResult, format};
use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;

use crate::settlement;
use crate::state::{Explorer, parse_address};
use crate::texts::Texts;

/// Rows sent together.
const CHUNK: usize = 500;

fn file(name: &str, kind: &'static str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body).into_response()
}

/// `GET /token/{token}/transfers.csv`.
pub(crate) async fn transfers(State(explorer): State<Explorer>, Path(token): Path<String>) -> WebResult<Response> {
    let address = parse_address(&token)?;
    let mut connection = explorer.connection().await?;
    let token =
        rounds::token(&mut connection, address).await?.ok_or_else(|| WebError::not_found("error-token-missing"))?;
    drop(connection);
    let decimals = token.decimals.and_then(|decimals| usize::try_from(decimals).ok()).unwrap_or(0);
    let rows = owned_stream(explorer.pool.clone(), address, stream_transfers)
        .map_ok(move |transfer| transfer_row(&transfer, decimals));
    let head = "block,log_index,time,transaction,from,to,amount\r\n";
    Ok(file(&format!("transfers-{address:#x}.csv"), "text/csv; charset=utf-8", chunked(head, rows)))
}

fn transfer_row(transfer: &Transfer, decimals: usize) -> String {
    format!(
        "{},{},{},{:#x},{:#x},{:#x},{}\r\n",
        transfer.block_number,
        transfer.log_index,
        transfer.block_at.format(&Rfc3339).unwrap_or_default(),
        transfer.tx_hash,
        transfer.from_address,
        transfer.to_address,
        format::plain_units(&transfer.amount.to_string(), decimals),
    )
}

/// `GET /round/{round}/allocations.csv`.
pub(crate) async fn allocations(State(explorer): State<Explorer>, Path(round): Path<String>) -> WebResult<Response> {
    let round = explorer.round(&round).await?;
    let cumulative = round.ballot_kind == BallotKind::Cumulative;
    let rows = owned_stream(explorer.pool.clone(), round.address, stream_allocations)
        .map_ok(move |row| allocation_row(&row, cumulative));
    let head = "block,log_index,time,transaction,account,version,current,initiatives,points\r\n";
    Ok(file(&format!("allocations-{:#x}.csv", round.address), "text/csv; charset=utf-8", chunked(head, rows)))
}

fn allocation_row(row: &AllocationLine, cumulative: bool) -> String {
    let joined = |numbers: &[i32]| numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
    format!(
        "{},{},{},{:#x},{:#x},{},{},{},{}\r\n",
        row.block_number,
        row.log_index,
        row.block_at.format(&Rfc3339).unwrap_or_default(),
        row.tx_hash,
        row.account,
        row.version,
        row.current,
        joined(&row.initiatives),
        if cumulative { joined(&row.points) } else { String::new() },
    )
}

/// A database stream that owns its pool, so that it can outlive the handler.
fn owned_stream<T: Send + 'static>(
    pool: PgPool,
    address: Address,
    open: impl for<'a> FnOnce(&'a PgPool, Address) -> futures::stream::BoxStream<'a, sqlx::Result<T>> + Send + 'static,
) -> impl Stream<Item = sqlx::Result<T>> + Send + 'static {
    let (sender, receiver) = tokio::sync::mpsc::channel(CHUNK);
    tokio::spawn(async move {
        let mut rows = open(&pool, address);
        while let Some(row) = rows.next().await {
            // The reader went away: so does the query.
            if sender.send(row).await.is_err() {
                break;
            }
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(receiver)
}

fn chunked(head: &'static str, rows: impl Stream<Item = sqlx::Result<String>> + Send + 'static) -> Body {
    let head = futures::stream::once(async move { Ok(Bytes::from_static(head.as_bytes())) });
    let rows = rows.try_chunks(CHUNK).map(|chunk| match chunk {
        Ok(rows) => Ok(Bytes::from(rows.concat())),
        Err(error) => {
            tracing::error!(error = %error.1, "a file broke off");
            Err(error.1)
        }
    });
    Body::from_stream(head.chain(rows))
}

/// `GET /round/{round}/election.json`: what decides the result, as `kopilka_domain` reads it.
pub(crate) async fn election_json(State(explorer): State<Explorer>, Path(round): Path<String>) -> WebResult<Response> {
    let round = explorer.round(&round).await?;
    let mut connection = explorer.connection().await?;
    let election = settlement::election(&mut connection, &round).await?;
    let election = election.ok_or_else(|| WebError::not_found("error-election-early"))?;
    Ok(Json(election).into_response())
}

/// `GET /round/{round}/election.pb`: the same as a Pabulib file.
pub(crate) async fn election_pb(State(explorer): State<Explorer>, Path(round): Path<String>) -> WebResult<Response> {
    let round = explorer.round(&round).await?;
    let outcome = settlement::outcome(&explorer, &round).await?;
    let mut connection = explorer.connection().await?;
    let election = settlement::election(&mut connection, &round).await?;
    let election = election.ok_or_else(|| WebError::not_found("error-election-early"))?;
    let initiatives = rounds::initiatives(&mut connection, round.address).await?;
    let hashes = initiatives.iter().map(|initiative| initiative.content_hash).chain([round.content_hash]).collect();
    let texts = Texts::load(&mut connection, hashes).await?;
    drop(connection);
    let date =
        |at: Option<time::OffsetDateTime>| at.map(|at| format::date(kopilka_web::Language::Ru, at)).unwrap_or_default();
    let title = texts.get(&round.content_hash).map(|text| text.title.clone()).unwrap_or_default();
    let rule = match round.rule {
        Rule::EqualShares => "Method of Equal Shares",
        Rule::Greedy => "greedy rule",
    };
    let description = Description {
        description: format!("{title} (round {}, {rule}, chain of Kopilka)", round.round_id).trim_start().to_owned(),
        country: "Russia".to_owned(),
        unit: round.municipality_name.clone(),
        instance: round.pledging_at.unwrap_or(round.created_at).year().to_string(),
        date_begin: date(round.pledging_at),
        date_end: date(round.tallying_at),
        language: "ru".to_owned(),
        currency: "RUB".to_owned(),
    };
    let text = tokio::task::spawn_blocking(move || {
        Instance::from_election(&election, outcome.as_deref(), &description, |id| {
            let initiative = initiatives.iter().find(|initiative| initiative.initiative_id == i32::from(id.0));
            let text = initiative.and_then(|initiative| texts.get(&initiative.content_hash));
            text.map_or_else(|| id.to_string(), |text| text.title.clone())
        })
        .to_pb()
    })
    .await?;
    Ok(file(&format!("election-{}.pb", round.round_id), "text/plain; charset=utf-8", Body::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopilka_domain::Kopecks;

    #[test]
    fn amounts_are_plain_numbers() {
        assert_eq!(format::plain_units("123456", 2), Kopecks(123_456).to_decimal());
        assert_eq!(format::plain_units("5", 2), "0.05");
        assert_eq!(format::plain_units("5", 0), "5");
    }
}
