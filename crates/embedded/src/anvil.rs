//! The development chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{self, Lifetime, Process};
use crate::{EmbeddedError, Toolchain};

/// What to start.
#[derive(Debug, Clone)]
pub struct AnvilConfig {
    /// Folder for the log, the process file and, if `keep_state`, the chain's state.
    pub dir: PathBuf,
    /// Fixed port, or any free one.
    pub port: Option<u16>,
    /// Seconds between blocks; `None` mines a block for each transaction.
    pub block_seconds: Option<f64>,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas limit of a block.
    pub block_gas_limit: u64,
    /// Save the state on a graceful stop and load it at the next start.
    pub keep_state: bool,
    /// Further command-line arguments.
    pub arguments: Vec<String>,
    /// Whether it survives the caller.
    pub lifetime: Lifetime,
}

impl AnvilConfig {
    /// A chain for one test: instant blocks, gone with the test.
    pub fn for_test(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            port: None,
            block_seconds: None,
            chain_id: 31337,
            block_gas_limit: 60_000_000,
            keep_state: false,
            arguments: Vec::new(),
            lifetime: Lifetime::WithParent,
        }
    }
}

/// A running anvil on the loopback interface with its ten well-known funded accounts.
#[derive(Debug)]
pub struct Anvil {
    process: Process,
    port: u16,
    lifetime: Lifetime,
}

const READY_SECONDS: u64 = 30;

impl Anvil {
    /// Starts anvil, or finds the one that an earlier caller left running in the same folder.
    ///
    /// # Errors
    /// [`EmbeddedError`] when the package is missing or the port stays closed.
    pub async fn start(toolchain: &Toolchain, config: &AnvilConfig) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(&config.dir)
            .map_err(EmbeddedError::io(format!("cannot create {}", config.dir.display())))?;
        let record = config.dir.join("anvil.pid");
        if config.lifetime == Lifetime::Detached
            && let Some((id, port)) = running(&record)
        {
            return Ok(Self { process: Process::Found(id), port, lifetime: config.lifetime });
        }
        let port = match config.port {
            Some(port) => port,
            None => process::free_port()?,
        };
        let log = config.dir.join("anvil.log");
        let mut command = process::command(&toolchain.anvil()?, config.lifetime, false);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--chain-id", &config.chain_id.to_string()]);
        command.args(["--hardfork", "osaka", "--enable-tx-gas-limit", "--quiet", "--no-request-size-limit"]);
        command.args(["--gas-limit", &config.block_gas_limit.to_string()]);
        if let Some(seconds) = config.block_seconds {
            command.args(["--block-time", &seconds.to_string()]);
        }
        if config.keep_state {
            command.arg("--state").arg(config.dir.join("anvil-state.json"));
        }
        command.args(&config.arguments);
        process::log_to(&mut command, &log)?;
        let child = command.spawn().map_err(EmbeddedError::io("cannot start anvil"))?;
        let mut process = Process::Own(child);
        let until = Instant::now() + Duration::from_secs(READY_SECONDS);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > until || !process.is_running() {
                let log = log.display().to_string();
                return Err(EmbeddedError::NotReady { what: "anvil", seconds: READY_SECONDS, log });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fs::write(&record, format!("{}\n{port}\n", process.id()))
            .map_err(EmbeddedError::io("cannot write anvil.pid"))?;
        Ok(Self { process, port, lifetime: config.lifetime })
    }

    /// The anvil that an earlier caller left running with this folder.
    pub fn find(dir: &Path) -> Option<Self> {
        let (id, port) = running(&dir.join("anvil.pid"))?;
        Some(Self { process: Process::Found(id), port, lifetime: Lifetime::Detached })
    }

    /// JSON-RPC address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Process id.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Stops gracefully, so that a kept state is written.
    pub async fn stop(mut self) {
        self.process.signal("INT");
        if !self.process.wait_gone(Duration::from_secs(120)).await {
            self.process.signal("KILL");
        }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::WithParent
            && let Process::Own(child) = &mut self.process
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn running(record: &Path) -> Option<(u32, u16)> {
    let text = fs::read_to_string(record).ok()?;
    let mut lines = text.lines();
    let id: u32 = lines.next()?.parse().ok()?;
    let port: u16 = lines.next()?.parse().ok()?;
    let is_anvil = fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains("anvil"));
    (is_anvil && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some((id, port))
}
