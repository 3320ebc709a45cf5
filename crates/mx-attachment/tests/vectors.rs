//! Known answers of tests/vectors/attachment.json, where the provenance of each is named.
#![expect(clippy::unwrap_used, reason = "tests")]

mod files;

use files::{Given, decrypt_stream};
use mx_attachment::{AttachmentInfo, AttachmentKey, HashMismatch, hazmat::RandomAccess};
use serde_json::Value;

struct Vector {
    info: AttachmentInfo,
    ciphertext: Vec<u8>,
    plaintext: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors/attachment.json")).unwrap();
    vectors.iter().map(vector).collect()
}

fn vector(vector: &Value) -> Vector {
    let text = |name: &str| vector[name].as_str().unwrap();
    let hex = text("ciphertext");
    Vector {
        info: AttachmentInfo::from_base64(text("k"), text("iv"), text("sha256")).unwrap(),
        ciphertext: (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect(),
        plaintext: text("plaintext").as_bytes().to_vec(),
    }
}

// ATT-2, ATT-4, ATT-40, ATT-41, ATT-42, ATT-43
#[test]
fn files_of_others_are_decrypted() {
    for Vector { info, ciphertext, plaintext } in vectors() {
        let mut buffer = ciphertext.clone();
        assert_eq!(info.decrypt_in_place(&mut buffer).unwrap(), plaintext);
        for piece in 1..=ciphertext.len() + 1 {
            assert_eq!(decrypt_stream(&info, &ciphertext, piece).as_ref(), Some(&plaintext));
        }
        let mut verifier = info.verifier();
        verifier.update(&ciphertext);
        verifier.finish().unwrap();
    }
}

// ATT-2, ATT-4, ATT-10, ATT-11: the same key and IV encrypt to the same bytes, where our IVs can be theirs.
#[test]
fn files_of_others_are_encrypted() {
    let mut encrypted = 0;
    for Vector { info, ciphertext, plaintext } in vectors() {
        if !info.counter_starts_at_zero() {
            continue;
        }
        for piece in 1..=plaintext.len() + 1 {
            let mut rng = Given([&info.secret_key()[..], &info.iv()[..8]].concat());
            let mut buffer = plaintext.clone();
            let mut encryptor = AttachmentKey::generate(&mut rng).unwrap().into_encryptor();
            buffer.chunks_mut(piece).for_each(|piece| encryptor.update(piece));
            let found = encryptor.finish();
            assert_eq!(buffer, ciphertext);
            assert_eq!(
                (found.secret_key(), found.iv(), found.sha256()),
                (info.secret_key(), info.iv(), info.sha256())
            );
        }
        encrypted += 1;
    }
    assert_eq!(encrypted, 4);
}

// ATT-30
#[test]
fn a_counter_that_does_not_start_at_zero_is_told() {
    let told: Vec<_> = vectors().iter().map(|vector| vector.info.counter_starts_at_zero()).collect();
    assert_eq!(told, [true, true, false, true, true]);
    for place in 0..16 {
        let mut iv = [0; 16];
        iv[place] = 1;
        let info = AttachmentInfo::from_parts(&[1; 32], &iv, &[2; 32]);
        assert_eq!(info.counter_starts_at_zero(), place < 8);
    }
}

// ATT-3, ATT-30: in browsers the low half wraps. Blocks computed in Python from AES-ECB, the hash with sha256sum.
#[test]
fn the_counter_wraps_at_64_bits() {
    let info = AttachmentInfo::from_base64(
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "8PHy8/T19vf//////////w",
        "pXXBgMSrPOIGmkFQ8H+3gVlhggPau/zt2RwSH/GC3g0",
    )
    .unwrap();
    let mut zeros_encrypted: Vec<u8> = [
        0xb101_c436_bcdd_5e33_f889_42a6_cfda_aa34_u128,
        0xdb0c_bab2_50d1_c2ff_6edd_19db_e8eb_2ee5,
        0x7158_96cf_bf80_df8c_1022_3bee_b74b_78b9,
    ]
    .iter()
    .flat_map(|block| block.to_be_bytes())
    .collect();
    assert_eq!(decrypt_stream(&info, &zeros_encrypted, 7), Some(vec![0; 48]));
    let mut second_block = zeros_encrypted[16..32].to_vec();
    RandomAccess::new(&info).decrypt_at(16, &mut second_block);
    assert_eq!(second_block, [0; 16]);
    assert_eq!(info.decrypt_in_place(&mut zeros_encrypted).unwrap(), [0; 48]);
}

// ATT-41: a hash that is another's.
#[test]
fn a_wrong_hash_is_refused() {
    let vectors = vectors();
    for (first, other) in vectors.iter().zip(vectors.iter().skip(1)) {
        let (key, iv, sha256) = (first.info.secret_key(), first.info.iv(), other.info.sha256());
        let info = AttachmentInfo::from_parts(key, iv, sha256);
        let mut buffer = first.ciphertext.clone();
        assert_eq!(info.decrypt_in_place(&mut buffer), Err(HashMismatch));
        assert_eq!(buffer, first.ciphertext);
    }
}
