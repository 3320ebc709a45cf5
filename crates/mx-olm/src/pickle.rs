//! The layouts of stored state. A change of one raises the layout number of its kind.

use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey, Ed25519SecretKey};
use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, Writer, sealed_len};
use rand_core::TryCryptoRng;
use zeroize::optimization_barrier;

use crate::one_time_keys::{FallbackSession, OneTimeKey};
use crate::ratchet::{ChainKey, MessageKey, RootKey};
use crate::receiver::{MAX_RECEIVER_CHAINS, MAX_SKIPPED_PER_CHAIN, Receiver, ReceiverChain, SkippedKey};
use crate::session::SenderChain;
use crate::{Account, OneTimeKeys, Session, SessionKeys};

const ACCOUNT: Kind = Kind { type_tag: 1, layout: 1 };
const SESSION: Kind = Kind { type_tag: 2, layout: 1 };

impl<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize> Account<ONE_TIME_KEYS, FALLBACK_SESSIONS> {
    /// The length in bytes of the account's pickle as it is now.
    #[must_use]
    pub fn pickle_len(&self) -> usize {
        sealed_len(self.state_len())
    }

    fn state_len(&self) -> usize {
        let keys = &self.one_time_keys;
        ED25519_LEN
            + PAIR_LEN
            + 4
            + 4
            + keys.one_time.len() * ONE_TIME_KEY_LEN
            + 4
            + keys.fallbacks.len() * ONE_TIME_KEY_LEN
            + 4
            + keys.fallback_sessions.len() * FALLBACK_SESSION_LEN
    }

    /// Seals the account's state to the start of `out`, which needs [`Account::pickle_len`] bytes, and counts the
    /// generation up.
    ///
    /// # Errors
    ///
    /// A [`PickleError`]; the account is as it was.
    pub fn pickle<'o, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], PickleError> {
        let mut writer = key.seal(rng, ACCOUNT, self.generation, self.state_len(), out)?;
        let generation = writer.generation();
        match self.signing.seed() {
            Some(seed) => {
                writer.u8(SEED);
                writer.bytes(seed);
                writer.bytes(self.signing.public_key().as_bytes());
            }
            None => {
                writer.u8(EXPANDED);
                writer.bytes(&*self.signing.expanded_bytes());
            }
        }
        write_pair(&mut writer, &self.identity);
        let keys = &self.one_time_keys;
        writer.u32(keys.last_number);
        writer.count(keys.one_time.len());
        for key in keys.one_time.iter() {
            write_one_time_key(&mut writer, key);
        }
        writer.count(keys.fallbacks.len());
        for key in keys.fallbacks.iter() {
            write_one_time_key(&mut writer, key);
        }
        writer.count(keys.fallback_sessions.len());
        for session in keys.fallback_sessions.iter() {
            writer.u32(session.number);
            writer.bytes(&session.fingerprint);
        }
        let pickle = writer.finish()?;
        self.generation = generation;
        Ok(pickle)
    }

    /// Restores an account. Its public Ed25519 key is read, but never signed with: that one is computed at each
    /// signature (at once, and once, for a key that came from libolm).
    ///
    /// `oldest` is the generation of the last pickle that is known to have been saved, so that an older one that a
    /// backup or an attacker put in its place is refused.
    ///
    /// # Errors
    ///
    /// An [`UnpickleError`]; [`UnpickleError::TooMany`] when the parameters are smaller than those of the account that was
    /// pickled and there are more keys in it.
    pub fn from_pickle(key: &PickleKey, oldest: Generation, pickle: &[u8]) -> Result<Self, UnpickleError> {
        let mut source = Source::new(key.open(ACCOUNT, oldest, pickle)?);
        let start = source.read::<ACCOUNT_START_LEN>().ok_or(UnpickleError::EndsEarly)?;
        let (signing, identity, last_number) = account_start(start).ok_or(invalid("key of the account"))?;
        let generation = source.reader.generation();
        let mut account = Self { signing, identity, one_time_keys: OneTimeKeys::new(), generation };
        account.one_time_keys.last_number = last_number;
        match account.read_one_time_keys(&mut source) {
            Some(()) => source.reader.finish().map(|()| account),
            None => Err(source.error),
        }
    }

    fn read_one_time_keys(&mut self, source: &mut Source<'_, '_>) -> Option<()> {
        let keys = &mut self.one_time_keys;
        source.list("one-time key", ONE_TIME_KEY_LEN, ONE_TIME_KEYS, &mut |record| {
            keys.one_time.push(one_time_key(record, keys.last_number)?);
            Some(())
        })?;
        source.list("fallback key", ONE_TIME_KEY_LEN, 2, &mut |record| {
            keys.fallbacks.push(one_time_key(record, keys.last_number)?);
            Some(())
        })?;
        source.list("session", FALLBACK_SESSION_LEN, FALLBACK_SESSIONS, &mut |record| {
            let (number, fingerprint) = record.split_first_chunk()?;
            let (number, fingerprint) = (u32::from_be_bytes(*number), *fingerprint.first_chunk()?);
            keys.fallback_sessions.push(FallbackSession { number, fingerprint });
            Some(())
        })
    }
}

impl<const SKIPPED: usize> Session<SKIPPED> {
    /// The length in bytes of the session's pickle as it is now.
    #[must_use]
    pub fn pickle_len(&self) -> usize {
        sealed_len(self.state_len())
    }

    fn state_len(&self) -> usize {
        let sender = if self.sender.is_some() { PAIR_LEN + CHAIN_LEN } else { 0 };
        1 + 3 * 32
            + 32
            + 1
            + sender
            + 4
            + self.receiver.chains.len() * RECEIVER_CHAIN_LEN
            + 4
            + self.receiver.skipped.len() * SKIPPED_LEN
    }

    /// Seals the session's state to the start of `out`, which needs [`Session::pickle_len`] bytes, and counts the
    /// generation up.
    ///
    /// # Errors
    ///
    /// A [`PickleError`]; the session is as it was.
    pub fn pickle<'o, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], PickleError> {
        let mut writer = key.seal(rng, SESSION, self.generation, self.state_len(), out)?;
        let generation = writer.generation();
        writer.bool(self.received);
        for key in [self.keys.identity_key, self.keys.base_key, self.keys.one_time_key] {
            writer.bytes(key.as_bytes());
        }
        writer.bytes(&self.root_key.0);
        writer.bool(self.sender.is_some());
        if let Some(sender) = &self.sender {
            write_pair(&mut writer, &sender.ratchet_key);
            write_chain(&mut writer, &sender.chain_key);
        }
        writer.count(self.receiver.chains.len());
        for chain in self.receiver.chains.iter() {
            writer.bytes(chain.ratchet_key.as_bytes());
            write_chain(&mut writer, &chain.chain_key);
            writer.u8(chain.slot);
        }
        writer.count(self.receiver.skipped.len());
        for key in self.receiver.skipped.iter() {
            writer.u8(key.slot);
            writer.u32(key.index);
            writer.bytes(&key.message_key.0);
        }
        let pickle = writer.finish()?;
        self.generation = generation;
        Ok(pickle)
    }

    /// Restores a session.
    ///
    /// `oldest` is the generation of the last pickle that is known to have been saved: a session restored to an older
    /// state would encrypt a second message with a key that was used.
    ///
    /// # Errors
    ///
    /// An [`UnpickleError`]; [`UnpickleError::TooMany`] when `SKIPPED` is smaller than that of the session that was pickled
    /// and there are more keys in it.
    pub fn from_pickle(key: &PickleKey, oldest: Generation, pickle: &[u8]) -> Result<Self, UnpickleError> {
        let mut source = Source::new(key.open(SESSION, oldest, pickle)?);
        let start = source.read::<SESSION_START_LEN>().ok_or(UnpickleError::EndsEarly)?;
        let (received, keys) = session_start(start).ok_or(invalid("key of the session"))?;
        let mut session = Self {
            keys,
            root_key: RootKey([0; 32]),
            sender: None,
            receiver: Receiver::new(),
            received,
            generation: source.reader.generation(),
        };
        match session.read_chains(&mut source) {
            Some(()) => source.reader.finish().map(|()| session),
            None => Err(source.error),
        }
    }

    fn read_chains(&mut self, source: &mut Source<'_, '_>) -> Option<()> {
        source.reader.bytes(&mut self.root_key.0).ok()?;
        let receiver = &mut self.receiver;
        match source.reader.u8() {
            Ok(0) => {}
            Ok(1) => {
                let (ratchet_key, chain_key) = (pair(source.read::<PAIR_LEN>()?), ChainKey::UNREAD);
                source.error = invalid("sender chain");
                let sender = self.sender.insert(SenderChain { ratchet_key: ratchet_key?, chain_key });
                source.error = UnpickleError::EndsEarly;
                source.reader.bytes(&mut sender.chain_key.key).ok()?;
                sender.chain_key.index = source.reader.u32().ok()?;
            }
            Ok(_) => {
                source.error = invalid("sender chain");
                return None;
            }
            Err(_) => return None,
        }
        source.list("receiver chain", RECEIVER_CHAIN_LEN, MAX_RECEIVER_CHAINS, &mut |record| {
            let chain = receiver_chain(record)?;
            let repeated =
                |other: &ReceiverChain| other.slot == chain.slot || other.ratchet_key == chain.ratchet_key;
            if receiver.chains.iter().any(repeated) || usize::from(chain.slot) >= MAX_RECEIVER_CHAINS {
                return None;
            }
            receiver.chains.push(chain);
            Some(())
        })?;
        if self.sender.is_none() && receiver.chains.is_empty() {
            source.error = invalid("chains, of which there are none");
            return None;
        }
        source.list("skipped message key", SKIPPED_LEN, SKIPPED, &mut |record| {
            let key = skipped_key(record)?;
            let is_behind =
                |chain: &ReceiverChain| chain.slot == key.slot && key.index < chain.chain_key.index;
            let of_chain = receiver.skipped.iter().filter(|other| other.slot == key.slot).count();
            let known = receiver.skipped_position(key.slot, key.index).is_some();
            if known || of_chain >= MAX_SKIPPED_PER_CHAIN as usize || !receiver.chains.iter().any(is_behind) {
                return None;
            }
            receiver.skipped.push(key);
            Some(())
        })
    }
}

const SEED: u8 = 0;
const EXPANDED: u8 = 1;

/// The form, then seed and public key, or the 64 bytes of libolm.
const ED25519_LEN: usize = 1 + 64;
/// A secret and a public key.
const PAIR_LEN: usize = 64;
/// A chain key and an index.
const CHAIN_LEN: usize = 36;
/// A number, flags and a pair.
const ONE_TIME_KEY_LEN: usize = 4 + 1 + PAIR_LEN;
const FALLBACK_SESSION_LEN: usize = 4 + 16;
const RECEIVER_CHAIN_LEN: usize = 32 + CHAIN_LEN + 1;
const SKIPPED_LEN: usize = 1 + 4 + 32;

/// The account's keys and the last number, of which there is one each.
const ACCOUNT_START_LEN: usize = ED25519_LEN + PAIR_LEN + 4;
/// Whether something was received, and the session's keys.
const SESSION_START_LEN: usize = 1 + 3 * 32;

const PUBLISHED: u8 = 1;
const SHORT_ID: u8 = 2;

fn write_pair(writer: &mut Writer<'_, '_>, key: &Curve25519SecretKey) {
    writer.bytes(key.secret_bytes());
    writer.bytes(key.public_key().as_bytes());
}

fn write_chain(writer: &mut Writer<'_, '_>, chain_key: &ChainKey) {
    writer.bytes(&chain_key.key);
    writer.u32(chain_key.index);
}

fn write_one_time_key(writer: &mut Writer<'_, '_>, key: &OneTimeKey) {
    writer.u32(key.number);
    writer.u8((u8::from(key.published) * PUBLISHED) | (u8::from(key.short_id) * SHORT_ID));
    write_pair(writer, &key.key);
}

/// A state that is being read, some fields at once. Reading gives `None` where it fails, and says here why: one error for all
/// fields is less code than one for each.
struct Source<'k, 'p> {
    reader: Reader<'k, 'p>,
    /// What was read last, to be looked at. Wiped.
    record: [u8; ACCOUNT_START_LEN],
    error: UnpickleError,
}

impl<'k, 'p> Source<'k, 'p> {
    const fn new(reader: Reader<'k, 'p>) -> Self {
        Self { reader, record: [0; ACCOUNT_START_LEN], error: UnpickleError::EndsEarly }
    }

    /// The next `N` bytes.
    fn read<const N: usize>(&mut self) -> Option<&[u8; N]> {
        const { assert!(N <= ACCOUNT_START_LEN, "the longest record") };
        let record = self.record.first_chunk_mut()?;
        self.reader.bytes(record).ok()?;
        Some(record)
    }

    /// Hands each record of a list to `take`, which refuses it with `None`.
    fn list(
        &mut self,
        field: &'static str,
        len: usize,
        limit: usize,
        take: &mut dyn FnMut(&[u8]) -> Option<()>,
    ) -> Option<()> {
        let count = self.reader.count(limit).map_err(|error| self.error = error).ok()?;
        for _ in 0..count {
            let record = self.record.get_mut(..len)?;
            self.reader.bytes(record).ok()?;
            if take(record).is_none() {
                self.error = invalid(field);
                return None;
            }
        }
        Some(())
    }
}

impl Drop for Source<'_, '_> {
    fn drop(&mut self) {
        self.record = [0; ACCOUNT_START_LEN];
        optimization_barrier(&self.record);
    }
}

const fn invalid(field: &'static str) -> UnpickleError {
    UnpickleError::Invalid { field }
}

fn account_start(record: &[u8; ACCOUNT_START_LEN]) -> Option<(Ed25519SecretKey, Curve25519SecretKey, u32)> {
    let (&[form], rest) = record.split_first_chunk()?;
    let (bytes, rest) = rest.split_first_chunk::<64>()?;
    let signing = match form {
        SEED => {
            let (seed, public) = bytes.split_first_chunk()?;
            Ed25519SecretKey::from_stored_seed(
                seed,
                Ed25519PublicKey::from_bytes(*public.first_chunk()?).ok()?,
            )
        }
        EXPANDED => Ed25519SecretKey::from_expanded(bytes),
        _ => return None,
    };
    let (identity, last_number) = rest.split_first_chunk::<PAIR_LEN>()?;
    Some((signing, pair(identity)?, u32::from_be_bytes(*last_number.first_chunk()?)))
}

fn session_start(record: &[u8; SESSION_START_LEN]) -> Option<(bool, SessionKeys)> {
    let (&[received @ (0 | 1)], keys) = record.split_first_chunk()? else { return None };
    let (identity_key, keys) = keys.split_at_checked(32)?;
    let (base_key, one_time_key) = keys.split_at_checked(32)?;
    let (identity_key, base_key) = (public_key(identity_key)?, public_key(base_key)?);
    Some((received == 1, SessionKeys { identity_key, base_key, one_time_key: public_key(one_time_key)? }))
}

fn receiver_chain(record: &[u8]) -> Option<ReceiverChain> {
    let (ratchet_key, rest) = record.split_at_checked(32)?;
    let (key, rest) = rest.split_first_chunk()?;
    let (index, slot) = rest.split_first_chunk()?;
    let chain_key = ChainKey { key: *key, index: u32::from_be_bytes(*index) };
    Some(ReceiverChain { ratchet_key: public_key(ratchet_key)?, chain_key, slot: *slot.first()? })
}

fn skipped_key(record: &[u8]) -> Option<SkippedKey> {
    let (&[slot], rest) = record.split_first_chunk()?;
    let (index, key) = rest.split_first_chunk()?;
    let message_key = MessageKey(*key.first_chunk()?);
    Some(SkippedKey { slot, index: u32::from_be_bytes(*index), message_key })
}

fn one_time_key(record: &[u8], last_number: u32) -> Option<OneTimeKey> {
    let (number, rest) = record.split_first_chunk()?;
    let (&[flags], bytes) = rest.split_first_chunk()?;
    let number = u32::from_be_bytes(*number);
    if number > last_number || flags & !(PUBLISHED | SHORT_ID) != 0 {
        return None;
    }
    let (short_id, published) = (flags & SHORT_ID != 0, flags & PUBLISHED != 0);
    Some(OneTimeKey { number, short_id, published, key: pair(bytes)? })
}

fn pair(bytes: &[u8]) -> Option<Curve25519SecretKey> {
    let (secret, public) = bytes.split_first_chunk()?;
    Some(Curve25519SecretKey::from_stored(secret, public_key(public)?))
}

fn public_key(bytes: &[u8]) -> Option<Curve25519PublicKey> {
    Curve25519PublicKey::try_from(bytes).ok()
}
