//! `test`: what the README names. Every crate's own tests with all features and with none, then what no unit
//! test can see: targets without std, arrows, resolved features, firmware that links, live peers.

use std::{collections::BTreeSet, time::Instant};

use anyhow::{Result, bail};

use crate::{
    args::Args,
    check, features, layers, memory, peers,
    project::Project,
    report::{Outcome, Report, Table},
    size,
};

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut steps = Steps::new();
    suites(project, args.words(), &mut steps)?;
    if args.words().is_empty() {
        let plain = Args::default();
        steps.report("check", || check::run(project, &plain));
        steps.report("layers", || layers::run(project, &plain));
        steps.report("features", || features::run(project, &plain));
        steps.report("memory", || memory::run(project, &plain));
        steps.report("firmware without an allocator", || size::run(project, &plain));
        if !args.has("no-interop") {
            steps.outcome("interop", || Ok(peers::quick_interop(project)?.outcome().clone()));
        }
    }
    Ok(steps.finish())
}

/// `cargo test` for each crate alone, so that none borrows a feature from another.
fn suites(project: &Project, wanted: &[String], steps: &mut Steps) -> Result<()> {
    let names: BTreeSet<_> =
        project.libraries().chain(project.tools()).map(|member| member.name.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name.as_str())) {
        bail!("there is no crate `{unknown}`; known: {}", names.into_iter().collect::<Vec<_>>().join(", "));
    }
    for member in project.libraries().chain(project.tools()) {
        if !wanted.is_empty() && !wanted.contains(&member.name) {
            continue;
        }
        let sets = member.feature_sets();
        let ends = [sets.first(), sets.last().filter(|_| sets.len() > 1)];
        for set in ends.into_iter().flatten() {
            let mut command = project.cargo(["test", "--package", &member.name]);
            command.args(set.args());
            let name = format!("test {} [{}]", member.name, set.label());
            steps.outcome(&name, || project.stream(&mut command).map(Outcome::of));
        }
    }
    Ok(())
}

/// Steps of a longer run, timed; a failure does not keep the later ones from running.
#[derive(Debug)]
pub(crate) struct Steps {
    table: Table,
    failed: bool,
    skipped: Vec<String>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { table: Table::new("", &["step", "seconds", "outcome"]), failed: false, skipped: Vec::new() }
    }

    /// A step that draws a report of its own, which is shown at once.
    pub(crate) fn report(&mut self, name: &str, step: impl FnOnce() -> Result<Report>) {
        self.outcome(name, || {
            let report = step()?;
            eprintln!("\n{name}\n{report}");
            Ok(report.outcome().clone())
        });
    }

    pub(crate) fn outcome(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) {
        let start = Instant::now();
        let outcome = step().unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Outcome::Failed
        });
        self.failed |= outcome == Outcome::Failed;
        if let Outcome::Skipped(reason) | Outcome::Incomplete(reason) = &outcome {
            self.skipped.push(format!("{name} ({reason})"));
        }
        self.table.row([name.to_owned(), start.elapsed().as_secs().to_string(), outcome.to_string()]);
    }

    pub(crate) fn finish(self) -> Report {
        let outcome = match self.skipped.as_slice() {
            _ if self.failed => Outcome::Failed,
            [] => Outcome::Passed,
            skipped => Outcome::Incomplete(skipped.join("; ")),
        };
        Report::new(outcome).table(self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(steps: &[Outcome]) -> Outcome {
        let mut all = Steps::new();
        for (at, outcome) in steps.iter().enumerate() {
            all.outcome(&format!("step {at}"), || Ok(outcome.clone()));
        }
        all.finish().outcome().clone()
    }

    #[test]
    fn what_was_skipped_shows_in_the_outcome_of_all_however_deep() {
        let skipped = Outcome::Skipped("no tool".to_owned());
        let inner = outcome_of(&[Outcome::Passed, skipped.clone()]);
        assert_eq!(inner, Outcome::Incomplete("step 1 (no tool)".to_owned()));
        assert_eq!(outcome_of(&[inner]), Outcome::Incomplete("step 0 (step 1 (no tool))".to_owned()));
        assert_eq!(outcome_of(&[skipped, Outcome::Failed]), Outcome::Failed);
        assert_eq!(outcome_of(&[Outcome::Passed]), Outcome::Passed);
    }

    #[test]
    fn a_step_that_breaks_has_failed() {
        let mut steps = Steps::new();
        steps.outcome("broken", || bail!("no such file"));
        assert!(steps.finish().has_failed());
    }
}
