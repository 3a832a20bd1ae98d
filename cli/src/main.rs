//! `kopilka`: see `kopilka --help`.

use std::process::ExitCode;

use clap::Parser as _;
use kopilka_cli::commands::{self, Cli};
use mimalloc::MiMalloc;

/// The system's allocator took a sixth of the relayer's time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // A missing .env is normal; a malformed one is not.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("kopilka: the file .env cannot be read: {error}");
        return ExitCode::from(2);
    }
    let cli = Cli::parse();
    commands::start_logging(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("kopilka: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` prints the chain of causes on one line, each once.
            eprintln!("kopilka: {error:#}");
            ExitCode::FAILURE
        }
    }
}
