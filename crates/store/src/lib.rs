//! kopilka-store.
