//! The audit passes on an honest chain and names the place after any alteration.

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::{Provider as _, ProviderBuilder};
use alloy::sol_types::SolValue as _;
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::budget_token::BudgetToken;
use kopilka_tests::RunningSystem;

use super::election;

#[test]
fn the_audit_names_the_place_of_any_alteration() -> anyhow::Result<()> {
    let system = RunningSystem::start()?;
    let report = election::replay(&system, "25")?;
    let round: Address = report["round"].as_str().context("round")?.parse()?;
    system.must(&["audit", "--database"])?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(database_alterations(&system, round))?;
    runtime.block_on(chain_alterations(&system, round))
}

/// Alters a row, expects the audit to fail naming it, and puts it back.
async fn database_alterations(system: &RunningSystem, round: Address) -> anyhow::Result<()> {
    let pool = kopilka_store::connect(&system.system()?.database_url, 1).await?;
    let bytes = round.as_slice();
    let cases = [
        (
            "chain.allocations",
            "update chain.allocations set version = version + 1 where ctid = (select ctid from chain.allocations where round = $1 and current limit 1)",
            "update chain.allocations set version = version - 1 where version = 2 and round = $1",
        ),
        (
            "chain.balances",
            "update chain.balances set amount = amount + 1 where ctid = (select ctid from chain.balances b where token = (select token from chain.rounds where address = $1) order by holder limit 1)",
            "update chain.balances set amount = amount - 1 where holder = (select holder from chain.balances b where token = (select token from chain.rounds where address = $1) order by holder limit 1)",
        ),
        (
            "chain.initiatives",
            "update chain.initiatives set won = not won where round = $1 and initiative_id = 1",
            "update chain.initiatives set won = not won where round = $1 and initiative_id = 1",
        ),
    ];
    for (table, alter, restore) in cases {
        let changed = sqlx::query(alter).bind(bytes).execute(&pool).await?.rows_affected();
        ensure!(changed == 1, "the alteration of {table} changed {changed} rows");
        expect_failure(system, &["audit", "--database"], table)?;
        sqlx::query(restore).bind(bytes).execute(&pool).await?;
        system.must(&["audit", "--database"])?;
    }
    Ok(())
}

/// Alters the contracts' storage on the development chain and expects the audit to fail naming the place.
async fn chain_alterations(system: &RunningSystem, round: Address) -> anyhow::Result<()> {
    let provider = ProviderBuilder::new().connect_http(system.system()?.rpc_url.clone()).erased();
    let contract = BudgetRound::new(round, provider.clone());
    let token = contract.token().call().await?;
    let winner = contract.settlement().call().await?.winners.first().copied().context("a winner")?;
    let wallet = contract.walletOf(winner).call().await?;

    // A balance: find its slot by writing candidates of the mapping until the view changes.
    let balance = BudgetToken::new(token, provider.clone()).balanceOf(wallet).call().await?;
    ensure!(balance > U256::ZERO, "the winner's wallet holds its cost");
    let slot = find_mapped(&provider, token, word(wallet), balance).await?;
    set_storage(&provider, token, slot, balance + U256::from(1)).await?;
    expect_failure(system, &["audit"], "balance")?;
    set_storage(&provider, token, slot, balance).await?;
    system.must(&["audit"])?;

    // A citizen's record: flip a bit of the first choice in its only slot.
    let registered = contract.Registered_filter().from_block(0).query().await?;
    let account = registered.first().context("a registration")?.0.account;
    let slot = find_record(&provider, round, account).await?;
    let record = provider.get_storage_at(round, slot).await?;
    set_storage(&provider, round, slot, record ^ (U256::from(1) << 64)).await?;
    expect_failure(system, &["audit"], &account.to_string())?;
    set_storage(&provider, round, slot, record).await?;
    system.must(&["audit"])?;

    // The mark of a winner beside its cost, and the list of winners itself.
    let cost = U256::from(contract.initiative(winner).call().await?.cost);
    let won = cost | U256::from(1) << 128;
    let slot = find_mapped(&provider, round, U256::from(winner), won).await?;
    set_storage(&provider, round, slot, cost).await?;
    ensure!(!contract.initiative(winner).call().await?.won, "the altered slot holds the winner's mark");
    expect_failure(system, &["audit"], &format!("initiative {winner}: won"))?;
    set_storage(&provider, round, slot, won).await?;
    system.must(&["audit"])?;

    let winners = contract.settlement().call().await?.winners;
    let slot = find_winners(&provider, round, &winners).await?;
    let word = provider.get_storage_at(round, slot).await?;
    set_storage(&provider, round, slot, word ^ U256::from(1)).await?;
    ensure!(contract.settlement().call().await?.winners != winners, "the altered slot holds the winners");
    expect_failure(system, &["audit"], "the contract holds the winners")?;
    set_storage(&provider, round, slot, word).await?;
    system.must(&["audit"])?;
    Ok(())
}

fn expect_failure(system: &RunningSystem, arguments: &[&str], place: &str) -> anyhow::Result<()> {
    let output = system.run(arguments)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success(), "the audit passed although {place} was altered");
    ensure!(said.to_lowercase().contains(&place.to_lowercase()), "the audit does not name {place}: {said}");
    Ok(())
}

/// Slot of the mapping's entry for `key` that holds `value`: the mapping is in one of the first slots.
async fn find_mapped(
    provider: &impl alloy::providers::Provider,
    contract: Address,
    key: U256,
    value: U256,
) -> anyhow::Result<U256> {
    for base in 0..40_u64 {
        let slot = mapping_slot(key, U256::from(base));
        if provider.get_storage_at(contract, slot).await? == value {
            return Ok(slot);
        }
    }
    anyhow::bail!("the slot of {key} was not found")
}

/// First slot of the elements of the settlement's winners, 16 in each word.
async fn find_winners(
    provider: &impl alloy::providers::Provider,
    round: Address,
    winners: &[u16],
) -> anyhow::Result<U256> {
    let expected = winners.iter().take(16).rev().fold(U256::ZERO, |word, id| word << 16 | U256::from(*id));
    for base in 0..60_u64 {
        let slot = U256::from_be_bytes(keccak256(U256::from(base).to_be_bytes::<32>()).0);
        if provider.get_storage_at(round, slot).await? == expected {
            return Ok(slot);
        }
    }
    anyhow::bail!("the slot of the winners was not found")
}

/// Slot of a citizen's record: the only mapping by account of the round that holds something for it.
async fn find_record(
    provider: &impl alloy::providers::Provider,
    round: Address,
    account: Address,
) -> anyhow::Result<U256> {
    for base in 0..60_u64 {
        let slot = mapping_slot(word(account), U256::from(base));
        if provider.get_storage_at(round, slot).await? != U256::ZERO {
            return Ok(slot);
        }
    }
    anyhow::bail!("the citizen's slot was not found")
}

fn word(account: Address) -> U256 {
    U256::from_be_bytes(account.into_word().0)
}

fn mapping_slot(key: U256, base: U256) -> U256 {
    U256::from_be_bytes(keccak256((key, base).abi_encode()).0)
}

async fn set_storage(
    provider: &impl alloy::providers::Provider,
    contract: Address,
    slot: U256,
    value: U256,
) -> anyhow::Result<()> {
    let arguments = (contract, slot, B256::from(value));
    let done: bool = provider.raw_request("anvil_setStorageAt".into(), arguments).await?;
    ensure!(done, "anvil did not set the storage");
    Ok(())
}
