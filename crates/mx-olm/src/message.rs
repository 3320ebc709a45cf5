use core::fmt;

use mx_types::{Curve25519PublicKey, InvalidKey};
use mx_wire::{FieldError, Fields, Slot};

/// The longest message text that is taken by default, in characters of Base64: an event has at most 65,536 bytes.
pub const MAX_MESSAGE_TEXT_LEN: usize = 65_536;

/// The `type` of a message in an `m.room.encrypted` event.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MessageType {
    /// Type 0: carries the keys from which the receiver makes the session.
    PreKey = 0,
    /// Type 1.
    Normal = 1,
}

impl TryFrom<u64> for MessageType {
    type Error = MessageError;

    fn try_from(number: u64) -> Result<Self, MessageError> {
        match number {
            0 => Ok(Self::PreKey),
            1 => Ok(Self::Normal),
            found => Err(MessageError::UnknownType { found }),
        }
    }
}

/// A parsed message of either type, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub enum OlmMessage<'m> {
    /// Type 0.
    PreKey(PreKeyMessage<'m>),
    /// Type 1.
    Normal(NormalMessage<'m>),
}

impl<'m> OlmMessage<'m> {
    /// Parses the bytes of a message of a stated type.
    ///
    /// # Errors
    ///
    /// A [`MessageError`].
    pub fn parse(message_type: MessageType, bytes: &'m [u8]) -> Result<Self, MessageError> {
        match message_type {
            MessageType::PreKey => PreKeyMessage::parse(bytes).map(Self::PreKey),
            MessageType::Normal => NormalMessage::parse(bytes).map(Self::Normal),
        }
    }

    /// The type.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::PreKey(_) => MessageType::PreKey,
            Self::Normal(_) => MessageType::Normal,
        }
    }

    /// The normal message: itself, or that inside the pre-key message.
    #[must_use]
    pub const fn normal(&self) -> &NormalMessage<'m> {
        match self {
            Self::PreKey(message) => &message.message,
            Self::Normal(message) => message,
        }
    }
}

/// `03 | 0A 20 T | 10 j | 22 len X | MAC`: ratchet key, index and ciphertext, under an 8-byte MAC.
#[derive(Clone, Copy, Debug)]
pub struct NormalMessage<'m> {
    ratchet_key: Curve25519PublicKey,
    index: u32,
    ciphertext: &'m [u8],
    authenticated: &'m [u8],
    mac: &'m [u8; MAC_LEN],
}

impl<'m> NormalMessage<'m> {
    /// Parses the bytes of a message. What is authenticated are these very bytes, not what was understood of them.
    ///
    /// # Errors
    ///
    /// A [`MessageError`].
    pub fn parse(bytes: &'m [u8]) -> Result<Self, MessageError> {
        let (authenticated, mac) = bytes.split_last_chunk().ok_or(MessageError::TooShort)?;
        let (version, payload) = authenticated.split_first().ok_or(MessageError::TooShort)?;
        check_version(*version)?;
        let mut numbers = [(INDEX, Slot::empty())];
        let mut slots = [(RATCHET_KEY, Slot::empty()), (CIPHERTEXT, Slot::empty())];
        Fields::new(payload).put_into(&mut numbers, &mut slots)?;
        let ([(_, index)], [(_, ratchet_key), (_, ciphertext)]) = (numbers, slots);
        let message = Self {
            ratchet_key: key(ratchet_key)?,
            index: index.take()?,
            ciphertext: ciphertext.take()?,
            authenticated,
            mac,
        };
        let len = message.ciphertext.len();
        if len == 0 || !len.is_multiple_of(16) {
            return Err(MessageError::CiphertextLength { found: len });
        }
        Ok(message)
    }

    /// The sender's ratchet key `T(i)`, which names the chain.
    #[must_use]
    pub const fn ratchet_key(&self) -> Curve25519PublicKey {
        self.ratchet_key
    }

    /// The index `j` in that chain; the first message has 0.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// The ciphertext, a positive multiple of 16 bytes: as long as the buffer that decrypting needs.
    #[must_use]
    pub const fn ciphertext(&self) -> &'m [u8] {
        self.ciphertext
    }

    pub(crate) const fn authenticated(&self) -> (&'m [u8], &'m [u8; MAC_LEN]) {
        (self.authenticated, self.mac)
    }
}

/// `03 | 0A 20 E_B | 12 20 E_A | 1A 20 I_A | 22 len message`: the session's keys and a whole normal message.
///
/// The keys are not authenticated by themselves: a session made of wrong ones does not decrypt the message.
#[derive(Clone, Copy, Debug)]
pub struct PreKeyMessage<'m> {
    keys: crate::SessionKeys,
    message: NormalMessage<'m>,
}

impl<'m> PreKeyMessage<'m> {
    /// Parses the bytes of a message.
    ///
    /// # Errors
    ///
    /// A [`MessageError`].
    pub fn parse(bytes: &'m [u8]) -> Result<Self, MessageError> {
        let (version, payload) = bytes.split_first().ok_or(MessageError::TooShort)?;
        check_version(*version)?;
        let mut slots = [ONE_TIME_KEY, BASE_KEY, IDENTITY_KEY, MESSAGE].map(|tag| (tag, Slot::empty()));
        Fields::new(payload).put_into(&mut [], &mut slots)?;
        let [one_time_key, base_key, identity_key, message] = slots.map(|(_, slot)| slot);
        let keys = crate::SessionKeys {
            identity_key: key(identity_key)?,
            base_key: key(base_key)?,
            one_time_key: key(one_time_key)?,
        };
        Ok(Self { keys, message: NormalMessage::parse(message.take()?)? })
    }

    /// The keys of the session that the message belongs to. Its ID is [`SessionKeys::session_id`](crate::SessionKeys).
    #[must_use]
    pub const fn keys(&self) -> &crate::SessionKeys {
        &self.keys
    }

    /// The message inside.
    #[must_use]
    pub const fn message(&self) -> &NormalMessage<'m> {
        &self.message
    }
}

/// A message that owns its bytes, decoded from Base64.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub struct OlmMessageBuf {
    message_type: MessageType,
    bytes: alloc::vec::Vec<u8>,
}

#[cfg(feature = "alloc")]
impl OlmMessageBuf {
    /// Decodes the `body` of a message, of at most `max_len` characters ([`MAX_MESSAGE_TEXT_LEN`] if in doubt).
    ///
    /// # Errors
    ///
    /// A [`MessageError`]; a text that is too long is refused before anything is allocated.
    pub fn from_base64(message_type: MessageType, text: &str, max_len: usize) -> Result<Self, MessageError> {
        if text.len() > max_len {
            return Err(MessageError::TooLong { len: text.len(), max_len });
        }
        let trailing = mx_types::base64::TrailingBits::Ignored;
        let bytes = mx_types::base64::decode_to_vec(text, trailing).map_err(MessageError::Base64)?;
        Ok(Self { message_type, bytes })
    }

    /// Parses the bytes.
    ///
    /// # Errors
    ///
    /// A [`MessageError`].
    pub fn parse(&self) -> Result<OlmMessage<'_>, MessageError> {
        OlmMessage::parse(self.message_type, &self.bytes)
    }
}

/// Why bytes are not an Olm message. The order is that of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MessageError {
    /// The type is neither 0 nor 1.
    UnknownType {
        /// The number found.
        found: u64,
    },
    /// The text is longer than the caller allows.
    TooLong {
        /// The length found, in characters.
        len: usize,
        /// The length allowed.
        max_len: usize,
    },
    /// The text is not Base64.
    Base64(mx_types::base64::DecodeError),
    /// There is no room for a version and a MAC.
    TooShort,
    /// The version is not 3. There are messages of version 4, with a longer MAC, which no specification describes.
    UnsupportedVersion {
        /// The version found.
        found: u8,
    },
    /// The fields are not those of a message.
    Field(FieldError),
    /// A key does not have 32 bytes, or is one that no honest sender has.
    InvalidKey(InvalidKey),
    /// The ciphertext is empty or ends within a block.
    CiphertextLength {
        /// The length found, in bytes.
        found: usize,
    },
}

impl From<FieldError> for MessageError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType { found } => write!(f, "message type {found} is neither 0 nor 1"),
            Self::TooLong { len, max_len } => {
                write!(f, "message has {len} characters, at most {max_len} are allowed")
            }
            Self::Base64(error) => write!(f, "message is not Base64: {error}"),
            Self::TooShort => f.write_str("message is too short for a version and a MAC"),
            Self::UnsupportedVersion { found } => write!(f, "message has version {found}, only 3 is known"),
            Self::Field(error) => error.fmt(f),
            Self::InvalidKey(error) => write!(f, "message has an invalid key: {error}"),
            Self::CiphertextLength { found } => {
                write!(f, "ciphertext has {found} bytes, which is not a positive multiple of 16")
            }
        }
    }
}

impl core::error::Error for MessageError {}

pub(crate) const VERSION: u8 = 3;
pub(crate) const MAC_LEN: usize = 8;

pub(crate) const RATCHET_KEY: u32 = 0x0a;
pub(crate) const INDEX: u32 = 0x10;
pub(crate) const CIPHERTEXT: u32 = 0x22;

pub(crate) const ONE_TIME_KEY: u32 = 0x0a;
pub(crate) const BASE_KEY: u32 = 0x12;
pub(crate) const IDENTITY_KEY: u32 = 0x1a;
pub(crate) const MESSAGE: u32 = 0x22;

const fn check_version(found: u8) -> Result<(), MessageError> {
    if found == VERSION { Ok(()) } else { Err(MessageError::UnsupportedVersion { found }) }
}

fn key(slot: Slot<&[u8]>) -> Result<Curve25519PublicKey, MessageError> {
    Curve25519PublicKey::try_from(slot.take()?).map_err(MessageError::InvalidKey)
}
