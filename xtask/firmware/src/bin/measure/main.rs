//! What operations take: instructions, as QEMU counts them with `-icount shift=0`, and stack. `cargo xtask size --run` runs it.

#![no_std]
#![no_main]

use core::hint::black_box;

use firmware::{entropy::Entropy, link::Link, meter::Meter};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey, Ed25519Verifier, KeyAgreement as _};
use mx_megolm::{Generation, InboundGroupSession, OutboundGroupSession, PickleKey, SessionKey};
use mx_olm::{Account, MessageType, OlmMessage, PreKeyMessage, Session};
use mx_types::base64::{self, TrailingBits};

firmware::start!(run);

const PLAINTEXT: [u8; 160] = [b'x'; 160];

fn run() -> ! {
    let mut meter = Meter::new(Link::open().expect("QEMU runs with semihosting"));
    keys(&mut meter);
    olm(&mut meter);
    megolm(&mut meter);
    semihosting::process::exit(0)
}

/// A message's bytes, from its Base64.
fn read<'b>(text: &[u8], bytes: &'b mut [u8]) -> &'b [u8] {
    let text = str::from_utf8(text).expect("is Base64");
    base64::decode(text, TrailingBits::Ignored, bytes).expect("was made here")
}

#[inline(never)]
fn keys(meter: &mut Meter) {
    let mut rng = Entropy::new();
    let signing =
        meter.take("Ed25519 key, drawn", || Ed25519SecretKey::generate(&mut rng)).expect("is random");
    let signature = meter.take("Ed25519 signature of 160 B", || signing.sign(&black_box(PLAINTEXT)));
    let mut verifier = Ed25519Verifier::new(black_box(signing.public_key()));
    meter.take("verified, key seen first", || verifier.verify(&PLAINTEXT, &signature)).expect("is signed");
    meter.take("verified, key known", || verifier.verify(&PLAINTEXT, &signature)).expect("is signed");
    let ours = Curve25519SecretKey::generate(&mut rng).expect("is random");
    let theirs = black_box(Curve25519SecretKey::from_secret_bytes(&[5; 32]).public_key());
    let _ = black_box(meter.take("X25519 agreement", || ours.diffie_hellman(&theirs)));
}

#[inline(never)]
fn olm(meter: &mut Meter) {
    let mut rng = Entropy::new();
    let mut account = meter.take("account, new", || Account::<8, 8>::new(&mut rng)).expect("is random");
    let key = meter
        .take("one-time key", || account.one_time_keys_mut().generate(&mut rng))
        .expect("is random")
        .key
        .key;
    for _ in 1..8 {
        let _ = account.one_time_keys_mut().generate(&mut rng);
    }
    let _ = account.one_time_keys_mut().generate_fallback(&mut rng);
    let their_key = account.curve25519_key();
    let mut ours = meter
        .take("Olm session, begun", || Session::<8>::outbound(&mut rng, account.identity(), &their_key, &key))
        .expect("the keys agree");
    // Messages as they travel: Base64 is part of it, on both sides.
    let (mut text, mut bytes) = ([0; 540], [0; 400]);
    let (mut received, mut plaintext) = ([0; 400], [0; 256]);
    let mut encrypt = |session: &mut Session<8>, text: &mut [u8]| {
        let message = session.encrypt(&mut rng, &PLAINTEXT, &mut bytes).expect("fits");
        base64::encode(message.bytes, text).expect("fits").len()
    };
    let len = meter.take("Olm encrypt 160 B", || encrypt(&mut ours, &mut text));
    let mut theirs = meter.take("Olm session, of a message", || {
        let message = PreKeyMessage::parse(read(&text[..len], &mut received)).expect("was made here");
        account.inbound_session::<8>(&their_key, &message, &mut plaintext).expect("was made here").session
    });
    let mut decrypt = |session: &mut Session<8>, text: &[u8]| {
        let message =
            OlmMessage::parse(MessageType::Normal, read(text, &mut received)).expect("was made here");
        session.decrypt(&message, &mut plaintext).expect("was made here").len()
    };
    let len = meter.take("Olm encrypt, new chain", || encrypt(&mut theirs, &mut text));
    meter.take("Olm decrypt, new chain", || decrypt(&mut ours, &text[..len]));
    let len = encrypt(&mut theirs, &mut text);
    meter.take("Olm decrypt, same chain", || decrypt(&mut ours, &text[..len]));

    let key = PickleKey::new(&black_box([7; 32]));
    let mut flash = [0; 1_100];
    let pickle = meter
        .take("account of 8 keys, pickled", || account.pickle(&mut rng, &key, &mut flash))
        .expect("fits");
    let never = Generation::NEVER_PICKLED;
    meter.take("account, unpickled", || Account::<8, 8>::from_pickle(&key, never, pickle).is_ok());
    let pickle =
        meter.take("Olm session, pickled", || ours.pickle(&mut rng, &key, &mut flash)).expect("fits");
    meter.take("Olm session, unpickled", || Session::<8>::from_pickle(&key, never, pickle).is_ok());
}

#[inline(never)]
fn megolm(meter: &mut Meter) {
    let mut rng = Entropy::new();
    let mut outbound =
        meter.take("room session, begun", || OutboundGroupSession::new(&mut rng)).expect("is random");
    let mut text = [0; SessionKey::BASE64_LEN];
    let _ = meter.take("session key, signed", || outbound.session_key().to_base64(&mut text).len());
    let text = str::from_utf8(&text).expect("is Base64");
    let key = meter.take("session key, read", || SessionKey::from_base64(text)).expect("was made here");
    let mut inbound = InboundGroupSession::new(&key);
    let (mut text, mut bytes, mut plaintext) = ([0; 400], [0; 300], [0; 256]);
    let len = meter.take("Megolm encrypt 160 B", || {
        let message = outbound.encrypt(&PLAINTEXT, &mut bytes).expect("fits").message;
        base64::encode(message, &mut text).expect("fits").len()
    });
    meter.take("Megolm decrypt", || {
        inbound
            .decrypt(read(&text[..len], &mut bytes), &mut plaintext)
            .expect("was made here")
            .plaintext
            .len()
    });

    let key = PickleKey::new(&black_box([7; 32]));
    let mut flash = [0; 400];
    let never = Generation::NEVER_PICKLED;
    let pickle =
        meter.take("outbound, pickled", || outbound.pickle(&mut rng, &key, &mut flash)).expect("fits");
    meter.take("outbound, unpickled", || OutboundGroupSession::from_pickle(&key, never, pickle).is_ok());
    let pickle = meter.take("inbound, pickled", || inbound.pickle(&mut rng, &key, &mut flash)).expect("fits");
    meter.take("inbound, unpickled", || InboundGroupSession::from_pickle(&key, never, pickle).is_ok());
}
