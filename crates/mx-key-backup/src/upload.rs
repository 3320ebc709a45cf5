use alloc::{
    borrow::ToOwned as _,
    collections::BTreeMap,
    string::{String, ToString as _},
    vec::Vec,
};

use mx_canonical_json::CanonicalObject;
use mx_json::{
    MalformedObject, Value,
    required::{count, string},
};
use mx_room_key::RoomKey;
use rand_core::TryCryptoRng;

use crate::{EncryptError, Keys, TrustedBackup, path::keys_path};

/// How many sessions a request has at most, if you have no other number.
pub const DEFAULT_BATCH_LEN: usize = 100;

/// Some sessions, encrypted: a request to store them.
#[derive(Clone, Debug)]
pub struct UploadBatch {
    version: String,
    body: String,
    sessions: BTreeMap<String, BTreeMap<String, u32>>,
    len: usize,
}

impl TrustedBackup {
    /// The next request: the first of these sessions that are not backed up, at most `limit` of them. `None` if all are.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn batch<'k, R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        room_keys: impl IntoIterator<Item = &'k RoomKey>,
        limit: usize,
    ) -> Result<Option<UploadBatch>, EncryptError> {
        let (mut sessions, mut entries) =
            (BTreeMap::<_, BTreeMap<_, _>>::new(), BTreeMap::<_, BTreeMap<_, _>>::new());
        let mut len = 0;
        for room_key in room_keys.into_iter().filter(|room_key| !room_key.is_backed_up()).take(limit) {
            let session_id = room_key.session_id().to_string();
            let entry = self.encrypt(rng, room_key)?.emit();
            let indexes = sessions.entry(room_key.room_id().to_owned()).or_default();
            len += usize::from(indexes.insert(session_id.clone(), room_key.first_known_index()).is_none());
            entries.entry(room_key.room_id()).or_default().insert(session_id, entry);
        }
        let rooms = entries
            .into_iter()
            .map(|(room_id, sessions)| (room_id, object([("sessions", object(sessions))])));
        let body = object([("rooms", object(rooms))]);
        Ok((len > 0).then(|| UploadBatch { version: self.version().to_owned(), body, sessions, len }))
    }
}

impl UploadBatch {
    /// Where to `PUT` it.
    #[must_use]
    pub fn path(&self) -> String {
        keys_path(Keys::All, &self.version)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// How many sessions there are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none in it, which is never so.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the server's answer means.
    #[must_use]
    pub fn outcome(self, status: u16, answer: &[u8]) -> UploadOutcome {
        if status == 200 {
            return match stored(answer) {
                Ok((etag, count)) => UploadOutcome::Stored(Stored {
                    version: self.version,
                    etag,
                    count,
                    sessions: self.sessions,
                }),
                Err(error) => UploadOutcome::Malformed(error),
            };
        }
        let members = mx_json::members(answer, &["errcode", "current_version", "retry_after_ms"]);
        let [errcode, current_version, retry_after] = members.unwrap_or_default();
        let text = |value: Option<Value<'_>>| string(value, "").ok().map(|text| text.into_owned());
        let errcode = text(errcode);
        match (status, errcode.as_deref()) {
            (403, Some("M_WRONG_ROOM_KEYS_VERSION")) => {
                UploadOutcome::OtherVersion { current_version: text(current_version) }
            }
            (404, Some("M_NOT_FOUND")) => UploadOutcome::OtherVersion { current_version: None },
            (429, _) => UploadOutcome::RateLimited { retry_after_ms: count(retry_after, "").ok() },
            _ => UploadOutcome::Failed { status, errcode },
        }
    }
}

/// What a request to store sessions led to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UploadOutcome {
    /// All are stored.
    Stored(Stored),
    /// There is another backup now, or none. Upload nothing more: ask for the newest version, see whether it can be
    /// [trusted](crate::ServerBackup::trust), and mark every session as not backed up.
    OtherVersion {
        /// The version that there is, if the server says so.
        current_version: Option<String>,
    },
    /// The server wants a pause. The sessions are as they were.
    RateLimited {
        /// For how long, if it says so.
        retry_after_ms: Option<u64>,
    },
    /// The server says 200, and not what is stored. Store the sessions again.
    Malformed(MalformedObject),
    /// Something else is wrong. The sessions are as they were.
    Failed {
        /// The status.
        status: u16,
        /// The error code, if there is one.
        errcode: Option<String>,
    },
}

/// Sessions that a server has stored.
#[derive(Clone, Debug)]
pub struct Stored {
    version: String,
    etag: String,
    count: u64,
    sessions: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Stored {
    /// The version of the backup that they are in.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A text that is another one after each change of the keys in the backup.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// How many keys there are in the backup now.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Marks the session as backed up if it was in the request as it is now, for the version of the backup that is in
    /// use now. Says whether it was: a session that has become known from an earlier index on in the meantime was not.
    pub fn mark(&self, version: &str, room_key: &mut RoomKey) -> bool {
        let sessions = self.sessions.get(room_key.room_id()).filter(|_| version == self.version);
        let index = sessions.and_then(|sessions| sessions.get(room_key.session_id().as_str()));
        let stored = index.is_some_and(|index| *index <= room_key.first_known_index());
        if stored {
            room_key.set_backed_up(true);
        }
        stored
    }
}

fn stored(answer: &[u8]) -> Result<(String, u64), MalformedObject> {
    let [etag, keys] = mx_json::members(answer, &["etag", "count"])?;
    Ok((string(etag, "etag")?.into_owned(), count(keys, "count")?))
}

/// An object of members that are JSON.
fn object<N: AsRef<str>>(members: impl IntoIterator<Item = (N, String)>) -> String {
    let members = Vec::from_iter(members);
    let members = Vec::from_iter(members.iter().map(|(name, value)| (name.as_ref(), value.as_str())));
    CanonicalObject::default().with_members(&members)
}
