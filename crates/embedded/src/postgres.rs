//! The embedded Postgres.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{self, Lifetime, Process};
use crate::{EmbeddedError, Toolchain};

/// How much Postgres promises about a committed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A commit survives a power cut: the only choice outside tests and demonstrations.
    Full,
    /// A commit survives the death of any process, not of the machine.
    Crash,
    /// Nothing survives a crash of the machine: for tests that create many databases.
    None,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// Folder of the data and of the installed copy of the programs.
    pub dir: PathBuf,
    /// Fixed port, or any free one.
    pub port: Option<u16>,
    /// What a commit promises.
    pub durability: Durability,
    /// Whether it survives the caller.
    pub lifetime: Lifetime,
}

/// A running Postgres on the loopback interface: superuser `kopilka`, no password.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    lifetime: Lifetime,
}

const READY_SECONDS: u64 = 60;

impl Postgres {
    /// Starts Postgres, or finds the one that an earlier caller left running in the same folder.
    ///
    /// # Errors
    /// [`EmbeddedError`] when the package is missing or the server does not come up.
    pub async fn start(toolchain: &Toolchain, config: &PostgresConfig) -> Result<Self, EmbeddedError> {
        let drop_root = process::is_root();
        let dir = if drop_root { reachable_by_nobody(&config.dir)? } else { config.dir.clone() };
        fs::create_dir_all(&dir).map_err(EmbeddedError::io(format!("cannot create {}", dir.display())))?;
        if drop_root {
            make_reachable(&dir)?;
        }
        let install = install(&toolchain.postgres()?, &dir.join("postgres"))?;
        let data = dir.join("data");
        if let Some((id, port)) = running(&data) {
            return Ok(Self { process: Process::Found(id), port, lifetime: config.lifetime });
        }
        fs::create_dir_all(&data).map_err(EmbeddedError::io(format!("cannot create {}", data.display())))?;
        if drop_root {
            run("chown", Command::new("chown").args(["-R", "nobody:nogroup"]).arg(&data))?;
        }
        if !data.join("PG_VERSION").exists() {
            let mut initdb = process::command(&install.join("bin/initdb"), Lifetime::Detached, drop_root);
            initdb.arg("-D").arg(&data).args([
                "--username=kopilka",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                "--no-sync",
            ]);
            initdb.current_dir("/");
            run("initdb", &mut initdb)?;
        }
        let port = match config.port {
            Some(port) => port,
            None => process::free_port()?,
        };
        let log = dir.join("postgres.log");
        let mut command = process::command(&install.join("bin/postgres"), config.lifetime, drop_root);
        command.arg("-D").arg(&data).args(settings(port, config.durability).iter().flat_map(|s| ["-c", s.as_str()]));
        command.current_dir("/");
        process::log_to(&mut command, &log)?;
        let child = command.spawn().map_err(EmbeddedError::io("cannot start Postgres"))?;
        let mut process = Process::Own(child);
        let until = Instant::now() + Duration::from_secs(READY_SECONDS);
        loop {
            // postmaster.pid carries the word "ready" on its last line once connections are accepted.
            if let Some((id, port)) = running(&data) {
                if config.lifetime == Lifetime::Detached {
                    process = Process::Found(id);
                }
                return Ok(Self { process, port, lifetime: config.lifetime });
            }
            if Instant::now() > until || (config.lifetime == Lifetime::WithParent && !process.is_running()) {
                return Err(EmbeddedError::NotReady {
                    what: "Postgres",
                    seconds: READY_SECONDS,
                    log: log.display().to_string(),
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The Postgres that an earlier caller left running in this folder.
    pub fn find(config: &PostgresConfig) -> Option<Self> {
        let dir = if process::is_root() { reachable_by_nobody(&config.dir).ok()? } else { config.dir.clone() };
        let (id, port) = running(&dir.join("data"))?;
        Some(Self { process: Process::Found(id), port, lifetime: Lifetime::Detached })
    }

    /// Connection URL for a database of this server; `postgres` exists from the start.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://kopilka@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Process id of the postmaster.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Stops in the `fast` way: clients are disconnected, data is safe.
    pub async fn stop(mut self) {
        self.process.signal("INT");
        self.process.wait_gone(Duration::from_secs(30)).await;
    }

    /// Stops in the `immediate` way, as a crash would: for fault tests.
    pub async fn stop_immediately(mut self) {
        self.process.signal("QUIT");
        self.process.wait_gone(Duration::from_secs(30)).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::WithParent && self.process.is_running() {
            self.process.signal("QUIT");
            if let Process::Own(child) = &mut self.process {
                let _ = child.wait();
            }
        }
    }
}

fn settings(port: u16, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=200".to_owned(),
        "shared_buffers=256MB".to_owned(),
        "max_wal_size=4GB".to_owned(),
        "timezone=UTC".to_owned(),
    ];
    match durability {
        Durability::Full => {}
        Durability::Crash => settings.push("fsync=off".to_owned()),
        Durability::None => {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
        }
    }
    settings
}

/// Process id and port of a server that accepts connections on `data`.
fn running(data: &Path) -> Option<(u32, u16)> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let (id, port) = (lines.first()?.parse().ok()?, lines.get(3)?.parse().ok()?);
    let answers = Path::new(&format!("/proc/{id}")).exists() && lines.last() == Some(&"ready");
    (answers && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some((id, port))
}

/// Copies the npm package's files once and adds the library links that its install script would make.
fn install(native: &Path, target: &Path) -> Result<PathBuf, EmbeddedError> {
    let done = target.join(".installed");
    if done.exists() {
        return Ok(target.to_owned());
    }
    fs::create_dir_all(target).map_err(EmbeddedError::io(format!("cannot create {}", target.display())))?;
    for folder in ["bin", "lib", "share"] {
        run("cp", Command::new("cp").arg("-rL").arg(native.join(folder)).arg(target))?;
    }
    #[derive(serde::Deserialize)]
    struct Link {
        source: String,
        target: String,
    }
    let links = native.join("pg-symlinks.json");
    let text = fs::read_to_string(&links).map_err(EmbeddedError::io(format!("cannot read {}", links.display())))?;
    let links: Vec<Link> = serde_json::from_str(&text)
        .map_err(|error| EmbeddedError::Failed { what: "reading pg-symlinks.json", output: error.to_string() })?;
    let inside = |path: &str| target.join(path.strip_prefix("native/").unwrap_or(path));
    for link in links {
        fs::copy(inside(&link.source), inside(&link.target)).map_err(EmbeddedError::io("cannot link a library"))?;
    }
    run("chmod", Command::new("chmod").args(["-R", "a+rX"]).arg(target))?;
    for program in ["initdb", "pg_ctl", "postgres"] {
        fs::set_permissions(target.join("bin").join(program), fs::Permissions::from_mode(0o755))
            .map_err(EmbeddedError::io("cannot make Postgres executable"))?;
    }
    fs::write(&done, "").map_err(EmbeddedError::io("cannot finish the installation of Postgres"))?;
    Ok(target.to_owned())
}

/// Postgres refuses to run as root, and `nobody` may not be able to enter the wanted folder (say, below /root): then a
/// folder below /var/tmp, named by the wanted path, is used instead.
fn reachable_by_nobody(dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let absolute = std::path::absolute(dir).map_err(EmbeddedError::io("cannot resolve the data folder"))?;
    let open = absolute.ancestors().skip(1).all(|folder| match fs::metadata(folder) {
        Ok(data) => data.permissions().mode() & 0o001 != 0,
        Err(_) => true,
    });
    if open {
        return Ok(absolute);
    }
    let name: String =
        absolute.display().to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(Path::new("/var/tmp").join(format!("kopilka{name}")))
}

fn make_reachable(dir: &Path) -> Result<(), EmbeddedError> {
    let mut permissions = fs::metadata(dir).map_err(EmbeddedError::io("cannot read the data folder"))?.permissions();
    permissions.set_mode(permissions.mode() | 0o711);
    fs::set_permissions(dir, permissions).map_err(EmbeddedError::io("cannot open the data folder to Postgres"))
}

fn run(what: &'static str, command: &mut Command) -> Result<(), EmbeddedError> {
    let output = command.output().map_err(EmbeddedError::io(format!("cannot run {what}")))?;
    if output.status.success() {
        return Ok(());
    }
    let output = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(EmbeddedError::Failed { what, output })
}
