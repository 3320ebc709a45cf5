//! The demonstration: Alice and Bob in conversation over an in-memory homeserver.

pub mod party;
