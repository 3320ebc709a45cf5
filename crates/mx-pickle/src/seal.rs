/// What is pickled: written to the header in the clear, authenticated with everything else.
///
/// A type fixes its tag for ever and raises the layout whenever the bytes after the header change.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Kind {
    /// The type of the state. Tags in use are listed in the README.
    pub type_tag: u8,
    /// The layout of the state. When reading, the newest one that is understood; the first is 1.
    pub layout: u8,
}

/// Bytes of a pickle that holds `plain_len` bytes of state.
///
/// ```
/// assert_eq!(mx_pickle::sealed_len(100), 159);
/// ```
#[must_use]
pub const fn sealed_len(plain_len: usize) -> usize {
    // A length near usize::MAX has no buffer; saturating makes that BufferTooSmall and not an overflow.
    plain_len.saturating_add(OVERHEAD)
}

/// Bytes that a pickle has besides the state: a header of 27 and a MAC of 32.
pub const OVERHEAD: usize = HEADER_LEN + MAC_LEN;

/// `format (1) ‖ type tag (1) ‖ layout (1) ‖ generation (8, big-endian) ‖ nonce (16)`.
pub(crate) struct Header {
    pub(crate) format: u8,
    pub(crate) kind: Kind,
    pub(crate) generation: u64,
    pub(crate) nonce: [u8; NONCE_LEN],
}

impl Header {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[format, type_tag, layout], rest) = bytes.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let nonce = rest.first_chunk()?;
        Some(Self {
            format,
            kind: Kind { type_tag, layout },
            generation: u64::from_be_bytes(*generation),
            nonce: *nonce,
        })
    }

    pub(crate) fn emit(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let (start, nonce) = bytes.split_at_mut(HEADER_LEN - NONCE_LEN);
        let (names, generation) = start.split_at_mut(3);
        names.copy_from_slice(&[self.format, self.kind.type_tag, self.kind.layout]);
        generation.copy_from_slice(&self.generation.to_be_bytes());
        nonce.copy_from_slice(&self.nonce);
        bytes
    }
}

/// The first byte of every pickle.
pub(crate) const FORMAT: u8 = 1;
pub(crate) const HEADER_LEN: usize = 3 + 8 + NONCE_LEN;
pub(crate) const MAC_LEN: usize = 32;
/// The initial counter of AES-CTR. Random 128-bit counters under one key collide after about 2^60 pickles.
pub(crate) const NONCE_LEN: usize = 16;
