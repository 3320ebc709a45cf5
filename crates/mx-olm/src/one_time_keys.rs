use core::fmt;

use mx_aes_sha2::sha256;
use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, KeyAgreement};
use mx_types::{RandomnessFailed, base64};
use rand_core::TryCryptoRng;
use zeroize::ZeroizeOnDrop;

use crate::inbound::{InboundSession, InboundSessionError, UsedKey};
use crate::list::List;
use crate::{PreKeyMessage, Session, SessionKeys};

/// The secret halves of a device's one-time and fallback keys.
///
/// `CAPACITY` one-time keys are kept; half as many should be on the server, so that keys that were claimed but whose
/// message has not come are not pushed out by new ones. Of `FALLBACK_SESSIONS` sessions that were begun with a fallback
/// key it is remembered that they were, so that their first message cannot be played again. An [`Account`](crate::Account)
/// has these keys with it; by itself the type serves devices whose identity key is in hardware.
pub struct OneTimeKeys<const CAPACITY: usize = 100, const FALLBACK_SESSIONS: usize = 200> {
    pub(crate) one_time: List<OneTimeKey, CAPACITY>,
    /// The previous and the current fallback key, or the current one only.
    pub(crate) fallbacks: List<OneTimeKey, 2>,
    pub(crate) fallback_sessions: List<FallbackSession, FALLBACK_SESSIONS>,
    /// The number of the newest key, 0 before the first.
    pub(crate) last_number: u32,
}

impl<const CAPACITY: usize, const FALLBACK_SESSIONS: usize> OneTimeKeys<CAPACITY, FALLBACK_SESSIONS> {
    /// How many one-time keys should be on the server.
    pub const ADVERTISED: usize = CAPACITY / 2;

    /// No keys.
    #[must_use]
    pub const fn new() -> Self {
        Self { one_time: List::new(), fallbacks: List::new(), fallback_sessions: List::new(), last_number: 0 }
    }

    /// How many one-time keys to generate when the server says that it has `on_server`: none while some that were
    /// generated are not published, since the server may have them already and only the answer got lost.
    #[must_use]
    pub fn needed(&self, on_server: usize) -> usize {
        if self.unpublished().next().is_some() { 0 } else { Self::ADVERTISED.saturating_sub(on_server) }
    }

    /// Generates one one-time key. When [`Self::len`] has reached the capacity, the oldest key is dropped for it.
    ///
    /// # Errors
    ///
    /// A [`GenerateError`]; nothing has changed then.
    pub fn generate<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<GeneratedKey, GenerateError> {
        if CAPACITY == 0 {
            return Err(GenerateError::NoCapacity);
        }
        let key = self.next_key(rng)?;
        let evicted =
            if self.one_time.is_full() { self.one_time.first().map(OneTimeKey::public) } else { None };
        let generated = GeneratedKey { key: key.public(), evicted };
        self.last_number = key.number;
        self.one_time.push_evicting(key);
        Ok(generated)
    }

    /// Generates a fallback key. The current one becomes the previous one; the one before that is dropped and returned.
    ///
    /// # Errors
    ///
    /// A [`GenerateError`]; nothing has changed then.
    pub fn generate_fallback<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
    ) -> Result<GeneratedKey, GenerateError> {
        let key = self.next_key(rng)?;
        let evicted = self.forget_previous_fallback();
        let generated = GeneratedKey { key: key.public(), evicted };
        self.last_number = key.number;
        self.fallbacks.push(key);
        Ok(generated)
    }

    fn next_key<R: TryCryptoRng + ?Sized>(&self, rng: &mut R) -> Result<OneTimeKey, GenerateError> {
        let number = self.last_number.checked_add(1).ok_or(GenerateError::KeyIdsExhausted)?;
        let key = Curve25519SecretKey::generate(rng)?;
        // A generator that repeats itself. Two keys of the same bytes would let a message be played again.
        if self
            .one_time
            .iter()
            .chain(&*self.fallbacks)
            .any(|other| other.key.public_key() == key.public_key())
        {
            return Err(RandomnessFailed.into());
        }
        Ok(OneTimeKey { number, short_id: false, published: false, key })
    }

    /// Drops the previous fallback key: an hour or so after the current one was published, when no message for it can
    /// be on its way. Sessions that it began go on.
    pub fn forget_previous_fallback(&mut self) -> Option<PublicOneTimeKey> {
        let [previous, _] = &*self.fallbacks else { return None };
        let (number, forgotten) = (previous.number, previous.public());
        self.fallbacks.remove(0);
        self.fallback_sessions.retain(|session| session.number != number);
        Some(forgotten)
    }

    /// How many one-time keys are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.one_time.len()
    }

    /// Whether no one-time key is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.one_time.is_empty()
    }

    /// The one-time keys to upload, oldest first: those that were not marked as published.
    pub fn unpublished(&self) -> impl Iterator<Item = PublicOneTimeKey> {
        self.one_time.iter().filter(|key| !key.published).map(OneTimeKey::public)
    }

    /// The fallback key to upload, unless it was marked as published.
    #[must_use]
    pub fn unpublished_fallback(&self) -> Option<PublicOneTimeKey> {
        self.fallbacks.last().filter(|key| !key.published).map(OneTimeKey::public)
    }

    /// The current fallback key.
    #[must_use]
    pub fn fallback(&self) -> Option<PublicOneTimeKey> {
        self.fallbacks.last().map(OneTimeKey::public)
    }

    /// Marks all keys as published: the server has confirmed the upload of [`Self::unpublished`] and
    /// [`Self::unpublished_fallback`], and none was generated in the meantime.
    ///
    /// Save the keys before they are uploaded, not only now.
    pub fn mark_as_published(&mut self) {
        for key in self.one_time.iter_mut().chain(self.fallbacks.last_mut()) {
            key.published = true;
        }
    }

    /// Makes the session that a pre-key message begins and decrypts the message, to the start of `out`.
    ///
    /// The one-time key is dropped if and only if this succeeds. `their_identity_key` is what the event or its sender's
    /// device keys say; the message must say the same. Look for a session that [matches](Session::matches) the message
    /// first: if there is one, it is the only one that may decrypt it.
    ///
    /// # Errors
    ///
    /// An [`InboundSessionError`]; nothing has changed then.
    pub fn inbound_session<'o, const SKIPPED: usize>(
        &mut self,
        identity: &impl KeyAgreement,
        their_identity_key: &Curve25519PublicKey,
        message: &PreKeyMessage<'_>,
        out: &'o mut [u8],
    ) -> Result<InboundSession<'o, SKIPPED>, InboundSessionError> {
        let keys = message.keys();
        if keys.identity_key != *their_identity_key {
            return Err(InboundSessionError::IdentityKeyMismatch);
        }
        let is_named = |key: &&OneTimeKey| key.key.public_key() == keys.one_time_key;
        let position = self.one_time.iter().position(|key| is_named(&key));
        let key = match position {
            Some(position) => self.one_time.get(position),
            None => self.fallbacks.iter().find(is_named),
        };
        let key = key.ok_or(InboundSessionError::UnknownOneTimeKey)?;
        // What is to be forgotten of a one-time key, or remembered of a fallback key.
        let done = position.ok_or_else(|| FallbackSession::new(key.number, keys));
        if let Err(begun) = &done
            && self.fallback_sessions.contains(begun)
        {
            return Err(InboundSessionError::ReplayedFallbackSession);
        }
        // Made aside, and its first message decrypted with it, before anything changes.
        let mut session = Session::inbound(identity, &key.key, message)?;
        let plaintext = session.decrypt_normal(message.message(), out)?;
        let public = key.public();
        let used = match done {
            Ok(position) => {
                self.one_time.remove(position);
                UsedKey::OneTime(public)
            }
            Err(begun) => {
                self.fallback_sessions.push_evicting(begun);
                UsedKey::Fallback(public)
            }
        };
        Ok(InboundSession { session, plaintext, used })
    }
}

impl<const CAPACITY: usize, const FALLBACK_SESSIONS: usize> Default
    for OneTimeKeys<CAPACITY, FALLBACK_SESSIONS>
{
    fn default() -> Self {
        Self::new()
    }
}

// All its secret parts are.
impl<const CAPACITY: usize, const FALLBACK_SESSIONS: usize> ZeroizeOnDrop
    for OneTimeKeys<CAPACITY, FALLBACK_SESSIONS>
{
}

impl<const CAPACITY: usize, const FALLBACK_SESSIONS: usize> fmt::Debug
    for OneTimeKeys<CAPACITY, FALLBACK_SESSIONS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeKeys")
            .field("one_time", &self.one_time.len())
            .field("fallbacks", &self.fallbacks.len())
            .field("fallback_sessions", &self.fallback_sessions.len())
            .finish_non_exhaustive()
    }
}

/// A one-time or fallback key as others may see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicOneTimeKey {
    /// The name under which it is uploaded.
    pub id: OneTimeKeyId,
    /// The key.
    pub key: Curve25519PublicKey,
}

/// What stands behind `signed_curve25519:` when a one-time or fallback key is uploaded: Base64, when displayed.
///
/// It consists of the key's number and the key's first five bytes. The number alone, which libolm uses, names two keys
/// after an older state was restored: servers refuse the second for ever, and the device runs out of keys. Keys that
/// came from libolm keep their short name, by which they may be known already.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct OneTimeKeyId {
    number: u32,
    prefix: Option<[u8; 5]>,
}

impl fmt::Display for OneTimeKeyId {
    /// 12 characters, or 6 for a key that came from libolm.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 12];
        let [a, b, c, d] = self.number.to_be_bytes();
        let text = match self.prefix {
            Some([e, g, h, i, j]) => base64::encode(&[a, b, c, d, e, g, h, i, j], &mut text),
            None => base64::encode(&[a, b, c, d], &mut text),
        };
        f.write_str(text.unwrap_or_default())
    }
}

impl fmt::Debug for OneTimeKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneTimeKeyId({self})")
    }
}

/// What [`OneTimeKeys::generate`] did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct GeneratedKey {
    /// The new key.
    pub key: PublicOneTimeKey,
    /// The key that was dropped for it. Messages for it can no longer be decrypted.
    pub evicted: Option<PublicOneTimeKey>,
}

/// Why no key was generated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GenerateError {
    /// No key could be drawn, or one that is here already.
    Randomness(RandomnessFailed),
    /// All 2^32 - 1 numbers were given.
    KeyIdsExhausted,
    /// The capacity is 0.
    NoCapacity,
}

impl From<RandomnessFailed> for GenerateError {
    fn from(error: RandomnessFailed) -> Self {
        Self::Randomness(error)
    }
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Randomness(error) => error.fmt(f),
            Self::KeyIdsExhausted => f.write_str("no key identifier is left for another key"),
            Self::NoCapacity => f.write_str("the capacity for one-time keys is zero"),
        }
    }
}

impl core::error::Error for GenerateError {}

/// A key with its secret half.
pub(crate) struct OneTimeKey {
    pub(crate) number: u32,
    /// From libolm, whose names have the number only.
    pub(crate) short_id: bool,
    pub(crate) published: bool,
    pub(crate) key: Curve25519SecretKey,
}

impl OneTimeKey {
    pub(crate) fn public(&self) -> PublicOneTimeKey {
        let key = self.key.public_key();
        let prefix = if self.short_id { None } else { key.as_bytes().first_chunk().copied() };
        PublicOneTimeKey { id: OneTimeKeyId { number: self.number, prefix }, key }
    }
}

/// The list copies a key when it moves to a larger allocation, and wipes the old one.
impl Clone for OneTimeKey {
    fn clone(&self) -> Self {
        let key = Curve25519SecretKey::from_stored(self.key.secret_bytes(), self.key.public_key());
        Self { number: self.number, short_id: self.short_id, published: self.published, key }
    }
}

impl ZeroizeOnDrop for OneTimeKey {}

/// That a session was begun with a fallback key: which, and 16 bytes of SHA-256 of `I_A || E_A`.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct FallbackSession {
    pub(crate) number: u32,
    pub(crate) fingerprint: [u8; 16],
}

impl FallbackSession {
    fn new(number: u32, keys: &SessionKeys) -> Self {
        let hash = sha256(&[keys.identity_key.as_bytes(), keys.base_key.as_bytes()]);
        Self { number, fingerprint: hash.first_chunk().copied().unwrap_or_default() }
    }
}

/// Nothing secret is in it; the list wants to know.
impl ZeroizeOnDrop for FallbackSession {}
