use crate::seal::{FORMAT, Header};

/// How often a state was pickled: 0 before the first time, one more with each pickle.
///
/// A state that is put back from an older copy would use its keys a second time, which reveals plaintexts. The
/// generation stands in every pickle in the clear and is authenticated when it is opened, so that
///
/// * the store can swap a pickle only against the generation that was loaded ([`Generation::of`] needs no key), and
/// * whoever loads can refuse everything older than what was saved last ([`PickleKey::open`](crate::PickleKey::open)).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Generation(u64);

impl Generation {
    /// Of a state that was never pickled. As the oldest acceptable generation: accepts every pickle.
    pub const NEVER_PICKLED: Self = Self(0);

    /// The generation that the header of `pickle` names; nothing is verified. `None` if it is not a pickle.
    #[must_use]
    pub fn of(pickle: &[u8]) -> Option<Self> {
        Header::parse(pickle).filter(|header| header.format == FORMAT).map(|header| Self(header.generation))
    }

    /// The generation of the next pickle, `None` after 2^64 - 1 of them.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }

    /// The generation as a number, to store it.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Generation {
    fn from(generation: u64) -> Self {
        Self(generation)
    }
}
