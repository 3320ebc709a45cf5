use alloc::boxed::Box;
use core::fmt;

use mx_megolm::Comparison;

use crate::RoomKey;

/// What a merge has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RoomKeyMerge {
    /// Nothing: the other copy had no more.
    Unchanged,
    /// The session is known from an earlier index on.
    Extended,
    /// The session is first-hand now, or from an earlier index on.
    Proven,
    /// Both.
    ExtendedAndProven,
    /// The copy that was held was unsigned and not the session that its owner has signed. It was replaced by the
    /// signed one. Warn: somebody had made it up.
    Replaced,
}

impl RoomKey {
    /// Takes over what a second copy of the session has beyond this one.
    ///
    /// The copies must be *connected*: have one ratchet at the later of their first known indices, which shows that
    /// they are one session; and if both are first-hand, be from one device. Then the earlier ratchet and the better
    /// origin are kept, each from whichever copy has it, and an earlier ratchet makes nothing first-hand that was not.
    /// A first-hand copy replaces an unconnected one that is not: that was never this session.
    ///
    /// The session is shareable afterwards if the copy with the better origin was; where neither is better, if both
    /// were. It counts as not backed up once it begins earlier.
    ///
    /// # Errors
    ///
    /// [`RoomKeyMergeError`]. Nothing has changed then, and the other copy is dropped. For all but another room or
    /// session: warn, one of the copies is made up.
    pub fn merge(&mut self, other: Self) -> Result<RoomKeyMerge, RoomKeyMergeError> {
        if self.room_id != other.room_id {
            return Err(RoomKeyMergeError::OtherRoom);
        }
        if self.session.public_key() != other.session.public_key() {
            return Err(RoomKeyMergeError::OtherSession);
        }
        let is_first_hand = self.origin.provenance.is_first_hand();
        match (is_first_hand, other.origin.provenance.is_first_hand()) {
            (true, true) if !self.origin.is_of_same_device(&other.origin) => {
                return Err(RoomKeyMergeError::OtherDevice);
            }
            (false, true) if self.session.compare(&other.session) == Comparison::Unconnected => {
                let generation = self.generation;
                *self = Self { generation, ..other };
                return Ok(RoomKeyMerge::Replaced);
            }
            _ => {}
        }

        let (first, proven) = (self.first_known_index(), self.trusted_from_index());
        self.session.merge(other.session).map_err(|_| RoomKeyMergeError::Unconnected)?;
        let extended = self.first_known_index() < first;
        self.backed_up &= !extended;
        match (is_first_hand, other.origin.provenance.is_first_hand()) {
            (false, false) => {
                if extended {
                    self.origin = other.origin;
                }
                self.shared_history &= other.shared_history;
            }
            (true, false) => {
                if extended {
                    self.earlier = Some(Box::new(other.origin));
                }
            }
            (false, true) => {
                let own = core::mem::replace(&mut self.origin, other.origin);
                self.earlier = if extended { other.earlier } else { Some(Box::new(own)) };
                self.shared_history = other.shared_history;
            }
            (true, true) => {
                if extended {
                    self.earlier = other.earlier;
                }
                self.shared_history &= other.shared_history;
            }
        }
        self.forget_superseded_origin();

        let now_proven = self.trusted_from_index();
        let proven = match (proven, now_proven) {
            (Some(before), Some(now)) => now < before,
            (before, now) => before.is_none() && now.is_some(),
        };
        Ok(match (extended, proven) {
            (false, false) => RoomKeyMerge::Unchanged,
            (true, false) => RoomKeyMerge::Extended,
            (false, true) => RoomKeyMerge::Proven,
            (true, true) => RoomKeyMerge::ExtendedAndProven,
        })
    }
}

/// Two copies were not merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RoomKeyMergeError {
    /// They are of different rooms.
    OtherRoom,
    /// They have different session IDs.
    OtherSession,
    /// Two devices have sent the session as their own.
    OtherDevice,
    /// They have one session ID and different ratchets: one of them is made up.
    Unconnected,
}

impl fmt::Display for RoomKeyMergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherRoom => "the copies are of different rooms",
            Self::OtherSession => "the copies are of different sessions",
            Self::OtherDevice => "two devices have sent the session as their own",
            Self::Unconnected => "the copies have one session ID and different ratchets",
        })
    }
}

impl core::error::Error for RoomKeyMergeError {}
