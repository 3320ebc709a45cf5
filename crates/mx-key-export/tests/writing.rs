//! What is written, and what happens when it cannot be.

mod support;

use core::num::NonZeroU32;

use embedded_io::{ErrorKind, ErrorType, Write};
use mx_key_export::{
    DEFAULT_ROUNDS, KeyDerivation, KeyExport, KeyExportWriter, MAX_ENTRY_LEN, NewKeysError, WriteError, read,
    write,
};
use mx_room_key::ExportedSessionData;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use support::{PASSPHRASE, SESSION, SESSION_ID, export_keys};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

// EXP-10, EXP-11, EXP-28
#[test]
fn padded_lines_of_76_that_end() {
    for count in 0..60 {
        let session = ExportedSessionData::parse(SESSION.as_bytes()).unwrap();
        let sessions = (0..count).map(|_| &session);
        let text =
            String::from_utf8(write(&mut rng(), PASSPHRASE, NonZeroU32::MIN, sessions).unwrap()).unwrap();
        let base64 = text.strip_prefix("-----BEGIN MEGOLM SESSION DATA-----\n").unwrap();
        let base64 = base64.strip_suffix("\n-----END MEGOLM SESSION DATA-----\n").unwrap();
        let (last, lines) =
            base64.lines().rev().collect::<Vec<_>>().split_first().map(|(a, b)| (*a, b.len())).unwrap();
        assert!(base64.lines().take(lines).all(|line| line.len() == 76 && !line.contains('=')));
        assert!((1..=76).contains(&last.len()) && base64.replace('\n', "").len().is_multiple_of(4), "{last}");
        let read = read(text.as_bytes(), PASSPHRASE).unwrap();
        assert!(read.refused.is_empty() && read.sessions.len() == count);
        assert!(read.sessions.iter().all(|session| session.session_id().as_str() == SESSION_ID));
    }
}

// EXP-15, EXP-29: entries that are copied are the same, and all of them.
#[test]
fn entries_of_all_lengths() {
    let keys = export_keys();
    let entries: Vec<_> = (0..300).map(|i| format!("{{\"a\":\"{}\"}}", "x".repeat(i * i % 60_000))).collect();
    let mut writer = KeyExportWriter::new(&mut rng(), &keys, Vec::new()).unwrap();
    for entry in &entries {
        writer.write_json(entry.as_bytes()).unwrap();
    }
    assert_eq!(writer.sessions(), 300);
    let text = writer.finish().unwrap();
    let mut file = KeyExport::from_slice(&text).unwrap();
    assert_eq!(*file.plaintext_to_vec(&keys).unwrap(), format!("[{}]", entries.join(",")).into_bytes());
    let mut sessions = file.sessions(&keys).unwrap();
    for (position, expected) in entries.iter().enumerate() {
        let entry = sessions.next_entry().unwrap().unwrap();
        assert_eq!((entry.position(), entry.json().unwrap()), (position as u64, expected.as_bytes()));
    }
    assert!(sessions.next_entry().unwrap().is_none());
}

#[test]
fn what_would_break_the_list_is_refused_and_costs_nothing() {
    let keys = export_keys();
    let mut writer = KeyExportWriter::new(&mut rng(), &keys, Vec::new()).unwrap();
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_ENTRY_LEN));
    for bad in ["", "1", "[]", " {}", "{} ", "{},{}", "{", "}", "{\"a\":[}", "{\"a}", "{}]", "{x}", &long] {
        assert_eq!(
            writer.write_json(bad.as_bytes()),
            Err(WriteError::NotAnEntry),
            "{}",
            &bad[..bad.len().min(40)]
        );
    }
    writer.write_json(SESSION.as_bytes()).unwrap();
    let read = read(&writer.finish().unwrap(), PASSPHRASE).unwrap();
    assert_eq!((read.sessions.len(), read.refused.len()), (1, 0));
}

// EXP-3
#[test]
fn an_empty_passphrase_is_refused_for_new_files() {
    let error = KeyDerivation::new(&mut rng(), "", DEFAULT_ROUNDS).unwrap_err();
    assert_eq!(error, NewKeysError::EmptyPassphrase);
    // And taken for those that somebody else wrote.
    let file = KeyExport::from_slice(support::file(b"[]").leak().as_bytes()).unwrap();
    assert!(file.derive("", 1).is_ok());
    assert_eq!(DEFAULT_ROUNDS.get(), 500_000); // EXP-2
}

// EXP-3: what looks the same is not the same passphrase.
#[test]
fn a_passphrase_is_not_normalised() {
    let text = write(&mut rng(), "\u{e4}", NonZeroU32::MIN, []).unwrap();
    assert!(read(&text, "\u{e4}").is_ok());
    assert!(read(&text, "a\u{308}").is_err());
}

/// A sink that has room for so much, and then says so or takes nothing.
struct Sink {
    free: usize,
    says: Result<usize, ErrorKind>,
}

impl ErrorType for Sink {
    type Error = ErrorKind;
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if self.free == 0 {
            return self.says;
        }
        let now = self.free.min(bytes.len()).min(1_000);
        self.free -= now;
        Ok(now)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        if self.free == 0 { self.says.map(drop) } else { Ok(()) }
    }
}

#[test]
fn a_sink_that_is_full() {
    let keys = export_keys();
    let text_len = 36 + 1 + 150_000;
    for (says, expected) in [
        (Err(ErrorKind::OutOfMemory), WriteError::Sink(ErrorKind::OutOfMemory)),
        (Ok(0), WriteError::SinkFull),
    ] {
        for free in (0..text_len).step_by(9_001) {
            let mut error = None;
            match KeyExportWriter::new(&mut rng(), &keys, Sink { free, says }) {
                Err(failed) => error = Some(failed),
                Ok(mut writer) => {
                    for _ in 0..200 {
                        match writer.write_json(SESSION.as_bytes()) {
                            Err(failed) if error.is_none() => error = Some(failed),
                            Err(failed) => assert_eq!(failed, WriteError::FailedBefore),
                            Ok(()) => assert_eq!(error, None, "written after a failure"),
                        }
                    }
                    match writer.finish() {
                        Err(failed) => error = error.or(Some(failed)),
                        Ok(_) => panic!("a file was finished in {free} bytes"),
                    }
                }
            }
            assert_eq!(error, Some(expected), "{free} bytes");
        }
    }
}

#[test]
fn a_generator_that_fails() {
    struct Broken;
    impl rand_core::TryRng for Broken {
        type Error = core::fmt::Error;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Err(core::fmt::Error)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Err(core::fmt::Error)
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            Err(core::fmt::Error)
        }
    }
    impl rand_core::TryCryptoRng for Broken {}
    let error = KeyDerivation::new(&mut Broken, PASSPHRASE, NonZeroU32::MIN).unwrap_err();
    assert_eq!(error, NewKeysError::RandomnessFailed);
    let keys = export_keys();
    let error = KeyExportWriter::new(&mut Broken, &keys, Vec::new()).unwrap_err();
    assert_eq!(error, WriteError::RandomnessFailed);
}

#[test]
fn attack_068_debug_shows_no_key_and_no_session() {
    let keys = export_keys();
    let text = support::file(format!("[{SESSION}]").as_bytes());
    let mut file = KeyExport::from_slice(text.as_bytes()).unwrap();
    let mut shown =
        vec![format!("{keys:?}"), format!("{file:?}"), format!("{:?}", file.derive(PASSPHRASE, 9).unwrap())];
    shown.push(format!("{:?}", KeyExportWriter::new(&mut rng(), &keys, Vec::new()).unwrap()));
    let mut sessions = file.sessions(&keys).unwrap();
    shown.push(format!("{:?}", sessions.next_entry().unwrap().unwrap()));
    shown.push(format!("{sessions:?}"));
    let expected = [
        "ExportKeys { .. }",
        "KeyExport { rounds: 1, .. }",
        "KeyDerivation { remaining: 0, .. }",
        "KeyExportWriter { sessions: 0, .. }",
        "Entry { position: 0, .. }",
        "Sessions { counts: Counts { entries: 1, refused: 0 }, .. }",
    ];
    assert_eq!(shown, expected);
}
