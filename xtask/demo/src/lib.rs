//! The demonstration: Alice and Bob in conversation over an in-memory homeserver.

pub mod command_line;
pub mod narrator;
pub mod party;
pub mod server;
