use alloc::string::String;

use crate::content::{FlowId, Transport};

/// Which verification: its ID counts only together with the place and the other user.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FlowKey {
    /// Where its messages travel.
    pub place: Place,
    /// The other user; our own, if it is with another device of ours.
    pub user_id: String,
    /// The transaction ID; in a room, the ID of the request's event.
    pub id: String,
}

/// Where messages of a verification travel.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// From device to device.
    ToDevice,
    /// In this room.
    Room {
        /// Its ID.
        room_id: String,
    },
}

impl FlowKey {
    pub(crate) fn flow_id(&self) -> FlowId<'_> {
        match self.place {
            Place::ToDevice => FlowId::Transaction(&self.id),
            Place::Room { .. } => FlowId::Event(&self.id),
        }
    }

    pub(crate) const fn transport(&self) -> Transport {
        self.place.transport()
    }
}

impl Place {
    pub(crate) const fn transport(&self) -> Transport {
        match self {
            Self::ToDevice => Transport::ToDevice,
            Self::Room { .. } => Transport::Room,
        }
    }
}
