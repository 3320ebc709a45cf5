//! One verdict for each event.

use core::fmt;

use mx_megolm::DecryptError;
use mx_types::base64::{TrailingBits, decode_to_vec};
use zeroize::Zeroizing;

use super::{
    event::{Encrypted, Event, Plaintext, decrypted_event},
    replay::Replays,
    sessions::{NotDecrypted, Sessions},
};
use crate::text::Text;

/// What became of an event.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Verdict {
    Decrypted,
    NotEncrypted,
    Redacted,
    NoKey,
    BeforeFirstKnownIndex,
    BadMacOrSignature,
    ReplayedIndex,
    WrongRoom,
    OtherAlgorithm,
    Malformed,
}

impl Verdict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Decrypted => "decrypted",
            Self::NotEncrypted => "not encrypted",
            Self::Redacted => "redacted",
            Self::NoKey => "no key",
            Self::BeforeFirstKnownIndex => "index before the first known one",
            Self::BadMacOrSignature => "bad MAC or signature",
            Self::ReplayedIndex => "replayed index",
            Self::WrongRoom => "wrong room",
            Self::OtherAlgorithm => "other algorithm",
            Self::Malformed => "malformed",
        }
    }

    /// Nothing was to be decrypted, or it was.
    pub(super) const fn is_good(self) -> bool {
        matches!(self, Self::Decrypted | Self::NotEncrypted | Self::Redacted)
    }
}

/// A verdict, and what goes with it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) why: Option<String>,
    pub(super) message_index: Option<u32>,
    /// With the decrypted type and content.
    pub(super) event: Option<Zeroizing<String>>,
    /// The decrypted content.
    pub(super) content: Option<Zeroizing<String>>,
}

impl Judged {
    pub(super) const fn of(verdict: Verdict) -> Self {
        Self { verdict, why: None, message_index: None, event: None, content: None }
    }

    pub(super) fn because(verdict: Verdict, why: impl fmt::Display) -> Self {
        Self { why: Some(why.to_string()), ..Self::of(verdict) }
    }
}

/// Judges the events of a file, one after the other.
#[derive(Debug)]
pub(super) struct Judge {
    sessions: Sessions,
    replays: Replays,
    /// The room of events that do not name theirs.
    default_room: Option<String>,
}

impl Judge {
    pub(super) fn new(sessions: Sessions, default_room: Option<String>) -> Self {
        Self { sessions, replays: Replays::default(), default_room }
    }

    pub(super) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) fn judge(&mut self, json: &[u8], event: &Event<'_>) -> Judged {
        if !event.is_encrypted() {
            return Judged::of(Verdict::NotEncrypted);
        }
        let encrypted = match Encrypted::parse(event) {
            Ok(encrypted) => encrypted,
            Err(why) => return Judged::because(Verdict::Malformed, why),
        };
        if encrypted.is_redacted() {
            return Judged::of(Verdict::Redacted);
        }
        match self.decrypt(json, event, &encrypted) {
            Ok(judged) | Err(judged) => judged,
        }
    }

    fn decrypt(
        &mut self,
        json: &[u8],
        event: &Event<'_>,
        encrypted: &Encrypted<'_>,
    ) -> Result<Judged, Judged> {
        let malformed = |why: &dyn fmt::Display| Judged::because(Verdict::Malformed, why);
        let algorithm =
            encrypted.algorithm.as_deref().ok_or_else(|| malformed(&"content has no algorithm"))?;
        if algorithm != MEGOLM {
            return Err(Judged::because(Verdict::OtherAlgorithm, algorithm));
        }
        let (room_id, session_id) =
            address(event, encrypted, self.default_room.as_deref()).map_err(|why| malformed(&why))?;
        let ciphertext = encrypted.ciphertext.ok_or_else(|| malformed(&"content has no ciphertext"))?;
        let ciphertext: Text<'_> =
            serde_json::from_str(ciphertext.get()).map_err(|_| malformed(&"the ciphertext is no string"))?;
        let message = decode_to_vec(&ciphertext, TrailingBits::Ignored)
            .map_err(|error| malformed(&format_args!("ciphertext: {error}")))?;

        let decrypted = self.sessions.decrypt(room_id, session_id, &message);
        let (bytes, message_index) = decrypted.map_err(not_decrypted)?;
        let at_index = |judged: Judged| Judged { message_index: Some(message_index), ..judged };

        let plaintext = Plaintext::parse(&bytes).map_err(|why| at_index(malformed(&why)))?;
        match plaintext.room_id.as_deref() {
            Some(inner) if inner == room_id => {}
            Some(inner) => {
                let why = format!("it was encrypted for {inner}");
                return Err(at_index(Judged::because(Verdict::WrongRoom, why)));
            }
            None => {
                let why = "the plaintext does not say for which room it is";
                return Err(at_index(Judged::because(Verdict::WrongRoom, why)));
            }
        }
        let clear = decrypted_event(json, &plaintext, encrypted.relates_to)
            .map_err(|error| at_index(malformed(&format_args!("plaintext: {error}"))))?;
        // Last, so that only what is a message of this session and this room uses its index up.
        self.replays.check(session_id, message_index, event).map_err(|first| {
            let why = format!("the same message stood before in another event: {first}");
            at_index(Judged::because(Verdict::ReplayedIndex, why))
        })?;
        Ok(at_index(Judged {
            event: Some(Zeroizing::new(clear)),
            content: Some(Zeroizing::new(plaintext.content.get().to_owned())),
            ..Judged::of(Verdict::Decrypted)
        }))
    }
}

/// Room and session ID, under which alone a session is looked up.
pub(super) fn address<'e>(
    event: &'e Event<'_>,
    encrypted: &'e Encrypted<'_>,
    default_room: Option<&'e str>,
) -> Result<(&'e str, &'e str), &'static str> {
    let room_id = event.room_id.as_deref().or(default_room);
    let room_id = room_id.ok_or("the event does not name its room; --room names it")?;
    let session_id = encrypted.session_id.as_deref().ok_or("content has no session_id")?;
    if session_id.len() > MAX_SESSION_ID_LEN || room_id.len() > MAX_SESSION_ID_LEN {
        return Err("room_id or session_id is longer than 255 bytes");
    }
    Ok((room_id, session_id))
}

fn not_decrypted(error: NotDecrypted) -> Judged {
    match error {
        NotDecrypted::NoKey => Judged::of(Verdict::NoKey),
        NotDecrypted::OtherRoom => {
            Judged::because(Verdict::WrongRoom, "the key file has this session for another room only")
        }
        NotDecrypted::Error(error @ (DecryptError::Signature | DecryptError::Authentication)) => {
            Judged::because(Verdict::BadMacOrSignature, error)
        }
        NotDecrypted::Error(DecryptError::UnknownMessageIndex(error)) => Judged {
            message_index: Some(error.requested),
            ..Judged::because(Verdict::BeforeFirstKnownIndex, error)
        },
        NotDecrypted::Error(error) => Judged::because(Verdict::Malformed, format!("ciphertext: {error}")),
    }
}

const MEGOLM: &str = "m.megolm.v1.aes-sha2";

const MAX_SESSION_ID_LEN: usize = 255;
