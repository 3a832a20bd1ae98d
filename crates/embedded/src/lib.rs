//! Postgres and anvil as child processes: the embedded default of the demonstration and the ground of the tests.
//!
//! Both programs come from the pinned npm packages in `node_modules/`. Nothing here speaks SQL or JSON-RPC beyond the
//! question "are you up?"; a production installation brings its own database and chain and never calls this crate.

mod anvil;
mod postgres;
mod process;
mod toolchain;

pub use anvil::{Anvil, AnvilConfig};
pub use postgres::{Durability, Postgres, PostgresConfig};
pub use process::Lifetime;
pub use toolchain::Toolchain;

/// Why an embedded program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The npm packages are not installed.
    #[error(
        "{what} is missing at {path}: run `npm ci` in the repository, or set KOPILKA_NODE_MODULES to its node_modules"
    )]
    ToolMissing {
        /// Name of the tool.
        what: &'static str,
        /// Where it was looked for.
        path: String,
    },
    /// A file or process operation failed.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The program ended or stayed silent.
    #[error("{what} did not come up within {seconds} s; its output is in {log}")]
    NotReady {
        /// Name of the program.
        what: &'static str,
        /// Seconds waited.
        seconds: u64,
        /// Its log file.
        log: String,
    },
    /// A helper program such as initdb failed.
    #[error("{what} failed: {output}")]
    Failed {
        /// Name of the program.
        what: &'static str,
        /// What it printed.
        output: String,
    },
}

impl EmbeddedError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
