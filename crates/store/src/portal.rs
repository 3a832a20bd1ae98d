//! The `portal` schema.
