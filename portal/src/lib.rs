//! kopilka-portal.
