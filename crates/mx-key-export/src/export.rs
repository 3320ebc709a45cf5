use alloc::{vec, vec::Vec};
use core::fmt;

use embedded_io::{Read, Seek};
use zeroize::Zeroizing;

use crate::{
    ExportKeys, KeyDerivation, ReadError, Sessions, Slice, TooManyRounds, Verification,
    armour::{CHUNK_LEN, Unarmour},
    cipher::Cipher,
    header::{HEADER_LEN, Header, MAC_LEN},
    sessions::PLAINTEXT_LEN,
    verification::{Check, Keep, Recheck},
};

/// A file that is open: its header was read.
///
/// Reading goes on in three steps: [`derive`](Self::derive) the keys, then [`sessions`](Self::sessions), which reads all
/// of the file once to check its MAC, then one session after the other, which reads it again.
pub struct KeyExport<S> {
    pub(crate) body: Unarmour<S>,
    pub(crate) header: Header,
    /// Room for a chunk behind an entry that has begun before. Plaintext, in the second pass.
    pub(crate) buffer: Zeroizing<Vec<u8>>,
    pub(crate) keep: Keep,
}

impl<'t> KeyExport<Slice<'t>> {
    /// Opens a text in memory. As it cannot change, it is looked at less often than another source.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn from_slice(text: &'t [u8]) -> Result<Self, ReadError<core::convert::Infallible>> {
        Self::with(Slice::new(text), Keep::Nothing, false)
    }
}

impl<S: Read + Seek> KeyExport<S> {
    /// Opens the file that begins where `source` stands. Files of the standard library come through
    /// `embedded_io_adapters::std::FromStd`; a pipe cannot be read twice and has to be copied first.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: the form of the file's beginning, its version, and its rounds are looked at.
    pub fn open(source: S) -> Result<Self, ReadError<S::Error>> {
        Self::with(source, Keep::Chunks, false)
    }

    pub(crate) fn with(source: S, keep: Keep, lenient: bool) -> Result<Self, ReadError<S::Error>> {
        let mut buffer = Zeroizing::new(vec![0; PLAINTEXT_LEN]);
        let mut body = Unarmour::new(source, lenient)?;
        let chunk = body.next_chunk(&mut buffer)?;
        if chunk.len() < HEADER_LEN + MAC_LEN && !lenient {
            return Err(ReadError::TooShort { len: chunk.len() as u64 });
        }
        let header = Header::read(chunk)?;
        Ok(Self { body, header, buffer, keep })
    }

    /// How many rounds of PBKDF2 the file asks for.
    #[must_use]
    pub const fn rounds(&self) -> u32 {
        self.header.rounds.get()
    }

    /// Begins the derivation of the file's keys. `max_rounds` is [`MAX_ROUNDS`](crate::MAX_ROUNDS) if nothing speaks for
    /// another number.
    ///
    /// # Errors
    ///
    /// [`TooManyRounds`], before anything is computed.
    pub fn derive(&self, passphrase: &str, max_rounds: u32) -> Result<KeyDerivation, TooManyRounds> {
        let rounds = self.rounds();
        if rounds > max_rounds {
            return Err(TooManyRounds { rounds, limit: max_rounds });
        }
        Ok(KeyDerivation::of_file(passphrase, &self.header))
    }

    /// Checks the MAC of the whole file, and gives its sessions one after the other. Nothing is decrypted before.
    ///
    /// May be called again, with other keys, or to read once more.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn sessions<'f>(&'f mut self, keys: &'f ExportKeys) -> Result<Sessions<'f, S>, ReadError<S::Error>> {
        self.verification(keys).finish()
    }

    /// The same, with the check of the MAC in steps.
    pub fn verification<'f>(&'f mut self, keys: &'f ExportKeys) -> Verification<'f, S> {
        Verification::new(self, keys)
    }

    /// The whole plaintext, whatever it is, once the MAC was right. It takes as much memory as the file has bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn plaintext_to_vec(&mut self, keys: &ExportKeys) -> Result<Zeroizing<Vec<u8>>, ReadError<S::Error>> {
        let mut recheck = self.verify(keys)?;
        let len = recheck.plaintext_len();
        // Sized once: a vector that grows leaves plaintext behind.
        let mut plaintext = Zeroizing::new(Vec::new());
        plaintext.try_reserve_exact(len).map_err(|_| ReadError::TooLong)?;
        let mut cipher = Cipher::new(&keys.keys, &self.header.iv);
        self.body.rewind()?;
        let mut header = HEADER_LEN;
        while plaintext.len() < len {
            let chunk = self.body.next_chunk(&mut self.buffer)?;
            let chunk = recheck.check(chunk)?.get_mut(header..).unwrap_or_default();
            cipher.apply(chunk);
            plaintext.extend_from_slice(chunk);
            header = 0;
        }
        Ok(plaintext)
    }

    fn verify<'k>(&mut self, keys: &'k ExportKeys) -> Result<Recheck<'k>, ReadError<S::Error>> {
        let mut check = Check::new(&keys.keys, self.keep);
        while check.step(&mut self.body, &self.header, &mut self.buffer)? {}
        Ok(Recheck::new(&keys.keys, self.keep, check.finish()?))
    }
}

impl<S> fmt::Debug for KeyExport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExport").field("rounds", &self.header.rounds).finish_non_exhaustive()
    }
}

/// The longest body that is read, in bytes: 36 GiB. Of each 36 kB of it 8 bytes are kept while it is read.
pub const MAX_BODY_LEN: u64 = MAX_CHUNKS as u64 * CHUNK_LEN as u64;

pub(crate) const MAX_CHUNKS: usize = 1 << 20;
