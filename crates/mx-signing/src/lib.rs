#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod device_keys;
mod error;
mod keys_claim;
mod keys_query;
mod keys_upload;
mod members;
mod memory;
mod object;
mod one_time_key;
mod queried_device;
mod verified;

pub use device_keys::{DeviceKeys, DeviceKeysError, MEGOLM, OLM};
pub use error::{SignError, VerifyError};
pub use keys_claim::{ClaimError, KeysClaimResponse};
pub use keys_query::{KeysQueryResponse, QueryError};
pub use keys_upload::KeysUpload;
pub use members::MalformedResponse;
pub use memory::SignatureMemory;
pub use object::{SignedObject, sign_value};
pub use one_time_key::{OneTimeKey, OneTimeKeyError};
pub use queried_device::{DeviceRefused, KnownDevice, MAX_OBJECT_LEN, QueriedDevice, TakenDevice};
pub use verified::{Malformed, Verified};
