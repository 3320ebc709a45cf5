//! Standards, and this project's own (computed in Python with the `cryptography` package). Firmware runs them, too: nothing but `core`.

use mx_aes_sha2::{
    cbc_hmac::CbcHmacKeys,
    ctr_hmac::CtrHmacKeys,
    ctr_sha256::{CounterWidth, Keystream},
    hkdf_sha256, sha256,
};

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

known_answers! {
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
        let mut buffer: [u8; 16] = message[5..].try_into().unwrap();
        assert_eq!(keys.decrypt_in_place(&mut buffer).unwrap(), b"Hello");
        assert_eq!(keys.full_mac(&message).as_bytes()[..8], *keys.mac(&message).as_bytes());
    }

    /// Computed in Python from single blocks of AES-ECB; `openssl enc -aes-256-ctr` gives the second, too.
    #[test]
    fn the_low_half_of_the_counter_wraps_or_carries() {
        let key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let counter = hex("f0f1f2f3f4f5f6f7ffffffffffffffff");
        let first = hex::<16>("b101c436bcdd5e33f88942a6cfdaaa34");
        for (width, rest) in [
            (CounterWidth::Low64, "db0cbab250d1c2ff6edd19dbe8eb2ee5715896cfbf80df8c10223beeb74b78b9"),
            (CounterWidth::Whole128, "4e809d1dd3075f4f3aabc452763b58bfb43835c14c63bd6839f243642883a84c"),
        ] {
            let rest = hex::<32>(rest);
            let mut keystream = Keystream::new(&key, &counter, width);
            let mut bytes = [0; 48];
            keystream.apply(&mut bytes);
            assert_eq!((&bytes[..16], &bytes[16..]), (&first[..], &rest[..]));
            for (byte, position) in bytes.iter().rev().zip((0..48).rev()) {
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
}
