//! Amounts survive the way into the database and back.

use alloy::primitives::{Address, B256, U256};
use kopilka_store::chain::rows::{BlockRow, Rows, UnixTime};
use kopilka_store::chain::{query, write};
use kopilka_testkit::TestDatabase;

#[tokio::test]
async fn amounts_of_any_size_survive() -> anyhow::Result<()> {
    let mut amounts = vec![U256::ZERO, U256::MAX, U256::from(u64::MAX), U256::from(u64::MAX) + U256::ONE];
    for exponent in 0..77_u64 {
        let power = U256::from(10).pow(U256::from(exponent));
        amounts.extend([power, power - U256::ONE, power + U256::ONE, power * U256::from(7), U256::MAX / power]);
    }
    let database = TestDatabase::create().await?;
    let mut connection = database.pool.acquire().await?;
    let blocks = (0..).zip(&amounts).map(|(number, amount)| BlockRow {
        number,
        hash: B256::from(*amount),
        parent_hash: Some(B256::ZERO),
        block_at: UnixTime(if number == 0 { u64::MAX } else { number }),
        miner: Some(Address::ZERO),
        gas_used: Some(1),
        gas_limit: Some(u64::MAX),
        base_fee: Some(*amount),
        size: Some(3),
        tx_count: Some(0),
        logs_count: 0,
    });
    let rows = Rows { blocks: blocks.collect(), ..Rows::default() };
    write::write_range(&mut connection, &rows).await?;
    for (number, amount) in (0..).zip(&amounts) {
        let block = query::block_by_number(&mut connection, number).await?.expect("it was written");
        assert_eq!((block.base_fee, block.hash), (Some(*amount), B256::from(*amount)));
        let text: String = sqlx::query_scalar("select base_fee::text from chain.blocks where number = $1")
            .bind(i64::try_from(number)?)
            .fetch_one(&mut *connection)
            .await?;
        assert_eq!(text, amount.to_string(), "Postgres reads what was written as the same number");
    }
    let block = query::block_by_number(&mut connection, 0).await?.expect("it was written");
    assert_eq!((block.block_at.year(), block.gas_limit), (9999, i64::MAX));
    Ok(())
}
