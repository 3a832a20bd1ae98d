//! Fixtures of the end-to-end tests: the `kopilka` program run as its user runs it, in a folder of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kopilka_cli::system::System;

/// How long `kopilka up` may take to be ready on a busy machine.
const READY: Duration = Duration::from_secs(180);

/// Root of the checkout in which the test runs, not that in which it was compiled.
pub fn repository_root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors().find(|folder| folder.join("Cargo.lock").exists()).map(Path::to_owned).unwrap_or_default()
}

/// The `kopilka` program that cargo built beside this test.
///
/// # Errors
/// When it was not built.
pub fn kopilka_binary() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let binary = test.ancestors().nth(2).map(|folder| folder.join("kopilka")).context("no target folder")?;
    ensure!(binary.exists(), "{} is missing: run `cargo build --bin kopilka` first", binary.display());
    Ok(binary)
}

/// A system of its own: embedded Postgres and anvil, all services in one process.
pub struct RunningSystem {
    /// Its data folder.
    pub data_dir: PathBuf,
    arguments: Vec<String>,
    up: Child,
    _folder: tempfile::TempDir,
}

impl RunningSystem {
    /// Starts a fresh system on free ports.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(folder()?, &["up", "--any-port", "--ephemeral", "-v"])
    }

    /// Starts another office's portal beside a municipality's system: a database of its own on the same chain.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start_portal(municipality: &System) -> anyhow::Result<Self> {
        let folder = folder()?;
        let deployment = serde_json::to_string(&municipality.deployment)?;
        std::fs::write(data_dir(&folder).join("deployment.json"), deployment)?;
        let System { rpc_url, relayer_url, explorer_url, .. } = municipality;
        let mut arguments = vec!["portal", "--any-port", "-v", "--rpc-url", rpc_url.as_str()];
        arguments.extend(["--relayer-url", relayer_url.as_str(), "--explorer-url", explorer_url.as_str()]);
        Self::start_with(folder, &arguments)
    }

    fn start_with(folder: tempfile::TempDir, arguments: &[&str]) -> anyhow::Result<Self> {
        let data_dir = data_dir(&folder);
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let up = spawn(&arguments, &data_dir)?;
        let system = Self { data_dir, arguments, up, _folder: folder };
        system.wait_ready()?;
        Ok(system)
    }

    /// Where its parts are.
    ///
    /// # Errors
    /// When the description cannot be read.
    pub fn system(&self) -> anyhow::Result<System> {
        System::load(&self.data_dir)
    }

    /// Kills the process of all services as a power cut would; Postgres and the chain live on.
    ///
    /// # Errors
    /// When the process is gone already.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.up.kill()?;
        self.up.wait()?;
        Ok(())
    }

    /// Starts the services again in the same folder.
    ///
    /// # Errors
    /// When they do not become ready.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.up = spawn(&self.arguments, &self.data_dir)?;
        self.wait_ready()
    }

    /// A `kopilka` command on this system, not yet started.
    ///
    /// # Errors
    /// When the program was not built.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(kopilka_binary()?);
        command.args(arguments).arg("--data-dir").arg(&self.data_dir).current_dir(repository_root());
        Ok(command)
    }

    /// Runs a `kopilka` command on this system to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        Ok(self.command(arguments)?.output()?)
    }

    /// Runs a command that must succeed; its standard output.
    ///
    /// # Errors
    /// When it fails, with what it printed.
    pub fn must(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.run(arguments)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "kopilka {arguments:?} failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    fn wait_ready(&self) -> anyhow::Result<()> {
        let until = Instant::now() + READY;
        let out = self.data_dir.join("up.out");
        while !std::fs::read_to_string(&out).is_ok_and(|text| text.starts_with("ready")) {
            ensure!(
                Instant::now() < until,
                "kopilka {:?} is not ready: {}",
                self.arguments,
                std::fs::read_to_string(self.data_dir.join("up.log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for RunningSystem {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.up.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.up.wait();
    }
}

/// A folder that the user of the embedded Postgres can enter.
fn folder() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir()?;
    std::fs::create_dir_all(data_dir(&folder))?;
    Ok(folder)
}

fn data_dir(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("run")
}

fn spawn(arguments: &[String], data_dir: &Path) -> anyhow::Result<Child> {
    let out = std::fs::File::create(data_dir.join("up.out"))?;
    let log = std::fs::File::create(data_dir.join("up.log"))?;
    Command::new(kopilka_binary()?)
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .current_dir(repository_root())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(log)
        .spawn()
        .context("cannot start kopilka")
}
