//! Who a message of a flow is from.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::content::{Content, Kind, Malformed, Start};
use crate::flow::Facts;
use crate::flow_key::Place;

/// The device that a message of a flow is from, as far as it can be told.
pub(crate) enum Sender {
    /// The other side's device, or for all that can be told it may be.
    Peer,
    /// Another device, which has no say.
    Other,
    /// Another device, that was asked, too, and has answered too late.
    TooLate { device_id: String },
    /// A device that was never asked, but starts.
    Stranger,
}

impl Facts {
    pub(crate) fn sender(&self, olm_sender: Option<&str>, read: &Result<Content, Malformed>) -> Sender {
        let claimed = device_named_in(read);
        let was_asked = |device_id: &str| self.asked.iter().any(|asked| asked == device_id);
        let is_to_device = self.key.place == Place::ToDevice;
        let Some(peer_device) = &self.peer_device else {
            let contradicts = olm_sender.zip(claimed).is_some_and(|(sender, claimed)| sender != claimed);
            let not_asked = olm_sender.or(claimed).is_some_and(|device_id| !was_asked(device_id));
            return if is_to_device && (contradicts || not_asked) { Sender::Other } else { Sender::Peer };
        };
        let is_other = |device_id: &&str| *device_id != peer_device;
        let from_other = olm_sender.filter(is_other);
        match (kind(read), claimed.filter(is_other)) {
            (Kind::Ready, Some(device_id))
                if is_to_device
                    && read.is_ok()
                    && was_asked(device_id)
                    && olm_sender.is_none_or(|sender| sender == device_id) =>
            {
                Sender::TooLate { device_id: device_id.to_owned() }
            }
            _ if from_other.is_some() => Sender::Other,
            (Kind::Start, Some(device_id)) if is_to_device && !was_asked(device_id) => Sender::Stranger,
            (_, Some(_)) => Sender::Other,
            (_, None) => Sender::Peer,
        }
    }
}

fn kind(read: &Result<Content, Malformed>) -> Kind {
    match read {
        Ok(content) => content.kind(),
        Err(malformed) => malformed.kind,
    }
}

/// The device that a message says it is from.
pub(crate) fn device_named_in(read: &Result<Content, Malformed>) -> Option<&str> {
    match read {
        Ok(content) => content.device(),
        Err(malformed) => malformed.from_device.as_deref(),
    }
}

impl Content {
    /// The device that the message says it is from.
    pub(crate) fn device(&self) -> Option<&str> {
        match self {
            Self::Request { from_device, .. }
            | Self::RoomRequest { from_device, .. }
            | Self::Ready { from_device, .. }
            | Self::Start(Start { from_device, .. }) => Some(from_device),
            Self::Accept(_) | Self::Key { .. } | Self::Mac(_) | Self::Done | Self::Cancel { .. } => None,
        }
    }
}
