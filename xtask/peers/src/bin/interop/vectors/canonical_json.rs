//! Texts and their canonical form, or why they have none.

use serde_json::{Value, json};

use super::{file, text_of};
use crate::{canonical_json::ruma, report::Failure};

const CASES: &str = include_str!("../../../../../../crates/mx-canonical-json/tests/vectors/json-kat.json");
const RUMA: &str = "ruma-common 0.20.2";
/// Where it was asked: texts without a minus zero.
const PYTHON: &str = "canonicaljson, the Python package";

pub(super) fn make() -> Result<Value, Failure> {
    let cases: Value = serde_json::from_str(CASES)?;
    let mut vectors = Vec::new();
    let list = |name: &str| cases[name].as_array().cloned().unwrap_or_default();
    for (at, case) in list("ok").iter().filter(|case| case["lenient"] != true).enumerate() {
        let (input, output) = (text_of(case, "in")?, text_of(case, "out")?);
        let mut by = Vec::new();
        if ruma(input).is_ok_and(|theirs| theirs == output) {
            by.push(RUMA);
        }
        if !input.contains("-0") {
            by.push(PYTHON);
        }
        // Of a minus zero alone nobody says the same.
        if by.is_empty() {
            continue;
        }
        vectors.push(json!({ "name": format!("accepted {}", at + 1), "input": input, "output": output, "confirmed_by": by }));
    }
    // Others accept some of these: those that nobody refuses with us are left out.
    for (at, case) in list("refuse").iter().enumerate() {
        let input = text_of(case, "in")?;
        if ruma(input).is_err() {
            vectors.push(json!({ "name": format!("refused {}", at + 1), "input": input,
                "refused": text_of(case, "error")?.split(" (").next(), "confirmed_by": [RUMA] }));
        }
    }
    file(
        "Canonical JSON: input is a text, output its canonical form. Where refused stands instead, it has none, for that reason.",
        "appendices, Canonical JSON",
        vectors,
    )
}
