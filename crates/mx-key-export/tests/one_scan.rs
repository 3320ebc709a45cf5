//! A session that is read where it begins is the same as one of which the end was looked for first.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use embedded_io::{Read, Seek};
use mx_key_export::{ExportKeys, KeyExport, Sessions};
use proptest::prelude::*;
use support::{SESSION, Source, export_keys, file};

type Outcome = (Vec<Result<Vec<u8>, String>>, Option<String>);

/// What comes of all entries and of the list, through [`Sessions::next_session`] or [`Sessions::next_entry`].
fn outcome<S: Read + Seek>(mut sessions: Sessions<'_, S>, in_one_scan: bool) -> Outcome
where
    S::Error: core::fmt::Debug,
{
    let mut entries = Vec::new();
    loop {
        let session = if in_one_scan {
            sessions.next_session()
        } else {
            sessions.next_entry().map(|entry| entry.map(|entry| entry.session()))
        };
        match session {
            Ok(Some(Ok(session))) => entries.push(Ok(session.emit_to_vec().to_vec())),
            Ok(Some(Err(error))) => entries.push(Err(format!("{error:?}"))),
            Ok(None) => return (entries, None),
            Err(error) => return (entries, Some(format!("{error:?}"))),
        }
    }
}

/// Both ways, from memory and from a source; how many sessions came.
fn check(plaintext: &[u8], keys: &ExportKeys) -> usize {
    let text = file(plaintext);
    let mut in_memory = KeyExport::from_slice(text.as_bytes()).unwrap();
    let expected = outcome(in_memory.sessions(keys).unwrap(), false);
    assert_eq!(outcome(in_memory.sessions(keys).unwrap(), true), expected);
    let mut source = KeyExport::open(Source::new(text)).unwrap();
    assert_eq!(outcome(source.sessions(keys).unwrap(), true), expected);
    expected.0.iter().filter(|session| session.is_ok()).count()
}

fn with_member(member: &str) -> String {
    format!("{{{member},{}", &SESSION[1..])
}

// EXP-15, EXP-29
#[test]
fn entries_of_all_kinds_are_the_same_both_ways() {
    let keys = export_keys();
    let nested = |depth: usize| with_member(&format!("\"a\":{}1{}", "[".repeat(depth), "]".repeat(depth)));
    let long = |len: usize| with_member(&format!("\"a\":\"{}\"", "a".repeat(len)));
    let escaped =
        SESSION.replace("room_id", "\\u0072oom_id").replace("!test", "\\u0021test").replace('/', "\\/");
    let repeated = with_member("\"room_id\":\"!other:localhost\"");
    let list = |entries: &[&str]| format!("[{}]", entries.join(","));
    for (entry, sessions) in [
        (SESSION, 3),
        (escaped.as_str(), 3),
        (&repeated, 2),
        (&SESSION.replace(':', " :\n"), 2),
        (&SESSION.replace("\":", "\" :\r\n\t"), 3),
        (&with_member("\"a\":\"\u{1f600}\u{e9}\",\"b\":{\"c\":[1.5e3,null,{}]}"), 3),
        (&nested(62), 3),
        (&nested(63), 3),
        (&nested(64), 3),
        (&nested(127), 3),
        (&nested(128), 2),
        (&long(40_000), 3),
        (&long(65_536 - SESSION.len() - 7), 3),
        (&long(65_536 - SESSION.len() - 6), 2),
        (&long(120_000), 2),
        ("{}", 2),
        ("null", 2),
        ("{\"a\":[,]}", 2),
    ] {
        let came = check(list(&[SESSION, entry, SESSION]).as_bytes(), &keys);
        assert_eq!(came, sessions, "{entry:.80}");
    }
    check(list(&[SESSION, "{\"a", SESSION]).as_bytes(), &keys);
    // Across the borders of chunks.
    let many = vec![SESSION; 200];
    assert_eq!(check(list(&many).as_bytes(), &keys), 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_lists_are_the_same_both_ways(
        damage in proptest::collection::vec((0..2_000_usize, prop_oneof!["[\\[\\]{}\",:\\\\ 0a]".prop_map(|text| text.into_bytes()), any::<u8>().prop_map(|byte| vec![byte])]), 0..4),
        cut in proptest::option::of(0..2_000_usize),
    ) {
        let mut plaintext = format!("[{SESSION},{SESSION} , {SESSION}]").into_bytes();
        for (at, bytes) in damage {
            let at = at % plaintext.len();
            plaintext[at] = bytes[0];
        }
        plaintext.truncate(cut.unwrap_or(usize::MAX));
        check(&plaintext, &export_keys());
    }
}
