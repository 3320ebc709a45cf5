//! Canonical JSON against ruma: the same text from random documents, spelled at random.

use std::collections::BTreeMap;

use mx_canonical_json::{Limits, canonicalize};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use ruma_common::canonical_json::CanonicalJsonValue;

use crate::report::{Outcome, at, expect, failure};

const DOCUMENTS: usize = 5_000;

/// Ours and ruma's agree on `DOCUMENTS` documents, and each leaves the other's output as it is.
pub fn agreement(rng: &mut ChaCha20Rng) -> Outcome {
    let mut total = 0;
    for _ in 0..DOCUMENTS {
        let mut text = String::new();
        document(rng, 0, &mut text);
        let ours = at(&text, canonicalize(&text, &Limits::DEFAULT))?;
        let theirs = at(&text, ruma(&text))?;
        if ours != theirs {
            return failure(format!("{text} became {ours} with us and {theirs} with ruma"));
        }
        expect(at(&ours, ruma(&ours))? == ours, &format!("ruma changed our output {ours}"))?;
        let again = at(&theirs, canonicalize(&theirs, &Limits::DEFAULT))?;
        expect(again == theirs, &format!("we changed ruma's output {theirs}"))?;
        total += ours.len();
    }
    Ok(format!("{DOCUMENTS} random documents, {total} bytes"))
}

/// ruma's canonical form.
pub fn ruma(text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::from_str::<CanonicalJsonValue>(text)?)
}

fn below(rng: &mut ChaCha20Rng, bound: u32) -> u32 {
    rng.next_u32() % bound
}

fn document(rng: &mut ChaCha20Rng, depth: u32, out: &mut String) {
    white_space(rng, out);
    match below(rng, if depth < 5 { 9 } else { 5 }) {
        0 => out.push_str(["null", "true", "false"][below(rng, 3) as usize]),
        1 | 2 => integer(rng, out),
        3 | 4 => {
            let text = random_text(rng);
            string(rng, &text, out);
        }
        5 | 6 => {
            out.push('[');
            for position in 0..below(rng, 5) {
                out.push_str(if position > 0 { "," } else { "" });
                document(rng, depth + 1, out);
            }
            out.push(']');
        }
        _ => {
            // A map, so that no key is there twice; then in random order.
            let keys: BTreeMap<_, _> =
                (0..below(rng, 8)).map(|_| (random_text(rng), rng.next_u32())).collect();
            let mut keys: Vec<_> = keys.into_iter().collect();
            keys.sort_by_key(|(_, place)| *place);
            out.push('{');
            for (position, (key, _)) in keys.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                white_space(rng, out);
                string(rng, key, out);
                white_space(rng, out);
                out.push(':');
                document(rng, depth + 1, out);
            }
            out.push('}');
        }
    }
    white_space(rng, out);
}

fn integer(rng: &mut ChaCha20Rng, out: &mut String) {
    const MAX: i64 = (1 << 53) - 1;
    let value = match below(rng, 4) {
        0 => i64::from(below(rng, 100)) - 50,
        1 => MAX - i64::from(below(rng, 2)),
        2 => i64::from(below(rng, 2)) - MAX,
        _ => rng.next_u64().cast_signed() % MAX,
    };
    out.push_str(&value.to_string());
}

/// Characters that sort, escape or encode in their own way.
const CHARACTERS: [char; 30] = [
    'a',
    'b',
    'A',
    'Z',
    '0',
    '1',
    '9',
    ' ',
    '"',
    '\\',
    '/',
    '\u{0}',
    '\u{1}',
    '\u{8}',
    '\t',
    '\n',
    '\u{b}',
    '\u{c}',
    '\r',
    '\u{1f}',
    '\u{7f}',
    'ß',
    '本',
    '日',
    '\u{2028}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{ffff}',
    '😀',
    '\u{10ffff}',
];

fn random_text(rng: &mut ChaCha20Rng) -> String {
    (0..below(rng, 6)).map(|_| CHARACTERS[below(rng, 30) as usize]).collect()
}

/// A string in one of its many spellings.
fn string(rng: &mut ChaCha20Rng, text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let must_escape = character < ' ' || character == '"' || character == '\\';
        match below(rng, 4) {
            0 => escape(rng, character, out),
            _ if !must_escape => out.push(character),
            _ => match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                _ => escape(rng, character, out),
            },
        }
    }
    out.push('"');
}

fn escape(rng: &mut ChaCha20Rng, character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str(&if below(rng, 2) == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
    }
}

fn white_space(rng: &mut ChaCha20Rng, out: &mut String) {
    if below(rng, 4) == 0 {
        out.push([' ', '\t', '\n', '\r'][below(rng, 4) as usize]);
    }
}
