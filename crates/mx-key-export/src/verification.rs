use alloc::vec::Vec;

use embedded_io::{Read, Seek};
use mx_aes_sha2::ctr_hmac::{CtrHmacKeys, Mac};

use crate::{
    ReadError,
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

/// Reads the body and checks its MAC. What `keep` says is kept of it serves [`Recheck`].
pub(crate) fn verify<S: Read + Seek>(
    body: &mut Unarmour<S>,
    header: &Header,
    keys: &CtrHmacKeys,
    keep: Keep,
    buffer: &mut [u8],
) -> Result<Verified, ReadError<S::Error>> {
    body.rewind()?;
    let mut mac = keys.start_mac();
    let mut chunks = Vec::new();
    // The last bytes so far, which are the MAC if no others follow.
    let mut held = [0; MAC_LEN];
    let mut held_len = 0;
    let mut len = 0;
    loop {
        let chunk = body.next_chunk(buffer)?;
        if chunk.is_empty() {
            break;
        }
        if len == 0 && Header::read(chunk)? != *header {
            return Err(ReadError::Changed);
        }
        len += chunk.len() as u64;
        if len > crate::MAX_BODY_LEN {
            return Err(ReadError::TooLong);
        }
        let held_bytes = held.get(..held_len).unwrap_or_default();
        if let Some((covered, last)) = chunk.split_last_chunk() {
            mac.update(held_bytes);
            if keep == Keep::Chunks && len > CHUNK_LEN as u64 {
                chunks.push(*mac.so_far().as_bytes());
            }
            mac.update(covered);
            (held, held_len) = (*last, MAC_LEN);
        } else {
            // Fewer bytes than a MAC has: its beginning is in what was held.
            let (covered, rest) = held_bytes.split_at(chunk.len().min(held_bytes.len()));
            mac.update(covered);
            let mut joined = [0; MAC_LEN];
            for (to, from) in joined.iter_mut().zip(rest.iter().chain(&*chunk)) {
                *to = *from;
            }
            held = joined;
        }
    }
    let covered = len.saturating_sub(MAC_LEN as u64);
    if covered < HEADER_LEN as u64 {
        return Err(ReadError::TooShort { len });
    }
    mac.finish().verify(&held).map_err(|_| ReadError::WrongPassphraseOrDamaged)?;
    Ok(Verified { covered, mac: held, chunks })
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
