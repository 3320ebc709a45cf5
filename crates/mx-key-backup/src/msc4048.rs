//! MSC4048, "Authenticated key backup": a proposal, not part of the specification, which may change or go.
//!
//! Its text was read at matrix-spec-proposals#4048 (open). A MAC under a second key, which the server does not have, covers
//! each encrypted session: one with a right MAC was put there by somebody who has the key. Names are the unstable ones.
//!
//! | | |
//! |---|---|
//! | [`BackupMacKey`] | the second key, which follows from the decryption key |
//! | [`BackupMacKey::authenticate`], [`BackupMacKey::verify`] | the MAC of an entry of a backup of version 1 or 2 |
//! | [`TrustedMsc4048Backup`] | encrypts for a backup of the algorithm [`ALGORITHM`] |
//! | [`BackupDecryptionKey::decrypt_msc4048`] | decrypts what [`BackupMacKey::verify`] has verified |

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, str};

use mx_aes_sha2::{HmacKey, hkdf_sha256};
use mx_canonical_json::{CanonicalObject, CanonicalizeError, Limits};
use mx_curve25519::Curve25519PublicKey;
use mx_json::{
    MalformedObject,
    required::{object, string},
};
use mx_room_key::{BackedUpSessionData, Provenance, RoomKey};
use mx_types::{
    RoomId, SessionId,
    base64::{self, DecodeError, TrailingBits},
};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{
    BackupDecryptionKey, DecryptError, EncryptError, MAX_ENTRY_LEN, RestoredSession, SecretError,
    ServerBackup, SessionDataError, TrustAnchors, TrustedBackup, UntrustedBackup,
    decrypt::open,
    encrypt::{message_keys, seal},
    session_data::{ciphertext_bytes, ephemeral_key},
    version::quoted,
};

/// The unstable name of the algorithm.
pub const ALGORITHM: &str = "org.matrix.msc4048.curve25519-aes-sha2";

/// The unstable name of the secret that the MAC key is.
pub const MAC_SECRET_NAME: &str = "org.matrix.msc4048.mac";

/// The unstable name of the MAC in `unsigned`.
const BACKUP_MAC: &str = "org.matrix.msc4048.backup_mac";

/// The key of the MACs. Wiped when dropped.
pub struct BackupMacKey {
    bytes: Zeroizing<[u8; 32]>,
    hmac: HmacKey,
}

impl BackupMacKey {
    /// That of a backup: `HKDF(0, decryption key, "MATRIX_BACKUP_MAC_KEY", 32)`.
    #[must_use]
    pub fn of(key: &BackupDecryptionKey) -> Self {
        Self::from_bytes(&hkdf_sha256(&[], key.as_bytes(), b"MATRIX_BACKUP_MAC_KEY"))
    }

    /// Takes the 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self { bytes: Zeroizing::new(*bytes), hmac: HmacKey::new(bytes) }
    }

    /// Reads the secret: Base64, padded or not.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn from_secret(text: &str) -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new([0; 32]);
        match base64::decode_secret(text, &mut *bytes) {
            Ok(secret) if secret.len() == 32 => Ok(Self::from_bytes(&bytes)),
            Ok(_) | Err(DecodeError::BufferTooSmall(_)) => Err(SecretError::Length),
            Err(error) => Err(SecretError::Base64(error)),
        }
    }

    /// The form in which it is a secret: unpadded Base64, in a string that is wiped when dropped.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new([0; 43]);
        Zeroizing::new(String::from(base64::encode_secret(&*self.bytes, &mut *out).unwrap_or_default()))
    }

    /// The `session_data` with a MAC: of its canonical form without `signatures` and `unsigned`. What else there was in
    /// `unsigned` is left out.
    ///
    /// # Errors
    ///
    /// [`BackupMacError::Json`].
    pub fn authenticate(&self, session_data: &str) -> Result<String, BackupMacError> {
        let object =
            CanonicalObject::parse(session_data, &NOT_COVERED, &LIMITS).map_err(BackupMacError::Json)?;
        let mac = base64::encode_to_string(&self.hmac.mac(object.as_str().as_bytes()));
        let unsigned = CanonicalObject::default().with_members(&[(BACKUP_MAC, &quoted(&mac))]);
        let mut more = Vec::from([("unsigned", unsigned.as_str())]);
        more.extend(object.left_out("signatures").map(|signatures| ("signatures", signatures)));
        Ok(object.with_members(&more))
    }

    /// Verifies the MAC of `session_data`, in constant time, and reads it from the very text that the MAC covers. An entry
    /// without a right MAC is to be ignored in a backup of [`ALGORITHM`].
    ///
    /// # Errors
    ///
    /// [`BackupMacError`].
    pub fn verify(&self, session_data: &str) -> Result<AuthenticSessionData, BackupMacError> {
        let object =
            CanonicalObject::parse(session_data, &NOT_COVERED, &LIMITS).map_err(BackupMacError::Json)?;
        let unsigned = object.left_out("unsigned").ok_or(BackupMacError::Missing)?;
        let [mac] = mx_json::members(unsigned.as_bytes(), &[BACKUP_MAC]).map_err(BackupMacError::Object)?;
        let mac = mac.ok_or(BackupMacError::Missing)?;
        let mac: [u8; 32] = base64::decode_array(
            &*string(Some(mac), BACKUP_MAC).map_err(BackupMacError::Object)?,
            TrailingBits::Ignored,
        )
        .map_err(BackupMacError::Base64)?;
        let covered = object.as_str().as_bytes();
        if !bool::from(self.hmac.mac(covered).ct_eq(&mac)) {
            return Err(BackupMacError::Mismatch);
        }
        let [ephemeral, ciphertext] = mx_json::members(covered, &["ephemeral", "ciphertext"])
            .map_err(|error| BackupMacError::SessionData(error.into()))?;
        Ok(AuthenticSessionData {
            ephemeral: ephemeral_key(ephemeral).map_err(BackupMacError::SessionData)?,
            ciphertext: ciphertext_bytes(ciphertext).map_err(BackupMacError::SessionData)?,
        })
    }

    /// [`verify`](Self::verify) of the `session_data` of an entry.
    ///
    /// # Errors
    ///
    /// [`BackupMacError`].
    pub fn verify_entry(&self, entry: &[u8]) -> Result<AuthenticSessionData, BackupMacError> {
        let [session_data] = mx_json::members(entry, &["session_data"]).map_err(BackupMacError::Object)?;
        let session_data = object(session_data, "session_data").map_err(BackupMacError::Object)?;
        self.verify(str::from_utf8(session_data).unwrap_or_default())
    }
}

// All its parts are.
impl ZeroizeOnDrop for BackupMacKey {}

impl fmt::Debug for BackupMacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupMacKey").finish_non_exhaustive()
    }
}

/// An encrypted session whose MAC was right: somebody who has the MAC key put it into the backup.
#[derive(Clone, Debug)]
pub struct AuthenticSessionData {
    ephemeral: Curve25519PublicKey,
    ciphertext: Vec<u8>,
}

/// What whoever stored a session says of where it was from. Absent means that it came first-hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authenticity<'a> {
    /// It came first-hand.
    Authenticated,
    /// It did not: `m.undefined`, `m.legacy-v1`, `m.forwarded_room_key`, or another word.
    Unauthenticated(Cow<'a, str>),
}

impl Authenticity<'static> {
    /// It did not come first-hand, and no more is said.
    pub const UNDEFINED: Self = Self::Unauthenticated(Cow::Borrowed("m.undefined"));
    /// It is out of a backup of version 1.
    pub const LEGACY_V1: Self = Self::Unauthenticated(Cow::Borrowed("m.legacy-v1"));
    /// Another device forwarded it.
    pub const FORWARDED: Self = Self::Unauthenticated(Cow::Borrowed("m.forwarded_room_key"));

    /// Of a session from its first known index on, all of which is stored.
    #[must_use]
    pub fn of(room_key: &RoomKey) -> Self {
        match room_key.origin_at(room_key.first_known_index()).provenance {
            Provenance::FirstHand => Self::Authenticated,
            Provenance::Forwarded(_) => Self::FORWARDED,
            Provenance::Backup => Self::LEGACY_V1,
            _ => Self::UNDEFINED,
        }
    }
}

impl BackupDecryptionKey {
    /// Decrypts the entry that the backup has under this room and session, and says what whoever stored it says of where
    /// the session was from. The MAC does not cover room and session: the ID of the session is compared, the room is not known.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn decrypt_msc4048<'r>(
        &self,
        room_id: RoomId<'r>,
        session_id: SessionId<'_>,
        data: &AuthenticSessionData,
    ) -> Result<(RestoredSession<'r>, Authenticity<'static>), DecryptError> {
        let keys = self.message_keys(&data.ephemeral).ok_or(DecryptError::Undecryptable)?;
        let plaintext = open(&keys, &data.ciphertext).ok_or(DecryptError::Undecryptable)?;
        let session = RestoredSession::of(room_id, session_id, &plaintext)?;
        let authenticity = match mx_json::members(&plaintext, &[UNAUTHENTICATED]) {
            Ok([None]) => Authenticity::Authenticated,
            Ok([value]) => string(value, UNAUTHENTICATED).map_or(Authenticity::UNDEFINED, |word| {
                Authenticity::Unauthenticated(word.into_owned().into())
            }),
            Err(_) => Authenticity::UNDEFINED,
        };
        Ok((session, authenticity))
    }
}

/// A trusted backup of [`ALGORITHM`].
#[derive(Clone, Debug)]
pub struct TrustedMsc4048Backup(TrustedBackup);

impl TrustedMsc4048Backup {
    /// As [`ServerBackup::trust`].
    ///
    /// # Errors
    ///
    /// [`UntrustedBackup`].
    pub fn new(backup: &ServerBackup, anchors: &TrustAnchors<'_>) -> Result<Self, UntrustedBackup> {
        let auth_data = backup.auth_data_of(ALGORITHM).map_err(UntrustedBackup::Unusable)?;
        TrustedBackup::examine(backup.version(), &auth_data, anchors).map(Self)
    }

    /// Encrypts a session and gives `session_data` with its MAC.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn encrypt_session_data<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        mac_key: &BackupMacKey,
        data: &BackedUpSessionData,
        authenticity: &Authenticity<'_>,
    ) -> Result<String, EncryptError> {
        let (ephemeral, keys) = message_keys(rng, &self.0.public_key())?;
        let ciphertext = base64::encode_to_string(&seal(&keys, &plaintext(data, authenticity))?);
        let ephemeral = base64::encode_to_string(ephemeral.as_bytes());
        let members = [("ciphertext", quoted(&ciphertext)), ("ephemeral", quoted(&ephemeral))];
        let members = members.each_ref().map(|(name, value)| (*name, value.as_str()));
        let session_data = CanonicalObject::default().with_members(&members);
        // Nothing in it has no canonical form.
        Ok(mac_key.authenticate(&session_data).unwrap_or(session_data))
    }
}

/// The JSON of the session with one member more, in a vector that never grows.
fn plaintext(data: &BackedUpSessionData, authenticity: &Authenticity<'_>) -> Zeroizing<Vec<u8>> {
    let json = data.emit_to_vec();
    let Authenticity::Unauthenticated(word) = authenticity else { return json };
    let word = quoted(word);
    let open_object = json.strip_suffix(b"}").unwrap_or_default();
    let parts = [open_object, b",\"", UNAUTHENTICATED.as_bytes(), b"\":", word.as_bytes(), b"}"];
    Zeroizing::new(parts.concat())
}

const UNAUTHENTICATED: &str = "unauthenticated";

const NOT_COVERED: [&str; 2] = ["signatures", "unsigned"];

const LIMITS: Limits = Limits { len: MAX_ENTRY_LEN, ..Limits::DEFAULT };

/// Why an encrypted session is not authentic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BackupMacError {
    /// Not an object that has a canonical form.
    Json(CanonicalizeError),
    /// The entry has no such `session_data`, or `unsigned` is not of its form.
    Object(MalformedObject),
    /// There is no MAC: it may be an entry of version 1.
    Missing,
    /// The MAC is not 32 bytes in Base64.
    Base64(DecodeError),
    /// The MAC is not one of this text by this key.
    Mismatch,
    /// The MAC is right, and the object no encrypted session.
    SessionData(SessionDataError),
}

impl fmt::Display for BackupMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Object(error) => error.fmt(f),
            Self::Missing => f.write_str("backup_mac is missing"),
            Self::Base64(error) => write!(f, "backup_mac: {error}"),
            Self::Mismatch => f.write_str("backup_mac does not match: wrong key, or damaged"),
            Self::SessionData(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for BackupMacError {}
