//! `layers`: the arrows between crates are those of the table in docs/ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::{
    args::Args,
    project::Project,
    report::{Outcome, Report, Table},
};

const DOCUMENT: &str = "docs/ARCHITECTURE.md";
const HEADING: &str = "## Arrows";

/// Which crates each crate may use.
type Arrows = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    let allowed = arrows(&project.read(DOCUMENT)?)?;
    let ours: BTreeSet<_> = project.crates().map(|member| member.name.clone()).collect();
    let mut table = Table::new("", &["crate", "uses", "verdict"]);
    let mut failed = false;
    for member in project.crates() {
        let used: BTreeSet<_> =
            member.dependencies.iter().filter(|name| ours.contains(*name)).cloned().collect();
        let verdict = verdict(allowed.get(&member.name), &used);
        failed |= verdict.is_err();
        let used: Vec<_> = used.into_iter().collect();
        table.row([&member.name, &used.join(", "), &verdict.err().unwrap_or_else(|| "as drawn".to_owned())]);
    }
    Ok(Report::new(Outcome::of(!failed)).table(table))
}

/// What is wrong with a crate's arrows, if anything: one too many, or one that is drawn and not there.
fn verdict(allowed: Option<&BTreeSet<String>>, used: &BTreeSet<String>) -> Result<(), String> {
    let Some(allowed) = allowed else { return Err(format!("NOT IN {DOCUMENT}")) };
    let list = |names: Vec<&String>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let (forbidden, unused): (Vec<_>, Vec<_>) =
        (used.difference(allowed).collect(), allowed.difference(used).collect());
    match (forbidden.is_empty(), unused.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("FORBIDDEN: {}", list(forbidden))),
        (true, false) => Err(format!("DRAWN BUT NOT USED: {}", list(unused))),
    }
}

/// The rows `| crate | may use |` below the heading.
fn arrows(document: &str) -> Result<Arrows> {
    let section = document.lines().skip_while(|line| line.trim_end() != HEADING).skip(1);
    let rows = section.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let mut arrows = Arrows::new();
    for row in rows.skip(2) {
        let cells: Vec<_> =
            row.trim().trim_matches('|').split('|').map(|cell| cell.replace('`', "")).collect();
        let [name, used, ..] = cells.as_slice() else { bail!("{DOCUMENT}: `{row}` needs two cells") };
        let used = used.split(',').map(str::trim).filter(|name| name.starts_with("mx-"));
        arrows.insert(name.trim().to_owned(), used.map(str::to_owned).collect());
    }
    if arrows.is_empty() {
        bail!("{DOCUMENT} has no table below `{HEADING}`");
    }
    Ok(arrows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "# A\n\n| crate | may use |\n|---|---|\n| mx-no | mx-x |\n\n## Arrows\n\nWords.\n\n\
        | crate | may use |\n|---|---|\n| `mx-olm` | `mx-types`, mx-wire |\n| mx-types | none |\n\n## Next\n| mx-z | mx-y |\n";

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn only_the_table_below_its_heading_counts() {
        let drawn = arrows(DRAWN).expect("has a table");
        assert_eq!(drawn.keys().collect::<Vec<_>>(), ["mx-olm", "mx-types"]);
        assert_eq!(drawn["mx-olm"], set(&["mx-types", "mx-wire"]));
        assert!(drawn["mx-types"].is_empty());
    }

    #[test]
    fn a_document_without_the_table_is_an_error() {
        assert!(arrows("# Architecture\n").is_err());
    }

    #[test]
    fn arrows_must_be_drawn_and_drawn_arrows_must_be_used() {
        let drawn = set(&["mx-types"]);
        assert_eq!(verdict(Some(&drawn), &drawn), Ok(()));
        assert!(verdict(Some(&drawn), &set(&["mx-olm", "mx-types"])).is_err_and(|e| e.contains("mx-olm")));
        assert!(verdict(Some(&drawn), &set(&[])).is_err_and(|e| e.contains("mx-types")));
        assert!(verdict(None, &drawn).is_err());
    }
}
