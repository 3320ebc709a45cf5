//! Runs of several steps, timed: a failure does not keep the later ones from running, and what was skipped shows in
//! the outcome of all.

use std::time::Instant;

use anyhow::Result;

use crate::report::{Outcome, Report, Table};

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
    use anyhow::bail;

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
