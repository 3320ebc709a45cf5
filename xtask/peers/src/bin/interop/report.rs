//! One line a check, and the closing line.

use std::fmt::Display;

use mx_aes_sha2::sha256;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Counts and prints.
#[derive(Debug)]
pub struct Report {
    seed: u64,
    /// Checks that do not have it in group and name are left out.
    only: String,
    group: String,
    passed: u32,
    failed: u32,
    skipped: u32,
}

/// Why a check failed.
pub type Failure = Box<dyn core::error::Error>;

/// What a check found: a few words on success, the reason on failure.
pub type Outcome = Result<String, Failure>;

impl Report {
    pub fn new(seed: u64, only: String) -> Self {
        Self { seed, only, group: String::new(), passed: 0, failed: 0, skipped: 0 }
    }

    /// Begins a new group of checks.
    pub fn title(&mut self, title: &str) {
        println!("\n{title}");
        title.clone_into(&mut self.group);
    }

    /// Runs one check, with randomness of its own, and prints one line.
    pub fn check(&mut self, name: &str, check: impl FnOnce(&mut ChaCha20Rng) -> Outcome) {
        if !self.wants(name) {
            return;
        }
        match check(&mut self.rng(name)) {
            Ok(found) => {
                self.passed += 1;
                println!("  passed   {name}{}", tail(&found));
            }
            Err(reason) => self.fail(name, reason.as_ref()),
        }
    }

    /// As [`Self::check`], for one of many: prints a line only when it fails.
    pub fn quiet_check(&mut self, name: &str, check: impl FnOnce() -> Result<(), Failure>) {
        if !self.wants(name) {
            return;
        }
        match check() {
            Ok(()) => self.passed += 1,
            Err(reason) => self.fail(name, reason.as_ref()),
        }
    }

    /// With the words that run the check again, alone.
    fn fail(&mut self, name: &str, reason: &dyn core::error::Error) {
        self.failed += 1;
        println!("  FAILED   {name}{}", tail(reason));
        println!("           again: --seed {} --only \"{}\"", self.seed, self.full_name(name));
    }

    /// Prints one line for something that cannot be run here.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        println!("  skipped  {name}{}", tail(reason));
    }

    /// The closing line. Whether nothing failed, if anything was checked.
    pub fn close(&self) -> Option<bool> {
        println!("\n{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped);
        (self.passed + self.failed > 0).then_some(self.failed == 0)
    }

    /// What a check draws depends on the seed and on its name, not on the checks before it.
    pub fn rng(&self, name: &str) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(sha256(&[&self.seed.to_be_bytes(), self.full_name(name).as_bytes()]))
    }

    /// Whether a check of this group runs.
    pub fn wants(&self, name: &str) -> bool {
        self.full_name(name).contains(&self.only)
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}: {name}", self.group)
    }
}

fn tail(text: &(impl Display + ?Sized)) -> String {
    let text = text.to_string();
    if text.is_empty() { text } else { format!(": {text}") }
}

/// An error made of words.
pub fn failure<T>(words: impl Into<String>) -> Result<T, Failure> {
    Err(words.into().into())
}

/// Checks a condition inside a check.
pub fn expect(condition: bool, words: &str) -> Result<(), Failure> {
    if condition { Ok(()) } else { failure(words) }
}

/// Says where in a check something failed.
pub fn at<T, E: Display>(place: impl Display, outcome: Result<T, E>) -> Result<T, Failure> {
    outcome.or_else(|reason| failure(format!("{place}: {reason}")))
}
