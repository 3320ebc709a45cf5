use alloc::{borrow::Cow, string::String, vec::Vec};

use mx_json::{Value, check_len};
use mx_megolm::{ExportedSessionKey, GroupSessionId};
use mx_types::{BufferTooSmall, Curve25519PublicKey, Ed25519PublicKey, RoomId};
use zeroize::Zeroizing;

use crate::{
    MEGOLM, MalformedObject, ParseError,
    emit::{self, Emitter},
    member::{
        check_algorithm, check_session_id, forwarding_chain, identifier, key as public_key, session_key,
    },
    room_key_event::emit_begin,
    shared_history::{self, shared_history},
};

/// The longest object that is read as the data of a session, in bytes.
pub const MAX_SESSION_DATA_LEN: usize = 65_536;

/// The longest `forwarding_curve25519_key_chain` that is read.
pub const MAX_FORWARDING_CHAIN_LEN: usize = 100;

/// A session as it is kept in a key backup: what such an entry has inside its encryption.
///
/// All but the session key are claims: whoever could write the backup could write them. Room and session ID are those
/// under which the backup had the entry; [`session_id`](Self::session_id) is the true one.
///
/// Client-server API, "Server-side key backups", `BackedUpSessionData`.
#[derive(Debug)]
pub struct BackedUpSessionData {
    /// The session.
    pub session_key: ExportedSessionKey,
    /// The Curve25519 key of the device that the session is said to be from.
    pub sender_key: Curve25519PublicKey,
    /// The Ed25519 key of that device, by its own claim. Missing in files that some clients wrote.
    pub sender_claimed_ed25519: Option<Ed25519PublicKey>,
    /// The Curve25519 keys of the devices that forwarded the session. It proves nothing.
    pub forwarding_chain: Vec<Curve25519PublicKey>,
    /// Whether the session may be shared with users who join later.
    pub shared_history: bool,
}

impl BackedUpSessionData {
    /// The data of a session that was never forwarded and is not shareable.
    #[must_use]
    pub const fn new(session_key: ExportedSessionKey, sender_key: Curve25519PublicKey) -> Self {
        Self {
            session_key,
            sender_key,
            sender_claimed_ed25519: None,
            forwarding_chain: Vec::new(),
            shared_history: false,
        }
    }

    /// Reads the object. Members that the specification does not name are passed over.
    ///
    /// # Errors
    ///
    /// [`ParseError`].
    pub fn parse(json: &[u8]) -> Result<Self, ParseError> {
        check_len(json, MAX_SESSION_DATA_LEN)?;
        Self::from_members(&mx_json::members(json, &MEMBERS)?)
    }

    /// The session's ID, by its key.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.session_key.session_id()
    }

    /// The length of the JSON.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        emit::emitted_len(|out| self.write(out))
    }

    /// Writes the JSON to the beginning of `out` and returns it. It holds the session key: wipe it after use.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`].
    pub fn emit<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        emit::emit(|out| self.write(out), out)
    }

    /// The JSON, in a vector that is wiped when dropped.
    #[must_use]
    pub fn emit_to_vec(&self) -> Zeroizing<Vec<u8>> {
        emit::emit_to_vec(|out| self.write(out))
    }

    pub(crate) fn from_members(members: &Members<'_>) -> Result<Self, ParseError> {
        let [algorithm, _, _, key, sender_key, claimed, chain, history @ ..] = members;
        check_algorithm(*algorithm)?;
        Ok(Self {
            session_key: session_key(*key, ExportedSessionKey::from_base64)?,
            sender_key: public_key(*sender_key, "sender_key", Curve25519PublicKey::from_base64)?,
            sender_claimed_ed25519: claimed_ed25519(*claimed)?,
            // Files without it are in use.
            forwarding_chain: chain.map_or_else(|| Ok(Vec::new()), |chain| forwarding_chain(Some(chain)))?,
            shared_history: shared_history(history),
        })
    }

    fn write(&self, out: &mut Emitter<'_>) {
        out.raw("{\"algorithm\":");
        out.plain(MEGOLM);
        self.write_keys(out);
        self.write_rest(out);
    }

    /// The keys, as bundles have them, too.
    pub(crate) fn write_keys(&self, out: &mut Emitter<'_>) {
        out.raw(",\"session_key\":");
        out.secret(|room| self.session_key.to_base64(room));
        out.raw(",\"sender_key\":");
        out.base64(self.sender_key.as_bytes());
        out.raw(",\"sender_claimed_keys\":{");
        if let Some(key) = &self.sender_claimed_ed25519 {
            out.raw("\"ed25519\":");
            out.base64(key.as_bytes());
        }
        out.raw("}");
    }

    fn write_rest(&self, out: &mut Emitter<'_>) {
        out.keys(",\"forwarding_curve25519_key_chain\":", &self.forwarding_chain);
        out.raw(if self.shared_history { ",\"shared_history\":true}" } else { ",\"shared_history\":false}" });
    }
}

/// A session as it stands in a key export file.
///
/// Client-server API, "Key exports", `ExportedSessionData`.
#[derive(Debug)]
pub struct ExportedSessionData<'a> {
    room_id: Cow<'a, str>,
    /// Everything but the room.
    pub session: BackedUpSessionData,
}

impl<'a> ExportedSessionData<'a> {
    /// A session of a room.
    #[must_use]
    pub const fn new(room_id: RoomId<'a>, session: BackedUpSessionData) -> Self {
        Self::of_room(room_id.as_str(), session)
    }

    pub(crate) const fn of_room(room_id: &'a str, session: BackedUpSessionData) -> Self {
        Self { room_id: Cow::Borrowed(room_id), session }
    }

    /// Reads the object. Members that the specification does not name are passed over.
    ///
    /// # Errors
    ///
    /// [`ParseError`].
    pub fn parse(json: &'a [u8]) -> Result<Self, ParseError> {
        check_len(json, MAX_SESSION_DATA_LEN)?;
        let members = mx_json::members(json, &MEMBERS)?;
        let (room_id, session) = room_and_session(&members)?;
        Ok(Self { room_id, session })
    }

    /// Reads the object at the start of `json`, whatever follows it, and says how many bytes it has: for a list of which
    /// the elements are not told apart yet. Of each of them this takes and refuses what [`parse`](Self::parse) does.
    ///
    /// # Errors
    ///
    /// [`ParseError`]; where the object ends, if it does, is not known then.
    pub fn parse_leading(json: &'a [u8]) -> Result<(Self, usize), ParseError> {
        let json = json.get(..MAX_SESSION_DATA_LEN).unwrap_or(json);
        let (members, len) = mx_json::leading_members(json, &MEMBERS)?;
        let (room_id, session) = room_and_session(&members)?;
        Ok((Self { room_id, session }, len))
    }

    /// The room whose messages the session decrypts, as the file says.
    #[must_use]
    pub fn room_id(&self) -> &str {
        &self.room_id
    }

    /// The session's ID, by its key.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.session.session_id()
    }

    /// The same without what is borrowed.
    #[must_use]
    pub fn into_owned(self) -> ExportedSessionData<'static> {
        ExportedSessionData { room_id: Cow::Owned(self.room_id.into_owned()), session: self.session }
    }

    pub(crate) fn into_parts(self) -> (String, BackedUpSessionData) {
        (self.room_id.into_owned(), self.session)
    }

    /// The length of the JSON.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        let session_id = self.session_id();
        emit::emitted_len(|out| self.write(&session_id, out))
    }

    /// Writes the JSON to the beginning of `out` and returns it. It holds the session key: wipe it after use.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`].
    pub fn emit<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let session_id = self.session_id();
        emit::emit(|out| self.write(&session_id, out), out)
    }

    /// The JSON, in a vector that is wiped when dropped.
    #[must_use]
    pub fn emit_to_vec(&self) -> Zeroizing<Vec<u8>> {
        let session_id = self.session_id();
        emit::emit_to_vec(|out| self.write(&session_id, out))
    }

    fn write(&self, session_id: &GroupSessionId, out: &mut Emitter<'_>) {
        emit_begin(out, &self.room_id, session_id);
        self.session.write_keys(out);
        self.session.write_rest(out);
    }
}

/// Room and session, whose ID must be that of its key.
pub(crate) fn room_and_session<'a>(
    members: &Members<'a>,
) -> Result<(Cow<'a, str>, BackedUpSessionData), ParseError> {
    let session = BackedUpSessionData::from_members(members)?;
    let [_, room_id, session_id, ..] = members;
    let room_id = identifier(*room_id, "room_id", |text| RoomId::parse(text).map(drop))?;
    check_session_id(*session_id, &session.session_id())?;
    Ok((room_id, session))
}

/// Files without it are in use, and files in which it is empty.
fn claimed_ed25519(claimed: Option<Value<'_>>) -> Result<Option<Ed25519PublicKey>, ParseError> {
    const MEMBER: &str = "sender_claimed_keys";
    match claimed {
        None => Ok(None),
        Some(Value::Object(keys)) => {
            let [ed25519] = mx_json::members(keys, &["ed25519"])?;
            ed25519.map(|key| public_key(Some(key), MEMBER, Ed25519PublicKey::from_base64)).transpose()
        }
        Some(_) => Err(MalformedObject::WrongType { member: MEMBER }.into()),
    }
}

/// The members of all kinds of session data, in the order in which they are written; the first seven as [`BackedUpSessionData::from_members`] takes them.
pub(crate) const MEMBERS: [&str; 7 + shared_history::SPELLINGS.len()] = {
    let [a, b, c] = shared_history::SPELLINGS;
    [
        "algorithm",
        "room_id",
        "session_id",
        "session_key",
        "sender_key",
        "sender_claimed_keys",
        "forwarding_curve25519_key_chain",
        a,
        b,
        c,
    ]
};

type Members<'a> = [Option<Value<'a>>; MEMBERS.len()];
