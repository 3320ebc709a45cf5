//! What a command found, drawn as aligned tables or as JSON. Nothing else in the tool draws.

use std::fmt;

use serde_json::{Value, json};

/// How a step ended. A step that could not run is skipped, with the reason: it has not passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// A program that was started refused its command line.
    Misused,
    Skipped(String),
    /// Several steps, of which some passed and none failed, but some were skipped.
    Incomplete(String),
}

impl Outcome {
    pub(crate) const fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed => f.write_str("FAILED"),
            Self::Misused => f.write_str("the command line was wrong"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
            Self::Incomplete(reasons) => write!(f, "passed, but for what was skipped: {reasons}"),
        }
    }
}

/// A table with a heading and columns; every row has as many cells as there are columns.
#[derive(Debug)]
pub(crate) struct Table {
    heading: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            heading: heading.into(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row<I: IntoIterator<Item: Into<String>>>(&mut self, cells: I) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows as objects, named by the columns.
    fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            Value::Object(
                self.columns.iter().cloned().zip(row.iter().map(|cell| number_or_text(cell))).collect(),
            )
        });
        json!({ "heading": self.heading, "rows": rows.collect::<Vec<_>>() })
    }
}

fn number_or_text(cell: &str) -> Value {
    cell.replace('_', "").parse::<i64>().map_or_else(|_| Value::from(cell), Value::from)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).chain(self.columns.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            let mut text = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                let numeric = number_or_text(cell).is_number();
                let padded = if numeric { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
                text.push_str(&padded);
            }
            writeln!(f, "{}", text.trim_end())
        };
        if !self.heading.is_empty() {
            writeln!(f, "{}", self.heading)?;
        }
        line(f, &self.columns)?;
        line(f, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>())?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// All that a command has to say, and how it ended.
#[derive(Debug)]
pub(crate) struct Report {
    tables: Vec<Table>,
    notes: Vec<String>,
    outcome: Outcome,
}

impl Report {
    pub(crate) const fn new(outcome: Outcome) -> Self {
        Self { tables: Vec::new(), notes: Vec::new(), outcome }
    }

    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Skipped(reason.into()))
    }

    /// Adds a table, unless it has no rows.
    pub(crate) fn table(mut self, table: Table) -> Self {
        if !table.is_empty() {
            self.tables.push(table);
        }
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    pub(crate) const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::Misused)
    }

    pub(crate) fn to_json(&self, command: &str) -> Value {
        json!({
            "command": command,
            "outcome": self.outcome.to_string(),
            "tables": self.tables.iter().map(Table::to_json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            writeln!(f, "{table}")?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        writeln!(f, "{}", self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new("sizes", &["crate", "bytes"]);
        table.row(["mx-olm", "12"]);
        table.row(["mx-types", "3456"]);
        table
    }

    #[test]
    fn columns_are_aligned_and_numbers_stand_to_the_right() {
        assert_eq!(
            sample().to_string(),
            "sizes\ncrate     bytes\n--------  -----\nmx-olm       12\nmx-types   3456\n"
        );
    }

    #[test]
    fn rows_become_objects_and_numbers_stay_numbers() {
        let report = Report::new(Outcome::Passed).table(sample());
        let value = report.to_json("size");
        assert_eq!(value["tables"][0]["rows"][1], json!({ "crate": "mx-types", "bytes": 3456 }));
    }

    #[test]
    fn a_short_row_is_filled_and_an_empty_table_is_left_out() {
        let mut table = Table::new("", &["a", "b"]);
        table.row(["x"]);
        assert_eq!(table.to_string(), "a  b\n-  -\nx\n");
        assert_eq!(Report::new(Outcome::Passed).table(Table::new("none", &["a"])).to_string(), "passed\n");
    }

    #[test]
    fn skipped_is_not_passed() {
        assert_eq!(Report::skipped("no tool").outcome().to_string(), "skipped: no tool");
        assert!(!Report::skipped("no tool").has_failed());
        assert!(Report::new(Outcome::of(false)).has_failed());
    }
}
