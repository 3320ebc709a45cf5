use core::fmt;

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use mx_curve25519::{Ed25519PublicKey, Ed25519Verifier};
use mx_pickle::Generation;
use zeroize::ZeroizeOnDrop;

#[cfg(feature = "alloc")]
use crate::block::Block;
use crate::{
    ExportedSessionKey, GroupSessionId, MegolmMessage, MessageError, SessionKey, message, ratchet::Ratchet,
};

/// The receiving side of a group session, from its first known index on.
///
/// It keeps the earliest state it was given, so that older messages stay readable, and a later one, so that newer
/// messages are near; [`InboundGroupSession::advance_to`] gives the past up. Wiped when dropped.
pub struct InboundGroupSession {
    pub(crate) earliest: Ratchet,
    /// The state of the newest message decrypted so far.
    pub(crate) latest: Ratchet,
    #[cfg(feature = "alloc")]
    pub(crate) block: Option<Box<Block>>,
    pub(crate) verifier: Ed25519Verifier,
    pub(crate) verified_from: Option<u32>,
    pub(crate) generation: Generation,
}

impl InboundGroupSession {
    /// The session of a key in the sharing format, whose signature was verified when it was parsed.
    #[must_use]
    pub fn new(key: &SessionKey) -> Self {
        Self::start(key.ratchet(), key.verifier().clone(), Some(key.first_known_index()))
    }

    /// The session of a key in the export format. Nothing proves where it comes from.
    ///
    /// No curve arithmetic happens before the first message is decrypted.
    #[must_use]
    pub fn import(key: &ExportedSessionKey) -> Self {
        Self::start(key.ratchet(), Ed25519Verifier::new(key.public_key()), None)
    }

    fn start(earliest: Ratchet, verifier: Ed25519Verifier, verified_from: Option<u32>) -> Self {
        let latest = earliest.duplicate();
        Self::from_parts(earliest, latest, verifier, verified_from, Generation::NEVER_PICKLED)
    }

    pub(crate) const fn from_parts(
        earliest: Ratchet,
        latest: Ratchet,
        verifier: Ed25519Verifier,
        verified_from: Option<u32>,
        generation: Generation,
    ) -> Self {
        Self {
            earliest,
            latest,
            #[cfg(feature = "alloc")]
            block: None,
            verifier,
            verified_from,
            generation,
        }
    }

    /// The session's ID.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.public_key().into()
    }

    /// The key that signed the session's messages.
    #[must_use]
    pub const fn public_key(&self) -> Ed25519PublicKey {
        self.verifier.public_key()
    }

    /// The first message index that can be decrypted and exported.
    #[must_use]
    pub const fn first_known_index(&self) -> u32 {
        self.earliest.index()
    }

    /// The index from which the owner of the session's key has signed the session; `None` if never.
    ///
    /// It is greater than [`InboundGroupSession::first_known_index`] after an unsigned copy that begins earlier was
    /// merged in: what it decrypts before this index is only as trustworthy as the source of that copy.
    #[must_use]
    pub const fn verified_from(&self) -> Option<u32> {
        self.verified_from
    }

    /// Verifies and decrypts a message into the beginning of `out`.
    ///
    /// Whoever calls this remembers which event had which [`Decrypted::message_index`]: the same index in another
    /// event is a replay. [`decrypt_buffer_len`] says how much room is needed.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. The session is as it was before then, and `out` holds no plaintext.
    pub fn decrypt<'o>(&mut self, message: &[u8], out: &'o mut [u8]) -> Result<Decrypted<'o>, DecryptError> {
        let message = MegolmMessage::try_from(message).map_err(DecryptError::Message)?;
        let ciphertext = message.ciphertext();
        let needed = ciphertext.len();
        let buffer = out.get_mut(..needed).ok_or(DecryptError::BufferTooSmall { needed })?;

        // Before anything is hashed: only the owner of the key can make us advance a ratchet.
        self.verifier.verify(message.signed(), message.signature()).map_err(|_| DecryptError::Signature)?;
        let message_index = message.message_index();
        let ratchet = self.ratchet_at(message_index).map_err(DecryptError::UnknownMessageIndex)?;
        let keys = ratchet.message_keys();
        keys.verify_mac(message.payload(), message.mac()).map_err(|_| DecryptError::Authentication)?;
        buffer.copy_from_slice(ciphertext);
        let plaintext = keys.decrypt_in_place(buffer).map_err(|_| DecryptError::Authentication)?;

        if message_index > self.latest.index() {
            self.latest = ratchet;
        }
        Ok(Decrypted { plaintext, message_index })
    }

    /// [`InboundGroupSession::decrypt`] to a new vector, with the message index.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    #[cfg(feature = "alloc")]
    pub fn decrypt_to_vec(&mut self, message: &[u8]) -> Result<(alloc::vec::Vec<u8>, u32), DecryptError> {
        let mut out = alloc::vec![0; decrypt_buffer_len(message.len())];
        let Decrypted { plaintext, message_index } = self.decrypt(message, &mut out)?;
        let len = plaintext.len();
        out.truncate(len);
        Ok((out, message_index))
    }

    /// The session from its first known index on, in the export format.
    #[must_use]
    pub fn export(&self) -> ExportedSessionKey {
        ExportedSessionKey::new(&self.earliest, self.public_key())
    }

    /// The session from `index` on, in the export format.
    ///
    /// `&mut`, because with an allocator states on the way are remembered, for the export at an earlier index.
    ///
    /// # Errors
    ///
    /// [`UnknownMessageIndex`] if it is before the first known index.
    pub fn export_at(&mut self, index: u32) -> Result<ExportedSessionKey, UnknownMessageIndex> {
        self.check_known(index)?;
        if index == self.first_known_index() {
            return Ok(self.export());
        }
        let public_key = self.public_key();
        Ok(ExportedSessionKey::new(&self.remembered_ratchet_at(index), public_key))
    }

    /// Gives up everything before `index`: afterwards it is the first known index, and messages before it cannot be
    /// decrypted any more, by nobody who gets hold of the session. (Pickles and exports made before still can.)
    ///
    /// # Errors
    ///
    /// [`UnknownMessageIndex`] if it is before the first known index already.
    pub fn advance_to(&mut self, index: u32) -> Result<(), UnknownMessageIndex> {
        self.check_known(index)?;
        if self.latest.index() <= index {
            self.latest.advance_to(index);
            self.earliest = self.latest.duplicate();
        } else {
            self.earliest.advance_to(index);
        }
        #[cfg(feature = "alloc")]
        {
            self.block = None;
        }
        self.verified_from = self.verified_from.map(|verified_from| verified_from.max(index));
        Ok(())
    }

    /// The state at `index`: forwards from the latest one, which costs nothing to keep, or else remembered.
    fn ratchet_at(&mut self, index: u32) -> Result<Ratchet, UnknownMessageIndex> {
        self.check_known(index)?;
        if index >= self.latest.index() {
            return Ok(self.latest.at(index));
        }
        Ok(self.remembered_ratchet_at(index))
    }

    /// The state at an index that is known. The block is a cache of what follows from the states that are kept, so
    /// it may change although decrypting fails later on.
    #[cfg(feature = "alloc")]
    fn remembered_ratchet_at(&mut self, index: u32) -> Ratchet {
        if let Some(block) = &mut self.block
            && block.contains(index)
        {
            return block.ratchet_at(index);
        }
        let block = Block::around(index, self.nearest_before(index));
        self.block.insert(block).ratchet_at(index)
    }

    #[cfg(not(feature = "alloc"))]
    fn remembered_ratchet_at(&self, index: u32) -> Ratchet {
        self.nearest_before(index).at(index)
    }

    /// The nearest state that is kept from which an index that is known can be reached.
    pub(crate) const fn nearest_before(&self, index: u32) -> &Ratchet {
        if self.latest.index() <= index { &self.latest } else { &self.earliest }
    }

    const fn check_known(&self, requested: u32) -> Result<(), UnknownMessageIndex> {
        let first_known = self.first_known_index();
        if requested < first_known { Err(UnknownMessageIndex { first_known, requested }) } else { Ok(()) }
    }
}

// All its parts are.
impl ZeroizeOnDrop for InboundGroupSession {}

impl fmt::Debug for InboundGroupSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundGroupSession")
            .field("session_id", &self.session_id())
            .field("first_known_index", &self.first_known_index())
            .field("verified_from", &self.verified_from)
            .finish_non_exhaustive()
    }
}

/// Bytes of buffer that suffice to decrypt any message of `message_len` bytes.
///
/// ```
/// assert_eq!(mx_megolm::decrypt_buffer_len(mx_megolm::message_len(0, 7)), 16);
/// ```
#[must_use]
pub const fn decrypt_buffer_len(message_len: usize) -> usize {
    message_len.saturating_sub(message::MIN_FRAMING_LEN)
}

/// A message that was decrypted.
pub struct Decrypted<'o> {
    /// The plaintext.
    pub plaintext: &'o [u8],
    /// The index, by which replays are detected.
    pub message_index: u32,
}

impl fmt::Debug for Decrypted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted").field("message_index", &self.message_index).finish_non_exhaustive()
    }
}

/// A message was not decrypted; the session is as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The bytes are not a Megolm message.
    Message(MessageError),
    /// The buffer is shorter than the ciphertext.
    BufferTooSmall {
        /// Bytes that are needed.
        needed: usize,
    },
    /// The signature is not that of the session's key.
    Signature,
    /// The message is from before the first known index.
    UnknownMessageIndex(UnknownMessageIndex),
    /// Wrong MAC or wrong padding: deliberately one variant.
    Authentication,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => error.fmt(f),
            Self::BufferTooSmall { needed } => write!(f, "the plaintext needs a buffer of {needed} bytes"),
            Self::Signature => f.write_str("signature of the message is invalid"),
            Self::UnknownMessageIndex(error) => error.fmt(f),
            Self::Authentication => f.write_str("message failed authentication"),
        }
    }
}

impl core::error::Error for DecryptError {}

/// The session does not reach back so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownMessageIndex {
    /// The first known index.
    pub first_known: u32,
    /// The index of the message, or the one asked for.
    pub requested: u32,
}

impl fmt::Display for UnknownMessageIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first_known, requested } = self;
        write!(f, "message index {requested} is before the first known index {first_known}")
    }
}

impl core::error::Error for UnknownMessageIndex {}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::ratchet;

    // MEG-49
    #[test]
    fn winding_forward_forgets_what_reading_backwards_remembered() {
        let key = Ed25519Verifier::new(Ed25519PublicKey::from_bytes([4; 32]).unwrap());
        let mut session = InboundGroupSession::start(Ratchet::new(0, &[7; ratchet::LEN]), key, None);
        session.export_at(100).unwrap();
        session.export_at(90).unwrap();
        assert!(session.block.is_some());
        session.advance_to(95).unwrap();
        assert!(session.block.is_none());
    }
}
