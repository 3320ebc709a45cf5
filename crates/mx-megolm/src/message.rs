use core::fmt;

use mx_curve25519::Ed25519Signature;
use mx_wire::{FieldError, Fields, Slot, varint_len};

/// A Megolm message, parsed and not yet verified:
/// `03 ‖ 08 index ‖ 12 length ciphertext ‖ MAC (8) ‖ signature (64)`.
///
/// Megolm specification, "Message format". Only to look at a message before decrypting it, say at its index;
/// [`InboundGroupSession::decrypt`](crate::InboundGroupSession::decrypt) takes the bytes.
#[derive(Clone, Copy)]
pub struct MegolmMessage<'m> {
    message_index: u32,
    ciphertext: &'m [u8],
    /// Version and payload, over which the MAC goes.
    payload: &'m [u8],
    mac: &'m [u8; MAC_LEN],
    /// Version, payload and MAC, over which the signature goes.
    signed: &'m [u8],
    signature: Ed25519Signature,
}

impl<'m> MegolmMessage<'m> {
    /// The index `i` of the ratchet that encrypted the message, as the message says.
    #[must_use]
    pub const fn message_index(&self) -> u32 {
        self.message_index
    }

    /// The ciphertext: a multiple of 16 bytes, and not none.
    #[must_use]
    pub const fn ciphertext(&self) -> &'m [u8] {
        self.ciphertext
    }

    pub(crate) const fn payload(&self) -> &'m [u8] {
        self.payload
    }

    pub(crate) const fn mac(&self) -> &'m [u8; MAC_LEN] {
        self.mac
    }

    pub(crate) const fn signed(&self) -> &'m [u8] {
        self.signed
    }

    pub(crate) const fn signature(&self) -> &Ed25519Signature {
        &self.signature
    }
}

impl<'m> TryFrom<&'m [u8]> for MegolmMessage<'m> {
    type Error = MessageError;

    fn try_from(message: &'m [u8]) -> Result<Self, MessageError> {
        let version = *message.first().ok_or(MessageError::TooShort)?;
        if version != VERSION {
            return Err(MessageError::UnsupportedVersion { found: version });
        }
        let (signed, signature) =
            message.split_last_chunk::<SIGNATURE_LEN>().ok_or(MessageError::TooShort)?;
        let (payload, mac) = signed.split_last_chunk::<MAC_LEN>().ok_or(MessageError::TooShort)?;
        let (_, fields) = payload.split_first().ok_or(MessageError::TooShort)?;

        let (mut numbers, mut bytes) = ([(INDEX_TAG, Slot::empty())], [(CIPHERTEXT_TAG, Slot::empty())]);
        Fields::new(fields).put_into(&mut numbers, &mut bytes).map_err(MessageError::Field)?;
        let ([(_, message_index)], [(_, ciphertext)]) = (numbers, bytes);
        let message_index = message_index.take().map_err(MessageError::Field)?;
        let ciphertext: &[u8] = ciphertext.take().map_err(MessageError::Field)?;
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
            return Err(MessageError::CiphertextLength { found: ciphertext.len() });
        }
        let signature = Ed25519Signature::from_bytes(*signature);
        Ok(Self { message_index, ciphertext, payload, mac, signed, signature })
    }
}

impl fmt::Debug for MegolmMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MegolmMessage")
            .field("message_index", &self.message_index)
            .field("ciphertext_len", &self.ciphertext.len())
            .finish_non_exhaustive()
    }
}

/// Bytes of the message that encrypts `plaintext_len` bytes at `message_index`.
///
/// ```
/// assert_eq!(mx_megolm::message_len(0, 7), 93);
/// ```
#[must_use]
pub const fn message_len(message_index: u32, plaintext_len: usize) -> usize {
    let ciphertext_len = mx_aes_sha2::cbc_hmac::padded_len(plaintext_len);
    let framing = 3 + varint_len(message_index as u64) + varint_len(ciphertext_len as u64);
    ciphertext_len.saturating_add(framing + MAC_LEN + SIGNATURE_LEN)
}

/// The bytes are not a Megolm message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MessageError {
    /// Shorter than version, MAC and signature.
    TooShort,
    /// The first byte is not 3.
    UnsupportedVersion {
        /// The first byte.
        found: u8,
    },
    /// The payload is not a sequence of fields, or not of an index and a ciphertext, each once.
    Field(FieldError),
    /// The ciphertext is empty or not a multiple of 16 bytes.
    CiphertextLength {
        /// Bytes of ciphertext.
        found: usize,
    },
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("message is too short"),
            Self::UnsupportedVersion { found } => write!(f, "message has the unsupported version {found}"),
            Self::Field(error) => error.fmt(f),
            Self::CiphertextLength { found } => {
                write!(f, "ciphertext of {found} bytes is not a positive multiple of 16")
            }
        }
    }
}

impl core::error::Error for MessageError {}

/// Version, two tags, index and length of one byte each, MAC and signature.
pub(crate) const MIN_FRAMING_LEN: usize = 5 + MAC_LEN + SIGNATURE_LEN;
/// Megolm version 1 calls itself 3.
pub(crate) const VERSION: u8 = 3;
pub(crate) const INDEX_TAG: u32 = 0x08;
pub(crate) const CIPHERTEXT_TAG: u32 = 0x12;
pub(crate) const MAC_LEN: usize = 8;
pub(crate) const SIGNATURE_LEN: usize = 64;
