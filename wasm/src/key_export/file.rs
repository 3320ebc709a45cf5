//! A file that is open.

use js_sys::Function;
use mx_key_export::{KeyExport, MAX_ROUNDS};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::{
    keys::{ExportKeys, KeyDerivation},
    reader::KeyExportReader,
    stream::{Source, read_failed},
};
use crate::failure::thrown;

/// A key export file whose header was read.
#[wasm_bindgen]
#[derive(Debug)]
pub struct KeyExportFile {
    file: KeyExport<Source>,
    is_damaged: bool,
}

#[wasm_bindgen]
impl KeyExportFile {
    /// Opens a file.
    #[wasm_bindgen(constructor)]
    pub fn new(#[wasm_bindgen(unchecked_param_type = "ReadAt")] read_at: Function) -> Result<Self, JsValue> {
        let file = KeyExport::open(Source::new(read_at)).map_err(read_failed)?;
        Ok(Self { file, is_damaged: false })
    }

    /// Opens a file that was cut off or damaged. **Nothing authenticates what is read of it**: whoever could write the file
    /// could change it, session keys too, without knowing the passphrase.
    #[wasm_bindgen(js_name = openDamaged)]
    pub fn open_damaged(
        #[wasm_bindgen(unchecked_param_type = "ReadAt")] read_at: Function,
    ) -> Result<Self, JsValue> {
        let file = KeyExport::open_damaged(Source::new(read_at)).map_err(read_failed)?;
        Ok(Self { file, is_damaged: true })
    }

    /// How many rounds of PBKDF2 the file asks for.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.file.rounds()
    }

    /// Begins the derivation of the file's keys. A file that wants more than `maxRounds`, 10,000,000 if not given, is refused.
    pub fn derive(&self, passphrase: String, max_rounds: Option<u32>) -> Result<KeyDerivation, JsValue> {
        let passphrase = Zeroizing::new(passphrase);
        let derivation = self.file.derive(&passphrase, max_rounds.unwrap_or(MAX_ROUNDS)).map_err(thrown)?;
        Ok(KeyDerivation::of_file(derivation))
    }

    /// Begins to read. The file is gone then; open it again to read it once more, with the same keys.
    #[must_use]
    pub fn read(self, keys: &ExportKeys) -> KeyExportReader {
        KeyExportReader::new(self.file, keys.shared(), self.is_damaged)
    }
}
