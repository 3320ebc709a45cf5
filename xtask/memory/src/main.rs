//! Runs operations on secrets that valgrind was told are undefined: it then reports each branch and each address that
//! depends on them. A report is allowed where the outcome is no secret (accepted or refused); the table says how many.
//!
//! `cargo xtask memory` runs this under `valgrind --tool=memcheck`, from tests that name the rows to run by how they
//! begin. Exit code 0: as many reports as allowed or fewer.

use core::hint::black_box;
use core::num::NonZeroU32;

use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_aes_sha2::ctr_hmac::CtrHmacKeys;
use mx_aes_sha2::{HmacKey, Pbkdf2Sha512, hkdf_sha256};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey, KeyAgreement};
use mx_types::{base64, key_representation};

fn main() {
    if request(RUNNING_ON_VALGRIND, 0, 0) == 0 {
        println!("not under valgrind: nothing is checked");
        std::process::exit(2);
    }
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let mut failed = 0;
    let mut passed = 0;
    let mut row = |what: &str, allowed: Allowed, work: &dyn Fn()| {
        if !what.starts_with(&wanted) && !what.starts_with("control") {
            return;
        }
        let before = request(COUNT_ERRORS, 0, 0);
        work();
        let found = request(COUNT_ERRORS, 0, 0) - before;
        let ok = match allowed {
            Allowed::AtMost(most) => found <= most,
            Allowed::Some => found > 0,
        };
        println!("{what:<52} {found:>7}   {:<12} {}", allowed.text(), if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed += 1 }
    };
    println!("{:<52} {:>7}   {:<12}", "operation on secrets", "reports", "allowed");

    row("control: a table indexed by a secret", Allowed::Some, &|| {
        let table: [u8; 256] = core::array::from_fn(|i| (i as u8).wrapping_mul(3));
        black_box(black_box(&table)[usize::from(secret::<1>()[0])]);
    });
    row("control: a branch on a secret", Allowed::Some, &|| {
        if secret::<1>()[0] > 7 {
            black_box(1);
        }
    });
    // Padded or not, accepted or refused, is no secret, and is branched on.
    row("Base64 of a secret, written", Allowed::AtMost(0), &|| {
        let mut out = [0; 43];
        let _ = black_box(base64::encode_secret(&secret::<32>(), &mut out).is_ok());
    });
    row("Base64 of a secret, read", Allowed::AtMost(4), &|| {
        let mut text = *b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        poison(&mut text);
        // SAFETY of meaning, not of memory: the bytes are ASCII whatever valgrind thinks of them.
        let text = unsafe { core::str::from_utf8_unchecked(&text) };
        let _ = black_box(base64::decode_secret(text, &mut [0; 32]).is_ok());
    });
    row("Base64 of a secret, URL-safe, written", Allowed::AtMost(0), &|| {
        let mut out = [0; 43];
        let _ = black_box(base64::encode_url_secret(&secret::<32>(), &mut out).is_ok());
    });
    row("Base64 of a secret, URL-safe, read", Allowed::AtMost(4), &|| {
        let mut text = *b"-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        poison(&mut text);
        // SAFETY of meaning, not of memory: as above.
        let text = unsafe { core::str::from_utf8_unchecked(&text) };
        let _ = black_box(base64::decode_url_secret(text, &mut [0; 32]).is_ok());
    });
    // Of the public bytes behind it valgrind knows nothing: their characters are those that are not poisoned.
    row("Base64 of a secret and public bytes, read", Allowed::AtMost(4), &|| {
        let mut text = *b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka";
        poison(&mut text[..40]);
        // SAFETY of meaning, not of memory: as above.
        let text = unsafe { core::str::from_utf8_unchecked(&text) };
        let _ = black_box(base64::decode_secret_prefix(text, 29, &mut [0; 64]).is_ok());
    });
    // The standard library asks whether the text is ASCII, which it always is.
    row("key representation, written", Allowed::AtMost(40), &|| {
        let _ =
            black_box(key_representation::encode(&secret::<32>(), &mut [0; key_representation::LEN]).len());
    });
    row("AES-256-CBC, encrypted", Allowed::AtMost(0), &|| {
        let keys = CbcHmacKeys::from_bytes(&secret::<80>());
        let mut buffer = [0; padded_len(100)];
        let _ = black_box(keys.encrypt_in_place(&mut buffer, 100).is_ok());
    });
    row("AES-256-CBC, decrypted: padding right or not", Allowed::AtMost(1), &|| {
        let keys = CbcHmacKeys::from_bytes(&secret::<80>());
        let _ = black_box(keys.decrypt_in_place(&mut [0; 112]).is_ok());
    });
    row("AES-256-CTR", Allowed::AtMost(0), &|| {
        let keys = CtrHmacKeys::from_bytes(&secret::<64>());
        keys.keystream(&[0; 16]).apply(&mut [0; 300]);
    });
    row("HMAC-SHA-256 and HKDF", Allowed::AtMost(0), &|| {
        black_box(HmacKey::new(&secret::<32>()).mac(b"message"));
        black_box(hkdf_sha256::<80>(&secret::<32>(), &secret::<32>(), b"info"));
    });
    row("HMAC-SHA-512 and PBKDF2", Allowed::AtMost(0), &|| {
        let rounds = NonZeroU32::new(3).unwrap_or(NonZeroU32::MIN);
        black_box(Pbkdf2Sha512::new(&secret::<140>(), b"salt", rounds).finish());
    });
    row("MAC, right or not", Allowed::AtMost(1), &|| {
        let keys = CbcHmacKeys::from_bytes(&secret::<80>());
        let _ = black_box(keys.verify_mac(b"message", &[0; 8]).is_ok());
    });
    let theirs = Curve25519SecretKey::from_secret_bytes(&[8; 32]).public_key();
    row("X25519: zero or not", Allowed::AtMost(1), &|| {
        let key = Curve25519SecretKey::from_stored(&secret::<32>(), theirs);
        let _ = black_box(key.diffie_hellman(&theirs).is_ok());
    });
    // The public half is computed of the secret one and then compared with the points of small order, as public bytes.
    row("X25519 key pair: its public half is no secret", Allowed::AtMost(8), &|| {
        black_box(Curve25519SecretKey::from_secret_bytes(&secret::<32>()));
    });
    row("Ed25519 key pair: its public half is no secret", Allowed::AtMost(8), &|| {
        black_box(Ed25519SecretKey::from_seed(&secret::<32>()));
    });
    row("Ed25519 signature, of a secret message", Allowed::AtMost(0), &|| {
        let key = Ed25519SecretKey::from_seed(&[7; 32]);
        black_box(key.sign(&secret::<100>()));
    });
    println!("{failed} failed, {passed} passed");
    std::process::exit(i32::from(failed > 0));
}

enum Allowed {
    AtMost(usize),
    /// The controls: without a report the check itself does not work.
    Some,
}

impl Allowed {
    fn text(&self) -> String {
        match self {
            Self::AtMost(most) => format!("at most {most}"),
            Self::Some => "at least 1".to_owned(),
        }
    }
}

/// Bytes that valgrind takes for undefined.
fn secret<const N: usize>() -> [u8; N] {
    let mut bytes = core::array::from_fn(|i| (i as u8).wrapping_mul(37).wrapping_add(11));
    poison(&mut bytes);
    bytes
}

fn poison(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, black_box(bytes.as_mut_ptr()) as usize, bytes.len());
}

// The client requests of valgrind's manual, "The Client Request mechanism"; the tool's begin with its two letters.
const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MAKE_MEM_UNDEFINED: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16 | 1;

#[cfg(target_arch = "x86_64")]
fn request(number: usize, first: usize, second: usize) -> usize {
    let arguments = [number, first, second, 0, 0, 0];
    let mut result = 0_usize;
    // SAFETY: four rotations by 128 in all and an exchange of a register with itself do nothing; valgrind knows the
    // sequence, reads the arguments and puts a result into rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") result,
            options(nostack),
        );
    }
    result
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_: usize, _: usize, _: usize) -> usize {
    0
}
