#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod clear;
mod event;
mod form;
mod judge;
mod judged;
mod reader;
mod replay;
mod sessions;
mod verdict;

pub use crate::{
    judge::Judge,
    judged::JudgedEvent,
    reader::{EventReader, Found, MAX_EVENT_LEN, NotAValue, Place},
    replay::FirstSeen,
    sessions::{MAX_COPIES, MAX_SESSIONS, NeededSessions, Offered, TooManySessions},
    verdict::{Verdict, VerdictCounts, Why},
};
