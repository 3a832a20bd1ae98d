//! Starting, finding again and stopping a child process.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::EmbeddedError;

/// What happens to the child when the parent is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It dies with the parent, however the parent ends: for tests.
    WithParent,
    /// It survives the parent and is found again at the next start: for `kopilka up`.
    Detached,
}

/// A started program.
#[derive(Debug)]
pub(crate) enum Process {
    /// Started by this process.
    Own(Child),
    /// Left running by an earlier process.
    Found(u32),
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        match self {
            Self::Own(child) => child.id(),
            Self::Found(id) => *id,
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        match self {
            Self::Own(child) => matches!(child.try_wait(), Ok(None)),
            // One that has ended but was not waited for by its parent is a zombie (state Z) and still listed.
            Self::Found(id) => fs::read_to_string(format!("/proc/{id}/stat"))
                .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z'))),
        }
    }

    /// Sends a signal by name, e.g. `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).stderr(Stdio::null()).status();
    }

    /// Waits until the program has ended; false after `limit`.
    pub(crate) async fn wait_gone(&mut self, limit: Duration) -> bool {
        let until = std::time::Instant::now() + limit;
        while self.is_running() {
            if std::time::Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }
}

/// Builds the command: through `setpriv` where the child must die with the parent or must not be root, through
/// `setsid` where it must survive it.
pub(crate) fn command(program: &Path, lifetime: Lifetime, drop_root: bool) -> Command {
    let mut arguments: Vec<&str> = Vec::new();
    if drop_root {
        arguments.extend(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    if lifetime == Lifetime::WithParent {
        arguments.extend(["--pdeathsig", "KILL"]);
    }
    let mut command = match (arguments.is_empty(), lifetime) {
        (true, _) => {
            let mut command = Command::new("setsid");
            command.arg(program);
            command
        }
        (false, Lifetime::Detached) => {
            let mut command = Command::new("setsid");
            command.arg("setpriv").args(arguments).arg("--").arg(program);
            command
        }
        (false, Lifetime::WithParent) => {
            let mut command = Command::new("setpriv");
            command.args(arguments).arg("--").arg(program);
            command
        }
    };
    command.stdin(Stdio::null());
    command
}

/// Sends both output streams to a file.
pub(crate) fn log_to(command: &mut Command, log: &Path) -> Result<(), EmbeddedError> {
    let file = File::create(log).map_err(EmbeddedError::io(format!("cannot write {}", log.display())))?;
    let copy = file.try_clone().map_err(EmbeddedError::io("cannot share the log file"))?;
    command.stdout(file).stderr(copy);
    Ok(())
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

/// A TCP port of the loopback interface that is free now. Ports are taken in turn from 20,000 to 29,999, below those of
/// outgoing connections, so that nobody takes one between this answer and its use.
pub(crate) fn free_port() -> Result<u16, EmbeddedError> {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(61);
    let mut failure = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    for _ in 0..1_000 {
        let turn = first.wrapping_add(TURN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + turn % 10_000).unwrap_or(20_000);
        match std::net::TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => failure = error,
        }
    }
    Err(EmbeddedError::io("no free port on the loopback interface")(failure))
}
