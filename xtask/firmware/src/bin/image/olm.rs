//! An account of eight one-time keys, a session in each direction, and their pickles.

use core::hint::black_box;

use mx_olm::{Account, OlmMessage, PreKeyMessage, Session};
use mx_pickle::{Generation, PickleKey};
use mx_types::base64;

use firmware::entropy::Entropy;

const SKIPPED: usize = 8;

pub fn run(rng: &mut Entropy) -> Option<()> {
    let mut account = Account::<8, 8>::new(rng).ok()?;
    let one_time_key = account.one_time_keys_mut().generate(rng).ok()?.key.key;
    black_box(account.one_time_keys_mut().generate_fallback(rng).ok()?.evicted);
    black_box(account.sign(&black_box(*b"device keys")));
    account.one_time_keys_mut().mark_as_published();

    let their_key = black_box(account.curve25519_key());
    let mut session =
        Session::<SKIPPED>::outbound(rng, account.identity(), &their_key, &black_box(one_time_key)).ok()?;
    let mut out = [0; 256];
    let message = session.encrypt(rng, &black_box(*b"22.5 C"), &mut out).ok()?;

    let mut text = [0; 344];
    let text = black_box(base64::encode(message.bytes, &mut text).ok()?);
    let mut bytes = [0; 256];
    let bytes = base64::decode(text, base64::TrailingBits::Ignored, &mut bytes).ok()?;
    let mut plaintext = [0; 64];
    let received = PreKeyMessage::parse(bytes).ok()?;
    let inbound = account.inbound_session::<SKIPPED>(&their_key, &received, &mut plaintext).ok()?;
    black_box(inbound.plaintext);
    let mut inbound = inbound.session;

    let reply = inbound.encrypt(rng, &black_box(*b"too warm"), &mut out).ok()?;
    let reply = OlmMessage::parse(black_box(reply.message_type), reply.bytes).ok()?;
    black_box(session.decrypt(&reply, &mut plaintext).ok()?);

    let key = PickleKey::new(&black_box([7; 32]));
    let mut flash = [0; 2_048];
    let pickle = session.pickle(rng, &key, &mut flash).ok()?;
    black_box(Session::<SKIPPED>::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
    let pickle = account.pickle(rng, &key, &mut flash).ok()?;
    black_box(Account::<8, 8>::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
    Some(())
}
