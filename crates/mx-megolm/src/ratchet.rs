use mx_aes_sha2::{HmacKey, cbc_hmac::CbcHmacKeys, hmac_chain};
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
            self.step(part, steps - 1);
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

    /// `R(i+1,3)` of `R(i,3)`, where `i + 1` is no multiple of 256.
    #[cfg(feature = "alloc")]
    pub(crate) fn advance_last_part(part: &[u8; 32]) -> [u8; 32] {
        let mut next = *part;
        hmac_chain(&mut next, 3, 1);
        next
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
            *part = source.mac_byte(k);
        }
    }

    /// `R(h) = Hh(R(h))`, so many times.
    fn step(&mut self, h: u8, times: u32) {
        if let Some(part) = self.parts.get_mut(usize::from(h)) {
            hmac_chain(part, h, times);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn start(index: u32) -> Ratchet {
        Ratchet::new(index, &core::array::from_fn(|i| i.to_le_bytes()[0]))
    }

    // MEG-5
    #[test]
    fn far_steps_equal_single_steps() {
        let origin = start(0);
        let mut stepped = start(0);
        for index in 1..=70_000 {
            stepped.advance();
            // Every border, what is near it, and some between.
            if (index + 2) % 0x100 < 5 || index % 997 == 0 {
                assert!(origin.at(index).equals(&stepped), "index {index}");
            }
        }
        let near = start(0).at(65_000);
        assert!(near.at(70_000).equals(&stepped));
    }

    // MEG-5
    #[test]
    fn far_steps_are_the_same_in_two_goes() {
        for (middle, end) in [
            (1, u32::MAX),
            (0x00ff_ffff, 0x0100_0000),
            (0x0100_0000, 0x0100_0001),
            (0x0102_03ff, 0x0102_0400),
            (0x1234_5678, 0x8765_4321),
            (0xfeff_ffff, 0xffff_ffff),
        ] {
            assert!(start(0).at(end).equals(&start(0).at(middle).at(end)), "{middle:#x}, {end:#x}");
        }
        assert!(start(5).at(5).equals(&start(5)));
    }

    // MEG-6: as libolm's test_megolm.cpp has it.
    #[test]
    fn the_counter_wraps_around() {
        let mut wrapped = start(0xffff_ffff);
        wrapped.advance_to(0x0100_0000);
        let mut straight = start(0);
        straight.advance_to(0x0200_0000);
        assert_eq!((wrapped.index(), straight.index()), (0x0100_0000, 0x0200_0000));
        assert_eq!(wrapped.bytes(), straight.bytes());

        // Nearly all the way round.
        let round = start(0x0100_0005).at(u32::MAX).at(0x0100_0000);
        assert!(start(0x0100_0005).at(0x0100_0000).equals(&round));

        let mut stepped = start(u32::MAX);
        stepped.advance();
        let mut advanced = start(u32::MAX);
        advanced.advance_to(0);
        assert!(stepped.equals(&advanced));
    }

    // MEG-47
    #[test]
    fn equality_is_of_index_and_every_bit() {
        assert!(start(7).equals(&start(7)));
        assert!(!start(7).equals(&start(8)));
        for bit in 0..8 * LEN {
            let mut other = start(7);
            other.parts.as_flattened_mut()[bit / 8] ^= 1 << (bit % 8);
            assert!(!start(7).equals(&other), "bit {bit}");
        }
    }
}
