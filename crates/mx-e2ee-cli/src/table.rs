//! Tables as text or as JSON lines, written row by row: memory does not grow with them.

use crate::{failure::Failure, output::Output, record::Record};

/// A column: the name of a value in the records, and the width that most of them have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) width: usize,
}

/// A table that is being written.
#[derive(Debug)]
pub(crate) struct Table {
    columns: &'static [Column],
    json: bool,
    is_empty: bool,
}

impl Table {
    pub(crate) const fn new(columns: &'static [Column], json: bool) -> Self {
        Self { columns, json, is_empty: true }
    }

    pub(crate) fn row(&mut self, out: &mut Output, record: &Record) -> Result<(), Failure> {
        if self.json {
            return out.line(&record.to_json());
        }
        if self.is_empty {
            out.line(&self.draw(|column| column.name.replace('_', " ")))?;
            out.line(&self.draw(|column| "-".repeat(column.width)))?;
        }
        self.is_empty = false;
        out.line(&self.draw(|column| record.text(column.name)))
    }

    fn draw(&self, cell: impl Fn(&Column) -> String) -> String {
        let cells = self.columns.iter().map(|column| {
            let (cell, width) = (cell(column), column.width);
            let is_number = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column { name: "room_id", width: 7 }, Column { name: "count", width: 5 }];

    #[test]
    fn cells_are_aligned_and_numbers_stand_to_the_right() {
        let table = Table::new(COLUMNS, false);
        let record = Record::new().with("count", 12).with("room_id", "!a:b");
        assert_eq!(table.draw(|column| column.name.replace('_', " ")), "room id  count");
        assert_eq!(table.draw(|column| record.text(column.name)), "!a:b        12");
    }
}
