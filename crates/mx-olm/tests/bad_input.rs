//! Messages, buffers and pickles that are not what they should be: a named error, and nothing has changed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use mx_olm::{
    Account, DecryptError, EncryptError, InboundSessionError, MessageError, MessageType, NormalMessage,
    OlmMessage, PreKeyMessage, Session,
};
use mx_pickle::{Generation, PickleError, PickleKey, UnpickleError};
use mx_types::{BufferTooSmall, InvalidKey};
use mx_wire::FieldError;
use support::{Pair, account_state, begin, receive, send, state};

/// A message of fields as written here, with a MAC that is not looked at.
fn message(fields: &[&[u8]]) -> Vec<u8> {
    [&[3][..], &fields.concat(), &[0; 8]].concat()
}

fn key_field(tag: u8, len: usize) -> Vec<u8> {
    let mut field = vec![tag, u8::try_from(len).unwrap()];
    field.extend((0..len).map(|_| 9));
    field
}

// OLM-33, OLM-35, OLM-36, OLM-38: each rule of the format by its own input.
#[test]
fn attack_050_the_fields_of_a_normal_message() {
    let key = key_field(0x0a, 32);
    let (index, text) = (&b"\x10\x05"[..], &b"\x22\x10................"[..]);
    let parse = |fields: &[&[u8]]| NormalMessage::parse(&message(fields)).map(|message| message.index());
    let field = |error| Err(MessageError::Field(error));

    assert_eq!(parse(&[&key, index, text]), Ok(5));
    // Any order, unknown fields of types 0 and 2, a known number with another type, longer numbers.
    assert_eq!(parse(&[text, index, &key]), Ok(5));
    assert_eq!(parse(&[&key, b"\x38\x01\x3a\x01x\x08\x01\x12\x00\x20\x07", index, text]), Ok(5));
    assert_eq!(parse(&[&key, b"\x10\x85\x80\x00", text]), Ok(5));
    assert_eq!(parse(&[&key, b"\x10\xff\xff\xff\xff\x0f", text]), Ok(u32::MAX));

    assert_eq!(parse(&[&key, b"\x10\x80\x80\x80\x80\x10", text]), field(FieldError::Varint));
    assert_eq!(
        parse(&[&key, b"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", text]),
        field(FieldError::Varint)
    );
    assert_eq!(
        parse(&[&key, index, b"\x22\xff\xff\xff\xff\xff\xff\xff\xff\x7f"]),
        field(FieldError::Truncated)
    );
    assert_eq!(parse(&[&key, index, index, text]), field(FieldError::Repeated));
    assert_eq!(parse(&[&key, &key, index, text]), field(FieldError::Repeated));
    assert_eq!(parse(&[&key, index, text, text]), field(FieldError::Repeated));
    assert_eq!(parse(&[index, text]), field(FieldError::Missing));
    assert_eq!(parse(&[&key, text]), field(FieldError::Missing));
    assert_eq!(parse(&[&key, index]), field(FieldError::Missing));
    assert_eq!(parse(&[]), field(FieldError::Missing));
    for wire_type in [1, 3, 4, 5, 6, 7] {
        assert_eq!(parse(&[&key, index, &[0x38 | wire_type, 0], text]), field(FieldError::WireType));
    }
    assert_eq!(parse(&[&key, index, b"\x02\x00", text]), field(FieldError::FieldNumber));
    for len in [0_u8, 1, 8, 15, 17, 24, 31] {
        let text = [&[0x22, len][..], &vec![0; usize::from(len)]].concat();
        let error = MessageError::CiphertextLength { found: usize::from(len) };
        assert_eq!(parse(&[&key, index, &text]), Err(error));
    }
    for version in [0, 1, 2, 4, 0x83, 0xff] {
        let mut bytes = message(&[&key, index, text]);
        bytes[0] = version;
        let error = MessageError::UnsupportedVersion { found: version };
        assert_eq!(NormalMessage::parse(&bytes).unwrap_err(), error);
    }
    for len in 0..9 {
        assert_eq!(NormalMessage::parse(&[3; 9][..len]).unwrap_err(), MessageError::TooShort);
    }
    for number in [2, 3, u64::MAX] {
        assert_eq!(MessageType::try_from(number), Err(MessageError::UnknownType { found: number }));
    }
}

// OLM-36
#[test]
fn attack_051_keys_of_a_wrong_length_in_each_slot() {
    let (index, text) = (&b"\x10\x00"[..], &b"\x22\x10................"[..]);
    let inner = message(&[&key_field(0x0a, 32), index, text]);
    let inner = [&[0x22, u8::try_from(inner.len()).unwrap()][..], &inner].concat();
    for len in [0, 1, 31, 33, 64] {
        let bytes = message(&[&key_field(0x0a, len), index, text]);
        assert!(matches!(NormalMessage::parse(&bytes), Err(MessageError::InvalidKey(_))), "{len}");
        for slot in 0..3 {
            let mut fields = [0x0a, 0x12, 0x1a].map(|tag| key_field(tag, 32));
            fields[slot] = key_field([0x0a, 0x12, 0x1a][slot], len);
            let bytes = [&[3][..], &fields.concat(), &inner].concat();
            assert!(matches!(PreKeyMessage::parse(&bytes), Err(MessageError::InvalidKey(_))), "{len} {slot}");
        }
    }
    for missing in 0..4 {
        let mut fields = [0x0a, 0x12, 0x1a].map(|tag| key_field(tag, 32)).to_vec();
        fields.push(inner.clone());
        fields.remove(missing);
        let bytes = [&[3][..], &fields.concat()].concat();
        assert_eq!(PreKeyMessage::parse(&bytes).unwrap_err(), MessageError::Field(FieldError::Missing));
    }
    let empty_inner =
        [&[3][..], &[0x0a, 0x12, 0x1a].map(|tag| key_field(tag, 32)).concat(), b"\x22\x00"].concat();
    assert_eq!(PreKeyMessage::parse(&empty_inner).unwrap_err(), MessageError::TooShort);
    assert_eq!(PreKeyMessage::parse(&[]).unwrap_err(), MessageError::TooShort);
}

// OLM-33, OLM-35: the same rules outside.
#[test]
fn attack_050_the_fields_of_a_pre_key_message() {
    let (index, text) = (&b"\x10\x05"[..], &b"\x22\x10................"[..]);
    let inner = message(&[&key_field(0x0a, 32), index, text]);
    let inner = [&[0x22, u8::try_from(inner.len()).unwrap()][..], &inner].concat();
    let mut fields = [0x0a, 0x12, 0x1a].map(|tag| key_field(tag, 32)).to_vec();
    fields.push(inner);
    let parse = |fields: &[Vec<u8>]| {
        PreKeyMessage::parse(&[&[3][..], &fields.concat()].concat()).map(|message| message.message().index())
    };
    assert_eq!(parse(&fields), Ok(5));
    let mut reversed = fields.clone();
    reversed.reverse();
    assert_eq!(parse(&reversed), Ok(5));
    for unknown in [&b"\x38\x01"[..], b"\x3a\x01x", b"\x08\x01", b"\x20\x80\x00"] {
        for position in 0..=4 {
            let mut more = fields.clone();
            more.insert(position, unknown.to_vec());
            assert_eq!(parse(&more), Ok(5), "{unknown:02x?} at {position}");
        }
    }
    for which in 0..4 {
        for position in [0, 4] {
            let mut twice = fields.clone();
            twice.insert(position, fields[which].clone());
            assert_eq!(parse(&twice), Err(MessageError::Field(FieldError::Repeated)), "{which}");
        }
    }
    for end in [&b"\x3d\x00\x00\x00\x00"[..], b"\x00\x00", b"\x3a\x05x", b"\x38", b"\x80"] {
        assert!(matches!(parse(&[fields.clone(), vec![end.to_vec()]].concat()), Err(MessageError::Field(_))));
    }
    for version in [0, 2, 4, 0x83] {
        let bytes = [&[version][..], &fields.concat()].concat();
        let error = MessageError::UnsupportedVersion { found: version };
        assert_eq!(PreKeyMessage::parse(&bytes).unwrap_err(), error);
        // The version of the message inside, too: its first byte is the third of the last field.
        let mut bytes = [&[3][..], &fields.concat()].concat();
        bytes[1 + 3 * 34 + 2] = version;
        assert_eq!(PreKeyMessage::parse(&bytes).unwrap_err(), error);
    }
}

// OLM-9: a point of small order in each place of a message.
#[test]
fn attack_006_low_order_keys_in_each_slot_of_a_message() {
    let mut pair = Pair::<200>::new(1);
    let sent = send(&mut pair.alice, &mut pair.rng, b"message");
    let low = [[0; 32], core::array::from_fn(|i| u8::from(i == 0))];
    // Offsets of the one-time, base, identity and ratchet key.
    for offset in [3, 37, 71, 108] {
        for key in low {
            let mut bytes = sent.bytes.clone();
            bytes[offset..offset + 32].copy_from_slice(&key);
            let error = PreKeyMessage::parse(&bytes).unwrap_err();
            assert_eq!(error, MessageError::InvalidKey(InvalidKey::SmallOrder), "offset {offset}");
        }
    }
    let normal = send(&mut pair.bob, &mut pair.rng, b"message");
    let mut bytes = normal.bytes;
    bytes[3..35].copy_from_slice(&low[0]);
    assert!(matches!(NormalMessage::parse(&bytes), Err(MessageError::InvalidKey(InvalidKey::SmallOrder))));
}

// OLM-14, OLM-34, OLM-37: no bit of a message may change, and what fails changes nothing.
#[test]
fn every_flipped_bit_and_every_truncation() {
    let mut pair = Pair::<200>::confirmed(2);
    let skipped = send(&mut pair.bob, &mut pair.rng, b"skipped");
    let jump = send(&mut pair.bob, &mut pair.rng, b"message");
    let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
    receive(&mut pair.bob, &answer).unwrap();
    let on_new_chain = send(&mut pair.bob, &mut pair.rng, b"new chain");
    let before = state(&mut pair.alice);
    for sent in [&skipped, &jump, &on_new_chain] {
        for bit in 0..sent.bytes.len() * 8 {
            let mut bad = sent.clone();
            bad.bytes[bit / 8] ^= 1 << (bit % 8);
            let mut out = [0xaa; 300];
            let result = NormalMessage::parse(&bad.bytes)
                .map(|m| pair.alice.decrypt(&OlmMessage::Normal(m), &mut out).is_ok());
            assert_ne!(result, Ok(true), "bit {bit}");
            assert_eq!(state(&mut pair.alice), before, "bit {bit}");
            assert!(!out.windows(7).any(|window| window == &sent.plaintext[..7]), "plaintext is left");
        }
        for len in 0..sent.bytes.len() {
            let result = NormalMessage::parse(&sent.bytes[..len]);
            let result = result.map(|m| pair.alice.decrypt(&OlmMessage::Normal(m), &mut [0; 300]).is_ok());
            assert_ne!(result, Ok(true), "{len} bytes");
            assert_eq!(state(&mut pair.alice), before);
        }
        let mut longer = sent.clone();
        longer.bytes.push(0);
        assert_ne!(
            NormalMessage::parse(&longer.bytes)
                .map(|m| pair.alice.decrypt(&OlmMessage::Normal(m), &mut [0; 300]).is_ok()),
            Ok(true)
        );
    }
    for sent in [&on_new_chain, &jump, &skipped] {
        assert_eq!(receive(&mut pair.alice, sent).as_ref(), Ok(&sent.plaintext));
    }
}

// OLM-34: several spellings of one message are several messages to the MAC; only that which was sent passes.
#[test]
fn attack_050_other_spellings_of_an_authentic_message() {
    let mut pair = Pair::<200>::confirmed(3);
    let sent = send(&mut pair.bob, &mut pair.rng, b"message");
    let (body, mac) = sent.bytes.split_at(sent.bytes.len() - 8);
    let (key, index, text) = (&body[1..35], &body[35..37], &body[37..]);
    let longer_index = [index[0], index[1] | 0x80, 0];
    for spelling in [
        vec![index, key, text],
        vec![key, &longer_index, text],
        vec![key, index, text, b"\x38\x00"],
        vec![b"\x3a\x00", key, index, text],
    ] {
        let bytes = [&[3][..], &spelling.concat(), mac].concat();
        let message = NormalMessage::parse(&bytes).unwrap();
        let before = state(&mut pair.alice);
        let mut out = [0; 100];
        let result = pair.alice.decrypt(&OlmMessage::Normal(message), &mut out);
        assert_eq!(result, Err(DecryptError::Authentication));
        assert_eq!(state(&mut pair.alice), before);
    }
    assert_eq!(receive(&mut pair.alice, &sent).unwrap(), b"message");
}

#[test]
fn every_flipped_bit_of_a_pre_key_message_begins_no_session() {
    let mut pair = Pair::<200>::new(4);
    let _ = pair.bob_account.one_time_keys_mut().generate(&mut pair.rng).unwrap();
    let key = pair.bob_account.one_time_keys().unpublished().last().unwrap().key;
    let identity = pair.alice_account.identity();
    let mut alice: Session =
        Session::outbound(&mut pair.rng, identity, &pair.bob_account.curve25519_key(), &key).unwrap();
    let sent = send(&mut alice, &mut pair.rng, b"message");
    let before = account_state(&mut pair.bob_account);
    for bit in 0..sent.bytes.len() * 8 {
        let mut bytes = sent.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(message) = PreKeyMessage::parse(&bytes) else { continue };
        let mut out = [0; 300];
        let claimed = pair.alice_account.curve25519_key();
        assert!(pair.bob_account.inbound_session::<200>(&claimed, &message, &mut out).is_err(), "bit {bit}");
        assert_eq!(account_state(&mut pair.bob_account), before, "bit {bit}");
    }
    assert_eq!(begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent).unwrap().1, b"message");
}

// OLM-20: a buffer that is too small is told how long it should be; nothing is written, no key is used up.
#[test]
fn attack_063_buffers_of_every_shorter_length() {
    for confirmed in [false, true] {
        let mut pair = if confirmed { Pair::<200>::confirmed(5) } else { Pair::new(5) };
        let needed = pair.alice.encrypted_len(20);
        let before = state(&mut pair.alice);
        let mut out = vec![0xaa; needed];
        for len in 0..needed {
            let error = EncryptError::BufferTooSmall(BufferTooSmall { needed });
            let result = pair.alice.encrypt(&mut pair.rng, &[7; 20], &mut out[..len]);
            assert_eq!(result.unwrap_err(), error);
            assert_eq!(state(&mut pair.alice), before);
        }
        assert!(out.iter().all(|byte| *byte == 0xaa));
        let sent = send(&mut pair.alice, &mut pair.rng, &[7; 20]);
        let before = state(&mut pair.bob);
        for len in 0..32 {
            let error = DecryptError::BufferTooSmall(BufferTooSmall { needed: 32 });
            assert_eq!(pair.bob.decrypt(&sent.parse(), &mut out[..len]).unwrap_err(), error);
            assert_eq!(state(&mut pair.bob), before);
        }
        assert!(out.iter().all(|byte| *byte == 0xaa));
        assert_eq!(pair.bob.decrypt(&sent.parse(), &mut [0; 32]).unwrap(), [7; 20]);
    }
    let pair = Pair::<200>::new(6);
    let mut bob = pair.bob_account;
    let fallback = bob.one_time_keys_mut().generate_fallback(&mut support::rng(1)).unwrap().key.key;
    let identity = pair.alice_account.identity();
    let mut alice: Session =
        Session::outbound(&mut support::rng(2), identity, &bob.curve25519_key(), &fallback).unwrap();
    let sent = send(&mut alice, &mut support::rng(3), b"message");
    let before = account_state(&mut bob);
    for len in 0..16 {
        let claimed = pair.alice_account.curve25519_key();
        let mut out = [0; 16];
        let result = bob.inbound_session::<200>(&claimed, &sent.pre_key(), &mut out[..len]);
        let error = DecryptError::BufferTooSmall(BufferTooSmall { needed: 16 });
        assert_eq!(result.unwrap_err(), InboundSessionError::Decrypt(error));
        assert_eq!(account_state(&mut bob), before);
    }
    assert!(begin::<200>(&mut bob, &pair.alice_account, &sent).is_ok());
}

#[test]
fn every_flipped_bit_truncation_and_extension_of_a_pickle() {
    let key = PickleKey::new(&[3; 32]);
    let mut pair = Pair::<200>::confirmed(7);
    let _ = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap();
    let _ = send(&mut pair.alice, &mut pair.rng, b"");
    let skipped = send(&mut pair.alice, &mut pair.rng, b"");
    receive(&mut pair.bob, &skipped).unwrap();

    let mut out = vec![0; pair.bob.pickle_len()];
    let session = pair.bob.pickle(&mut pair.rng, &key, &mut out).unwrap().to_vec();
    let mut out = vec![0; pair.bob_account.pickle_len()];
    let account = pair.bob_account.pickle(&mut pair.rng, &key, &mut out).unwrap().to_vec();
    let read_session =
        |bytes: &[u8]| Session::<200>::from_pickle(&key, Generation::default(), bytes).map(|_| ());
    let read_account =
        |bytes: &[u8]| Account::<100, 200>::from_pickle(&key, Generation::default(), bytes).map(|_| ());
    assert_eq!((read_session(&session), read_account(&account)), (Ok(()), Ok(())));
    assert!(matches!(read_session(&account), Err(UnpickleError::WrongType { .. })));
    assert!(matches!(read_account(&session), Err(UnpickleError::WrongType { .. })));
    for (pickle, read) in
        [(session, &read_session as &dyn Fn(&[u8]) -> Result<(), UnpickleError>), (account, &read_account)]
    {
        for bit in 0..pickle.len() * 8 {
            let mut bad = pickle.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad).is_err(), "bit {bit}");
        }
        for len in 0..pickle.len() {
            assert!(read(&pickle[..len]).is_err(), "{len} bytes");
        }
        let longer = [&pickle[..], &[0]].concat();
        assert_eq!(read(&longer), Err(UnpickleError::Authentication));
    }
    let wrong = PickleKey::new(&[4; 32]);
    let mut out = vec![0; pair.bob.pickle_len()];
    let pickle = pair.bob.pickle(&mut pair.rng, &key, &mut out).unwrap();
    assert_eq!(
        Session::<200>::from_pickle(&wrong, Generation::default(), pickle).unwrap_err(),
        UnpickleError::Authentication
    );
}

#[test]
fn attack_063_pickle_buffers_of_every_shorter_length() {
    let key = PickleKey::new(&[3; 32]);
    let mut pair = Pair::<200>::confirmed(8);
    let needed = pair.alice.pickle_len();
    let before = (state(&mut pair.alice), pair.alice.generation());
    for len in 0..needed {
        let mut out = vec![0xaa; len];
        let error = pair.alice.pickle(&mut pair.rng, &key, &mut out).unwrap_err();
        assert_eq!(error, PickleError::BufferTooSmall { needed });
        assert!(out.iter().all(|byte| *byte == 0xaa));
    }
    assert_eq!(pair.alice.generation(), before.1, "a failed pickle is not counted");
    assert_eq!(state(&mut pair.alice), before.0);
}

// OLM-16: a session that was pickled with more room does not lose keys silently.
#[test]
fn attack_060_pickles_with_more_than_there_is_room_for() {
    let key = PickleKey::new(&[3; 32]);
    let mut pair = Pair::<200>::confirmed(9);
    for _ in 0..10 {
        let _ = send(&mut pair.bob, &mut pair.rng, b"skipped");
        let _ = pair.alice_account.one_time_keys_mut().generate(&mut pair.rng).unwrap();
    }
    let last = send(&mut pair.bob, &mut pair.rng, b"last");
    receive(&mut pair.alice, &last).unwrap();
    let mut out = vec![0; pair.alice.pickle_len()];
    let pickle = pair.alice.pickle(&mut pair.rng, &key, &mut out).unwrap();
    let error = UnpickleError::TooMany { count: 10, limit: 9 };
    assert_eq!(Session::<9>::from_pickle(&key, Generation::default(), pickle).unwrap_err(), error);
    assert!(Session::<10>::from_pickle(&key, Generation::default(), pickle).is_ok());
    let mut out = vec![0; pair.alice_account.pickle_len()];
    let pickle = pair.alice_account.pickle(&mut pair.rng, &key, &mut out).unwrap();
    assert_eq!(Account::<9>::from_pickle(&key, Generation::default(), pickle).unwrap_err(), error);
    assert!(Account::<10>::from_pickle(&key, Generation::default(), pickle).is_ok());
}

/// Writes a state as a pickle, to see what the reader says of it.
fn sealed(type_tag: u8, state: &[u8]) -> Vec<u8> {
    let mut out = vec![0; mx_pickle::sealed_len(state.len())];
    let kind = mx_pickle::Kind { type_tag, layout: 1 };
    let key = PickleKey::new(&[3; 32]);
    let mut writer =
        key.seal(&mut support::rng(1), kind, Generation::default(), state.len(), &mut out).unwrap();
    writer.bytes(state);
    writer.finish().unwrap().to_vec()
}

/// The plain state of what `state()` gave: the same keystream again.
fn plain(ciphertext: &[u8]) -> Vec<u8> {
    let mut zeros = vec![0; mx_pickle::sealed_len(ciphertext.len())];
    let kind = mx_pickle::Kind { type_tag: 2, layout: 1 };
    let key = PickleKey::new(&[1; 32]);
    let mut writer =
        key.seal(&mut support::rng(99), kind, Generation::default(), ciphertext.len(), &mut zeros).unwrap();
    writer.bytes(&vec![0; ciphertext.len()]);
    let keystream = writer.finish().unwrap();
    ciphertext.iter().zip(&keystream[27..]).map(|(a, b)| a ^ b).collect()
}

// PIC-9, PIC-11, PIC-13: states that were sealed with the right key and make no sense.
#[test]
fn attack_069_counts_and_lengths_of_a_sealed_state() {
    let key = PickleKey::new(&[3; 32]);
    let read = |state: &[u8]| {
        Session::<200>::from_pickle(&key, Generation::default(), &sealed(2, state)).map(|_| ())
    };
    let mut pair = Pair::<200>::confirmed(10);
    let _ = send(&mut pair.bob, &mut pair.rng, b"skipped");
    let last = send(&mut pair.bob, &mut pair.rng, b"last");
    receive(&mut pair.alice, &last).unwrap();
    let good = plain(&state(&mut pair.alice));
    assert_eq!(read(&good), Ok(()));
    for len in 0..good.len() {
        assert!(read(&good[..len]).is_err(), "{len} bytes");
    }
    assert!(read(&[&good[..], &[0]].concat()).is_err());
    // received | keys | root | sender | receivers | slot .. | skipped
    let receivers = 1 + 96 + 32 + 1;
    let skipped = receivers + 4 + 32 + 36 + 1;
    assert_eq!(
        (&good[receivers..receivers + 4], &good[skipped..skipped + 4]),
        (&[0, 0, 0, 1][..], &[0, 0, 0, 1][..])
    );
    for (position, limit) in [(receivers, 5), (skipped, 200)] {
        for count in [limit + 1, 1_000_000, u32::MAX] {
            let mut bad = good.clone();
            bad[position..position + 4].copy_from_slice(&count.to_be_bytes());
            let limit = usize::try_from(limit).unwrap();
            assert_eq!(read(&bad), Err(UnpickleError::TooMany { count, limit }));
        }
    }
    let invalid = |position: usize, value: u8| {
        let mut bad = good.clone();
        bad[position] = value;
        read(&bad)
    };
    // Neither 0 nor 1; a slot out of range; a skipped key of no chain, and one that is not behind its chain.
    assert!(matches!(invalid(0, 2), Err(UnpickleError::Invalid { .. })));
    assert!(matches!(invalid(receivers - 1, 2), Err(UnpickleError::Invalid { .. })));
    assert!(matches!(invalid(skipped - 1, 5), Err(UnpickleError::Invalid { .. })));
    assert!(matches!(invalid(skipped + 4, 1), Err(UnpickleError::Invalid { .. })));
    assert!(matches!(invalid(skipped + 8, 200), Err(UnpickleError::Invalid { .. })));
    // No chain at all.
    let mut bare = good[..receivers].to_vec();
    bare.extend([0; 8]);
    assert!(matches!(read(&bare), Err(UnpickleError::Invalid { .. })));
    // A public key of small order.
    let mut bad = good.clone();
    bad[1..33].fill(0);
    assert!(matches!(read(&bad), Err(UnpickleError::Invalid { .. })));
}

// The raw states of converters: what no session or account can be in is refused.
#[cfg(feature = "alloc")]
#[test]
fn attack_069_raw_states_that_make_no_sense() {
    use mx_curve25519::Curve25519SecretKey;
    use mx_olm::hazmat::{
        AccountState, InvalidState, OneTimeKeyState, SessionState, account_from_state, session_from_state,
        session_state,
    };

    fn chain(index: u32) -> mx_olm::hazmat::ChainState {
        mx_olm::hazmat::ChainState { key: [7; 32].into(), index }
    }

    fn skipped(ratchet_key: mx_types::Curve25519PublicKey, index: u32) -> mx_olm::hazmat::SkippedState {
        mx_olm::hazmat::SkippedState { ratchet_key, index, message_key: [8; 32].into() }
    }

    let pair = Pair::<200>::confirmed(11);
    let mut random = support::rng(12);
    let mut draw = || Curve25519SecretKey::generate(&mut random).unwrap();
    let session = |change: &mut dyn FnMut(&mut SessionState)| {
        let mut state = session_state(&pair.alice);
        change(&mut state);
        session_from_state::<50>(state).map(|_| ())
    };
    let key = session_state(&pair.alice).receivers[0].0;
    assert_eq!(session(&mut |_| {}), Ok(()));
    let no_chain = session(&mut |state| {
        state.receivers.clear();
        state.sender = None;
    });
    assert_eq!(no_chain, Err(InvalidState::NoChain));
    assert_eq!(session(&mut |state| state.receivers.push((key, chain(0)))), Err(InvalidState::Repeated));
    let mut chains = |count| {
        session(&mut |state| {
            state.receivers = (0..count).map(|_| (draw().public_key(), chain(0))).collect();
        })
    };
    assert_eq!((chains(5), chains(6)), (Ok(()), Err(InvalidState::TooMany)));
    let skips = |indices: &[u32], at: u32| {
        session(&mut |state| {
            state.receivers[0].1.index = at;
            state.skipped = indices.iter().map(|index| skipped(key, *index)).collect();
        })
    };
    assert_eq!(skips(&[3, 4], 5), Ok(()));
    assert_eq!(skips(&[3, 3], 5), Err(InvalidState::Repeated));
    assert_eq!(skips(&[3, 5], 5), Err(InvalidState::Repeated));
    assert_eq!(skips(&(0..40).collect::<Vec<_>>(), 60), Ok(()));
    assert_eq!(skips(&(0..41).collect::<Vec<_>>(), 60), Err(InvalidState::TooMany));
    // Fifty is what there is room for, on two chains.
    let other = draw().public_key();
    let on_two = |count| {
        session(&mut |state| {
            state.receivers[0].1.index = 60;
            state.receivers.push((other, chain(60)));
            state.skipped = (0..count).map(|n| skipped(if n < 30 { key } else { other }, n)).collect();
        })
    };
    assert_eq!((on_two(50), on_two(51)), (Ok(()), Err(InvalidState::TooMany)));

    let mut random = support::rng(13);
    let keys: Vec<_> = (0..3).map(|_| Curve25519SecretKey::generate(&mut random).unwrap()).collect();
    let state = |one_time: &[(u32, usize)], fallbacks: &[(u32, usize)]| {
        let key = |(number, key): &(u32, usize)| OneTimeKeyState {
            number: *number,
            short_id: false,
            published: false,
            key: Curve25519SecretKey::from_secret_bytes(keys[*key].secret_bytes()),
        };
        account_from_state::<2, 2>(AccountState {
            ed25519_expanded: [9; 64].into(),
            identity: Curve25519SecretKey::from_secret_bytes(&[5; 32]),
            one_time_keys: one_time.iter().map(key).collect(),
            fallbacks: fallbacks.iter().map(key).collect(),
            last_number: 9,
        })
        .map(|_| ())
    };
    assert_eq!(state(&[(8, 0), (9, 1)], &[(7, 2)]), Ok(()));
    assert_eq!(state(&[(10, 0)], &[]), Err(InvalidState::KeyNumber));
    assert_eq!(state(&[], &[(10, 0)]), Err(InvalidState::KeyNumber));
    assert_eq!(state(&[(1, 0), (2, 1), (3, 2)], &[]), Err(InvalidState::TooMany));
    assert_eq!(state(&[], &[(1, 0), (2, 1), (3, 2)]), Err(InvalidState::TooMany));
    // The same bytes twice, wherever; two fallback keys with one number. (Of one-time and fallback keys, vodozemac
    // exports some with the same.)
    assert_eq!(state(&[(1, 0), (2, 0)], &[]), Err(InvalidState::Repeated));
    assert_eq!(state(&[(1, 0)], &[(2, 0)]), Err(InvalidState::Repeated));
    assert_eq!(state(&[], &[(1, 0), (1, 1)]), Err(InvalidState::Repeated));
    assert_eq!(state(&[(1, 0)], &[(1, 1)]), Ok(()));
}

// PIC-13: chains of a sealed session that no session has.
#[test]
fn attack_069_chains_of_a_sealed_session() {
    let key = PickleKey::new(&[3; 32]);
    let read =
        |state: &[u8]| Session::<50>::from_pickle(&key, Generation::default(), &sealed(2, state)).map(|_| ());
    let mut pair = Pair::<200>::confirmed(14);
    let good = plain(&state(&mut pair.alice));
    let receivers = 1 + 96 + 32 + 1;
    let (start, chain) = (&good[..receivers], &good[receivers + 4..good.len() - 4]);
    assert_eq!(chain.len(), 32 + 36 + 1);
    let chains = |chains: &[&[u8]]| {
        let count = u32::try_from(chains.len()).unwrap().to_be_bytes();
        read(&[start, &count, &chains.concat(), &[0; 4]].concat())
    };
    let with = |key: u8, slot: u8| {
        let mut other = chain.to_vec();
        other[0] ^= key;
        other[68] = slot;
        other
    };
    assert_eq!(chains(&[chain]), Ok(()));
    for slot in 0..=255 {
        assert_eq!(chains(&[&with(0, slot)]).is_ok(), slot < 5, "slot {slot}");
    }
    assert_eq!(chains(&[chain, &with(1, 1)]), Ok(()));
    assert!(matches!(chains(&[chain, &with(0, 1)]), Err(UnpickleError::Invalid { .. })), "one key twice");
    assert!(matches!(chains(&[chain, &with(1, 0)]), Err(UnpickleError::Invalid { .. })), "one slot twice");

    // Skipped keys of two chains, each of which stands at 60.
    let skipped = |keys: &[(u8, u32)]| {
        let at_60 = |mut chain: Vec<u8>| {
            chain[64..68].copy_from_slice(&60_u32.to_be_bytes());
            chain
        };
        let count = u32::try_from(keys.len()).unwrap().to_be_bytes();
        let keys: Vec<_> = keys
            .iter()
            .flat_map(|(slot, index)| [&[*slot][..], &index.to_be_bytes(), &[7; 32]].concat())
            .collect();
        read(&[start, &[0, 0, 0, 2], &at_60(with(0, 0)), &at_60(with(1, 3)), &count, &keys].concat())
    };
    let forty: Vec<_> = (0..40).map(|index| (3, index)).collect();
    assert_eq!(skipped(&forty), Ok(()));
    assert_eq!(skipped(&[&forty[..], &[(0, 1)]].concat()), Ok(()), "forty of each chain");
    for wrong in [(3, 40), (3, 39), (0, 60), (0, 61), (1, 0), (5, 0)] {
        let result = skipped(&[&forty[..], &[wrong]].concat());
        assert!(matches!(result, Err(UnpickleError::Invalid { .. })), "{wrong:?}");
    }
    assert_eq!(skipped(&[(0, 59), (3, 59)]), Ok(()));
    assert!(skipped(&[(0, 59), (0, 59)]).is_err());
}

// PIC-13: the same of accounts.
#[test]
fn attack_069_counts_and_lengths_of_a_sealed_account() {
    let key = PickleKey::new(&[3; 32]);
    let read = |state: &[u8]| {
        Account::<2, 1>::from_pickle(&key, Generation::default(), &sealed(1, state)).map(|_| ())
    };
    let mut pair = Pair::<200>::new(15);
    let mut bob = Account::<2, 1>::new(&mut pair.rng).unwrap();
    for _ in 0..2 {
        let _ = bob.one_time_keys_mut().generate(&mut pair.rng).unwrap();
        let _ = bob.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap();
    }
    let fallback = bob.one_time_keys().fallback().unwrap().key;
    let (identity, claimed) = (pair.alice_account.identity(), pair.alice_account.curve25519_key());
    let mut alice: Session =
        Session::outbound(&mut pair.rng, identity, &bob.curve25519_key(), &fallback).unwrap();
    let sent = send(&mut alice, &mut pair.rng, b"message");
    let _ = bob.inbound_session::<1>(&claimed, &sent.pre_key(), &mut [0; 100]).unwrap();

    let good = plain(&account_state(&mut bob));
    assert_eq!(read(&good), Ok(()));
    for len in 0..good.len() {
        assert!(read(&good[..len]).is_err(), "{len} bytes");
    }
    assert_eq!(read(&[&good[..], &[0]].concat()), Err(UnpickleError::TrailingBytes { count: 1 }));
    // form | seed and public key | identity | last number | one-time keys | fallback keys | sessions
    let last_number = 1 + 64 + 64;
    let one_time = last_number + 4;
    let fallbacks = one_time + 4 + 2 * 69;
    let sessions = fallbacks + 4 + 2 * 69;
    assert_eq!(good.len(), sessions + 4 + 20);
    for (position, limit) in [(one_time, 2), (fallbacks, 2), (sessions, 1)] {
        for count in [limit + 1, 1_000_000, u32::MAX] {
            let mut bad = good.clone();
            bad[position..position + 4].copy_from_slice(&count.to_be_bytes());
            let limit = usize::try_from(limit).unwrap();
            assert_eq!(read(&bad), Err(UnpickleError::TooMany { count, limit }));
        }
    }
    let changed = |position: usize, value: &[u8]| {
        let mut bad = good.clone();
        bad[position..position + value.len()].copy_from_slice(value);
        read(&bad)
    };
    assert_eq!(changed(last_number, &[0, 0, 0, 4]), Ok(()));
    for (position, value) in [
        (0, &[2][..]),
        (33, &[0; 32]),
        (1 + 64 + 32, &[0; 32]),
        (last_number, &[0, 0, 0, 3]),
        (one_time + 4, &[0, 0, 0, 5]),
        (fallbacks + 4, &[0, 0, 0, 5]),
        (one_time + 4 + 4, &[4]),
        (one_time + 4 + 4, &[0x80]),
        (one_time + 4 + 5 + 32, &[0; 32]),
    ] {
        assert!(matches!(changed(position, value), Err(UnpickleError::Invalid { .. })), "{position}");
    }
    for flags in 0..4 {
        assert_eq!(changed(one_time + 4 + 4, &[flags]), Ok(()));
    }
}
