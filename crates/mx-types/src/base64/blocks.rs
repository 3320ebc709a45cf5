//! Whole blocks: what does most of the work for longer values.

/// Bytes, and characters, of a block: of `base64-simd` the smallest, for it knows how to split a text.
pub(super) const BLOCK_BYTES: usize = if cfg!(feature = "simd") { 3 } else { 48 };
pub(super) const BLOCK_CHARS: usize = BLOCK_BYTES / 3 * 4;

/// Encodes whole blocks; `text` has the characters for them.
#[cfg(not(feature = "simd"))]
pub(super) fn encode(bytes: &[u8], text: &mut [u8]) {
    let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
    let (texts, _) = text.as_chunks_mut::<BLOCK_CHARS>();
    for (block, text) in blocks.iter().zip(texts) {
        let (sixes, _) = block.as_chunks::<6>();
        let (eights, _) = text.as_chunks_mut::<8>();
        // Six bytes become eight sextets in the lanes of one 64-bit word; then all of them become characters.
        for (&[a, b, c, d, e, f], eight) in sixes.iter().zip(eights) {
            let word = u64::from_be_bytes([0, a, b, c, 0, d, e, f]);
            let word = (word & 0x00ff_f000_00ff_f000) << 4 | word & 0x0000_0fff_0000_0fff;
            let word = (word & 0x0fc0_0fc0_0fc0_0fc0) << 2 | word & 0x003f_003f_003f_003f;
            *eight = word.to_be_bytes();
        }
        for byte in text {
            *byte = character(*byte);
        }
    }
}

/// Decodes whole blocks; `bytes` has room for them. Says whether all characters are of the alphabet.
#[cfg(not(feature = "simd"))]
pub(super) fn decode(text: &[u8], bytes: &mut [u8]) -> bool {
    let (texts, _) = text.as_chunks::<BLOCK_CHARS>();
    let (blocks, _) = bytes.as_chunks_mut::<BLOCK_BYTES>();
    let mut seen = 0;
    for (text, block) in texts.iter().zip(blocks) {
        let mut sextets = [0; BLOCK_CHARS];
        for (to, from) in sextets.iter_mut().zip(text) {
            *to = sextet(*from);
        }
        seen |= sextets.iter().fold(0, |seen, sextet| seen | sextet);
        let (eights, _) = sextets.as_chunks::<8>();
        let (sixes, _) = block.as_chunks_mut::<6>();
        for (eight, six) in eights.iter().zip(sixes) {
            let word = u64::from_be_bytes(*eight);
            let word = (word & 0x3f00_3f00_3f00_3f00) >> 2 | word & 0x003f_003f_003f_003f;
            let word = (word & 0x0fff_0000_0fff_0000) >> 4 | word & 0x0000_0fff_0000_0fff;
            let [_, a, b, c, _, d, e, f] = word.to_be_bytes();
            *six = [a, b, c, d, e, f];
        }
    }
    seen & NOT_IN_ALPHABET == 0
}

/// [`decode`] to an empty vector that has room for it.
#[cfg(all(feature = "alloc", not(feature = "simd")))]
pub(super) fn decode_to_empty(text: &[u8], bytes: &mut alloc::vec::Vec<u8>) -> bool {
    bytes.resize(text.len() / 4 * 3, 0);
    decode(text, bytes)
}

#[cfg(feature = "simd")]
pub(super) fn encode(bytes: &[u8], text: &mut [u8]) {
    use base64_simd::AsOut as _;

    let _ = base64_simd::STANDARD_NO_PAD.encode(bytes, text.as_out());
}

#[cfg(feature = "simd")]
pub(super) fn decode(text: &[u8], bytes: &mut [u8]) -> bool {
    use base64_simd::AsOut as _;

    base64_simd::STANDARD_NO_PAD.decode(text, bytes.as_out()).is_ok()
}

/// Without writing zeros first, which nobody reads.
#[cfg(all(feature = "alloc", feature = "simd"))]
pub(super) fn decode_to_empty(text: &[u8], bytes: &mut alloc::vec::Vec<u8>) -> bool {
    base64_simd::STANDARD_NO_PAD.decode_append(text, bytes).is_ok()
}

/// `A`-`Z`, `a`-`z`, `0`-`9`, `+`, `/` for 0 to 63, by adding the distance at each border that was passed.
#[cfg(not(feature = "simd"))]
fn character(sextet: u8) -> u8 {
    sextet
        .wrapping_add(b'A')
        .wrapping_add(u8::from(sextet > 25) * 6)
        .wrapping_sub(u8::from(sextet > 51) * 75)
        .wrapping_sub(u8::from(sextet > 61) * 15)
        .wrapping_add(u8::from(sextet > 62) * 3)
}

/// The inverse of [`character`]: each range gives its value or 0, a character in none gives [`NOT_IN_ALPHABET`].
#[cfg(not(feature = "simd"))]
fn sextet(character: u8) -> u8 {
    let in_range = |first: u8, last: u8, value: u8| {
        let offset = character.wrapping_sub(first);
        u8::from(offset <= last - first).wrapping_neg() & offset.wrapping_add(value).wrapping_add(1)
    };
    // Values are one higher than they are, so that 0 says "in no range" and 255 is what is left of it.
    let found = in_range(b'A', b'Z', 0)
        | in_range(b'a', b'z', 26)
        | in_range(b'0', b'9', 52)
        | in_range(b'+', b'+', 62)
        | in_range(b'/', b'/', 63);
    found.wrapping_sub(1)
}

/// Set in what [`sextet`] gives for a character outside the alphabet.
#[cfg(not(feature = "simd"))]
const NOT_IN_ALPHABET: u8 = 0x80;
