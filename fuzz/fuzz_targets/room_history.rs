//! Exported events in any form and in any pieces: each is found where it was, and gets a verdict; with a key for them, no more is decrypted than
//! was encrypted.

#![no_main]

use std::sync::LazyLock;

use embedded_io::{ErrorType, Read};
use libfuzzer_sys::fuzz_target;
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_history::{EventReader, Judge, MAX_EVENT_LEN, NeededSessions, Verdict};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId, base64};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};

/// A key, an event that it decrypts, and what stands in it.
static ROOM: LazyLock<(Vec<u8>, String, Value)> = LazyLock::new(|| {
    let mut outbound = OutboundGroupSession::new(&mut ChaCha20Rng::from_seed([1; 32])).expect("random");
    let inbound = InboundGroupSession::new(&outbound.session_key());
    let content = json!({ "body": "tea?" });
    let plaintext = json!({ "type": "m.room.message", "room_id": "!r:a", "content": content }).to_string();
    let (message, _) = outbound.encrypt_to_vec(plaintext.as_bytes()).expect("it is short");
    let encrypted = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "session_id": outbound.session_id().as_str(),
        "ciphertext": base64::encode_to_string(&message),
    });
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).expect("a point");
    let data = BackedUpSessionData::new(inbound.export(), sender_key);
    let key = ExportedSessionData::new(RoomId::parse("!r:a").expect("an ID"), data);
    (key.emit_to_vec().to_vec(), encrypted.to_string(), content)
});

fuzz_target!(|data: &[u8]| {
    let Some((&len, text)) = data.split_first() else { return };
    let (key, encrypted, content) = &*ROOM;
    // Where the fuzzer writes ~, the content of the event stands.
    let text = String::from_utf8_lossy(text).replace('~', encrypted);
    let whole = values(EventReader::new(text.as_bytes()).expect("a slice"));
    let pieces = Pieces { text: text.as_bytes(), len: usize::from(len) + 1 };
    assert_eq!(values(EventReader::new(pieces).expect("a slice")), whole);

    let mut needed = NeededSessions::new(RoomId::parse("!r:a").ok().filter(|_| len & 1 == 0));
    for value in whole.iter().flatten() {
        needed.add_event(value).expect("not so many");
    }
    needed.offer(ExportedSessionData::parse(key).expect("a session"));
    let mut judge = Judge::new(needed);
    let mut events = EventReader::new(text.as_bytes()).expect("a slice");
    for value in &whole {
        let found = events.next_event().expect("a slice").expect("it was there");
        let judged = judge.judge(&found);
        assert!(judged.verdict == Verdict::Malformed || value.is_some());
        let line: Value = serde_json::from_str(&judged.emit()).expect("a line is JSON");
        assert_eq!(line["verdict"], judged.verdict.as_str());
        assert!(!judged.emit().contains('\n'));
        match judged.content() {
            Some(decrypted) => {
                assert_eq!(judged.verdict, Verdict::Decrypted);
                assert_eq!(serde_json::from_str::<Value>(decrypted).ok().as_ref(), Some(content));
                assert_eq!(line["event"]["content"]["body"], content["body"]);
            }
            None => assert_ne!(judged.verdict, Verdict::Decrypted),
        }
    }
});

/// The values, or `None` for what is none.
fn values(mut reader: EventReader<impl Read<Error = impl core::fmt::Debug>>) -> Vec<Option<Vec<u8>>> {
    let mut values = Vec::new();
    while let Some(found) = reader.next_event().expect("nothing fails") {
        values.push(found.json.ok().map(<[u8]>::to_vec));
    }
    assert!(values.iter().flatten().all(|value| value.len() <= MAX_EVENT_LEN));
    values
}

struct Pieces<'t> {
    text: &'t [u8],
    len: usize,
}

impl ErrorType for Pieces<'_> {
    type Error = core::convert::Infallible;
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let len = self.len.min(buffer.len());
        self.text.read(&mut buffer[..len])
    }
}
