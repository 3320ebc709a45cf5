use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    vec::Vec,
};
use core::fmt;

use mx_json::{Value, check_len, required::string};
use mx_types::{Curve25519PublicKey, DeviceId, InvalidIdentifier, RoomId, SessionId};

use crate::{
    MEGOLM, ParseError,
    emit::{self, Emitter},
    member::{check_algorithm, identifier, key},
};

/// The longest object that is read as a notice that a key is withheld, in bytes.
pub const MAX_WITHHELD_LEN: usize = 65_536;

/// The longest reason that is read, in bytes.
pub const MAX_REASON_LEN: usize = 1024;

/// Why a room key was not sent: the content of `m.room_key.withheld`, and an entry in a bundle.
///
/// Nobody vouches for it. It may explain why a message cannot be read, and must never change what is done with a key
/// that is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withheld {
    /// The Curve25519 key of the device that says so.
    pub sender_key: Curve25519PublicKey,
    /// What it says.
    pub code: WithheldCode,
    /// The session that it is about; `None` for [`WithheldCode::NoOlm`], which is about all of them.
    session: Option<(String, String)>,
    reason: Option<String>,
    from_device: Option<String>,
}

impl Withheld {
    /// A notice about a session of a room.
    #[must_use]
    pub fn new(
        room_id: RoomId<'_>,
        session_id: SessionId<'_>,
        sender_key: Curve25519PublicKey,
        code: WithheldCode,
    ) -> Self {
        let session = Some((room_id.as_str().to_owned(), session_id.as_str().to_owned()));
        Self { sender_key, code, session, reason: None, from_device: None }
    }

    /// The notice that no Olm session could be opened, so that no key could be sent at all.
    #[must_use]
    pub const fn no_olm(sender_key: Curve25519PublicKey) -> Self {
        Self { sender_key, code: WithheldCode::NoOlm, session: None, reason: None, from_device: None }
    }

    /// The same with a reason for people to read, cut after [`MAX_REASON_LEN`] bytes.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        let end = (0..=MAX_REASON_LEN).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or_default();
        self.reason = Some(reason.get(..end).unwrap_or(reason).to_owned());
        self
    }

    /// The same with the ID of the device that says so, which matrix-sdk-crypto adds.
    #[must_use]
    pub fn with_from_device(mut self, device_id: DeviceId<'_>) -> Self {
        self.from_device = Some(device_id.as_str().to_owned());
        self
    }

    /// Reads the object. Members that the specification does not name are passed over.
    ///
    /// # Errors
    ///
    /// [`ParseError`].
    pub fn parse(json: &[u8]) -> Result<Self, ParseError> {
        check_len(json, MAX_WITHHELD_LEN)?;
        let [algorithm, room_id, session_id, sender_key, code, reason, from_device] =
            mx_json::members(json, &MEMBERS)?;
        check_algorithm(algorithm)?;
        let sender_key = key(sender_key, "sender_key", Curve25519PublicKey::from_base64)?;
        let code = WithheldCode::from_member(code)?;
        let session = if code == WithheldCode::NoOlm {
            None
        } else {
            let room_id = identifier(room_id, "room_id", |text| RoomId::parse(text).map(drop))?;
            let session_id = identifier(session_id, "session_id", |text| SessionId::parse(text).map(drop))?;
            Some((room_id.into_owned(), session_id.into_owned()))
        };
        let from_device = from_device
            .map(|_| identifier(from_device, "from_device", |text| DeviceId::parse(text).map(drop)))
            .transpose()?
            .map(Cow::into_owned);
        Ok(Self { sender_key, code, session, reason: reason_of(reason)?, from_device })
    }

    /// The room, unless it is about all sessions.
    #[must_use]
    pub fn room_id(&self) -> Option<&str> {
        self.session.as_ref().map(|(room_id, _)| room_id.as_str())
    }

    /// The session, unless it is about all of them.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_ref().map(|(_, session_id)| session_id.as_str())
    }

    /// What to show where the code is unknown. A stranger has written it; show it as a quotation.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The ID of the device that says so, as it says.
    #[must_use]
    pub fn from_device(&self) -> Option<&str> {
        self.from_device.as_deref()
    }

    /// The JSON.
    #[must_use]
    pub fn emit_to_vec(&self) -> Vec<u8> {
        core::mem::take(&mut *emit::emit_to_vec(|out| self.write(out)))
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) {
        out.raw("{\"algorithm\":");
        out.plain(MEGOLM);
        out.raw(",\"code\":");
        out.string(self.code.as_str());
        if let Some(device_id) = &self.from_device {
            out.raw(",\"from_device\":");
            out.string(device_id);
        }
        if let Some(reason) = &self.reason {
            out.raw(",\"reason\":");
            out.string(reason);
        }
        if let Some((room_id, session_id)) = &self.session {
            out.raw(",\"room_id\":");
            out.string(room_id);
            out.raw(",\"sender_key\":");
            out.base64(self.sender_key.as_bytes());
            out.raw(",\"session_id\":");
            out.string(session_id);
        } else {
            out.raw(",\"sender_key\":");
            out.base64(self.sender_key.as_bytes());
        }
        out.raw("}");
    }
}

/// The reason. One that is longer than anybody would read is refused.
pub(crate) fn reason_of(reason: Option<Value<'_>>) -> Result<Option<String>, ParseError> {
    let member = "reason";
    // matrix-sdk-crypto writes `null` beside a code that it does not know.
    let text = match reason {
        None | Some(Value::Null) => return Ok(None),
        Some(_) => string(reason, member)?,
    };
    let (len, limit) = (text.len(), MAX_REASON_LEN);
    if len > limit { Err(ParseError::TooLong { member, len, limit }) } else { Ok(Some(text.into_owned())) }
}

/// What a [`Withheld`] says.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WithheldCode {
    /// `m.blacklisted`: the user or device was blocked.
    Blacklisted,
    /// `m.unverified`: the user or device is not verified.
    Unverified,
    /// `m.unauthorised`: the user or device may not have the key, because it was not in the room, say.
    Unauthorised,
    /// `m.unavailable`: the device that was asked does not have the key.
    Unavailable,
    /// `m.no_olm`: no Olm session could be opened.
    NoOlm,
    /// `m.history_not_shared`: the session is not to be shared with those who join later. Only in bundles.
    HistoryNotShared,
    /// Any other, with a name of the sender's choice of 1 to 255 bytes. Show [`Withheld::reason`].
    Custom(String),
}

impl WithheldCode {
    const KNOWN: [(&str, Self); 6] = [
        ("m.blacklisted", Self::Blacklisted),
        ("m.unverified", Self::Unverified),
        ("m.unauthorised", Self::Unauthorised),
        ("m.unavailable", Self::Unavailable),
        ("m.no_olm", Self::NoOlm),
        ("m.history_not_shared", Self::HistoryNotShared),
    ];

    /// Reads a code.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentifier`] for a text of no or of more than 255 bytes, or with control characters.
    pub fn parse(code: &str) -> Result<Self, InvalidIdentifier> {
        // A code is bounded as identifiers are, and has nothing in it that steers a terminal.
        SessionId::parse(code)?;
        let known = Self::KNOWN.into_iter().find_map(|(name, known)| (name == code).then_some(known));
        Ok(known.unwrap_or_else(|| Self::Custom(code.to_owned())))
    }

    pub(crate) fn from_member(code: Option<Value<'_>>) -> Result<Self, ParseError> {
        let code = string(code, "code")?;
        Self::parse(&code).map_err(|error| ParseError::Identifier { member: "code", error })
    }

    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if let Self::Custom(code) = self {
            return code;
        }
        Self::KNOWN.iter().find_map(|(name, known)| (known == self).then_some(*name)).unwrap_or_default()
    }
}

impl fmt::Display for WithheldCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The members that are read.
const MEMBERS: [&str; 7] =
    ["algorithm", "room_id", "session_id", "sender_key", "code", "reason", "from_device"];
