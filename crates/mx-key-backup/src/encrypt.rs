use alloc::vec::Vec;
use core::fmt;

use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_curve25519::{Curve25519PublicKey, Curve25519SecretKey, KeyAgreement as _, KeyAgreementError};
use mx_room_key::{BackedUpSessionData, Provenance, RoomKey};
use mx_types::{BufferTooSmall, RandomnessFailed};
use rand_core::TryCryptoRng;
use zeroize::Zeroize as _;

use crate::{EncryptedSessionData, KeyBackupData, TrustedBackup};

impl TrustedBackup {
    /// Encrypts a session, from its first known index on, with all that the server is told about it.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        room_key: &RoomKey,
    ) -> Result<KeyBackupData, EncryptError> {
        let session_data = self.encrypt_session_data(rng, &room_key.to_backed_up())?;
        Ok(about(room_key, session_data))
    }

    /// Encrypts the data of a session.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn encrypt_session_data<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        data: &BackedUpSessionData,
    ) -> Result<EncryptedSessionData, EncryptError> {
        self.encrypt_bytes(rng, &data.emit_to_vec())
    }

    /// Encrypts any bytes: what libolm calls `PkEncryption`.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn encrypt_bytes<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        plaintext: &[u8],
    ) -> Result<EncryptedSessionData, EncryptError> {
        let (ephemeral, keys) = message_keys(rng, &self.public_key())?;
        let ciphertext = seal(&keys, plaintext)?;
        // The MAC of nothing, as all deployed readers want it.
        Ok(EncryptedSessionData { ephemeral, ciphertext, mac: *keys.mac(&[]).as_bytes() })
    }
}

/// What the server is told about a session.
pub(crate) fn about(room_key: &RoomKey, session_data: EncryptedSessionData) -> KeyBackupData {
    let origin = room_key.origin();
    let is_passed_on = !matches!(origin.provenance, Provenance::FirstHand);
    KeyBackupData {
        first_message_index: room_key.first_known_index().into(),
        forwarded_count: origin.forwarding_chain.len().max(usize::from(is_passed_on)) as u64,
        // A verified copy would displace one that begins earlier, and take history away.
        is_verified: false,
        session_data,
    }
}

/// A new key pair for one session, and `AES key ‖ MAC key ‖ IV = HKDF(0, X25519(ephemeral, public key), "", 80)`.
pub(crate) fn message_keys<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    public_key: &Curve25519PublicKey,
) -> Result<(Curve25519PublicKey, CbcHmacKeys), EncryptError> {
    let ephemeral = Curve25519SecretKey::generate(rng)?;
    let secret = ephemeral.diffie_hellman(public_key).map_err(EncryptError::Agreement)?;
    Ok((ephemeral.public_key(), CbcHmacKeys::expand(secret.as_bytes(), b"")))
}

/// The ciphertext, in the vector that the plaintext was in.
pub(crate) fn seal(keys: &CbcHmacKeys, plaintext: &[u8]) -> Result<Vec<u8>, EncryptError> {
    let mut buffer = alloc::vec![0; padded_len(plaintext.len())];
    for (to, from) in buffer.iter_mut().zip(plaintext) {
        *to = *from;
    }
    match keys.encrypt_in_place(&mut buffer, plaintext.len()) {
        Ok(_) => Ok(buffer),
        Err(error) => {
            buffer.zeroize();
            Err(EncryptError::TooLong(error))
        }
    }
}

/// Why nothing was encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncryptError {
    /// The generator gave no key.
    RandomnessFailed,
    /// The key of the backup contributes nothing to a shared secret.
    Agreement(KeyAgreementError),
    /// There is no room for so long a plaintext.
    TooLong(BufferTooSmall),
}

impl fmt::Display for EncryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RandomnessFailed => RandomnessFailed.fmt(f),
            Self::Agreement(error) => error.fmt(f),
            Self::TooLong(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EncryptError {}

impl From<RandomnessFailed> for EncryptError {
    fn from(_: RandomnessFailed) -> Self {
        Self::RandomnessFailed
    }
}
