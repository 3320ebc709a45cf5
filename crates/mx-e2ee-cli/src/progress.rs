//! How far long work is, on standard error; nothing where that is no terminal.

use std::io::{self, Read, Seek, SeekFrom};

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
    progress: Option<Progress>,
    /// The bar that there is from when the input is read again on.
    later: Option<(String, Option<u64>)>,
}

impl Watched {
    pub(crate) const fn new(input: Input, progress: Progress) -> Self {
        Self { input, progress: Some(progress), later: None }
    }

    /// No bar yet: first only the beginning is looked at, and then somebody is asked for a passphrase.
    pub(crate) const fn later(input: Input, what: String, total: Option<u64>) -> Self {
        Self { input, progress: None, later: Some((what, total)) }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer).inspect(|len| {
            if let Some(progress) = &self.progress {
                progress.advance(*len);
            }
        })
    }
}

impl Seek for Watched {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        if let Some((what, total)) = self.later.take() {
            self.progress = Some(Progress::of_bytes(&what, total));
        }
        self.input.seek(position)
    }
}
