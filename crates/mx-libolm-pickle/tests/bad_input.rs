//! Everything that is not a pickle, and plaintexts that only the owner of the pickle key could have sealed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod pickled;

use mx_libolm_pickle::{
    Field, LibolmPickleError, MAX_PICKLE_LEN, read_account, read_decryption_key, read_inbound_group_session,
    read_outbound_group_session, read_session, write_account, write_decryption_key,
    write_inbound_group_session, write_outbound_group_session, write_session,
};
use mx_types::{InvalidKey, base64};
use pickled::{account, curve25519_pair, one_time_key, seal, unseal, vector};

/// Reads a pickle as one kind of thing and writes that again.
type Rewrite = fn(&str, &[u8]) -> Result<String, LibolmPickleError>;

fn rewrite_account(pickle: &str, key: &[u8]) -> Result<String, LibolmPickleError> {
    read_account::<100, 8>(pickle, key).map(|account| write_account(&account, key))
}

fn rewrite_session(pickle: &str, key: &[u8]) -> Result<String, LibolmPickleError> {
    read_session::<200>(pickle, key).map(|session| write_session(&session, key))
}

fn rewrite_outbound(pickle: &str, key: &[u8]) -> Result<String, LibolmPickleError> {
    read_outbound_group_session(pickle, key).map(|session| write_outbound_group_session(&session, key))
}

fn rewrite_inbound(pickle: &str, key: &[u8]) -> Result<String, LibolmPickleError> {
    read_inbound_group_session(pickle, key).map(|session| write_inbound_group_session(&session, key))
}

fn rewrite_decryption_key(pickle: &str, key: &[u8]) -> Result<String, LibolmPickleError> {
    read_decryption_key(pickle, key).map(|secret| write_decryption_key(&secret, key))
}

/// A plaintext of every layout that is read.
fn layouts() -> Vec<(&'static str, Rewrite, Vec<u8>)> {
    let plain = |group: &str, name: &str| unseal(&vector(group, name), b"");
    let session_1 = plain("self_made_olm", "bob_session_after_decrypting_msg1_only");
    let session_old = [&0x8000_0001_u32.to_be_bytes(), &session_1[4..], &[0; 4]].concat();
    let account_3 = plain("libolm_account", "v3");
    let account_2 = [&2_u32.to_be_bytes(), &account_3[4..168], &account_3[306..]].concat();
    let inbound_2 = plain("self_made_megolm", "inbound_v2_at_0");
    let inbound_1 = [&1_u32.to_be_bytes(), &inbound_2[4..inbound_2.len() - 1]].concat();
    let account_4 = plain("self_made_olm", "bob_account_v4_1_otk_1_fallback_published");
    vec![
        ("account, version 4", rewrite_account, account_4),
        ("account, version 3", rewrite_account, account_3),
        ("account, version 2", rewrite_account, account_2),
        ("session, sending", rewrite_session, plain("self_made_olm", "alice_session_after_2_sent")),
        ("session, receiving", rewrite_session, session_1),
        ("session, version 0x80000001", rewrite_session, session_old),
        ("outbound", rewrite_outbound, plain("self_made_megolm", "outbound_v1_after_1_message")),
        ("inbound, version 2", rewrite_inbound, inbound_2),
        ("inbound, version 1", rewrite_inbound, inbound_1),
        ("decryption key", rewrite_decryption_key, [vec![0, 0, 0, 1], curve25519_pair([5; 32])].concat()),
    ]
}

fn be(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

#[test]
fn every_layout_is_read() {
    for (name, rewrite, plaintext) in layouts() {
        let pickle =
            rewrite(&seal(&plaintext, b"key"), b"key").unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rewrite(&pickle, b"key").unwrap(), pickle, "{name}");
    }
}

// PIC-12
#[test]
fn every_truncated_text_is_refused() {
    for (name, rewrite, plaintext) in layouts() {
        let pickle = seal(&plaintext, b"key");
        for len in 0..pickle.len() {
            let error = rewrite(&pickle[..len], b"key").unwrap_err();
            let named = matches!(
                error,
                LibolmPickleError::Base64(base64::DecodeError::InvalidLength)
                    | LibolmPickleError::WrongLength { .. }
                    | LibolmPickleError::WrongKey
            );
            assert!(named, "{name}, {len} characters: {error:?}");
        }
    }
}

// PIC-11
#[test]
fn every_truncated_plaintext_ends_within_a_field() {
    for (name, rewrite, plaintext) in layouts() {
        for len in 0..plaintext.len() {
            let error = rewrite(&seal(&plaintext[..len], b""), b"").unwrap_err();
            assert!(matches!(error, LibolmPickleError::Ended { .. }), "{name}, {len} bytes: {error:?}");
        }
    }
}

// PIC-11
#[test]
fn every_surplus_byte_is_refused() {
    for (name, rewrite, plaintext) in layouts() {
        for len in [1, 4, 69] {
            let error = rewrite(&seal(&[plaintext.clone(), vec![0; len]].concat(), b""), b"").unwrap_err();
            assert_eq!(error, LibolmPickleError::TrailingBytes { len }, "{name}");
        }
    }
}

// PIC-12
#[test]
fn every_flipped_bit_of_the_text_is_refused() {
    for (name, rewrite, plaintext) in layouts() {
        let pickle = seal(&plaintext, b"key");
        let bytes = base64::decode_to_vec(&pickle, base64::TrailingBits::Refused).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = rewrite(&base64::encode_to_string(&flipped), b"key").unwrap_err();
            assert_eq!(error, LibolmPickleError::WrongKey, "{name}, bit {bit}");
        }
    }
}

/// With the pickle key anything can be sealed. What is read then is what was written, but for the spelling of a flag, bits
/// of secret keys that mean nothing, and the number of an account's newest key, which is at least that of any.
#[test]
fn every_flipped_bit_of_the_plaintext_is_refused_or_kept() {
    for (name, rewrite, plaintext) in layouts() {
        let pickle = seal(&plaintext, b"");
        let is_current_version = rewrite(&pickle, b"").unwrap() == pickle;
        let compared = plaintext.len() - if name.starts_with("account") { 4 } else { 0 };
        for bit in 0..plaintext.len() * 8 {
            let mut flipped = plaintext.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(pickle) = rewrite(&seal(&flipped, b""), b"") else { continue };
            assert_eq!(rewrite(&pickle, b"").unwrap(), pickle, "{name}, bit {bit}");
            if is_current_version {
                let written = unseal(&pickle, b"");
                // A changed ratchet key parts a skipped message from its chain: then it is dropped.
                if name == "session, receiving" && written.len() == flipped.len() - 68 {
                    continue;
                }
                assert_eq!(written.len(), flipped.len());
                let differs = |&at: &usize| written[at] != flipped[at];
                let differing: Vec<_> = (0..compared).filter(differs).collect();
                assert!(differing.is_empty() || differing == [bit / 8], "{name}, bit {bit}: {differing:?}");
            }
        }
    }
}

/// Where a flipped bit goes unnoticed: nowhere in a public key, nor in what decides how the rest is read.
#[test]
fn an_account_has_few_bits_that_can_be_flipped() {
    let (_, rewrite, plaintext) = layouts().swap_remove(0);
    let mut unnoticed = vec![0; plaintext.len()];
    for bit in 0..plaintext.len() * 8 {
        let mut flipped = plaintext.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        unnoticed[bit / 8] += usize::from(rewrite(&seal(&flipped, b""), b"").is_ok());
    }
    let mut expected = vec![0; plaintext.len()];
    // The Ed25519 scalar is clamped; the other half of the expanded key has no public counterpart.
    let (scalar, nonce_key) = (36..68, 68..100);
    for (at, bits) in [(scalar.start, 3), (scalar.end - 1, 2)] {
        expected[at] = bits;
    }
    expected[nonce_key].fill(8);
    // Identity key, one-time key, fallback key.
    for secret in [132..164, 205..237, 275..307] {
        expected[secret.start] = 3;
        expected[secret.end - 1] = 2;
    }
    // Numbers and flags. A number above the newest one raises that.
    for number in [168..172, 238..242, 307..311] {
        expected[number].fill(8);
    }
    for flag in [172, 242] {
        expected[flag] = 8;
    }
    assert_eq!(unnoticed, expected);
}

// PIC-5, PIC-8, PIC-10, MEG-60, MEG-61
#[test]
fn other_versions_are_unsupported() {
    for (name, rewrite, plaintext) in layouts() {
        for version in [0, 5, 6, 0x8000_0000, 0x8000_0002, 0x8000_0004, 0x0400_0000, u32::MAX] {
            let pickle = seal(&[&be(version), &plaintext[4..]].concat(), b"");
            assert_eq!(
                rewrite(&pickle, b"").unwrap_err(),
                LibolmPickleError::UnsupportedVersion { version },
                "{name}"
            );
        }
    }
}

#[test]
fn one_kind_of_pickle_is_not_read_as_another() {
    for (name, rewrite, _) in layouts() {
        for (other, _, plaintext) in layouts() {
            let same = name.split(',').next() == other.split(',').next();
            assert!(same || rewrite(&seal(&plaintext, b""), b"").is_err(), "{other} read as {name}");
        }
    }
}

// PIC-1, PIC-12
#[test]
fn wrong_keys_are_named() {
    let long = [7; 200];
    let keys: [&[u8]; 6] = [b"", b"\0", b"key", b"key\0", &long, &long[1..]];
    for (name, rewrite, plaintext) in layouts() {
        for right in keys {
            let pickle = seal(&plaintext, right);
            for key in keys {
                let result = rewrite(&pickle, key);
                assert_eq!(result.is_ok(), key == right, "{name}");
                assert!(key == right || result == Err(LibolmPickleError::WrongKey), "{name}");
            }
        }
    }
}

#[test]
fn texts_that_are_no_envelope() {
    for len in 0..24 {
        let error = rewrite_account(&base64::encode_to_string(&vec![0; len]), b"").unwrap_err();
        assert_eq!(error, LibolmPickleError::WrongLength { len });
    }
    for (text, error) in [
        ("A", base64::DecodeError::InvalidLength),
        ("AAA==", base64::DecodeError::InvalidPadding),
        ("AA A", base64::DecodeError::InvalidCharacter),
        ("AAA-", base64::DecodeError::InvalidCharacter),
        ("AAA\n", base64::DecodeError::InvalidCharacter),
        ("AÀ", base64::DecodeError::InvalidCharacter),
    ] {
        assert_eq!(rewrite_account(text, b"").unwrap_err(), LibolmPickleError::Base64(error));
    }
}

#[test]
fn long_texts_are_refused_before_they_are_decoded() {
    let error = |len| rewrite_account(&"-".repeat(len), b"").unwrap_err();
    assert_eq!(error(MAX_PICKLE_LEN + 1), LibolmPickleError::TooLong { len: MAX_PICKLE_LEN + 1 });
    assert_eq!(error(MAX_PICKLE_LEN), LibolmPickleError::Base64(base64::DecodeError::InvalidCharacter));
}

#[test]
fn wrong_padding_is_named() {
    let sealed = base64::decode_to_vec(&seal(&[0; 32], b""), base64::TrailingBits::Refused).unwrap();
    let blocks = &sealed[..32];
    let mac = mx_aes_sha2::cbc_hmac::CbcHmacKeys::expand(b"", b"Pickle").mac(blocks);
    let pickle = base64::encode_to_string(&[blocks, mac.as_bytes()].concat());
    assert_eq!(rewrite_account(&pickle, b"").unwrap_err(), LibolmPickleError::Padding);
}

/// `received ‖ three keys ‖ root key` after the version.
fn session_head() -> Vec<u8> {
    let plaintext = unseal(&vector("self_made_olm", "alice_session_after_2_sent"), b"");
    plaintext[..133].to_vec()
}

/// A session of one receiver chain per number, which has that index, and skipped keys of (chain, index).
fn session(chains: &[u8], index: u32, skipped: &[(u8, u32)]) -> Vec<u8> {
    let ratchet_key = |n: u8| curve25519_pair([n; 32])[..32].to_vec();
    let count = |items: usize| be(u32::try_from(items).unwrap()).to_vec();
    let chains_bytes = chains.iter().map(|n| [ratchet_key(*n), vec![*n; 32], be(index).to_vec()].concat());
    let skipped_bytes =
        skipped.iter().map(|(n, i)| [ratchet_key(*n), vec![0x5a; 32], be(*i).to_vec()].concat());
    [
        session_head(),
        be(0).to_vec(),
        count(chains.len()),
        chains_bytes.collect::<Vec<_>>().concat(),
        count(skipped.len()),
        skipped_bytes.collect::<Vec<_>>().concat(),
    ]
    .concat()
}

fn session_error(plaintext: &[u8]) -> LibolmPickleError {
    rewrite_session(&seal(plaintext, b""), b"").unwrap_err()
}

// PIC-9
#[test]
fn a_session_has_a_chain() {
    assert_eq!(session_error(&session(&[], 0, &[])), LibolmPickleError::NoChain);
    rewrite_session(&seal(&session(&[1], 0, &[]), b""), b"").unwrap();
}

// PIC-8
#[test]
fn lists_of_a_session_are_bounded() {
    let too_many = |field, count, limit| Err::<String, _>(LibolmPickleError::TooMany { field, count, limit });
    let read = |plaintext: Vec<u8>| rewrite_session(&seal(&plaintext, b""), b"");
    for count in [2, u32::MAX] {
        let plaintext = [session_head(), be(count).to_vec()].concat();
        assert_eq!(read(plaintext), too_many(Field::SenderChains, count, 1));
    }
    read(session(&[1, 2, 3, 4, 5], 0, &[])).unwrap();
    assert_eq!(read(session(&[1, 2, 3, 4, 5, 6], 0, &[])), too_many(Field::ReceiverChains, 6, 5));
    let skipped: Vec<_> = (0..41).map(|index| (1, index)).collect();
    read(session(&[1], 41, &skipped[..40])).unwrap();
    assert_eq!(read(session(&[1], 41, &skipped)), too_many(Field::SkippedMessageKeys, 41, 40));
}

// PIC-8, OLM-17
#[test]
fn a_skipped_key_without_its_chain_is_dropped() {
    let pickle = seal(&session(&[1, 2], 9, &[(3, 8), (2, 1), (4, 0), (2, 0), (1, 7)]), b"");
    let expected = seal(&session(&[1, 2], 9, &[(1, 7), (2, 1), (2, 0)]), b"");
    assert_eq!(rewrite_session(&pickle, b"").unwrap(), expected);
}

#[test]
fn repetitions_within_a_session_are_refused() {
    let repeated = |field| LibolmPickleError::Repeated { field };
    assert_eq!(session_error(&session(&[1, 2, 1], 0, &[])), repeated(Field::ReceiverChains));
    let skipped = [(1, 3), (2, 3), (1, 4), (1, 3)];
    assert_eq!(session_error(&session(&[1, 2], 9, &skipped)), repeated(Field::SkippedMessageKeys));
}

#[test]
fn a_skipped_message_is_behind_its_chain() {
    rewrite_session(&seal(&session(&[1], 9, &[(1, 8)]), b""), b"").unwrap();
    for index in [9, 10, u32::MAX] {
        assert_eq!(session_error(&session(&[1], 9, &[(1, index)])), LibolmPickleError::NotSkipped);
    }
}

#[test]
fn keys_beyond_the_capacity_are_an_error() {
    let pickle = seal(&session(&[1], 9, &[(1, 0), (1, 1)]), b"");
    assert_eq!(read_session::<1>(&pickle, b"").unwrap_err(), LibolmPickleError::Capacity);
    read_session::<2>(&pickle, b"").unwrap();
    let keys = [one_time_key(2, 0, 2), one_time_key(1, 0, 1)];
    let pickle = seal(&account(&keys, &[], 2), b"");
    assert_eq!(read_account::<1, 0>(&pickle, b"").unwrap_err(), LibolmPickleError::Capacity);
    read_account::<2, 0>(&pickle, b"").unwrap();
}

// PIC-4
#[test]
fn lists_of_an_account_are_bounded() {
    let keys: Vec<_> = (1..=101).rev().map(|n| one_time_key(n, 1, n)).collect();
    rewrite_account(&seal(&account(&keys[1..], &[], 101), b""), b"").unwrap();
    let error = |plaintext: &[u8]| rewrite_account(&seal(plaintext, b""), b"").unwrap_err();
    let too_many = LibolmPickleError::TooMany { field: Field::OneTimeKeys, count: 101, limit: 100 };
    assert_eq!(error(&account(&keys, &[], 101)), too_many);

    let fallback_keys = &keys[..3];
    let mut plaintext = account(&[], fallback_keys, 101);
    let too_many = |count| LibolmPickleError::TooMany { field: Field::FallbackKeys, count, limit: 2 };
    assert_eq!(error(&plaintext), too_many(3));
    plaintext[168] = 255;
    assert_eq!(error(&plaintext), too_many(255));
}

// PIC-5: without a current fallback key libolm does not look at the previous one
#[test]
fn fallback_keys_of_version_3_that_are_not_there() {
    let version_3 = unseal(&vector("libolm_account", "v3"), b"");
    for (current, previous, expected) in [(0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 2)] {
        let fallback_keys = [one_time_key(7, current, 7), one_time_key(6, previous, 6)].concat();
        let plaintext = [&version_3[..168], &fallback_keys, &be(7)].concat();
        let account = read_account::<1, 1>(&seal(&plaintext, b""), b"").unwrap();
        let written = unseal(&write_account(&account, b""), b"");
        assert_eq!((written[168], written.len()), (expected, 173 + 69 * usize::from(expected)));
    }
    // What is in the room of a key that is not there does not matter.
    let plaintext = [&version_3[..168], &[0; 138], &be(7)].concat();
    rewrite_account(&seal(&plaintext, b""), b"").unwrap();
}

// PIC-2
#[test]
fn flags_that_are_not_zero_are_set() {
    let pickle = |flag| seal(&account(&[one_time_key(1, flag, 1)], &[], 1), b"");
    for flag in [1, 2, 0x80, 0xff] {
        assert_eq!(rewrite_account(&pickle(flag), b"").unwrap(), pickle(1));
    }
    assert_eq!(rewrite_account(&pickle(0), b"").unwrap(), pickle(0));
}

#[test]
fn fallback_keys_may_have_the_numbers_of_one_time_keys() {
    let keys = [one_time_key(1, 1, 1), one_time_key(0, 1, 2)];
    let fallback_keys = [one_time_key(1, 1, 3), one_time_key(0, 1, 4)];
    let pickle = seal(&account(&keys, &fallback_keys, 1), b"");
    assert_eq!(rewrite_account(&pickle, b"").unwrap(), pickle);
}

// MEG-62
#[test]
fn ratchets_of_other_sessions_are_refused() {
    let plaintext = unseal(&vector("self_made_megolm", "inbound_v2_at_0"), b"");
    let error = |plaintext: &[u8]| rewrite_inbound(&seal(plaintext, b""), b"").unwrap_err();
    // Another part, an index to which it does not belong, one before the earliest.
    for (at, value) in [(136, 0xff), (263, 0), (267, 1), (135, 1)] {
        let mut changed = plaintext.clone();
        assert_ne!(changed[at], value);
        changed[at] = value;
        assert_eq!(error(&changed), LibolmPickleError::UnreachableLatestRatchet, "byte {at}");
    }
}

/// Every public key in every layout, by where it begins.
const PUBLIC_KEYS: [(usize, &[(usize, Field)]); 6] = [
    (
        0,
        &[
            (4, Field::Ed25519Key),
            (100, Field::IdentityKey),
            (173, Field::OneTimeKeys),
            (243, Field::FallbackKeys),
        ],
    ),
    (
        3,
        &[(5, Field::IdentityKey), (37, Field::BaseKey), (69, Field::OneTimeKey), (137, Field::SenderChains)],
    ),
    (4, &[(141, Field::ReceiverChains), (213, Field::SkippedMessageKeys)]),
    (6, &[(136, Field::Ed25519Key)]),
    (7, &[(268, Field::Ed25519Key)]),
    (9, &[(4, Field::DecryptionKey)]),
];

// attack 3, attack 6
#[test]
fn keys_that_no_honest_device_has_are_refused() {
    for (layout, keys) in PUBLIC_KEYS {
        let (name, rewrite, plaintext) = layouts().swap_remove(layout);
        for &(at, field) in keys {
            for (key, error) in [
                ([0; 32], InvalidKey::SmallOrder),
                ([0xff; 32], InvalidKey::NonCanonical),
                (core::array::from_fn(|i| u8::from(i == 0)), InvalidKey::SmallOrder),
            ] {
                let mut changed = plaintext.clone();
                changed[at..at + 32].copy_from_slice(&key);
                let expected = LibolmPickleError::InvalidKey { field, error };
                assert_eq!(rewrite(&seal(&changed, b""), b"").unwrap_err(), expected, "{name}, {field}");
            }
        }
    }
}
