//! kopilka-bindings.
