//! Any text as a key export file: refused, or read and salvaged without a panic; white space changes nothing.

#![no_main]

use core::num::NonZeroU32;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mx_key_export::{ExportKeys, KeyDerivation, KeyExport};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

static KEYS: LazyLock<ExportKeys> = LazyLock::new(|| {
    let rng = &mut ChaCha20Rng::from_seed([1; 32]);
    KeyDerivation::new(rng, "passphrase", NonZeroU32::MIN).expect("random").finish()
});

const BEGIN: &str = "-----BEGIN MEGOLM SESSION DATA-----";
const END: &str = "-----END MEGOLM SESSION DATA-----";

fuzz_target!(|data: &[u8]| {
    // As it is, or between the lines that make it a file.
    let text = match data.split_first() {
        Some((0..128, text)) => [BEGIN.as_bytes(), text, END.as_bytes()].concat(),
        _ => data.to_vec(),
    };
    let opened = KeyExport::from_slice(&text).map(|file| file.rounds());
    if let Ok(mut file) = KeyExport::from_slice(&text) {
        assert!(file.sessions(&KEYS).is_err(), "nobody made a MAC");
    }
    let salvaged = KeyExport::open_damaged(Source(&text, 0));
    if let Ok(rounds) = opened {
        assert_eq!(salvaged.as_ref().map(KeyExport::rounds).ok(), Some(rounds));
    }
    if let Ok(mut file) = salvaged {
        let mut sessions = file.salvage_unauthenticated(&KEYS).expect("nothing is looked at");
        assert!(!sessions.is_authenticated());
        while let Ok(Some(_)) = sessions.next_session() {}
    }

    // Each line once more, in another armour. What stands around it must not be moved.
    if text.starts_with(BEGIN.as_bytes()) && text.iter().filter(|byte| **byte == b'-').count() == 20 {
        let body = &text[BEGIN.len()..];
        let spaced: Vec<u8> = body.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b" \r\n\t"[..]);
        let spaced = [BEGIN.as_bytes(), &spaced].concat();
        assert_eq!(KeyExport::from_slice(&spaced).map(|file| file.rounds()), opened);
    }
});

struct Source<'t>(&'t [u8], usize);

impl embedded_io::ErrorType for Source<'_> {
    type Error = core::convert::Infallible;
}

impl embedded_io::Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let rest = &self.0[self.1..];
        let now = rest.len().min(buffer.len()).min(7);
        buffer[..now].copy_from_slice(&rest[..now]);
        self.1 += now;
        Ok(now)
    }
}

impl embedded_io::Seek for Source<'_> {
    fn seek(&mut self, position: embedded_io::SeekFrom) -> Result<u64, Self::Error> {
        if let embedded_io::SeekFrom::Start(position) = position {
            self.1 = usize::try_from(position).expect("a position in the text");
        }
        Ok(self.1 as u64)
    }
}
