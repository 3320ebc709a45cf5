//! What survives a restart of each user besides the list.

use core::fmt;

/// The two flags of a user that are stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags {
    /// Whether the list is followed.
    pub tracked: bool,
    /// Whether it must be queried before it can be called current.
    pub outdated: bool,
}

impl Flags {
    /// Of a user who is not tracked any more. A list that is kept is outdated when tracking begins again.
    pub const UNTRACKED: Self = Self { tracked: false, outdated: true };

    /// As they are stored: 1 for tracked, plus 2 for outdated.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self.tracked as u8 | (self.outdated as u8) << 1
    }

    /// From what was stored.
    ///
    /// # Errors
    ///
    /// [`InvalidFlags`] for a byte above 3: then call [`Tracker::mark_all_outdated`](crate::Tracker::mark_all_outdated).
    pub const fn from_byte(byte: u8) -> Result<Self, InvalidFlags> {
        match byte {
            0..=3 => Ok(Self { tracked: byte & 1 != 0, outdated: byte & 2 != 0 }),
            _ => Err(InvalidFlags),
        }
    }
}

/// Says that a byte is not that of [`Flags`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidFlags;

impl fmt::Display for InvalidFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("byte is not a user's flags")
    }
}

impl core::error::Error for InvalidFlags {}
