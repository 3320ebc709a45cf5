//! The narrated conversation.
