//! How a file is cut makes no difference.

mod files;

use files::{decrypt_stream, encrypted, file, rng};
use mx_attachment::{AttachmentKey, hazmat::RandomAccess};
use proptest::prelude::*;

/// A file, cut at any places.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (0_usize..9000).prop_map(file),
    ];
    prop::collection::vec(piece, 0..12)
}

proptest! {
    // ATT-2, ATT-10, ATT-20
    #[test]
    fn pieces_are_the_whole(pieces in pieces()) {
        let plaintext = pieces.concat();
        let (ciphertext, info) = encrypted(&plaintext);
        prop_assert_eq!(ciphertext.len(), plaintext.len());

        let mut encryptor = AttachmentKey::generate(&mut rng()).unwrap().into_encryptor();
        let mut streamed = Vec::new();
        for mut piece in pieces.clone() {
            encryptor.update(&mut piece);
            streamed.extend(piece);
        }
        prop_assert_eq!(&streamed, &ciphertext);
        let streamed_info = encryptor.finish();
        prop_assert_eq!(streamed_info.sha256(), info.sha256());

        let (mut decryptor, mut verifier) = (info.decryptor(), info.verifier());
        let mut rest = streamed.as_mut_slice();
        for piece in &pieces {
            let (now, later) = rest.split_at_mut(piece.len());
            verifier.update(now);
            let decrypted = decryptor.update(now).expose_unverified();
            prop_assert_eq!(&*decrypted, &piece[..]);
            rest = later;
        }
        prop_assert!(decryptor.finish().is_ok() && verifier.finish().is_ok());
        prop_assert_eq!(streamed, plaintext);
    }

    // ATT-29
    #[test]
    fn any_position_can_be_decrypted(len in 1_usize..10_000, places in prop::collection::vec((any::<usize>(), 0_usize..300), 1..9)) {
        let plaintext = file(len);
        let (ciphertext, info) = encrypted(&plaintext);
        let mut random_access = RandomAccess::new(&info);
        for (place, piece_len) in places {
            let start = place % len;
            let end = len.min(start + piece_len);
            let mut piece = ciphertext[start..end].to_vec();
            random_access.decrypt_at(start as u64, &mut piece);
            prop_assert_eq!(&piece, &plaintext[start..end]);
        }
    }

    // ATT-20, ATT-26: any change anywhere.
    #[test]
    fn another_file_is_never_verified(len in 1_usize..600, place in any::<usize>(), flip in 1_u8.., piece in 1_usize..700) {
        let (mut ciphertext, info) = encrypted(&file(len));
        ciphertext[place % len] ^= flip;
        prop_assert_eq!(decrypt_stream(&info, &ciphertext, piece), None);
        let before = ciphertext.clone();
        prop_assert!(info.decrypt_in_place(&mut ciphertext).is_err());
        prop_assert_eq!(ciphertext, before);
    }
}

// ATT-10, ATT-20: every length around the sizes that something here works in, cut into pieces of all of them.
#[test]
fn lengths_around_blocks() {
    let sizes = [1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 8192, 8200];
    for len in sizes {
        let plaintext = file(len);
        let (ciphertext, info) = encrypted(&plaintext);
        for piece in sizes {
            assert_eq!(decrypt_stream(&info, &ciphertext, piece).as_ref(), Some(&plaintext));
        }
    }
}

// ATT-11
#[test]
fn an_empty_file_is_a_file() {
    let (ciphertext, info) = encrypted(&[]);
    assert_eq!(ciphertext, []);
    assert_eq!(info.decrypt_in_place(&mut []).unwrap(), []);
    assert!(info.decryptor().finish().is_ok() && info.verifier().finish().is_ok());
    assert!(info.decrypt_in_place(&mut [0]).is_err());
}

#[cfg(feature = "alloc")]
#[test]
fn vectors_are_the_same_as_slices() {
    for len in [0, 1, 100, 5000] {
        let plaintext = file(len);
        let (ciphertext, info) = AttachmentKey::generate(&mut rng()).unwrap().encrypt_to_vec(&plaintext);
        let (expected, expected_info) = encrypted(&plaintext);
        assert_eq!(ciphertext, expected);
        assert_eq!((info.sha256(), info.iv()), (expected_info.sha256(), expected_info.iv()));
        assert_eq!(info.decrypt_to_vec(&ciphertext).unwrap(), plaintext);
        assert!(info.decrypt_to_vec(&[&ciphertext[..], &[0]].concat()).is_err());
    }
}
