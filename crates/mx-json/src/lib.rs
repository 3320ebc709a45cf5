#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod error;
mod reader;
pub mod required;
mod scan;
mod text;
mod unread;
mod value;

pub use crate::{
    error::MalformedObject,
    reader::{all_members, check_len, elements, leading_members, members, value},
    text::Text,
    unread::{Unread, read_members},
    value::Value,
};
