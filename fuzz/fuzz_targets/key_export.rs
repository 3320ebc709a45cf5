//! Key export files whose MAC is right, with any plaintext in any pieces: what serde_json takes for an array is read as
//! one, element by element, and nothing of a broken element costs more than time.

#![no_main]

use core::num::NonZeroU32;
use std::sync::LazyLock;

use embedded_io::{ErrorType, Read, Seek, SeekFrom};
use libfuzzer_sys::fuzz_target;
use mx_aes_sha2::{Pbkdf2Sha512, ctr_hmac::CtrHmacKeys};
use mx_key_export::{ExportKeys, KeyExport, KeyExportWriter, ReadError, Sessions};
use mx_types::base64;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;

const SALT: [u8; 16] = [2; 16];
const IV: [u8; 16] = [1; 16];

static KEYS: LazyLock<(CtrHmacKeys, ExportKeys)> = LazyLock::new(|| {
    let keys = Pbkdf2Sha512::new(b"passphrase", &SALT, NonZeroU32::MIN).finish();
    let keys = CtrHmacKeys::from_bytes(&keys);
    let file = file(&keys, b"[]");
    let derived = KeyExport::from_slice(file.as_bytes()).expect("a file").derive("passphrase", 1);
    (keys, derived.expect("one round").finish())
});

fuzz_target!(|data: &[u8]| {
    let Some((&pieces, plaintext)) = data.split_first() else { return };
    let (ctr, keys) = &*KEYS;
    let text = file(ctr, plaintext);

    let mut whole = KeyExport::from_slice(text.as_bytes()).expect("the form is right");
    assert_eq!(*whole.plaintext_to_vec(keys).expect("the MAC is right"), plaintext);
    let entries = entries(whole.sessions(keys).expect("the MAC is right"));
    // Sessions that are read where they begin are those whose ends were looked for.
    let mut of_entries = whole.sessions(keys).expect("the MAC is right");
    let mut found = Vec::new();
    while let Ok(Some(entry)) = of_entries.next_entry() {
        found.push(entry.session().map(|session| session.emit_to_vec()));
    }
    drop(of_entries);
    let mut in_one_scan = whole.sessions(keys).expect("the MAC is right");
    let mut expected = found.into_iter();
    while let Ok(Some(session)) = in_one_scan.next_session() {
        assert_eq!(Some(session.map(|session| session.emit_to_vec())), expected.next());
    }
    assert!(expected.next().is_none());

    // In pieces, and from a source that is checked twice, it is the same.
    let source = Pieces { text: text.as_bytes(), position: 0, len: usize::from(pieces) + 1 };
    let mut in_pieces = KeyExport::open(source).expect("the form is right");
    assert_eq!(self::entries(in_pieces.sessions(keys).expect("the MAC is right")), entries);

    // Brackets may be deeper here than we follow them.
    let open = plaintext.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if let (Ok(Value::Array(elements)), true) = (serde_json::from_slice(plaintext), open < 60) {
        let (entries, end) = entries;
        assert_eq!((entries.len(), end), (elements.len(), None));
        let mut writer =
            KeyExportWriter::new(&mut ChaCha20Rng::from_seed([1; 32]), keys, Vec::new()).expect("random");
        for (entry, element) in entries.iter().zip(&elements) {
            let entry = entry.as_ref().expect("not broken");
            assert_eq!(serde_json::from_slice::<Value>(entry).as_ref().ok(), Some(element));
            assert_eq!(writer.write_json(entry).is_ok(), element.is_object());
        }
        let objects = elements.iter().filter(|element| element.is_object()).count();
        let text = writer.finish().expect("there is room");
        let mut again = KeyExport::from_slice(&text).expect("we read what we write");
        assert_eq!(self::entries(again.sessions(keys).expect("the MAC is right")).0.len(), objects);
    }
});

type Entries = (Vec<Option<Vec<u8>>>, Option<String>);

/// All entries, or `None` for those that are broken, and how the list ended, if not well.
fn entries<S: Read + Seek>(mut sessions: Sessions<'_, S>) -> Entries
where
    ReadError<S::Error>: core::fmt::Display,
{
    let mut entries = Vec::new();
    loop {
        match sessions.next_entry() {
            Ok(Some(entry)) => {
                assert_eq!(entry.position(), entries.len() as u64);
                // Parsing must not panic, whatever it says.
                let _ = entry.session();
                entries.push(entry.json().ok().map(<[u8]>::to_vec));
            }
            Ok(None) => return (entries, None),
            Err(error) => return (entries, Some(error.to_string())),
        }
    }
}

fn file(keys: &CtrHmacKeys, plaintext: &[u8]) -> String {
    let mut body = [&[1], &SALT[..], &IV, &1_u32.to_be_bytes(), plaintext].concat();
    keys.keystream(&IV).apply(&mut body[37..]);
    let mac = *keys.mac(&body).as_bytes();
    body.extend(mac);
    let base64 = base64::encode_to_string(&body);
    format!("-----BEGIN MEGOLM SESSION DATA-----\n{base64}\n-----END MEGOLM SESSION DATA-----\n")
}

struct Pieces<'t> {
    text: &'t [u8],
    position: usize,
    len: usize,
}

impl ErrorType for Pieces<'_> {
    type Error = core::convert::Infallible;
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let rest = &self.text[self.position..];
        let now = rest.len().min(buffer.len()).min(self.len);
        buffer[..now].copy_from_slice(&rest[..now]);
        self.position += now;
        Ok(now)
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, position: SeekFrom) -> Result<u64, Self::Error> {
        if let SeekFrom::Start(position) = position {
            self.position = usize::try_from(position).expect("a position in the text");
        }
        Ok(self.position as u64)
    }
}
