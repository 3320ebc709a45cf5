//! The rows of the attack catalogue that this crate answers for, and their neighbours.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use core::num::NonZeroU32;

use embedded_io::ErrorKind;
use mx_key_export::{KeyExport, KeyExportWriter, MAX_ROUNDS, ReadError, read, write};
use mx_room_key::{Provenance, RoomKey};
use mx_types::base64::{self, TrailingBits};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use support::{PASSPHRASE, SALT, SESSION, Source, armour, body, body_with, export_keys, file};

/// The body of a text that we wrote.
fn unarmoured(text: &[u8]) -> Vec<u8> {
    let text = core::str::from_utf8(text).unwrap();
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    base64::decode_to_vec(&base64, TrailingBits::Refused).unwrap()
}

// EXP-6
#[test]
fn attack_018_bit_63_of_every_iv_is_clear_and_the_others_vary() {
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let keys = export_keys();
    let (mut union, mut intersection) = ([0; 16], [0xff; 16]);
    for _ in 0..10_000 {
        let text = KeyExportWriter::new(&mut rng, &keys, Vec::new()).unwrap().finish().unwrap();
        let body = unarmoured(&text);
        assert_eq!(body[1..17], SALT);
        for (i, byte) in body[17..33].iter().enumerate() {
            union[i] |= byte;
            intersection[i] &= byte;
        }
    }
    let mut expected = [0xff; 16];
    expected[8] = 0x7f;
    assert_eq!((union, intersection), (expected, [0; 16]));
}

// EXP-7
#[test]
fn attack_018_the_counter_carries_into_the_upper_half() {
    let keys = export_keys();
    let plaintext = format!("[{}]", [SESSION; 200].join(","));
    // The low half runs over after so many blocks: in the first chunk, at its end, in the next.
    for blocks in [1_u64, 2, 3, 60, 2_300, 2_301, 2_302, 2_303, 2_304, 4_000] {
        let mut iv = [0xff; 16];
        iv[8..].copy_from_slice(&(0_u64.wrapping_sub(blocks)).to_be_bytes());
        let text = armour(&body_with(&[1], &iv, 1, plaintext.as_bytes()));
        let mut file = KeyExport::open(Source::new(text)).unwrap();
        assert_eq!(*file.plaintext_to_vec(&keys).unwrap(), plaintext.as_bytes(), "{blocks} blocks");
        let mut sessions = file.sessions(&keys).unwrap();
        while sessions.next_session().unwrap().is_some() {}
        assert_eq!((sessions.counts().entries, sessions.counts().refused), (200, 0));
    }
    // Those were encrypted by our own cipher. This is of Python's hashlib and `openssl enc -aes-256-ctr`, IV ff..fe ff..ff.
    let body = "ATAxMjM0NTY3ODlhYmNkZWb//////////v//////////AAAAAVkN7vH5thMLHq3wggd+z8o0xsjTAg+HM0VDCsDY4Nozz890KV4x94EuKHM58DB1s4zdQEFuKKPn4HvUwegfrYPwmCiUjxf0AmyBAeMM4GlDmreNaA==";
    let text = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
    let plaintext = KeyExport::from_slice(text.as_bytes()).unwrap().plaintext_to_vec(&keys).unwrap();
    assert_eq!(*plaintext, b"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]");
}

// EXP-7: where neither counter gives text, the counter of 128 bits is meant, and what stands there is reported as it is.
#[test]
fn attack_018_what_is_text_under_no_counter_is_read_with_the_wide_one() {
    let mut iv = [0xff; 16];
    iv[8..].copy_from_slice(&2_u64.wrapping_neg().to_be_bytes());
    // Two blocks of text, then bytes that are none.
    let plaintext = [b"[\"0123456789abcdef0123456789abc".as_slice(), &[0xff; 3], b"\"]"].concat();
    let text = armour(&body_with(&[1], &iv, 1, &plaintext));
    let read = KeyExport::from_slice(text.as_bytes()).unwrap().plaintext_to_vec(&export_keys()).unwrap();
    assert_eq!(*read, plaintext);
}

#[test]
fn attack_020_the_mac_covers_the_iv_and_all_of_the_header() {
    let body = body(format!("[{SESSION}]").as_bytes());
    for bit in 0..8 * 37 {
        let mut flipped = body.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let text = armour(&flipped);
        let error = match KeyExport::from_slice(text.as_bytes()) {
            Err(error) => error,
            // Other rounds give other keys, and too many of them are not done.
            Ok(mut file) => match file.derive(PASSPHRASE, 70_000) {
                Err(_) => continue,
                Ok(derivation) => file.sessions(&derivation.finish()).map(drop).unwrap_err(),
            },
        };
        let expected = match bit / 8 {
            0 => ReadError::UnsupportedVersion { version: flipped[0] },
            33..37 if flipped[33..37] == [0; 4] => ReadError::NoRounds,
            _ => ReadError::WrongPassphraseOrDamaged,
        };
        assert_eq!(error, expected, "bit {bit}");
        // Under the right keys, too.
        if bit / 8 > 0 && flipped[33..37] == body[33..37] {
            let error = KeyExport::from_slice(text.as_bytes()).unwrap().sessions(&export_keys()).map(drop);
            assert_eq!(error, Err(ReadError::WrongPassphraseOrDamaged));
        }
    }
}

#[test]
fn attack_141_nothing_is_read_of_a_file_whose_mac_is_wrong() {
    // What stands there would be a list of sessions, and no list, and broken: the error is the same.
    for plaintext in [format!("[{SESSION}]"), "{}".into(), "[".into(), "\u{0}".into(), String::new()] {
        let mut body = body(plaintext.as_bytes());
        *body.last_mut().unwrap() ^= 0x80;
        let text = armour(&body);
        assert_eq!(
            read(text.as_bytes(), PASSPHRASE).unwrap_err(),
            ReadError::WrongPassphraseOrDamaged.into()
        );
        let mut file = KeyExport::from_slice(text.as_bytes()).unwrap();
        let keys = export_keys();
        assert_eq!(file.plaintext_to_vec(&keys).unwrap_err(), ReadError::WrongPassphraseOrDamaged);
        assert_eq!(file.sessions(&keys).map(drop).unwrap_err(), ReadError::WrongPassphraseOrDamaged);
    }
}

/// What came before the source was found to have changed.
fn read_while_it_changes(before: &[u8], at_seek: usize, after: &[u8]) -> (u64, Option<ReadError<ErrorKind>>) {
    let mut source = Source::new(before);
    source.becomes = Some((at_seek, after.to_vec()));
    let mut file = KeyExport::open(source).unwrap();
    let keys = export_keys();
    let mut sessions = match file.sessions(&keys) {
        Ok(sessions) => sessions,
        Err(error) => return (0, Some(error)),
    };
    loop {
        match sessions.next_session() {
            Ok(Some(session)) => assert!(session.is_ok(), "an entry was changed"),
            Ok(None) => return (sessions.counts().entries, None),
            Err(error) => {
                assert_eq!(sessions.next_session().map(drop), Ok(()), "nothing comes after an error");
                return (sessions.counts().entries, Some(error));
            }
        }
    }
}

// A neighbour: the MAC was right, and then the file is another.
#[test]
fn attack_141_a_file_that_changes_between_the_passes_gives_nothing_of_what_changed() {
    let plaintext = format!("[{}]", [SESSION; 300].join(","));
    let honest = body(plaintext.as_bytes());
    let text = armour(&honest);
    assert!(honest.len() > 4 * 36_864);
    for at in [0, 1, 20, 36, 37, 40, 36_863, 36_864, 36_865, 100_000, honest.len() - 33, honest.len() - 1] {
        let mut other = honest.clone();
        // Bits of a session key, which no parser misses.
        other[at] ^= 1;
        // Before the first pass: the MAC, or the header of what was opened.
        let (entries, error) = read_while_it_changes(text.as_bytes(), 1, armour(&other).as_bytes());
        assert!(entries == 0 && error.is_some(), "byte {at}: {error:?}");
        // Before the second.
        let (entries, error) = read_while_it_changes(text.as_bytes(), 2, armour(&other).as_bytes());
        if at < honest.len() - 32 {
            assert_eq!(error, Some(ReadError::Changed), "byte {at}");
            assert!(entries <= (at / 36_864 * 36_864 / SESSION.len()) as u64, "byte {at}: {entries} came");
        } else {
            // The MAC was compared before, and stands for the same plaintext.
            assert_eq!((entries, error), (300, None));
        }
    }
    // Cut off, longer, parts in another order, another file under the same passphrase.
    let swapped =
        [&honest[..36_864], &honest[73_728..110_592], &honest[36_864..73_728], &honest[110_592..]].concat();
    for (other, most) in [
        (honest[..100_000].to_vec(), 73_728 / SESSION.len() as u64),
        (swapped, 36_864 / SESSION.len() as u64),
        (body(plaintext.replace("!test", "!tesu").as_bytes()), 0),
        (body(b"[]"), 0),
    ] {
        let (entries, error) = read_while_it_changes(text.as_bytes(), 2, armour(&other).as_bytes());
        assert_eq!(error, Some(ReadError::Changed));
        assert!(entries <= most, "{entries}");
    }
    // Before the first pass, by one with another IV that is authentic, too: what was opened is not what was verified.
    let other_iv = armour(&body_with(&[1], &[8; 16], 1, plaintext.as_bytes()));
    assert_eq!(read_while_it_changes(text.as_bytes(), 1, other_iv.as_bytes()), (0, Some(ReadError::Changed)));
    let longer = [&honest[..], &[0; 50_000]].concat();
    assert_eq!(read_while_it_changes(text.as_bytes(), 2, armour(&longer).as_bytes()), (300, None));
    // And where nothing changes, nothing is found, wherever the MAC begins.
    for len in (36_864 - 37 - 70..36_864 - 37 + 70).chain(73_728 - 37 - 40..73_728 - 37 + 40) {
        let plaintext = format!("[\"{}\"]", "x".repeat(len - 4));
        let mut file = KeyExport::open(Source::new(file(plaintext.as_bytes()))).unwrap();
        assert_eq!(*file.plaintext_to_vec(&export_keys()).unwrap(), plaintext.as_bytes(), "{len} bytes");
    }
}

// EXP-26, EXP-27
#[test]
fn attack_142_sessions_of_a_file_are_not_first_hand() {
    // A chain that makes the session look as if it had come by way of a known device.
    let claims = SESSION.replace(
        "\"forwarding_curve25519_key_chain\":[]",
        "\"forwarding_curve25519_key_chain\":[\"cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w\"]",
    );
    for session in [SESSION, &claims] {
        let mut read = read(file(format!("[{session}]").as_bytes()).as_bytes(), PASSPHRASE).unwrap();
        let key = RoomKey::from_file(read.sessions.remove(0));
        let origin = key.origin_at(0);
        assert_eq!(origin.provenance, Provenance::File);
        assert!(!origin.provenance.is_first_hand() && origin.provenance.forwarder().is_none());
        // Written again and read again it is no better.
        let text =
            write(&mut ChaCha20Rng::from_seed([1; 32]), PASSPHRASE, NonZeroU32::MIN, [&key.to_exported()])
                .unwrap();
        let again = mx_key_export::read(&text, PASSPHRASE).unwrap().sessions.remove(0);
        assert_eq!(RoomKey::from_file(again).origin_at(0), origin);
    }
}

// A neighbour: what was not authenticated says so, and only one call gives it.
#[test]
fn attack_142_salvage_is_marked_and_apart() {
    let keys = export_keys();
    let text = file(format!("[{}]", [SESSION; 300].join(",")).as_bytes());
    for len in (0..text.len()).step_by(613) {
        let cut = &text[..len];
        if let Ok(mut file) = KeyExport::open(Source::new(cut)) {
            assert!(file.sessions(&keys).is_err() || len >= text.trim_end().len());
        }
        let Ok(mut file) = KeyExport::open_damaged(Source::new(cut)) else {
            assert!(len < 100, "{len}");
            continue;
        };
        assert!(file.sessions(&keys).is_err(), "{len}: salvage made the file authentic");
        let mut sessions = match file.salvage_unauthenticated(&keys) {
            Ok(sessions) => sessions,
            Err(error) => panic!("{error}"),
        };
        assert!(!sessions.is_authenticated());
        let mut read = 0;
        loop {
            match sessions.next_session() {
                Ok(Some(session)) => read += u64::from(session.is_ok()),
                Ok(None) => break,
                Err(error) => {
                    assert!(len < 140 && error == ReadError::NotAnArray, "{len}: {error}");
                    break;
                }
            }
        }
        // All that is whole, and at most one that is not.
        let plaintext = ((len - 36) / 77 * 57).saturating_sub(37);
        assert!(
            read + 1 >= (plaintext / (SESSION.len() + 1)) as u64 && sessions.counts().refused <= 1,
            "{len}: {read}"
        );
    }
    // Whole, or with another end, or damaged in one place.
    let body = body(format!("[{}]", [SESSION; 300].join(",")).as_bytes());
    let mut damaged = body.clone();
    damaged[50_000] ^= 0x40;
    let end = text.find("\n-----END").unwrap();
    for (text, at_least, refused) in [
        (text.clone(), 300, 0),
        (armour(&damaged), 298, 2),
        (format!("{}\n-----END MEG", &text[..end]), 300, 0),
        (format!("{}\n<html>", &text[..end]), 300, 0),
    ] {
        let mut file = KeyExport::open_damaged(Source::new(text)).unwrap();
        let mut sessions = file.salvage_unauthenticated(&keys).unwrap();
        while sessions.next_session().unwrap().is_some() {}
        let counts = sessions.counts();
        assert!(counts.entries - counts.refused >= at_least && counts.refused <= refused, "{counts:?}");
    }
    // A wrong passphrase gives nothing.
    let mut file = KeyExport::open_damaged(Source::new(text)).unwrap();
    let others = file.derive("wrong", MAX_ROUNDS).unwrap().finish();
    let mut sessions = file.salvage_unauthenticated(&others).unwrap();
    while let Ok(Some(session)) = sessions.next_session() {
        assert!(session.is_err());
    }
}
