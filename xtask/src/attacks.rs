//! `attacks`: the catalogue of docs/attacks.toml against the tests named `attack_NNN_what_it_is`.

use anyhow::{Context as _, Result, bail};

use crate::{
    args::Args,
    catalogue::{self, Test},
    project::{Project, tally},
    report::{Outcome, Report, Table},
};

const DOCUMENT: &str = "docs/attacks.toml";

struct Attack {
    number: u32,
    what: String,
    crates: String,
    /// The document that says so, for an attack that no code can refuse.
    documented: Option<String>,
    /// Who refuses it, where that is not built yet.
    later: Option<String>,
}

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    let attacks = read(&project.read_toml(DOCUMENT)?)?;
    let tests: Vec<_> =
        catalogue::tests(project)?.into_iter().filter(|test| number_of(test).is_some()).collect();
    let unknown =
        tests.iter().filter(|test| !attacks.iter().any(|attack| Some(attack.number) == number_of(test)));
    let unknown: Vec<_> =
        unknown.map(|test| format!("{}: {} is not in {DOCUMENT}", test.file, test.name)).collect();

    let mut table = Table::new("", &["attack", "what", "where", "state", "tests"]);
    let mut states = Vec::new();
    for attack in &attacks {
        let tests: Vec<_> = tests.iter().filter(|test| number_of(test) == Some(attack.number)).collect();
        let state = attack.state(!tests.is_empty(), |path| is_documented(project, path, attack.number));
        let names: Vec<_> = tests.iter().map(|test| short_name(test)).collect();
        let number = format!("{:03}", attack.number);
        let detail =
            if names.is_empty() { attack.later.clone().unwrap_or_default() } else { names.join(", ") };
        table.row([&number, &attack.what, &attack.crates, state, &detail]);
        states.push(state);
    }

    let counts = tally(states);
    let missing = counts.get("MISSING").copied().unwrap_or(0);
    let summary: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let failed = !unknown.is_empty() || missing > 0;
    Ok(Report::new(Outcome::of(!failed)).table(table).notes(unknown).note(format!(
        "{} attacks: {}",
        attacks.len(),
        summary.join(", ")
    )))
}

impl Attack {
    fn state(&self, is_tested: bool, is_documented: impl Fn(&str) -> bool) -> &'static str {
        match (is_tested, &self.documented, &self.later) {
            (true, _, None) => "refused",
            (true, _, Some(_)) => "refused in part",
            (false, Some(path), _) if is_documented(path) => "documented only",
            (false, _, Some(_)) => "later",
            (false, _, None) => "MISSING",
        }
    }
}

/// Whether the document names the attack by its number.
fn is_documented(project: &Project, path: &str, number: u32) -> bool {
    project.read(path).is_ok_and(|text| text.contains(&format!("attack {number}")))
}

fn number_of(test: &Test) -> Option<u32> {
    let digits = test.name.strip_prefix("attack_")?.split('_').next()?;
    if digits.len() == 3 { digits.parse().ok() } else { None }
}

fn short_name(test: &Test) -> &str {
    test.name.get("attack_000_".len()..).unwrap_or(&test.name)
}

fn read(document: &toml::Table) -> Result<Vec<Attack>> {
    let rows = document.get("attacks").and_then(toml::Value::as_table);
    let rows = rows.with_context(|| format!("{DOCUMENT} has no [attacks]"))?;
    let attacks = rows.iter().map(|(number, row)| {
        let text = |key: &str| row.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let (Ok(number), Some(what), Some(crates)) = (number.parse(), text("what"), text("where")) else {
            bail!("{DOCUMENT}: attack {number} needs a number, `what` and `where`");
        };
        Ok(Attack { number, what, crates, documented: text("documented"), later: text("later") })
    });
    let mut attacks = attacks.collect::<Result<Vec<_>>>()?;
    attacks.sort_by_key(|attack| attack.number);
    Ok(attacks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attack(documented: Option<&str>, later: Option<&str>) -> Attack {
        let own = |text: &str| text.to_owned();
        Attack {
            number: 7,
            what: own("x"),
            crates: own("y"),
            documented: documented.map(own),
            later: later.map(own),
        }
    }

    #[test]
    fn an_attack_without_test_or_document_is_missing() {
        assert_eq!(attack(None, None).state(false, |_| true), "MISSING");
        assert_eq!(attack(None, None).state(true, |_| false), "refused");
        assert_eq!(attack(Some("doc.md"), None).state(false, |_| true), "documented only");
        assert_eq!(attack(Some("doc.md"), None).state(false, |_| false), "MISSING");
        assert_eq!(attack(None, Some("envelope")).state(false, |_| false), "later");
        assert_eq!(attack(None, Some("envelope")).state(true, |_| false), "refused in part");
    }

    #[test]
    fn tests_are_known_by_three_digits() {
        let test = |name: &str| Test { name: name.to_owned(), file: String::new(), requirements: Vec::new() };
        assert_eq!(number_of(&test("attack_045_key_survives")), Some(45));
        assert_eq!(number_of(&test("attack_45_key_survives")), None);
        assert_eq!(number_of(&test("attacks_are_refused")), None);
        assert_eq!(short_name(&test("attack_045_key_survives")), "key_survives");
    }
}
