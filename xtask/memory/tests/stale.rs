//! Secrets that are gone are gone from memory: from the value they were in, and from blocks on the heap.

use memory::{Pattern, Watching, bytes_after_drop, bytes_of, contains, freed_with_secret, on_clean_stack};
use mx_attachment::{AttachmentKey, hazmat::RandomAccess};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_olm::{Account, InboundSession, OlmMessage, OneTimeKeys, PreKeyMessage, Session};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

#[test]
fn attack_029_the_search_finds_what_is_there() {
    on_clean_stack(|| {
        let key = Curve25519SecretKey::generate(&mut Pattern(0)).unwrap();
        assert!(contains(&bytes_of(&key), 0));
        let (_, leaked) = freed_with_secret(3, || drop(memory::pattern(3).to_vec()));
        assert_eq!(leaked, 1);
        assert!(contains(&bytes_after_drop(memory::pattern(4)), 4));
    });
}

#[test]
fn attack_029_keys_and_accounts_on_drop() {
    on_clean_stack(|| {
        assert!(!contains(&bytes_after_drop(Curve25519SecretKey::generate(&mut Pattern(0)).unwrap()), 0));
        assert!(!contains(&bytes_after_drop(Ed25519SecretKey::generate(&mut Pattern(0)).unwrap()), 0));
        let mut account = Account::<4, 4>::new(&mut Pattern(0)).unwrap();
        let _ = account.one_time_keys_mut().generate(&mut Pattern(2)).unwrap();
        let _ = account.one_time_keys_mut().generate_fallback(&mut Pattern(3)).unwrap();
        let bytes = bytes_of(&account);
        assert!(contains(&bytes, 0) && contains(&bytes, 1));
        let (bytes, leaked) = freed_with_secret(2, || bytes_after_drop(account));
        for n in 0..4 {
            assert!(!contains(&bytes, n), "draw {n}");
        }
        assert_eq!(leaked, 0);
    });
}

#[test]
fn attack_029_one_time_keys_that_were_evicted_replaced_or_used() {
    on_clean_stack(|| {
        let mut keys = OneTimeKeys::<2, 2>::new();
        let (_, leaked) = freed_with_secret(0, || {
            for n in 0..4 {
                let _ = keys.generate(&mut Pattern(n)).unwrap();
            }
        });
        let bytes = bytes_of(&keys);
        assert!(!contains(&bytes, 0) && !contains(&bytes, 1), "evicted keys are left");
        assert_eq!(leaked, 0);
        for n in 10..13 {
            let _ = keys.generate_fallback(&mut Pattern(n)).unwrap();
        }
        assert!(!contains(&bytes_of(&keys), 10), "the oldest fallback key is left");
        let _ = keys.forget_previous_fallback();
        assert!(!contains(&bytes_of(&keys), 11), "a forgotten fallback key is left");

        let alice = Curve25519SecretKey::generate(&mut Pattern(20)).unwrap();
        let bob = Curve25519SecretKey::generate(&mut Pattern(21)).unwrap();
        let key = keys.unpublished().next().unwrap().key;
        let mut session = Session::<4>::outbound(&mut Pattern(30), &alice, &bob.public_key(), &key).unwrap();
        let mut out = [0; 200];
        let sent = session.encrypt(&mut Pattern(40), b"message", &mut out).unwrap();
        let message = PreKeyMessage::parse(sent.bytes).unwrap();
        let mut plaintext = [0; 16];
        let (_, leaked) = freed_with_secret(2, || {
            let inbound: InboundSession<'_, 4> =
                keys.inbound_session(&bob, &alice.public_key(), &message, &mut plaintext).unwrap();
            drop(inbound);
        });
        assert!(!contains(&bytes_of(&keys), 2), "a used one-time key is left");
        assert_eq!(leaked, 0);
    });
}

#[test]
fn attack_029_ratchet_keys_that_were_replaced() {
    on_clean_stack(|| {
        let alice = Curve25519SecretKey::generate(&mut Pattern(0)).unwrap();
        let bob = Curve25519SecretKey::generate(&mut Pattern(1)).unwrap();
        let mut keys = OneTimeKeys::<2, 2>::new();
        let one_time_key = keys.generate(&mut Pattern(2)).unwrap().key.key;
        // Draw 10 is the base key, 11 the ratchet key.
        let mut session =
            Session::<4>::outbound(&mut Pattern(10), &alice, &bob.public_key(), &one_time_key).unwrap();
        assert!(!contains(&bytes_of(&session), 10), "the base key is left");
        assert!(contains(&bytes_of(&session), 11));
        let mut out = [0; 200];
        let sent = session.encrypt(&mut Pattern(20), b"message", &mut out).unwrap();
        let message = PreKeyMessage::parse(sent.bytes).unwrap();
        let mut plaintext = [0; 16];
        let mut bobs: Session<4> =
            keys.inbound_session(&bob, &alice.public_key(), &message, &mut plaintext).unwrap().session;
        let mut out = [0; 200];
        let reply = bobs.encrypt(&mut Pattern(30), b"reply", &mut out).unwrap();
        session
            .decrypt(&OlmMessage::parse(reply.message_type, reply.bytes).unwrap(), &mut plaintext)
            .unwrap();
        assert!(!contains(&bytes_of(&session), 11), "the ratchet key is left");
        assert!(contains(&bytes_of(&bobs), 30));
        assert!(!contains(&bytes_after_drop(bobs), 30));
    });
}

#[test]
fn attack_029_group_sessions_on_drop_and_when_history_is_given_up() {
    on_clean_stack(|| {
        // Draws 0 to 3 are the ratchet's parts, 4 is the signing key.
        let mut outbound = OutboundGroupSession::new(&mut Pattern(0)).unwrap();
        let mut inbound = InboundGroupSession::new(&outbound.session_key());
        // A first message, so that the place of the decompressed key is in use: empty it shows what the stack held.
        let mut out = [0; 200];
        let message = outbound.encrypt(b"message", &mut out).unwrap().message;
        inbound.decrypt(message, &mut [0; 200]).unwrap();
        let exported = outbound.session_key();
        for n in 0..3 {
            assert!(contains(&bytes_of(&outbound), n) && contains(&bytes_of(&inbound), n), "draw {n}");
        }
        assert!(
            contains(&bytes_of(&inbound), 3) && !contains(&bytes_of(&outbound), 3),
            "sent, so it has moved on"
        );
        for (bytes, what) in [
            (bytes_after_drop(outbound), "outbound"),
            (bytes_after_drop(exported), "session key"),
            (bytes_after_drop(inbound), "inbound"),
        ] {
            for n in 0..5 {
                assert!(!contains(&bytes, n), "{what}, draw {n}");
            }
        }
        let mut outbound = OutboundGroupSession::new(&mut Pattern(0)).unwrap();
        let mut inbound = InboundGroupSession::new(&outbound.session_key());
        let message = outbound.encrypt(b"message", &mut out).unwrap().message;
        inbound.decrypt(message, &mut [0; 200]).unwrap();
        inbound.advance_to(1).unwrap();
        assert!(!contains(&bytes_of(&inbound), 3), "the part that has moved on is left");
        inbound.advance_to(1 << 24).unwrap();
        for n in 0..4 {
            assert!(!contains(&bytes_of(&inbound), n), "draw {n}");
        }
    });
}

// ATT-12
#[test]
fn attack_029_keys_of_files() {
    on_clean_stack(|| {
        // Draw 0 is the key. The first round keys of AES-256 are the key, too.
        let key = || AttachmentKey::generate(&mut Pattern(0)).unwrap();
        let info = key().encrypt_in_place(&mut [7; 100]);
        let mut encryptor = key().into_encryptor();
        encryptor.update(&mut [7; 100]);
        let mut decryptor = info.decryptor();
        let _ = decryptor.update(&mut [7; 100]).expose_unverified();
        let random_access = RandomAccess::new(&info);
        let before = [bytes_of(&encryptor), bytes_of(&decryptor), bytes_of(&random_access), bytes_of(&info)];
        assert!(before.iter().all(|bytes| contains(bytes, 0)));
        for (bytes, what) in [
            (bytes_after_drop(key()), "key"),
            (bytes_after_drop(encryptor), "encryptor"),
            (bytes_after_drop(decryptor), "decryptor"),
            (bytes_after_drop(random_access), "random access"),
            (bytes_after_drop(info), "info"),
        ] {
            assert!(!contains(&bytes, 0), "{what}");
        }
    });
}

// PIC-14
#[cfg(feature = "alloc")]
#[test]
fn attack_029_texts_and_states_of_libolm() {
    use mx_libolm_pickle::{
        read_account, read_outbound_group_session, read_session, write_account, write_outbound_group_session,
        write_session,
    };

    on_clean_stack(|| {
        // Draw 1 of an account is its identity key, draws 0 to 3 of a group session are its ratchet.
        let account = Account::<4, 4>::new(&mut Pattern(0)).unwrap();
        let outbound = OutboundGroupSession::new(&mut Pattern(0)).unwrap();
        // Draw 1 of a session is its ratchet key.
        let their_key = Curve25519SecretKey::generate(&mut Pattern(30)).unwrap().public_key();
        let session =
            Session::<4>::outbound(&mut Pattern(0), account.identity(), &their_key, &their_key).unwrap();
        let (_, leaked) = freed_with_secret(1, || {
            let pickle = write_account(&account, b"key");
            let restored = read_account::<4, 4>(&pickle, b"key").unwrap();
            assert_eq!(restored.identity().secret_bytes(), account.identity().secret_bytes());
            let pickle = write_session(&session, b"key");
            drop(read_session::<4>(&pickle, b"key").unwrap());
            let pickle = write_outbound_group_session(&outbound, b"key");
            drop(read_outbound_group_session(&pickle, b"key").unwrap());
        });
        assert_eq!(leaked, 0, "a block on the heap was freed with a secret in it");
    });
}
