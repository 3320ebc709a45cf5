#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod error;
mod reader;
pub mod required;
mod text;
mod value;

pub use crate::{
    error::MalformedObject,
    reader::{all_members, check_len, elements, leading_members, members, value},
    text::Text,
    value::Value,
};
