//! `conformance`: every requirement of docs/requirements.toml, and the tests that show it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::{
    args::Args,
    catalogue::{self, Test},
    project::{Project, tally},
    report::{Outcome, Report, Table},
};

const DOCUMENT: &str = "docs/requirements.toml";

/// Test names shown for one requirement; the rest is counted.
const SHOWN: usize = 2;

struct Requirement {
    id: String,
    title: String,
    /// The crate that owes it, or why it is not owed here.
    owner: Owner,
}

enum Owner {
    Crate(String),
    Elsewhere(String),
}

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    let requirements = read(&project.read_toml(DOCUMENT)?)?;
    let tests = catalogue::tests(project)?;
    let mut shown: BTreeMap<&str, Vec<&Test>> = BTreeMap::new();
    for test in &tests {
        for id in &test.requirements {
            shown.entry(id).or_default().push(test);
        }
    }

    let mut table = Table::new("", &["requirement", "what", "owner", "shown by"]);
    let mut states = Vec::new();
    for Requirement { id, title, owner } in &requirements {
        let tests = shown.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let (state, owner, by) = match owner {
            Owner::Crate(name) if tests.is_empty() => ("not covered", name, "NOT COVERED".to_owned()),
            Owner::Crate(name) => ("shown", name, names(tests)),
            Owner::Elsewhere(reason) if tests.is_empty() => ("elsewhere", reason, String::new()),
            Owner::Elsewhere(reason) => ("shown", reason, names(tests)),
        };
        states.push(state);
        table.row([id, title, owner, &by]);
    }

    let unknown = unknown(&requirements, &tests);
    let counts = tally(states);
    let missing = counts.get("not covered").copied().unwrap_or(0);
    let summary: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let failed = !unknown.is_empty() || missing > 0;
    Ok(Report::new(Outcome::of(!failed)).table(table).notes(unknown).note(format!(
        "{} requirements: {}",
        requirements.len(),
        summary.join(", ")
    )))
}

fn read(document: &toml::Table) -> Result<Vec<Requirement>> {
    let groups = document.get("requirements").and_then(toml::Value::as_table);
    let mut requirements = Vec::new();
    for (id, entry) in groups.with_context(|| format!("{DOCUMENT} has no [requirements]"))? {
        let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let owner = match (text("crate"), text("elsewhere")) {
            (Some(name), None) => Owner::Crate(name),
            (None, Some(reason)) => Owner::Elsewhere(reason),
            _ => bail!("{DOCUMENT}: {id} needs either `crate` or `elsewhere`"),
        };
        requirements.push(Requirement { id: id.clone(), title: text("what").unwrap_or_default(), owner });
    }
    requirements.sort_by_key(|requirement| sort_key(&requirement.id));
    Ok(requirements)
}

fn sort_key(id: &str) -> (String, u32) {
    let (prefix, number) = id.split_once('-').unwrap_or((id, ""));
    (prefix.to_owned(), number.parse().unwrap_or(0))
}

fn names(tests: &[&Test]) -> String {
    let first: Vec<_> = tests.iter().take(SHOWN).map(|test| test.name.as_str()).collect();
    let more = tests.len().saturating_sub(SHOWN);
    if more == 0 { first.join(", ") } else { format!("{}, and {more} more", first.join(", ")) }
}

/// IDs in tests that look like ours (the prefix is in the document) but are not in the document.
fn unknown(requirements: &[Requirement], tests: &[Test]) -> Vec<String> {
    let prefix = |id: &str| id.split('-').next().unwrap_or_default().to_owned();
    let is_ours = |id: &str| requirements.iter().any(|requirement| prefix(&requirement.id) == prefix(id));
    let is_known = |id: &str| requirements.iter().any(|requirement| requirement.id == id);
    let named = tests.iter().flat_map(|test| test.requirements.iter().map(move |id| (id, test)));
    let unknown =
        named.filter(|(id, test)| is_ours(id) && !is_known(id) && !test.file.starts_with("xtask/src"));
    unknown
        .map(|(id, test)| format!("{}: {} names {id}, which {DOCUMENT} does not have", test.file, test.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_has_one_owner_and_numbers_sort_as_numbers() {
        let document = "[requirements]\nOLM-10 = { what = 'b', crate = 'mx-olm' }\nOLM-9 = { what = 'a', elsewhere = 'later' }";
        let requirements = read(&document.parse().expect("is TOML")).expect("is well formed");
        let ids: Vec<_> = requirements.iter().map(|requirement| requirement.id.as_str()).collect();
        assert_eq!(ids, ["OLM-9", "OLM-10"]);
        assert!(read(&"[requirements]\nOLM-1 = { what = 'x' }".parse().expect("is TOML")).is_err());
    }

    #[test]
    fn an_id_that_nobody_knows_is_reported() {
        let document = "[requirements]\nOLM-1 = { what = 'x', crate = 'mx-olm' }";
        let requirements = read(&document.parse().expect("is TOML")).expect("is well formed");
        let test = |id: &str| Test {
            name: "t".to_owned(),
            file: "crates/f.rs".to_owned(),
            requirements: vec![id.to_owned()],
        };
        assert_eq!(unknown(&requirements, &[test("OLM-1"), test("SHA-256")]), Vec::<String>::new());
        assert_eq!(unknown(&requirements, &[test("OLM-2")]).len(), 1);
    }
}
