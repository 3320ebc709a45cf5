//! The rows of the attack catalogue that this crate answers for, and their neighbours.
#![expect(clippy::unwrap_used, reason = "tests")]

use mx_aes_sha2::{
    AuthenticationFailed, HmacKey, Pbkdf2Sha512, Sha256,
    cbc_hmac::{CbcHmacKeys, padded_len},
    ctr_hmac::CtrHmacKeys,
};

#[test]
fn attack_015_bad_mac_padding_and_length_are_one_error_and_leave_no_plaintext() {
    let keys = CbcHmacKeys::expand(b"key", b"OLM_KEYS");
    let mut buffer = [0x41; 48];
    let ciphertext = keys.encrypt_in_place(&mut buffer, 40).unwrap().to_vec();
    let tag = *keys.mac(&ciphertext).as_bytes();

    let bad_mac = keys.verify_mac(&ciphertext[1..], &tag).unwrap_err();
    let mut bad_padding = ciphertext.clone();
    bad_padding[47] ^= 1;
    let padding_error = keys.decrypt_in_place(&mut bad_padding).unwrap_err();
    let mut bad_length = ciphertext[..47].to_vec();
    let length_error = keys.decrypt_in_place(&mut bad_length).unwrap_err();

    assert_eq!((bad_mac, padding_error), (AuthenticationFailed, AuthenticationFailed));
    assert_eq!(length_error, AuthenticationFailed);
    assert_eq!(bad_padding, [0; 48]);
    assert_eq!(bad_length, [0; 47]);
}

#[test]
fn attack_016_every_byte_of_the_padding_is_checked() {
    let keys = CbcHmacKeys::expand(b"key", b"OLM_KEYS");
    for blocks in [1, 2, 9] {
        for last in 0..=u8::MAX {
            // A plaintext that ends in `last` times `last`, where that is possible, and one byte of it wrong.
            for wrong in 0..=16 {
                let mut padded = vec![0xaa; 16 * blocks];
                let len = padded.len();
                padded[len - usize::from(last.clamp(1, 16))..].fill(last);
                if wrong > 0 {
                    padded[len - wrong] ^= 0x40;
                }
                let padding = usize::from(padded[len - 1]);
                let valid = (1..=16).contains(&padding)
                    && padded[len - padding..].iter().all(|byte| usize::from(*byte) == padding);

                let mut ciphertext = encrypt_unpadded(&keys, &padded);
                let plaintext = keys.decrypt_in_place(&mut ciphertext);
                if valid {
                    assert_eq!(plaintext.unwrap(), &padded[..len - padding]);
                } else {
                    assert_eq!(plaintext, Err(AuthenticationFailed), "{last:#x}, byte {wrong} from the end");
                    assert!(ciphertext.iter().all(|byte| *byte == 0));
                }
            }
        }
    }
}

/// What a peer that does not pad would send: the padding block that is added is cut off again.
fn encrypt_unpadded(keys: &CbcHmacKeys, padded: &[u8]) -> Vec<u8> {
    let mut buffer = padded.to_vec();
    buffer.resize(padded_len(padded.len()), 0);
    keys.encrypt_in_place(&mut buffer, padded.len()).unwrap();
    buffer.truncate(padded.len());
    buffer
}

#[test]
fn attack_017_a_ciphertext_that_is_no_multiple_of_the_block_is_refused() {
    let keys = CbcHmacKeys::expand(b"key", b"OLM_KEYS");
    let mut ciphertext = [0; 64];
    keys.encrypt_in_place(&mut ciphertext, 50).unwrap();
    for len in (0..64).filter(|len| *len == 0 || len % 16 != 0) {
        let mut cut = ciphertext[..len].to_vec();
        assert_eq!(keys.decrypt_in_place(&mut cut), Err(AuthenticationFailed), "{len} bytes");
        assert!(cut.iter().all(|byte| *byte == 0));
    }
    // Whole blocks and a rest that, not being decrypted, would pass for a padding.
    for len in 1..16 {
        let mut longer = ciphertext.to_vec();
        longer.resize(64 + len, u8::try_from(len).unwrap());
        assert_eq!(keys.decrypt_in_place(&mut longer), Err(AuthenticationFailed), "{len} bytes more");
        assert!(longer.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn attack_018_the_counter_carries_into_the_upper_half() {
    let keys = CtrHmacKeys::from_bytes(&[3; 64]);
    for low_half in [u64::MAX, u64::MAX - 1, u64::MAX - 7] {
        let high_half = 0x0123_4567_89ab_cdef_u64;
        let counter = (u128::from(high_half) << 64) | u128::from(low_half);
        let mut keystream = [0; 16 * 20];
        keys.keystream(&counter.to_be_bytes()).apply(&mut keystream);
        for (block, expected) in keystream.chunks(16).zip(0..) {
            let mut alone = [0; 16];
            keys.keystream(&(counter + expected).to_be_bytes()).apply(&mut alone);
            assert_eq!(block, alone, "block {expected}");
        }
    }
    // The whole counter wraps around to zero.
    let mut keystream = [0; 32];
    keys.keystream(&[0xff; 16]).apply(&mut keystream);
    let mut zero = [0; 16];
    keys.keystream(&[0; 16]).apply(&mut zero);
    assert_eq!(keystream[16..], zero);
}

#[test]
fn attack_012_every_flipped_bit_of_a_mac_is_refused() {
    let cbc = CbcHmacKeys::expand(b"key", b"");
    let ctr = CtrHmacKeys::expand(b"key", b"");
    let (short, long) = (*cbc.mac(b"message").as_bytes(), *ctr.mac(b"message").as_bytes());
    cbc.verify_mac(b"message", &short).unwrap();
    ctr.verify_mac(b"message", &long).unwrap();
    for bit in 0..64 {
        let mut tag = short;
        tag[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(cbc.verify_mac(b"message", &tag), Err(AuthenticationFailed));
    }
    for bit in 0..256 {
        let mut tag = long;
        tag[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(ctr.verify_mac(b"message", &tag), Err(AuthenticationFailed));
    }
}

#[test]
fn attack_063_a_buffer_too_small_is_left_alone() {
    let keys = CbcHmacKeys::expand(b"key", b"");
    for plaintext_len in [0, 1, 15, 16, 17, 31, 32] {
        let needed = padded_len(plaintext_len);
        for len in 0..needed {
            let mut buffer = vec![0x55; len];
            let error = keys.encrypt_in_place(&mut buffer, plaintext_len).unwrap_err();
            assert_eq!(error.needed, needed);
            assert_eq!(buffer, vec![0x55; len]);
        }
    }
    assert!(keys.encrypt_in_place(&mut [0; 16], usize::MAX).is_err());
}

#[test]
fn attack_068_debug_shows_no_key() {
    let ikm = [0x77; 32];
    let cbc = CbcHmacKeys::expand(&ikm, b"");
    let ctr = CtrHmacKeys::expand(&ikm, b"");
    let hmac = HmacKey::new(&ikm);
    let shown = [
        format!("{cbc:?}"),
        format!("{ctr:?}"),
        format!("{hmac:?}"),
        format!("{:?}", hmac.start()),
        format!("{:?}", ctr.start_mac()),
        format!("{:?}", ctr.keystream(&[0x77; 16])),
        format!("{:?}", cbc.mac(&ikm)),
        format!("{:?}", Sha256::new()),
        format!("{:?}", Pbkdf2Sha512::new(&ikm, b"salt", core::num::NonZeroU32::MIN)),
    ];
    let expected = [
        "CbcHmacKeys { .. }",
        "CtrHmacKeys { .. }",
        "HmacKey { .. }",
        "Hmac { .. }",
        "Mac(Hmac { .. })",
        "Keystream { .. }",
        "Tag { .. }",
        "Sha256 { .. }",
        "Pbkdf2Sha512 { remaining: 0, .. }",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn attack_029_every_secret_is_wiped_when_dropped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<CbcHmacKeys>();
    wiped::<CtrHmacKeys>();
    wiped::<HmacKey>();
    wiped::<Sha256>();
    wiped::<Pbkdf2Sha512>();
    // What the other keys are made of: features of foreign crates that are off unless asked for.
    wiped::<aes::Aes256Enc>();
    wiped::<aes::Aes256Dec>();
    wiped::<cbc::Encryptor<aes::Aes256Enc>>();
    wiped::<cbc::Decryptor<aes::Aes256Dec>>();
    wiped::<ctr::Ctr128BE<aes::Aes256Enc>>();
}
