//! What must be saved, and what is given out only then.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::answer::SigningKeyObjects;
use crate::flags::Flags;
use crate::list::DeviceList;

/// What a call has changed, and what it gives once that was handed over for saving.
#[derive(Debug)]
#[must_use = "what has changed must be saved"]
pub struct Step<'t, T> {
    changes: Changes<'t>,
    rest: T,
}

impl<'t, T> Step<'t, T> {
    pub(crate) const fn new(changes: Changes<'t>, rest: T) -> Self {
        Self { changes, rest }
    }

    /// What must be saved now, and what is there after that.
    pub fn split(self) -> (Changes<'t>, Sealed<T>) {
        let number = self.changes.number;
        (self.changes, Sealed { number, rest: self.rest })
    }
}

/// What must be saved, in one transaction, in the order of the steps. If that fails, the tracker knows more than the
/// store: restore it from what is stored.
#[derive(Debug)]
pub struct Changes<'t> {
    number: u64,
    lists: Vec<DeviceList>,
    flags: Vec<(String, Flags)>,
    signing_keys: Vec<SigningKeyObjects<'t>>,
}

impl<'t> Changes<'t> {
    pub(crate) const fn new(number: u64) -> Self {
        Self { number, lists: Vec::new(), flags: Vec::new(), signing_keys: Vec::new() }
    }

    pub(crate) fn list(&mut self, list: DeviceList) {
        self.lists.push(list);
    }

    pub(crate) fn flags(&mut self, user_id: &str, flags: Flags) {
        self.flags.push((user_id.into(), flags));
    }

    pub(crate) fn signing_keys(&mut self, keys: SigningKeyObjects<'t>) {
        self.signing_keys.push(keys);
    }

    /// Whether there is nothing to be saved.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.flags.is_empty() && self.signing_keys.is_empty()
    }

    /// What to write. A store without transactions writes in this order, and loses no invalidation wherever it stops: a list stands
    /// before the flag that it clears.
    pub fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        let lists = self.lists.iter().map(Write::List);
        lists.chain(self.flags.iter().map(|(user_id, flags)| Write::Flags { user_id, flags: *flags }))
    }

    /// The cross-signing keys that came with the lists, for each user whose part of the response counts. They are judged elsewhere
    /// (`mx_cross_signing::receive`), and what comes of it is saved in the same transaction.
    #[must_use]
    pub fn cross_signing(&self) -> &[SigningKeyObjects<'t>] {
        &self.signing_keys
    }
}

/// One thing to be written.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// A user's list, in the place of the one before.
    List(&'a DeviceList),
    /// A user's flags, in the place of those before.
    Flags {
        /// The user.
        user_id: &'a str,
        /// The flags.
        flags: Flags,
    },
}

/// What a step gives, once its changes were saved.
#[must_use = "it is released when the changes were saved"]
pub struct Sealed<T> {
    number: u64,
    rest: T,
}

impl<T> Sealed<T> {
    /// Gives it out for the changes, which the caller has saved.
    ///
    /// # Errors
    ///
    /// [`OtherStep`] for the changes of another step. What was sealed is lost, which does no harm: a token that was not
    /// stored is asked for again.
    pub fn release(self, saved: Changes<'_>) -> Result<T, OtherStep> {
        if saved.number == self.number { Ok(self.rest) } else { Err(OtherStep) }
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Says that changes are those of another step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OtherStep;

impl fmt::Display for OtherStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("changes are those of another step; release what came with them")
    }
}

impl core::error::Error for OtherStep {}
