//! Encrypted attachments, whole or piece by piece.

use js_sys::{JsString, Uint8Array};
use mx_attachment::{
    AttachmentInfo, AttachmentKey, Decryptor, EncryptedFile, Encryptor, Leniency, UncheckedFile, Verifier,
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    failure::{coded, thrown},
    random::WebCrypto,
};

/// The description of an encrypted file: `EncryptedFile` of the specification, which stands as `file` or
/// `info.thumbnail_file` in the content of an event. Call `free` when it is no longer needed: the file's key is wiped.
#[wasm_bindgen]
#[derive(Debug)]
pub struct AttachmentDescription {
    url: String,
    info: AttachmentInfo,
}

#[wasm_bindgen]
impl AttachmentDescription {
    /// Reads the JSON of the object. `lenient` takes also what older and other clients wrote: versions before `v2`, and keys
    /// without `ext` and `key_ops`.
    #[wasm_bindgen(constructor)]
    pub fn new(json: String, lenient: Option<bool>) -> Result<Self, JsValue> {
        let json = Zeroizing::new(json);
        let lenient = lenient.unwrap_or(false);
        let file = UncheckedFile::parse(json.as_bytes()).map_err(thrown)?;
        let leniency = Leniency { ext_and_key_ops: lenient, legacy_versions: lenient };
        let EncryptedFile { url, info } = file.check(leniency).map_err(thrown)?;
        Ok(Self { url: url.into_owned(), info })
    }

    /// The `mxc` URI, as the sender wrote it.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Decrypts a file, once its SHA-256 was found right. Throws `HashMismatch` if it is not.
    pub fn decrypt(&self, ciphertext: Vec<u8>) -> Result<Uint8Array, JsValue> {
        let mut file = Zeroizing::new(ciphertext);
        let plaintext = self.info.decrypt_in_place(&mut file).map_err(thrown)?;
        Ok(Uint8Array::from(&*plaintext))
    }

    /// Compares the hash of a file that comes in pieces, without decrypting.
    #[must_use]
    pub fn verifier(&self) -> AttachmentVerifier {
        AttachmentVerifier(self.info.verifier())
    }

    /// Decrypts a file that comes in pieces. **The plaintext is unverified until `finish` has returned.**
    #[must_use]
    pub fn decryptor(&self) -> AttachmentDecryptor {
        AttachmentDecryptor(self.info.decryptor())
    }
}

/// The hash of a file, in the making.
#[wasm_bindgen]
#[derive(Debug)]
pub struct AttachmentVerifier(Verifier);

#[wasm_bindgen]
impl AttachmentVerifier {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Throws `HashMismatch` if this is not the file that was described.
    pub fn finish(self) -> Result<(), JsValue> {
        self.0.finish().map(drop).map_err(thrown)
    }
}

/// A file that is decrypted piece by piece.
#[wasm_bindgen]
#[derive(Debug)]
pub struct AttachmentDecryptor(Decryptor);

#[wasm_bindgen]
impl AttachmentDecryptor {
    /// Decrypts the next piece. The plaintext is **unverified**: keep it from everybody until `finish` has returned.
    pub fn update(&mut self, piece: Vec<u8>) -> Uint8Array {
        let mut piece = Zeroizing::new(piece);
        Uint8Array::from(&*self.0.update(&mut piece).expose_unverified())
    }

    /// Throws `HashMismatch` if this is not the file that was described: throw away what came.
    pub fn finish(self) -> Result<(), JsValue> {
        self.0.finish().map(drop).map_err(thrown)
    }
}

/// A file that is encrypted piece by piece, with a key of its own.
#[wasm_bindgen]
#[derive(Debug)]
pub struct AttachmentEncryptor(Encryptor);

#[wasm_bindgen]
impl AttachmentEncryptor {
    /// Draws the key of this one file.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self, JsValue> {
        Ok(Self(AttachmentKey::generate(&mut WebCrypto).map_err(thrown)?.into_encryptor()))
    }

    /// Encrypts the next piece.
    pub fn update(&mut self, piece: Vec<u8>) -> Uint8Array {
        let mut piece = Zeroizing::new(piece);
        self.0.update(&mut piece);
        Uint8Array::from(piece.as_slice())
    }

    /// The JSON of the file's description, with its key, for inside of an encrypted event.
    pub fn finish(self, url: &str) -> Result<JsString, JsValue> {
        let file = EncryptedFile { url, info: self.0.finish() };
        let json = serde_json::to_vec(&file).map(Zeroizing::new);
        let json = json.map_err(|error| coded("Json", &error.to_string()))?;
        Ok(str::from_utf8(&json).unwrap_or_default().into())
    }
}
