//! kopilka-explorer.
