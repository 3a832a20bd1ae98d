//! Tokens that are watched from now on get their past: their logs of the blocks that are indexed already.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use alloy::primitives::Address;
use anyhow::ensure;
use kopilka_store::chain::rows::Rows;
use kopilka_store::chain::state::{self, Meta};
use kopilka_store::chain::write;
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::fetch::{Order, Scope, fetch_range};
use crate::metadata;
use crate::plan::RangeSize;
use crate::rebuild;
use crate::rpc::Node;

/// Fetches the logs of `order`'s contracts in the blocks `first` to `tip`, and makes the derived tables anew.
pub(crate) async fn catch_up(
    node: &Node,
    database: &PgPool,
    connection: &mut PgConnection,
    meta: &mut Meta,
    order: Order,
    (first, tip): (u64, Option<u64>),
    size: &Arc<Mutex<RangeSize>>,
) -> anyhow::Result<()> {
    let Scope::Contracts(tokens) = &order.scope else { return Ok(()) };
    tracing::info!(?tokens, ?tip, "fetching the past of tokens that are watched from now on");
    meta.watched.extend(tokens.iter());
    let mut transaction = connection.begin().await?;
    state::write_watched(&mut transaction, &meta.watched).await?;
    let mut seen: BTreeMap<Address, u64> = BTreeMap::new();
    let mut from = first;
    while let Some(tip) = tip.filter(|tip| from <= *tip) {
        let blocks = size.lock().unwrap_or_else(std::sync::PoisonError::into_inner).blocks();
        let to = tip.min(from.saturating_add(blocks - 1));
        let rows = fetch_range(node.clone(), order.clone(), from, to, size.clone()).await?;
        for log in &rows.logs {
            seen.entry(log.address).or_insert(log.block_number);
        }
        let blocks: Vec<_> = rows.blocks.iter().filter(|block| block.logs_count > 0).cloned().collect();
        let fits = state::add_logs_to_blocks(&mut transaction, &blocks).await?;
        ensure!(fits, "the chain changed between blocks {from} and {to} while the past of tokens was fetched");
        let raw = Rows { logs: rows.logs, ..Rows::default() };
        write::write_raw(&mut transaction, &raw).await?;
        from = to + 1;
    }
    let addresses: Vec<Address> = seen.keys().copied().collect();
    let answers = node.token_answers(&addresses, tip.unwrap_or_default()).await?;
    let token_metadata =
        seen.iter().zip(&answers).map(|((token, block), answers)| metadata::read(*token, *block, answers)).collect();
    write::write_raw(&mut transaction, &Rows { token_metadata, ..Rows::default() }).await?;

    // From here on the derived tables are behind; whatever happens, the next start makes them anew.
    state::write_decoder_version(&mut transaction, 0).await?;
    transaction.commit().await?;
    rebuild::rebuild(database, connection, meta).await?;
    Ok(())
}
