//! One line a check, and the closing line.

use std::fmt::Display;

/// Counts and prints.
#[derive(Debug, Default)]
pub struct Report {
    passed: u32,
    failed: u32,
    skipped: u32,
}

/// What a check found: a few words on success, the reason on failure.
pub type Outcome = Result<String, Box<dyn core::error::Error>>;

impl Report {
    /// Begins a new group of checks.
    pub fn title(&self, title: &str) {
        println!("\n{title}");
    }

    /// Runs one check and prints one line.
    pub fn check(&mut self, name: &str, check: impl FnOnce() -> Outcome) {
        match check() {
            Ok(found) => {
                self.passed += 1;
                println!("  passed   {name}{}", tail(&found));
            }
            Err(reason) => {
                self.failed += 1;
                println!("  FAILED   {name}{}", tail(&reason));
            }
        }
    }

    /// As [`Self::check`], for one of many: prints a line only when it fails.
    pub fn quiet_check(
        &mut self,
        name: &str,
        check: impl FnOnce() -> Result<(), Box<dyn core::error::Error>>,
    ) {
        match check() {
            Ok(()) => self.passed += 1,
            Err(reason) => self.check(name, || Err(reason)),
        }
    }

    /// Prints one line for something that cannot be run here.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        println!("  skipped  {name}{}", tail(&reason));
    }

    /// The closing line. True when nothing failed.
    pub fn close(&self) -> bool {
        println!("\n{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped);
        self.failed == 0
    }
}

fn tail(text: &impl Display) -> String {
    let text = text.to_string();
    if text.is_empty() { text } else { format!(": {text}") }
}

/// An error made of words.
pub fn failure<T>(words: impl Into<String>) -> Result<T, Box<dyn core::error::Error>> {
    Err(words.into().into())
}

/// Checks a condition inside a check.
pub fn expect(condition: bool, words: &str) -> Result<(), Box<dyn core::error::Error>> {
    if condition { Ok(()) } else { failure(words) }
}
