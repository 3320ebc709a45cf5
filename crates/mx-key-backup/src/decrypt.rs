use alloc::vec::Vec;
use core::fmt;

use mx_aes_sha2::cbc_hmac::CbcHmacKeys;
use mx_curve25519::{Curve25519PublicKey, KeyAgreement as _};
use mx_room_key::{BackedUpSessionData, ExportedSessionData, MalformedObject, ParseError, RoomKey};
use mx_types::{RoomId, SessionId};
use zeroize::Zeroizing;

use crate::{BackupDecryptionKey, EncryptedSessionData};

impl BackupDecryptionKey {
    /// Decrypts the entry that the backup has under this room and session.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn decrypt<'r>(
        &self,
        room_id: RoomId<'r>,
        session_id: SessionId<'_>,
        data: &EncryptedSessionData,
    ) -> Result<RestoredSession<'r>, DecryptError> {
        let plaintext = self.decrypt_bytes(data).ok_or(DecryptError::Undecryptable)?;
        RestoredSession::of(room_id, session_id, &plaintext)
    }

    /// Decrypts any bytes: what libolm calls `PkDecryption`. `None` for a wrong MAC, a wrong padding and an impossible
    /// length: of these nobody must learn which.
    #[must_use]
    pub fn decrypt_bytes(&self, data: &EncryptedSessionData) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.message_keys(&data.ephemeral)?;
        // The MAC of nothing: it shows that both sides have one shared secret, and no more.
        keys.verify_mac(&[], &data.mac).ok()?;
        open(&keys, &data.ciphertext)
    }

    /// `AES key ‖ MAC key ‖ IV = HKDF(0, X25519(private key, ephemeral), "", 80)`.
    pub(crate) fn message_keys(&self, ephemeral: &Curve25519PublicKey) -> Option<CbcHmacKeys> {
        let secret = self.key_pair().diffie_hellman(ephemeral).ok()?;
        Some(CbcHmacKeys::expand(secret.as_bytes(), b""))
    }
}

/// The plaintext, in a vector that never grows and is wiped.
pub(crate) fn open(keys: &CbcHmacKeys, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(Vec::from(ciphertext));
    let len = keys.decrypt_in_place(&mut buffer).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}

/// A session out of a backup, under the room that the backup had it in.
///
/// It is unauthenticated, all of it: the room, the sender key, and that anybody ever sent it. A [`RoomKey`] made of it says
/// so ([`Provenance::Backup`](mx_room_key::Provenance::Backup)), and [`RoomKey::merge`] never puts it in the place of a
/// session that came first-hand.
#[derive(Debug)]
pub struct RestoredSession<'r> {
    room_id: RoomId<'r>,
    data: BackedUpSessionData,
}

impl<'r> RestoredSession<'r> {
    /// Reads the plaintext of an entry.
    pub(crate) fn of(
        room_id: RoomId<'r>,
        session_id: SessionId<'_>,
        plaintext: &[u8],
    ) -> Result<Self, DecryptError> {
        use MalformedObject::{NotAnObject, Syntax, TooDeep};
        let data = BackedUpSessionData::parse(plaintext).map_err(|error| match error {
            // What a changed ciphertext decrypts to is no JSON: whether it was padded right must not show.
            ParseError::Object(Syntax { .. } | TooDeep { .. } | NotAnObject) => DecryptError::Undecryptable,
            error => DecryptError::Session(error),
        })?;
        if data.session_id().as_str() != session_id.as_str() {
            return Err(DecryptError::OtherSession);
        }
        Ok(Self { room_id, data })
    }

    /// The room under which the backup had it. Nothing shows that the session is of that room.
    #[must_use]
    pub const fn room_id(&self) -> RoomId<'r> {
        self.room_id
    }

    /// The session. All but the session key are claims.
    #[must_use]
    pub const fn data(&self) -> &BackedUpSessionData {
        &self.data
    }

    /// As a room key of [`Provenance::Backup`](mx_room_key::Provenance::Backup), to be merged with what is known.
    ///
    /// Call [`RoomKey::set_backed_up`] if it was the backup in use that it came from.
    #[must_use]
    pub fn into_room_key(self) -> RoomKey {
        RoomKey::from_backup(self.room_id, self.data)
    }

    /// As an entry of a key export file. A file has no word for where a session is from: whoever reads it takes every
    /// session in it for unauthenticated.
    #[must_use]
    pub fn into_exported(self) -> ExportedSessionData<'r> {
        ExportedSessionData::new(self.room_id, self.data)
    }
}

/// Why an entry of a backup was not decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecryptError {
    /// Another key, or a damaged entry: MAC, padding and JSON do not say which of them was wrong, because the
    /// server, which can change the ciphertext under a MAC that stays right, would learn plaintext from it.
    Undecryptable,
    /// It was decrypted and is JSON, but not a session.
    Session(ParseError),
    /// It is a session, but another one than it is filed under.
    OtherSession,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecryptable => f.write_str("not encrypted for this key, or damaged"),
            Self::Session(error) => write!(f, "session: {error}"),
            Self::OtherSession => f.write_str("session is not the one that it is filed under"),
        }
    }
}

impl core::error::Error for DecryptError {}
