//! Files that others wrote: matrix-react-sdk's tests, matrix-rust-sdk, and a Python program.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use mx_key_export::{KeyExport, MAX_ROUNDS, ReadError, read};
use support::{SESSION, SESSION_ID};

fn plaintext(body: &str, passphrase: &str) -> Vec<u8> {
    let text = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
    let mut file = KeyExport::from_slice(text.as_bytes()).unwrap();
    let keys = file.derive(passphrase, MAX_ROUNDS).unwrap().finish();
    // A passphrase that is wrong is told from all of them.
    let others = file.derive("another", MAX_ROUNDS).unwrap().finish();
    assert_eq!(file.sessions(&others).unwrap_err(), ReadError::WrongPassphraseOrDamaged);
    file.plaintext_to_vec(&keys).unwrap().to_vec()
}

// EXP-1, EXP-4, EXP-5, EXP-40
#[test]
fn browser_vector_1() {
    let body = "AXNhbHRzYWx0c2FsdHNhbHSIiIiIiIiIiIiIiIiIiIiIAAAACmIRUW2OjZ3L2l6j9h0lHlV3M2dxcissyYBxjsfsAndErh065A8=";
    assert_eq!(plaintext(body, "password"), b"plain");
    // EXP-24: it is authentic, and no list of sessions.
    let text = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
    assert_eq!(read(text.as_bytes(), "password").unwrap_err(), ReadError::NotAnArray.into());
}

// EXP-41
#[test]
fn browser_vector_2() {
    let body = "AW1vcmVzYWx0bW9yZXNhbHT//////////wAAAAAAAAAAAAAD6KyBpe1Niv5M5NPm4ZATsJo5nghkKYu63a0YQ5DRhUWEKk7CcMkrKnAUiZny";
    assert_eq!(plaintext(body, "betterpassword"), b"Hello, World");
}

// EXP-42
#[test]
fn browser_vector_3() {
    let body = "AXllc3NhbHR5Z29vZG5lc3P//////////wAAAAAAAAAAAAAD6OIW+Je7gwvjd4kYrb+49gKCfExwMgJBMD4mrhLkmgAngwR1pHjbWXaoGybtiAYr0moQ93GrBQsCzPbvl82rZhaXO3iH5uHo/RCEpOqpPgg29363BGR+/Ripq/VCLKGNbw==";
    assert_eq!(plaintext(body, "SWORDFISH"), b"alphanumerically".repeat(4));
}

// EXP-7, EXP-43: bit 63 is set, and the browser counted in 64 bits.
#[test]
fn browser_vector_4() {
    let body = "Af//////////////////////////////////////////AAAD6IAZJy7IQ7Y0idqSw/bmpngEEVVhgsH+8ptgqxw6ZVWQnohr8JsuwH9SwGtiebZuBu5smPCO+RFVWH2cQYslZijXv/BEH/txvhUrrtCdbWnSXS9oymiqwUIGs08sXI33ZA==";
    assert_eq!(plaintext(body, &"password".repeat(32)), b"alphanumerically".repeat(4));
}

// EXP-13: matrix-react-sdk's body that is cut off.
#[test]
fn browser_vector_that_is_too_short() {
    let text = "-----BEGIN MEGOLM SESSION DATA-----\n\
        AXNhbHRzYWx0c2FsdHNhbHSIiIiIiIiIiIiIiIiIiIiIAAAACmIRUW2OjZ3L2l6j9h0lHlV3M2dx\ncissyYBxjsfsAn\n\
        -----END MEGOLM SESSION DATA-----\n";
    assert_eq!(KeyExport::from_slice(text.as_bytes()).unwrap_err(), ReadError::TooShort { len: 67 });
}

// EXP-2, EXP-20, EXP-21, EXP-22, EXP-44: one round, no padding, no newline at the end.
#[test]
fn a_session_of_matrix_sdk_crypto() {
    let body = "Af7mGhlzQ+eGvHu93u0YXd3D/+vYMs3E7gQqOhuCtkvGAAAAASH7pEdWvFyAP1JUisAcpEoXke2Q7Kr9hVl/SCc6jXBNeJCZcrUbUV4D/tRQIl3E9L4fOk928YI1J+3z96qiH0uE7hpsCICkHKwjPU+0XTzFdIk1X8H7sZ+MD/2Sg/q3y8rtUjz7uEj4GUTnb+9SCOTVmJsRfqgUpM1CUbDLytHf1JkohY4tWEgpsCc67xdzgodjr12qYrfg/zNm3LGpxlrffJknw4rk5QFTj4kMbqbDZZgDTni+HxRTDGge2J620lMOiznvXX+H09Rwruqx5aJvvaaKd86jWRpiO2oSFqHn4u5ONl941uzm62Sj0eIm6ZbA9NQs87jQw4LxsejhZVL+NdjIg80zVSBTWhTdo0DTnbFSNP4ReOiz0UXosOF8A5T8Vdx2nvA0GXltfcHKVKQYh/LJAkNQ7P9UYL4ae/5TtQZkhB1KxCLTRWqADCl53uBMGpG53EMgY6G6K2DEIOkcv7sdXQF5WpemiSWZqJRWj+cjfs9BpCTbkp/rszWFl2TniWpRRqIbT2jORlN4rTvdtF0F4z1pqP4qWyR3sLNTkXm9CFRzWADNG0RDZKxbCoo6RPvtaCTfaHoSwfvzBS6CjfAG+FOugpV48o7+XetaUUPZ6/tZSPhCdeV8eP9q5r0QwWeXFogzoNzWt4HYx9MdXxzD+f0mtg5gzehrrEEARwI2bCvPpHxlt/Na9oW/GBpkjwR1LSKgg4CtpRyWngPjdEKpZGYW19pdjg0qdXNk/eqZsQTsNWVo6A";
    assert_eq!(plaintext(body, "1234"), format!("[{SESSION}]").as_bytes());
    let text = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
    let read = read(text.as_bytes(), "1234").unwrap();
    assert!(read.refused.is_empty());
    let [session] = &read.sessions[..] else { panic!("{read:?}") };
    assert_eq!((session.room_id(), session.session_id().as_str()), ("!test:localhost", SESSION_ID));
    assert!(session.session.forwarding_chain.is_empty() && !session.session.shared_history);
}

// EXP-45: from a Python program with the `cryptography` package.
#[test]
fn no_sessions() {
    let body =
        "ARAREhMUFRYXGBkaGxwdHh+AgYKDhIWGhwiJiouMjY6PAAAD6Oo9ZXdzpTJdEhXIHrughGG1JUVbtbS+wdOijIdA6hgAqdU=";
    assert_eq!(plaintext(body, "pass"), b"[]");
    let text = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
    let read = read(text.as_bytes(), "pass").unwrap();
    assert!(read.sessions.is_empty() && read.refused.is_empty());
}
