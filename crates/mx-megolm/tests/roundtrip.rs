//! Sessions in use: any order, sharing, exporting, winding forward, comparing and merging, pickling.
#![expect(clippy::unwrap_used, reason = "tests")]

mod sessions;

use mx_megolm::{
    Comparison, DecryptError, ExportedSessionKey, Generation, InboundGroupSession, MegolmMessage, MergeError,
    Merged, OutboundGroupSession, PickleKey, SessionKey, UnknownMessageIndex,
};
use proptest::prelude::*;
use sessions::{at_index, decrypt, encrypt, forged_beside, outbound, rng, state_of, two_faced};

fn inbound(session: &OutboundGroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&session.session_key())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    // MEG-29, MEG-28
    #[test]
    fn any_order_any_length(plaintexts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70), 1..40), order in any::<u64>()) {
        let mut sender = outbound(1);
        let mut receiver = inbound(&sender);
        let mut messages: Vec<(u32, Vec<u8>, &Vec<u8>)> = plaintexts
            .iter()
            .map(|plaintext| {
                let index = sender.message_index();
                (index, encrypt(&mut sender, plaintext), plaintext)
            })
            .collect();
        messages.sort_by_key(|(index, ..)| u64::from(*index).wrapping_mul(order | 1));
        for (index, message, plaintext) in messages.iter().chain(&messages) {
            prop_assert_eq!(decrypt(&mut receiver, message), Ok((plaintext.to_vec(), *index)));
        }
    }

    // MEG-46, MEG-26, MEG-29
    #[test]
    fn any_index_is_the_same_by_any_way(first in 0..1u32 << 30, steps in prop::collection::vec(0..2000u32, 1..30)) {
        let mut origin = InboundGroupSession::new(&at_index(first).session_key());
        for step in steps {
            let index = first + step;
            let mut direct = InboundGroupSession::new(&at_index(first).session_key());
            let expected = direct.export_at(index).unwrap();
            prop_assert_eq!(*origin.export_at(index).unwrap().as_bytes(), *expected.as_bytes());
            direct.advance_to(index).unwrap();
            prop_assert_eq!(*direct.export_at(index).unwrap().as_bytes(), *expected.as_bytes());
        }
    }
}

// MEG-1
#[test]
fn a_new_session_is_all_random_and_starts_at_zero() {
    let mut drawn = [0; 160];
    rng().fill_bytes(&mut drawn);
    let session = OutboundGroupSession::new(&mut rng()).unwrap();
    let key = session.session_key();
    assert_eq!((session.message_index(), key.first_known_index()), (0, 0));
    assert_eq!(key.as_bytes()[5..133], drawn[..128]);
    let seed = drawn[128..].try_into().unwrap();
    assert_eq!(session.public_key(), mx_curve25519::Ed25519SecretKey::from_seed(seed).public_key());

    let mut rng = rng();
    let first = OutboundGroupSession::new(&mut rng).unwrap();
    let second = OutboundGroupSession::new(&mut rng).unwrap();
    assert_ne!(first.session_id(), second.session_id());
}

// MEG-48
#[test]
fn the_first_characters_tell_the_formats_apart() {
    let shared = outbound(1).session_key();
    let shared = shared.to_base64(&mut [0; SessionKey::BASE64_LEN]).to_owned();
    let exported = inbound(&outbound(1)).export_at(0).unwrap();
    let exported = exported.to_base64(&mut [0; ExportedSessionKey::BASE64_LEN]).to_owned();
    assert!(shared.starts_with("Ag") && exported.starts_with("AQ"));
    // The specification's example of an exported session starts as a shared one does: that is not accepted.
    let error = ExportedSessionKey::from_base64(&shared[..220]).unwrap_err();
    assert_eq!(error, mx_megolm::SessionKeyError::Version { expected: 1, found: 2 });
}

// MEG-27, MEG-6
#[test]
fn a_message_may_be_any_number_of_indices_ahead() {
    let mut receiver = InboundGroupSession::new(&at_index(0).session_key());
    for index in [0x00ff_ffff, 0x0100_0000, 0xffff_fffe, 5, 0x0001_0000] {
        let message = encrypt(&mut at_index(index), b"far");
        assert_eq!(decrypt(&mut receiver, &message), Ok((b"far".to_vec(), index)));
    }
}

// MEG-40, MEG-43
#[test]
fn a_shared_session_begins_where_it_was_shared() {
    let mut sender = outbound(1);
    let before = encrypt(&mut sender, b"before");
    let key = SessionKey::from_bytes(sender.session_key().as_bytes()).unwrap();
    let after = encrypt(&mut sender, b"after");
    let mut receiver = InboundGroupSession::new(&key);
    assert_eq!((key.first_known_index(), receiver.first_known_index()), (1, 1));
    assert_eq!((key.session_id(), receiver.session_id()), (sender.session_id(), sender.session_id()));
    assert_eq!(receiver.verified_from(), Some(1));
    let unknown = UnknownMessageIndex { first_known: 1, requested: 0 };
    assert_eq!(decrypt(&mut receiver, &before), Err(DecryptError::UnknownMessageIndex(unknown)));
    assert_eq!(decrypt(&mut receiver, &after), Ok((b"after".to_vec(), 1)));
}

// MEG-41, MEG-46, MEG-43
#[test]
fn attack_084_an_export_begins_at_its_index_and_proves_nothing() {
    let mut sender = at_index(40);
    let mut receiver = inbound(&sender);
    let messages: Vec<Vec<u8>> = (0..20).map(|_| encrypt(&mut sender, b"text")).collect();
    for requested in [0, 1, 39] {
        let unknown = UnknownMessageIndex { first_known: 40, requested };
        assert_eq!(receiver.export_at(requested).err(), Some(unknown));
    }
    for index in [40, 41, 50, 59, 1 << 24, u32::MAX] {
        let exported = receiver.export_at(index).unwrap();
        assert_eq!((exported.first_known_index(), exported.session_id()), (index, sender.session_id()));
        let mut imported =
            InboundGroupSession::import(&ExportedSessionKey::from_bytes(exported.as_bytes()).unwrap());
        assert_eq!((imported.first_known_index(), imported.verified_from()), (index, None));
        for (message, at) in messages.iter().zip(40..) {
            assert_eq!(decrypt(&mut imported, message).is_ok(), at >= index);
        }
        assert_eq!(imported.verified_from(), None, "decrypting proves nothing about the ratchet");
    }
}

// MEG-29
#[test]
fn the_state_of_the_newest_message_is_kept() {
    let mut receiver = InboundGroupSession::new(&outbound(1).session_key());
    for (index, latest) in [(0, 0), (20, 20), (5, 20), (20, 20), (21, 21), (700, 700), (0, 700)] {
        decrypt(&mut receiver, &encrypt(&mut at_index(index), b"text")).unwrap();
        let state = state_of(&receiver);
        assert_eq!((state.earliest.0, state.latest.0), (0, latest));
        assert_eq!(state.latest.1, receiver.export_at(latest).unwrap().as_bytes()[5..133]);
    }
}

#[test]
fn attack_083_forwards_and_backwards() {
    let mut sender = outbound(1);
    let messages: Vec<Vec<u8>> = (0..300).map(|_| encrypt(&mut sender, b"text")).collect();
    let mut receiver = inbound(&sender);
    assert!(decrypt(&mut receiver, &messages[10]).is_err(), "the key was made after the messages");

    let mut receiver = InboundGroupSession::new(&outbound(1).session_key());
    for index in [10, 3, 7, 10, 299, 0, 298, 16, 15, 17, 256, 255, 299, 1] {
        let (plaintext, at) = decrypt(&mut receiver, &messages[index as usize]).unwrap();
        assert_eq!((plaintext.as_slice(), at), (&b"text"[..], index));
    }
    for index in (0..300).rev().chain(0..300) {
        assert_eq!(decrypt(&mut receiver, &messages[index as usize]), Ok((b"text".to_vec(), index)));
    }
    receiver.advance_to(100).unwrap();
    for index in (0..300).rev() {
        assert_eq!(decrypt(&mut receiver, &messages[index as usize]).is_ok(), index >= 100, "{index}");
    }
}

// MEG-7, MEG-49
#[test]
fn winding_forward_gives_the_past_up() {
    let mut sender = outbound(1);
    let messages: Vec<Vec<u8>> = (0..40).map(|_| encrypt(&mut sender, b"text")).collect();
    for (newest, oldest, target) in [(39, 5, 20), (10, 5, 20), (20, 20, 20), (0, 0, 20), (39, 39, 39)] {
        let mut receiver = InboundGroupSession::new(&outbound(1).session_key());
        decrypt(&mut receiver, &messages[newest]).unwrap();
        decrypt(&mut receiver, &messages[oldest]).unwrap();
        receiver.advance_to(target).unwrap();
        assert_eq!((receiver.first_known_index(), receiver.verified_from()), (target, Some(target)));
        let backwards = UnknownMessageIndex { first_known: target, requested: target - 1 };
        assert_eq!(receiver.advance_to(target - 1), Err(backwards));
        assert_eq!(receiver.export_at(target - 1).err(), Some(backwards));
        receiver.advance_to(target).unwrap();
        for (message, index) in messages.iter().zip(0..) {
            assert_eq!(decrypt(&mut receiver, message).is_ok(), index >= target);
        }
        // Nothing earlier is left anywhere in what is stored.
        let state = state_of(&receiver);
        assert!(state.earliest.0 == target && state.latest.0 >= target);
    }
}

// MEG-6, MEG-30
#[test]
fn the_last_index_is_for_decrypting_only() {
    let mut sender = at_index(u32::MAX - 1);
    let mut receiver = inbound(&sender);
    let message = encrypt(&mut sender, b"the last");
    assert_eq!(decrypt(&mut receiver, &message), Ok((b"the last".to_vec(), u32::MAX - 1)));
    let mut out = [0x55; 200];
    for _ in 0..2 {
        let error = sender.encrypt(b"one more", &mut out).unwrap_err();
        assert_eq!(error, mx_megolm::EncryptError::SessionExhausted);
        assert_eq!((sender.message_index(), out), (u32::MAX, [0x55; 200]));
    }
    assert_eq!(receiver.export_at(u32::MAX).unwrap().first_known_index(), u32::MAX);
}

// MEG-47
#[test]
fn copies_are_compared_by_key_ratchet_and_first_index() {
    let copy = |first| {
        let mut session = InboundGroupSession::new(&outbound(1).session_key());
        session.advance_to(first).unwrap();
        session
    };
    for (first, others_first, expected) in [
        (5, 5, Comparison::Equal),
        (0, 5, Comparison::Better),
        (5, 0, Comparison::Worse),
        (0, 70_000, Comparison::Better),
        (1 << 25, 3, Comparison::Worse),
    ] {
        assert_eq!(copy(first).compare(&copy(others_first)), expected);
        // What was decrypted does not matter.
        let mut read = copy(first);
        let index = first.max(others_first) + 10;
        decrypt(&mut read, &encrypt(&mut at_index(index), b"text")).unwrap();
        assert_eq!(read.compare(&copy(others_first)), expected);
    }
    let other_session = InboundGroupSession::new(&outbound(2).session_key());
    assert_eq!(copy(0).compare(&other_session), Comparison::Unconnected);
    for (first, others_first) in [(0, 0), (0, 9), (9, 0)] {
        let forged = InboundGroupSession::import(&forged_beside(&copy(others_first)));
        assert_eq!(copy(first).compare(&forged), Comparison::Unconnected);
    }
}

fn imported(first: u32) -> InboundGroupSession {
    let mut origin = InboundGroupSession::new(&outbound(1).session_key());
    InboundGroupSession::import(&origin.export_at(first).unwrap())
}

fn shared(first: u32) -> InboundGroupSession {
    let mut session = InboundGroupSession::new(&outbound(1).session_key());
    session.advance_to(first).unwrap();
    session
}

// MEG-47, ENV-64, ENV-65
#[test]
fn merging_takes_the_earlier_ratchet_and_the_earlier_proof() {
    use Merged::{Extended, Unchanged};
    let cases = [
        (shared(5), shared(5), Unchanged, 5, Some(5)),
        (shared(5), shared(7), Unchanged, 5, Some(5)),
        (shared(5), shared(2), Extended, 2, Some(2)),
        (shared(5), imported(2), Extended, 2, Some(5)),
        (shared(5), imported(5), Unchanged, 5, Some(5)),
        (shared(5), imported(7), Unchanged, 5, Some(5)),
        (imported(5), shared(5), Extended, 5, Some(5)),
        (imported(5), shared(7), Extended, 5, Some(7)),
        (imported(5), shared(2), Extended, 2, Some(2)),
        (imported(5), imported(2), Extended, 2, None),
        (imported(5), imported(5), Unchanged, 5, None),
        (imported(5), imported(7), Unchanged, 5, None),
    ];
    for (number, (mut session, other, merged, first_known, verified_from)) in cases.into_iter().enumerate() {
        assert_eq!(session.merge(other), Ok(merged), "case {number}");
        assert_eq!(session.first_known_index(), first_known, "case {number}");
        assert_eq!(session.verified_from(), verified_from, "case {number}");
        for index in [first_known, 5, 7, 300, 3] {
            let message = encrypt(&mut at_index(index), b"text");
            assert_eq!(decrypt(&mut session, &message).is_ok(), index >= first_known);
        }
    }
}

// MEG-47, ENV-63
#[test]
fn copies_that_are_not_connected_do_not_replace_each_other_but_in_one_case() {
    let forged = |first| InboundGroupSession::import(&forged_beside(&shared(first)));
    // Sessions of other people are never touched.
    let mut session = imported(5);
    let before = state_of(&session);
    let other = InboundGroupSession::new(&outbound(2).session_key());
    assert_eq!(session.merge(other), Err(MergeError::OtherSession));
    assert_eq!(state_of(&session), before);

    for mut stored in [shared(5), imported(5)] {
        for first in [2, 5, 7] {
            let before = state_of(&stored);
            assert_eq!(stored.merge(forged(first)), Err(MergeError::Unconnected));
            assert_eq!(state_of(&stored), before);
        }
    }
    // The signed copy is the session; what was stored never was.
    for first in [2, 5, 7] {
        let mut stored = forged(5);
        assert_eq!(stored.merge(shared(first)), Ok(Merged::Replaced));
        assert_eq!(state_of(&stored), state_of(&shared(first)));
        assert_eq!((stored.first_known_index(), stored.verified_from()), (first, Some(first)));
    }
    // The owner himself has signed two ratchets under one ID: the first one stays.
    for first in [0, 3] {
        let mut second = InboundGroupSession::new(&two_faced().session_key());
        second.advance_to(first).unwrap();
        let mut stored = shared(3);
        let before = state_of(&stored);
        assert_eq!(stored.merge(second), Err(MergeError::Unconnected));
        assert_eq!(state_of(&stored), before);
    }
    // A copy that is only signed from a later index on does not displace: its beginning is unsigned itself.
    let mut partly = imported(2);
    partly.merge(shared(7)).unwrap();
    assert_eq!(forged(5).merge(partly), Err(MergeError::Unconnected));
}

#[test]
fn a_merge_keeps_the_generation() {
    let key = PickleKey::new(&[7; 32]);
    let mut out = [0; InboundGroupSession::PICKLE_LEN];
    for mut stored in [imported(5), InboundGroupSession::import(&forged_beside(&shared(5)))] {
        stored.pickle(&mut rng(), &key, &mut out).unwrap();
        stored.pickle(&mut rng(), &key, &mut out).unwrap();
        stored.merge(shared(2)).unwrap();
        assert_eq!(stored.generation(), Generation::from(2));
    }
}

// MEG-45
#[test]
fn the_session_id_is_the_base64_of_the_public_key() {
    let session = outbound(1);
    let id = session.session_id();
    assert_eq!(id.as_str(), session.public_key().to_string());
    assert_eq!((id.as_str().len(), format!("{id}")), (43, id.as_str().to_owned()));
    assert_eq!(id, inbound(&session).session_id());
    assert!(id == *session.public_key().to_string().as_str() && id != *"DRt2DUEOrg/H+yUGjDTqryf8H1YF");
}

#[test]
fn a_message_can_be_looked_at() {
    let mut sender = at_index(300);
    let message = encrypt(&mut sender, &[0; 20]);
    let parsed = MegolmMessage::try_from(message.as_slice()).unwrap();
    assert_eq!((parsed.message_index(), parsed.ciphertext().len()), (300, 32));
}

#[test]
fn pickles_come_back() {
    let key = PickleKey::new(&[7; 32]);
    let mut rng = rng();

    // Fresh from the generator (a seed is stored) and from raw state (the expanded key is).
    for mut sender in [OutboundGroupSession::new(&mut rng).unwrap(), at_index(77)] {
        let mut receiver = inbound(&sender);
        for round in 1..4 {
            let mut out = [0; OutboundGroupSession::MAX_PICKLE_LEN];
            let pickle = sender.pickle(&mut rng, &key, &mut out).unwrap();
            assert_eq!(Generation::of(pickle), Some(Generation::from(round)));
            let pickle = pickle.to_vec();
            assert_eq!(pickle.len(), sender.pickle_len());
            sender = OutboundGroupSession::from_pickle(&key, Generation::from(round), &pickle).unwrap();
            let index = sender.message_index();
            let message = encrypt(&mut sender, b"on and on");
            assert_eq!(decrypt(&mut receiver, &message), Ok((b"on and on".to_vec(), index)));
        }
    }

    let mut receiver = shared(5);
    for round in 1..4 {
        let mut out = [0; InboundGroupSession::PICKLE_LEN];
        let pickle = receiver.pickle(&mut rng, &key, &mut out).unwrap().to_vec();
        assert_eq!(pickle.len(), InboundGroupSession::PICKLE_LEN);
        let restored = InboundGroupSession::from_pickle(&key, Generation::from(round), &pickle).unwrap();
        assert_eq!(state_of(&restored), state_of(&receiver));
        assert_eq!(restored.generation(), receiver.generation());
        receiver = restored;
        let index = 5 + 40 * u32::try_from(round).unwrap();
        assert_eq!(decrypt(&mut receiver, &encrypt(&mut at_index(index), b"text")).unwrap().1, index);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn vectors_and_strings_are_the_same_as_slices() {
    let mut rng = rng();
    let key = PickleKey::new(&[7; 32]);
    let (message, index) = outbound(1).encrypt_to_vec(b"text").unwrap();
    assert_eq!((message.clone(), index), (encrypt(&mut outbound(1), b"text"), 0));
    let mut receiver = inbound(&outbound(1));
    assert_eq!(receiver.decrypt_to_vec(&message), Ok((b"text".to_vec(), 0)));
    assert!(receiver.decrypt_to_vec(&message[1..]).is_err());

    let session_key = outbound(1).session_key();
    let text = session_key.to_base64_string();
    assert_eq!(text.as_str(), session_key.to_base64(&mut [0; SessionKey::BASE64_LEN]));
    let pickle = receiver.pickle_to_vec(&mut rng, &key).unwrap();
    InboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, &pickle).unwrap();
    let pickle = outbound(1).pickle_to_vec(&mut rng, &key).unwrap();
    OutboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, &pickle).unwrap();
}
