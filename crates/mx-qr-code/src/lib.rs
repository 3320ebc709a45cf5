#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod displayed;
mod keys;
mod layout;
mod scanned;
mod secret;

pub use displayed::{DisplayError, Displayed, Displaying, WaitingForUser};
pub use keys::{DeviceKeyBytes, Keys, MasterSigningKeyBytes, VerifiedKey};
pub use layout::{CodeError, MAX_FLOW_ID_LEN};
pub use scanned::{OwnMasterSigningKey, QrCode, ScanError, Scanned, Scanner};
pub use secret::{InvalidSecret, ReciprocateSecret, WrongSecret};
