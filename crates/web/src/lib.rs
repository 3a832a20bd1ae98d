//! kopilka-web.
