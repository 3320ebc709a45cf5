//! The chains on which we receive, and the keys of messages that have not come.

use mx_curve25519::Curve25519PublicKey;
use zeroize::ZeroizeOnDrop;

use crate::list::List;
use crate::ratchet::{ChainKey, MessageKey};
use crate::session::DecryptError;

/// How far a message may be ahead of its chain: what libolm and vodozemac allow.
pub const MAX_MESSAGE_GAP: u32 = 2000;

/// Receiver chains kept in a session, as libolm and vodozemac keep. The oldest goes, and its skipped keys with it.
pub const MAX_RECEIVER_CHAINS: usize = 5;

/// Skipped message keys kept of one chain, as vodozemac keeps; libolm keeps as many in the whole session.
pub const MAX_SKIPPED_PER_CHAIN: u32 = 40;

/// A chain of the other side's.
#[derive(Clone)]
pub(crate) struct ReceiverChain {
    pub(crate) ratchet_key: Curve25519PublicKey,
    pub(crate) chain_key: ChainKey,
    /// Names the chain in the list of skipped keys; below [`MAX_RECEIVER_CHAINS`], and no other chain's.
    pub(crate) slot: u8,
}

/// The key of a message that has not come, or was not yet decrypted.
#[derive(Clone)]
pub(crate) struct SkippedKey {
    pub(crate) slot: u8,
    pub(crate) index: u32,
    pub(crate) message_key: MessageKey,
}

/// What is secret in them is a key that wipes itself.
impl ZeroizeOnDrop for ReceiverChain {}
impl ZeroizeOnDrop for SkippedKey {}

/// Chains and skipped keys, oldest first.
pub(crate) struct Receiver<const SKIPPED: usize> {
    pub(crate) chains: List<ReceiverChain, MAX_RECEIVER_CHAINS>,
    pub(crate) skipped: List<SkippedKey, SKIPPED>,
}

impl<const SKIPPED: usize> Receiver<SKIPPED> {
    pub(crate) const fn new() -> Self {
        Self { chains: List::new(), skipped: List::new() }
    }

    /// The ratchet key that the other side sent last, as far as we know.
    pub(crate) fn newest_ratchet_key(&self) -> Option<Curve25519PublicKey> {
        self.chains.last().map(|chain| chain.ratchet_key)
    }

    pub(crate) fn chain_position(&self, ratchet_key: &Curve25519PublicKey) -> Option<usize> {
        self.chains.iter().position(|chain| chain.ratchet_key == *ratchet_key)
    }

    pub(crate) fn skipped_position(&self, slot: u8, index: u32) -> Option<usize> {
        self.skipped.iter().position(|key| key.slot == slot && key.index == index)
    }

    /// Adds a chain; the oldest goes when there are too many. Returns the new chain's position.
    pub(crate) fn add_chain(&mut self, ratchet_key: Curve25519PublicKey, chain_key: ChainKey) -> usize {
        if self.chains.is_full() {
            if let Some(slot) = self.chains.first().map(|oldest| oldest.slot) {
                self.skipped.retain(|key| key.slot != slot);
            }
            self.chains.remove(0);
        }
        let used = |slot: &u8| self.chains.iter().any(|chain| chain.slot == *slot);
        let slot = (0..=u8::MAX).find(|slot| !used(slot)).unwrap_or_default();
        self.chains.push(ReceiverChain { ratchet_key, chain_key, slot });
        self.chains.len() - 1
    }

    /// Keeps the keys between where the chain would forget and the message that was decrypted, and moves the chain
    /// behind that message.
    pub(crate) fn commit(&mut self, position: usize, reached: Reached) {
        let Some(chain) = self.chains.get_mut(position) else { return };
        let slot = chain.slot;
        chain.chain_key = reached.next;
        let Some(mut chain_key) = reached.keep_from else { return };
        while chain_key.index < reached.index {
            let index = chain_key.index;
            let (message_key, next) = chain_key.message_key();
            self.keep(SkippedKey { slot, index, message_key });
            chain_key = next;
        }
    }

    fn keep(&mut self, key: SkippedKey) {
        let of_this_chain = self.skipped.iter().filter(|other| other.slot == key.slot).count();
        if of_this_chain >= MAX_SKIPPED_PER_CHAIN as usize
            && let Some(oldest) = self.skipped.iter().position(|other| other.slot == key.slot)
        {
            self.skipped.remove(oldest);
        }
        self.skipped.push_evicting(key);
    }
}

/// Where a chain gets to for one message, computed aside so that a message that fails changes nothing.
pub(crate) struct Reached {
    /// The index of the message.
    index: u32,
    /// Its key.
    pub(crate) message_key: MessageKey,
    /// The chain at the first skipped message whose key is kept, if any message is skipped.
    keep_from: Option<ChainKey>,
    /// The chain behind the message.
    next: ChainKey,
}

impl Reached {
    /// Moves a copy of a chain to a message at or ahead of it.
    pub(crate) fn new(chain_key: &ChainKey, index: u32) -> Result<Self, DecryptError> {
        let gap = index.saturating_sub(chain_key.index);
        if gap > MAX_MESSAGE_GAP {
            return Err(DecryptError::MessageGapTooBig { index, next_index: chain_key.index });
        }
        if index == u32::MAX {
            return Err(DecryptError::ChainExhausted);
        }
        let mut chain_key = chain_key.clone();
        // Keys that would be pushed out at once are not derived.
        chain_key.advance_to(index.saturating_sub(MAX_SKIPPED_PER_CHAIN));
        let keep_from = (gap > 0).then(|| chain_key.clone());
        chain_key.advance_to(index);
        let (message_key, next) = chain_key.message_key();
        Ok(Self { index, message_key, keep_from, next })
    }
}
