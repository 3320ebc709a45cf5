//! One secret, encrypted with one key.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use mx_aes_sha2::AuthenticationFailed;
use mx_canonical_json::CanonicalObject;
use mx_types::RandomnessFailed;
use mx_types::base64::{
    DecodeError, TrailingBits, decode, decode_array, decode_to_vec, decoded_len, encode_to_string,
};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::key::{SecretStorageKey, random_iv};
use mx_json::MalformedObject;

use crate::object::{Members, json_text};
use crate::secret::{MAX_SECRET_LEN, Secret, UnvalidatedSecret};

/// A secret as it stands in account data for one key: `iv`, `ciphertext` and `mac`.
///
/// The MAC covers the ciphertext, not the IV: who changes that changes the plaintext, and nobody notices. Hence
/// [`UnvalidatedSecret`].
#[derive(Clone, Debug)]
pub struct EncryptedSecret {
    iv: Iv,
    ciphertext: Vec<u8>,
    mac: [u8; 32],
}

impl SecretStorageKey {
    /// Encrypts a secret under its name.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        name: &str,
        secret: &Secret,
    ) -> Result<EncryptedSecret, RandomnessFailed> {
        let iv = random_iv(rng)?;
        let keys = self.keys_for(name);
        let mut ciphertext = secret.as_str().as_bytes().to_owned();
        keys.keystream(&iv).apply(&mut ciphertext);
        let mac = *keys.mac(&ciphertext).as_bytes();
        Ok(EncryptedSecret { iv: Iv { bytes: iv, is_long: false }, ciphertext, mac })
    }

    /// Decrypts a secret, after its MAC was compared.
    ///
    /// # Errors
    ///
    /// [`DecryptError`].
    pub fn decrypt(
        &self,
        name: &str,
        encrypted: &EncryptedSecret,
    ) -> Result<UnvalidatedSecret, DecryptError> {
        let keys = self.keys_for(name);
        keys.verify_mac(&encrypted.ciphertext, &encrypted.mac)
            .map_err(|AuthenticationFailed| DecryptError::Authentication)?;
        let mut plaintext = Zeroizing::new(encrypted.ciphertext.clone());
        keys.keystream(&encrypted.iv.bytes).apply(&mut plaintext);
        // Checked in place, so that what is no text is wiped, too.
        if core::str::from_utf8(&plaintext).is_err() {
            return Err(DecryptError::NotText);
        }
        let text = String::from_utf8(core::mem::take(&mut *plaintext)).map_err(|_| DecryptError::NotText)?;
        Ok(UnvalidatedSecret::new(name.to_owned(), Secret::of(Zeroizing::new(text))))
    }
}

impl EncryptedSecret {
    /// Reads the object.
    ///
    /// # Errors
    ///
    /// [`EncryptedSecretError`].
    pub fn parse(json: &str) -> Result<Self, EncryptedSecretError> {
        // Base64 of everything, and members of others.
        let members = Members::parse(json, 2 * MAX_SECRET_LEN)?;
        let (iv, ciphertext, mac) = (members.text("iv")?, members.text("ciphertext")?, members.text("mac")?);
        if decoded_len(&ciphertext).is_ok_and(|len| len > MAX_SECRET_LEN) {
            return Err(EncryptedSecretError::TooLong);
        }
        Ok(Self {
            iv: decode_iv(&iv).map_err(EncryptedSecretError::Iv)?,
            ciphertext: decode_to_vec(&ciphertext, TrailingBits::Ignored)
                .map_err(EncryptedSecretError::Ciphertext)?,
            mac: decode_mac(&mac).map_err(EncryptedSecretError::Mac)?,
        })
    }

    /// The object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let base64 = |bytes: &[u8]| json_text(&encode_to_string(bytes));
        CanonicalObject::default().with_members(&[
            ("ciphertext", &base64(&self.ciphertext)),
            ("iv", &base64(&self.iv.bytes)),
            ("mac", &base64(&self.mac)),
        ])
    }

    /// Whether the IV is longer than the 16 bytes that count, as some software once wrote it. Encrypt such a secret anew.
    #[must_use]
    pub const fn has_long_iv(&self) -> bool {
        self.iv.is_long
    }
}

/// The first counter block.
#[derive(Clone, Debug)]
pub(crate) struct Iv {
    pub(crate) bytes: [u8; 16],
    /// There was more, which does not count.
    pub(crate) is_long: bool,
}

/// Reads an IV of 16 to 48 bytes, of which the first 16 count.
pub(crate) fn decode_iv(text: &str) -> Result<Iv, DecodeError> {
    let found = decoded_len(text)?;
    let mut bytes = [0; MAX_IV_LEN];
    if !(IV_LEN..=MAX_IV_LEN).contains(&found) {
        return Err(DecodeError::UnexpectedLength { expected: IV_LEN, found });
    }
    let first = decode(text, TrailingBits::Ignored, &mut bytes)?.first_chunk();
    let bytes = *first.ok_or(DecodeError::UnexpectedLength { expected: IV_LEN, found })?;
    Ok(Iv { bytes, is_long: found > IV_LEN })
}

/// Reads a MAC, which is whole.
pub(crate) fn decode_mac(text: &str) -> Result<[u8; 32], DecodeError> {
    decode_array(text, TrailingBits::Ignored)
}

const IV_LEN: usize = 16;
/// There is software that wrote 32 bytes.
const MAX_IV_LEN: usize = 48;

/// Why a secret was not decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The MAC is another: the key is not the right one, the secret has another name, or somebody has changed it.
    Authentication,
    /// What was encrypted is no text: the IV was changed, or never was the right one.
    NotText,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authentication => {
                "secret failed authentication: another key, another secret, or it was changed"
            }
            Self::NotText => "decrypted secret is no text: its iv was changed",
        })
    }
}

impl core::error::Error for DecryptError {}

/// Why an object is not an encrypted secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncryptedSecretError {
    /// Not the object that it must be.
    Object(MalformedObject),
    /// The IV is not the Base64 of 16 to 48 bytes.
    Iv(DecodeError),
    /// The ciphertext is not Base64.
    Ciphertext(DecodeError),
    /// The ciphertext is longer than [`MAX_SECRET_LEN`].
    TooLong,
    /// The MAC is not the Base64 of 32 bytes.
    Mac(DecodeError),
}

impl From<MalformedObject> for EncryptedSecretError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}

impl fmt::Display for EncryptedSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad encrypted secret: ")?;
        match self {
            Self::Object(error) => error.fmt(f),
            Self::Iv(error) => write!(f, "iv: {error}"),
            Self::Ciphertext(error) => write!(f, "ciphertext: {error}"),
            Self::TooLong => write!(f, "ciphertext has more than {MAX_SECRET_LEN} bytes"),
            Self::Mac(error) => write!(f, "mac: {error}"),
        }
    }
}

impl core::error::Error for EncryptedSecretError {}
