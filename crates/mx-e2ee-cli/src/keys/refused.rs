//! Entries that are left out: each is named, and all are counted.

use mx_key_export::EntryError;

use crate::failure::{Verdict, warn};

/// What was refused of a file.
#[derive(Debug)]
pub(super) struct Refused<'n> {
    name: &'n str,
    count: u64,
}

impl<'n> Refused<'n> {
    pub(super) const fn of(name: &'n str) -> Self {
        Self { name, count: 0 }
    }

    pub(super) fn note(&mut self, error: &EntryError) {
        self.count += 1;
        if self.count <= MAX_NAMED {
            warn(format_args!("{}: {error}", crate::record::printable(self.name)));
        } else if self.count == MAX_NAMED + 1 {
            warn(format_args!(
                "{}: more entries are refused; from here on they are only counted",
                crate::record::printable(self.name)
            ));
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn verdict(&self) -> Verdict {
        if self.count == 0 { Verdict::Good } else { Verdict::Bad }
    }
}

/// More than anybody reads.
const MAX_NAMED: u64 = 1_000;
