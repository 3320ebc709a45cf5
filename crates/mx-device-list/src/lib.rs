#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod answer;
mod claims;
mod config;
mod device;
mod event;
mod flags;
mod list;
mod pickle;
mod query;
mod response;
mod server_keys;
mod step;
mod sync;
mod time;
mod tracker;

pub use answer::{Known, SigningKeyObjects};
pub use claims::Claims;
pub use config::Config;
pub use device::Device;
pub use event::{Event, UserRefused, What};
pub use flags::{Flags, InvalidFlags};
pub use list::{DeviceList, MAX_FORMER_DEVICES};
pub use query::{Query, QueryId};
pub use response::{Answered, Outcome};
pub use server_keys::{Counts, FallbackRetirement, MissingCount, ServerKeys, ToUpload};
pub use step::{Changes, OtherStep, Sealed, Step, Write};
pub use sync::DeviceLists;
pub use time::Timestamp;
pub use tracker::{OwnDevice, Tracker};
