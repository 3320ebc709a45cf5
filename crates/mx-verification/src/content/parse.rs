use alloc::string::String;
use alloc::vec::Vec;

use mx_sas::MAX_FLOW_ID_LEN;
use mx_types::base64::TrailingBits;
use mx_types::{DeviceId, UserId};

use super::members::{Max, Members, base64_of_32};
use super::{
    Accept, Content, Fault, Kind, Mac, Malformed, Message, MessageLimits, REQUEST, Start, Transport,
};

/// Reads the content of an event, with all that it says about its flow, even where the rest cannot be taken. `None` is an event that has
/// nothing to do with verification.
pub(crate) fn parse(
    event_type: &str,
    content: &str,
    transport: Transport,
    limits: &MessageLimits,
) -> Result<Option<Message>, Malformed> {
    let Some(kind) = Kind::of_event_type(event_type, transport) else { return Ok(None) };
    let members = match Members::read(content, NAMES) {
        Ok(members) => members,
        Err(_) if event_type == "m.room.message" => return Ok(None),
        Err(fault) => return Err(Malformed { kind, flow_id: None, from_device: None, fault }),
    };
    let room_request = (kind, transport) == (Kind::Request, Transport::Room);
    if room_request && members.text("msgtype", usize::MAX).as_deref() != Ok(REQUEST) {
        return Ok(None);
    }

    let fields = Fields { members: &members, content, limits };
    let flow_id = if room_request { Ok(None) } else { fields.flow_id(transport).map(Some) };
    let read = flow_id.and_then(|flow_id| {
        let content = fields.content(kind, transport)?;
        Ok(Message { flow_id, content })
    });
    read.map(Some).map_err(|fault| Malformed {
        kind,
        flow_id: if room_request { None } else { fields.flow_id(transport).ok() },
        from_device: fields.sending_device().ok(),
        fault,
    })
}

/// A content and its members.
struct Fields<'t> {
    members: &'t Members<'t>,
    content: &'t str,
    limits: &'t MessageLimits,
}

impl Fields<'_> {
    /// The flow is told by one member, the other one is not looked at.
    fn flow_id(&self, transport: Transport) -> Result<String, Fault> {
        let id = match transport {
            Transport::ToDevice => ("transaction_id", self.members.text("transaction_id", usize::MAX)?),
            Transport::Room => {
                let relation = Members::read(self.members.get("m.relates_to")?, RELATION)
                    .map_err(|_| Fault::Mistyped { field: "m.relates_to" })?;
                if relation.text("rel_type", usize::MAX)? != "m.reference" {
                    return Err(Fault::Invalid { field: "rel_type" });
                }
                ("event_id", relation.text("event_id", usize::MAX)?)
            }
        };
        let (field, id) = id;
        let max = self.limits.text_len.min(MAX_FLOW_ID_LEN);
        match id.len() {
            0 => Err(Fault::Empty { field }),
            len if len > max => Err(Fault::TooLong { field, max }),
            _ => Ok(id),
        }
    }

    fn content(&self, kind: Kind, transport: Transport) -> Result<Content, Fault> {
        Ok(match (kind, transport) {
            (Kind::Request, Transport::ToDevice) => Content::Request {
                from_device: self.sending_device()?,
                methods: self.methods()?,
                timestamp: self.members.integer("timestamp")?,
            },
            (Kind::Request, Transport::Room) => Content::RoomRequest {
                from_device: self.sending_device()?,
                methods: self.methods()?,
                to: self.to()?,
            },
            (Kind::Ready, _) => {
                Content::Ready { from_device: self.sending_device()?, methods: self.methods()? }
            }
            (Kind::Start, _) => {
                let from_device = self.sending_device()?;
                Content::Start(Start::read(from_device, self.members, self.content, self.limits)?)
            }
            (Kind::Accept, _) => Content::Accept(Accept::read(self.members, self.limits)?),
            (Kind::Key, _) => {
                let key = self.members.text("key", self.limits.text_len)?;
                Content::Key { key: base64_of_32(key, "key", TrailingBits::Refused)? }
            }
            (Kind::Mac, _) => Content::Mac(Mac::read(self.members, self.limits)?),
            (Kind::Done, _) => Content::Done,
            // Whatever is in it, it ends the flow.
            (Kind::Cancel, _) => Content::Cancel {
                code: self.members.text("code", self.limits.text_len).ok(),
                reason: self.reason(),
            },
        })
    }

    fn sending_device(&self) -> Result<String, Fault> {
        let device_id = self.members.text("from_device", self.limits.text_len)?;
        match DeviceId::parse(&device_id) {
            Ok(_) => Ok(device_id),
            Err(_) => Err(Fault::Invalid { field: "from_device" }),
        }
    }

    fn to(&self) -> Result<String, Fault> {
        let user_id = self.members.text("to", self.limits.text_len)?;
        match UserId::parse(&user_id) {
            Ok(_) => Ok(user_id),
            Err(_) => Err(Fault::Invalid { field: "to" }),
        }
    }

    fn methods(&self) -> Result<Vec<String>, Fault> {
        let max = Max { count: self.limits.methods, text_len: self.limits.text_len };
        self.members.texts("methods", max)
    }

    fn reason(&self) -> Option<String> {
        let mut reason = self.members.text("reason", usize::MAX).ok()?;
        let mut end = self.limits.reason_len.min(reason.len());
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Some(reason)
    }
}

/// All members that any content has and that are read.
const NAMES: &[&str] = &[
    "code",
    "commitment",
    "from_device",
    "hash",
    "hashes",
    "key",
    "key_agreement_protocol",
    "key_agreement_protocols",
    "keys",
    "m.relates_to",
    "mac",
    "message_authentication_code",
    "message_authentication_codes",
    "method",
    "methods",
    "msgtype",
    "reason",
    "secret",
    "short_authentication_string",
    "timestamp",
    "to",
    "transaction_id",
];

const RELATION: &[&str] = &["event_id", "rel_type"];
