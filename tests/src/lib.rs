//! kopilka-tests.
