use core::fmt;

/// The caller's buffer is too short; nothing was written to it and nothing else changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BufferTooSmall {
    /// The length in bytes that would have been enough.
    pub needed: usize,
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output buffer is too small, {} bytes are needed", self.needed)
    }
}

impl core::error::Error for BufferTooSmall {}
