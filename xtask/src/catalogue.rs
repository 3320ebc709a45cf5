//! The tests of the whole tree, and the requirements that their comments name.

use std::ops::RangeInclusive;

use anyhow::Result;

use crate::{
    project::Project,
    source::{Source, files},
};

/// Where tests live. The peers' workspace counts: what it runs against another implementation is a test.
const FOLDERS: &[&str] = &["crates", "xtask"];

/// A longer range in a comment is taken for a slip of the pen.
const MAX_RANGE: u32 = 100;

/// One test and the requirements that it names.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// Path from the root.
    pub(crate) file: String,
    pub(crate) requirements: Vec<String>,
}

/// All tests in the tree, in the order of their files.
pub(crate) fn tests(project: &Project) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for folder in FOLDERS {
        for path in files(&project.root.join(folder), ".rs")? {
            let file = path.strip_prefix(&project.root).unwrap_or(&path).display().to_string();
            tests.extend(tests_of(&file, &std::fs::read_to_string(&path)?));
        }
    }
    Ok(tests)
}

fn tests_of(file: &str, text: &str) -> Vec<Test> {
    let source = Source::parse(text);
    let tests = source.test_functions().into_iter().map(|function| {
        let comments = source.comments.get(function.lines).unwrap_or_default();
        let mut requirements: Vec<_> = comments.iter().flat_map(|line| requirements(line)).collect();
        requirements.sort();
        requirements.dedup();
        Test { name: function.name, file: file.to_owned(), requirements }
    });
    tests.collect()
}

/// The requirement IDs in a comment: `OLM-14`, a list of them, `OLM-30/31`, and ranges: `OLM-2..7`,
/// `OLM-2 to OLM-7`. Numbers without a prefix count only behind a slash or as the end of a range.
pub(crate) fn requirements(comment: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = comment;
    while let Some((prefix, number, after)) = next_requirement(rest) {
        rest = after;
        let (last, after_range) = range_end(prefix, number, rest).unwrap_or((number, rest));
        rest = after_range;
        found.extend(span(number, last).map(|number| format!("{prefix}-{number}")));
        while let Some((number, after)) = rest.strip_prefix('/').and_then(leading_number) {
            found.push(format!("{prefix}-{number}"));
            rest = after;
        }
    }
    found
}

fn span(first: u32, last: u32) -> RangeInclusive<u32> {
    if last >= first && last - first <= MAX_RANGE { first..=last } else { first..=first }
}

/// The next `PREFIX-NUMBER`: the prefix is of capitals and digits and starts a word.
fn next_requirement(text: &str) -> Option<(&str, u32, &str)> {
    text.match_indices('-').find_map(|(dash, _)| {
        let before = &text[..dash];
        let start =
            before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').map_or(0, |at| at + 1);
        let start = text.get(start..).map(|_| start)?;
        let prefix = &text[start..dash];
        let is_prefix = (2..=5).contains(&prefix.len())
            && prefix.starts_with(|c: char| c.is_ascii_uppercase())
            && prefix.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let (number, after) = leading_number(&text[dash + 1..])?;
        let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        (is_prefix && ends).then_some((prefix, number, after))
    })
}

/// The end of a range whose first number stands before `text`.
fn range_end<'a>(prefix: &str, first: u32, text: &'a str) -> Option<(u32, &'a str)> {
    let connectives = ["..=", "..", "–", " to ", "-"];
    let after = connectives.iter().find_map(|connective| text.strip_prefix(connective))?;
    let own = after.strip_prefix(prefix).and_then(|after| after.strip_prefix('-'));
    let (last, rest) = leading_number(own.unwrap_or(after))?;
    let is_bare_word = own.is_none() && text.starts_with(" to ");
    (last >= first && !is_bare_word).then_some((last, rest))
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_found(comment: &str, expected: &str) {
        assert_eq!(requirements(comment).join(" "), expected, "{comment}");
    }

    #[test]
    fn ids_are_found_alone_and_in_lists() {
        assert_found("// OLM-14", "OLM-14");
        assert_found("// OLM-14, OLM-15: words", "OLM-14 OLM-15");
        assert_found("/// As (B64-5) and SIG-9 ask.", "B64-5 SIG-9");
        assert_found("// OLM-30/31/36", "OLM-30 OLM-31 OLM-36");
    }

    #[test]
    fn ranges_are_spelt_out() {
        assert_found("// OLM-2..5", "OLM-2 OLM-3 OLM-4 OLM-5");
        assert_found("// OLM-2 to OLM-4, MEG-9", "OLM-2 OLM-3 OLM-4 MEG-9");
        assert_found("// PIC-4–6", "PIC-4 PIC-5 PIC-6");
        assert_found("// PIC-4-6", "PIC-4 PIC-5 PIC-6");
    }

    #[test]
    fn numbers_and_other_names_are_no_ids() {
        assert_found("// OLM-16, 40 keys kept", "OLM-16");
        assert_found("// from OLM-16 to 40 keys", "OLM-16");
        assert_found("// HMAC-SHA-256 and AES-256-CBC, ISO-8859-1", "AES-256 ISO-8859");
        assert_found("// mx-olm, a-1, X-1, OLM-x, OLM-3rd", "");
        assert_found("// OLM-1..9999", "OLM-1");
    }

    #[test]
    fn a_test_names_what_stands_at_and_in_it() {
        let text =
            "// OLM-1\n\n// OLM-2\n#[test]\nfn a() {\n    f(); // OLM-3\n}\n\nfn helper() {} // OLM-4\n";
        let tests = tests_of("x.rs", text);
        assert_eq!(tests.len(), 1);
        assert_eq!(tests[0].requirements, ["OLM-2", "OLM-3"]);
    }
}
