//! kopilka-domain.
