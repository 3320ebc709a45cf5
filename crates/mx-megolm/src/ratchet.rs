use mx_aes_sha2::{HmacKey, cbc_hmac::CbcHmacKeys};
use mx_types::{RandomnessFailed, fill_random};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use zeroize::optimization_barrier;

/// The ratchet `R(i) = R(i,0) ‖ R(i,1) ‖ R(i,2) ‖ R(i,3)` and its counter `i`.
///
/// `R(i,0)` changes every 2^24 steps, `R(i,1)` every 2^16, `R(i,2)` every 2^8 and `R(i,3)` with each; so any later
/// state is at most some thousand hashes away. Megolm specification, "Advancing the ratchet".
///
/// Neither `Clone` nor `Copy`: [`Ratchet::duplicate`] says where a second copy of the secret comes into being.
pub(crate) struct Ratchet {
    index: u32,
    parts: [[u8; 32]; 4],
}

impl Ratchet {
    /// A new ratchet at index 0.
    pub(crate) fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut ratchet = Self { index: 0, parts: [[0; 32]; 4] };
        fill_random(rng, ratchet.parts.as_flattened_mut())?;
        Ok(ratchet)
    }

    /// The ratchet of the 128 bytes `R(i,0) ‖ … ‖ R(i,3)`.
    pub(crate) fn new(index: u32, bytes: &[u8; LEN]) -> Self {
        let mut ratchet = Self { index, parts: [[0; 32]; 4] };
        ratchet.parts.as_flattened_mut().copy_from_slice(bytes);
        ratchet
    }

    pub(crate) const fn duplicate(&self) -> Self {
        Self { index: self.index, parts: self.parts }
    }

    /// `i`.
    pub(crate) const fn index(&self) -> u32 {
        self.index
    }

    /// The 128 bytes.
    pub(crate) const fn bytes(&self) -> &[u8] {
        self.parts.as_flattened()
    }

    /// One step.
    pub(crate) fn advance(&mut self) {
        self.index = self.index.wrapping_add(1);
        self.reseed_from(match self.index.trailing_zeros() {
            24.. => 0,
            16.. => 1,
            8.. => 2,
            _ => 3,
        });
    }

    /// As many steps as lead to `index`, by at most 1026 hashes. The counter wraps around as libolm's does; the
    /// public interface never asks for that.
    pub(crate) fn advance_to(&mut self, index: u32) {
        for (part, shift) in [(0, 24), (1, 16), (2, 8), (3, 0)] {
            let steps = match (index >> shift).wrapping_sub(self.index >> shift) & 0xff {
                0 if index < self.index => 0x100,
                0 => continue,
                steps => steps,
            };
            // Of all these steps only the last one needs the parts below.
            for _ in 1..steps {
                self.step(part);
            }
            self.reseed_from(part);
            self.index = index & (u32::MAX << shift);
        }
    }

    /// A copy at a later index.
    pub(crate) fn at(&self, index: u32) -> Self {
        let mut ratchet = self.duplicate();
        ratchet.advance_to(index);
        ratchet
    }

    /// `R(i,3)`.
    #[cfg(feature = "alloc")]
    pub(crate) const fn last_part(&self) -> &[u8; 32] {
        let [.., last] = &self.parts;
        last
    }

    /// The state at `index` of the same 256, of which `last` is `R(i,3)`.
    #[cfg(feature = "alloc")]
    pub(crate) const fn with_last_part(&self, index: u32, last: &[u8; 32]) -> Self {
        let [first, second, third, _] = self.parts;
        Self { index, parts: [first, second, third, *last] }
    }

    /// `AES key ‖ HMAC key ‖ IV = HKDF(0, R(i), "MEGOLM_KEYS", 80)`.
    pub(crate) fn message_keys(&self) -> CbcHmacKeys {
        CbcHmacKeys::expand(self.bytes(), b"MEGOLM_KEYS")
    }

    /// Whether this is the same state, in constant time.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.index == other.index && self.bytes().ct_eq(other.bytes()).into()
    }

    /// `R(3), …, R(h) = H3(R(h)), …, Hh(R(h))`, all of the old `R(h)`, where `Hk(A) = HMAC(A, k)`.
    fn reseed_from(&mut self, h: u8) {
        let Some(source) = self.parts.get(usize::from(h)) else { return };
        let source = HmacKey::new(source);
        for (part, k) in self.parts.iter_mut().zip(0..).skip(h.into()) {
            *part = source.mac(&[k]);
        }
    }

    /// `R(h) = Hh(R(h))`.
    fn step(&mut self, h: u8) {
        if let Some(part) = self.parts.get_mut(usize::from(h)) {
            *part = HmacKey::new(part).mac(&[h]);
        }
    }
}

impl Drop for Ratchet {
    fn drop(&mut self) {
        self.parts = [[0; 32]; 4];
        optimization_barrier(&self.parts);
    }
}

impl zeroize::ZeroizeOnDrop for Ratchet {}

/// Bytes of a ratchet without its counter.
pub(crate) const LEN: usize = 128;
