//! The rows of the attack catalogue that concern pickles of libolm.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod pickled;

use std::collections::HashSet;

use mx_curve25519::Ed25519SecretKey;
use mx_libolm_pickle::{
    Field, LibolmPickleError, read_account, read_decryption_key, read_inbound_group_session,
    read_outbound_group_session, read_session, write_account, write_inbound_group_session, write_session,
};
use mx_megolm::{ExportedSessionKey, InboundGroupSession, OutboundGroupSession};
use mx_olm::hazmat::account_state;
use mx_olm::{Account, GenerateError, Session};
use mx_types::base64::encode_to_string;
use pickled::{account, curve25519_pair, ed25519_pair, one_time_key, seal, to_hex, unseal, vector};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([9; 32])
}

/// A plaintext with the key pair at `at` replaced by the secret half of its own and the public half of another.
fn with_public_key(plaintext: &[u8], at: usize, public: &[u8]) -> Vec<u8> {
    let mut changed = plaintext.to_vec();
    changed[at..at + 32].copy_from_slice(&public[..32]);
    changed
}

// PIC-3, MEG-63
#[test]
fn attack_005_a_public_key_that_does_not_belong_to_its_secret_key_is_refused() {
    let mismatch = |field| LibolmPickleError::PublicKeyMismatch { field };
    let keys = [one_time_key(2, 0, 2), one_time_key(1, 0, 1)];
    let fallback_keys = [one_time_key(4, 0, 4), one_time_key(3, 0, 3)];
    let plaintext = account(&keys, &fallback_keys, 4);
    let (ed25519, curve25519) = (ed25519_pair([0x99; 32]), curve25519_pair([0x99; 32]));
    for (at, public, field) in [
        (4, &ed25519, Field::Ed25519Key),
        (100, &curve25519, Field::IdentityKey),
        (173, &curve25519, Field::OneTimeKeys),
        (242, &curve25519, Field::OneTimeKeys),
        (312, &curve25519, Field::FallbackKeys),
        (381, &curve25519, Field::FallbackKeys),
    ] {
        let pickle = seal(&with_public_key(&plaintext, at, public), b"");
        assert_eq!(read_account::<100, 8>(&pickle, b"").unwrap_err(), mismatch(field));
    }

    let plaintext = unseal(&vector("self_made_megolm", "outbound_v1_after_1_message"), b"");
    let pickle = seal(&with_public_key(&plaintext, 136, &ed25519), b"");
    assert_eq!(read_outbound_group_session(&pickle, b"").unwrap_err(), mismatch(Field::Ed25519Key));

    let plaintext = unseal(&vector("self_made_olm", "alice_session_after_2_sent"), b"");
    let pickle = seal(&with_public_key(&plaintext, 137, &curve25519), b"");
    assert_eq!(read_session::<8>(&pickle, b"").unwrap_err(), mismatch(Field::SenderChains));

    let plaintext = [&[0, 0, 0, 1], curve25519_pair([1; 32]).as_slice()].concat();
    let pickle = seal(&with_public_key(&plaintext, 4, &curve25519), b"");
    assert_eq!(read_decryption_key(&pickle, b"").unwrap_err(), mismatch(Field::DecryptionKey));
}

/// What vodozemac 0.10 wrote: libolm takes it and makes signatures that nobody accepts.
// PIC-3
#[test]
fn attack_005_an_unclamped_ed25519_key_is_clamped() {
    let plaintext = account(&[], &[], 0);
    let mut unclamped = plaintext.clone();
    unclamped[36] |= 0x07;
    unclamped[67] = unclamped[67] & 0x3f | 0x80;
    let account = read_account::<1, 1>(&seal(&unclamped, b""), b"").unwrap();
    let signature = account.sign(b"message");
    mx_curve25519::verify(&account.ed25519_key(), b"message", &signature).unwrap();
    assert_eq!(signature, Ed25519SecretKey::from_seed(&[0x11; 32]).sign(b"message"));
    assert_eq!(unseal(&write_account(&account, b""), b""), plaintext);
}

#[test]
fn attack_057_no_name_stands_for_two_keys() {
    let repeated = |field| LibolmPickleError::Repeated { field };
    let error = |one_time_keys: &[_], fallback_keys: &[_]| {
        read_account::<100, 8>(&seal(&account(one_time_keys, fallback_keys, 9), b""), b"").unwrap_err()
    };
    let (key, other) = (one_time_key(5, 0, 1), one_time_key(6, 0, 2));
    let (same_number, same_key) = (one_time_key(5, 1, 3), one_time_key(7, 1, 1));
    for wrong in [&same_number, &same_key] {
        let keys = [key.clone(), other.clone(), wrong.clone()];
        assert_eq!(error(&keys, &[]), repeated(Field::OneTimeKeys));
        assert_eq!(error(&[], &[key.clone(), wrong.clone()]), repeated(Field::FallbackKeys));
    }
    assert_eq!(error(core::slice::from_ref(&key), &[same_key]), repeated(Field::FallbackKeys));
}

/// vodozemac numbers fallback keys apart, so that one may have a higher number than the account names.
#[test]
fn attack_057_the_number_of_a_new_key_is_above_all_others() {
    let pickle = seal(&account(&[one_time_key(3, 0, 1)], &[one_time_key(8, 0, 2)], 2), b"");
    let mut account: Account = read_account(&pickle, b"").unwrap();
    let generated = account.one_time_keys_mut().generate(&mut rng()).unwrap();
    assert!(generated.evicted.is_none());
    let state = account_state(&account);
    assert_eq!(state.one_time_keys.last().unwrap().number, 9);
    assert_eq!(state.last_number, 9);
}

#[test]
fn attack_060_hostile_counts_are_refused() {
    let prefix = &account(&[], &[], 0)[..164];
    for count in [101, 1_000_000, u32::MAX] {
        let pickle = seal(&[prefix, &count.to_be_bytes()].concat(), b"");
        let expected = LibolmPickleError::TooMany { field: Field::OneTimeKeys, count, limit: 100 };
        assert_eq!(read_account::<5_000, 8>(&pickle, b"").unwrap_err(), expected);
    }
    // A million keys that really are there.
    let pickle = seal(&[prefix, &1_000_000_u32.to_be_bytes(), &vec![0; 69_000_000]].concat(), b"");
    let expected = LibolmPickleError::TooLong { len: pickle.len() };
    assert_eq!(read_account::<5_000, 8>(&pickle, b"").unwrap_err(), expected);
}

#[test]
fn attack_061_after_the_last_number_there_is_no_key() {
    for (number, last_number) in [(1, u32::MAX), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
        let pickle = seal(&account(&[one_time_key(number, 1, 1)], &[], last_number), b"");
        let mut account: Account = read_account(&pickle, b"").unwrap();
        let before = write_account(&account, b"");
        let keys = account.one_time_keys_mut();
        assert_eq!(keys.generate(&mut rng()), Err(GenerateError::KeyIdsExhausted));
        assert_eq!(keys.generate_fallback(&mut rng()), Err(GenerateError::KeyIdsExhausted));
        assert_eq!(write_account(&account, b""), before);
    }
    let pickle = seal(&account(&[], &[], u32::MAX - 1), b"");
    let mut account: Account = read_account(&pickle, b"").unwrap();
    let _ = account.one_time_keys_mut().generate(&mut rng()).unwrap();
    let error = account.one_time_keys_mut().generate(&mut rng()).unwrap_err();
    assert_eq!(error, GenerateError::KeyIdsExhausted);
}

/// Not refused, but said: the format has no nonce, so equal states have equal pickles, and states that begin equally have
/// pickles that begin equally. The README says that the format is for moving, not for keeping.
// PIC-1
#[test]
fn attack_065_the_format_is_deterministic() {
    let mut account: Account = read_account(&seal(&account(&[], &[], 0), b"key"), b"key").unwrap();
    let before = write_account(&account, b"key");
    assert_eq!(write_account(&account, b"key"), before);
    let _ = account.one_time_keys_mut().generate(&mut rng()).unwrap();
    let after = write_account(&account, b"key");
    let same = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    // Ten blocks of 16 bytes are before the number of one-time keys.
    assert!(same >= 10 * 16 * 4 / 3 && before != after);
    assert!(include_str!("../README.md").contains("deterministic"));
}

fn exported() -> (InboundGroupSession, OutboundGroupSession) {
    let mut outbound = OutboundGroupSession::new(&mut rng()).unwrap();
    outbound.encrypt_to_vec(b"before").unwrap();
    let key = InboundGroupSession::new(&outbound.session_key()).export_at(1).unwrap();
    let key = ExportedSessionKey::from_bytes(key.as_bytes()).unwrap();
    (InboundGroupSession::import(&key), outbound)
}

// MEG-43, MEG-61
#[test]
fn attack_067_an_unsigned_session_stays_unsigned() {
    let (mut session, mut outbound) = exported();
    for _ in 0..3 {
        let pickle = write_inbound_group_session(&session, b"key");
        assert_eq!(*unseal(&pickle, b"key").last().unwrap(), 0);
        session = read_inbound_group_session(&pickle, b"key").unwrap();
        assert_eq!(session.verified_from(), None);
        // Decrypting proves nothing about what is before.
        session.decrypt_to_vec(&outbound.encrypt_to_vec(b"message").unwrap().0).unwrap();
        assert_eq!(session.verified_from(), None);
    }
    // The mark is the last byte. Whatever is set of it stays set.
    let signed = InboundGroupSession::new(&outbound.session_key());
    let pickle = write_inbound_group_session(&signed, b"");
    let again = read_inbound_group_session(&pickle, b"").unwrap();
    assert_eq!(again.verified_from(), Some(again.first_known_index()));
}

/// libolm has one mark for the whole session: it must not say more than we know.
#[test]
fn attack_067_a_session_that_is_signed_in_part_is_written_as_unsigned() {
    let (mut session, mut outbound) = exported();
    outbound.encrypt_to_vec(b"message").unwrap();
    session.merge(InboundGroupSession::new(&outbound.session_key())).unwrap();
    assert_eq!((session.first_known_index(), session.verified_from()), (1, Some(2)));
    let pickle = write_inbound_group_session(&session, b"");
    assert_eq!(read_inbound_group_session(&pickle, b"").unwrap().verified_from(), None);
}

/// All spellings of all runs of four bytes of a secret.
fn spellings(secret: &[u8]) -> Vec<String> {
    let of_run = |run: &[u8]| {
        let decimals: Vec<_> = run.iter().map(u8::to_string).collect();
        let hex = to_hex(run);
        [hex.to_uppercase(), hex, decimals.join(", "), format!("{:02x?}", run)[1..15].to_owned()]
    };
    let mut all: Vec<_> = secret.windows(4).flat_map(of_run).collect();
    for start in 0..3 {
        let text = encode_to_string(&secret[start..]);
        all.extend((0..text.len() - 7).step_by(4).map(|at| text[at..at + 6].to_owned()));
    }
    all
}

#[test]
fn attack_068_no_secret_is_printed() {
    let secrets: Vec<_> =
        [[0xa7; 32], core::array::from_fn(|i| 0xc0 ^ (u8::try_from(i).unwrap() * 5))].to_vec();
    for secret in secrets {
        let keys = [[1_u32.to_be_bytes().as_slice(), &[0], &curve25519_pair(secret)].concat()];
        let mut plaintext = account(&keys, &[one_time_key(1, 0, 1)], 1);
        plaintext[4..100].copy_from_slice(&ed25519_pair(secret));
        plaintext[100..164].copy_from_slice(&curve25519_pair(secret));
        let expanded = Ed25519SecretKey::from_seed(&secret).expanded_bytes();
        let account = read_account::<2, 2>(&seal(&plaintext, &secret), &secret).unwrap();
        let mut printed = format!("{account:?} {account:#?}");

        let template = unseal(&vector("self_made_olm", "alice_session_after_2_sent"), b"");
        let chains = [curve25519_pair(secret), secret.to_vec(), vec![0; 4], vec![0; 8]].concat();
        let plaintext = [&template[..101], &secret, &[0, 0, 0, 1], &chains].concat();
        let session: Session = read_session(&seal(&plaintext, &secret), &secret).unwrap();
        printed += &format!("{session:?} {session:#?}");

        let template = unseal(&vector("self_made_megolm", "outbound_v1_after_1_message"), b"");
        let ratchet = secret.repeat(4);
        let plaintext = [&[0, 0, 0, 1], ratchet.as_slice(), &[0; 4], &ed25519_pair(secret)].concat();
        assert_eq!(plaintext.len(), template.len());
        let session = read_outbound_group_session(&seal(&plaintext, &secret), &secret).unwrap();
        printed += &format!("{session:?} {session:#?}");
        let public_key = &ed25519_pair(secret)[..32];
        let plaintext =
            [&[0, 0, 0, 2], ratchet.as_slice(), &[0; 4], &ratchet, &[0; 4], public_key, &[1]].concat();
        let session = read_inbound_group_session(&seal(&plaintext, &secret), &secret).unwrap();
        printed += &format!("{session:?} {session:#?}");

        // And every error that a changed or truncated plaintext gives, and the wrong key.
        let plaintext = [&[0, 0, 0, 1], curve25519_pair(secret).as_slice()].concat();
        let mut errors = HashSet::new();
        for byte in 0..plaintext.len() {
            let mut changed = plaintext.clone();
            changed[byte] ^= 0xff;
            for changed in [&changed, &plaintext[..byte]] {
                for key in [secret.as_slice(), b"another"] {
                    if let Err(error) = read_decryption_key(&seal(changed, &secret), key) {
                        errors.insert(format!("{error:?} {error:#?} {error}"));
                    }
                }
            }
        }
        assert!(errors.len() >= 4);
        printed.extend(errors);
        for spelling in spellings(&secret).into_iter().chain(spellings(&*expanded)) {
            assert!(!printed.contains(&spelling), "{spelling} in {printed}");
        }
    }
}

#[test]
fn attack_069_counts_are_bounded_by_what_libolm_keeps() {
    let plaintext = unseal(&vector("self_made_olm", "bob_session_after_decrypting_msg1_only"), b"");
    for (at, field, limit) in
        [(133, Field::SenderChains, 1), (137, Field::ReceiverChains, 5), (209, Field::SkippedMessageKeys, 40)]
    {
        for count in [u32::try_from(limit).unwrap() + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let mut changed = plaintext.clone();
            changed[at..at + 4].copy_from_slice(&count.to_be_bytes());
            let error = read_session::<200>(&seal(&changed, b""), b"").unwrap_err();
            assert_eq!(error, LibolmPickleError::TooMany { field, count, limit });
            // Nor does a count make it read on where nothing is.
            let error = read_session::<200>(&seal(&changed[..at + 4], b""), b"").unwrap_err();
            assert_eq!(error, LibolmPickleError::TooMany { field, count, limit });
        }
    }
    let session: Session = read_session(&seal(&plaintext, b""), b"").unwrap();
    assert_eq!(unseal(&write_session(&session, b""), b""), plaintext);
}
