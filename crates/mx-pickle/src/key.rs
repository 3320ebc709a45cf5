use core::fmt;

use mx_aes_sha2::ctr_hmac::CtrHmacKeys;
use mx_types::fill_random;
use rand_core::TryCryptoRng;
use zeroize::ZeroizeOnDrop;

use crate::{
    Generation, Kind, PickleError, Reader, UnpickleError, Writer,
    seal::{FORMAT, HEADER_LEN, Header, MAC_LEN, NONCE_LEN, sealed_len},
};

/// The key under which state is sealed. Wiped when dropped.
///
/// It keeps the expanded keys, so one value should serve for all pickles: then a pickle costs no key derivation.
pub struct PickleKey {
    keys: CtrHmacKeys,
}

impl PickleKey {
    /// Derives the keys: `AES key (32) ‖ HMAC key (32) = HKDF(salt = 0, key, "mx-pickle 1", 64)`.
    ///
    /// `key` must be uniformly random; a password is none.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { keys: CtrHmacKeys::expand(key, b"mx-pickle 1") }
    }

    /// Starts a pickle of exactly `plain_len` bytes of state at the beginning of `out`.
    ///
    /// `previous` is the generation of the state's last pickle; the new one gets the next. It is in
    /// [`Writer::generation`], and the state takes it over once [`Writer::finish`] has succeeded.
    ///
    /// # Errors
    ///
    /// [`PickleError::BufferTooSmall`] if `out` is shorter than [`sealed_len`]`(plain_len)`,
    /// [`PickleError::RandomnessFailed`] if there is no nonce, [`PickleError::GenerationsExhausted`] if `previous` is
    /// the last generation. Nothing was written then.
    pub fn seal<'k, 'o, R: TryCryptoRng + ?Sized>(
        &'k self,
        rng: &mut R,
        kind: Kind,
        previous: Generation,
        plain_len: usize,
        out: &'o mut [u8],
    ) -> Result<Writer<'k, 'o>, PickleError> {
        let generation = previous.next().ok_or(PickleError::GenerationsExhausted)?;
        let needed = sealed_len(plain_len);
        let out = out.get_mut(..needed).ok_or(PickleError::BufferTooSmall { needed })?;
        let mut nonce = [0; NONCE_LEN];
        fill_random(rng, &mut nonce).map_err(|_| PickleError::RandomnessFailed)?;
        let header = Header { format: FORMAT, kind, generation: generation.get(), nonce };
        if let Some(start) = out.first_chunk_mut::<HEADER_LEN>() {
            *start = header.emit();
        }
        Ok(Writer::new(&self.keys, out, nonce, generation))
    }

    /// Verifies `pickle` and starts to read it. Its bytes are not changed.
    ///
    /// `kind.layout` is the newest layout that the caller understands; [`Reader::layout`] says which it is.
    /// Pass as `oldest_acceptable` the generation that was saved last, kept where it cannot be rolled back together
    /// with the pickle, or [`Generation::NEVER_PICKLED`] if there is no such place.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`]: a variant for each thing in the header that can be wrong, and
    /// [`UnpickleError::Authentication`] for a wrong key or any change, be it one bit, a cut or an appendix.
    pub fn open<'k, 'p>(
        &'k self,
        kind: Kind,
        oldest_acceptable: Generation,
        pickle: &'p [u8],
    ) -> Result<Reader<'k, 'p>, UnpickleError> {
        let header = Header::parse(pickle).ok_or(UnpickleError::TooShort)?;
        if header.format != FORMAT {
            return Err(UnpickleError::UnknownFormat { found: header.format });
        }
        let (authenticated, mac) = pickle.split_last_chunk::<MAC_LEN>().ok_or(UnpickleError::TooShort)?;
        let ciphertext = authenticated.get(HEADER_LEN..).ok_or(UnpickleError::TooShort)?;
        self.keys.verify_mac(authenticated, mac).map_err(|_| UnpickleError::Authentication)?;

        if header.kind.type_tag != kind.type_tag {
            return Err(UnpickleError::WrongType { expected: kind.type_tag, found: header.kind.type_tag });
        }
        if header.kind.layout == 0 || header.kind.layout > kind.layout {
            return Err(UnpickleError::UnknownLayout { newest: kind.layout, found: header.kind.layout });
        }
        let generation = Generation::from(header.generation);
        if generation < oldest_acceptable {
            return Err(UnpickleError::Stale { found: generation, required: oldest_acceptable });
        }
        Ok(Reader::new(self.keys.keystream(&header.nonce), ciphertext, header.kind.layout, generation))
    }
}

// All its parts are.
impl ZeroizeOnDrop for PickleKey {}

impl fmt::Debug for PickleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PickleKey").finish_non_exhaustive()
    }
}
