#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod acts;
mod complete;
mod config;
mod content;
mod end;
mod error;
mod event;
mod flow;
mod flow_key;
mod hold;
mod incoming;
mod keys;
mod methods;
mod pickle;
mod qr;
mod reason;
mod receive;
mod remembered;
mod request;
mod sas;
mod sender;
mod start;
mod state;
mod step;
mod take;
mod tick;
mod time;
mod verifications;
mod verified;

pub use config::{Config, Limits};
pub use content::{MessageLimits, with_relation};
pub use error::{ActError, RequestError};
pub use event::{Cancelled, Event, What};
pub use flow_key::{FlowKey, Place};
pub use incoming::{Incoming, Via};
pub use keys::{Keys, UserKeys};
pub use methods::Methods;
pub use reason::Reason;
pub use state::{FlowState, Phase};
pub use step::{Outgoing, RequestId, Step};
pub use time::Time;
pub use verifications::Verifications;
pub use verified::{Consequence, Verified};

#[doc(no_inline)]
pub use mx_sas::{Emoji, ShortStrings};
