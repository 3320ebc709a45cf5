//! Members of an object, and how they change places.

use alloc::string::String;
use core::cmp::Ordering;

use crate::error::CanonicalizeError as Error;
use crate::string::{KeyPrefix, RawKey, slice};

/// A member of an object: its key in the text, and all of it in `out`, `"key":value`.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) key_start: usize,
    pub(crate) key_end: usize,
    pub(crate) key_escaped: bool,
    pub(crate) key_prefix: KeyPrefix,
    pub(crate) start: usize,
    pub(crate) value: usize,
    pub(crate) end: usize,
}

impl Member {
    fn key(self, text: &str) -> RawKey<'_> {
        RawKey { text: slice(text, self.key_start, self.key_end), escaped: self.key_escaped }
    }

    #[inline]
    pub(crate) fn order(self, other: Self, text: &str) -> Ordering {
        self.key_prefix.cmp(&other.key_prefix).then_with(|| self.key(text).order(other.key(text)))
    }
}

/// Puts the members in the order of their keys, which are in `text`.
///
/// # Errors
///
/// When two of them have the same key.
pub(crate) fn sort(members: &mut [Member], text: &str) -> Result<(), Error> {
    members.sort_unstable_by(|a, b| a.order(*b, text));
    for pair in members.windows(2) {
        if let [a, b] = pair
            && a.order(*b, text).is_eq()
        {
            return Err(Error::DuplicateKey { offset: a.key_start.max(b.key_start) - 1 });
        }
    }
    Ok(())
}

/// Appends the members to `to`, with commas, and says so in them. `from` is what has been at `from_start` of the output so
/// far, `to` what will be at `to_start`.
pub(crate) fn join(members: &mut [Member], from: &str, from_start: usize, to: &mut String, to_start: usize) {
    for (index, member) in members.iter_mut().enumerate() {
        if index > 0 {
            to.push(',');
        }
        let moved_to = to_start + to.len();
        to.push_str(slice(from, member.start - from_start, member.end - from_start));
        *member = Member {
            start: moved_to,
            value: moved_to + (member.value - member.start),
            end: to_start + to.len(),
            ..*member
        };
    }
}
