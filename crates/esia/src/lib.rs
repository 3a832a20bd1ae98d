//! kopilka-esia.
