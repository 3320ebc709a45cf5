//! What a text may hold.

/// The largest integer of canonical JSON, `2^53 - 1` (appendices, "Canonical JSON").
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The smallest integer of canonical JSON, `-(2^53) + 1` (appendices, "Canonical JSON").
pub const MIN_INTEGER: i64 = -MAX_INTEGER;

/// Bytes that an event may have, measured on its canonical form with the signatures in it
/// (client-server API, "Size limits").
pub const MAX_EVENT_LEN: usize = 65_536;

/// What a text may hold: every function of this crate takes one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Limits {
    /// Objects and arrays open at the same time. With 128, the 129th is an error.
    pub depth: usize,
    /// Bytes of the text. Work and memory are proportional to it: see the crate's documentation.
    pub len: usize,
    /// The numbers that are taken.
    pub numbers: Numbers,
}

impl Limits {
    /// 128 containers open at once, 64 MiB of text, integers only.
    pub const DEFAULT: Self = Self { depth: 128, len: 64 << 20, numbers: Numbers::Integers };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which spellings of a number are taken. All of them stand for an integer from [`MIN_INTEGER`] to
/// [`MAX_INTEGER`] and come out in its only canonical spelling; none is ever rounded.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Numbers {
    /// Only what canonical JSON itself writes: `-0` is an error, too.
    Canonical,
    /// Integers, and `-0` for `0`, as the specification's example has it. For whatever is signed or verified.
    #[default]
    Integers,
    /// Also a fraction or an exponent where the value is exactly an integer: `1.0`, `1e10`, `100e-2`.
    ///
    /// Lenient: other implementations refuse such a text, or leave it as it is, so that a signature made over what
    /// comes out may not verify there.
    ExactIntegers,
}
