//! How far long work is, on standard error; nothing where that is no terminal.

use core::cell::Cell;
use std::{
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{input::Input, output::Output};

/// A bar that goes away when the work is done.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Work on so many bytes, perhaps unknown how many.
    pub(crate) fn of_bytes(what: &str, total: Option<u64>) -> Self {
        let form = if total.is_some() {
            "{msg} {bar:30} {bytes} of {total_bytes}, {eta} left"
        } else {
            "{msg} {spinner} {bytes}"
        };
        Self::new(what, total, form)
    }

    /// Work in so many steps, of no interest in themselves.
    pub(crate) fn of_steps(what: &str, total: u64) -> Self {
        Self::new(what, Some(total), "{msg} {bar:30} {percent} %, {eta} left")
    }

    fn new(what: &str, total: Option<u64>, form: &str) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(8);
        let bar = ProgressBar::with_draw_target(total, target).with_message(crate::record::printable(what));
        bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// No bar where the output itself goes to the terminal.
    pub(crate) fn beside(self, output: &Output) -> Self {
        if output.is_terminal() {
            self.0.set_draw_target(ProgressDrawTarget::hidden());
        }
        self
    }

    /// So much is done in all.
    pub(crate) fn reach(&self, position: u64) {
        self.0.set_position(position);
    }

    pub(crate) fn advance(&self, by: usize) {
        self.0.inc(u64::try_from(by).unwrap_or(u64::MAX));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// An input that moves a bar while it is read.
#[derive(Debug)]
pub(crate) struct Watched {
    input: Input,
    bar: Bar,
}

#[derive(Debug)]
enum Bar {
    Moving(Progress),
    Later { what: String, total: Option<u64>, begins: Rc<Cell<bool>> },
}

impl Watched {
    pub(crate) const fn new(input: Input, progress: Progress) -> Self {
        Self { input, bar: Bar::Moving(progress) }
    }

    /// One that has no bar before the cell says so: first somebody has to be asked for a passphrase, on the line where
    /// the bar would be.
    pub(crate) fn later(input: Input, what: String, total: Option<u64>) -> (Self, Rc<Cell<bool>>) {
        let begins = Rc::default();
        (Self { input, bar: Bar::Later { what, total, begins: Rc::clone(&begins) } }, begins)
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Bar::Later { what, total, begins } = &self.bar
            && begins.get()
        {
            self.bar = Bar::Moving(Progress::of_bytes(what, *total));
        }
        let len = self.input.read(buffer)?;
        if let Bar::Moving(progress) = &self.bar {
            progress.advance(len);
        }
        Ok(len)
    }
}

impl Seek for Watched {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.input.seek(position)
    }
}
