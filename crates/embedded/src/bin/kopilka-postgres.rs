//! `kopilka-postgres DIR` starts the embedded Postgres in DIR (or finds it) and prints its URL; `kopilka-postgres DIR --stop`
//! stops it. For scripts; durability is off, so never for data that matters.

use kopilka_embedded::{Durability, Lifetime, Postgres, PostgresConfig, Toolchain};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(dir) = arguments.first() else {
        eprintln!("usage: kopilka-postgres DIR [--stop]");
        return std::process::ExitCode::FAILURE;
    };
    let config =
        PostgresConfig { dir: dir.into(), port: None, durability: Durability::None, lifetime: Lifetime::Detached };
    let started = match Toolchain::locate() {
        Ok(toolchain) => Postgres::start(&toolchain, &config).await,
        Err(error) => Err(error),
    };
    match started {
        Ok(postgres) if arguments.iter().any(|argument| argument == "--stop") => postgres.stop().await,
        Ok(postgres) => println!("{}", postgres.url("postgres")),
        Err(error) => {
            eprintln!("{error}");
            return std::process::ExitCode::FAILURE;
        }
    }
    std::process::ExitCode::SUCCESS
}
