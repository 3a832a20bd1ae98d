//! The indexer's tables against the chain's events.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use anyhow::{Context as _, ensure};
use kopilka_store::chain::audit;

use crate::election::{ChainRound, Recorded};

/// Holds registrations, current allocations, balances and winners in the database against what the chain's events say.
///
/// # Errors
/// The first difference, named by its row.
pub async fn compare_database(url: &str, read: &ChainRound) -> anyhow::Result<()> {
    let pool = kopilka_store::connect(url, 1).await?;
    let mut connection = pool.acquire().await?;
    let indexed = audit::indexed_block(&mut connection).await?.context("the database holds no block yet")?;
    ensure!(
        indexed >= read.head,
        "the database is at block {indexed}, the audit at {}: wait for the indexer",
        read.head
    );
    let round = read.round.as_slice();

    let rows = audit::registrations(&mut connection, round).await?;
    let found: BTreeMap<Address, u8> = rows
        .into_iter()
        .map(|row| Ok((address(&row.account)?, u8::try_from(row.class)?)))
        .collect::<anyhow::Result<_>>()?;
    let expected = read.registrations.iter().map(|(account, registration)| (*account, registration.class)).collect();
    compare("chain.registrations, account", &found, &expected)?;

    let rows = audit::current_allocations(&mut connection, round).await?;
    let found: BTreeMap<Address, Recorded> = rows
        .into_iter()
        .map(|row| {
            let narrow = |ids: Vec<i32>| ids.into_iter().map(u16::try_from).collect::<Result<Vec<_>, _>>();
            let recorded = Recorded {
                version: u32::try_from(row.version)?,
                initiatives: narrow(row.initiatives)?,
                points: narrow(row.points)?,
            };
            Ok((address(&row.account)?, recorded))
        })
        .collect::<anyhow::Result<_>>()?;
    compare("chain.allocations, account", &found, &read.allocations)?;

    let rows = audit::balances(&mut connection, read.token.as_slice()).await?;
    let found: BTreeMap<Address, U256> =
        rows.into_iter().map(|row| Ok((address(&row.holder)?, row.amount.parse()?))).collect::<anyhow::Result<_>>()?;
    let expected = read.balances.iter().filter(|(_, balance)| !balance.is_zero()).map(|(a, b)| (*a, *b)).collect();
    compare("chain.balances, holder", &found, &expected)?;

    let rows = audit::initiatives(&mut connection, round).await?;
    type Line = (u128, U256, Option<bool>);
    let found: BTreeMap<u16, Line> = rows
        .into_iter()
        .map(|row| Ok((u16::try_from(row.initiative_id)?, (row.cost.parse()?, row.balance.parse()?, row.won))))
        .collect::<anyhow::Result<_>>()?;
    let expected: BTreeMap<u16, Line> = read
        .initiatives
        .iter()
        .map(|(id, initiative)| {
            let balance = read.balances.get(&initiative.wallet).copied().unwrap_or_default();
            (*id, (initiative.cost, balance, initiative.settled.map(|(won, ..)| won)))
        })
        .collect();
    compare("chain.initiatives, initiative", &found, &expected)
}

fn address(bytes: &[u8]) -> anyhow::Result<Address> {
    Address::try_from(bytes).context("an address in the database is not 20 bytes long")
}

/// Names the first key at which two maps differ.
fn compare<K: Ord + std::fmt::Display, V: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
) -> anyhow::Result<()> {
    for (key, value) in expected {
        let row =
            found.get(key).with_context(|| format!("{what} {key}: the row is missing, the chain says {value:?}"))?;
        ensure!(row == value, "{what} {key}: the database says {row:?}, the chain {value:?}");
    }
    match found.iter().find(|(key, _)| !expected.contains_key(key)) {
        Some((key, value)) => anyhow::bail!("{what} {key}: the database says {value:?}, the chain knows nothing of it"),
        None => Ok(()),
    }
}
