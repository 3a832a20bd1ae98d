//! Clocks, processor time and memory of the processes that take part.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use kopilka_testkit::TestDatabase;

/// What a run took.
pub(crate) struct Run {
    pub(crate) seconds: f64,
    cpu: f64,
    node_cpu: f64,
    postgres_cpu: f64,
    peak_mb: f64,
}

/// A process that ends with its value.
pub(crate) struct Measured(pub(crate) Child);

impl Measured {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Clocks at the beginning of a run.
pub(crate) struct Before {
    pub(crate) started: Instant,
    rpc_url: String,
    node_cpu: f64,
}

impl Before {
    pub(crate) fn now(rpc_url: &str) -> Self {
        Self { started: Instant::now(), rpc_url: rpc_url.to_owned(), node_cpu: node_cpu(rpc_url) }
    }

    pub(crate) fn until_now(&self, database: &TestDatabase, child: &Measured) -> Run {
        let seconds = self.started.elapsed().as_secs_f64();
        let id = child.0.id();
        Run {
            seconds,
            cpu: cpu_seconds(id),
            node_cpu: node_cpu(&self.rpc_url) - self.node_cpu,
            postgres_cpu: postgres_cpu(database),
            peak_mb: peak_megabytes(id),
        }
    }
}

/// Processor time so far of the server's processes that serve a database.
pub(crate) fn postgres_cpu(database: &TestDatabase) -> f64 {
    let name = database.url.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default();
    cpu_of(|command| command.starts_with("postgres: ") && command.contains(name))
}

/// Processor time so far of the anvil that listens at an address.
pub(crate) fn node_cpu(rpc_url: &str) -> f64 {
    let port = rpc_url.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
    cpu_of(|command| command.contains("anvil") && command.contains(port))
}

/// Processor time so far of all processes whose command line fits.
fn cpu_of(fits: impl Fn(&str) -> bool) -> f64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| {
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            fits(&String::from_utf8_lossy(&command).replace('\0', " "))
        })
        .map(cpu_seconds)
        .sum()
}

/// Processor time of a process so far: fields 14 and 15 of its stat, in ticks of 10 ms.
pub(crate) fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_megabytes(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

pub(crate) fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

pub(crate) fn median(runs: &[Run], part: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(part).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] }
}

pub(crate) fn report(what: &str, runs: &[Run], total: u64, events: &str) {
    let seconds = median(runs, |run| run.seconds);
    let (least, most) =
        runs.iter().fold((f64::MAX, 0.0_f64), |(least, most), run| (least.min(run.seconds), most.max(run.seconds)));
    println!(
        "{what}: median {seconds:.2} s ({least:.2}-{most:.2}, {} runs), {:.0} {events} a second; processor: {:.2} s here, \
         {:.2} s node, {:.2} s Postgres; {:.0} MB at most",
        runs.len(),
        total as f64 / seconds,
        median(runs, |run| run.cpu),
        median(runs, |run| run.node_cpu),
        median(runs, |run| run.postgres_cpu),
        median(runs, |run| run.peak_mb),
    );
}
