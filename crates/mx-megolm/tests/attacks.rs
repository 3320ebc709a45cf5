//! Rows of the attack catalogue that are not about malformed input (those are in bad_input.rs and roundtrip.rs).

mod sessions;

use mx_megolm::{
    ExportedSessionKey, Generation, InboundGroupSession, OutboundGroupSession, PickleKey, SessionKey,
    UnpickleError,
    hazmat::{InboundState, OutboundState},
};
use rand_core::{TryCryptoRng, TryRng};
use sessions::{authenticated, decrypt, encrypt, outbound, rng, state_of};

/// A generator that is not there, gives only zeros, or fails after some draws.
struct Broken {
    errs: bool,
    draws_left: usize,
}

impl TryRng for Broken {
    type Error = core::fmt::Error;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("everything is drawn in bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("everything is drawn in bytes")
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let works = self.draws_left > 0;
        self.draws_left = self.draws_left.saturating_sub(1);
        bytes.fill(if works { 0x41 } else { 0 });
        if works || !self.errs { Ok(()) } else { Err(core::fmt::Error) }
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn attack_008_no_session_and_no_pickle_without_randomness() {
    let key = PickleKey::new(&[7; 32]);
    for errs in [true, false] {
        for draws_left in 0..2 {
            assert!(OutboundGroupSession::new(&mut Broken { errs, draws_left }).is_err());
        }
        OutboundGroupSession::new(&mut Broken { errs, draws_left: 2 }).unwrap();
        let mut sender = outbound(1);
        let mut out = [0x55; OutboundGroupSession::MAX_PICKLE_LEN];
        assert!(sender.pickle(&mut Broken { errs, draws_left: 0 }, &key, &mut out).is_err());
        assert_eq!((out, sender.generation()), ([0x55; _], Generation::NEVER_PICKLED));
    }
}

#[test]
fn attack_029_every_secret_is_wiped_when_dropped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<SessionKey>();
    wiped::<ExportedSessionKey>();
    wiped::<InboundGroupSession>();
    wiped::<OutboundGroupSession>();
    wiped::<PickleKey>();
}

#[test]
fn attack_046_a_failed_decrypt_does_not_move_the_session() {
    let mut sender = outbound(1);
    let mut receiver = InboundGroupSession::new(&sender.session_key());
    let messages: Vec<Vec<u8>> = (0..600).map(|_| encrypt(&mut sender, b"text")).collect();
    decrypt(&mut receiver, &messages[20]).unwrap();
    let before = state_of(&receiver);
    // The owner of the key signs a message 500 ahead, one 15 back, and the next one, each with a wrong MAC.
    for index in [520, 5, 21, 20] {
        let good = &messages[index];
        let mut bad = good[..good.len() - 64].to_vec();
        *bad.last_mut().unwrap() ^= 1;
        for _ in 0..2 {
            assert!(decrypt(&mut receiver, &sessions::signed(bad.clone())).is_err());
            assert_eq!(state_of(&receiver), before);
        }
    }
    for index in [21, 5, 520, 20, 0] {
        assert_eq!(decrypt(&mut receiver, &messages[index]).unwrap().0, b"text");
    }
}

#[test]
fn attack_058_an_older_pickle_is_refused() {
    let key = PickleKey::new(&[7; 32]);
    let mut sender = outbound(1);
    let mut pickles = Vec::new();
    for _ in 0..3 {
        encrypt(&mut sender, b"text");
        let mut out = vec![0; sender.pickle_len()];
        sender.pickle(&mut rng(), &key, &mut out).unwrap();
        pickles.push(out);
    }
    let newest = sender.generation();
    for pickle in &pickles[..2] {
        let error = OutboundGroupSession::from_pickle(&key, newest, pickle).unwrap_err();
        let found = Generation::of(pickle).unwrap();
        assert_eq!(error, UnpickleError::Stale { found, required: newest });
    }
    OutboundGroupSession::from_pickle(&key, newest, &pickles[2]).unwrap();

    let mut receiver = InboundGroupSession::new(&outbound(1).session_key());
    let mut old = [0; InboundGroupSession::PICKLE_LEN];
    receiver.pickle(&mut rng(), &key, &mut old).unwrap();
    receiver.pickle(&mut rng(), &key, &mut [0; InboundGroupSession::PICKLE_LEN]).unwrap();
    assert!(InboundGroupSession::from_pickle(&key, receiver.generation(), &old).is_err());
}

#[test]
fn attack_065_pickles_of_one_session_have_nothing_in_common() {
    let key = PickleKey::new(&[7; 32]);
    let mut rng = rng();
    let mut receiver = InboundGroupSession::new(&outbound(1).session_key());
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1000 {
        let mut out = [0; InboundGroupSession::PICKLE_LEN];
        receiver.pickle(&mut rng, &key, &mut out).unwrap();
        assert!(out[11..].chunks_exact(16).all(|part| seen.insert(part.to_vec())));
    }
}

// MEG-43
#[test]
fn attack_067_an_unsigned_session_stays_unsigned_in_a_pickle() {
    let key = PickleKey::new(&[7; 32]);
    let exported = InboundGroupSession::new(&outbound(1).session_key()).export_at(3).unwrap();
    let mut session = InboundGroupSession::import(&exported);
    let message = authenticated(3, &{
        let ciphertext = sessions::ciphertext_at(3, b"text");
        [&[3, 0x08, 3, 0x12, 16][..], &ciphertext].concat()
    });
    for _ in 0..3 {
        decrypt(&mut session, &message).unwrap();
        let mut out = [0; InboundGroupSession::PICKLE_LEN];
        let pickle = session.pickle(&mut rng(), &key, &mut out).unwrap();
        session = InboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, pickle).unwrap();
        assert_eq!(session.verified_from(), None);
    }
}

/// No four bytes of a secret, as hexadecimal, decimal or Base64, in what the types show of themselves.
#[test]
fn attack_068_debug_and_errors_show_no_secret() {
    let mut sender = outbound(1);
    let key = sender.session_key();
    let mut receiver = InboundGroupSession::new(&key);
    let exported = receiver.export_at(0).unwrap();
    let mut out = [0; 100];
    let secret_text = b"\x01\x01\x01\x01\x01\x01\x01\x01";
    let message = encrypt(&mut sender, secret_text);
    let decrypted = receiver.decrypt(&message, &mut out).unwrap();
    let mut shown = vec![
        format!("{decrypted:?} {decrypted:#?}"),
        format!("{sender:?} {sender:#?}"),
        format!("{receiver:?} {receiver:#?}"),
        format!("{key:?} {key:#?} {exported:?} {exported:#?}"),
        format!("{:?}", OutboundState::from(&sender)),
        format!("{:?}", InboundState::from(&receiver)),
    ];
    // Errors of keys that are wrong in each byte.
    for position in 0..SessionKey::LEN {
        let mut bytes = *key.as_bytes();
        bytes[position] ^= 0x80;
        let error = SessionKey::from_bytes(&bytes).unwrap_err();
        shown.push(format!("{error:?} {error}"));
    }
    // The ratchet and the seed of session 1 are nothing but ones.
    for text in shown {
        for run in ["\x01\x01", "0101", "01010101", "1, 1, 1", "AQEB", "EBAQ", "BAQE"] {
            assert!(!text.contains(run), "{text}");
        }
    }
    assert_eq!(
        format!("{sender:?}"),
        format!("OutboundGroupSession {{ session_id: {:?}, message_index: 1, .. }}", sender.session_id())
    );
}

/// The process dies at any step and starts again from what is stored.
#[test]
fn attack_089_no_index_is_used_twice_after_a_crash() {
    #[derive(Clone, Copy, PartialEq)]
    enum Crash {
        AfterEncrypt,
        AfterPickle,
        AfterStore,
        AfterSend,
        Never,
    }
    use Crash::{AfterEncrypt, AfterPickle, AfterSend, AfterStore, Never};
    let key = PickleKey::new(&[7; 32]);
    let mut rng = rng();
    let steps = [AfterEncrypt, AfterPickle, AfterStore, AfterSend, Never];
    // All sequences of three messages with a crash, or none, in each; and a fourth message.
    for number in 0..125 {
        let mut session = outbound(1);
        let mut stored = vec![0; session.pickle_len()];
        session.pickle(&mut rng, &key, &mut stored).unwrap();
        let mut newest = session.generation();
        let mut sent = Vec::new();
        for crash in [steps[number / 25], steps[number / 5 % 5], steps[number % 5], Never] {
            let mut buffer = [0; 200];
            let encrypted = session.encrypt(b"text", &mut buffer).unwrap();
            let index = encrypted.message_index;
            let mut pickle = vec![0; session.pickle_len()];
            if crash != AfterEncrypt {
                session.pickle(&mut rng, &key, &mut pickle).unwrap();
                if crash != AfterPickle {
                    newest = session.generation();
                    stored = pickle;
                    if crash != AfterStore {
                        sent.push(index);
                    }
                }
            }
            if crash != Never {
                session = OutboundGroupSession::from_pickle(&key, newest, &stored).unwrap();
                assert!(sent.iter().all(|sent| *sent < session.message_index()));
            }
        }
        assert!(sent.is_sorted_by(|earlier, later| earlier < later), "{sent:?}");
    }
}
