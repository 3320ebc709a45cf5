//! Encrypted attachments: ours in place, matrix-sdk-crypto's from a reader into a vector of the right capacity, which is
//! the shortest way that each of them offers, and OpenSSL in place, in the same pieces as ours.

use std::{hint::black_box, time::Duration};

use mx_attachment::{AttachmentInfo, AttachmentKey, EncryptedFile, Leniency, UncheckedFile};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::{
    measure::{Case, on_each, on_each_kept},
    table::{Row, Table},
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Files of a batch that wait for their turn together: what the second cache holds, as it holds a file that has just
/// come. Else the rows of 1 KiB would measure memory.
const AT_ONCE: usize = 64;

pub fn rows(table: &mut Table) {
    for (work, target, len) in
        [("attachment encrypt, 1 MiB", 1.05, MIB), ("attachment encrypt, 64 MiB", 1.8, 64 * MIB)]
    {
        if table.wants(work) {
            let file = vec![0x5a; len];
            let mut buffer = file.clone();
            let ours: Case<'_> = Box::new(move |n| encrypt(n, &mut buffer));
            table.row(Row { work, target, ours, peers: peers::encrypt(&file) });
        }
    }
    let (file, info, json) = &encrypted(KIB);
    let work = "attachment decrypt, 1 KiB, with its JSON";
    let ours: Case<'_> = Box::new(|n| at_once(n, |n| decrypt_described(n, json, file)));
    table.row(Row { work, target: 2.5, ours, peers: peers::decrypt_described(json, file) });
    let (work, target) = ("attachment decrypt, 1 KiB, read before", 0.0);
    let ours: Case<'_> = Box::new(|n| at_once(n, |n| decrypt(n, info, file)));
    table.row(Row { work, target, ours, peers: peers::decrypt(json, file) });
    let (file, info, json) = &encrypted(MIB);
    let ours: Case<'_> = Box::new(|n| decrypt(n, info, file));
    let peers = peers::decrypt(json, file);
    table.row(Row { work: "attachment decrypt, 1 MiB", target: 1.05, ours, peers });
}

/// A file, its info, and both in JSON.
fn encrypted(len: usize) -> (Vec<u8>, AttachmentInfo, String) {
    let mut file = vec![0x5a; len];
    let info = key(&mut rng()).encrypt_in_place(&mut file);
    let copy = AttachmentInfo::from_parts(info.secret_key(), info.iv(), info.sha256());
    let json = serde_json::to_string(&EncryptedFile { url: "mxc://example.org/a", info: copy });
    (file, info, json.expect("a description can be written"))
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn key(rng: &mut ChaCha20Rng) -> AttachmentKey {
    AttachmentKey::generate(rng).expect("the generator works")
}

fn at_once(count: usize, mut work: impl FnMut(usize) -> Duration) -> Duration {
    (0..count).step_by(AT_ONCE).map(|done| work(AT_ONCE.min(count - done))).sum()
}

fn encrypt(count: usize, buffer: &mut [u8]) -> Duration {
    let mut rng = rng();
    on_each(0..count, |_| key(&mut rng).encrypt_in_place(black_box(buffer)))
}

fn decrypt(count: usize, info: &AttachmentInfo, file: &[u8]) -> Duration {
    on_each_kept(vec![file.to_vec(); count], |mut file| {
        info.decrypt_in_place(&mut file).expect("the hash is right");
        file
    })
}

fn decrypt_described(count: usize, json: &str, file: &[u8]) -> Duration {
    on_each_kept(vec![file.to_vec(); count], |mut file| {
        let description = UncheckedFile::parse(json.as_bytes()).expect("a description");
        let description = description.check(Leniency::NONE).expect("as the specification has it");
        description.info.decrypt_in_place(&mut file).expect("the hash is right");
        file
    })
}

#[cfg(not(feature = "matrix-sdk-crypto"))]
mod peers {
    use super::Case;

    pub(super) fn encrypt(_: &[u8]) -> Vec<(&'static str, Case<'_>)> {
        Vec::new()
    }

    pub(super) fn decrypt<'f>(_: &'f str, _: &'f [u8]) -> Vec<(&'static str, Case<'f>)> {
        Vec::new()
    }

    pub(super) fn decrypt_described<'f>(_: &'f str, _: &'f [u8]) -> Vec<(&'static str, Case<'f>)> {
        Vec::new()
    }
}

#[cfg(feature = "matrix-sdk-crypto")]
mod peers {
    use std::io::Read;

    use matrix_sdk_crypto::{AttachmentDecryptor, AttachmentEncryptor, MediaEncryptionInfo};

    use super::{Case, at_once, on_each, on_each_kept};

    pub(super) fn encrypt(file: &[u8]) -> Vec<(&'static str, Case<'_>)> {
        let matrix_sdk_crypto: Case<'_> = Box::new(move |n| {
            on_each(0..n, |_| {
                let (mut reader, mut ciphertext) = (file, Vec::with_capacity(file.len()));
                let mut encryptor = AttachmentEncryptor::new(&mut reader);
                encryptor.read_to_end(&mut ciphertext).expect("memory can be read");
                (encryptor.finish(), ciphertext)
            })
        });
        vec![
            ("matrix-sdk-crypto", matrix_sdk_crypto),
            #[cfg(feature = "openssl")]
            ("OpenSSL", super::openssl_encrypt(file.to_vec())),
        ]
    }

    /// An info serves once, so each is read of JSON before the clock starts.
    pub(super) fn decrypt<'f>(json: &'f str, file: &'f [u8]) -> Vec<(&'static str, Case<'f>)> {
        let matrix_sdk_crypto: Case<'_> = Box::new(move |n| {
            at_once(n, |n| on_each_kept((0..n).map(|_| read(json)), |info| plaintext(info, file)))
        });
        vec![("matrix-sdk-crypto", matrix_sdk_crypto)]
    }

    pub(super) fn decrypt_described<'f>(json: &'f str, file: &'f [u8]) -> Vec<(&'static str, Case<'f>)> {
        let matrix_sdk_crypto: Case<'_> =
            Box::new(move |n| at_once(n, |n| on_each_kept(0..n, |_| plaintext(read(json), file))));
        vec![("matrix-sdk-crypto", matrix_sdk_crypto)]
    }

    fn read(json: &str) -> MediaEncryptionInfo {
        serde_json::from_str(json).expect("a description")
    }

    fn plaintext(info: MediaEncryptionInfo, mut file: &[u8]) -> Vec<u8> {
        let mut plaintext = Vec::with_capacity(file.len());
        let mut decryptor = AttachmentDecryptor::new(&mut file, info).expect("a valid info");
        decryptor.read_to_end(&mut plaintext).expect("the hash is right");
        plaintext
    }
}

/// AES-256-CTR and SHA-256, a piece at a time while it is in the nearest cache.
#[cfg(all(feature = "matrix-sdk-crypto", feature = "openssl"))]
fn openssl_encrypt<'c>(mut buffer: Vec<u8>) -> Case<'c> {
    use openssl::{cipher::Cipher, cipher_ctx::CipherCtx, sha::Sha256};

    Box::new(move |count| {
        on_each(0..count, |_| {
            let mut cipher = CipherCtx::new().expect("memory");
            cipher.encrypt_init(Some(Cipher::aes_256_ctr()), Some(&[7; 32]), Some(&[8; 16])).expect("a key");
            let mut hash = Sha256::new();
            for piece in buffer.chunks_mut(4 * KIB) {
                cipher.cipher_update_inplace(piece, piece.len()).expect("a piece");
                hash.update(piece);
            }
            hash.finish()
        })
    })
}
