//! The part of `tidy` that guards comparisons: a secret or a MAC that has `PartialEq` is sooner or later
//! compared by `==`, in as much time as its equal beginning is long.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    source::{Source, is_word, word_after},
    tidy::Finding,
};

/// Traits that make `==` or a look-up of a value; a MAC may have none of them, though it is no secret once sent.
const COMPARING: &[&str] = &["Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// What a public type with secrets does not have besides; `Debug` every one has by hand.
const COPYING: &[&str] = &["Clone", "Copy"];
const SHOWING: &str = "Debug";

/// Types that are wiped and hold no secret all the same, and why.
const NOT_SECRET: &[(&str, &str)] =
    &[("FallbackSession", "two public keys in a list that wipes what leaves it")];

/// Deriving one of these says: secret.
const WIPING: &[&str] = &["Zeroize", "ZeroizeOnDrop"];

/// Names of values that are compared in constant time or not at all.
const SECRET_VALUES: &[&str] = &[
    "aes_key",
    "chain_key",
    "hmac",
    "hmac_key",
    "mac",
    "mac_key",
    "message_key",
    "pickle_key",
    "plaintext",
    "private_key",
    "root_key",
    "secret",
    "secret_bytes",
    "secret_key",
    "seed",
    "shared_secret",
];

pub(crate) fn findings(file: &str, source: &Source) -> Vec<Finding> {
    let lines: Vec<_> = source.library_code().collect();
    let derives = derives(&lines);
    let impls = impls(&lines);
    let mut secrets: BTreeSet<&str> = BTreeSet::new();
    secrets.extend(impls.iter().filter(|(name, _, _)| WIPING.contains(name)).map(|(_, of, _)| *of));
    let wipes = |traits: &[String]| traits.iter().any(|name| WIPING.contains(&name.as_str()));
    secrets.extend(derives.iter().filter(|(_, (_, traits))| wipes(traits)).map(|(name, _)| *name));

    secrets.retain(|name| !NOT_SECRET.iter().any(|(exempt, _)| exempt == name));
    let public =
        lines.iter().filter(|(_, line)| line.starts_with("pub struct ") || line.starts_with("pub enum "));
    let public: BTreeSet<_> = public.filter_map(|(_, line)| type_name(line)).collect();
    let macs = derives.keys().copied().filter(|name| is_mac(name)).collect::<BTreeSet<_>>();

    let mut findings = Vec::new();
    let mut found = |line: usize, what: String| findings.push(Finding::new(format!("{file}:{line}"), what));
    let forbidden = |name: &str, of: &str| {
        let (is_secret, is_mac) = (secrets.contains(of), macs.contains(of));
        let compares = (is_secret || is_mac) && COMPARING.contains(&name);
        compares || (is_secret && public.contains(of) && COPYING.contains(&name))
    };
    for (of, (line, traits)) in &derives {
        let is_forbidden = |name: &str| forbidden(name, of) || (name == SHOWING && secrets.contains(of));
        for derived in traits.iter().filter(|derived| is_forbidden(derived)) {
            found(*line, format!("{of} is a secret or a MAC and derives {derived}"));
        }
    }
    for (name, of, line) in impls.iter().filter(|(name, of, _)| forbidden(name, of)) {
        found(*line, format!("{of} is a secret or a MAC and has {name}"));
    }
    for (line, text) in &lines {
        for value in compared(text) {
            found(*line, format!("`{value}` is compared by an operator: use subtle"));
        }
    }
    findings
}

/// A MAC by its name; errors that speak of one are none.
fn is_mac(name: &str) -> bool {
    (name.ends_with("Mac") || name.ends_with("Tag"))
        && !name.starts_with("Invalid")
        && !name.starts_with("Wrong")
}

/// Types with the line and the names of their derives; one derive list may span lines.
fn derives<'a>(lines: &[(usize, &'a str)]) -> BTreeMap<&'a str, (usize, Vec<String>)> {
    let mut derives = BTreeMap::new();
    let mut pending: Option<(usize, String)> = None;
    let mut open = false;
    for (number, line) in lines {
        if let Some(at) = line.find("#[derive(") {
            let (_, text) = pending.get_or_insert((*number, String::new()));
            text.push_str(&line[at + "#[derive(".len()..]);
            open = !line.contains(")]");
        } else if open {
            if let Some((_, text)) = &mut pending {
                text.push_str(line);
            }
            open = !line.contains(")]");
        } else if let Some(name) = type_name(line) {
            let (number, text) = pending.take().unwrap_or((*number, String::new()));
            let words = text.split(|c| !is_word(c)).filter(|word| !word.is_empty());
            derives.insert(name, (number, words.map(str::to_owned).collect()));
        }
    }
    derives
}

fn type_name(line: &str) -> Option<&str> {
    ["struct", "enum"].iter().find_map(|keyword| word_after(line, keyword))
}

/// `impl Trait for Type`, with its line.
fn impls<'a>(lines: &[(usize, &'a str)]) -> Vec<(&'a str, &'a str, usize)> {
    let parse = |number: usize, line: &'a str| {
        let (left, right) = line.trim_start().strip_prefix("impl")?.split_once(" for ")?;
        let path = left.rsplit(['>', ' ']).find(|part| !part.is_empty() && !part.starts_with('<'))?;
        let name = path.rsplit("::").next()?.split('<').next()?;
        let of = right.trim_start().split(|c| !is_word(c)).next()?;
        Some((name, of, number))
    };
    lines.iter().filter_map(|(number, line)| parse(*number, line)).collect()
}

/// Secret values beside `==` or `!=`; their lengths may be compared.
fn compared(line: &str) -> Vec<&str> {
    let in_path = |c: char| is_word(c) || matches!(c, '.' | '(' | ')' | '&' | '*' | ':');
    let mut found = Vec::new();
    for (at, operator) in line.match_indices("==").chain(line.match_indices("!=")) {
        let (left, right) = (line[..at].trim_end(), line[at + operator.len()..].trim_start());
        let start = left.rfind(|c| !in_path(c)).map_or(0, |before| before + 1);
        let end = right.find(|c| !in_path(c)).unwrap_or(right.len());
        found.extend([&left[start..], &right[..end]].into_iter().filter_map(secret_in));
    }
    found
}

/// The last names of a path such as `self.mac.as_bytes()`, if one of them is a secret.
fn secret_in(path: &str) -> Option<&str> {
    let names: Vec<_> = path.split(['.', '(', ')', '&', '*', ':']).filter(|name| !name.is_empty()).collect();
    let (last, before) = names.split_last()?;
    let names = if last.starts_with("as_") { &[last, *before.last()?] } else { &[*last, *last] };
    names.iter().find(|name| SECRET_VALUES.contains(name)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_finds(text: &str, expected: &[&str]) {
        let findings = findings("a.rs", &Source::parse(text));
        let found: Vec<_> = findings.iter().map(|finding| finding.what.as_str()).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn attack_012_secret_types_that_can_be_compared_are_found() {
        assert_finds(
            "#[derive(PartialEq, ZeroizeOnDrop)]\nstruct ChainKey([u8; 32]);",
            &["derives PartialEq"],
        );
        assert_finds("#[derive(\n    Eq,\n    Zeroize,\n)]\npub struct K;", &["derives Eq"]);
        assert_finds("#[derive(PartialEq)]\npub(crate) struct Mac([u8; 8]);", &["derives PartialEq"]);
        assert_finds("impl ZeroizeOnDrop for K {}\nimpl PartialEq for K {}", &["has PartialEq"]);
        assert_finds(
            "impl<T> zeroize::Zeroize for K<T> {}\nimpl<T: X> core::cmp::PartialEq<K> for K<T> {}",
            &["has PartialEq"],
        );
    }

    #[test]
    fn secrets_of_the_api_are_not_copied() {
        assert_finds("#[derive(Clone, ZeroizeOnDrop)]\npub struct Ratchet;", &["derives Clone"]);
        assert_finds("#[derive(Clone, ZeroizeOnDrop)]\npub(crate) struct Ratchet;", &[]);
    }

    #[test]
    fn attack_012_comparing_a_mac_by_an_operator_is_found() {
        assert_finds("if mac == expected { }", &["`mac`"]);
        assert_finds("if expected != self.mac.as_bytes() { }", &["`mac`"]);
        assert_finds("if a == *secret_key { }", &["`secret_key`"]);
    }

    #[test]
    fn public_values_lengths_and_errors_may_be_compared() {
        assert_finds("#[derive(Clone, Copy, Debug, Eq, PartialEq)]\nenum InvalidMac { A }", &[]);
        assert_finds(
            "#[derive(Clone, Debug, PartialEq)]\nstruct PublicKey;\nimpl PartialEq for PublicKey {}",
            &[],
        );
        assert_finds("if mac.len() == 8 && public_key == other { }", &[]);
        assert_finds("#[derive(ZeroizeOnDrop)]\nstruct K;\nimpl fmt::Debug for K {}", &[]);
    }
}
