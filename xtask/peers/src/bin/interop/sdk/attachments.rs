//! Attachments: files of many lengths, read in pieces of any length, both ways.

use std::io::{self, Cursor, Read};

use matrix_sdk_crypto::{AttachmentDecryptor, AttachmentEncryptor, MediaEncryptionInfo};
use mx_attachment::{AttachmentInfo, AttachmentKey, EncryptedFile};
use mx_types::base64::encode_to_string;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{below, differences::Differences, random_bytes};
use crate::{
    differences::Verdict,
    report::{Failure, Outcome, Report, expect},
};

const URL: &str = "mxc://example.org/file";

/// Where blocks of AES and SHA-256, and the buffers of either side, begin and end.
const LENS: [usize; 26] = [
    0, 1, 15, 16, 17, 31, 32, 33, 55, 56, 63, 64, 65, 127, 128, 129, 1_023, 4_095, 4_096, 4_097, 65_535,
    65_536, 65_537, 1_048_575, 1_048_576, 1_048_577,
];

/// Files of random length besides those of [`LENS`].
const RANDOM_FILES: usize = 40;

/// They encrypt, we decrypt: the file at once, and in pieces.
pub fn to_us(rng: &mut ChaCha20Rng) -> Outcome {
    over_files(rng, |rng, plaintext| {
        let (ciphertext, description) = encrypt_theirs(rng, plaintext)?;
        let file: EncryptedFile<String> = serde_json::from_value(description)?;
        expect(file.info.counter_starts_at_zero(), "their counter does not start at zero")?;
        expect(file.info.decrypt_in_place(&mut ciphertext.clone())? == plaintext, "another plaintext")?;
        expect(decrypt_in_pieces(rng, &file.info, &ciphertext)? == plaintext, "other pieces of plaintext")
    })
}

/// We encrypt, at once and in pieces, they decrypt.
pub fn to_them(rng: &mut ChaCha20Rng) -> Outcome {
    over_files(rng, |rng, plaintext| {
        for in_pieces in [false, true] {
            let key = AttachmentKey::generate(rng)?;
            let mut ciphertext = plaintext.to_vec();
            let info = if in_pieces {
                let mut encryptor = key.into_encryptor();
                let mut rest = &mut ciphertext[..];
                while !rest.is_empty() {
                    let (piece, after) = rest.split_at_mut(piece_len(rng, rest.len()));
                    encryptor.update(piece);
                    rest = after;
                }
                encryptor.finish()
            } else {
                key.encrypt_in_place(&mut ciphertext)
            };
            let description = serde_json::to_value(EncryptedFile { url: URL, info })?;
            let decrypted = decrypt_theirs(rng, &ciphertext, description)?;
            expect(decrypted == plaintext, "another plaintext")?;
        }
        Ok(())
    })
}

/// One bit of the file or of what describes it is flipped: neither side accepts it.
pub fn damaged(rng: &mut ChaCha20Rng) -> Outcome {
    const COUNT: usize = 200;
    for _ in 0..COUNT {
        let len = 1 + below(rng, 500);
        let plaintext = random_bytes(rng, len);
        let (mut ciphertext, description) = encrypt_theirs(rng, &plaintext)?;
        match below(rng, 3) {
            0 => ciphertext[below(rng, len)] ^= 1 << below(rng, 8),
            1 => ciphertext.truncate(below(rng, len)),
            _ => ciphertext.push(0),
        }
        expect(decrypt_ours(&ciphertext, &description).is_err(), "we accept a damaged file")?;
        expect(decrypt_theirs(rng, &ciphertext, description).is_err(), "they accept a damaged file")?;
    }
    Ok(format!("{COUNT} files"))
}

/// Descriptions at the edge of the specification, and beyond.
pub fn differences(d: &mut Differences, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    const PLAINTEXT: &[u8] = b"It said so on the tin";
    let (ciphertext, description) = encrypt_theirs(rng, PLAINTEXT)?;
    let changed = |pointer: &str, value: Value| {
        let mut changed = description.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(parent)) = changed.pointer_mut(parent) {
            parent.insert(name.to_owned(), value);
        }
        changed
    };
    let without = |pointer: &str| {
        let mut changed = description.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(parent)) = changed.pointer_mut(parent) {
            parent.remove(name);
        }
        changed
    };
    let text = |pointer: &str| description.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (k, iv, hash) = (text("/key/k"), text("/iv"), text("/hashes/sha256"));
    let cases = [
        ("ATT-22", "version v1", false, changed("/v", "v1".into())),
        ("ATT-22", "no version", false, without("/v")),
        ("ATT-23", "key of type EC", false, changed("/key/kty", "EC".into())),
        ("ATT-23", "algorithm A256GCM", false, changed("/key/alg", "A256GCM".into())),
        ("ATT-23", "ext is false", false, changed("/key/ext", false.into())),
        ("ATT-23", "no ext", false, without("/key/ext")),
        ("ATT-23", "key_ops without decrypt", false, changed("/key/key_ops", json!(["encrypt"]))),
        ("ATT-23", "no key_ops", false, without("/key/key_ops")),
        (
            "ATT-23",
            "key_ops with a third operation",
            true,
            changed("/key/key_ops", json!(["wrapKey", "encrypt", "decrypt"])),
        ),
        (
            "ATT-23",
            "key_ops with a number among the operations",
            true,
            changed("/key/key_ops", json!([7, "encrypt", "decrypt"])),
        ),
        ("ATT-24", "key of 31 bytes", false, changed("/key/k", k[..42].into())),
        ("ATT-24", "key of 33 bytes", false, changed("/key/k", format!("{k}A").into())),
        ("ATT-24", "counter block of 15 bytes", false, changed("/iv", iv[..20].into())),
        ("ATT-24", "hash of 31 bytes", false, changed("/hashes/sha256", hash[..42].into())),
        ("ATT-25", "key with Base64 padding", true, changed("/key/k", format!("{k}=").into())),
        ("ATT-25", "counter block with Base64 padding", true, changed("/iv", format!("{iv}==").into())),
        ("ATT-25", "hash with Base64 padding", true, changed("/hashes/sha256", format!("{hash}=").into())),
        ("ATT-21", "no hash", false, changed("/hashes", json!({}))),
        ("ATT-21", "only a hash of an unknown name", false, changed("/hashes", json!({ "blake3": hash }))),
        ("ATT-21", "a second hash of an unknown name", true, changed("/hashes/blake3", hash.into())),
        (
            "ATT-21",
            "a second hash of an unknown name that is not Base64",
            true,
            changed("/hashes/x-hex", "::".into()),
        ),
        ("ATT-21", "a second hash that is a number", true, changed("/hashes/crc32", 7.into())),
        ("ATT-7", "a media type in the description, as older clients wrote it", true, {
            changed("/mimetype", "image/png".into())
        }),
    ];
    for (requirement, name, accepted, description) in cases {
        d.case(
            report,
            (requirement, name),
            accepted,
            &|| expect(decrypt_ours(&ciphertext, &description)? == PLAINTEXT, "another plaintext"),
            &|| expect(read_theirs(&ciphertext, description.clone())? == PLAINTEXT, "another plaintext"),
        );
    }
    d.case(
        report,
        ("ATT-25", "key in the standard alphabet"),
        false,
        &|| in_standard_alphabet(decrypt_ours),
        &|| in_standard_alphabet(|ciphertext, description| read_theirs(ciphertext, description.clone())),
    );
    carried_counter(d, report)?;
    provisional_plaintext(d, report, rng)
}

/// A description whose `k` has characters of the standard alphabet that the URL-safe one has not.
fn in_standard_alphabet(decrypt: impl Fn(&[u8], &Value) -> Result<Vec<u8>, Failure>) -> Verdict {
    let ciphertext = [7; 5];
    let info = AttachmentInfo::from_parts(&[0xff; 32], &[0; 16], &Sha256::digest(ciphertext).into());
    let mut description = serde_json::to_value(EncryptedFile { url: URL, info })?;
    description["key"]["k"] = encode_to_string(&[0xff; 32]).into();
    decrypt(&ciphertext, &description).map(drop)
}

/// The low half of the counter block is all ones: the browsers' counter wraps within it, a wider one carries.
fn carried_counter(d: &mut Differences, report: &mut Report) -> Verdict {
    // From OpenSSL 3.0: 16 zeros under each of the counter blocks 20 … 27 ff … ff and 20 … 27 00 … 00, with
    // `openssl enc -aes-256-ctr -K 000102…1f -iv …`.
    const ZEROS_ENCRYPTED: [u8; 32] = [
        0xf6, 0xe9, 0x3e, 0xc6, 0x96, 0x96, 0x07, 0x2d, 0x49, 0x1e, 0x98, 0xaa, 0x25, 0x73, 0x3b, 0x6a, 0xb4,
        0xd9, 0xba, 0xe1, 0x96, 0x78, 0xf1, 0x2c, 0xd6, 0xc2, 0x47, 0x12, 0xba, 0xb8, 0x69, 0x41,
    ];
    let key = core::array::from_fn(|place| place as u8);
    let iv = core::array::from_fn(|place| if place < 8 { 0x20 + place as u8 } else { 0xff });
    let info = AttachmentInfo::from_parts(&key, &iv, &Sha256::digest(ZEROS_ENCRYPTED).into());
    let description = serde_json::to_value(EncryptedFile { url: URL, info })?;
    d.case(
        report,
        ("ATT-30", "counter block that wraps in its low half, written as browsers do"),
        true,
        &|| expect(decrypt_ours(&ZEROS_ENCRYPTED, &description)? == [0; 32], "another plaintext"),
        &|| {
            let plaintext = read_theirs(&ZEROS_ENCRYPTED, description.clone())?;
            expect(plaintext == [0; 32], "another plaintext")
        },
    );
    Ok(())
}

/// What comes out of a reader before the end of a damaged file.
fn provisional_plaintext(d: &mut Differences, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let plaintext = random_bytes(rng, 100_000);
    let (mut ciphertext, description) = encrypt_theirs(rng, &plaintext)?;
    ciphertext[99_999] ^= 1;
    d.case(
        report,
        ("ATT-20", "plaintext of a damaged file as if it were good, before its end"),
        false,
        &|| {
            // Pieces of ours come out as `Unverified`; the call that gives plaintext as such is this one.
            decrypt_ours(&ciphertext, &description).map(drop)
        },
        &|| {
            let mut reader = Cursor::new(&ciphertext);
            let mut decryptor = AttachmentDecryptor::new(&mut reader, media_info(description.clone())?)?;
            let mut piece = vec![0; 1_000];
            decryptor.read_exact(&mut piece)?;
            expect(piece == plaintext[..1_000], "another plaintext")
        },
    );
    Ok(())
}

/// What [`AttachmentEncryptor`] makes of a file: ciphertext and `EncryptedFile`.
fn encrypt_theirs(rng: &mut ChaCha20Rng, plaintext: &[u8]) -> Result<(Vec<u8>, Value), Failure> {
    let mut reader = Cursor::new(plaintext);
    let mut encryptor = AttachmentEncryptor::new(&mut reader);
    let ciphertext = read_in_pieces(rng, &mut encryptor)?;
    let mut description = serde_json::to_value(encryptor.finish())?;
    description["url"] = URL.into();
    Ok((ciphertext, description))
}

fn decrypt_theirs(rng: &mut ChaCha20Rng, ciphertext: &[u8], description: Value) -> Result<Vec<u8>, Failure> {
    let mut reader = Cursor::new(ciphertext);
    let mut decryptor = AttachmentDecryptor::new(&mut reader, media_info(description)?)?;
    Ok(read_in_pieces(rng, &mut decryptor)?)
}

fn read_theirs(ciphertext: &[u8], description: Value) -> Result<Vec<u8>, Failure> {
    let mut reader = Cursor::new(ciphertext);
    let mut plaintext = Vec::new();
    AttachmentDecryptor::new(&mut reader, media_info(description)?)?.read_to_end(&mut plaintext)?;
    Ok(plaintext)
}

/// The way that a client of theirs goes: an `EncryptedFile` of ruma's first.
fn media_info(description: Value) -> Result<MediaEncryptionInfo, Failure> {
    let file: ruma::events::room::EncryptedFile = serde_json::from_value(description)?;
    Ok(file.into())
}

fn decrypt_ours(ciphertext: &[u8], description: &Value) -> Result<Vec<u8>, Failure> {
    let file: EncryptedFile<String> = serde_json::from_value(description.clone())?;
    Ok(file.info.decrypt_to_vec(ciphertext)?)
}

fn decrypt_in_pieces(
    rng: &mut ChaCha20Rng,
    info: &AttachmentInfo,
    ciphertext: &[u8],
) -> Result<Vec<u8>, Failure> {
    let mut plaintext = ciphertext.to_vec();
    let mut decryptor = info.decryptor();
    let mut rest = &mut plaintext[..];
    while !rest.is_empty() {
        let (piece, after) = rest.split_at_mut(piece_len(rng, rest.len()));
        let _ = decryptor.update(piece).expose_unverified(); // in place
        rest = after;
    }
    decryptor.finish()?;
    Ok(plaintext)
}

fn read_in_pieces(rng: &mut ChaCha20Rng, reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 70_000];
    loop {
        let len = piece_len(rng, buffer.len());
        match reader.read(&mut buffer[..len])? {
            0 => return Ok(all),
            len => all.extend_from_slice(&buffer[..len]),
        }
    }
}

/// A random length from 1 to `rest`, short ones as likely as long ones.
fn piece_len(rng: &mut ChaCha20Rng, rest: usize) -> usize {
    let bits = 1 + below(rng, 17);
    (1 + below(rng, 1 << bits)).min(rest)
}

fn over_files(
    rng: &mut ChaCha20Rng,
    check: impl Fn(&mut ChaCha20Rng, &[u8]) -> Result<(), Failure>,
) -> Outcome {
    let mut total = 0;
    let mut random = [0; RANDOM_FILES];
    for len in &mut random {
        let bits = below(rng, 21);
        *len = below(rng, 1 << bits);
    }
    for len in LENS.into_iter().chain(random) {
        let plaintext = random_bytes(rng, len);
        check(rng, &plaintext).map_err(|reason| format!("{len} bytes: {reason}"))?;
        total += len;
    }
    Ok(format!("{} files of 0 to 1,048,577 bytes, {total} bytes", LENS.len() + RANDOM_FILES))
}
