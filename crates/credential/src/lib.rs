//! kopilka-credential.
