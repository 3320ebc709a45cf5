//! What went wrong elsewhere.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use mx_curve25519::{Curve25519PublicKey, KeyAgreement, KeyAgreementError, RandomnessFailed, SharedSecret};
use mx_olm::{
    Account, DecryptError, EncryptError, GenerateError, InboundSession, InboundSessionError, NormalMessage,
    OlmMessage, OneTimeKeys, Session, SessionCreationError, UsedKey,
};
use mx_pickle::{Generation, PickleKey, UnpickleError};
use support::{Failing, Pair, account_state, begin, receive, rng, send, state};

/// A session with Bob from a key of his, and its first message.
fn from_key(pair: &mut Pair, key: Curve25519PublicKey) -> (Session, support::Sent) {
    let identity = pair.alice_account.identity();
    let mut session =
        Session::outbound(&mut pair.rng, identity, &pair.bob_account.curve25519_key(), &key).unwrap();
    let sent = send(&mut session, &mut pair.rng, b"message");
    (session, sent)
}

/// A key in hardware that computes zeros with everybody's key, or is not there.
struct Hardware(Curve25519PublicKey, KeyAgreementError);

impl KeyAgreement for Hardware {
    fn public_key(&self) -> Curve25519PublicKey {
        self.0
    }

    fn diffie_hellman(&self, _: &Curve25519PublicKey) -> Result<SharedSecret, KeyAgreementError> {
        match self.1 {
            KeyAgreementError::NonContributory => SharedSecret::from_bytes([0; 32]),
            error => Err(error),
        }
    }
}

// OLM-9: the identity slot, ours and theirs; nothing is stored.
#[test]
fn attack_006_an_identity_key_that_agrees_on_zeros() {
    let mut pair = Pair::<200>::new(1);
    let (_, sent) = {
        let key = pair.bob_account.one_time_keys_mut().generate(&mut pair.rng).unwrap().key.key;
        from_key(&mut pair, key)
    };
    for error in [KeyAgreementError::NonContributory, KeyAgreementError::Unavailable] {
        let hardware = Hardware(pair.alice_account.curve25519_key(), error);
        let (bob, key) = (pair.bob_account.curve25519_key(), sent.pre_key().keys().one_time_key);
        let result = Session::<200>::outbound(&mut pair.rng, &hardware, &bob, &key);
        assert_eq!(result.unwrap_err(), SessionCreationError::KeyAgreement(error));

        let hardware = Hardware(bob, error);
        let before = account_state(&mut pair.bob_account);
        let mut out = [0; 100];
        let claimed = pair.alice_account.curve25519_key();
        let keys = pair.bob_account.one_time_keys_mut();
        let result = keys.inbound_session::<200>(&hardware, &claimed, &sent.pre_key(), &mut out);
        assert_eq!(result.unwrap_err(), InboundSessionError::KeyAgreement(error));
        assert_eq!(account_state(&mut pair.bob_account), before);
    }
    assert!(begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent).is_ok());
}

#[test]
fn attack_008_no_key_without_randomness_and_no_change() {
    for zeros in [false, true] {
        let failing = |good| Failing { good, zeros };
        assert_eq!(Account::<8>::new(&mut failing(0)).unwrap_err(), RandomnessFailed);
        assert_eq!(Account::<8>::new(&mut failing(1)).unwrap_err(), RandomnessFailed);

        let mut pair = Pair::<200>::new(2);
        let before = account_state(&mut pair.bob_account);
        let keys = pair.bob_account.one_time_keys_mut();
        let error = GenerateError::Randomness(RandomnessFailed);
        assert_eq!(keys.generate(&mut failing(0)).unwrap_err(), error);
        assert_eq!(keys.generate_fallback(&mut failing(0)).unwrap_err(), error);
        assert_eq!(account_state(&mut pair.bob_account), before);

        let identity = pair.alice_account.identity();
        let bob = pair.bob_account.curve25519_key();
        for good in [0, 1] {
            let result = Session::<200>::outbound(&mut failing(good), identity, &bob, &bob);
            assert_eq!(result.unwrap_err(), SessionCreationError::Randomness(RandomnessFailed));
        }
        // Bob has no sender chain: his first answer draws a ratchet key.
        let before = state(&mut pair.bob);
        let result = pair.bob.encrypt(&mut failing(0), b"answer", &mut [0; 100]).map(|_| ());
        assert_eq!(result, Err(EncryptError::Randomness(RandomnessFailed)));
        assert_eq!(state(&mut pair.bob), before);
        let answer = send(&mut pair.bob, &mut pair.rng, b"answer");
        assert_eq!(receive(&mut pair.alice, &answer).unwrap(), b"answer");
    }
}

// OLM-38, OLM-39: there is one version and one length of MAC.
#[test]
fn attack_014_a_message_does_not_choose_its_version() {
    let mut pair = Pair::<200>::confirmed(3);
    let sent = send(&mut pair.bob, &mut pair.rng, b"message");
    for version in [0, 1, 2, 4, 5] {
        let mut bytes = sent.bytes.clone();
        bytes[0] = version;
        assert!(NormalMessage::parse(&bytes).is_err());
    }
    // A MAC of 32 bytes, of which the first 8 are right, or the last.
    for mac in [[&sent.bytes[sent.bytes.len() - 8..], &[0; 24]].concat(), vec![0; 24]] {
        let body = &sent.bytes[..sent.bytes.len() - 8];
        let bytes = [body, &mac].concat();
        let result = NormalMessage::parse(&bytes)
            .map(|message| pair.alice.decrypt(&OlmMessage::Normal(message), &mut [0; 100]).is_ok());
        assert_ne!(result, Ok(true));
    }
    assert!(receive(&mut pair.alice, &sent).is_ok());
}

// OLM-37: with the right MAC over each wrong padding. The keys are those of a message that the test made.
#[cfg(feature = "alloc")]
#[test]
fn attack_015_bad_mac_and_bad_padding_are_one_error() {
    use mx_aes_sha2::{HmacKey, cbc_hmac::CbcHmacKeys};
    use mx_olm::hazmat::session_state;

    let mut pair = Pair::<200>::confirmed(4);
    let chain = session_state(&pair.bob).sender.unwrap().1;
    let keys = CbcHmacKeys::expand(&HmacKey::new(&chain.key[..]).mac(&[1]), b"OLM_KEYS");
    let sent = send(&mut pair.bob, &mut pair.rng, &[0; 16]);
    let before = state(&mut pair.alice);
    let mut errors = Vec::new();
    // Two blocks: of the second the padding is 16 bytes of 16. A change of the first block's last byte changes it.
    let mac_at = sent.bytes.len() - 8;
    for (position, change) in [(17, 16), (17, 16 ^ 17), (17, 16 ^ 0xff), (18, 1), (32, 1)] {
        let mut bytes = sent.bytes.clone();
        bytes[mac_at - position] ^= change;
        let mac = *keys.mac(&bytes[..mac_at]).as_bytes();
        bytes[mac_at..].copy_from_slice(&mac);
        let mut out = [0xaa; 32];
        let message = OlmMessage::Normal(NormalMessage::parse(&bytes).unwrap());
        errors.push(pair.alice.decrypt(&message, &mut out).unwrap_err());
        assert_eq!(out, [0; 32], "the buffer is wiped");
        assert_eq!(state(&mut pair.alice), before);
    }
    let mut bytes = sent.bytes.clone();
    bytes[mac_at] ^= 1;
    let message = OlmMessage::Normal(NormalMessage::parse(&bytes).unwrap());
    errors.push(pair.alice.decrypt(&message, &mut [0; 32]).unwrap_err());
    assert!(errors.iter().all(|error| *error == DecryptError::Authentication), "{errors:?}");
    assert_eq!(receive(&mut pair.alice, &sent).unwrap(), [0; 16]);
}

// OLM-24, OTK-7: a forged message does not burn the key that it names.
#[test]
fn attack_045_one_time_key_survives_a_forged_message() {
    let mut pair = Pair::<200>::new(5);
    for fallback in [false, true] {
        let keys = pair.bob_account.one_time_keys_mut();
        let generated =
            if fallback { keys.generate_fallback(&mut pair.rng) } else { keys.generate(&mut pair.rng) };
        let (_, sent) = from_key(&mut pair, generated.unwrap().key.key);
        let before = account_state(&mut pair.bob_account);
        for position in [1, 10, 20] {
            let mut forged = sent.clone();
            let at = forged.bytes.len() - position;
            forged.bytes[at] ^= 1;
            let error = begin::<200>(&mut pair.bob_account, &pair.alice_account, &forged).unwrap_err();
            assert_eq!(error, InboundSessionError::Decrypt(DecryptError::Authentication));
            assert_eq!(account_state(&mut pair.bob_account), before);
        }
        let honest = begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent).unwrap();
        assert_eq!(honest.1, b"message");
    }
}

// OLM-14, OLM-26: new ratchet key, a long skip, a skipped key, the next message: each with a bad MAC.
#[test]
fn attack_046_a_failed_message_advances_nothing() {
    let mut pair = Pair::<200>::confirmed(6);
    let skipped = send(&mut pair.bob, &mut pair.rng, b"skipped");
    let came = send(&mut pair.bob, &mut pair.rng, b"came");
    receive(&mut pair.alice, &came).unwrap();
    let next = send(&mut pair.bob, &mut pair.rng, b"next");
    for _ in 0..500 {
        let _ = send(&mut pair.bob, &mut pair.rng, b"");
    }
    let far = send(&mut pair.bob, &mut pair.rng, b"far");
    let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
    receive(&mut pair.bob, &answer).unwrap();
    let new_chain = send(&mut pair.bob, &mut pair.rng, b"new chain");
    let before = state(&mut pair.alice);
    for sent in [&skipped, &next, &far, &new_chain] {
        for position in 1..=8 {
            let mut forged = sent.clone();
            let at = forged.bytes.len() - position;
            forged.bytes[at] ^= 0x80;
            assert_eq!(receive(&mut pair.alice, &forged), Err(DecryptError::Authentication));
            assert_eq!(state(&mut pair.alice), before);
        }
    }
    for sent in [&new_chain, &next, &skipped, &far] {
        let sent_text = receive(&mut pair.alice, sent);
        assert_eq!(sent_text.as_ref(), Ok(&sent.plaintext));
    }
}

// OLM-15, OLM-19: an index that is far away costs nothing; messages of an adversary keep memory as it is.
#[test]
fn attack_048_adversarial_indices() {
    let mut pair = Pair::<200>::confirmed(7);
    let sent = send(&mut pair.bob, &mut pair.rng, b"message");
    let before = state(&mut pair.alice);
    let index_at = |bytes: &[u8], index: &[u8]| [&bytes[..36], index, &bytes[37..]].concat();
    for (varint, index) in [
        (&b"\xd2\x0f"[..], 2002),
        (b"\xff\xff\xff\xff\x07", 0x7fff_ffff),
        (b"\xfe\xff\xff\xff\x0f", u32::MAX - 1),
        (b"\xff\xff\xff\xff\x0f", u32::MAX),
    ] {
        let bytes = index_at(&sent.bytes, varint);
        let message = OlmMessage::Normal(NormalMessage::parse(&bytes).unwrap());
        let error = DecryptError::MessageGapTooBig { index, next_index: 1 };
        assert_eq!(pair.alice.decrypt(&message, &mut [0; 100]).unwrap_err(), error);
        assert_eq!(state(&mut pair.alice), before);
    }
    let bytes = index_at(&sent.bytes, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    assert!(NormalMessage::parse(&bytes).is_err());
    let len = pair.alice.pickle_len();
    for n in 0..2000_u32 {
        let mut forged = sent.clone();
        forged.bytes[4..8].copy_from_slice(&n.to_be_bytes());
        forged.bytes[36] = u8::try_from(n % 120).unwrap();
        assert!(receive(&mut pair.alice, &forged).is_err());
    }
    assert_eq!(pair.alice.pickle_len(), len);
    assert_eq!(state(&mut pair.alice), before);
    // The honest sender can skip at most this much into memory, whatever it does.
    for _ in 0..20 {
        for _ in 0..60 {
            let _ = send(&mut pair.bob, &mut pair.rng, b"");
        }
        let sent = send(&mut pair.bob, &mut pair.rng, b"");
        receive(&mut pair.alice, &sent).unwrap();
        let answer = send(&mut pair.alice, &mut pair.rng, b"");
        receive(&mut pair.bob, &answer).unwrap();
    }
    assert!(pair.alice.pickle_len() <= len + 200 * 37 + 4 * 69 + 100);
}

// OLM-16: forty of forty; the forty-first evicts the oldest only.
#[test]
fn attack_049_the_last_storable_skipped_key() {
    for extra in [0, 1] {
        let mut pair = Pair::<200>::confirmed(8);
        let skipped: Vec<_> =
            (0..40 + extra).map(|_| send(&mut pair.bob, &mut pair.rng, b"skipped")).collect();
        let last = send(&mut pair.bob, &mut pair.rng, b"last");
        receive(&mut pair.alice, &last).unwrap();
        for (n, sent) in skipped.iter().enumerate() {
            assert_eq!(receive(&mut pair.alice, sent).is_ok(), n >= extra, "{n} of {extra}");
        }
    }
    // The same one by one, so that the list is full before the forty-first comes.
    let mut pair = Pair::<200>::confirmed(9);
    let mut skipped = Vec::new();
    for _ in 0..41 {
        skipped.push(send(&mut pair.bob, &mut pair.rng, b"skipped"));
        let came = send(&mut pair.bob, &mut pair.rng, b"came");
        receive(&mut pair.alice, &came).unwrap();
    }
    for (n, sent) in skipped.iter().enumerate() {
        assert_eq!(receive(&mut pair.alice, sent).is_ok(), n >= 1, "{n}");
    }
}

// FBK-3, FBK-4, FBK-8: while the session is kept, and after it was forgotten; in a restored account, too.
#[test]
fn attack_052_replay_of_a_message_to_a_fallback_key() {
    let mut pair = Pair::<200>::new(10);
    let fallback = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap().key;
    let (_, sent) = from_key(&mut pair, fallback.key);
    let mut out = [0; 100];
    let claimed = pair.alice_account.curve25519_key();
    let InboundSession { mut session, used, .. } =
        pair.bob_account.inbound_session::<200>(&claimed, &sent.pre_key(), &mut out).unwrap();
    assert_eq!(used, UsedKey::Fallback(fallback));
    assert!(session.matches(&sent.pre_key()));
    assert!(receive(&mut session, &sent).is_err());
    drop(session);
    let replay =
        |account: &mut Account| begin::<200>(account, &pair.alice_account, &sent).map(|_| ()).unwrap_err();
    assert_eq!(replay(&mut pair.bob_account), InboundSessionError::ReplayedFallbackSession);
    // The key becomes the previous one, and is forgotten.
    let _ = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap();
    assert_eq!(replay(&mut pair.bob_account), InboundSessionError::ReplayedFallbackSession);
    let key = PickleKey::new(&[1; 32]);
    let mut out = vec![0; pair.bob_account.pickle_len()];
    let pickle = pair.bob_account.pickle(&mut pair.rng, &key, &mut out).unwrap();
    let mut restored = Account::from_pickle(&key, Generation::default(), pickle).unwrap();
    assert_eq!(replay(&mut restored), InboundSessionError::ReplayedFallbackSession);
    let forgotten = restored.one_time_keys_mut().forget_previous_fallback();
    assert_eq!(forgotten, Some(fallback));
    assert_eq!(replay(&mut restored), InboundSessionError::UnknownOneTimeKey);
    // Another session with the same key is another session.
    let mut pair = Pair::<200>::new(11);
    let fallback = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap().key;
    for _ in 0..3 {
        let (_, sent) = from_key(&mut pair, fallback.key);
        assert!(begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent).is_ok());
    }
}

// FBK-8: sessions are told apart by both keys of the side that began them.
#[test]
fn attack_052_one_base_key_of_two_senders() {
    let mut pair = Pair::<200>::new(29);
    let fallback = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap().key.key;
    let bob = pair.bob_account.curve25519_key();
    let carol: Account = Account::new(&mut pair.rng).unwrap();
    for alice in [&pair.alice_account, &carol] {
        let mut drawn = support::Script([[7; 32], [8; 32]].concat());
        let mut session: Session = Session::outbound(&mut drawn, alice.identity(), &bob, &fallback).unwrap();
        let sent = send(&mut session, &mut pair.rng, b"message");
        assert!(begin::<200>(&mut pair.bob_account, alice, &sent).is_ok());
        let error = begin::<200>(&mut pair.bob_account, alice, &sent).map(|_| ()).unwrap_err();
        assert_eq!(error, InboundSessionError::ReplayedFallbackSession);
    }
}

// FBK-8: the memory is bounded, the oldest goes.
#[test]
fn attack_052_the_memory_of_fallback_sessions_is_bounded() {
    let mut random = rng(12);
    let alice: Account = Account::new(&mut random).unwrap();
    let mut bob = Account::<4, 3>::new(&mut random).unwrap();
    let fallback = bob.one_time_keys_mut().generate_fallback(&mut random).unwrap().key.key;
    let mut sent = Vec::new();
    let begin = |bob: &mut Account<4, 3>, sent: &support::Sent| {
        let mut out = [0; 100];
        let result = bob.inbound_session::<200>(&alice.curve25519_key(), &sent.pre_key(), &mut out);
        result.map(|_| ())
    };
    for _ in 0..5 {
        let bob_key = bob.curve25519_key();
        let mut session: Session =
            Session::outbound(&mut random, alice.identity(), &bob_key, &fallback).unwrap();
        sent.push(send(&mut session, &mut random, b"message"));
        assert_eq!(begin(&mut bob, sent.last().unwrap()), Ok(()));
    }
    for sent in &sent[2..] {
        assert_eq!(begin(&mut bob, sent), Err(InboundSessionError::ReplayedFallbackSession));
    }
}

// FBK-4, FBK-8: what is remembered of a fallback key goes with it, and only that.
#[test]
fn attack_052_the_memory_of_a_fallback_session_lives_as_long_as_the_key() {
    let mut pair = Pair::<200>::new(28);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let key = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap().key.key;
        sent.push(from_key(&mut pair, key).1);
    }
    let replay = |pair: &mut Pair, which: usize| {
        begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent[which]).map(|_| ())
    };
    assert_eq!((replay(&mut pair, 0), replay(&mut pair, 1)), (Ok(()), Ok(())));
    let before = pair.bob_account.pickle_len();
    assert!(pair.bob_account.one_time_keys_mut().forget_previous_fallback().is_some());
    assert_eq!(pair.bob_account.pickle_len(), before - 69 - 20, "a key, and one session of it");
    assert_eq!(replay(&mut pair, 0), Err(InboundSessionError::UnknownOneTimeKey));
    assert_eq!(replay(&mut pair, 1), Err(InboundSessionError::ReplayedFallbackSession));
    assert_eq!(pair.bob_account.one_time_keys_mut().forget_previous_fallback(), None);
}

// FBK-2, FBK-3, OTK-6: current and previous; the one before is gone.
#[test]
fn attack_053_three_fallback_keys() {
    let mut pair = Pair::<200>::new(13);
    let mut keys = Vec::new();
    for n in 0..3 {
        let generated = pair.bob_account.one_time_keys_mut().generate_fallback(&mut pair.rng).unwrap();
        assert_eq!(generated.evicted, if n == 2 { Some(keys[0]) } else { None });
        keys.push(generated.key);
    }
    let results = keys.clone().into_iter().map(|key| {
        let (_, sent) = from_key(&mut pair, key.key);
        begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent).map(|_| ())
    });
    let results: Vec<_> = results.collect();
    assert_eq!(results, [Err(InboundSessionError::UnknownOneTimeKey), Ok(()), Ok(())]);
    assert_eq!(pair.bob_account.one_time_keys().fallback(), Some(keys[2]));
}

// OLM-23
#[test]
fn attack_054_a_session_is_matched_on_all_three_keys() {
    let mut pair = Pair::<200>::new(14);
    let sent = send(&mut pair.alice, &mut pair.rng, b"second");
    assert!(pair.bob.matches(&sent.pre_key()));
    let other = *pair.bob_account.curve25519_key().as_bytes();
    // One-time key, base key, identity key.
    for offset in [3, 37, 71] {
        let mut forged = sent.clone();
        forged.bytes[offset..offset + 32].copy_from_slice(&other);
        assert!(!pair.bob.matches(&forged.pre_key()), "offset {offset}");
        let before = state(&mut pair.bob);
        assert_eq!(receive(&mut pair.bob, &forged), Err(DecryptError::DifferentSession));
        assert_eq!(state(&mut pair.bob), before);
    }
    assert_eq!(receive(&mut pair.bob, &sent).unwrap(), b"second");
}

// OLM-23
#[test]
fn attack_055_the_identity_key_of_the_event_is_not_that_of_the_message() {
    let mut pair = Pair::<200>::new(15);
    let key = pair.bob_account.one_time_keys_mut().generate(&mut pair.rng).unwrap().key.key;
    let (_, sent) = from_key(&mut pair, key);
    let before = account_state(&mut pair.bob_account);
    let claimed = pair.bob_account.curve25519_key();
    let mut out = [0xaa; 100];
    let result = pair.bob_account.inbound_session::<200>(&claimed, &sent.pre_key(), &mut out);
    assert_eq!(result.unwrap_err(), InboundSessionError::IdentityKeyMismatch);
    assert_eq!(out, [0xaa; 100]);
    assert_eq!(account_state(&mut pair.bob_account), before);
}

/// Restores an account from a pickle, as after a crash.
fn restored(pickle: &[u8]) -> Account {
    Account::from_pickle(&PickleKey::new(&[1; 32]), Generation::default(), pickle).unwrap()
}

fn pickled(account: &mut Account) -> Vec<u8> {
    let mut out = vec![0; account.pickle_len()];
    account.pickle(&mut rng(77), &PickleKey::new(&[1; 32]), &mut out).unwrap().to_vec()
}

// OTK-2, OTK-4, OTK-11: whenever the device dies, each name that the server has seen belongs to one key, and each key
// that it has is still here.
#[test]
fn attack_057_a_crash_around_the_upload_of_keys() {
    for crash_at in 0..4 {
        let mut server: Vec<(String, Curve25519PublicKey)> = Vec::new();
        let mut random = rng(16);
        let mut account: Account = Account::new(&mut random).unwrap();
        let mut saved = pickled(&mut account);
        for round in 0..2 {
            // Generate, save, upload, mark, save. The crash comes in the first round before one of these.
            let steps = ["generate and save", "upload", "mark", "save"];
            for (n, step) in steps.iter().enumerate() {
                if round == 0 && n == crash_at {
                    account = restored(&saved);
                    break;
                }
                match *step {
                    "generate and save" => {
                        let needed = account.one_time_keys().needed(server.len());
                        for _ in 0..needed {
                            let _ = account.one_time_keys_mut().generate(&mut random).unwrap();
                        }
                        saved = pickled(&mut account);
                    }
                    "upload" => {
                        for key in account.one_time_keys().unpublished() {
                            let name = key.id.to_string();
                            match server.iter().find(|(other, _)| *other == name) {
                                Some((_, other)) => assert_eq!(*other, key.key, "one name, two keys"),
                                None => server.push((name, key.key)),
                            }
                        }
                    }
                    "mark" => account.one_time_keys_mut().mark_as_published(),
                    _ => saved = pickled(&mut account),
                }
            }
        }
        assert_eq!(server.len(), 50);
        for (_, key) in server {
            let alice: Account = Account::new(&mut random).unwrap();
            let mut session: Session =
                Session::outbound(&mut random, alice.identity(), &account.curve25519_key(), &key).unwrap();
            let sent = send(&mut session, &mut random, b"message");
            assert!(begin::<200>(&mut account, &alice, &sent).is_ok(), "crash at {crash_at}");
        }
    }
}

// OTK-2: a device that lost its last state draws other keys, and gives them other names.
#[test]
fn attack_057_a_restored_backup_reuses_no_name() {
    let mut random = rng(17);
    let mut account: Account = Account::new(&mut random).unwrap();
    let backup = pickled(&mut account);
    let name = |account: &mut Account, random: &mut rand_chacha::ChaCha20Rng| {
        account.one_time_keys_mut().generate(random).unwrap().key.id.to_string()
    };
    let published: Vec<_> = (0..50).map(|_| name(&mut account, &mut random)).collect();
    let mut account = restored(&backup);
    for _ in 0..50 {
        assert!(!published.contains(&name(&mut account, &mut random)));
    }
}

// OLM-20: the state of before a message is refused by its generation.
#[test]
fn attack_058_an_older_state_is_refused() {
    let key = PickleKey::new(&[1; 32]);
    let mut pair = Pair::<200>::confirmed(18);
    let pickle = |session: &mut Session, rng: &mut _| {
        let mut out = vec![0; session.pickle_len()];
        session.pickle(rng, &key, &mut out).unwrap().to_vec()
    };
    let older = pickle(&mut pair.alice, &mut pair.rng);
    let sent = send(&mut pair.alice, &mut pair.rng, b"message");
    let newer = pickle(&mut pair.alice, &mut pair.rng);
    let oldest = Generation::of(&newer).unwrap();
    let error = UnpickleError::Stale { found: Generation::of(&older).unwrap(), required: oldest };
    assert_eq!(Session::<200>::from_pickle(&key, oldest, &older).unwrap_err(), error);
    let mut session = Session::<200>::from_pickle(&key, oldest, &newer).unwrap();
    let next = send(&mut session, &mut pair.rng, b"message");
    assert_eq!(next.parse().normal().index(), sent.parse().normal().index() + 1);
    let older = pickled(&mut pair.bob_account);
    let newer = pickled(&mut pair.bob_account);
    let result = Account::<100, 200>::from_pickle(&key, Generation::of(&newer).unwrap(), &older);
    assert!(matches!(result, Err(UnpickleError::Stale { .. })));
}

// OLM-20, OTK-11: killed at any moment of saving and sending, no index is sent twice.
#[test]
fn attack_058_a_crash_between_save_and_send() {
    for crash_at in 0..3 {
        let key = PickleKey::new(&[1; 32]);
        let mut pair = Pair::<200>::confirmed(19);
        let mut out = vec![0; pair.alice.pickle_len()];
        let mut saved = pair.alice.pickle(&mut pair.rng, &key, &mut out).unwrap().to_vec();
        let mut sent_indices = Vec::new();
        for n in 0..6 {
            // Encrypt, save, send.
            let sent = send(&mut pair.alice, &mut pair.rng, b"message");
            let crash = n == 3;
            if !(crash && crash_at == 0) {
                let mut out = vec![0; pair.alice.pickle_len()];
                saved = pair.alice.pickle(&mut pair.rng, &key, &mut out).unwrap().to_vec();
                if !(crash && crash_at == 1) {
                    sent_indices.push(sent.parse().normal().index());
                }
            }
            if crash {
                let oldest = Generation::of(&saved).unwrap();
                pair.alice = Session::from_pickle(&key, oldest, &saved).unwrap();
            }
        }
        let mut unique = sent_indices.clone();
        unique.dedup();
        assert_eq!(sent_indices, unique, "crash at {crash_at}");
        assert!(sent_indices.is_sorted());
    }
}

// OTK-3, OTK-8: as many as there is room for, the oldest goes and is named.
#[test]
fn attack_060_one_time_keys_without_end() {
    let mut random = rng(20);
    let mut keys = OneTimeKeys::<8, 2>::new();
    let mut all = Vec::new();
    for n in 0..1000 {
        let generated = keys.generate(&mut random).unwrap();
        all.push(generated.key);
        assert_eq!(generated.evicted, if n < 8 { None } else { Some(all[n - 8]) });
        assert_eq!(keys.len(), all.len().min(8));
    }
    assert_eq!(keys.unpublished().collect::<Vec<_>>(), all[992..]);
    let mut none = OneTimeKeys::<0, 0>::new();
    assert_eq!(none.generate(&mut random).unwrap_err(), GenerateError::NoCapacity);
    assert!(none.is_empty());
}

#[cfg(feature = "alloc")]
#[test]
fn attack_061_the_last_key_number() {
    use mx_olm::hazmat::{account_from_state, account_state};

    let mut random = rng(21);
    let account: Account = Account::new(&mut random).unwrap();
    let mut state = account_state(&account);
    state.last_number = u32::MAX - 1;
    let mut account: Account = account_from_state(state).unwrap();
    let keys = account.one_time_keys_mut();
    assert!(keys.generate(&mut random).unwrap().key.id.to_string().starts_with("/////"));
    for _ in 0..2 {
        assert_eq!(keys.generate(&mut random).unwrap_err(), GenerateError::KeyIdsExhausted);
        assert_eq!(keys.generate_fallback(&mut random).unwrap_err(), GenerateError::KeyIdsExhausted);
    }
    assert_eq!(keys.len(), 1);
}

// OLM-19: the last indices of a chain, of the sender's and of the receiver's.
#[cfg(feature = "alloc")]
#[test]
fn attack_061_the_last_index_of_a_chain() {
    use mx_olm::hazmat::{session_from_state, session_state};

    let mut pair = Pair::<200>::confirmed(22);
    let first = send(&mut pair.bob, &mut pair.rng, b"first");
    receive(&mut pair.alice, &first).unwrap();
    let mut state_of_bob = session_state(&pair.bob);
    state_of_bob.sender.as_mut().unwrap().1.index = u32::MAX - 1;
    pair.bob = session_from_state(state_of_bob).unwrap();
    let mut state_of_alice = session_state(&pair.alice);
    state_of_alice.receivers.last_mut().unwrap().1.index = u32::MAX - 1;
    pair.alice = session_from_state(state_of_alice).unwrap();
    let last = send(&mut pair.bob, &mut pair.rng, b"last");
    assert_eq!(last.parse().normal().index(), u32::MAX - 1);
    let before = state(&mut pair.bob);
    let result = pair.bob.encrypt(&mut pair.rng, b"one more", &mut [0; 100]).map(|_| ());
    assert_eq!(result, Err(EncryptError::ChainExhausted));
    assert_eq!(state(&mut pair.bob), before);
    assert_eq!(receive(&mut pair.alice, &last).unwrap(), b"last");
    let mut beyond = last.clone();
    beyond.bytes[36..41].copy_from_slice(b"\xff\xff\xff\xff\x0f");
    let before = state(&mut pair.alice);
    assert_eq!(receive(&mut pair.alice, &beyond), Err(DecryptError::ChainExhausted));
    assert_eq!(state(&mut pair.alice), before);
}

#[test]
fn attack_065_pickles_of_one_state_all_differ() {
    let mut pair = Pair::<200>::confirmed(23);
    let key = PickleKey::new(&[1; 32]);
    let mut seen = Vec::new();
    let before = state(&mut pair.alice);
    for _ in 0..1000 {
        let mut out = vec![0; pair.alice.pickle_len()];
        let pickle = pair.alice.pickle(&mut pair.rng, &key, &mut out).unwrap();
        // The encrypted state, without the header, differs in its first bytes already.
        seen.push(pickle[27..59].to_vec());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
    assert_eq!(state(&mut pair.alice), before);
}

// PIC-14
#[test]
fn attack_029_every_secret_is_wiped_when_dropped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<Account<8, 8>>();
    wiped::<OneTimeKeys<8, 8>>();
    wiped::<Session<8>>();
    wiped::<PickleKey>();
}

#[cfg(feature = "alloc")]
#[test]
fn attack_068_debug_and_errors_show_no_secret() {
    use core::fmt::{Debug, Display};
    use mx_olm::hazmat::{account_state, session_state};

    fn shown(texts: &mut Vec<String>, value: &impl Debug) {
        texts.extend([format!("{value:?}"), format!("{value:#?}")]);
    }

    fn failed<T: Debug, E: Debug + Display>(texts: &mut Vec<String>, result: Result<T, E>) {
        let error = result.unwrap_err();
        texts.push(format!("{error:?} {error:#?} {error}"));
    }

    let mut pair = Pair::<200>::confirmed(24);
    let skipped = send(&mut pair.bob, &mut pair.rng, b"skipped");
    let came = send(&mut pair.bob, &mut pair.rng, b"came");
    receive(&mut pair.alice, &came).unwrap();
    let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
    let keys = pair.bob_account.one_time_keys_mut();
    let one_time_key = keys.generate(&mut pair.rng).unwrap();
    let fallback = keys.generate_fallback(&mut pair.rng).unwrap();

    let (mut texts, mut secrets) = (Vec::new(), vec![(0xe1..=0xf5).collect::<Vec<u8>>()]);
    for session in [&pair.alice, &pair.bob] {
        let state = session_state(session);
        secrets.push(state.root_key.to_vec());
        secrets.extend(
            state
                .sender
                .iter()
                .flat_map(|(ratchet_key, chain)| [ratchet_key.secret_bytes().to_vec(), chain.key.to_vec()]),
        );
        secrets.extend(state.receivers.iter().map(|(_, chain)| chain.key.to_vec()));
        secrets.extend(state.skipped.iter().map(|skipped| skipped.message_key.to_vec()));
        shown(&mut texts, session);
        shown(&mut texts, &state);
        shown(&mut texts, &state.receivers);
        shown(&mut texts, &state.skipped);
    }
    for account in [&pair.alice_account, &pair.bob_account] {
        let state = account_state(account);
        secrets.extend([state.ed25519_expanded.to_vec(), state.identity.secret_bytes().to_vec()]);
        let keys = state.one_time_keys.iter().chain(&state.fallbacks);
        secrets.extend(keys.map(|key| key.key.secret_bytes().to_vec()));
        shown(&mut texts, account);
        shown(&mut texts, account.one_time_keys());
        shown(&mut texts, account.identity());
        shown(&mut texts, &state);
        shown(&mut texts, &state.one_time_keys);
    }
    assert_eq!(secrets.len(), 1 + 5 + 4 + 2 * 2 + 2);

    let (mut session, _) = from_key(&mut pair, fallback.key.key);
    let sent = send(&mut session, &mut pair.rng, &secrets[0]);
    let mut out = [0; 100];
    let claimed = pair.alice_account.curve25519_key();
    let begun = pair.bob_account.inbound_session::<200>(&claimed, &sent.pre_key(), &mut out).unwrap();
    assert_eq!(begun.plaintext, secrets[0]);
    shown(&mut texts, &begun);
    shown(&mut texts, &(one_time_key, fallback, sent.parse()));

    // What fails, and says why.
    let mut out = [0; 300];
    failed(&mut texts, begin::<200>(&mut pair.bob_account, &pair.alice_account, &sent));
    failed(&mut texts, pair.bob_account.inbound_session::<200>(&claimed, &pair.first.pre_key(), &mut out));
    failed(&mut texts, pair.bob.encrypt(&mut pair.rng, &secrets[0], &mut [0; 9]).map(|_| ()));
    failed(&mut texts, pair.bob.decrypt(&answer.parse(), &mut [0; 9]));
    failed(&mut texts, receive(&mut pair.alice, &came));
    failed(&mut texts, receive(&mut pair.alice, &sent));
    for position in 0..skipped.bytes.len() {
        let mut bytes = skipped.bytes.clone();
        bytes[position] ^= 0x81;
        match NormalMessage::parse(&bytes) {
            Ok(message) => failed(&mut texts, pair.alice.decrypt(&OlmMessage::Normal(message), &mut out)),
            Err(error) => failed(&mut texts, Err::<(), _>(error)),
        }
    }
    let key = PickleKey::new(&[0x91; 32]);
    secrets.push(vec![0x91; 32]);
    shown(&mut texts, &key);
    failed(&mut texts, pair.alice.pickle(&mut pair.rng, &key, &mut [0; 9]));
    let mut out = vec![0; pair.alice.pickle_len()];
    let pickle = pair.alice.pickle(&mut pair.rng, &key, &mut out).unwrap();
    failed(&mut texts, Session::<0>::from_pickle(&key, Generation::default(), pickle));
    failed(&mut texts, Account::<8, 8>::from_pickle(&key, Generation::default(), pickle));
    failed(&mut texts, Session::<200>::from_pickle(&key, Generation::default(), &pickle[1..]));

    for text in &texts {
        for secret in &secrets {
            support::assert_hidden(text, secret);
        }
    }
    let text = format!("{:?}", pair.alice);
    assert!(text.contains("session_id") && text.contains("received: true"));
}

// The neighbours of 8: a generator that gives the same again. With two keys of the same bytes the message that used up
// the one could be played again to the other.
#[test]
fn attack_008_a_generator_that_repeats_itself() {
    let repeat = || support::Script(vec![7; 32]);
    let error = GenerateError::Randomness(RandomnessFailed);
    for first_is_fallback in [false, true] {
        let mut bob = Account::<8, 8>::new(&mut rng(25)).unwrap();
        let keys = bob.one_time_keys_mut();
        let generated = if first_is_fallback {
            keys.generate_fallback(&mut repeat())
        } else {
            keys.generate(&mut repeat())
        };
        assert!(generated.is_ok());
        let before = account_state(&mut bob);
        for _ in 0..2 {
            assert_eq!(bob.one_time_keys_mut().generate(&mut repeat()), Err(error));
            assert_eq!(bob.one_time_keys_mut().generate_fallback(&mut repeat()), Err(error));
            assert_eq!(account_state(&mut bob), before);
        }
        assert!(bob.one_time_keys_mut().generate_fallback(&mut rng(26)).is_ok());
        if first_is_fallback {
            // It is the previous one now, and goes; only then may it come again.
            let before = account_state(&mut bob);
            assert_eq!(bob.one_time_keys_mut().generate_fallback(&mut repeat()), Err(error));
            assert_eq!(account_state(&mut bob), before);
            assert!(bob.one_time_keys_mut().forget_previous_fallback().is_some());
            assert!(bob.one_time_keys_mut().generate(&mut repeat()).is_ok());
        }
    }
}

// The neighbours of 46 and 54: what a side has sent comes back to it.
#[test]
fn attack_046_a_message_reflected_to_its_sender() {
    let mut pair = Pair::<200>::new(27);
    let pre_key = send(&mut pair.alice, &mut pair.rng, b"pre-key");
    let from_bob = send(&mut pair.bob, &mut pair.rng, b"normal");
    let before = (state(&mut pair.alice), state(&mut pair.bob));
    assert!(pair.alice.matches(&pre_key.pre_key()), "all three keys are those of the session");
    assert_eq!(receive(&mut pair.alice, &pre_key), Err(DecryptError::Authentication));
    assert_eq!(receive(&mut pair.bob, &from_bob), Err(DecryptError::Authentication));
    assert_eq!((state(&mut pair.alice), state(&mut pair.bob)), before);
    assert_eq!(receive(&mut pair.bob, &pre_key).unwrap(), b"pre-key");
    assert_eq!(receive(&mut pair.alice, &from_bob).unwrap(), b"normal");
}
