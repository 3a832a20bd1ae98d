//! kopilka-cli.
