use core::fmt;

use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, KeyAgreement, KeyAgreementError};
use mx_pickle::Generation;
use mx_types::{BufferTooSmall, RandomnessFailed};
use mx_wire::{Writer, varint_len};
use rand_core::TryCryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::message::{
    BASE_KEY, CIPHERTEXT, IDENTITY_KEY, INDEX, MAC_LEN, MESSAGE, ONE_TIME_KEY, RATCHET_KEY, VERSION,
};
use crate::ratchet::{ChainKey, RootKey};
use crate::receiver::{MAX_MESSAGE_GAP, Reached, Receiver};
use crate::{MessageType, NormalMessage, OlmMessage, PreKeyMessage, SessionKeys};

/// A conversation with one other device.
///
/// `SKIPPED` is how many keys of messages that have not come are kept; 200 is 40 on each of 5 chains. Save the session
/// before a message that it encrypted leaves: restored to an older state it would use one key for two messages.
pub struct Session<const SKIPPED: usize = 200> {
    pub(crate) keys: SessionKeys,
    pub(crate) root_key: RootKey,
    pub(crate) sender: Option<SenderChain>,
    pub(crate) receiver: Receiver<SKIPPED>,
    /// Whether anything was decrypted: from then on messages are normal ones.
    pub(crate) received: bool,
    pub(crate) generation: Generation,
}

/// The chain on which we send.
pub(crate) struct SenderChain {
    pub(crate) ratchet_key: Curve25519SecretKey,
    pub(crate) chain_key: ChainKey,
}

impl<const SKIPPED: usize> Session<SKIPPED> {
    /// Begins a session with another device: its identity key, and a one-time or fallback key of its that was claimed
    /// and whose signature was verified.
    ///
    /// # Errors
    ///
    /// A [`SessionCreationError`].
    pub fn outbound<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        identity: &impl KeyAgreement,
        their_identity_key: &Curve25519PublicKey,
        their_one_time_key: &Curve25519PublicKey,
    ) -> Result<Self, SessionCreationError> {
        let base = Curve25519SecretKey::generate(rng)?;
        let ratchet_key = Curve25519SecretKey::generate(rng)?;
        let (root_key, chain_key) = agree([
            identity.diffie_hellman(their_one_time_key)?,
            base.diffie_hellman(their_identity_key)?,
            base.diffie_hellman(their_one_time_key)?,
        ]);
        let keys = SessionKeys {
            identity_key: identity.public_key(),
            base_key: base.public_key(),
            one_time_key: *their_one_time_key,
        };
        Ok(Self {
            keys,
            root_key,
            sender: Some(SenderChain { ratchet_key, chain_key }),
            receiver: Receiver::new(),
            received: false,
            generation: Generation::default(),
        })
    }

    /// The session that a pre-key message belongs to, before it has decrypted anything. It must not be kept, nor the
    /// one-time key forgotten, until it has.
    pub(crate) fn inbound(
        identity: &impl KeyAgreement,
        one_time_key: &impl KeyAgreement,
        message: &PreKeyMessage<'_>,
    ) -> Result<Self, KeyAgreementError> {
        let keys = *message.keys();
        let (root_key, chain_key) = agree([
            one_time_key.diffie_hellman(&keys.identity_key)?,
            identity.diffie_hellman(&keys.base_key)?,
            one_time_key.diffie_hellman(&keys.base_key)?,
        ]);
        let mut receiver = Receiver::new();
        receiver.add_chain(message.message().ratchet_key(), chain_key);
        Ok(Self {
            keys,
            root_key,
            sender: None,
            receiver,
            received: false,
            generation: Generation::default(),
        })
    }

    /// The three keys that name the session; its ID is [`SessionKeys::session_id`].
    #[must_use]
    pub const fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    /// Whether a message was decrypted. Until then the other side may not have the session, and messages are pre-key
    /// messages.
    #[must_use]
    pub const fn has_received(&self) -> bool {
        self.received
    }

    /// Whether a pre-key message belongs to this session: all three keys must be the same.
    #[must_use]
    pub fn matches(&self, message: &PreKeyMessage<'_>) -> bool {
        self.keys == *message.keys()
    }

    /// How often the session was pickled, see [`Session::pickle`].
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The length in bytes of the next message with a plaintext of `plaintext_len` bytes; `usize::MAX` where that does
    /// not fit.
    #[must_use]
    pub fn encrypted_len(&self, plaintext_len: usize) -> usize {
        let index = self.sender.as_ref().map_or(0, |sender| sender.chain_key.index);
        let normal = normal_len(index, plaintext_len);
        if self.received { normal } else { field_len(normal).saturating_add(1 + 3 * KEY_FIELD_LEN) }
    }

    /// Encrypts a message to the start of `out`, which needs [`Session::encrypted_len`] bytes.
    ///
    /// The message must not leave before the session was saved.
    ///
    /// # Errors
    ///
    /// An [`EncryptError`]; nothing was written then and the session is as it was.
    pub fn encrypt<'o, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        plaintext: &[u8],
        out: &'o mut [u8],
    ) -> Result<EncryptedMessage<'o>, EncryptError> {
        let needed = self.encrypted_len(plaintext.len());
        let too_small = EncryptError::BufferTooSmall(BufferTooSmall { needed });
        let out = out.get_mut(..needed).ok_or(too_small)?;
        let fresh = if self.sender.is_none() { Some(self.next_sender_chain(rng)?) } else { None };
        let sender = fresh.as_ref().map(|(_, sender)| sender).or(self.sender.as_ref());
        let SenderChain { ratchet_key, chain_key } = sender.ok_or(EncryptError::ChainExhausted)?;
        if chain_key.index == u32::MAX {
            return Err(EncryptError::ChainExhausted);
        }
        let (message_key, next) = chain_key.message_key();

        let mut writer = Writer::new(out);
        let message_type = if self.received {
            MessageType::Normal
        } else {
            writer.raw(&[VERSION]);
            writer.bytes(ONE_TIME_KEY, self.keys.one_time_key.as_bytes());
            writer.bytes(BASE_KEY, self.keys.base_key.as_bytes());
            writer.bytes(IDENTITY_KEY, self.keys.identity_key.as_bytes());
            MessageType::PreKey
        };
        let len = normal_len(chain_key.index, plaintext.len());
        let normal =
            if self.received { writer.raw_in_place(len) } else { writer.bytes_in_place(MESSAGE, len) };
        let (authenticated, mac) =
            normal.and_then(|normal| normal.split_last_chunk_mut::<MAC_LEN>()).ok_or(too_small)?;
        let mut inner = Writer::new(authenticated);
        inner.raw(&[VERSION]);
        inner.bytes(RATCHET_KEY, ratchet_key.public_key().as_bytes());
        inner.number(INDEX, chain_key.index);
        let ciphertext_len = mx_aes_sha2::cbc_hmac::padded_len(plaintext.len());
        let ciphertext = inner.bytes_in_place(CIPHERTEXT, ciphertext_len).ok_or(too_small)?;
        ciphertext.get_mut(..plaintext.len()).ok_or(too_small)?.copy_from_slice(plaintext);
        let keys = message_key.expand();
        let start = authenticated.len() - ciphertext_len;
        let tag = keys.encrypt_and_mac(authenticated, start, plaintext.len());
        *mac = *tag.map_err(EncryptError::BufferTooSmall)?.as_bytes();

        if let Some((root_key, sender)) = fresh {
            self.root_key = root_key;
            self.sender = Some(sender);
        }
        if let Some(sender) = &mut self.sender {
            sender.chain_key = next;
        }
        Ok(EncryptedMessage { message_type, bytes: out })
    }

    /// A new ratchet key and the chain that it begins, on top of the newest chain of the other side.
    fn next_sender_chain<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
    ) -> Result<(RootKey, SenderChain), EncryptError> {
        let ratchet_key = Curve25519SecretKey::generate(rng)?;
        let theirs = self.receiver.newest_ratchet_key().ok_or(EncryptError::ChainExhausted)?;
        let (root_key, chain_key) = self.root_key.advance(&ratchet_key, &theirs)?;
        Ok((root_key, SenderChain { ratchet_key, chain_key }))
    }

    /// Decrypts a message to the start of `out`, which needs as many bytes as the ciphertext has.
    ///
    /// A pre-key message must be one of this session's ([`Session::matches`]).
    ///
    /// # Errors
    ///
    /// A [`DecryptError`]; the session is as it was, and `out` holds no plaintext.
    pub fn decrypt<'o>(
        &mut self,
        message: &OlmMessage<'_>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DecryptError> {
        self.check_session(message)?;
        self.decrypt_normal(message.normal(), out)
    }

    fn check_session(&self, message: &OlmMessage<'_>) -> Result<(), DecryptError> {
        match message {
            OlmMessage::PreKey(message) if !self.matches(message) => Err(DecryptError::DifferentSession),
            _ => Ok(()),
        }
    }

    pub(crate) fn decrypt_normal<'o>(
        &mut self,
        message: &NormalMessage<'_>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], DecryptError> {
        let needed = message.ciphertext().len();
        let out = out.get_mut(..needed).ok_or(DecryptError::BufferTooSmall(BufferTooSmall { needed }))?;
        self.decrypt_in_place(message, |ciphertext| {
            out.copy_from_slice(ciphertext);
            out
        })
    }

    /// `place` puts the ciphertext where the plaintext shall be; it is asked only for a message that is authentic.
    fn decrypt_in_place<'o>(
        &mut self,
        message: &NormalMessage<'_>,
        place: impl FnOnce(&[u8]) -> &'o mut [u8],
    ) -> Result<&'o [u8], DecryptError> {
        let index = message.index();
        let Some(position) = self.receiver.chain_position(&message.ratchet_key()) else {
            return self.decrypt_on_new_chain(message, place);
        };
        let chain = self.receiver.chains.get(position).ok_or(DecryptError::UnknownRatchetKey)?;
        let next_index = chain.chain_key.index;
        let plaintext = if index < next_index {
            let missing = DecryptError::MissingMessageKey { index, next_index };
            let skipped = self.receiver.skipped_position(chain.slot, index).ok_or(missing)?;
            let key = self.receiver.skipped.get(skipped).ok_or(missing)?;
            let plaintext = open(&key.message_key, message, place)?;
            self.receiver.skipped.remove(skipped);
            plaintext
        } else {
            let reached = Reached::new(&chain.chain_key, index)?;
            let plaintext = open(&reached.message_key, message, place)?;
            self.receiver.commit(position, reached);
            plaintext
        };
        self.received = true;
        Ok(plaintext)
    }

    /// The other side has answered with a new ratchet key. Only to a sender chain of ours can it.
    fn decrypt_on_new_chain<'o>(
        &mut self,
        message: &NormalMessage<'_>,
        place: impl FnOnce(&[u8]) -> &'o mut [u8],
    ) -> Result<&'o [u8], DecryptError> {
        let sender = self.sender.as_ref().ok_or(DecryptError::UnknownRatchetKey)?;
        // As in `Reached::new`, but before an agreement was computed for it.
        if message.index() > MAX_MESSAGE_GAP {
            return Err(DecryptError::MessageGapTooBig { index: message.index(), next_index: 0 });
        }
        let (root_key, chain_key) = self.root_key.advance(&sender.ratchet_key, &message.ratchet_key())?;
        let reached = Reached::new(&chain_key, message.index())?;
        let plaintext = open(&reached.message_key, message, place)?;
        self.root_key = root_key;
        self.sender = None;
        let position = self.receiver.add_chain(message.ratchet_key(), chain_key);
        self.receiver.commit(position, reached);
        self.received = true;
        Ok(plaintext)
    }
}

#[cfg(feature = "alloc")]
impl<const SKIPPED: usize> Session<SKIPPED> {
    /// [`Session::encrypt`] to a new vector, sized once.
    ///
    /// # Errors
    ///
    /// As [`Session::encrypt`].
    pub fn encrypt_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        plaintext: &[u8],
    ) -> Result<(MessageType, alloc::vec::Vec<u8>), EncryptError> {
        let mut out = alloc::vec![0; self.encrypted_len(plaintext.len())];
        let message_type = self.encrypt(rng, plaintext, &mut out)?.message_type;
        Ok((message_type, out))
    }

    /// [`Session::decrypt`] to a new vector, which is allocated for an authentic message only.
    ///
    /// # Errors
    ///
    /// As [`Session::decrypt`].
    pub fn decrypt_to_vec(&mut self, message: &OlmMessage<'_>) -> Result<alloc::vec::Vec<u8>, DecryptError> {
        self.check_session(message)?;
        let mut out = alloc::vec::Vec::new();
        let place = &mut out;
        let plaintext = self.decrypt_in_place(message.normal(), move |ciphertext| {
            place.extend_from_slice(ciphertext);
            place
        })?;
        let len = plaintext.len();
        out.truncate(len);
        Ok(out)
    }
}

// All its secret parts are.
impl<const SKIPPED: usize> ZeroizeOnDrop for Session<SKIPPED> {}

impl<const SKIPPED: usize> fmt::Debug for Session<SKIPPED> {
    /// What helps to find out why a message does not decrypt: ID, chains by ratchet key with the next index. No secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Chain(Curve25519PublicKey, u32);

        impl fmt::Debug for Chain {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} at {}", self.0, self.1)
            }
        }

        struct Chains<'s, const SKIPPED: usize>(&'s Receiver<SKIPPED>);

        impl<const SKIPPED: usize> fmt::Debug for Chains<'_, SKIPPED> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let chain =
                    |chain: &crate::receiver::ReceiverChain| Chain(chain.ratchet_key, chain.chain_key.index);
                f.debug_list().entries(self.0.chains.iter().map(chain)).finish()
            }
        }

        let sender = |sender: &SenderChain| Chain(sender.ratchet_key.public_key(), sender.chain_key.index);
        f.debug_struct("Session")
            .field("session_id", &self.keys.session_id())
            .field("received", &self.received)
            .field("sender", &self.sender.as_ref().map(sender))
            .field("receivers", &Chains(&self.receiver))
            .field("skipped", &self.receiver.skipped.len())
            .finish_non_exhaustive()
    }
}

/// An encrypted message, borrowed from the buffer that it was written to.
#[derive(Clone, Copy, Debug)]
pub struct EncryptedMessage<'o> {
    /// The `type` of the message in the event.
    pub message_type: MessageType,
    /// The bytes; their Base64 is the `body` in the event.
    pub bytes: &'o [u8],
}

/// Why a session could not be begun. Keys that were drawn for it are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionCreationError {
    /// No key could be drawn.
    Randomness(RandomnessFailed),
    /// The keys did not agree on a secret.
    KeyAgreement(KeyAgreementError),
}

/// Why a message was not encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncryptError {
    /// The output buffer is too small.
    BufferTooSmall(BufferTooSmall),
    /// No ratchet key could be drawn.
    Randomness(RandomnessFailed),
    /// The new ratchet key and the other side's did not agree on a secret.
    KeyAgreement(KeyAgreementError),
    /// The chain has no index left: 2^32 - 1 messages were sent without an answer. Begin a new session.
    ChainExhausted,
}

/// Why a message was not decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The output buffer is too small.
    BufferTooSmall(BufferTooSmall),
    /// The pre-key message has other keys than the session.
    DifferentSession,
    /// The ratchet key is of no chain that we know, and the other side cannot have begun a new one: it has not had an
    /// answer since the last. The chain may have been dropped for newer ones.
    UnknownRatchetKey,
    /// The key of the message was used already, or dropped for newer ones.
    MissingMessageKey {
        /// The index of the message.
        index: u32,
        /// The index of the next message of the chain.
        next_index: u32,
    },
    /// The message is more than [`MAX_MESSAGE_GAP`] ahead of its chain.
    MessageGapTooBig {
        /// The index of the message.
        index: u32,
        /// The index of the next message of the chain, 0 for a new one.
        next_index: u32,
    },
    /// The index is the last that can be written, behind which no chain can go.
    ChainExhausted,
    /// The message's ratchet key and ours did not agree on a secret.
    KeyAgreement(KeyAgreementError),
    /// MAC or padding are wrong; which of them is not told.
    Authentication,
}

macro_rules! from_error {
    ($($from:ty => $to:ident::$variant:ident),*) => {$(
        impl From<$from> for $to {
            fn from(error: $from) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from_error!(
    RandomnessFailed => SessionCreationError::Randomness,
    KeyAgreementError => SessionCreationError::KeyAgreement,
    RandomnessFailed => EncryptError::Randomness,
    KeyAgreementError => EncryptError::KeyAgreement,
    KeyAgreementError => DecryptError::KeyAgreement
);

impl fmt::Display for SessionCreationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Randomness(error) => error.fmt(f),
            Self::KeyAgreement(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall(error) => error.fmt(f),
            Self::Randomness(error) => error.fmt(f),
            Self::KeyAgreement(error) => error.fmt(f),
            Self::ChainExhausted => f.write_str("the sender chain is exhausted, a new session is needed"),
        }
    }
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall(error) => error.fmt(f),
            Self::DifferentSession => f.write_str("the pre-key message belongs to another session"),
            Self::UnknownRatchetKey => f.write_str("the message's ratchet key is of no known chain"),
            Self::MissingMessageKey { index, next_index } => write!(
                f,
                "the key of message {index} was used or dropped, the chain is at message {next_index}"
            ),
            Self::MessageGapTooBig { index, next_index } => write!(
                f,
                "message {index} is more than {MAX_MESSAGE_GAP} ahead of message {next_index}, where the chain is"
            ),
            Self::ChainExhausted => {
                f.write_str("the message has the last index, behind which there is no other")
            }
            Self::KeyAgreement(error) => error.fmt(f),
            Self::Authentication => f.write_str("the message failed authentication"),
        }
    }
}

impl core::error::Error for SessionCreationError {}
impl core::error::Error for EncryptError {}
impl core::error::Error for DecryptError {}

/// `S = ECDH(I_A, E_B) || ECDH(E_A, I_B) || ECDH(E_A, E_B)`, from which root and first chain come.
fn agree(agreements: [mx_curve25519::SharedSecret; 3]) -> (RootKey, ChainKey) {
    let mut secret = Zeroizing::new([0; 96]);
    for (part, shared) in secret.chunks_exact_mut(32).zip(&agreements) {
        part.copy_from_slice(shared.as_bytes());
    }
    RootKey::from_agreements(&secret)
}

/// Authenticates and decrypts. After a failure nothing of the plaintext is in `out`.
fn open<'o>(
    message_key: &crate::ratchet::MessageKey,
    message: &NormalMessage<'_>,
    place: impl FnOnce(&[u8]) -> &'o mut [u8],
) -> Result<&'o [u8], DecryptError> {
    let keys = message_key.expand();
    let (authenticated, mac) = message.authenticated();
    keys.verify_mac(authenticated, mac).map_err(|_| DecryptError::Authentication)?;
    match keys.decrypt_in_place(place(message.ciphertext())) {
        Ok(plaintext) => Ok(plaintext),
        Err(_) => Err(DecryptError::Authentication),
    }
}

/// A key with tag and length.
const KEY_FIELD_LEN: usize = 34;

const fn field_len(value_len: usize) -> usize {
    value_len.saturating_add(1 + varint_len(value_len as u64))
}

/// The length of a normal message.
const fn normal_len(index: u32, plaintext_len: usize) -> usize {
    let ciphertext = field_len(mx_aes_sha2::cbc_hmac::padded_len(plaintext_len));
    ciphertext.saturating_add(1 + KEY_FIELD_LEN + 1 + varint_len(index as u64) + MAC_LEN)
}
