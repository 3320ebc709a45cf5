//! One verdict for each event.

use alloc::{
    borrow::{Cow, ToOwned},
    boxed::Box,
    format,
    string::String,
};

use mx_megolm::DecryptError;
use mx_room_key::MEGOLM;
use mx_types::base64::{TrailingBits, decode_to_vec};
use zeroize::Zeroizing;

use crate::{
    Found, NeededSessions, Place, Verdict, Why,
    clear::{as_it_came, decrypted_event},
    event::{Encrypted, Event, Plaintext, Text},
    judged::JudgedEvent,
    replay::Replays,
    sessions::NotDecrypted,
};

/// Judges the events of a file, one after the other.
///
/// Each is looked up by its room and session ID only, and must be the only one that has its message: the judge remembers
/// every message that it decrypted. Judge a file with one judge, and from its beginning.
#[derive(Debug)]
pub struct Judge {
    sessions: NeededSessions,
    replays: Replays,
}

impl Judge {
    /// A judge that has these keys.
    #[must_use]
    pub fn new(sessions: NeededSessions) -> Self {
        Self { sessions, replays: Replays::default() }
    }

    /// The keys.
    #[must_use]
    pub const fn sessions(&self) -> &NeededSessions {
        &self.sessions
    }

    /// What becomes of an event. What is not decrypted is handed on as it came.
    pub fn judge<'f>(&mut self, found: &Found<'f>) -> JudgedEvent<'f> {
        let parsed = match found.json {
            Ok(json) => Event::parse(json).map(|event| (json, event)).map_err(Why::Json),
            Err(why) => Err(Why::NotAValue(why)),
        };
        let (json, event) = match parsed {
            Ok(parsed) => parsed,
            Err(why) => return Outcome::because(Verdict::Malformed, why).of(found.place),
        };
        let mut judged = self.outcome(json, &event).of(found.place);
        // What was not decrypted is handed on as it is, so that nothing is missing.
        judged.event.get_or_insert_with(|| as_it_came(json));
        judged.room_id = event.room_id.map(|Text(text)| text);
        if judged.room_id.is_none() {
            judged.room_id = self.sessions.default_room().map(|room_id| Cow::Owned(room_id.to_owned()));
        }
        judged.event_id = event.event_id.map(|Text(text)| text);
        judged.claimed_sender = event.sender.map(|Text(text)| text);
        judged
    }

    fn outcome(&mut self, json: &[u8], event: &Event<'_>) -> Outcome {
        if !event.is_encrypted() {
            return Outcome::new(Verdict::NotEncrypted);
        }
        let encrypted = match Encrypted::parse(event) {
            Ok(encrypted) => encrypted,
            Err(why) => return Outcome::because(Verdict::Malformed, Why::Json(why)),
        };
        if encrypted.is_redacted() {
            return Outcome::new(Verdict::Redacted);
        }
        match self.decrypt(json, event, &encrypted) {
            Ok(outcome) | Err(outcome) => outcome,
        }
    }

    fn decrypt(
        &mut self,
        json: &[u8],
        event: &Event<'_>,
        encrypted: &Encrypted<'_>,
    ) -> Result<Outcome, Outcome> {
        let malformed = |why| Outcome::because(Verdict::Malformed, why);
        let algorithm = encrypted.algorithm.as_deref().ok_or_else(|| malformed(Why::NoAlgorithm))?;
        if algorithm != MEGOLM {
            let why = Why::OtherAlgorithm(algorithm.to_owned());
            return Err(Outcome::because(Verdict::OtherAlgorithm, why));
        }
        let default_room = self.sessions.default_room().map(ToOwned::to_owned);
        let (room_id, session_id) = address(event, encrypted, default_room.as_deref()).map_err(malformed)?;
        let ciphertext = encrypted.ciphertext.ok_or_else(|| malformed(Why::NoCiphertext))?;
        let ciphertext: Text<'_> =
            serde_json::from_str(ciphertext.get()).map_err(|_| malformed(Why::CiphertextNoString))?;
        let message = decode_to_vec(&ciphertext, TrailingBits::Ignored)
            .map_err(|error| malformed(Why::CiphertextNoBase64(error)))?;

        let decrypted = self.sessions.decrypt(room_id, session_id, &message);
        let (bytes, message_index) = decrypted.map_err(not_decrypted)?;
        let at_index = |outcome| Outcome { message_index: Some(message_index), ..outcome };

        let plaintext = Plaintext::parse(&bytes).map_err(|why| at_index(malformed(Why::Json(why))))?;
        if plaintext.room_id.as_deref() != Some(room_id) {
            let why = match plaintext.room_id {
                Some(Text(other)) => Why::PlaintextOfOtherRoom(other.into_owned()),
                None => Why::PlaintextOfNoRoom,
            };
            return Err(at_index(Outcome::because(Verdict::WrongRoom, why)));
        }
        let clear = decrypted_event(json, &plaintext, encrypted.relates_to)
            .map_err(|error| at_index(malformed(Why::Json(format!("plaintext: {error}")))))?;
        // Last, so that only what is a message of this session and this room uses its index up.
        self.replays.check(session_id, message_index, event).map_err(|first| {
            at_index(Outcome::because(Verdict::ReplayedIndex, Why::Replayed(Box::new(first))))
        })?;
        let content = Zeroizing::new(plaintext.content.get().to_owned());
        Ok(at_index(Outcome { clear: Some((clear, content)), ..Outcome::new(Verdict::Decrypted) }))
    }
}

/// What is found out of an event whose place and names are known.
struct Outcome {
    verdict: Verdict,
    why: Option<Why>,
    message_index: Option<u32>,
    /// The event with the decrypted type and content, and that content.
    clear: Option<(Zeroizing<String>, Zeroizing<String>)>,
}

impl Outcome {
    const fn new(verdict: Verdict) -> Self {
        Self { verdict, why: None, message_index: None, clear: None }
    }

    fn because(verdict: Verdict, why: Why) -> Self {
        Self { why: Some(why), ..Self::new(verdict) }
    }

    fn of<'f>(self, place: Place) -> JudgedEvent<'f> {
        let Self { verdict, why, message_index, clear } = self;
        let (event, content) = clear.unzip();
        let (room_id, event_id, claimed_sender) = (None, None, None);
        JudgedEvent { place, verdict, why, message_index, room_id, event_id, claimed_sender, event, content }
    }
}

/// Room and session ID, under which alone a session is looked up.
pub(crate) fn address<'e>(
    event: &'e Event<'_>,
    encrypted: &'e Encrypted<'_>,
    default_room: Option<&'e str>,
) -> Result<(&'e str, &'e str), Why> {
    let room_id = event.room_id.as_deref().or(default_room).ok_or(Why::NoRoom)?;
    let session_id = encrypted.session_id.as_deref().ok_or(Why::NoSessionId)?;
    if session_id.len() > MAX_ID_LEN || room_id.len() > MAX_ID_LEN {
        return Err(Why::TooLongId);
    }
    Ok((room_id, session_id))
}

fn not_decrypted(error: NotDecrypted) -> Outcome {
    match error {
        NotDecrypted::NoKey => Outcome::new(Verdict::NoKey),
        NotDecrypted::OtherRoom => Outcome::because(Verdict::WrongRoom, Why::KeyOfOtherRoom),
        NotDecrypted::Error(DecryptError::UnknownMessageIndex(error)) => Outcome {
            message_index: Some(error.requested),
            ..Outcome::because(Verdict::BeforeFirstKnownIndex, Why::UnknownMessageIndex(error))
        },
        NotDecrypted::Error(error @ (DecryptError::Signature | DecryptError::Authentication)) => {
            Outcome::because(Verdict::BadMacOrSignature, Why::Ciphertext(error))
        }
        NotDecrypted::Error(error) => Outcome::because(Verdict::Malformed, Why::Ciphertext(error)),
    }
}

const MAX_ID_LEN: usize = 255;
