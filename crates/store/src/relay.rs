//! The `relay` schema.
