//! From passphrase to keys, in steps.

use alloc::rc::Rc;
use core::num::NonZeroU32;

use mx_key_export::{DEFAULT_ROUNDS, KeyDerivation as Derivation};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    failure::{coded, thrown},
    random::WebCrypto,
};

/// The keys of a file, in the making. PBKDF2 takes about a second: do some thousand rounds a step.
#[wasm_bindgen]
#[derive(Debug)]
pub struct KeyDerivation(Derivation);

#[wasm_bindgen]
impl KeyDerivation {
    /// Begins the keys of a new file, with a salt of its own. 500,000 rounds, if no other number is given.
    #[wasm_bindgen(js_name = forNewFile)]
    pub fn for_new_file(passphrase: String, rounds: Option<u32>) -> Result<Self, JsValue> {
        let passphrase = Zeroizing::new(passphrase);
        let rounds = rounds.map_or(Some(DEFAULT_ROUNDS), NonZeroU32::new);
        let rounds =
            rounds.ok_or_else(|| coded("NoRounds", "a key derivation of no rounds protects nothing"))?;
        Derivation::new(&mut WebCrypto, &passphrase, rounds).map(Self).map_err(thrown)
    }

    pub(crate) const fn of_file(derivation: Derivation) -> Self {
        Self(derivation)
    }

    /// Does `rounds` more, or those that remain, and says how many remain then.
    pub fn step(&mut self, rounds: u32) -> u32 {
        self.0.step(rounds)
    }

    /// How many rounds remain.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.0.remaining()
    }

    /// How many rounds there are.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.0.rounds()
    }

    /// The keys, after the rounds that remain. The derivation is gone then.
    #[must_use]
    pub fn finish(self) -> ExportKeys {
        ExportKeys(Rc::new(self.0.finish()))
    }
}

/// The keys of a file, for reading it as often as wanted and for writing others. They are wiped when this and all readers
/// and writers that use them are freed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ExportKeys(Rc<mx_key_export::ExportKeys>);

impl ExportKeys {
    pub(crate) fn shared(&self) -> Rc<mx_key_export::ExportKeys> {
        Rc::clone(&self.0)
    }
}
