use core::fmt;

use mx_aes_sha2::ctr_sha256::{CounterWidth, CtrSha256, Keystream};
use mx_types::{RandomnessFailed, fill_random};
use rand_core::TryCryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::AttachmentInfo;

/// A fresh key and IV, for one file. Wiped when dropped.
///
/// Encrypting consumes it: a second file under the same key and IV, such as the thumbnail beside the image, would
/// give away both.
///
/// ```compile_fail,E0382
/// # fn f(rng: &mut rand_chacha::ChaCha20Rng) -> Result<(), mx_types::RandomnessFailed> {
/// let (mut image, mut thumbnail) = ([1; 100], [2; 10]);
/// let key = mx_attachment::AttachmentKey::generate(rng)?;
/// let image_info = key.encrypt_in_place(&mut image);
/// let thumbnail_info = key.encrypt_in_place(&mut thumbnail);
/// # Ok(()) }
/// ```
///
/// Nor is there a copy of it:
///
/// ```compile_fail,E0599
/// # fn f(rng: &mut rand_chacha::ChaCha20Rng) -> Result<(), mx_types::RandomnessFailed> {
/// let key = mx_attachment::AttachmentKey::generate(rng)?;
/// let encryptors = (key.clone().into_encryptor(), key.into_encryptor());
/// # Ok(()) }
/// ```
pub struct AttachmentKey {
    pub(crate) key: Zeroizing<[u8; 32]>,
    /// 8 random bytes and a counter that starts at zero.
    pub(crate) iv: [u8; 16],
}

impl AttachmentKey {
    /// Draws a key and the random half of an IV.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut fresh = Self { key: Zeroizing::new([0; 32]), iv: [0; 16] };
        fill_random(rng, fresh.key.as_mut_slice())?;
        let (random, _counter) = fresh.iv.split_at_mut(8);
        fill_random(rng, random)?;
        Ok(fresh)
    }

    /// Encrypts a file in place. The ciphertext is as long as the plaintext.
    #[must_use = "without it nobody can decrypt the file"]
    pub fn encrypt_in_place(self, file: &mut [u8]) -> AttachmentInfo {
        let mut encryptor = self.into_encryptor();
        encryptor.update(file);
        encryptor.finish()
    }

    /// [`AttachmentKey::encrypt_in_place`] to a new vector.
    #[cfg(feature = "alloc")]
    #[must_use = "without it nobody can decrypt the file"]
    pub fn encrypt_to_vec(self, file: &[u8]) -> (alloc::vec::Vec<u8>, AttachmentInfo) {
        let mut ciphertext = file.to_vec();
        let info = self.encrypt_in_place(&mut ciphertext);
        (ciphertext, info)
    }

    /// For a file that comes piece by piece.
    #[must_use]
    pub fn into_encryptor(self) -> Encryptor {
        let keystream = Keystream::new(&self.key, &self.iv, CounterWidth::Low64);
        Encryptor { key: self, cipher: CtrSha256::new(keystream) }
    }
}

// Its key is; the IV is no secret.
impl ZeroizeOnDrop for AttachmentKey {}

impl fmt::Debug for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachmentKey").finish_non_exhaustive()
    }
}

/// Encrypts one file piece by piece. How it is cut makes no difference. Wiped when dropped.
///
/// What describes the file comes last, and with it the end:
///
/// ```compile_fail,E0382
/// # fn f(mut encryptor: mx_attachment::Encryptor) {
/// let info = encryptor.finish();
/// encryptor.update(&mut [1; 10]);
/// # }
/// ```
pub struct Encryptor {
    key: AttachmentKey,
    cipher: CtrSha256,
}

impl Encryptor {
    /// Encrypts the next piece in place. Fastest in multiples of 128 bytes.
    pub fn update(&mut self, piece: &mut [u8]) {
        self.cipher.encrypt(piece);
    }

    /// The file is at its end: what the receiver needs to decrypt it.
    #[must_use = "without it nobody can decrypt the file"]
    pub fn finish(self) -> AttachmentInfo {
        AttachmentInfo::of(self.key, self.cipher.finish())
    }
}

// Both its parts are.
impl ZeroizeOnDrop for Encryptor {}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryptor").finish_non_exhaustive()
    }
}
