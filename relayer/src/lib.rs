//! kopilka-relayer.
