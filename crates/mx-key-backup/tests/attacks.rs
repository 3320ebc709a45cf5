//! The rows of the attack catalogue that are about ciphertexts and keys.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use mx_key_backup::{DecryptError, EncryptedSessionData, SessionDataError};
use mx_room_key::Provenance;
use mx_types::{
    InvalidKey, SessionId,
    base64::{self, TrailingBits},
};
use support::{key, rng, room, session_data, trusted};

fn encrypted() -> (EncryptedSessionData, String) {
    let data = session_data(1);
    let encrypted = trusted(&key()).encrypt_session_data(&mut rng(2), &data).unwrap();
    (encrypted, data.session_id().to_string())
}

fn decrypt(data: &EncryptedSessionData, session_id: &str) -> Result<Provenance, DecryptError> {
    let restored = key().decrypt(room(), SessionId::parse(session_id).unwrap(), data)?;
    Ok(restored.into_room_key().origin().provenance.clone())
}

// BAK-17
#[test]
fn attack_006_an_ephemeral_key_that_contributes_nothing_is_refused() {
    // RFC 7748's points of small order, and their second encodings.
    let points = [
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA",
        "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc",
        "7P///////////////////////////////////////38",
        "7f///////////////////////////////////////38",
        "7v///////////////////////////////////////38",
        "//////////////////////////////////////////8",
    ];
    let (good, _) = encrypted();
    for (index, point) in points.iter().enumerate() {
        let text = good.emit().replace(&good.ephemeral.to_string(), point);
        let error = EncryptedSessionData::parse(text.as_bytes()).unwrap_err();
        let expected = if index < 5 { InvalidKey::SmallOrder } else { InvalidKey::NonCanonical };
        assert_eq!(error, SessionDataError::Ephemeral(expected), "{point}");
    }
}

// BAK-15, BAK-19: MAC, padding, length and JSON are one error. The MAC is that of nothing, so that whoever changes a
// ciphertext has a right one, and would learn plaintext from the difference between the others.
#[test]
fn attack_015_mac_padding_length_and_json_are_one_error() {
    let (good, id) = encrypted();
    assert!(decrypt(&good, &id).is_ok());
    let mut bad = Vec::new();
    for bit in 0..64 {
        let mut data = good.clone();
        data.mac[bit / 8] ^= 1 << (bit % 8);
        bad.push(data);
    }
    // The last block but one: it changes the padding, to each value of its last byte.
    let last = good.ciphertext.len() - 17;
    for value in 1..=255_u8 {
        let mut data = good.clone();
        data.ciphertext[last] ^= value;
        bad.push(data);
    }
    for len in [0, 1, 15, 17, good.ciphertext.len() - 16, good.ciphertext.len() - 1] {
        let mut data = good.clone();
        data.ciphertext.truncate(len);
        bad.push(data);
    }
    for plaintext in [&b""[..], b"{", b"[]", b"1", b"\xff", &b"[".repeat(200)] {
        bad.push(trusted(&key()).encrypt_bytes(&mut rng(5), plaintext).unwrap());
    }
    for data in bad {
        assert_eq!(decrypt(&data, &id), Err(DecryptError::Undecryptable));
    }
}

// BAK-14, BAK-15
#[test]
fn attack_133_a_restored_session_is_unauthenticated_and_a_changed_ciphertext_is_no_session() {
    let (good, id) = encrypted();
    assert_eq!(decrypt(&good, &id), Ok(Provenance::Backup));
    // Whoever has the public key can make one: it says the same.
    let forged = trusted(&key()).encrypt_session_data(&mut rng(9), &session_data(66)).unwrap();
    assert_eq!(decrypt(&forged, session_data(66).session_id().as_str()), Ok(Provenance::Backup));

    // All bits of some blocks, and one of each byte.
    let bits = (0..good.ciphertext.len() * 8).filter(|bit| *bit < 512 || bit % 8 == 3);
    for bit in bits {
        let mut data = good.clone();
        data.ciphertext[bit / 8] ^= 1 << (bit % 8);
        let error = decrypt(&data, &id).unwrap_err();
        // A block that is garbled is no text, but for one in thousands; then it is no key.
        assert!(
            matches!(
                error,
                DecryptError::Undecryptable | DecryptError::Session(_) | DecryptError::OtherSession
            ),
            "bit {bit}: {error}"
        );
    }
    // The MAC as an older text had it, over the ciphertext, is a wrong one.
    let mut old = good.clone();
    old.mac = *b"ciphertx";
    assert_eq!(decrypt(&old, &id), Err(DecryptError::Undecryptable));
    // Another key.
    let other = mx_key_backup::BackupDecryptionKey::from_bytes(&[1; 32]);
    assert!(other.decrypt_bytes(&good).is_none());
}

#[test]
fn attack_009_keys_have_one_spelling() {
    let (good, _) = encrypted();
    let ephemeral = good.ephemeral.to_string();
    let with = |text: &str| {
        EncryptedSessionData::parse(good.emit().replace(&ephemeral, text).as_bytes())
            .map(|data| data.ephemeral)
    };
    assert_eq!(with(&format!("{ephemeral}=")), Ok(good.ephemeral));
    // The last character has two bits that belong to no byte: the one that follows in the alphabet sets one.
    let other = format!("{}{}", &ephemeral[..42], char::from(ephemeral.as_bytes()[42] + 1));
    assert!(base64::decode_to_vec(&other, TrailingBits::Ignored).is_ok());
    assert!(matches!(with(&other), Err(SessionDataError::Ephemeral(InvalidKey::Base64(_)))));
    for wrong in
        [format!("{ephemeral}=="), format!(" {ephemeral}"), format!("{ephemeral}\\n"), "-".repeat(43)]
    {
        assert!(matches!(with(&wrong), Err(SessionDataError::Ephemeral(InvalidKey::Base64(_)))), "{wrong}");
    }
}

#[test]
fn attack_005_a_public_key_is_never_taken_beside_a_private_one() {
    // There is no call that takes both: the public key of a decryption key is computed, and that of `auth_data` compared.
    let key = key();
    let other =
        mx_key_backup::AuthData::new(mx_key_backup::BackupDecryptionKey::from_bytes(&[1; 32]).public_key());
    assert!(support::server_backup(&other).trust(&support::by_key(&key)).is_err());
}
