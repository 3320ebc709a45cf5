//! Answers to `GET /room_keys/keys`, entry by entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use core::convert::Infallible;

use embedded_io::{ErrorType, Read};
use mx_key_backup::{
    AnswerError, BackupDecryptionKey, DecryptError, EntryError, KeysAnswer, MAX_ENTRY_LEN, MalformedObject,
    SessionDataError,
};
use mx_room_key::ParseError;
use mx_types::{InvalidIdentifier, RoomId, SessionId};
use serde_json::{Value, json};
use support::{ROOM, entry, key, rng, room, session_data, trusted, whole_answer};

type Verdict = (String, Option<String>, Result<(), EntryError>);

fn read_all<R: Read>(
    mut answer: KeysAnswer<R>,
    key: &BackupDecryptionKey,
) -> (Vec<Verdict>, Option<AnswerError<R::Error>>) {
    let mut verdicts = Vec::new();
    loop {
        match answer.next_entry() {
            Ok(Some(entry)) => {
                assert_eq!(entry.position(), verdicts.len() as u64);
                let session_id = entry.session_id().map(str::to_owned);
                let verdict = entry.decrypt(key).map(|session| {
                    assert_eq!(session.data().session_id().as_str(), session_id.as_deref().unwrap());
                });
                verdicts.push((entry.room_id().to_owned(), session_id, verdict));
            }
            Ok(None) => return (verdicts, None),
            Err(error) => {
                assert!(matches!(answer.next_entry(), Ok(None)), "after an error nothing comes");
                return (verdicts, Some(error));
            }
        }
    }
}

fn read(text: &str) -> (Vec<Verdict>, Option<AnswerError<Infallible>>) {
    read_all(KeysAnswer::of_all(text.as_bytes()), &key())
}

/// Gives so many bytes at a time.
struct Pieces<'t>(&'t [u8], usize);

impl ErrorType for Pieces<'_> {
    type Error = Infallible;
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let len = self.0.len().min(self.1).min(buffer.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

#[test]
fn all_of_a_room_and_of_a_session_is_read() {
    let whole = whole_answer(&key(), 1..=5);
    let (verdicts, error) = read(&whole.to_string());
    assert_eq!((verdicts.len(), error), (5, None));
    assert!(verdicts.iter().all(|(room, _, verdict)| room == ROOM && verdict.is_ok()));

    let of_room = &whole["rooms"][ROOM];
    let text = serde_json::to_string_pretty(of_room).unwrap();
    let (of_one, error) = read_all(KeysAnswer::of_room(text.as_bytes(), room()), &key());
    assert_eq!((of_one, error), (verdicts.clone(), None));

    for (id, session) in of_room["sessions"].as_object().unwrap() {
        let text = format!(" {session}\n");
        let answer = KeysAnswer::of_session(text.as_bytes(), room(), SessionId::parse(id).unwrap());
        let (verdicts, error) = read_all(answer, &key());
        assert_eq!((verdicts, error), (vec![(ROOM.into(), Some(id.clone()), Ok(()))], None));
    }

    let text = serde_json::to_string_pretty(&whole).unwrap();
    for len in [1, 2, 7, 100] {
        let in_pieces = read_all(KeysAnswer::of_all(Pieces(text.as_bytes(), len)), &key());
        assert_eq!(in_pieces, (verdicts.clone(), None), "{len} bytes at a time");
    }
}

// BAK-18, BAK-19
#[test]
fn attack_041_one_bad_entry_of_each_kind_takes_nothing_from_the_others() {
    let good = whole_answer(&key(), 1..=99);
    let ids: Vec<_> = good["rooms"][ROOM]["sessions"].as_object().unwrap().keys().cloned().collect();
    let encrypted = trusted(&key()).encrypt_session_data(&mut rng(200), &session_data(200)).unwrap();
    let fine = entry(&encrypted);
    let with = |member: &str, value: Value| {
        let mut changed = fine.clone();
        changed["session_data"][member] = value;
        changed
    };
    let mut without_hints = fine.clone();
    for hint in ["first_message_index", "forwarded_count", "is_verified"] {
        without_hints.as_object_mut().unwrap().remove(hint);
    }
    let object = |error| EntryError::Data(SessionDataError::Object(error));
    let bad = [
        (json!({}), object(MalformedObject::Missing { member: "session_data" })),
        (json!([]), object(MalformedObject::NotAnObject)),
        (json!(null), object(MalformedObject::NotAnObject)),
        (json!(17), object(MalformedObject::NotAnObject)),
        (json!("}]\\\""), object(MalformedObject::NotAnObject)),
        (json!({"session_data": []}), object(MalformedObject::WrongType { member: "session_data" })),
        (with("mac", json!("AAAAAAAAAAA")), EntryError::Decrypt(DecryptError::Undecryptable)),
        (with("ciphertext", json!("")), EntryError::Decrypt(DecryptError::Undecryptable)),
        (fine.clone(), EntryError::Decrypt(DecryptError::OtherSession)),
        // What the server was told is not needed: the session would have been restored under its ID.
        (without_hints, EntryError::Decrypt(DecryptError::OtherSession)),
        (json!({"x": "y".repeat(MAX_ENTRY_LEN)}), EntryError::TooLong),
    ];
    for (value, expected) in bad {
        // Between the others, and not at their end.
        let mut text = String::from("{\"other\":[{}],\"rooms\":{\"!room:example.org\":{\"sessions\":{");
        for (index, id) in ids.iter().enumerate() {
            if index == 50 {
                text.push_str(&format!("\"bad\": {value} , "));
            }
            let entry = &good["rooms"][ROOM]["sessions"][id.as_str()];
            text.push_str(&format!("{}:{entry}{}", json!(id), if index == 98 { "" } else { "," }));
        }
        text.push_str("},\"x\":{\"sessions\":{}}}},\"etc\":-1.5e3}");
        let (verdicts, error) = read(&text);
        assert_eq!((verdicts.len(), error), (100, None), "{expected}");
        for (index, (_, id, verdict)) in verdicts.iter().enumerate() {
            let result = if index == 50 { Err(expected) } else { Ok(()) };
            assert_eq!(*verdict, result, "{id:?}");
        }
    }
}

#[test]
fn a_room_that_is_none_takes_nothing_from_the_others() {
    let good = whole_answer(&key(), 1..=1)["rooms"][ROOM].to_string();
    let id = session_data(1).session_id().to_string();
    let missing = EntryError::Room(MalformedObject::Missing { member: "sessions" });
    let wrong_type = EntryError::Room(MalformedObject::WrongType { member: "sessions" });
    let rooms = [
        ("\"!a:x\":{}".to_owned(), "!a:x", None, missing),
        ("\"!a:x\":[[],{\"}\":\"]\"}]".into(), "!a:x", None, EntryError::Room(MalformedObject::NotAnObject)),
        ("\"!a:x\":null".into(), "!a:x", None, EntryError::Room(MalformedObject::NotAnObject)),
        ("\"!a:x\":{\"sessions\":[1,2]}".into(), "!a:x", None, wrong_type),
        (
            format!("\"a:x\":{good}"),
            "a:x",
            Some(&id),
            EntryError::RoomId(InvalidIdentifier::WrongSigil { expected: '!' }),
        ),
        (format!("\"\":{good}"), "", Some(&id), EntryError::RoomId(InvalidIdentifier::Empty)),
        (format!("\"\\ud800\":{good}"), "\\ud800\"", Some(&id), EntryError::Name),
    ];
    for (room, room_id, session_id, error) in rooms {
        let text = format!("{{\"rooms\":{{{room},\"{ROOM}\":{good},{}}}}}", room.replacen('"', "\"!z", 1));
        let (verdicts, end) = read(&text);
        assert_eq!((verdicts.len(), end), (3, None), "{text}");
        assert_eq!(verdicts[0], (room_id.into(), session_id.cloned(), Err(error)));
        assert_eq!(verdicts[1], (ROOM.into(), Some(id.clone()), Ok(())));
    }
    // An ID may be 255 bytes, however they are spelled.
    let long = |len: usize| format!("!{}", "a".repeat(len - 1));
    let escaped = |len: usize| format!("!{}", "\\u0061".repeat(len - 1));
    let too_long = InvalidIdentifier::TooLong { len: 256 };
    for (name, expected) in [
        (long(255), Ok(())),
        (escaped(255), Ok(())),
        (long(256), Err(EntryError::RoomId(too_long))),
        (escaped(257), Err(EntryError::Name)),
        (long(100_000), Err(EntryError::Name)),
    ] {
        let (verdicts, end) = read(&format!("{{\"rooms\":{{\"{name}\":{good},\"{ROOM}\":{good}}}}}"));
        assert_eq!((verdicts.len(), end), (2, None));
        assert_eq!((verdicts[0].2, verdicts[1].2), (expected, Ok(())));
        assert!(verdicts[0].0.len() < 2_000);
    }
}

#[test]
fn what_is_no_answer_says_so_and_nothing_is_lost_before() {
    let error = |text: &str| read(text).1.unwrap();
    assert_eq!(error(""), AnswerError::Unfinished);
    assert_eq!(error("[]"), AnswerError::NotAnObject);
    assert_eq!(error("nonsense"), AnswerError::NotAnObject);
    assert_eq!(error("{}"), AnswerError::Missing { member: "rooms" });
    assert_eq!(error("{\"sessions\":{}}"), AnswerError::Missing { member: "rooms" });
    assert_eq!(error("{\"rooms\":[]}"), AnswerError::WrongType { member: "rooms" });
    assert_eq!(error("{\"rooms\":{}} x"), AnswerError::Syntax { position: 13 });
    assert_eq!(error("{\"rooms\":{},}"), AnswerError::Syntax { position: 12 });
    assert_eq!(error("{\"rooms\" {}}"), AnswerError::Syntax { position: 9 });
    assert_eq!(error("{\"rooms\":{\"!a\":,}}"), AnswerError::Syntax { position: 14 });
    let of_room = |text: &str| read_all(KeysAnswer::of_room(text.as_bytes(), room()), &key()).1;
    assert_eq!(of_room("{\"rooms\":{}}"), Some(AnswerError::Missing { member: "sessions" }));
    assert_eq!(of_room("{\"sessions\":1}"), Some(AnswerError::WrongType { member: "sessions" }));
    assert_eq!(of_room("{\"sessions\":{}}"), None);

    // Cut off anywhere, it gives what came before.
    let text = whole_answer(&key(), 1..=3).to_string();
    for end in 0..text.len() {
        let (verdicts, error) = read(&text[..end]);
        assert_eq!(error, Some(AnswerError::Unfinished), "at {end}");
        assert!(verdicts.iter().all(|(.., verdict)| verdict.is_ok()));
    }
    assert_eq!(read(&text[..text.len() - 4]).0.len(), 3);
}

#[test]
fn a_session_that_stands_there_twice_comes_twice() {
    let good = whole_answer(&key(), 1..=1)["rooms"].to_string();
    let (verdicts, error) = read(&format!("{{\"rooms\":{good},\"rooms\":{good}}}"));
    assert_eq!((verdicts.len(), error), (2, None));
    assert_eq!(verdicts[0], verdicts[1]);
}

#[test]
fn a_source_that_fails_is_named() {
    struct Fails(usize);
    impl ErrorType for Fails {
        type Error = embedded_io::ErrorKind;
    }
    impl Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, embedded_io::ErrorKind> {
            self.0 += 1;
            match self.0 {
                1 => Err(embedded_io::ErrorKind::Interrupted),
                2 => {
                    buffer[0] = b'{';
                    Ok(1)
                }
                _ => Err(embedded_io::ErrorKind::TimedOut),
            }
        }
    }
    let error = read_all(KeysAnswer::of_all(Fails(0)), &key()).1;
    assert_eq!(error, Some(AnswerError::Source(embedded_io::ErrorKind::TimedOut)));
}

#[test]
fn brackets_that_are_open_need_no_stack() {
    let deep =
        format!("{{\"rooms\":{{\"!a:x\":{{\"sessions\":{{\"s\":{},\"t\":{{}}}}}}}}}}", "[".repeat(1 << 20));
    let (verdicts, error) = read(&deep);
    assert_eq!((verdicts.len(), error), (0, Some(AnswerError::Unfinished)));
    let closed = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let (verdicts, error) =
        read(&format!("{{\"rooms\":{{\"!a:x\":{{\"sessions\":{{\"s\":{{\"x\":{closed}}},\"t\":{{}}}}}}}}}}"));
    assert_eq!((verdicts.len(), error), (2, None));
    assert!(matches!(
        verdicts[0].2,
        Err(EntryError::Data(SessionDataError::Object(MalformedObject::TooDeep { .. })))
    ));
}

#[test]
fn an_unknown_algorithm_is_told_from_a_fault() {
    let mut data: Value = serde_json::from_slice(&session_data(1).emit_to_vec()).unwrap();
    data["algorithm"] = "org.example.v2".into();
    let encrypted = trusted(&key()).encrypt_bytes(&mut rng(1), data.to_string().as_bytes()).unwrap();
    let id = session_data(1).session_id();
    let text = entry(&encrypted).to_string();
    let answer = || KeysAnswer::of_session(text.as_bytes(), room(), SessionId::parse(id.as_str()).unwrap());
    let mut reader = answer();
    let error = reader.next_entry().unwrap().unwrap().decrypt(&key()).unwrap_err();
    assert_eq!(error, EntryError::Decrypt(DecryptError::Session(ParseError::Algorithm)));
    assert!(error.is_unknown_algorithm());
    assert!(!EntryError::TooLong.is_unknown_algorithm());
    let mut reader = answer();
    let entry = reader.next_entry().unwrap().unwrap();
    assert_eq!(entry.data().unwrap().session_data, encrypted);
    assert!(RoomId::parse(entry.room_id()).is_ok() && reader.position() > 0);
}
