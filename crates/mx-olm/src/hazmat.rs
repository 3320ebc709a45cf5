//! The raw state of accounts and sessions, for converters to and from other implementations' formats.
//!
//! Whoever takes a state out and puts it in elsewhere promises that it goes on in one place only: two copies of a
//! session encrypt two messages with one key. The crate `mx-libolm-pickle` does it for libolm's format.

use alloc::vec::Vec;
use core::fmt;

use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, Ed25519SecretKey};
use mx_pickle::Generation;
use zeroize::Zeroizing;

use crate::one_time_keys::OneTimeKey;
use crate::ratchet::{ChainKey, MessageKey, RootKey};
use crate::receiver::{MAX_SKIPPED_PER_CHAIN, Receiver, SkippedKey};
use crate::session::SenderChain;
use crate::{Account, OneTimeKeys, Session, SessionKeys};

/// All that a session consists of.
pub struct SessionState {
    /// Whether anything was decrypted.
    pub received: bool,
    /// The three public keys.
    pub keys: SessionKeys,
    /// `R(i)`.
    pub root_key: Zeroizing<[u8; 32]>,
    /// Our ratchet key and chain, if we have sent since the other side's newest ratchet key.
    pub sender: Option<(Curve25519SecretKey, ChainState)>,
    /// The other side's ratchet keys and chains, oldest first.
    pub receivers: Vec<(Curve25519PublicKey, ChainState)>,
    /// Keys of messages that have not come, oldest first.
    pub skipped: Vec<SkippedState>,
}

/// A chain key and the index of the next message.
pub struct ChainState {
    /// `C(i,j)`.
    pub key: Zeroizing<[u8; 32]>,
    /// `j`.
    pub index: u32,
}

/// The key of a message that has not come.
pub struct SkippedState {
    /// The ratchet key of its chain.
    pub ratchet_key: Curve25519PublicKey,
    /// Its index.
    pub index: u32,
    /// `M(i,j)`.
    pub message_key: Zeroizing<[u8; 32]>,
}

/// All that an account consists of, but for the sessions that it remembers of its fallback keys.
pub struct AccountState {
    /// The Ed25519 key as libolm keeps it, see [`Ed25519SecretKey::expanded_bytes`].
    pub ed25519_expanded: Zeroizing<[u8; 64]>,
    /// The identity key.
    pub identity: Curve25519SecretKey,
    /// One-time keys, oldest first.
    pub one_time_keys: Vec<OneTimeKeyState>,
    /// The fallback keys, of which there are at most two: the previous one first, the current one last.
    pub fallbacks: Vec<OneTimeKeyState>,
    /// The number of the newest key that was ever generated, 0 before the first.
    pub last_number: u32,
}

/// A one-time or fallback key.
pub struct OneTimeKeyState {
    /// Its number.
    pub number: u32,
    /// Whether its name consists of the number alone, as libolm's do.
    pub short_id: bool,
    /// Whether the server has confirmed it.
    pub published: bool,
    /// The key.
    pub key: Curve25519SecretKey,
}

/// Takes a session's state out.
#[must_use]
pub fn session_state<const SKIPPED: usize>(session: &Session<SKIPPED>) -> SessionState {
    let chain = |chain: &ChainKey| ChainState { key: Zeroizing::new(chain.key), index: chain.index };
    let receivers = &session.receiver.chains;
    SessionState {
        received: session.received,
        keys: session.keys,
        root_key: Zeroizing::new(session.root_key.0),
        sender: session.sender.as_ref().map(|s| (copy(&s.ratchet_key), chain(&s.chain_key))),
        receivers: receivers.iter().map(|r| (r.ratchet_key, chain(&r.chain_key))).collect(),
        skipped: session
            .receiver
            .skipped
            .iter()
            .filter_map(|skipped| {
                let of = receivers.iter().find(|receiver| receiver.slot == skipped.slot)?;
                let message_key = Zeroizing::new(skipped.message_key.0);
                Some(SkippedState { ratchet_key: of.ratchet_key, index: skipped.index, message_key })
            })
            .collect(),
    }
}

/// Makes a session of a state. A skipped key whose chain is not there is of no use and is left out.
///
/// # Errors
///
/// An [`InvalidState`].
pub fn session_from_state<const SKIPPED: usize>(
    state: SessionState,
) -> Result<Session<SKIPPED>, InvalidState> {
    let chain = |chain: &ChainState| ChainKey { key: *chain.key, index: chain.index };
    if state.sender.is_none() && state.receivers.is_empty() {
        return Err(InvalidState::NoChain);
    }
    let mut receiver = Receiver::new();
    for (ratchet_key, chain_state) in &state.receivers {
        if receiver.chain_position(ratchet_key).is_some() {
            return Err(InvalidState::Repeated);
        }
        if receiver.chains.is_full() {
            return Err(InvalidState::TooMany);
        }
        receiver.add_chain(*ratchet_key, chain(chain_state));
    }
    for skipped in &state.skipped {
        let Some(position) = receiver.chain_position(&skipped.ratchet_key) else { continue };
        let Some(of) = receiver.chains.get(position) else { continue };
        let (slot, index) = (of.slot, skipped.index);
        let of_chain = receiver.skipped.iter().filter(|other| other.slot == slot).count();
        if receiver.skipped_position(slot, index).is_some() || index >= of.chain_key.index {
            return Err(InvalidState::Repeated);
        }
        let key = SkippedKey { slot, index, message_key: MessageKey(*skipped.message_key) };
        if of_chain >= MAX_SKIPPED_PER_CHAIN as usize || !receiver.skipped.push(key) {
            return Err(InvalidState::TooMany);
        }
    }
    Ok(Session {
        keys: state.keys,
        root_key: RootKey(*state.root_key),
        sender: state.sender.map(|(key, state)| SenderChain { ratchet_key: key, chain_key: chain(&state) }),
        receiver,
        received: state.received,
        generation: Generation::default(),
    })
}

/// Takes an account's state out.
#[must_use]
pub fn account_state<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize>(
    account: &Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>,
) -> AccountState {
    let one_time = |key: &OneTimeKey| OneTimeKeyState {
        number: key.number,
        short_id: key.short_id,
        published: key.published,
        key: copy(&key.key),
    };
    let keys = &account.one_time_keys;
    AccountState {
        ed25519_expanded: account.signing.expanded_bytes(),
        identity: copy(&account.identity),
        one_time_keys: keys.one_time.iter().map(one_time).collect(),
        fallbacks: keys.fallbacks.iter().map(one_time).collect(),
        last_number: keys.last_number,
    }
}

/// Makes an account of a state. Its public Ed25519 key is computed; compare it with the one that is expected.
///
/// # Errors
///
/// An [`InvalidState`].
pub fn account_from_state<const ONE_TIME_KEYS: usize, const FALLBACK_SESSIONS: usize>(
    state: AccountState,
) -> Result<Account<ONE_TIME_KEYS, FALLBACK_SESSIONS>, InvalidState> {
    let one_time = |key: OneTimeKeyState| {
        if key.number > state.last_number {
            return Err(InvalidState::KeyNumber);
        }
        let OneTimeKeyState { number, short_id, published, key } = key;
        Ok(OneTimeKey { number, short_id, published, key })
    };
    let mut keys = OneTimeKeys::new();
    let drawn = || state.one_time_keys.iter().chain(&state.fallbacks).map(|key| key.key.public_key());
    if drawn().enumerate().any(|(n, key)| drawn().take(n).any(|other| other == key)) {
        return Err(InvalidState::Repeated);
    }
    // The memory of sessions begun with a fallback key goes by its number.
    if let [previous, current, ..] = &*state.fallbacks
        && previous.number == current.number
    {
        return Err(InvalidState::Repeated);
    }
    for key in state.one_time_keys {
        if !keys.one_time.push(one_time(key)?) {
            return Err(InvalidState::TooMany);
        }
    }
    for key in state.fallbacks {
        if !keys.fallbacks.push(one_time(key)?) {
            return Err(InvalidState::TooMany);
        }
    }
    keys.last_number = state.last_number;
    Ok(Account {
        signing: Ed25519SecretKey::from_expanded(&state.ed25519_expanded),
        identity: state.identity,
        one_time_keys: keys,
        generation: Generation::default(),
    })
}

fn copy(key: &Curve25519SecretKey) -> Curve25519SecretKey {
    Curve25519SecretKey::from_stored(key.secret_bytes(), key.public_key())
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

redacted!(SessionState, ChainState, SkippedState, AccountState, OneTimeKeyState);

/// Why a state is not one of an account or a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidState {
    /// There is neither a sender nor a receiver chain.
    NoChain,
    /// A chain, a one-time key or a skipped key is there twice, or a skipped key is not behind its chain.
    Repeated,
    /// There are more keys or chains than the capacity allows.
    TooMany,
    /// A key has a higher number than the newest.
    KeyNumber,
}

impl fmt::Display for InvalidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoChain => "the session has no chain",
            Self::Repeated => "a chain or a key is repeated, or a skipped message key is ahead of its chain",
            Self::TooMany => "there are more keys or chains than there is room for",
            Self::KeyNumber => "a key has a higher number than the newest key",
        })
    }
}

impl core::error::Error for InvalidState {}
