//! kopilka-testkit.
