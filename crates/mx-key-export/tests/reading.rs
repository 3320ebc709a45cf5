//! What is read, and how what is not is refused.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use embedded_io::ErrorKind;
use mx_key_export::{
    Counts, EntryErrorReason, KeyExport, MAX_ENTRY_LEN, MAX_ROUNDS, ReadError, ReadWholeError, TooManyRounds,
    read,
};
use support::{PASSPHRASE, SESSION, SESSION_ID, Source, armour, body, body_with, export_keys, file};

/// How many sessions there are, and the positions of entries that are none, from memory and from sources.
fn outcome(text: &[u8]) -> Result<(usize, Vec<u64>), ReadError<ErrorKind>> {
    let from_memory = read(text, PASSPHRASE).map(|read| {
        (read.sessions.len(), read.refused.iter().map(|error| error.position).collect::<Vec<_>>())
    });
    for at_most in [1, 7, usize::MAX] {
        let mut source = Source::new(text);
        source.at_most = at_most;
        let outcome = outcome_of(source);
        match &from_memory {
            Ok(expected) => assert_eq!(outcome.as_ref(), Ok(expected)),
            Err(error) => assert_eq!(outcome.unwrap_err().to_string(), error.to_string()),
        }
    }
    outcome_of(Source::new(text))
}

fn outcome_of(source: Source) -> Result<(usize, Vec<u64>), ReadError<ErrorKind>> {
    let mut file = KeyExport::open(source)?;
    let keys = file.derive(PASSPHRASE, MAX_ROUNDS).unwrap().finish();
    let mut sessions = file.sessions(&keys)?;
    let (mut read, mut refused) = (0, Vec::new());
    while let Some(session) = sessions.next_session()? {
        match session {
            Ok(session) => {
                assert_eq!(session.session_id().as_str(), SESSION_ID);
                read += 1;
            }
            Err(error) => refused.push(error.position),
        }
    }
    let counts = Counts { entries: (read + refused.len()) as u64, refused: refused.len() as u64 };
    assert_eq!(sessions.counts(), counts);
    assert!(sessions.is_authenticated() && sessions.next_session().unwrap().is_none());
    Ok((read, refused))
}

fn sessions_file(count: usize) -> String {
    file(format!("[{}]", vec![SESSION; count].join(",")).as_bytes())
}

// EXP-10, EXP-12, EXP-14
#[test]
fn any_armour_that_is_in_use() {
    let text = sessions_file(3);
    let (lines, unpadded) = (text.trim_end(), text.replace('=', ""));
    let one_line = {
        let base64 = lines.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        format!("-----BEGIN MEGOLM SESSION DATA-----{base64}-----END MEGOLM SESSION DATA-----")
    };
    let spaced = text.replace('\n', " \t\n\n  ").replace("AB", "A B");
    for variant in [
        text.clone(),
        lines.to_owned(),
        unpadded.clone(),
        unpadded.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        one_line.replace('=', ""),
        one_line,
        spaced.replace(" \t\n\n  MEGOLM", " MEGOLM"),
        format!("\n\n  {text}\n\n"),
        format!("\u{feff}{text}"),
        format!(
            "Dear user,\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{text}-- \nfoot!\n"
        ),
        format!("{}{text}", "- x\n".repeat(40_000)),
        format!("{text}{}", sessions_file(1)),
        format!("{text}-----BEGIN MEGOLM SESSION DATA-----\n"),
    ] {
        assert_eq!(outcome(variant.as_bytes()), Ok((3, vec![])), "{}", &variant[..200]);
    }
    // Any length of lines, with the padding anywhere in them.
    for len in 1..100 {
        let mut wrapped = String::from("-----BEGIN MEGOLM SESSION DATA-----\n");
        for (i, character) in
            text.lines().filter(|line| !line.starts_with('-')).flat_map(str::chars).enumerate()
        {
            wrapped.push(character);
            if i % len == len - 1 {
                wrapped.push('\n');
            }
        }
        wrapped.push_str("\n-----END MEGOLM SESSION DATA-----");
        assert_eq!(read(wrapped.as_bytes(), PASSPHRASE).unwrap().sessions.len(), 3, "lines of {len}");
    }
}

// EXP-14
#[test]
fn armour_that_is_none() {
    let text = sessions_file(1);
    let begin = "-----BEGIN MEGOLM SESSION DATA-----";
    assert_eq!(outcome(b""), Err(ReadError::NoBegin));
    assert_eq!(outcome(text.replace(begin, "").as_bytes()), Err(ReadError::NoBegin));
    assert_eq!(
        outcome(text.replace(begin, "-----BEGIN MEGOLM SESSION DATA----").as_bytes()),
        Err(ReadError::NoBegin)
    );
    assert_eq!(outcome(&text.as_bytes()[..text.len() - 2]), Err(ReadError::NoEnd));
    assert_eq!(outcome(begin.as_bytes()), Err(ReadError::NoEnd));
    for other in [
        "\n!",
        "\n-",
        "\n-----END",
        "\n_",
        "\n\0",
        "\n\u{e4}",
        "\n=",
        "\n=A",
        "\n-----END MEGOLM SESSION DAT-----",
    ] {
        let damaged = text.replacen('\n', other, 1);
        assert_eq!(outcome(damaged.as_bytes()), Err(ReadError::Base64), "{other:?}");
    }
    let end = text.find("-----END").unwrap();
    for other in ["!", "A", "=", "==", "===", "====", "A===", "AA=", "AAA==", "AA==AA==", "AAA=A"] {
        // One block more than the body has.
        let mut damaged = armour(&body(b"[1,2]    "));
        let end = damaged.find("\n-----END").unwrap();
        assert!(damaged.is_char_boundary(end) && !damaged.contains('='), "{damaged}");
        damaged.insert_str(end, other);
        assert_eq!(outcome(damaged.as_bytes()), Err(ReadError::Base64), "{other:?}");
    }
    assert_eq!(&text[end..end + 8], "-----END");
}

// EXP-4, EXP-9, EXP-13
#[test]
fn every_truncation() {
    let text = sessions_file(2);
    let whole = text.trim_end().len();
    for len in 0..=text.len() {
        match outcome_of(Source::new(&text.as_bytes()[..len])) {
            Ok(read) => assert!(len >= whole && read == (2, vec![]), "{len} bytes"),
            Err(error) => assert!(
                len < whole && matches!(error, ReadError::NoBegin | ReadError::NoEnd),
                "{len}: {error}"
            ),
        }
    }
    let body = body(format!("[{SESSION}]").as_bytes());
    for len in 0..body.len() {
        let expected = match len {
            // Of 37 to 68 bytes the MAC would begin in the header.
            0..69 => ReadError::TooShort { len: len as u64 },
            _ => ReadError::WrongPassphraseOrDamaged,
        };
        assert_eq!(outcome_of(Source::new(armour(&body[..len]))), Err(expected), "{len} bytes");
    }
}

// EXP-2, EXP-9
#[test]
fn version_then_rounds_then_the_mac() {
    let version_and_rounds = body_with(&[2], &[9; 16], 0, b"[]");
    assert_eq!(
        outcome(armour(&version_and_rounds).as_bytes()),
        Err(ReadError::UnsupportedVersion { version: 2 })
    );
    assert_eq!(outcome(armour(&version_and_rounds[..68]).as_bytes()), Err(ReadError::TooShort { len: 68 }));
    let no_rounds = body_with(&[1], &[9; 16], 0, b"[]");
    assert_eq!(outcome(armour(&no_rounds).as_bytes()), Err(ReadError::NoRounds));
    for rounds in [MAX_ROUNDS + 1, u32::MAX] {
        let many = armour(&body_with(&[1], &[9; 16], rounds, b"[]"));
        let error = TooManyRounds { rounds, limit: MAX_ROUNDS };
        assert_eq!(read(many.as_bytes(), PASSPHRASE).unwrap_err(), ReadWholeError::TooManyRounds(error));
        let file = KeyExport::from_slice(many.as_bytes()).unwrap();
        assert_eq!(file.derive(PASSPHRASE, 100).unwrap_err(), TooManyRounds { rounds, limit: 100 });
        assert_eq!(file.derive(PASSPHRASE, u32::MAX).unwrap().remaining(), rounds - 1);
    }
}

// EXP-8
#[test]
fn a_wrong_passphrase_and_damage_are_one_error() {
    let text = sessions_file(1);
    assert_eq!(read(text.as_bytes(), "wrong").unwrap_err(), ReadError::WrongPassphraseOrDamaged.into());
    let body = body(format!("[{SESSION}]").as_bytes());
    for at in [1, 17, 35, 37, 100, body.len() - 33, body.len() - 32, body.len() - 1] {
        let mut damaged = body.clone();
        damaged[at] ^= 1;
        let outcome = outcome_of(Source::new(armour(&damaged)));
        assert_eq!(outcome, Err(ReadError::WrongPassphraseOrDamaged), "byte {at}");
    }
}

// EXP-20, EXP-24
#[test]
fn lists_that_are_read_and_others() {
    for (plaintext, expected) in [
        (format!("[{SESSION}]"), Ok(1)),
        (format!(" \r\n[\t{SESSION} , {SESSION}\n] \n"), Ok(2)),
        (format!("{{\"sessions\":[{SESSION}]}}"), Ok(1)),
        (format!(" {{ \"sessions\" : [ {SESSION} ] }} \n"), Ok(1)),
        ("[]".into(), Ok(0)),
        ("{\"sessions\":[]}".into(), Ok(0)),
        (String::new(), Err(ReadError::NotAnArray)),
        (" ".repeat(300_000), Err(ReadError::NotAnArray)),
        ("plain".into(), Err(ReadError::NotAnArray)),
        ("\"[]\"".into(), Err(ReadError::NotAnArray)),
        ("{}".into(), Err(ReadError::NotAnArray)),
        (SESSION.into(), Err(ReadError::NotAnArray)),
        ("{\"session\":[]}".into(), Err(ReadError::NotAnArray)),
        ("{\"sessions\":{}}".into(), Err(ReadError::NotAnArray)),
        ("{\"sessions".into(), Err(ReadError::NotAnArray)),
        ("[".into(), Err(ReadError::UnfinishedArray)),
        (format!("[{SESSION}"), Err(ReadError::UnfinishedArray)),
        (format!("[{SESSION},"), Err(ReadError::UnfinishedArray)),
        (format!("{{\"sessions\":[{SESSION}]"), Err(ReadError::UnfinishedArray)),
        (format!("[{SESSION}]]"), Err(ReadError::AfterArray)),
        (format!("[{SESSION}]}}"), Err(ReadError::AfterArray)),
        (format!("{{\"sessions\":[{SESSION}],\"a\":1}}"), Err(ReadError::AfterArray)),
        (format!("[{SESSION}]{}", " ".repeat(200_000)), Ok(1)),
        (format!("[{}{SESSION}]", " ".repeat(200_000)), Ok(1)),
    ] {
        let outcome = outcome(file(plaintext.as_bytes()).as_bytes());
        assert_eq!(
            outcome,
            expected.map(|count| (count, vec![])),
            "{}",
            &plaintext[..plaintext.len().min(80)]
        );
    }
}

// EXP-24, EXP-25, EXP-29
#[test]
fn an_entry_that_is_none_costs_itself_only() {
    let other_id = SESSION.replace("8sdNGgmL", "8sdNGgmM");
    let unknown = SESSION.replace("m.megolm.v1", "m.megolm.v9");
    let no_key = SESSION.replace("session_key", "session_kex");
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_ENTRY_LEN));
    let very_long = format!("{{\"a\":[\"{}\"]}}", "x\\\"]},".repeat(100_000));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for bad in [
        "1",
        "-1.5e7",
        "true",
        "null",
        "\"a\"",
        "\"],\\\"\"",
        "[]",
        "{}",
        "[[1],[2]]",
        "{\"a\":{\"b\":[1,2]}}",
        &other_id,
        &unknown,
        &no_key,
        &long,
        &very_long,
        // Not JSON, and where it ends is clear all the same, or is found.
        "{\"a\"}",
        "{,}",
        "x",
        "\u{0}",
        "}",
        "{\"a\":]}",
        "{\"a\":[}",
        "{\"a\":\"b}",
        "{\"a:\"b\"}",
        "{\"a\":\"b\"",
        "[",
        "{",
        "\"",
        "{\"a\":\"\\\"}",
        &deep,
        &SESSION[1..],
        &SESSION[..SESSION.len() - 1],
        &SESSION[..300],
        &SESSION[..20],
    ] {
        let plaintext = format!("[{SESSION},{bad},{SESSION},{bad},{SESSION}]");
        let shown = &bad[..bad.len().min(60)];
        let between = outcome(file(plaintext.as_bytes()).as_bytes());
        let Ok((read, refused)) = between else { panic!("{shown}: {between:?}") };
        assert_eq!((read, refused.len()), (3, 2), "{shown}: {refused:?}");
        assert_eq!(refused, [1, 3], "{shown}");
        // At either end it costs no more.
        for plaintext in [format!("[{bad},{SESSION},{SESSION}]"), format!("[{SESSION},{SESSION},{bad}]")] {
            let outcome = outcome(file(plaintext.as_bytes()).as_bytes());
            assert!(
                matches!(&outcome, Ok((2, refused)) if refused.len() == 1)
                    || plaintext.ends_with(&format!("{bad}]"))
                        && bad.contains(['{', '[', '"'])
                        && outcome.is_err(),
                "{shown}: {outcome:?}"
            );
        }
    }
}

#[test]
fn reasons_are_named() {
    let long = "1".repeat(MAX_ENTRY_LEN + 1);
    let text = file(format!("[{{}},{{\"a\":\"b}},{SESSION},{long},{SESSION}]").as_bytes());
    let refused = read(text.as_bytes(), PASSPHRASE).unwrap().refused;
    let [first, second, third] = &refused[..] else { panic!("{refused:?}") };
    assert!(matches!(first.reason, EntryErrorReason::Session(_)));
    assert_eq!((second.position, second.reason), (1, EntryErrorReason::Malformed));
    assert_eq!((third.position, third.reason), (3, EntryErrorReason::TooLong));
    assert_eq!(third.to_string(), "entry 3: longer than 65536 bytes");
    assert_eq!(second.to_string(), "entry 1: not JSON");
}

#[test]
fn entries_of_all_lengths_at_all_places_of_a_chunk() {
    for len in
        [1_000, 36_800, 36_863, 36_864, 36_865, MAX_ENTRY_LEN - 1, MAX_ENTRY_LEN, MAX_ENTRY_LEN + 1, 110_000]
    {
        let filler = format!("{{\"a\":\"{}\"}}", "\\\\".repeat((len - 8) / 2) + &"x".repeat(len % 2));
        assert_eq!(filler.len(), len);
        let text = file(format!("[{filler},{SESSION},{filler},{filler},{SESSION}]").as_bytes());
        assert_eq!(outcome_of(Source::new(text.as_str())), Ok((2, vec![0, 2, 3])), "{len} bytes");
        let mut file = KeyExport::from_slice(text.as_bytes()).unwrap();
        let keys = export_keys();
        let mut sessions = file.sessions(&keys).unwrap();
        let entry = sessions.next_entry().unwrap().unwrap();
        if len <= MAX_ENTRY_LEN {
            assert_eq!(entry.json().unwrap(), filler.as_bytes());
        } else {
            assert_eq!(entry.json().unwrap_err().reason, EntryErrorReason::TooLong);
        }
    }
}

#[test]
fn a_million_entries_that_are_no_sessions() {
    let text = file(format!("[{}{SESSION}]", "0,".repeat(1_000_000)).as_bytes());
    let read = read(text.as_bytes(), PASSPHRASE).unwrap();
    assert_eq!((read.sessions.len(), read.refused.len()), (1, 1_000_000));
}

#[test]
fn what_the_source_says_is_passed_on() {
    let text = sessions_file(200);
    for fails_at in (0..text.len()).step_by(9_973).chain([text.len() - 2]) {
        let mut source = Source::new(text.as_str());
        source.fails_at = Some(fails_at);
        assert_eq!(outcome_of(source), Err(ReadError::Source(ErrorKind::TimedOut)), "at {fails_at}");
    }
}

#[test]
fn a_file_that_does_not_begin_where_the_source_does() {
    let mut source = Source::new(format!("{}{}", sessions_file(1), sessions_file(2)));
    source.position = sessions_file(1).len();
    assert_eq!(outcome_of(source), Ok((2, vec![])));
}

#[test]
fn a_file_can_be_read_again() {
    let text = sessions_file(3);
    let mut file = KeyExport::open(Source::new(text)).unwrap();
    let keys = export_keys();
    for _ in 0..2 {
        let mut sessions = file.sessions(&keys).unwrap();
        assert!(sessions.next_session().unwrap().unwrap().is_ok());
        // And not to its end.
    }
    assert_eq!(file.plaintext_to_vec(&keys).unwrap().len(), 3 * SESSION.len() + 4);
}

#[test]
fn the_mac_is_checked_in_steps_or_at_once_with_one_outcome() {
    let text = sessions_file(200);
    let mut file = KeyExport::open(Source::new(text.as_bytes())).unwrap();
    let keys = export_keys();
    let (mut verification, mut steps) = (file.verification(&keys), 0);
    assert_eq!(verification.bytes(), 0);
    while verification.step().unwrap() {
        steps += 1;
        assert!(verification.bytes() > 0);
    }
    let body = 37 + 32 + 200 * (SESSION.len() + 1) + 1;
    assert_eq!(verification.bytes(), body as u64);
    assert_eq!(steps, body.div_ceil(36_864));
    assert!(!verification.step().unwrap());
    let mut sessions = verification.finish().unwrap();
    assert!(sessions.is_authenticated() && sessions.next_session().unwrap().unwrap().is_ok());

    let damaged = body_of_damaged(&text);
    let mut file = KeyExport::open(Source::new(damaged.as_bytes())).unwrap();
    let mut verification = file.verification(&keys);
    while verification.step().unwrap() {}
    assert_eq!(verification.finish().unwrap_err(), ReadError::WrongPassphraseOrDamaged);
}

/// The file with another character in its last line but one.
fn body_of_damaged(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let line = lines.iter_mut().rev().nth(2).unwrap();
    let other = if line.starts_with('A') { "B" } else { "A" };
    line.replace_range(..1, other);
    lines.join("\n")
}
