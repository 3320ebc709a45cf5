//! Our side of every row: the same work as in `vodozemac_cases`, line by line.

use std::time::Duration;

use mx_megolm::{ExportedSessionKey, InboundGroupSession, OutboundGroupSession};
use mx_olm::{Account, MessageType, OlmMessageBuf, Session};
use mx_pickle::{Generation, PickleKey};
use mx_types::{
    Curve25519PublicKey,
    base64::{TrailingBits, decode_to_vec, encode_to_string},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::measure::{on_each, on_each_kept};

/// Room for 64 KiB in Base64.
const MAX_TEXT_LEN: usize = 1 << 20;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(5)
}

fn pickle_key() -> PickleKey {
    PickleKey::new(&[7; 32])
}

/// Two ends that have heard each other, so that messages are normal ones.
fn sessions(rng: &mut ChaCha20Rng) -> (Session, Session) {
    let alice: Account = Account::new(rng).expect("random");
    let mut bob: Account = Account::new(rng).expect("random");
    let key = one_time_key(rng, &mut bob);
    let mut outbound = outbound_session(rng, &alice, &bob.curve25519_key(), &key);
    let first = encrypt(rng, &mut outbound, b"first");
    let mut inbound = inbound_session(&mut bob, &alice.curve25519_key(), &first);
    let answer = encrypt(rng, &mut inbound, b"answer");
    decrypt(&mut outbound, &answer);
    (outbound, inbound)
}

fn one_time_key(rng: &mut ChaCha20Rng, account: &mut Account) -> Curve25519PublicKey {
    let key = account.one_time_keys_mut().generate(rng).expect("random").key.key;
    account.one_time_keys_mut().mark_as_published();
    key
}

fn outbound_session(
    rng: &mut ChaCha20Rng,
    from: &Account,
    identity_key: &Curve25519PublicKey,
    one_time_key: &Curve25519PublicKey,
) -> Session {
    Session::outbound(rng, from.identity(), identity_key, one_time_key).expect("honest keys")
}

fn inbound_session(account: &mut Account, identity_key: &Curve25519PublicKey, message: &str) -> Session {
    let message =
        OlmMessageBuf::from_base64(MessageType::PreKey, message, MAX_TEXT_LEN).expect("well-formed");
    let mx_olm::OlmMessage::PreKey(message) = message.parse().expect("well-formed") else {
        unreachable!("the type is given above")
    };
    let mut plaintext = vec![0; message.message().ciphertext().len()];
    account.inbound_session(identity_key, &message, &mut plaintext).expect("genuine").session
}

fn encrypt(rng: &mut ChaCha20Rng, session: &mut Session, plaintext: &[u8]) -> String {
    encode_to_string(&session.encrypt_to_vec(rng, plaintext).expect("the session can send").1)
}

fn decrypt(session: &mut Session, message: &str) -> Vec<u8> {
    let message =
        OlmMessageBuf::from_base64(MessageType::Normal, message, MAX_TEXT_LEN).expect("well-formed");
    session.decrypt_to_vec(&message.parse().expect("well-formed")).expect("genuine")
}

pub fn olm_encrypt(count: usize, plaintext: &[u8]) -> Duration {
    let rng = &mut rng();
    let (mut alice, mut bob) = sessions(rng);
    let first = encrypt(rng, &mut alice, b"starts the chain");
    decrypt(&mut bob, &first);
    on_each(0..count, |_| encrypt(rng, &mut alice, plaintext))
}

pub fn olm_decrypt(count: usize, plaintext: &[u8]) -> Duration {
    let rng = &mut rng();
    let (mut alice, mut bob) = sessions(rng);
    let first = encrypt(rng, &mut alice, b"starts the chain");
    decrypt(&mut bob, &first);
    let messages: Vec<_> = (0..count).map(|_| encrypt(rng, &mut alice, plaintext)).collect();
    on_each(&messages, |message| decrypt(&mut bob, message))
}

pub fn olm_ping_pong(count: usize) -> Duration {
    let rng = &mut rng();
    let (mut alice, mut bob) = sessions(rng);
    on_each(0..count, |_| {
        let ping = encrypt(rng, &mut alice, &[1; 64]);
        decrypt(&mut bob, &ping);
        let pong = encrypt(rng, &mut bob, &[2; 64]);
        decrypt(&mut alice, &pong)
    })
}

pub fn olm_outbound(count: usize) -> Duration {
    let rng = &mut rng();
    let alice: Account = Account::new(rng).expect("random");
    let mut bob: Account = Account::new(rng).expect("random");
    let keys: Vec<_> = (0..count).map(|_| one_time_key(rng, &mut bob)).collect();
    let identity_key = bob.curve25519_key();
    on_each_kept(keys, |key| {
        let mut session = outbound_session(rng, &alice, &identity_key, &key);
        let message = encrypt(rng, &mut session, &[1; 64]);
        (session, message)
    })
}

pub fn olm_inbound(count: usize) -> Duration {
    let rng = &mut rng();
    let alice: Account = Account::new(rng).expect("random");
    let identity_key = alice.curve25519_key();
    // An account keeps 100 keys, so each session gets an account with one.
    let cases: Vec<_> = (0..count)
        .map(|_| {
            let mut bob: Account = Account::new(rng).expect("random");
            let key = one_time_key(rng, &mut bob);
            let mut session = outbound_session(rng, &alice, &bob.curve25519_key(), &key);
            let message = encrypt(rng, &mut session, &[1; 64]);
            (bob, message)
        })
        .collect();
    on_each_kept(cases, |(mut bob, message)| {
        let session = inbound_session(&mut bob, &identity_key, &message);
        (session, bob)
    })
}

pub fn olm_skip(count: usize, skipped: usize) -> Duration {
    let rng = &mut rng();
    let (mut alice, mut bob) = sessions(rng);
    let first = encrypt(rng, &mut alice, b"starts the chain");
    decrypt(&mut bob, &first);
    for _ in 0..skipped {
        encrypt(rng, &mut alice, b"lost");
    }
    let message = encrypt(rng, &mut alice, &[1; 64]);
    let key = pickle_key();
    let pickle = olm_pickle_of(rng, &mut bob, &key);
    on_each_kept((0..count).map(|_| olm_session_from(&key, &pickle)), |mut bob| {
        decrypt(&mut bob, &message);
        bob
    })
}

fn olm_pickle_of(rng: &mut ChaCha20Rng, session: &mut Session, key: &PickleKey) -> Vec<u8> {
    let mut out = vec![0; session.pickle_len()];
    session.pickle(rng, key, &mut out).expect("enough room");
    out
}

fn olm_session_from(key: &PickleKey, pickle: &[u8]) -> Session {
    Session::from_pickle(key, Generation::NEVER_PICKLED, pickle).expect("just written")
}

pub fn one_time_keys(count: usize) -> Duration {
    let rng = &mut rng();
    let accounts: Vec<Account> = (0..count).map(|_| Account::new(rng).expect("random")).collect();
    on_each_kept(accounts, |mut account| {
        for _ in 0..100 {
            let _ = account.one_time_keys_mut().generate(rng).expect("random");
        }
        account
    })
}

pub fn account_unpickle(count: usize) -> Duration {
    let rng = &mut rng();
    let mut account: Account = Account::new(rng).expect("random");
    for _ in 0..50 {
        let _ = account.one_time_keys_mut().generate(rng).expect("random");
    }
    let key = pickle_key();
    let mut pickle = vec![0; account.pickle_len()];
    account.pickle(rng, &key, &mut pickle).expect("enough room");
    on_each(0..count, |_| -> Account {
        Account::from_pickle(&key, Generation::NEVER_PICKLED, &pickle).expect("just written")
    })
}

pub fn olm_pickle(count: usize) -> Duration {
    let rng = &mut rng();
    let mut session = sessions(rng).0;
    let key = pickle_key();
    on_each(0..count, |_| olm_pickle_of(rng, &mut session, &key))
}

pub fn olm_unpickle(count: usize) -> Duration {
    let rng = &mut rng();
    let key = pickle_key();
    let mut session = sessions(rng).0;
    let pickle = olm_pickle_of(rng, &mut session, &key);
    on_each(0..count, |_| olm_session_from(&key, &pickle))
}

fn group() -> OutboundGroupSession {
    OutboundGroupSession::new(&mut rng()).expect("random")
}

fn inbound(outbound: &OutboundGroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&outbound.session_key())
}

fn megolm_write(session: &mut OutboundGroupSession, plaintext: &[u8]) -> String {
    encode_to_string(&session.encrypt_to_vec(plaintext).expect("the session can send").0)
}

fn megolm_read(session: &mut InboundGroupSession, message: &str) -> Vec<u8> {
    let message = decode_to_vec(message, TrailingBits::Ignored).expect("well-formed");
    session.decrypt_to_vec(&message).expect("genuine").0
}

pub fn megolm_encrypt(count: usize, plaintext: &[u8]) -> Duration {
    let mut outbound = group();
    on_each(0..count, |_| megolm_write(&mut outbound, plaintext))
}

/// A fresh session for each message.
pub fn megolm_decrypt_first(count: usize, plaintext: &[u8]) -> Duration {
    let mut outbound = group();
    let sessions: Vec<_> = (0..count).map(|_| inbound(&outbound)).collect();
    let message = megolm_write(&mut outbound, plaintext);
    on_each_kept(sessions, |mut session| {
        megolm_read(&mut session, &message);
        session
    })
}

/// One message after the other.
pub fn megolm_decrypt_next(count: usize, plaintext: &[u8]) -> Duration {
    let mut outbound = group();
    let mut session = inbound(&outbound);
    let messages: Vec<_> = (0..count).map(|_| megolm_write(&mut outbound, plaintext)).collect();
    on_each(&messages, |message| megolm_read(&mut session, message))
}

pub fn megolm_import(count: usize) -> Duration {
    let exported = inbound(&group()).export_at(0).expect("known").to_base64_string();
    on_each(0..count, |_| {
        InboundGroupSession::import(&ExportedSessionKey::from_base64(&exported).expect("well-formed"))
    })
}

pub fn megolm_import_bytes(count: usize) -> Duration {
    let exported = inbound(&group()).export_at(0).expect("known");
    on_each(0..count, |_| {
        let key = ExportedSessionKey::from_bytes(exported.as_bytes()).expect("well-formed");
        InboundGroupSession::import(&key)
    })
}

/// The states at 700 indices from the top down, in a session known from index 0.
pub fn megolm_newest_first(count: usize, top: u32) -> Duration {
    let outbound = group();
    on_each_kept((0..count).map(|_| inbound(&outbound)), |mut session| {
        for index in (top - 700..top).rev() {
            core::hint::black_box(session.export_at(index).expect("known"));
        }
        session
    })
}

pub fn megolm_fast_forward(count: usize) -> Duration {
    let outbound = group();
    on_each_kept((0..count).map(|_| inbound(&outbound)), |mut session| {
        core::hint::black_box(session.export_at(u32::MAX).expect("known"));
        session
    })
}

pub fn megolm_pickle(count: usize) -> Duration {
    let rng = &mut rng();
    let mut session = inbound(&group());
    let key = pickle_key();
    on_each(0..count, |_| session.pickle_to_vec(rng, &key).expect("enough room"))
}

pub fn megolm_unpickle(count: usize) -> Duration {
    let key = pickle_key();
    let pickle = inbound(&group()).pickle_to_vec(&mut rng(), &key).expect("enough room");
    on_each(0..count, |_| {
        InboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, &pickle).expect("just written")
    })
}
