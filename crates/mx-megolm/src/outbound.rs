use core::fmt;

use mx_curve25519::{Ed25519PublicKey, Ed25519SecretKey};
use mx_pickle::Generation;
use mx_types::RandomnessFailed;
use mx_wire::Writer;
use rand_core::TryCryptoRng;
use zeroize::ZeroizeOnDrop;

use crate::{
    GroupSessionId, SessionKey,
    message::{CIPHERTEXT_TAG, INDEX_TAG, MAC_LEN, SIGNATURE_LEN, VERSION, message_len},
    ratchet::Ratchet,
};

/// The sending side of a group session: encrypts for everybody who has its [`SessionKey`].
///
/// Neither `Clone` nor `Copy`, and to be saved before what it encrypted is sent: two messages at one index would
/// share their key and IV. Wiped when dropped.
pub struct OutboundGroupSession {
    pub(crate) ratchet: Ratchet,
    pub(crate) signing_key: Ed25519SecretKey,
    pub(crate) generation: Generation,
}

impl OutboundGroupSession {
    /// Starts a session at index 0.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn new<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        Ok(Self {
            ratchet: Ratchet::generate(rng)?,
            signing_key: Ed25519SecretKey::generate(rng)?,
            generation: Generation::NEVER_PICKLED,
        })
    }

    /// The session's ID.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.public_key().into()
    }

    /// The key that signs the messages.
    #[must_use]
    pub const fn public_key(&self) -> Ed25519PublicKey {
        self.signing_key.public_key()
    }

    /// The index that the next message will have.
    #[must_use]
    pub const fn message_index(&self) -> u32 {
        self.ratchet.index()
    }

    /// The session from the current index on, signed, to be sent to each receiver's device by Olm.
    ///
    /// Whoever shall read the next message needs the key from before it is encrypted.
    #[must_use]
    pub fn session_key(&self) -> SessionKey {
        SessionKey::sign(&self.ratchet, &self.signing_key)
    }

    /// Encrypts and signs `plaintext` at the beginning of `out` and advances by one.
    ///
    /// [`message_len`]`(self.message_index(), plaintext.len())` says how much room that takes.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]. Nothing was written then and nothing has changed.
    pub fn encrypt<'o>(
        &mut self,
        plaintext: &[u8],
        out: &'o mut [u8],
    ) -> Result<Encrypted<'o>, EncryptError> {
        let message_index = self.message_index();
        if message_index == u32::MAX {
            return Err(EncryptError::SessionExhausted);
        }
        let needed = message_len(message_index, plaintext.len());
        let too_small = EncryptError::BufferTooSmall { needed };
        let message = out.get_mut(..needed).ok_or(too_small)?;
        let (signed, signature) = message.split_last_chunk_mut::<SIGNATURE_LEN>().ok_or(too_small)?;
        let (payload, mac) = signed.split_last_chunk_mut::<MAC_LEN>().ok_or(too_small)?;

        let keys = self.ratchet.message_keys();
        let mut writer = Writer::new(payload);
        writer.raw(&[VERSION]);
        writer.number(INDEX_TAG, message_index);
        let ciphertext_len = mx_aes_sha2::cbc_hmac::padded_len(plaintext.len());
        let ciphertext = writer.bytes_in_place(CIPHERTEXT_TAG, ciphertext_len).ok_or(too_small)?;
        ciphertext.get_mut(..plaintext.len()).ok_or(too_small)?.copy_from_slice(plaintext);
        let start = payload.len() - ciphertext_len;
        *mac = *keys.encrypt_and_mac(payload, start, plaintext.len()).map_err(|_| too_small)?.as_bytes();
        *signature = *self.signing_key.sign(signed).as_bytes();

        self.ratchet.advance();
        Ok(Encrypted { message, message_index })
    }

    /// [`OutboundGroupSession::encrypt`] to a new vector, with the message index.
    ///
    /// # Errors
    ///
    /// [`EncryptError::SessionExhausted`].
    #[cfg(feature = "alloc")]
    pub fn encrypt_to_vec(&mut self, plaintext: &[u8]) -> Result<(alloc::vec::Vec<u8>, u32), EncryptError> {
        let mut out = alloc::vec![0; message_len(self.message_index(), plaintext.len())];
        let Encrypted { message_index, .. } = self.encrypt(plaintext, &mut out)?;
        Ok((out, message_index))
    }
}

// All its parts are.
impl ZeroizeOnDrop for OutboundGroupSession {}

impl fmt::Debug for OutboundGroupSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundGroupSession")
            .field("session_id", &self.session_id())
            .field("message_index", &self.message_index())
            .finish_non_exhaustive()
    }
}

/// A message to send, once the session is saved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Encrypted<'o> {
    /// The message: `ciphertext` of an `m.room.encrypted` event is its unpadded Base64.
    pub message: &'o [u8],
    /// Its index.
    pub message_index: u32,
}

/// A message was not encrypted; the session is as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncryptError {
    /// The buffer has no room for the message.
    BufferTooSmall {
        /// Bytes that are needed.
        needed: usize,
    },
    /// The session has encrypted 2^32 - 1 messages. Start another.
    SessionExhausted,
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => write!(f, "the message needs a buffer of {needed} bytes"),
            Self::SessionExhausted => f.write_str("the session has no more message indices"),
        }
    }
}

impl core::error::Error for EncryptError {}
