//! The `chain` schema.
