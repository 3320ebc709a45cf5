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

/// Puts the members, which are the end of `out`, in the order of their keys. `text` is where the keys are; `scratch` is
/// only kept for its memory.
///
/// # Errors
///
/// When two of them have the same key.
pub(crate) fn sort(
    members: &mut [Member],
    text: &str,
    out: &mut String,
    scratch: &mut String,
) -> Result<(), Error> {
    let Some(start) = members.first().map(|member| member.start) else { return Ok(()) };
    members.sort_unstable_by(|a, b| a.order(*b, text));
    for pair in members.windows(2) {
        if let [a, b] = pair
            && a.order(*b, text).is_eq()
        {
            return Err(Error::DuplicateKey { offset: a.key_start.max(b.key_start) - 1 });
        }
    }
    // Whichever copies less: put the members back from the scratch buffer, or put what is before them in front of
    // them and keep that buffer.
    let keep = start < out.len() - start;
    let base = if keep { 0 } else { start };
    scratch.clear();
    scratch.reserve(text.len());
    scratch.push_str(slice(out, base, start));
    for (index, member) in members.iter_mut().enumerate() {
        if index > 0 {
            scratch.push(',');
        }
        let moved_to = base + scratch.len();
        scratch.push_str(slice(out, member.start, member.end));
        *member = Member {
            start: moved_to,
            value: moved_to + (member.value - member.start),
            end: base + scratch.len(),
            ..*member
        };
    }
    if keep {
        core::mem::swap(out, scratch);
    } else {
        out.truncate(start);
        out.push_str(scratch);
    }
    Ok(())
}
