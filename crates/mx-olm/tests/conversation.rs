//! Two sides, and a network that loses, doubles and reorders.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use mx_olm::{DecryptError, MAX_MESSAGE_GAP, MessageType, Session};
use mx_pickle::{Generation, PickleKey};
use proptest::prelude::*;
use support::{Pair, Sent, receive, send, state};

#[derive(Clone, Copy, Debug)]
enum Step {
    Send { from_alice: bool, len: usize },
    Deliver { to_alice: bool, which: usize },
    Duplicate { to_alice: bool, which: usize },
    Lose { to_alice: bool, which: usize },
    Restore { alice: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (any::<bool>(), 0..100_usize).prop_map(|(from_alice, len)| Step::Send { from_alice, len }),
        5 => (any::<bool>(), any::<usize>()).prop_map(|(to_alice, which)| Step::Deliver { to_alice, which }),
        1 => (any::<bool>(), any::<usize>()).prop_map(|(to_alice, which)| Step::Duplicate { to_alice, which }),
        1 => (any::<bool>(), any::<usize>()).prop_map(|(to_alice, which)| Step::Lose { to_alice, which }),
        1 => any::<bool>().prop_map(|alice| Step::Restore { alice }),
    ]
}

fn restore(session: &mut Session, rng: &mut rand_chacha::ChaCha20Rng) {
    let key = PickleKey::new(&[5; 32]);
    let mut out = vec![0; session.pickle_len()];
    let before = state(session);
    let pickle = session.pickle(rng, &key, &mut out).unwrap();
    let generation = Generation::of(pickle).unwrap();
    *session = Session::from_pickle(&key, generation, pickle).unwrap();
    assert_eq!(session.generation(), generation);
    assert_eq!(state(session), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // OLM-12, OLM-14, OLM-17, OLM-18, OLM-21, OLM-25, OLM-26: everything that is delivered once decrypts, in any order;
    // nothing decrypts twice, and an attempt changes nothing.
    #[test]
    fn any_schedule(steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::<200>::new(3);
        // What is on its way to each, with its number, and what came.
        let mut on_way: [Vec<(usize, Sent)>; 2] = Default::default();
        let mut came: [Vec<Sent>; 2] = Default::default();
        let mut sent_to = [0; 2];
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Send { from_alice, len } => {
                    let plaintext = vec![u8::try_from(n).unwrap(); len];
                    let session = if from_alice { &mut pair.alice } else { &mut pair.bob };
                    let sent = send(session, &mut pair.rng, &plaintext);
                    let expected = if session.has_received() { MessageType::Normal } else { MessageType::PreKey };
                    prop_assert_eq!(sent.message_type, expected);
                    let to = usize::from(from_alice);
                    sent_to[to] += 1;
                    on_way[to].push((sent_to[to], sent));
                    // Five chains are kept, and each message may be on another: what is older is lost.
                    on_way[to].retain(|(number, _)| number + 4 > sent_to[to]);
                }
                Step::Deliver { to_alice, which } => {
                    let to = usize::from(!to_alice);
                    if on_way[to].is_empty() {
                        continue;
                    }
                    let which = which % on_way[to].len();
                    let (_, sent) = on_way[to].remove(which);
                    let session = if to_alice { &mut pair.alice } else { &mut pair.bob };
                    prop_assert_eq!(receive(session, &sent), Ok(sent.plaintext.clone()));
                    came[to].push(sent);
                }
                Step::Duplicate { to_alice, which } => {
                    let to = usize::from(!to_alice);
                    if came[to].is_empty() {
                        continue;
                    }
                    let sent = &came[to][which % came[to].len()];
                    let session = if to_alice { &mut pair.alice } else { &mut pair.bob };
                    let before = state(session);
                    prop_assert!(receive(session, sent).is_err());
                    prop_assert_eq!(state(session), before);
                }
                Step::Lose { to_alice, which } => {
                    let to = usize::from(!to_alice);
                    if !on_way[to].is_empty() {
                        let which = which % on_way[to].len();
                        on_way[to].remove(which);
                    }
                }
                Step::Restore { alice } => {
                    restore(if alice { &mut pair.alice } else { &mut pair.bob }, &mut pair.rng);
                }
            }
        }
    }
}

// OLM-21
#[test]
fn pre_key_messages_until_something_was_decrypted() {
    let mut pair = Pair::<40>::new(1);
    assert_eq!(send(&mut pair.alice, &mut pair.rng, b"").message_type, MessageType::PreKey);
    assert!(!pair.alice.has_received() && pair.bob.has_received());
    let reply = send(&mut pair.bob, &mut pair.rng, b"");
    assert_eq!(reply.message_type, MessageType::Normal);
    receive(&mut pair.alice, &reply).unwrap();
    assert_eq!(send(&mut pair.alice, &mut pair.rng, b"").message_type, MessageType::Normal);
}

// OLM-23, OLM-27: later pre-key messages go to the session that they match.
#[test]
fn a_matching_session_takes_later_pre_key_messages() {
    let mut pair = Pair::<40>::new(1);
    let second = send(&mut pair.alice, &mut pair.rng, b"second");
    assert!(pair.bob.matches(&second.pre_key()));
    assert_eq!(second.pre_key().keys().session_id(), pair.bob.keys().session_id());
    assert_eq!(receive(&mut pair.bob, &second).unwrap(), b"second");
}

// OLM-15: 2000 ahead is served, 2001 is not; on a chain that is known and on a new one.
#[test]
fn the_gap_limit() {
    for (next_index, gap) in [(1, 2000), (1, 2001), (0, 2000), (0, 2001)] {
        let mut pair = Pair::<200>::confirmed(2);
        if next_index == 0 {
            // Bob answers on a new chain.
            let sent = send(&mut pair.alice, &mut pair.rng, b"answer");
            receive(&mut pair.bob, &sent).unwrap();
        }
        let mut sent = send(&mut pair.bob, &mut pair.rng, b"last");
        while sent.parse().normal().index() < next_index + gap {
            sent = send(&mut pair.bob, &mut pair.rng, b"last");
        }
        let before = state(&mut pair.alice);
        if gap <= MAX_MESSAGE_GAP {
            assert_eq!(receive(&mut pair.alice, &sent).unwrap(), b"last");
        } else {
            let error = DecryptError::MessageGapTooBig { index: next_index + gap, next_index };
            assert_eq!(receive(&mut pair.alice, &sent), Err(error));
            assert_eq!(state(&mut pair.alice), before);
        }
    }
}

// OLM-16: of a jump the last 40 are kept.
#[test]
fn forty_of_a_jump_are_kept() {
    let mut pair = Pair::<200>::confirmed(4);
    let skipped: Vec<_> = (0..100).map(|_| send(&mut pair.bob, &mut pair.rng, b"skipped")).collect();
    let last = send(&mut pair.bob, &mut pair.rng, b"last");
    receive(&mut pair.alice, &last).unwrap();
    for sent in &skipped[..60] {
        assert!(matches!(receive(&mut pair.alice, sent), Err(DecryptError::MissingMessageKey { .. })));
    }
    for sent in skipped[60..].iter().rev() {
        assert_eq!(receive(&mut pair.alice, sent).unwrap(), b"skipped");
    }
}

// OLM-16: forty of each chain, not of the session; the forty-first pushes out the oldest of its own chain.
#[test]
fn forty_of_each_chain_are_kept() {
    let mut pair = Pair::<200>::confirmed(14);
    let skip = |pair: &mut Pair<200>, count: usize| {
        let skipped: Vec<_> = (0..count).map(|_| send(&mut pair.bob, &mut pair.rng, b"skipped")).collect();
        let came = send(&mut pair.bob, &mut pair.rng, b"came");
        receive(&mut pair.alice, &came).unwrap();
        skipped
    };
    let mut first = skip(&mut pair, 20);
    first.extend(skip(&mut pair, 20));
    let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
    receive(&mut pair.bob, &answer).unwrap();
    let mut second = skip(&mut pair, 1);
    second.extend(skip(&mut pair, 40));
    assert_eq!(
        receive(&mut pair.alice, &second[0]),
        Err(DecryptError::MissingMessageKey { index: 0, next_index: 43 })
    );
    for sent in first.iter().chain(&second[1..]) {
        assert_eq!(receive(&mut pair.alice, sent).unwrap(), b"skipped");
    }
}

/// Bob's messages of `turns` chains, the first of each left out.
fn turns(pair: &mut Pair<200>, turns: usize) -> Vec<Sent> {
    let mut left_out = Vec::new();
    for _ in 0..turns {
        left_out.push(send(&mut pair.bob, &mut pair.rng, b"left out"));
        let sent = send(&mut pair.bob, &mut pair.rng, b"turn");
        receive(&mut pair.alice, &sent).unwrap();
        let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
        receive(&mut pair.bob, &answer).unwrap();
    }
    left_out
}

// OLM-17: five chains; the oldest goes, and its skipped keys with it.
#[test]
fn five_receiver_chains_are_kept() {
    let mut pair = Pair::<200>::confirmed(5);
    let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
    receive(&mut pair.bob, &answer).unwrap();
    let left_out = turns(&mut pair, 7);
    for sent in &left_out[..2] {
        let before = state(&mut pair.alice);
        assert_eq!(receive(&mut pair.alice, sent), Err(DecryptError::Authentication));
        assert_eq!(state(&mut pair.alice), before);
    }
    for sent in &left_out[2..] {
        assert_eq!(receive(&mut pair.alice, sent).unwrap(), b"left out");
    }
}

// OLM-25: reading on an older chain changes neither the root nor the chain that is answered.
#[test]
fn an_older_chain_changes_nothing_for_sending() {
    let mut pair = Pair::<200>::confirmed(6);
    let answer = send(&mut pair.alice, &mut pair.rng, b"answer");
    receive(&mut pair.bob, &answer).unwrap();
    let left_out = turns(&mut pair, 3);
    let newest = send(&mut pair.bob, &mut pair.rng, b"newest");
    receive(&mut pair.alice, &newest).unwrap();
    receive(&mut pair.alice, &left_out[0]).unwrap();
    let answer = send(&mut pair.alice, &mut pair.rng, b"on top of the newest");
    assert_eq!(receive(&mut pair.bob, &answer).unwrap(), b"on top of the newest");
}

// OLM-13: no sender chain, so they cannot have moved on.
#[test]
fn an_unknown_ratchet_key_without_a_sender_chain() {
    let mut pair = Pair::<200>::new(7);
    let mut other = Pair::<200>::new(8);
    let foreign = send(&mut other.bob, &mut other.rng, b"");
    let before = state(&mut pair.bob);
    assert_eq!(receive(&mut pair.bob, &foreign), Err(DecryptError::UnknownRatchetKey));
    assert_eq!(state(&mut pair.bob), before);
    let after = send(&mut pair.alice, &mut pair.rng, b"after");
    assert_eq!(receive(&mut pair.bob, &after).unwrap(), b"after");
}

// OLM-31: lengths are told beforehand, exactly.
#[test]
fn encrypted_lengths() {
    let mut pair = Pair::<200>::confirmed(9);
    let mut fresh = Pair::<200>::new(9);
    for len in (0..100).chain([1000, 20_000]) {
        let plaintext = vec![1; len];
        for session in [&mut pair.alice, &mut fresh.alice] {
            let needed = session.encrypted_len(len);
            let sent = send(session, &mut pair.rng, &plaintext);
            assert_eq!(sent.bytes.len(), needed);
            assert_eq!(sent.parse().normal().ciphertext().len(), (len / 16 + 1) * 16);
        }
    }
    let mut fresh = Pair::<200>::new(10);
    let sent = send(&mut fresh.alice, &mut fresh.rng, b"Hello");
    assert_eq!(sent.bytes.len(), 168);
    assert_eq!(pair.alice.encrypted_len(usize::MAX), usize::MAX);
}

#[test]
fn a_smaller_session_holds_what_it_can() {
    let mut pair = Pair::<3>::confirmed(11);
    let skipped: Vec<_> = (0..5).map(|_| send(&mut pair.bob, &mut pair.rng, b"skipped")).collect();
    let last = send(&mut pair.bob, &mut pair.rng, b"last");
    receive(&mut pair.alice, &last).unwrap();
    for (n, sent) in skipped.iter().enumerate() {
        assert_eq!(receive(&mut pair.alice, sent).is_ok(), n >= 2);
    }
    let mut pair = Pair::<0>::confirmed(12);
    let skipped = send(&mut pair.bob, &mut pair.rng, b"skipped");
    let last = send(&mut pair.bob, &mut pair.rng, b"last");
    assert_eq!(receive(&mut pair.alice, &last).unwrap(), b"last");
    assert!(receive(&mut pair.alice, &skipped).is_err());
}

#[cfg(feature = "alloc")]
#[test]
fn allocating_forms_say_the_same() {
    use mx_olm::{MAX_MESSAGE_TEXT_LEN, MessageError, OlmMessageBuf};

    let mut pair = Pair::<200>::confirmed(13);
    let plaintext = b"two blocks of a text";
    let (message_type, bytes) = pair.alice.encrypt_to_vec(&mut pair.rng, plaintext).unwrap();
    let text = mx_types::base64::encode_to_string(&bytes);
    // B64-5: of a message body the bits that belong to no byte are ignored, and padding is accepted.
    assert_eq!(bytes.len() % 3, 1, "the last character has four such bits");
    let (start, last) = text.split_at(text.len() - 1);
    let other = format!("{start}{}==", char::from(last.as_bytes()[0] + 1));
    let message = OlmMessageBuf::from_base64(message_type, &other, MAX_MESSAGE_TEXT_LEN).unwrap();
    assert_eq!(pair.bob.decrypt_to_vec(&message.parse().unwrap()).unwrap(), plaintext);
    // OLM-40: the limit is checked before anything is decoded.
    assert!(OlmMessageBuf::from_base64(message_type, &text, text.len()).is_ok());
    assert_eq!(MAX_MESSAGE_TEXT_LEN, 65_536);
    let error = MessageError::TooLong { len: text.len(), max_len: text.len() - 1 };
    assert_eq!(OlmMessageBuf::from_base64(message_type, &text, text.len() - 1).unwrap_err(), error);
    let huge = "A".repeat(65_537);
    assert!(matches!(
        OlmMessageBuf::from_base64(message_type, &huge, MAX_MESSAGE_TEXT_LEN),
        Err(MessageError::TooLong { .. })
    ));
    assert!(support::begin::<1>(&mut pair.bob_account, &pair.alice_account, &pair.first).is_err());
}

#[test]
fn sessions_and_accounts_go_to_other_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Session>();
    shared::<mx_olm::Account>();
    shared::<mx_olm::OneTimeKeys>();
    shared::<mx_olm::OlmMessage<'_>>();
}
