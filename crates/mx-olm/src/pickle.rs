//! The layouts of stored state. A change of one raises the layout number of its kind.

use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey, Ed25519SecretKey};
use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, Writer, sealed_len};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

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
        let mut reader = key.open(ACCOUNT, oldest, pickle)?;
        let signing = read_signing_key(&mut reader)?;
        let identity = read_pair(&mut reader)?;
        let generation = reader.generation();
        let mut account = Self { signing, identity, one_time_keys: OneTimeKeys::new(), generation };
        account.read_one_time_keys(&mut reader)?;
        Ok(account)
    }

    /// The rest of the state, read in place: then there is one value to be wiped, whatever goes wrong.
    fn read_one_time_keys(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), UnpickleError> {
        let keys = &mut self.one_time_keys;
        keys.last_number = reader.u32()?;
        for _ in 0..reader.count(ONE_TIME_KEYS)? {
            keys.one_time.push(read_one_time_key(reader, keys.last_number)?);
        }
        for _ in 0..reader.count(2)? {
            keys.fallbacks.push(read_one_time_key(reader, keys.last_number)?);
        }
        for _ in 0..reader.count(FALLBACK_SESSIONS)? {
            let session = FallbackSession { number: reader.u32()?, fingerprint: reader.array()? };
            keys.fallback_sessions.push(session);
        }
        reader.finish()
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
            + self.receiver.chains.len() * (32 + CHAIN_LEN + 1)
            + 4
            + self.receiver.skipped.len() * (1 + 4 + 32)
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
        let mut reader = key.open(SESSION, oldest, pickle)?;
        let received = reader.bool("received")?;
        let keys = SessionKeys {
            identity_key: read_key(&mut reader)?,
            base_key: read_key(&mut reader)?,
            one_time_key: read_key(&mut reader)?,
        };
        let mut session = Self {
            keys,
            root_key: RootKey([0; 32]),
            sender: None,
            receiver: Receiver::new(),
            received,
            generation: reader.generation(),
        };
        session.read_chains(&mut reader)?;
        Ok(session)
    }

    /// The rest of the state, read in place: then there is one value to be wiped, whatever goes wrong.
    fn read_chains(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), UnpickleError> {
        reader.bytes(&mut self.root_key.0)?;
        if reader.bool("sender chain")? {
            let ratchet_key = read_pair(reader)?;
            let sender = self.sender.insert(SenderChain { ratchet_key, chain_key: ChainKey::UNREAD });
            read_chain(reader, &mut sender.chain_key)?;
        }
        let receiver = &mut self.receiver;
        for _ in 0..reader.count(MAX_RECEIVER_CHAINS)? {
            let ratchet_key = read_key(reader)?;
            let mut chain = ReceiverChain { ratchet_key, chain_key: ChainKey::UNREAD, slot: 0 };
            read_chain(reader, &mut chain.chain_key)?;
            chain.slot = reader.u8()?;
            let repeated =
                |other: &ReceiverChain| other.slot == chain.slot || other.ratchet_key == chain.ratchet_key;
            if receiver.chains.iter().any(repeated) || usize::from(chain.slot) >= MAX_RECEIVER_CHAINS {
                return Err(UnpickleError::Invalid { field: "receiver chain" });
            }
            receiver.chains.push(chain);
        }
        if self.sender.is_none() && receiver.chains.is_empty() {
            return Err(UnpickleError::Invalid { field: "chains, of which there are none" });
        }
        for _ in 0..reader.count(SKIPPED)? {
            let mut key =
                SkippedKey { slot: reader.u8()?, index: reader.u32()?, message_key: MessageKey([0; 32]) };
            reader.bytes(&mut key.message_key.0)?;
            let is_behind =
                |chain: &ReceiverChain| chain.slot == key.slot && key.index < chain.chain_key.index;
            let of_chain = receiver.skipped.iter().filter(|other| other.slot == key.slot).count();
            let known = receiver.skipped_position(key.slot, key.index).is_some();
            if known || of_chain >= MAX_SKIPPED_PER_CHAIN as usize || !receiver.chains.iter().any(is_behind) {
                return Err(UnpickleError::Invalid { field: "skipped message key" });
            }
            receiver.skipped.push(key);
        }
        reader.finish()
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

fn read_key(reader: &mut Reader<'_, '_>) -> Result<Curve25519PublicKey, UnpickleError> {
    Curve25519PublicKey::from_bytes(reader.array()?)
        .map_err(|_| UnpickleError::Invalid { field: "Curve25519 public key" })
}

fn read_pair(reader: &mut Reader<'_, '_>) -> Result<Curve25519SecretKey, UnpickleError> {
    let mut secret = Zeroizing::new([0; 32]);
    reader.bytes(&mut *secret)?;
    Ok(Curve25519SecretKey::from_stored(&secret, read_key(reader)?))
}

fn read_chain(reader: &mut Reader<'_, '_>, chain_key: &mut ChainKey) -> Result<(), UnpickleError> {
    reader.bytes(&mut chain_key.key)?;
    chain_key.index = reader.u32()?;
    Ok(())
}

fn read_signing_key(reader: &mut Reader<'_, '_>) -> Result<Ed25519SecretKey, UnpickleError> {
    let form = reader.u8()?;
    let mut bytes = Zeroizing::new([0; 64]);
    reader.bytes(&mut *bytes)?;
    let (secret, public) = bytes.split_at(32);
    match (form, secret.first_chunk(), public.first_chunk()) {
        (SEED, Some(seed), Some(public)) => {
            let public = Ed25519PublicKey::from_bytes(*public)
                .map_err(|_| UnpickleError::Invalid { field: "Ed25519 public key" })?;
            Ok(Ed25519SecretKey::from_stored_seed(seed, public))
        }
        (EXPANDED, ..) => Ok(Ed25519SecretKey::from_expanded(&bytes)),
        _ => Err(UnpickleError::Invalid { field: "form of the Ed25519 key" }),
    }
}

fn read_one_time_key(reader: &mut Reader<'_, '_>, last_number: u32) -> Result<OneTimeKey, UnpickleError> {
    let number = reader.u32()?;
    let flags = reader.u8()?;
    if number > last_number || flags & !(PUBLISHED | SHORT_ID) != 0 {
        return Err(UnpickleError::Invalid { field: "one-time key" });
    }
    Ok(OneTimeKey {
        number,
        short_id: flags & SHORT_ID != 0,
        published: flags & PUBLISHED != 0,
        key: read_pair(reader)?,
    })
}
