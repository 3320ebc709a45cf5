use core::num::NonZeroU32;

use crate::ReadError;

/// What stands before the ciphertext: `0x01 ‖ salt (16) ‖ IV (16) ‖ rounds (4)`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) salt: [u8; 16],
    pub(crate) iv: [u8; 16],
    pub(crate) rounds: NonZeroU32,
}

impl Header {
    /// Reads the header of a body that begins so. Looks at the version first, then at the rounds.
    pub(crate) fn read<E>(body: &[u8]) -> Result<Self, ReadError<E>> {
        let parts = || {
            let (&version, rest) = body.split_first()?;
            let (salt, rest) = rest.split_first_chunk()?;
            let (iv, rest) = rest.split_first_chunk()?;
            Some((version, *salt, *iv, u32::from_be_bytes(*rest.first_chunk()?)))
        };
        let (version, salt, iv, rounds) = parts().ok_or(ReadError::TooShort { len: body.len() as u64 })?;
        if version != VERSION {
            return Err(ReadError::UnsupportedVersion { version });
        }
        let rounds = NonZeroU32::new(rounds).ok_or(ReadError::NoRounds)?;
        Ok(Self { salt, iv, rounds })
    }

    pub(crate) fn write(&self, out: &mut [u8]) {
        let rounds = self.rounds.get().to_be_bytes();
        let bytes = [VERSION].into_iter().chain(self.salt).chain(self.iv).chain(rounds);
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = from;
        }
    }
}

/// Bytes of the header, and of the MAC at the end of the body.
pub(crate) const HEADER_LEN: usize = 37;
pub(crate) const MAC_LEN: usize = 32;

const VERSION: u8 = 1;
