use alloc::{borrow::ToOwned, boxed::Box, string::String};
use core::fmt;

use mx_megolm::{
    DecryptError, Decrypted, Generation, GroupSessionId, InboundGroupSession, UnknownMessageIndex,
};
use mx_types::{Curve25519PublicKey, Ed25519PublicKey, RoomId};
use zeroize::ZeroizeOnDrop;

use crate::{
    BackedUpSessionData, ExportedSessionData, ForwardedRoomKeyContent, Forwarder, MAX_FORWARDING_CHAIN_LEN,
    Origin, Provenance, RoomKeyContent,
};

/// A session of a room, with where it came from.
///
/// What it decrypts is only as trustworthy as its origin, and that may differ along the session: the device that made
/// it may have sent it from index 10 on, and a backup have added what is before. [`RoomKey::origin_at`] tells them
/// apart. Wiped when dropped.
pub struct RoomKey {
    pub(crate) room_id: String,
    pub(crate) session: InboundGroupSession,
    /// The better origin.
    pub(crate) origin: Origin,
    /// Where what is before the index from which the session is first-hand came from.
    pub(crate) earlier: Option<Box<Origin>>,
    pub(crate) shared_history: bool,
    pub(crate) backed_up: bool,
    pub(crate) generation: Generation,
}

impl RoomKey {
    /// A session from an `m.room_key`.
    ///
    /// `sender_key` is the Curve25519 key of the Olm session that it came by, and `sender_claimed_ed25519` what the Olm
    /// plaintext had in `keys`.
    #[must_use]
    pub fn first_hand(
        content: RoomKeyContent,
        sender_key: Curve25519PublicKey,
        sender_claimed_ed25519: Ed25519PublicKey,
    ) -> Self {
        let origin = Origin {
            provenance: Provenance::FirstHand,
            sender_key,
            sender_claimed_ed25519: Some(sender_claimed_ed25519),
            forwarding_chain: alloc::vec::Vec::new(),
        };
        let RoomKeyContent { room_id, session_key, shared_history } = content;
        Self::new(room_id, InboundGroupSession::new(&session_key), origin, shared_history)
    }

    /// A session from an `m.forwarded_room_key` that was asked for, of a verified device of our own user.
    ///
    /// `forwarder_key` is the Curve25519 key of the Olm session that it came by; it is added to the forwarding chain.
    /// The session is not shareable.
    ///
    /// # Errors
    ///
    /// [`ForwardedTooOften`].
    pub fn forwarded(
        content: ForwardedRoomKeyContent,
        forwarder: Forwarder,
        forwarder_key: Curve25519PublicKey,
    ) -> Result<Self, ForwardedTooOften> {
        let mut forwarding_chain = content.forwarding_chain;
        if forwarding_chain.len() >= MAX_FORWARDING_CHAIN_LEN {
            return Err(ForwardedTooOften);
        }
        forwarding_chain.push(forwarder_key);
        let origin = Origin {
            provenance: Provenance::Forwarded(forwarder),
            sender_key: content.sender_key,
            sender_claimed_ed25519: Some(content.sender_claimed_ed25519),
            forwarding_chain,
        };
        let session = InboundGroupSession::import(&content.session_key);
        Ok(Self::new(content.room_id, session, origin, false))
    }

    /// A session out of the key backup, which had it under this room's ID.
    ///
    /// It counts as not backed up until [`RoomKey::set_backed_up`] says that it was *this* backup that is in use.
    #[must_use]
    pub fn from_backup(room_id: RoomId<'_>, data: BackedUpSessionData) -> Self {
        Self::imported(room_id.as_str().to_owned(), data, Provenance::Backup)
    }

    /// A session out of a key export file.
    #[must_use]
    pub fn from_file(data: ExportedSessionData<'_>) -> Self {
        let (room_id, data) = data.into_parts();
        Self::imported(room_id, data, Provenance::File)
    }

    /// A session out of a bundle for this room, made by this device. It is shareable.
    #[must_use]
    pub fn from_bundle(room_id: RoomId<'_>, data: BackedUpSessionData, forwarder: Forwarder) -> Self {
        let data = BackedUpSessionData { shared_history: true, ..data };
        Self::imported(room_id.as_str().to_owned(), data, Provenance::Bundle(forwarder))
    }

    fn imported(room_id: String, data: BackedUpSessionData, provenance: Provenance) -> Self {
        let BackedUpSessionData {
            session_key,
            sender_key,
            sender_claimed_ed25519,
            forwarding_chain,
            shared_history,
        } = data;
        let origin = Origin { provenance, sender_key, sender_claimed_ed25519, forwarding_chain };
        Self::new(room_id, InboundGroupSession::import(&session_key), origin, shared_history)
    }

    const fn new(
        room_id: String,
        session: InboundGroupSession,
        origin: Origin,
        shared_history: bool,
    ) -> Self {
        let generation = Generation::NEVER_PICKLED;
        Self { room_id, session, origin, earlier: None, shared_history, backed_up: false, generation }
    }

    /// The room. A session decrypts messages of this room only.
    #[must_use]
    pub fn room_id(&self) -> &str {
        &self.room_id
    }

    /// The session's ID.
    #[must_use]
    pub fn session_id(&self) -> GroupSessionId {
        self.session.session_id()
    }

    /// The first message index that can be decrypted.
    #[must_use]
    pub const fn first_known_index(&self) -> u32 {
        self.session.first_known_index()
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &InboundGroupSession {
        &self.session
    }

    /// Verifies and decrypts a message into the beginning of `out`, as [`InboundGroupSession::decrypt`] does.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. Nothing has changed then.
    pub fn decrypt<'o>(&mut self, message: &[u8], out: &'o mut [u8]) -> Result<Decrypted<'o>, DecryptError> {
        self.session.decrypt(message, out)
    }

    /// Gives up everything before `index`, as [`InboundGroupSession::advance_to`] does.
    ///
    /// # Errors
    ///
    /// [`UnknownMessageIndex`] if it is before the first known index already.
    pub fn advance_to(&mut self, index: u32) -> Result<(), UnknownMessageIndex> {
        self.session.advance_to(index)?;
        self.forget_superseded_origin();
        Ok(())
    }

    /// An earlier origin is kept only as long as something is from there.
    pub(crate) fn forget_superseded_origin(&mut self) {
        if self.trusted_from_index() == Some(self.first_known_index()) {
            self.earlier = None;
        }
    }

    /// Where the session came from; where parts of it came different ways, the better one.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The message index from which the session is first-hand; `None` if it is not.
    #[must_use]
    pub const fn trusted_from_index(&self) -> Option<u32> {
        if self.origin.provenance.is_first_hand() { self.session.verified_from() } else { None }
    }

    /// Where that came from which decrypts the message with this index.
    #[must_use]
    pub fn origin_at(&self, message_index: u32) -> &Origin {
        match (&self.earlier, self.trusted_from_index()) {
            (Some(earlier), Some(index)) if message_index < index => earlier,
            _ => &self.origin,
        }
    }

    /// Whether the session may be shared with users who join later.
    #[must_use]
    pub const fn shared_history(&self) -> bool {
        self.shared_history
    }

    /// Whether the session, from its first known index on, is in the key backup that is in use.
    #[must_use]
    pub const fn is_backed_up(&self) -> bool {
        self.backed_up
    }

    /// Notes that the session was stored in the key backup, or that there is another backup now.
    pub const fn set_backed_up(&mut self, backed_up: bool) {
        self.backed_up = backed_up;
    }

    /// The session from its first known index on, for a key export file.
    #[must_use]
    pub fn to_exported(&self) -> ExportedSessionData<'_> {
        ExportedSessionData::of_room(&self.room_id, self.to_backed_up())
    }

    /// The session from its first known index on, for the key backup.
    #[must_use]
    pub fn to_backed_up(&self) -> BackedUpSessionData {
        BackedUpSessionData {
            session_key: self.session.export(),
            sender_key: self.origin.sender_key,
            sender_claimed_ed25519: self.origin.sender_claimed_ed25519,
            forwarding_chain: self.origin.forwarding_chain.clone(),
            shared_history: self.shared_history,
        }
    }

    /// The session from its first known index on, for a bundle; `None` if it is not shareable.
    #[must_use]
    pub fn to_bundled(&self) -> Option<BackedUpSessionData> {
        self.shared_history.then(|| self.to_backed_up())
    }
}

// All its secrets are in the session, which is.
impl ZeroizeOnDrop for RoomKey {}

impl fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomKey")
            .field("room_id", &self.room_id)
            .field("session", &self.session)
            .field("origin", &self.origin)
            .field("shared_history", &self.shared_history)
            .finish_non_exhaustive()
    }
}

/// A session was forwarded [`MAX_FORWARDING_CHAIN_LEN`] times already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ForwardedTooOften;

impl fmt::Display for ForwardedTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session was forwarded {MAX_FORWARDING_CHAIN_LEN} times already")
    }
}

impl core::error::Error for ForwardedTooOften {}
