//! Input that is cut, flipped, stretched or made up: a named error, and the state is what it was.
#![expect(clippy::unwrap_used, reason = "tests")]

mod sessions;

use mx_curve25519::InvalidKey;
use mx_megolm::{
    DecryptError, EncryptError, ExportedSessionKey, Generation, InboundGroupSession, MessageError,
    OutboundGroupSession, PickleError, PickleKey, SessionKey, SessionKeyError, UnpickleError,
    decrypt_buffer_len, message_len,
};
use mx_wire::FieldError;
use sessions::{authenticated, ciphertext_at, decrypt, encrypt, keys_at, outbound, rng, signed, state_of};

/// A receiver of session 1 that has read message 3 and knows all from message 1 on.
fn receiver() -> InboundGroupSession {
    let mut sender = outbound(1);
    encrypt(&mut sender, b"unknown to the receiver");
    let mut receiver = InboundGroupSession::new(&sender.session_key());
    decrypt(&mut receiver, &authenticated(3, &payload(3, b"read"))).unwrap();
    receiver
}

/// Version, index and ciphertext as they should be.
fn payload(index: u8, plaintext: &[u8]) -> Vec<u8> {
    fields(&[&[0x08, index], &ciphertext_field(index.into(), plaintext)])
}

fn fields(fields: &[&[u8]]) -> Vec<u8> {
    [&[3][..], &fields.concat()].concat()
}

fn ciphertext_field(index: u32, plaintext: &[u8]) -> Vec<u8> {
    let ciphertext = ciphertext_at(index, plaintext);
    [&[0x12, u8::try_from(ciphertext.len()).unwrap()][..], &ciphertext].concat()
}

/// Refused with this error, with nothing changed and no plaintext in the buffer; a good message is still read then.
fn refused(receiver: &mut InboundGroupSession, message: &[u8], expected: DecryptError) {
    let before = state_of(receiver);
    let mut out = [0x55; 300];
    assert_eq!(receiver.decrypt(message, &mut out).map(|_| ()), Err(expected), "{message:02x?}");
    assert!(out.iter().all(|byte| *byte == 0x55 || *byte == 0), "plaintext stays behind");
    assert_eq!(state_of(receiver), before);
}

fn field(error: FieldError) -> DecryptError {
    DecryptError::Message(MessageError::Field(error))
}

// MEG-20, MEG-25
#[test]
fn every_truncation_of_a_message() {
    let mut receiver = receiver();
    let message = authenticated(5, &payload(5, b"one block"));
    for len in 0..message.len() {
        let cut = &message[..len];
        let error = decrypt(&mut receiver, cut).unwrap_err();
        let expected = match len {
            // Version, MAC and signature, and 0 to 20 bytes of fields.
            0..73 => DecryptError::Message(MessageError::TooShort),
            73 => field(FieldError::Missing),
            74 | 76..93 => field(FieldError::Truncated),
            75 => field(FieldError::Missing),
            _ => DecryptError::Signature,
        };
        assert_eq!(error, expected, "{len} bytes");
        refused(&mut receiver, cut, expected);
        // The other end.
        let error = decrypt(&mut receiver, &message[message.len() - len..]).unwrap_err();
        refused(&mut receiver, &message[message.len() - len..], error);
    }
    decrypt(&mut receiver, &message).unwrap();
}

// MEG-23, MEG-25
#[test]
fn every_extension_of_a_message() {
    let mut receiver = receiver();
    let message = authenticated(5, &payload(5, b"one block"));
    for more in 1..100 {
        let mut longer = message.clone();
        longer.resize(message.len() + more, 0);
        assert!(decrypt(&mut receiver, &longer).is_err());
        let mut longer = vec![0; more];
        longer.extend(&message);
        refused(&mut receiver, &longer, DecryptError::Message(MessageError::UnsupportedVersion { found: 0 }));
    }
}

#[test]
fn attack_070_every_flipped_bit_of_a_message() {
    let mut receiver = receiver();
    let message = authenticated(5, &payload(5, b"one block"));
    for bit in 0..8 * message.len() {
        let mut flipped = message.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = decrypt(&mut receiver, &flipped).unwrap_err();
        if bit / 8 == 0 {
            let found = flipped[0];
            assert_eq!(error, DecryptError::Message(MessageError::UnsupportedVersion { found }));
        } else if !(1..5).contains(&(bit / 8)) || bit / 8 == 2 && bit % 8 < 7 {
            assert_eq!(error, DecryptError::Signature, "bit {bit}");
        } else {
            assert!(
                matches!(error, DecryptError::Message(_) | DecryptError::Signature),
                "bit {bit}: {error:?}"
            );
        }
        refused(&mut receiver, &flipped, error);
    }
    decrypt(&mut receiver, &message).unwrap();
}

// MEG-21, MEG-23
#[test]
fn attack_070_the_owner_signs_nonsense() {
    let mut receiver = receiver();
    let good = payload(5, b"one block");
    let mac = *keys_at(5).mac(&good).as_bytes();
    for bit in 0..64 {
        let mut mac = mac;
        mac[bit / 8] ^= 1 << (bit % 8);
        refused(&mut receiver, &signed([&good[..], &mac].concat()), DecryptError::Authentication);
    }
    // All bits of index and ciphertext, with the MAC of the good message.
    for bit in 8 * 2..8 * good.len() {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let message = signed([&flipped[..], &mac].concat());
        let error = decrypt(&mut receiver, &message).unwrap_err();
        refused(&mut receiver, &message, error);
    }
    // Another signer: session 2 signs what session 1 encrypted.
    let message = authenticated(5, &good);
    let foreign = mx_curve25519::Ed25519SecretKey::from_seed(&[2; 32]).sign(&message[..message.len() - 64]);
    let message = [&message[..message.len() - 64], foreign.as_bytes()].concat();
    refused(&mut receiver, &message, DecryptError::Signature);
    // The MAC and keys of another index.
    let message = authenticated(6, &payload(5, b"one block"));
    refused(&mut receiver, &message, DecryptError::Authentication);
    let crossed = fields(&[&[0x08, 6], &ciphertext_field(5, b"one block")]);
    let error = decrypt(&mut receiver, &authenticated(6, &crossed)).unwrap_err();
    assert_eq!(error, DecryptError::Authentication, "the padding is wrong then");
}

// MEG-22
#[test]
fn attack_015_wrong_padding_and_wrong_mac_are_one_error() {
    let mut receiver = receiver();
    for padding in [0, 2, 16, 17, 0xff] {
        // 15 bytes and a padding that is not theirs: encrypted as 16 bytes, the block of padding cut off.
        let mut block = [0x41; 16];
        block[15] = padding;
        let ciphertext = &ciphertext_at(5, &block)[..16];
        let payload = fields(&[&[0x08, 5, 0x12, 16], ciphertext]);
        refused(&mut receiver, &authenticated(5, &payload), DecryptError::Authentication);
    }
}

// MEG-25
#[test]
fn attack_017_a_ciphertext_of_a_length_that_no_message_has() {
    let mut receiver = receiver();
    for len in [0, 1, 15, 17, 31, 33] {
        let payload = fields(&[&[0x08, 5, 0x12, len], &vec![7; len.into()]]);
        let expected = DecryptError::Message(MessageError::CiphertextLength { found: len.into() });
        refused(&mut receiver, &authenticated(5, &payload), expected);
    }
}

// MEG-24
#[test]
fn attack_014_no_other_version() {
    let mut receiver = receiver();
    for found in (0..=u8::MAX).filter(|version| *version != 3) {
        let mut payload = payload(5, b"one block");
        payload[0] = found;
        let expected = DecryptError::Message(MessageError::UnsupportedVersion { found });
        refused(&mut receiver, &authenticated(5, &payload), expected);
        // The version is told before anything else, even of a message that is nothing but its version.
        refused(&mut receiver, &[found], expected);
    }
    // Version 3 with the whole MAC, as version 4 has it: the MAC's first bytes belong to the fields then.
    let payload = payload(5, b"one block");
    let message = signed([&payload[..], keys_at(5).full_mac(&payload).as_bytes()].concat());
    assert!(matches!(
        decrypt(&mut receiver, &message),
        Err(DecryptError::Message(_) | DecryptError::Authentication)
    ));
}

// MEG-25, OLM-33, OLM-35
#[test]
fn attack_050_the_table_of_field_encodings() {
    let mut receiver = receiver();
    let ciphertext = ciphertext_field(5, b"one block");
    let raw = &ciphertext[2..];
    let index = &[0x08, 5][..];

    // Read: any order, unknown fields of both types, numbers that are longer than need be.
    let accepted = [
        fields(&[index, &ciphertext]),
        fields(&[&ciphertext, index]),
        fields(&[index, &[0x18, 7], &ciphertext]),
        fields(&[index, &ciphertext, &[0x22, 2, 1, 2]]),
        fields(&[index, &ciphertext, &[0x0a, 1, 9]]),
        fields(&[index, &ciphertext, &[0x10, 9]]),
        fields(&[&[0x08, 0x85, 0x80, 0x80, 0x80, 0x00], &ciphertext]),
        fields(&[&[0x88, 0x80, 0x80, 0x80, 0x00, 5], &ciphertext]),
        fields(&[index, &[0x12, 0x90, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], raw]),
    ];
    for payload in accepted {
        let message = authenticated(5, &payload);
        assert_eq!(decrypt(&mut receiver, &message), Ok((b"one block".to_vec(), 5)), "{payload:02x?}");
    }

    let refusals: [(Vec<u8>, FieldError); 20] = [
        (fields(&[]), FieldError::Missing),
        (fields(&[index]), FieldError::Missing),
        (fields(&[&ciphertext]), FieldError::Missing),
        (fields(&[index, index, &ciphertext]), FieldError::Repeated),
        (fields(&[index, &[0x08, 6], &ciphertext]), FieldError::Repeated),
        (fields(&[index, &ciphertext, &ciphertext]), FieldError::Repeated),
        // The right number with the other type is another field.
        (fields(&[&[0x0a, 1, 5], &ciphertext]), FieldError::Missing),
        (fields(&[index, &[0x10, 5]]), FieldError::Missing),
        // An index of 6 bytes, of 10, of 11; of 2^32 and 2^64 - 1.
        (fields(&[&[0x08, 0x85, 0x80, 0x80, 0x80, 0x80, 0x00], &ciphertext]), FieldError::Varint),
        (fields(&[&[&[0x08, 0x85][..], &[0x80; 8], &[0]].concat(), &ciphertext]), FieldError::Varint),
        (fields(&[&[&[0x08, 0x85][..], &[0x80; 9], &[0]].concat(), &ciphertext]), FieldError::Varint),
        (fields(&[&[0x08, 0x80, 0x80, 0x80, 0x80, 0x10], &ciphertext]), FieldError::Varint),
        (fields(&[&[&[0x08][..], &[0xff; 9], &[1]].concat(), &ciphertext]), FieldError::Varint),
        // A length of 11 bytes, of 2^63, and of one byte too many.
        (fields(&[index, &[0x12, 0x90], &[0x80; 9], &[0], raw]), FieldError::Varint),
        (fields(&[index, &[0x12], &[0x80; 9], &[1], raw]), FieldError::Truncated),
        (fields(&[index, &[0x12, 17], raw]), FieldError::Truncated),
        // Types that no message has, field number 0, bytes after the last field.
        (fields(&[index, &ciphertext, &[0x19, 0, 0, 0, 0, 0, 0, 0, 0]]), FieldError::WireType),
        (fields(&[index, &ciphertext, &[0x1d, 0, 0, 0, 0]]), FieldError::WireType),
        (fields(&[index, &ciphertext, &[0x00, 0]]), FieldError::FieldNumber),
        (fields(&[index, &ciphertext, &[0xff]]), FieldError::Truncated),
    ];
    for (payload, error) in refusals {
        refused(&mut receiver, &authenticated(5, &payload), field(error));
    }
}

#[test]
fn attack_082_an_index_above_32_bits_is_not_cut() {
    let mut receiver = receiver();
    // 2^32 + 5 in five bytes.
    let payload = fields(&[&[0x08, 0x85, 0x80, 0x80, 0x80, 0x10], &ciphertext_field(5, b"one block")]);
    refused(&mut receiver, &authenticated(5, &payload), field(FieldError::Varint));
}

// MEG-23
#[test]
fn what_is_authenticated_are_the_received_bytes() {
    let mut receiver = receiver();
    let ciphertext = ciphertext_field(5, b"one block");
    let good = authenticated(5, &fields(&[&[0x08, 5], &ciphertext]));
    let tail = &good[good.len() - 72..];
    // The same fields in other bytes, with MAC and signature of the usual bytes.
    let respelled = [
        fields(&[&[0x08, 0x85, 0x00], &ciphertext]),
        fields(&[&ciphertext, &[0x08, 5]]),
        fields(&[&[0x08, 5], &ciphertext, &[0x18, 0]]),
    ];
    for payload in respelled {
        refused(&mut receiver, &[&payload[..], tail].concat(), DecryptError::Signature);
    }
    // Nor does an index that is left out stand for 0.
    let first = authenticated(0, &fields(&[&[0x08, 0], &ciphertext_field(0, b"one block")]));
    let missing = [&fields(&[&ciphertext_field(0, b"one block")])[..], &first[first.len() - 72..]].concat();
    refused(&mut receiver, &missing, field(FieldError::Missing));
}

// MEG-26
#[test]
fn an_index_before_the_first_known_is_told_only_to_the_owner() {
    let mut receiver = receiver();
    let message = authenticated(0, &payload(0, b"one block"));
    let unknown = mx_megolm::UnknownMessageIndex { first_known: 1, requested: 0 };
    refused(&mut receiver, &message, DecryptError::UnknownMessageIndex(unknown));
    let mut unsigned = message;
    *unsigned.last_mut().unwrap() ^= 1;
    refused(&mut receiver, &unsigned, DecryptError::Signature);
}

#[test]
fn attack_063_every_buffer_that_is_too_small() {
    let mut sender = outbound(1);
    for plaintext_len in [0, 15, 16, 40] {
        let plaintext = vec![7; plaintext_len];
        let needed = message_len(sender.message_index(), plaintext_len);
        for len in 0..needed {
            let mut out = vec![0x55; len];
            let index = sender.message_index();
            let error = sender.encrypt(&plaintext, &mut out).unwrap_err();
            assert_eq!(error, EncryptError::BufferTooSmall { needed });
            assert_eq!((out, sender.message_index()), (vec![0x55; len], index));
        }
        encrypt(&mut sender, &plaintext);
    }

    let mut receiver = receiver();
    let message = authenticated(5, &payload(5, b"one block and a bit more"));
    let before = state_of(&receiver);
    for len in 0..32 {
        let mut out = vec![0x55; len];
        let error = receiver.decrypt(&message, &mut out).map(|_| ()).unwrap_err();
        assert_eq!(error, DecryptError::BufferTooSmall { needed: 32 });
        assert_eq!((out, &state_of(&receiver)), (vec![0x55; len], &before));
    }
    assert!(decrypt_buffer_len(message.len()) >= 32);

    let key = PickleKey::new(&[7; 32]);
    for len in 0..InboundGroupSession::PICKLE_LEN {
        let mut out = vec![0x55; len];
        let error = receiver.pickle(&mut rng(), &key, &mut out).map(|_| ()).unwrap_err();
        assert_eq!(error, PickleError::BufferTooSmall { needed: InboundGroupSession::PICKLE_LEN });
        assert_eq!((out, receiver.generation()), (vec![0x55; len], Generation::NEVER_PICKLED));
    }
    for len in 0..sender.pickle_len() {
        let mut out = vec![0x55; len];
        assert!(sender.pickle(&mut rng(), &key, &mut out).is_err());
        assert_eq!((out, sender.generation()), (vec![0x55; len], Generation::NEVER_PICKLED));
    }
}

// MEG-42, MEG-43
#[test]
fn every_cut_flip_and_stretch_of_a_shared_session() {
    let key = outbound(1).session_key();
    let bytes = key.as_bytes();
    for len in 0..300 {
        let mut other = bytes.to_vec();
        other.resize(len, 0);
        let expected = SessionKeyError::Length { expected: 229, found: len };
        assert_eq!(SessionKey::from_bytes(&other).err(), (len != 229).then_some(expected));
    }
    for bit in 0..8 * bytes.len() {
        let mut flipped = *bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = SessionKey::from_bytes(&flipped).unwrap_err();
        match bit / 8 {
            0 => assert_eq!(error, SessionKeyError::Version { expected: 2, found: flipped[0] }),
            _ => assert_eq!(error, SessionKeyError::Signature, "bit {bit}"),
        }
    }
}

// MEG-41, MEG-42, MEG-44
#[test]
fn every_cut_and_stretch_of_an_exported_session() {
    let exported = InboundGroupSession::new(&outbound(1).session_key()).export_at(0).unwrap();
    let bytes = exported.as_bytes();
    for len in 0..300 {
        let mut other = bytes.to_vec();
        other.resize(len, 0);
        let expected = SessionKeyError::Length { expected: 165, found: len };
        assert_eq!(ExportedSessionKey::from_bytes(&other).err(), (len != 165).then_some(expected));
    }
    for found in (0..=u8::MAX).filter(|version| *version != 1) {
        let mut other = *bytes;
        other[0] = found;
        let expected = SessionKeyError::Version { expected: 1, found };
        assert_eq!(ExportedSessionKey::from_bytes(&other).err(), Some(expected));
    }
    // Neither format passes for the other.
    let shared = outbound(1).session_key();
    let wrong = SessionKeyError::Version { expected: 1, found: 2 };
    assert_eq!(ExportedSessionKey::from_bytes(shared.as_bytes()).err(), Some(wrong));
    let wrong = SessionKeyError::Version { expected: 2, found: 1 };
    assert_eq!(SessionKey::from_bytes(bytes).err(), Some(wrong));
}

#[test]
fn attack_003_public_keys_that_nobody_has() {
    let exported = InboundGroupSession::new(&outbound(1).session_key()).export_at(0).unwrap();
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut non_canonical = [0xff; 32];
    non_canonical[0] = 0xee;
    for (key, error) in [
        ([0; 32], InvalidKey::SmallOrder),
        (identity, InvalidKey::SmallOrder),
        (non_canonical, InvalidKey::NonCanonical),
    ] {
        let mut bytes = *exported.as_bytes();
        bytes[133..].copy_from_slice(&key);
        assert_eq!(ExportedSessionKey::from_bytes(&bytes).err(), Some(SessionKeyError::PublicKey(error)));
        let mut bytes = *outbound(1).session_key().as_bytes();
        bytes[133..165].copy_from_slice(&key);
        assert_eq!(SessionKey::from_bytes(&bytes).err(), Some(SessionKeyError::PublicKey(error)));
    }
    // A y-coordinate without a point is noticed by the first signature.
    let mut bytes = *exported.as_bytes();
    bytes[133..].copy_from_slice(&[&[2][..], &[0; 31]].concat());
    let mut session = InboundGroupSession::import(&ExportedSessionKey::from_bytes(&bytes).unwrap());
    refused(&mut session, &authenticated(5, &payload(5, b"text")), DecryptError::Signature);
}

// MEG-42, B64-2, B64-4, B64-5
#[test]
fn attack_009_the_base64_of_session_keys() {
    let key = outbound(1).session_key();
    let text = key.to_base64(&mut [0; SessionKey::BASE64_LEN]).to_owned();
    assert_eq!((text.len(), text.ends_with('=')), (306, false));
    assert_eq!(SessionKey::from_base64(&text).unwrap().as_bytes(), key.as_bytes());
    assert_eq!(SessionKey::from_base64(&format!("{text}==")).unwrap().as_bytes(), key.as_bytes());

    let length = |found| SessionKeyError::Length { expected: 229, found };
    assert_eq!(SessionKey::from_base64("").err(), Some(length(0)));
    assert_eq!(SessionKey::from_base64(&text[..304]).err(), Some(length(228)));
    assert_eq!(SessionKey::from_base64(&format!("{text}AA")).err(), Some(length(231)));
    let malformed = [
        format!("{text}="),
        format!("{text}==="),
        text[..305].to_owned(),
        format!("{}\n{}", &text[..100], &text[101..]),
        text.replace('A', "-"),
        // The last character with bits that belong to no byte.
        format!("{}{}", &text[..305], char::from(text.as_bytes()[305] + 1)),
    ];
    for text in malformed {
        assert!(matches!(SessionKey::from_base64(&text), Err(SessionKeyError::Base64(_))), "{text}");
    }

    let exported = InboundGroupSession::new(&key).export_at(0).unwrap();
    let text = exported.to_base64(&mut [0; ExportedSessionKey::BASE64_LEN]).to_owned();
    assert_eq!(text.len(), 220, "165 bytes need no padding");
    assert_eq!(ExportedSessionKey::from_base64(&text).unwrap().as_bytes(), exported.as_bytes());
}

#[test]
fn every_cut_and_flip_of_a_pickle() {
    let key = PickleKey::new(&[7; 32]);
    let mut inbound_out = [0; InboundGroupSession::PICKLE_LEN];
    let inbound = receiver().pickle(&mut rng(), &key, &mut inbound_out).unwrap();
    let mut outbound_out = [0; OutboundGroupSession::MAX_PICKLE_LEN];
    let outbound = outbound(1).pickle(&mut rng(), &key, &mut outbound_out).unwrap();

    fn check(pickle: &[u8], open: impl Fn(&[u8]) -> Result<(), UnpickleError>) {
        open(pickle).unwrap();
        for bit in 0..8 * pickle.len() {
            let mut flipped = pickle.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&flipped).is_err(), "bit {bit}");
        }
        for len in 0..2 * pickle.len() {
            let mut other = pickle.to_vec();
            other.resize(len, 0);
            assert_eq!(open(&other).is_ok(), len == pickle.len(), "{len} bytes");
        }
    }

    let none = Generation::NEVER_PICKLED;
    let open_inbound = |pickle: &[u8]| InboundGroupSession::from_pickle(&key, none, pickle).map(drop);
    let open_outbound = |pickle: &[u8]| OutboundGroupSession::from_pickle(&key, none, pickle).map(drop);
    check(inbound, open_inbound);
    check(outbound, open_outbound);
    assert_eq!(open_inbound(outbound), Err(UnpickleError::WrongType { expected: 4, found: 3 }));
    assert_eq!(open_outbound(inbound), Err(UnpickleError::WrongType { expected: 3, found: 4 }));
}

/// Somebody who has the key, or a later version of this crate with a mistake, seals what no session writes.
#[test]
fn attack_069_nothing_in_a_pickle_is_trusted() {
    let key = PickleKey::new(&[7; 32]);
    let none = Generation::NEVER_PICKLED;
    let seal = |type_tag, plain: &[u8]| {
        let mut out = vec![0; mx_pickle::sealed_len(plain.len())];
        let kind = mx_pickle::Kind { type_tag, layout: 1 };
        let mut writer = key.seal(&mut rng(), kind, none, plain.len(), &mut out).unwrap();
        writer.bytes(plain);
        writer.finish().unwrap();
        out
    };
    let public_key = *outbound(1).public_key().as_bytes();
    let inbound = |earliest: u32, latest: u32, public_key: &[u8], verified: u8, from: u32| {
        let ratchet = [7; 128];
        let (earliest, latest, from) = (earliest.to_be_bytes(), latest.to_be_bytes(), from.to_be_bytes());
        [&earliest[..], &ratchet, &latest, &ratchet, public_key, &[verified], &from].concat()
    };
    let open_inbound = |plain: &[u8]| InboundGroupSession::from_pickle(&key, none, &seal(4, plain)).map(drop);
    let invalid = |field| Err(UnpickleError::Invalid { field });
    let good = inbound(5, 9, &public_key, 1, 7);
    assert_eq!(open_inbound(&good), Ok(()));
    assert_eq!(open_inbound(&inbound(5, 4, &public_key, 1, 7)), invalid("latest ratchet"));
    assert_eq!(open_inbound(&inbound(5, 9, &[0; 32], 1, 7)), invalid("public key"));
    assert_eq!(open_inbound(&inbound(5, 9, &public_key, 2, 7)), invalid("verified"));
    assert_eq!(open_inbound(&inbound(5, 9, &public_key, 1, 4)), invalid("verified from"));
    assert_eq!(open_inbound(&inbound(5, 9, &public_key, 0, 7)), invalid("verified from"));
    assert_eq!(open_inbound(&inbound(5, 9, &public_key, 0, 0)), Ok(()));
    for len in 0..good.len() {
        assert_eq!(open_inbound(&good[..len]), Err(UnpickleError::EndsEarly), "{len} bytes");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(open_inbound(&longer), Err(UnpickleError::TrailingBytes { count: 1 }));

    let open_outbound =
        |plain: &[u8]| OutboundGroupSession::from_pickle(&key, none, &seal(3, plain)).map(drop);
    let outbound = |form, secret: &[u8]| [&[0; 132][..], &[form], secret].concat();
    assert_eq!(open_outbound(&outbound(0, &[1; 32])), Ok(()));
    assert_eq!(open_outbound(&outbound(1, &[1; 64])), Ok(()));
    assert_eq!(open_outbound(&outbound(2, &[1; 64])), invalid("form of the signing key"));
    assert_eq!(open_outbound(&outbound(1, &[1; 32])), Err(UnpickleError::EndsEarly));
    assert_eq!(open_outbound(&outbound(0, &[1; 64])), Err(UnpickleError::TrailingBytes { count: 32 }));
}
