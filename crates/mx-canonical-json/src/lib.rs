#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod canonicalize;
mod error;
mod limits;
mod member;
mod number;
mod object;
#[cfg(feature = "serde")]
mod serialize;
#[cfg(feature = "serde")]
mod serialize_key;
mod string;

pub use canonicalize::{canonicalize, canonicalize_bytes};
pub use error::CanonicalizeError;
pub use limits::{Limits, MAX_EVENT_LEN, MAX_INTEGER, MIN_INTEGER, Numbers};
pub use object::CanonicalObject;
#[cfg(feature = "serde")]
pub use serialize::{SerializeError, to_canonical};
