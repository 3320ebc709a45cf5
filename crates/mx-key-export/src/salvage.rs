use embedded_io::{Read, Seek};

use crate::{ExportKeys, KeyExport, ReadError, Sessions, verification::Keep};

/// What is left of a file that was cut off or damaged, by calls of their own, since nothing authenticates it.
impl<S: Read + Seek> KeyExport<S> {
    /// Opens a file that may be cut off: one that does not end, or where something other than Base64 stands, ends there.
    ///
    /// For [`salvage_unauthenticated`](Self::salvage_unauthenticated); a file that is whole is whole here, too.
    ///
    /// # Errors
    ///
    /// [`ReadError`], if not even the header is there.
    pub fn open_damaged(source: S) -> Result<Self, ReadError<S::Error>> {
        Self::with(source, Keep::Chunks, true)
    }

    /// The sessions that are left, **without the MAC having been checked**.
    ///
    /// Whoever could write the file could change bits of it, session keys too, without knowing the passphrase; and of an
    /// attempt with the wrong passphrase comes [`ReadError::NotAnArray`], or entries that are none. What comes is only fit
    /// for a user who knows that the file was damaged and wants what can be had. Entries that are whole come; the last,
    /// if it was cut off, is reported as malformed.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn salvage_unauthenticated<'f>(
        &'f mut self,
        keys: &'f ExportKeys,
    ) -> Result<Sessions<'f, S>, ReadError<S::Error>> {
        Ok(Sessions::new(self, keys, None))
    }
}
