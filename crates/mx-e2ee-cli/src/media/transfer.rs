//! Files of any length through the cipher, piece by piece.

use std::io::{self, Read as _};

use mx_attachment::{AttachmentInfo, AttachmentKey};
use zeroize::Zeroizing;

use crate::{failure::Failure, input::Input, output::Output, progress::Progress};

pub(super) fn encrypt(
    input: &mut Input,
    output: &mut Output,
    progress: &Progress,
) -> Result<AttachmentInfo, Failure> {
    let key = AttachmentKey::generate(&mut getrandom::SysRng)
        .map_err(|error| Failure::refused(format!("cannot make a key: {error}")))?;
    let mut encryptor = key.into_encryptor();
    each_piece(input, progress, |piece| {
        encryptor.update(piece);
        output.bytes(piece)
    })?;
    Ok(encryptor.finish())
}

/// Reads the input to its end and compares its hash.
pub(super) fn verify(input: &mut Input, info: &AttachmentInfo, progress: &Progress) -> Result<(), Failure> {
    let mut verifier = info.verifier();
    each_piece(input, progress, |piece| {
        verifier.update(piece);
        Ok(())
    })?;
    verifier.finish().map(drop).map_err(|_| mismatch(input, "nothing was written"))
}

/// The plaintext is unverified until this has returned: the output is to be thrown away otherwise.
pub(crate) fn decrypt_to(
    input: &mut Input,
    output: &mut Output,
    info: &AttachmentInfo,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut decryptor = info.decryptor();
    each_piece(input, progress, |piece| output.bytes(decryptor.update(piece).expose_unverified()))?;
    let written =
        if output.is_standard() { "it has changed while it was read" } else { "nothing was written" };
    decryptor.finish().map(drop).map_err(|_| mismatch(input, written))
}

fn mismatch(input: &Input, consequence: &str) -> Failure {
    Failure::refused(format!(
        "{} is damaged, or not the file that is described: its SHA-256 is another; {consequence}",
        input.name()
    ))
}

fn each_piece(
    input: &mut Input,
    progress: &Progress,
    mut take: impl FnMut(&mut [u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut buffer = Zeroizing::new(vec![0; PIECE_LEN]);
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => {
                take(buffer.get_mut(..len).unwrap_or_default())?;
                progress.advance(len);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(input.failure(&error)),
        }
    }
}

const PIECE_LEN: usize = 128 * 1024;
