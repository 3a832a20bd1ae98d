//! A relayer as a process of its own, which can be killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kopilka_bindings::deploy::Deployment;
use kopilka_credential::IssuerSecretKey;
use kopilka_relay_client::RelayClient;
use kopilka_relayer::{Config, FaultPlan, Signer};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Name of the test below, which is the process.
const ENTRY: &str = "faults::process::relayer_process";
const SETTINGS: &str = "KOPILKA_FAULTS_PROCESS";

/// What a process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    pub database_url: String,
    pub rpc_url: Url,
    pub deployment: Deployment,
    pub keys: Vec<String>,
    pub port: u16,
    pub confirmations: u64,
    /// Key of the source of points that it stamps for.
    pub stamp_key: [u8; 32],
    /// Point and how often it is passed first.
    pub fault: Option<(String, u32)>,
}

/// A process that runs, or has ended by itself.
pub struct Process {
    child: Child,
    pub client: RelayClient,
}

impl Process {
    /// Starts it; its log is appended to `log`.
    pub fn start(settings: &Settings, log: &Path) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = Command::new(std::env::current_exe()?)
            .args([ENTRY, "--exact", "--ignored", "--nocapture"])
            .env(SETTINGS, serde_json::to_string(settings)?)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let url: Url = format!("http://127.0.0.1:{}", settings.port).parse()?;
        Ok(Self { child, client: RelayClient::new(url) })
    }

    /// As the operating system does it: no warning, no tidying up.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where logs of one storm go.
pub fn log_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

/// Not a test: the body of the process that [`Process::start`] starts from this same program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that the fault tests start"]
async fn relayer_process() {
    let Ok(settings) = std::env::var(SETTINGS) else { return };
    // It must not outlive whoever started it: the other end of the pipe closes with that process.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(3);
    });
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let settings: Settings = serde_json::from_str(&settings).unwrap();
    let senders = settings.keys.iter().map(|key| Signer::from_key(key).unwrap()).collect();
    let mut config = Config::new(settings.database_url, settings.rpc_url, &settings.deployment, senders);
    config.rpc_timeout = Duration::from_secs(2);
    config.poll_interval = Duration::from_millis(50);
    config.batch.max_items = 8;
    config.batch.registration_wait = Duration::from_millis(60);
    config.batch.allocation_wait = Duration::from_millis(60);
    config.batch.ballot_wait = Duration::from_millis(60);
    config.batch.claim_wait = Duration::from_millis(60);
    config.batch.redemption_wait = Duration::from_millis(60);
    config.stamp_keys = vec![IssuerSecretKey::from_bytes(&settings.stamp_key).unwrap()];
    config.follow.rebroadcast = Duration::from_millis(400);
    config.follow.confirmations = settings.confirmations;
    config.fees.bump_after_blocks = 4;
    config.fault =
        settings.fault.map(|(point, after)| FaultPlan { point: point.parse().unwrap(), after, aborts: true });
    // A port that was just in use by a killed process may need a moment; Postgres may be down: an operator's service
    // manager would start the program again.
    loop {
        let Ok(listener) = tokio::net::TcpListener::bind(("127.0.0.1", settings.port)).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if let Err(error) = kopilka_relayer::run(config.clone(), listener, CancellationToken::new()).await {
            tracing::error!(error = format!("{error:#}"), "the relayer ended");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
