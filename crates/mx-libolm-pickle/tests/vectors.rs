//! Known answers of tests/vectors/libolm.json, where the provenance of each is named.
#![expect(clippy::unwrap_used, reason = "tests")]

mod pickled;

use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_libolm_pickle::{
    LibolmPickleError, read_account, read_decryption_key, read_inbound_group_session,
    read_outbound_group_session, read_session, write_account, write_decryption_key,
    write_inbound_group_session, write_outbound_group_session, write_session,
};
use mx_megolm::hazmat::{InboundState, OutboundState};
use mx_olm::hazmat::{account_state, session_state};
use mx_olm::{Account, MessageType, OlmMessage, PreKeyMessage, Session};
use mx_types::base64::{TrailingBits, decode_to_vec};
use pickled::{hex, seal, to_hex, unseal, vector};

const OLM: &str = "self_made_olm";
const MEGOLM: &str = "self_made_megolm";

fn public_of(secret: &str) -> mx_types::Curve25519PublicKey {
    Curve25519SecretKey::from_secret_bytes(&hex(&vector(OLM, secret))).public_key()
}

fn bytes(text: &str) -> Vec<u8> {
    decode_to_vec(text, TrailingBits::Refused).unwrap()
}

// PIC-1, PIC-2, PIC-3, PIC-4, PIC-6
#[test]
fn account_with_an_unpublished_one_time_key() {
    let pickle = vector(OLM, "bob_account_v4_1_otk_unpublished");
    assert_eq!(unseal(&pickle, b"").len(), 242);
    let account: Account = read_account(&pickle, b"").unwrap();
    let state = account_state(&account);
    let ed25519_key = Ed25519SecretKey::from_seed(&hex(&vector(OLM, "bob_ed25519_seed")));
    assert_eq!(account.ed25519_key(), ed25519_key.public_key());
    assert_eq!(*state.ed25519_expanded, *ed25519_key.expanded_bytes());
    assert_eq!(*state.identity.secret_bytes(), hex(&vector(OLM, "bob_identity_priv")));
    let [key] = state.one_time_keys.as_slice() else { panic!("one key") };
    assert_eq!((key.number, key.published, key.short_id), (1, false, true));
    assert_eq!(*key.key.secret_bytes(), hex(&vector(OLM, "bob_one_time_priv")));
    assert!(state.fallbacks.is_empty());
    assert_eq!(state.last_number, 1);
    let names: Vec<_> = account.one_time_keys().unpublished().map(|key| key.id.to_string()).collect();
    assert_eq!(names, ["AAAAAQ"]);
    assert_eq!(write_account(&account, b""), pickle);
}

// PIC-4
#[test]
fn account_with_a_published_fallback_key() {
    let pickle = vector(OLM, "bob_account_v4_1_otk_1_fallback_published");
    assert_eq!(unseal(&pickle, b"").len(), 311);
    let account: Account = read_account(&pickle, b"").unwrap();
    let state = account_state(&account);
    assert!(state.one_time_keys[0].published);
    let [fallback] = &state.fallbacks[..] else { panic!("one fallback key") };
    assert_eq!((fallback.number, fallback.published), (2, true));
    assert_eq!(*fallback.key.secret_bytes(), hex(&vector(OLM, "bob_fallback_priv")));
    assert_eq!(state.last_number, 2);
    assert_eq!(write_account(&account, b""), pickle);
}

// PIC-5
#[test]
fn account_of_version_3() {
    let pickle = vector("libolm_account", "v3");
    let plaintext = unseal(&pickle, b"");
    assert_eq!(plaintext.len(), 310);
    let account: Account = read_account(&pickle, b"").unwrap();
    let keys = account.one_time_keys();
    let fallback = keys.fallback().unwrap();
    assert_eq!(fallback.id.to_string(), "AAAAAQ");
    assert_eq!(fallback.key.to_string(), vector("libolm_account", "v3_fallback_public"));
    assert!(keys.is_empty() && keys.unpublished_fallback().is_none());
    assert_eq!(account_state(&account).last_number, 1);
    // It becomes version 4: the number of fallback keys, and one of the two records.
    let expected =
        [&4u32.to_be_bytes(), &plaintext[4..168], &[1], &plaintext[168..237], &plaintext[306..]].concat();
    assert_eq!(unseal(&write_account(&account, b""), b""), expected);
}

// PIC-5
#[test]
fn account_of_version_2_has_no_fallback_keys() {
    let version_3 = unseal(&vector("libolm_account", "v3"), b"");
    let version_2 = [&2u32.to_be_bytes(), &version_3[4..168], &version_3[306..]].concat();
    let account: Account = read_account(&seal(&version_2, b""), b"").unwrap();
    assert!(account.one_time_keys().fallback().is_none());
    assert_eq!(account_state(&account).last_number, 1);
}

// PIC-5
#[test]
fn account_of_version_1_is_refused() {
    let pickle = vector("libolm_account", "v1");
    assert_eq!(unseal(&pickle, b"").len(), 140);
    assert_eq!(read_account::<100, 200>(&pickle, b"").unwrap_err(), LibolmPickleError::LegacyAccount);
}

// PIC-8, PIC-9, OLM-22
#[test]
fn session_that_has_only_sent() {
    let pickle = vector(OLM, "alice_session_after_2_sent");
    assert_eq!(unseal(&pickle, b"").len(), 245);
    let session: Session = read_session(&pickle, b"").unwrap();
    let state = session_state(&session);
    assert!(!state.received && !session.has_received());
    assert_eq!(state.keys.identity_key, public_of("alice_identity_priv"));
    assert_eq!(state.keys.base_key, public_of("alice_base_priv"));
    assert_eq!(state.keys.one_time_key, public_of("bob_one_time_priv"));
    assert_eq!(session.keys().session_id().to_string(), vector(OLM, "session_id"));
    assert_eq!(*state.root_key, hex(&vector(OLM, "R0")));
    let (ratchet_key, chain) = state.sender.as_ref().unwrap();
    assert_eq!(*ratchet_key.secret_bytes(), hex(&vector(OLM, "alice_ratchet_priv")));
    assert_eq!(chain.index, 2);
    assert!(state.receivers.is_empty() && state.skipped.is_empty());
    assert_eq!(write_session(&session, b""), pickle);
}

// PIC-8
#[test]
fn session_with_a_skipped_message() {
    let pickle = vector(OLM, "bob_session_after_decrypting_msg1_only");
    assert_eq!(unseal(&pickle, b"").len(), 281);
    let mut session: Session = read_session(&pickle, b"").unwrap();
    let state = session_state(&session);
    assert!(state.received && state.sender.is_none());
    let [(ratchet_key, chain)] = state.receivers.as_slice() else { panic!("one chain") };
    assert_eq!((*ratchet_key, chain.index), (public_of("alice_ratchet_priv"), 2));
    let [skipped] = state.skipped.as_slice() else { panic!("one key") };
    assert_eq!((skipped.ratchet_key, skipped.index), (*ratchet_key, 0));
    assert_eq!(*skipped.message_key, hex(&vector(OLM, "M_0_0")));
    assert_eq!(write_session(&session, b""), pickle);

    // The message that was skipped, and no second time.
    let message = bytes(&vector(OLM, "prekey_msg_0_plaintext_Hello"));
    let message = OlmMessage::PreKey(PreKeyMessage::parse(&message).unwrap());
    let mut out = [0; 64];
    assert_eq!(session.decrypt(&message, &mut out).unwrap(), b"Hello");
    session.decrypt(&message, &mut out).unwrap_err();
}

// PIC-8
#[test]
fn session_after_a_reply() {
    let pickle = vector(OLM, "alice_session_after_reply");
    assert_eq!(unseal(&pickle, b"").len(), 213);
    let session: Session = read_session(&pickle, b"").unwrap();
    let state = session_state(&session);
    assert!(state.received && state.sender.is_none());
    assert_eq!(*state.root_key, hex(&vector(OLM, "R1")));
    assert_eq!((state.receivers[0].0, state.receivers[0].1.index), (public_of("bob_ratchet_priv"), 1));
    assert_eq!(write_session(&session, b""), pickle);
}

// PIC-8: a session goes on where libolm stopped
#[test]
fn session_reads_a_reply() {
    let mut session: Session = read_session(&vector(OLM, "alice_session_after_2_sent"), b"").unwrap();
    let reply = bytes(&vector(OLM, "bob_reply_plaintext_World"));
    let reply = OlmMessage::parse(MessageType::Normal, &reply).unwrap();
    assert_eq!(session.decrypt(&reply, &mut [0; 64]).unwrap(), b"World");
    assert_eq!(write_session(&session, b""), vector(OLM, "alice_session_after_reply"));
}

// PIC-8, both versions
#[test]
fn sessions_of_libolms_tests() {
    let group = "libolm_session";
    let key = vector(group, "pickle_key");
    for name in ["v1", "v80000001"] {
        let pickle = vector(group, name);
        assert_eq!(to_hex(&unseal(&pickle, key.as_bytes())), vector(group, &format!("{name}_plain_hex")));
        let session: Session = read_session(&pickle, key.as_bytes()).unwrap();
        let state = session_state(&session);
        let (ratchet_key, chain) = state.sender.as_ref().unwrap();
        for (actual, expected) in [
            (state.keys.identity_key.as_bytes(), "alice_identity"),
            (state.keys.base_key.as_bytes(), "alice_base"),
            (state.keys.one_time_key.as_bytes(), "bob_one_time"),
            (&*state.root_key, "root_key"),
            (ratchet_key.public_key().as_bytes(), "sender_ratchet_public"),
            (ratchet_key.secret_bytes(), "sender_ratchet_private"),
        ] {
            assert_eq!(to_hex(actual), vector(group, expected), "{expected}");
        }
        assert!(!state.received && chain.index == 0);
        assert!(state.receivers.is_empty() && state.skipped.is_empty());
        // The newer of the two is what is written.
        assert_eq!(write_session(&session, key.as_bytes()), vector(group, "v1"));
    }
}

// MEG-60, MEG-63
#[test]
fn outbound_group_session() {
    let pickle = vector(MEGOLM, "outbound_v1_after_1_message");
    let session = read_outbound_group_session(&pickle, b"").unwrap();
    assert_eq!(session.session_id().to_string(), vector(MEGOLM, "session_id"));
    let state = OutboundState::from(&session);
    assert_eq!(state.ratchet.index, 1);
    assert_eq!(*state.ratchet.parts, hex(&vector(MEGOLM, "ratchet_1")));
    let signing_key = Ed25519SecretKey::from_seed(&hex(&vector(MEGOLM, "ed25519_seed")));
    assert_eq!(*state.expanded_signing_key, *signing_key.expanded_bytes());
    assert_eq!(write_outbound_group_session(&session, b""), pickle);
}

// MEG-61
#[test]
fn inbound_group_session() {
    let pickle = vector(MEGOLM, "inbound_v2_at_0");
    let mut session = read_inbound_group_session(&pickle, b"").unwrap();
    assert_eq!(session.session_id().to_string(), vector(MEGOLM, "session_id"));
    let state = InboundState::from(&session);
    assert_eq!((state.earliest.index, state.latest.index, state.verified_from), (0, 0, Some(0)));
    assert_eq!(*state.earliest.parts, hex(&vector(MEGOLM, "ratchet_0")));
    assert_eq!(write_inbound_group_session(&session, b""), pickle);

    let message = bytes(&vector(MEGOLM, "message_0_plaintext_Hello"));
    assert_eq!(session.decrypt_to_vec(&message).unwrap(), (b"Hello".to_vec(), 0));

    // Version 1 has no mark of verified keys: all are.
    let version_2 = unseal(&pickle, b"");
    let version_1 = [&1u32.to_be_bytes(), &version_2[4..version_2.len() - 1]].concat();
    let session = read_inbound_group_session(&seal(&version_1, b""), b"").unwrap();
    assert_eq!(session.verified_from(), Some(0));
    assert_eq!(write_inbound_group_session(&session, b""), pickle);
}

// PIC-10
#[test]
fn decryption_key() {
    let group = "libolm_pk_decryption";
    let (pickle, pickle_key) = (vector(group, "v1"), vector(group, "pickle_key"));
    assert_eq!(unseal(&pickle, pickle_key.as_bytes()).len(), 68);
    let key = read_decryption_key(&pickle, pickle_key.as_bytes()).unwrap();
    assert_eq!(to_hex(key.secret_bytes()), vector(group, "secret_key"));
    assert_eq!(key.public_key().to_string(), vector(group, "public_key"));
    assert_eq!(write_decryption_key(&key, pickle_key.as_bytes()), pickle);
}

// PIC-1: a padded text is the same pickle
#[test]
fn padding_is_accepted() {
    let pickle = vector(OLM, "bob_account_v4_1_otk_1_fallback_published");
    let padded = format!("{pickle}{}", &"==="[..(4 - pickle.len() % 4) % 4]);
    assert_ne!(pickle, padded);
    let account: Account = read_account(&padded, b"").unwrap();
    assert_eq!(write_account(&account, b""), pickle);
}
