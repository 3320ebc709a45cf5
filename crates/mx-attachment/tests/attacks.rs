//! Rows of the attack catalogue, and their neighbours. What is read of JSON is in json.rs.
#![expect(clippy::indexing_slicing, reason = "tests")]

mod files;

use std::collections::HashSet;

use files::{Given, decrypt_stream, encrypted, file, rng};
use mx_attachment::{
    AttachmentInfo, AttachmentKey, Decryptor, Encryptor, HashMismatch, InvalidFile, Unverified,
    hazmat::RandomAccess,
};
use mx_types::base64::DecodeError;
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};

/// A generator that is not there, gives only zeros, or fails after some draws.
struct Broken {
    errs: bool,
    draws_left: usize,
}

impl TryRng for Broken {
    type Error = core::fmt::Error;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("everything is drawn in bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("everything is drawn in bytes")
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let works = self.draws_left > 0;
        self.draws_left = self.draws_left.saturating_sub(1);
        bytes.fill(if works { 0x41 } else { 0 });
        if works || !self.errs { Ok(()) } else { Err(core::fmt::Error) }
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn attack_008_no_key_without_randomness() {
    for errs in [true, false] {
        for draws_left in 0..2 {
            assert!(AttachmentKey::generate(&mut Broken { errs, draws_left }).is_err());
        }
        assert!(AttachmentKey::generate(&mut Broken { errs, draws_left: 2 }).is_ok());
    }
}

// ATT-24, ATT-25, B64-3, B64-5
#[test]
fn attack_009_each_member_has_its_own_base64() {
    let read = AttachmentInfo::from_base64;
    let (k, iv, sha256) = ("_".repeat(42) + "8", "/".repeat(21) + "w", "/".repeat(42) + "8");
    let info = read(&k, &iv, &sha256).unwrap();
    assert_eq!((info.secret_key(), info.iv(), info.sha256()), (&[255; 32], &[255; 16], &[255; 32]));
    read(&format!("{k}="), &format!("{iv}=="), &format!("{sha256}=")).unwrap();
    // Trailing bits: in a key they make a second spelling, in what others wrote they are ignored.
    let error = InvalidFile::Key(DecodeError::InvalidCharacter);
    assert_eq!(read(&("_".repeat(42) + "9"), &iv, &sha256).unwrap_err(), error);
    read(&k, &("/".repeat(21) + "x"), &("/".repeat(42) + "9")).unwrap();
    // The alphabets are not taken for each other.
    assert_eq!(read(&("/".repeat(42) + "8"), &iv, &sha256).unwrap_err(), error);
    let invalid = DecodeError::InvalidCharacter;
    assert_eq!(read(&k, &("_".repeat(21) + "w"), &sha256).unwrap_err(), InvalidFile::Iv(invalid));
    assert_eq!(read(&k, &iv, &("_".repeat(42) + "8")).unwrap_err(), InvalidFile::Hash(invalid));
    let padding = DecodeError::InvalidPadding;
    assert_eq!(read(&format!("{k}=="), &iv, &sha256).unwrap_err(), InvalidFile::Key(padding));
    assert_eq!(read(&k, &format!("{iv}="), &sha256).unwrap_err(), InvalidFile::Iv(padding));
    assert_eq!(read(&k, &iv, &format!("{sha256}==")).unwrap_err(), InvalidFile::Hash(padding));
}

// ATT-1, ATT-2, ATT-5
#[test]
fn attack_019_the_counter_starts_at_zero_and_nothing_is_drawn_twice() {
    let mut rng = rng();
    let (mut keys, mut ivs) = (HashSet::new(), HashSet::new());
    for _ in 0..1000 {
        let info = AttachmentKey::generate(&mut rng).unwrap().encrypt_in_place(&mut [1; 20]);
        assert!(info.counter_starts_at_zero());
        assert_eq!(info.iv()[8..], [0; 8]);
        assert!(keys.insert(*info.secret_key()) && ivs.insert(*info.iv()));
    }
    // All of the random half is random: 64 bits that are each set and each not.
    for bit in 0..64 {
        let set = ivs.iter().filter(|iv| iv[bit / 8] >> (bit % 8) & 1 == 1).count();
        assert!((350..650).contains(&set), "bit {bit}: {set} of 1000");
    }
    // And where the generator gives nothing but ones, the counter is zero all the same.
    let info = AttachmentKey::generate(&mut Given(vec![255; 40])).unwrap().encrypt_in_place(&mut []);
    assert_eq!(info.iv(), &[255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/// The IV has no protection of its own, and needs none: it lies in the event that is authenticated.
#[test]
fn attack_020_the_iv_is_not_covered_by_the_hash() {
    let (ciphertext, info) = encrypted(b"the IV comes authenticated or not at all");
    let mut iv = *info.iv();
    iv[0] ^= 1;
    let changed = AttachmentInfo::from_parts(info.secret_key(), &iv, info.sha256());
    let plaintext = changed.decrypt_in_place(&mut ciphertext.clone()).unwrap().to_vec();
    assert_ne!(plaintext, b"the IV comes authenticated or not at all");
}

// ATT-1
/// The compiler's part is in the documentation of `AttachmentKey` and `Encryptor`: neither can be used twice. Here:
/// nothing that decrypts can be made to encrypt, so that a received key is not used for a second file either.
#[test]
fn attack_021_two_files_of_one_message_share_nothing() {
    let mut rng = rng();
    let (mut image, mut thumbnail) = (file(100), file(100));
    let image_info = AttachmentKey::generate(&mut rng).unwrap().encrypt_in_place(&mut image);
    let thumbnail_info = AttachmentKey::generate(&mut rng).unwrap().encrypt_in_place(&mut thumbnail);
    assert_ne!(image_info.secret_key(), thumbnail_info.secret_key());
    assert_ne!(image_info.iv(), thumbnail_info.iv());
    assert_ne!(image, thumbnail);
}

/// The specification cannot refuse this, nor can we: one file and one hash, two keys, two contents.
#[test]
fn attack_022_the_hash_does_not_commit_to_the_key() {
    let (upload, first) = encrypted(b"Meet me at noon.");
    let second = AttachmentInfo::from_parts(&[7; 32], first.iv(), first.sha256());
    let shown_to_one = first.decrypt_in_place(&mut upload.clone()).unwrap().to_vec();
    let shown_to_another = second.decrypt_in_place(&mut upload.clone()).unwrap().to_vec();
    assert_eq!(shown_to_one, b"Meet me at noon.");
    assert_ne!(shown_to_another, shown_to_one);
}

/// Files that are not the one that was described: cut, longer, changed, exchanged.
fn other_files(ciphertext: &[u8]) -> Vec<Vec<u8>> {
    let mut others: Vec<_> = (0..ciphertext.len()).map(|len| ciphertext[..len].to_vec()).collect();
    others.extend((1..ciphertext.len()).map(|start| ciphertext[start..].to_vec()));
    others.extend([0, 0x80, 0xff].map(|more| [ciphertext, &[more]].concat()));
    others.push([ciphertext, ciphertext].concat());
    for bit in 0..8 * ciphertext.len() {
        let mut changed = ciphertext.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        others.push(changed);
    }
    let mut swapped = ciphertext.to_vec();
    swapped.swap(0, 16);
    others.push(swapped);
    others
}

// ATT-20, ATT-26
#[test]
fn attack_023_no_plaintext_of_another_file() {
    let (ciphertext, info) = encrypted(&file(200));
    for other in other_files(&ciphertext) {
        let mut buffer = other.clone();
        assert_eq!(info.decrypt_in_place(&mut buffer), Err(HashMismatch));
        assert_eq!(buffer, other, "the buffer is as it was");
        for piece in [1, 16, 64, 150, 500] {
            assert_eq!(decrypt_stream(&info, &other, piece), None);
            let mut verifier = info.verifier();
            other.chunks(piece).for_each(|piece| verifier.update(piece));
            assert_eq!(verifier.finish().err(), Some(HashMismatch));
        }
        #[cfg(feature = "alloc")]
        assert_eq!(info.decrypt_to_vec(&other), Err(HashMismatch));
    }
    // Each bit of the hash counts.
    for bit in 0..256 {
        let mut sha256 = *info.sha256();
        sha256[bit / 8] ^= 1 << (bit % 8);
        let other = AttachmentInfo::from_parts(info.secret_key(), info.iv(), &sha256);
        assert_eq!(other.decrypt_in_place(&mut ciphertext.clone()), Err(HashMismatch));
        assert_eq!(decrypt_stream(&other, &ciphertext, 64), None);
    }
}

// ATT-20, ATT-28
#[test]
fn attack_023_plaintext_that_nobody_asked_for_is_not_in_the_buffer() {
    let plaintext = file(300);
    let (mut ciphertext, info) = encrypted(&plaintext);
    let mut decryptor = info.decryptor();
    let (ignored, taken) = ciphertext.split_at_mut(100);
    drop::<Unverified<'_>>(decryptor.update(ignored));
    assert_eq!(ignored, [0; 100]);
    assert_eq!(decryptor.update(taken).expose_unverified(), &plaintext[100..]);
    assert_eq!(taken, &plaintext[100..]);
    // What became of the plaintext makes no difference to the file.
    assert!(decryptor.finish().is_ok());
}

// ATT-12
#[test]
fn attack_029_every_secret_is_wiped_when_dropped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<AttachmentKey>();
    wiped::<AttachmentInfo>();
    wiped::<Encryptor>();
    wiped::<Decryptor>();
    wiped::<Unverified<'_>>();
    wiped::<RandomAccess>();
}

/// No four bytes of a secret, as hexadecimal, decimal or Base64, in what the types show of themselves.
#[test]
fn attack_068_debug_and_errors_show_no_secret() {
    let secret = || Given(vec![1; 40]);
    let key = || AttachmentKey::generate(&mut secret()).unwrap();
    let mut plaintext = [1; 100];
    let info = key().encrypt_in_place(&mut plaintext);
    let mut decryptor = info.decryptor();
    let mut shown = vec![
        format!("{:?} {:#?}", key(), key()),
        format!("{:?} {:#?}", key().into_encryptor(), key().into_encryptor()),
        format!("{info:?} {info:#?} {decryptor:?} {decryptor:#?} {:?}", RandomAccess::new(&info)),
        format!("{:?}", mx_attachment::EncryptedFile { url: "mxc://example.org/a", info }),
    ];
    let unverified = decryptor.update(&mut plaintext);
    shown.push(format!("{unverified:?} {unverified:#?}"));
    for k in ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF", "AQEBAQEB+QEB", "AQEBAQEBAQEB="] {
        let error = AttachmentInfo::from_base64(k, "", "").unwrap_err();
        shown.push(format!("{error:?} {error}"));
    }
    for text in shown {
        for run in ["\x01\x01", "0101", "01010101", "1, 1, 1", "AQEB", "EBAQ", "BAQE"] {
            assert!(!text.contains(run), "{text}");
        }
    }
}

proptest! {
    #[test]
    fn attack_148_no_text_of_a_key_iv_or_hash_panics(k in ".{0,60}", iv in ".{0,40}", sha256 in ".{0,60}") {
        let _ = AttachmentInfo::from_base64(&k, &iv, &sha256);
    }
}
