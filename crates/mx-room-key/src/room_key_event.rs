use alloc::{borrow::ToOwned, string::String, vec::Vec};

use mx_json::{Value, check_len};
use mx_megolm::{ExportedSessionKey, GroupSessionId, SessionKey};
use mx_types::{Curve25519PublicKey, Ed25519PublicKey, RoomId};
use zeroize::Zeroizing;

use crate::{
    MAX_SESSION_DATA_LEN, MEGOLM, MalformedObject, ParseError, WithheldCode,
    emit::{self, Emitter},
    member::{check_algorithm, check_session_id, forwarding_chain, identifier, key, session_key},
    shared_history::{self, shared_history},
    withheld::reason_of,
};

/// The content of `m.room_key`: a session from the device that made it. Take it from Olm messages only.
#[derive(Debug)]
pub struct RoomKeyContent {
    pub(crate) room_id: String,
    /// The session, signed by its owner.
    pub session_key: SessionKey,
    /// Whether the session may be shared with users who join later.
    pub shared_history: bool,
}

impl RoomKeyContent {
    /// A session of a room.
    #[must_use]
    pub fn new(room_id: RoomId<'_>, session_key: SessionKey, shared_history: bool) -> Self {
        Self { room_id: room_id.as_str().to_owned(), session_key, shared_history }
    }

    /// Reads the object and verifies the signature in the session key. Members that the specification does not name
    /// are passed over.
    ///
    /// # Errors
    ///
    /// [`ParseError`]. The export format is none of a session key here: nothing would show whose session it is.
    pub fn parse(json: &[u8]) -> Result<Self, ParseError> {
        const MEMBERS: [&str; 7] = {
            let [a, b, c] = shared_history::SPELLINGS;
            ["algorithm", "room_id", "session_id", "session_key", a, b, c]
        };
        check_len(json, MAX_SESSION_DATA_LEN)?;
        let [algorithm, room_id, session_id, key, history @ ..] = mx_json::members(json, &MEMBERS)?;
        check_algorithm(algorithm)?;
        let room_id = identifier(room_id, "room_id", |text| RoomId::parse(text).map(drop))?;
        let key = session_key(key, SessionKey::from_base64)?;
        check_session_id(session_id, &key.session_id())?;
        Ok(Self { room_id: room_id.into_owned(), session_key: key, shared_history: shared_history(&history) })
    }

    /// The room whose messages the session decrypts.
    #[must_use]
    pub fn room_id(&self) -> &str {
        &self.room_id
    }

    /// The session's ID.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.session_key.session_id()
    }

    /// The JSON, in a vector that is wiped when dropped.
    #[must_use]
    pub fn emit_to_vec(&self) -> Zeroizing<Vec<u8>> {
        emit::emit_to_vec(|out| {
            emit_begin(out, &self.room_id, &self.session_id());
            out.raw(",\"session_key\":");
            out.secret(|room| self.session_key.to_base64(room));
            out.raw(",\"shared_history\":");
            out.raw(if self.shared_history { "true}" } else { "false}" });
        })
    }
}

/// The content of `m.forwarded_room_key`: a session from a device that has it from another one.
///
/// Take it from Olm messages only, from a verified device of one's own user, and only when it was asked for. All but
/// the session key are claims. There is no `shared_history`: a forwarded session is not shareable.
#[derive(Debug)]
pub struct ForwardedRoomKeyContent {
    pub(crate) room_id: String,
    /// The session.
    pub session_key: ExportedSessionKey,
    /// The Curve25519 key of the device that the session is said to be from.
    pub sender_key: Curve25519PublicKey,
    /// The Ed25519 key that this device is said to have claimed.
    pub sender_claimed_ed25519: Ed25519PublicKey,
    /// The Curve25519 keys of the devices that had forwarded the session to the one that forwards it now.
    pub forwarding_chain: Vec<Curve25519PublicKey>,
    /// Why earlier messages cannot be read, if the forwarding device was told so.
    pub withheld: Option<(WithheldCode, Option<String>)>,
}

impl ForwardedRoomKeyContent {
    /// A session of a room that was never forwarded before.
    #[must_use]
    pub fn new(
        room_id: RoomId<'_>,
        session_key: ExportedSessionKey,
        sender_key: Curve25519PublicKey,
        sender_claimed_ed25519: Ed25519PublicKey,
    ) -> Self {
        Self {
            room_id: room_id.as_str().to_owned(),
            session_key,
            sender_key,
            sender_claimed_ed25519,
            forwarding_chain: Vec::new(),
            withheld: None,
        }
    }

    /// Reads the object. Members that the specification does not name are passed over.
    ///
    /// # Errors
    ///
    /// [`ParseError`].
    pub fn parse(json: &[u8]) -> Result<Self, ParseError> {
        const MEMBERS: [&str; 8] = [
            "algorithm",
            "room_id",
            "sender_key",
            "session_id",
            "session_key",
            "sender_claimed_ed25519_key",
            "forwarding_curve25519_key_chain",
            "withheld",
        ];
        check_len(json, MAX_SESSION_DATA_LEN)?;
        let [algorithm, room_id, sender_key, session_id, exported_key, claimed, chain, withheld] =
            mx_json::members(json, &MEMBERS)?;
        check_algorithm(algorithm)?;
        let room_id = identifier(room_id, "room_id", |text| RoomId::parse(text).map(drop))?;
        let exported_key = session_key(exported_key, ExportedSessionKey::from_base64)?;
        check_session_id(session_id, &exported_key.session_id())?;
        Ok(Self {
            room_id: room_id.into_owned(),
            session_key: exported_key,
            sender_key: key(sender_key, "sender_key", Curve25519PublicKey::from_base64)?,
            sender_claimed_ed25519: key(
                claimed,
                "sender_claimed_ed25519_key",
                Ed25519PublicKey::from_base64,
            )?,
            forwarding_chain: forwarding_chain(chain)?,
            withheld: withheld_of(withheld)?,
        })
    }

    /// The room whose messages the session decrypts, by the word of the forwarding device.
    #[must_use]
    pub fn room_id(&self) -> &str {
        &self.room_id
    }

    /// The session's ID, by its key.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.session_key.session_id()
    }

    /// The JSON, in a vector that is wiped when dropped.
    #[must_use]
    pub fn emit_to_vec(&self) -> Zeroizing<Vec<u8>> {
        emit::emit_to_vec(|out| {
            emit_begin(out, &self.room_id, &self.session_id());
            out.keys(",\"forwarding_curve25519_key_chain\":", &self.forwarding_chain);
            out.raw(",\"sender_claimed_ed25519_key\":");
            out.base64(self.sender_claimed_ed25519.as_bytes());
            out.raw(",\"sender_key\":");
            out.base64(self.sender_key.as_bytes());
            out.raw(",\"session_key\":");
            out.secret(|room| self.session_key.to_base64(room));
            if let Some((code, reason)) = &self.withheld {
                out.raw(",\"withheld\":{\"code\":");
                out.string(code.as_str());
                // The specification asks for both where there is one.
                out.raw(",\"reason\":");
                out.string(reason.as_deref().unwrap_or_default());
                out.raw("}");
            }
            out.raw("}");
        })
    }
}

/// What files, bundles and events say of a session first.
pub(crate) fn emit_begin(out: &mut Emitter<'_>, room_id: &str, session_id: &GroupSessionId) {
    out.raw("{\"algorithm\":");
    out.plain(MEGOLM);
    out.raw(",\"room_id\":");
    out.string(room_id);
    out.raw(",\"session_id\":");
    out.plain(session_id.as_str());
}

fn withheld_of(withheld: Option<Value<'_>>) -> Result<Option<(WithheldCode, Option<String>)>, ParseError> {
    match withheld {
        None => Ok(None),
        Some(Value::Object(object)) => {
            let [code, reason] = mx_json::members(object, &["code", "reason"])?;
            Ok(Some((WithheldCode::from_member(code)?, reason_of(reason)?)))
        }
        Some(_) => Err(MalformedObject::WrongType { member: "withheld" }.into()),
    }
}
