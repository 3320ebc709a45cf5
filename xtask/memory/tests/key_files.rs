//! Key export files take as much memory as they take for one session, and leave nothing of it behind.

#![cfg(feature = "alloc")]

use std::num::NonZeroU32;

use embedded_io::{ErrorType, Read, Seek, SeekFrom, Write};
use memory::{Pattern, Watching, allocated, contains, freed_with_secret, pattern};
use mx_key_export::{ExportKeys, KeyDerivation, KeyExport, KeyExportWriter, Sessions};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

fn keys() -> ExportKeys {
    KeyDerivation::new(&mut Pattern(0), "passphrase", NonZeroU32::MIN).unwrap().finish()
}

fn session() -> ExportedSessionData<'static> {
    let outbound = OutboundGroupSession::new(&mut Pattern(40)).unwrap();
    let key = InboundGroupSession::new(&outbound.session_key()).export_at(0).unwrap();
    let sender = Curve25519PublicKey::from_base64("hPQNcabIABgGnx3/ACv/jmMmiQHoeFfuLB17tzWp6Hw").unwrap();
    let room = RoomId::parse("!room:example.org").unwrap();
    ExportedSessionData::new(room, BackedUpSessionData::new(key, sender)).into_owned()
}

/// Takes everything, and keeps nothing.
struct Nowhere;

impl ErrorType for Nowhere {
    type Error = core::convert::Infallible;
}

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A file that is not in memory, for all that the reader knows.
struct Source<'t>(&'t [u8], usize);

impl ErrorType for Source<'_> {
    type Error = core::convert::Infallible;
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let rest = &self.0[self.1..];
        let now = rest.len().min(buffer.len());
        buffer[..now].copy_from_slice(&rest[..now]);
        self.1 += now;
        Ok(now)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, position: SeekFrom) -> Result<u64, Self::Error> {
        if let SeekFrom::Start(position) = position {
            self.1 = usize::try_from(position).unwrap();
        }
        Ok(self.1 as u64)
    }
}

fn write<W: Write>(keys: &ExportKeys, count: usize, out: W) -> W
where
    W::Error: Send + Sync + 'static,
{
    let session = session();
    let mut writer = KeyExportWriter::new(&mut Pattern(0), keys, out).unwrap();
    for _ in 0..count {
        writer.write(&session).unwrap();
    }
    writer.finish().unwrap()
}

fn count<S: Read + Seek>(mut sessions: Sessions<'_, S>) -> u64 {
    while let Some(session) = sessions.next_session().unwrap() {
        assert!(session.is_ok());
    }
    sessions.counts().entries
}

// EXP-15
#[test]
fn attack_048_memory_does_not_grow_with_the_file() {
    let keys = keys();
    let used = |sessions: usize| {
        let text = write(&keys, sessions, Vec::new());
        let (_, writing) = allocated(|| write(&keys, sessions, Nowhere));
        let (_, from_memory) = allocated(|| {
            let mut file = KeyExport::from_slice(&text).unwrap();
            assert_eq!(count(file.sessions(&keys).unwrap()), sessions as u64);
        });
        let (_, from_a_source) = allocated(|| {
            let mut file = KeyExport::open(Source(&text, 0)).unwrap();
            assert_eq!(count(file.sessions(&keys).unwrap()), sessions as u64);
        });
        (text.len(), writing, from_memory, from_a_source)
    };
    let (_, writing, from_memory, from_a_source) = used(1);
    let (len, writing_many, from_memory_many, from_a_source_many) = used(20_000);
    println!(
        "{writing} bytes to write, {from_memory} to read; from a source {from_a_source}, of {len} {from_a_source_many}"
    );
    assert_eq!((writing, from_memory), (writing_many, from_memory_many));
    // README.
    assert!(writing < 215_000 && from_memory < 225_000, "{writing}, {from_memory}");
    // Eight bytes for each chunk, in a vector that doubles.
    assert!(from_a_source_many - from_a_source < len / 36_864 * 32, "{from_a_source_many}");
}

#[test]
fn attack_048_a_header_that_asks_for_much_allocates_nothing() {
    let keys = keys();
    let text = write(&keys, 1, Vec::new());
    let (_, honest) = allocated(|| drop(KeyExport::from_slice(&text).unwrap()));
    // The rounds stand in bytes 33 to 36.
    let mut many = text.clone();
    many[36 + 44..36 + 48].copy_from_slice(b"////");
    let (refused, bytes) = allocated(|| {
        let file = KeyExport::from_slice(&many).unwrap();
        assert!(file.rounds() > 10_000_000);
        file.derive("passphrase", 10_000_000).is_err()
    });
    assert!(refused && bytes == honest, "{bytes}");
}

#[test]
fn attack_029_plaintext_and_keys_of_files() {
    // A secret that can stand in a string of JSON.
    let secret = (0..).find(|n| pattern(*n).iter().all(|byte| !matches!(byte, b'"' | b'\\'))).unwrap();
    let entry = [b"{\"a\":\"", &pattern(secret)[..], b"\"}"].concat();
    let (text, leaked) = freed_with_secret(secret, || {
        let keys = keys();
        let mut writer = KeyExportWriter::new(&mut Pattern(0), &keys, Vec::new()).unwrap();
        for _ in 0..3_000 {
            writer.write_json(&entry).unwrap();
        }
        writer.finish().unwrap()
    });
    assert_eq!(leaked, 0, "writing has left plaintext");
    let (_, leaked) = freed_with_secret(secret, || {
        let keys = keys();
        let mut file = KeyExport::open(Source(&text, 0)).unwrap();
        let mut sessions = file.sessions(&keys).unwrap();
        let mut seen = 0;
        while let Some(found) = sessions.next_entry().unwrap() {
            assert!(contains(found.json().unwrap(), secret));
            seen += 1;
        }
        assert_eq!(seen, 3_000);
        assert!(contains(&file.plaintext_to_vec(&keys).unwrap(), secret));
    });
    assert_eq!(leaked, 0, "reading has left plaintext");
}
