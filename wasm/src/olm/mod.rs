//! Olm: the keys of a device, and sessions with others.

mod account;
mod session;

pub use self::{account::OlmAccount, session::OlmSession};
