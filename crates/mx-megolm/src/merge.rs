use core::fmt;

use crate::InboundGroupSession;

/// How a copy of a session relates to another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// The same session, from the same index on.
    Equal,
    /// The same session, known from an earlier index on.
    Better,
    /// The same session, known from a later index on.
    Worse,
    /// Two sessions: other signing keys, or other ratchets under one signing key, one of which is made up then.
    Unconnected,
}

/// What a merge has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Merged {
    /// Nothing: the other copy knew and proved no more.
    Unchanged,
    /// The session is known, or proven, from an earlier index on.
    Extended,
    /// The session was unsigned and not the one that its owner has signed: it was replaced by the signed one.
    Replaced,
}

impl InboundGroupSession {
    /// Compares two copies: `Better` says that `self` begins earlier.
    ///
    /// They are connected if they have the same signing key and the same ratchet at the later of their first known
    /// indices.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        let (first, others_first) = (self.first_known_index(), other.first_known_index());
        let index = first.max(others_first);
        let connected = self.public_key() == other.public_key()
            && self.nearest_before(index).at(index).equals(&other.nearest_before(index).at(index));
        match first.cmp(&others_first) {
            _ if !connected => Comparison::Unconnected,
            core::cmp::Ordering::Less => Comparison::Better,
            core::cmp::Ordering::Equal => Comparison::Equal,
            core::cmp::Ordering::Greater => Comparison::Worse,
        }
    }

    /// Takes over what a second copy of the session knows or proves beyond this one.
    ///
    /// Connected copies are joined: the earlier first known index, and the earlier index from which the session is
    /// verified, each from whichever copy has it. Copies that are not connected do not touch each other, but for one
    /// case: a signed copy replaces an unsigned one, which then never was this session.
    ///
    /// Whether the source of `other` may extend a stored session at all is for the caller to decide before.
    ///
    /// # Errors
    ///
    /// [`MergeError`]. Nothing has changed then.
    pub fn merge(&mut self, other: Self) -> Result<Merged, MergeError> {
        if self.public_key() != other.public_key() {
            return Err(MergeError::OtherSession);
        }
        let comparison = self.compare(&other);
        if comparison == Comparison::Unconnected {
            if self.verified_from.is_some() || other.verified_from != Some(other.first_known_index()) {
                return Err(MergeError::Unconnected);
            }
            let generation = self.generation;
            *self = Self { generation, ..other };
            return Ok(Merged::Replaced);
        }
        let verified_from = match (self.verified_from, other.verified_from) {
            (Some(own), Some(others)) => Some(own.min(others)),
            (own, others) => own.or(others),
        };
        let proves_more = verified_from != self.verified_from;
        self.verified_from = verified_from;
        if comparison != Comparison::Worse {
            return Ok(if proves_more { Merged::Extended } else { Merged::Unchanged });
        }
        self.earliest = other.earliest;
        Ok(Merged::Extended)
    }
}

/// Two copies were not merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MergeError {
    /// They have different session IDs.
    OtherSession,
    /// They have one session ID and different ratchets: one of them is made up.
    Unconnected,
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherSession => "the copies are of different sessions",
            Self::Unconnected => "the copies have one session ID and different ratchets",
        })
    }
}

impl core::error::Error for MergeError {}
