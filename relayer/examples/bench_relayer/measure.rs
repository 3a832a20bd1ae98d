//! What is measured from outside: processor time, when blocks appeared, and what the chain says became of messages.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Address, B256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent as _;
use anyhow::Context as _;
use kopilka_bindings::budget_round::BudgetRound;
use kopilka_bindings::polls::Polls;
use kopilka_domain::MessageKind;
use tokio::task::JoinHandle;

use crate::generator::now;
use crate::ground::Ground;

/// Fields of /proc/PID/stat after the name: parent, and times of the process itself and of its children that ended.
fn stat(id: u32) -> anyhow::Result<(u32, f64, f64)> {
    const TICKS: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = text.rsplit_once(") ").context("no name")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    let parent = fields.get(1).context("no parent")?.parse()?;
    Ok((parent, (ticks(11) + ticks(12)) / TICKS, (ticks(13) + ticks(14)) / TICKS))
}

/// Processor seconds of a process.
pub fn processor_seconds(id: u32) -> anyhow::Result<f64> {
    stat(id).map(|(_, own, _)| own)
}

/// Processor seconds of a process and all its children.
pub fn family_seconds(id: u32) -> anyhow::Result<f64> {
    let (_, own, ended) = stat(id)?;
    let mut sum = own + ended;
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Ok((parent, own, _)) = stat(child)
            && parent == id
        {
            sum += own;
        }
    }
    Ok(sum)
}

/// Memory of a process that is in the machine's memory, in megabytes.
pub fn resident(id: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1_024)
}

/// When each block was first seen, in microseconds since 1970.
pub struct Blocks {
    seen: Arc<Mutex<BTreeMap<u64, u64>>>,
    task: JoinHandle<()>,
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Blocks {
    pub fn watch(ground: &Ground) -> Self {
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let (provider, map) = (ground.world.staff.clone(), seen.clone());
        let task = tokio::spawn(async move {
            let mut last = None;
            loop {
                if let Ok(head) = provider.get_block_number().await {
                    let mut map = map.lock().unwrap();
                    for number in last.map_or(head, |last| last + 1)..=head {
                        map.insert(number, now());
                    }
                    last = Some(head);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { seen, task }
    }

    pub fn times(&self) -> BTreeMap<u64, u64> {
        self.seen.lock().unwrap().clone()
    }
}

/// Block of each event that says that an account's message took effect, from block `first` on.
pub async fn effects(ground: &Ground, kind: MessageKind, first: u64) -> anyhow::Result<HashMap<Address, Vec<u64>>> {
    let (contract, event): (Address, B256) = match kind {
        MessageKind::Registration => (ground.world.round, BudgetRound::Registered::SIGNATURE_HASH),
        MessageKind::Allocation => (ground.world.round, BudgetRound::AllocationRecorded::SIGNATURE_HASH),
        _ => (ground.poll.contract, Polls::BallotCast::SIGNATURE_HASH),
    };
    // The account is the first indexed value, of ballots the second.
    let position = if kind == MessageKind::Ballot { 2 } else { 1 };
    let head = ground.world.staff.get_block_number().await?;
    let mut effects: HashMap<Address, Vec<u64>> = HashMap::new();
    for from in (first..=head).step_by(20) {
        let filter = Filter::new().address(contract).event_signature(event).from_block(from).to_block(from + 19);
        for log in ground.world.staff.get_logs(&filter).await? {
            let account = log.topics().get(position).context("an event without account")?;
            let block = log.block_number.context("an event without block")?;
            effects.entry(Address::from_word(*account)).or_default().push(block);
        }
    }
    Ok(effects)
}

/// The median and the 99th percentile.
pub fn percentiles(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| values.get(((values.len() as f64 * part) as usize).min(values.len().saturating_sub(1)));
    (at(0.5).copied().unwrap_or(f64::NAN), at(0.99).copied().unwrap_or(f64::NAN))
}
