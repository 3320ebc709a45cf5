//! A room key taken in, messages read with it; and with the feature `megolm` both sides and their pickles.

use core::hint::black_box;

use mx_megolm::{InboundGroupSession, SessionKey};

/// What a sensor's display does: nothing but read.
pub fn read() -> Option<()> {
    let text = black_box([b'A'; SessionKey::BASE64_LEN]);
    let key = SessionKey::from_base64(str::from_utf8(&text).ok()?).ok()?;
    let mut session = InboundGroupSession::new(&key);
    let mut plaintext = [0; 256];
    black_box(session.decrypt(&black_box([3; 128]), &mut plaintext).ok()?.plaintext);
    Some(())
}

#[cfg(feature = "megolm")]
pub fn run(rng: &mut firmware::entropy::Entropy) -> Option<()> {
    use mx_megolm::{Generation, OutboundGroupSession, PickleKey};

    let mut outbound = OutboundGroupSession::new(rng).ok()?;
    let mut text = [0; SessionKey::BASE64_LEN];
    black_box(outbound.session_key().to_base64(&mut text));
    let mut out = [0; 256];
    black_box(outbound.encrypt(&black_box(*b"22.5 C"), &mut out).ok()?.message);
    let mut inbound = InboundGroupSession::new(&outbound.session_key());
    black_box(inbound.export_at(black_box(5)).ok()?.as_bytes());

    let key = PickleKey::new(&black_box([7; 32]));
    let mut flash = [0; 512];
    let pickle = outbound.pickle(rng, &key, &mut flash).ok()?;
    black_box(OutboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
    let pickle = inbound.pickle(rng, &key, &mut flash).ok()?;
    black_box(InboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
    Some(())
}
