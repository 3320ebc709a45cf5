//! vodozemac's side of every row.

use std::time::Duration;

use vodozemac::{
    Curve25519PublicKey,
    megolm::{
        ExportedSessionKey, GroupSession, InboundGroupSession, InboundGroupSessionPickle, MegolmMessage,
        SessionConfig as MegolmConfig,
    },
    olm::{
        Account, AccountPickle, Message, OlmMessage, PreKeyMessage, Session, SessionConfig, SessionPickle,
    },
};

use crate::measure::{on_each, on_each_kept};

const KEY: [u8; 32] = [7; 32];

/// Two ends that have heard each other, so that messages are normal ones.
fn sessions() -> (Session, Session) {
    let (alice, mut bob) = (Account::new(), Account::new());
    let mut outbound = outbound_session(&alice, &mut bob);
    let OlmMessage::PreKey(first) = outbound.encrypt("first").expect("a new session can send") else {
        unreachable!("the first message is a pre-key message")
    };
    let config = SessionConfig::version_1();
    let created = bob.create_inbound_session(config, alice.curve25519_key(), &first);
    let mut inbound = created.expect("the message is genuine").session;
    let answer = inbound.encrypt("answer").expect("a new session can send");
    outbound.decrypt(&answer).expect("the message is genuine");
    (outbound, inbound)
}

fn one_time_key(account: &mut Account) -> Curve25519PublicKey {
    account.generate_one_time_keys(1);
    let key = account.one_time_keys().into_values().next().expect("just generated");
    account.mark_keys_as_published();
    key
}

fn outbound_session(from: &Account, to: &mut Account) -> Session {
    let key = one_time_key(to);
    let session = from.create_outbound_session(SessionConfig::version_1(), to.curve25519_key(), key);
    session.expect("honest keys")
}

fn encrypt(session: &mut Session, plaintext: &[u8]) -> String {
    match session.encrypt(plaintext).expect("the session can send") {
        OlmMessage::Normal(message) => message.to_base64(),
        OlmMessage::PreKey(message) => message.to_base64(),
    }
}

fn decrypt(session: &mut Session, message: &str) -> Vec<u8> {
    let message = Message::from_base64(message).expect("well-formed");
    session.decrypt(&OlmMessage::Normal(message)).expect("genuine")
}

pub fn olm_encrypt(count: usize, plaintext: &[u8]) -> Duration {
    let (mut alice, mut bob) = sessions();
    let first = encrypt(&mut alice, b"starts the chain");
    decrypt(&mut bob, &first);
    on_each(0..count, |_| encrypt(&mut alice, plaintext))
}

pub fn olm_decrypt(count: usize, plaintext: &[u8]) -> Duration {
    let (mut alice, mut bob) = sessions();
    let first = encrypt(&mut alice, b"starts the chain");
    decrypt(&mut bob, &first);
    let messages: Vec<_> = (0..count).map(|_| encrypt(&mut alice, plaintext)).collect();
    on_each(&messages, |message| decrypt(&mut bob, message))
}

pub fn olm_ping_pong(count: usize) -> Duration {
    let (mut alice, mut bob) = sessions();
    on_each(0..count, |_| {
        let ping = encrypt(&mut alice, &[1; 64]);
        decrypt(&mut bob, &ping);
        let pong = encrypt(&mut bob, &[2; 64]);
        decrypt(&mut alice, &pong)
    })
}

pub fn olm_outbound(count: usize) -> Duration {
    let (alice, mut bob) = (Account::new(), Account::new());
    let keys: Vec<_> = (0..count).map(|_| one_time_key(&mut bob)).collect();
    let identity_key = bob.curve25519_key();
    on_each_kept(keys, |key| {
        let session = alice.create_outbound_session(SessionConfig::version_1(), identity_key, key);
        let mut session = session.expect("honest keys");
        let message = encrypt(&mut session, &[1; 64]);
        (session, message)
    })
}

pub fn olm_inbound(count: usize) -> Duration {
    let (alice, mut bob) = (Account::new(), Account::new());
    let messages: Vec<_> =
        (0..count).map(|_| encrypt(&mut outbound_session(&alice, &mut bob), &[1; 64])).collect();
    let identity_key = alice.curve25519_key();
    on_each_kept(&messages, |message| {
        let message = PreKeyMessage::from_base64(message).expect("well-formed");
        bob.create_inbound_session(SessionConfig::version_1(), identity_key, &message).expect("genuine")
    })
}

pub fn olm_skip(count: usize, skipped: usize) -> Duration {
    let (mut alice, mut bob) = sessions();
    let first = encrypt(&mut alice, b"starts the chain");
    decrypt(&mut bob, &first);
    for _ in 0..skipped {
        encrypt(&mut alice, b"lost");
    }
    let message = encrypt(&mut alice, &[1; 64]);
    let pickle = bob.pickle().encrypt(&KEY);
    let bobs = (0..count).map(|_| olm_session_from(&pickle));
    on_each_kept(bobs, |mut bob| {
        decrypt(&mut bob, &message);
        bob
    })
}

fn olm_session_from(pickle: &str) -> Session {
    Session::from_pickle(SessionPickle::from_encrypted(pickle, &KEY).expect("just written"))
}

pub fn one_time_keys(count: usize) -> Duration {
    on_each_kept((0..count).map(|_| Account::new()), |mut account| {
        account.generate_one_time_keys(100);
        account
    })
}

pub fn account_unpickle(count: usize) -> Duration {
    let mut account = Account::new();
    account.generate_one_time_keys(50);
    let pickle = account.pickle().encrypt(&KEY);
    on_each(0..count, |_| {
        Account::from_pickle(AccountPickle::from_encrypted(&pickle, &KEY).expect("just written"))
    })
}

pub fn olm_pickle(count: usize) -> Duration {
    let session = sessions().0;
    on_each(0..count, |_| session.pickle().encrypt(&KEY))
}

pub fn olm_unpickle(count: usize) -> Duration {
    let pickle = sessions().0.pickle().encrypt(&KEY);
    on_each(0..count, |_| olm_session_from(&pickle))
}

fn inbound(outbound: &GroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&outbound.session_key(), MegolmConfig::version_1())
}

pub fn megolm_encrypt(count: usize, plaintext: &[u8]) -> Duration {
    let mut outbound = GroupSession::new(MegolmConfig::version_1());
    on_each(0..count, |_| outbound.encrypt(plaintext).to_base64())
}

fn megolm_read(session: &mut InboundGroupSession, message: &str) -> Vec<u8> {
    let message = MegolmMessage::from_base64(message).expect("well-formed");
    session.decrypt(&message).expect("genuine").plaintext
}

/// A fresh session for each message.
pub fn megolm_decrypt_first(count: usize, plaintext: &[u8]) -> Duration {
    let mut outbound = GroupSession::new(MegolmConfig::version_1());
    let sessions: Vec<_> = (0..count).map(|_| inbound(&outbound)).collect();
    let message = outbound.encrypt(plaintext).to_base64();
    on_each_kept(sessions, |mut session| {
        megolm_read(&mut session, &message);
        session
    })
}

/// One message after the other.
pub fn megolm_decrypt_next(count: usize, plaintext: &[u8]) -> Duration {
    let mut outbound = GroupSession::new(MegolmConfig::version_1());
    let mut session = inbound(&outbound);
    let messages: Vec<_> = (0..count).map(|_| outbound.encrypt(plaintext).to_base64()).collect();
    on_each(&messages, |message| megolm_read(&mut session, message))
}

pub fn megolm_import(count: usize) -> Duration {
    let exported =
        inbound(&GroupSession::new(MegolmConfig::version_1())).export_at_first_known_index().to_base64();
    on_each(0..count, |_| {
        let key = ExportedSessionKey::from_base64(&exported).expect("well-formed");
        InboundGroupSession::import(&key, MegolmConfig::version_1())
    })
}

pub fn megolm_import_bytes(count: usize) -> Duration {
    let exported =
        inbound(&GroupSession::new(MegolmConfig::version_1())).export_at_first_known_index().to_bytes();
    on_each(0..count, |_| {
        let key = ExportedSessionKey::from_bytes(&exported).expect("well-formed");
        InboundGroupSession::import(&key, MegolmConfig::version_1())
    })
}

/// The states at 700 indices from the top down, in a session known from index 0.
pub fn megolm_newest_first(count: usize, top: u32) -> Duration {
    let outbound = GroupSession::new(MegolmConfig::version_1());
    on_each_kept((0..count).map(|_| inbound(&outbound)), |mut session| {
        for index in (top - 700..top).rev() {
            core::hint::black_box(session.export_at(index).expect("known"));
        }
        session
    })
}

pub fn megolm_fast_forward(count: usize) -> Duration {
    let outbound = GroupSession::new(MegolmConfig::version_1());
    on_each_kept((0..count).map(|_| inbound(&outbound)), |mut session| {
        core::hint::black_box(session.export_at(u32::MAX).expect("known"));
        session
    })
}

pub fn megolm_pickle(count: usize) -> Duration {
    let session = inbound(&GroupSession::new(MegolmConfig::version_1()));
    on_each(0..count, |_| session.pickle().encrypt(&KEY))
}

pub fn megolm_unpickle(count: usize) -> Duration {
    let session = inbound(&GroupSession::new(MegolmConfig::version_1()));
    let pickle = session.pickle().encrypt(&KEY);
    on_each(0..count, |_| {
        let pickle = InboundGroupSessionPickle::from_encrypted(&pickle, &KEY).expect("just written");
        InboundGroupSession::from_pickle(pickle)
    })
}
