//! Root keys, chain keys and message keys: the only file of this crate that derives one from another.

use mx_aes_sha2::{HmacKey, cbc_hmac::CbcHmacKeys, hkdf_sha256, hmac_chain};
use mx_curve25519::{Curve25519PublicKey, KeyAgreement, KeyAgreementError};
use zeroize::{ZeroizeOnDrop, Zeroizing, optimization_barrier};

/// `R(i)`.
pub(crate) struct RootKey(pub(crate) [u8; 32]);

impl RootKey {
    /// `R(0) || C(0,0) = HKDF(0, S, "OLM_ROOT", 64)` with `S` of three agreements in the order of the initiator.
    pub(crate) fn from_agreements(secret: &[u8; 96]) -> (Self, ChainKey) {
        split(&hkdf_sha256(&[], secret, b"OLM_ROOT"))
    }

    /// `R(i) || C(i,0) = HKDF(R(i-1), ECDH(T(i-1), T(i)), "OLM_RATCHET", 64)`.
    pub(crate) fn advance(
        &self,
        our_ratchet_key: &impl KeyAgreement,
        their_ratchet_key: &Curve25519PublicKey,
    ) -> Result<(Self, ChainKey), KeyAgreementError> {
        let shared = our_ratchet_key.diffie_hellman(their_ratchet_key)?;
        Ok(split(&hkdf_sha256(&self.0, shared.as_bytes(), b"OLM_RATCHET")))
    }
}

fn split(derived: &Zeroizing<[u8; 64]>) -> (RootKey, ChainKey) {
    let (mut root, mut chain) = (RootKey([0; 32]), ChainKey { key: [0; 32], index: 0 });
    if let (Some(first), Some(last)) = (derived.first_chunk(), derived.last_chunk()) {
        (root.0, chain.key) = (*first, *last);
    }
    (root, chain)
}

/// `C(i,j)` with its `j`, the index of the next message.
#[derive(Clone)]
pub(crate) struct ChainKey {
    pub(crate) key: [u8; 32],
    pub(crate) index: u32,
}

impl ChainKey {
    /// The place for one that is read.
    pub(crate) const UNREAD: Self = Self { key: [0; 32], index: 0 };

    /// `C(i,j+1) = HMAC(C(i,j), 2)` until the chain is at a message, if it is not there or further already.
    pub(crate) fn advance_to(&mut self, index: u32) {
        let steps = index.saturating_sub(self.index);
        hmac_chain(&mut self.key, 2, steps);
        self.index += steps;
    }

    /// `M(i,j) = HMAC(C(i,j), 1)` and the advanced chain, from one keyed state.
    pub(crate) fn message_key(&self) -> (MessageKey, Self) {
        let mut message_key = MessageKey([0; 32]);
        let mut next = Self { key: [0; 32], index: self.index.saturating_add(1) };
        HmacKey::new(&self.key).mac_bytes([1, 2], [&mut message_key.0, &mut next.key]);
        (message_key, next)
    }
}

/// `M(i,j)`: serves one message.
#[derive(Clone)]
pub(crate) struct MessageKey(pub(crate) [u8; 32]);

impl MessageKey {
    /// `AES_KEY || HMAC_KEY || AES_IV = HKDF(0, M(i,j), "OLM_KEYS", 80)`.
    pub(crate) fn expand(&self) -> CbcHmacKeys {
        CbcHmacKeys::expand(&self.0, b"OLM_KEYS")
    }
}

/// Wipes 32 bytes at once. `Zeroize` would do it byte by byte, which for the copies that decrypting makes takes as long
/// as a hash.
macro_rules! wiped_on_drop {
    ($($key:ident: $field:tt),*) => {$(
        impl Drop for $key {
            fn drop(&mut self) {
                self.$field = [0; 32];
                optimization_barrier(&self.$field);
            }
        }

        impl ZeroizeOnDrop for $key {}
    )*};
}

wiped_on_drop!(RootKey: 0, ChainKey: key, MessageKey: 0);

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    // PIC-14
    #[test]
    fn keys_are_wiped_when_dropped() {
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<super::RootKey>();
        wiped::<super::ChainKey>();
        wiped::<super::MessageKey>();
    }
}
