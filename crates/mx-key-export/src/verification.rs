use alloc::vec::Vec;
use core::fmt;

use embedded_io::{Read, Seek};
use mx_aes_sha2::ctr_hmac::{CtrHmacKeys, Mac};

use crate::{
    ExportKeys, KeyExport, ReadError, Sessions,
    armour::{CHUNK_LEN, Unarmour},
    export::MAX_CHUNKS,
    header::{HEADER_LEN, Header, MAC_LEN},
};

/// What is known of a body once its MAC was right.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Bytes that the MAC covers: all but itself.
    pub(crate) covered: u64,
    mac: [u8; MAC_LEN],
    /// The beginning of the MAC of everything up to the end of each whole chunk, for the second pass.
    chunks: Vec<[u8; 8]>,
}

/// The first look at a body, chunk by chunk. What `keep` says is kept of it serves [`Recheck`].
pub(crate) struct Check<'k> {
    mac: Mac<'k>,
    keep: Keep,
    chunks: Vec<[u8; 8]>,
    /// The last bytes so far, which are the MAC if no others follow.
    held: [u8; MAC_LEN],
    held_len: usize,
    len: u64,
}

impl<'k> Check<'k> {
    pub(crate) fn new(keys: &'k CtrHmacKeys, keep: Keep) -> Self {
        Self { mac: keys.start_mac(), keep, chunks: Vec::new(), held: [0; MAC_LEN], held_len: 0, len: 0 }
    }

    /// Bytes of the body so far.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Takes the next chunk of the body. `false` if there was none.
    pub(crate) fn step<S: Read + Seek>(
        &mut self,
        body: &mut Unarmour<S>,
        header: &Header,
        buffer: &mut [u8],
    ) -> Result<bool, ReadError<S::Error>> {
        if self.len == 0 {
            body.rewind()?;
        }
        let chunk = body.next_chunk(buffer)?;
        if chunk.is_empty() {
            return Ok(false);
        }
        if self.len == 0 && Header::read(chunk)? != *header {
            return Err(ReadError::Changed);
        }
        self.len += chunk.len() as u64;
        if self.len > crate::MAX_BODY_LEN {
            return Err(ReadError::TooLong);
        }
        let held_bytes = self.held.get(..self.held_len).unwrap_or_default();
        if let Some((covered, last)) = chunk.split_last_chunk() {
            self.mac.update(held_bytes);
            if self.keep == Keep::Chunks && self.len > CHUNK_LEN as u64 {
                self.chunks.push(*self.mac.so_far().as_bytes());
            }
            self.mac.update(covered);
            (self.held, self.held_len) = (*last, MAC_LEN);
        } else {
            // Fewer bytes than a MAC has: its beginning is in what was held.
            let (covered, rest) = held_bytes.split_at(chunk.len().min(held_bytes.len()));
            self.mac.update(covered);
            let mut joined = [0; MAC_LEN];
            for (to, from) in joined.iter_mut().zip(rest.iter().chain(&*chunk)) {
                *to = *from;
            }
            self.held = joined;
        }
        Ok(true)
    }

    /// Compares the MAC, once there are no more chunks.
    pub(crate) fn finish<E>(self) -> Result<Verified, ReadError<E>> {
        let Self { mac, chunks, held, len, .. } = self;
        let covered = len.saturating_sub(MAC_LEN as u64);
        if covered < HEADER_LEN as u64 {
            return Err(ReadError::TooShort { len });
        }
        mac.finish().verify(&held).map_err(|_| ReadError::WrongPassphraseOrDamaged)?;
        Ok(Verified { covered, mac: held, chunks })
    }
}

/// The first of the two passes over a file, in steps: its MAC is computed, and nothing is decrypted.
///
/// Who has one thread shows progress, or serves others, between steps.
pub struct Verification<'f, S> {
    file: &'f mut KeyExport<S>,
    keys: &'f ExportKeys,
    check: Check<'f>,
    is_over: bool,
}

impl<'f, S: Read + Seek> Verification<'f, S> {
    pub(crate) fn new(file: &'f mut KeyExport<S>, keys: &'f ExportKeys) -> Self {
        let check = Check::new(&keys.keys, file.keep);
        Self { file, keys, check, is_over: false }
    }

    /// Reads the next 36 kB, and says whether there were any: `false` is the end of the file.
    ///
    /// # Errors
    ///
    /// [`ReadError`], after which the file is to be opened again.
    pub fn step(&mut self) -> Result<bool, ReadError<S::Error>> {
        if !self.is_over {
            let KeyExport { body, header, buffer, .. } = &mut *self.file;
            self.is_over = !self.check.step(body, header, buffer)?;
        }
        Ok(!self.is_over)
    }

    /// How many bytes were read so far, without the armour: three for four characters.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.check.len()
    }

    /// Reads what remains, compares the MAC, and gives the sessions.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn finish(mut self) -> Result<Sessions<'f, S>, ReadError<S::Error>> {
        while self.step()? {}
        let recheck = Recheck::new(&self.keys.keys, self.file.keep, self.check.finish()?);
        Ok(Sessions::new(self.file, self.keys, Some(recheck)))
    }
}

impl<S> fmt::Debug for Verification<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification").field("bytes", &self.check.len()).finish_non_exhaustive()
    }
}

/// Whether the source may give other bytes when it is read again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keep {
    /// It may: the second pass checks each chunk before anything of it is used.
    Chunks,
    /// It cannot.
    Nothing,
}

/// The second look at a body: each chunk is compared with the first, by its MAC, before it is used.
pub(crate) struct Recheck<'k> {
    mac: Option<Mac<'k>>,
    verified: Verified,
    chunk: usize,
}

impl<'k> Recheck<'k> {
    pub(crate) fn new(keys: &'k CtrHmacKeys, keep: Keep, verified: Verified) -> Self {
        Self { mac: (keep == Keep::Chunks).then(|| keys.start_mac()), verified, chunk: 0 }
    }

    /// Bytes of ciphertext, and of plaintext; `usize::MAX` where that does not fit.
    pub(crate) fn plaintext_len(&self) -> usize {
        usize::try_from(self.verified.covered).unwrap_or(usize::MAX).saturating_sub(HEADER_LEN)
    }

    /// Whether all that the MAC covers was seen.
    pub(crate) const fn is_over(&self) -> bool {
        self.chunk as u64 * CHUNK_LEN as u64 >= self.verified.covered
    }

    /// The part of the next chunk that the MAC covers.
    pub(crate) fn check<'c, E>(&mut self, chunk: &'c mut [u8]) -> Result<&'c mut [u8], ReadError<E>> {
        let before = (self.chunk as u64).saturating_mul(CHUNK_LEN as u64);
        let covered = self.verified.covered.saturating_sub(before);
        let is_last = covered <= CHUNK_LEN as u64;
        let covered = usize::try_from(covered).unwrap_or(usize::MAX).min(CHUNK_LEN);
        let chunk = chunk.get_mut(..covered).ok_or(ReadError::Changed)?;
        let Some(mac) = &mut self.mac else {
            self.chunk += 1;
            return Ok(chunk);
        };
        mac.update(chunk);
        let same = match self.verified.chunks.get(self.chunk) {
            // The MAC itself may begin in this chunk or in the next.
            _ if is_last => mac.so_far().verify(&self.verified.mac),
            Some(expected) => mac.so_far().verify(expected),
            None => return Err(ReadError::Changed),
        };
        same.map_err(|_| ReadError::Changed)?;
        self.chunk += 1;
        Ok(chunk)
    }
}

const _: () = assert!(crate::MAX_BODY_LEN == MAX_CHUNKS as u64 * CHUNK_LEN as u64);
