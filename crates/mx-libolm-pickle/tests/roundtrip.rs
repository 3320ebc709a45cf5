//! States of our own making, written, read and gone on with.
#![expect(clippy::unwrap_used, reason = "tests")]

mod pickled;

use std::collections::HashMap;

use mx_libolm_pickle::{
    MAX_ONE_TIME_KEYS, MAX_SKIPPED, read_account, read_decryption_key, read_inbound_group_session,
    read_outbound_group_session, read_session, write_account, write_decryption_key,
    write_inbound_group_session, write_outbound_group_session, write_session,
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_olm::hazmat::{account_state, session_state};
use mx_olm::{Account, InboundSession, MessageType, OlmMessage, PreKeyMessage, Session};
use pickled::{account, one_time_key, one_time_secret, seal, unseal};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

type Message = (MessageType, Vec<u8>);

fn send(session: &mut Session, rng: &mut ChaCha20Rng, text: &str) -> Message {
    session.encrypt_to_vec(rng, text.as_bytes()).unwrap()
}

fn receive(session: &mut Session, message: &Message) -> Result<String, mx_olm::DecryptError> {
    let mut out = [0; 256];
    let message = OlmMessage::parse(message.0, &message.1).unwrap();
    session.decrypt(&message, &mut out).map(|plaintext| String::from_utf8(plaintext.to_vec()).unwrap())
}

/// Two ends of a session: Alice's has sent, Bob's has decrypted.
fn pair(rng: &mut ChaCha20Rng) -> (Session, Session) {
    let alice: Account = Account::new(rng).unwrap();
    let mut bob: Account = Account::new(rng).unwrap();
    let key = bob.one_time_keys_mut().generate(rng).unwrap().key.key;
    let mut session = Session::outbound(rng, alice.identity(), &bob.curve25519_key(), &key).unwrap();
    let (_, first) = send(&mut session, rng, "first");
    let mut out = [0; 64];
    let first = PreKeyMessage::parse(&first).unwrap();
    let InboundSession { session: other, .. } =
        bob.inbound_session::<200>(&alice.curve25519_key(), &first, &mut out).unwrap();
    (session, other)
}

fn through_libolm(session: &mut Session) {
    let pickle = write_session(session, b"key");
    *session = read_session(&pickle, b"key").unwrap();
    assert_eq!(write_session(session, b"key"), pickle);
}

// PIC-8: every state of a session, both ends, before and after each step
#[test]
fn sessions_go_on_after_each_step() {
    let rng = &mut rng(1);
    let (mut alice, mut bob) = pair(rng);
    let mut late = Vec::new();
    for round in 0..8 {
        through_libolm(&mut alice);
        through_libolm(&mut bob);
        let lost = send(&mut bob, rng, &format!("late {round}"));
        let message = send(&mut bob, rng, "to Alice");
        through_libolm(&mut bob);
        assert_eq!(receive(&mut alice, &message).unwrap(), "to Alice");
        through_libolm(&mut alice);
        let message = send(&mut alice, rng, "to Bob");
        assert_eq!(receive(&mut bob, &message).unwrap(), "to Bob");
        late.push(lost);
    }
    // Five chains are kept.
    for (round, message) in late.iter().enumerate() {
        through_libolm(&mut alice);
        let received = receive(&mut alice, message);
        assert_eq!(received.is_ok(), round >= 3, "round {round}: {received:?}");
        through_libolm(&mut alice);
        assert!(receive(&mut alice, message).is_err(), "a second time");
    }
}

// PIC-8
#[test]
fn of_many_skipped_keys_the_newest_are_written() {
    let rng = &mut rng(2);
    let (mut alice, mut bob) = pair(rng);
    let mut late = Vec::new();
    for chain in 0..3 {
        for n in 0..15 {
            late.push(((chain, n), send(&mut bob, rng, "late")));
        }
        let message = send(&mut bob, rng, "to Alice");
        receive(&mut alice, &message).unwrap();
        let message = send(&mut alice, rng, "to Bob");
        receive(&mut bob, &message).unwrap();
    }
    assert_eq!(session_state(&alice).skipped.len(), 45);

    let mut moved: Session = read_session(&write_session(&alice, b""), b"").unwrap();
    let state = session_state(&moved);
    assert_eq!(state.skipped.len(), MAX_SKIPPED);
    // Oldest first, as we keep them: of the oldest chain only those that came last.
    let newest_first: Vec<_> = state.skipped.iter().rev().map(|key| (key.ratchet_key, key.index)).collect();
    let chains: Vec<_> = state.receivers.iter().rev().map(|(ratchet_key, _)| *ratchet_key).collect();
    let of = |chain: usize, indices: core::ops::Range<u32>| indices.rev().map(move |index| (chain, index));
    let expected = of(0, 0..15).chain(of(1, 0..15)).chain(of(2, 5..15));
    assert_eq!(newest_first, expected.map(|(chain, index)| (chains[chain], index)).collect::<Vec<_>>());

    for ((chain, n), message) in &late {
        let kept = *chain > 0 || *n >= 5;
        assert_eq!(receive(&mut moved, message).is_ok(), kept, "chain {chain}, message {n}");
        assert!(receive(&mut alice, message).is_ok());
    }
}

// PIC-7
#[test]
fn of_many_one_time_keys_the_newest_are_written() {
    let rng = &mut rng(3);
    let mut account: Account<250> = Account::new(rng).unwrap();
    for _ in 0..150 {
        let _ = account.one_time_keys_mut().generate(rng).unwrap();
    }
    let plaintext = unseal(&write_account(&account, b""), b"");
    assert_eq!(plaintext.len(), 173 + 69 * MAX_ONE_TIME_KEYS);
    let number = |n: usize| u32::from_be_bytes(plaintext[168 + 69 * n..172 + 69 * n].try_into().unwrap());
    assert!((0..MAX_ONE_TIME_KEYS).map(number).eq((51..=150).rev()), "newest first");
    let moved: Account = read_account(&write_account(&account, b""), b"").unwrap();
    let numbers: Vec<_> = account_state(&moved).one_time_keys.iter().map(|key| key.number).collect();
    assert_eq!(numbers, (51..=150).collect::<Vec<_>>(), "oldest first");
}

// PIC-4, PIC-6: all numbers of keys, published or not
#[test]
fn accounts_go_there_and_back() {
    let rng = &mut rng(4);
    let mut account: Account = Account::new(rng).unwrap();
    for step in 0..12 {
        let keys = account.one_time_keys_mut();
        match step % 4 {
            0 => (0..30).for_each(|_| assert!(keys.generate(rng).is_ok())),
            1 => assert!(keys.generate_fallback(rng).is_ok()),
            2 => keys.mark_as_published(),
            _ => assert_eq!(keys.forget_previous_fallback().is_some(), step > 3),
        }
        let pickle = write_account(&account, b"key");
        let again: Account = read_account(&pickle, b"key").unwrap();
        assert_eq!(write_account(&again, b"key"), pickle, "step {step}");
        assert_eq!(again.ed25519_key(), account.ed25519_key());
        assert_eq!(again.curve25519_key(), account.curve25519_key());
        let before = account_state(&account);
        let after = account_state(&again);
        assert_eq!(after.last_number, before.last_number);
        let of = |key: &mx_olm::hazmat::OneTimeKeyState| (key.number, key.published, *key.key.secret_bytes());
        assert!(after.one_time_keys.iter().map(of).eq(before.one_time_keys.iter().map(of)));
        assert!(after.fallbacks.iter().map(of).eq(before.fallbacks.iter().map(of)));
        assert_eq!(again.sign(b"message"), account.sign(b"message"));
    }
}

// MEG-60, MEG-61
#[test]
fn group_sessions_go_on_after_each_step() {
    let mut outbound = OutboundGroupSession::new(&mut rng(5)).unwrap();
    let mut inbound = InboundGroupSession::new(&outbound.session_key());
    let mut messages = Vec::new();
    for index in 0..300 {
        if index % 10 == 0 {
            let pickle = write_outbound_group_session(&outbound, b"key");
            outbound = read_outbound_group_session(&pickle, b"key").unwrap();
            assert_eq!(write_outbound_group_session(&outbound, b"key"), pickle);
            let pickle = write_inbound_group_session(&inbound, b"key");
            inbound = read_inbound_group_session(&pickle, b"key").unwrap();
            assert_eq!(write_inbound_group_session(&inbound, b"key"), pickle);
        }
        let (message, at) = outbound.encrypt_to_vec(b"message").unwrap();
        assert_eq!(at, index);
        if index % 7 == 0 {
            assert_eq!(inbound.decrypt_to_vec(&message).unwrap().1, index);
        }
        messages.push(message);
    }
    for message in &messages {
        inbound.decrypt_to_vec(message).unwrap();
    }
}

#[test]
fn decryption_keys_go_there_and_back() {
    let key = mx_curve25519::Curve25519SecretKey::generate(&mut rng(6)).unwrap();
    let pickle = write_decryption_key(&key, b"key");
    assert_eq!(read_decryption_key(&pickle, b"key").unwrap().secret_bytes(), key.secret_bytes());
}

/// The public keys of an account by the names under which they are uploaded: one-time keys, fallback keys.
fn names(account: &Account) -> [HashMap<String, String>; 2] {
    let keys = account.one_time_keys();
    let named = |key: mx_olm::PublicOneTimeKey| (key.id.to_string(), key.key.to_string());
    [keys.unpublished().map(named).collect(), keys.fallback().into_iter().map(named).collect()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// User row 19: import, then generate, never changes which key an identifier names.
    // PIC-6, OTK-2
    #[test]
    fn generating_after_an_import_changes_no_name(
        first in prop_oneof![0..3_u32, 0..u32::MAX - 800, u32::MAX - 800..u32::MAX - 500],
        gaps in prop::collection::vec(1..4_u32, 0..=100),
        ahead in 0..3_u32,
        fallbacks in 0..3_u32,
        generated in 0..120_usize,
    ) {
        let mut number = first;
        let mut keys = Vec::new();
        for (n, gap) in (0..).zip(&gaps) {
            keys.insert(0, one_time_key(number, 0, n));
            number = number.saturating_add(*gap);
        }
        let newest = number;
        // The fallback keys have the numbers of one-time keys, as vodozemac writes them.
        let fallback_keys: Vec<_> =
            (0..fallbacks).map(|n| one_time_key(newest.saturating_sub(n), 0, 500 + n)).collect();
        prop_assume!(fallbacks < 2 || newest > 0);
        let plaintext = account(&keys, &fallback_keys, newest.saturating_add(ahead));
        let mut account: Account = read_account(&seal(&plaintext, b""), b"").unwrap();
        let [before, fallback_before] = names(&account);
        prop_assert_eq!(before.len(), keys.len());

        let rng = &mut rng(7);
        let mut all = before.clone();
        let mut evicted = Vec::new();
        for _ in 0..generated {
            let generated = account.one_time_keys_mut().generate(rng).unwrap();
            let name = generated.key.id.to_string();
            prop_assert!(all.insert(name, generated.key.key.to_string()).is_none(), "a name for two keys");
            evicted.extend(generated.evicted.map(|key| key.id.to_string()));
        }
        let fallback = account.one_time_keys_mut().generate_fallback(rng).unwrap();
        prop_assert!(!fallback_before.contains_key(&fallback.key.id.to_string()));

        // Every key is there under its name, unless it was reported as evicted.
        let [after, _] = names(&account);
        for (name, key) in &all {
            match after.get(name) {
                Some(kept) => prop_assert_eq!(kept, key),
                None => prop_assert!(evicted.contains(name)),
            }
        }
        prop_assert_eq!(after.len() + evicted.len(), all.len());
        // And its secret half is the one that was imported.
        let state = account_state(&account);
        for key in state.one_time_keys.iter().filter(|key| key.short_id) {
            let n = keys.iter().position(|record| record[5..37] == *key.key.public_key().as_bytes()).unwrap();
            let expected = one_time_secret(u32::try_from(keys.len() - 1 - n).unwrap());
            prop_assert_eq!(*key.key.secret_bytes(), expected);
        }

        // libolm has shorter names: of numbers, which are no other keys' either.
        let moved: Account = read_account(&write_account(&account, b""), b"").unwrap();
        let [moved_names, _] = names(&moved);
        prop_assert_eq!(moved_names.len(), after.len());
        for (name, key) in &moved_names {
            prop_assert!(before.get(name).is_none_or(|earlier| earlier == key), "a name for two keys");
        }
    }
}
