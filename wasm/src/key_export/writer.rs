//! A new file.

use alloc::rc::Rc;
use core::fmt;

use js_sys::Function;
use mx_key_export::{KeyExportWriter as Writer, WriteError};
use self_cell::self_cell;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::{
    keys::ExportKeys,
    session::ExportedSession,
    stream::{Sink, write_failed},
};
use crate::{failure::coded, random::WebCrypto};

type Writing<'k> = Option<Writer<'k, Sink>>;

self_cell!(
    struct Progress {
        owner: Rc<mx_key_export::ExportKeys>,
        #[not_covariant]
        dependent: Writing,
    }
);

/// Writes a file, session by session. What was written is no key export before `finish`.
#[wasm_bindgen]
pub struct KeyExportWriter(Progress);

impl KeyExportWriter {
    /// `false` if the entry is no JSON object.
    pub(crate) fn write_entry(&mut self, json: &[u8]) -> Result<bool, JsValue> {
        self.with(|writer| match writer.write_json(json) {
            Ok(()) => Ok(true),
            Err(WriteError::NotAnEntry) => Ok(false),
            Err(error) => Err(write_failed(error)),
        })
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Writer<'_, Sink>) -> Result<T, JsValue>,
    ) -> Result<T, JsValue> {
        self.0.with_dependent_mut(|_, writing| act(writing.as_mut().ok_or_else(finished)?))
    }
}

#[wasm_bindgen]
impl KeyExportWriter {
    /// Begins a file with these keys, whose bytes go to `sink`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        keys: &ExportKeys,
        #[wasm_bindgen(unchecked_param_type = "Sink")] sink: Function,
    ) -> Result<Self, JsValue> {
        Progress::try_new(keys.shared(), |keys| {
            Writer::new(&mut WebCrypto, keys, Sink::new(sink)).map(Some).map_err(write_failed)
        })
        .map(Self)
    }

    /// Appends a session.
    pub fn write(&mut self, session: &ExportedSession) -> Result<(), JsValue> {
        self.with(|writer| writer.write(session.inner()).map_err(write_failed))
    }

    /// Appends an entry as another file had it: a JSON object.
    #[wasm_bindgen(js_name = writeJson)]
    pub fn write_json(&mut self, entry: String) -> Result<(), JsValue> {
        let entry = Zeroizing::new(entry);
        self.with(|writer| writer.write_json(entry.as_bytes()).map_err(write_failed))
    }

    /// How many sessions were written.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn sessions(&self) -> f64 {
        self.0.with_dependent(|_, writing| writing.as_ref().map_or(0, Writer::sessions)) as f64
    }

    /// Ends the file.
    pub fn finish(&mut self) -> Result<(), JsValue> {
        self.0.with_dependent_mut(|_, writing| {
            let writer = writing.take().ok_or_else(finished)?;
            writer.finish().map(drop).map_err(write_failed)
        })
    }
}

impl fmt::Debug for KeyExportWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExportWriter").finish_non_exhaustive()
    }
}

fn finished() -> JsValue {
    coded("Finished", "the file is finished: begin a new one")
}
