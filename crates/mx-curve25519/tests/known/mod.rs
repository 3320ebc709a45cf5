//! X25519 of RFC 7748. Firmware runs them, too: nothing but `core`.

use mx_curve25519::{Curve25519SecretKey, KeyAgreement as _};

fn hex(text: &str) -> [u8; 32] {
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

known_answers! {
    // OLM-42: the pair of RFC 7748, section 6.1.
    #[test]
    fn rfc_7748() {
        let alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        let bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        let alice = Curve25519SecretKey::from_secret_bytes(&alice);
        let bob = Curve25519SecretKey::from_secret_bytes(&bob);
        let shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        assert_eq!(
            *alice.public_key().as_bytes(),
            hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        );
        assert_eq!(*alice.diffie_hellman(&bob.public_key()).unwrap().as_bytes(), shared);
        assert_eq!(*bob.diffie_hellman(&alice.public_key()).unwrap().as_bytes(), shared);
    }

    // OLM-8: kept as drawn, clamped in the multiplication only.
    #[test]
    fn secrets_are_kept_unclamped() {
        let secret = [0xff; 32];
        let key = Curve25519SecretKey::from_secret_bytes(&secret);
        assert_eq!(*key.secret_bytes(), secret);
        let mut clamped = secret;
        clamped[0] &= 0xf8;
        clamped[31] = clamped[31] & 0x7f | 0x40;
        assert_eq!(Curve25519SecretKey::from_secret_bytes(&clamped).public_key(), key.public_key());
        let stored = Curve25519SecretKey::from_stored(&secret, key.public_key());
        assert_eq!((stored.secret_bytes(), stored.public_key()), (&secret, key.public_key()));
    }
}
